"""cross_validate against scikit-learn's cross-validation, and against loops that anyone would write."""

import os
import signal
import sys
import threading
import warnings

import numpy as np
import pytest
from cells import LAYOUTS, snapshot
from data import load, random_problem
from sklearn import linear_model, metrics, model_selection

from l1l2fast import (
    L1L2,
    CVResult,
    Huber,
    Interrupted,
    Logistic,
    Pinball,
    cross_validate,
    cross_validation,
    path,
    solve,
)

LOSSES = ["squared", "absolute", Pinball(0.8)]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=str)


def quiet(*args, **options):
    """`cross_validate` that must not warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return cross_validate(*args, **options)


def mean_loss(loss, y, f, w):
    """The default score, in numpy."""
    r = y - f
    if loss == "squared":
        return np.average(r**2, weights=w)
    quantile = loss.quantile if isinstance(loss, Pinball) else 0.5
    return np.average(np.maximum(quantile * r, (quantile - 1) * r), weights=w) * (2 if loss == "absolute" else 1)


def by_hand(X, y, loss, alphas, pairs, l1_ratio, w, offset, **options):
    """Copies of the rows, one `solve` for each alpha and fold, and the mean loss."""
    table = np.empty((len(alphas), len(pairs)))
    for f, (train, test) in enumerate(pairs):
        for k, alpha in enumerate(alphas):
            penalty = L1L2(alpha * l1_ratio, alpha * (1 - l1_ratio))
            rows = {"sample_weight": w[train], "offset": offset[train]}
            one = solve(X[train], y[train], loss, penalty, tol=1e-13, **rows, **options)
            table[k, f] = mean_loss(loss, y[test], one.predict(X[test]) + offset[test], w[test])
    return table


@pytest.mark.parametrize("l1_ratio", [1.0, 0.4, 0.0])
@every_loss
def test_against_a_loop(loss, l1_ratio):
    X, y = random_problem(1, 40, 6)
    rng = np.random.default_rng(2)
    w, offset = rng.random(40) + 0.1, rng.standard_normal(40)
    pairs = list(model_selection.KFold(4).split(X))
    options = {"standardize": True, "lower": -1.0}
    found = quiet(X, y, loss, l1_ratio=l1_ratio, cv=4, n_alphas=6, tol=1e-12, sample_weight=w, offset=offset, **options)
    want = by_hand(X, y, loss, found.alphas, pairs, l1_ratio, w, offset, **options)
    np.testing.assert_allclose(found.scores, want, rtol=1e-5)
    np.testing.assert_allclose(found.mean, want.mean(1), rtol=1e-5)
    np.testing.assert_allclose(found.std_error, want.std(1, ddof=1) / 2, rtol=1e-3)


@pytest.mark.parametrize("loss", [Huber(0.7), Logistic()], ids=str)
def test_smooth_losses_against_a_loop(loss):
    X, y = random_problem(16, 60, 4)
    rng = np.random.default_rng(3)
    w, offset = rng.random(60) + 0.1, rng.standard_normal(60)
    y = np.where(y - y.mean() + y.std() * rng.standard_normal(60) > 0, 1.0, -1.0) if loss == Logistic() else y
    found = quiet(X, y, loss, cv=3, n_alphas=4, eps=0.05, tol=1e-11, sample_weight=w, offset=offset)
    for f, (train, test) in enumerate(model_selection.KFold(3).split(X)):
        for k, alpha in enumerate(found.alphas):
            rows = {"sample_weight": w[train], "offset": offset[train]}
            one = solve(X[train], y[train], loss, "l1", alpha=alpha, tol=1e-12, **rows)
            fit = one.predict(X[test]) + offset[test]
            each = [2 * loss(*pair) for pair in zip(y[test], fit, strict=True)]
            assert found.scores[k, f] == pytest.approx(np.average(each, weights=w[test]), rel=1e-4)
    assert np.isfinite(found.path.criterion("bic")).all()
    np.testing.assert_allclose(found.path.df, (found.path.coef != 0).sum(0) + 1)


@pytest.mark.parametrize("layout", ["C", "F", "csc", "csr"])
@pytest.mark.parametrize("shape", [(60, 10), (30, 50), (200, 4)])
def test_against_LassoCV(shape, layout):
    X, y = random_problem(3, *shape, sparse=layout[0] == "c")
    stored = LAYOUTS[layout](X)
    before = snapshot(stored)
    found = quiet(stored, y, n_alphas=20, eps=1e-2, tol=1e-13)
    assert snapshot(stored) == before
    theirs = linear_model.LassoCV(alphas=20, eps=1e-2, tol=1e-12, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(found.alphas, theirs.alphas_, rtol=1e-10)
    np.testing.assert_allclose(found.scores, theirs.mse_path_, rtol=1e-5)
    assert found.best_alpha == pytest.approx(theirs.alpha_, rel=1e-10)
    np.testing.assert_allclose(found.best.coef, theirs.coef_, atol=1e-6 * abs(theirs.coef_).max())


def test_against_cross_val_score():
    X, y = random_problem(4, 50, 5)
    names = {"mae": "absolute_error", "median_ae": "median_absolute_error", "rmse": "root_mean_squared_error"}
    names["mae"] = "mean_absolute_error"
    for scoring, name in names.items():
        found = quiet(X, y, Pinball(0.4), n_alphas=4, eps=0.01, cv=3, scoring=scoring)
        assert found.scoring == scoring
        for k, alpha in enumerate(found.alphas[1:], 1):
            model = linear_model.QuantileRegressor(quantile=0.4, alpha=alpha)
            want = -model_selection.cross_val_score(model, X, y, cv=3, scoring=f"neg_{name}")
            np.testing.assert_allclose(found.scores[k], want, rtol=1e-6)


def test_weights_in_the_score():
    X, y = random_problem(5, 40, 3)
    w = np.random.default_rng(0).integers(0, 3, 40).astype(float)
    repeated = np.repeat(np.arange(40), w.astype(int))
    fold = np.arange(40) % 4
    pairs = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(4)]
    again = [(np.flatnonzero(fold[repeated] != k), np.flatnonzero(fold[repeated] == k)) for k in range(4)]
    for scoring in ("deviance", "mse", "mae", "rmse", "median_ae"):
        one = quiet(X, y, cv=pairs, sample_weight=w, scoring=scoring, n_alphas=5)
        two = quiet(X[repeated], y[repeated], cv=again, scoring=scoring, n_alphas=5)
        np.testing.assert_allclose(one.scores, two.scores, rtol=1e-6)
    for name in ("mean_squared_error", "median_absolute_error"):
        one = quiet(X, y, cv=pairs, sample_weight=w, scoring=getattr(metrics, name), n_alphas=5)
        short = {"mean_squared_error": "mse", "median_absolute_error": "median_ae"}[name]
        np.testing.assert_allclose(one.scores, quiet(X, y, cv=pairs, sample_weight=w, scoring=short, n_alphas=5).scores)
        assert one.scoring == name and name in repr(one)


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored")
@pytest.mark.parametrize("n", [17, 30])
def test_folds_are_those_of_scikit_learn(n):
    X, y = random_problem(6, n, 3)
    groups = np.random.default_rng(0).integers(0, 6, n)
    plain = {"n_alphas": 3, "scoring": "mse"}
    for ours, theirs in [
        ({"cv": 4}, model_selection.KFold(4)),
        ({"cv": 4, "random_state": 3}, model_selection.KFold(4, shuffle=True, random_state=3)),
        ({"cv": 4, "groups": groups}, model_selection.GroupKFold(4)),
        ({"cv": model_selection.LeaveOneGroupOut(), "groups": groups}, model_selection.LeaveOneGroupOut()),
        ({"cv": n}, model_selection.LeaveOneOut()),
        (
            {"cv": model_selection.RepeatedKFold(n_splits=3, n_repeats=2, random_state=1)},
            model_selection.RepeatedKFold(n_splits=3, n_repeats=2, random_state=1),
        ),
    ]:
        found = cross_validate(X, y, **ours, **plain)
        np.testing.assert_allclose(
            found.scores, cross_validate(X, y, cv=theirs.split(X, y, groups), **plain).scores, rtol=1e-6
        )


def test_rows_that_are_drawn_twice_count_twice():
    X, y = random_problem(7, 30, 3)
    train, test = np.r_[np.arange(20), np.arange(10)], np.arange(20, 30)
    found = quiet(X, y, cv=[(train, test)], n_alphas=4)
    other = path(X[train], y[train], alphas=found.alphas)
    np.testing.assert_allclose(found.scores[:, 0], ((other.predict(X[test]).T - y[test]) ** 2).mean(1), rtol=1e-6)
    assert np.isnan(found.std_error).all() and found.alpha_1se == found.best_alpha


def test_nothing_leaks_from_held_out_rows():
    """Whatever is in the held-out rows of a fold, its coefficients stay the same: so does the sum of predictions."""
    X, y = random_problem(8, 40, 5)
    pairs = [(np.arange(30), np.arange(30, 40))]
    seen = []
    options = {"alphas": [0.3, 0.1, 0.01], "standardize": True, "scoring": lambda y, f: seen.append(f) or 0.0}
    quiet(X, y, cv=pairs, **options)
    y[30:] = 1e6
    X[30:, 0] = X[30:, 0]
    quiet(X, y, cv=pairs, **options)
    np.testing.assert_allclose(seen[:3], seen[3:], rtol=1e-9)


def test_the_one_standard_error_rule():
    scores = np.array([[3.0, 5.0], [1.9, 2.3], [1.0, 2.0], [1.5, 2.5]])
    found = CVResult(np.array([4.0, 3.0, 2.0, 1.0]), scores, np.full(2, 0.5), None, None, None, "mse", 0.0)
    np.testing.assert_allclose(found.mean, [4.0, 2.1, 1.5, 2.0])
    np.testing.assert_allclose(found.std_error, [1.0, 0.2, 0.5, 0.5])
    assert (found.best_index, found.best_alpha, found.index_1se, found.alpha_1se) == (2, 2.0, 2, 2.0)
    scores[1] -= 0.2
    assert (found.index_1se, found.alpha_1se) == (1, 3.0)


@every_loss
def test_the_result(loss):
    X, y = random_problem(9, 40, 6)
    found = quiet(X, y, loss, n_alphas=10)
    for result, alpha in ((found.best, found.best_alpha), (found.best_1se, found.alpha_1se)):
        alone = solve(X, y, loss, L1L2(alpha, 0))
        assert result.gap <= result.tolerance
        assert result.objective == pytest.approx(alone.objective, rel=1e-7)
        np.testing.assert_allclose(found.predict(X), found.best.predict(X))
    assert found.alpha_1se >= found.best_alpha
    np.testing.assert_array_equal(found.path.alphas, found.alphas)
    assert repr(found).startswith("CVResult(10 alphas, 5 of 5 folds, best alpha=")


def test_a_data_frame_gives_its_names():
    pandas = pytest.importorskip("pandas")
    X, y = random_problem(15, 30, 2)
    found = quiet(pandas.DataFrame(X, columns=["a", "b"]), y, n_alphas=3)
    assert found.best.feature_names == found.best_1se.feature_names == ("a", "b")
    # a frame may lie in memory by columns where the array lies by rows: sums in another order
    np.testing.assert_allclose(found.scores, quiet(X, y, n_alphas=3).scores, rtol=1e-13)


@every_loss
def test_the_same_bits_with_two_threads(loss):
    X, y = random_problem(10, 60, 8)
    one, two = (quiet(X, y, loss, n_alphas=10, n_jobs=jobs) for jobs in (None, 2))
    np.testing.assert_array_equal(one.scores, two.scores)
    np.testing.assert_array_equal(one.best.coef, two.best.coef)
    quiet(X, y, loss, n_alphas=3, n_jobs=-1)


def test_progress(capsys, monkeypatch):
    X, y = random_problem(11, 30, 3)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    quiet(X, y, cv=3, n_alphas=3, progress=True)
    assert capsys.readouterr().err.splitlines() == [f"fold {k} of 3" for k in (1, 2, 3)]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_keeps_what_was_done(n_jobs):
    X, y = random_problem(12, 40, 3)
    count = iter(range(100))
    heard = threading.Event()

    def scoring(y, f):
        if next(count) == 5:  # in the second fold
            os.kill(os.getpid(), signal.SIGINT)
            heard.wait(0.5)  # in a thread, time for the main one to hear of it
        return 1.0

    if os.name == "nt":
        pytest.skip("no signal can be sent to oneself alone")
    with pytest.raises(KeyboardInterrupt) as caught:
        quiet(X, y, cv=10, n_alphas=4, scoring=scoring, n_jobs=n_jobs)
    assert isinstance(caught.value, Interrupted)
    partial = caught.value.partial
    done = ~np.isnan(partial.scores).any(0)
    assert 1 <= done.sum() <= 9 and partial.scores.shape == (4, 10)
    np.testing.assert_array_equal(partial.mean, 1.0)
    assert partial.best is None and f"{done.sum()} of 10 folds" in repr(partial)


def test_folds_with_constant_columns_and_few_rows():
    X, y = random_problem(13, 12, 20)
    X[:, 3] = 0.0
    X[0, 3] = 1.0  # constant but in the fold that holds it out
    for loss in LOSSES:
        found = quiet(X, y, loss, n_alphas=5, cv=4)
        assert np.isfinite(found.scores).all()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"loss": "cubic"}, "loss"),
        ({"scoring": "r2"}, "scoring"),
        ({"cv": 1}, "cv"),
        ({"cv": 100}, "cv"),
        ({"cv": 2.5}, "cv"),
        ({"cv": []}, "cv"),
        ({"cv": [(np.arange(5), np.arange(30))]}, "cv"),
        ({"cv": [(np.arange(5), np.arange(0))]}, "cv"),
        ({"cv": [(np.arange(5) == 1, np.arange(5))]}, "cv"),
        ({"cv": 5, "groups": [1, 2]}, "groups"),
        ({"cv": 5, "groups": np.arange(20) % 3}, "groups"),
        ({"cv": 5, "random_state": -1}, "random_state"),
        ({"sample_weight": np.r_[np.ones(16), np.zeros(4)]}, "cv"),
        ({"n_jobs": "two"}, "n_jobs"),
        ({"progress": 1}, "progress"),
        ({"alphas": [-1.0]}, "alphas"),
        ({"l1_ratio": 2.0}, "l1_ratio"),
    ],
    ids=str,
)
def test_errors_name_the_argument(options, name):
    X, y = random_problem(14, 20, 3)
    with pytest.raises((ValueError, TypeError), match=name):
        cross_validate(X, y, **options)


def tall(seed, n=240, p=8):
    """Tall data with a constant column, large means, and y on another scale."""
    X, y = random_problem(seed, n, p)
    X[:, 2] = 3.5
    return X + 10.0 * np.arange(p), 1e3 * y


@pytest.mark.parametrize("scoring", ["mse", "rmse", "mae"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"random_state": 1},
        {"fit_intercept": False},
        {"l1_ratio": 0.3, "positive": True},
        {"penalty_factor": [0.0, 1, 1, 2, 1, np.inf, 1, 1]},
        {"sample_weight": np.arange(240) % 3},
        {"offset": np.linspace(-50, 50, 240)},
        {"cv": model_selection.RepeatedKFold(n_splits=4, n_repeats=2, random_state=1)},
    ],
    ids=str,
)
def test_folds_of_tall_data_from_one_pass(options, scoring, monkeypatch):
    X, y = tall(20)
    shared, real = [], cross_validation.FoldGrams
    monkeypatch.setattr(cross_validation, "FoldGrams", lambda *given: shared.append(real(*given)) or shared[-1])
    options = {"n_alphas": 12, "tol": 1e-12, "scoring": scoring} | options
    for layout in ("C", "F"):
        stored = LAYOUTS[layout](X)
        before = snapshot(stored)
        found = quiet(stored, y, **options)
        assert snapshot(stored) == before and len(shared) == 1 and shared.pop().path(0, found.alphas) is not None
        with monkeypatch.context() as apart:
            apart.setattr(cross_validation, "suits", lambda *_: False)
            want = quiet(stored, y, **options)
        assert not shared
        np.testing.assert_allclose(found.scores, want.scores, rtol=1e-8)
        np.testing.assert_allclose(found.path.coef, want.path.coef, atol=1e-9 * abs(want.path.coef).max())
        np.testing.assert_allclose(found.best.coef, want.best.coef, atol=1e-9 * abs(want.best.coef).max())


@pytest.mark.parametrize("case", ["exact", "fold without a column", "all of y in one fold"])
def test_where_sums_of_folds_would_lose_digits(case):
    X, y = tall(21, 400)
    if case == "exact":  # held-out errors are rounding beside y
        y = X[:, 0] * 1e5
    elif case == "fold without a column":
        X[:, 4] = np.where(np.arange(400) < 80, X[:, 4], X[300, 4])
    else:
        y[80:] *= 1e-9
    found = quiet(X, y, n_alphas=10, eps=1e-9, tol=1e-14, scoring="mse")
    for k, (train, test) in enumerate(model_selection.KFold(5).split(X)):
        fits = path(X[train], y[train], alphas=found.alphas, tol=1e-14)
        want = ((y[test][:, None] - fits.predict(X[test])) ** 2).mean(0)
        np.testing.assert_allclose(found.scores[:, k], want, rtol=1e-6, atol=1e-13 * (y**2).mean())


def test_the_choice_is_that_of_an_exhaustive_search():
    """Every alpha, every fold, by scikit-learn's own coordinate descent to the end."""
    for seed in range(3):
        X, y = random_problem(30 + seed, 90, 12)
        found = quiet(X, y, n_alphas=30, eps=1e-2)
        means = [
            -model_selection.cross_val_score(
                linear_model.Lasso(alpha=alpha, tol=1e-10, max_iter=100_000), X, y, scoring="neg_mean_squared_error"
            ).mean()
            for alpha in found.alphas
        ]
        assert abs(int(np.argmin(means)) - found.best_index) <= 1
        assert means[found.best_index] == pytest.approx(min(means), rel=1e-6)


# What cv.glmnet 4.1 gives (standardize=FALSE, thresh=1e-20, foldid=rep(1:folds, each=95/folds)) on the first 95 rows of
# the prostate data: the positions of lambda.min and lambda.1se, then cvm and cvsd of five alphas.
GLMNET = {
    5: (
        (24, 8),
        [1.54985596774549, 1.50375419840810, 1.14097635574056, 1.01883827814628, 0.91022827008322],
        [0.68753706975440, 0.71588234552623, 0.47198622165259, 0.36985198005565, 0.28488200587827],
    ),
    19: (
        (24, 11),
        [1.10218392847700, 0.92778360076670, 0.73727227382443, 0.67323427072120, 0.59260388622595],
        [0.37115020150944, 0.33167932751486, 0.21542426783197, 0.16819477384178, 0.12253708748518],
    ),
}


@pytest.mark.parametrize("folds", GLMNET)
def test_one_standard_error_as_glmnet_has_it(folds):
    X, y = load("prostate").X[:95, :8], load("prostate").y[:95]
    found = quiet(X, y, alphas=0.8 * 0.85 ** np.arange(25), cv=folds, tol=1e-13)
    places, mean, error = GLMNET[folds]
    assert (found.best_index, found.index_1se) == places
    np.testing.assert_allclose(found.mean[[0, 4, 9, 14, 24]], mean, rtol=1e-6)
    np.testing.assert_allclose(found.std_error[[0, 4, 9, 14, 24]], error, rtol=1e-6)
