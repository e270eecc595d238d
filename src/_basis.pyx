"""Linear algebra of a corner: its inverse, the four ways to change it, and everything recomputed from it."""
from libc.math cimport fabs, sqrt
from libc.string cimport memset
from scipy.linalg.cython_lapack cimport dgetrf, dgetri

from l1l2fast._blas cimport axpy, dot, gemv

cdef double EPS = 2.220446049250313e-16


cdef void inverse_times(Corner* s, const double* x, double* out) noexcept nogil:
    cdef Py_ssize_t z
    memset(out, 0, s.k * sizeof(double))
    for z in range(s.k):
        axpy(s.k, x[z], s.inverse + z * s.cap, out)


cdef void inverse_transposed_times(Corner* s, const double* x, double* out) noexcept nogil:
    memset(out, 0, s.k * sizeof(double))
    if s.k > 0:
        gemv(s.k, s.k, 1.0, s.inverse, s.cap, x, out)


cdef void measure(Corner* s) noexcept nogil:
    cdef double width
    cdef Py_ssize_t i, j
    for i in range(s.n):
        s.q[i] = (s.left[i] + s.right[i]) * (s.left[i] + s.right[i])
    for j in range(s.p):
        width = 0
        for i in range(s.n):
            width += s.q[i] * s.Z[j * s.n + i] * s.Z[j * s.n + i]
        s.noise[j] = fabs(s.c[j]) + sqrt(width)


cdef void take_sides(Corner* s) noexcept nogil:
    # Signs that r and b prove; a zero keeps the sign it had. Then psi and g.
    cdef Py_ssize_t i, j, a
    for i in range(s.n):
        if s.side[i] == 0:
            s.r[i] = 0
            s.psi[i] = 0
            continue
        if fabs(s.r[i]) > rounding(s, i):
            s.side[i] = 1 if s.r[i] > 0 else -1
        s.psi[i] = psi_of(s, i)
    for a in range(s.k):
        j = s.some[a]
        if fabs(s.b[j]) > s.rounding or s.sign[j] == 0:
            s.sign[j] = 1 if s.b[j] >= 0 else -1
    memset(s.g, 0, s.p * sizeof(double))
    gemv(s.p, s.n, 1.0, s.Z, s.n, s.psi, s.g)


cdef bint invert(Corner* s) noexcept nogil:
    cdef blas_int k = <blas_int>s.k, ld = <blas_int>s.cap, length = <blas_int>(INVERSE_BLOCK * s.k), info = 0
    cdef Py_ssize_t a, z
    cdef double size
    if k == 0:
        return True
    for z in range(s.k):  # dgetri wants row z of X[zero, some], in Fortran's order, to become column z
        for a in range(s.k):
            s.inverse[z + a * s.cap] = s.rows[s.zero[z] * s.p + s.some[a]]
    dgetrf(&k, &k, s.inverse, &ld, s.pivots, &info)
    for a in range(s.k):
        size = 0
        for z in range(a + 1):
            size = max(size, fabs(s.inverse[z + a * s.cap]))
        if not fabs(s.inverse[a + a * s.cap]) > max(1e-12, 4 * EPS * (s.k + 10)) * size:
            return False
    if info == 0:
        dgetri(&k, s.inverse, &ld, s.pivots, s.work, &length, &info)
    return info == 0


cdef bint refactor(Corner* s) noexcept nogil:
    cdef Py_ssize_t a, z, _step
    cdef double size = 0
    if not invert(s):
        return False
    memset(s.b, 0, s.p * sizeof(double))
    for _step in range(2 if s.k > 0 else 0):  # the second step refines
        for z in range(s.k):
            s.h[z] = s.y_now[s.zero[z]]
            for a in range(s.k):
                s.h[z] -= s.rows[s.zero[z] * s.p + s.some[a]] * s.b[s.some[a]]
        inverse_times(s, s.h, s.u)
        for a in range(s.k):
            s.b[s.some[a]] += s.u[a]
    for z in range(s.n):
        s.r[z] = s.y_now[z]
    for a in range(s.k):
        axpy(s.n, -s.b[s.some[a]], s.Z + s.some[a] * s.n, s.r)
        size += fabs(s.b[s.some[a]])
    if not size < 1e300:
        return False
    s.rounding = 256 * EPS * size
    s.fresh = 0
    take_sides(s)
    return True


cdef void clear(Corner* s) noexcept nogil:
    cdef Py_ssize_t z
    for z in range(s.k):
        s.sign[s.some[z]] = 0
        s.side[s.zero[z]] = 1
    s.k = 0


cdef void scale_column(Corner* s, Py_ssize_t z, double by) noexcept nogil:
    cdef Py_ssize_t a
    for a in range(s.k):
        s.inverse[a + z * s.cap] *= by


cdef void swap_row(Corner* s, Py_ssize_t z, Py_ssize_t i) noexcept nogil:
    # row i in place of zero[z]
    cdef Py_ssize_t a, e
    for a in range(s.k):
        s.x[a] = s.rows[i * s.p + s.some[a]]
    inverse_transposed_times(s, s.x, s.u)
    scale_column(s, z, 1 / s.u[z])
    for e in range(s.k):
        if e != z:
            axpy(s.k, -s.u[e], s.inverse + z * s.cap, s.inverse + e * s.cap)
    s.zero[z] = i


cdef void swap_coefficient(Corner* s, Py_ssize_t a, Py_ssize_t j) noexcept nogil:
    # column j in place of some[a]
    cdef Py_ssize_t z
    cdef double pivot
    for z in range(s.k):
        s.x[z] = s.rows[s.zero[z] * s.p + j]
    inverse_times(s, s.x, s.u)
    pivot, s.u[a] = s.u[a], 0
    for z in range(s.k):
        s.inverse[a + z * s.cap] /= pivot
        axpy(s.k, -s.inverse[a + z * s.cap], s.u, s.inverse + z * s.cap)
    s.some[a] = j


cdef void grow(Corner* s, Py_ssize_t i, Py_ssize_t j) noexcept nogil:
    # row i and column j come in: v = inverse X[zero, j], u' = x[i, some]' inverse
    cdef Py_ssize_t a, z, k = s.k
    cdef double* last = s.inverse + k * s.cap
    cdef double corner
    for z in range(k):
        s.x[z] = s.rows[s.zero[z] * s.p + j]
    inverse_times(s, s.x, last)
    for a in range(k):
        s.x[a] = s.rows[i * s.p + s.some[a]]
    inverse_transposed_times(s, s.x, s.u)
    corner = 1 / (s.rows[i * s.p + j] - dot(k, s.x, last))
    for z in range(k):
        axpy(k, s.u[z] * corner, last, s.inverse + z * s.cap)
        s.inverse[k + z * s.cap] = -s.u[z] * corner
    for a in range(k):
        last[a] *= -corner
    last[k] = corner
    s.zero[k], s.some[k] = i, j
    s.k += 1


cdef void shrink(Corner* s, Py_ssize_t z, Py_ssize_t a) noexcept nogil:
    # row zero[z] and column some[a] go
    cdef Py_ssize_t e, last = s.k - 1
    cdef double by
    for e in range(s.k):
        if e != z:
            by = s.inverse[a + e * s.cap] / s.inverse[a + z * s.cap]
            axpy(s.k, -by, s.inverse + z * s.cap, s.inverse + e * s.cap)
    for e in range(s.k):
        s.inverse[e + z * s.cap] = s.inverse[e + last * s.cap]
    for e in range(last):
        s.inverse[a + e * s.cap] = s.inverse[last + e * s.cap]
    s.zero[z], s.some[a] = s.zero[last], s.some[last]
    s.k = last


cdef Py_ssize_t needs(Corner* s) noexcept nogil:
    return 3 * s.n + 3 * s.p + (s.cap + INVERSE_BLOCK + 5) * s.cap


cdef void lay_out(Corner* s, double* memory) noexcept nogil:
    s.y_now = memory
    s.r = s.y_now + s.n
    s.q = s.r + s.n
    s.g = s.q + s.n
    s.v = s.g + s.p
    s.noise = s.v + s.p
    s.inverse = s.noise + s.p
    s.work = s.inverse + s.cap * s.cap
    s.d = s.work + INVERSE_BLOCK * s.cap
    s.h = s.d + s.cap
    s.x = s.h + s.cap
    s.u = s.x + s.cap
    s.psi_zero = s.u + s.cap
