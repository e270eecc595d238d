"""One coefficient at a time where the penalty is not convex: its best value, wherever it is.

    1/2 b'G b - c'b + sum_j factor_j pen(b_j),   lower <= b <= upper

In one coefficient with slope q and curvature h the objective can have several minima; each move goes to the
lowest, by the proximal map, so that coordinate descent ends where no single move helps. A jump between two
minima that cost the same up to rounding is not made: such jumps could go round in circles.
"""
import numpy as np

from libc.math cimport fabs, isinf

from l1l2fast._blas cimport axpy
from l1l2fast._penalties cimport Penalty
from l1l2fast._scalar cimport clip

cdef enum:
    STEPS = 60  # towards a minimum between bounds that exclude 0
    ACTIVE = 8  # passes over the support between two over all coefficients

# A jump must lower the objective by more than this part of what it moves.
cdef double CLEAR = 1e-13


cdef inline double change(Penalty penalty, double b, double new, double q, double h, double factor) noexcept nogil:
    # of the objective, from b to new
    cdef double d = new - b, total = d * (h * d / 2 - q)
    return total + factor * (penalty.value(new) - penalty.value(b)) if factor > 0 else total


cdef double between(Penalty penalty, double b, double q, double h, double factor, double lower,
                    double upper) noexcept nogil:
    """The best value where the proximal map is outside of the bounds: an end, zero, or a minimum inside."""
    cdef double z = b + q / h, inside = clip(z, lower, upper), best = inside, other
    cdef double[4] choices
    cdef int i, _step
    for _step in range(STEPS):  # from beyond, to the minimum that lies farthest out
        if inside == 0:
            break
        inside = clip(z - factor / h * penalty.derivative(inside), lower, upper)
    choices[0], choices[1], choices[2], choices[3] = inside, lower, upper, 0.0
    for i in range(4):
        other = choices[i]
        if not isinf(other) and lower <= other <= upper \
                and change(penalty, b, other, q, h, factor) < change(penalty, b, best, q, h, factor):
            best = other
    return best


cdef double move(Penalty penalty, double b, double q, double h, double factor, double lower, double upper,
                 double *fall) noexcept nogil:
    """The best value of one coefficient; by how much the objective falls goes to `fall`."""
    cdef double new = penalty.prox(b + q / h, factor / h), d
    if not lower <= new <= upper:
        new = between(penalty, b, q, h, factor, lower, upper)
    d = new - b
    fall[0] = 0.0
    if d == 0:
        return b
    fall[0] = -change(penalty, b, new, q, h, factor)
    if fabs(d) > 1e-3 * fabs(b) and not fall[0] > CLEAR * (h * d * d + fabs(q * d)):
        fall[0] = 0.0
        return b
    return new


def moves(Penalty penalty not None, const double[::1] b not None, const double[::1] q not None,
          const double[::1] h not None, const double[::1] factor not None, const double[::1] lower not None,
          const double[::1] upper not None):
    """Where each coefficient alone would go from b, and how much the objective falls by that; h = 0 stays."""
    cdef Py_ssize_t j
    new, fall = np.array(b), np.zeros(b.shape[0])
    cdef double[::1] new_ = new, fall_ = fall
    with nogil:
        for j in range(b.shape[0]):
            if h[j] > 0:
                new_[j] = move(penalty, b[j], q[j], h[j], factor[j], lower[j], upper[j], &fall_[j])
    return new, fall


def descend(Penalty penalty not None, const double[:, ::1] G not None, double[::1] q not None, double[::1] b not None,
            const double[::1] factor not None, const double[::1] lower not None, const double[::1] upper not None,
            double enough, Py_ssize_t max_epochs):
    """Passes over b in Gram form, most of them over the support; q = c - G b is kept.

    Stops when a pass over all moves b by sum_j G_jj (change_j)^2 <= enough. Returns (passes, that sum).
    """
    cdef Py_ssize_t j, k = b.shape[0], epoch = 0, inner = 0
    cdef double moved = 0.0, before, new, d, fall
    with nogil:
        while epoch < max_epochs:
            epoch += 1
            moved = 0.0
            for j in range(k):
                if (inner > 0 and b[j] == 0) or G[j, j] <= 0:
                    continue
                before = b[j]
                new = move(penalty, before, q[j], G[j, j], factor[j], lower[j], upper[j], &fall)
                d = new - before
                if d != 0:
                    b[j] = new
                    axpy(k, -d, &G[j, 0], &q[0])
                    moved += G[j, j] * d * d
            if moved <= enough and inner == 0:
                break
            inner = 0 if moved <= enough or inner == ACTIVE else inner + 1
    return epoch, moved


def tangents(Penalty penalty not None, const double[::1] b not None, const double[::1] factor not None):
    """(sum_j factor_j pen(b_j), factor_j pen'(b_j), factor_j pen''(b_j)); at b_j = 0 the derivatives are 0."""
    cdef Py_ssize_t j
    cdef double total = 0.0
    first, second = np.zeros(b.shape[0]), np.zeros(b.shape[0])
    cdef double[::1] first_ = first, second_ = second
    with nogil:
        for j in range(b.shape[0]):
            if b[j] != 0 and factor[j] > 0:
                total += factor[j] * penalty.value(b[j])
                first_[j] = factor[j] * penalty.derivative(b[j])
                second_[j] = factor[j] * penalty.curvature(b[j])
    return total, first, second


def residuals(Penalty penalty not None, const double[::1] b not None, const double[::1] u not None,
              const double[::1] factor not None, const double[::1] lower not None, const double[::1] upper not None):
    """How far u, minus the gradient of the loss, is from the subdifferential of penalty and bounds, for each b_j."""
    cdef Py_ssize_t j
    cdef double kink = penalty.kink(), slack
    far = np.zeros(b.shape[0])
    cdef double[::1] far_ = far
    with nogil:
        for j in range(b.shape[0]):
            if lower[j] == upper[j]:
                continue
            slack = u[j]
            if b[j] != 0 and factor[j] > 0:
                slack -= factor[j] * penalty.derivative(b[j])
            elif b[j] == 0 and factor[j] > 0:
                slack = u[j] - clip(u[j], -factor[j] * kink, factor[j] * kink)
            if b[j] >= upper[j]:
                slack = min(slack, 0.0)
            if b[j] <= lower[j]:
                slack = max(slack, 0.0)
            far_[j] = fabs(slack)
    return far
