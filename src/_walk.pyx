"""Along decreasing strengths of the penalty, on one working set in Gram form.

    minimise  1/2 |z - X b|_w^2 + t sum_j factor_j pen(b_j),   lower <= b <= upper,   t = t_0 > t_1 > ...

Between two changes of the support the lasso's b is linear in t (Osborne, Presnell and Turlach, 2000),
and q = X'w r with it: the next point is predicted from the last two, for nothing, and then solved.
"""
import numpy as np

from libc.string cimport memcpy

from l1l2fast._blas cimport axpy
from l1l2fast._newton cimport PENDING, Quadratic, minimise_quadratic, settle, small_gap
from l1l2fast._objective cimport Sums
from l1l2fast._penalties cimport Penalty
from l1l2fast._scalar cimport clip
from l1l2fast._signals cimport interrupted, raise_pending

cdef enum:
    FEW = 300  # with so few coefficients a hundredth of the gap costs nothing, and early on the error is the gap


cdef double predict(Penalty penalty, Quadratic *s, double ahead, const double *b, const double *q,
                    const double *b_before, const double *q_before) noexcept nogil:
    """s.b, s.q = the line through the last two points, `ahead` steps on; returns how far |z - X b|^2 falls."""
    cdef Py_ssize_t j
    cdef double new, fall = 0.0
    for j in range(s.k):
        s.b[j] = b[j] + ahead * (b[j] - b_before[j])
        s.q[j] = q[j] + ahead * (q[j] - q_before[j])
    for j in range(s.k):
        new = clip(s.b[j], s.lower[j], s.upper[j])
        if new * b[j] < 0 and s.factor[j] != 0 and not penalty.smooth(0.0):
            new = 0.0
        if new != s.b[j]:
            axpy(s.k, s.b[j] - new, s.G + j * s.ld, s.q)
            s.b[j] = new
    for j in range(s.k):
        fall += (s.b[j] - b[j]) * (s.q[j] + q[j])
    return fall


cdef void gather(Py_ssize_t k, const Py_ssize_t *which, const double *x, double factor, double *out) noexcept nogil:
    cdef Py_ssize_t c
    for c in range(k):
        out[c] = factor * x[which[c]]


def walk(Sums sums not None, double[:, ::1] G not None, const Py_ssize_t[::1] which not None, before, point,
         const double[::1] strength not None, double[:, ::1] B not None, double[:, ::1] sizes not None, double enough,
         double budget, Py_ssize_t max_epochs, double[::1] work not None):
    """Fill the rows of B with b on the columns `which`, one for each strength, from two points on.

    The rows of sizes become |r|_w^2 and the duality gap over these columns, as far as the Gram matrix tells.

    A point is (strength, b, g = X~'(w r), |r|_w^2), `before` may be None; `enough` is the gap asked for,
    len(work) >= k^2 + 16 k. Stops once the work of one strength passes `budget` (see _newton.pxd).
    Returns (epochs, strengths done).
    """
    cdef Quadratic s
    cdef Py_ssize_t i, j, k = which.shape[0], epochs = 0, live
    if k == 0:
        sizes[0, :] = point[3]
        sizes[1, :] = 0.0
        return 0, strength.shape[0]
    cdef const double[::1] b = point[1], g = point[2], b_before = b, g_before = g
    cdef double moved, t = point[0], t_before = t
    if before is not None:
        t_before, b_before, g_before = before[0], before[1], before[2]
    cdef Py_ssize_t[::1] turn = np.empty(3 * k, dtype=np.intp)
    cdef const Py_ssize_t *W = &which[0]
    cdef double *memory = &work[0]
    # the last two points and the new one, which change places as they are overtaken; and the box
    cdef double *old_b = memory
    cdef double *old_q = memory + k
    cdef double *last_b = memory + 2 * k
    cdef double *last_q = memory + 3 * k
    cdef double *scaled = memory + 4 * k
    cdef double *lower = memory + 5 * k
    cdef double *upper = memory + 6 * k
    s.k, s.ld, s.G, s.factor, s.lower, s.upper = k, G.shape[1], &G[0, 0], scaled, lower, upper
    settle(&s, &turn[0], memory + 8 * k)
    s.q, s.budget, s.energy = memory + 7 * k, budget, point[3]
    s.rank = sums.y.shape[0] - sums.intercept
    gather(k, W, &b_before[0], 1, old_b)
    gather(k, W, &g_before[0], 1, old_q)
    gather(k, W, &b[0], 1, last_b)
    gather(k, W, &g[0], 1, last_q)
    gather(k, W, &sums.lower[0], 1, lower)
    gather(k, W, &sums.upper[0], 1, upper)
    for i in range(strength.shape[0]):
        s.b = &B[i, 0]
        with nogil:
            gather(k, W, &sums.factor[0], strength[i], scaled)
            live = 0
            for j in range(k):
                live += last_b[j] != 0
            if t_before > t:
                s.energy -= predict(sums.penalty, &s, (t - strength[i]) / (t_before - t), last_b, last_q, old_b, old_q)
            else:
                memcpy(s.b, last_b, k * sizeof(double))
                memcpy(s.q, last_q, k * sizeof(double))
            s.enough = enough * (0.01 if live < FEW else 1.0)
            moved = minimise_quadratic(sums.penalty, &s, 0.0, max_epochs)
            sizes[0, i], sizes[1, i] = s.energy, small_gap(sums.penalty, &s)
            memcpy(old_b, last_b, k * sizeof(double))
            memcpy(last_b, s.b, k * sizeof(double))
            memcpy(old_q, last_q, k * sizeof(double))
            memcpy(last_q, s.q, k * sizeof(double))
        epochs += s.epochs
        t_before, t = t, strength[i]
        if moved == PENDING or <double>k * k * k > 1e9 and interrupted():
            raise_pending()
        if s.spent > budget:
            return epochs, i
    return epochs, strength.shape[0]
