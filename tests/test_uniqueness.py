"""Is the optimum the only one? Against linear programmes, and cases known by hand."""

import numpy as np
import pytest
from piecewise import Problem
from scipy.optimize import linprog

from l1l2fast import L1, L2
from l1l2fast import solve as solve_any
from l1l2fast._multiplier import multiplier
from l1l2fast._simplex import simplex
from l1l2fast.uniqueness import is_unique


def solve(problem):
    m, k = problem.Z.shape
    b, psi = np.zeros(k), np.zeros(m)
    if problem.d.any():
        status, _ = multiplier(problem.Z, problem.y, problem.left, problem.right, problem.c, problem.d, b, psi, 200)
    else:
        status, _ = simplex(
            problem.Z, problem.y, problem.left, problem.right, problem.c, b, np.zeros(k, np.int64), psi, 10000
        )
    return status, b, psi


def residual(problem, b):
    r = problem.y - problem.Z @ b
    r[np.abs(r) <= 1e-12 * (np.abs(problem.y).max() + np.abs(b).sum())] = 0
    return r


def unique(problem, b, psi):
    return is_unique(problem.Z, residual(problem, b), psi, problem.left, problem.right, problem.d)


def widest(problem, b):
    """The largest range of a coefficient over all b with the least objective, by HiGHS; d fixes its own."""
    m, k = problem.Z.shape
    slopes = np.r_[problem.right, problem.left]
    hard = np.isinf(slopes)
    cost = np.r_[problem.c, np.where(hard, 0, slopes)]
    least = problem.objective(b) - problem.d @ b**2 / 2
    bounds = [(x, x) if fixed else (x - 10, x + 10) for x, fixed in zip(b, problem.d > 0, strict=True)]
    bounds += [(0, 0 if h else None) for h in hard]
    ends = []
    for j in range(k):
        for sign in (1, -1):
            end = linprog(
                sign * np.eye(k + 2 * m)[j],
                A_ub=cost[None],
                b_ub=[least + 1e-9 * (1 + abs(least))],
                A_eq=np.hstack([problem.Z, np.eye(m), -np.eye(m)]),
                b_eq=problem.y,
                bounds=bounds,
            )
            ends.append(abs(end.x[j] - b[j]) if end.status == 0 else 0)
    return float(max(ends))


def integers(rng):
    """Small tied problems: dummies, duplicated rows, counts as weights, L1 rows, bounds."""
    k = rng.integers(1, 5)
    m = k + rng.integers(0, 14)
    Z = rng.integers(0, 2, (m, k)) if rng.random() < 0.5 else rng.integers(-2, 3, (m, k))
    y = rng.integers(-2, 3, m)
    left = right = np.ones(m)
    if rng.random() < 0.5:
        left, right = rng.integers(0, 3, (2, m))
    if rng.random() < 0.4:
        weight = rng.integers(1, 4)
        lower = rng.random(k) < 0.3
        Z, y = np.vstack([Z, np.eye(k)]), np.r_[y, np.zeros(k)]
        left, right = np.r_[left, np.full(k, weight)], np.r_[right, np.where(lower, np.inf, weight)]
    return Problem(Z, y, left, right, np.zeros(k))


@pytest.mark.parametrize("curved", [False, True])
def test_tied_integers_against_the_range_of_every_coefficient(curved):
    rng = np.random.default_rng(10)
    seen = {True: 0, False: 0}
    while sum(seen.values()) < 160:
        problem = integers(rng)
        if curved:
            problem.d[:] = rng.integers(0, 2, len(problem.d))
            problem.d[rng.integers(len(problem.d))] = 1
        status, b, psi = solve(problem)
        if status == 0:
            answer = unique(problem, b, psi)
            assert answer is (widest(problem, b) < 1e-5)
            seen[answer] += 1
    assert min(seen.values()) >= 15


@pytest.mark.parametrize(
    ("y", "expected"), [([1, 2, 5, 9], False), ([1, 2, 5], True), ([1, 2, 2, 9], True), ([3], True), ([3, 4], False)]
)
def test_the_median(y, expected):
    m = len(y)
    problem = Problem(np.ones((m, 1)), y, np.ones(m), np.ones(m), [0.0])
    status, b, psi = solve(problem)
    assert status == 0
    assert unique(problem, b, psi) is expected


def test_degenerate_and_yet_unique():
    # Four lines meet in one point, psi of the basis is at its bound, and no direction is free.
    problem = Problem([[1, 0], [0, 1], [1, 1], [1, -1]], np.zeros(4), np.ones(4), np.ones(4), [0.0, 0.0])
    psi = np.array([1.0, 1.0, -1.0, 0.0])
    problem.check(np.zeros(2), psi)
    assert unique(problem, np.zeros(2), psi) is True
    # without the fourth line psi is the same, and (1, 0) + ... still nothing
    three = Problem(problem.Z[:3], np.zeros(3), np.ones(3), np.ones(3), [0.0, 0.0])
    three.check(np.zeros(2), psi[:3])
    assert unique(three, np.zeros(2), psi[:3]) is True
    # pulled to the end of its slope, it is free on one side
    pulled = Problem(problem.Z[:2], np.zeros(2), np.ones(2), np.ones(2), [1.0, 0.0])
    pulled.check(np.zeros(2), np.array([1.0, 0.0]))
    assert unique(pulled, np.zeros(2), np.array([1.0, 0.0])) is False


def test_curvature_decides_where_there_is_any():
    for d, expected in (([0.0, 0.0], False), ([1e-8, 0.0], False), ([1e-8, 1e-8], True)):
        problem = Problem(np.eye(2)[[0, 0, 1, 1]], [0, 1, 0, 1], np.ones(4), np.ones(4), np.zeros(2), d)
        status, b, psi = solve(problem)
        assert status == 0
        assert unique(problem, b, psi) is expected


def test_rows_that_cost_nothing_prove_nothing():
    problem = Problem([[1.0], [1.0], [1.0]], [0, 1, 0.5], [1, 1, 0], [1, 1, 0], [0.0])
    status, b, psi = solve(problem)
    assert status == 0
    assert unique(problem, b, psi) is False


def test_any_dual_point_will_do():
    rng = np.random.default_rng(11)
    for _ in range(60):
        problem = integers(rng)
        status, b, psi = solve(problem)
        if status:
            continue
        shadow = Problem(problem.Z, problem.y, problem.left, problem.right, problem.c)
        answer = unique(shadow, b, psi)
        # other dual points: solutions of the dual programme for random objectives on its optimal face
        r, finite = residual(shadow, b), 1e3
        low = np.where(r > 0, shadow.right, np.maximum(-shadow.left, -finite))
        high = np.where(r < 0, -shadow.left, np.minimum(shadow.right, finite))
        for _ in range(4):
            dual = linprog(rng.normal(size=len(r)), A_eq=shadow.Z.T, b_eq=shadow.c, bounds=np.c_[low, high])
            assert dual.status == 0
            assert unique(shadow, b, np.clip(dual.x, low, high)) is answer


@pytest.mark.parametrize("penalty, expected", [(None, False), (L2(0.1), True), (L1(0.1), True)], ids=str)
def test_a_column_that_never_moves_the_fit(penalty, expected):
    """Constant where weights are positive: free without a penalty, which need not be said by a factor of 0."""
    X, weight = np.array([[5.0], [5.0], [5.0], [7.0]]), [1, 1, 1, 0]
    assert solve_any(X, [1, 2, 4, 9], "absolute", penalty, sample_weight=weight).unique is expected
