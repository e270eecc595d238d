"""The estimators: scikit-learn's own checks, scikit-learn's answers, and what ours add."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from scipy import sparse

pytest.importorskip("sklearn", minversion="1.6")

from sklearn import config_context, linear_model
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import l1l2fast
from l1l2fast import L1L2
from l1l2fast.sklearn import ElasticNet, LADRegressor, Lasso, QuantileRegressor, Ridge

DROP_INS = [Lasso, ElasticNet, Ridge]
ALL = [*DROP_INS, QuantileRegressor, LADRegressor]


def data(n=60, p=8, targets=None, seed=0):
    """A tall problem in which no column is centred."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) @ rng.standard_normal((p, p)) + rng.uniform(-3, 3, p)
    shape = n if targets is None else (n, targets)
    y = (X[:, :3].sum(axis=1) + 1 if targets is None else X[:, :targets] + 1) + rng.standard_normal(shape)
    return X, y


def theirs(cls):
    """scikit-learn's class of the same name."""
    return getattr(linear_model, cls.__name__)


@pytest.mark.filterwarnings("default")  # the checks warn on purpose, of what they skip too
@parametrize_with_checks(
    [
        Lasso(),
        ElasticNet(),
        Ridge(),
        LADRegressor(),
        Lasso(positive=True),
        ElasticNet(warm_start=True),
        Ridge(positive=True),
        LADRegressor(alpha=0.1),
        LADRegressor(alpha=0.1, l1_ratio=0.0),
        QuantileRegressor(),
        # of 0.9, scikit-learn's own too has an R^2 of 0.43 where the check wants 0.5
        QuantileRegressor(quantile=0.6, alpha=0.0),
    ]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("cls", [*DROP_INS, QuantileRegressor])
def test_they_are_scikit_learns(cls):
    ours, other = cls(alpha=0.3), theirs(cls)(alpha=0.3)
    assert isinstance(ours, type(other))
    assert ours.get_params() == other.get_params()
    assert repr(ours) == repr(other)
    assert cls._parameter_constraints == theirs(cls)._parameter_constraints
    assert ours.__sklearn_tags__().input_tags == other.__sklearn_tags__().input_tags
    assert issubclass(Lasso, ElasticNet)
    assert Lasso.path is linear_model.Lasso.path


@pytest.mark.parametrize("X_dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("targets", [None, 1, 2])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("cls", DROP_INS)
def test_attributes_have_scikit_learns_types(cls, fit_intercept, targets, X_dtype):
    X, y = data(targets=targets)
    X = X.astype(X_dtype)
    ours, other = (c(alpha=0.1, fit_intercept=fit_intercept).fit(X, y) for c in (cls, theirs(cls)))
    for name in ("coef_", "intercept_", *(("dual_gap_",) if cls is not Ridge else ())):
        mine, wanted = getattr(ours, name), getattr(other, name)
        assert np.shape(mine) == np.shape(wanted), name
        assert np.asarray(mine).dtype == np.asarray(wanted).dtype, name
    if cls is not Ridge:
        assert type(ours.n_iter_) is type(other.n_iter_)
        assert np.shape(ours.n_iter_) == np.shape(other.n_iter_)
        assert ours.sparse_coef_.shape == other.sparse_coef_.shape
    assert ours.predict(X).shape == other.predict(X).shape
    missing = {name for name in vars(other) if name.endswith("_")} - set(vars(ours))
    assert missing == set()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sparse.csc_array, sparse.csr_matrix])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(
    "estimator",
    [
        Lasso(alpha=0.1),
        Lasso(alpha=0.1, positive=True),
        ElasticNet(alpha=0.2),
        ElasticNet(alpha=0.2, l1_ratio=0),
        Ridge(alpha=3.0),
        Ridge(alpha=np.array([3.0, 0.5])),
        Ridge(alpha=3.0, positive=True),
    ],
    ids=str,
)
def test_answers_are_scikit_learns(estimator, fit_intercept, container, weighted):
    X, y = data(targets=2)
    weight = np.random.default_rng(1).uniform(0.1, 2, len(y)) if weighted else None
    ours = clone(estimator).set_params(fit_intercept=fit_intercept)
    exact = {"tol": 1e-13} if isinstance(ours, Ridge) else {"tol": 1e-13, "max_iter": 1_000_000}
    other = theirs(type(ours))(**{**ours.get_params(), **exact})
    ours.fit(container(X), y, sample_weight=weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other.fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(ours.coef_, other.coef_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.intercept_, other.intercept_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.predict(container(X)), other.predict(X), rtol=1e-4, atol=1e-4)


def objective(estimator, X, y):
    """What the estimator says it minimises, by its docstring."""
    b, r = estimator.coef_, y - estimator.predict(X)
    if isinstance(estimator, LADRegressor):
        ratio = estimator.l1_ratio
        return np.abs(r).mean() + estimator.alpha * (ratio * np.abs(b).sum() + (1 - ratio) / 2 * b @ b)
    if isinstance(estimator, Ridge):
        return r @ r + estimator.alpha * b @ b
    ratio = estimator.l1_ratio
    return r @ r / (2 * len(y)) + estimator.alpha * (ratio * np.abs(b).sum() + (1 - ratio) / 2 * b @ b)


@pytest.mark.parametrize(
    "estimator",
    [Lasso(alpha=0.1), ElasticNet(alpha=0.1), Ridge(alpha=2.0), LADRegressor(), LADRegressor(alpha=0.1, l1_ratio=0.3)],
    ids=str,
)
def test_dual_gap_is_in_the_units_of_the_objective(estimator):
    X, y = data(n=40, p=60)
    rough = clone(estimator).set_params(tol=0.1).fit(X, y)
    exact = clone(estimator).set_params(tol=1e-12).fit(X, y)
    best, found = objective(exact, X, y), objective(rough, X, y)
    assert found - best <= rough.dual_gap_ + 1e-12 * best
    assert exact.dual_gap_ <= 1e-10 * y @ y


def test_tol_is_relative_to_the_mean_square_as_in_scikit_learn():
    X, y = data(n=50, p=300)
    scale = np.mean((y - y.mean()) ** 2)
    for tol in (1e-1, 1e-4, 1e-9):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert Lasso(alpha=0.01, tol=tol).fit(X, y).dual_gap_ <= tol * scale


@pytest.mark.parametrize("cls", ALL)
def test_x_is_neither_written_nor_needs_to_be_writable(cls):
    X, y = data()
    for order in "CF":
        given = np.array(X, order=order)
        given.flags.writeable = False
        cls(alpha=0.1).fit(given, y)
    large = sparse.csc_array(X)
    large.indices, large.indptr = large.indices.astype(np.int64), large.indptr.astype(np.int64)
    np.testing.assert_allclose(cls(alpha=0.1).fit(large, y).coef_, cls(alpha=0.1).fit(X, y).coef_, rtol=1e-6)


def test_only_copy_x_false_without_checks_centres_in_place():
    X, y = data()
    want = Lasso(alpha=0.1).fit(X, y).coef_
    for copy_X, check_input in ((True, True), (True, False), (False, True), (False, False)):
        given = np.asfortranarray(X)
        model = Lasso(alpha=0.1, copy_X=copy_X).fit(given, y, check_input=check_input)
        assert np.array_equal(given, X) == (copy_X or check_input)
        np.testing.assert_allclose(model.coef_, want, rtol=1e-8)


@pytest.mark.parametrize("cls", [Lasso, ElasticNet])
def test_too_few_iterations_warn(cls):
    X, y = data()
    for category in (ConvergenceWarning, l1l2fast.ConvergenceWarning):
        with pytest.warns(category, match="Objective did not converge") as caught:
            model = cls(alpha=0.01, max_iter=1).fit(X, y)
        assert [warning.filename for warning in caught] == [__file__]
    assert not model.coef_.any()
    assert model.dual_gap_ > 0
    cls(alpha=0.01, max_iter=3).fit(X, y)


@pytest.mark.parametrize("cls", [Lasso, ElasticNet, LADRegressor])
def test_warm_start_begins_at_the_answer(cls):
    X, y = data(targets=2)
    model = cls(alpha=0.1, warm_start=True).fit(X, y)
    first = model.coef_.copy()
    model.fit(X, y)
    np.testing.assert_allclose(model.coef_, first, rtol=1e-6, atol=1e-9)
    if cls is not LADRegressor:
        assert model.n_iter_ == [0, 0]
    with pytest.raises(ValueError, match="warm_start=True needs a y of 2 target"):
        model.fit(X, y[:, 0])


def test_no_penalty_warns_and_is_least_squares():
    X, y = data()
    with pytest.warns(UserWarning, match="With alpha=0"):
        model = Lasso(alpha=0).fit(X, y)
    np.testing.assert_allclose(model.coef_, linear_model.LinearRegression().fit(X, y).coef_, rtol=1e-9)


def test_precompute_is_checked():
    X, y = data()
    X -= X.mean(axis=0)
    want = Lasso(alpha=0.1).fit(X, y).coef_
    for precompute in (True, X.T @ X):
        np.testing.assert_allclose(Lasso(alpha=0.1, precompute=precompute).fit(X, y).coef_, want, rtol=1e-9)
    with pytest.raises(ValueError, match="did not pass validation"):
        Lasso(precompute=np.eye(X.shape[1])).fit(X, y)
    with pytest.raises(ValueError, match="must be a Gram matrix of shape"):
        Lasso(precompute=np.eye(3)).fit(X, y)
    with pytest.warns(UserWarning, match="recomputing Gram"):
        Lasso(precompute=X.T @ X).fit(X + 1, y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"solver": "lbfgs"}, "only when positive=True"),
        ({"solver": "svd", "positive": True}, "does not support positive"),
        ({"alpha": np.array([1.0, 2.0, 3.0])}, "3 != 2"),
        ({"alpha": np.array([1.0, -2.0])}, "-2"),
    ],
)
def test_ridge_refuses_what_scikit_learn_refuses(parameters, message):
    X, y = data(targets=2)
    with pytest.raises(ValueError, match=message):
        Ridge(**parameters).fit(X, y)


@pytest.mark.parametrize("solver", ["svd", "cholesky", "saga"])
def test_ridge_solvers_without_sparse_input(solver):
    X, y = data()
    with pytest.raises(ValueError, match=f"solver='{solver}' does not support"):
        Ridge(solver=solver).fit(sparse.csr_array(X), y)


def test_ridge_of_a_solver_by_any_name():
    X, y = data()
    want = Ridge(alpha=2.0).fit(X, y)
    assert want.solver_ == "cholesky"
    for solver in ("svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga"):
        model = Ridge(alpha=2.0, solver=solver, max_iter=1).fit(X, y)
        assert model.solver_ == solver
        assert np.array_equal(model.coef_, want.coef_)


def test_lad_is_solve():
    X, y = data(targets=2)
    weight = np.random.default_rng(1).uniform(0.1, 2, len(y))
    for alpha in (0.0, 0.05):
        model = LADRegressor(alpha=alpha, l1_ratio=0.75).fit(X, y, sample_weight=weight)
        for k in range(2):
            result = l1l2fast.solve(X, y[:, k], "absolute", L1L2(0.75 * alpha, 0.25 * alpha), sample_weight=weight)
            assert np.array_equal(model.coef_[k], result.coef)
            assert model.intercept_[k] == result.intercept
            assert model.dual_gap_[k] == result.gap
            assert model.unique_[k] is result.unique


def test_lad_keeps_its_alpha_when_samples_are_doubled():
    X, y = data()
    once, twice = (LADRegressor(alpha=0.1, l1_ratio=0.5).fit(np.tile(X, (k, 1)), np.tile(y, k)) for k in (1, 2))
    np.testing.assert_allclose(once.coef_, twice.coef_, rtol=1e-6)
    doubled = LADRegressor(alpha=0.1, l1_ratio=0.5).fit(X, y, sample_weight=np.full(len(y), 2.0))
    np.testing.assert_allclose(once.coef_, doubled.coef_, rtol=1e-6)


def test_lad_is_scikit_learns_median_regression():
    X, y = data()
    ours = LADRegressor().fit(X, y)
    other = linear_model.QuantileRegressor(alpha=0).fit(X, y)
    np.testing.assert_allclose(ours.coef_, other.coef_, rtol=1e-8)
    np.testing.assert_allclose(ours.intercept_, other.intercept_, rtol=1e-8)
    assert ours.unique_ is True


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("container", [np.asarray, sparse.csc_array, sparse.csr_matrix])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("parameters", [{"alpha": 0}, {"alpha": 0.02, "quantile": 0.8}, {}], ids=str)
def test_quantiles_are_scikit_learns(parameters, fit_intercept, container, weighted):
    X, y = data(59)  # of an even number, a median would not be the only one
    weight = np.random.default_rng(1).uniform(0.1, 2, len(y)) if weighted else None
    ours, other = (c(fit_intercept=fit_intercept, **parameters) for c in (QuantileRegressor, theirs(QuantileRegressor)))
    ours.fit(container(X), y, sample_weight=weight)
    other.fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(ours.coef_, other.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(ours.intercept_, other.intercept_, rtol=1e-8)
    assert ours.dual_gap_ < 1e-14
    assert ours.unique_ is True
    assert {name for name in vars(other) if name.endswith("_")} <= set(vars(ours))


def test_quantile_solvers_are_checked():
    X, y = data()
    with pytest.raises(ValueError, match="interior-point is not anymore available"):
        QuantileRegressor(solver="interior-point").fit(X, y)
    with pytest.raises(ValueError, match="revised simplex does not support sparse X"):
        QuantileRegressor(solver="revised simplex").fit(sparse.csc_array(X), y)


def test_lad_positive():
    X, y = data()
    model = LADRegressor(positive=True).fit(X, -y)
    assert (model.coef_ >= 0).all()
    assert (LADRegressor().fit(X, -y).coef_ < 0).any()


@pytest.mark.parametrize("cls", ALL)
def test_in_a_pipeline_a_search_and_a_pickle(cls):
    X, y = data()
    search = GridSearchCV(make_pipeline(StandardScaler(), cls()), {f"{cls.__name__.lower()}__alpha": [0.01, 0.1]}, cv=3)
    search.fit(X, y)
    best = search.best_estimator_[-1]
    assert type(best) is cls
    again = pickle.loads(pickle.dumps(best))
    assert np.array_equal(again.coef_, best.coef_)
    assert again.get_params() == best.get_params()


def test_sample_weight_can_be_routed():
    with config_context(enable_metadata_routing=True):
        request = Lasso().set_fit_request(sample_weight=True).get_metadata_routing().fit.requests
        assert LADRegressor().set_fit_request(sample_weight=True)
    assert request == {"sample_weight": True}


def test_feature_names_are_kept():
    pandas = pytest.importorskip("pandas")
    X, y = data(p=3)
    model = LADRegressor().fit(pandas.DataFrame(X, columns=["a", "b", "c"]), pandas.Series(y))
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    assert model.n_features_in_ == 3


def test_scikit_learn_is_imported_on_first_use():
    code = (
        "import sys, l1l2fast; assert 'sklearn' not in sys.modules; l1l2fast.sklearn.Lasso(); "
        "assert 'sklearn' in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-P", "-c", code],  # not from the source folder
        check=True,
    )
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        l1l2fast.nothing  # noqa: B018


@pytest.mark.parametrize("cls", ALL)
def test_examples(cls):
    import doctest

    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    (example,) = finder.find(cls, cls.__name__)
    assert example.examples
    assert runner.run(example).failed == 0
