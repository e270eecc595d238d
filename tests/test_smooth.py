"""Huber and logistic loss with every penalty, layout and option, against Clarabel; their limits and their traps."""

import warnings

import numpy as np
import pytest
import reference_smooth as reference
import scipy.sparse
from cells import LAYOUTS, Cell, quiet_solve, snapshot
from data import random_problem
from numpy.testing import assert_allclose
from test_solve_cells import OPTIONS, N, P, hostile

from l1l2fast import L1, L1L2, L2, ConvergenceWarning, Huber, Status, smooth, solve
from l1l2fast._model import dual_point, parabola, stiffen
from l1l2fast._objective import Sums
from l1l2fast.losses import Logistic

ANSWERS = {}
CELLS = [Cell(loss, l1, l2) for loss in ("huber", "logistic") for l1, l2 in ((0, 0), (0.1, 0), (0, 0.1), (0.05, 0.1))]
every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
penalised_cell = pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.l1 or cell.l2], ids=str)
every_loss = pytest.mark.parametrize("loss", ["huber", "logistic"])


def response(loss, y):
    """y, or for the logistic loss two classes, not quite those on either side of its middle."""
    if loss == "huber":
        return y
    flip = np.random.default_rng(len(y)).random(len(y)) < 0.3
    return np.where((y > np.median(y)) ^ flip, 1.0, -1.0)


def judged(pb):
    """The least objective, asked once for the layouts that hold the same numbers."""
    key = tuple(np.asarray(part).tobytes() if isinstance(part, np.ndarray) else part for part in vars(pb).values())
    if key not in ANSWERS:
        ANSWERS[key] = reference.solve(pb).objective
    return ANSWERS[key]


def check(cell, X, y, tol=1e-10, **options):
    """Fit the cell; hold objective, gap, certificate and bounds against the judge. Return the result."""
    before = snapshot(X)
    y = response(cell.loss, y)
    result = quiet_solve(X, y, cell.loss, cell.penalty(), tol=tol, **options)
    assert snapshot(X) == before
    options.pop("warm_start", None)
    pb = reference.problem(X, y, cell.loss, cell.l1, cell.l2, **options)
    best, null = judged(pb), reference.null_objective(pb)
    noise = 1e-13 * (1 + null) * (1 + np.max(abs(pb.y) + abs(pb.offset)))
    assert result.gap <= result.tolerance
    assert tol * null * (1 - 1e-6) - noise <= result.tolerance <= tol * null * (1 + 1e-6) + noise
    # The judge is good to some 1e-9 with exponential cones, 1e-12 without.
    judge = (1e-8 if cell.loss == "logistic" else 1e-11) * null + noise
    assert result.objective <= best + result.gap + noise
    assert result.objective >= best - judge, "better than the judge: one of the two is wrong"
    assert result.gap >= result.objective - best - noise
    reference.check_certificate(pb, result)
    return result


@every_cell
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_cell(cell, layout, option):
    X, y = random_problem(3, N, P, sparse=True)
    check(cell, LAYOUTS[layout](X), y, **OPTIONS[option])


@every_cell
@pytest.mark.parametrize("layout", ["C", "F", "csc"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_wide(cell, layout, fit_intercept):
    """More columns than rows: without a penalty Huber's loss interpolates, and classes can be separated."""
    X, y = random_problem(4, 15, 40, sparse=layout == "csc")
    if str(cell) != "logistic-none":
        check(cell, LAYOUTS[layout](X), y, fit_intercept=fit_intercept)
        return
    result = solve(LAYOUTS[layout](X), response("logistic", y), "logistic", fit_intercept=fit_intercept)
    assert result.status is Status.UNBOUNDED and result.gap <= result.tolerance


@penalised_cell
@pytest.mark.parametrize("alpha", [1e-1, 1e-2, 1e-3, 1e-4])
def test_weak_penalties_on_wide_data(cell, alpha):
    """Next to interpolation nearly as many coefficients as rows are not zero, and hardly held."""
    rng = np.random.default_rng(10)
    X, y = rng.standard_normal((12, 40)), rng.standard_normal(12)
    check(cell._replace(l1=cell.l1 * alpha, l2=cell.l2 * alpha), X, y)


@every_cell
@pytest.mark.parametrize("layout", ["F", "csc"])
def test_larger(cell, layout):
    """Enough rows and columns for working sets, blocks and several rounds."""
    X, y = random_problem(5, 400, 120, sparse=layout == "csc")
    check(cell, LAYOUTS[layout](X), y, sample_weight=1 + np.arange(400) % 3)


@every_cell
@pytest.mark.parametrize("alpha", [1e-6, 1e-3, 1.0, 30.0])
def test_weak_and_strong_penalties(cell, alpha):
    X, y = random_problem(6, 40, 12)
    check(cell._replace(l1=cell.l1 * alpha, l2=cell.l2 * alpha), X, y)


@every_cell
@pytest.mark.parametrize("block", range(8))
def test_hostile_integers(cell, block):
    """Ties, duplicated rows and columns, one class, fewer rows than columns: a certified gap or an honest status."""
    for seed in range(10 * block, 10 * block + 10):
        X, y, options = hostile(seed)
        try:
            check_hostile(cell, X, y, options)
        except Exception as error:
            error.add_note(f"seed {seed}: {X.shape}, {options}")
            raise


def check_hostile(cell, X, y, options):
    if cell.loss == "huber":
        check(cell, X, y, **options)
        return
    result = solve(X, response("logistic", y), "logistic", cell.penalty(), tol=1e-10, **options)
    assert result.gap <= result.tolerance
    if result.status is not Status.UNBOUNDED:
        check(cell, X, y, **options)


@every_loss
@pytest.mark.parametrize("shape", [(2000, 200), (200, 2000)])
@pytest.mark.parametrize("penalty", [None, L1(0.02), L2(0.02), L1L2(0.01, 0.02)], ids=str)
def test_gap_of_1e_9(loss, shape, penalty):
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape)
    y = response(loss, X[:, :10].sum(1) + 2 * rng.standard_normal(shape[0]))
    result = solve(X, y, loss, penalty, tol=1e-9)
    assert result.gap <= result.tolerance
    alone = loss == "logistic" and penalty is None and shape[0] < shape[1]
    assert result.status is (Status.UNBOUNDED if alone else Status.CONVERGED)


@pytest.mark.parametrize("penalty", [None, L1(0.1), L2(0.1)], ids=str)
def test_limits_of_huber(penalty):
    """delta beyond every residual: the squared loss; delta below every residual that is not zero: delta times LAD."""
    X, y = random_problem(11, 40, 4)
    wide = quiet_solve(X, y, Huber(1e6), penalty, tol=1e-12)
    squared = quiet_solve(X, y, "squared", penalty, tol=1e-12)
    np.testing.assert_allclose(wide.coef, squared.coef, rtol=1e-6, atol=1e-9)
    delta = 1e-6
    weaker = penalty and type(penalty)(delta * penalty.alpha)
    narrow = quiet_solve(X, y, Huber(delta), weaker, tol=1e-9)
    lad = quiet_solve(X, y, "absolute", penalty, tol=1e-12)
    assert narrow.objective / delta == pytest.approx(lad.objective, abs=2 * delta)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("penalty", [L1(0.05), L2(0.05)], ids=str)
def test_scale_of_the_columns(scale, penalty):
    """X c with alpha c (or c^2) gives b / c and the same predictions, of whatever size X is."""
    X, y = random_problem(12, 60, 5)
    y = response("logistic", y)
    result = quiet_solve(X, y, "logistic", penalty)
    times = scale if isinstance(penalty, L1) else scale**2
    other = quiet_solve(scale * X, y, "logistic", type(penalty)(times * penalty.alpha))
    np.testing.assert_allclose(scale * other.coef, result.coef, rtol=1e-4, atol=1e-7)


def test_predictions_of_a_million_overflow_nowhere():
    X, y = random_problem(13, 30, 3)
    y = response("logistic", y)
    with np.errstate(all="raise"):
        result = solve(X, y, "logistic", L2(0.1), offset=1e6 * y[::-1], warm_start=np.full(3, 1e5))
    assert np.isfinite(result.objective) and result.gap <= result.tolerance


@pytest.mark.parametrize("y", [[0, 1, 1], [1, 2, 1], [-1, 1, np.nan], [1, -1, 0.5]], ids=str)
def test_responses_other_than_two_are_refused(y):
    with pytest.raises(ValueError, match=r"y must be one of \(-1.0, 1.0\).*got .* at position"):
        solve(np.ones((3, 1)), y, "logistic")


def test_one_class_and_separable_classes_say_so():
    X, y = random_problem(14, 20, 2)
    for target in (np.ones(20), -np.ones(20), np.where(X[:, 0] > np.median(X[:, 0]), 1.0, -1.0)):
        result = solve(X, target, "logistic")
        assert result.status is Status.UNBOUNDED and "separable" in result.message
    # a dummy column whose rows are all of one class: the others do have an optimum
    half = np.column_stack([X, np.arange(20) < 3])
    target = np.where(np.arange(20) % 3 == 0, 1.0, -1.0)
    target[:3] = 1.0
    assert solve(half, target, "logistic").status is Status.UNBOUNDED
    assert quiet_solve(half, target, "logistic", L2(0.01)).gap < 1e-8


def test_separable_under_bounds_has_an_optimum():
    X = np.arange(-3.0, 4)[:, None] + 0.5
    y = np.sign(X[:, 0])
    result = quiet_solve(X, y, "logistic", upper=2.0, fit_intercept=False)
    assert result.coef[0] == 2.0


def test_callback_and_warm_start():
    X, y = random_problem(15, 200, 300)
    y, seen = response("logistic", y), []
    result = quiet_solve(X, y, "logistic", L1(0.02), callback=seen.append)
    assert [progress.round for progress in seen] == list(range(len(seen))) and seen[-1].gap == result.gap
    again = quiet_solve(X, y, "logistic", L1(0.02), warm_start=result)
    assert again.n_passes <= 3 and again.objective <= result.objective * (1 + 1e-12)
    assert solve(X, y, "logistic", L1(0.02), callback=lambda progress: True, tol=1).status is Status.CONVERGED
    with pytest.warns(ConvergenceWarning):
        assert solve(X, y, "logistic", L1(0.02), callback=lambda progress: True).status is Status.STOPPED


def test_a_free_column_comes_down_to_rounding():
    """The gap is of no use before it does: here the first answer is within 1e-14 of that, and no gap tells."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 10)) + rng.standard_normal((40, 1)) + 2
    y = X[:, 1] - X[:, 2] + 0.5 * X[:, 3] + rng.standard_normal(40) + 5 * (rng.random(40) < 0.1)
    first = solve(X, y, Huber(0.7), penalty_factor=np.append(0.0, np.full(9, np.inf)), tol=5e-11)
    again = solve(X, y, Huber(0.7), L1(0.5), penalty_factor=np.append(0.0, np.ones(9)), warm_start=first, tol=5e-11)
    for result in first, again:
        assert result.gap <= result.tolerance


@pytest.mark.parametrize("size", [1e3, 1e6, 1e9])
def test_huber_with_wild_rows(size):
    """Rows beyond the corner count by their sign, however far they are; the mean of y is then far from all others."""
    X, y = random_problem(40, 60, 4)
    y = y / y.std()
    near, far = y.copy(), y.copy()
    near[:5] += 100
    far[:5] += size
    for penalty in (None, L1(0.01), L2(0.1)):
        want, found = (solve(X, each, Huber(0.3), penalty, tol=1e-9) for each in (near, far))
        assert found.status is Status.CONVERGED and found.gap <= found.tolerance
        # what the rounding of y of that size leaves
        np.testing.assert_allclose(found.coef, want.coef, rtol=1e-5, atol=1e-5 + 1e-11 * size)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", ["factors", "constant column"])
def test_free_columns_beside_l2_and_more_columns_than_rows(kind, fit_intercept):
    """Their slopes vanish to rounding, or there is no dual point; a standardised constant column is free, too."""
    rng = np.random.default_rng(4)
    for _ in range(10):
        n = int(rng.integers(2, 9))
        X, y = rng.standard_normal((n, n + 3)), rng.standard_normal(n)
        X[:, 0] = -3.0 if kind == "constant column" else X[:, 0]
        factor = np.r_[0.0, np.ones(n + 2)]
        rest = {"standardize": True} if kind == "constant column" else {"penalty_factor": factor}
        for loss in Huber(0.3), Huber(0.7):
            result = solve(X, y, loss, L2(0.1), tol=1e-10, fit_intercept=fit_intercept, **rest)
            assert result.status is Status.CONVERGED and result.gap <= result.tolerance
            r, sd = np.abs(y - result.predict(X)), X.std(axis=0) if "standardize" in rest else np.sqrt(factor)
            value = np.where(r <= loss.delta, r * r / 2, loss.delta * (r - loss.delta / 2)).mean()
            assert result.objective == pytest.approx(value + 0.05 * ((sd * result.coef) ** 2).sum(), rel=1e-9)


@pytest.mark.parametrize("free", [1, 20, 90])
@pytest.mark.parametrize("loss", [Huber(0.3), "logistic"], ids=str)
def test_the_gradient_vanishes_with_free_columns_beside_many_under_l2(loss, free):
    """As many as 20, and more than there are rows; some of them equal. The gradient is written out here."""
    rng = np.random.default_rng(5)
    n, p = 80, 300
    X, y = rng.integers(-2, 3, (n, p)) * rng.choice([0.01, 1.0], p), rng.standard_t(2, n)
    y, factor = np.sign(y) if loss == "logistic" else y, np.r_[np.zeros(free), rng.uniform(0.5, 2, p - free)]
    X[:, 2] = X[:, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if loss == "logistic" and free > n else "error")  # they separate the classes
        result = solve(X, y, loss, L2(0.2), penalty_factor=factor, tol=1e-10)
    if loss == "logistic" and free > n:
        assert result.status is Status.UNBOUNDED
        return
    assert result.status is Status.CONVERGED
    f = result.predict(X)
    theta = np.clip(y - f, -0.3, 0.3) / n if loss != "logistic" else y / (1 + np.exp(y * f)) / n
    assert abs(theta.sum()) <= 1e-12
    np.testing.assert_allclose(X.T @ theta, 0.2 * factor * result.coef, atol=1e-11)


@pytest.mark.parametrize("loss", [Huber(0.3), "logistic"], ids=str)
def test_columns_that_are_hardly_penalised_beside_free_ones(loss):
    """Standardised, a column far from zero and almost constant has next to no penalty for its size."""
    rng = np.random.default_rng(6)
    X = rng.standard_normal((40, 70)) * 10.0 ** rng.integers(-3, 3, 70) + rng.choice([0, 1e3], 70, p=[0.8, 0.2])
    y = np.sign(rng.standard_normal(40)) if loss == "logistic" else rng.standard_normal(40)
    rest = {"penalty_factor": np.r_[0.0, 0.0, np.ones(68)], "standardize": True, "fit_intercept": False}
    result = quiet_solve(X, y, loss, L2(0.1), tol=1e-6, **rest)  # a condition number of 1e12 leaves no more digits
    f, sd2 = result.predict(X), X.var(axis=0) * rest["penalty_factor"]
    r = np.abs(y - f)
    each = np.where(r <= 0.3, r * r / 2, 0.3 * (r - 0.15)) if loss != "logistic" else np.log1p(np.exp(-y * f))
    assert result.objective == pytest.approx(each.mean() + 0.05 * (sd2 * result.coef**2).sum(), rel=1e-9)


def sums_of(loss, y):
    one = np.ones(1)
    return Sums(loss, L1(1.0), y, np.full(len(y), 1 / len(y)), one, one, -one, one, False)


def test_many_rows_of_the_logistic_loss_are_as_exact_as_one():
    f = np.concatenate([[0.0, 1e-300, 1e-9, 700.0, 1e6], np.geomspace(1e-3, 100, 700)])
    f = np.concatenate([f, -f])
    y = np.where(np.arange(len(f)) % 2, 1.0, -1.0)
    sums, (l, v, h, theta) = sums_of(Logistic(), y), np.empty((4, len(f)))
    with np.errstate(under="ignore"):
        m = (y * f).astype(np.longdouble)
        odds = np.exp(-abs(m))
        value = np.log1p(odds) + np.maximum(-m, 0)
        slope = np.where(m > 0, odds, 1) / (1 + odds)
        bend = odds / (1 + odds) ** 2
    total, _, _, _ = parabola(sums, f, 0.0, np.zeros(len(f)), l, v, h)
    tiny = 1e-300  # odds smaller than that are as good as none
    np.testing.assert_allclose(len(f) * l, value.astype(float), rtol=2e-15, atol=tiny)
    np.testing.assert_allclose(len(f) * v, (y * slope).astype(float), rtol=2e-15, atol=tiny)
    np.testing.assert_allclose(len(f) * h, bend.astype(float), rtol=2e-15, atol=tiny)
    assert dual_point(sums, f, theta) == pytest.approx(total, rel=1e-14)
    np.testing.assert_array_equal(theta, v)


@pytest.mark.parametrize("loss", [Logistic(), Huber(0.5)], ids=str)
def test_rows_that_a_step_sends_over_a_bend_are_stiffened(loss):
    y = np.ones(4)
    f, df = np.array([-7.0, 0.9, 8.0, 1.0]), np.array([600.0, 1e-4, -500.0, 0.0])
    sums, (l, v, h) = sums_of(loss, y), np.empty((3, 4))
    floor = np.zeros(4)
    parabola(sums, f, 0.0, floor, l, v, h)
    stiffen(sums, f, df, l, v, h, floor)
    there = np.array([loss(1.0, x) / 4 for x in f + df])
    expected = 2 * (there - l + v * df)[[0, 2]] / df[[0, 2]] ** 2
    np.testing.assert_allclose(floor[[0, 2]], expected, rtol=1e-12)
    assert (floor[[1, 3]] == 0).all() and (floor[[0, 2]] > 2 * h[[0, 2]]).all()
    parabola(sums, f, 0.0, floor, l, v, h)
    np.testing.assert_array_equal(h[[0, 2]], floor[[0, 2]])


@pytest.mark.parametrize("store", ["F", "C", "csc"])
def test_columns_far_from_their_kinks_are_read_at_the_end_only(monkeypatch, store):
    """Of an X whose columns can be read alone, the way down reads a part of them; the certificate is that of all."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((120, 900))
    y = np.where(X[:, :5].sum(axis=1) + rng.standard_normal(120) > 0, 1.0, -1.0)
    alpha = np.abs(X.T @ y).max() / 240 / 8
    counts = []
    real = smooth.slopes
    monkeypatch.setattr(smooth, "slopes", lambda X, which, v: counts.append(len(which)) or real(X, which, v))
    given = scipy.sparse.csc_array(X) if store == "csc" else np.array(X, order=store)
    result = solve(given, y, Logistic(), L1(alpha), fit_intercept=False, tol=1e-10)
    assert (store == "F") == bool(counts) and max(counts, default=0) < 800
    slope = X.T @ (y / (1 + np.exp(y * (X @ result.coef)))) / 120
    assert np.abs(slope).max() <= alpha * (1 + 1e-5)
    used = result.coef != 0
    assert_allclose(slope[used], alpha * np.sign(result.coef[used]), rtol=1e-5)
    seen = result.certificate()
    assert_allclose(seen.correlation, X.T @ seen.theta, atol=1e-12)  # every column's, none of them old
    assert np.abs(seen.correlation).max() <= alpha * (1 + 1e-9)


def test_how_far_a_dual_point_can_go_towards_another():
    one, u = np.ones(3), np.array([0.5, -0.5, 0.0])
    sums = Sums(Huber(1.0), L1(1.0), one, one, one, one, -np.inf * one, np.array([np.inf, np.inf, 1.0]), False)
    assert sums.reach(u, np.array([0.9, -0.9, 0.0])) == 1
    assert_allclose(sums.reach(u, np.array([1.5, -0.9, 0.0])), 0.5)
    assert_allclose(sums.reach(u, np.array([1.5, -2.5, 0.0])), 0.25)
    assert sums.reach(u, np.array([0.5, -0.5, 9.0])) == 1, "the bound holds that column, not the penalty"
    assert_allclose(sums.reach(u, np.array([0.5, -0.5, -4.0])), 0.25)
    assert sums.reach(np.array([1.0, 0, 0]), np.array([1.1, 0, 0])) == 0


@pytest.mark.parametrize("loss", [Huber(0.5), Logistic()], ids=["huber", "logistic"])
def test_a_dual_point_on_the_way_is_a_bound(loss):
    """The gap of any tolerance is above the true one, and its dual point is feasible by numpy."""
    X, y = random_problem(60, 400, 3)[:2]
    y = np.where(y > np.median(y), 1.0, -1.0) if isinstance(loss, Logistic) else y
    best = solve(X, y, loss, L1(0.03), tol=1e-13).objective
    for tol in (1e-1, 1e-2, 1e-3, 1e-4):
        result = solve(X, y, loss, L1(0.03), tol=tol)
        proof = result.certificate()
        assert np.abs(X.T @ proof.theta).max() <= 0.03 * (1 + 1e-12)
        assert abs(proof.theta.sum()) <= 1e-14
        assert result.objective - best <= result.gap + 1e-14
