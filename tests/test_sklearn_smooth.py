"""LogisticRegression, HuberRegressor and LinearModel: scikit-learn's checks and answers, and what ours add."""

import warnings

import numpy as np
import pytest
from scipy import sparse

pytest.importorskip("sklearn", minversion="1.6")

from sklearn import linear_model
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from test_sklearn import data

import l1l2fast
from l1l2fast import L1, Huber
from l1l2fast.sklearn import ConvergenceWarning, HuberRegressor, LinearModel, LogisticRegression


def classes(n=80, p=6, seed=0, labels=("no", "yes")):
    X, y = data(n, p, seed=seed)
    noise = np.random.default_rng(seed).logistic(size=n)
    return X, np.array(labels)[(y - np.median(y) + 2 * noise > 0).astype(int)]


@pytest.mark.filterwarnings("default")
@parametrize_with_checks(
    [
        LogisticRegression(),
        LogisticRegression(l1_ratio=0.5, C=0.3),
        HuberRegressor(),
        LinearModel(),
        LinearModel("huber", "l1", alpha=0.1),
        LinearModel("absolute", "elasticnet", alpha=0.1, positive=True),
    ]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sparse.csc_array, sparse.csr_matrix])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("parameters", [{}, {"C": 0.1}, {"C": 10.0, "class_weight": "balanced"}], ids=str)
def test_logistic_answers_are_scikit_learns(parameters, weighted, fit_intercept, container):
    X, y = classes()
    weight = np.random.default_rng(1).uniform(0.1, 2, len(y)) if weighted else None
    ours = LogisticRegression(fit_intercept=fit_intercept, tol=1e-7, **parameters)
    other = linear_model.LogisticRegression(**ours.get_params() | {"tol": 1e-12, "max_iter": 10_000})
    ours.fit(container(X), y, sample_weight=weight)
    other.fit(container(X), y, sample_weight=weight)
    for name in ("coef_", "intercept_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(other, name), rtol=1e-4, atol=1e-6)
        assert getattr(ours, name).dtype == getattr(other, name).dtype
    np.testing.assert_allclose(ours.predict_proba(X), other.predict_proba(X), atol=1e-6)
    assert (ours.predict(X) == other.predict(X)).all() and ours.n_iter_.shape == other.n_iter_.shape
    assert {name for name in vars(other) if name.endswith("_")} <= set(vars(ours))


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_logistic_with_l1_is_scikit_learns(share):
    X, y = classes()
    ours = LogisticRegression(C=0.2, l1_ratio=share, tol=1e-7).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = linear_model.LogisticRegression(
            penalty="elasticnet", C=0.2, l1_ratio=share, solver="saga", tol=1e-10, max_iter=100_000
        ).fit(X, y)
        named = {1.0: "l1", 0.5: "elasticnet"}[share]
        assert np.array_equal(clone(ours).set_params(penalty=named).fit(X, y).coef_, ours.coef_)
    np.testing.assert_allclose(ours.coef_, other.coef_, rtol=1e-4, atol=1e-5)
    assert (ours.coef_ == 0).sum() == (other.coef_ == 0).sum()


def test_labels_of_any_type():
    X, y = classes(labels=(0, 1))
    want = LogisticRegression().fit(X, y)
    for labels in ((-1, 1), (False, True), ("a", "b"), (2, 1)):
        order = np.argsort(labels)
        model = LogisticRegression().fit(X, np.array(labels)[y])
        assert model.classes_.tolist() == sorted(labels)
        np.testing.assert_allclose(model.coef_, want.coef_ * (1 if order[0] == 0 else -1), rtol=1e-6)
    probabilities = want.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    np.testing.assert_allclose(np.log(probabilities[:, 1] / probabilities[:, 0]), want.decision_function(X), rtol=1e-9)


def test_what_logistic_refuses_and_warns_about():
    X, y = classes()
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        LogisticRegression().fit(X, np.arange(len(y)) % 3)
    with pytest.raises(ValueError, match="only one class"):
        LogisticRegression().fit(X, np.zeros(len(y)))
    with pytest.warns(ConvergenceWarning, match="separable"):
        LogisticRegression(C=np.inf).fit(X, np.where(X[:, 0] > X[:, 0].mean(), "yes", "no"))


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("parameters", [{}, {"epsilon": 2.0, "alpha": 1.0}, {"fit_intercept": False}], ids=str)
def test_huber_answers_are_scikit_learns(parameters, weighted, container):
    X, y = data()
    y[:5] += 100
    weight = np.random.default_rng(1).uniform(0.1, 2, len(y)) if weighted else None
    ours = HuberRegressor(**parameters).fit(container(X), y, sample_weight=weight)
    other = linear_model.HuberRegressor(**parameters, tol=1e-10, max_iter=100_000)
    other.fit(container(X), y, sample_weight=weight)
    # theirs stops where its own steps do, at an objective that is higher in the seventh digit
    assert huber_objective(ours, X, y, weight) <= huber_objective(other, X, y, weight)
    np.testing.assert_allclose(ours.coef_, other.coef_, rtol=1e-2, atol=2e-3)
    np.testing.assert_allclose(ours.intercept_, other.intercept_, rtol=1e-2, atol=2e-3)
    np.testing.assert_allclose(ours.scale_, other.scale_, rtol=2e-3)
    assert (ours.outliers_ == other.outliers_).all()
    assert {name for name in vars(other) if name.endswith("_")} <= set(vars(ours))


def huber_objective(model, X, y, weight, step=None):
    """sum w (s + s H(r / s)) + alpha |b|^2, beside the fit if there is a step."""
    b, c, s, w = model.coef_, model.intercept_, model.scale_, np.ones(len(y)) if weight is None else weight
    if step is not None:
        b, c, s = b + step[2:], c + step[0], s * np.exp(step[1])
    z, eps = np.abs(y - c - X @ b) / s, model.epsilon
    return np.sum(w * (s + s * np.where(z <= eps, z * z, 2 * eps * z - eps**2))) + model.alpha * b @ b


def test_huber_minimises_over_the_scale():
    X, y = data()
    model, rng = HuberRegressor(alpha=0.1).fit(X, y), np.random.default_rng(0)
    best = huber_objective(model, X, y, None)
    for size in (1e-1, 1e-3, 1e-5):
        for _ in range(50):
            step = size * rng.standard_normal(len(model.coef_) + 2)
            assert huber_objective(model, X, y, None, step) >= best * (1 - 1e-13)


def test_huber_of_a_perfect_fit():
    X, _ = data()
    model = HuberRegressor(alpha=0.0).fit(X, X @ np.arange(8.0) + 1)
    np.testing.assert_allclose(model.coef_, np.arange(8.0), atol=1e-8)
    assert model.scale_ < 1e-6


def test_linear_model_is_solve():
    X, y = data(targets=2)
    for loss, penalty, alpha in (("huber", "l2", 0.1), (Huber(0.3), L1(0.2), None), ("pinball", None, None)):
        model = LinearModel(loss, penalty, alpha=alpha, standardize=True).fit(X, y)
        for k in range(2):
            result = l1l2fast.solve(X, y[:, k], loss, penalty, alpha=alpha, standardize=True)
            assert np.array_equal(model.coef_[k], result.coef) and model.intercept_[k] == result.intercept


@pytest.mark.parametrize("cls", [LogisticRegression, HuberRegressor, LinearModel])
def test_examples(cls):
    import doctest

    (example,) = doctest.DocTestFinder(recurse=False).find(cls, cls.__name__)
    assert example.examples
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example).failed == 0
