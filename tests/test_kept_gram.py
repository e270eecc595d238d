"""The Gram matrix that follows the columns and the weights, against numpy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from l1l2fast._dense import DenseC, DenseF
from l1l2fast.kept_gram import KeptGram


def matrix(kind, n=60, p=40):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((n, p)) + rng.standard_normal(p)
    columns = kind(np.array(X, order="F" if kind is DenseF else "C"))
    columns.mean[:], columns.scale[:] = X.mean(axis=0), 1 + rng.random(p)
    return rng, columns, (X - columns.mean) * columns.scale


def check(kept, Z, asked, h, v, maybe):
    which, first, slope = kept.of(asked, h, v, maybe)
    A, k = Z[:, which], len(which)
    assert set(asked) <= set(which) <= set(asked) | set(np.flatnonzero(maybe))
    assert_allclose(kept.G[:k, :k], A.T @ (h[:, None] * A), rtol=1e-11, atol=1e-11)
    assert_allclose(first, A.T @ h, rtol=1e-11, atol=1e-11)
    assert_allclose(slope, A.T @ v, rtol=1e-11, atol=1e-11)
    return which


@pytest.mark.parametrize("kind", [DenseF, DenseC])
def test_rows_and_columns_that_come_and_go(kind):
    rng, columns, Z = matrix(kind)
    kept, h, J = KeptGram(columns), rng.random(60) + 0.1, np.arange(20)
    none, all_of_them = np.zeros(40, dtype=bool), np.ones(40, dtype=bool)
    check(kept, Z, J, h, rng.standard_normal(60), none)
    for step in range(12):
        h = h.copy()
        rows = rng.choice(60, 5, replace=False)
        h[rows] = np.where(rng.random(5) < 0.5, 0.0, rng.random(5))
        J = np.setdiff1d(J, rng.choice(40, 2))
        J = np.union1d(J, rng.choice(40, 3))
        check(kept, Z, J, h, rng.standard_normal(60), all_of_them if step % 2 else none)


def test_what_changes_little_is_not_formed_anew(monkeypatch):
    rng, columns, Z = matrix(DenseF)
    kept, h = KeptGram(columns), np.ones(60)
    check(kept, Z, np.arange(20), h, h, np.zeros(40, dtype=bool))
    monkeypatch.setattr(kept, "anew", lambda *_: pytest.fail("formed anew"))
    h = h.copy()
    h[:3] = 0.0
    which = check(kept, Z, np.arange(1, 22), h, h, np.ones(40, dtype=bool))
    assert 0 in which, "a column that may stay was dropped"


def test_a_heavy_row_that_leaves_takes_no_digits_with_it():
    rng, columns, Z = matrix(DenseF)
    columns.owner[0] *= 1e9
    Z[0] = (columns.owner[0] - columns.mean) * columns.scale
    kept, h, J = KeptGram(columns), np.ones(60), np.arange(20)
    kept.of(J, h, h, np.zeros(40, dtype=bool))
    h = h.copy()
    h[0] = 0.0
    check(kept, Z, J, h, h, np.zeros(40, dtype=bool))
