"""Inputs that broke other libraries, 1: scale, offset, degenerate columns, degenerate y, extreme alpha."""

import math

import numpy as np
import pytest
import reference
import scipy.sparse as sp
from cells import CELLS, LAYOUTS, check, every_cell, penalised_cell, quiet_solve, sparse_penalty_cell
from data import random_problem

from l1l2fast import L1, L1L2, L2, solve

# Columns are taken with root mean squares from 1e-145 to 1e150, responses up to 1e150.
SCALES = [1e6, 1e-6, 1e9, 1e-9, 1e100, 1e-100, 1e150, 1e-140]
every_scale = pytest.mark.parametrize("scale", SCALES, ids="{:g}".format)


# 1. Scale


def unit_problem():
    """Everything at most 1 in size."""
    X, y = random_problem(11)
    return X / abs(X).max(), y / abs(y).max()


def refit_scaled(cell, x_scale, y_scale, layout="F"):
    """Fit (cX, dy) with the penalty that makes b d/c its answer; return both answers in the units of (X, y)."""
    X, y = unit_problem()
    cell = cell._replace(l1=cell.l1 / 10, l2=cell.l2 / 10)
    unit = y_scale**cell.degree
    penalty = cell.penalty(x_scale * (unit / y_scale), x_scale * x_scale * (unit / y_scale / y_scale))
    plain = quiet_solve(X, y, cell.loss, cell.penalty())
    scaled = quiet_solve(LAYOUTS[layout](X * x_scale), y * y_scale, cell.loss, penalty)
    assert scaled.gap <= scaled.tolerance
    assert scaled.objective == pytest.approx(plain.objective * unit, rel=1e-7)
    return plain, scaled.coef * x_scale / y_scale, scaled.intercept / y_scale


def assert_same_fit(cell, plain, coef, intercept):
    """Objectives of both agree, and the coefficients."""
    X, y = unit_problem()
    pb = reference.problem(X, y, cell.loss, cell.l1 / 10, cell.l2 / 10)
    assert coef.any()
    assert reference.objective(pb, intercept, coef) == pytest.approx(plain.objective, rel=1e-7)
    assert np.array_equal(coef == 0, plain.coef == 0)
    np.testing.assert_allclose(coef, plain.coef, rtol=1e-3, atol=1e-3 * np.max(abs(plain.coef)))


@every_cell
@every_scale
def test_1_scale_of_X(cell, scale):
    assert_same_fit(cell, *refit_scaled(cell, scale, 1.0))


@every_cell
@every_scale
def test_1_scale_of_y(cell, scale):
    assert_same_fit(cell, *refit_scaled(cell, 1.0, scale))


@every_cell
@every_scale
def test_1_scale_of_both(cell, scale):
    assert_same_fit(cell, *refit_scaled(cell, scale, scale))


@every_cell
@pytest.mark.parametrize("layout", ["C", "csc"])
@pytest.mark.parametrize("scale", [1e9, 1e-140], ids="{:g}".format)
def test_1_scale_in_other_layouts(cell, layout, scale):
    assert_same_fit(cell, *refit_scaled(cell, scale, 1.0, layout))


@pytest.mark.parametrize("loss", ["squared", "absolute"])
@pytest.mark.parametrize("layout", ["F", "C", "csc"])
def test_1_beyond_all_scales(loss, layout):
    """What cannot be squared is refused by name, never answered wrongly."""
    X, y = unit_problem()
    for scale in (1e-160, 1e-200, 1e155, 1e200, 1e300):
        with pytest.raises(ValueError, match=r"\bX\b"):
            solve(LAYOUTS[layout](X * scale), y, loss, L1(0.01))
    with pytest.raises(ValueError, match=r"\by\b"):
        solve(LAYOUTS[layout](X), y * 1e200, loss, L1(0.01))


@every_cell
@every_scale
def test_1_scale_of_weights(cell, scale):
    X, y = random_problem(11)
    w = 1.0 + np.arange(30) % 4
    plain, scaled = (quiet_solve(X, y, cell.loss, cell.penalty(), sample_weight=w * s) for s in (1, scale))
    assert scaled.objective == pytest.approx(plain.objective, rel=1e-8)
    np.testing.assert_allclose(scaled.coef, plain.coef, rtol=1e-3, atol=1e-3 * np.max(abs(plain.coef)))


@penalised_cell
@every_scale
def test_1_scale_of_alpha(cell, scale):
    """A penalty of 1e6 and more leaves nothing, one of 1e-9 and less costs nothing."""
    X, y = random_problem(11)
    result = quiet_solve(X, y, cell.loss, cell.penalty(scale, scale))
    if scale >= 1e6:
        null = reference.null_objective(reference.problem(X, y, cell.loss))
        assert result.objective == pytest.approx(null, rel=1e-4)
        assert not result.coef.any() if cell.l1 else np.max(abs(result.coef)) < 1e-3
    elif scale <= 1e-9:
        free = reference.solve(reference.problem(X, y, cell.loss)).objective
        assert result.objective == pytest.approx(free, rel=1e-7)


@every_cell
@pytest.mark.parametrize("scale", [1e8, 1e-8], ids="{:g}".format)
@pytest.mark.parametrize("layout", ["F", "csc"])
def test_1_one_column_in_other_units(cell, scale, layout):
    """With standardize=True the units of a column are nobody's business."""
    X, y = random_problem(11, sparse=layout == "csc")
    units = np.array([1, 1, scale, 1, 1, 1])
    plain, scaled = (
        quiet_solve(LAYOUTS[layout](X * u), y, cell.loss, cell.penalty(), standardize=True, tol=1e-10)
        for u in (np.ones(6), units)
    )
    assert scaled.objective == pytest.approx(plain.objective, rel=1e-9)
    np.testing.assert_allclose(scaled.coef * units, plain.coef, rtol=1e-4, atol=1e-4 * np.max(abs(plain.coef)))


# 2. Offset


@every_cell
@pytest.mark.parametrize("shift", [1e4, 1e6, 1e8], ids="{:g}".format)
@pytest.mark.parametrize("layout", ["C", "F", "csc"])
def test_2_column_means(cell, shift, layout):
    """Integers, so that the shifted columns hold the same information to the last bit."""
    rng = np.random.default_rng(12)
    X = rng.integers(-9, 10, (40, 5)).astype(float)
    y = X @ [1, 0, -2, 0, 0.5] + rng.integers(-9, 10, 40)
    plain = quiet_solve(X, y, cell.loss, cell.penalty(), tol=1e-10)
    shifted = quiet_solve(LAYOUTS[layout](X + shift), y, cell.loss, cell.penalty(), tol=1e-10)
    # b0 + x'b is a sum of numbers of size `shift`: its rounding is what remains.
    assert shifted.objective == pytest.approx(plain.objective, rel=1e-9 + 1e-15 * shift)
    np.testing.assert_allclose(shifted.coef, plain.coef, atol=1e-4)
    assert np.array_equal(shifted.coef == 0, plain.coef == 0)


@every_cell
@pytest.mark.parametrize("shift", [1e4, 1e8, -1e8], ids="{:g}".format)
def test_2_mean_of_y(cell, shift):
    X, _ = random_problem(12)
    y = np.round(8 * X[:, 0]) + np.arange(30) % 7
    plain = quiet_solve(X, y, cell.loss, cell.penalty(), tol=1e-10)
    shifted = quiet_solve(X, y + shift, cell.loss, cell.penalty(), tol=1e-10)
    assert shifted.objective == pytest.approx(plain.objective, rel=1e-9 + 1e-15 * abs(shift))
    np.testing.assert_allclose(shifted.coef, plain.coef, atol=1e-4 * np.max(abs(plain.coef)))


@every_cell
def test_2_sparse_with_one_dense_column(cell):
    rng = np.random.default_rng(13)
    X = np.where(rng.random((60, 8)) < 0.1, rng.standard_normal((60, 8)), 0)
    X[:, 3] = 1000 + rng.standard_normal(60)
    check(cell, sp.csc_array(X), X[:, 3] - X[:, 0] + rng.standard_normal(60))


# 3. Degenerate columns


def degenerate(kind):
    rng = np.random.default_rng(14)
    X, y = rng.standard_normal((20, 4)), rng.standard_normal(20)
    more = {
        "zero": np.zeros(20),
        "constant 7": np.full(20, 7.0),
        "constant 0.1": np.full(20, 0.1),
        "constant 7.3e8": np.full(20, 7.3e8),
        "duplicate": X[:, 0],
        "opposite": -X[:, 0],
        "sum": X[:, 0] + X[:, 1],
        "nearly equal": X[:, 0] * (1 + 2e-16),
        "nearly constant": 7 + 1e-6 * rng.standard_normal(20),
    }
    return np.column_stack([X, more[kind]]), y + X[:, 0]


@every_cell
@pytest.mark.parametrize(
    "kind",
    [
        "zero",
        "constant 7",
        "constant 0.1",
        "constant 7.3e8",
        "duplicate",
        "opposite",
        "sum",
        "nearly equal",
        "nearly constant",
    ],
)
@pytest.mark.parametrize("layout", ["F", "csc"])
@pytest.mark.parametrize("weighted", [False, True])
def test_3_degenerate_column(cell, kind, layout, weighted):
    X, y = degenerate(kind)
    w = np.random.default_rng(0).uniform(0.1, 3, 20) if weighted else None
    result = check(cell, LAYOUTS[layout](X), y, sample_weight=w)
    if kind in ("zero", "constant 7", "constant 0.1", "constant 7.3e8") and cell.l1:
        assert result.coef[4] == 0


@every_cell
@pytest.mark.parametrize("value", [7.0, 0.1, 7.3e8])
@pytest.mark.parametrize("layout", ["F", "csc"])
def test_3_constant_column_standardised(cell, value, layout):
    """Its sd is 0, whatever the rounding of its mean: it must not be divided by, nor come out negative."""
    X, y = degenerate("zero")
    w = np.random.default_rng(0).uniform(0.1, 3, 20)
    X[:, 4] = value
    with_it, without = (
        quiet_solve(LAYOUTS[layout](Z), y, cell.loss, cell.penalty(), sample_weight=w, standardize=True)
        for Z in (X, X[:, :4])
    )
    assert with_it.objective == pytest.approx(without.objective, rel=1e-7)
    assert np.isfinite(with_it.coef).all()


@every_cell
@pytest.mark.parametrize("n, p", [(1, 1), (2, 1), (1, 3), (2, 3), (20, 1), (20, 0), (1, 0), (3, 3), (4, 3), (5, 20)])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("layout", ["C", "F", "csc"])
def test_3_tiny_shapes(cell, n, p, fit_intercept, layout):
    rng = np.random.default_rng(n + 10 * p)
    check(cell, LAYOUTS[layout](rng.standard_normal((n, p))), rng.standard_normal(n), fit_intercept=fit_intercept)


@every_cell
def test_3_rank_one(cell):
    X = np.outer(np.arange(1.0, 13), [1, 2, -3, 4])
    check(cell, X, np.arange(12.0) % 5)


# 4. y


@every_cell
@pytest.mark.parametrize("value", [0.0, 3.0, 0.1, -1e8])
@pytest.mark.parametrize("layout", ["F", "csc"])
def test_4_constant_y(cell, value, layout):
    """The null model is perfect: gap and tolerance are 0 or the rounding of y; nothing warns."""
    X, _ = random_problem(15)
    y = np.full(30, value)
    result = quiet_solve(LAYOUTS[layout](X), y, cell.loss, cell.penalty())
    assert result.objective <= 1e-13 * abs(value) ** cell.degree
    np.testing.assert_allclose(result.predict(X), y, atol=1e-12 * abs(value))
    assert not (cell.l1 and result.coef.any())


@every_cell
@pytest.mark.parametrize("value", [1e-300, -1e-300])
def test_4_y_next_to_nothing(cell, value):
    """Its square is 0; the sum of its digits is not. No warning, no nan, and no answer larger than y."""
    X, _ = random_problem(15)
    y = value * (1 + np.arange(30) % 5)
    result = quiet_solve(X, y, cell.loss, cell.penalty())
    assert np.isfinite([result.intercept, result.objective, result.gap, *result.coef]).all()
    assert np.max(abs(result.predict(X))) <= 6e-300


@every_cell
def test_4_all_equal_but_one(cell):
    X, _ = random_problem(15)
    check(cell, X, np.where(np.arange(30) == 17, 100.0, 1.0))


@every_cell
def test_4_ties(cell):
    X = np.tile(np.arange(5.0), 8)[:, None]
    check(cell, X, np.repeat([0.0, 1, 1, 4], 10))


@pytest.mark.parametrize("w", [None, [1, 1, 1, 1], [1, 2, 1, 2], [0.1, 0.2, 0.3, 0]])
@pytest.mark.parametrize("y", [[1, 2, 5, 9], [1, 1, 1, 1], [3, 1, 2, 0]])
def test_4_medians(y, w):
    """An even number, and weights whose partial sums hit one half exactly: any point between is right."""
    from cells import Cell

    result = check(Cell("absolute", 0, 0), np.empty((4, 0)), np.array(y, dtype=float), sample_weight=w)
    weights = np.ones(4) if w is None else np.array(w)
    on = weights > 0
    b0 = result.intercept
    side = [weights[on] @ (np.array(y)[on] < b0 - 1e-12), weights[on] @ (np.array(y)[on] > b0 + 1e-12)]
    assert max(side) <= weights.sum() / 2 * (1 + 1e-12)


# 5. alpha


def alpha_max(X, y, loss):
    """The smallest alpha of L1 at which every coefficient is 0, in extended precision."""
    X, y = X.astype(np.longdouble), y.astype(np.longdouble)
    if loss == "squared":
        return float(np.max(abs((X - X.mean(0)).T @ (y - y.mean()))) / len(y))
    # An odd n: the median is a row, whose multiplier balances the signs of the others.
    sign = np.sign(y - np.sort(y)[len(y) // 2])
    return float(np.max(abs(X.T @ sign)) / len(y))


@pytest.mark.parametrize("loss", ["squared", "absolute"])
@pytest.mark.parametrize("layout", ["F", "csc"])
@pytest.mark.parametrize("step", [-1, 0, 1, 1e6])
def test_5_alpha_max(loss, layout, step):
    X, y = random_problem(16, n=31)
    limit = alpha_max(X, y, loss)
    alpha = limit * (1 + step * np.finfo(float).eps)
    result = quiet_solve(LAYOUTS[layout](X), y, loss, L1(alpha), tol=1e-10)
    # On the limit, rounding decides whether a coefficient is 0 or nothing to speak of.
    assert np.max(abs(result.coef)) <= (0 if step > 1 else 1e-12)
    below = quiet_solve(LAYOUTS[layout](X), y, loss, L1(limit * 0.999), tol=1e-10)
    assert np.count_nonzero(below.coef) >= 1


@every_cell
@pytest.mark.parametrize("alpha", [0.0, 1e-300])
def test_5_alpha_of_nothing(cell, alpha):
    X, y = random_problem(16)
    free = quiet_solve(X, y, cell.loss, None, tol=1e-10)
    for penalty in (L1(alpha), L2(alpha), L1L2(alpha, alpha), L1L2(0, alpha), L1L2(alpha, 0)):
        result = quiet_solve(X, y, cell.loss, penalty, tol=1e-10)
        assert result.objective == pytest.approx(free.objective, rel=1e-9)


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_5_l1_ratio_at_its_ends(loss):
    X, y = random_problem(16)
    for ratio, penalty in ((0, L2(0.3)), (1, L1(0.3))):
        mixed = quiet_solve(X, y, loss, "elasticnet", alpha=0.3, l1_ratio=ratio, tol=1e-10)
        assert mixed.objective == pytest.approx(quiet_solve(X, y, loss, penalty, tol=1e-10).objective, rel=1e-9)


@penalised_cell
@pytest.mark.parametrize(
    "factors",
    [np.zeros(6), np.full(6, np.inf), [0, np.inf, 0, np.inf, 0, np.inf], [1e-6, 1, 1, 1, 1, 1e6]],
    ids=["free", "excluded", "mixed", "extreme"],
)
def test_5_penalty_factors(cell, factors):
    X, y = random_problem(16)
    result = check(cell, X, y, penalty_factor=factors)
    assert not result.coef[np.isinf(factors)].any()


@pytest.mark.parametrize("loss", ["squared", "absolute"])
@pytest.mark.parametrize("alpha", [math.nan, -1.0, -1e-300, math.inf])
def test_5_impossible_alpha(loss, alpha):
    X, y = random_problem(16)
    for penalty in ("l1", "l2", "elasticnet"):
        with pytest.raises(ValueError, match="alpha"):
            solve(X, y, loss, penalty, alpha=alpha)
    with pytest.raises(ValueError, match="alpha"):
        solve(X, y, loss, L1(alpha))
    with pytest.raises(ValueError, match="l2"):
        solve(X, y, loss, L1L2(0.1, alpha))
    with pytest.raises(ValueError, match="l1_ratio"):
        solve(X, y, loss, "elasticnet", alpha=1.0, l1_ratio=alpha)


@sparse_penalty_cell
def test_5_just_any_alpha_gives_no_surprise(cell):
    """A sweep through all sizes: the objective never falls as the penalty grows."""
    X, y = random_problem(16)
    sizes = 10.0 ** np.arange(-12, 7)
    values = [quiet_solve(X, y, cell.loss, cell.penalty(s, s), tol=1e-10).objective for s in sizes]
    assert np.all(np.diff(values) >= -1e-9 * np.max(values))


def test_the_cells_here_are_all_cells():
    assert len(CELLS) == 12


@pytest.mark.parametrize("factor", [1, 1 + 1e-15, 1 + 1e-14, 1 - 1e-14, 1 - 1e-9, 1 + 1e-9])
def test_tied_responses_at_the_largest_alpha(factor):
    """Where the dual point lies on its bounds and the basis is nearly singular, rounding must not cost the proof."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 10))
    y = np.round(2 * X[:, 0] + rng.standard_normal(200))
    result = solve(X, y, "absolute", L1(0.664807069417496 * factor))
    assert result.gap <= result.tolerance and result.objective == pytest.approx(1.815, abs=1e-9)


@pytest.mark.parametrize("penalty", [L2(0.1), L1L2(0, 0.1)], ids=repr)
def test_ridge_with_bounds_has_no_way_down(penalty):
    """Without a kink no strength of the penalty holds a coefficient at zero: there is nothing to come down from."""
    X, y = random_problem(3, 400, 300)
    result = solve(X, y, "squared", penalty, positive=True)
    assert result.gap <= result.tolerance and result.n_passes < 20


@pytest.mark.parametrize("bounds", [{}, {"lower": -0.5, "upper": 0.3}], ids=["free", "bounds"])
@pytest.mark.parametrize("penalty", [L1(0.01), L1L2(0.01, 1e-9)], ids=str)
@pytest.mark.parametrize("seed", [2, 17, 18, 27, 35])
def test_columns_that_are_nearly_one_another(seed, penalty, bounds):
    """Uncentred, twelve columns are 1000 and a little, down to a thousandth: those near zero stand in a step's way."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((400, 60)) * 10.0 ** rng.integers(-3, 4, 60)
    X[:, ::5] += 1e3
    y = X[:, :12] @ (rng.standard_normal(12) / X[:, :12].std(axis=0)) + rng.standard_normal(400)
    result = quiet_solve(X, y, "squared", penalty, tol=1e-9, fit_intercept=False, **bounds)
    reference.check_certificate(
        reference.problem(X, y, "squared", *penalty.elastic(), fit_intercept=False, **bounds), result
    )
    assert result.n_iter < 150 and result.n_passes <= 4
