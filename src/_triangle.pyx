"""Orthogonal factorisation of scaled columns, one call a step: fold rows, pivot, solve with the triangle.

All matrices are Fortran-ordered for LAPACK; every right-hand side is one column.
"""
include "_blas_int.pxi"

import numpy as np

from libc.math cimport fabs, sqrt
from libc.stdlib cimport free, malloc
from scipy.linalg.cython_lapack cimport dgeqp3, dormqr, dtrtrs

from l1l2fast._columns cimport Columns

cdef double EPS = 2.220446049250313e-16


def frame(const double[::1] square not None, const double[::1] d not None, const Py_ssize_t[::1] live not None):
    """Scales that make the columns `live` of [X~; diag(sqrt(d))] of length 1, and the scaled lower part, if any."""
    cdef Py_ssize_t a, k = live.shape[0], ridge = 0
    for a in range(k):
        if d[live[a]] > 0:
            ridge = k
    scale, below = np.empty(k), np.zeros((k + 1, ridge)).T
    cdef double[::1] scale_ = scale
    cdef double[::1, :] o = below
    for a in range(k):
        scale_[a] = 1 / sqrt(square[live[a]] + d[live[a]])
        if ridge:
            o[a, a] = sqrt(d[live[a]]) * scale_[a]
    return scale, below


def stack(const double[:, :] above not None, Columns X not None, Py_ssize_t lo, Py_ssize_t hi,
          const Py_ssize_t[::1] live not None, const double[::1] scale not None, const double[::1] root not None,
          const double[::1] y not None):
    """[above; diag(root) [X~ scale, y]] for the rows lo:hi and the columns `live`."""
    cdef Py_ssize_t a, i, k = live.shape[0], top = above.shape[0], m = top + hi - lo
    out = np.empty((m, k + 1), order="F")
    cdef double[::1, :] o = out
    if m == 0:
        return out
    with nogil:
        if hi > lo and k > 0:
            X.load(lo, hi, &live[0], k, &root[0], &o[0, 0] + top, m)
        for a in range(k + 1):
            for i in range(top):
                o[i, a] = above[i, a]
            for i in range(top, m):
                o[i, a] = root[lo + i - top] * y[lo + i - top] if a == k else o[i, a] * scale[a]
    return out


def pivoted(double[::1, :] A not None, double small):
    """Factorise all columns but the last in place, A P = Q R, and turn the last one into Q'y.

    Returns (P as an array of column numbers, rank, whether R is safely regular): R has its diagonal sorted,
    entries below `small` of the first count as zero.
    """
    cdef blas_int m = <blas_int>A.shape[0], k = <blas_int>(A.shape[1] - 1), one = 1, info, length = 64 * (k + 1)
    cdef blas_int least = min(m, k)
    cdef Py_ssize_t a, rank = 0
    cdef double* memory = <double*>malloc((length + k) * sizeof(double) + k * sizeof(blas_int))
    cdef blas_int* order
    if memory is NULL:
        raise MemoryError()
    pivot = np.empty(k, dtype=np.intp)
    cdef Py_ssize_t[::1] pivot_ = pivot
    with nogil:
        order = <blas_int*>(memory + length + k)
        for a in range(k):
            order[a] = 0
        dgeqp3(&m, &k, &A[0, 0], &m, order, memory + length, memory, &length, &info)
        dormqr("L", "T", &m, &one, &least, &A[0, 0], &m, memory + length, &A[0, k], &m, memory, &length, &info)
        for a in range(k):
            pivot_[a] = order[a] - 1
        for a in range(least):
            rank += fabs(A[a, a]) > small * fabs(A[0, 0])
        free(memory)
    return pivot, rank, rank == k and fabs(A[k - 1, k - 1]) > 1e-6 * fabs(A[0, 0])


def back(double[::1, :] R not None, const Py_ssize_t[::1] pivot not None, const Py_ssize_t[::1] live not None,
         const double[::1] scale not None, const double[:] z not None, Py_ssize_t p):
    """b of p entries, zero but for b[live[pivot]] = scale[pivot] R^-1 z."""
    cdef blas_int k = <blas_int>pivot.shape[0], lead = <blas_int>R.shape[0], one = 1, info
    cdef Py_ssize_t a
    b, x = np.zeros(p), np.empty(k)
    cdef double[::1] b_ = b, x_ = x
    for a in range(k):
        x_[a] = z[a]
    dtrtrs("U", "N", "N", &k, &one, &R[0, 0], &lead, &x_[0], &k, &info)
    for a in range(k):
        b_[live[pivot[a]]] = scale[pivot[a]] * x_[a]
    return b


def forth(double[::1, :] R not None, const Py_ssize_t[::1] pivot not None, const Py_ssize_t[::1] live not None,
          const double[::1] scale not None, const double[::1] rho not None, Py_ssize_t rank):
    """R'^-1 z with z = (scale rho[live])[pivot] and the leading `rank` rows and columns of R."""
    cdef blas_int k = <blas_int>rank, lead = <blas_int>R.shape[0], one = 1, info
    cdef Py_ssize_t a
    z = np.empty(rank)
    cdef double[::1] z_ = z
    for a in range(k):
        z_[a] = scale[pivot[a]] * rho[live[pivot[a]]]
    dtrtrs("U", "T", "N", &k, &one, &R[0, 0], &lead, &z_[0], &k, &info)
    return z
