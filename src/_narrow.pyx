"""From a rough start to a narrow band: the kinks smoothed over ever fewer rows, by Newton's method.

minimise over b in R^k   sum_i [ right_i (y_i - z_i'b)_+ + left_i (z_i'b - y_i)_+ ] + c'b + 1/2 b'diag(d)b

Within gam / 2 of its kink each row is a parabola (Madsen and Nielsen, 1993; Chen, 2007), elsewhere a line: the
Hessian needs the rows inside alone. gam shrinks until they are few. The exact vertex is not sought here, for
with fewer rows inside than columns Newton's method wanders.

Z comes transposed, (k, m): everything but the k x k algebra runs along the rows.
"""
import numpy as np

from libc.math cimport fabs, sqrt
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from l1l2fast._blas cimport axpy, cholesky, cholesky_solve, dot, gemv, mirror, syrk
from l1l2fast._lines cimport Kink, median
from l1l2fast._scalar cimport scatter
from l1l2fast._signals cimport interrupted, raise_pending

cdef extern from "simd.h":
    void l1l2fast_box(Py_ssize_t n, const double *r, const double *width, const double *middle, const double *left,
                      const double *right, double *psi, signed char *inside) noexcept nogil
    double l1l2fast_box_slope(Py_ssize_t n, double t, const double *r, const double *q, const double *width,
                              const double *middle, const double *left, const double *right) noexcept nogil

cdef enum:
    DONE = 0, UNBOUNDED = 2, PENDING = 5
    STAGES = 40     # a quarter each
    NEWTONS = 15    # a stage
    TRIALS = 30     # a line search
    BLOCK = 256     # rows packed for syrk
    SAMPLE = 501    # residuals whose median is the first gam

cdef double EPS = 2.220446049250313e-16

cdef struct Smooth:
    Py_ssize_t m, k
    const double* Z         # k x m
    const double* y
    const double* left
    const double* right
    const double* c
    const double* d
    double* b
    double* psi
    double* r
    double* q               # rate at which r falls along `step`
    double* middle          # of the box of psi
    double* width           # of the box, over gam
    double* gram            # sum of (left + right)_i z_i z_i' over `counted`, lower triangle
    double* hessian
    double* gradient
    double* step
    double* block
    signed char* inside
    signed char* before     # the step before
    signed char* counted
    Py_ssize_t n_inside, n_counted
    double gam


cdef void residuals(Smooth* s) noexcept nogil:
    cdef Py_ssize_t i, j
    for i in range(s.m):
        s.r[i] = s.y[i]
    for j in range(s.k):
        axpy(s.m, -s.b[j], s.Z + j * s.m, s.r)


cdef double typical(Smooth* s) noexcept nogil:
    # The median |r| of some rows spread over all.
    cdef Kink kinks[SAMPLE]
    cdef Py_ssize_t e, i, n = 0, stride = 1 + s.m // SAMPLE
    for e in range((s.m + stride - 1) // stride):
        i = e * stride
        if s.left[i] + s.right[i] > 0:
            kinks[n].t, kinks[n].jump = fabs(s.r[i]), 1
            n += 1
    return median(kinks, n)


cdef void set_gam(Smooth* s, double gam) noexcept nogil:
    cdef Py_ssize_t i
    s.gam = gam
    for i in range(s.m):
        s.width[i] = (s.left[i] + s.right[i]) / gam


cdef Py_ssize_t project(Smooth* s) noexcept nogil:
    # psi and the gradient from r; how many rows went in or out since the last time.
    cdef Py_ssize_t i, j, changes = 0, n = 0
    cdef signed char *before = s.before
    s.before, s.inside = s.inside, before
    l1l2fast_box(s.m, s.r, s.width, s.middle, s.left, s.right, s.psi, s.inside)
    for i in range(s.m):
        changes += s.inside[i] != s.before[i]
        n += s.inside[i]
    s.n_inside = n
    for j in range(s.k):
        s.gradient[j] = s.c[j] + s.d[j] * s.b[j]
    gemv(s.k, s.m, -1.0, s.Z, s.m, s.psi, s.gradient)
    return changes


cdef void count_rows(Smooth* s, bint coming) noexcept nogil:
    # The rows that came in, or went out, into the Gram matrix.
    cdef Py_ssize_t i, j, packed = 0
    cdef double root
    for i in range(s.m):
        if s.inside[i] == s.counted[i] or s.inside[i] != coming:
            continue
        s.counted[i] = s.inside[i]
        root = sqrt(s.left[i] + s.right[i])
        for j in range(s.k):
            s.block[j * BLOCK + packed] = root * s.Z[j * s.m + i]
        packed += 1
        if packed == BLOCK:
            syrk(s.k, packed, 1.0 if coming else -1.0, s.block, BLOCK, s.gram, s.k)
            packed = 0
    if packed > 0:
        syrk(s.k, packed, 1.0 if coming else -1.0, s.block, BLOCK, s.gram, s.k)


cdef void update_gram(Smooth* s, Py_ssize_t changes) noexcept nogil:
    # By the rows that changed, or from nothing when those are many or subtraction has worn it.
    if changes > s.n_inside or 2 * s.n_inside < s.n_counted:
        memset(s.counted, 0, s.m)
        memset(s.gram, 0, s.k * s.k * sizeof(double))
        s.n_counted = s.n_inside
    else:
        count_rows(s, False)
    count_rows(s, True)


cdef void newton_direction(Smooth* s) noexcept nogil:
    # step = -hessian^-1 gradient, with a little curvature for what rows and d leave free, and more of
    # it where rounding made the matrix indefinite; the line search forgives a wrong length.
    cdef Py_ssize_t i, j, k = s.k
    cdef int _attempt
    cdef double top = 0, shift = 0
    for j in range(k):
        top = max(top, s.gram[j * (k + 1)] / s.gam + s.d[j])
    shift = 1e-12 * top if top > 0 else 1
    for _attempt in range(40):  # ends: the shift outgrows the matrix, unless that is not finite
        for i in range(k):
            for j in range(i + 1):
                s.hessian[i * k + j] = s.gram[i * k + j] / s.gam
            s.hessian[i * (k + 1)] += s.d[i] + shift
        if cholesky(k, s.hessian, k) == 0:
            break
        shift *= 100
    for j in range(k):
        s.step[j] = -s.gradient[j]
    cholesky_solve(k, s.hessian, k, s.step)


cdef double slope(Smooth* s, double t) noexcept nogil:
    # The derivative along step.
    cdef Py_ssize_t j
    cdef double total = -l1l2fast_box_slope(s.m, t, s.r, s.q, s.width, s.middle, s.left, s.right)
    for j in range(s.k):
        total += (s.c[j] + s.d[j] * (s.b[j] + t * s.step[j])) * s.step[j]
    return total


cdef double step_length(Smooth* s) noexcept nogil:
    # Where the derivative has nearly gone; -1 if it stays negative. It is piecewise linear: 1 will do near the
    # end, else a bracket and the Illinois rule.
    cdef Py_ssize_t j
    cdef double start = dot(s.k, s.gradient, s.step), low = 0, high = 1, f_low = start, f_high, t = 1, f
    cdef double enough = 0.1 * fabs(start)
    cdef int _trial, side = 0
    memset(s.q, 0, s.m * sizeof(double))
    for j in range(s.k):
        axpy(s.m, s.step[j], s.Z + j * s.m, s.q)
    f_high = slope(s, 1)
    while f_high < -enough:
        low, f_low = high, f_high
        high *= 4
        if high > 1e12:
            return -1
        f_high = slope(s, high)
    if f_high <= enough:
        return high
    for _trial in range(TRIALS):
        t = (low * f_high - high * f_low) / (f_high - f_low)
        f = slope(s, t)
        if fabs(f) <= enough:
            break
        if f < 0:
            low, f_low = t, f
            f_high *= 0.5 if side < 0 else 1.0
            side = -1
        else:
            high, f_high = t, f
            f_low *= 0.5 if side > 0 else 1.0
            side = 1
    return t


cdef int newton(Smooth* s, Py_ssize_t* newtons) noexcept nogil:
    # Steps until few rows still go in or out.
    cdef Py_ssize_t count, changes
    cdef double t
    for count in range(NEWTONS + 1):
        changes = project(s)
        if count == NEWTONS or count > 0 and 30 * changes <= s.n_inside + 30:
            return DONE
        if <double>s.m * s.k > 1e5 and interrupted():
            return PENDING
        update_gram(s, changes)
        newton_direction(s)
        t = step_length(s)
        if t < 0:
            return UNBOUNDED
        newtons[0] += 1
        axpy(s.k, t, s.step, s.b)
        axpy(s.m, -t, s.q, s.r)
    return DONE


cdef int shrink(Smooth* s, Py_ssize_t few, Py_ssize_t* newtons) noexcept nogil:
    cdef Py_ssize_t stage, before = s.m
    cdef bint first = s.gam == 0
    cdef int status
    cdef double least
    residuals(s)
    set_gam(s, 4 * typical(s) + 1e-300 if first else s.gam)
    least = 1e-9 * s.gam
    for stage in range(STAGES):
        status = newton(s, newtons)
        if status != DONE or s.n_inside <= few or s.gam <= least:
            return status
        if stage > 1 and 4 * s.n_inside > 3 * before:  # those are ties, and stay inside
            return status
        before = s.n_inside
        # the start may have been far off
        set_gam(s, min(0.25 * s.gam, typical(s)) if first else 0.25 * s.gam)
        first = False
    return DONE


cdef void lay_out(Smooth* s, double* memory) noexcept nogil:
    # 3 m + (2 k + BLOCK + 2) k numbers and 3 m bytes
    s.q = memory
    s.middle = s.q + s.m
    s.width = s.middle + s.m
    s.gram = s.width + s.m
    s.hessian = s.gram + s.k * s.k
    s.block = s.hessian + s.k * s.k
    s.gradient = s.block + BLOCK * s.k
    s.step = s.gradient + s.k
    s.inside = <signed char*>(s.step + s.k)
    s.before = s.inside + s.m
    s.counted = s.before + s.m


def narrow(const double[:, ::1] Z not None, const double[::1] y not None, const double[::1] left not None,
           const double[::1] right not None, const double[::1] c not None, const double[::1] d not None,
           double[::1] b not None, double[::1] psi not None, double[::1] r not None, double gam, Py_ssize_t few):
    """Moves b to the minimiser of the smoothed function, gam shrinking until `few` rows are inside.

    Z is k x m with entries of size 1; left, right are finite. gam = 0 leaves its first value to the residuals. On
    exit psi is the dual point of the smoothed function, -left <= psi <= right and Z psi about c + d b; r = y - Z'b.

    Returns (status, Newton steps, gam). Status 0: done; 2: unbounded below.
    """
    cdef Smooth s
    cdef Py_ssize_t k = Z.shape[0], m = Z.shape[1], newtons = 0, i
    cdef int status
    cdef double* memory
    if m == 0 or k == 0:
        raise ValueError("Z must have at least one row and one column")
    s.m, s.k = m, k
    s.Z, s.y, s.left, s.right, s.c, s.d = &Z[0, 0], &y[0], &left[0], &right[0], &c[0], &d[0]
    s.b, s.psi, s.r, s.gam = &b[0], &psi[0], &r[0], gam
    s.n_counted = 0
    memory = <double*>malloc((3 * m + (2 * k + BLOCK + 2) * k) * sizeof(double) + 3 * m)
    if memory is NULL:
        raise MemoryError()
    with nogil:
        lay_out(&s, memory)
        memset(s.inside, 0, 3 * m)
        memset(s.gram, 0, k * k * sizeof(double))
        for i in range(m):
            s.middle[i] = (s.right[i] - s.left[i]) / 2
        status = shrink(&s, few, &newtons)
        free(memory)
    if status == PENDING:
        raise_pending()
    return status, newtons, s.gam


def bends(const double[:, ::1] Z not None, const double[::1] left not None, const double[::1] right not None):
    """Sum of (left + right)_i z_i z_i' over the columns z_i of Z (k, m), and of left + right."""
    cdef Py_ssize_t tile, lo, hi, i, j, k = Z.shape[0], m = Z.shape[1]
    cdef double total = 0.0
    G = np.zeros((k, k))
    cdef double[:, ::1] G_ = G, block = np.empty((k, BLOCK))
    cdef double[::1] root = np.empty(BLOCK)
    with nogil:
        for tile in range((m + BLOCK - 1) // BLOCK):
            lo, hi = tile * BLOCK, min(tile * BLOCK + BLOCK, m)
            for i in range(lo, hi):
                root[i - lo] = sqrt(left[i] + right[i])
                total += left[i] + right[i]
            for j in range(k):
                for i in range(lo, hi):
                    block[j, i - lo] = root[i - lo] * Z[j, i]
            syrk(k, hi - lo, 1.0, &block[0, 0], BLOCK, &G_[0, 0], k)
        mirror(k, 0, &G_[0, 0], k)
    return G, total


def spread_rows(Py_ssize_t n, Py_ssize_t m):
    """One row of each of m stretches of the n: data may come in an order."""
    cdef Py_ssize_t i
    rows = np.empty(m, dtype=np.intp)
    cdef Py_ssize_t[::1] rows_ = rows
    for i in range(m):
        rows_[i] = <Py_ssize_t>((i + 0.5 + scatter(i, m)) * (<double>n / m))
    return rows
