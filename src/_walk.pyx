"""Along decreasing strengths of the penalty, on one working set in Gram form.

    minimise  1/2 |z - X b|_w^2 + t sum_j factor_j pen(b_j),   lower <= b <= upper,   t = t_0 > t_1 > ...

Between two changes of the support the lasso's b is linear in t (Osborne, Presnell and Turlach, 2000),
and q = X'w r with it: the next point is predicted from the last two, for nothing, and then solved.
"""
import numpy as np

from libc.string cimport memcpy

from l1l2fast._blas cimport axpy
from l1l2fast._newton cimport PENDING, Quadratic, minimise_quadratic
from l1l2fast._penalties cimport Penalty
from l1l2fast._scalar cimport clip
from l1l2fast._signals cimport interrupted, raise_pending

cdef enum:
    FEW = 150  # with so few coefficients a hundredth of the gap costs nothing, and early on the error is the gap


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


def walk(double[:, ::1] G not None, Penalty penalty not None, const double[::1] factor not None,
         const double[::1] lower not None, const double[::1] upper not None, const double[::1] strength not None,
         const double[::1] enough not None, double[:, ::1] B not None, double[:, ::1] Q not None,
         double[::1] energy not None, Py_ssize_t rank, double budget, Py_ssize_t max_epochs,
         double[::1] work not None):
    """Fill the rows of B, Q and energy for strength[2:]; rows 0 and 1 are the two points before.

    With strength[0] == strength[1] there is but one. enough[i] is the gap asked at strength[i];
    len(work) >= k^2 + 6 k. Stops once the work of one strength passes `budget` (see _newton.pxd).
    Returns (epochs, strengths done).
    """
    cdef Quadratic s
    cdef Py_ssize_t i, j, k = B.shape[1], epochs = 0, live
    cdef double moved, between
    if k == 0:
        energy[2:] = energy[1]
        return 0, strength.shape[0] - 2
    cdef Py_ssize_t[::1] turn = np.empty(k, dtype=np.intp)
    cdef double *scaled = &work[0]
    s.k, s.ld, s.G = k, G.shape[1], &G[0, 0]
    s.factor, s.lower, s.upper = scaled, &lower[0], &upper[0]
    s.turn, s.work = &turn[0], &work[k]
    s.rank, s.budget = rank, budget
    for i in range(2, strength.shape[0]):
        s.b, s.q, s.energy = &B[i, 0], &Q[i, 0], energy[i - 1]
        with nogil:
            live = 0
            for j in range(k):
                scaled[j] = strength[i] * factor[j]
                live += B[i - 1, j] != 0
            between = strength[i - 2] - strength[i - 1]
            if between > 0:
                s.energy -= predict(penalty, &s, (strength[i - 1] - strength[i]) / between, &B[i - 1, 0],
                                    &Q[i - 1, 0], &B[i - 2, 0], &Q[i - 2, 0])
            else:
                memcpy(s.b, &B[i - 1, 0], k * sizeof(double))
                memcpy(s.q, &Q[i - 1, 0], k * sizeof(double))
            s.enough = enough[i] * (0.01 if live < FEW else 1.0)
            moved = minimise_quadratic(penalty, &s, 0.0, max_epochs)
        epochs += s.epochs
        energy[i] = s.energy
        if moved == PENDING or <double>k * k * k > 1e9 and interrupted():
            raise_pending()
        if s.spent > budget:
            return epochs, i - 2
    return epochs, strength.shape[0] - 2
