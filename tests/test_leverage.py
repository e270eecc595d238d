"""Leverage and influence, against the hat matrix written out and published figures."""

import numpy as np
import pytest
import scipy.sparse as sp
from cells import LAYOUTS, quiet_solve
from data import load

from l1l2fast import L1, L2, Leverage, solve

# R: hatvalues, rstudent, rstandard, cooks.distance of lm(stack.loss ~ ., stackloss), to four digits
HAT = """0.3016 0.3178 0.1746 0.1285 0.0522 0.0775 0.2192 0.2192 0.1402 0.2000 0.1550 0.2172 0.1575 0.2058 0.1905 0.1311
         0.4121 0.1606 0.1745 0.0802 0.2845"""
RSTUDENT = """1.2095 -0.7051 1.6179 2.0518 -0.5305 -0.9632 -0.8259 -0.4737 -1.0486 0.4262 0.8783 0.9667 -0.4687 -0.0170
              0.8006 0.2912 -0.5996 -0.1487 -0.1972 0.4431 -3.3305"""
COOK = """0.1537 0.0597 0.1264 0.1305 0.0040 0.0196 0.0488 0.0165 0.0446 0.0119 0.0359 0.0651 0.0108 0.0000 0.0385
          0.0034 0.0655 0.0011 0.0022 0.0045 0.6920"""


def written_out(X, y, weight=None, d=0.0, intercept=True):
    """hat, standardized, studentized, Cook's distance by dense linear algebra and by leaving rows out."""
    n, p = X.shape
    w = np.ones(n) if weight is None else weight / weight.max()
    Z = np.c_[np.ones(n), X][:, 1 - intercept :] * np.sqrt(w)[:, None]
    D = np.diag(np.r_[[0.0] * intercept, np.full(p, d * w.sum())])
    H = Z @ np.linalg.pinv(Z.T @ Z + D) @ Z.T
    h, r = np.diag(H), (np.eye(n) - H) @ (np.sqrt(w) * y)
    live, dof = np.count_nonzero(w), np.trace(H)
    with np.errstate(invalid="ignore", divide="ignore"):
        s2 = r @ r / (live - dof)
        t2 = r**2 / (1 - h) / s2
        return (
            h,
            np.sign(r) * np.sqrt(t2),
            np.sign(r) * np.sqrt(t2 * (live - dof - 1) / (live - dof - t2)),
            t2 * h / (1 - h) / dof,
        )


def figures(found):
    return found.hat, found.standardized, found.studentized, found.cooks_distance


def test_stack_loss_against_published_figures():
    X, y = load("stackloss")[:2]
    found = solve(X, y).leverage()
    for ours, text in ((found.hat, HAT), (found.studentized, RSTUDENT), (found.cooks_distance, COOK)):
        np.testing.assert_allclose(ours, np.array(text.split(), dtype=float), atol=5.1e-5)
    assert (found.mean, found.dof) == pytest.approx((4 / 21, 4))
    assert found.cutoffs == pytest.approx((8 / 21, 12 / 21))
    assert found.flagged.tolist() == [16]
    assert isinstance(found, Leverage)
    assert repr(found) == "Leverage(mean 0.19, above 0.381: {16: 0.412})"


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("d", [0.0, 0.3])
def test_against_the_hat_matrix(layout, intercept, d):
    rng = np.random.default_rng(0)
    X = rng.integers(-3, 4, (700, 5)) / 4.0  # several blocks of rows; exact in float32
    X[3] *= 8
    y, weight = rng.standard_normal(700), rng.integers(0, 4, 700).astype(float)
    for w in (None, weight):
        found = quiet_solve(layout(X), y, penalty=L2(d), fit_intercept=intercept, sample_weight=w).leverage()
        for ours, truth in zip(figures(found), written_out(X, y, w, d, intercept)):
            np.testing.assert_allclose(ours, truth, rtol=1e-8, atol=1e-10)
        assert 3 in found.flagged


def test_leaving_a_row_out():
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((20, 3)), rng.standard_normal(20)
    found = solve(X, y).leverage()
    for i in range(20):
        rest = np.delete(np.arange(20), i)
        left = solve(X[rest], y[rest])
        miss = y[rest] - left.predict(X[rest])
        error = y[i] - left.predict(X[[i]])[0]  # has the variance s^2 / (1 - h)
        assert found.studentized[i] == pytest.approx(error * np.sqrt((1 - found.hat[i]) / (miss @ miss / (19 - 4))))
        moved = solve(X, y).predict(X) - left.predict(X)
        s2 = ((y - solve(X, y).predict(X)) ** 2).sum() / 16
        assert found.cooks_distance[i] == pytest.approx(moved @ moved / (4 * s2))


@pytest.mark.parametrize("sparse", [False, True])
def test_dependent_and_many_columns(sparse):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((30, 4))
    wide = np.c_[X, X[:, 0] + X[:, 1], np.ones(30)]
    store = sp.csc_array if sparse else np.asarray
    y = rng.standard_normal(30)
    for ours, truth in zip(figures(solve(store(wide), y).leverage()), written_out(X, y)):
        np.testing.assert_allclose(ours, truth, rtol=1e-8)
    full = solve(store(rng.standard_normal((10, 40))), rng.standard_normal(10)).leverage()
    np.testing.assert_allclose(full.hat, 1)
    assert len(full.flagged) == 0
    assert np.isnan(full.standardized).all()


def test_columns_that_take_part():
    """With an L1 penalty or bounds, leverages are the derivatives of the fit."""
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((40, 6)), rng.standard_normal(40)
    y += X[:, 0] - X[:, 1]
    for options in (dict(penalty=L1(0.2)), dict(penalty=L2(0.5)), dict(upper=0.5)):
        found = solve(X, y, **options, tol=1e-14).leverage()
        for i in range(0, 40, 10):
            fits = []
            for move in (1e-4, -1e-4):
                moved = y.copy()
                moved[i] += move
                fits.append(solve(X, moved, **options, tol=1e-14).predict(X)[i])
            assert found.hat[i] == pytest.approx((fits[0] - fits[1]) / 2e-4, abs=1e-6)
        assert found.dof == pytest.approx(found.hat.sum())


def test_other_losses_know_the_rows_too():
    rng = np.random.default_rng(4)
    X, y = rng.standard_normal((50, 2)), rng.standard_normal(50)
    X[7, 1] = 30
    ours, squared = solve(X, y, "absolute").leverage(), solve(X, y).leverage()
    np.testing.assert_array_equal(ours.hat, squared.hat)
    assert ours.flagged[0] == 7
    assert (ours.standardized, ours.studentized, ours.cooks_distance) == (None, None, None)


def test_robust_in_y_and_not_in_x():
    """One bad row: far up it does nothing to LAD, far out it turns the line, and its leverage says so."""
    rng = np.random.default_rng(5)
    x = rng.uniform(0, 1, 50)
    y = 2 * x + 0.1 * rng.standard_normal(50)
    up, out = y.copy(), x.copy()
    up[0], out[0] = 1000, 1000
    assert solve(x[:, None], up, "absolute").coef[0] == pytest.approx(2, abs=0.15)
    assert abs(solve(x[:, None], up).coef[0] - 2) > 5
    turned = solve(out[:, None], y, "absolute")
    assert abs(turned.coef[0]) < 0.01
    assert turned.leverage().flagged.tolist() == [0]


def test_no_columns():
    found = solve(np.empty((4, 0)), [1, 2, 5, 9]).leverage()
    np.testing.assert_allclose(found.hat, 0.25)
    assert solve(np.empty((4, 0)), [1, 2, 5, 9], fit_intercept=False).leverage().dof == 0
