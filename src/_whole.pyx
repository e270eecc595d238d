"""Small problems of the absolute and the pinball loss in one call: all rows, no penalty, no bounds.

What `absolute` does in steps, each of which costs more than the numbers in a small problem: rows in units of order 1,
the simplex method on all of them, and the certificate.
"""
import numpy as np

from libc.math cimport frexp, ldexp
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from l1l2fast._columns cimport Columns
from l1l2fast._objective cimport Sums, inside
from l1l2fast._scalar cimport clip, near_root
from l1l2fast._signals cimport raise_pending
from l1l2fast._simplex cimport NO_MEMORY, OPTIMAL, PENDING, optimum

cdef extern from "simd.h":
    double l1l2fast_within(double slope, double w) noexcept nogil
    double l1l2fast_line_losses(Py_ssize_t n, const double *y, const double *f, const double *theta, const double *w,
                                double left, double right, double *total, double *square) noexcept nogil
    double l1l2fast_line_slacks(Py_ssize_t n, const double *y, const double *f, const double *theta, const double *w,
                                double left, double right, double s) noexcept nogil

cdef struct Whole:
    Py_ssize_t n, p, k
    double size
    double* X               # p x n: centred, scaled
    double* Z               # n x k: the same over root, and the intercept's ones
    double* y               # over size
    double* left
    double* right
    double* psi
    double* f               # the fit
    double* c               # no linear term: zeros
    double* root
    double* beta
    Py_ssize_t* which       # all columns
    int64_t* basis


cdef size_t lay_out(Whole* s, char* memory) noexcept nogil:
    # the bytes that it takes; pointers if there is memory
    cdef double* numbers = <double*>memory
    s.X = numbers
    s.Z = s.X + s.p * s.n
    s.y = s.Z + s.n * s.k
    s.left = s.y + s.n
    s.right = s.left + s.n
    s.psi = s.right + s.n
    s.f = s.psi + s.n
    s.c = s.f + s.n
    s.root = s.c + s.k
    s.beta = s.root + s.k
    s.which = <Py_ssize_t*>(s.beta + s.k)
    s.basis = <int64_t*>(s.which + s.k)
    return <char*>(s.basis + s.k) - memory


cdef bint set_up(Whole* s, Columns X, Sums sums, const double* start, double level) noexcept nogil:
    # Rows and slopes in units, and beta; False if a column is constant.
    cdef Py_ssize_t i, a, n = s.n, k = s.k
    cdef double w
    memset(s.psi, 0, (2 * n + k) * sizeof(double))  # psi, f, c
    for a in range(k):
        s.which[a] = a
        s.root[a] = near_root(sums.square[a]) if a < s.p else 1.0
        if a < s.p and not sums.square[a] > 0:
            return False
        s.beta[a] = (start[a] if a < s.p else level) * s.root[a] / s.size
    if s.p:
        X.load(0, n, s.which, s.p, NULL, s.X, n)
    for i in range(n):
        w = sums.w[i] * n
        s.y[i], s.left[i], s.right[i] = sums.y[i] / s.size, sums.left * w, sums.right * w
        for a in range(k):
            s.Z[i * k + a] = s.X[a * n + i] / s.root[a] if a < s.p else 1.0
    return True


cdef bint judge(Whole* s, Sums sums, double* b, double* level, double* theta, double* u,
                double margin) noexcept nogil:
    # What beta and psi say in the units of the problem, and whether no row of the basis can leave zero.
    cdef Py_ssize_t i, a, n = s.n
    cdef bint strict = True
    level[0] = 0.0
    for a in range(s.p):
        b[a] = s.beta[a] * (s.size / s.root[a])
        for i in range(n):
            s.f[i] += b[a] * s.X[a * n + i]
    if s.k > s.p:
        level[0] = s.beta[s.p] * s.size
    for i in range(n):
        s.f[i] += level[0]
        theta[i] = clip(s.psi[i] / n, l1l2fast_within(-sums.left, sums.w[i]), l1l2fast_within(sums.right, sums.w[i]))
    for a in range(s.p):
        u[a] = 0.0
        for i in range(n):
            u[a] += s.X[a * n + i] * theta[i]
    for a in range(s.k):
        i = s.basis[a]
        strict = strict and inside(s.psi[i], s.left[i], s.right[i], margin)
    return strict


def whole(Columns X not None, Sums sums not None, const double[::1] start not None, double level, double largest,
          double margin, Py_ssize_t max_pivots):
    """The vertex that the simplex method reaches from `start`, a quantile being the level, all weights being positive.

    Returns (b, level, objective, gap, theta, X~'theta, pivots); None if that is not the only minimiser, or not found.
    """
    cdef Whole s
    cdef Py_ssize_t pivots = 0, n = X.n, p = X.p
    cdef int status = OPTIMAL, exponent = 0
    cdef bint done
    cdef double objective, gap, total = 0.0, square = 0.0
    cdef char* memory
    s.n, s.p, s.k = n, p, p + sums.intercept
    if s.k == 0 or s.k > n:
        return None
    frexp(largest, &exponent)
    s.size = ldexp(0.5, exponent)
    memory = <char*>malloc(lay_out(&s, NULL))
    if memory is NULL:
        raise MemoryError()
    b, u, theta = np.empty(p), np.empty(p), np.empty(n)
    cdef double[::1] b_ = b, u_ = u, theta_ = theta
    try:
        lay_out(&s, memory)
        done = set_up(&s, X, sums, &start[0] if p else NULL, level)
        if done:
            status = optimum(n, s.k, s.Z, s.y, s.left, s.right, s.c, s.beta, s.basis, s.psi, max_pivots, &pivots)
            done = status == OPTIMAL and judge(&s, sums, &b_[0] if p else NULL, &level, &theta_[0],
                                               &u_[0] if p else NULL, margin)
        if done:
            objective = l1l2fast_line_losses(n, &sums.y[0], s.f, &theta_[0], &sums.w[0], sums.left, sums.right, &total,
                                             &square)
            gap = l1l2fast_line_slacks(n, &sums.y[0], s.f, &theta_[0], &sums.w[0], sums.left, sums.right, 1.0)
    finally:
        free(memory)
    if status == NO_MEMORY:
        raise MemoryError()
    if status == PENDING:
        raise_pending()
    if not done:
        return None
    objective, gap, scale = sums.concluded(b_, u_, sums.y, sums.y, theta_, objective, square, total, 0.0, gap, False)
    return (b, level, objective, gap, theta, u, pivots) if scale == 1 else None
