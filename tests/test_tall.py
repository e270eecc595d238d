"""Many more rows than columns: what the squared loss reads of X, and that it makes no difference."""

import numpy as np
import pytest

from l1l2fast import L1, sampling, solve, squared
from l1l2fast._dense import DenseC, DenseF


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


def hidden():
    """X and y = X[:, 3] + c X[:, 7], where y has no slope along column 7."""
    X, _ = tall()
    X -= X.mean(0)
    X[:, 7] -= X[:, 3] @ X[:, 7] / (X[:, 3] @ X[:, 3]) * X[:, 3]
    X[:, 7] -= 0.9 * X[:, 3]
    return X, X[:, 3] + X[:, 3] @ X[:, 3] * 0.9 / (X[:, 7] @ X[:, 7]) * X[:, 7]


def test_a_column_whose_slope_is_hidden_by_another_comes_in_later():
    X, y = hidden()
    alpha = 0.1 * strongest(X, y)
    result = solve(X, y, "squared", L1(alpha))
    assert abs(X[:, 7] @ y) / len(y) < 0.1 * alpha < 0.1 < result.coef[7]
    assert result.gap <= result.tolerance and result.n_passes == 3


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_sample_knows_the_hidden_column(monkeypatch, order, dtype):
    X, y = hidden()
    monkeypatch.setattr(squared, "TALLER", 20)
    result = solve(np.array(X + 5, dtype=dtype, order=order), y, "squared", L1(0.1 * strongest(X, y)))
    assert result.gap <= result.tolerance and result.coef[3] > 0.1 < result.coef[7]
    assert result.n_passes == 2


def test_a_sample_without_weight_is_no_sample(monkeypatch):
    X, y = tall()
    monkeypatch.setattr(squared, "TALLER", 20)
    weight = np.zeros(len(y))
    part = sampling.runs(*X.shape)
    weight[np.setdiff1d(np.arange(len(y)), (part[:, None] + np.arange(sampling.RUN)).ravel())] = 1.0
    penalty = L1(strongest(X, y) / 10)
    result = solve(X, y, "squared", penalty, sample_weight=weight)
    rest = solve(X[weight > 0], y[weight > 0], "squared", penalty)
    assert result.gap <= result.tolerance
    np.testing.assert_allclose(result.coef, rest.coef, rtol=0, atol=1e-12)


CASES = {
    "positive": {"lower": 0.0},
    "upper": {"upper": 0.2},
    "free columns": {"penalty_factor": np.arange(120) % 7 / 3},
    "warm start": {"warm_start": np.where(np.arange(120) == 50, 3.0, 0.0)},
    "weights": {"sample_weight": np.arange(3000) % 5 / 2.0},
    "no intercept": {"fit_intercept": False},
}


@pytest.mark.parametrize("taller", [20, 200])
@pytest.mark.parametrize("given", CASES.values(), ids=CASES)
def test_starting_with_few_under_every_option(monkeypatch, given, taller):
    X, y = tall(1)
    monkeypatch.setattr(squared, "TALLER", taller)
    penalty = L1(strongest(X, y) / 10)
    result = solve(X, y, "squared", penalty, **given)
    monkeypatch.setattr(squared, "FEW", len(X[0]))
    every = solve(X, y, "squared", penalty, **given)
    assert result.gap <= result.tolerance
    np.testing.assert_allclose(result.coef, every.coef, rtol=0, atol=1e-11)


@pytest.mark.parametrize("level", [0.0, 3.5, 4.5, 1e6])
@pytest.mark.parametrize("which", [slice(0, 9), slice(2, 7), [0, 2, 3], [3, 2, 1]], ids=str)
@pytest.mark.parametrize("kind", [DenseC, DenseF])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weights", ["equal", "any"])
def test_gram_of_a_run_where_it_lies(level, which, kind, dtype, weights):
    rng = np.random.default_rng(2)
    X = (rng.standard_normal((700, 9)) + level).astype(dtype, order="F" if kind is DenseF else "C")
    w = np.full(700, 1.0) if weights == "equal" else rng.uniform(0.5, 2, 700)
    w /= w.sum()
    columns, which = kind(X), np.arange(9, dtype=np.intp)[which]
    square, *_ = columns.first_pass(w, np.zeros(700), 0, True)
    columns.scale[:] = rng.uniform(0.5, 2, 9)
    square *= columns.scale**2
    near = columns.near(which, square)
    assert near == (level < 4)
    G = np.full((len(which), len(which)), np.nan)
    columns.gram(which, np.sqrt(w), G, 0, near)
    exact = X.astype(np.longdouble)
    exact = (exact - w @ exact) * columns.scale
    exact = (exact * w[:, None]).T @ exact
    error = np.abs(G - exact[np.ix_(which, which)]) / np.sqrt(np.outer(square[which], square[which]))
    assert error.max() < 4e-15 * (1 + level**2 if near else 2)  # the products are so much larger than the answer
    np.testing.assert_array_equal(G, G.T)
