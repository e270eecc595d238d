"""Columns of a dense X, in Fortran or in C order."""
import numpy as np

cimport cython

from l1l2fast._blas cimport syrk, syrk_t
from l1l2fast._columns cimport Columns, address

cdef extern from "simd.h":
    ctypedef struct dense_kernels:
        double (*dot)(Py_ssize_t n, const void *x, double m, const double *v) noexcept nogil
        void (*axpy)(Py_ssize_t n, double a, const void *x, double m, const double *w, double *v) noexcept nogil
        double (*move)(Py_ssize_t n, double a, const void *x, double m, const double *w, double *v, const void *other,
                       double m_other) noexcept nogil
        void (*columns)(Py_ssize_t n, Py_ssize_t p, const void *x, Py_ssize_t ld, const double *m, const double *v,
                        double *g) noexcept nogil
        void (*moments)(Py_ssize_t n, Py_ssize_t p, const void *x, Py_ssize_t ld, const double *m, const double *w,
                        const double *v, double *s1, double *s2, double *s3) noexcept nogil
        void (*copy)(Py_ssize_t n, const void *x, double m, const double *s, double *out) noexcept nogil
        void (*rows)(Py_ssize_t rows, Py_ssize_t p, const void *x, const double *m, const double *v,
                     double *g) noexcept nogil
        void (*row_products)(Py_ssize_t rows, Py_ssize_t p, const void *x, const double *m, const double *scale,
                             const double *b, double *f) noexcept nogil
        void (*row_moments)(Py_ssize_t rows, Py_ssize_t p, const void *x, const double *m, const double *w,
                            const double *v, double *s1, double *s2, double *s3) noexcept nogil
        void (*columns_many)(Py_ssize_t n, Py_ssize_t p, const void *x, Py_ssize_t ld, const double *m, const double *r,
                             Py_ssize_t stride, Py_ssize_t width, double *g, Py_ssize_t ldg) noexcept nogil
        void (*rows_many)(Py_ssize_t n, Py_ssize_t p, const void *x, Py_ssize_t ld, const double *m, const double *r,
                          Py_ssize_t stride, Py_ssize_t width, double *g, Py_ssize_t ldg) noexcept nogil
        void (*pick)(Py_ssize_t rows, Py_ssize_t p, Py_ssize_t k, const void *x, const Py_ssize_t *which,
                     const double *m, const double *scale, const double *s, double *out, Py_ssize_t ld) noexcept nogil
        void (*gather)(Py_ssize_t n, const void *x, Py_ssize_t stride, const Py_ssize_t *rows, double m, double s,
                       double *out) noexcept nogil
        void (*combine)(Py_ssize_t n, const void *const *x, const double *a, const double *m,
                        double *v) noexcept nogil
        double (*item)(const void *x, Py_ssize_t i) noexcept nogil
        size_t size
    dense_kernels l1l2fast_dense_kernels(int is_double) noexcept nogil
    void l1l2fast_prefetch(const void *start, size_t bytes) noexcept nogil


cdef enum:
    TILE = 2048  # rows of a vector that stay in the cache while the columns go by
    MOST_AHEAD = 256  # numbers of the next column to ask for: the rest comes by itself
    FEW = 256    # rows that are not worth the vector unit, and are summed in one order everywhere


@cython.final
cdef class DenseF(Columns):
    """Columns of a Fortran-ordered array."""
    cdef const char *data
    cdef dense_kernels ops

    def __init__(self, X not None):
        self.ops = l1l2fast_dense_kernels(X.dtype == np.float64)
        self.data = address(X)
        self.allot(X.shape[0], X.shape[1], X)

    cdef inline const void *column(self, Py_ssize_t j) noexcept nogil:
        return self.data + <size_t>j * <size_t>self.n * self.ops.size

    cdef double dot(self, Py_ssize_t j, const double *v, double total) noexcept nogil:
        return self.scale_[j] * self.ops.dot(self.n, self.column(j), self.mean_[j], v)

    cdef void expect(self, Py_ssize_t j) noexcept nogil:
        l1l2fast_prefetch(self.column(j), min(self.n, MOST_AHEAD) * self.ops.size)

    cdef double axpy(self, Py_ssize_t j, double a, const double *w, double *v) noexcept nogil:
        self.ops.axpy(self.n, a * self.scale_[j], self.column(j), self.mean_[j], w, v)
        return 0.0

    cdef double move(self, Py_ssize_t j, double a, const double *w, double *v, double *total,
                     Py_ssize_t after) noexcept nogil:
        return self.scale_[after] * self.ops.move(self.n, a * self.scale_[j], self.column(j), self.mean_[j], w, v,
                                                  self.column(after), self.mean_[after])

    cdef void load(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k,
                   const double *root, double *out, Py_ssize_t ld) noexcept nogil:
        cdef Py_ssize_t a, i, j
        for a in range(k):
            j = which[a]
            self.ops.copy(hi - lo, <const char*>self.column(j) + lo * self.ops.size, self.mean_[j],
                         root + lo if root != NULL else NULL, out + a * ld)
            if self.scale_[j] != 1:
                for i in range(hi - lo):
                    out[a * ld + i] *= self.scale_[j]

    cdef void predict_part(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k,
                           const double *b, const double *ones, double *f) noexcept nogil:
        cdef Py_ssize_t tile
        for tile in range((self.n + TILE - 1) // TILE):
            self.add_columns(tile * TILE, min(tile * TILE + TILE, self.n), which + lo, hi - lo, b, ones, f)

    cdef void add_columns(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k, const double *b,
                          const double *ones, double *f) noexcept nogil:
        # rows lo:hi of f += X~ b, for the columns `which`
        cdef Py_ssize_t a = 0, e, j
        cdef const void *x[4]
        cdef double[4] by, mean
        while a + 4 <= k:  # four columns at a time: f is read and written once
            for e in range(4):
                j = which[a + e]
                x[e] = <const char*>self.column(j) + lo * self.ops.size
                by[e], mean[e] = b[j] * self.scale_[j], self.mean_[j]
            self.ops.combine(hi - lo, x, by, mean, f + lo)
            a += 4
        while a < k:
            j = which[a]
            self.ops.axpy(hi - lo, b[j] * self.scale_[j], <const char*>self.column(j) + lo * self.ops.size,
                          self.mean_[j], ones, f + lo)
            a += 1

    cdef bint fit_rows(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k, const double *b,
                       double *f) noexcept nogil:
        cdef double[TILE] ones
        cdef Py_ssize_t i, tile
        for i in range(TILE):
            ones[i] = 1.0
        for i in range(lo, hi):
            f[i] = 0.0
        for tile in range((hi - lo + TILE - 1) // TILE):
            self.add_columns(lo + tile * TILE, min(lo + tile * TILE + TILE, hi), which, k, b, ones, f)
        return True

    cdef void sweep_rows(self, Py_ssize_t lo, Py_ssize_t hi, const double *v, double *g) noexcept nogil:
        cdef Py_ssize_t j
        self.ops.columns(hi - lo, self.p, self.data + lo * self.ops.size, self.n, &self.mean_[0], v + lo, g + self.p)
        for j in range(self.p):
            g[j] += g[self.p + j]

    cdef bint load_rows(self, const Py_ssize_t *rows, Py_ssize_t m, const Py_ssize_t *which, Py_ssize_t k,
                        double *out, Py_ssize_t ld) noexcept nogil:
        cdef Py_ssize_t a, j
        for a in range(k):
            j = which[a]
            self.ops.gather(m, self.column(j), 1, rows, self.mean_[j], self.scale_[j], out + a * ld)
        return True

    cdef bint add_stored(self, Py_ssize_t lo, Py_ssize_t hi, Py_ssize_t first, Py_ssize_t k,
                         double w, double *G, Py_ssize_t ld) noexcept nogil:
        if self.ops.size == sizeof(double):
            syrk(k, hi - lo, w, <const double*>self.column(first) + lo, self.n, G, ld)
        return self.ops.size == sizeof(double)

    cdef bint fresh_part(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k, const double *b,
                         const double *ones, const double *w, double *r, double *theta, double *g) noexcept nogil:
        cdef Py_ssize_t a, i, j
        for a in range(k):
            j = which[a]
            self.ops.axpy(hi - lo, -b[j] * self.scale_[j], <const char*>self.column(j) + lo * self.ops.size,
                          self.mean_[j], ones, r + lo)
        for i in range(lo, hi):
            theta[i] = w[i] * r[i]
        self.ops.columns(hi - lo, self.p, self.data + lo * self.ops.size, self.n, &self.mean_[0], theta + lo, g)
        rescale(0, self.p, 1, &self.scale_[0], g)
        return True

    cdef void sweep_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *v, double total, double *g) noexcept nogil:
        self.ops.columns(self.n, hi - lo, self.column(lo), self.n, &self.mean_[lo], v, g + lo)
        rescale(lo, hi, 1, &self.scale_[0], g)

    cdef void many_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *r, Py_ssize_t K, const double *total,
                        double *g) noexcept nogil:
        self.ops.columns_many(self.n, hi - lo, self.column(lo), self.n, &self.mean_[lo], r, 8 * self.n, K,
                              g + lo * K, K)
        rescale(lo, hi, K, &self.scale_[0], g)

    cdef void weigh_one(self, Py_ssize_t j, const double *w, const double *v, double all_w, double all_v,
                        double *out) noexcept nogil:
        cdef double s = self.scale_[j]
        self.ops.moments(self.n, 1, self.column(j), self.n, &self.mean_[j], w, v, out, out + 1, out + 2)
        out[0], out[1], out[2] = s * out[0], s * s * out[1], s * out[2]

    cdef void moments_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *origin, const double *w,
                           const double *v, double *s1, double *s2, double *s3) noexcept nogil:
        self.ops.moments(self.n, hi - lo, self.column(lo), self.n, origin + lo, w, v, s1 + lo, s2 + lo, s3 + lo)


@cython.final
cdef class DenseC(Columns):
    """Columns of a C-ordered array: passes go row by row, as the memory lies."""
    cdef const char *data
    cdef dense_kernels ops

    def __init__(self, X not None):
        self.ops = l1l2fast_dense_kernels(X.dtype == np.float64)
        self.data = address(X)
        self.allot(X.shape[0], X.shape[1], X)

    cdef inline double item(self, Py_ssize_t i, Py_ssize_t j) noexcept nogil:
        return self.scale_[j] * (self.ops.item(self.data, i * self.p + j) - self.mean_[j])

    cdef inline const void *row(self, Py_ssize_t i) noexcept nogil:
        return self.data + <size_t>i * <size_t>self.p * self.ops.size

    cdef double dot(self, Py_ssize_t j, const double *v, double total) noexcept nogil:
        cdef Py_ssize_t i
        cdef double sum = 0.0
        for i in range(self.n):
            sum += self.item(i, j) * v[i]
        return sum

    cdef double axpy(self, Py_ssize_t j, double a, const double *w, double *v) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(self.n):
            v[i] += a * w[i] * self.item(i, j)
        return 0.0

    cdef void load(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k,
                   const double *root, double *out, Py_ssize_t ld) noexcept nogil:
        self.ops.pick(hi - lo, self.p, k, self.row(lo), which, &self.mean_[0], &self.scale_[0],
                      root + lo if root != NULL else NULL, out, ld)

    cdef bint add_stored(self, Py_ssize_t lo, Py_ssize_t hi, Py_ssize_t first, Py_ssize_t k,
                         double w, double *G, Py_ssize_t ld) noexcept nogil:
        if self.ops.size == sizeof(double):
            syrk_t(k, hi - lo, w, <const double*>self.row(lo) + first, self.p, G, ld)
        return self.ops.size == sizeof(double)

    cdef bint load_rows(self, const Py_ssize_t *rows, Py_ssize_t m, const Py_ssize_t *which, Py_ssize_t k,
                        double *out, Py_ssize_t ld) noexcept nogil:
        cdef Py_ssize_t a, i, j, tile
        for tile in range((m + FEW - 1) // FEW):  # rows that stay in the cache while their columns go by
            i = tile * FEW
            for a in range(k):
                j = which[a]
                self.ops.gather(min(FEW, m - i), self.data + j * self.ops.size, self.p, rows + i, self.mean_[j],
                                self.scale_[j], out + a * ld + i)
        return True

    cdef bint by_rows(self) noexcept nogil:
        return True

    cdef Py_ssize_t parts(self, Py_ssize_t numbers, Py_ssize_t *step) noexcept nogil:
        step[0] = 1 + numbers // (self.p + 1)
        return self.n

    cdef void predict_part(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k,
                           const double *b, const double *ones, double *f) noexcept nogil:
        cdef Py_ssize_t a, i
        cdef double sum
        if 4 * k >= self.p and hi - lo >= FEW:  # the other b are zero
            self.ops.row_products(hi - lo, self.p, self.row(lo), &self.mean_[0], &self.scale_[0], b, f + lo)
            return
        for i in range(lo, hi):
            sum = 0.0
            for a in range(k):
                sum += b[which[a]] * self.item(i, which[a])
            f[i] = sum

    cdef void sweep_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *v, double total, double *g) noexcept nogil:
        self.ops.rows(hi - lo, self.p, self.row(lo), &self.mean_[0], v + lo, g)
        rescale(0, self.p, 1, &self.scale_[0], g)

    cdef bint fit_rows(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k, const double *b,
                       double *f) noexcept nogil:
        self.predict_part(lo, hi, which, k, b, NULL, f)
        return True

    cdef void sweep_rows(self, Py_ssize_t lo, Py_ssize_t hi, const double *v, double *g) noexcept nogil:
        self.ops.rows(hi - lo, self.p, self.row(lo), &self.mean_[0], v + lo, g)

    cdef void many_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *r, Py_ssize_t K, const double *total,
                        double *g) noexcept nogil:
        self.ops.rows_many(hi - lo, self.p, self.row(lo), self.p, &self.mean_[0], r + 8 * lo, 8 * self.n, K, g, K)
        rescale(0, self.p, K, &self.scale_[0], g)

    cdef void weigh_one(self, Py_ssize_t j, const double *w, const double *v, double all_w, double all_v,
                        double *out) noexcept nogil:
        cdef Py_ssize_t i
        cdef double x, first = 0.0, second = 0.0, third = 0.0
        for i in range(self.n):
            x = self.item(i, j)
            first += w[i] * x
            second += w[i] * x * x
            third += v[i] * x
        out[0], out[1], out[2] = first, second, third

    cdef void moments_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *origin, const double *w,
                           const double *v, double *s1, double *s2, double *s3) noexcept nogil:
        self.ops.row_moments(hi - lo, self.p, self.row(lo), origin, w + lo, v + lo, s1, s2, s3)


cdef void rescale(Py_ssize_t lo, Py_ssize_t hi, Py_ssize_t K, const double *scale, double *g) noexcept nogil:
    """Rows lo:hi of g (p, K), each by its column's scale."""
    cdef Py_ssize_t j, k
    for j in range(lo, hi):
        for k in range(K):
            g[j * K + k] *= scale[j]
