"""Many more rows than columns: what the squared loss reads of X, and that it makes no difference."""

import numpy as np
import pytest

from l1l2fast import L1, solve, squared


def tall(seed=0, n=3000, p=120):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    X[:, 1:] += 0.5 * X[:, :-1]
    return X, X[:, ::10] @ rng.standard_normal(len(X[0, ::10])) + rng.standard_normal(n)


def strongest(X, y):
    """The least alpha whose lasso has no column."""
    return np.abs((X - X.mean(0)).T @ (y - y.mean())).max() / len(y)


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("part", [2, 10, 1000])
def test_starting_with_the_promising_columns(monkeypatch, order, part):
    X, y = tall()
    X, penalty = np.array(X, order=order), L1(strongest(X, y) / part)
    result = solve(X, y, "squared", penalty)
    monkeypatch.setattr(squared, "FEW", len(X[0]))
    every = solve(X, y, "squared", penalty)
    assert result.gap <= result.tolerance and result.n_passes <= 3
    np.testing.assert_allclose(result.coef, every.coef, rtol=0, atol=1e-12)


def test_a_column_whose_slope_is_hidden_by_another_comes_in_later():
    X, _ = tall()
    X -= X.mean(0)
    X[:, 7] -= X[:, 3] @ X[:, 7] / (X[:, 3] @ X[:, 3]) * X[:, 3]
    X[:, 7] -= 0.9 * X[:, 3]
    y = X[:, 3] + X[:, 3] @ X[:, 3] * 0.9 / (X[:, 7] @ X[:, 7]) * X[:, 7]  # no slope of 7 at zero
    alpha = 0.1 * strongest(X, y)
    result = solve(X, y, "squared", L1(alpha))
    assert abs(X[:, 7] @ y) / len(y) < 0.1 * alpha < 0.1 < result.coef[7]
    assert result.gap <= result.tolerance and result.n_passes == 3


CASES = {
    "positive": {"lower": 0.0},
    "upper": {"upper": 0.2},
    "free columns": {"penalty_factor": np.arange(120) % 7 / 3},
    "warm start": {"warm_start": np.where(np.arange(120) == 50, 3.0, 0.0)},
}


@pytest.mark.parametrize("given", CASES.values(), ids=CASES)
def test_starting_with_few_under_every_option(monkeypatch, given):
    X, y = tall(1)
    penalty = L1(strongest(X, y) / 10)
    result = solve(X, y, "squared", penalty, **given)
    monkeypatch.setattr(squared, "FEW", len(X[0]))
    every = solve(X, y, "squared", penalty, **given)
    assert result.gap <= result.tolerance
    np.testing.assert_allclose(result.coef, every.coef, rtol=0, atol=1e-11)
