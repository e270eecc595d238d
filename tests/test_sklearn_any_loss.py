"""GroupLasso and the estimators of penalties that are not convex: scikit-learn's checks, and the answers of `solve`."""

import numpy as np
import pytest
from scipy import sparse

pytest.importorskip("sklearn", minversion="1.6")

from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks
from test_sklearn import data

from l1l2fast import L0, MCP, SCAD, Group, Huber, Lq, solve
from l1l2fast.sklearn import GroupLasso, L0Regressor, LinearModel, LqRegressor, MCPRegressor, SCADRegressor

NOT_CONVEX = [
    (MCPRegressor(0.1, 2.5), MCP(0.1, 2.5)),
    (SCADRegressor(0.1, 3.0), SCAD(0.1, 3.0)),
    (LqRegressor(0.02, 0.3), Lq(0.02, 0.3)),
    (L0Regressor(0.02), L0(0.02)),
]


@pytest.mark.filterwarnings("default")
@parametrize_with_checks(
    [
        GroupLasso(),
        GroupLasso(2, 0.1, l1=0.05, loss="huber"),
        MCPRegressor(),
        MCPRegressor(0.1, loss="absolute", positive=True),
        SCADRegressor(),
        LqRegressor(),
        L0Regressor(),
    ]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("container", [np.asarray, sparse.csc_array])
@pytest.mark.parametrize("loss", ["squared", Huber(0.5), "logistic"], ids=str)
def test_group_lasso_is_solve(loss, container):
    X, y = data(60, 6)
    y = np.sign(y - np.median(y) + 1e-9) if loss == "logistic" else y
    weight = np.random.default_rng(0).uniform(0.5, 2, 60)
    for groups, labels in ((2, [0, 0, 1, 1, 2, 2]), (list("abcabc"), list("abcabc")), (None, [0] * 6)):
        model = GroupLasso(groups, 0.05, l1=0.01, loss=loss).fit(container(X), y, weight)
        result = solve(X, y, loss, Group(0.05, labels, 0.01), sample_weight=weight)
        np.testing.assert_allclose(model.coef_, result.coef, atol=1e-6)
        assert model.dual_gap_ <= result.tolerance and not hasattr(model, "stationarity_")
        generic = LinearModel(loss, Group(0.05, labels, 0.01)).fit(container(X), y, weight)
        assert (generic.coef_ == model.coef_).all()


@pytest.mark.parametrize("model, penalty", NOT_CONVEX, ids=str)
@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_not_convex_is_solve(loss, model, penalty):
    X, y = data(60, 6)
    model = clone(model).set_params(loss=loss, standardize=True).fit(X, y)
    result = solve(X, y, loss, penalty, standardize=True)
    assert (model.coef_ == result.coef).all() and model.intercept_ == result.intercept
    assert model.stationarity_ == result.stationarity and model.dual_gap_ == result.gap
    # two targets at once, and nobody warns of a gap that cannot be closed
    both = clone(model).fit(X, np.column_stack([y, -y]))
    np.testing.assert_allclose(both.coef_, [model.coef_, -model.coef_], atol=1e-6)
    assert both.stationarity_.shape == (2,)


def test_what_is_not_stationary_warns():
    X, y = data(60, 30)
    with pytest.warns(ConvergenceWarning, match="Stationarity: "):
        MCPRegressor(0.01, loss="huber", max_iter=1).fit(X, y)


@pytest.mark.parametrize(
    "model", [GroupLasso(0), GroupLasso([1, 2]), MCPRegressor(gamma=0.5), SCADRegressor(gamma=1), LqRegressor(q=1.0)]
)
def test_parameters_out_of_bounds(model):
    X, y = data(20, 3)
    with pytest.raises(ValueError, match="groups|gamma|q"):
        model.fit(X, y)
