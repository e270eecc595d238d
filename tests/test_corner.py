"""Lines in rows and in coefficients: the simplex method on a small basis, against linear programmes and numpy."""

import numpy as np
import pytest
from piecewise import Problem, designs, highs

from l1l2fast._corner import corner

OPTIMAL, PIVOT_CAP, UNBOUNDED, DEFICIENT = range(4)


def penalised(seed):
    """Hostile rows, and coefficients that are priced, free, of one sign or held at zero; some columns repeat."""
    rng = np.random.default_rng(seed)
    n, p = rng.integers(1, 30, 2)
    X, y = designs(rng, n, p)
    X, y = np.array(X, float), np.array(y, float)
    if p > 2 and rng.random() < 0.3:
        X[:, 1] = X[:, 0] * rng.choice([1, -1])
    w = rng.choice([0.0, 1.0, 3.0], n, p=[0.1, 0.8, 0.1]) * 10.0 ** rng.integers(-3, 4)
    tau = rng.choice([0.5, 0.9, 0.05])
    scale = w.max(initial=0) or 1.0
    price = rng.choice([0.3, 1.0, 5.0]) * scale * rng.choice([0, 1, 1, 1, 4], p)
    down, up = price.copy(), price.copy()
    walls = rng.choice([0, 0, 0, 1, 2, 3], p) if rng.random() < 0.4 else np.zeros(p, int)
    c = scale * rng.choice([0, 0, 1]) * 0.1 * rng.normal(size=p)
    wall = 2 * (np.abs(X).T @ w + np.abs(c))  # more than the rows can pull
    down[walls % 2 == 1] = wall[walls % 2 == 1]
    up[walls > 1] = wall[walls > 1]
    return X, y, (1 - tau) * w, tau * w, down, up, c


def as_rows(X, y, left, right, down, up, c):
    """The same problem with a row for each coefficient."""
    p = X.shape[1]
    return Problem(np.vstack([X, np.eye(p)]), np.r_[y, np.zeros(p)], np.r_[left, up], np.r_[right, down], c)


def run(X, y, left, right, down, up, c, start=(), max_pivots=20000):
    n, p = X.shape
    cap = min(n, p)
    b, psi, zero, some = np.zeros(p), np.full(n, np.nan), np.zeros(cap, np.int64), np.zeros(cap, np.int64)
    k = len(start[0]) if start else 0
    if k:
        zero[:k], some[:k] = start
    Z, rows = np.ascontiguousarray(X.T), np.ascontiguousarray(X)
    status, pivots, k = corner(Z, rows, y, left, right, down, up, c, b, zero, some, k, psi, max_pivots)
    return status, pivots, b, psi, zero[:k], some[:k]


def check(data, b, psi, zero, some):
    """All that proves b optimal, and that it is a corner."""
    X, y, *_, down, up, c = data
    v = X.T @ psi - c
    as_rows(*data).check(b, np.r_[psi, -np.clip(v, -down, up)], gap=1e-11)
    assert set(np.flatnonzero(b)) <= set(some)
    assert np.linalg.matrix_rank(X[np.ix_(zero, some)]) == len(zero)
    r = y - X @ b
    assert np.all(np.abs(r[zero]) <= 1e-13 * (np.abs(y).max() + (np.abs(X) @ np.abs(b)).max()))


@pytest.mark.parametrize("block", range(5))
def test_hostile_problems_agree_with_highs(block):
    for seed in range(80 * block, 80 * block + 80):
        data = penalised(seed)
        status, _, b, *rest = run(*data)
        judge = highs(as_rows(*data))
        assert (status == OPTIMAL) == (judge.status == 0), (seed, status, judge.message)
        if status == OPTIMAL:  # the certificate proves it; HiGHS is good to its tolerance
            check(data, b, *rest)


def test_from_any_corner_to_the_same_objective():
    for seed in range(200):
        data = penalised(seed)
        status, _, b, *_ = run(*data)
        if status != OPTIMAL:
            continue
        rng = np.random.default_rng(seed)
        n, p = data[0].shape
        k = rng.integers(1, min(n, p) + 1)
        again, _, other, *rest = run(*data, start=(rng.permutation(n)[:k], rng.permutation(p)[:k]))  # singular ones too
        assert again == OPTIMAL, seed
        check(data, other, *rest)
        problem = as_rows(*data)
        assert abs(problem.objective(b) - problem.objective(other)) <= 1e-11 * problem.size()


def test_its_own_corner_takes_no_pivots():
    for seed in range(50):
        data = penalised(seed)
        status, _, b, _, zero, some = run(*data)
        if status == OPTIMAL and len(np.unique(data[1])) == len(data[1]):
            again, pivots, same, *_ = run(*data, start=(zero, some))
            assert (again, pivots) == (OPTIMAL, 0), seed
            assert np.array_equal(b != 0, same != 0)


def test_pivots_run_out():
    rng = np.random.default_rng(0)
    X, y, half = rng.normal(size=(60, 20)), rng.normal(size=60), np.full(60, 0.5)
    price = np.full(20, 0.1)
    assert run(X, y, half, half, price, price, np.zeros(20), max_pivots=3)[0] == PIVOT_CAP


def test_columns_that_depend_on_others_stay_out():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 3))
    X = np.hstack([X, X, X.sum(axis=1, keepdims=True)])
    half = np.full(40, 0.5)
    data = X, rng.standard_t(2, 40), half, half, np.zeros(7), np.zeros(7), np.zeros(7)
    status, _, b, psi, zero, some = run(*data)
    assert status == OPTIMAL
    assert len(some) == 3
    check(data, b, psi, zero, some)
