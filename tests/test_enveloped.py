"""Lines with a penalty on groups, or with L2 and more columns than rows: the envelope for them, and the exact end."""

import numpy as np
import pytest
from cells import LAYOUTS, Cell, check
from test_groups import LABELS, data
from test_solve_cells import JUDGE

from l1l2fast import L1L2, L2, Absolute, Group, Pinball, Status, enveloped, solve
from l1l2fast._losses import Envelope, Huber, Loss

SETTINGS = [(1.0, 1.0, 0.5), (0.7, 0.3, 2.0), (0.1, 0.9, 1e-3)]
every_setting = pytest.mark.parametrize("left, right, delta", SETTINGS, ids=str)
POINTS = np.linspace(-3, 3, 61)


@every_setting
def test_the_envelope_is_the_largest_of_its_parabolas(left, right, delta):
    loss, u = Envelope(left, right, delta), np.linspace(-left, right, 20001)
    for r in POINTS:
        best = (u * r - delta * u * u / 2).max()
        assert loss(r, 0.0) == pytest.approx(best, abs=1e-6)
        slope, bend = loss.derivatives(r, 0.0)
        assert slope == pytest.approx(-np.clip(r / delta, -left, right))
        assert bend == (1 / delta if -left <= r / delta <= right else 0)
    assert Envelope not in Loss.__subclasses__()  # no loss that users are offered


@every_setting
def test_its_gaps_are_what_they_stand_for(left, right, delta):
    """l + l* - g f is never negative, zero at the gradient, and infinite out of the box."""
    loss = Envelope(left, right, delta)
    for r in POINTS:
        for g in np.linspace(-right, left, 13):
            plain = loss(r, 0.0) + loss.dual(r, g)
            assert loss.fenchel_young(r, 0.0, g) == pytest.approx(plain, abs=1e-12)
            assert loss.fenchel_young(r, 0.0, g) >= 0
        assert loss.fenchel_young(r, 0.0, loss.derivatives(r, 0.0)[0]) == pytest.approx(0, abs=1e-15)
        assert loss.fenchel_young(r, 0.0, left + 1e-9) == loss.dual(r, -right - 1e-9) == np.inf


@every_setting
def test_its_majoriser_lies_above(left, right, delta):
    loss = Envelope(left, right, delta)
    for r in POINTS:
        slope, bend = loss.majoriser(r, 0.0, 0.0)
        above = loss(r, 0.0) + slope * POINTS + bend * POINTS**2 / 2
        assert (above - [loss(r, f) for f in POINTS] >= -1e-12).all()


def test_with_equal_slopes_it_is_hubers():
    loss = Envelope(1.0, 1.0, 0.4)
    for r in POINTS:
        assert 0.4 * loss(r, 0.0) == pytest.approx(Huber(0.4)(r, 0.0))


@pytest.mark.parametrize("loss", [Absolute(), Pinball(0.3)], ids=str)
@pytest.mark.parametrize("penalty", [Group(0.05, LABELS), Group(0.05, LABELS, 0.01), Group(0.1)], ids=str)
def test_the_end_is_exact(loss, penalty):
    """The gap is rounding, and the residuals of the rows inside are zero."""
    X, y = data(loss)
    result = solve(X, y, loss, penalty, tol=1e-12)
    assert result.status is Status.CONVERGED and result.gap <= 1e-14 * result.objective
    theta, (left, right) = len(y) * result.certificate().theta, loss.slopes()
    inside = (theta > -left * (1 - 1e-6)) & (theta < right * (1 - 1e-6))
    assert 0 < inside.sum() <= 11
    assert np.abs(y - result.predict(X))[inside].max() <= 1e-12


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_norm_of_more_coefficients_than_rows(fit_intercept):
    """In the coordinates of the rows, of which there are fewer: a few passes over X."""
    X, y = data(Absolute(), 3, 60, 600)
    result = solve(X, y, "absolute", Group(0.02), tol=1e-9, fit_intercept=fit_intercept)
    assert result.status is Status.CONVERGED and result.n_passes <= 6
    warm = solve(X, y, "absolute", Group(0.02), tol=1e-9, fit_intercept=fit_intercept, warm_start=result)
    assert warm.objective == pytest.approx(result.objective, rel=1e-8)


def test_nothing_left_to_fit():
    X, _ = data(Absolute())
    result = solve(X, np.full(40, 7.0), "absolute", Group())
    assert result.status is Status.CONVERGED and result.objective == 0 and not result.coef.any()


@pytest.mark.parametrize("loss", ["absolute", Pinball(0.3)], ids=str)
@pytest.mark.parametrize("l1", [0.0, 0.05])
@pytest.mark.parametrize(
    "kind",
    ["plain", "no intercept", "weights", "factors", "free", "bounds", "bounds and free", "offset", "standardize"],
)
def test_curvature_and_more_columns_than_rows(loss, l1, kind):
    """Held against the judge, in every layout."""
    X, y = data(Absolute(), 4, 40, 520)
    rng = np.random.default_rng(2)
    X = (X * (rng.random(X.shape) < 0.5)).astype(np.float32).astype(float)
    options = {
        "plain": {},
        "no intercept": {"fit_intercept": False},
        "weights": {"sample_weight": rng.integers(0, 3, 40)},
        "factors": {"penalty_factor": np.r_[np.inf, rng.uniform(0.3, 3, 519)]},
        "free": {"penalty_factor": np.r_[np.zeros(7), rng.uniform(0.3, 3, 513)]},
        "bounds": {"lower": -rng.choice([0, 0.01, np.inf], 520), "upper": rng.choice([0, 0.02, np.inf], 520)},
        "bounds and free": {"penalty_factor": np.r_[np.zeros(7), np.ones(513)], "lower": -0.02, "upper": 0.03},
        "offset": {"offset": rng.standard_normal(40)},
        "standardize": {"standardize": True},
    }[kind]
    for layout in "C", "F", "float32", "csc":
        check(Cell(loss, l1, 0.5), LAYOUTS[layout](X), y, judge=JUDGE, **options)


@pytest.mark.parametrize("penalty", [L2(0.1), L1L2(0.01, 0.1)], ids=str)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_no_matrix_of_all_columns(penalty, fit_intercept, monkeypatch):
    """The envelope or coordinate ascent answers; what factors such a matrix is not asked, whatever the order."""
    X, y = data(Absolute(), 4, 60, 900)
    monkeypatch.setattr("l1l2fast.absolute.begin", None)
    result = solve(X, y, "absolute", penalty, fit_intercept=fit_intercept, tol=1e-9)
    assert result.status is Status.CONVERGED and result.gap <= 1e-12 * result.objective and result.unique
    seen = []
    solve(X, y, "absolute", penalty, fit_intercept=fit_intercept, callback=seen.append)
    assert [info.round for info in seen] == [0]


def test_the_newton_step_is_the_same_in_both_forms():
    rng = np.random.default_rng(0)
    X, H = rng.standard_normal((4, 9)), rng.uniform(1, 2, 9)
    slope, r = rng.standard_normal(9), rng.standard_normal(4)
    for intercept in True, False:
        short = enveloped.newton(H, X, intercept, slope, 0.3, r)
        for one, other in zip(short, enveloped.newton(np.diag(H), X, intercept, slope, 0.3, r), strict=True):
            assert one == pytest.approx(other)
        db, dc, t = short
        assert H * db + X.T @ t == pytest.approx(slope)
        assert X @ db + dc == pytest.approx(r)
        assert t.sum() == pytest.approx(0.3) if intercept else dc == 0


def test_the_newton_step_of_the_intercept_alone():
    """No coefficient but zeros: the matrix has no rows, and is one nevertheless."""
    db, dc, t = enveloped.newton(np.empty((0, 0)), np.empty((1, 0)), True, np.empty(0), 0.3, np.array([2.0]))
    assert len(db) == 0 and dc == 2 and t == pytest.approx([0.3])
