"""The exact finish for piecewise linear losses, against linear programmes and brute force over vertices."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from piecewise import Problem, highs, random_problem

from l1l2fast._simplex import simplex

OPTIMAL, PIVOT_CAP, UNBOUNDED, DEFICIENT, INFEASIBLE = range(5)


def run(problem, start=None, max_pivots=20000):
    m, k = problem.Z.shape
    b = np.zeros(k) if start is None else np.array(start, float)
    basis, psi = np.full(k, -1, np.int64), np.full(m, np.nan)
    status, pivots = simplex(problem.Z, problem.y, problem.left, problem.right, problem.c, b, basis, psi, max_pivots)
    return status, pivots, b, basis, psi


def check_vertex(problem, b, basis, psi):
    problem.check(b, psi)
    rows = problem.Z[basis]
    assert np.linalg.matrix_rank(rows) == len(b)
    residual = problem.y[basis] - rows @ b
    assert np.all(np.abs(residual) <= 1e-14 * (np.abs(problem.y[basis]) + np.abs(rows) @ np.abs(b)).max())


@pytest.mark.parametrize("block", range(10))
def test_hostile_problems_agree_with_highs(block):
    for seed in range(60 * block, 60 * block + 60):
        problem = random_problem(seed)
        status, _, b, basis, psi = run(problem)
        if np.linalg.matrix_rank(problem.Z) < len(b):
            assert status == DEFICIENT
            continue
        judge = highs(problem)
        assert (status == OPTIMAL) == (judge.status == 0), (seed, status, judge.message)
        if status == OPTIMAL:  # the certificate alone proves it; HiGHS is only good to its tolerance
            check_vertex(problem, b, basis, psi)


@given(
    rows=st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2), st.integers(-3, 3)), min_size=2, max_size=9),
    weights=st.lists(st.integers(0, 2), min_size=9, max_size=9),
)
def test_small_integers_against_every_vertex(rows, weights):
    data = np.array(rows, float)
    Z, y, w = data[:, :2], data[:, 2], np.array(weights[: len(rows)], float)
    problem = Problem(Z, y, w, w, np.zeros(2))
    status, _, b, basis, psi = run(problem)
    pairs = [list(p) for p in itertools.combinations(range(len(y)), 2) if abs(np.linalg.det(Z[list(p)])) > 0.5]
    if not pairs:
        assert status == DEFICIENT
        return
    assert status == OPTIMAL
    check_vertex(problem, b, basis, psi)
    best = min(problem.objective(np.linalg.solve(Z[p], y[p])) for p in pairs)
    assert problem.objective(b) == pytest.approx(best, abs=1e-12)


def test_ties_everywhere_do_not_cycle():
    rng = np.random.default_rng(0)
    for levels, k in ((2, 30), (3, 12), (5, 20)):
        Z = rng.integers(0, levels, (600, k))
        y = rng.integers(0, levels, 600)
        problem = Problem(Z, y, np.ones(600), np.ones(600), np.zeros(k))
        status, pivots, b, basis, psi = run(problem)
        assert status == OPTIMAL
        assert pivots < 40 * k
        check_vertex(problem, b, basis, psi)


def test_an_optimal_start_is_recognised():
    rng = np.random.default_rng(1)
    Z, y = rng.normal(size=(80, 5)), rng.standard_t(2, 80)
    problem = Problem(Z, y, np.ones(80), np.ones(80), np.zeros(5))
    _, pivots, b, basis, _ = run(problem)
    assert pivots > 0
    status, pivots, again, basis_again, psi = run(problem, start=b, max_pivots=0)
    assert (status, pivots) == (OPTIMAL, 0)
    assert set(basis) == set(basis_again)
    check_vertex(problem, again, basis_again, psi)


def test_the_cap_leaves_a_vertex_on_the_true_data():
    problem = random_problem(1)
    problem = Problem(np.round(problem.Z * 2), np.round(problem.y), 1 + 0 * problem.y, 1 + 0 * problem.y, 0 * problem.c)
    full = run(problem)[1]
    for cap in range(full):
        status, pivots, b, basis, _ = run(problem, max_pivots=cap)
        assert (status, pivots) == (PIVOT_CAP, cap)
        residual = problem.y[basis] - problem.Z[basis] @ b
        assert np.abs(residual).max() <= 1e-13 * np.abs(problem.y).max()


def test_fixed_rows_may_leave_it_unbounded():
    Z = np.ones((4, 1))
    y = np.array([1.0, 2, 5, 9])
    for pull, expected in ((3.5, OPTIMAL), (4.0, OPTIMAL), (4.5, UNBOUNDED), (-4.5, UNBOUNDED)):
        problem = Problem(Z, y, np.ones(4), np.ones(4), [pull])
        assert run(problem)[0] == expected, pull


def test_bounds_as_infinite_slopes():
    rng = np.random.default_rng(2)
    for _ in range(30):
        Z, y = rng.normal(size=(30, 4)), rng.normal(size=30)
        lower = rng.normal(size=4)
        upper = lower + rng.choice([0.0, 0.5, 5.0], 4)
        unit, none, wall = np.eye(4), np.zeros(4), np.full(4, np.inf)
        problem = Problem(
            np.vstack([Z, unit, unit]),
            np.r_[y, lower, upper],
            np.r_[np.ones(30), none, wall],
            np.r_[np.ones(30), wall, none],
            none,
        )
        status, _, b, basis, psi = run(problem)
        assert status == OPTIMAL
        check_vertex(problem, b, basis, psi)
        assert np.all(b >= lower - 1e-13)
        assert np.all(b <= upper + 1e-13)


def test_bounds_that_exclude_each_other():
    problem = Problem([[1.0], [1.0], [1.0]], [0.0, 2.0, 1.0], [1, 0, np.inf], [1, np.inf, 0], [0.0])
    assert run(problem)[0] == INFEASIBLE


def test_a_rank_deficient_design_is_told():
    rng = np.random.default_rng(3)
    Z = rng.normal(size=(40, 4))
    Z[:, 3] = Z[:, 0] - 2 * Z[:, 1]
    problem = Problem(Z, rng.normal(size=40), np.ones(40), np.ones(40), np.zeros(4))
    assert run(problem)[0] == DEFICIENT
    assert run(Problem(Z[:3], problem.y[:3], np.ones(3), np.ones(3), np.zeros(4)))[0] == DEFICIENT
    problem.Z[:, 3] += 1e-7 * rng.normal(size=40)
    status, _, b, basis, psi = run(problem)
    assert status == OPTIMAL
    problem.check(b, psi, gap=1e-9)  # b is of size 1e7, and so is the rounding of its residuals


def test_stack_loss():
    from_text = """80 27 89 42  80 27 88 37  75 25 90 37  62 24 87 28  62 22 87 18  62 23 87 18  62 24 93 19
        62 24 93 20  58 23 87 15  58 18 80 14  58 18 89 14  58 17 88 13  58 18 82 11  58 19 93 12  50 18 89 8
        50 18 86 7  50 19 72 8  50 19 79 8  50 20 80 9  56 20 82 15  70 20 91 15"""
    data = np.array(from_text.split(), float).reshape(21, 4)  # Brownlee (1965)
    shift, scale = data[:, :3].mean(0), data[:, :3].std(0)
    Z = np.c_[np.ones(21), (data[:, :3] - shift) / scale]
    status, _, b, _, _ = run(Problem(Z, data[:, 3], np.ones(21), np.ones(21), np.zeros(4)))
    coef = b[1:] / scale
    assert status == OPTIMAL
    assert coef == pytest.approx([0.83188406, 0.57391304, -0.06086957], abs=5e-9)
    assert b[0] - shift @ coef == pytest.approx(-39.68985507, abs=5e-9)


def test_the_same_bits_every_time():
    problem = random_problem(7)
    first, second = run(problem), run(problem)
    assert first[:2] == second[:2]
    for one, other in zip(first[2:], second[2:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_huge_row_hides_nothing():
    """A bound at 1e300 is as good as none, and so is an outlier: rounding is judged row by row."""
    rng = np.random.default_rng(4)
    Z, y = rng.integers(0, 3, (60, 4)), rng.integers(0, 4, 60)
    problem = Problem(Z, y, np.ones(60), np.ones(60), np.zeros(4))
    _, _, plain, _, _ = run(problem)
    unit, far = np.eye(4), np.full(4, 1e300)
    bounded = Problem(
        np.vstack([Z, unit, unit]),
        np.r_[y, -far, far],
        np.r_[np.ones(60), np.zeros(4), np.full(4, np.inf)],
        np.r_[np.ones(60), np.full(4, np.inf), np.zeros(4)],
        np.zeros(4),
    )
    status, _, b, _, psi = run(bounded)
    assert status == OPTIMAL
    assert problem.objective(b) == pytest.approx(problem.objective(plain), rel=1e-14)
    problem.check(b, psi[:60])
