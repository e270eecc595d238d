"""Samples, bands and the two methods by name: whatever leads there, the end is the exact vertex of all rows."""

import numpy as np
import pytest
import reference
import scipy.sparse as sp

from l1l2fast import L1, L2, Status, _validate, absolute, narrowing, solve
from l1l2fast._interior import interior
from l1l2fast._narrow import narrow
from l1l2fast.losses import Pinball

LOSSES = pytest.mark.parametrize("loss", ["absolute", Pinball(0.9)], ids=str)


def heavy(n, p, seed=0):
    """Normal X, an answer in all columns, noise with two degrees of freedom."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X @ rng.standard_normal(p) + 3 + rng.standard_t(2, n)


def tied(n=5000, p=8, seed=1):
    """Small integers, each row about twice."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 4, (n // 2, p)).astype(float)
    y = X @ rng.integers(-2, 3, p) + rng.integers(-3, 4, n // 2)
    again = rng.integers(n // 2, size=n)
    return X[again], y[again].astype(float)


def assert_vertex(X, y, loss, result, **options):
    """The gap is rounding, as many residuals as coefficients are zero, and numpy alone confirms the certificate."""
    assert result.status is Status.CONVERGED
    assert result.gap <= 1e-12 * result.objective
    r = y - result.predict(X)
    assert np.count_nonzero(np.abs(r) <= 1e-11 * np.abs(y).max()) >= X.shape[1] + 1
    reference.check_certificate(reference.problem(X, y, loss, **options), result)


@LOSSES
@pytest.mark.parametrize(
    "n, p, passes", [(10_000, 10, 6), (30_000, 20, 6), (4000, 150, 6), (400, 100, 2), (200_000, 3, 6)], ids=str
)
def test_the_vertex_of_all_rows(n, p, passes, loss):
    X, y = heavy(n, p)
    result = solve(X, y, loss)
    assert_vertex(X, y, loss, result)
    assert result.n_passes <= passes


@LOSSES
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [1e-4, 1.0])
@pytest.mark.parametrize("n, p", [(10_000, 10), (2000, 60)], ids=str)
def test_with_curvature_few_rows_decide_too(n, p, alpha, fit_intercept, loss):
    """Samples and bands end where reweighting all rows does, in a few passes, and numpy alone confirms it."""
    X, y = heavy(n, p)
    options = {"fit_intercept": fit_intercept, "sample_weight": 1 + np.arange(n) % 3}
    result = solve(X, y, loss, L2(alpha), **options)
    slow = solve(X, y, loss, L2(alpha), method="irls", **options)
    assert result.status is Status.CONVERGED and result.unique
    assert result.gap <= 1e-12 * result.objective and result.n_passes <= 6 < slow.n_passes
    assert result.objective == pytest.approx(slow.objective, rel=1e-12)
    reference.check_certificate(reference.problem(X, y, loss, 0, alpha, **options), result)


@LOSSES
def test_ties_and_duplicated_rows(loss):
    X, y = tied()
    result = solve(X, y, loss)
    assert_vertex(X, y, loss, result)
    assert result.n_passes <= 7  # rows that tie are not taken for rows that changed side
    assert result.unique and result.n_iter < 50  # the smoothed fit says which vertex it is: no pivots


@LOSSES
@pytest.mark.parametrize("seed", [3, 4])
def test_ties_near_the_ends_of_their_boxes(seed, loss):
    """The smoothed fit leaves them little room, and other zero residuals were dropped on the way: still no pivots."""
    X, y = tied(seed=seed)
    result = solve(X, y, loss)
    assert_vertex(X, y, loss, result)
    assert result.unique and result.n_iter < 50


@LOSSES
def test_ties_that_leave_a_choice(loss):
    """Two values of X, integer responses: the optima are an interval, and the smoothed fit lies inside of it."""
    x = np.repeat([0.0, 1.0], 6000)
    y = np.tile(np.arange(4.0 if loss == "absolute" else 10.0), 3000)[:12_000]
    result = solve(x[:, None], y, loss)
    assert result.status is Status.CONVERGED and result.unique is False
    assert result.gap <= 1e-12 * result.objective
    reference.check_certificate(reference.problem(x[:, None], y, loss), result)


def dummies(seed, n=6000):
    """Rare zeros and ones, responses rounded to integers."""
    rng = np.random.default_rng(seed)
    X = (rng.integers(0, 4, (n, 6)) == 0).astype(float)
    return X, np.round(X @ rng.standard_normal(6) * 2 + rng.standard_t(3, n))


@pytest.mark.parametrize("loss", ["absolute", Pinball(0.9), Pinball(0.1)], ids=str)
@pytest.mark.parametrize("seed", range(1, 6))
def test_ties_whose_hessian_is_singular(seed, loss):
    """So few values of r are near zero that the rows there do not span all columns."""
    X, y = dummies(seed)
    assert_vertex(X, y, loss, solve(X, y, loss))


@pytest.mark.parametrize("quantile", [0.5, 0.25])
def test_a_band_without_rows(quantile):
    """Nine zeros to a one, and a penalty that moves the fit a little off all of them."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((4000, 3)), (rng.random(4000) > 0.9).astype(float)
    result = solve(X, y, Pinball(quantile), L2(1e-6))
    assert result.gap <= 1e-12 * result.objective
    reference.check_certificate(reference.problem(X, y, Pinball(quantile), 0, 1e-6), result)


def balanced(seed):
    """Every row of a factorial design about as often with each of a few responses; an even number of times, or any."""
    rng = np.random.default_rng(seed)
    p, levels = rng.integers(1, 5), rng.integers(2, 5)
    cells = np.unique(rng.integers(0, 3, (40, p)), axis=0)
    X = np.repeat(cells, levels, axis=0).astype(float)
    y = np.tile(np.arange(levels), len(cells)) + X @ rng.integers(-2, 3, p)
    each = 12_000 // len(X) // 2 * 2
    return X, y, each + (rng.integers(0, 3, len(X)) if seed % 2 else 0 * y).astype(int)


@pytest.mark.parametrize("loss", ["absolute", Pinball(0.25)], ids=str)
@pytest.mark.parametrize("seed", range(10))
def test_ties_outside_of_the_band_count_for_uniqueness(seed, loss):
    """Rows repeated, and each once with its count for a weight, where all of them are in the small problem."""
    X, y, count = balanced(seed)
    order = np.random.default_rng(seed).permutation(count.sum())
    once = solve(X, y, loss, sample_weight=count)
    result = solve(np.repeat(X, count, axis=0)[order], np.repeat(y, count)[order], loss)
    assert result.objective == pytest.approx(once.objective, rel=1e-12)
    assert result.unique == once.unique == once.solution_set().unique


def test_a_zero_residual_outside_of_the_band_holds_the_median():
    """Medians of three zeros among five larger and four smaller ones, of which the band has one zero, at a bound."""
    y = np.r_[0, 0, 0, np.arange(1.0, 6), -np.arange(1.0, 5)]
    rest = [None] * 5 + [True] + [None] * 3 + [False, False, None, 0.0, 9, None]
    problem = _validate.problem(np.empty((12, 0)), y, "absolute", *rest)
    lines = absolute.Lines(problem, 5.0, 12)
    before = problem.y - problem.y[0] + np.r_[0, 0.1, -0.1, np.zeros(9)]
    band, b, psi, _ = lines.solve(np.array([0]), np.array([0.0]), before)
    theta = lines.look.judge(b, psi, band, before)
    assert abs(psi[0]) == 1 and np.count_nonzero(lines.look.r == 0) == 3
    assert lines.unique(band, lines.look.r, b, psi, theta)


@LOSSES
@pytest.mark.parametrize("layout", ["C", "F", "float32", "csc"])
def test_layouts_agree(layout, loss):
    X, y = heavy(6000, 5)
    X = X.astype(np.float32)
    X[np.abs(X) < 0.5] = 0
    judged = solve(X.astype(float), y, loss)
    made = {"C": lambda X: X.astype(float), "F": lambda X: np.asfortranarray(X, dtype=float), "csc": sp.csc_array}
    result = solve(made.get(layout, np.asfortranarray)(X), y, loss)
    assert result.gap <= 1e-12 * result.objective
    assert result.objective == pytest.approx(judged.objective, rel=1e-12)
    np.testing.assert_allclose(result.coef, judged.coef, rtol=1e-9)


@LOSSES
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_weights_offset_and_order_of_rows(fit_intercept, loss):
    X, y = heavy(8000, 4)
    order = np.argsort(y)  # samples must not follow it
    rng = np.random.default_rng(2)
    options = {
        "sample_weight": rng.integers(0, 3, 8000) * rng.uniform(0.5, 2, 8000),
        "offset": rng.standard_normal(8000),
        "fit_intercept": fit_intercept,
    }
    result = solve(X, y, loss, tol=1e-12, **options)
    pb = reference.problem(X, y, loss, **options)
    reference.check_certificate(pb, result)
    options = {name: value[order] if np.ndim(value) else value for name, value in options.items()}
    sorted_ = solve(X[order], y[order], loss, tol=1e-12, **options)
    assert sorted_.objective == pytest.approx(result.objective, rel=1e-12)
    np.testing.assert_allclose(sorted_.coef, result.coef, rtol=1e-9)


@LOSSES
def test_rare_columns(loss):
    """No sample sees the one row of a column, nor need the band."""
    X, y = heavy(20_000, 4)
    X[:, 3] = 0
    X[777, 3] = 1
    result = solve(X, y, loss)
    assert result.gap <= 1e-12 * result.objective
    assert abs(y[777] - result.predict(X[777:778])[0]) < 1e-9


@LOSSES
def test_dependent_columns(loss):
    X, y = heavy(12_000, 4)
    X = np.column_stack([X, X[:, 0] + X[:, 1], np.ones(12_000)])
    result = solve(X, y, loss)
    assert result.gap <= 1e-12 * result.objective
    assert result.unique is False
    assert result.objective == pytest.approx(solve(X[:, :4], y, loss).objective, rel=1e-12)
    assert result.coef[4] == pytest.approx(result.coef[0] + result.coef[1])  # the shortest


@LOSSES
@pytest.mark.parametrize("method", ["irls", "interior"])
@pytest.mark.parametrize("n, p", [(8, 2), (60, 5), (4000, 8), (500, 120)])
def test_methods_by_name_end_on_the_same_vertex(n, p, method, loss):
    X, y = heavy(n, p)
    plain, named = solve(X, y, loss), solve(X, y, loss, method=method)
    assert named.gap <= 1e-12 * max(named.objective, 1e-3)
    assert named.objective == pytest.approx(plain.objective, rel=1e-12, abs=1e-15)
    if plain.unique:
        np.testing.assert_allclose(named.coef, plain.coef, rtol=1e-8, atol=1e-10)


def test_irls_with_every_penalty():
    X, y = heavy(60, 5)
    for penalty in (L1(0.1), L2(0.1)):
        plain, named = (solve(X, y, "absolute", penalty, tol=1e-12, method=m) for m in (None, "irls"))
        assert named.objective == pytest.approx(plain.objective, rel=1e-11)


@pytest.mark.parametrize(
    "method, loss, options, text",
    [
        ("simplex", "absolute", {}, "method must be None or one of"),
        (3, "absolute", {}, "method must be"),
        ("irls", "squared", {}, "absolute and the pinball"),
        ("interior", "absolute", {"penalty": L1(0.1)}, "without penalty and bounds"),
        ("interior", "absolute", {"positive": True}, "without penalty and bounds"),
    ],
)
def test_methods_that_do_not_apply(method, loss, options, text):
    X, y = heavy(20, 3)
    with pytest.raises(ValueError, match=text):
        solve(X, y, loss, method=method, **options)


def part(n, p, tau, c=0.0):
    X, y = heavy(n, p)
    return np.ascontiguousarray(X.T), y, np.full(n, 1 - tau), np.full(n, tau), np.full(p, c)


@pytest.mark.parametrize("tau", [0.5, 0.1])
def test_the_smoothed_minimum(tau):
    """Its psi is the derivative of the smoothed loss, and balances; b is as good as `gam` says."""
    Z, y, left, right, c = part(500, 4, tau, c=2.0)
    b, psi, r = np.zeros(4), np.empty(500), np.empty(500)
    status, newtons, gam = narrow(Z, y, left, right, c, np.zeros(4), b, psi, r, 0.0, 60)
    assert status == 0 and newtons > 0
    np.testing.assert_allclose(r, y - b @ Z, atol=1e-12)
    np.testing.assert_allclose(psi, np.clip(tau - 0.5 + r / gam, tau - 1, tau), atol=1e-12)
    assert np.count_nonzero(np.abs(r) < gam / 2) <= 70
    assert np.abs(Z @ psi - c).max() < 2  # of sums of 500 numbers: the last step is not to be too exact


def test_a_pull_that_no_row_holds():
    Z, y, left, right, c = part(50, 3, 0.5, c=1e4)
    b, psi, r = np.zeros(3), np.empty(50), np.empty(50)
    assert narrow(Z, y, left, right, c, np.zeros(3), b, psi, r, 0.0, 10)[0] == 2


@pytest.mark.parametrize("tau", [0.5, 0.9])
@pytest.mark.parametrize("gam", [30.0, 3.0])
def test_the_interior_point(tau, gam):
    from scipy.optimize import linprog

    Z, y, left, right, c = part(300, 6, tau, c=1.0)
    b, psi, r = np.zeros(6), np.empty(300), np.empty(300)
    status, steps = interior(Z, y, left, right, c, b, psi, r, gam, 1e-9, 60)
    assert status == 0 and steps < 40
    assert np.all(-left < psi) and np.all(psi < right)
    assert np.abs(Z @ psi - c).max() < 1e-6
    judge = linprog(-y, A_eq=Z, b_eq=c, bounds=np.column_stack([-left, right]), method="highs")
    value = np.maximum(right * r, -left * r).sum() + c @ b
    assert value == pytest.approx(-judge.fun, rel=1e-7)


@pytest.mark.parametrize("size", [1e-25, 1.0, 1e25])
@pytest.mark.parametrize("alike", [1.0, 1e-4])
def test_the_interior_point_beyond_single_precision(alike, size):
    """Products that overflow or underflow there, and columns that are the same there, are left to double."""
    from scipy.optimize import linprog

    Z, y, left, right, c = part(300, 6, 0.3, c=1.0)
    Z[1] = Z[0] + alike * Z[1]
    b, psi, r = np.zeros(6), np.empty(300), np.empty(300)
    status, _ = interior(size * Z, y, left, right, size * c, b, psi, r, 3.0, 1e-8, 60)
    assert status == 0
    judge = linprog(-y, A_eq=Z, b_eq=c, bounds=np.column_stack([-left, right]), method="highs")
    value = np.maximum(right * r, -left * r).sum() + size * (c @ b)
    assert value == pytest.approx(-judge.fun, rel=1e-6)


def test_sizes_of_samples():
    for n, k in ((10**4, 11), (10**6, 11), (10**5, 201), (10**9, 3)):
        sizes = narrowing.samples(n, k)
        assert sizes == sorted(sizes) and 3 * sizes[-1] <= n
        assert all(2 * k < m for m in sizes)
    assert narrowing.samples(2000, 501) == []


@pytest.mark.parametrize("n", [1, 7, 8, 255, 256, 257, 1003])
@pytest.mark.parametrize("h", [0.0, 0.5, np.inf])
def test_rows_near(n, h):
    """|r| <= h, the bound included, none of weight 0 and none twice, in blocks and what is left over from them."""
    rng = np.random.default_rng(n)
    r, weight = rng.integers(-3, 4, n) / 4, rng.integers(0, 3, n).astype(float)
    weight[0] = 1.0
    rest = None, None, None, weight, None, True, *[None] * 3, False, False, None, 1e-8, 100, None
    problem = _validate.problem(np.empty((n, 0)), r, "absolute", *rest)
    found = absolute.Lines(problem, 1.0, np.count_nonzero(weight)).look.near(r, h)
    assert found.tolist() == np.flatnonzero((np.abs(r) <= h) & (weight > 0)).tolist()
