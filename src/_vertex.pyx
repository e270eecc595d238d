"""Linear algebra of a vertex: choosing a basis, inverting it, and everything recomputed from it."""
from libc.math cimport fabs, isinf, sqrt
from libc.stdlib cimport free, malloc
from scipy.linalg.cython_blas cimport daxpy, ddot, dgemv
from scipy.linalg.cython_lapack cimport dgetrf, dgetri

from l1l2fast._lines cimport crossing, swap

cdef double EPS = 2.220446049250313e-16


cdef void rows_times(Vertex* s, const double* v, double* out) noexcept nogil:
    cdef blas_int one = 1
    cdef double alpha = 1, beta = 0
    dgemv('T', &s.k, &s.m, &alpha, <double*>s.Z, &s.k, <double*>v, &one, &beta, out, &one)


cdef void basis_times(Vertex* s, char trans, const double* v, double* out) noexcept nogil:
    cdef blas_int one = 1
    cdef double alpha = 1, beta = 0
    dgemv(&trans, &s.k, &s.k, &alpha, s.inverse, &s.k, <double*>v, &one, &beta, out, &one)


cdef void add_row(Vertex* s, double a, Py_ssize_t i, double* out) noexcept nogil:
    cdef blas_int one = 1
    daxpy(&s.k, &a, <double*>s.Z + i * s.k, &one, out, &one)


cdef double row_dot(Vertex* s, Py_ssize_t i, const double* v) noexcept nogil:
    cdef blas_int one = 1
    return ddot(&s.k, <double*>s.Z + i * s.k, &one, <double*>v, &one)


cdef void slack(Vertex* s, double* out) noexcept nogil:
    cdef blas_int one = 1
    cdef double alpha = -1, beta = 1
    cdef Py_ssize_t i
    for i in range(s.k):
        out[i] = s.c[i]
    dgemv('N', &s.k, &s.m, &alpha, <double*>s.Z, &s.k, s.psi, &one, &beta, out, &one)


cdef void set_slopes(Vertex* s) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(s.m):
        s.lo[i] = s.big if isinf(s.left[i]) else s.left[i]
        s.hi[i] = s.big if isinf(s.right[i]) else s.right[i]


cdef void column_noise(Py_ssize_t m, Py_ssize_t k, const double* Z, const double* left, const double* right,
                       const double* c, double* out) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef double slope
    for j in range(k):
        out[j] = 0
    for i in range(m):
        slope = (0 if isinf(left[i]) else left[i]) + (0 if isinf(right[i]) else right[i])
        for j in range(k):
            out[j] += slope * slope * Z[i * k + j] * Z[i * k + j]
    for j in range(k):
        out[j] = fabs(c[j]) + sqrt(out[j])


cdef void measure(Vertex* s) noexcept nogil:
    # Tolerances follow the finite slopes: 1 / n and 1e6 are equally welcome.
    cdef double total = 0, slope
    cdef Py_ssize_t i
    s.widest = 0
    for i in range(2 * s.m):
        slope = s.left[i] if i < s.m else s.right[i - s.m]
        if not isinf(slope):
            total += slope
            s.widest = max(s.widest, slope)
    column_noise(s.m, s.k, s.Z, s.left, s.right, s.c, s.noise)
    for i in range(s.k):
        total += fabs(s.c[i])
        s.widest = max(s.widest, fabs(s.c[i]))
    s.big = 100 * total + (total == 0)
    set_slopes(s)


cdef Py_ssize_t nearest(Vertex* s, Py_ssize_t count) noexcept nogil:
    # The `count` rows of smallest residual come first in s.kinks. Rows without a slope are last resorts.
    cdef Py_ssize_t i
    for i in range(s.m):
        s.kinks[i].t = fabs(s.r[i]) if s.lo[i] + s.hi[i] > 0 else 1e300
        s.kinks[i].jump = 1
        s.kinks[i].row = i
    return crossing(s.kinks, s.m, 0.5 - count) + 1


cdef bint pick(Vertex* s, blas_int count, double* lu) noexcept nogil:
    # Row-pivoted LU of the `count` nearest rows (lu: count x k), the nearest weighted up. False: rank < k.
    cdef Py_ssize_t i, j
    cdef blas_int info
    cdef double weight, size, scale = 0
    for i in range(nearest(s, count)):
        if scale < s.kinks[i].t < 1e300:
            scale = s.kinks[i].t
    for i in range(count):
        weight = 1 / (min(s.kinks[i].t / scale, 50) + .01) if scale > 0 else 1
        for j in range(s.k):
            lu[i + j * count] = weight * s.Z[s.kinks[i].row * s.k + j]
    dgetrf(&count, &s.k, lu, &count, s.pivots, &info)
    for j in range(s.k):
        size = 0
        for i in range(j + 1):
            size = max(size, fabs(lu[i + j * count]))
        if not fabs(lu[j + j * count]) > max(1e-12, 4 * EPS * (s.k + 10)) * size:
            return False
        swap(s.kinks, j, s.pivots[j] - 1)
    for i in range(s.m):
        s.side[i] = 1 if s.r[i] >= 0 else -1
    for j in range(s.k):
        s.basis[j] = s.kinks[j].row
        s.side[s.basis[j]] = 0
    return True


cdef bint start(Vertex* s) noexcept nogil:
    # Residuals at b, then a basis from ever more rows. The one place that may need much memory:
    # a copy of Z when only all its rows together have full rank.
    cdef Py_ssize_t i, count = s.k + s.k // 2 + 10
    cdef double* lu
    cdef bint found = False
    if s.m < s.k:
        return False
    rows_times(s, s.b, s.r)
    for i in range(s.m):
        s.r[i] = s.y[i] - s.r[i]
    while not found:
        count = min(count, s.m)
        lu = <double*>malloc(count * s.k * sizeof(double))
        if lu is NULL:
            return False
        found = pick(s, <blas_int>count, lu)
        free(lu)
        if count == s.m:
            break
        count *= 4
    return found


cdef bint refactor(Vertex* s) noexcept nogil:
    cdef Py_ssize_t i, j, _step
    cdef blas_int info, length = INVERSE_BLOCK * s.k
    cdef double size = 0
    for i in range(s.k):
        for j in range(s.k):
            s.inverse[i + j * s.k] = s.Z[s.basis[i] * s.k + j]
    dgetrf(&s.k, &s.k, s.inverse, &s.k, s.pivots, &info)
    if info == 0:
        dgetri(&s.k, s.inverse, &s.k, s.pivots, s.work, &length, &info)
    if info != 0:
        return False
    for i in range(s.k):
        s.b[i] = 0
    for _step in range(2):  # the second step refines: basic residuals become zero to rounding
        for i in range(s.k):
            s.h[i] = s.y_now[s.basis[i]] - row_dot(s, s.basis[i], s.b)
        basis_times(s, 'N', s.h, s.u)
        for i in range(s.k):
            s.b[i] += s.u[i]
    rows_times(s, s.b, s.r)
    for i in range(s.m):
        s.r[i] = s.y_now[i] - s.r[i]
    for i in range(s.k):
        size += fabs(s.b[i])
    s.zero = 256 * EPS * size
    s.fresh = 0
    take_sides(s)
    return True


cdef void take_sides(Vertex* s) noexcept nogil:
    # Signs that r proves; a zero residual keeps the side it had, for its psi may be at either bound.
    cdef blas_int one = 1
    cdef double alpha = 1, beta = 0
    cdef Py_ssize_t i
    for i in range(s.m):
        if s.side[i] == 0:
            s.r[i] = 0
            s.psi[i] = 0
            continue
        if fabs(s.r[i]) > rounding(s, i):
            s.side[i] = 1 if s.r[i] > 0 else -1
        elif isinf(s.right[i] if s.side[i] > 0 else s.left[i]):
            s.side[i] = -s.side[i]  # a constraint that holds need not pull
        s.psi[i] = s.hi[i] if s.side[i] > 0 else -s.lo[i]
    dgemv('N', &s.k, &s.m, &alpha, <double*>s.Z, &s.k, s.psi, &one, &beta, s.g, &one)
