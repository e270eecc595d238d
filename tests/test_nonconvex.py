"""MCP, SCAD, Lq and L0: closed forms, brute force over supports, slow descents in numpy, honest answers."""

import itertools
import warnings

import numpy as np
import pytest
import reference
from cells import LAYOUTS

from l1l2fast import L0, L1, MCP, SCAD, ConvergenceWarning, Lq, Status, solve
from l1l2fast.losses import Huber, Logistic, Pinball
from l1l2fast.nonconvex import direction

KINDS = MCP(0.2), MCP(0.2, 1.0), SCAD(0.2), SCAD(0.2, 2.0), Lq(0.1), Lq(0.1, 2 / 3), L0(0.05)
every_kind = pytest.mark.parametrize("penalty", KINDS, ids=repr)
RNG = np.random.default_rng(3)
N, P = 40, 7


def price(penalty, b):
    """pen(b), written out a second time."""
    size, alpha = np.abs(b), penalty.alpha
    if isinstance(penalty, L0):
        return alpha * (size > 0)
    if isinstance(penalty, Lq):
        return alpha * size**penalty.q
    gamma = penalty.gamma
    if isinstance(penalty, MCP):
        return np.where(size <= gamma * alpha, alpha * size - size**2 / (2 * gamma), gamma * alpha**2 / 2)
    middle = (2 * gamma * alpha * size - size**2 - alpha**2) / (2 * (gamma - 1))
    return np.where(size <= alpha, alpha * size, np.where(size <= gamma * alpha, middle, alpha**2 * (gamma + 1) / 2))


def data(seed, n=N, p=P, correlated=0.5, noise=0.5):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    X[:, 1:] += correlated * X[:, :-1]
    b = np.where(np.arange(p) % 3 == 0, rng.choice([-1.0, 1.0], p) * rng.uniform(0.3, 2, p), 0.0)
    return X, X @ b + noise * rng.standard_normal(n) + 1.0


def quiet(*args, **options):
    """A fit that says it is stationary, and does not warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = solve(*args, **options)
    assert result.status is Status.STATIONARY and result.stationarity <= result.tolerance
    assert "no proof" in result.message
    assert result.gap == result.objective - result.dual_objective >= 0
    return result


def objective(pb, penalty, coef, intercept, v, sd=1.0, loss=None):
    """The objective at any point, in numpy; a `loss` object is asked for what the judge does not write out."""
    f = intercept + pb.X @ coef + pb.offset
    if loss is not None:
        return pb.c @ [loss(a, b) for a, b in zip(pb.y, f, strict=True)] + np.sum(
            v * price(penalty, sd * coef), where=v > 0
        )
    r = pb.y - f
    loss = pb.c @ (r * r / 2 if pb.slopes is None else np.where(r > 0, pb.slopes[1] * r, -pb.slopes[0] * r))
    return loss + np.sum(v * price(penalty, sd * coef), where=v > 0)


@every_kind
def test_orthonormal_columns_have_closed_forms(penalty):
    """X'X = n I: each coefficient is the proximal map of its least-squares estimate, found here on a grid."""
    X = np.linalg.qr(RNG.standard_normal((64, 16)))[0] * 8
    y = X @ np.linspace(-1.5, 1.5, 16) + RNG.standard_normal(64)
    z = X.T @ y / 64
    result = quiet(X, y, penalty=penalty, fit_intercept=False, tol=1e-12)
    grid = np.linspace(0, 1, 200_001)
    for b, a in zip(result.coef, z, strict=True):
        best = np.min((grid * a - a) ** 2 / 2 + price(penalty, grid * a))
        assert (b - a) ** 2 / 2 + price(penalty, b) <= best + 1e-15
    if isinstance(penalty, L0):
        assert result.coef == pytest.approx(np.where(np.abs(z) > np.sqrt(2 * penalty.alpha), z, 0), abs=1e-13)
        assert result.gap <= 1e-12  # the Gram matrix is the identity: the bound by its least eigenvalue is exact
    if penalty == MCP(0.2):  # firm thresholding
        firm = np.sign(z) * np.clip((np.abs(z) - 0.2) / (1 - 1 / 3), 0, np.abs(z))
        assert result.coef == pytest.approx(firm, abs=1e-13)
    if penalty == SCAD(0.2):
        a, size = 3.7, np.abs(z)
        late = np.where(size <= a * 0.2, ((a - 1) * size - a * 0.2) / (a - 2), size)
        scad = np.sign(z) * np.where(size <= 0.4, np.maximum(size - 0.2, 0), late)
        assert result.coef == pytest.approx(scad, abs=1e-13)


def best_subset(X, y, alpha):
    """min over all supports, by as many least-squares fits."""
    X, y = X - X.mean(0), y - y.mean()
    best = np.inf
    for size in range(X.shape[1] + 1):
        for support in itertools.combinations(range(X.shape[1]), size):
            part = X[:, support]
            b = np.linalg.lstsq(part, y, rcond=None)[0]
            best = min(best, np.sum((y - part @ b) ** 2) / (2 * len(y)) + alpha * size)
    return best


def test_l0_finds_the_best_subset():
    """Of 20 problems with correlated columns, all: coordinate descent alone finds it less often."""
    for seed in range(20):
        X, y = data(seed, n=30, p=8, correlated=1.5, noise=1.0)
        best = best_subset(X, y, 0.05)
        result = quiet(X, y, penalty=L0(0.05))
        assert result.objective == pytest.approx(best, rel=1e-10)
        assert result.dual_objective <= best * (1 + 1e-12)


def test_l0_with_more_columns_than_rows():
    X, y = data(1, n=12, p=9, noise=0.1)
    wide = np.hstack([X, RNG.standard_normal((12, 5))])
    assert quiet(wide, y, penalty=L0(0.1)).objective == pytest.approx(best_subset(wide, y, 0.1), rel=1e-10)


def slow_descent(X, y, penalty, start):
    """Coordinate descent, the one-dimensional minima by the class's own prox, from a given start."""
    X, y = X - X.mean(0), y - y.mean()
    n, b = len(y), start.copy()
    square = (X * X).sum(0) / n
    for _ in range(2000):
        before = b.copy()
        for j in range(len(b)):
            z = b[j] + X[:, j] @ (y - X @ b) / n / square[j]
            b[j] = penalty.apply_prox(z, 1 / square[j])
        if np.abs(b - before).max() < 1e-13:
            break
    return np.sum((y - X @ b) ** 2) / (2 * n) + price(penalty, b).sum()


@every_kind
def test_not_worse_than_many_starts(penalty):
    for seed in range(3):
        X, y = data(seed, n=25, p=12)
        starts = [np.zeros(12), *np.random.default_rng(seed).normal(0, 1.5, (12, 12))]
        ends = [slow_descent(X, y, penalty, start) for start in starts]
        result = quiet(X, y, penalty=penalty)
        assert result.objective <= np.median(ends) + 1e-12
        assert result.objective <= min(ends) * 1.05
        assert result.dual_objective <= min(ends)


OPTIONS = {
    "plain": {},
    "weights": {"sample_weight": RNG.integers(0, 4, N) * RNG.uniform(0.5, 2, N)},
    "offset": {"offset": 2 * RNG.standard_normal(N)},
    "factors": {"penalty_factor": np.array([0, 1, np.inf, 2.5, 1, 0.3, 1])},
    "bounds": {"lower": np.array([-np.inf, -0.1, -1, 0.01, -2, -np.inf, 0.3]), "upper": 0.7},
    "positive": {"positive": True},
    "no intercept": {"fit_intercept": False},
    "standardize": {"standardize": True},
    "warm start": {"warm_start": np.array([5.0, 0, -3, 0, 1, 1, 0])},
    "all": {
        "sample_weight": RNG.integers(0, 3, N) + 0.5,
        "offset": RNG.standard_normal(N),
        "penalty_factor": np.array([0, 1, np.inf, 2.5, 1, 0.3, 1]),
        "standardize": True,
        "lower": -0.8,
        "upper": 0.5,
    },
}


def check_stationary(X, y, loss, penalty, result, options):
    """No small step along a coefficient or the intercept lowers the objective; and it is what it is said to be."""
    options = {name: value for name, value in options.items() if name != "warm_start"}
    smooth = loss if isinstance(loss, (Huber, Logistic)) else None
    pb = reference.problem(X, y, "squared" if smooth else loss, **options)
    v = np.where(np.isinf(options.get("penalty_factor", np.ones(P))), 0, options.get("penalty_factor", np.ones(P)))
    sd = np.sqrt(pb.c @ (pb.X - pb.c @ pb.X) ** 2) if options.get("standardize") else np.ones(P)

    def at(coef, intercept):
        return objective(pb, penalty, coef, intercept, v, sd, smooth)

    here = at(result.coef, result.intercept)
    assert result.objective == pytest.approx(here, rel=1e-10)
    assert (pb.lower <= result.coef).all() and (result.coef <= pb.upper).all()
    for j, h in itertools.product(range(P), (1e-3, -1e-3, 1e-5, -1e-5)):
        coef = result.coef.copy()
        coef[j] = np.clip(coef[j] + h, pb.lower[j], pb.upper[j])
        assert at(coef, result.intercept) >= here - 1e-11 * (1 + here)
    if pb.intercept:
        assert min(at(result.coef, result.intercept + h) for h in (1e-4, -1e-4)) >= here - 1e-11 * (1 + here)


@pytest.mark.parametrize("option", OPTIONS)
@every_kind
def test_every_option_is_stationary(penalty, option):
    X, y = data(5)
    result = quiet(X, y, penalty=penalty, tol=1e-10, **OPTIONS[option])
    check_stationary(X, y, "squared", penalty, result, OPTIONS[option])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("penalty", [MCP(0.2), L0(0.05)], ids=repr)
def test_every_layout_gives_the_same(penalty, layout):
    X, y = data(6)
    X = np.where(np.abs(X) < 0.7, 0, X).astype(np.float32).astype(float)
    dense, other = quiet(X, y, penalty=penalty), quiet(LAYOUTS[layout](X), y, penalty=penalty)
    assert other.objective == pytest.approx(dense.objective, rel=1e-10)
    assert other.coef == pytest.approx(dense.coef, rel=1e-6, abs=1e-8)


@every_kind
def test_stationarity_is_the_slope_by_finite_differences(penalty):
    """At a point that is not stationary, as an early stop leaves it; coefficients off zero, where there is a slope."""
    X, y = data(7)
    start = np.linspace(0.5, 1.5, P)
    with pytest.warns(ConvergenceWarning, match="stationarity"):
        result = solve(X, y, penalty=penalty, warm_start=start, max_iter=0)
    assert result.status is Status.MAX_ITER and (result.coef == start).all()
    pb = reference.problem(X, y)
    slopes = []
    for step in np.eye(P) * 1e-6:
        ends = [objective(pb, penalty, start + s * step, result.intercept, np.ones(P)) for s in (1, -1)]
        slopes.append(abs(ends[0] - ends[1]) / 2e-6)
    assert result.stationarity == pytest.approx(max(slopes), rel=1e-6)


def test_a_warning_comes_exactly_if_the_tolerance_is_missed():
    X, y = data(8)
    for max_iter, tol in itertools.product((0, 1, 2, 1000), (1e-2, 1e-6, 1e-12)):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            result = solve(X, y, penalty=SCAD(0.1), max_iter=max_iter, tol=tol)
        assert len(seen) == (result.stationarity > result.tolerance)
    assert solve(X, y, penalty=L1(0.1)).stationarity is None


def test_the_limits_are_the_convex_penalties():
    """gamma without end is the lasso, alpha = 0 least squares; and both say that the gap is closed."""
    X, y = data(9)
    lasso, free = solve(X, y, penalty=L1(0.2), tol=1e-12), solve(X, y)
    for penalty in (MCP(0.2, 1e12), SCAD(0.2, 1e12), MCP(0.2, 1e300)):
        result = quiet(X, y, penalty=penalty, tol=1e-12)
        assert result.coef == pytest.approx(lasso.coef, abs=1e-9) and result.gap <= 1e-10
    for penalty in (MCP(0), SCAD(0), Lq(0), L0(0)):
        result = quiet(X, y, penalty=penalty, tol=1e-12)
        assert result.coef == pytest.approx(free.coef, abs=1e-10) and result.gap <= 1e-10


def test_a_loss_that_outweighs_the_penalty_proves_the_optimum():
    """Where X'X / n is larger than 1 / gamma the objective is convex: the bound is the objective."""
    X, y = data(10, n=400, p=6, correlated=0.2)
    assert np.linalg.eigvalsh(np.cov(X.T))[0] > 0.5
    result = quiet(X, y, penalty=MCP(0.3, 4.0), tol=1e-12)
    assert result.gap <= 1e-12
    assert quiet(X, y, penalty=L0(0.01)).gap <= 0.2


@every_kind
@pytest.mark.parametrize("wide", [False, True])
def test_the_bound_holds_between_bounds(penalty, wide):
    """On a box the chord of the penalty is convex; the best point of a fine search is not below the bound."""
    X, y = data(11, n=4 if wide else 20, p=2)
    box = {"lower": -1.0, "upper": 1.5}
    result = quiet(X, y, penalty=penalty, **box)
    axis = np.linspace(-1, 1.5, 251)
    Xc, yc = X - X.mean(0), y - y.mean()
    best = np.inf
    for a in axis:
        r = yc[:, None] - a * Xc[:, :1] - Xc[:, 1:] * axis
        best = min(best, np.min((r * r).mean(0) / 2 + price(penalty, a) + price(penalty, axis)))
    assert 0 < result.dual_objective <= best
    assert result.objective <= best * 1.02


@every_kind
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_bounds_that_zero_is_not_within(penalty, standardize, fit_intercept):
    """No start may leave such a column at zero: the objective is that of the coefficients."""
    rng = np.random.default_rng(8)
    X, y = rng.standard_normal((9, 3)) + 1, rng.standard_normal(9)
    sd = X.std(axis=0) if standardize else np.ones(3)
    for lower, upper in (0.1, 0.1), ([0.1, -np.inf, 0.2], [0.1, np.inf, 0.5]), ([-1.0, -1, -1], [-0.1, -0.1, 3]):
        rest = {"fit_intercept": fit_intercept, "standardize": standardize}
        result = solve(X, y, penalty=penalty, lower=lower, upper=upper, **rest)
        loss = ((y - result.predict(X)) ** 2).mean() / 2
        assert result.objective == pytest.approx(loss + price(penalty, sd * result.coef).sum(), rel=1e-12)
        assert (lower <= result.coef).all() and (result.coef <= upper).all()


def test_columns_of_different_size_and_constant_columns():
    X, y = data(12)
    sizes = np.array([1e-3, 1, 1e3, 1, 1e-2, 1e2, 1])
    plain = quiet(X, y, penalty=MCP(0.2), standardize=True, tol=1e-10)
    scaled = quiet(X * sizes, y, penalty=MCP(0.2), standardize=True, tol=1e-10)
    assert scaled.coef * sizes == pytest.approx(plain.coef, rel=1e-6, abs=1e-9)
    dead = quiet(np.column_stack([X, np.ones(N), X[:, 0]]), y, penalty=L0(0.05))
    assert dead.coef[P] == 0 and (dead.coef[0] == 0 or dead.coef[P + 1] == 0)


def test_wide_data_and_supports():
    """1000 columns: the true support, unshrunk, where the lasso shrinks and lets others in."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal((200, 1000))
    b = np.zeros(1000)
    b[:8] = [3, -2, 2, 1.5, -1.5, 1, -1, 2]
    y = X @ b + 0.3 * rng.standard_normal(200)
    oracle = np.linalg.lstsq(np.column_stack([X[:, :8], np.ones(200)]), y, rcond=None)[0][:8]
    for penalty in (MCP(0.2), SCAD(0.2), L0(0.02), Lq(0.1)):
        result = quiet(X, y, penalty=penalty)
        assert np.flatnonzero(result.coef).tolist() == list(range(8))
        if not isinstance(penalty, Lq):
            assert result.coef[:8] == pytest.approx(oracle, abs=1e-8)
    lasso = solve(X, y, penalty=L1(0.05))
    assert np.count_nonzero(lasso.coef) > 8 and np.abs(lasso.coef[:8] - oracle).max() > 0.03


@pytest.mark.parametrize("loss", ["absolute", Pinball(0.3)], ids=str)
@pytest.mark.parametrize("option", ["plain", "weights", "factors", "positive", "no intercept", "standardize"])
@pytest.mark.parametrize("penalty", [MCP(0.1), SCAD(0.1), Lq(0.05), L0(0.05)], ids=repr)
def test_absolute_loss_is_stationary(penalty, option, loss):
    X, y = data(13)
    result = quiet(X, y, loss, penalty, **OPTIONS[option])
    check_stationary(X, y, loss, penalty, result, OPTIONS[option])


@pytest.mark.parametrize("loss", [Huber(0.5), Logistic()], ids=str)
@pytest.mark.parametrize("option", ["plain", "weights", "factors", "positive", "no intercept", "standardize"])
@pytest.mark.parametrize("penalty", [MCP(0.1), SCAD(0.1), Lq(0.05), L0(0.05)], ids=repr)
def test_smooth_loss_is_stationary(penalty, option, loss):
    X, y = data(13, noise=2.0)
    y = np.where(y > 1, 1, -1) if isinstance(loss, Logistic) else y
    result = quiet(X, y, loss, penalty, tol=1e-6, **OPTIONS[option])
    check_stationary(X, y, loss, penalty, result, OPTIONS[option])


def test_absolute_loss_with_l0_is_the_best_subset():
    """All supports of 5 columns, each by the exact fit of the loss (which other tests hold against HiGHS)."""
    for seed in range(6):
        X, y = data(seed, n=25, p=5)
        best = min(
            solve(X[:, list(s)], y, "absolute").objective + 0.05 * k
            for k in range(6)
            for s in itertools.combinations(range(5), k)
        )
        result = quiet(X, y, "absolute", L0(0.05))
        assert result.objective == pytest.approx(best, rel=1e-9)


def test_absolute_loss_with_mcp_is_a_fixed_point_of_its_tangents():
    """The weighted L1 problem at the answer, solved by HiGHS, is not better than the answer."""
    X, y = data(14)
    result = quiet(X, y, "absolute", MCP(0.15))
    tangent = np.maximum(0.15 - np.abs(result.coef) / 3, 0)
    pb = reference.problem(X, y, "absolute", 1.0, penalty_factor=tangent)
    here = np.abs(y - result.predict(X)).mean() + tangent @ np.abs(result.coef)
    assert here <= reference.solve(pb).objective * (1 + 1e-8)


def test_stopped_from_outside():
    X, y = data(15)
    seen = []
    with pytest.warns(ConvergenceWarning):
        result = solve(X, y, penalty=MCP(0.1), callback=lambda progress: seen.append(progress) or True, tol=0)
    assert result.status is Status.STOPPED and len(seen) == 1


def test_what_needs_a_convex_penalty_says_so():
    X, y = data(16)
    result = solve(X, y, penalty=MCP(0.2))
    with pytest.raises(ValueError, match="convex"):
        result.solution_set()
    with pytest.raises(ValueError, match="gamma"):
        solve(X, y, penalty=MCP(0.2, 0.5))
    with pytest.raises(ValueError, match="q"):
        solve(X, y, penalty=Lq(0.2, 1.5))
    assert len(result.leverage().hat) == N


@pytest.mark.parametrize("penalty", [MCP(0.1), SCAD(0.1)], ids=repr)
def test_a_loose_tolerance_is_kept_and_costs_less(penalty):
    X, y = data(8, 60, 300)
    loose, close = quiet(X, y, "squared", penalty, tol=1e-3), quiet(X, y, "squared", penalty, tol=1e-10)
    assert loose.n_iter < close.n_iter and loose.n_passes <= close.n_passes
    assert abs(loose.objective - close.objective) < 0.05 * close.objective


def test_negative_curvature_is_found_where_the_factorisation_stops():
    rng = np.random.default_rng(9)
    A = rng.standard_normal((30, 30))
    second = -np.linspace(0, 12, 30)
    H, slope = A @ A.T / 30, rng.standard_normal(30)
    b = rng.standard_normal(30)
    step, whole = direction(H, slope, second, b)
    assert not whole and step @ (H + np.diag(second)) @ step < 0 and step @ slope >= 0
    assert abs(step).max() == pytest.approx(abs(b).max())
    step, whole = direction(H + 20 * np.eye(30), slope, second, b)
    np.testing.assert_allclose((H + np.diag(20 + second)) @ step, slope)
    assert whole
    # no curvature along a direction that the slope does not know either: the least step
    flat = H - np.outer(H[:, 0], H[0]) / H[0, 0]
    step, whole = direction(flat, flat @ slope, np.zeros(30), b)
    np.testing.assert_allclose(flat @ step, flat @ slope, atol=1e-8)
    assert whole
