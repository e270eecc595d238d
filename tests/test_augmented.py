"""Groups where rows are fewer than columns: the multipliers on the dual, alone and within solve."""

import numpy as np
import pytest
import reference_groups as judge

from l1l2fast import Absolute, Group, Huber, Squared, Status, solve
from l1l2fast.augmented import Multipliers
from l1l2fast.turning import Turning


def prox(z, begin, thin, level):
    """argmin_b |b - z|^2 / 2 + sum_g (thin_g |b_g|_1 + level_g |b_g|_2), group by group."""
    b = np.sign(z) * np.maximum(np.abs(z) - np.repeat(thin, np.diff(begin)), 0)
    for g in range(len(level)):
        part = b[begin[g] : begin[g + 1]]
        size = np.sqrt(part @ part)
        part *= 1 - level[g] / size if size > level[g] else 0.0
    return b


@pytest.mark.parametrize("thin", [0.0, 0.4])
@pytest.mark.parametrize("strength", [0.05, 3.0, 1e3])
def test_the_minimum_is_a_fixed_point_of_the_prox(thin, strength):
    """b = prox(b + v) with v the descending slope, and nothing else; some groups cost nothing, one is held at zero."""
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 9, 40)
    begin = np.append(0, np.cumsum(sizes))
    Z = rng.standard_normal((30, begin[-1]))
    c = Z.T @ (rng.standard_normal(30) * 5)
    level, thin = strength * np.sqrt(sizes), np.full(40, thin * strength)
    level[:2], thin[:2], level[5] = 0.0, 0.0, np.inf
    start = rng.standard_normal(begin[-1]) * (rng.random(begin[-1]) < 0.1)
    many = Multipliers(Turning(begin, thin, level), np.ascontiguousarray(Z.T), c)
    b = many.minimise(start, 1e-22)
    v = c - Z.T @ (Z @ b)
    # the last digits are left to Newton's method on the columns
    assert b == pytest.approx(prox(b + v, begin, thin, level), abs=1e-7 * max(1, np.abs(b).max()))
    assert not b[begin[5] : begin[6]].any() and 0 < many.steps < 300


@pytest.mark.parametrize("units", [1e-60, 1.0, 1e60])
def test_units_do_not_matter(units):
    rng = np.random.default_rng(2)
    Z, begin, ones = rng.standard_normal((20, 60)), np.arange(0, 61, 5), np.ones(12)
    c = Z.T @ rng.standard_normal(20)
    plain = Multipliers(Turning(begin, 0 * ones, 2 * ones), np.ascontiguousarray(Z.T), c).minimise(np.zeros(60), 1e-16)
    small = Turning(begin, 0 * ones, 2 * units * ones)
    other = Multipliers(small, np.ascontiguousarray(units * Z.T), units * c).minimise(np.zeros(60), 1e-16)
    assert other * units == pytest.approx(plain, abs=1e-7)


def test_without_columns_that_predict():
    """All of Z zero: what costs something stays at zero."""
    small = Turning(np.array([0, 3]), np.zeros(1), np.ones(1))
    assert not Multipliers(small, np.zeros((3, 4)), np.zeros(3)).minimise(np.ones(3), 1e-12).any()


@pytest.mark.parametrize("loss", [Squared(), Huber(0.7), Absolute()], ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("l1", [0.0, 0.5])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_more_nonzeros_than_rows(loss, l1, fit_intercept, monkeypatch):
    """It is asked, and what comes out is certified and as low as the judge's."""
    asked, real = [], Multipliers.minimise
    monkeypatch.setattr(Multipliers, "minimise", lambda *args: asked.append(args) or real(*args))
    rng = np.random.default_rng(3)
    n, p = 40, 208
    X = rng.standard_normal((n, p)) + rng.standard_normal((n, 1))
    y = X[:, :9] @ rng.standard_normal(9) + rng.standard_t(2, n)
    penalty = Group(1e-3, np.arange(p) // 4, l1 * 1e-3)
    rest = {"fit_intercept": fit_intercept, "sample_weight": rng.integers(0, 3, n)}
    result = solve(X, y, loss, penalty, tol=1e-10, **rest)
    assert result.status is Status.CONVERGED and asked
    pb = judge.problem(X, y, loss, penalty, **rest)
    judge.check_certificate(pb, result)
    assert result.objective <= judge.objective(pb, *judge.solve(pb)) + result.tolerance
