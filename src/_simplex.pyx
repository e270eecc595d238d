"""Exact minimiser of a piecewise linear function by a long-step simplex method.

minimise over b in R^k   sum_i [ right_i (y_i - z_i'b)_+ + left_i (z_i'b - y_i)_+ ] + c'b

A vertex is a set of k independent rows with zero residual, the basis. Its dual point is
psi_i = right_i or -left_i by the sign of the residual off the basis, and Z'psi = c on it; the
vertex is optimal when -left <= psi <= right. If not, the worst basic row leaves, and the line
search passes all kinks at which the slope is still negative (Barrodale and Roberts, 1974; the
explicit inverse and the scaled pricing are the ordinary revised simplex method).

An infinite slope is a constraint. It is a large finite one until the end, where it must hold.

Design. `Vertex` is the whole state: pointers into one block of memory owned by `simplex`.
Ties stall the method, so the working copy of y is jittered when it stalls; the last
factorisation and every test of optimality after it see the true y.
"""
include "_blas_int.pxi"

from libc.math cimport fabs, isinf
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from scipy.linalg.cython_blas cimport daxpy, ddot, dger, dscal

from l1l2fast._lines cimport Kink, crossing, median, swap
from l1l2fast._scalar cimport clip, scatter
from l1l2fast._signals cimport interrupted, raise_pending
from l1l2fast._vertex cimport (INVERSE_BLOCK, Vertex, add_row, basis_times, measure, refactor, rounding, rows_times,
                               set_slopes, slack, start, take_sides)

cdef enum:
    REFACTOR = 100  # pivots between two factorisations: rounding drifts slowly
    LISTEN = 32     # pivots between two looks at Ctrl-C
    STALLS = 4      # steps of length zero before y is jittered
    JITTERS = 3     # times, each finer than the last

cdef double EPS = 2.220446049250313e-16
# What differs by this part only is the same: of several optimal vertices, rounding must not choose.
cdef double TIE = 1e-12
# A dual point beyond its bounds by this part of their distance is within them. What is cut off there is missing in the
# sum of the dual point, which beside an intercept must be zero up to rounding.
cdef double NEARLY = 1e-14

cdef double blur(Vertex* s, const double* column) noexcept nogil:
    # The rounding error, over EPS, of the psi that goes with this column of the inverse.
    cdef Py_ssize_t i
    cdef double total = 0
    for i in range(s.k):
        total += fabs(column[i]) * s.noise[i]
    return total


cdef Py_ssize_t price(Vertex* s, double* violation) noexcept nogil:
    # psi on the basis; the position in it of the row to leave, -1 if the vertex is optimal.
    # Score: steepest edge, since b moves by |column of the inverse| per unit of residual.
    cdef Py_ssize_t i, z, best = -1
    cdef blas_int one = 1
    cdef double over, norm, score, top = 0
    cdef double* column
    for z in range(s.k):
        s.h[z] = s.c[z] - s.g[z]
    basis_times(s, 'T', s.h, s.psi_basic)
    for z in range(s.k):
        i = s.basis[z]
        over = max(s.psi_basic[z] - s.hi[i], -s.lo[i] - s.psi_basic[z])
        if over <= NEARLY * min(s.lo[i] + s.hi[i], s.widest):
            continue
        column = s.inverse + z * s.k
        norm = ddot(&s.k, column, &one, column, &one)
        score = over * over / norm
        if score > top * (1 + TIE) and over > 16 * EPS * blur(s, column):
            top, best, violation[0] = score, z, over
    return best


cdef Py_ssize_t search(Vertex* s, Py_ssize_t z, double violation) noexcept nogil:
    # Direction and long step: s.kinks[:p] are passed, s.kinks[p].row becomes basic. -1: unbounded.
    cdef Py_ssize_t i, p, n = 0
    cdef double sign = 1 if s.psi_basic[z] > s.hi[s.basis[z]] else -1
    cdef double tiny = 0, total = 0
    for i in range(s.k):
        s.d[i] = -sign * s.inverse[i + z * s.k]
    rows_times(s, s.d, s.q)
    for i in range(s.m):
        tiny = max(tiny, fabs(s.q[i]))
    tiny *= 1e-10  # smaller rates are rounding, and would make a singular basis
    for i in range(s.m):
        if s.side[i] * s.q[i] > tiny and s.lo[i] + s.hi[i] > 0:
            s.kinks[n].t = max(s.r[i] / s.q[i], 0)
            s.kinks[n].jump = (s.lo[i] + s.hi[i]) * fabs(s.q[i])
            s.kinks[n].row = i
            total += s.kinks[n].jump
            n += 1
    p = crossing(s.kinks, n, TIE * total - violation)
    if p < n:
        return p
    if n == 0 or total < violation * (1 - 1e-9):
        return -1
    for i in range(n):  # flat beyond the last kink, up to rounding
        if s.kinks[i].t > s.kinks[n - 1].t:
            swap(s.kinks, i, n - 1)
    return n - 1


cdef void pivot(Vertex* s, Py_ssize_t z, Py_ssize_t p) noexcept nogil:
    # Move along d to the kink p; basis[z] leaves, that kink's row enters.
    cdef Py_ssize_t i, j, leaving = s.basis[z], entering = s.kinks[p].row
    cdef double t = s.kinks[p].t, move = -t, scale
    cdef blas_int one = 1
    for j in range(p):
        i = s.kinks[j].row
        add_row(s, -s.side[i] * (s.lo[i] + s.hi[i]), i, s.g)
        s.side[i] = -s.side[i]
        s.psi[i] = s.hi[i] if s.side[i] > 0 else -s.lo[i]
    add_row(s, -s.psi[entering], entering, s.g)
    s.side[entering] = 0
    s.psi[entering] = 0
    s.side[leaving] = 1 if s.psi_basic[z] > s.hi[leaving] else -1
    s.psi[leaving] = s.hi[leaving] if s.side[leaving] > 0 else -s.lo[leaving]
    add_row(s, s.psi[leaving], leaving, s.g)
    daxpy(&s.m, &move, s.q, &one, s.r, &one)
    s.r[entering] = 0
    s.r[leaving] = s.side[leaving] * t
    s.basis[z] = entering
    # the inverse with one row of its matrix replaced
    basis_times(s, 'T', s.Z + entering * s.k, s.u)
    scale = 1 / s.u[z]
    dscal(&s.k, &scale, s.inverse + z * s.k, &one)
    s.u[z] = 0
    scale = -1
    dger(&s.k, &s.k, &scale, s.inverse + z * s.k, &one, s.u, &one, s.inverse, &s.k)
    s.fresh += 1
    s.stalls += t * s.kinks[p].jump <= rounding(s, entering) * (s.lo[entering] + s.hi[entering])


cdef void jitter(Vertex* s) noexcept nogil:
    # Ties broken by up to 1e-7 of the median nonzero residual, the same on every run.
    cdef double scale
    cdef Py_ssize_t i, n = 0, _i
    for i in range(s.m):
        if fabs(s.r[i]) > rounding(s, i):
            s.kinks[n].t = fabs(s.r[i])
            s.kinks[n].jump = 1
            n += 1
    scale = median(s.kinks, n)
    if n == 0:
        scale = s.zero / (256 * EPS) if s.zero > 0 else 1
    scale *= 2e-7
    for _i in range(s.jitters):
        scale /= 30
    s.jitters += 1
    s.jittered = True
    s.stalls = 0
    for i in range(s.m):
        s.y_now[i] = s.y[i] + scale * scatter(i, s.jitters)


cdef bint constrained(Vertex* s) noexcept nogil:
    # Do all infinite slopes hold?
    cdef Py_ssize_t i
    for i in range(s.m):
        if fabs(s.r[i]) > rounding(s, i) and isinf(s.right[i] if s.r[i] > 0 else s.left[i]):
            return False
    return True


cdef bint settle(Vertex* s) noexcept nogil:
    # Back to the true y, everything fresh.
    cdef Py_ssize_t i
    for i in range(s.m):
        s.y_now[i] = s.y[i]
    s.jittered = False
    s.stalls = 0
    return refactor(s)


cdef int minimise(Vertex* s, Py_ssize_t max_pivots, Py_ssize_t* count) noexcept nogil:
    cdef Py_ssize_t z, p, escalations = 0
    cdef double violation = 0
    if not (start(s) and settle(s)):
        return DEFICIENT
    while True:
        z = price(s, &violation)
        p = search(s, z, violation) if z >= 0 and count[0] < max_pivots else -1
        if p < 0:
            if s.fresh > 0 or s.jittered:  # never conclude from worn or false numbers
                if not settle(s):
                    return DEFICIENT
            elif z >= 0:
                return UNBOUNDED if count[0] < max_pivots else PIVOT_CAP
            elif constrained(s):
                return OPTIMAL
            elif escalations == 3:
                return INFEASIBLE
            else:
                escalations += 1
                s.big *= 1000
                set_slopes(s)
                take_sides(s)
            continue
        pivot(s, z, p)
        count[0] += 1
        if count[0] % LISTEN == 0 and interrupted():
            return PENDING
        if s.stalls >= STALLS and s.jitters < JITTERS:
            jitter(s)
            s.fresh = REFACTOR
        if s.fresh >= REFACTOR and not refactor(s):
            return DEFICIENT


cdef void finish(Vertex* s) noexcept nogil:
    # psi on the basis, refined once so that Z'psi = c to rounding, and inside its box.
    cdef Py_ssize_t i, z, e, _step
    cdef blas_int one = 1
    cdef double over
    cdef double* column
    for _step in range(2):
        slack(s, s.h)
        basis_times(s, 'T', s.h, s.psi_basic)
        for z in range(s.k):
            s.psi[s.basis[z]] += s.psi_basic[z]
    for z in range(s.k):
        i = s.basis[z]
        over = s.psi[i] - clip(s.psi[i], -s.left[i], s.right[i])
        if over == 0:
            continue
        # rounding, of a basis that is nearly singular: back along the direction in which Z'psi moves least
        column = s.inverse + z * s.k
        over /= -ddot(&s.k, column, &one, column, &one)
        for e in range(s.k):
            s.h[e] = over * column[e]
        basis_times(s, 'T', s.h, s.psi_basic)
        for e in range(s.k):
            s.psi[s.basis[e]] += s.psi_basic[e]
    for z in range(s.k):
        i = s.basis[z]
        s.psi[i] = clip(s.psi[i], -s.left[i], s.right[i])


cdef void lay_out(Vertex* s, double* memory) noexcept nogil:
    # 5 m + (k + INVERSE_BLOCK + 6) k numbers
    s.y_now = memory
    s.lo = s.y_now + s.m
    s.hi = s.lo + s.m
    s.r = s.hi + s.m
    s.q = s.r + s.m
    s.inverse = s.q + s.m
    s.work = s.inverse + s.k * s.k
    s.d = s.work + INVERSE_BLOCK * s.k
    s.g = s.d + s.k
    s.u = s.g + s.k
    s.h = s.u + s.k
    s.psi_basic = s.h + s.k
    s.noise = s.psi_basic + s.k


cdef int optimum(Py_ssize_t m, Py_ssize_t k, const double* Z, const double* y, const double* left, const double* right,
                 const double* c, double* b, int64_t* basis, double* psi, Py_ssize_t max_pivots,
                 Py_ssize_t* pivots) noexcept nogil:
    cdef Vertex s
    cdef Py_ssize_t numbers = 5 * m + (k + INVERSE_BLOCK + 6) * k
    cdef int status
    cdef char* memory = <char*>malloc(numbers * sizeof(double) + m * sizeof(Kink) + k * sizeof(blas_int) + m)
    if memory is NULL:
        return NO_MEMORY
    s.m, s.k = <blas_int>m, <blas_int>k
    s.Z, s.y, s.left, s.right, s.c, s.b, s.basis, s.psi = Z, y, left, right, c, b, basis, psi
    s.jitters = 0
    lay_out(&s, <double*>memory)
    s.kinks = <Kink*>(memory + numbers * sizeof(double))
    s.pivots = <blas_int*>(s.kinks + m)
    s.side = <signed char*>(s.pivots + k)
    measure(&s)
    status = minimise(&s, max_pivots, pivots)
    if status != DEFICIENT:
        finish(&s)
    free(memory)
    return status


def simplex(const double[:, ::1] Z not None, const double[::1] y not None, const double[::1] left not None,
            const double[::1] right not None, const double[::1] c not None, double[::1] b not None,
            int64_t[::1] basis not None, double[::1] psi not None, Py_ssize_t max_pivots):
    """Exact minimiser of sum_i right_i (y_i - z_i'b)_+ + left_i (z_i'b - y_i)_+ + c'b.

    Z is m x k with entries of size 1, left and right are >= 0 and may be inf. On entry b is a
    guess, of which only the rows of small residual matter. On exit b is a vertex, basis (k,) its
    rows of zero residual, and psi (m,) the dual point: -left <= psi <= right, Z'psi = c.

    Returns (status, pivots). Status 0: optimal; 1: max_pivots reached, b is a vertex and psi not
    feasible; 2: unbounded below; 3: no k independent rows, nothing was written; 4: no b meets the infinite slopes.
    """
    cdef Py_ssize_t m = Z.shape[0], k = Z.shape[1], pivots = 0
    cdef int status
    if k == 0:
        raise ValueError("Z must have at least one column")
    if m < k:
        return DEFICIENT, 0
    with nogil:
        status = optimum(m, k, &Z[0, 0], &y[0], &left[0], &right[0], &c[0], &b[0], &basis[0], &psi[0], max_pivots,
                         &pivots)
    if status == NO_MEMORY:
        raise MemoryError()
    if status == PENDING:
        raise_pending()
    return status, pivots
