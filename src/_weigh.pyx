"""Weighted sums of a few columns of X: means, squares, slopes and the Gram matrix, in as few reads as it takes.

The weights w are those of a parabola, not those by which the columns are centred.
"""
import numpy as np

from libc.math cimport fabs, sqrt

from l1l2fast._blas cimport gemv, mirror, syrk
from l1l2fast._columns cimport Columns
from l1l2fast._signals cimport interrupted, raise_pending

cdef enum:
    NUMBERS = 1 << 17  # in a block of rows, a megabyte, and at least so many rows
    ROWS = 256
    FEW = 8  # a C-ordered X is read as it lies unless the columns are fewer than its p by that factor


def weigh(Columns X not None, const Py_ssize_t[::1] which not None, const double[::1] w not None,
          const double[::1] v not None):
    """x~_j'w, sum w x~_j^2 and x~_j'v for the given columns: shape (3, k)."""
    cdef Py_ssize_t a, i, c, k = which.shape[0]
    cdef double all_w = 0.0, all_v = 0.0
    cdef double[3] one
    if X.by_rows() and FEW * k > X.p:
        scale = X.scale[which]
        return X.moments(w, v, X.mean)[:, which] * np.array([scale, scale * scale, scale])
    out = np.empty((3, k))
    cdef double[:, ::1] o = out
    with nogil:
        for i in range(X.n):
            all_w += w[i]
            all_v += v[i]
        for a in range(k):
            X.weigh_one(which[a], &w[0], &v[0], all_w, all_v, one)
            for c in range(3):
                o[c, a] = one[c]
    if interrupted():
        raise_pending()
    return out


def gram_and_sums(Columns X not None, const Py_ssize_t[::1] which not None, const double[::1] w not None,
                  const double[::1] v not None, double[:, ::1] G not None):
    """G = X~_J' diag(w) X~_J, all of it; returns X~_J'w and X~_J'v. One read of the columns J, if X is dense."""
    root, first, slope = np.sqrt(w), np.zeros(which.shape[0]), np.zeros(which.shape[0])
    cdef Py_ssize_t k = which.shape[0], lo, m, a, i, ld = G.shape[1]
    cdef const double[::1] r = root
    cdef double[::1] first_ = first, slope_ = slope
    if k == 0:
        return first, slope
    if X.sparse:
        X.gram(which, root, G)
        first, _, slope = weigh(X, which, w, v)
        return first, slope
    cdef Py_ssize_t rows = min(max(ROWS, NUMBERS // k), X.n)
    cdef double[::1] block = np.empty(k * rows)
    G[:k, :k] = 0.0
    for lo in range(0, X.n, rows):
        m = min(rows, X.n - lo)
        with nogil:
            X.load(lo, lo + m, &which[0], k, NULL, &block[0], m)
            gemv(k, m, 1.0, &block[0], m, &v[lo], &slope_[0])
            gemv(k, m, 1.0, &block[0], m, &w[lo], &first_[0])
            for a in range(k):
                for i in range(m):
                    block[a * m + i] *= r[lo + i]
            syrk(k, m, 1.0, &block[0], m, &G[0, 0], ld)
        if interrupted():
            raise_pending()
    mirror(k, 0, &G[0, 0], ld)
    return first, slope


def add_rows(Columns X not None, const Py_ssize_t[::1] which not None, const Py_ssize_t[::1] rows not None,
             const double[::1] change not None, double[:, ::1] G not None):
    """G += sum over rows i of change_i x~_i x~_i' over the given columns, for a dense X."""
    cdef Py_ssize_t k = which.shape[0], m = rows.shape[0], ld = G.shape[1], a, c, count, _sign
    if k == 0 or m == 0:
        return
    cdef double sign, root
    cdef double[::1] block = np.empty(k * m), part = np.empty(k * m)
    with nogil:
        X.load_rows(&rows[0], m, &which[0], k, &block[0], m)
        for _sign in range(2):
            sign, count = 1.0 - 2.0 * _sign, 0
            for c in range(m):
                if sign * change[c] > 0:
                    root = sqrt(fabs(change[c]))
                    for a in range(k):
                        part[a * m + count] = root * block[a * m + c]
                    count += 1
            if count:
                syrk(k, count, sign, &part[0], m, &G[0, 0], ld)
    mirror(k, 0, &G[0, 0], ld)
