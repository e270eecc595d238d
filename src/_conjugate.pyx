"""Conjugate gradients on the support, for columns too many for their Gram matrix.

    1/2 |z - X b|_w^2 + sum_j factor_j pen(b_j),   lower <= b <= upper,   v = w (z - X~ b)

Off kinks and bounds the problem is smooth, there a parabola if pen is one, and an iteration reads its columns
twice (Hestenes and Stiefel, 1952), preconditioned by the diagonal. As in Newton's steps, what would cross a kink or
a bound is stopped there, and the step is then as long as is best.
"""
import numpy as np

from libc.math cimport INFINITY

from l1l2fast._blas cimport axpy, dot
from l1l2fast._columns cimport Columns
from l1l2fast._penalties cimport Penalty
from l1l2fast._scalar cimport clip
from l1l2fast._signals cimport interrupted, raise_pending


cdef enum:
    HOLDS = 4  # times that coefficients are held at a kink or a bound


cdef struct Piece:
    # the k columns J of the support, A = X~_J'WX~_J + diag(bend), and the diagonal of A
    Py_ssize_t k
    Py_ssize_t n
    Py_ssize_t *J
    const double *w
    double *bend
    double *size


cdef Py_ssize_t find(const Py_ssize_t[::1] which, const double[::1] b, const double[::1] square, Penalty penalty,
                     const double[::1] factor, const double[::1] lower, const double[::1] upper,
                     Piece *s) noexcept nogil:
    cdef Py_ssize_t a, j
    s.k = 0
    for a in range(which.shape[0]):
        j = which[a]
        if lower[j] < b[j] < upper[j] and square[j] > 0 and (factor[j] == 0 or penalty.smooth(b[j])):
            s.J[s.k] = j
            s.bend[s.k] = factor[j] * penalty.curvature(b[j]) if factor[j] > 0 else 0.0
            s.size[s.k] = square[j] + s.bend[s.k]
            s.k += 1
    return s.k


cdef double multiply(Columns X, Piece *s, const double *d, double *a, double *u) noexcept nogil:
    """a = A d, u = W X~ d up to a multiple of w; returns the sum of u."""
    cdef Py_ssize_t c
    cdef double total = 0.0
    for c in range(s.n):
        u[c] = 0.0
    for c in range(s.k):
        if d[c] != 0:
            total += X.axpy(s.J[c], d[c], s.w, u)
    for c in range(s.k):
        a[c] = X.dot(s.J[c], u, total) + s.bend[c] * d[c]
    return total


cdef double size_of(Piece *s, const double *r) noexcept nogil:
    # the squares of r, by A's diagonal
    cdef Py_ssize_t c
    cdef double total = 0.0
    for c in range(s.k):
        total += r[c] * r[c] / s.size[c]
    return total


cdef Py_ssize_t iterate(Columns X, Piece *s, double enough, Py_ssize_t most, double *r, double *d, double *p,
                        double *a, double *u) noexcept nogil:
    """d brought nearer to A d = r_0, r being r_0 - A d, until the squares of r, by A's diagonal, are `enough`.

    Where the diagonal is infinite, d stays as it is.
    """
    cdef Py_ssize_t c, count = 0
    cdef double now = size_of(s, r), before, length, bent
    for c in range(s.k):
        p[c] = r[c] / s.size[c]
    while now > enough and count < most:
        multiply(X, s, p, a, u)
        bent = dot(s.k, p, a)
        count += 1
        if not bent > 0:
            break  # no curvature left
        length = now / bent
        axpy(s.k, length, p, d)
        axpy(s.k, -length, a, r)
        before, now = now, size_of(s, r)
        for c in range(s.k):
            p[c] = r[c] / s.size[c] + now / before * p[c]
    return count


cdef Py_ssize_t stop(Piece *s, Penalty penalty, const double *b, const double *factor, const double *lower,
                     const double *upper, double *d) noexcept nogil:
    """The way d ends at kinks and bounds, where it is held from now on; returns how many that are new."""
    cdef Py_ssize_t c, j, count = 0
    cdef double new
    for c in range(s.k):
        j = s.J[c]
        new = clip(b[j] + d[c], lower[j], upper[j])
        if new * b[j] < 0 and factor[j] > 0 and not penalty.smooth(0.0):
            new = 0.0
        if new != b[j] + d[c] and s.size[c] < INFINITY:
            s.size[c] = INFINITY
            count += 1
        d[c] = new - b[j]
    return count


def support_step(Columns X not None, const Py_ssize_t[::1] which not None, const double[::1] w not None,
                 double[::1] v not None, double[::1] b not None, const double[::1] square not None,
                 Penalty penalty not None, const double[::1] factor not None, const double[::1] lower not None,
                 const double[::1] upper not None, double tol, Py_ssize_t most):
    """One step of Newton's method on those of the columns `which` that stand free, b and v brought up to date.

    Arguments as in `residual_epochs`; tol is the part of the squared slopes that may be left. Returns the number of
    iterations, each about as much as an epoch, and by how much the objective fell.
    """
    cdef Piece s
    cdef Py_ssize_t c, j, count = 0, k = which.shape[0], _round
    cdef double total = 0.0, slope, bent, fall, enough, t
    if k == 0 or v.shape[0] == 0:
        return 0, 0.0
    cdef Py_ssize_t[::1] J = np.empty(k, dtype=np.intp)
    cdef double[:, ::1] work = np.empty((7, k))
    cdef double[::1] u = np.empty(v.shape[0])
    cdef double *r = &work[2, 0]
    cdef double *d = &work[3, 0]
    cdef double *first = &work[6, 0]
    s.n, s.J, s.w, s.bend, s.size = v.shape[0], &J[0], &w[0], &work[0, 0], &work[1, 0]
    with nogil:
        for c in range(s.n):
            total += v[c]
        find(which, b, square, penalty, factor, lower, upper, &s)
        for c in range(s.k):
            j = s.J[c]
            r[c] = X.dot(j, &v[0], total) - (factor[j] * penalty.derivative(b[j]) if factor[j] > 0 else 0.0)
            first[c] = r[c]
            d[c] = 0.0
        enough = tol * size_of(&s, r)
        for _round in range(HOLDS):
            count += iterate(X, &s, enough, most - count, r, d, &work[4, 0], &work[5, 0], &u[0])
            if stop(&s, penalty, &b[0], &factor[0], &lower[0], &upper[0], d) == 0 or count >= most:
                break
            multiply(X, &s, d, &work[5, 0], &u[0])  # what is held there may move others
            for c in range(s.k):
                r[c] = first[c] - work[5, c]
    if interrupted():
        raise_pending()
    with nogil:
        multiply(X, &s, d, &work[5, 0], &u[0])
        slope = dot(s.k, d, first)
        bent = dot(s.k, d, &work[5, 0])
        t = min(1.0, slope / bent) if slope > 0 and bent > 0 else 0.0
        fall = t * slope - t * t * bent / 2
        if t > 0:
            for c in range(s.k):
                b[s.J[c]] += t * d[c]
            axpy(s.n, -t, &u[0], &v[0])
    return count, fall
