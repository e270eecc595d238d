"""Every loss keeps the contract of src/_losses.pxd: derivatives, majoriser, conjugate, pickling."""

import copy
import decimal
import math
import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from plugins import LOSSES
from scipy.optimize import minimize_scalar

import l1l2fast.losses
from l1l2fast.losses import Absolute, Huber, Logistic, Loss, Pinball, Squared

EPS = np.finfo(float).eps
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=repr)
number = st.floats(-100, 100, allow_subnormal=False)


def away_from_kink(loss, y, f):
    """The kinks of a loss lie at y, those of its slope delta further; a difference quotient must not straddle one."""
    assume(abs(y - f) > 1e-2 and abs(abs(y - f) - loss.parameters().get("delta", 0)) > 1e-2)


def response(loss, y):
    """y, or if the loss takes a few values only, one of these."""
    return y if loss.responses() is None else loss.responses()[y > 0]


def test_every_leaf_is_exported():
    names = {cls.__name__ for cls in Loss.__subclasses__()} | {"Loss"}
    assert {"Squared", "Absolute", "Pinball", "Huber", "Logistic"} <= names == set(l1l2fast.losses.__all__)
    assert all(isinstance(getattr(l1l2fast.losses, name), type) for name in names)


def test_a_slope_times_a_weight_divided_by_it_is_that_slope():
    for weight in (0.05, 0.1, 0.2, 0.7):
        for g in (-0.25 * weight / weight, 0.75 * weight / weight):
            assert Pinball(0.25).fenchel_young(1.0, 3.0, g) < 3


@every_loss
@given(y=number, f=number)
def test_gradient_is_the_numerical_derivative(loss, y, f):
    y = response(loss, y)
    away_from_kink(loss, y, f)
    h = 1e-4
    quotient = (loss(y, f + h) - loss(y, f - h)) / (2 * h)
    assert loss.derivatives(y, f)[0] == pytest.approx(quotient, rel=1e-7, abs=1e-7)


@every_loss
@given(y=number, f=number)
def test_expansion_is_value_and_derivatives(loss, y, f):
    y = response(loss, y)
    parts = loss(y, f), *loss.derivatives(y, f)
    assert loss.expansion(y, f) == pytest.approx(parts, rel=16 * EPS, abs=1e-300)


@every_loss
@given(y=number, f=number)
def test_curvature_is_the_derivative_of_the_gradient(loss, y, f):
    y = response(loss, y)
    away_from_kink(loss, y, f)
    h = 1e-4
    quotient = (loss.derivatives(y, f + h)[0] - loss.derivatives(y, f - h)[0]) / (2 * h)
    assert loss.derivatives(y, f)[1] == pytest.approx(quotient, rel=1e-7, abs=1e-7)


@every_loss
@given(y=number, f=number, other=number)
def test_gradient_is_a_subgradient(loss, y, f, other):
    """Convexity, and the value at a kink too: the tangent lies below."""
    y = response(loss, y)
    tangent = loss(y, f) + loss.derivatives(y, f)[0] * (other - f)
    assert loss(y, other) >= tangent - 16 * EPS * (abs(tangent) + loss(y, other) + 1e4)


@every_loss
@given(y=number)
def test_gradient_and_curvature_at_a_kink(loss, y):
    """At a kink the chosen subgradient is 0 and there is no curvature."""
    y = response(loss, y)
    if loss.slopes() is not None:
        assert loss.derivatives(y, y) == (0, 0)
    assert np.isfinite(loss.derivatives(y, y)).all()


@every_loss
@given(y=number, f=number, other=number, eps=st.floats(1e-8, 10))
def test_majoriser_lies_above_the_smoothed_loss(loss, y, f, other, eps):
    """Smoothing moves a loss by at most eps, so the parabola may undercut the loss's rise by eps, never more."""
    y = response(loss, y)
    slope, weight = loss.majoriser(y, f, eps)
    assert 0 <= weight < math.inf
    rise = slope * (other - f) + weight * (other - f) ** 2 / 2
    assert loss(y, other) - loss(y, f) <= rise + eps + 1e-12 * (1 + abs(rise))


@every_loss
@given(y=number, f=number)
def test_majoriser_touches_with_the_slope_of_the_loss(loss, y, f):
    y = response(loss, y)
    away_from_kink(loss, y, f)
    assert loss.majoriser(y, f, 1e-9)[0] == pytest.approx(loss.derivatives(y, f)[0], rel=1e-9)


@given(y=number, f=number, other=number, eps=st.floats(1e-6, 10))
def test_majoriser_of_the_absolute_loss_exactly(y, f, other, eps):
    """sqrt(r^2 + eps^2): the parabola touches it at f and lies above it everywhere."""
    smooth = [math.hypot(y - point, eps) for point in (f, other)]
    slope, weight = Absolute().majoriser(y, f, eps)
    assert slope == pytest.approx(weight * (f - y), rel=8 * EPS)
    assert weight * smooth[0] == pytest.approx(1, rel=8 * EPS)
    parabola = smooth[0] + weight * ((y - other) ** 2 - (y - f) ** 2) / 2
    assert smooth[1] <= parabola * (1 + 64 * EPS) + 64 * EPS * weight * ((y - other) ** 2 + (y - f) ** 2)


@given(y=number, f=number, eps=st.floats(0, 10))
def test_majoriser_of_the_squared_loss_is_itself(y, f, eps):
    assert Squared().majoriser(y, f, eps) == (f - y, 1)


@every_loss
@given(y=number, g=st.floats(-2, 2))
def test_conjugate_is_the_supremum(loss, y, g):
    """sup_f g f - l(y, f), by brute force; infinite exactly where that grows without bound."""
    y = response(loss, y)

    def rise(f):
        return g * f - loss(y, f)

    if math.isinf(conjugate := loss.dual(y, g)):
        assert conjugate > 0
        nearer, farther = (max(rise(y + t), rise(y - t)) for t in (1e100, 1e105))
        assert farther > nearer
    else:
        found = -minimize_scalar(
            lambda f: -rise(f), bounds=(y - 60, y + 60), method="bounded", options={"xatol": 1e-10}
        ).fun
        best = max(found, *(rise(y + t) for t in (0, 1e3, -1e3, 1e6, -1e6)))
        assert conjugate == pytest.approx(best, rel=1e-8, abs=1e-8)


@every_loss
@given(y=number, f=number, g=st.floats(-2, 2))
def test_fenchel_young_slack_is_never_negative(loss, y, f, g):
    y = response(loss, y)
    slack, parts = loss.fenchel_young(y, f, g), (loss(y, f), loss.dual(y, g), -g * f)
    assert slack >= 0
    if math.isinf(parts[1]):
        assert slack == math.inf
    else:
        assert slack == pytest.approx(math.fsum(parts), rel=1e-12, abs=8 * EPS * sum(map(abs, parts)))


@every_loss
@given(y=number, f=number)
def test_fenchel_young_slack_is_zero_at_the_gradient(loss, y, f):
    y = response(loss, y)
    assert loss.fenchel_young(y, f, loss.derivatives(y, f)[0]) <= 8 * EPS * loss(y, f)


@every_loss
@given(y=number, f=number)
def test_what_a_loss_says_of_itself(loss, y, f):
    y = response(loss, y)
    if loss.slopes() is not None:
        left, right = loss.slopes()
        assert loss(y, f) == pytest.approx(left * max(f - y, 0) + right * max(y - f, 0), rel=4 * EPS, abs=0)
    assert isinstance(loss.quadratic(), bool)
    if loss.quadratic():
        assert loss(y, f) == pytest.approx((y - f) ** 2 / 2, rel=4 * EPS, abs=0)


def test_which_losses_are_quadratic_or_piecewise_linear():
    assert Squared().quadratic() and Squared().slopes() is None
    assert Absolute().slopes() == (1, 1) and not Absolute().quadratic()
    assert Pinball(0.25).slopes() == (0.75, 0.25) and not Pinball().quadratic()
    assert Huber().slopes() is None and not Huber().quadratic() and Huber().of_residual()
    assert Squared().of_residual() and Pinball().of_residual() and not Logistic().of_residual()


@pytest.mark.parametrize("m", [0.0, 1e-9, 0.3, 29.9, 30.1, 36.0, 40.0, 700.0, 1e3, 1e6])
@pytest.mark.parametrize("s", [1.0, 1 - 1e-9, 0.99, 0.5, 1e-12, 0.0])
def test_logistic_loses_no_digits_to_large_margins(m, s):
    """Value, slope, curvature and slack against numbers of 60 digits, wherever m = y f lies."""
    loss = Logistic()
    for y, f in ((-1.0, -m), (-1.0, m), (1.0, m), (1.0, -m)):
        gradient, curvature = loss.derivatives(y, f)
        with decimal.localcontext(prec=60):
            tail = decimal.Decimal(-y * f).exp()
            q, rest, value = tail / (1 + tail), 1 / (1 + tail), (1 + tail).ln()
            a = -decimal.Decimal(s * gradient) * decimal.Decimal(y)
            entropy = sum(x * x.ln() for x in (a, 1 - a) if x > 0)
            slack = value + entropy + a * decimal.Decimal(y * f)
        assert loss(y, f) == pytest.approx(float(value), rel=8 * EPS, abs=1e-60)
        assert gradient == pytest.approx(-y * float(q), rel=8 * EPS, abs=1e-60)
        assert curvature == pytest.approx(float(q * rest), rel=8 * EPS, abs=1e-60)
        found = loss.fenchel_young(y, f, s * gradient)
        assert found == pytest.approx(float(slack), rel=1e-9, abs=4 * EPS * (1 + m) * float(q) + 1e-50)


def test_huber_at_its_knots():
    assert Huber(2.0)(0, 2) == 2.0 and Huber(2.0)(0, -3) == 4.0
    assert Huber(2.0).derivatives(0, 2) == (2, 1) and Huber(2.0).derivatives(0, 2.001) == (2, 0)
    assert Huber(2.0).fenchel_young(0, 3, 2.0) == 0 and Huber(2.0).fenchel_young(0, 3, 2.1) == math.inf


@every_loss
@pytest.mark.parametrize("y, f", [(1e300, -1e300), (math.inf, 0), (math.nan, 0), (0, math.nan)])
def test_nothing_is_raised_and_nan_is_not_hidden(loss, y, f):
    value = loss(y, f)
    undecided = loss.responses() is not None and math.isinf(y)  # infinity times zero
    assert math.isnan(value) if math.isnan(y) or math.isnan(f) or undecided else value > 1e299


@every_loss
@pytest.mark.parametrize(
    "clone",
    [
        copy.copy,
        copy.deepcopy,
        *(lambda x, k=k: pickle.loads(pickle.dumps(x, k)) for k in range(2, pickle.HIGHEST_PROTOCOL + 1)),
    ],
)
def test_copies_are_equal(loss, clone):
    other = clone(loss)
    assert type(other) is type(loss) and other.parameters() == loss.parameters()
    assert other == loss and hash(other) == hash(loss) and repr(other) == repr(loss)


@every_loss
def test_repr_makes_the_same_loss(loss):
    assert eval(repr(loss), vars(l1l2fast.losses)) == loss


def test_equal_only_to_its_like():
    distinct = set(LOSSES)
    assert len({repr(loss) for loss in LOSSES}) == len(distinct)
    assert Squared() != Absolute() and Squared() == Squared() and Squared() != "squared"


@every_loss
def test_read_only(loss):
    for name, value in loss.parameters().items():
        with pytest.raises(AttributeError):
            setattr(loss, name, value)


def test_the_module_lists_every_class():
    from l1l2fast import losses

    for name in losses.__all__[1:]:
        first = [line for line in getattr(losses, name).__doc__.splitlines() if not line.startswith(name + "(")]
        assert f"- {name}: {' '.join(first).split('  ')[0].strip()}" in losses.__doc__
