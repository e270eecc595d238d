"""Columns of a sparse X, stored column by column (CSC)."""
import numpy as np

cimport cython

from l1l2fast._columns cimport Columns, address
from l1l2fast._signals cimport interrupted, raise_pending

from l1l2fast._panels import panels

cdef extern from "simd.h":
    ctypedef struct sparse_kernels:
        double (*gather)(Py_ssize_t nnz, const void *x, const void *index, double m, const double *v) noexcept nogil
        void (*gather_many)(Py_ssize_t nnz, Py_ssize_t more, const void *x, const void *index, double m,
                            const double *r, double *out) noexcept nogil
        void (*moments)(Py_ssize_t nnz, const void *x, const void *index, double m, const double *w, const double *v,
                        double *out) noexcept nogil
        void (*columns)(Py_ssize_t p, const Py_ssize_t *start, const void *x, const void *index, const double *v,
                        double *g) noexcept nogil
        void (*plain_moments)(Py_ssize_t p, const Py_ssize_t *start, const void *x, const void *index,
                              const double *v, double *s1, double *s2, double *s3) noexcept nogil
        void (*scatter)(Py_ssize_t nnz, double a, const void *x, const void *index, double m,
                        const double *w, double *v) noexcept nogil
        double (*spread)(Py_ssize_t nnz, const void *x, const void *index, double m, const double *w,
                         double *v) noexcept nogil
        Py_ssize_t (*rank)(Py_ssize_t nnz, const void *index, Py_ssize_t row) noexcept nogil
        Py_ssize_t (*index)(const void *index, Py_ssize_t k) noexcept nogil
        double (*item)(const void *x, Py_ssize_t i) noexcept nogil
        size_t size
        size_t index_size
    sparse_kernels l1l2fast_sparse_kernels(int is_double, int is_int64) noexcept nogil


@cython.final
cdef class Sparse(Columns):
    """Columns of a CSC matrix, sorted and without duplicates; centring costs nothing per move.

    With v = v0 + t w and sum w x~_j = 0 the product x~_j'v does not depend on t, so a move of
    column j writes its stored entries only, and `total` accounts for the rest. A column without
    a single implicit zero is centred entry by entry instead, as a dense one: no digits are lost
    when its mean is large.
    """
    cdef const char *data
    cdef const char *index
    cdef Py_ssize_t[::1] start
    cdef sparse_kernels ops

    def __init__(self, X not None):
        self.ops = l1l2fast_sparse_kernels(X.data.dtype == np.float64, X.indices.dtype == np.int64)
        self.data, self.index = address(X.data), address(X.indices)
        self.start = X.indptr.astype(np.intp)
        self.sparse = True
        self.allot(X.shape[0], X.shape[1], X)

    cdef inline Py_ssize_t count(self, Py_ssize_t j) noexcept nogil:
        return self.start[j + 1] - self.start[j]

    cdef inline const void *values(self, Py_ssize_t j) noexcept nogil:
        return self.data + <size_t>self.start[j] * self.ops.size

    cdef inline const void *indices(self, Py_ssize_t j) noexcept nogil:
        return self.index + <size_t>self.start[j] * self.ops.index_size

    cdef double dot(self, Py_ssize_t j, const double *v, double total) noexcept nogil:
        cdef double m = self.mean_[j]
        if self.count(j) == self.n:
            return self.scale_[j] * self.ops.gather(self.n, self.values(j), self.indices(j), m, v)
        return self.scale_[j] * (self.ops.gather(self.count(j), self.values(j), self.indices(j), 0.0, v) - m * total)

    cdef inline void dot_many(self, Py_ssize_t j, const double *r, const double *total, double *out) noexcept nogil:
        # x~_j'r for one panel of 8
        cdef bint full = self.count(j) == self.n
        cdef double m = self.mean_[j]
        cdef Py_ssize_t k
        self.ops.gather_many(self.count(j), self.start[self.p] - self.start[j], self.values(j), self.indices(j),
                             m if full else 0.0, r, out)
        for k in range(8):
            out[k] = self.scale_[j] * (out[k] if full else out[k] - m * total[k])

    cdef void many_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *r, Py_ssize_t K, const double *total,
                        double *g) noexcept nogil:
        cdef Py_ssize_t j, k, e
        cdef double[8] out
        for j in range(lo, hi):
            for k in range(0, K, 8):
                self.dot_many(j, r + k * self.n, total + k, out)
                for e in range(min(8, K - k)):
                    g[j * K + k + e] = out[e]

    cdef void sweep_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *v, double total, double *g) noexcept nogil:
        cdef Py_ssize_t j
        self.ops.columns(hi - lo, &self.start[lo], self.data, self.index, v, g + lo)
        for j in range(lo, hi):
            if self.count(j) == self.n:
                g[j] = self.dot(j, v, total)
            else:
                g[j] = self.scale_[j] * (g[j] - self.mean_[j] * total)

    cdef double axpy(self, Py_ssize_t j, double a, const double *w, double *v) noexcept nogil:
        cdef bint full = self.count(j) == self.n
        a *= self.scale_[j]
        self.ops.scatter(self.count(j), a if w != NULL else a / self.n, self.values(j), self.indices(j),
                         self.mean_[j] if full else 0.0, w, v)
        return 0.0 if full else a * self.mean_[j]

    cdef void load(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k,
                   const double *root, double *out, Py_ssize_t ld) noexcept nogil:
        cdef Py_ssize_t a, i, j, e, first, last
        cdef double empty
        for a in range(k):
            j = which[a]
            empty = -self.scale_[j] * self.mean_[j]
            for i in range(hi - lo):
                out[a * ld + i] = empty
            first = self.start[j] + self.ops.rank(self.count(j), self.indices(j), lo)
            last = self.start[j] + self.ops.rank(self.count(j), self.indices(j), hi)
            for e in range(first, last):
                out[a * ld + self.ops.index(self.index, e) - lo] = \
                    self.scale_[j] * (self.ops.item(self.data, e) - self.mean_[j])
            if root != NULL:
                for i in range(hi - lo):
                    out[a * ld + i] *= root[lo + i]

    def gram(self, const Py_ssize_t[::1] which not None, const double[::1] root not None,
             double[:, ::1] G not None, Py_ssize_t known=0, bint near=False):
        """Complete G = X~_J' diag(root^2) X~_J, of which G[:known, :known] is already there.

        Eight new columns at a time are spread out, row by row, and every column reads them at its entries.
        """
        cdef Py_ssize_t lo, k = which.shape[0]
        if k == known or self.n == 0:
            return
        cdef double[::1] w = np.square(root), first = np.empty(k)
        cdef double[:, :, ::1] v = panels(np.zeros((self.n, 1)))
        for lo in range(k):
            first[lo] = self.ops.gather(self.count(which[lo]), self.values(which[lo]), self.indices(which[lo]),
                                        self.inner(which[lo]), &w[0])
        cdef double weight = np.sum(w)
        for lo in range(known, k, 8):
            with nogil:
                self.gram_part(lo, min(lo + 8, k), &which[0], &w[0], weight, &first[0], &v[0, 0, 0],
                               &G[0, 0], G.shape[1])
            if interrupted():
                raise_pending()

    cdef inline double inner(self, Py_ssize_t j) noexcept nogil:
        # what is taken off the stored entries of a column before they are multiplied; the rest of its mean comes after
        return self.mean_[j] if self.count(j) == self.n else 0.0

    cdef void gram_part(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, const double *w, double weight,
                        const double *first, double *v, double *G, Py_ssize_t ld) noexcept nogil:
        """Columns lo:hi of G, at most 8, and their mirror image; v is zero before and after."""
        cdef Py_ssize_t a, c, j
        cdef double outer
        cdef double[8] total, rest, out
        for c in range(8):
            total[c] = rest[c] = 0.0
        for c in range(lo, hi):
            self.spread(which[c], w, v + c - lo, &total[c - lo], &rest[c - lo])
        for a in range(hi):
            j = which[a]
            outer = self.mean_[j] - self.inner(j)
            self.ops.gather_many(self.count(j), self.start[self.p] - self.start[j], self.values(j), self.indices(j),
                                 self.inner(j), v, out)
            for c in range(lo, hi):
                out[c - lo] -= outer * total[c - lo] + rest[c - lo] * (first[a] - outer * weight)
                G[a * ld + c] = G[c * ld + a] = self.scale_[j] * self.scale_[which[c]] * out[c - lo]
        for c in range(lo, hi):
            self.clear(which[c], v + c - lo)

    cdef inline bint thick(self, Py_ssize_t j) noexcept nogil:
        return self.count(j) > self.n // 2

    cdef void spread(self, Py_ssize_t j, const double *w, double *v, double *total, double *rest) noexcept nogil:
        """v[8 i] = w_i (x_ij - m), its sum, and what m lacks of the mean: all of it for a column of few entries.

        Such a column's squares exceed the square of its mean several times, so that nothing cancels if that is taken
        off in the end. A column of many entries is written out in full, centred.
        """
        cdef Py_ssize_t i
        cdef double m = self.mean_[j] if self.thick(j) else 0.0
        rest[0] = self.mean_[j] - m
        if self.thick(j) and self.count(j) < self.n:
            for i in range(self.n):
                v[8 * i] = -m * w[i]
        total[0] = self.ops.spread(self.count(j), self.values(j), self.indices(j), m, w, v)
        if self.thick(j) and self.count(j) < self.n:
            total[0] = 0.0
            for i in range(self.n):
                total[0] += v[8 * i]

    cdef void clear(self, Py_ssize_t j, double *v) noexcept nogil:
        cdef Py_ssize_t e
        if self.thick(j):
            for e in range(self.n):
                v[8 * e] = 0.0
        else:
            for e in range(self.start[j], self.start[j + 1]):
                v[8 * self.ops.index(self.index, e)] = 0.0

    cdef Py_ssize_t parts(self, Py_ssize_t numbers, Py_ssize_t *step) noexcept nogil:
        step[0] = 1 + <Py_ssize_t>(numbers / (1.0 + self.start[self.p] / <double>self.p))
        return self.p

    cdef void weigh_one(self, Py_ssize_t j, const double *w, const double *v, double all_w, double all_v,
                        double *out) noexcept nogil:
        cdef double s = self.scale_[j], m = self.mean_[j]
        cdef double[5] sums
        self.ops.moments(self.count(j), self.values(j), self.indices(j), m, w, v, sums)
        if self.count(j) < self.n:  # the implicit zeros
            sums[0] -= (all_w - sums[3]) * m
            sums[1] += (all_w - sums[3]) * m * m
            sums[2] -= (all_v - sums[4]) * m
        out[0], out[1], out[2] = s * sums[0], s * s * sums[1], s * sums[2]

    cdef void moments_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *origin, const double *w,
                           const double *v, double *s1, double *s2, double *s3) noexcept nogil:
        cdef Py_ssize_t j, i
        cdef double all_w = 0.0, all_v = 0.0
        cdef double[5] out
        cdef bint equal = True
        for i in range(self.n):
            all_w += w[i]
            all_v += v[i]
            equal = equal and w[i] == w[0]
        if equal and self.n > 0:
            self.ops.plain_moments(hi - lo, &self.start[lo], self.data, self.index, v, s1 + lo, s2 + lo, s3 + lo)
        for j in range(lo, hi):
            if equal and origin[j] == 0:
                s1[j] *= w[0]
                s2[j] *= w[0]
                continue
            self.ops.moments(self.count(j), self.values(j), self.indices(j), origin[j], w, v, out)
            s1[j], s2[j], s3[j] = out[0], out[1], out[2]
            if origin[j] != 0 and self.count(j) < self.n:  # the implicit zeros
                s1[j] -= (all_w - out[3]) * origin[j]
                s2[j] += (all_w - out[3]) * origin[j] * origin[j]
                s3[j] -= (all_v - out[4]) * origin[j]

    def origin(self, Py_ssize_t row):
        """A number near each column's values: 0 unless every entry is stored."""
        values = np.zeros(self.p)
        cdef double[::1] o = values
        cdef Py_ssize_t j
        for j in range(self.p):
            if self.n > 0 and self.count(j) == self.n:
                o[j] = self.ops.item(self.data, self.start[j] + row)
        return values
