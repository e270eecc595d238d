"""Coordinate ascent on the dual of lines with an L2 penalty: against the judge, the other methods, and numpy alone."""

import numpy as np
import pytest
import reference
from cells import LAYOUTS, Cell, check
from test_narrowing import heavy

from l1l2fast import L2, Pinball, Status, ascent, solve
from l1l2fast._ascent import ascend

LOSSES = pytest.mark.parametrize("loss", ["absolute", Pinball(0.8)], ids=str)


def asked(monkeypatch):
    """A list of what the method said, None where it gave up."""
    said, real = [], ascent.solve
    monkeypatch.setattr(ascent, "solve", lambda *args: said.append(real(*args)) or said[-1])
    return said


@LOSSES
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["plain", "weights", "factors", "offset", "standardize"])
def test_against_the_judge(loss, layout, kind, monkeypatch):
    said = asked(monkeypatch)
    rng = np.random.default_rng(3)
    X, y = heavy(120, 20, 5)
    X[:, 3] = 0.0
    options = {
        "plain": {},
        "weights": {"sample_weight": rng.integers(0, 3, 120)},
        "factors": {"penalty_factor": np.r_[np.inf, 0.5, rng.uniform(0.1, 10, 18)]},
        "offset": {"offset": rng.standard_normal(120)},
        "standardize": {"standardize": True},
    }[kind]
    check(Cell(loss, 0, 0.4), LAYOUTS[layout](X.astype(np.float32).astype(float)), y, fit_intercept=False, **options)
    assert len(said) == 1 and said[0] is not None


@LOSSES
@pytest.mark.parametrize("n, p", [(2000, 60), (300, 290), (100, 400)], ids=str)
@pytest.mark.parametrize("alpha", [1e-3, 0.1, 10.0])
def test_strong_and_weak(n, p, alpha, loss):
    """It ends exactly or gives up: in both cases the answer is that of the slow way."""
    X, y = heavy(n, p)
    y -= 3  # no intercept
    result = solve(X, y, loss, L2(alpha), fit_intercept=False, tol=1e-10)
    assert result.status is Status.CONVERGED and result.unique
    slow = solve(X, y, loss, L2(alpha), fit_intercept=False, tol=1e-10, method="irls")
    assert result.objective == pytest.approx(slow.objective, rel=1e-9)
    reference.check_certificate(reference.problem(X, y, loss, 0, alpha, fit_intercept=False), result)


def test_a_loose_answer_costs_less(monkeypatch):
    """With a tolerance for it, a few epochs are the answer, and what its gap says is true."""
    X, y = heavy(2000, 50)
    said = asked(monkeypatch)
    loose = solve(X, y, "absolute", L2(0.5), fit_intercept=False, tol=1e-2)
    exact = solve(X, y, "absolute", L2(0.5), fit_intercept=False)
    assert None not in said and loose.n_iter < exact.n_iter
    assert 0 < loose.objective - exact.objective <= loose.gap <= loose.tolerance
    assert exact.gap <= 1e-13 * exact.objective


@pytest.mark.parametrize("fit_intercept, factor", [(True, 1.0), (False, np.r_[0.0, np.ones(49)])], ids=str)
def test_where_it_is_not_asked(fit_intercept, factor, monkeypatch):
    """Without curvature somewhere, a dual point must be feasible there, which single coordinates cannot keep."""
    X, y = heavy(200, 50)
    said = asked(monkeypatch)
    solve(X, y, "absolute", L2(0.5), fit_intercept=fit_intercept, penalty_factor=factor)
    assert said == []


@pytest.mark.parametrize("scale", [1e-100, 1e100])
@pytest.mark.parametrize("spread", [1.0, 1e3, 1e90])
def test_numbers_beyond_single_precision(scale, spread, monkeypatch):
    """The rows at work are in single precision, whatever the units of X, y and the penalty: the answer is exact."""
    said = asked(monkeypatch)
    X, y = heavy(400, 40)
    v = spread ** np.linspace(0, 1, 40)
    plain = solve(X, y, "absolute", L2(0.5), fit_intercept=False, penalty_factor=v, tol=1e-15)
    other = solve(
        X * scale, y / scale, "absolute", L2(0.5 * scale**3), fit_intercept=False, penalty_factor=v, tol=1e-15
    )
    assert len(said) == 2 and None not in said
    assert other.coef * scale**2 == pytest.approx(plain.coef, rel=1e-9, abs=1e-12 * np.abs(plain.coef).max())
    assert plain.gap <= 1e-13 * plain.objective and other.gap <= 1e-13 * other.objective


def test_the_kernel():
    """b = Z'psi, psi in its box, and the gap on the way is near the gap; a zero row goes to an end; it gives up."""
    rng = np.random.default_rng(0)
    Z, y = rng.standard_normal((60, 5)).astype(np.float32), rng.standard_normal(60)
    Z[7] = 0
    left, right, square = np.full(60, 0.3), np.full(60, 0.1), (Z * Z).sum(axis=1, dtype=float)
    b, psi = np.zeros(5, np.float32), np.zeros(60)
    over, epochs, gap = ascend(Z, y, left, right, square, b, psi, 1e-5, -1.0, 1e4)
    assert not over and epochs > 3 and gap <= 1e-5
    assert b == pytest.approx(Z.T @ psi, abs=1e-5)
    assert (psi >= -0.3).all() and (psi <= 0.1).all() and psi[7] == (0.1 if y[7] > 0 else -0.3)
    r = y - Z @ b
    assert (right * np.maximum(r, 0) + left * np.maximum(-r, 0) - psi * r).sum() <= 1e-4
    over, epochs, gap = ascend(Z, y, left, right, square, np.zeros(5, np.float32), np.zeros(60), 0.0, -1.0, 4.0)
    assert over and epochs >= 4
