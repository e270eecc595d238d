"""Iteratively reweighted least squares: any loss as a sequence of weighted squares.

    minimise  sum_i w_i l(y_i, c + x~_i'b) + sum_j factor_j pen(b_j),   lower <= b <= upper

Around the present fit, l lies below a parabola of curvature `weight(y, f, eps)` that touches
it (for the absolute loss smoothed as sqrt(r^2 + eps^2)). Minimising the parabolas instead is
a small penalised quadratic, so coordinate descent and IRLS are one engine, and the smoothed
objective decreases at every step whatever eps is (Weiszfeld, 1937; Hunter and Lange, 2000).
As eps shrinks geometrically the fit approaches that of the loss itself (Daubechies, DeVore,
Fornasier and Gunturk, 2010), linearly, and never exactly: the exact finish is another file's.
"""
import numpy as np

from libc.math cimport INFINITY, fabs, sqrt
from libc.string cimport memset

from l1l2fast._blas cimport axpy, dot, gemm_nt
from l1l2fast._columns cimport Columns
from l1l2fast._losses cimport Loss
from l1l2fast._newton cimport PENDING, Quadratic, minimise_quadratic, settle
from l1l2fast._penalties cimport Penalty
from l1l2fast._signals cimport interrupted, raise_pending

cdef enum:
    BLOCK = 256


cdef class Reweighted:
    """State of the iteration: coefficients b with the intercept last, residuals r = y - f."""
    cdef Columns X
    cdef Loss loss
    cdef Penalty penalty
    cdef const double[::1] y, w
    cdef Py_ssize_t k
    cdef Py_ssize_t rows
    cdef Py_ssize_t[::1] which, turn
    cdef double[::1] factor, lower, upper, q, work, block, root, pull
    cdef double[:, ::1] G
    cdef readonly object b, residual
    cdef double[::1] b_, r

    def __init__(self, Columns X not None, Loss loss not None, Penalty penalty not None,
                 const double[::1] y not None, const double[::1] w not None, double[::1] factor not None,
                 double[::1] lower not None, double[::1] upper not None, b not None):
        # b has p entries, or p + 1 with an intercept; factor, lower and upper are as long
        cdef Py_ssize_t k = b.shape[0]
        self.X, self.loss, self.penalty, self.y, self.w, self.k = X, loss, penalty, y, w, k
        self.rows = min(BLOCK, X.n)
        self.factor, self.lower, self.upper = factor, lower, upper
        self.b, self.residual = b, np.array(y)
        self.b_, self.r = self.b, self.residual
        self.which = np.arange(k, dtype=np.intp)
        self.turn = np.empty(3 * k, dtype=np.intp)
        self.G = np.empty((k, k))
        memory = np.empty(k * k + 9 * k + self.rows * (k + 2))
        self.q, self.work = memory[:k], memory[k:k * k + 9 * k]
        self.block = memory[k * k + 9 * k:k * k + 9 * k + self.rows * k]
        self.root = memory[memory.shape[0] - 2 * self.rows:memory.shape[0] - self.rows]
        self.pull = memory[memory.shape[0] - self.rows:]

    cdef double add_rows(self, Py_ssize_t begin, Py_ssize_t end, double eps, bint weighing) noexcept nogil:
        # residuals of the rows, then their share of G = Z' W Z and q = Z' W r, Z = [X~ 1]; sum w |r|
        cdef Py_ssize_t lo = begin, hi, i, j, m, k = self.k
        cdef double total = 0.0, weight, f
        cdef double *z
        while lo < end:
            hi = min(lo + self.rows, end)
            m = hi - lo
            self.X.load(lo, hi, &self.which[0], self.X.p, NULL, &self.block[0], self.rows)
            if k > self.X.p:
                for i in range(m):
                    self.block[self.X.p * self.rows + i] = 1.0
            for i in range(m):
                self.r[lo + i] = self.y[lo + i]
            for j in range(k):
                if self.b_[j] != 0:
                    axpy(m, -self.b_[j], &self.block[j * self.rows], &self.r[lo])
            for i in range(m):
                total += self.w[lo + i] * fabs(self.r[lo + i])
                if weighing:
                    f = self.y[lo + i] - self.r[lo + i]
                    weight = self.loss.weight(self.y[lo + i], f, eps)
                    self.root[i] = sqrt(self.w[lo + i] * weight)
                    self.pull[i] = -self.loss.slope(self.y[lo + i], f, eps) * sqrt(self.w[lo + i] / weight)
            if weighing:
                for j in range(k):
                    z = &self.block[j * self.rows]
                    for i in range(m):
                        z[i] *= self.root[i]
                    self.q[j] += dot(m, z, &self.pull[0])
                gemm_nt(k, k, m, &self.block[0], self.rows, &self.block[0], self.rows, &self.G[0, 0], k)
            lo = hi
        return total

    cdef double all_rows(self, double eps, bint weighing) except? -1:
        cdef Py_ssize_t lo, step = self.rows * max(1, <Py_ssize_t>(1e9 / (<double>self.rows * self.k * self.k + 1)))
        cdef double total = 0.0
        for lo in range(0, self.X.n, step):
            with nogil:
                total += self.add_rows(lo, min(lo + step, self.X.n), eps, weighing)
            if step < self.X.n and interrupted():
                raise_pending()
        return total

    def measure(self):
        """Bring the residuals up to date; returns sum w |r|."""
        return self.all_rows(0.0, False)

    def run(self, double eps, double shrink, Py_ssize_t steps, double tol):
        """Reweight and solve the small quadratic, `steps` times, eps shrinking; one pass over X each.

        Then the residuals are brought up to date. Returns sum w |r|.
        """
        cdef Quadratic s
        cdef Py_ssize_t _step
        cdef double before, moved
        s.k, s.ld, s.G, s.q, s.b = self.k, self.k, &self.G[0, 0], &self.q[0], &self.b_[0]
        s.factor, s.lower, s.upper = &self.factor[0], &self.lower[0], &self.upper[0]
        s.energy, s.enough = 0.0, 0.0
        s.rank, s.budget = self.k, INFINITY
        for _step in range(steps):
            memset(&self.G[0, 0], 0, self.k * self.k * sizeof(double))
            memset(&self.q[0], 0, self.k * sizeof(double))
            before = self.all_rows(eps, True)
            settle(&s, &self.turn[0], &self.work[0])  # a new G
            with nogil:
                moved = minimise_quadratic(self.penalty, &s, tol * before, 50)
            if moved == PENDING or self.k > 1000 and interrupted():
                raise_pending()
            eps *= shrink
        return self.measure()
