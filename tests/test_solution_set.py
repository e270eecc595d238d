"""All optima of a fit, against linear programmes for each end of each coefficient, and cases known by hand."""

import dataclasses
import doctest
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from cells import LAYOUTS, quiet_solve
from scipy.optimize import linprog

from l1l2fast import L1, L1L2, L2, ConvergenceWarning, Huber, Pinball, Result, SolutionSet, _validate, solve

INF = np.inf


def tied(rng):
    """X, y, options of a small problem with ties: integers, dummies, repeated rows and columns, two samples."""
    kind = rng.integers(5)
    n, p = rng.integers(2, 25), rng.integers(0, 6)
    X = rng.integers(0, 2, (n, p)) if kind < 2 else rng.integers(-2, 3, (n, p))
    if kind == 2 and p:
        X[:, rng.integers(p)] = X[:, 0]
    if kind == 3:
        X = X[rng.integers(0, 1 + n // 2, n)]
    if kind == 4:
        X = (rng.permutation(n) % 2)[:, None]
    y = rng.integers(-3, 4, n)
    options = {"fit_intercept": bool(rng.random() < 0.8)}
    if rng.random() < 0.3:
        options["sample_weight"] = rng.integers(0, 3, n) + (np.arange(n) == 0)
    if rng.random() < 0.2:
        options["offset"] = rng.integers(-2, 3, n)
    if rng.random() < 0.3:
        options["lower"] = rng.choice([-INF, 0, -1], X.shape[1])
        options["upper"] = rng.choice([INF, 1, 0.5], X.shape[1])
    if rng.random() < 0.2:
        options["penalty_factor"] = rng.choice([0, 1, 2, INF], X.shape[1])
        for name, none in (("lower", -INF), ("upper", INF)):
            if name in options:  # what is left out has no bounds
                options[name] = np.where(options["penalty_factor"] == INF, none, options[name])
    return X.astype(float), y.astype(float), options


def judge(X, y, slopes, l1, l2, result, **options):
    """The ends of every coefficient and, last, of the intercept: two linear programmes by HiGHS for each.

    slopes (left, right), or None for the squared loss, whose fit is the same at every optimum; curvature holds b.
    """
    n, p = X.shape
    w = np.broadcast_to(options.get("sample_weight", 1.0), n) / 1.0
    y = y - options.get("offset", 0.0)
    factor = np.broadcast_to(options.get("penalty_factor", 1.0), p).astype(float)
    lower, upper = (np.broadcast_to(options.get(k, d), p).astype(float) for k, d in (("lower", -INF), ("upper", INF)))
    lower, upper = np.where(factor == INF, 0, lower), np.where(factor == INF, 0, upper)
    factor = np.where(factor == INF, 0, factor)
    held = l2 * factor > 0
    lower, upper = np.where(held, result.coef, lower), np.where(held, result.coef, upper)
    one = float(options.get("fit_intercept", True))
    # b, b0, r+, r-, |b|
    A = np.hstack([X, np.full((n, 1), one), np.eye(n), -np.eye(n), np.zeros((n, p))])
    size = [np.hstack([s * np.eye(p), np.zeros((p, 1 + 2 * n)), -np.eye(p)]) for s in (1, -1)]
    ends = list(zip(lower, upper)) + [(None, None)] + [(0, None)] * (2 * n + p)
    right = y.copy()
    cost = np.r_[np.zeros(p + 1), np.zeros(2 * n), l1 * factor]
    if slopes is None:
        A[:, p + 1 : p + 1 + 2 * n] = 0.0
        right = X @ result.coef + result.intercept * one
    else:
        cost[p + 1 :] = np.r_[slopes[1] * w / w.sum(), slopes[0] * w / w.sum(), l1 * factor]
    A, right = A[w > 0], right[w > 0]
    least = cost @ start(X, y, result, one, n)
    pairs = []
    for j in range(p + 1):
        pair = []
        for sign in (1, -1):
            target = sign * np.eye(len(cost))[j]
            limit = dict(
                A_ub=np.vstack([cost / (cost.max() or 1), *size]),
                b_ub=np.r_[(least + 1e-10) / (cost.max() or 1), np.zeros(2 * p)],
            )
            end = linprog(target, **limit, A_eq=A, b_eq=right, bounds=ends)
            assert end.status in (0, 3, 4), end.message
            pair.append(sign * end.fun if end.status == 0 else -sign * INF)
        pairs.append(pair)
    pairs[p] = pairs[p] if one else [0, 0]
    return np.array(pairs).reshape(p + 1, 2).T


def start(X, y, result, one, n):
    """The judge's variables at the result."""
    r = y - X @ result.coef - one * result.intercept
    return np.r_[result.coef, result.intercept, np.maximum(r, 0), np.maximum(-r, 0), np.abs(result.coef)]


def check(X, y, loss, penalty, **options):
    """Everything that is said of the set holds; returns it."""
    result = quiet_solve(X, y, loss, penalty, tol=1e-10, **options)
    found = result.solution_set()
    slopes = {"squared": None, "absolute": (1, 1)}[loss] if isinstance(loss, str) else loss.slopes()
    low, high = judge(X, y, slopes, *(penalty.elastic() if penalty else (0, 0)), result, **options)
    ours = np.r_[found.lower, found.intercept_lower], np.r_[found.upper, found.intercept_upper]
    for end, truth in zip(ours, (low, high)):
        assert (np.isfinite(end) == np.isfinite(truth)).all()
        there = np.isfinite(end)
        np.testing.assert_allclose(end[there], truth[there], atol=1e-6 * (1 + np.abs(y).max()))
    assert found.unique is (found.dimension == 0)
    assert result.unique in (found.unique, None)
    assert (found.lower < found.upper).any() or found.intercept_lower < found.intercept_upper or found.unique
    inside(X, y, loss, penalty, result, found, **options)
    return found


def inside(X, y, loss, penalty, result, found, **options):
    """The centre is optimal, and off the ends of what can move."""
    factor = np.nan_to_num(np.broadcast_to(options.get("penalty_factor", 1.0), len(result.coef)), posinf=0.0)
    w = np.broadcast_to(options.get("sample_weight", 1.0), len(y))
    f = X @ found.center + found.center_intercept + options.get("offset", 0.0)
    each = np.frompyfunc(_validate.loss(loss), 2, 1)(y, f).astype(float)
    penalties = sum(v * penalty(b) for v, b in zip(factor, found.center)) if penalty else 0.0
    assert w @ each / w.sum() + penalties <= result.objective + 1e-9 * (1 + result.objective)
    assert (found.center >= options.get("lower", -INF)).all()
    assert (found.center <= options.get("upper", INF)).all()
    for low, at, high in zip(found.lower, found.center, found.upper):
        assert low < at < high or low == at == high


@pytest.mark.parametrize("loss", ["squared", "absolute", Pinball(0.25)], ids=str)
def test_tied_problems_against_the_ends_of_every_coefficient(loss):
    rng = np.random.default_rng(7)
    penalties = [None, None, None, L1(0.1), L1(0.25), L2(0.1), L1L2(0.1, 0.1)]
    several = 0
    for _ in range(170):
        X, y, options = tied(rng)
        several += not check(X, y, loss, penalties[rng.integers(len(penalties))], **options).unique
    assert several >= 15


@pytest.mark.parametrize(
    "y, ends", [([1, 3], (1, 3)), ([1, 2, 5, 9], (2, 5)), ([1, 2, 5], (2, 2)), ([1, 2, 2, 9], (2, 2)), ([3], (3, 3))]
)
def test_the_median(y, ends):
    found = solve(np.empty((len(y), 0)), y, "absolute").solution_set()
    assert (found.intercept_lower, found.intercept_upper) == ends
    assert found.center_intercept == sum(ends) / 2
    assert found.dimension == (ends[0] < ends[1])


def test_two_samples():
    """Medians of [1, 3] and of [1, 9]: the intercept is the first, the coefficient their difference."""
    found = solve([[0], [0], [1], [1]], [1, 3, 1, 9], "absolute").solution_set()
    assert (found.dimension, found.unique) == (2, False)
    assert (found.intercept_lower, found.intercept_upper) == (1, 3)
    assert (found.lower.tolist(), found.upper.tolist()) == ([-2], [8])
    assert 1 < found.center_intercept < 3
    assert 1 < found.center_intercept + found.center[0] < 9
    assert repr(found) == "SolutionSet(dimension 2: intercept in [1, 3], coef[0] in [-2, 8])"


def test_a_dummy_for_every_group():
    """Three groups, three dummies and an intercept: a line of equal fits, and groups of even size."""
    X = np.repeat(np.eye(3), [2, 3, 4], axis=0)
    found = solve(X, [1, 3, 0, 5, 7, 2, 4, 8, 9], "absolute").solution_set()
    assert found.dimension == 3
    assert np.isinf([found.intercept_lower, found.intercept_upper, *found.lower, *found.upper]).all()
    found = solve(X, [1, 3, 0, 5, 7, 2, 4, 8, 9], "absolute", fit_intercept=False).solution_set()
    assert (found.lower.tolist(), found.upper.tolist(), found.dimension) == ([1, 5, 4], [3, 5, 8], 2)


def test_equal_columns_of_a_lasso():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 40))
    y = y + 3 * x
    one = solve(x[:, None], y, penalty=L1(0.1)).coef[0]
    for X in (np.c_[x, x, rng.standard_normal(40)], sp.csc_array(np.c_[x, x, np.zeros(40)])):
        found = solve(X, y, penalty=L1(0.1)).solution_set()
        assert found.dimension == 1
        np.testing.assert_allclose(found.lower[:2], 0, atol=1e-9)
        np.testing.assert_allclose(found.upper[:2], one, rtol=1e-2)  # the third column may take a little
        assert found.lower[2] == found.upper[2]
    # with an L2 part, and with other strengths, there is one optimum
    assert solve(X, y, penalty=L1L2(0.1, 1e-3)).solution_set().unique
    assert solve(X, y, penalty=L1(0.1), penalty_factor=[1, 1.01, 1]).solution_set().unique


def test_wide_lasso_is_unique_and_least_squares_is_not():
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((20, 300)), rng.standard_normal(20)
    assert solve(X, y, penalty=L1(0.05)).solution_set().unique  # Tibshirani (2013), lemma 4
    for loss in ("squared", "absolute"):
        found = solve(X, y, loss).solution_set()
        assert found.dimension == 300 - 19
        assert np.isinf(found.upper).all()
    assert solve(X, y, "absolute", L1(0.01)).solution_set().unique


def test_a_fit_at_a_tolerance_is_finished_first():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((100, 200))
    X[:, 100:] = X[:, :100]
    y = X[:, :5].sum(axis=1) + rng.standard_normal(100)
    result = solve(X, y, penalty=L1(0.2), tol=1e-2)
    exact = solve(X[:, :100], y, penalty=L1(0.2), tol=1e-14)
    found = result.solution_set()
    assert found.dimension == np.count_nonzero(exact.coef)
    np.testing.assert_allclose(found.lower + found.upper, np.tile(exact.coef, 2), atol=1e-8)


def test_which_optimum_does_not_depend_on_storage():
    """Of tied optima, every layout of integers gives the same one."""
    rng = np.random.default_rng(8)
    for size in [20] * 60 + [500] * 8:
        X, y = rng.integers(0, 2, (size, 4)), rng.integers(-3, 4, size)
        for loss, weight in (("absolute", None), (Pinball(0.25), rng.integers(1, 4, size))):
            want = solve(X.astype(float), y, loss, sample_weight=weight)
            for layout in LAYOUTS.values():
                found = solve(layout(X.astype(float)), y, loss, sample_weight=weight)
                np.testing.assert_allclose(found.coef, want.coef, atol=1e-9)
                assert found.intercept == pytest.approx(want.intercept, abs=1e-9)


def test_scale_weights_and_storage_do_not_matter():
    rng = np.random.default_rng(4)
    X, y = rng.integers(0, 3, (30, 4)).astype(float), rng.integers(0, 4, 30).astype(float)
    X[:, 3] = X[:, 0]
    y += X[:, 0]
    for loss, penalty in (("absolute", None), ("absolute", L1(0.1)), ("squared", L1(0.1)), ("squared", None)):
        one = quiet_solve(X, y, loss, penalty).solution_set()
        assert not one.unique
        for layout in LAYOUTS.values():
            same(one, quiet_solve(layout(X), y, loss, penalty).solution_set())
        same(one, quiet_solve(np.repeat(X, 2, axis=0), np.repeat(y, 2), loss, penalty).solution_set())
        weighted = quiet_solve(np.r_[X, X + 5], np.r_[y, y - 9], loss, penalty, sample_weight=np.repeat([3.0, 0], 30))
        same(one, weighted.solution_set())
        stretched = penalty and L1(penalty.alpha * (1e6 if loss == "squared" else 1))
        same(one, quiet_solve(X, 1e6 * y, loss, stretched).solution_set(), 1e6)
        same(one, quiet_solve(X + 100, y, loss, penalty).solution_set(), shifted=True)


def same(one, other, times=1.0, shifted=False):
    assert (one.unique, one.dimension) == (other.unique, other.dimension)
    np.testing.assert_allclose(other.lower, times * one.lower, rtol=1e-7, atol=1e-7 * times)
    np.testing.assert_allclose(other.upper, times * one.upper, rtol=1e-7, atol=1e-7 * times)
    if not shifted:
        ends = [other.intercept_lower, other.intercept_upper]
        np.testing.assert_allclose(ends, [times * one.intercept_lower, times * one.intercept_upper], atol=1e-7 * times)


def test_ends_beyond_a_bound_are_the_bound():
    found = solve([[1, 1], [2, 2], [4, 4]], [1, 2, 4], lower=[0.1, 0], upper=[0.7, INF]).solution_set()
    assert (found.lower[0], found.upper[0], found.dimension) == (0.1, 0.7, 1)
    np.testing.assert_allclose([found.lower[1], found.upper[1]], [0.3, 0.9])
    # a column that never moves the fit, held by a bound on one side
    found = solve([[1, 0], [2, 0], [4, 0]], [1, 3, 4], "absolute", lower=-1).solution_set()
    assert (found.lower[1], found.upper[1]) == (-1, INF)
    assert found.center[1] > -1


def test_constant_columns_trade_with_the_intercept():
    found = solve([[1, 5], [2, 5], [4, 5]], [1, 3, 4]).solution_set()
    assert found.dimension == 1
    assert np.isinf([found.lower[1], found.upper[1], found.intercept_lower, found.intercept_upper]).all()
    assert found.lower[0] == found.upper[0]
    assert solve([[1, 5], [2, 5], [4, 5]], [1, 3, 4], penalty=L2(0.1)).solution_set().unique


def test_a_loss_that_is_straight_far_out():
    """With |r| < delta, Huber's optimum is that of least squares; rows beyond prove nothing."""
    rng = np.random.default_rng(9)
    X, y = rng.standard_normal((12, 3)), rng.standard_normal(12)
    for twins, near, far in ((False, (True, 0), (True, 0)), (True, (False, 1), (None, None))):
        result = solve(X[:, [0, 1, 0 if twins else 2]], y)
        sizes = np.sort(np.abs(y - result.predict(X[:, [0, 1, 0 if twins else 2]])))
        for delta, expected in ((sizes[-1] * 1.01, near), ((sizes[-1] + sizes[-2]) / 2, far)):
            huber = dataclasses.replace(result._problem, loss=Huber(delta))
            found = dataclasses.replace(result, _problem=huber, unique=None).solution_set()
            assert (found.unique, found.dimension) == expected


def test_what_was_not_solved_is_not_decided():
    rng = np.random.default_rng(5)
    X, y = rng.standard_normal((50, 80)), rng.standard_normal(50)
    with pytest.warns(ConvergenceWarning):
        result = solve(X, y, penalty=L1(0.01), max_iter=0)
    assert result.solution_set().unique  # it is finished first
    big = solve(np.ones((2, 4001)), [1, 2])
    found = big.solution_set()
    assert (found.unique, found.dimension) == (None, None)
    assert np.isnan(found.center).all()
    assert repr(found) == "SolutionSet(not decided)"


def test_a_unique_optimum_is_its_own_set():
    rng = np.random.default_rng(6)
    result = solve(rng.standard_normal((30, 3)), rng.standard_normal(30), "absolute")
    found = result.solution_set()
    assert isinstance(found, SolutionSet)
    assert (found.unique, found.dimension, repr(found)) == (True, 0, "SolutionSet(unique)")
    for values in (found.lower, found.upper, found.center):
        assert (values == result.coef).all()
        assert values is not result.coef
    assert found.intercept_lower == found.intercept_upper == found.center_intercept == result.intercept


def test_examples():
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    for question in (Result.solution_set, Result.leverage):
        (found,) = finder.find(question, question.__name__, globs={})
        assert runner.run(found).failed == 0


def test_a_pickled_result_has_no_data():
    result = pickle.loads(pickle.dumps(solve([[1.0], [2.0]], [1, 3])))
    for question in (result.solution_set, result.leverage):
        with pytest.raises(ValueError, match="pickled"):
            question()
