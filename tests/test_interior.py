"""The lasso near interpolation: n < p, and a penalty so small that the support is almost as large as n."""

import numpy as np
import pytest
import reference
from data import random_problem

from l1l2fast import L1, L1L2, path, solve
from l1l2fast.interior import columns_in, dual_steps, factor


def problem(n, p, seed):
    """X, y and the smallest alpha that leaves nothing but the intercept."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 0.5 * rng.standard_normal((n, 1))
    b = np.where(rng.random(p) < 0.1, rng.standard_normal(p), 0.0)
    y = X @ b + rng.standard_normal(n)
    return X, y, abs(X.T @ (y - y.mean())).max() / n


@pytest.mark.parametrize("part", [1e-3, 1 / 20_000])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", [(50, 300), (100, 600)], ids=str)
def test_solve_is_certified(shape, seed, part):
    X, y, top = problem(*shape, seed)
    result = solve(X, y, penalty=L1(part * top), tol=1e-10)
    assert result.gap <= result.tolerance
    pb = reference.problem(X, y, "squared", part * top)
    best = reference.solve(pb).objective
    # the judge's own 1e-14 is relative to y'y
    assert abs(result.objective - best) <= result.gap + 1e-11 * (y @ y)
    reference.check_certificate(pb, result)


@pytest.mark.parametrize("seed", range(4))
def test_steps_are_longer_where_no_column_was_missing(seed):
    """Columns made of ten factors: where to go is known early on; usual steps take 7 to 8 passes, and 14 to 19."""
    rng = np.random.default_rng(seed)
    score = rng.standard_normal((60, 10))
    X = np.asfortranarray(score @ rng.standard_normal((10, 3000)) + 0.1 * rng.standard_normal((60, 3000)))
    y = score[:, 0] + 0.3 * rng.standard_normal(60)
    top = abs(X.T @ (y - y.mean())).max() / 60
    for part, passes in ((0.01, 6), (0.001, 14)):
        result = solve(X, y, penalty=L1(part * top))
        assert result.gap <= result.tolerance and result.n_passes <= passes
        reference.check_certificate(reference.problem(X, y, "squared", part * top), result)


@pytest.mark.parametrize("shape", [(50, 300), (100, 600)], ids=str)
def test_a_path_down_to_interpolation(shape):
    X, y, top = problem(*shape, 3)
    result = path(X, y, n_alphas=30, eps=1e-4, tol=1e-9)
    assert (result.gap <= result.tolerance).all()
    for k in (10, 20, 29):
        best = reference.solve(reference.problem(X, y, "squared", result.alphas[k])).objective
        assert abs(result.objective[k] - best) <= result.gap[k] + 1e-11 * (y @ y)


@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("part", [0.1, 1e-3, 1 / 20_000])
@pytest.mark.parametrize("shape", [(20, 60), (50, 300)], ids=str)
def test_dual_steps_alone(shape, part, warm):
    """1/2 |y - Z b|^2 + limit'|b|, each column with a limit of its own, against Clarabel."""
    n, k = shape
    Z, y, _ = problem(n, k, 4)
    limit = part * abs(Z.T @ y).max() * np.random.default_rng(5).uniform(0.5, 2, k)
    answer = reference.solve(reference.problem(Z, y, "squared", 1 / n, penalty_factor=limit, fit_intercept=False))
    start = 1.1 * answer.coef if warm else np.zeros(k)
    b = dual_steps(np.asfortranarray(Z), y, limit, start, 1e-7 * (y @ y))
    objective = (y - Z @ b) @ (y - Z @ b) / 2 + limit @ abs(b)
    assert objective <= n * answer.objective + 1e-6 * (y @ y)
    assert np.count_nonzero(b) <= 1.25 * n  # the support, roughly: the working set does the rest
    np.testing.assert_allclose(Z @ b, Z @ answer.coef, atol=2e-3 * np.linalg.norm(y))


@pytest.mark.parametrize("size", [1.0, 1e45, 1e90])
@pytest.mark.parametrize("k", [25, 400])
def test_the_matrix_of_a_step(k, size):
    """Of a few columns it is exact; of many, near; and what single precision cannot hold is left to double."""
    n, rng = 20, np.random.default_rng(6)
    Z, d = np.asfortranarray(rng.standard_normal((n, k))), size * rng.uniform(0.5, 1.5, k)
    L, failed = factor(Z, (Z * Z).sum(0), d, np.empty(n * columns_in(Z)))
    assert not failed
    assert L.dtype == np.float64
    found, exact = np.tril(L) @ np.tril(L).T, np.eye(n) + Z * d @ Z.T
    similar = np.linalg.eigvals(np.linalg.solve(exact, found)).real
    assert 0.5 < similar.min() <= similar.max() < 2
    if k <= columns_in(Z):
        np.testing.assert_allclose(found, exact, atol=1e-12 * abs(exact).max())


def test_an_elastic_net_with_more_coefficients_than_rows_ends_by_newton_steps():
    """The penalty's curvature makes up for the rank; epochs alone need hundreds of passes."""
    X, y = random_problem(2, 200, 2000)
    result = solve(X, y, penalty=L1L2(0.02, 0.1), tol=1e-9)
    assert np.count_nonzero(result.coef) > 2 * len(y)
    assert result.gap <= result.tolerance
    assert result.n_passes < 40
