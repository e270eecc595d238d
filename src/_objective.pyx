"""Sums over samples and over coefficients: objectives and the two halves of a duality gap.

Notation: P = sum_i w_i l(y_i, f_i) + sum_j h_j(b_j) with h_j = factor_j pen + indicator of
[lower_j, upper_j]; theta is a dual point, u = X~'theta. By Fenchel and Young

    P - D = sum_i w_i [l(y, f) + l*(y, g) - g f]_i + sum_j [h(b) + h*(u) - u b]_j,   g = -theta / w

in which every bracket is >= 0 and none cancels.
"""
import numpy as np

from libc.math cimport INFINITY, NAN, cbrt, fabs, isinf, sqrt
from libc.stdlib cimport free, malloc

from l1l2fast._lines cimport Kink, crossing
from l1l2fast._losses cimport Loss
from l1l2fast._penalties cimport Penalty
from l1l2fast._scalar cimport clip

cdef extern from "simd.h":
    double l1l2fast_line_losses(Py_ssize_t n, const double *y, const double *f, const double *theta, const double *w,
                                double left, double right, double *total, double *square) noexcept nogil
    double l1l2fast_line_slacks(Py_ssize_t n, const double *y, const double *f, const double *theta, const double *w,
                                double left, double right, double s) noexcept nogil
    double l1l2fast_line_level(Py_ssize_t n, const double *y, const double *w, double level, double left, double right,
                               double *largest, Py_ssize_t *live) noexcept nogil
    double l1l2fast_mean(Py_ssize_t n, const double *y, const double *w, double origin,
                         double *largest) noexcept nogil
    double l1l2fast_below(Py_ssize_t n, const double *y, const double *w, double low, double high,
                          Py_ssize_t *between) noexcept nogil

cdef enum:
    MANY = 1000  # y from which on n^(2/3) of them say about where a quantile lies

cdef double MARGIN = 2.25  # in standard errors of that share, 1/2 over the root of their number, twice that


cdef double limit(Penalty penalty, double u, double factor, double lower, double upper) noexcept nogil:
    # the largest |u| at which h* is finite
    if isinf(upper if u > 0 else lower):
        return factor * penalty.recession() if factor > 0 else 0.0
    return INFINITY


cdef double slack(Penalty penalty, double b, double u, double factor, double lower, double upper,
                  double rounding, bint projected) noexcept nogil:
    # h(b) + h*(u) - u b, with u moved by at most `rounding` to where that is finite or zero
    cdef double bound = limit(penalty, u, factor, lower, upper), top, slope
    if lower < b < upper and (factor == 0 or penalty.smooth(b)):
        slope = factor * penalty.derivative(b) if factor > 0 else 0.0
        if fabs(u - slope) <= rounding:
            return 0.0 if projected else fabs(u - slope) * fabs(b)
    if fabs(u) > bound:
        if fabs(u) > bound + rounding:
            return INFINITY
        u = bound if u > 0 else -bound
    if factor == 0:
        top = upper if u > 0 else (lower if u < 0 else b)
        return u * (top - b)
    top = penalty.maximiser(u / factor)
    if isinf(top) and fabs(u) >= bound:
        top = 0.0                      # at the limit the supremum is reached everywhere from 0 on
    top = clip(top, lower, upper)
    slope = factor * (penalty.value(b) - penalty.value(top)) - u * (b - top)
    return slope if slope > 0 else 0.0


cdef double between(const double *y, const double *w, Py_ssize_t n, double share, double low,
                    double high) noexcept nogil:
    # The y at which the weights from -inf on reach `share`, sought from low to high; infinite if not there, nan
    # without memory.
    cdef Py_ssize_t i, at, count = 0
    cdef double below = l1l2fast_below(n, y, w, low, high, &count), found
    cdef Kink *kinks = <Kink*>malloc((count + 1) * sizeof(Kink))
    if kinks is NULL:
        return NAN
    count = 0
    for i in range(n):  # every y is written and overwritten by the next if it is outside: nothing to guess
        kinks[count].t, kinks[count].jump = y[i], w[i]
        count += (y[i] >= low) & (y[i] <= high)
    at = crossing(kinks, count, below - share)
    if (at == count or below >= share) and low > -INFINITY:
        found = INFINITY
    else:
        found = kinks[min(at, count - 1)].t
    free(kinks)
    return found


cdef double quantile(const double *y, const double *w, Py_ssize_t n, double share) noexcept nogil:
    # Where the weights, of sum 1, reach `share`. Of many y only those between two quantiles of a sample are looked at;
    # nan without memory.
    cdef Py_ssize_t e, i, count = <Py_ssize_t>cbrt(<double>n * n), stride = n // count if count > 0 else 0
    cdef double low, high, found, total = 0.0, margin = MARGIN / sqrt(<double>count)
    cdef Kink *sample
    if n < MANY:
        return between(y, w, n, share, -INFINITY, INFINITY)
    sample = <Kink*>malloc(count * sizeof(Kink))
    if sample is NULL:
        return NAN
    for e in range(count):
        i = e * stride
        sample[e].t, sample[e].jump = y[i], w[i]
        total += w[i]
    low = sample[min(crossing(sample, count, -total * max(share - margin, 0)), count - 1)].t
    high = sample[min(crossing(sample, count, -total * min(share + margin, 1)), count - 1)].t
    free(sample)
    found = between(y, w, n, share, low, high)
    return found if found < INFINITY or found != found else between(y, w, n, share, -INFINITY, INFINITY)


cdef class Sums:
    """The sums of one problem. Its vectors, which every sum reads, are taken in once."""

    def __init__(self, Loss loss not None, Penalty penalty not None, const double[::1] y not None,
                 const double[::1] w not None, const double[::1] square not None, const double[::1] factor not None,
                 const double[::1] lower not None, const double[::1] upper not None, bint intercept):
        self.loss, self.penalty, self.y, self.w, self.square = loss, penalty, y, w, square
        self.factor, self.lower, self.upper, self.intercept = factor, lower, upper, intercept
        slopes = loss.slopes()
        self.lines = slopes is not None
        if self.lines:
            self.left, self.right = slopes

    def certify(self, const double[::1] b not None, const double[::1] f not None, const double[::1] theta not None,
                const double[::1] u not None, bint projected=False):
        """(P, P - D(s theta), s) with the largest s <= 1 at which s theta is feasible.

        With an intercept, sum(theta) must be zero. u = X~'theta is taken to be known to the rounding of its
        sums, eps |x~_j|_w |theta / w|_w, and for a smooth loss, whose theta is made of y - f, to that of f;
        `projected` says that theta was made orthogonal to the free columns, so that the rest of u is rounding.
        """
        cdef Py_ssize_t i, n = self.y.shape[0]
        cdef double objective = 0.0, size = 0.0, spread = 0.0, total = 0.0
        with nogil:
            if self.lines:
                objective = l1l2fast_line_losses(n, &self.y[0], &f[0], &theta[0], &self.w[0], self.left, self.right,
                                                 &total, &size)
            for i in range(n if not self.lines else 0):
                if self.w[i] > 0:
                    objective += self.w[i] * self.loss.value(self.y[i], f[i])
                    size += theta[i] * theta[i] / self.w[i]
                    total += theta[i]
                    spread += self.w[i] * fabs(f[i])
        return self.concluded(b, u, self.y, f, theta, objective, size, total, spread, -1.0, projected)

    def certify_look(self, const double[::1] b not None, look, const double[::1] theta not None):
        """The same for lines, from what `Look.judge` summed up."""
        cdef const double[::1] r = look.r, u = look.u
        cdef double value = look.objective, square = look.square, total = look.total
        answer = self.concluded(b, u, r, r, theta, value, square, total, 0.0, look.gap, False)
        if answer[2] == 1:
            return answer
        return self.concluded(b, u, r, np.zeros(r.shape[0]), theta, value, square, total, 0.0, -1.0, False)

    cdef concluded(self, const double[::1] b, const double[::1] u, const double[::1] y, const double[::1] f,
                   const double[::1] theta, double objective, double size, double total, double spread, double known,
                   bint projected):
        # what `certify` returns, from the sums over samples; `known` >= 0 is the samples' part of the gap if s = 1
        cdef Py_ssize_t i, j, e, n = y.shape[0], p = b.shape[0], count = 0
        cdef double gap = 0.0, s = 1.0, unit, bound
        cdef double kink = self.penalty.derivative(1e-300)  # convex, so pen(b) >= kink |b|
        cdef bint smooth = self.loss.curvature(1.0, 1.0) > 0
        cdef Py_ssize_t *live = <Py_ssize_t*>malloc((p + 1) * sizeof(Py_ssize_t))
        if live is NULL:
            raise MemoryError()
        with nogil:
            size = sqrt(size)
            for j in range(p):
                if fabs(u[j]) <= kink * self.factor[j] and b[j] == 0 and self.lower[j] <= 0 <= self.upper[j]:
                    continue  # h*(u) = 0 there
                live[count] = j
                count += 1
                if b[j] != 0:
                    spread += sqrt(self.square[j]) * fabs(b[j])
                    if self.factor[j] > 0:
                        objective += self.factor[j] * self.penalty.value(b[j])
            unit = 2.3e-16 * (16 + sqrt(<double>n)) * (size + spread if smooth and not projected else size)
            if self.intercept and fabs(total) > unit:
                s = 0.0
            for e in range(count):
                j = live[e]
                bound = limit(self.penalty, u[j], self.factor[j], self.lower[j], self.upper[j])
                if fabs(u[j]) > bound + unit * sqrt(self.square[j]) and bound < s * fabs(u[j]):
                    s = bound / fabs(u[j])
            if s == 1 and known >= 0:
                gap = known
            elif self.lines:
                gap = l1l2fast_line_slacks(n, &y[0], &f[0], &theta[0], &self.w[0], self.left, self.right, s)
            for i in range(n if not self.lines else 0):
                if self.w[i] > 0:
                    gap += self.w[i] * self.loss.slack(y[i], f[i], -s * theta[i] / self.w[i])
            for e in range(count):
                j = live[e]
                gap += slack(self.penalty, b[j], s * u[j], self.factor[j], self.lower[j], self.upper[j],
                             unit * sqrt(self.square[j]), projected)
        free(live)
        return objective, gap, s

    def reach(self, const double[::1] old not None, const double[::1] new not None):
        """The largest t <= 1 with (1 - t) old + t new feasible, of correlations u = X~'theta; `old` is."""
        cdef Py_ssize_t j
        cdef double t = 1.0, bound
        with nogil:
            for j in range(old.shape[0]):
                bound = limit(self.penalty, new[j], self.factor[j], self.lower[j], self.upper[j])
                if fabs(new[j]) > bound:
                    bound = bound if new[j] > 0 else -bound
                    t = min(t, max(bound - old[j], 0.0) / (new[j] - old[j]) if new[j] > 0
                            else min(bound - old[j], 0.0) / (new[j] - old[j]))
        return t

    def at(self, double strength):
        """The same with the penalty multiplied by `strength`."""
        rest = np.multiply(strength, self.factor), self.lower, self.upper, self.intercept
        return Sums(self.loss, self.penalty, self.y, self.w, self.square, *rest)

    def part(self, which):
        """The same over the columns `which` only."""
        rest = (x[which] for x in map(np.asarray, (self.square, self.factor, self.lower, self.upper)))
        return Sums(self.loss, self.penalty, self.y, self.w, *rest, self.intercept)

    def level(self):
        """The loss at b = 0, if it has two slopes, its best intercept (a quantile, or 0), max |y|, how many w > 0."""
        cdef Py_ssize_t live = 0, n = self.y.shape[0]
        cdef double objective = 0.0, level = 0.0, largest = 0.0, left = self.left, right = self.right
        if self.intercept:
            level = quantile(&self.y[0], &self.w[0], n, right / (left + right))
            if level != level:
                raise MemoryError()
        with nogil:
            objective = l1l2fast_line_level(n, &self.y[0], &self.w[0], level, left, right, &largest, &live)
        return objective, level, largest, live

    def residual(self, double[::1] f not None, double level):
        """f += level; returns y - f."""
        cdef Py_ssize_t i
        r = np.empty(f.shape[0])
        cdef double[::1] r_ = r
        for i in range(f.shape[0]):
            f[i] += level
            r_[i] = self.y[i] - f[i]
        return r

    def movable(self):
        """The columns that are not constant and whose bounds leave them room."""
        cdef Py_ssize_t j, k = 0
        which = np.empty(self.square.shape[0], dtype=np.intp)
        cdef Py_ssize_t[::1] which_ = which
        for j in range(self.square.shape[0]):
            if self.square[j] > 0 and self.lower[j] < self.upper[j]:
                which_[k] = j
                k += 1
        return which[:k]


def survey(const double[::1] y not None, const double[::1] w not None):
    """(max |y|, mean, y - mean); nan where y is not finite, and the mean free of its first rounding."""
    cdef Py_ssize_t i
    cdef double largest = 0.0, mean = 0.0, unused = 0.0
    centred = np.empty(y.shape[0])
    cdef double[::1] c = centred
    with nogil:
        mean = l1l2fast_mean(y.shape[0], &y[0], &w[0], 0.0, &largest)
        if mean - mean != 0:  # nan or infinity somewhere, were its weight 0
            largest = NAN
        mean += l1l2fast_mean(y.shape[0], &y[0], &w[0], mean, &unused)
        for i in range(y.shape[0]):
            c[i] = y[i] - mean
    return largest, mean, centred


def mean_losses(Loss loss not None, const double[::1] y not None, const double[::1] w not None,
                const double[:, ::1] F not None):
    """sum_i w_i l(y_i, F_ki) for every row k of predictions."""
    cdef Py_ssize_t i, k
    sums = np.zeros(F.shape[0])
    cdef double[::1] s = sums
    with nogil:
        for k in range(F.shape[0]):
            for i in range(F.shape[1]):
                if w[i] > 0:
                    s[k] += w[i] * loss.value(y[i], F[k, i])
    return sums


def within(const double[::1] x not None, double low, double high):
    """Whether low <= x_j <= high for every j; false with a nan."""
    cdef Py_ssize_t j
    for j in range(x.shape[0]):
        if not low <= x[j] <= high:
            return False
    return True


def strictly_inside(const double[::1] psi not None, const double[::1] left not None,
                    const double[::1] right not None, const Py_ssize_t[::1] which not None, double margin):
    """Whether psi is off its bounds -left and right by `margin` of their distance, at the rows `which`."""
    cdef Py_ssize_t a
    for a in range(which.shape[0]):
        if not inside(psi[which[a]], left[which[a]], right[which[a]], margin):
            return False
    return True


def held(const double[:, :] Z not None, const double[::1] psi not None, const double[::1] left not None,
         const double[::1] right not None, const double[::1] d not None, double margin):
    """Whether no column, or one that a strict row holds, is without curvature: then the minimiser is unique."""
    cdef Py_ssize_t i, j, flat = -1
    for j in range(d.shape[0]):
        if d[j] == 0:
            if flat >= 0:
                return False
            flat = j
    if flat < 0:
        return True
    for i in range(Z.shape[0]):
        if fabs(Z[i, flat]) > 1e-3 and inside(psi[i], left[i], right[i], margin):
            return True
    return False
