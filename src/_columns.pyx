"""Columns of X, dense or sparse, centred and scaled without touching X.

    x~_j = scale_j (x_j - mean_j)

One pass over X costs one `sweep`; `sweep_many` takes 8 vectors along for little more. Nothing is copied but these
vectors and the blocks that `gram` and `rows` load. Storage is float32 or float64, C or Fortran order, or CSC with
32 or 64 bit indices; memory may be read-only; sums are float64.
"""
import numpy as np

from cpython.buffer cimport PyBUF_ANY_CONTIGUOUS, PyBuffer_Release, PyObject_GetBuffer
from libc.stdlib cimport free, malloc

from l1l2fast._blas cimport gemm_nt, mirror, syrk
from l1l2fast._scalar cimport mean_about, summed, variance
from l1l2fast._signals cimport interrupted, raise_pending

from l1l2fast._panels import panels
from l1l2fast._threads import in_threads

cdef extern from "simd.h":
    double l1l2fast_weigh(Py_ssize_t n, const double *y, const double *w, double *v, double *energy) noexcept nogil

cdef enum:
    # a block of `gram` has about so many numbers, a megabyte, and at least so many rows
    NUMBERS = 1 << 17
    BLOCK = 256
    # numbers in a piece of X, the unit of work of a thread: some milliseconds. A piece of columns is not narrower
    # than NARROW, so that the vectors need not come from far for each of them; a piece of rows is not lower than LOW
    # nor are there more than PIECES of them, because each has sums of its own
    PIECE = 1 << 20
    NARROW = 96
    LOW = 256
    PIECES = 8
    # the square of how many times the deviations the means may be if centring is to follow products of columns
    NEAR = 16
    # numbers in X from which on reading it once instead of twice is worth the trouble
    LARGE = 1 << 20


cdef class Columns:
    """Base class: a matrix whose columns are centred and scaled on the fly."""

    cdef void expect(self, Py_ssize_t j) noexcept nogil:
        pass

    cdef double dot(self, Py_ssize_t j, const double *v, double total) noexcept nogil:
        return 0.0

    cdef double axpy(self, Py_ssize_t j, double a, const double *w, double *v) noexcept nogil:
        return 0.0

    cdef double move(self, Py_ssize_t j, double a, const double *w, double *v, double *total,
                     Py_ssize_t after) noexcept nogil:
        total[0] += self.axpy(j, a, w, v)
        return self.dot(after, v, total[0])

    cdef void load(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k,
                   const double *root, double *out, Py_ssize_t ld) noexcept nogil:
        pass

    cdef bint load_rows(self, const Py_ssize_t *rows, Py_ssize_t m, const Py_ssize_t *which, Py_ssize_t k,
                        double *out, Py_ssize_t ld) noexcept nogil:
        return False

    cdef void sweep_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *v, double total, double *g) noexcept nogil:
        cdef Py_ssize_t j
        for j in range(lo, hi):
            g[j] = self.dot(j, v, total)

    cdef void many_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *r, Py_ssize_t K, const double *total,
                        double *g) noexcept nogil:
        pass

    cdef void moments_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *origin, const double *w,
                           const double *v, double *s1, double *s2, double *s3) noexcept nogil:
        pass

    cdef void weigh_one(self, Py_ssize_t j, const double *w, const double *v, double all_w, double all_v,
                        double *out) noexcept nogil:
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

    cdef Py_ssize_t parts(self, Py_ssize_t numbers, Py_ssize_t *step) noexcept nogil:
        step[0] = 1 + numbers // (self.n + 1)
        return self.p

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

    def part(self, const Py_ssize_t[::1] which not None, const double[::1] root not None):
        """The given columns of diag(root) X~, transposed: shape (k, n)."""
        out = np.empty((which.shape[0], self.n))
        if which.shape[0] == 0 or self.n == 0:
            return out
        cdef double[:, ::1] o = out
        with nogil:
            self.load(0, self.n, &which[0], which.shape[0], &root[0], &o[0, 0], self.n)
        return out

    def rows(self, which):
        """The given rows of X~ as a C-ordered float64 array."""
        block = self.owner[which]
        block = block if isinstance(block, np.ndarray) else block.toarray()
        block = block.astype(np.float64, order="C", copy=False)  # it was copied above
        block -= self.mean
        if (self.scale != 1).any():
            block *= self.scale
        return block

    cdef allot(self, Py_ssize_t n, Py_ssize_t p, owner):
        cdef Py_ssize_t j
        self.n, self.p, self.owner = n, p, owner
        self.mean, self.scale = np.zeros(p), np.empty(p)
        self.mean_, self.scale_ = self.mean, self.scale
        for j in range(p):
            self.scale_[j] = 1.0

    def sweep(self, const double[::1] v not None, int n_jobs=1):
        """X~'v, one pass over X. The bits do not depend on the number of threads, n_jobs."""
        return self.swept(v, n_jobs)

    cdef swept(self, const double[::1] v, int n_jobs):
        cdef double total = 0.0
        cdef Py_ssize_t i, step
        for i in range(self.n):
            total += v[i]
        cdef Py_ssize_t end = self.pieces(&step)
        if step >= end and self.n > 0 and self.p > 0:
            return self.sweep_piece(0, end, v, total, np.zeros(self.p))
        return self.in_pieces(self.sweep_piece, (v, total), np.zeros(self.p), n_jobs)

    def sweep_many(self, R, int n_jobs=1, out=None):
        """X~'R for R (n, K), shape (p, K), one pass over X. The bits do not depend on the number of threads."""
        r, out = panels(R), np.empty((self.p, R.shape[1])) if out is None else out
        out.fill(0.0)
        return self.in_pieces(self.many_piece, (r, (np.ones(self.n) @ r).ravel()), out, n_jobs)

    cdef Py_ssize_t pieces(self, Py_ssize_t *step) noexcept nogil:
        cdef Py_ssize_t end = self.parts(PIECE, step)
        step[0] = max(step[0], max(LOW, -(-end // PIECES)) if self.by_rows() else NARROW)
        return end

    def in_pieces(self, kernel, arguments, out, n_jobs):
        """Sum of kernel(lo, hi, *arguments, out) over pieces that the shape of X alone decides, in their order."""
        cdef Py_ssize_t step, end = self.pieces(&step)
        cdef bint apart = not self.by_rows()  # every piece writes columns of its own
        if out.size == 0 or self.n == 0:
            return out
        if step >= end:
            return kernel(0, end, *arguments, out)

        def work(lo):
            return kernel(lo, min(lo + step, end), *arguments, out if apart else np.zeros_like(out))
        for part in in_threads(work, range(0, end, step), n_jobs):
            if not apart:
                out += part
        return out

    cpdef sweep_piece(self, Py_ssize_t lo, Py_ssize_t hi, const double[::1] v, double total, out):
        cdef double[::1] g = out
        with nogil:
            self.sweep_part(lo, hi, &v[0], total, &g[0])
        if interrupted():
            raise_pending()
        return out

    def many_piece(self, Py_ssize_t lo, Py_ssize_t hi, const double[:, :, ::1] r, const double[::1] total, out):
        cdef double[:, ::1] g = out
        with nogil:
            self.many_part(lo, hi, &r[0, 0, 0], g.shape[1], &total[0], &g[0, 0])
        if interrupted():
            raise_pending()
        return out

    def first_pass(self, const double[::1] w not None, const double[::1] y not None, Py_ssize_t row, bint centred):
        """Set the means; return, over sum w, sum w x~^2, X~'(w y), the sums of w x about one row, sum w y^2.

        With `centred`, sum w y must be zero. Sums are taken about the entries of one row, for a column far
        from zero to keep its digits. Those of integers are exact, whatever the storage of X. One pass over X.
        """
        cdef Py_ssize_t j
        cdef double energy = 0.0, total
        v, origin = np.empty(self.n), self.origin(row) if centred else np.zeros(self.p)
        cdef double[::1] v_ = v, o = origin
        total = l1l2fast_weigh(self.n, &y[0], &w[0], &v_[0], &energy)  # equal weights would round alike
        sums = np.zeros((3, self.p))
        cdef double[:, ::1] s = sums
        self.add_moments(w, v_, o, s)
        for j in range(self.p):
            s[1, j] = variance(s[0, j] if centred else 0.0, s[1, j], total)
            self.mean_[j] = mean_about(o[j], s[0, j], total) if centred else self.mean_[j]
            if centred and s[1, j] <= (1.5e-14 * self.mean_[j]) ** 2:
                s[1, j] = 0.0  # constant up to the rounding of its mean
            s[0, j] /= total
            s[2, j] /= total
        return sums[1], sums[2], sums[0], energy / total

    def unscale(self, const double[::1] b not None, const double[::1] u not None, const double[::1] theta not None):
        """Coefficients on the scale of X, the fit at the means, and X'theta from u = X~'theta."""
        cdef Py_ssize_t j
        cdef double total = summed(self.n, &theta[0]) if self.n > 0 else 0.0, level = 0.0
        coef, correlation = np.empty(self.p), np.empty(self.p)
        cdef double[::1] c = coef, g = correlation
        for j in range(self.p):
            c[j] = b[j] * self.scale_[j]
            level += self.mean_[j] * c[j]
            g[j] = u[j] / self.scale_[j] + self.mean_[j] * total
        return coef, level, correlation

    def residual(self, const double[::1] y not None, const double[::1] w not None, const double[::1] b not None,
                 bint centred):
        """r = y - X~ b, less its mean if `centred`, and w r."""
        r, theta = np.empty(self.n), np.empty(self.n)
        self.subtract(y, w, b, centred, r, theta)
        return r, theta

    def fresh(self, const double[::1] y not None, const double[::1] w not None, const double[::1] b not None,
              bint centred, int n_jobs=1):
        """The same r and w r, then X~'(w r) by one pass over X, and sum w r^2."""
        r, theta = np.empty(self.n), np.empty(self.n)
        cdef double[::1] r_ = r, theta_ = theta
        g = self.at_once(y, w, b, r_, theta_)
        if g is not None:
            return r, theta, g, self.settle(w, centred, r_, theta_)
        cdef double energy = self.subtract(y, w, b, centred, r_, theta_)
        return r, theta, self.swept(theta_, n_jobs), energy

    cdef at_once(self, const double[::1] y, const double[::1] w, const double[::1] b, double[::1] r, double[::1] theta):
        """r = y - f, w r and X~'(w r), X being read once where b has most of its columns; None if that is no gain."""
        cdef Py_ssize_t lo, hi, rows = max(256, NUMBERS // (self.p + 1))
        cdef Py_ssize_t[::1] J = np.flatnonzero(b)
        if self.n * self.p < LARGE or 2 * J.shape[0] < self.p:
            return None
        sums = np.zeros((2, self.p))
        cdef double[::1] ones = np.ones(rows)
        cdef double[:, ::1] g = sums
        cdef bint able
        for lo in range(0, self.n, rows):
            hi = min(lo + rows, self.n)
            r[lo:hi] = y[lo:hi]
            with nogil:
                able = self.fresh_part(lo, hi, &J[0], J.shape[0], &b[0], &ones[0], &w[0], &r[0], &theta[0], &g[1, 0])
            if not able:
                return None
            sums[0] += sums[1]
            if interrupted():
                raise_pending()
        return sums[0]

    cdef double subtract(self, const double[::1] y, const double[::1] w, const double[::1] b, bint centred,
                         double[::1] r, double[::1] theta) except? -1:
        # r and theta of `residual`; returns sum w r^2
        cdef Py_ssize_t i
        self.fit(b, r)
        for i in range(self.n):
            r[i] = y[i] - r[i]
        return self.settle(w, centred, r, theta)

    cdef double settle(self, const double[::1] w, bint centred, double[::1] r, double[::1] theta) noexcept:
        # r less its mean, if centred, and theta = w r; returns sum w r^2
        cdef Py_ssize_t i
        cdef double mean = 0.0, energy = 0.0
        with nogil:
            for i in range(self.n):
                mean += w[i] * r[i]
            if not centred:
                mean = 0.0
            for i in range(self.n):
                r[i] -= mean
                theta[i] = w[i] * r[i]
                energy += theta[i] * r[i]
        return energy

    def moments(self, const double[::1] w not None, const double[::1] v not None, double[::1] origin not None):
        """sum w d, sum w d^2 and sum v d for every column, d = x_j - origin_j; one pass over X."""
        sums = np.zeros((3, self.p))
        self.add_moments(w, v, origin, sums)
        return sums

    cdef int add_moments(self, const double[::1] w, const double[::1] v, double[::1] origin,
                         double[:, ::1] s) except -1:
        # the rows of `moments`, which were zero
        cdef Py_ssize_t lo, hi, end, step
        if self.p == 0 or self.n == 0:
            return 0
        end = self.parts(PART, &step)
        for lo in range(0, end, step):
            hi = min(lo + step, end)
            with nogil:
                self.moments_part(lo, hi, &origin[0], &w[0], &v[0], &s[0, 0], &s[1, 0], &s[2, 0])
            if interrupted():
                raise_pending()
        return 0

    def predict(self, const double[::1] b not None, const Py_ssize_t[::1] which=None):
        """X~ b, reading the columns of nonzero b only; `which`, if given, are all that may be nonzero."""
        out = np.empty(self.n)
        self.fit(b, out, which)
        return out

    cdef int fit(self, const double[::1] b, double[::1] f, const Py_ssize_t[::1] which_=None) except -1:
        # f = X~ b
        cdef Py_ssize_t k = 0, i, j, lo, step, end = self.parts(PART, &step)
        cdef Py_ssize_t units = 0 if self.by_rows() else self.n  # rows do not ask for ones
        cdef Py_ssize_t *which = <Py_ssize_t*>malloc((self.p + 1) * sizeof(Py_ssize_t) + units * sizeof(double))
        cdef double *ones = <double*>(which + self.p + 1)
        if which is NULL:
            raise MemoryError()
        f[:] = 0.0
        for i in range(units):
            ones[i] = 1.0
        for j in range(self.p if which_ is None else which_.shape[0]):
            which[k] = j if which_ is None else which_[j]
            k += b[which[k]] != 0
        if units or k == 0:
            end = k
        try:
            for lo in range(0, end, step):
                with nogil:
                    self.predict_part(lo, min(lo + step, end), which, k, &b[0], ones, &f[0])
                if interrupted():
                    raise_pending()
        finally:
            free(which)
        return 0

    def gram(self, const Py_ssize_t[::1] which not None, const double[::1] root not None,
             double[:, ::1] G not None, Py_ssize_t known=0, bint near=False):
        """Complete G = X~_J' diag(root^2) X~_J, of which G[:known, :known] is already there.

        Say `near` (see there) if the means may be taken off X'X, which needs no copy of X.
        """
        cdef Py_ssize_t k = which.shape[0], lo, hi, step, ld = G.shape[1]
        if k == known or self.n == 0 or near and known == 0 and self.gram_of_stored(which, root, G):
            return
        cdef Py_ssize_t rows = min(max(BLOCK, NUMBERS // k), self.n)
        # about 1e9 multiplications between two looks at Ctrl-C
        step = rows * max(1, <Py_ssize_t>(1e9 / (<double>rows * k * (k - known))))
        cdef double[::1] block = np.empty(k * rows)
        G[known:k, :k] = 0.0
        for lo in range(0, self.n, step):
            hi = min(lo + step, self.n)
            with nogil:
                self.add_gram(lo, hi, &which[0], k, known, &root[0], &block[0], rows, &G[0, 0], ld)
            if interrupted():
                raise_pending()
        with nogil:
            mirror(k, known, &G[0, 0], ld)

    def near(self, const Py_ssize_t[::1] which not None, const double[::1] square not None):
        """Are the means as small as the deviations, whose squares are given, so that centring last costs no digits?"""
        j = np.asarray(which)
        return bool(((self.mean[j] * self.scale[j]) ** 2 <= NEAR * np.asarray(square)[j]).all())

    cdef bint gram_of_stored(self, const Py_ssize_t[::1] which, const double[::1] root, double[:, ::1] G) except -1:
        """As `gram`, by BLAS where X lies, for a run of columns and rows that count the same; False if it is not so."""
        cdef Py_ssize_t k = which.shape[0], i, a, c, lo, hi, step = 2 * k + <Py_ssize_t>(1e10 / (<double>k * k))
        cdef double w = root[0] * root[0], total = w * self.n
        for a in range(k):
            if which[a] != which[0] + a:
                return False
        for i in range(self.n):
            if root[i] != root[0]:
                return False
        G[:k, :k] = 0.0
        for lo in range(0, self.n, step):
            hi = min(lo + step, self.n)
            with nogil:
                if not self.add_stored(lo, hi, which[0], k, w, &G[0, 0], G.shape[1]):
                    return False
            if interrupted():
                raise_pending()
        for a in range(k):
            for c in range(a + 1):
                G[a, c] -= total * self.mean_[which[a]] * self.mean_[which[c]]
                G[a, c] *= self.scale_[which[a]] * self.scale_[which[c]]
        mirror(k, 0, &G[0, 0], G.shape[1])
        return True

    cdef bint add_stored(self, Py_ssize_t lo, Py_ssize_t hi, Py_ssize_t first, Py_ssize_t k,
                         double w, double *G, Py_ssize_t ld) noexcept nogil:
        return False

    cdef bint fresh_part(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k, const double *b,
                         const double *ones, const double *w, double *r, double *theta, double *g) noexcept nogil:
        return False

    cdef bint fit_rows(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k, const double *b,
                       double *f) noexcept nogil:
        return False

    cdef void sweep_rows(self, Py_ssize_t lo, Py_ssize_t hi, const double *v, double *g) noexcept nogil:
        pass

    cdef void add_gram(self, Py_ssize_t begin, Py_ssize_t end, const Py_ssize_t *which, Py_ssize_t k,
                       Py_ssize_t known, const double *root, double *block, Py_ssize_t rows,
                       double *G, Py_ssize_t ld) noexcept nogil:
        cdef Py_ssize_t lo = begin, hi
        while lo < end:
            hi = min(lo + rows, end)
            self.load(lo, hi, which, k, root, block, rows)
            if known > 0:
                gemm_nt(k - known, known, hi - lo, block + known * rows, rows, block, rows, G + known * ld, ld)
            syrk(k - known, hi - lo, 1.0, block + known * rows, rows, G + known * ld + known, ld)
            lo = hi


cdef const char *address(array) except? NULL:
    cdef Py_buffer view
    PyObject_GetBuffer(array, &view, PyBUF_ANY_CONTIGUOUS)
    cdef const char *start = <const char*>view.buf
    PyBuffer_Release(&view)
    return start
