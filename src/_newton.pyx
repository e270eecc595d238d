"""A small penalised quadratic, solved to rounding: identify by passes, finish by Cholesky.

    1/2 b'G b - c'b + sum_j factor_j pen(b_j),   lower <= b <= upper

Coordinate descent finds which coefficients stand free (off every kink and bound, the
support); there the problem is smooth, and a Newton step on the support solves it. A step
that would cross a kink is cut to the box of the present signs, so each step either solves
the problem on the support or makes it smaller.
"""
import numpy as np

from libc.math cimport INFINITY

from l1l2fast._blas cimport axpy, cholesky, cholesky_solve, dot
from l1l2fast._cd cimport gram_epoch
from l1l2fast._scalar cimport clip
from l1l2fast._signals cimport interrupted, raise_pending

cdef enum:
    STALE = 20  # passes in a row that move b by no less than an earlier one: this is rounding


cdef Py_ssize_t find_support(Penalty penalty, Quadratic *s) noexcept nogil:
    cdef Py_ssize_t j, count = 0
    for j in range(s.k):
        if s.lower[j] < s.b[j] < s.upper[j] and s.G[j * s.ld + j] > 0 \
                and (s.factor[j] == 0 or penalty.smooth(s.b[j])):
            s.turn[count] = j
            count += 1
    return count


cdef bint newton_direction(Penalty penalty, Quadratic *s, Py_ssize_t count, double *d) noexcept nogil:
    # (G_AA + diag(factor pen'')) d = q_A - factor pen'; a Gram that is singular to rounding is lifted a little
    cdef Py_ssize_t _attempt, c, j
    cdef double *M = s.work + 3 * s.k
    cdef double lift = 0.0
    for _attempt in range(4):
        for c in range(count):
            j = s.turn[c]
            gather_row(s, j, c + 1, M + c * count)
            M[c * count + c] = M[c * count + c] * (1 + lift) + s.factor[j] * penalty.curvature(s.b[j])
            d[c] = s.q[j] - s.factor[j] * penalty.derivative(s.b[j])
        if cholesky(count, M, count) == 0:
            cholesky_solve(count, M, count, d)
            return True
        lift = 1e-13 if lift == 0 else lift * 1e3
    return False


cdef void gather_row(Quadratic *s, Py_ssize_t j, Py_ssize_t count, double *row) noexcept nogil:
    cdef Py_ssize_t c
    cdef const double *source = s.G + j * s.ld
    for c in range(count):
        row[c] = source[s.turn[c]]


cdef double change_of_objective(Penalty penalty, Quadratic *s, Py_ssize_t count, const double *d,
                                double *row) noexcept nogil:
    cdef Py_ssize_t c, j
    cdef double total = 0.0
    for c in range(count):
        if d[c] == 0:
            continue
        j = s.turn[c]
        gather_row(s, j, count, row)
        total += d[c] * (dot(count, row, d) / 2 - s.q[j])
        total += s.factor[j] * (penalty.value(s.b[j] + d[c]) - penalty.value(s.b[j]))
    return total


cdef double project_step(Penalty penalty, Quadratic *s, Py_ssize_t count, const double *d, double *cut) noexcept nogil:
    # cut = d stopped at bounds and, where pen has a kink, at zero; returns the step to the first of these
    cdef Py_ssize_t c, j
    cdef double new, first = 1.0
    for c in range(count):
        j = s.turn[c]
        new = clip(s.b[j] + d[c], s.lower[j], s.upper[j])
        if new * s.b[j] < 0 and s.factor[j] != 0 and not penalty.smooth(0.0):
            new = 0.0
        cut[c] = new - s.b[j]
        if new != s.b[j] + d[c] and cut[c] / d[c] < first:
            first = cut[c] / d[c]
    return first


cdef bint newton_step(Penalty penalty, Quadratic *s) noexcept nogil:
    """One step on the support; True if it was taken whole."""
    cdef Py_ssize_t count = find_support(penalty, s), c, j
    cdef double *d = s.work
    cdef double *cut = s.work + s.k
    cdef double first
    if count == 0 or not newton_direction(penalty, s, count, d):
        return False
    s.newtons += 1
    first = project_step(penalty, s, count, d, cut)
    if first < 1 and change_of_objective(penalty, s, count, cut, s.work + 2 * s.k) >= 0:
        # the cut step does not descend, the way to the first kink does
        for c in range(count):
            if cut[c] / d[c] > first or d[c] == 0:
                cut[c] = first * d[c]
    for c in range(count):
        if cut[c] != 0:
            j = s.turn[c]
            s.b[j] += cut[c]
            axpy(s.k, -cut[c], s.G + j * s.ld, s.q)
    return first == 1


cdef bint newton_steps(Penalty penalty, Quadratic *s, Py_ssize_t most) noexcept nogil:
    """Steps until one is taken whole; each other one takes at least one coefficient out of the support."""
    cdef Py_ssize_t _step
    for _step in range(most):
        if newton_step(penalty, s):
            return True
        if <double>s.k * s.k * s.k > 1e9 and interrupted():
            return False  # still pending: the next look finds it again
    return False


cdef double rounding(Quadratic *s) noexcept nogil:
    # what a pass moves b by when every b_j is off by a few units in its last place
    cdef Py_ssize_t j
    cdef double total = 0.0
    for j in range(s.k):
        total += s.G[j * s.ld + j] * s.b[j] * s.b[j]
    return 1e-30 * total


cdef double minimise_quadratic(Penalty penalty, Quadratic *s, double tol, Py_ssize_t max_epochs) noexcept nogil:
    cdef Py_ssize_t count, _inner, j, moves = 0
    cdef double moved = 0.0, paid = 0.0, size, least = INFINITY
    cdef Py_ssize_t stale = 0
    s.epochs = s.newtons = 0
    while s.epochs < max_epochs:
        if <double>s.k * s.k * s.k > 1e7 and interrupted():
            return PENDING
        for j in range(s.k):
            s.turn[j] = j
        moved = gram_epoch(penalty, s.turn, s.k, s.k, s.G, s.ld, s.q, s.b, s.factor, s.lower, s.upper, &moves)
        s.epochs += 1
        stale = stale + 1 if moved >= least else 0
        least = min(least, moved)
        if moved <= max(tol, rounding(s)) or stale > STALE:
            break
        for _inner in range(3):
            count = find_support(penalty, s)
            size = <double>count
            paid += <double>moves * s.k
            moves = 0
            # rent or buy: factorise once the passes have cost as much
            if paid >= size * size * size / 24 + size * s.k / 2:
                paid = 0.0
                # near interpolation the support must shrink first, one coefficient a step: patient if that is cheap
                if newton_steps(penalty, s, 8 + 8000 / (count + 1)):
                    break
            else:
                gram_epoch(penalty, s.turn, count, s.k, s.G, s.ld, s.q, s.b, s.factor, s.lower, s.upper, &moves)
                s.epochs += 1
    return moved


def solve_quadratic(double[:, ::1] G not None, double[::1] q not None, double[::1] b not None,
                    Penalty penalty not None, const double[::1] factor not None, const double[::1] lower not None,
                    const double[::1] upper not None, double tol, Py_ssize_t max_epochs):
    """Minimise in place; k = len(b) may be less than len(G). Returns (move of the last pass, epochs, Newton steps)."""
    cdef Quadratic s
    cdef double moved
    cdef Py_ssize_t k = b.shape[0]
    if k == 0:
        return 0.0, 0, 0
    cdef Py_ssize_t[::1] turn = np.empty(k, dtype=np.intp)
    cdef double[::1] work = np.empty(k * k + 3 * k)
    s.k, s.ld, s.G, s.q, s.b = k, G.shape[1], &G[0, 0], &q[0], &b[0]
    s.factor, s.lower, s.upper = &factor[0], &lower[0], &upper[0]
    s.turn, s.work = &turn[0], &work[0]
    with nogil:
        moved = minimise_quadratic(penalty, &s, tol, max_epochs)
    if moved == PENDING or <double>k * k * k > 1e9 and interrupted():
        raise_pending()
    return moved, s.epochs, s.newtons
