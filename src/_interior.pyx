"""Interior point method for a sum of functions of two lines: near the vertex in a dozen steps, whatever its size.

minimise over b in R^k   sum_i [ right_i u_i + left_i v_i ] + c'b,   u - v = y - Z'b,   u, v >= 0

where the last k columns of Z may be those of the identity, which prices the coefficients: an L1 penalty. With
s = right - psi and a = psi + left the optimum has Z psi = c, u s = 0, v a = 0, all four >= 0. Newton's method on
u s = v a = mu (Frisch and Newton: Portnoy and Koenker, 1997), a predictor and a corrector to each factorisation
(Mehrotra, 1992). The linear system of a step is `_saddle`'s. It starts on the central path of its b, so that only
Z psi = c has to be mended. The last digits are the simplex method's: they would cost the Cholesky factorisation, and a
vertex is exact.

X comes transposed, (k, n), as for `_narrow`.
"""
from libc.math cimport fabs, sqrt
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from l1l2fast._blas cimport axpy, dot
from l1l2fast._saddle cimport Saddle, add_sums, counts, factor, lay_out, measure, needs, residuals, solve
from l1l2fast._signals cimport interrupted, raise_pending

cdef enum:
    NEAR = 0, STALLED = 1, PENDING = 5
    SLOW = 4  # steps in a row that may gain nothing: far from Z psi = c the gap has to grow first

# Down to this gap single precision is good enough; from the next on, only if what the equations miss by is this part
# of the gap.
cdef double ROUGH = 1e-6
cdef double CLOSE = 0.1
cdef double MISSED = 0.02


cdef void centre(Saddle* t, double gam) noexcept nogil:
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


cdef double complementarity(Saddle* t, double step_u, double step_psi) noexcept nogil:
    cdef Py_ssize_t i
    cdef double total = 0, d
    for i in range(t.m):
        if counts(t, i):
            d = step_psi * t.dpsi[i]
            total += (t.u[i] + step_u * t.du[i]) * (t.s[i] - d) + (t.v[i] + step_u * t.dv[i]) * (t.a[i] + d)
    return total


cdef void direction(Saddle* t, double mu) noexcept nogil:
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
    solve(t)
    for i in range(t.m):
        if counts(t, i):
            one, other = t.u[i] * t.dpsi[i], t.v[i] * t.dpsi[i]
            t.du[i] = (t.du[i] + one) / t.s[i]
            t.dv[i] = (t.dv[i] - other) / t.a[i]


cdef inline double room(double x, double dx, double step) noexcept nogil:
    return -x / dx if dx * step < -x else step


cdef void reach(Saddle* t, double* step_u, double* step_psi) noexcept nogil:
    # How far, at most 1, all four stay positive.
    cdef Py_ssize_t i
    step_u[0], step_psi[0] = 1, 1
    for i in range(t.m):
        if counts(t, i):
            step_u[0] = room(t.v[i], t.dv[i], room(t.u[i], t.du[i], step_u[0]))
            step_psi[0] = room(t.a[i], t.dpsi[i], room(t.s[i], -t.dpsi[i], step_psi[0]))


cdef void move(Saddle* t, double step_u, double step_psi) noexcept nogil:
    cdef Py_ssize_t i, j
    axpy(t.k, step_u, t.db, t.b)
    for i in range(t.m):
        if counts(t, i):
            t.u[i] += step_u * t.du[i]
            t.v[i] += step_u * t.dv[i]
            t.s[i] -= step_psi * t.dpsi[i]
            t.a[i] += step_psi * t.dpsi[i]
            t.psi[i] += step_psi * t.dpsi[i]
    if t.wide:
        for i in range(t.m):
            t.r[i] = t.y[i]
        residuals(t, t.b, t.r)
    else:
        axpy(t.m, step_u, t.dr, t.r)
    for j in range(t.k):
        t.miss[j] = t.c[j]
    add_sums(t, -1.0, t.psi, t.miss)


cdef int follow(Saddle* t, double tol, Py_ssize_t most, Py_ssize_t* steps) noexcept nogil:
    cdef Py_ssize_t i, n = 0, slow = 0
    cdef bint good
    cdef double mu, gap, off, size, before = 1e300, step_u = 0, step_psi = 0, ahead
    for i in range(t.m):
        n += 2 * counts(t, i)
    move(t, 0, 0)
    for steps[0] in range(most):
        gap, size, off = complementarity(t, 0, 0), 0, fabs(dot(t.k, t.b, t.miss))
        for i in range(t.m):
            size += t.right[i] * t.u[i] + t.left[i] * t.v[i]
            off += fabs(t.psi[i] * (t.r[i] - t.u[i] + t.v[i]))
        good = not t.rough or off < MISSED * gap
        if gap <= tol * size and good:
            return NEAR
        slow = slow + 1 if gap > 0.9 * before else 0
        t.rough &= slow == 0 and gap > ROUGH * size and (good or gap > CLOSE * size)
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


def interior(const double[:, ::1] Z not None, const double[::1] y not None, const double[::1] left not None,
             const double[::1] right not None, const double[::1] c not None, double[::1] b not None,
             double[::1] psi not None, double[::1] r not None, double gam, double tol, Py_ssize_t max_steps):
    """Moves b near the minimiser of sum_i right_i (y_i - z_i'b)_+ + left_i (z_i'b - y_i)_+ + c'b.

    Z is k x n; left, right are finite. y, left, right, psi and r have n entries, or n + k of them, the last k belonging
    to units: |b_j| costs left and right. b is a start, good to about gam. On exit the duality gap is about `tol`
    of the sum, psi is strictly within -left and right, and r = y - Z'b.

    Returns (status, steps). Status 0: as said; 1: no further.
    """
    cdef Saddle t
    cdef Py_ssize_t k = Z.shape[0], n = Z.shape[1], i, steps = 0
    cdef int status
    cdef double* memory
    if n == 0 or k == 0:
        raise ValueError("Z must have at least one row and one column")
    t.m, t.n, t.k, t.free, t.wide, t.rough = y.shape[0], n, k, 0, False, True
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
        measure(&t)
        status = follow(&t, tol, max_steps, &steps)
        free(memory)
    if status == PENDING:
        raise_pending()
    return status, steps
