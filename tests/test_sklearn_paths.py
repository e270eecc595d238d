"""lasso_path and enet_path beside scikit-learn's: arguments, shapes, types, answers."""

import inspect
import warnings

import numpy as np
import pytest
from scipy import sparse

pytest.importorskip("sklearn", minversion="1.6")

from sklearn import exceptions, linear_model

from l1l2fast.sklearn import enet_path, lasso_path


def data(n=40, p=12, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 0.5 * rng.standard_normal((n, 1))
    return X, X[:, 0] - 2 * X[:, 1] + rng.standard_normal(n)


@pytest.mark.parametrize("ours", [lasso_path, enet_path])
def test_signature(ours):
    theirs = inspect.signature(getattr(linear_model, ours.__name__)).parameters
    mine = inspect.signature(ours).parameters
    assert list(mine) == list(theirs)
    for name in set(mine) - {"alphas", "n_alphas"}:  # their defaults change from release to release
        assert (mine[name].kind, mine[name].default) == (theirs[name].kind, theirs[name].default)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(40, 12), (15, 30)])
@pytest.mark.parametrize("options", [{}, {"positive": True}, {"l1_ratio": 0.9}, {"eps": 0.1}], ids=str)
def test_against_scikit_learn(shape, options, dtype):
    X, y = data(*shape)
    X, y = X.astype(dtype), y.astype(dtype)
    first = linear_model.enet_path(X, y, max_iter=10, tol=1.0, **options)[0][0]
    alphas = first * np.array([0.3, 1.0, 0.03])
    tight = {"tol": 1e-10 if dtype == np.float64 else 1e-6}
    theirs = linear_model.enet_path(X, y, alphas=alphas, max_iter=100_000, return_n_iter=True, **tight, **options)
    ours = enet_path(X, y, alphas=alphas, return_n_iter=True, **tight, **options)
    for here, there in zip(ours[:3], theirs[:3], strict=True):
        assert here.shape == there.shape
    assert ours[1].dtype == theirs[1].dtype == dtype
    assert isinstance(ours[3], list) and len(ours[3]) == 3 and isinstance(ours[3][0], int)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-5 if dtype == np.float64 else 1e-2)
    chosen = enet_path(X, y, n_alphas=5, **options)[0]
    np.testing.assert_allclose(chosen, np.geomspace(first, first * options.get("eps", 1e-3), 5), rtol=1e-6)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_sparse_X_and_gaps(l1_ratio):
    X, y = data()
    X[abs(X) < 0.7] = 0
    alphas, coefs, gaps = enet_path(sparse.csr_array(X), y, l1_ratio=l1_ratio, alphas=7)
    assert coefs.shape == (12, 7)
    np.testing.assert_array_equal(alphas, enet_path(sparse.csc_matrix(X), y, l1_ratio=l1_ratio, alphas=7)[0])
    for alpha, b, gap in zip(alphas, coefs.T, gaps, strict=True):
        model = linear_model.ElasticNet(alpha, l1_ratio=l1_ratio, fit_intercept=False, tol=1e-12, max_iter=10**5)
        best = model.fit(X, y).coef_
        here, there = (
            np.mean((y - X @ c) ** 2) / 2 + alpha * (l1_ratio * abs(c).sum() + (1 - l1_ratio) / 2 * c @ c)
            for c in (b, best)
        )
        assert here - there <= gap + 1e-14 * np.mean(y**2)
        assert gap <= 1e-4 * np.mean(y**2)


def test_the_lasso_is_the_elastic_net_of_l1_ratio_1():
    X, y = data()
    for here, there in zip(lasso_path(X, y), enet_path(X, y, l1_ratio=1.0), strict=True):
        np.testing.assert_array_equal(here, there)
    assert len(lasso_path(X, y, check_input=False)) == 3


def test_what_is_without_influence():
    X, y = data()
    X.flags.writeable = False
    want = lasso_path(X, y, alphas=9)[1]
    given = {"precompute": X.T @ X, "Xy": X.T @ y, "copy_X": False, "coef_init": np.ones(12), "verbose": 1}
    given |= {"max_iter": 1, "selection": "random", "random_state": 0}
    np.testing.assert_array_equal(lasso_path(X, y, n_alphas=9, **given)[1], want)


def test_refused():
    X, y = data()
    with pytest.raises(ValueError, match="y must have one dimension"):
        lasso_path(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="Unexpected parameters in params: fit_intercept"):
        lasso_path(X, y, fit_intercept=True)
    with pytest.raises(ValueError, match="precompute"):
        lasso_path(X, y, precompute=np.eye(12))
    with pytest.raises(ValueError, match="l1_ratio"):
        enet_path(X, y, l1_ratio=0)
    with pytest.raises(ValueError, match="NaN"):
        lasso_path(X, np.full(40, np.nan))


def test_a_warning_of_both_libraries():
    X, y = data(15, 30)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        enet_path(X, y, tol=0.0)
    assert [found.category for found in caught if not issubclass(found.category, exceptions.ConvergenceWarning)] == []
    assert caught and all(found.filename == __file__ for found in caught)
