"""Looks at all rows, for losses that are lines: X is read once for the residuals, a dual point and its sums.

What a look leaves lies here until the next one: n-vectors are not made anew for each.
"""
import numpy as np

from libc.stdlib cimport calloc, free

from l1l2fast._columns cimport Columns
from l1l2fast._objective cimport Sums
from l1l2fast._scalar cimport clip, summed
from l1l2fast._signals cimport interrupted, raise_pending

cdef extern from "simd.h":
    double l1l2fast_within(double slope, double w) noexcept nogil
    void l1l2fast_sides(Py_ssize_t n, const double *r, const double *w, double left, double right, double h,
                        double *theta) noexcept nogil
    void l1l2fast_residuals(Py_ssize_t n, const double *y, double level, double *f) noexcept nogil
    void l1l2fast_above(Py_ssize_t n, const double *r, unsigned char *mark) noexcept nogil
    Py_ssize_t l1l2fast_places(Py_ssize_t n, const double *y, double low, double high,
                               Py_ssize_t *place) noexcept nogil
    void l1l2fast_crossed(Py_ssize_t n, const double *r, unsigned char *mark) noexcept nogil
    double l1l2fast_line_losses(Py_ssize_t n, const double *y, const double *f, const double *theta, const double *w,
                                double left, double right, double *total, double *square) noexcept nogil
    double l1l2fast_line_slacks(Py_ssize_t n, const double *y, const double *f, const double *theta, const double *w,
                                double left, double right, double s) noexcept nogil

cdef enum:
    # numbers in the rows of X that stay in the cache between fit and sums, and rows at least
    NUMBERS = 1 << 16
    LEAST = 256


cdef class Look:
    """The residuals r = y - f, theta, X~'theta = u and sums of the last look.

    Of `judge` alone: `crossed` marks the rows that are not on the side where they were taken to be (None if the band
    is everything), and the sums are those that `Sums.certify_look` asks for.
    """
    cdef readonly object r, theta, u, crossed
    cdef readonly double objective, gap, total, square
    cdef Columns X
    cdef Sums sums
    cdef double[::1] r_, theta_, zeros
    cdef const double[::1] before, psi
    cdef const Py_ssize_t[::1] band
    cdef unsigned char[::1] crossed_
    cdef object rows
    cdef Py_ssize_t[::1] rows_
    cdef Py_ssize_t place  # in the band
    cdef double h
    cdef bint last

    def __init__(self, Columns X not None, Sums sums not None):
        self.X, self.sums = X, sums
        self.zeros = np.zeros(min(X.n, max(LEAST, NUMBERS // (X.p + 1))))

    def smooth(self, const double[::1] b not None, double h):
        """At b, whose last entry is the intercept: theta are the slopes of the loss, made continuous where |r| < h."""
        if self.r is None:
            self.r = self.r_ = np.empty(self.X.n)
        if self.theta is None:
            self.theta = self.theta_ = np.empty(self.X.n)
        self.last, self.h, self.total = False, h, 0.0
        self.walk(b)

    def judge(self, const double[::1] b not None, const double[::1] psi not None,
              const Py_ssize_t[::1] band not None, const double[::1] before not None):
        """At b, theta being psi in the band, elsewhere the slope of the side that the residuals `before` are on.

        The band's rows must ascend. Leaves theta to whoever asks for it: the next look takes another.
        """
        self.before, self.psi, self.band = before, psi, band
        if self.r is None:
            self.r = self.r_ = np.empty(self.X.n)
        if self.theta is None:
            self.theta = self.theta_ = np.empty(self.X.n)
        self.crossed = None
        if band.shape[0] < self.X.n:
            mark = np.empty(self.X.n, dtype=np.uint8)
            self.crossed_, self.crossed = mark, mark.view(bool)
        self.last, self.h, self.place = True, 0.0, 0
        self.total = self.square = self.objective = self.gap = 0.0
        self.walk(b)
        self.before, theta, self.theta = None, self.theta, None
        return theta

    cdef int walk(self, const double[::1] b) except -1:
        cdef Py_ssize_t lo, hi, j, k = 0, n = self.X.n, p = self.X.p, step = self.zeros.shape[0]
        cdef bint able = p > 0
        cdef double[::1] u_
        # sums over rows and over those of one block; the columns of nonzero b
        cdef double *g = <double*>calloc(3 * p + 1, sizeof(double))
        cdef Py_ssize_t *which = <Py_ssize_t*>(g + 2 * p)
        if g is NULL:
            raise MemoryError()
        for j in range(p):
            which[k] = j
            k += b[j] != 0
        try:
            for lo in range(0, n, step):
                hi = min(lo + step, n)
                with nogil:
                    self.before_fit(lo, hi)
                    able = able and self.X.fit_rows(lo, hi, which, k, &b[0], &self.r_[0])
                    if able:
                        self.after_fit(lo, hi, b[p])
                        self.X.sweep_rows(lo, hi, &self.theta_[0], g)
                    elif hi < n:
                        self.before_fit(hi, n)
                if not able:
                    break
                if interrupted():
                    raise_pending()
            if able:
                self.u = u_ = np.empty(p)
                for j in range(p):
                    u_[j] = self.X.scale_[j] * g[j]
                return 0
        finally:
            free(g)
        self.X.fit(b[:p], self.r_)
        for lo in range(0, n, step):
            self.after_fit(lo, min(lo + step, n), b[p])
        self.u = self.X.swept(self.theta_, 1)
        return 0

    cdef void before_fit(self, Py_ssize_t lo, Py_ssize_t hi) noexcept nogil:
        # what `judge` makes of the residuals before, which the new ones may overwrite
        cdef Py_ssize_t i
        cdef double w, left = self.sums.left, right = self.sums.right
        if not self.last:
            return
        l1l2fast_sides(hi - lo, &self.before[lo], &self.sums.w[lo], left, right, 0.0, &self.theta_[lo])
        if self.band.shape[0] < self.X.n:
            l1l2fast_above(hi - lo, &self.before[lo], &self.crossed_[lo])
        while self.place < self.band.shape[0] and self.band[self.place] < hi:
            i = self.band[self.place]
            w = self.sums.w[i]
            self.theta_[i] = clip(self.psi[self.place] / self.X.n, l1l2fast_within(-left, w), l1l2fast_within(right, w))
            if self.band.shape[0] < self.X.n:
                self.crossed_[i] = 2
            self.place += 1

    cdef void after_fit(self, Py_ssize_t lo, Py_ssize_t hi, double level) noexcept nogil:
        # r holds the fit without its level
        cdef Py_ssize_t n = hi - lo
        cdef double left = self.sums.left, right = self.sums.right, total = 0.0, square = 0.0
        cdef double *r = &self.r_[lo]
        cdef double *theta = &self.theta_[lo]
        cdef const double *w = &self.sums.w[lo]
        l1l2fast_residuals(n, &self.sums.y[lo], level, r)
        if not self.last:
            l1l2fast_sides(n, r, w, left, right, self.h, theta)
            self.total += summed(n, theta)
            return
        if self.band.shape[0] < self.X.n:
            l1l2fast_crossed(n, r, &self.crossed_[lo])
        self.objective += l1l2fast_line_losses(n, r, &self.zeros[0], theta, w, left, right, &total, &square)
        self.gap += l1l2fast_line_slacks(n, r, &self.zeros[0], theta, w, left, right, 1.0)
        self.total, self.square = self.total + total, self.square + square

    def near(self, const double[::1] r not None, double h):
        """The rows of positive weight with |r| <= h."""
        cdef Py_ssize_t i, e, count, found = 0
        if self.rows is None:
            self.rows = self.rows_ = np.empty(self.X.n, dtype=np.intp)
        with nogil:
            count = l1l2fast_places(r.shape[0], &r[0], -h, h, &self.rows_[0])
            for e in range(count):
                i = self.rows_[found] = self.rows_[e]
                found += self.sums.w[i] > 0
        return self.rows[:found].copy()
