"""Ridge: with fewer rows than columns, where 1 / alpha would drown the answer in rounding; by normal equations."""

import numpy as np
import pytest
from scipy import sparse

from l1l2fast import L2, least_squares, solve


def wide(n=6, p=15, seed=0):
    """Rows fewer than columns, weighted, not centred."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, p)) + 1, rng.standard_normal(n), rng.uniform(0.5, 2, n)


def shortest(X, y, weight):
    """The limit of ridge as its alpha vanishes, with an intercept."""
    q, root = weight / weight.sum(), np.sqrt(weight)
    return np.linalg.lstsq(root[:, None] * (X - q @ X), root * (y - q @ y), rcond=1e-12)[0]


@pytest.mark.parametrize("alpha", [1e-10, 1e-13, 1e-16, 1e-20, 1e-30, 1e-100, 1e-300])
@pytest.mark.parametrize("twins", [False, True])
def test_ridge_comes_down_to_the_shortest_coefficients(alpha, twins):
    X, y, weight = wide()
    if twins:  # two rows that disagree: no coefficients fit both
        X[1] = X[0]
    want = shortest(X, y, weight)
    result = solve(X, y, penalty=L2(alpha), sample_weight=weight)
    assert result.gap <= 1e-12 * result.tolerance / 1e-8 or twins
    np.testing.assert_allclose(result.coef, want, rtol=1e-12 + 100 * alpha, atol=1e-12 + 100 * alpha)


@pytest.mark.parametrize("alpha", [100.0, 1.0, 1e-4, 1e-8, 1e-12])
@pytest.mark.parametrize("free", [0, 3, 14])
def test_ridge_beside_free_columns(alpha, free):
    X, y, weight = wide()
    factor = np.linspace(0.1, 10, X.shape[1])
    factor[:free] = 0
    result = solve(X, y, penalty=L2(alpha), sample_weight=weight, penalty_factor=factor)
    q = weight / weight.sum()
    r = y - result.predict(X)
    # the gradient of the objective, each sum relative to the rounding of its terms
    gradient = X.T @ (q * r) - alpha * factor * result.coef
    size = np.abs(X).T @ (q * (np.abs(X) @ np.abs(result.coef) + np.abs(y)))
    assert (np.abs(gradient) <= 1e-14 * size).all()
    assert abs(q @ r) <= 1e-14 * np.abs(y).max() * X.shape[1]
    assert result.unique is (free < 6)


@pytest.mark.parametrize("shape", [(60, 20), (20, 60)])
@pytest.mark.parametrize("alpha", [1.0, 1e-4, 1e-9])
@pytest.mark.parametrize("standardize", [True, False])
def test_one_fit_by_normal_equations(monkeypatch, shape, alpha, standardize):
    X, y, weight = wide(*shape)
    settings = {"penalty": L2(alpha), "sample_weight": weight, "standardize": standardize, "tol": 1e-10}
    settings["penalty_factor"] = np.linspace(0.5, 3, shape[1])
    want = solve(X, y, **settings)
    monkeypatch.setattr(least_squares, "HEAVY", 0)
    result = solve(X, y, **settings)
    assert result.gap <= result.tolerance and result.unique
    np.testing.assert_allclose(result.coef, want.coef, rtol=1e-8, atol=1e-9 * np.abs(want.coef).max())
    np.testing.assert_allclose(result.objective, want.objective, rtol=1e-9)


def test_normal_equations_step_back(monkeypatch):
    """Columns whose Gram matrix has lost them are left to orthogonal transforms."""
    monkeypatch.setattr(least_squares, "HEAVY", 0)
    X, y, _ = wide(60, 5)
    X = np.column_stack([X, X[:, 0] + 1e-7 * X[:, 1]])
    result = solve(X, y, tol=1e-12)
    want = np.linalg.lstsq(X - X.mean(0), y - y.mean(), rcond=None)[0]
    assert result.gap <= result.tolerance
    np.testing.assert_allclose(result.coef, want, rtol=1e-6)


@pytest.mark.parametrize("shape", [(60, 25), (25, 60)])
@pytest.mark.parametrize("alpha", [1.0, 1e-4, 0.0])
def test_conjugate_gradients_on_sparse_columns(monkeypatch, shape, alpha):
    X, y, weight = wide(*shape)
    X[np.abs(X) < 1] = 0
    factor = np.linspace(0.2, 2, shape[1])
    settings = {"penalty": L2(alpha), "sample_weight": weight, "penalty_factor": factor, "tol": 1e-10}
    want = solve(X, y, **settings)
    monkeypatch.setattr(least_squares, "MAX_DENSE", 10)
    result = solve(sparse.csc_array(X), y, **settings)
    assert result.gap <= result.tolerance
    if want.unique:
        np.testing.assert_allclose(result.coef, want.coef, rtol=0, atol=1e-5 * np.abs(want.coef).max())
    np.testing.assert_allclose(result.objective, want.objective, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_twins_among_many_rows(loss):
    """Rounding of a factorisation in blocks grows with their number, and must not pass for a direction."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(100_000)
    result = solve(np.c_[x, x], x + rng.standard_normal(100_000), loss)
    assert result.unique is False
    np.testing.assert_allclose(result.coef, 0.5, atol=0.01)
    assert np.ptp(result.coef) < 1e-9
