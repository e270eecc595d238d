"""The lasso of sparse data with columns of very different frequency: few epochs, few passes, the same answer."""

import numpy as np
import pytest
import scipy.sparse as sp

from l1l2fast import L1, L1L2, solve


def texts(seed, n=1000, p=2000):
    """Counts of words, the k-th of which is about 1/k as frequent as the first, and an answer."""
    rng = np.random.default_rng(seed)
    often = np.minimum(0.3, 3 / (1 + np.arange(p)))
    X = sp.csc_matrix((rng.random((n, p)) < often) * rng.lognormal(0, 1, (n, p)))
    y = X @ (rng.standard_normal(p) * (rng.random(p) < 0.2)) + rng.standard_normal(n)
    return X, y, abs(X.T @ (y - y.mean())).max() / n


@pytest.mark.parametrize("seed", range(3))
def test_frequent_columns_do_not_hold_up_the_rest(seed):
    # with epochs over the support alone, without the columns that are restless, these were 84 to 98
    X, y, alpha_max = texts(seed)
    result = solve(X, y, penalty=L1(alpha_max / 100), tol=1e-4)
    assert result.gap <= result.tolerance
    assert result.n_iter <= 60 and result.n_passes <= 6


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_every_tolerance_is_kept(share):
    X, y, alpha_max = texts(3)
    penalty = L1L2(share * alpha_max / 100, (1 - share) * alpha_max / 100)
    exact = solve(X.toarray(), y, penalty=penalty, tol=1e-12)
    for tol in 10.0 ** -np.arange(1, 12, 2):
        result = solve(X, y, penalty=penalty, tol=tol)
        assert result.gap <= result.tolerance
        assert 0 <= result.objective - exact.dual_objective <= result.gap * (1 + 1e-9) + exact.gap
