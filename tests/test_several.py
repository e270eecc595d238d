"""Several answers at once: their residuals, and the columns left out of a certificate, against numpy."""

import numpy as np
import pytest
import scipy.sparse as sp
from test_columns import every_shape, every_store, make

from l1l2fast import _validate, path
from l1l2fast._several import correlations, doubtful, exceeding, nearest, reaching, residuals
from l1l2fast.losses import Squared
from l1l2fast.penalties import L1


@every_store
@every_shape
@pytest.mark.parametrize("centred", [False, True])
def test_residuals(store, shape, centred):
    columns, X, _, rng = make(store, shape, np.float64)
    n, p = shape
    y, w = rng.standard_normal(n), rng.uniform(0, 1, n)
    w /= w.sum()
    which = rng.permutation(p)[: p - p // 3]
    rows = rng.standard_normal((3, len(which))) * (rng.random((3, len(which))) < 0.5)
    r, theta = residuals(columns, y, w, which, rows, centred)
    expected = y - rows @ X[:, which].T
    expected -= (expected @ w)[:, None] * centred
    np.testing.assert_allclose(r, expected, atol=1e-11)
    np.testing.assert_allclose(theta, w * expected, atol=1e-11)


@pytest.mark.parametrize("store", ["F", "csc", "csc long"])
@every_shape
def test_correlations_of_some_columns(store, shape):
    columns, X, _, rng = make(store, shape, np.float64)
    n, p = shape
    theta, which = rng.standard_normal((11, n)), rng.permutation(p)[: p // 2]
    G = np.full((p, 11), 7.0)
    correlations(columns, which, theta, G)
    np.testing.assert_allclose(G[which], X[:, which].T @ theta.T, atol=1e-11)
    assert (np.delete(G, which, axis=0) == 7).all()


def texts(n, p, seed):
    """A sparse X whose columns are of very different length, and a y that depends on a few of them."""
    rng = np.random.default_rng(seed)
    X = sp.random(n, p, 0.1, random_state=rng, format="csc") @ sp.diags(1 / np.arange(1.0, p + 1) ** 0.5)
    return sp.csc_array(X), X @ rng.standard_normal(p) + 0.1 * rng.standard_normal(n) + 1


def validated(X, y):
    options = (None, None, None, None, True, None, None, None, False, False, None, 1e-8, 1000, None)
    return _validate.problem(X, y, Squared(), L1(1.0), *options)


@pytest.mark.parametrize("seed", range(5))
def test_no_column_that_matters_is_left_out(seed):
    X, y = texts(60, 500, seed)
    problem = validated(X, y)
    C = X.toarray() - X.mean(axis=0)
    rng = np.random.default_rng(seed)
    known = rng.standard_normal((2, 60))
    known -= known.mean(axis=1)[:, None]
    mixture = rng.standard_normal((9, 2)) * 10.0 ** -rng.integers(0, 3, (9, 1))
    r = mixture @ known + 10.0 ** -rng.integers(1, 12, (9, 1)) * rng.standard_normal((9, 60))
    r -= r.mean(axis=1)[:, None]
    found, reach = nearest(known, r, problem.weight)
    rest = np.sqrt((r - found.T @ known) ** 2 @ problem.weight)
    assert (rest <= reach).all() and (reach <= rest + 1e-13).all()
    best = np.linalg.lstsq(known.T, r.T, rcond=None)[0]
    assert (rest <= np.sqrt((r - best.T @ known) ** 2 @ problem.weight) * (1 + 1e-9) + 1e-14).all()
    G, size, factor = known @ C / 60, np.sqrt(problem.square), rng.uniform(0, 2, 500)
    exact = C.T @ r.T / 60
    for bound in 10.0 ** rng.uniform(-4, 0, (20, 9)):
        doubted = doubtful(np.ascontiguousarray(G), found, reach, size, factor, bound)
        above = (np.abs(exact) > factor[:, None] * bound).any(axis=1)
        assert set(np.flatnonzero(above)) <= set(doubted)
        np.testing.assert_array_equal(exceeding(np.ascontiguousarray(exact), factor, bound), np.flatnonzero(above))


def test_columns_are_left_out_along_a_line():
    """With nothing but a combination of what is known, only the columns at their limit are doubted."""
    X, y = texts(60, 500, 1)
    problem = validated(X, y)
    G = np.stack([problem.slope, 0.5 * problem.slope])
    known = np.stack([problem.y, 0.5 * problem.y + 1e-3 * np.cos(np.arange(60))])
    C, reach = nearest(known, 0.7 * known[:1] + 0.2 * known[1:], problem.weight)
    limit = np.quantile(np.abs(problem.slope), 0.9)
    doubted = doubtful(G, C, reach, np.sqrt(problem.square), np.ones(500), np.array([0.8 * limit]))
    assert len(doubted) == 50


@pytest.mark.parametrize("ahead", [0.0, 2.5])
def test_columns_that_reach_their_kink(ahead):
    rng = np.random.default_rng(3)
    b, g, before = rng.standard_normal((3, 400))
    b[::2] = 0
    square, factor = rng.uniform(0, 1, 400) * (rng.random(400) < 0.9), rng.uniform(0, 2, 400)
    lower, upper = np.where(rng.random(400) < 0.3, 0, -np.inf), np.where(rng.random(400) < 0.3, 0, np.inf)
    mask, merit = reaching(b, g, before, ahead, 0.7, square, factor, lower, upper)
    there = g + ahead * (g - before)
    most = np.maximum(np.where(upper > 0, np.maximum(g, there), 0), np.where(lower < 0, -np.minimum(g, there), 0))
    expected = (most > 0.7 * factor) & (square > 0) & (b == 0)
    np.testing.assert_array_equal(mask, expected)
    np.testing.assert_allclose(merit, ((most - 0.7 * factor) / np.sqrt(np.maximum(square, 1e-300)))[expected])


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("tol", [1e-2, 1e-10])
def test_a_path_on_sparse_data_is_that_on_dense_data(l1_ratio, tol):
    """Dense X is read in full for every alpha, sparse X as far as is needed: the same answers, and true gaps."""
    X, y = texts(100, 700, 7)
    sparse, dense = (path(A, y, l1_ratio=l1_ratio, eps=0.03, tol=tol) for A in (X, np.asfortranarray(X.toarray())))
    assert max(sparse.gap.max(), dense.gap.max()) <= sparse.tolerance * (1 + 1e-12)
    assert np.abs(sparse.objective - dense.objective).max() <= sparse.tolerance
    if tol < 1e-8:
        assert ((sparse.coef != 0) == (dense.coef != 0)).all()
    centred, level = X.toarray() - X.mean(axis=0), y - y.mean()
    for alpha, b, objective, gap in zip(sparse.alphas, sparse.coef.T, sparse.objective, sparse.gap, strict=True):
        if l1_ratio == 1:
            r = level - centred @ b
            scale = min(1.0, alpha / (np.abs(centred.T @ r).max() / 100))
            dual = scale * r @ level / 100 - scale**2 * r @ r / 200
            assert abs(objective - (r @ r / 200 + alpha * np.abs(b).sum())) <= 1e-13 * objective
            assert objective - dual == pytest.approx(gap, rel=1e-6, abs=1e-13)
