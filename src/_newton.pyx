"""A small penalised quadratic, solved to rounding: identify by passes, finish by Cholesky.

    1/2 b'G b - c'b + sum_j factor_j pen(b_j),   lower <= b <= upper

Coordinate descent finds which coefficients stand free (off every kink and bound, the
support); there the problem is smooth, and a Newton step on the support solves it. A step
that would cross a kink is projected: what crosses is set to zero, what leaves its bounds is
set on them. Where not even a short projected step descends, the exact minimiser along the
direction does.
"""
from libc.math cimport INFINITY, fabs, sqrt
from libc.string cimport memcpy

from l1l2fast._blas cimport axpy, cholesky, cholesky_solve
from l1l2fast._cd cimport gram_epoch
from l1l2fast._factor cimport difference, follow, regular
from l1l2fast._objective cimport limit, slack
from l1l2fast._scalar cimport clip
from l1l2fast._signals cimport interrupted

cdef enum:
    SURPLUS = 8  # free columns beyond the rank: along a direction of no curvature, each step takes one of them out
    STEPS = 40  # Newton steps in a row, at most
    STALE = 20  # passes in a row that move b by no less than an earlier one: this is rounding

# What an update in a pass costs beside a multiplication in a factorisation: both are counted, see `minimise_quadratic`.
cdef double PATIENCE = 1.5
# The part of a step below which it is taken to be blocked.
cdef double SHORT = 1e-3


cdef enum Taken:
    NOTHING
    BLOCKED  # hardly any: a kink stands in the way
    PARTLY
    WHOLE


cdef double small_gap(Penalty penalty, Quadratic *s) noexcept nogil:
    """P - D(scale * residual) over these columns, as in `_objective.certify`: sums of terms >= 0."""
    cdef Py_ssize_t j
    cdef double scale = 1.0, bound, total
    cdef double unit = 1e-14 * sqrt(max(s.energy, 0.0))
    for j in range(s.k):
        bound = limit(penalty, s.q[j], s.factor[j], s.lower[j], s.upper[j])
        if fabs(s.q[j]) > bound + unit * sqrt(s.G[j * s.ld + j]) and bound < scale * fabs(s.q[j]):
            scale = bound / fabs(s.q[j])
    total = (1 - scale) * (1 - scale) / 2 * s.energy
    for j in range(s.k):
        total += slack(penalty, s.b[j], scale * s.q[j], s.factor[j], s.lower[j], s.upper[j],
                       unit * sqrt(s.G[j * s.ld + j]), False)
    return total


cdef Py_ssize_t find_support(Penalty penalty, Quadratic *s) noexcept nogil:
    cdef Py_ssize_t j, count = 0
    for j in range(s.k):
        if s.lower[j] < s.b[j] < s.upper[j] and s.G[j * s.ld + j] > 0 \
                and (s.factor[j] == 0 or penalty.smooth(s.b[j])):
            s.turn[count] = j
            count += 1
    return count


cdef void settle(Quadratic *s, Py_ssize_t *integers, double *work) noexcept nogil:
    s.turn, s.work, s.paid = integers, work, 0.0
    s.live.count = s.live.changes = 0
    s.live.ld = s.k
    s.live.order, s.live.mark = integers + s.k, integers + 2 * s.k
    s.bend, s.live.diagonal = work + 4 * s.k, work + 5 * s.k
    s.live.turn, s.live.L = work + 6 * s.k, work + 8 * s.k


cdef Py_ssize_t curved(Penalty penalty, Quadratic *s, Py_ssize_t count) noexcept nogil:
    # s.bend, and how many coefficients of the support the penalty curves
    cdef Py_ssize_t c, j, total = 0
    for c in range(count):
        j = s.turn[c]
        s.bend[j] = s.factor[j] * penalty.curvature(s.b[j]) if s.factor[j] != 0 else 0.0
        total += s.bend[j] != 0
    return total


cdef bint few(Penalty penalty, Quadratic *s, Py_ssize_t count) noexcept nogil:
    # does a Newton step pay: are there hardly more coefficients than directions with a curvature?
    return count <= s.rank + SURPLUS or count <= s.rank + SURPLUS + curved(penalty, s, count)


cdef bint newton_direction(Penalty penalty, Quadratic *s, Py_ssize_t count, double *d) noexcept nogil:
    # (G_AA + diag(factor pen'')) d = q_A - factor pen'; a singular Gram is lifted a little: d then runs along
    # the directions of no curvature, down the penalty's slope, until coefficients reach zero
    cdef Py_ssize_t _attempt, c, e, j
    cdef double *M = s.live.L
    cdef const double *source
    cdef Py_ssize_t bent = curved(penalty, s, count)
    cdef double lift = 1e-9 if count > s.rank + bent else 0.0
    if lift == 0 and follow(&s.live, s.G, s.ld, s.bend, s.turn, count):
        for c in range(count):
            j = s.turn[c]
            d[c] = s.q[j] - s.factor[j] * penalty.derivative(s.b[j])
        cholesky_solve(count, M, s.k, d)
        return True
    s.live.count = 0
    for _attempt in range(4):
        for c in range(count):
            j = s.turn[c]
            source = s.G + j * s.ld
            for e in range(c + 1):
                M[c * count + e] = source[s.turn[e]]
            M[c * count + c] = M[c * count + c] * (1 + lift) + s.bend[j]
            d[c] = s.q[j] - s.factor[j] * penalty.derivative(s.b[j])
        if cholesky(count, M, count) == 0 and regular(count, M, count, s.G, s.ld, s.turn):
            cholesky_solve(count, M, count, d)
            return True
        lift = 1e-13 if lift == 0 else lift * 1e3
    return False


cdef double take(Penalty penalty, Quadratic *s, Py_ssize_t count, const double *change) noexcept nogil:
    """Move the support; returns the change of the objective."""
    cdef Py_ssize_t c, j
    cdef double total = 0.0, slope = 0.0
    for c in range(count):
        j = s.turn[c]
        slope += change[c] * s.q[j]
        if change[c] != 0 and s.factor[j] > 0:
            total += s.factor[j] * (penalty.value(s.b[j] + change[c]) - penalty.value(s.b[j]))
    for c in range(count):
        if change[c] != 0:
            j = s.turn[c]
            s.b[j] += change[c]
            axpy(s.k, -change[c], s.G + j * s.ld, s.q)
    for c in range(count):
        slope += change[c] * s.q[s.turn[c]]
    s.energy -= slope
    return total - slope / 2


cdef bint project_step(Penalty penalty, Quadratic *s, Py_ssize_t count, double step, const double *d,
                       double *cut) noexcept nogil:
    # cut = step d stopped at bounds and, where pen has a kink, at zero; True if nothing was
    cdef Py_ssize_t c, j
    cdef double new
    cdef bint whole = True
    for c in range(count):
        j = s.turn[c]
        new = clip(s.b[j] + step * d[c], s.lower[j], s.upper[j])
        if new * s.b[j] < 0 and s.factor[j] != 0 and not penalty.smooth(0.0):
            new = 0.0
        whole = whole and new == s.b[j] + step * d[c]
        cut[c] = new - s.b[j]
    return whole


cdef double slope_along(Penalty penalty, Quadratic *s, Py_ssize_t count, const double *d, double bent,
                        double step) noexcept nogil:
    # derivative of the objective at b + step d; bent = d'G d
    cdef Py_ssize_t c, j
    cdef double total = step * bent, at
    for c in range(count):
        j = s.turn[c]
        at = s.b[j] + step * d[c]
        total -= d[c] * s.q[j]
        if s.factor[j] > 0 and penalty.smooth(at):
            total += d[c] * s.factor[j] * penalty.derivative(at)
    return total


cdef double search_line(Penalty penalty, Quadratic *s, Py_ssize_t count, const double *d, double *cut) noexcept nogil:
    """cut = the way to the minimiser along d, by bisection of the slope, and the part of d that this is.

    A kink that it lands on is hit exactly.
    """
    cdef Py_ssize_t c, e, j, _half
    cdef const double *source
    cdef double low = 0.0, high = 1.0, most = INFINITY, middle, bent = 0.0, noise = 0.0, at
    for c in range(count):
        j = s.turn[c]
        source = s.G + j * s.ld
        at = 0.0
        for e in range(count):
            at += source[s.turn[e]] * d[e]
        bent += d[c] * at
        noise += 1e-13 * fabs(d[c] * s.q[j])
        if d[c] != 0:
            most = min(most, ((s.upper[j] if d[c] > 0 else s.lower[j]) - s.b[j]) / d[c])
    bent, high = max(bent, 0.0), min(high, most)
    for _half in range(200):
        middle = (low + high) / 2
        if slope_along(penalty, s, count, d, bent, middle) < -noise:
            low = middle
        else:
            high = middle
        if high - low <= 1e-15 * high:
            break
    for c in range(count):
        j = s.turn[c]
        at = clip(s.b[j] + high * d[c], s.lower[j], s.upper[j])
        if s.factor[j] != 0 and not penalty.smooth(0.0) and fabs(at) <= 1e-13 * fabs(s.b[j]):
            at = 0.0
        cut[c] = at - s.b[j]
    return high


cdef Taken newton_step(Penalty penalty, Quadratic *s) noexcept nogil:
    """One step on the support, and how much of it was taken."""
    cdef Py_ssize_t count = find_support(penalty, s)
    cdef double *d = s.work
    cdef double *cut = s.work + s.k
    cdef double *q = s.work + 2 * s.k
    cdef double *b = s.work + 3 * s.k
    cdef double energy = s.energy, step = 1.0, length = 1.0
    cdef bint whole
    if count == 0 or not few(penalty, s, count) or not newton_direction(penalty, s, count, d):
        return NOTHING
    s.newtons += 1
    s.spent += factorisation(s, count)
    memcpy(q, s.q, s.k * sizeof(double))
    memcpy(b, s.b, s.k * sizeof(double))
    whole = project_step(penalty, s, count, step, d, cut)
    # a whole step of a regular Gram descends up to rounding; that of a singular one may go anywhere
    while take(penalty, s, count, cut) >= (1e-15 * energy if whole or step < 0 else 0.0):
        memcpy(s.q, q, s.k * sizeof(double))
        memcpy(s.b, b, s.k * sizeof(double))
        s.energy = energy
        whole = False
        if step > 0:
            step *= 0.4
        if step > 0.1:
            project_step(penalty, s, count, step, d, cut)
        elif step > 0:
            length = search_line(penalty, s, count, d, cut)
            step = -1.0
        else:
            return NOTHING  # rounding: nothing descends
    return WHOLE if whole else BLOCKED if length < SHORT else PARTLY


cdef bint newton_steps(Penalty penalty, Quadratic *s) noexcept nogil:
    """Two steps on the support, or more while coefficients block their way one by one; True if one was taken whole.

    Among columns that are nearly dependent, a pass in between would bring those back, a little off zero, for nothing.
    """
    cdef Py_ssize_t _step
    cdef Taken taken
    for _step in range(STEPS):
        taken = newton_step(penalty, s)
        if taken == WHOLE:
            return True
        if _step > 0 and taken != BLOCKED:
            break
    return False


cdef double factorisation(Quadratic *s, Py_ssize_t count) noexcept nogil:
    # in multiplications of a pass, which wait for memory: those of a factorisation run some twenty times faster,
    # those that bring one up to date three times
    cdef double size = <double>count, changes = <double>difference(&s.live, s.turn, count)
    return min(size / 20, changes) * size * size / 3 + size * size / 2 + size * s.k / 2


cdef double rounding(Quadratic *s) noexcept nogil:
    # what a pass moves b by when every b_j is off by a few units in its last place
    cdef Py_ssize_t j
    cdef double total = 0.0
    for j in range(s.k):
        total += s.G[j * s.ld + j] * s.b[j] * s.b[j]
    return 1e-30 * total


cdef double minimise_quadratic(Penalty penalty, Quadratic *s, double tol, Py_ssize_t max_epochs) noexcept nogil:
    cdef Py_ssize_t count, _inner, j, moves = 0
    cdef double moved = 0.0, paid = s.paid, least = INFINITY
    cdef Py_ssize_t stale = 0
    s.epochs = s.newtons = 0
    s.spent = 0.0
    while s.epochs < max_epochs and s.spent <= s.budget:
        if <double>s.k * s.k * s.k > 1e7 and interrupted():
            return PENDING
        if s.enough > 0 and small_gap(penalty, s) <= s.enough:
            break
        for j in range(s.k):
            s.turn[j] = j
        moved = gram_epoch(penalty, s.turn, s.k, s.k, s.G, s.ld, s.q, s.b, s.factor, s.lower, s.upper,
                           &s.energy, &moves)
        s.epochs += 1
        stale = stale + 1 if moved >= least else 0
        least = min(least, moved)
        if moved <= max(tol, rounding(s)) or stale > STALE:
            break
        for _inner in range(3):
            count = find_support(penalty, s)
            paid += <double>moves * s.k
            s.spent += <double>moves * s.k
            moves = 0
            # rent or buy: factorise once the passes have cost as much
            if few(penalty, s, count) and paid >= PATIENCE * factorisation(s, count):
                paid = 0.0
                if newton_steps(penalty, s):
                    break
            else:
                gram_epoch(penalty, s.turn, count, s.k, s.G, s.ld, s.q, s.b, s.factor, s.lower, s.upper,
                           &s.energy, &moves)
                s.epochs += 1
    return moved
