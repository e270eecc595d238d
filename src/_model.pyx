"""A smooth loss around a prediction f: its parabola there, its minimum along a line and along the intercept.

    F(f, b) = sum_i w_i l(y_i, f_i) + t sum_j factor_j pen(b_j)

The parabola has the slopes of the loss and the curvatures max(l'', share weight, floor): those of the loss
itself, but no smaller than a part of the curvature of a parabola that lies above it, so that rows of
no curvature (Huber's outliers, the certain ones of the logistic loss) cannot send a step anywhere; and
no smaller than that of a parabola which a step has met, see `stiffen`.
"""
import numpy as np

from libc.math cimport INFINITY, fabs

from l1l2fast._newton cimport PENDING, Quadratic, minimise_quadratic, settle
from l1l2fast._objective cimport Sums
from l1l2fast._scalar cimport sign
from l1l2fast._signals cimport raise_pending

cdef enum:
    STEPS = 100  # along the intercept, at most: each halves the bracket, or is as long as a majoriser's
    HALVINGS = 50
    BLOCK = 256  # samples at a time

# How far the derivative at the end of a step may have risen above zero, relative to that at its beginning.
cdef double RISE = 0.3
# How much flatter a parabola must be than the loss to count as too flat.
cdef double FLATTER = 2.0


cdef inline Py_ssize_t blocks(Py_ssize_t n) noexcept nogil:
    return (n + BLOCK - 1) // BLOCK


def parabola(Sums sums not None, const double[::1] f not None, double share, const double[::1] floor not None,
             double[::1] l not None, double[::1] v not None, double[::1] h not None):
    """l = w times the loss, v = -w l', h = max(w l'', w share weight, floor); returns their sums, how many h > 0."""
    cdef Py_ssize_t i, rank = 0, n = f.shape[0]
    cdef double all_l = 0.0, all_v = 0.0, all_h = 0.0, w
    if n == 0:
        return 0.0, 0.0, 0.0, 0
    with nogil:
        sums.loss.expand_all(n, &sums.y[0], &f[0], &l[0], &v[0], &h[0])
        for i in range(n):
            w = sums.w[i]
            if share > 0 and w > 0:
                h[i] = max(h[i], share * sums.loss.weight(sums.y[i], f[i], 0.0))
            if w > 0:
                l[i], v[i], h[i] = w * l[i], -w * v[i], max(w * h[i], floor[i])
            else:
                l[i] = v[i] = h[i] = 0.0
            all_l += l[i]
            all_v += v[i]
            all_h += h[i]
            rank += h[i] > 0
    return all_l, all_v, all_h, rank


def stiffen(Sums sums not None, const double[::1] f not None, const double[::1] df not None,
            const double[::1] l not None, const double[::1] v not None, const double[::1] h not None,
            double[::1] floor not None):
    """Raise floor to the curvature of the parabola that meets the loss at f and f + df, where that is far above h.

    These are the few rows that a step sent from where the loss is nearly straight over a bend.
    """
    cdef Py_ssize_t i
    cdef double rise
    with nogil:
        for i in range(f.shape[0]):
            if sums.w[i] == 0 or df[i] == 0:
                continue
            rise = sums.w[i] * sums.loss.value(sums.y[i], f[i] + df[i]) - l[i] + v[i] * df[i]
            if rise > FLATTER / 2 * h[i] * df[i] * df[i] and rise > 1e-12 * (l[i] + fabs(v[i] * df[i])):
                floor[i] = max(floor[i], 2 * rise / (df[i] * df[i]))


def minimise(Sums sums not None, const double[:, ::1] G not None, const Py_ssize_t[::1] which not None,
             double strength, const double[::1] b not None, double[::1] q not None, double size, double enough,
             Py_ssize_t rank, Py_ssize_t max_epochs, double[::1] work not None, bint paid):
    """The minimum of  1/2 d'G d - q'd + t sum factor pen(b + d)  over the columns `which`, k of them.

    size is that of the whole objective, whose rounding counts, `enough` the gap asked for, rank that of G
    if no columns depend on each other; len(work) >= k^2 + 11 k; q is brought up to date. `paid` says that other passes
    went before, so that Newton's steps begin at once.
    Returns b + d and the number of epochs.
    """
    cdef Quadratic s
    cdef Py_ssize_t a, k = which.shape[0]
    cdef double moved
    cdef Py_ssize_t[::1] turn = np.empty(3 * k, dtype=np.intp)
    new = np.empty(k)
    cdef double[::1] x = new
    cdef double *factor = &work[0]
    cdef double *lower = factor + k
    cdef double *upper = lower + k
    for a in range(k):
        x[a], factor[a] = b[which[a]], strength * sums.factor[which[a]]
        lower[a], upper[a] = sums.lower[which[a]], sums.upper[which[a]]
    s.k, s.ld, s.G, s.q, s.b = k, G.shape[1], &G[0, 0], &q[0], &x[0]
    s.factor, s.lower, s.upper, s.rank, s.budget = factor, lower, upper, rank, INFINITY
    s.energy, s.enough = 2 * size, enough
    settle(&s, &turn[0], upper + k)
    s.paid = INFINITY if paid else 0.0
    with nogil:
        moved = minimise_quadratic(sums.penalty, &s, 0.0, max_epochs)
    if moved == PENDING:
        raise_pending()
    return new, s.epochs


def dual_point(Sums sums not None, const double[::1] f not None, double[::1] theta not None):
    """theta = -w l' at f; returns sum w l."""
    cdef Py_ssize_t i, lo, m, block
    cdef double total = 0.0
    cdef double[BLOCK] value, bend
    with nogil:
        for block in range(blocks(f.shape[0])):
            lo = block * BLOCK
            m = min(<Py_ssize_t>BLOCK, f.shape[0] - lo)
            sums.loss.expand_all(m, &sums.y[lo], &f[lo], value, &theta[lo], bend)
            for i in range(m):
                if sums.w[lo + i] > 0:
                    total += sums.w[lo + i] * value[i]
                    theta[lo + i] *= -sums.w[lo + i]
                else:
                    theta[lo + i] = 0.0
    return total


def level(Sums sums not None, double[::1] f not None):
    """Add to f the constant that minimises the loss; returns it. Newton's method, held in a bracket."""
    cdef Py_ssize_t i, _step
    cdef double t = 0.0, new, slope, bend, above, size, low = -INFINITY, high = INFINITY, far, first = 0.0, w
    cdef double[BLOCK] at, value, gradient, curvature
    cdef Py_ssize_t lo, m, block
    cdef bint careful = False
    with nogil:
        for _step in range(STEPS):
            slope = bend = above = size = far = 0.0
            for block in range(blocks(f.shape[0])):
                lo = block * BLOCK
                m = min(<Py_ssize_t>BLOCK, f.shape[0] - lo)
                for i in range(m):
                    at[i] = f[lo + i] + t
                sums.loss.expand_all(m, &sums.y[lo], at, value, gradient, curvature)
                for i in range(m):
                    w = sums.w[lo + i]
                    if w > 0:
                        slope += w * gradient[i]
                        size += w * fabs(gradient[i])
                        bend += w * curvature[i]
                        far += w * fabs(at[i])
                        if careful:
                            above += w * sums.loss.weight(sums.y[lo + i], at[i], 0.0)
            if fabs(slope) <= 3e-16 * size or size < 1e-40:
                break
            if _step > 0 and not careful and not fabs(slope) < 0.5 * fabs(first) or bend == 0 and not careful:
                careful = True  # once more, beside a parabola that lies above the loss
                first = slope
                continue
            first = slope
            if slope > 0:
                high = t
            else:
                low = t
            # that parabola's step is always safe; Newton's may go further, but not without end
            new = t - slope / max(bend, 0.05 * above)
            if not low < new < high:
                new = (low + high) / 2
            if new == t or fabs(new - t) < 1e-17 * far or new - new != 0:
                break
            t = new
        for i in range(f.shape[0]):
            f[i] += t
    return t


cdef double penalty_slope(Sums sums, const Py_ssize_t *which, Py_ssize_t k, double strength, const double *b,
                          const double *d, double t) noexcept nogil:
    # derivative from the left of strength * sum factor pen(b + t d)
    cdef Py_ssize_t a, j
    cdef double at, total = 0.0
    for a in range(k):
        j = which[a]
        if d[j] == 0 or sums.factor[j] == 0:
            continue
        at = b[j] + t * d[j]
        if fabs(at) <= 1e-15 * fabs(b[j]):
            at = -1e-300 * sign(d[j])
        total += sums.factor[j] * d[j] * sums.penalty.derivative(at)
    return strength * total


cdef double penalty_rise(Sums sums, const Py_ssize_t *which, Py_ssize_t k, double strength, const double *b,
                         const double *d, double t) noexcept nogil:
    cdef Py_ssize_t a, j
    cdef double total = 0.0
    for a in range(k):
        j = which[a]
        if d[j] != 0 and sums.factor[j] > 0:
            total += sums.factor[j] * (sums.penalty.value(b[j] + t * d[j]) - sums.penalty.value(b[j]))
    return strength * total


cdef double loss_slope(Sums sums, const double[::1] f, const double[::1] df, double t, const double[::1] l,
                       double *rise, double *rounding) noexcept nogil:
    # derivative of the loss along df at t, its rise above l, and what both may be by rounding
    cdef Py_ssize_t i, lo, m, block
    cdef double total = 0.0, one, w
    cdef double[BLOCK] at, value, gradient, bend
    rise[0] = rounding[0] = 0.0
    for block in range(blocks(f.shape[0])):
        lo = block * BLOCK
        m = min(<Py_ssize_t>BLOCK, f.shape[0] - lo)
        for i in range(m):
            at[i] = f[lo + i] + t * df[lo + i]
        sums.loss.expand_all(m, &sums.y[lo], at, value, gradient, bend)
        for i in range(m):
            w = sums.w[lo + i]
            if w > 0 and df[lo + i] != 0:
                one = w * df[lo + i] * gradient[i]
                total += one
                rise[0] += w * value[i] - l[lo + i]
                rounding[0] += 1e-15 * (fabs(one) + l[lo + i])
    return total


def search(Sums sums not None, const double[::1] f not None, const double[::1] df not None,
           const double[::1] b not None, const double[::1] db not None, const Py_ssize_t[::1] which not None,
           double strength, const double[::1] l not None, const double[::1] v not None):
    """The step t <= 1 to take along (df, db); by how much the objective falls, and by how much a line would.

    The whole step is taken if it ends no higher than it began and hardly uphill; else t is near the minimum.
    l and v are those of `parabola` at f.
    """
    cdef Py_ssize_t k = which.shape[0], i, _halving
    cdef const Py_ssize_t *W = &which[0] if k else NULL
    cdef const double *x = &b[0] if k else NULL
    cdef const double *d = &db[0] if k else NULL
    cdef double rise = 0.0, first, slope, low = 0.0, high = 1.0, t = 1.0, rounding = 0.0, total = 0.0
    with nogil:
        first = penalty_rise(sums, W, k, strength, x, d, 1.0)
        for i in range(f.shape[0]):
            first -= v[i] * df[i]
        for _halving in range(HALVINGS):
            slope = loss_slope(sums, f, df, t, l, &rise, &rounding) + penalty_slope(sums, W, k, strength, x, d, t)
            total = rise + penalty_rise(sums, W, k, strength, x, d, t)
            if total <= rounding and (fabs(slope) <= max(RISE * fabs(first), rounding) or slope <= 0 and t == 1):
                break
            if slope > 0:
                high = t
            else:
                low = t
            t = (low + high) / 2
    return t, -total, -first


def falls_on(Sums sums not None, const double[::1] f not None, const double[::1] df not None,
             const double[::1] b not None, const double[::1] db not None, double t):
    """Whether the objective is lower still at (f, b) + t (df, db), inside of the bounds."""
    cdef Py_ssize_t i, j, lo, m, block
    cdef double rise = 0.0, new, total = 0.0
    cdef double[BLOCK] at, before, value, gradient, bend
    for block in range(blocks(f.shape[0])):
        lo = block * BLOCK
        m = min(<Py_ssize_t>BLOCK, f.shape[0] - lo)
        for i in range(m):
            at[i] = f[lo + i] + t * df[lo + i]
        sums.loss.expand_all(m, &sums.y[lo], &f[lo], before, gradient, bend)
        sums.loss.expand_all(m, &sums.y[lo], at, value, gradient, bend)
        for i in range(m):
            if sums.w[lo + i] > 0:
                rise += sums.w[lo + i] * (value[i] - before[i])
    for j in range(b.shape[0]):
        new = b[j] + t * db[j]
        if db[j] != 0 and not sums.lower[j] <= new <= sums.upper[j]:
            return False
        if db[j] != 0 and sums.factor[j] > 0:
            total += sums.factor[j] * (sums.penalty.value(new) - sums.penalty.value(b[j]))
    return rise + total < 0
