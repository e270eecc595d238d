"""Coordinate descent passes over a quadratic plus a penalty, in Gram and in residual form.

    1/2 |z - X b|_w^2 + sum_j factor_j pen(b_j),   lower <= b <= upper

Each move minimises over one coefficient exactly, with the penalty's proximal map
(soft thresholding for L1). Friedman, Hastie, Hoefling and Tibshirani (2007).
"""
import numpy as np

from libc.math cimport fabs

from l1l2fast._blas cimport axpy
from l1l2fast._columns cimport Columns


cdef double gram_epoch(Penalty penalty, const Py_ssize_t *turn, Py_ssize_t count, Py_ssize_t k,
                       const double *G, Py_ssize_t ld, double *q, double *b, const double *factor,
                       const double *lower, const double *upper, double *energy, Py_ssize_t *moves) noexcept nogil:
    cdef Py_ssize_t a, j
    cdef double h, new, change, total = 0.0, fall = 0.0
    for a in range(count):
        j = turn[a]
        h = G[j * ld + j]
        if h <= 0:
            continue
        new = coordinate(penalty, b[j], q[j], h, factor[j], lower[j], upper[j])
        change = new - b[j]
        if change != 0:
            b[j] = new
            fall += change * (2 * q[j] - h * change)
            axpy(k, -change, G + j * ld, q)
            total += h * change * change
            moves[0] += 1
    energy[0] -= fall
    return total


def residual_epochs(Columns X not None, const Py_ssize_t[::1] which not None, const double[::1] w not None,
                    double[::1] v not None, double[::1] b not None, const double[::1] square not None,
                    Penalty penalty not None, const double[::1] factor not None, const double[::1] lower not None,
                    const double[::1] upper not None, double tol, Py_ssize_t max_epochs):
    """Passes over the columns `which` in residual form: v = w (z - X~ b) is kept, no Gram is formed.

    square is the diagonal sum_i w_i x~_ij^2. Stops when a pass changes b by sum_j square_j
    (change_j)^2 <= tol. Returns the number of passes and that last sum.
    """
    cdef Py_ssize_t epoch = 0, a, j, i, after
    cdef double total = 0.0, slope, change, new, moved = 0.0
    if which.shape[0] == 0 or v.shape[0] == 0:
        return 0, 0.0
    cdef bint equal = X.sparse and fabs(w[0] * v.shape[0] - 1) < 1e-12
    with nogil:
        for i in range(v.shape[0]):
            total += v[i]
            equal = equal and w[i] == w[0]
        while epoch < max_epochs:
            epoch += 1
            moved = 0.0
            slope = X.dot(which[0], &v[0], total)
            for a in range(which.shape[0]):
                j = which[a]
                after = which[a + 1 if a + 1 < which.shape[0] else a]
                X.expect(after)
                change = 0.0
                if square[j] > 0:
                    new = coordinate(penalty, b[j], slope, square[j], factor[j], lower[j], upper[j])
                    change = new - b[j]
                if change != 0:
                    b[j] = new
                    moved += square[j] * change * change
                    slope = X.move(j, -change, NULL if equal else &w[0], &v[0], &total, after)
                else:
                    slope = X.dot(after, &v[0], total)
            if moved <= tol:
                break
    return epoch, moved


def slopes(Columns X not None, const Py_ssize_t[::1] which not None, const double[::1] v not None):
    """X~_J'v for the columns J = `which`."""
    cdef Py_ssize_t a, i
    cdef double total = 0.0
    out = np.empty(which.shape[0])
    cdef double[::1] g = out
    if which.shape[0] == 0 or v.shape[0] == 0:
        return np.zeros(which.shape[0])
    with nogil:
        for i in range(v.shape[0]):
            total += v[i]
        for a in range(which.shape[0]):
            g[a] = X.dot(which[a], &v[0], total)
    return out
