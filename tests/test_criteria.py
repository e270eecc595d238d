"""Degrees of freedom, information criteria and leave-one-out residuals, against numpy, scikit-learn and refits."""

import math
import pickle

import numpy as np
import pytest
from data import random_problem
from sklearn.linear_model import LassoLarsIC

from l1l2fast import L1L2, Pinball, cross_validate, path, ridge_path, solve

OPTIONS = {
    "plain": {},
    "no intercept": {"fit_intercept": False},
    "standardize": {"standardize": True},
    "factors": {"penalty_factor": [0.0, 1.0, 2.0, 1.0, 0.5]},
}
every_option = pytest.mark.parametrize("name", OPTIONS)


def data(seed=1, n=40, p=5):
    X, y = random_problem(seed, n, p)
    return X, y, np.random.default_rng(seed).random(n) + 0.2


def hat(X, w, b, alpha, l1_ratio, fit_intercept=True, standardize=False, penalty_factor=1.0):
    """The map from y to the fit as long as the signs stay, in numpy."""
    q, v = w / w.sum(), np.broadcast_to(penalty_factor, X.shape[1]).astype(float)
    if standardize:
        v = v * (q @ (X - q @ X) ** 2)
    which = (b != 0) | (v == 0)
    Z, D = X[:, which], np.diag(alpha * (1 - l1_ratio) * v[which])
    if fit_intercept:
        Z, D = np.column_stack([np.ones(len(w)), Z]), np.pad(D, ((1, 0), (1, 0)))
    return Z @ np.linalg.solve(Z.T @ (q[:, None] * Z) + D, Z.T * q)


@every_option
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
def test_degrees_of_freedom_and_leave_one_out(l1_ratio, name):
    X, y, w = data()
    found = path(X, y, l1_ratio=l1_ratio, n_alphas=6, eps=1e-2, sample_weight=w, tol=1e-13, **OPTIONS[name])
    loo, df = found.leave_one_out(), found.df
    assert loo.shape == (40, 6) and df.shape == (6,)
    for k, alpha in enumerate(found.alphas):
        H = hat(X, w, found.coef[:, k], alpha, l1_ratio, **OPTIONS[name])
        assert df[k] == pytest.approx(np.trace(H), rel=1e-6)
        r = y - found.predict(X)[:, k]
        np.testing.assert_allclose(loo[:, k], r / (1 - np.diag(H)), rtol=1e-4, atol=1e-6)
    if l1_ratio == 1:
        np.testing.assert_allclose(df, (found.coef != 0).sum(0) + (name != "no intercept") + 0.0)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
def test_leave_one_out_is_that_of_refits(l1_ratio):
    """Exact where the support stays; the other rows keep their weights, and alpha its share of them."""
    X, y, w = data(2)
    found = path(X, y, l1_ratio=l1_ratio, alphas=[0.3, 0.02], sample_weight=w, tol=1e-13)
    loo, compared = found.leave_one_out(), 0
    for i in range(0, 40, 3):
        rest = np.arange(40) != i
        for k, alpha in enumerate(found.alphas * w.sum() / w[rest].sum()):
            penalty = L1L2(alpha * l1_ratio, alpha * (1 - l1_ratio))
            one = solve(X[rest], y[rest], penalty=penalty, sample_weight=w[rest], tol=1e-14)
            if (np.sign(one.coef) == np.sign(found.coef[:, k])).all():
                compared += 1
                assert loo[i, k] == pytest.approx(y[i] - one.predict(X[[i]])[0], rel=1e-5, abs=1e-7)
    assert compared >= 20


def test_ridge_is_ridge_path():
    X, y, w = data(3, 20, 30)
    want = ridge_path(X, y, loo=True, sample_weight=w)
    found = path(X, y, l1_ratio=0, alphas=want.alphas, sample_weight=w)
    np.testing.assert_allclose(found.df, want.df, rtol=1e-12)
    np.testing.assert_allclose(found.leave_one_out(), want.loo, rtol=1e-9)
    scores = cross_validate(X, y, l1_ratio=0, alphas=want.alphas, sample_weight=w, cv="loo")
    np.testing.assert_allclose(scores.mean, want.loo_mse, rtol=1e-9)
    assert scores.best_index == want.best


def test_a_row_that_decides_its_own_fit():
    X, y, _ = data(4, 12, 3)
    X[0] = [1e3, 0, 0]
    X[1:, 0] = 0
    loo = path(X, y, alphas=[1e-9]).leave_one_out()
    assert np.isnan(loo[0, 0]) and np.isfinite(loo[1:]).all()
    found = cross_validate(X, y, alphas=[1.0, 1e-9], cv="loo")
    assert found.best_alpha == 1.0 and found.scores.shape == (2, 12)


def test_cross_validation_of_each_row_by_itself():
    X, y, w = data(5)
    w[7] = 0
    for scoring, power in (("deviance", 2), ("mae", 1)):
        found = cross_validate(X, y, cv="loo", sample_weight=w, scoring=scoring, n_alphas=5)
        loo = found.path.leave_one_out()[w > 0]
        np.testing.assert_allclose(found.scores, abs(loo.T) ** power, rtol=1e-9)
        np.testing.assert_allclose(found.mean, w[w > 0] @ abs(loo) ** power / w.sum(), rtol=1e-9)
    with pytest.raises(ValueError, match="loss"):
        cross_validate(X, y, "absolute", cv="loo")


@pytest.mark.parametrize("name", ["aic", "bic"])
def test_against_LassoLarsIC(name):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 8))
    y = X @ [3, -2, 1, 0.5, 0.3, 0.1, 0, 0] + rng.standard_normal(60)
    theirs = LassoLarsIC(name, noise_variance=0.7).fit(X, y)
    # theirs are the alphas at which a column is about to come in
    found = path(X, y, alphas=theirs.alphas_ * (1 + 1e-8), tol=1e-13)
    ours = found.criterion(name, noise_variance=0.7)
    np.testing.assert_allclose(np.diff(ours), np.diff(theirs.criterion_), rtol=1e-6, atol=1e-6)
    assert found.alphas[np.argmin(ours)] == pytest.approx(theirs.alpha_)


@every_option
def test_criteria_by_their_formulas(name):
    X, y, w = data(7)
    found = path(X, y, n_alphas=8, sample_weight=w, tol=1e-13, **OPTIONS[name])
    q, df, n = w / w.sum(), found.df, 40
    rss = n * (q @ (y[:, None] - found.predict(X)) ** 2)
    Z = X if name == "no intercept" else np.column_stack([np.ones(n), X])
    root = np.sqrt(q)
    best = n * np.sum((root * y - root[:, None] * Z @ np.linalg.lstsq(root[:, None] * Z, root * y)[0]) ** 2)
    variance = best / (n - Z.shape[1])
    want = {
        "aic": n * np.log(rss / n) + 2 * df,
        "bic": n * np.log(rss / n) + math.log(n) * df,
        "cp": rss / variance - n + 2 * df,
        "ebic": n * np.log(rss / n)
        + math.log(n) * df
        + 2 * np.log([math.comb(5, k) for k in (found.coef != 0).sum(0)]) * (name != "factors"),
    }
    for rule, values in want.items():
        if (rule, name) != ("ebic", "factors"):
            np.testing.assert_allclose(found.criterion(rule, gamma=1.0), values, rtol=1e-6)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("loss", ["absolute", Pinball(0.7)], ids=str)
def test_losses_made_of_lines(loss, l1_ratio):
    X, y, w = data(8)
    found = path(X, y, loss, l1_ratio=l1_ratio, n_alphas=6, eps=1e-2, sample_weight=w)
    r = y[:, None] - found.predict(X)
    np.testing.assert_array_equal(found.df, (abs(r) < 1e-9 * abs(y).max()).sum(0))
    quantile = 0.5 if loss == "absolute" else 0.7
    mean = w @ np.maximum(quantile * r, (quantile - 1) * r) / w.sum() * (2 if loss == "absolute" else 1)
    np.testing.assert_allclose(found.criterion("aic"), 80 * np.log(mean) + 2 * found.df, rtol=1e-9)
    np.testing.assert_allclose(found.criterion(), 80 * np.log(mean) + np.log(40) * found.df, rtol=1e-9)


def test_far_columns_and_bounds():
    X, y, _ = data(9)
    near = path(X, y, "absolute", n_alphas=5)
    far = path(X + 1e5, y, "absolute", n_alphas=5)
    np.testing.assert_array_equal(far.df, near.df)
    bounded = path(X, y, l1_ratio=0.5, n_alphas=5, upper=0.1)
    inside = ((bounded.coef != 0) & (bounded.coef < 0.1)).sum(0)
    assert (bounded.df <= inside + 1 + 1e-9).all() and (bounded.df >= 1).all()


def test_errors():
    X, y, _ = data(10, 20, 30)
    found = path(X, y, n_alphas=3)
    with pytest.raises(ValueError, match="noise_variance"):
        found.criterion("cp")
    assert found.criterion("cp", noise_variance=1.0).shape == (3,)
    for options, name in (({"name": "dic"}, "name"), ({"gamma": 2}, "gamma"), ({"noise_variance": -1.0}, "noise")):
        with pytest.raises(ValueError, match=name):
            found.criterion(**options)
    other = path(X, y, "absolute", n_alphas=3)
    for ask in (other.leave_one_out, lambda: other.criterion("cp"), lambda: other.criterion(noise_variance=1.0)):
        with pytest.raises(ValueError, match="loss"):
            ask()
    with pytest.raises(ValueError, match="left them behind"):
        pickle.loads(pickle.dumps(found)).criterion()
