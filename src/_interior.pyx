"""Interior point method for a sum of functions of two lines: near the vertex in a dozen steps, whatever its size.

minimise over b in R^k   sum_i [ right_i u_i + left_i v_i ] + c'b,   u - v = y - Z'b,   u, v >= 0

where the last k columns of Z may be those of the identity, which prices the coefficients: an L1 penalty. With
s = right - psi and a = psi + left the optimum has Z psi = c, u s = 0, v a = 0, all four >= 0. Newton's method on
u s = v a = mu (Frisch and Newton: Portnoy and Koenker, 1997), a predictor and a corrector to each factorisation
(Mehrotra, 1992). The matrix of the steps is Z diag(q) Z', k x k; or, with Z = [X, I], fewer rows than coefficients and
most of these priced, what is left for the psi of the rows of X:

    diag(1 / q) + sum over priced j of x_j x_j' / q_j,      bordered by the x_j of the coefficients without a price.

It starts on the central path of its b, so that only Z psi = c has to be mended. The last digits
are the simplex method's: they would cost the Cholesky factorisation, and a vertex is exact.

X comes transposed, (k, n), as for `_narrow`.
"""
from libc.math cimport fabs, sqrt
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from l1l2fast._blas cimport axpy, cholesky, cholesky_solve, dot, gemv, syrk, syrk_t
from l1l2fast._signals cimport interrupted, raise_pending

cdef enum:
    NEAR = 0, STALLED = 1, PENDING = 5
    BLOCK = 256  # rows packed for syrk
    SLOW = 4     # steps in a row that may gain nothing: far from Z psi = c the gap has to grow first

cdef double FAINT = 1e-10  # columns that count for this part of the largest are left out of the matrix

cdef struct Path:
    Py_ssize_t m, n, k      # all rows, those that are no units, columns
    Py_ssize_t free         # columns without a price
    bint wide               # the matrix is that of the rows
    const double* Z         # k x n
    const double* y
    const double* left
    const double* right
    const double* c
    double* b
    double* psi
    double* r               # y - Z'b
    double* u
    double* v
    double* s
    double* a
    double* q               # 1 / (u / s + v / a)
    double* g               # right-hand side by rows
    double* du
    double* dv
    double* dpsi
    double* db
    double* miss            # c - Z psi
    double* normal          # the matrix of the steps, lower triangle
    double* block
    double* border          # of the wide matrix: x_j, and (matrix)^-1 x_j, for each free j
    double* schur           # free x free
    double* turned          # the right side of the wide system, then its solution
    double* loose           # b of the free columns


cdef inline bint counts(Path* t, Py_ssize_t i) noexcept nogil:
    return t.left[i] + t.right[i] > 0


cdef void centre(Path* t, double gam) noexcept nogil:
    # u s = v a = mu, u - v = r and s + a = left + right: a row like the parabola of width gam near its kink.
    cdef Py_ssize_t i
    cdef double w, mu, size, small
    for i in range(t.m):
        w = t.left[i] + t.right[i]
        if w == 0:
            t.u[i] = t.v[i] = t.s[i] = t.a[i] = t.q[i] = t.psi[i] = t.dpsi[i] = 0
            continue
        mu = w * gam / 8
        size = fabs(t.r[i]) * w
        small = 2 * mu * w / (size + 2 * mu + sqrt(size * size + 4 * mu * mu))
        t.s[i] = small if t.r[i] > 0 else w - small
        t.a[i] = w - small if t.r[i] > 0 else small
        t.u[i], t.v[i] = mu / t.s[i], mu / t.a[i]
        t.psi[i] = t.a[i] - t.left[i]


cdef double complementarity(Path* t, double step_u, double step_psi) noexcept nogil:
    cdef Py_ssize_t i
    cdef double total = 0, d
    for i in range(t.m):
        if counts(t, i):
            d = step_psi * t.dpsi[i]
            total += (t.u[i] + step_u * t.du[i]) * (t.s[i] - d) + (t.v[i] + step_u * t.dv[i]) * (t.a[i] + d)
    return total


cdef void residuals(Path* t, const double* b, double* r) noexcept nogil:
    # r -= Z'b
    cdef Py_ssize_t j
    for j in range(t.k):
        axpy(t.n, -b[j], t.Z + j * t.n, r)
        if t.m > t.n:
            r[t.n + j] -= b[j]


cdef void add_sums(Path* t, double a, const double* v, double* out) noexcept nogil:
    # out += a Z v
    cdef Py_ssize_t j
    gemv(t.k, t.n, a, t.Z, t.n, v, out)
    for j in range(t.m - t.n):
        out[j] += a * v[t.n + j]


cdef bint factor_tall(Path* t) noexcept nogil:
    # Z diag(q) Z'
    cdef Py_ssize_t lo = 0, i, j, size
    cdef double top = 0
    memset(t.normal, 0, t.k * t.k * sizeof(double))
    while lo < t.n:
        size = min(BLOCK, t.n - lo)
        for i in range(size):
            t.g[i] = sqrt(t.q[lo + i])
        for j in range(t.k):
            for i in range(size):
                t.block[j * BLOCK + i] = t.g[i] * t.Z[j * t.n + lo + i]
        syrk(t.k, size, 1.0, t.block, BLOCK, t.normal, t.k)
        lo += size
    for j in range(t.m - t.n):
        t.normal[j * (t.k + 1)] += t.q[t.n + j]
    for j in range(t.k):
        top = max(top, t.normal[j * (t.k + 1)])
    for j in range(t.k):
        t.normal[j * (t.k + 1)] += 1e-13 * top
    return cholesky(t.k, t.normal, t.k) == 0


cdef bint factor_border(Path* t) noexcept nogil:
    # what is left for the free columns, once the rows are gone
    cdef Py_ssize_t a, e, i, j = 0
    cdef double* x
    for a in range(t.free):
        while counts(t, t.n + j):
            j += 1
        x = t.border + 2 * a * t.n
        for i in range(t.n):
            x[i] = x[t.n + i] = t.Z[j * t.n + i]
        cholesky_solve(t.n, t.normal, t.n, x + t.n)
        for e in range(a + 1):
            t.schur[a * t.free + e] = dot(t.n, t.border + 2 * e * t.n, x + t.n)
        t.schur[a * (t.free + 1)] *= 1 + 1e-13
        j += 1
    return t.free == 0 or cholesky(t.free, t.schur, t.free) == 0


cdef bint factor_wide(Path* t) noexcept nogil:
    cdef Py_ssize_t i, j, packed = 0
    cdef double top = 0, root
    memset(t.normal, 0, t.n * t.n * sizeof(double))
    for j in range(t.k):
        if counts(t, t.n + j):
            top = max(top, 1 / t.q[t.n + j])
    for j in range(t.k):
        if not counts(t, t.n + j) or 1 < FAINT * top * t.q[t.n + j]:
            continue
        root = 1 / sqrt(t.q[t.n + j])
        for i in range(t.n):
            t.block[packed * t.n + i] = root * t.Z[j * t.n + i]
        packed += 1
        if packed == BLOCK:
            syrk_t(t.n, packed, 1.0, t.block, t.n, t.normal, t.n)
            packed = 0
    if packed > 0:
        syrk_t(t.n, packed, 1.0, t.block, t.n, t.normal, t.n)
    for i in range(t.n):
        t.normal[i * (t.n + 1)] += 1 / t.q[i]
    return cholesky(t.n, t.normal, t.n) == 0 and factor_border(t)


cdef bint factor(Path* t) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(t.m):
        if counts(t, i):
            t.q[i] = 1 / (t.u[i] / t.s[i] + t.v[i] / t.a[i])
    return factor_wide(t) if t.wide else factor_tall(t)


cdef void solve_tall(Path* t) noexcept nogil:
    # db and dpsi of  dpsi = g - q (Z'db),  Z dpsi = miss
    cdef Py_ssize_t i, j
    for j in range(t.k):
        t.db[j] = -t.miss[j]
    add_sums(t, 1.0, t.g, t.db)
    cholesky_solve(t.k, t.normal, t.k, t.db)
    memset(t.dpsi, 0, t.m * sizeof(double))
    residuals(t, t.db, t.dpsi)
    for i in range(t.m):
        if counts(t, i):
            t.dpsi[i] = t.g[i] + t.q[i] * t.dpsi[i]


cdef void solve_wide(Path* t) noexcept nogil:
    # the same by way of dpsi
    cdef Py_ssize_t a, i, j, u
    for i in range(t.n):
        t.turned[i] = t.g[i] / t.q[i]
    for j in range(t.k):
        if counts(t, t.n + j):
            axpy(t.n, (t.miss[j] - t.g[t.n + j]) / t.q[t.n + j], t.Z + j * t.n, t.turned)
    cholesky_solve(t.n, t.normal, t.n, t.turned)
    a = 0
    for j in range(t.k if t.free > 0 else 0):
        if not counts(t, t.n + j):
            t.loose[a] = dot(t.n, t.Z + j * t.n, t.turned) - t.miss[j]
            a += 1
    if t.free > 0:
        cholesky_solve(t.free, t.schur, t.free, t.loose)
    for a in range(t.free):
        axpy(t.n, -t.loose[a], t.border + (2 * a + 1) * t.n, t.turned)
    for i in range(t.n):
        t.dpsi[i] = t.turned[i]
    a = 0
    for j in range(t.k):
        u = t.n + j
        if counts(t, u):
            t.dpsi[u] = t.miss[j] - dot(t.n, t.Z + j * t.n, t.dpsi)
            t.db[j] = (t.g[u] - t.dpsi[u]) / t.q[u]
        else:
            t.db[j] = t.loose[a]
            a += 1


cdef void direction(Path* t, double mu) noexcept nogil:
    # Towards u s = v a = mu, whose left sides change in the second order by what du, dv, dpsi say on entry.
    cdef Py_ssize_t i
    cdef double one, other
    for i in range(t.m):
        if not counts(t, i):
            t.g[i] = t.du[i] = t.dv[i] = 0
            continue
        # the targets, less the product: kept in du and dv
        t.du[i] = mu - t.u[i] * t.s[i] + t.dpsi[i] * t.du[i]
        t.dv[i] = mu - t.v[i] * t.a[i] - t.dpsi[i] * t.dv[i]
        t.g[i] = t.q[i] * (t.r[i] - t.u[i] + t.v[i] - t.du[i] / t.s[i] + t.dv[i] / t.a[i])
    if t.wide:
        solve_wide(t)
    else:
        solve_tall(t)
    for i in range(t.m):
        if counts(t, i):
            one, other = t.u[i] * t.dpsi[i], t.v[i] * t.dpsi[i]
            t.du[i] = (t.du[i] + one) / t.s[i]
            t.dv[i] = (t.dv[i] - other) / t.a[i]


cdef inline double room(double x, double dx, double step) noexcept nogil:
    return -x / dx if dx * step < -x else step


cdef void reach(Path* t, double* step_u, double* step_psi) noexcept nogil:
    # How far, at most 1, all four stay positive.
    cdef Py_ssize_t i
    step_u[0], step_psi[0] = 1, 1
    for i in range(t.m):
        if counts(t, i):
            step_u[0] = room(t.v[i], t.dv[i], room(t.u[i], t.du[i], step_u[0]))
            step_psi[0] = room(t.a[i], t.dpsi[i], room(t.s[i], -t.dpsi[i], step_psi[0]))


cdef void move(Path* t, double step_u, double step_psi) noexcept nogil:
    cdef Py_ssize_t i, j
    axpy(t.k, step_u, t.db, t.b)
    for i in range(t.m):
        if counts(t, i):
            t.u[i] += step_u * t.du[i]
            t.v[i] += step_u * t.dv[i]
            t.s[i] -= step_psi * t.dpsi[i]
            t.a[i] += step_psi * t.dpsi[i]
            t.psi[i] += step_psi * t.dpsi[i]
        t.r[i] = t.y[i]
    residuals(t, t.b, t.r)
    for j in range(t.k):
        t.miss[j] = t.c[j]
    add_sums(t, -1.0, t.psi, t.miss)


cdef int follow(Path* t, double tol, Py_ssize_t most, Py_ssize_t* steps) noexcept nogil:
    cdef Py_ssize_t i, n = 0, slow = 0
    cdef double mu, gap, size, before = 1e300, step_u = 0, step_psi = 0, ahead
    for i in range(t.m):
        n += 2 * counts(t, i)
    move(t, 0, 0)
    for steps[0] in range(most):
        gap, size = complementarity(t, 0, 0), 0
        for i in range(t.m):
            size += t.right[i] * t.u[i] + t.left[i] * t.v[i]
        if gap <= tol * size:
            return NEAR
        slow = slow + 1 if gap > 0.9 * before else 0
        if slow > SLOW or not factor(t):
            return STALLED
        if interrupted():
            return PENDING
        before, mu = gap, gap / n
        memset(t.du, 0, t.m * sizeof(double))
        memset(t.dv, 0, t.m * sizeof(double))
        direction(t, 0)
        reach(t, &step_u, &step_psi)
        ahead = complementarity(t, step_u, step_psi) / gap
        direction(t, mu * ahead * ahead * ahead)
        reach(t, &step_u, &step_psi)
        move(t, min(1, 0.9995 * step_u), min(1, 0.9995 * step_psi))
    return STALLED


cdef Py_ssize_t needs(Path* t) noexcept nogil:
    # numbers that lay_out hands out
    cdef Py_ssize_t m = max(t.m, BLOCK), size = t.n if t.wide else t.k
    return 9 * m + 2 * t.k + (size + BLOCK) * size + (2 * t.n + t.free + 1) * t.free + t.n


cdef void lay_out(Path* t, double* memory) noexcept nogil:
    cdef Py_ssize_t m = max(t.m, BLOCK), size = t.n if t.wide else t.k
    t.u = memory
    t.v = t.u + m
    t.s = t.v + m
    t.a = t.s + m
    t.q = t.a + m
    t.g = t.q + m
    t.du = t.g + m
    t.dv = t.du + m
    t.dpsi = t.dv + m
    t.db = t.dpsi + m
    t.miss = t.db + t.k
    t.normal = t.miss + t.k
    t.block = t.normal + size * size
    t.border = t.block + BLOCK * size
    t.schur = t.border + 2 * t.n * t.free
    t.loose = t.schur + t.free * t.free
    t.turned = t.loose + t.free


def interior(const double[:, ::1] Z not None, const double[::1] y not None, const double[::1] left not None,
             const double[::1] right not None, const double[::1] c not None, double[::1] b not None,
             double[::1] psi not None, double[::1] r not None, double gam, double tol, Py_ssize_t max_steps):
    """Moves b near the minimiser of sum_i right_i (y_i - z_i'b)_+ + left_i (z_i'b - y_i)_+ + c'b.

    Z is k x n; left, right are finite. y, left, right, psi and r have n entries, or n + k of them, the last k belonging
    to units: |b_j| costs left and right. b is a start, good to about gam. On exit the duality gap is about `tol`
    of the sum, psi is strictly within -left and right, and r = y - Z'b.

    Returns (status, steps). Status 0: as said; 1: no further.
    """
    cdef Path t
    cdef Py_ssize_t k = Z.shape[0], n = Z.shape[1], i, steps = 0
    cdef int status
    cdef double* memory
    if n == 0 or k == 0:
        raise ValueError("Z must have at least one row and one column")
    t.m, t.n, t.k, t.free, t.wide = y.shape[0], n, k, 0, False
    t.Z, t.y, t.left, t.right, t.c = &Z[0, 0], &y[0], &left[0], &right[0], &c[0]
    t.b, t.psi, t.r = &b[0], &psi[0], &r[0]
    if t.m > n:
        for i in range(k):
            t.free += not counts(&t, n + i)
        t.wide = n < k - t.free and t.free < n
        for i in range(n):
            t.wide &= counts(&t, i)
    memory = <double*>calloc(needs(&t), sizeof(double))  # the first move is of length 0
    if memory is NULL:
        raise MemoryError()
    with nogil:
        lay_out(&t, memory)
        for i in range(t.m):
            t.r[i] = t.y[i]
        residuals(&t, t.b, t.r)
        centre(&t, gam)
        status = follow(&t, tol, max_steps, &steps)
        free(memory)
    if status == PENDING:
        raise_pending()
    return status, steps
