"""Semismooth Newton method for one round of the method of multipliers: the kinks smoothed, the centre fixed.

The Hessian  sum over rows inside of width_i / gam z_i z_i' + diag(d)  is kept up to date by the
rows that go in or out, which are few near the end.
"""
from libc.math cimport fabs, sqrt
from scipy.linalg.cython_blas cimport ddot, dgemv, dsyrk
from scipy.linalg.cython_lapack cimport dpotrf, dpotrs

from l1l2fast._blas cimport cholesky, cholesky_solve
from l1l2fast._face cimport BLOCK, residuals, transposed
from l1l2fast._lines cimport stationary
from l1l2fast._scalar cimport clip
from l1l2fast._signals cimport interrupted

cdef double EPS = 2.220446049250313e-16


cdef void refresh(Face* s) noexcept nogil:
    cdef Py_ssize_t i
    residuals(s, s.b, s.r)
    s.zero = s.least_zero
    for i in range(s.k):
        s.zero += 256 * EPS * fabs(s.b[i])


cdef Py_ssize_t project(Face* s, Py_ssize_t* n_inside) noexcept nogil:
    # psi from r; how many rows went in or out since the last time.
    cdef Py_ssize_t i, changes = 0
    cdef signed char now
    n_inside[0] = 0
    for i in range(s.m):
        s.shifted[i] = s.centre[i] + s.r[i] * (s.width[i] / s.gam)
        s.psi[i] = clip(s.shifted[i], -s.left[i], s.right[i])
        now = s.width[i] > 0 and -s.left[i] < s.shifted[i] < s.right[i]
        changes += now != s.inside[i]
        n_inside[0] += now
        s.inside[i] = now
    return changes


cdef double slope(Face* s) noexcept nogil:
    cdef Py_ssize_t j
    cdef double worst = 0
    transposed(s, s.psi, s.gradient)
    for j in range(s.k):
        s.gradient[j] = s.c[j] + s.d[j] * s.b[j] - s.gradient[j] + s.prox[j] * (s.b[j] - s.anchor[j])
        worst = max(worst, fabs(s.gradient[j]) / (EPS * (s.noise[j] + fabs(s.d[j] * s.b[j])) + 1e-300))
    return worst


cdef enum:
    SMALL = 12  # so few columns are not worth packing rows for dsyrk, nor LAPACK, whose faster half is the other one


cdef void count_row(Face* s, const double* z, double weight) noexcept nogil:
    # gram += weight z z'
    cdef Py_ssize_t a, j
    for a in range(s.k):
        for j in range(a, s.k):
            s.gram[a * s.k + j] += weight * z[a] * z[j]


cdef void count_rows(Face* s, double sign) noexcept nogil:
    # gram += sign * width_i z_i z_i' over the rows that came (sign 1) or went (-1).
    cdef Py_ssize_t i, j
    cdef blas_int packed = 0
    cdef double root, one = 1
    for i in range(s.m + 1):
        if packed == BLOCK or i == s.m and packed > 0:
            dsyrk('L', 'N', &s.k, &packed, &sign, s.block, &s.k, &one, s.gram, &s.k)
            packed = 0
        if i == s.m or s.inside[i] == s.counted[i] or (s.inside[i] > 0) != (sign > 0):
            continue
        s.counted[i] = s.inside[i]
        if s.k <= SMALL:
            count_row(s, s.Z + i * s.k, sign * s.width[i])
            continue
        root = sqrt(s.width[i])
        for j in range(s.k):
            s.block[packed * s.k + j] = root * s.Z[i * s.k + j]
        packed += 1


cdef void update_gram(Face* s, Py_ssize_t n_inside) noexcept nogil:
    # By the rows that changed, or from nothing when those are many or subtraction has worn it.
    cdef Py_ssize_t i, changes = 0
    for i in range(s.m):
        changes += s.inside[i] != s.counted[i]
    if changes > n_inside or 2 * n_inside < s.n_counted:
        for i in range(s.m):
            s.counted[i] = 0
        for i in range(s.k * s.k):
            s.gram[i] = 0
        s.n_counted = n_inside
    else:
        count_rows(s, -1)
    count_rows(s, 1)


cdef void newton_direction(Face* s) noexcept nogil:
    # step = -hessian^-1 gradient. A shift stands in where rounding made it
    # indefinite; the line search forgives a wrong length.
    cdef Py_ssize_t i, j
    cdef blas_int one = 1, info = 1
    cdef int _attempt
    cdef double top = 0, shift = 0
    for j in range(s.k):
        top = max(top, s.gram[j * (s.k + 1)] / s.gam + s.d[j])
    for _attempt in range(40):  # ends: the shift outgrows the matrix, unless that is not finite
        if info == 0:
            break
        for j in range(s.k):
            for i in range(j, s.k):
                s.hessian[i + j * s.k] = s.gram[i + j * s.k] / s.gam
            s.hessian[j * (s.k + 1)] += s.d[j] + s.prox[j] + shift
        if s.k <= SMALL:
            for j in range(s.k):
                for i in range(j):
                    s.hessian[i + j * s.k] = s.hessian[j + i * s.k]
            info = cholesky(s.k, s.hessian, s.k)
        else:
            dpotrf('L', &s.k, s.hessian, &s.k, &info)
        shift = max(1e-13 * top, 100 * shift) if top > 0 else 1
    for j in range(s.k):
        s.step[j] = -s.gradient[j]
    if s.k <= SMALL:
        cholesky_solve(s.k, s.hessian, s.k, s.step)
    else:
        dpotrs('L', &s.k, &one, s.hessian, &s.k, s.step, &s.k, &info)


cdef Py_ssize_t add_kink(Face* s, Py_ssize_t i, double rate, bint upper, double jump, Py_ssize_t n) noexcept nogil:
    # Where psi_i, changing at `rate`, meets its upper or lower bound, if ever.
    cdef double bound = s.right[i] if upper else -s.left[i]
    cdef double t = max((bound - s.shifted[i]) / rate, 0)
    if not t < 1e300:
        return n
    s.kinks[n].t = t
    s.kinks[n].jump = jump
    return n + 1


cdef double step_length(Face* s) noexcept nogil:
    # Exact minimiser along step; -1 if there is none. A row bends the function between the two t
    # at which its psi enters and leaves its box.
    cdef blas_int one = 1
    cdef Py_ssize_t i, n = 0
    cdef double alpha = 1, beta = 0, floor = 0, bend, rate
    cdef double down = ddot(&s.k, s.gradient, &one, s.step, &one)
    dgemv('T', &s.k, &s.m, &alpha, <double*>s.Z, &s.k, s.step, &one, &beta, s.q, &one)
    for i in range(s.k):
        floor += (s.d[i] + s.prox[i]) * s.step[i] * s.step[i]
    bend = floor
    for i in range(s.m):
        rate = -s.q[i] * (s.width[i] / s.gam)
        if rate == 0:
            continue
        if s.inside[i]:
            bend -= rate * s.q[i]
            n = add_kink(s, i, rate, rate > 0, rate * s.q[i], n)
        elif rate < 0 and s.shifted[i] >= s.right[i] or rate > 0 and s.shifted[i] <= -s.left[i]:
            n = add_kink(s, i, rate, rate < 0, -rate * s.q[i], n)
            n = add_kink(s, i, rate, rate > 0, rate * s.q[i], n)
    return stationary(s.kinks, n, down, bend, floor)


cdef Py_ssize_t newton(Face* s, bint loose, bint* settled, Py_ssize_t* n_inside) noexcept nogil:
    cdef Py_ssize_t i, count, changes
    cdef double t = 0
    settled[0] = False
    refresh(s)
    for count in range(NEWTONS + 1):
        changes = project(s, n_inside)
        s.worst = slope(s)
        settled[0] = s.worst <= 8 or count > 0 and changes == 0 and fabs(t - 1) < 1e-8
        if settled[0] or count == NEWTONS or loose and count > 0 and 30 * changes <= n_inside[0] + 30:
            return count
        if <double>s.m * s.k > 1e5 and interrupted():
            return INTERRUPTED
        update_gram(s, n_inside[0])
        newton_direction(s)
        t = step_length(s)
        if t < 0:
            return RUNAWAY
        for i in range(s.k):
            s.b[i] += t * s.step[i]
        for i in range(s.m):
            s.r[i] -= t * s.q[i]
    return NEWTONS
