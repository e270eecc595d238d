"""Inputs that broke other libraries, 2: weights, bounds, sparse forms, memory layouts."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import scipy.sparse as sp
from cells import LAYOUTS, check, every_cell, quiet_solve, snapshot
from data import random_problem

from l1l2fast import L1


def assert_same(result, other, rel=1e-9):
    """Two fits of the same problem, written differently."""
    assert result.objective == pytest.approx(other.objective, rel=rel)
    np.testing.assert_allclose(result.coef, other.coef, rtol=1e-4, atol=1e-4 * np.max(abs(other.coef), initial=1e-300))


def fit(cell, X, y, **options):
    return quiet_solve(X, y, cell.loss, cell.penalty(), tol=1e-11, **options)


# 6. Weights


@every_cell
@pytest.mark.parametrize("layout", ["F", "csc"])
def test_6_weight_zero_is_a_row_dropped(cell, layout):
    X, y = random_problem(21)
    w = np.where(np.arange(30) % 3 == 0, 0.0, 1.5)
    X[w == 0], y[w == 0] = 1e6, -1e9  # what is not weighed must not be seen
    weighted = fit(cell, LAYOUTS[layout](X), y, sample_weight=w)
    dropped = fit(cell, LAYOUTS[layout](X[w > 0]), y[w > 0])
    assert_same(weighted, dropped)
    assert weighted.tolerance == pytest.approx(dropped.tolerance, rel=1e-9)


@every_cell
@pytest.mark.parametrize("layout", ["F", "csc"])
def test_6_whole_weights_are_rows_repeated(cell, layout):
    X, y = random_problem(21, sparse=True)
    w = np.arange(30) % 4
    weighted = fit(cell, LAYOUTS[layout](X), y, sample_weight=w)
    assert_same(weighted, fit(cell, LAYOUTS[layout](np.repeat(X, w, axis=0)), np.repeat(y, w)))


@every_cell
@pytest.mark.parametrize("scale", [1e307, 1e-307, 5e-324, 3.0], ids="{:g}".format)
def test_6_weights_of_any_size(cell, scale):
    """30 weights of 1e307 have no sum, and of 5e-324 no square."""
    X, y = random_problem(21)
    w = 1.0 + (np.arange(30) % 5 == 0)
    assert_same(fit(cell, X, y, sample_weight=w * scale), fit(cell, X, y, sample_weight=w))


@every_cell
def test_6_scalar_weight(cell):
    X, y = random_problem(21)
    assert_same(fit(cell, X, y, sample_weight=2), fit(cell, X, y))


@every_cell
def test_6_sparse_is_dense(cell):
    X, y = random_problem(22, sparse=True)
    w = np.random.default_rng(0).uniform(0, 1, 30)
    assert_same(fit(cell, sp.csc_array(X), y, sample_weight=w), fit(cell, X, y, sample_weight=w))


@every_cell
def test_6_weights_of_very_different_size(cell):
    X, y = random_problem(22)
    check(cell, X, y, sample_weight=10.0 ** (np.arange(30) % 10 - 5))


# 7. Bounds


@every_cell
@pytest.mark.parametrize(
    "lower, upper",
    [(0.3, 0.3), (0.1, np.inf), (-np.inf, -0.1), (0, 0), (-np.inf, np.inf), (0.5, 0.6), (0, 1e-300), (-1e300, 1e300)],
)
def test_7_bounds(cell, lower, upper):
    X, y = random_problem(23)
    result = check(cell, X, y, lower=lower, upper=upper)
    assert np.all((lower <= result.coef) & (result.coef <= upper))


@every_cell
def test_7_bounds_hold_to_the_last_bit(cell):
    """Standardising multiplies and divides by an sd; a coefficient on its bound is on it nevertheless."""
    X, y = random_problem(23)
    for digit in range(1, 10):
        lower, upper = -digit / 100, digit / 1000
        result = fit(cell, X, y, lower=lower, upper=upper, standardize=True)
        assert lower <= result.coef.min() and result.coef.max() <= upper
        assert np.any((result.coef == lower) | (result.coef == upper))


@every_cell
def test_7_positive_is_a_lower_bound_of_zero(cell):
    X, y = random_problem(23)
    y = y - 3 * X[:, 1]
    positive, bounded = fit(cell, X, y, positive=True), fit(cell, X, y, lower=0)
    assert np.array_equal(positive.coef, bounded.coef) and positive.objective == bounded.objective
    assert np.all(positive.coef >= 0)
    assert not np.all(fit(cell, X, y).coef >= 0)
    assert np.all(fit(cell, X, y, positive=True, lower=-1, upper=0.01).coef <= 0.01)


def test_7_positive_lasso_at_its_own_alpha_max():
    """With b >= 0 it is max x'y, without the absolute value, that empties the model."""
    X, y = random_problem(23)
    X[:, 0] *= -1
    slope = (X - X.mean(0)).T @ (y - y.mean()) / 30
    alpha = slope.max()
    assert abs(slope).max() > 1.01 * alpha > 0
    assert not quiet_solve(X, y, penalty=L1(alpha * (1 + 1e-9)), positive=True).coef.any()
    assert quiet_solve(X, y, penalty=L1(alpha * 0.99), positive=True).coef.any()
    assert quiet_solve(X, y, penalty=L1(alpha * (1 + 1e-9))).coef.any()


# 8. Sparse forms


def unsorted(X):
    X = sp.csc_array(X)
    for start, stop in zip(X.indptr[:-1], X.indptr[1:]):
        X.indices[start:stop], X.data[start:stop] = X.indices[start:stop][::-1].copy(), X.data[start:stop][::-1].copy()
    X.has_sorted_indices = False
    return X


def doubled(X):
    """Each entry twice, half as large; the flag does not say so."""
    X = sp.csc_array(X)
    twice = sp.csc_array((np.repeat(X.data, 2) / 2, np.repeat(X.indices, 2), 2 * X.indptr), shape=X.shape)
    twice.has_canonical_format = False
    return twice


def long_indices(X):
    X = sp.csc_array(X)
    return sp.csc_array((X.data, X.indices.astype(np.int64), X.indptr.astype(np.int64)), shape=X.shape)


def explicit_zeros(X):
    rows, cols = np.indices(X.shape)
    return sp.csc_array((X.ravel(), (rows.ravel(), cols.ravel())), shape=X.shape)


def read_only(X):
    X = sp.csc_array(X)
    for part in (X.data, X.indices, X.indptr):
        part.flags.writeable = False
    return X


SPARSE = {
    "int64": long_indices,
    "unsorted": unsorted,
    "duplicates": doubled,
    "explicit zeros": explicit_zeros,
    "read-only": read_only,
    "csr": sp.csr_array,
    "coo": sp.coo_array,
    "csc_matrix": sp.csc_matrix,
    "csr_matrix": sp.csr_matrix,
    "coo_matrix": sp.coo_matrix,
    "lil": sp.lil_array,
    "dok": sp.dok_array,
    "bsr": sp.bsr_array,
    "csr unsorted": lambda X: sp.csr_array(unsorted(X.T).T),
    "dia": sp.dia_array,
    "csr duplicates": lambda X: sp.csr_array(doubled(X.T).T),
    "csr read-only": lambda X: sp.csr_array(read_only(X.T).T),
}


@every_cell
@pytest.mark.parametrize("form", SPARSE)
def test_8_sparse_forms(cell, form):
    X, y = random_problem(24, sparse=True)
    X[4] = 0  # an empty row and an empty column
    X[:, 2] = 0
    S = SPARSE[form](X)
    parts = snapshot(S) if hasattr(S, "indptr") else [S.toarray().tobytes()]
    assert_same(fit(cell, S, y), fit(cell, X, y))
    assert parts == (snapshot(S) if hasattr(S, "indptr") else [S.toarray().tobytes()])


@every_cell
@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.int64, np.float32, np.float16, np.longdouble, ">f8"])
@pytest.mark.parametrize("make", [sp.csc_array, sp.csr_array, np.asarray])
def test_8_and_9_number_types(cell, dtype, make):
    """Small whole numbers are the same number in every type."""
    if make is not np.asarray and np.dtype(dtype) in (np.dtype(np.float16), np.dtype(">f8")):
        make = np.asfortranarray  # scipy.sparse has no such types
    rng = np.random.default_rng(25)
    X = rng.integers(0, 2, (30, 5))
    y = X @ [3, 0, 1, 0, 2] + rng.standard_normal(30)
    assert_same(fit(cell, make(X.astype(dtype)), y), fit(cell, X.astype(float), y))


def test_8_more_entries_than_an_int_counts():
    """n * p = 2^32 and rows beyond 2^31 in a sparse X: the index arithmetic, with next to no memory."""
    p = 70_000
    rows = np.array([0, 1, 2, 65_000], dtype=np.int64)
    X = sp.csc_array((np.ones(4), (rows, np.array([0, 1, p - 1, p - 1]))), shape=(65_536, p))
    y = np.zeros(65_536)
    y[[0, 65_000]] = 65_536.0
    result = quiet_solve(X, y, penalty=L1(0.1), fit_intercept=False)
    assert np.flatnonzero(result.coef).tolist() == [0, p - 1]
    assert result.coef[0] == pytest.approx(65_536 * 0.9)
    assert result.coef[-1] == pytest.approx(65_536 * 0.9 / 2)


# 9. Layout


def strided(X):
    """Every second column of a wider array, backwards."""
    wide = np.zeros((X.shape[0], 2 * X.shape[1]))
    view = wide[:, ::2][:, ::-1]
    view[:] = X
    return view


def frozen(X):
    X = np.array(X, order="F")
    X.flags.writeable = False
    return X


def unaligned(X):
    raw = np.zeros(X.size * 8 + 1, dtype=np.uint8)[1:].view(float).reshape(X.shape)
    raw[:] = X
    return raw


DENSE = {
    "read-only": frozen,
    "strided": strided,
    "upside down": lambda X: np.ascontiguousarray(X[::-1])[::-1],
    "unaligned": unaligned,
    "big-endian": lambda X: X.astype(">f8"),
    "longdouble": lambda X: X.astype(np.longdouble),
    "object": lambda X: X.astype(object),
    "list": lambda X: X.tolist(),
    "tuple of arrays": tuple,
    "3 of 9 columns": lambda X: np.hstack([X, X])[:, : X.shape[1]],
}


@every_cell
@pytest.mark.parametrize("form", DENSE)
def test_9_dense_forms(cell, form):
    X, y = random_problem(26)
    given = DENSE[form](X)
    before = np.array(given).tobytes()
    assert_same(fit(cell, given, y), fit(cell, X, y))
    assert np.array(given).tobytes() == before


@every_cell
@pytest.mark.parametrize("order", ["C", "F"])
def test_9_memmap(cell, order, tmp_path):
    X, y = random_problem(26)
    file = tmp_path / "X.bin"
    stored = np.memmap(file, dtype=float, mode="w+", shape=X.shape, order=order)
    stored[:] = X
    stored.flush()
    assert_same(fit(cell, np.memmap(file, dtype=float, mode="r", shape=X.shape, order=order), y), fit(cell, X, y))


@every_cell
def test_9_data_frame(cell):
    pd = pytest.importorskip("pandas")
    X, y = random_problem(26)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    before = frame.copy()
    assert_same(fit(cell, frame, pd.Series(y)), fit(cell, X, y))
    assert_same(fit(cell, frame.convert_dtypes(), y), fit(cell, X, y))
    assert frame.equals(before)


@every_cell
@pytest.mark.parametrize(
    "form",
    [
        list,
        np.asfortranarray,
        lambda v: v[:, None],
        lambda v: v[::-1].copy()[::-1],
        frozen,
        lambda v: v.astype(">f8"),
        lambda v: v.astype(object),
    ],
)
def test_9_forms_of_y_and_the_other_vectors(cell, form):
    X, y = random_problem(26)
    w, factors = 1.0 + np.arange(30) % 3, np.array([1, 2, 0.5, 1, 1, 1])
    vectors = {"sample_weight": w, "offset": y / 7, "penalty_factor": factors, "upper": factors, "lower": -factors}
    one_d = form if form(y) is not None and np.ndim(form(y)) == 1 else np.asarray
    given = {name: one_d(value) for name, value in vectors.items()}
    assert_same(fit(cell, X, form(y), **given), fit(cell, X, y, **vectors))
    assert all(np.array_equal(given[name], vectors[name]) for name in vectors)


MEMORY = """
import resource, sys
import numpy as np, scipy.sparse as sp
from l1l2fast import L1, solve

layout, dtype = sys.argv[1], np.dtype(sys.argv[2])
n, p = 4000, 6000
rng = np.random.default_rng(0)
if layout == "csc":
    data = rng.standard_normal(n * p // 4, dtype=dtype)
    indices = np.tile(np.arange(0, n, 4, dtype=np.int32), p)
    X = sp.csc_array((data, indices, np.arange(0, n * p // 4 + 1, n // 4, dtype=np.int32)), shape=(n, p))
    size = data.nbytes + indices.nbytes
else:
    X = np.empty((p, n), dtype=dtype).T if layout == "F" else np.empty((n, p), dtype=dtype)
    rng.standard_normal(out=X if layout == "C" else X.T, dtype=dtype)
    X.flags.writeable = False
    size = X.nbytes
y = X[:, [5]].toarray().ravel() * 3.0 if layout == "csc" else 3.0 * X[:, 5] - 2 * X[:, 9]
y = np.asarray(y, dtype=float) + rng.standard_normal(n)
solve(X[:50, :20].copy(), y[:50], penalty=L1(0.5))  # imports and buffers that come once
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
before = peak()
result = solve(X, y, penalty=L1(0.15), tol=1e-6)
assert 1 <= np.count_nonzero(result.coef) < 100
print((peak() - before) / size)
"""


@pytest.mark.parametrize("layout, dtype", [("F", "f8"), ("C", "f8"), ("F", "f4"), ("C", "f4"), ("csc", "f8")])
def test_9_peak_memory(layout, dtype):
    """A lasso on 100 to 200 MB of read-only X takes less than 5 % of it on top."""
    pytest.importorskip("resource")  # POSIX
    command = [sys.executable, "-P", "-c", textwrap.dedent(MEMORY), layout, dtype]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.05
