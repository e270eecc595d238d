"""Columns of X, dense or sparse, centred and scaled without touching X.

    x~_j = scale_j (x_j - mean_j)

One pass over X costs one `sweep`. Nothing is copied but the blocks that `gram` and
`rows` load. Storage is float32 or float64, C or Fortran order, or CSC with 32 or 64
bit indices; memory may be read-only; sums are float64.
"""
import numpy as np

cimport cython

from l1l2fast._blas cimport gemm_nt

cdef extern from "simd.h":
    ctypedef struct dense_kernels:
        double (*dot)(Py_ssize_t n, const void *x, double m, const double *v) noexcept nogil
        void (*axpy)(Py_ssize_t n, double a, const void *x, double m, const double *w, double *v) noexcept nogil
        void (*moments)(Py_ssize_t n, const void *x, double m, const double *w, const double *v,
                        double *out) noexcept nogil
        void (*copy)(Py_ssize_t n, const void *x, double m, const double *s, double *out) noexcept nogil
        void (*rows)(Py_ssize_t rows, Py_ssize_t p, const void *x, const double *m, const double *v,
                     double *g) noexcept nogil
        void (*row_moments)(Py_ssize_t p, const void *x, const double *m, double w, double v,
                            double *s1, double *s2, double *s3) noexcept nogil
        double (*item)(const void *x, Py_ssize_t i) noexcept nogil
        size_t size
    ctypedef struct sparse_kernels:
        double (*gather)(Py_ssize_t nnz, const void *x, const void *index, double m, const double *v) noexcept nogil
        void (*scatter)(Py_ssize_t nnz, double a, const void *x, const void *index, double m,
                        const double *w, double *v) noexcept nogil
        Py_ssize_t (*rank)(Py_ssize_t nnz, const void *index, Py_ssize_t row) noexcept nogil
        Py_ssize_t (*index)(const void *index, Py_ssize_t k) noexcept nogil
        double (*item)(const void *x, Py_ssize_t i) noexcept nogil
        size_t size
        size_t index_size
    dense_kernels l1l2fast_dense_kernels(int is_double) noexcept nogil
    sparse_kernels l1l2fast_sparse_kernels(int is_double, int is_int64) noexcept nogil

cdef enum:
    # numbers handled between two looks at Ctrl-C: about a tenth of a second of memory traffic
    PART = 1 << 26
    # rows in a block of `gram`: the block of a few hundred columns stays in the second-level cache
    BLOCK = 256


cdef class Columns:
    """Base class: a matrix whose columns are centred and scaled on the fly."""

    cdef double dot(self, Py_ssize_t j, const double *v, double total) noexcept nogil:
        return 0.0

    cdef double axpy(self, Py_ssize_t j, double a, const double *w, double *v) noexcept nogil:
        return 0.0

    cdef void load(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k,
                   const double *root, double *out, Py_ssize_t ld) noexcept nogil:
        pass

    cdef void sweep_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *v, double total, double *g) noexcept nogil:
        cdef Py_ssize_t j
        for j in range(lo, hi):
            g[j] = self.dot(j, v, total)

    cdef void moments_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *origin, const double *w,
                           const double *v, double *s1, double *s2, double *s3) noexcept nogil:
        pass

    cdef void predict_part(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k,
                           const double *b, const double *ones, double *f) noexcept nogil:
        # axpy leaves out a multiple of ones and says by how much that moves sum(f)
        cdef Py_ssize_t a, i
        cdef double missing = 0.0
        for a in range(lo, hi):
            missing += self.axpy(which[a], b[which[a]], ones, f)
        if missing != 0:
            for i in range(self.n):
                f[i] -= missing

    cdef bint by_rows(self) noexcept nogil:
        return False

    cdef (Py_ssize_t, Py_ssize_t) parts(self) noexcept nogil:
        # (number of pieces the matrix is walked in, how many of them between two looks at Ctrl-C)
        return self.p, 1 + PART // (self.n + 1)

    def origin(self, Py_ssize_t row):
        """A number near each column's values: its entry in one row."""
        return np.array(self.owner[row], dtype=np.float64)

    def owner_array(self):
        """The stored numbers of X as given."""
        return getattr(self.owner, "data", self.owner) if not isinstance(self.owner, np.ndarray) else self.owner

    def block(self, Py_ssize_t lo, Py_ssize_t hi, const double[::1] root not None):
        """Rows lo:hi of diag(root) X~, transposed: shape (p, hi - lo)."""
        out = np.empty((self.p, hi - lo))
        if self.p == 0 or hi == lo:
            return out
        cdef double[:, ::1] o = out
        cdef const Py_ssize_t[::1] which = np.arange(self.p, dtype=np.intp)
        with nogil:
            self.load(lo, hi, &which[0], self.p, &root[0], &o[0, 0], hi - lo)
        return out

    def rows(self, which):
        """The given rows of X~ as a C-ordered float64 array."""
        block = self.owner[which]
        block = block if isinstance(block, np.ndarray) else block.toarray()
        block = block.astype(np.float64, order="C")
        block -= self.mean
        block *= self.scale
        return block

    cdef allot(self, Py_ssize_t n, Py_ssize_t p, owner):
        self.n, self.p, self.owner = n, p, owner
        self.mean, self.scale = np.zeros(p), np.ones(p)
        self.mean_, self.scale_ = self.mean, self.scale

    def sweep(self, const double[::1] v not None):
        """X~'v, one pass over X."""
        cdef Py_ssize_t lo, hi, end, step, i
        cdef double total = 0.0
        out = np.zeros(self.p)
        cdef double[::1] g = out
        if self.p == 0 or self.n == 0:
            return out
        for i in range(self.n):
            total += v[i]
        end, step = self.parts()
        for lo in range(0, end, step):
            hi = min(lo + step, end)
            with nogil:
                self.sweep_part(lo, hi, &v[0], total, &g[0])
        return out

    def first_pass(self, const double[::1] w not None, const double[::1] y not None, Py_ssize_t row, bint centred):
        """Set the means (weights w of sum 1); return sum w x~^2, X~'(w y), the sums of w x about one row, sum w y^2.

        With `centred`, sum w y must be zero. Sums are taken about the entries of one row, so that a column
        far from zero keeps its digits and a constant one comes out as exactly that. One pass over X.
        """
        cdef Py_ssize_t i, j
        cdef double energy = 0.0
        v, origin = np.empty(self.n), self.origin(row) if centred else np.zeros(self.p)
        cdef double[::1] v_ = v, o = origin
        for i in range(self.n):
            v_[i] = w[i] * y[i]
            energy += v_[i] * y[i]
        sums = self.moments(w, v, origin)
        cdef double[:, ::1] s = sums
        if centred:
            for j in range(self.p):
                self.mean_[j] = o[j] + s[0, j]
                s[1, j] -= s[0, j] * s[0, j]
                if s[1, j] <= (1.5e-14 * self.mean_[j]) ** 2:
                    s[1, j] = 0.0  # constant up to the rounding of its mean
        return sums[1], sums[2], sums[0], energy

    def unscale(self, const double[::1] b not None, const double[::1] u not None, const double[::1] theta not None):
        """Coefficients on the scale of X, the fit at the means, and X'theta from u = X~'theta."""
        cdef Py_ssize_t i, j
        cdef double total = 0.0, level = 0.0
        coef, correlation = np.empty(self.p), np.empty(self.p)
        cdef double[::1] c = coef, g = correlation
        for i in range(self.n):
            total += theta[i]
        for j in range(self.p):
            c[j] = b[j] * self.scale_[j]
            level += self.mean_[j] * c[j]
            g[j] = u[j] / self.scale_[j] + self.mean_[j] * total
        return coef, level, correlation

    def residual(self, const double[::1] y not None, const double[::1] w not None, const double[::1] b not None,
                 bint centred):
        """r = y - X~ b, less its mean if `centred`, and w r."""
        cdef Py_ssize_t i, n = y.shape[0]
        cdef double mean = 0.0
        r, theta = self.predict(b), np.empty(n)
        cdef double[::1] r_ = r, theta_ = theta
        with nogil:
            for i in range(n):
                r_[i] = y[i] - r_[i]
                mean += w[i] * r_[i]
            if not centred:
                mean = 0.0
            for i in range(n):
                r_[i] -= mean
                theta_[i] = w[i] * r_[i]
        return r, theta

    def moments(self, const double[::1] w not None, const double[::1] v not None, double[::1] origin not None):
        """sum w d, sum w d^2 and sum v d for every column, d = x_j - origin_j; one pass over X."""
        cdef Py_ssize_t lo, hi, end, step
        sums = np.zeros((3, self.p))
        cdef double[:, ::1] s = sums
        if self.p == 0 or self.n == 0:
            return sums
        end, step = self.parts()
        for lo in range(0, end, step):
            hi = min(lo + step, end)
            with nogil:
                self.moments_part(lo, hi, &origin[0], &w[0], &v[0], &s[0, 0], &s[1, 0], &s[2, 0])
        return sums

    def predict(self, const double[::1] b not None):
        """X~ b, reading the columns of nonzero b only."""
        cdef Py_ssize_t k = 0, j, lo, end, step
        which, out = np.empty(self.p, dtype=np.intp), np.zeros(self.n)
        cdef Py_ssize_t[::1] J = which
        cdef double[::1] f = out, ones = f
        for j in range(self.p):
            J[k] = j
            k += b[j] != 0
        if k == 0 or self.n == 0:
            return out
        end, step = self.parts()
        if not self.by_rows():
            end, ones = k, np.ones(self.n)
        for lo in range(0, end, step):
            with nogil:
                self.predict_part(lo, min(lo + step, end), &J[0], k, &b[0], &ones[0], &f[0])
        return out

    def gram(self, const Py_ssize_t[::1] which not None, const double[::1] root not None,
             double[:, ::1] G not None, Py_ssize_t known=0):
        """Complete G = X~_J' diag(root^2) X~_J, of which G[:known, :known] is already there."""
        cdef Py_ssize_t k = which.shape[0], lo, hi, a, c, step
        cdef Py_ssize_t rows = min(BLOCK, self.n)
        if k == known or self.n == 0:
            return
        # about 1e9 multiplications between two looks at Ctrl-C
        step = rows * max(1, <Py_ssize_t>(1e9 / (<double>rows * k * (k - known))))
        cdef double[::1] block = np.empty(k * rows)
        cdef Py_ssize_t ld = G.shape[1]
        G[known:k, :k] = 0.0
        for lo in range(0, self.n, step):
            hi = min(lo + step, self.n)
            with nogil:
                self.add_gram(lo, hi, &which[0], k, known, &root[0], &block[0], rows, &G[0, 0], ld)
        with nogil:
            for a in range(known, k):
                for c in range(known):
                    G[c, a] = G[a, c]

    cdef void add_gram(self, Py_ssize_t begin, Py_ssize_t end, const Py_ssize_t *which, Py_ssize_t k,
                       Py_ssize_t known, const double *root, double *block, Py_ssize_t rows,
                       double *G, Py_ssize_t ld) noexcept nogil:
        cdef Py_ssize_t lo = begin, hi
        while lo < end:
            hi = min(lo + rows, end)
            self.load(lo, hi, which, k, root, block, rows)
            gemm_nt(k - known, k, hi - lo, block + known * rows, rows, block, rows, G + known * ld, ld)
            lo = hi


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

    cdef double axpy(self, Py_ssize_t j, double a, const double *w, double *v) noexcept nogil:
        self.ops.axpy(self.n, a * self.scale_[j], self.column(j), self.mean_[j], w, v)
        return 0.0

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

    cdef void moments_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *origin, const double *w,
                           const double *v, double *s1, double *s2, double *s3) noexcept nogil:
        cdef Py_ssize_t j
        cdef double[3] out
        for j in range(lo, hi):
            self.ops.moments(self.n, self.column(j), origin[j], w, v, out)
            s1[j], s2[j], s3[j] = out[0], out[1], out[2]


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
        cdef Py_ssize_t a, i
        for i in range(hi - lo):
            for a in range(k):
                out[a * ld + i] = self.item(lo + i, which[a])
            if root != NULL:
                for a in range(k):
                    out[a * ld + i] *= root[lo + i]

    cdef bint by_rows(self) noexcept nogil:
        return True

    cdef (Py_ssize_t, Py_ssize_t) parts(self) noexcept nogil:
        return self.n, 1 + PART // (self.p + 1)

    cdef void predict_part(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k,
                           const double *b, const double *ones, double *f) noexcept nogil:
        cdef Py_ssize_t a, i
        cdef double sum
        for i in range(lo, hi):
            sum = 0.0
            for a in range(k):
                sum += b[which[a]] * self.item(i, which[a])
            f[i] = sum

    cdef void sweep_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *v, double total, double *g) noexcept nogil:
        cdef Py_ssize_t j
        self.ops.rows(hi - lo, self.p, self.row(lo), &self.mean_[0], v + lo, g)
        if hi == self.n:
            for j in range(self.p):
                g[j] *= self.scale_[j]

    cdef void moments_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *origin, const double *w,
                           const double *v, double *s1, double *s2, double *s3) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(lo, hi):
            self.ops.row_moments(self.p, self.row(i), origin, w[i], v[i], s1, s2, s3)


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

    cdef double axpy(self, Py_ssize_t j, double a, const double *w, double *v) noexcept nogil:
        cdef bint full = self.count(j) == self.n
        a *= self.scale_[j]
        self.ops.scatter(self.count(j), a, self.values(j), self.indices(j), self.mean_[j] if full else 0.0, w, v)
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

    cdef (Py_ssize_t, Py_ssize_t) parts(self) noexcept nogil:
        return self.p, 1 + <Py_ssize_t>(PART / (1.0 + self.start[self.p] / <double>self.p))

    cdef void moments_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *origin, const double *w,
                           const double *v, double *s1, double *s2, double *s3) noexcept nogil:
        cdef Py_ssize_t j, e, i
        cdef double d, all_w = 0.0, all_v = 0.0, rest_w, rest_v
        for i in range(self.n):
            all_w += w[i]
            all_v += v[i]
        for j in range(lo, hi):
            rest_w, rest_v = all_w, all_v
            for e in range(self.start[j], self.start[j + 1]):
                i = self.ops.index(self.index, e)
                d = self.ops.item(self.data, e) - origin[j]
                s1[j] += w[i] * d
                s2[j] += w[i] * d * d
                s3[j] += v[i] * d
                rest_w -= w[i]
                rest_v -= v[i]
            if origin[j] != 0 and self.count(j) < self.n:  # the implicit zeros
                s1[j] -= rest_w * origin[j]
                s2[j] += rest_w * origin[j] * origin[j]
                s3[j] -= rest_v * origin[j]

    def origin(self, Py_ssize_t row):
        """A number near each column's values: 0 unless every entry is stored."""
        values = np.zeros(self.p)
        cdef double[::1] o = values
        cdef Py_ssize_t j
        for j in range(self.p):
            if self.n > 0 and self.count(j) == self.n:
                o[j] = self.ops.item(self.data, self.start[j] + row)
        return values


cdef const char *address(array) except? NULL:
    # the address alone, for read-only memory too; `owner` keeps the array alive
    return <const char*><size_t>array.__array_interface__["data"][0]
