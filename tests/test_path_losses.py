"""path() for the losses other than the squared one, and for ridge: against other people's solvers, and `solve`."""

import pickle
import warnings

import numpy as np
import pytest
import reference
from cells import EPS, LAYOUTS, judge_noise, rounding_of_y, snapshot
from data import random_problem
from sklearn.linear_model import LogisticRegression, QuantileRegressor, Ridge

from l1l2fast import L1L2, Huber, Logistic, Pinball, path, ridge_path, solve

SHAPES = [(60, 8), (30, 12), (20, 30)]
LOSSES = ["absolute", Pinball(0.8)]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=str)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
K = 6


def quiet_path(*args, **options):
    """`path` that must certify everything, and not warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = path(*args, **options)
    assert (result.gap <= result.tolerance).all()
    return result


def tied(seed, n, p):
    """Small integers: many residuals are exactly zero wherever the fit is simple."""
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, (n, p)).astype(float)
    return X, X[:, 0] + rng.integers(-1, 2, n)


def options_of(name, n, p):
    """Keyword arguments, by the name of a case."""
    rng = np.random.default_rng(1)
    return {
        "plain": {},
        "elastic net": {"l1_ratio": 0.5},
        "L2": {"l1_ratio": 0.0},
        "weights": {"sample_weight": np.where(rng.random(n) < 0.2, 0, rng.random(n))},
        "offset": {"offset": rng.standard_normal(n)},
        "no intercept": {"fit_intercept": False},
        "factors": {"penalty_factor": np.r_[0, np.inf, rng.random(p - 3), 0]},
        "bounds": {"lower": -0.3, "upper": 0.5},
        "bounds without 0": {"lower": 0.01, "upper": 0.5},
        "positive": {"positive": True},
        "standardize": {"standardize": True},
    }[name]


CASES = ["plain", "elastic net", "L2", "weights", "offset", "no intercept", "factors", "bounds", "bounds without 0"]
CASES += ["positive", "standardize"]


@pytest.mark.parametrize("layout", ["C", "csc"])
@pytest.mark.parametrize("case", CASES)
@every_shape
def test_absolute_against_the_judge(shape, case, layout):
    X, y = random_problem(3, *shape, sparse=layout == "csc")
    options = options_of(case, *shape)
    l1_ratio = options.get("l1_ratio", 1.0)
    stored = LAYOUTS[layout](X)
    before = snapshot(stored)
    result = quiet_path(stored, y, "absolute", n_alphas=K, tol=1e-10, **options)
    assert snapshot(stored) == before
    options.pop("l1_ratio", None)
    for alpha, b0, b, objective, gap in zip(
        result.alphas, result.intercept, result.coef.T, result.objective, result.gap, strict=True
    ):
        pb = reference.problem(X, y, "absolute", alpha * l1_ratio, alpha * (1 - l1_ratio), **options)
        best, null = reference.solve(pb).objective, reference.null_objective(pb)
        noise = 64 * EPS * (null + rounding_of_y(pb))
        here = reference.objective(pb, b0, b)
        assert abs(here - objective) <= noise
        assert here - best <= gap + noise, "the gap is not a bound"
        assert here >= best - 1e-12 * null - judge_noise(pb), "better than the judge: one of the two is wrong"
        assert np.all(pb.lower <= b) and np.all(b <= pb.upper)


@pytest.mark.parametrize("make", [random_problem, tied])
@pytest.mark.parametrize("quantile", [0.2, 0.5])
def test_pinball_against_scikit_learn(quantile, make):
    X, y = make(4, 40, 6)
    result = quiet_path(X, y, Pinball(quantile), n_alphas=K, eps=0.01)
    for k, alpha in enumerate(result.alphas):
        theirs = QuantileRegressor(quantile=quantile, alpha=alpha).fit(X, y)
        r = y - theirs.predict(X)
        best = np.mean(np.maximum(quantile * r, (quantile - 1) * r)) + alpha * abs(theirs.coef_).sum()
        assert result.objective[k] == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("make", [random_problem, tied])
@pytest.mark.parametrize(
    "case", ["plain", "elastic net", "weights", "no intercept", "factors", "positive", "standardize"]
)
@every_loss
@every_shape
def test_the_grid_begins_where_the_first_column_comes_in(shape, loss, case, make):
    """At the first alpha all penalised coefficients are zero, and a thousandth below it they are not."""
    X, y = make(5, *shape)
    options = options_of(case, *shape)
    result = quiet_path(X, y, loss, n_alphas=3, **options)
    penalised = np.isfinite(options.get("penalty_factor", np.ones(shape[1])))
    penalised &= np.asarray(options.get("penalty_factor", np.ones(shape[1]))) > 0
    assert not result.coef[penalised, 0].any()
    below = quiet_path(X, y, loss, alphas=[0.999 * result.alphas[0]], **options)
    assert below.objective[0] < result.objective[0] * (1 - 1e-9)


@every_loss
@every_shape
def test_against_solve_one_by_one(shape, loss):
    X, y = random_problem(6, *shape)
    for l1_ratio in (1.0, 0.3, 0.0):
        result = quiet_path(X, y, loss, l1_ratio=l1_ratio, n_alphas=8, tol=1e-10)
        assert len(result.objective) == 8 and (np.diff(result.alphas) < 0).all()
        for alpha, objective in zip(result.alphas, result.objective, strict=True):
            alone = solve(X, y, loss, L1L2(alpha * l1_ratio, alpha * (1 - l1_ratio)), tol=1e-10)
            assert objective == pytest.approx(alone.objective, rel=1e-9)


def labelled(seed, n, p):
    X, y = random_problem(seed, n, p)
    noise = np.random.default_rng(seed).standard_normal(n)
    return X, np.where(y - y.mean() + y.std() * noise > 0, 1.0, -1.0)


@pytest.mark.parametrize(
    "case", ["plain", "elastic net", "L2", "weights", "offset", "factors", "positive", "standardize"]
)
@pytest.mark.parametrize("loss", [Huber(0.7), Logistic()], ids=str)
def test_smooth_losses_against_solve(loss, case):
    X, y = labelled(12, 60, 8) if loss == Logistic() else random_problem(12, 60, 8)
    options = options_of(case, 60, 8)
    result = quiet_path(X, y, loss, n_alphas=5, eps=0.05, tol=1e-9, **options)
    l1_ratio = options.pop("l1_ratio", 1.0)
    for alpha, objective in zip(result.alphas, result.objective, strict=True):
        alone = solve(X, y, loss, L1L2(alpha * l1_ratio, alpha * (1 - l1_ratio)), tol=1e-9, **options)
        assert objective == pytest.approx(alone.objective, abs=2 * result.tolerance)
    if l1_ratio:
        penalised = np.asarray(options.get("penalty_factor", np.ones(8))) > 0
        assert not result.coef[penalised, 0].any()
        options["l1_ratio"] = l1_ratio
        assert quiet_path(X, y, loss, alphas=[0.98 * result.alphas[0]], tol=1e-12, **options).coef[penalised].any()


def test_logistic_against_scikit_learn():
    X, y = labelled(13, 80, 5)
    result = quiet_path(X, y, Logistic(), n_alphas=4, eps=0.1, tol=1e-12)
    for k, alpha in enumerate(result.alphas[1:], 1):
        model = LogisticRegression(C=1 / (80 * alpha), l1_ratio=1, solver="saga", tol=1e-9, max_iter=100_000)
        np.testing.assert_allclose(result.coef[:, k], model.fit(X, y).coef_[0], atol=1e-4)


@every_loss
def test_alphas_in_any_order_far_above_and_zero(loss):
    X, y = random_problem(7, 50, 5)
    result = quiet_path(X, y, loss, alphas=[0.0, 1e6, 0.1])
    np.testing.assert_array_equal(result.alphas, [1e6, 0.1, 0.0])
    assert not result.coef[:, 0].any()
    assert result.objective[2] == pytest.approx(solve(X, y, loss).objective, rel=1e-9)


@every_loss
def test_constant_y_and_no_columns(loss):
    X, _ = random_problem(8, 20, 4)
    assert not quiet_path(X, np.full(20, 3.0), loss, n_alphas=3).coef.any()
    assert quiet_path(X[:, :0], np.arange(20.0), loss, n_alphas=3).coef.shape == (0, 3)


@pytest.mark.parametrize("loss", ["squared", *LOSSES], ids=str)
def test_without_L1_the_grid_begins_where_little_is_gained(loss):
    X, y = random_problem(9, 80, 6)
    result = quiet_path(X, y, loss, l1_ratio=0)
    bound = 0.5 if loss == "squared" else 0.98999  # the squared loss has the grid of ridge_path
    assert bound * quiet_path(X, y, loss, l1_ratio=0, alphas=1e9).objective[0] <= result.objective[0]
    assert result.objective[-1] == pytest.approx(solve(X, y, loss).objective, rel=1e-2)


@pytest.mark.parametrize("shape", [(60, 8), (20, 40)])
def test_ridge(shape):
    X, y = random_problem(10, *shape)
    result, other = quiet_path(X, y, l1_ratio=0), ridge_path(X, y)
    np.testing.assert_array_equal(result.alphas, other.alphas)
    np.testing.assert_array_equal(result.coef, other.coef)
    np.testing.assert_allclose(result.intercept, other.intercept, rtol=1e-14)
    theirs = Ridge(result.alphas[50] * len(y)).fit(X, y)
    np.testing.assert_allclose(result.coef[:, 50], theirs.coef_, rtol=1e-6)
    bounded = quiet_path(X, y, l1_ratio=0, positive=True, n_alphas=3)
    alone = solve(X, y, penalty="l2", alpha=bounded.alphas[2], positive=True)
    np.testing.assert_allclose(bounded.coef[:, 2], alone.coef, atol=1e-4)


def test_pickled_it_leaves_the_data_behind():
    X, y = random_problem(11, 2000, 5)
    result = quiet_path(X, y, n_alphas=4)
    text = pickle.dumps(result)
    assert len(text) < 4000
    np.testing.assert_array_equal(pickle.loads(text).coef, result.coef)


@pytest.mark.parametrize("loss", [Huber(0.5), Logistic()], ids=["huber", "logistic"])
def test_an_alpha_goes_on_from_the_one_before(loss):
    """What certifies an answer at a larger alpha is not read again, and the answers are those of `solve`."""
    X, y = random_problem(4, 50, 300)
    y = np.where(y > np.median(y), 1.0, -1.0) if isinstance(loss, Logistic) else y
    result = quiet_path(X, y, loss, n_alphas=25, tol=1e-7)
    twice = quiet_path(X, y, loss, alphas=np.repeat(result.alphas, 2), tol=1e-7)
    assert twice.n_passes <= result.n_passes, "the same alpha again needs no pass"
    for k in (5, 15, 24):
        single = solve(X, y, loss, L1L2(result.alphas[k], 0.0), tol=1e-12)
        assert abs(result.objective[k] - single.objective) <= result.gap[k] + 1e-14
