"""Exact minimiser of lines in rows and in coefficients, by a simplex method whose basis is as small as the answer.

minimise over b in R^p   sum_i [ right_i (y_i - z_i'b)_+ + left_i (z_i'b - y_i)_+ ]
                       + sum_j [ up_j (b_j)_+ + down_j (-b_j)_+ ] + c'b

An L1 penalty is up = down, a free coefficient has no slopes, and one of a single sign has a slope to the other side
that no rows outweigh. A corner is a set A of k coefficients that may differ from zero, and as many rows with zero
residual, such that X[rows, A] is nonsingular. Its dual point psi, with v = Z psi - c, has v_j = up_j or -down_j on A
by the sign of b_j; the corner is optimal when -left <= psi <= right on its rows and -down <= v <= up off A. If not,
the worst row or coefficient leaves zero and the line search passes all kinks at which the slope is still negative
(Barrodale and Roberts, 1974, where the penalty would be rows of one nonzero and the basis p x p). From the empty
corner, which always exists, no column enters that depends on those in: columns need not be independent.

Design. `Corner` is the whole state, in one block of memory. `_simplex` has the same method for rows alone, whose
basis never changes its size; its remarks on ties and on rounding hold here too.
"""
include "_blas_int.pxi"

from libc.math cimport fabs
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from l1l2fast._basis cimport (Corner, clear, grow, inverse_times, inverse_transposed_times, lay_out, measure, needs,
                              psi_of, refactor, rounding, shrink, slope_of, swap_coefficient, swap_row)
from l1l2fast._blas cimport axpy, dot
from l1l2fast._lines cimport Kink, crossing, median, swap
from l1l2fast._scalar cimport clip, scatter
from l1l2fast._signals cimport interrupted, raise_pending

cdef enum:
    OPTIMAL = 0, PIVOT_CAP = 1, UNBOUNDED = 2, DEFICIENT = 3, PENDING = 5
    REFACTOR = 100  # pivots between two factorisations: rounding drifts slowly
    LISTEN = 32     # pivots between two looks at Ctrl-C
    STALLS = 4      # steps of length zero before y is jittered
    JITTERS = 3     # times, each finer than the last
    RESTARTS = 3    # from the empty corner, after a singular basis

cdef double EPS = 2.220446049250313e-16
cdef double TIE = 1e-12      # what differs by this part only is the same
cdef double NEARLY = 1e-14   # beyond its bounds by this part of their distance is within them
cdef double STANDING = 1e-10  # rates of this part of the largest are rounding, and would make a singular basis

cdef double blur(Corner* s, const double* column) noexcept nogil:
    # The rounding error, over EPS, of the psi that goes with this column of the inverse.
    cdef Py_ssize_t a
    cdef double total = 0
    for a in range(s.k):
        total += fabs(column[a]) * s.noise[s.some[a]]
    return total


cdef bint certain(Corner* s, Py_ssize_t j, double over) noexcept nogil:
    # is v_j beyond its bound by more than what rounding of psi may do?
    cdef Py_ssize_t z
    cdef double doubt = 4 * s.noise[j]
    if over > 1e-8 * (s.noise[j] + s.up[j] + s.down[j]):
        return True
    for z in range(s.k):
        doubt += fabs(s.rows[s.zero[z] * s.p + j]) * blur(s, s.inverse + z * s.cap)
    return over > 16 * EPS * doubt


cdef Py_ssize_t price(Corner* s, double* violation) noexcept nogil:
    # psi on the corner, v off it; which leaves zero: a place among its rows, k + j for column j, -1 if optimal.
    # Score: steepest edge for rows, since b moves by |column of the inverse| per unit of residual.
    cdef Py_ssize_t i, j, z, best = -1
    cdef double over, score, top = 0
    cdef double* column
    for z in range(s.k):
        j = s.some[z]
        s.h[z] = s.c[j] + slope_of(s, j) - s.g[j]
    inverse_transposed_times(s, s.h, s.psi_zero)
    for j in range(s.p):
        s.v[j] = s.g[j] - s.c[j]
    for z in range(s.k):
        axpy(s.p, s.psi_zero[z], s.rows + s.zero[z] * s.p, s.v)
        i = s.zero[z]
        over = max(s.psi_zero[z] - s.right[i], -s.left[i] - s.psi_zero[z])
        if over <= NEARLY * (s.left[i] + s.right[i]):
            continue
        column = s.inverse + z * s.cap
        score = over * over / dot(s.k, column, column)
        if score > top * (1 + TIE) and over > 16 * EPS * blur(s, column):
            top, best, violation[0] = score, z, over
    for j in range(s.p):
        over = fabs(s.v[j] - (s.up[j] - s.down[j]) / 2) - (s.up[j] + s.down[j]) / 2
        if over * over > top * (1 + TIE) and over > NEARLY * (s.up[j] + s.down[j]):
            if s.sign[j] == 0 and certain(s, j, over):
                top, best, violation[0] = over * over, s.k + j, over
    return best


cdef void direction(Corner* s, Py_ssize_t which) noexcept nogil:
    # d, and q = the rate at which r falls
    cdef Py_ssize_t a, z, j = which - s.k
    cdef double way
    memset(s.q, 0, s.n * sizeof(double))
    if j < 0:
        way = 1 if s.psi_zero[which] > s.right[s.zero[which]] else -1
        for a in range(s.k):
            s.d[a] = -way * s.inverse[a + which * s.cap]
    else:
        way = 1 if s.v[j] > s.up[j] else -1
        for z in range(s.k):
            s.x[z] = -way * s.rows[s.zero[z] * s.p + j]
        inverse_times(s, s.x, s.d)
        axpy(s.n, way, s.Z + j * s.n, s.q)
    for a in range(s.k):
        axpy(s.n, s.d[a], s.Z + s.some[a] * s.n, s.q)


cdef Py_ssize_t search(Corner* s, Py_ssize_t which, double violation) noexcept nogil:
    # Long step: s.kinks[:p] are passed, s.kinks[p].row (n + a for coefficient a) stops. -1: unbounded.
    cdef Py_ssize_t a, i, j, stop, count = 0
    cdef double tiny = 0, total = 0, rate
    direction(s, which)
    for i in range(s.n):
        tiny = max(tiny, fabs(s.q[i]))
    tiny *= STANDING
    for i in range(s.n):
        rate = s.side[i] * s.q[i]
        if rate > tiny and s.left[i] + s.right[i] > 0:
            s.kinks[count].t = max(s.side[i] * s.r[i], 0) / rate
            s.kinks[count].jump = (s.left[i] + s.right[i]) * rate
            s.kinks[count].row = i
            total += s.kinks[count].jump
            count += 1
    tiny = 0
    for a in range(s.k):
        tiny = max(tiny, fabs(s.d[a]))
    tiny *= STANDING
    for a in range(s.k):
        j = s.some[a]
        rate = -s.sign[j] * s.d[a]
        if rate > tiny and s.up[j] + s.down[j] > 0:
            s.kinks[count].t = max(s.sign[j] * s.b[j], 0) / rate
            s.kinks[count].jump = (s.up[j] + s.down[j]) * rate
            s.kinks[count].row = s.n + a
            total += s.kinks[count].jump
            count += 1
    stop = crossing(s.kinks, count, TIE * total - violation)
    if stop < count:
        return stop
    if count == 0 or total < violation * (1 - 1e-9):
        return -1
    for i in range(count):  # flat beyond the last kink, up to rounding
        if s.kinks[i].t > s.kinks[count - 1].t:
            swap(s.kinks, i, count - 1)
    return count - 1


cdef void pass_kinks(Corner* s, Py_ssize_t stop) noexcept nogil:
    cdef Py_ssize_t e, i
    for e in range(stop):
        i = s.kinks[e].row
        if i >= s.n:
            s.sign[s.some[i - s.n]] *= -1
        else:
            axpy(s.p, -s.side[i] * (s.left[i] + s.right[i]), s.rows + i * s.p, s.g)
            s.side[i] = -s.side[i]
            s.psi[i] = psi_of(s, i)


cdef void leave_zero(Corner* s, Py_ssize_t i, signed char side, double t) noexcept nogil:
    s.side[i] = side
    s.psi[i] = psi_of(s, i)
    s.r[i] = side * t
    axpy(s.p, s.psi[i], s.rows + i * s.p, s.g)


cdef void reach_zero(Corner* s, Py_ssize_t i) noexcept nogil:
    axpy(s.p, -s.psi[i], s.rows + i * s.p, s.g)
    s.side[i] = 0
    s.psi[i] = 0
    s.r[i] = 0


cdef void pivot(Corner* s, Py_ssize_t which, Py_ssize_t stop) noexcept nogil:
    # Along d to the kink that stops: what was there leaves zero, what stops becomes zero.
    cdef Py_ssize_t a, i = s.kinks[stop].row, j = which - s.k, out = -1
    cdef signed char way
    cdef double t = s.kinks[stop].t
    pass_kinks(s, stop)
    axpy(s.n, -t, s.q, s.r)
    for a in range(s.k):
        s.b[s.some[a]] += t * s.d[a]
    if i >= s.n:
        out = i - s.n
        s.stalls += t * fabs(s.d[out]) <= s.rounding
        s.b[s.some[out]], s.sign[s.some[out]] = 0, 0
    else:
        s.stalls += t * fabs(s.q[i]) <= rounding(s, i)
        reach_zero(s, i)
    if j < 0:
        way = 1 if s.psi_zero[which] > s.right[s.zero[which]] else -1
        leave_zero(s, s.zero[which], way, t)
        if out < 0:
            swap_row(s, which, i)
        else:
            shrink(s, which, out)
    else:
        way = 1 if s.v[j] > s.up[j] else -1
        s.b[j], s.sign[j] = way * t, way
        if out < 0:
            grow(s, i, j)
        else:
            swap_coefficient(s, out, j)
    s.fresh += 1


cdef void jitter(Corner* s) noexcept nogil:
    # Ties broken by up to 1e-7 of the median nonzero residual, the same on every run.
    cdef double scale
    cdef Py_ssize_t i, count = 0, _i
    for i in range(s.n):
        if fabs(s.r[i]) > rounding(s, i):
            s.kinks[count].t = fabs(s.r[i])
            s.kinks[count].jump = 1
            count += 1
    scale = median(s.kinks, count)
    if count == 0:
        scale = s.rounding / (256 * EPS) if s.rounding > 0 else 1
    scale *= 2e-7
    for _i in range(s.jitters):
        scale /= 30
    s.jitters += 1
    s.jittered = True
    s.stalls = 0
    for i in range(s.n):
        s.y_now[i] = s.y[i] + scale * scatter(i, s.jitters)


cdef bint settle(Corner* s) noexcept nogil:
    # Back to the true y, everything fresh; a singular basis is given up for the empty one.
    cdef Py_ssize_t i
    for i in range(s.n):
        s.y_now[i] = s.y[i]
    s.jittered = False
    s.stalls = 0
    return refactor(s)


cdef int minimise(Corner* s, Py_ssize_t max_pivots, Py_ssize_t* count) noexcept nogil:
    cdef Py_ssize_t which, stop, restarts = 0
    cdef double violation = 0
    cdef bint sound = settle(s)
    while True:
        if not sound:
            if restarts == RESTARTS:
                return DEFICIENT
            restarts += 1
            clear(s)
            sound = refactor(s)
            continue
        which = price(s, &violation)
        stop = search(s, which, violation) if which >= 0 and count[0] < max_pivots else -1
        if stop < 0:
            if s.fresh > 0 or s.jittered:  # never conclude from worn or false numbers
                sound = settle(s)
            elif which >= 0:
                return UNBOUNDED if count[0] < max_pivots else PIVOT_CAP
            else:
                return OPTIMAL
            continue
        pivot(s, which, stop)
        count[0] += 1
        if count[0] % LISTEN == 0 and interrupted():
            return PENDING
        if s.stalls >= STALLS and s.jitters < JITTERS:
            jitter(s)
            s.fresh = REFACTOR
        if s.fresh >= REFACTOR:
            sound = refactor(s)


cdef void finish(Corner* s) noexcept nogil:
    # psi on the corner's rows, refined once so that v = slope on A to rounding, and inside its box.
    cdef Py_ssize_t a, i, z, _step
    for _step in range(2):
        for a in range(s.k):
            s.h[a] = s.c[s.some[a]] + slope_of(s, s.some[a]) - dot(s.n, s.Z + s.some[a] * s.n, s.psi)
        inverse_transposed_times(s, s.h, s.psi_zero)
        for z in range(s.k):
            s.psi[s.zero[z]] += s.psi_zero[z]
    for z in range(s.k):
        i = s.zero[z]
        s.psi[i] = clip(s.psi[i], -s.left[i], s.right[i])


def corner(const double[:, ::1] Z not None, const double[:, ::1] rows not None, const double[::1] y not None,
           const double[::1] left not None, const double[::1] right not None, const double[::1] down not None,
           const double[::1] up not None, const double[::1] c not None, double[::1] b not None,
           int64_t[::1] zero not None, int64_t[::1] some not None, Py_ssize_t k, double[::1] psi not None,
           Py_ssize_t max_pivots):
    """Exact minimiser of the function above.

    Z is p x n with entries of size 1, rows its transpose; the slopes are finite. On entry
    zero[:k] and some[:k] name the rows and the coefficients of the corner to start from; k = 0 will do. On exit they
    name those of the last corner, of min(n, p) at most, b its coefficients, and psi (n,) is the dual point.

    Returns (status, pivots, k). Status 0: optimal; 1: max_pivots reached, psi is not feasible; 2: unbounded below;
    3: nothing but singular corners.
    """
    cdef Corner s
    cdef Py_ssize_t p = Z.shape[0], n = Z.shape[1], cap = min(n, p), numbers, pivots = 0, i
    cdef int status
    cdef char* memory
    if n == 0 or p == 0:
        raise ValueError("Z must have at least one row and one column")
    s.n, s.p, s.k, s.cap = n, p, k, cap
    numbers = needs(&s)
    memory = <char*>malloc(numbers * sizeof(double) + (n + cap) * sizeof(Kink) + cap * sizeof(blas_int) + n + p)
    if memory is NULL:
        raise MemoryError()
    s.Z, s.rows, s.y, s.left, s.right, s.c = &Z[0, 0], &rows[0, 0], &y[0], &left[0], &right[0], &c[0]
    s.down, s.up = &down[0], &up[0]
    s.b, s.psi, s.zero, s.some = &b[0], &psi[0], &zero[0], &some[0]
    s.jitters = s.fresh = s.stalls = 0
    s.rounding = 0
    with nogil:
        lay_out(&s, <double*>memory)
        s.kinks = <Kink*>(memory + numbers * sizeof(double))
        s.pivots = <blas_int*>(s.kinks + n + cap)
        s.side = <signed char*>(s.pivots + cap)
        s.sign = s.side + n
        memset(s.side, 1, n)
        memset(s.sign, 0, p)
        for i in range(k):
            s.side[s.zero[i]] = 0
        measure(&s)
        status = minimise(&s, max_pivots, &pivots)
        if status != PENDING:
            finish(&s)
        free(memory)
    if status == PENDING:
        raise_pending()
    return status, pivots, s.k
