"""Every penalty keeps the contract of src/_penalties.pxd: prox, derivatives, conjugate, pickling."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from plugins import PENALTIES
from scipy.optimize import minimize_scalar

import l1l2fast.penalties
from l1l2fast.penalties import L0, L1, L1L2, L2, MCP, SCAD, Lq, Penalty

EPS = np.finfo(float).eps
every_penalty = pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
every_convex = pytest.mark.parametrize("penalty", [pen for pen in PENALTIES if pen.convex()], ids=repr)
number = st.floats(-100, 100, allow_subnormal=False)
step = st.floats(1e-3, 100)


def test_every_leaf_is_exported():
    names = {cls.__name__ for cls in Penalty.__subclasses__()} | {"Penalty"}
    assert {"L1", "L2", "L1L2"} <= names == set(l1l2fast.penalties.__all__)
    assert all(isinstance(getattr(l1l2fast.penalties, name), type) for name in names)


@every_penalty
@given(b=number)
def test_value_is_zero_at_zero_and_never_negative(penalty, b):
    assert penalty(0.0) == 0
    assert penalty(b) >= 0


@every_penalty
@given(z=number, step=step)
def test_prox_is_the_minimiser_by_brute_force(penalty, z, step):
    def cost(b):
        return (b - z) ** 2 / 2 + step * penalty(b)

    edge = abs(z) + 1
    grid = np.linspace(-edge, edge, 201)
    start = grid[np.argmin([cost(b) for b in grid])]
    around = start - edge / 50, start + edge / 50
    near = minimize_scalar(cost, bounds=around, method="bounded", options={"xatol": 1e-12})
    best = min(near.fun, cost(start), cost(0.0), cost(z))
    assert cost(penalty.apply_prox(z, step)) <= best + 8 * EPS * (1 + best + z * z)


@every_convex
@given(z=number, step=step, other=number)
def test_prox_satisfies_the_optimality_condition(penalty, z, step, other):
    """(z - prox) / step is a subgradient of pen at prox: sharper than comparing values."""
    b = penalty.apply_prox(z, step)
    slope = (z - b) / step
    tangent = penalty(b) + slope * (other - b)
    assert penalty(other) >= tangent - 32 * EPS * (abs(penalty(b)) + abs(slope) + abs(z) / step) * (1 + abs(other - b))


@every_convex
@given(z=number, other=number, step=step)
def test_prox_is_nonexpansive(penalty, z, other, step):
    distance = abs(penalty.apply_prox(z, step) - penalty.apply_prox(other, step))
    assert distance <= abs(z - other) + 4 * EPS * (abs(z) + abs(other))


@every_convex
@given(z=number, step=step)
def test_moreau_identity(penalty, z, step):
    """z = prox_{s pen}(z) + s prox_{pen*/s}(z / s); the second by bisection, from argmax = the derivative of pen*."""
    x = z / step
    low, high = -abs(x) - 1, abs(x) + 1
    for _ in range(200):
        u = (low + high) / 2
        low, high = (low, u) if u - x + penalty.argmax(u) / step > 0 else (u, high)
    assert penalty.apply_prox(z, step) + step * u == pytest.approx(z, rel=1e-12, abs=1e-12 * (1 + step))


@every_penalty
@given(z=number)
def test_prox_without_step_has_step_one(penalty, z):
    assert penalty.apply_prox(z) == penalty.apply_prox(z, 1.0)
    assert penalty.apply_prox(z, 0.0) == z


@every_penalty
@given(b=number)
def test_derivatives_are_numerical_derivatives(penalty, b):
    """The quotient must straddle neither a kink, which may lie at 0 only, nor a bend."""
    assume(abs(b) > 1e-2)
    h = 1e-4 * min(abs(b), 1)
    assume(all(penalty.derivatives(t) is not None for t in (b - h, b, b + h)))
    first, second = penalty.derivatives(b)
    sides = [penalty.derivatives(t)[1] for t in (b - h, b + h)]
    assume(sides[0] == pytest.approx(sides[1], rel=1e-2))  # no bend between them
    assert first == pytest.approx((penalty(b + h) - penalty(b - h)) / (2 * h), rel=1e-7, abs=1e-7)
    after, before = penalty.derivatives(b + h)[0], penalty.derivatives(b - h)[0]
    assert second == pytest.approx((after - before) / (2 * h), rel=1e-7, abs=1e-7)


@every_penalty
@given(step=step)
def test_threshold_is_where_prox_leaves_zero(penalty, step):
    edge = penalty.threshold(step)
    if edge > 1e-290:  # a kink is asked for a little off 0
        assert penalty.apply_prox(edge * (1 - 1e-12), step) == 0 == penalty.apply_prox(-edge * (1 - 1e-12), step)
        assert penalty.apply_prox(edge * (1 + 1e-9), step) > 0 > penalty.apply_prox(-edge * (1 + 1e-9), step)
    else:
        assert penalty.apply_prox(1e-6, step) > 0


@every_penalty
def test_smooth_at_zero_exactly_without_a_kink(penalty):
    h = 1e-7
    kink = (penalty(h) + penalty(-h) - 2 * penalty(0.0)) / h
    if penalty.derivatives(0.0) is None:
        # L1(0) may be called rough at 0: it costs a solver nothing.
        assert kink > 1e-3 or not any(penalty(b) for b in (-1.0, 1.0)) or penalty.elastic()[0] == 0
    else:
        assert kink < 1e-5
        assert penalty.derivatives(0.0)[0] == pytest.approx(0, abs=1e-300)


@every_convex
@given(u=st.floats(-4, 4))
def test_argmax_attains_the_conjugate(penalty, u):
    b = penalty.argmax(u)
    if math.isinf(b):
        nearer, farther = (u * t - penalty(t) for t in (math.copysign(1e100, b), math.copysign(1e105, b)))
        assert farther > max(nearer, 0)
    else:
        best = max(u * t - penalty(t) for t in np.concatenate([np.linspace(-20, 20, 401), b + np.linspace(-1, 1, 201)]))
        assert u * b - penalty(b) >= best - 32 * EPS * (1 + abs(u * b))


@every_convex
@given(b=number)
def test_argmax_inverts_the_derivative(penalty, b):
    """Fenchel-Young with equality: at u = pen'(b), b itself maximises u b - pen(b)."""
    assume(b != 0)
    u = penalty.derivatives(b)[0]
    other = penalty.argmax(u)
    assume(math.isfinite(other))
    attained, here = u * other - penalty(other), u * b - penalty(b)
    assert attained == pytest.approx(here, rel=1e-12, abs=32 * EPS * (1 + abs(u * b)))


@every_penalty
@given(b=number)
def test_elastic_is_what_it_says(penalty, b):
    if penalty.elastic() is not None:
        l1, l2 = penalty.elastic()
        assert penalty(b) == pytest.approx(l1 * abs(b) + l2 * b * b / 2, rel=4 * EPS, abs=1e-300)


@every_convex
@given(b=number, other=number)
def test_convex_on_chords(penalty, b, other):
    middle = penalty((b + other) / 2)
    chord = (penalty(b) + penalty(other)) / 2
    assert middle <= chord + 8 * EPS * chord


def test_closed_forms():
    assert [L1(2.0).apply_prox(z, 0.5) for z in (3.0, 1.0, 0.5, -0.5, -1.0, -3.0)] == [2, 0, 0, 0, 0, -2]
    assert L2(2.0).apply_prox(3.0, 0.25) == 2
    assert L1L2(1.0, 2.0).apply_prox(-4.0, 0.5) == -1.75
    assert (L1(0.3).elastic(), L2(0.3).elastic(), L1L2(0.1, 0.2).elastic()) == ((0.3, 0), (0, 0.3), (0.1, 0.2))
    assert [L1(1.0).argmax(u) for u in (-2.0, -1.0, 0.5, 1.0, 2.0)] == [-math.inf, 0, 0, 0, math.inf]
    assert [L2(0.5).argmax(u) for u in (-2.0, 0.0, 1.0)] == [-4, 0, 2]
    assert [L1L2(1.0, 0.5).argmax(u) for u in (-2.0, 1.0, 1.5)] == [-2, 0, 1]


def test_closed_forms_of_penalties_that_are_not_convex():
    """Firm, SCAD's and hard thresholding; and where the step makes the sum concave, a jump to z itself."""
    assert [MCP(1.0, 3.0).apply_prox(z) for z in (1.0, 2.0, 3.0, 4.0)] == pytest.approx([0, 1.5, 3, 4], rel=1e-15)
    assert [MCP(1.0, 2.0).apply_prox(z, 2.0) for z in (1.99, 2.01)] == [0, 2.01]
    assert [SCAD(1.0, 3.7).apply_prox(z) for z in (1.0, 1.5, 2.0, 3.7, 5.0)] == pytest.approx([0, 0.5, 1, 3.7, 5])
    assert SCAD(1.0, 3.7).apply_prox(3.0) == pytest.approx((2.7 * 3 - 3.7) / 1.7, rel=1e-15)
    assert [SCAD(1.0, 3.0).apply_prox(z, 9.0) for z in (5.99, 6.01)] == [0, 6.01]
    assert [L0(2.0).apply_prox(z, 1.0) for z in (2.0, -2.1)] == [0, -2.1]
    for z in (2.0, 7.0):  # q = 1/2: the cosine of Xu et al. (2012); 2/3: the cube of a quartic's root
        half = 2 / 3 * z * (1 + math.cos(2 * math.pi / 3 - 2 / 3 * math.acos(1 / 4 * (z / 3) ** -1.5)))
        assert Lq(1.0, 0.5).apply_prox(z) == pytest.approx(half, rel=1e-14)
        root = max(np.roots([1, 0, 0, -z, 2 / 3]).real) ** 3
        assert Lq(1.0, 2 / 3).apply_prox(z) == pytest.approx(root, rel=1e-12)
    assert Lq(1.0, 0.5).threshold(1.0) == 1.5 and Lq(1.0, 0.5).apply_prox(1.5 - 1e-12) == 0


def test_arguments_by_position_and_name():
    assert L1(0.3) == L1(alpha=0.3) and L2(0.3) == L2(alpha=0.3) and L1L2(0.1, 0.2) == L1L2(l2=0.2, l1=0.1)
    assert L1L2(0.1, 0.2) != L1L2(0.2, 0.1) and L1(1.0) != L2(1.0) and L1(1.0) != 1.0
    with pytest.raises(TypeError):
        L1("0.3")


@every_penalty
@pytest.mark.parametrize(
    "clone",
    [
        copy.copy,
        copy.deepcopy,
        *(lambda x, k=k: pickle.loads(pickle.dumps(x, k)) for k in range(2, pickle.HIGHEST_PROTOCOL + 1)),
    ],
)
def test_copies_are_equal(penalty, clone):
    other = clone(penalty)
    assert type(other) is type(penalty) and other.parameters() == penalty.parameters()
    assert other == penalty and hash(other) == hash(penalty) and repr(other) == repr(penalty)


@every_penalty
def test_repr_makes_the_same_penalty(penalty):
    assert eval(repr(penalty), vars(l1l2fast.penalties)) == penalty


@pytest.mark.parametrize("alpha", [0.1 + 0.2, 1 / 3, 123456789.0])
def test_repr_keeps_every_digit(alpha):
    assert eval(repr(L1(alpha)), vars(l1l2fast.penalties)) == L1(alpha)


@every_penalty
def test_read_only(penalty):
    for name, value in penalty.parameters().items():
        with pytest.raises(AttributeError):
            setattr(penalty, name, value)


def test_the_module_lists_every_class():
    from l1l2fast import penalties

    for name in penalties.__all__[1:]:
        first = [line for line in getattr(penalties, name).__doc__.splitlines() if not line.startswith(name + "(")]
        assert f"- {name}: {' '.join(first).split('  ')[0].strip()}" in penalties.__doc__
