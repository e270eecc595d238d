"""Norms of groups of coefficients: passes over a quadratic, and the two halves of a duality gap.

    h_g(b) = thin_g |b|_1 + level_g |b|_2,    h_g*(u) = 0 where |soft(u, thin_g)|_2 <= level_g, else infinite

Group g has the positions begin_g to begin_(g+1) of an order in which the columns of a group are neighbours; an
infinite level holds a group at zero. Yuan and Lin (2006); with thin > 0, Simon, Friedman, Hastie and Tibshirani (2013).
"""
import numpy as np

from libc.math cimport fabs, isinf, sqrt

from l1l2fast._blas cimport axpy, dot, gemv
from l1l2fast._objective cimport Sums
from l1l2fast._scalar cimport sign, soft_threshold
from l1l2fast._signals cimport interrupted, raise_pending

from l1l2fast._penalties import L2

cdef enum:
    INNER = 10  # steps on one group, at most, before the others hear of them
    ROOTS = 60  # steps towards the largest feasible multiple of a dual point

# What is left of a group's first step when the next group has its turn.
cdef double FADED = 0.05


cdef double norm(Py_ssize_t m, const double *x) noexcept nogil:
    # |x|_2, whatever the units
    cdef Py_ssize_t a
    cdef double largest = 0.0, total = 0.0
    for a in range(m):
        largest = max(largest, fabs(x[a]))
    if largest == 0 or isinf(largest):
        return largest
    for a in range(m):
        total += (x[a] / largest) * (x[a] / largest)
    return largest * sqrt(total)


cdef double soft_norm(Py_ssize_t m, const double *z, double thin, double *out) noexcept nogil:
    # |soft(z, thin)|_2, the vector being left in out
    cdef Py_ssize_t a
    for a in range(m):
        out[a] = soft_threshold(z[a], thin)
    return norm(m, out)


cdef double prox(Py_ssize_t m, double thin, double level, double *z) noexcept nogil:
    # z <- argmin_b |b - z|^2 / 2 + thin |b|_1 + level |b|_2; returns the norm of that
    cdef Py_ssize_t a
    cdef double size = soft_norm(m, z, thin, z), part
    part = (size - level) / size if size > level else 0.0
    for a in range(m):
        z[a] *= part
    return part * size


cdef double move(Py_ssize_t m, const double *G, Py_ssize_t ld, double thin, double level, double bound,
                 const double *q, double *b, double *work) noexcept nogil:
    """Minimise over one group, whose part of the Gram matrix is G, with all eigenvalues <= bound; returns bound |d|^2.

    The change d of b is left in work (3 m). Exact where zero is the answer, else some steps beside a
    parabola that lies above the quadratic.
    """
    cdef Py_ssize_t a, _step
    cdef double *d = work
    cdef double *slope = work + m
    cdef double *new = work + 2 * m
    cdef double change, first = 0.0
    for a in range(m):
        slope[a] = q[a]
    gemv(m, m, 1.0, G, ld, b, slope)
    if soft_norm(m, slope, thin, new) <= level:
        for a in range(m):
            d[a] = -b[a]
            b[a] = 0.0
        return bound * dot(m, d, d)
    for a in range(m):
        d[a] = 0.0
        slope[a] = q[a]
    for _step in range(INNER):
        for a in range(m):
            new[a] = b[a] + d[a] + slope[a] / bound
        prox(m, thin / bound, level / bound, new)
        change = 0.0
        for a in range(m):
            new[a] -= b[a] + d[a]
            d[a] += new[a]
            change += new[a] * new[a]
        first = max(first, change)
        if m == 1 or change <= FADED * FADED * first:
            break
        gemv(m, m, -1.0, G, ld, new, slope)
    for a in range(m):
        b[a] += d[a]
    return bound * dot(m, d, d)


def epochs(const double[:, ::1] G not None, const Py_ssize_t[::1] begin not None, const double[::1] thin not None,
           const double[::1] level not None, const double[::1] bound not None, double[::1] q not None,
           double[::1] b not None, double still, Py_ssize_t most, double[::1] work not None):
    """Passes over the groups of  1/2 d'G d - q'd + sum h_g((b + d)_g), until one moves b by no more than `still`.

    A move is measured by sum bound_g |d_g|^2; q and b are brought up to date; work has room for three times the
    largest group. Returns the last move and the number of passes.
    """
    cdef Py_ssize_t g, a, m, at, k = q.shape[0], ld = G.shape[1], done = 0
    cdef double moved = 0.0, change
    while k > 0 and done < most:
        with nogil:
            moved = 0.0
            for g in range(begin.shape[0] - 1):
                at, m = begin[g], begin[g + 1] - begin[g]
                if m == 0 or bound[g] <= 0:
                    continue
                change = move(m, &G[at, at], ld, thin[g], level[g], bound[g], &q[at], &b[at], &work[0])
                if change > 0:
                    moved += change
                    for a in range(m):
                        if work[a] != 0:
                            axpy(k, -work[a], &G[at + a, 0], &q[0])
        done += 1
        if interrupted():
            raise_pending()
        if moved <= still:
            break
    return moved, done


cdef double feasible(Py_ssize_t m, const double *u, double thin, double level, double rounding, double s,
                     double *work) noexcept nogil:
    # the largest multiple <= s of u at which h* is finite, up to rounding: Newton's way down a convex function
    cdef Py_ssize_t a, _step
    cdef double size, slope
    for _step in range(ROOTS):
        for a in range(m):
            work[a] = soft_threshold(s * u[a], thin)
        size = norm(m, work)
        if size <= level + rounding:
            return s
        slope = 0.0
        for a in range(m):
            slope += work[a] / size * fabs(u[a]) * sign(work[a])
        s = max(0.0, s - (size - level) / fabs(slope))
    return 0.0


cdef double slack(Py_ssize_t m, const double *b, const double *u, double thin, double level, double s,
                  double *work) noexcept nogil:
    # h(b) + h*(s u) - s u'b, in terms >= 0 of which none cancels; an excess by rounding counts as none
    cdef Py_ssize_t a
    cdef double size = norm(m, b), above, part, total = 0.0, apart = 0.0
    if size == 0:
        return 0.0
    for a in range(m):
        work[a] = soft_threshold(s * u[a], thin)
        total += thin * fabs(b[a]) - (s * u[a] - work[a]) * b[a]
    above = norm(m, work)
    if level == 0 or above == 0:
        for a in range(m):
            total += fabs(work[a] * b[a])
        return max(total, 0.0) + level * size
    for a in range(m):
        part = work[a] / above - b[a] / size
        apart += part * part
    return max(total, 0.0) + max(level - above, 0.0) * size + min(above, level) * size * apart / 2


cdef class GroupSums(Sums):
    """The sums of a problem whose penalty is one on groups; `layout` is a `group.Layout`."""
    cdef readonly object layout
    cdef const Py_ssize_t[::1] order, begin
    cdef const double[::1] thin, level
    cdef double[::1] work

    def __init__(self, layout, loss, *rest):
        super().__init__(loss, L2(0.0), *rest)
        self.layout = layout
        self.order, self.begin, self.thin, self.level = layout.order, layout.begin, layout.thin, layout.level
        self.work = np.empty(3 * max(layout.sizes, default=1))

    def certify(self, const double[::1] b not None, const double[::1] f not None, const double[::1] theta not None,
                const double[::1] u not None, bint projected=False):
        """(P, P - D(s theta), s) with the largest s <= 1 at which s theta is feasible, as `Sums.certify` has it."""
        cdef Py_ssize_t i, g, a, m, n = f.shape[0]
        cdef double objective = 0.0, gap = 0.0, s = 1.0, size = 0.0, spread = 0.0, total = 0.0, unit, one
        cdef double *B = &self.work[0]
        cdef double *U
        with nogil:
            for i in range(n):
                if self.w[i] > 0:
                    objective += self.w[i] * self.loss.value(self.y[i], f[i])
                    size += theta[i] * theta[i] / self.w[i]
                    total += theta[i]
            for a in range(b.shape[0]):
                spread += sqrt(self.square[a]) * fabs(b[a])
            unit = 2.3e-16 * (16 + sqrt(<double>n)) * (sqrt(size) + spread)
            if self.intercept and fabs(total) > unit:
                s = 0.0
            for g in range(self.level.shape[0]):
                m, one = self.begin[g + 1] - self.begin[g], 0.0
                U = B + m
                for a in range(m):
                    U[a] = u[self.order[self.begin[g] + a]]
                    one += self.square[self.order[self.begin[g] + a]]
                s = feasible(m, U, self.thin[g], self.level[g], unit * sqrt(one), s, U + m)
            for i in range(n):
                if self.w[i] > 0:
                    gap += self.w[i] * self.loss.slack(self.y[i], f[i], -s * theta[i] / self.w[i])
            for g in range(self.level.shape[0]):
                m, one = self.begin[g + 1] - self.begin[g], 0.0
                U = B + m
                for a in range(m):
                    B[a], U[a] = b[self.order[self.begin[g] + a]], u[self.order[self.begin[g] + a]]
                    one += fabs(B[a])
                if one > 0:
                    objective += self.thin[g] * one + self.level[g] * norm(m, B)
                    gap += slack(m, B, U, self.thin[g], self.level[g], s, U + m)
        return objective, gap, s

    def slopes(self, const double[::1] u not None):
        """|soft(u_g, thin_g)|_2 for each group."""
        cdef Py_ssize_t g, a, m
        cdef double *z = &self.work[0]
        out = np.empty(self.level.shape[0])
        cdef double[::1] o = out
        for g in range(self.level.shape[0]):
            m = self.begin[g + 1] - self.begin[g]
            for a in range(m):
                z[a] = soft_threshold(u[self.order[self.begin[g] + a]], self.thin[g])
            o[g] = norm(m, z)
        return out


def bounds(const double[:, ::1] G not None, const Py_ssize_t[::1] begin not None, double[::1] out not None):
    """For each group, a number that no eigenvalue of its part of G exceeds: the largest row sum of sizes."""
    cdef Py_ssize_t g, a, c
    cdef double total
    with nogil:
        for g in range(begin.shape[0] - 1):
            out[g] = 0.0
            for a in range(begin[g], begin[g + 1]):
                total = 0.0
                for c in range(begin[g], begin[g + 1]):
                    total += fabs(G[a, c])
                out[g] = max(out[g], total)
