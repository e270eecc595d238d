"""The small problem of the absolute loss in units of order 1, and the way back from it.

    beta_j = b_j / scale_j,  scale_j = size / root_j,  root_j = |x~_j|_w;  the objective in units of size / n

Its rows are a band of the data's, and `units`: rows of one nonzero, beta_owner - snap / scale, that cost left and
right of it. Those are L1 penalties, which snap to 0, and bounds.
"""
import numpy as np

from libc.math cimport INFINITY, fabs, isinf, sqrt

from l1l2fast._blas cimport single_dot
from l1l2fast._columns cimport Columns
from l1l2fast._objective cimport Sums
from l1l2fast._scalar cimport clip, near_root

cdef extern from "simd.h":
    double l1l2fast_within(double slope, double w) noexcept nogil
    void l1l2fast_sides(Py_ssize_t n, const double *r, const double *w, double left, double right, double h,
                        double *theta) noexcept nogil

cdef enum:
    TILE = 64  # rows, and columns of them, that are turned at a time, in cache


cdef class Units:
    """Scales, curvatures and unit rows of the columns `used`; the intercept, if there is one, comes last."""
    cdef readonly Py_ssize_t k, held  # coefficients, unit rows
    cdef readonly object used, d
    cdef readonly bint curved
    cdef const double[::1] y, response, weight, lower, upper
    cdef double size, left, right
    cdef const Py_ssize_t[::1] used_
    cdef double[::1] root_, scale, d_, price
    cdef Py_ssize_t[::1] owner
    cdef double[:, ::1] cost  # of the unit rows: snap, left, right

    def __init__(self, Sums problem not None, const double[::1] y not None, double size, slopes not None,
                 double l1, double l2, used not None):
        cdef Py_ssize_t a, i, n = y.shape[0], count = used.shape[0]
        self.left, self.right = slopes
        self.size, self.y, self.response, self.weight = size, y, problem.y, problem.w
        self.lower, self.upper = problem.lower, problem.upper
        self.used, self.k = used, count + problem.intercept
        self.d = np.zeros(self.k)
        cdef double[:, ::1] memory = np.empty((3, self.k))
        self.used_, self.d_, self.root_, self.scale, self.price = used, self.d, memory[0], memory[1], memory[2]
        for a in range(count):
            self.root_[a] = near_root(problem.square[self.used_[a]])
            self.scale[a] = size / self.root_[a]
            self.price[a] = problem.factor[self.used_[a]] * self.scale[a] * (n / size)
            if l2 > 0:
                self.d_[a] = l2 * self.scale[a] * self.price[a]
                self.curved |= self.d_[a] != 0
            # beyond this price a coefficient is zero whatever the rows say: |z_j'psi| <= sum of the weights
            self.price[a] = min(l1 * self.price[a], 2.0 * n * max(self.left, self.right))
            for i in range(3):
                self.held += self.is_held(i, a)
        if problem.intercept:
            self.scale[count], self.root_[count] = size, 1.0
        if self.held:
            self.owner, self.cost = np.empty(self.held, dtype=np.intp), np.empty((3, self.held))
            self.add_units()

    cdef bint is_held(self, Py_ssize_t kind, Py_ssize_t a) noexcept:
        # by a penalty (0), a lower (1) or an upper bound (2)?
        cdef Py_ssize_t j = self.used_[a]
        return self.price[a] > 0 if kind == 0 else not isinf(self.lower[j] if kind == 1 else self.upper[j])

    cdef void add_units(self) noexcept:
        cdef Py_ssize_t a, j, kind, u = 0
        for kind in range(3):
            for a in range(self.used_.shape[0]):
                if self.is_held(kind, a):
                    j = self.used_[a]
                    self.owner[u] = a
                    self.cost[0, u] = 0.0 if kind == 0 else self.lower[j] if kind == 1 else self.upper[j]
                    self.cost[1, u] = self.price[a] if kind == 0 else 0.0 if kind == 1 else INFINITY
                    self.cost[2, u] = self.price[a] if kind == 0 else INFINITY if kind == 1 else 0.0
                    u += 1

    @property
    def owners(self):
        """The columns, as places in `used`, that a unit row holds."""
        return np.asarray(self.owner) if self.held else self.used[:0]

    @property
    def root(self):
        """|x~_j|_w of the columns used."""
        return np.asarray(self.root_)[:len(self.used)]

    def prices(self):
        """What a coefficient costs below and above 0: (down, up), a bound at 0 being more than the rows can outweigh.

        None if there is another bound, and each coefficient is so held by more than a kink at 0.
        """
        cdef Py_ssize_t a, j
        cdef double wall = 4.0 * self.y.shape[0] * max(self.left, self.right)
        down, up = np.zeros(self.k), np.zeros(self.k)
        cdef double[::1] down_ = down, up_ = up
        for a in range(self.used_.shape[0]):
            j = self.used_[a]
            down_[a] = self.price[a] if self.lower[j] < 0 else wall
            up_[a] = self.price[a] if self.upper[j] > 0 else wall
            if not (self.lower[j] == 0 or isinf(self.lower[j])) or not (self.upper[j] == 0 or isinf(self.upper[j])):
                return None
        return down, up

    def system(self, Columns X not None, const Py_ssize_t[::1] band not None):
        """Rows Z, their y and slopes: the band's, then the units."""
        cdef Py_ssize_t a, i, u, m = band.shape[0], count = self.used_.shape[0]
        cdef double[:, :] rows = self.all_rows(X) if m == X.n else X.rows(np.asarray(band))[:, self.used]
        Z, other = np.empty((m + self.held, self.k)), np.empty((3, m + self.held))
        cdef double[:, ::1] Z_ = Z, o = other
        cdef double w
        with nogil:
            for i in range(m):
                w = self.weight[band[i]] * self.y.shape[0]
                o[0, i], o[1, i], o[2, i] = self.y[band[i]] / self.size, self.left * w, self.right * w
                for a in range(count):
                    Z_[i, a] = rows[i, a] / self.root_[a]
                for a in range(count, self.k):
                    Z_[i, a] = 1.0
            for u in range(self.held):
                for a in range(self.k):
                    Z_[m + u, a] = a == self.owner[u]
                o[0, m + u] = self.cost[0, u] / self.scale[self.owner[u]]
                o[1, m + u], o[2, m + u] = self.cost[1, u], self.cost[2, u]
        return Z, other[0], other[1], other[2]

    def along(self, Columns X not None, const Py_ssize_t[::1] rows not None):
        """The given rows without units, (k, m), then their y and slopes: what has none runs along the rows."""
        cdef Py_ssize_t a, i, m = rows.shape[0], count = self.used_.shape[0]
        Z, other = np.empty((self.k, m)), np.empty((3, m))
        cdef double[:, ::1] Z_ = Z, o = other
        cdef double w
        if count and m == X.n:  # read in the order it is stored
            X.load(0, m, &self.used_[0], count, NULL, &Z_[0, 0], m)
        elif count and m and not X.load_rows(&rows[0], m, &self.used_[0], count, &Z_[0, 0], m):
            Z[:count] = X.rows(np.asarray(rows)).T[self.used]
        with nogil:
            for i in range(m):
                w = self.weight[rows[i]] * self.y.shape[0]
                o[0, i], o[1, i], o[2, i] = self.y[rows[i]] / self.size, self.left * w, self.right * w
            for a in range(count):
                w = 1 / self.root_[a]
                if w != 1:
                    for i in range(m):
                        Z_[a, i] *= w
            for a in range(count, self.k):
                for i in range(m):
                    Z_[a, i] = 1.0
        return Z, other[0], other[1], other[2]

    def rounded(self, Columns X not None):
        """All rows over the roots of d, in single precision; then y, slopes and the squares of the rows.

        A power of two, near the least d, goes from the curvatures to the rest, that no number is beyond that
        precision; it comes last. In units of it, curvatures are 1.
        """
        cdef Py_ssize_t a, i, lo, hi, tile, piece, n = X.n, k = self.used_.shape[0]
        cdef double w, least = near_root(np.min(self.d))
        W, other = np.empty((n, k), dtype=np.float32), np.empty((4, n))
        cdef float[:, ::1] W_ = W
        cdef double[:, ::1] o = other, block = np.empty((k, TILE))
        cdef double[::1] part = np.empty(k)
        with nogil:
            for a in range(k):
                part[a] = least / (self.root_[a] * sqrt(self.d_[a]))
            for tile in range((n + TILE - 1) // TILE):
                lo, hi = tile * TILE, min(tile * TILE + TILE, n)
                X.load(lo, hi, &self.used_[0], k, NULL, &block[0, 0], TILE)
                for piece in range((k + TILE - 1) // TILE):
                    for i in range(lo, hi):
                        for a in range(piece * TILE, min(piece * TILE + TILE, k)):
                            W_[i, a] = <float>(block[a, i - lo] * part[a])
                for i in range(lo, hi):
                    w = self.weight[i] * n / (least * least)
                    o[0, i], o[1, i], o[2, i] = self.y[i] / self.size, self.left * w, self.right * w
                    o[3, i] = single_dot(k, &W_[i, 0], &W_[i, 0])
        return W, *other, least * least

    cdef all_rows(self, Columns X):
        # X~ of the columns used: the whole of them is read in the order it is stored
        block = np.empty((self.used_.shape[0], X.n))
        cdef double[:, ::1] out = block
        if block.shape[0]:
            with nogil:
                X.load(0, X.n, &self.used_[0], out.shape[0], NULL, &out[0, 0], X.n)
        return block.T

    def spread(self, const double[::1] psi not None, const Py_ssize_t[::1] band not None,
               const double[::1] r not None):
        """theta over all rows: psi in the band, elsewhere the slope of the side that r is on."""
        cdef Py_ssize_t i, n = r.shape[0]
        cdef double w
        theta = np.empty(n)
        cdef double[::1] t = theta
        with nogil:
            l1l2fast_sides(n, &r[0], &self.weight[0], self.left, self.right, 0.0, &t[0])
            for i in range(band.shape[0]):
                w = self.weight[band[i]]
                t[band[i]] = clip(psi[i] / n, l1l2fast_within(-self.left, w), l1l2fast_within(self.right, w))
        return theta

    def sums(self, double total, const double[::1] u not None):
        """The sums over all rows of n theta_i z_i, given the sum of theta and u = X~'theta."""
        cdef Py_ssize_t a, count = self.used_.shape[0], n = self.y.shape[0]
        out = np.empty(self.k)
        cdef double[::1] out_ = out
        for a in range(self.k):
            out_[a] = n * (u[self.used_[a]] / self.root_[a]) if a < count else n * total
        return out

    def inner(self, const double[::1] b not None):
        """beta from b, whose last entry is the intercept."""
        cdef Py_ssize_t a, count = self.used_.shape[0]
        beta = np.empty(self.k)
        cdef double[::1] beta_ = beta
        for a in range(self.k):
            beta_[a] = b[self.used_[a] if a < count else b.shape[0] - 1] / self.scale[a]
        return beta

    def coefficients(self, const double[::1] beta not None, double[::1] b not None):
        """b from beta, in place: exactly zero or on its bound where a unit's residual is rounding."""
        cdef Py_ssize_t a, u, p = b.shape[0] - 1
        cdef double largest = 0.0
        b[p] = 0.0
        for a in range(self.k):
            largest = max(largest, fabs(beta[a]))
            b[self.used_[a] if a < self.used_.shape[0] else p] = beta[a] * self.scale[a]
        for u in range(self.held):
            a = self.owner[u]
            if fabs(beta[a] - self.cost[0, u] / self.scale[a]) <= 1e-14 * (1 + largest):
                b[self.used_[a]] = self.cost[0, u]
        for a in range(p):
            b[a] = clip(b[a], self.lower[a], self.upper[a])
