"""The estimators that choose their alpha: scikit-learn's own checks, its answers, and what ours add."""

import numpy as np
import pytest
from scipy import sparse

pytest.importorskip("sklearn", minversion="1.6")

from sklearn import config_context, linear_model
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.utils.estimator_checks import parametrize_with_checks

from l1l2fast import cross_validate
from l1l2fast.sklearn import LADCV, ElasticNetCV, HuberCV, LassoCV, LogisticRegressionCV, QuantileCV, RidgeCV

LINES = [LADCV(alphas=8), QuantileCV(quantile=0.3, alphas=8), HuberCV(alphas=8)]


def data(n=60, p=6, targets=None, seed=0):
    """A tall problem in which no column is centred."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) @ rng.standard_normal((p, p)) + rng.uniform(-3, 3, p)
    y = X[:, : targets or 1] + rng.standard_normal((n, targets or 1))
    return X, y if targets else y[:, 0], rng.random(n) + 0.1


def theirs(model):
    """scikit-learn's estimator of the same name and parameters."""
    return getattr(linear_model, type(model).__name__)(**model.get_params())


@pytest.mark.filterwarnings("default")  # the checks warn on purpose, of what they skip too
@parametrize_with_checks(
    [
        LassoCV(alphas=8, cv=3),
        ElasticNetCV(alphas=8, cv=3),
        RidgeCV(),
        RidgeCV(cv=3),
        LADCV(alphas=4, cv=3),
        QuantileCV(alphas=4, cv=3),
        HuberCV(alphas=4, cv=3),
        LogisticRegressionCV(Cs=3, cv=3),
        LogisticRegressionCV(Cs=3, cv=3, l1_ratios=[0.0, 0.7], use_legacy_attributes=False),
    ]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, np.float32, sparse.csc_matrix, sparse.csr_array])
@pytest.mark.parametrize(
    "model",
    [
        LassoCV(alphas=20, tol=1e-10),
        LassoCV(alphas=[0.1, 1.0, 0.01], positive=True, cv=4, tol=1e-10),
        ElasticNetCV(alphas=20, l1_ratio=[0.2, 0.9], tol=1e-10),
        ElasticNetCV(alphas=20, fit_intercept=False, cv=KFold(3, shuffle=True, random_state=0), tol=1e-10),
    ],
    ids=str,
)
def test_against_scikit_learn(model, kind, weighted):
    X, y, w = data()
    X, w = kind(X), w if weighted else None
    tol = 1e-6 if X.dtype == np.float32 else 1e-10
    ours, other = clone(model).fit(X, y, w), theirs(model).set_params(max_iter=100_000, tol=tol).fit(X, y, w)
    rough = 1e-3 if X.dtype == np.float32 else 1e-6
    np.testing.assert_allclose(ours.alphas_, other.alphas_, rtol=rough)
    np.testing.assert_allclose(ours.mse_path_, other.mse_path_, rtol=rough)
    if X.dtype != np.float32:  # else the best of many near equals
        assert ours.alpha_ == pytest.approx(other.alpha_)
        np.testing.assert_allclose(ours.coef_, other.coef_, atol=1e-6)
        np.testing.assert_allclose(ours.predict(X), other.predict(X), atol=1e-5)
    if isinstance(model, ElasticNetCV):
        assert ours.l1_ratio_ == other.l1_ratio_
    assert ours.coef_.dtype == X.dtype and ours.dual_gap_ <= 1e-9


@pytest.mark.parametrize("targets", [None, 1, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"store_cv_results": True},
        {"fit_intercept": False, "alphas": np.geomspace(1e-3, 1e3, 7)},
        {"scoring": "neg_mean_absolute_error", "store_cv_results": True},
        {"alpha_per_target": True},
        {"alpha_per_target": True, "scoring": "r2"},
        {"cv": 4},
        {"cv": 3, "scoring": "neg_mean_absolute_error"},
    ],
    ids=str,
)
@pytest.mark.parametrize("shape", [(40, 6), (20, 30)], ids=str)
def test_ridge_against_scikit_learn(shape, options, weighted, targets):
    X, y, w = data(*shape, targets=targets)
    if options.get("alpha_per_target") and targets is None:
        pytest.skip("one target has one alpha")
    w = w if weighted else None
    ours, other = RidgeCV(**options).fit(X, y, w), linear_model.RidgeCV(**options).fit(X, y, w)
    np.testing.assert_allclose(ours.alpha_, other.alpha_)
    if weighted and "cv" in options and not hasattr(GridSearchCV, "_check_scorers_accept_sample_weight"):
        pytest.skip("before 1.9, GridSearchCV leaves the weights out of the score")
    np.testing.assert_allclose(ours.best_score_, other.best_score_)
    for name in ("coef_", "intercept_"):
        assert np.shape(getattr(ours, name)) == np.shape(getattr(other, name))
        np.testing.assert_allclose(getattr(ours, name), getattr(other, name), rtol=1e-6, atol=1e-9)
    if "store_cv_results" in options:
        np.testing.assert_allclose(ours.cv_results_, other.cv_results_, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("model", LINES, ids=str)
def test_lines_are_cross_validate(model):
    X, y, w = data()
    ours = clone(model).fit(X, y, w)
    found = cross_validate(X, y, ours._loss(y, w), n_alphas=8, sample_weight=w)
    np.testing.assert_array_equal(ours.score_path_, found.scores)
    assert (ours.alpha_, ours.alpha_1se_) == (found.best_alpha, found.alpha_1se)
    np.testing.assert_array_equal(ours.coef_, found.best.coef)
    simple = clone(model).set_params(rule="1se").fit(X, y, w)
    assert simple.alpha_ == found.alpha_1se
    np.testing.assert_array_equal(simple.coef_, found.best_1se.coef)
    several = clone(model).set_params(l1_ratio=[0.0, 0.5, 1.0], scoring="mae", cv=3).fit(X, y)
    assert several.alphas_.shape == (3, 8) and several.score_path_.shape == (3, 8, 3)
    assert several.score_path_.mean(-1).min() == pytest.approx(
        several.score_path_.mean(-1)[[0.0, 0.5, 1.0].index(several.l1_ratio_)].min()
    )


@pytest.mark.parametrize("model", [LassoCV(alphas=5), *LINES], ids=str)
def test_groups_are_routed_to_the_splitter(model):
    X, y, _ = data()
    groups = np.arange(60) % 7
    with config_context(enable_metadata_routing=True):
        ours = clone(model).set_params(cv=GroupKFold(3)).fit(X, y, groups=groups)
    pairs = list(GroupKFold(3).split(X, y, groups))
    assert ours.alpha_ == clone(model).set_params(cv=pairs).fit(X, y).alpha_


def test_errors():
    X, y, _ = data(targets=2)
    for model in (LassoCV(), LADCV()):
        with pytest.raises(ValueError, match="multi-task"):
            model.fit(X, y)
    with pytest.raises(ValueError, match="grid generation is not supported"):
        ElasticNetCV(l1_ratio=0).fit(X, y[:, 0])
    assert ElasticNetCV(l1_ratio=0, alphas=[1.0, 0.1]).fit(X, y[:, 0]).alpha_ in (1.0, 0.1)
    with pytest.raises(ValueError, match="incompatible"):
        RidgeCV(cv=3, store_cv_results=True).fit(X, y)


def test_huber_corner():
    """By default at 1.345 deviations of y, by the median; rows count as often as their weights say."""
    X, y, _ = data()
    y[:5] += 1e3
    assert HuberCV(delta=0.3, alphas=3).fit(X, y).delta_ == 0.3
    free = HuberCV(alphas=3).fit(X, y)
    assert free.delta_ == pytest.approx(1.345 * np.median(abs(y - np.median(y))) / 0.67449, rel=0.1)
    w = np.random.default_rng(0).integers(0, 3, 60)
    assert free.fit(X, y, w).delta_ == free.fit(X.repeat(w, axis=0), y.repeat(w)).delta_
    assert free.fit(1e3 * X, 1e-6 * y).delta_ == pytest.approx(1e-6 * free.fit(X, y).delta_)
    assert HuberCV(alphas=3).fit(X, (np.arange(60) == 7) * 1.0).delta_ == 1.345


def binary(n=90, seed=0):
    X, y, w = data(n, seed=seed)
    noise = np.random.default_rng(seed).logistic(size=n)
    return X, np.where(y - np.median(y) + 2 * noise > 0, "yes", "no"), w


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csc_matrix, sparse.csr_array])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"Cs": [10.0, 0.01, 1.0], "refit": False},
        {"Cs": 4, "scoring": "neg_log_loss", "class_weight": "balanced"},
        {"Cs": 3, "l1_ratios": [0.0], "use_legacy_attributes": False, "fit_intercept": False},
        {"Cs": 3, "scoring": "roc_auc", "cv": KFold(4, shuffle=True, random_state=0), "class_weight": {"no": 2}},
    ],
    ids=str,
)
def test_logistic_against_scikit_learn(options, kind, weighted):
    X, y, w = binary()
    w = w if weighted else None
    # of a gap, coefficients may be off by the root
    ours = LogisticRegressionCV(tol=1e-13, **options).fit(kind(X), y, sample_weight=w)
    model = linear_model.LogisticRegressionCV(tol=1e-10, max_iter=10_000, solver="newton-cholesky", **options)
    other = model.fit(X, y, sample_weight=w)
    for name in ("C_", "Cs_", "scores_", "coefs_paths_", "coef_", "intercept_"):
        mine, wanted = getattr(ours, name), getattr(other, name)
        if isinstance(wanted, dict):
            assert mine.keys() == wanted.keys()
            mine, wanted = mine["yes"], wanted["yes"]
        assert np.shape(mine) == np.shape(wanted)
        np.testing.assert_allclose(mine, wanted, rtol=1e-5, atol=1e-6)
    assert np.shape(ours.n_iter_) == np.shape(other.n_iter_)
    assert (ours.predict(X) == other.predict(X)).all()
    assert ours.score(X, y) == pytest.approx(other.score(X, y))
    assert {name for name in vars(other) if name.endswith("_")} <= set(vars(ours))


def test_logistic_with_l1_is_logistic_regression_on_each_fold():
    X, y, _ = binary()
    pairs = list(KFold(3).split(X))
    # C where no fit is empty: saga stops as soon as the coefficients stand still, wherever its intercept is then
    model = LogisticRegressionCV(Cs=[0.5, 1.0], l1_ratios=[0.5, 1.0], cv=pairs, tol=1e-7).fit(X, y)
    assert model.scores_["yes"].shape == (3, 2, 2) and model.coefs_paths_["yes"].shape == (3, 2, 2, 7)
    for f, (train, test) in enumerate(pairs):
        for c, C in enumerate(model.Cs_):
            for k, share in enumerate(model.l1_ratios_):
                options = {"C": C, "solver": "saga", "tol": 1e-8, "max_iter": 100_000, "l1_ratio": share}
                options["random_state"] = 0
                if "deprecated" not in str(linear_model.LogisticRegression().penalty):
                    options["penalty"] = "elasticnet"
                one = linear_model.LogisticRegression(**options).fit(X[train], y[train])
                np.testing.assert_allclose(model.coefs_paths_["yes"][f, c, k, :6], one.coef_[0], atol=2e-4)
                assert model.scores_["yes"][f, c, k] == pytest.approx(one.score(X[test], y[test]), abs=1e-9)
    best = np.unravel_index(model.scores_["yes"].sum(0).argmax(), (2, 2))
    assert (model.C_[0], model.l1_ratio_[0]) == (model.Cs_[best[0]], model.l1_ratios_[best[1]])
    assert model.dual_gap_ <= 1e-7


def test_logistic_parameters_are_routed():
    X, y, w = binary()
    groups = np.arange(90) % 7
    with config_context(enable_metadata_routing=True):
        accuracy = get_scorer("accuracy").set_score_request(sample_weight=True)
        model = LogisticRegressionCV(Cs=3, cv=GroupKFold(3), scoring=accuracy).set_fit_request(sample_weight=True)
        routed = model.fit(X, y, sample_weight=w, groups=groups)
    pairs = list(GroupKFold(3).split(X, y, groups))
    by_hand = LogisticRegressionCV(Cs=3, cv=pairs).fit(X, y, w)
    np.testing.assert_array_equal(routed.coefs_paths_["yes"], by_hand.coefs_paths_["yes"])


def test_what_logistic_refuses():
    X, y, _ = binary()
    for penalty, ratios in (("elasticnet", None), ("elasticnet", [2.0]), ("deprecated", [])):
        with pytest.raises(ValueError, match="between 0 and 1"):
            LogisticRegressionCV(penalty=penalty, l1_ratios=ratios).fit(X, y)
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        LogisticRegressionCV().fit(X, np.arange(90) % 3)
