"""Lines with a penalty on groups: the envelope that stands in for them, and the exact end."""

import numpy as np
import pytest
from test_groups import LABELS, data

from l1l2fast import Absolute, Group, Pinball, Status, solve
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
