"""Absolute and pinball loss with L1 or a sign: every start ends in the corner that a linear programme finds."""

import numpy as np
import pytest
from scipy.optimize import linprog

from l1l2fast import L1, Pinball, Status, path, priced, solve
from l1l2fast._interior import interior


def programme(X, y, quantile, alpha, weight, factor, intercept, positive):
    """The least objective, by HiGHS."""
    n, p = X.shape
    w = weight / weight.sum()
    A = np.hstack([X, -X, np.full((n, 1), float(intercept)), np.eye(n), -np.eye(n)])
    finite = np.where(np.isinf(factor), 0.0, factor)
    cost = np.r_[alpha * finite, alpha * finite, 0.0, quantile * w, (1 - quantile) * w]
    ends = [(0, 0 if np.isinf(v) else None) for v in factor]
    below = [(0, 0)] * p if positive else ends
    found = linprog(
        cost * n,
        A_eq=A,
        b_eq=y,
        bounds=[*ends, *below, (None, None), *[(0, None)] * (2 * n)],
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert found.status == 0
    return found.fun / n


def data(n, p, kind, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    if kind == "tied":
        X = rng.integers(-2, 3, (n, p)).astype(float)
        return X, np.round(X[:, :3] @ [1.0, -2.0, 1.0] + rng.integers(-2, 3, n))
    if kind == "collinear":
        X[:, p // 2 :] = X[:, : p - p // 2] * rng.choice([1.0, -1.0, 2.0], p - p // 2)
    if kind == "scales":
        X *= 10.0 ** rng.integers(-3, 4, p)
    return X, X @ (rng.standard_normal(p) * (rng.random(p) < 0.2) / X.std(axis=0)) + rng.standard_t(2, n) + 3


@pytest.mark.parametrize("kind", ["plain", "tied", "collinear", "scales"])
@pytest.mark.parametrize("shape", [(60, 25), (25, 60), (40, 40)], ids=str)
@pytest.mark.parametrize("start", ["empty", "interior", "narrow"])
def test_against_a_linear_programme(kind, shape, start, monkeypatch):
    if start != "empty":
        monkeypatch.setattr(priced, "SMALL", 0)
    if start == "narrow":  # too few rows and columns, at first
        monkeypatch.setattr(priced, "EACH", 1)
        monkeypatch.setattr(priced, "BESIDES", 0)
    rng = np.random.default_rng(shape[0])
    X, y = data(*shape, kind)
    for quantile, part, positive in [(0.5, 0.1, False), (0.9, 0.01, False), (0.3, 0.1, True)]:
        weight = rng.choice([0.0, 1.0, 2.0], len(y), p=[0.1, 0.6, 0.3])
        factor = rng.choice([0.0, 1.0, 2.0, np.inf], shape[1], p=[0.05, 0.6, 0.3, 0.05])
        intercept = bool(rng.integers(2))
        rest = {"sample_weight": weight, "penalty_factor": factor, "fit_intercept": intercept, "positive": positive}
        for alpha in (part * np.abs(X.T @ np.sign(y)).max() / len(y), 0.0 if positive else 1e-6):
            result = solve(X, y, Pinball(quantile), L1(alpha), **rest, tol=1e-10)
            assert result.status is Status.CONVERGED
            least = programme(X, y, quantile, alpha, weight, factor, intercept, positive)
            assert abs(result.objective - least) <= 1e-8 * (least + np.abs(y).mean())
            assert result.gap <= 1e-9 * np.abs(y).mean()


@pytest.mark.parametrize("times", [1.5, 3.0, 30.0])
def test_a_price_that_no_column_is_worth(times):
    """No column pulls by half of its price at b = 0, and there is nothing to identify."""
    X, y = data(400, 60, "plain")
    top = np.abs(X.T @ np.sign(y)).max() / len(y)
    result = solve(X, y, "absolute", L1(times * top), fit_intercept=False)
    assert result.status is Status.CONVERGED and not result.coef.any()
    assert result.objective == pytest.approx(np.abs(y).mean(), rel=1e-14)


@pytest.mark.parametrize("kind", ["plain", "collinear", "scales"])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("part", [0.4, 0.2, 0.1])
def test_few_columns_are_found_by_rough_fits(part, positive, kind, monkeypatch):
    """What they leave out comes in before the end, whatever they leave out."""
    X, y = data(300, 120, kind)
    alpha = part * np.abs(X.T @ np.sign(y)).max() / len(y)
    rest = {"fit_intercept": False, "positive": positive}
    least = programme(X, y, 0.5, alpha, np.ones(len(y)), np.ones(120), False, positive)
    looks = []
    monkeypatch.setattr(priced, "samples", lambda m, k: [])
    monkeypatch.setattr(priced, "wanted", lambda small, f=priced.wanted: looks.append(f(small)) or looks[-1])
    for likely in (priced.LIKELY, 2.0):  # with 2.0, nothing that is wanted stays
        monkeypatch.setattr(priced, "LIKELY", likely)
        result = solve(X, y, Pinball(0.5), L1(alpha), **rest, tol=1e-10)
        assert result.status is Status.CONVERGED
        assert abs(result.objective - least) <= 1e-8 * (least + np.abs(y).mean())
    assert looks


@pytest.mark.parametrize("shape", [(300, 100), (100, 300)], ids=str)
def test_the_method_is_this_one_and_takes_few_pivots(shape):
    X, y = data(*shape, "plain")
    alpha = 0.1 * np.abs(X.T @ np.sign(y)).max() / len(y)
    result = solve(X, y, "absolute", L1(alpha), tol=1e-12)
    assert result.n_passes == 3  # one for f, one for u, and what validation read
    assert result.n_iter < 60
    zero = np.abs(y - result.intercept - X @ result.coef) <= 1e-12 * np.abs(y).max()
    assert zero.sum() == np.count_nonzero(result.coef) + 1  # a corner
    assert result.unique
    again = solve(X, y, "absolute", L1(alpha), tol=1e-12, warm_start=result)
    assert again.n_iter == 0
    assert again.objective == pytest.approx(result.objective, rel=1e-13)


@pytest.mark.parametrize("shape", [(120, 40), (40, 120)], ids=str)
def test_any_warm_start_ends_in_the_same_corner(shape, monkeypatch):
    monkeypatch.setattr(priced, "SMALL", 0)
    X, y = data(*shape, "plain")
    alpha = 0.05 * np.abs(X.T @ np.sign(y)).max() / len(y)
    cold = solve(X, y, "absolute", L1(alpha), tol=1e-12)
    rng = np.random.default_rng(0)
    for start in (rng.standard_normal(shape[1]), 1e6 * np.ones(shape[1]), cold.coef * 1.1):
        warm = solve(X, y, "absolute", L1(alpha), tol=1e-12, warm_start=start)
        assert np.allclose(warm.coef, cold.coef, rtol=0, atol=1e-10)


@pytest.mark.parametrize("scale", [1e-140, 1e-9, 1e9, 1e140])
@pytest.mark.parametrize("shape", [(120, 40), (40, 120)], ids=str)
def test_units_do_not_matter(shape, scale):
    X, y = data(*shape, "plain")
    alpha = 0.05 * np.abs(X.T @ np.sign(y)).max() / len(y)
    one = solve(X, y, "absolute", L1(alpha), tol=1e-12)
    other = solve(X, scale * y, "absolute", L1(alpha), tol=1e-12)
    assert np.allclose(other.coef / scale, one.coef, rtol=0, atol=1e-12)
    if 1e-10 < scale < 1e10:
        other = solve(scale * X, y, "absolute", L1(scale * alpha), tol=1e-12)
        assert np.allclose(other.coef * scale, one.coef, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(300, 40), (40, 300)], ids=str)
@pytest.mark.parametrize("intercept", [True, False])
def test_a_path_has_the_corners_of_single_fits(shape, intercept):
    X, y = data(*shape, "plain")
    found = path(X, y, Pinball(0.3), n_alphas=8, eps=1e-2, fit_intercept=intercept, tol=1e-12)
    assert found.gap.max() <= found.tolerance
    for alpha, coef in zip(found.alphas[1:], found.coef.T[1:], strict=True):
        single = solve(X, y, Pinball(0.3), L1(alpha), fit_intercept=intercept, tol=1e-12)
        assert np.allclose(coef, single.coef, rtol=0, atol=1e-10)


@pytest.mark.parametrize("columns", [3, 30])
def test_many_rows_are_sampled_and_banded(columns, monkeypatch):
    X, y = data(20_000, columns, "plain")
    alpha = 0.01 * np.abs(X.T @ np.sign(y)).max() / len(y)
    seen = []
    monkeypatch.setattr(priced, "interior", lambda Z, *rest: seen.append(Z.shape[1]) or interior(Z, *rest))
    result = solve(X, y, "absolute", L1(alpha), tol=1e-12)
    assert result.status is Status.CONVERGED
    assert max(seen) < 10_000  # the widest band
    assert result.n_iter < 300


def test_copies_of_a_column_are_not_unique():
    X, y = data(80, 10, "plain")
    twice = np.hstack([X, X])
    assert solve(X, y, "absolute", L1(0.05), tol=1e-12).unique
    assert solve(twice, y, "absolute", L1(0.05), tol=1e-12).unique is False
