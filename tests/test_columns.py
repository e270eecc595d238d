"""Columns of X against numpy: every store, storage type and shape, centred and scaled."""

import math

import numpy as np
import pytest
import scipy.sparse as sp

from l1l2fast._dense import DenseC, DenseF
from l1l2fast._sparse import Sparse


def with_long_indices(X):
    X = sp.csc_array(X)
    return sp.csc_array((X.data, X.indices.astype(np.int64), X.indptr.astype(np.int64)), shape=X.shape)


STORES = {
    "F": (DenseF, np.asfortranarray),
    "C": (DenseC, np.ascontiguousarray),
    "csc": (Sparse, sp.csc_array),
    "csc long": (Sparse, with_long_indices),
}
# Square and nearly square (rows must not be taken for columns), one of either, and more than a block of 256.
SHAPES = [(5, 5), (5, 4), (4, 5), (1, 1), (1, 6), (6, 1), (300, 300), (1000, 7), (7, 600), (3, 0)]
every_store = pytest.mark.parametrize("store", STORES)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
every_type = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def make(store, shape, dtype):
    """The store of a matrix X, about half of it zero; X~ = scale (X - mean) written out; X; random numbers."""
    rng = np.random.default_rng(shape)
    X = (rng.standard_normal(shape) * (rng.random(shape) < 0.5)).astype(dtype)
    kind, layout = STORES[store]
    stored = layout(X)
    if not sp.issparse(stored):
        stored.flags.writeable = False
    columns = kind(stored)
    columns.mean[:], columns.scale[:] = rng.standard_normal(shape[1]), rng.uniform(0.5, 2, shape[1])
    X = X.astype(float)
    return columns, (X - columns.mean) * columns.scale, X, rng


@every_store
@every_shape
@every_type
def test_products(store, shape, dtype):
    columns, X, _, rng = make(store, shape, dtype)
    n, p = shape
    v = rng.standard_normal(n)
    np.testing.assert_allclose(columns.sweep(v), X.T @ v, atol=1e-11)
    for used in {0, min(1, p), p // 2, p - (p > 0), p}:
        b = np.zeros(p)
        b[rng.permutation(p)[:used]] = rng.standard_normal(used)
        np.testing.assert_allclose(columns.predict(b), X @ b, atol=1e-11)


@every_store
@every_shape
@every_type
def test_many_vectors_in_one_pass(store, shape, dtype):
    columns, X, _, rng = make(store, shape, dtype)
    R = rng.standard_normal((shape[0], 20))
    for count in (0, 1, 3, 8, 9, 20):
        part = R[:, :count]
        np.testing.assert_allclose(columns.sweep_many(part), X.T @ part, atol=1e-11)
    R.flags.writeable = False
    np.testing.assert_allclose(columns.sweep_many(R), X.T @ R, atol=1e-11)


@every_store
@every_type
@pytest.mark.parametrize("shape", [(40, 30_000), (30_000, 40), (5000, 400), (9000, 1)], ids=str)
def test_threads_change_no_bit(store, dtype, shape):
    """Pieces are cut by the shape alone; all of these have several, but for the last."""
    columns, X, _, rng = make(store, shape, dtype)
    R = rng.standard_normal((shape[0], 11))
    for method, vectors in ((columns.sweep, R[:, 0].copy()), (columns.sweep_many, R)):
        alone = method(vectors)
        np.testing.assert_allclose(alone, X.T @ vectors, atol=1e-9)
        for jobs in (2, 3):
            np.testing.assert_array_equal(method(vectors, n_jobs=jobs), alone)


@every_store
@every_type
@pytest.mark.parametrize("full", [True, False])
def test_columns_far_from_zero_keep_their_digits(store, dtype, full):
    """Mean 1e6, deviations 1: x - mean is formed before it is multiplied, where no entry is an implicit zero."""
    rng = np.random.default_rng(5)
    X = (1e6 + rng.standard_normal((400, 30))).astype(dtype)
    if not full:
        X[::7] = 0
    kind, layout = STORES[store]
    columns = kind(layout(X))
    columns.mean[:] = X.mean(axis=0, dtype=float)
    R, root = rng.standard_normal((400, 9)), rng.uniform(0.5, 2, 400)
    centred = X.astype(float) - columns.mean
    # a sparse column with zeros takes its mean off at the end: products of 1e6 a row, 16 digits each
    size = 1e-11 if full or not store.startswith("csc") else 1e-15 * 1e6 * 400
    np.testing.assert_allclose(columns.sweep_many(R), centred.T @ R, atol=size)
    np.testing.assert_allclose(columns.sweep(R[:, 0].copy()), centred.T @ R[:, 0], atol=size)
    G, Z = np.empty((30, 30)), root[:, None] * centred
    columns.gram(np.arange(30, dtype=np.intp), root, G)
    np.testing.assert_allclose(G, Z.T @ Z, rtol=1e-13, atol=1e-11)


@every_store
@every_shape
@every_type
def test_blocks_and_rows(store, shape, dtype):
    columns, X, _, rng = make(store, shape, dtype)
    n, p = shape
    root = rng.uniform(0, 2, n)
    if p:
        for lo, hi in ((0, n), (n // 2, n), (0, (n + 1) // 2)):
            np.testing.assert_allclose(columns.block(lo, hi, root), (root[:, None] * X)[lo:hi].T, atol=1e-14)
    which = rng.permutation(n)[: (n + 1) // 2]
    np.testing.assert_allclose(columns.rows(which), X[which], atol=1e-14)


@every_store
@every_shape
@every_type
def test_gram_extends_what_is_known(store, shape, dtype):
    columns, X, _, rng = make(store, shape, dtype)
    n, p = shape
    root = rng.uniform(0, 2, n)
    which = rng.permutation(p)[: (p + 1) // 2].astype(np.intp)
    Z = root[:, None] * X[:, which]
    G = np.full((len(which) + 2, len(which) + 2), np.nan)
    for known, size in ((0, len(which) // 2), (len(which) // 2, len(which))):
        columns.gram(which[:size], root, G, known)
        np.testing.assert_allclose(G[:size, :size], Z[:, :size].T @ Z[:, :size], atol=1e-11)


@every_store
@every_shape
@every_type
@pytest.mark.parametrize("centred", [True, False])
def test_first_pass_and_residual(store, shape, dtype, centred):
    columns, _, X, rng = make(store, shape, dtype)
    n, p = shape
    w = rng.uniform(0.1, 1, n)
    w /= w.sum()
    v = rng.standard_normal(n)
    v -= w @ v if centred else 0
    columns.mean[:], columns.scale[:] = 0, 1
    square, slope, _, energy = columns.first_pass(w, v, 0, centred)
    assert energy == pytest.approx(w @ v**2, rel=1e-13)
    mean = w @ X if centred else np.zeros(p)
    np.testing.assert_allclose(columns.mean, mean, atol=1e-12)
    np.testing.assert_allclose(square, w @ (X - mean) ** 2, atol=1e-12)
    np.testing.assert_allclose(slope, (X - mean).T @ (w * v), atol=1e-11)
    b, y = rng.standard_normal(p), rng.standard_normal(n)
    r = y - (X - mean) @ b
    r -= w @ r if centred else 0
    found, theta = columns.residual(y, w, b, centred)
    np.testing.assert_allclose(found, r, atol=1e-11)
    np.testing.assert_allclose(theta, w * r, atol=1e-11)
    *same, slope, energy = columns.fresh(y, w, b, centred)
    np.testing.assert_array_equal(same, [found, theta])
    np.testing.assert_array_equal(slope, columns.sweep(theta))
    assert energy == pytest.approx(w @ r**2, rel=1e-11)


@every_store
@pytest.mark.parametrize("zeros", [0, 1, 4])
def test_a_large_x_may_be_read_once_for_both(store, zeros):
    """Beyond a million numbers, r and X~'(w r) may come from one reading, whatever the means, and with any threads."""
    kind, layout = STORES[store]
    rng = np.random.default_rng(zeros)
    n, p = 220_001, 5
    X = rng.standard_normal((n, p)) + [0, 3, -50, 1e3, 0]
    w, y, b = rng.uniform(0.5, 1.5, n), rng.standard_normal(n), rng.standard_normal(p)
    w /= w.sum()
    b[:zeros] = 0.0
    columns = kind(layout(X))
    columns.first_pass(w, y, 0, True)
    mean, scale = np.array(columns.mean), np.array(columns.scale)
    r = y - (X - mean) * scale @ b
    r -= w @ r
    found, theta, slope, energy = columns.fresh(y, w, b, True)
    again = columns.fresh(y, w, b, True, 2)
    np.testing.assert_allclose(found, r, atol=1e-11)
    np.testing.assert_allclose(theta, w * r, atol=1e-15)
    np.testing.assert_allclose(slope, ((X - mean) * scale).T @ (w * r), atol=1e-10)
    assert energy == pytest.approx(w @ r**2, rel=1e-11)
    for one, other in zip((found, theta, slope), again[:3], strict=True):
        np.testing.assert_array_equal(one, other)


@every_store
@pytest.mark.parametrize("value", [7.0, 0.1, 7.3e8, -1e-8])
def test_a_constant_column_has_no_variance(store, value):
    """Whatever the rounding of its mean, its square is 0 and not a small number of either sign."""
    kind, layout = STORES[store]
    w = np.random.default_rng(0).uniform(0, 1, 50)
    w /= w.sum()
    columns = kind(layout(np.full((50, 2), value)))
    assert not columns.first_pass(w, np.zeros(50), int(w.argmax()), True)[0].any()
    np.testing.assert_allclose(columns.mean, value, rtol=1e-15)


@pytest.mark.parametrize("n", [1, 7, 9, 128, 129, 1000, 100_003])
def test_the_sum_of_a_dual_point_keeps_its_digits(n):
    """X'theta of a column of ones is that sum, to about twenty roundings and one for every doubling of n."""
    columns = DenseF(np.ones((n, 1), order="F"))
    columns.first_pass(np.ones(n), np.zeros(n), 0, True)
    theta = np.random.default_rng(n).uniform(0, 1, n)
    total = columns.unscale(np.zeros(1), np.zeros(1), theta)[2][0]
    assert abs(total - math.fsum(theta)) <= 1.12e-16 * (20 + max(0, math.log2(n / 64))) * theta.sum()
