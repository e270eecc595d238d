"""Pivots of the parametric simplex method: from one breakpoint of tau to the next. See `breakpoints`.

Off the basis, psi_i = base_i + tau share_i; on it, psi = a + tau d with Z_h'(a, d) = -sums, which are those of
base_i z_i and share_i z_i. A pivot costs one product with Z.
"""
import numpy as np

from libc.math cimport INFINITY, fabs
from libc.string cimport memset

from l1l2fast._blas cimport axpy, gemv
from l1l2fast._signals cimport interrupted, raise_pending

cdef enum:
    REFACTOR = 50  # pivots between two factorisations of the basis

cdef double END = 1e-12    # this close to 0 or 1, tau has arrived
cdef double TINY = 1e-11   # relative: slower residuals stand still


cdef class Walk:
    """A vertex and its dual point while tau moves; `moved` is y with its ties broken, `way` is 1 or -1."""
    cdef const double[:, ::1] Z
    cdef const double[::1] y, moved, share, price
    cdef Py_ssize_t m, k
    cdef Py_ssize_t[::1] basis
    cdef double[::1] side, r, rate, dual, a, d, u, taus
    cdef double[:, ::1] inverse, sums, duals
    cdef Py_ssize_t[:, ::1] bases
    cdef double way, tau

    def __init__(self, const double[:, ::1] Z not None, const double[::1] y not None, const double[::1] moved not None,
                 const double[::1] share not None, const double[::1] price not None, basis not None, side not None,
                 double way):
        self.Z, self.y, self.moved, self.share, self.price = Z, y, moved, share, price
        self.m, self.k = Z.shape[0], Z.shape[1]
        side = np.array(side, dtype=np.float64)
        side[basis] = 0.0  # and so it is for rows that cost nothing
        side[np.asarray(share) + np.asarray(price) == 0] = 0.0
        self.basis, self.side, self.way, self.tau = np.array(basis, dtype=np.intp), side, way, 0.5
        self.rate = np.empty(self.m)
        self.a, self.d, self.u = np.empty((3, self.k))
        self.taus, self.duals = np.empty(REFACTOR), np.empty((REFACTOR, 2))
        self.bases = np.empty((REFACTOR, self.k), dtype=np.intp)

    cdef double base(self, Py_ssize_t i, double side) noexcept nogil:
        # psi_i - tau share_i on that side of zero
        return self.price[i] if side > 0 else -self.price[i] - self.share[i]

    def refactor(self):
        """Everything from the basis and the sides."""
        Z, y, moved, basis = np.asarray(self.Z), np.asarray(self.y), np.asarray(self.moved), np.asarray(self.basis)
        share, price, side = np.asarray(self.share), np.asarray(self.price), np.asarray(self.side)
        inverse = np.linalg.inv(Z[basis])
        b = inverse @ moved[basis]
        r = moved - Z @ (b + inverse @ (moved[basis] - Z[basis] @ b))
        r[basis] = 0.0
        base = np.where(side > 0, price, np.where(side < 0, -price - share, 0.0))
        both = np.array([base, np.where(side != 0, share, 0.0)])
        self.inverse, self.r, self.sums, self.dual = np.ascontiguousarray(inverse), r, both @ Z, both @ y

    cdef Py_ssize_t leave(self, double *sign) noexcept nogil:
        # the row of the basis whose psi meets a bound first, as its place there, and the side it goes to; tau moves
        cdef Py_ssize_t i, j, z, best = -1
        cdef double rate, to, first = INFINITY
        for z in range(self.k):
            self.a[z] = 0
            self.d[z] = 0
        for i in range(self.k):
            for z in range(self.k):
                self.a[z] -= self.sums[0, i] * self.inverse[i, z]
                self.d[z] -= self.sums[1, i] * self.inverse[i, z]
        for z in range(self.k):
            j = self.basis[z]
            rate = self.d[z] - self.share[j]
            if fabs(rate) <= 1e-13 * (fabs(self.d[z]) + self.share[j]):
                continue
            to = self.way * (self.base(j, self.way * rate) - self.a[z]) / rate
            if to < first:
                best, first, sign[0] = z, to, 1.0 if self.way * rate > 0 else -1.0
        if best >= 0:
            self.tau = self.way * max(first, self.way * self.tau)
        return best

    cdef Py_ssize_t enter(self, Py_ssize_t z, double sign, double *t) noexcept nogil:
        # the first row met as basis[z] goes to that side, after a step t; -1 if there is none
        cdef Py_ssize_t i, best = -1
        cdef double tiny = 0, speed
        for i in range(self.k):
            self.u[i] = self.inverse[i, z]
            tiny += TINY * fabs(self.u[i])  # entries of Z are of size 1
        memset(&self.rate[0], 0, self.m * sizeof(double))
        gemv(self.m, self.k, sign, &self.Z[0, 0], self.k, &self.u[0], &self.rate[0])
        t[0] = INFINITY
        for i in range(self.m):
            speed = -self.side[i] * self.rate[i]  # towards zero
            if self.side[i] * self.r[i] < t[0] * speed and speed > tiny:  # the rare case first
                best, t[0] = i, max(self.side[i] * self.r[i], 0) / speed
        return best

    cdef void count(self, Py_ssize_t i, double side, double times) noexcept nogil:
        # row i takes part in the sums, or no more
        cdef double base = times * self.base(i, side), share = times * self.share[i]
        axpy(self.k, base, &self.Z[i, 0], &self.sums[0, 0])
        axpy(self.k, share, &self.Z[i, 0], &self.sums[1, 0])
        self.dual[0] += base * self.y[i]
        self.dual[1] += share * self.y[i]

    cdef void pivot(self, Py_ssize_t z, Py_ssize_t enters, double sign, double t) noexcept nogil:
        cdef Py_ssize_t i, j, leaves = self.basis[z]
        cdef double scale
        axpy(self.m, t, &self.rate[0], &self.r[0])
        self.r[enters], self.r[leaves] = 0, sign * t
        self.count(enters, self.side[enters], -1)
        self.count(leaves, sign, 1)
        self.side[enters], self.side[leaves] = 0, sign
        self.basis[z] = enters
        # the inverse with one row of its matrix replaced
        for j in range(self.k):
            self.u[j] = 0
        for i in range(self.k):
            axpy(self.k, self.Z[enters, i], &self.inverse[i, 0], &self.u[0])
        scale = 1 / self.u[z]
        self.u[z] = 0
        for i in range(self.k):
            self.inverse[i, z] *= scale
            axpy(self.k, -self.inverse[i, z], &self.u[0], &self.inverse[i, 0])

    cdef Py_ssize_t some(self) noexcept nogil:
        # up to REFACTOR pivots, noted in taus (the end of each segment), bases and duals; how many segments
        cdef Py_ssize_t n, j, z, enters
        cdef double sign = 0, t = 0, end = (1 + self.way) / 2
        for n in range(REFACTOR):
            z = self.leave(&sign)
            self.duals[n, 0], self.duals[n, 1] = self.dual[0], self.dual[1]
            for j in range(self.k):
                self.bases[n, j] = self.basis[j]
                self.duals[n, 0] += self.a[j] * self.y[self.basis[j]]
                self.duals[n, 1] += self.d[j] * self.y[self.basis[j]]
            enters = -1
            if z >= 0 and self.way * (end - self.tau) > END:
                enters = self.enter(z, sign, &t)
            self.taus[n] = end if enters < 0 else self.tau
            if enters < 0:
                return n + 1
            self.pivot(z, enters, sign, t)
        return REFACTOR

    def run(self):
        """To the end of tau: where each segment ends, its basis, and its dual objective as a line in tau."""
        cdef Py_ssize_t n = REFACTOR
        parts = []
        while n == REFACTOR and self.tau != (1 + self.way) / 2:
            self.refactor()
            with nogil:
                n = self.some()
            if interrupted():
                raise_pending()
            parts.append((np.array(self.taus[:n]), np.array(self.bases[:n]), np.array(self.duals[:n])))
        return [np.concatenate(part) for part in zip(*parts, strict=True)]


def costs(const double[:, ::1] Z not None, const double[::1] y not None, const double[::1] share not None,
          const double[::1] price not None, const double[:, ::1] beta not None, const double[::1] taus not None):
    """sum_i share_i (tau r_+ + (1 - tau) r_-) + price_i |r|, r = y - Z beta, for each row of beta and its tau."""
    cdef Py_ssize_t s, i, m = Z.shape[0], k = Z.shape[1]
    cdef double above, below, flat
    out, work = np.empty(beta.shape[0]), np.empty(m)
    cdef double[::1] o = out, r = work
    with nogil:
        for s in range(beta.shape[0]):
            r[:] = y
            if k > 0:
                gemv(m, k, -1, &Z[0, 0], k, &beta[s, 0], &r[0])
            above = below = flat = 0
            for i in range(m):
                above += share[i] * max(r[i], 0)
                below -= share[i] * min(r[i], 0)
                flat += price[i] * fabs(r[i])
            o[s] = taus[s] * above + (1 - taus[s]) * below + flat
    return out
