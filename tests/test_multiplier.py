"""The exact finish with curvature, against quadratic programmes."""

import clarabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from piecewise import Problem, random_problem
from scipy import sparse

from l1l2fast._multiplier import multiplier
from l1l2fast._simplex import simplex

EXACT, ROUND_CAP, UNBOUNDED = range(3)


def run(problem, start=None, psi=None, max_rounds=200):
    m, k = problem.Z.shape
    b = np.zeros(k) if start is None else np.array(start, float)
    psi = np.zeros(m) if psi is None else np.array(psi, float)
    status, newtons = multiplier(
        problem.Z, problem.y, problem.left, problem.right, problem.c, problem.d, b, psi, max_rounds
    )
    return status, newtons, b, psi


def conic(problem):
    """The optimal objective by clarabel, an interior point solver. Residual = u - v with u, v >= 0."""
    m, k = problem.Z.shape
    slopes = np.r_[problem.right, problem.left]
    hard = np.isinf(slopes)
    A = sparse.csc_array(np.hstack([problem.Z, np.eye(m), -np.eye(m)]))
    positive = sparse.hstack([sparse.csc_array((2 * m, k)), -sparse.eye_array(2 * m)])
    zero = positive.tocsr()[np.flatnonzero(hard)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-11
    solution = clarabel.DefaultSolver(
        sparse.csc_matrix(sparse.diags_array(np.r_[problem.d, np.zeros(2 * m)])),
        np.r_[problem.c, np.where(hard, 0, slopes)],
        sparse.csc_matrix(sparse.vstack([A, zero, positive])),
        np.r_[problem.y, np.zeros(hard.sum() + 2 * m)],
        [clarabel.ZeroConeT(m + hard.sum()), clarabel.NonnegativeConeT(2 * m)],
        settings,
    ).solve()
    return solution.obj_val


def recedes(problem):
    """Whether the part of b without curvature can fall for ever: a linear programme."""
    flat = problem.d == 0
    Z = np.ascontiguousarray(problem.Z[:, flat])
    m, k = Z.shape
    b, basis, psi = np.zeros(k), np.zeros(k, np.int64), np.zeros(m)
    return simplex(Z, problem.y, problem.left, problem.right, problem.c[flat], b, basis, psi, 10000)[0] == 2


@pytest.mark.parametrize("block", range(6))
def test_hostile_problems(block):
    for seed in range(100 * block, 100 * block + 100):
        problem = random_problem(seed, quadratic=True)
        status, newtons, b, psi = run(problem)
        assert status == (UNBOUNDED if (problem.d == 0).any() and recedes(problem) else EXACT), seed
        if status == EXACT:  # the certificate alone proves it
            problem.check(b, psi)
            assert newtons < 100, seed


def test_a_conic_solver_agrees():
    rng = np.random.default_rng(0)
    for _ in range(30):
        m, k = rng.integers(20, 60), rng.integers(1, 8)
        left, right = rng.random((2, m))
        right[0] = np.inf
        d = 10.0 ** rng.integers(-3, 3) * (np.arange(k) > 0) + (k == 1)
        problem = Problem(rng.normal(size=(m, k)), rng.normal(size=m), left, right, 0.1 * rng.normal(size=k), d)
        status, _, b, psi = run(problem)
        assert status == EXACT
        problem.check(b, psi)
        assert problem.objective(b) == pytest.approx(conic(problem), rel=1e-7)


@given(
    rows=st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2), st.integers(-3, 3)), min_size=1, max_size=9),
    weights=st.lists(st.integers(0, 2), min_size=9, max_size=9),
    ridge=st.sampled_from([1e-8, 1e-3, 1.0, 1e4]),
)
def test_small_integers(rows, weights, ridge):
    data, w = np.array(rows, float), np.array(weights[: len(rows)], float)
    problem = Problem(data[:, :2], data[:, 2], w, w, np.zeros(2), np.full(2, ridge))
    status, _, b, psi = run(problem)
    assert status == EXACT
    assert np.all(np.abs(problem.Z.T @ psi - ridge * b) <= 1e-13 * (1 + w.sum()))
    gap = problem.objective(b) - problem.dual(b, psi)
    scale = np.abs(problem.y) @ w
    assert gap <= 1e-12 * (scale if scale > 0 else w.sum() ** 2 / ridge)  # else b may be noise / ridge


@pytest.mark.parametrize("ridge", [1e-8, 1e-4, 1e-2, 1.0, 1e4])
@pytest.mark.parametrize(("levels", "m", "k"), [(2, 600, 30), (3, 600, 12), (5, 1500, 20)])
def test_ties_everywhere(levels, m, k, ridge):
    rng = np.random.default_rng(1)
    Z, y = rng.integers(0, levels, (m, k)), rng.integers(0, levels, m)
    Z[:, 0] = 1
    problem = Problem(Z, y, np.full(m, 1 / m), np.full(m, 1 / m), np.zeros(k), ridge * (np.arange(k) > 0))
    status, newtons, b, psi = run(problem)
    assert status == EXACT
    assert newtons < 100
    problem.check(b, psi)


@pytest.mark.parametrize("d", ["equal", "half zero", "one not zero", "1e-9 to 1e5"])
def test_dependent_columns(d):
    rng = np.random.default_rng(2)
    Z, y, w = rng.normal(size=(300, 15)), rng.standard_t(1, 300), rng.random(300)
    Z[:, 7], Z[:, 8] = Z[:, 3], Z[:, 2] - Z[:, 1]
    j = np.arange(15)
    curvature = {"equal": 1e-3 + 0 * j, "half zero": j % 2, "one not zero": j == 0, "1e-9 to 1e5": 10.0 ** (j - 9)}
    problem = Problem(Z, y, w, w, np.zeros(15), curvature[d])
    status, _, b, psi = run(problem)
    assert status == EXACT
    problem.check(b, psi)


@pytest.mark.parametrize("ridge", [1e-8, 1e-3, 1.0, 100.0])
def test_fewer_rows_than_columns(ridge):
    rng = np.random.default_rng(3)
    problem = Problem(rng.normal(size=(30, 100)), rng.normal(size=30), np.ones(30), np.ones(30), np.zeros(100))
    problem.d += ridge
    for repeats in (1, 3):
        again = Problem(
            np.tile(problem.Z, (repeats, 1)),
            np.tile(problem.y, repeats),
            np.ones(30 * repeats),
            np.ones(30 * repeats),
            problem.c,
            problem.d,
        )
        status, _, b, psi = run(again)
        assert status == EXACT
        again.check(b, psi)


def test_weights_and_outliers_of_every_size():
    rng = np.random.default_rng(4)
    Z, y = rng.normal(size=(200, 6)), rng.standard_t(2, 200)
    y[:5] *= 1e8
    w = 10.0 ** rng.integers(-6, 6, 200)
    for start in (0, 1e6):
        problem = Problem(Z, y, w, w, np.zeros(6), np.ones(6))
        status, _, b, psi = run(problem, start=start * rng.normal(size=6))
        assert status == EXACT
        problem.check(b, psi)


def test_one_huge_row_hides_nothing():
    """A bound at 1e300 is as good as none: rounding and the first band do not look at it."""
    rng = np.random.default_rng(7)
    Z, y = rng.integers(0, 3, (60, 4)), rng.integers(0, 4, 60)
    problem = Problem(Z, y, np.ones(60), np.ones(60), np.zeros(4), np.full(4, 0.1))
    _, _, plain, _ = run(problem)
    bounded = Problem(
        np.vstack([Z, np.eye(4)]),
        np.r_[y, np.full(4, -1e300)],
        np.r_[np.ones(60), np.zeros(4)],
        np.r_[np.ones(60), np.full(4, np.inf)],
        np.zeros(4),
        problem.d,
    )
    status, newtons, b, psi = run(bounded)
    assert status == EXACT
    assert newtons < 50
    assert b == pytest.approx(plain, abs=1e-12)
    problem.check(b, psi[:60])


def test_a_weak_ridge_starts_from_the_vertex_without_it():
    rng = np.random.default_rng(5)
    Z, y = rng.normal(size=(400, 10)), rng.standard_t(2, 400)
    problem = Problem(Z, y, np.ones(400), np.ones(400), np.zeros(10), np.full(10, 1e-6))
    vertex, basis, psi = np.zeros(10), np.zeros(10, np.int64), np.zeros(400)
    simplex(problem.Z, problem.y, problem.left, problem.right, problem.c, vertex, basis, psi, 1000)
    _, cold, b_cold, _ = run(problem)
    status, warm, b, psi = run(problem, start=vertex, psi=psi)
    assert status == EXACT
    assert warm <= 2 < cold
    assert b == pytest.approx(b_cold, abs=1e-12)


def test_an_all_zero_response():
    rng = np.random.default_rng(6)
    problem = Problem(rng.normal(size=(30, 3)), np.zeros(30), np.ones(30), np.ones(30), np.zeros(3), np.ones(3))
    status, _, b, _ = run(problem)
    assert status == EXACT
    assert np.all(b == 0)


def test_the_round_cap_leaves_psi_in_its_box():
    problem = random_problem(11, quadratic=True)
    for rounds in range(3):
        status, _, _, psi = run(problem, max_rounds=rounds)
        assert status in (EXACT, ROUND_CAP)
        assert np.all(psi >= -problem.left)
        assert np.all(psi <= problem.right)
    assert run(problem, max_rounds=0)[0] == ROUND_CAP


def test_the_same_bits_every_time():
    problem = random_problem(12, quadratic=True)
    first, second = run(problem), run(problem)
    assert first[:2] == second[:2]
    np.testing.assert_array_equal(first[2], second[2])
    np.testing.assert_array_equal(first[3], second[3])


def test_penalties_of_every_size():
    """The columns' slopes and curvatures differ by 1e12, and each of Z'psi = c + d b holds to its own rounding."""
    rng = np.random.default_rng(8)
    price = np.array([1e-6, 1, 1, 1, 1, 1e6])
    for _ in range(20):
        Z, y = rng.normal(size=(40, 6)), rng.standard_t(2, 40)
        slopes = np.r_[np.full(40, 1 / 40), 0.05 * price]
        problem = Problem(np.vstack([Z, np.eye(6)]), np.r_[y, np.zeros(6)], slopes, slopes, np.zeros(6), 0.1 * price)
        status, _, b, psi = run(problem)
        assert status == EXACT
        problem.check(b, psi)
