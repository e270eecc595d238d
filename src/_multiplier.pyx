"""Exact minimiser of a piecewise linear function with a diagonal quadratic term.

minimise over b in R^k   sum_i [ right_i (y_i - z_i'b)_+ + left_i (z_i'b - y_i)_+ ] + c'b + 1/2 b'diag(d)b

Proximal method of multipliers (Rockafellar, 1976). Each round smooths the kinks around the psi of
the round before, psi_i(b) = clip(centre_i + width_i r_i / gam, -left_i, right_i), width = left + right,
and solves Z'psi(b) = c + d b by Newton's method (_smooth.pyx). The rounds converge for any gam; a
smaller one converges in fewer rounds of more Newton steps. After each round the rows inside are
tried as the set of zero residuals (_face.pyx), which ends it exactly.
"""
include "_blas_int.pxi"

from libc.math cimport fabs, isinf, sqrt
from libc.stdlib cimport calloc, free
from scipy.linalg.cython_blas cimport dgemv
from scipy.linalg.cython_lapack cimport dgelsy

from l1l2fast._face cimport BLOCK, Face, finish, rounding, transposed
from l1l2fast._lines cimport Kink, median
from l1l2fast._scalar cimport clip
from l1l2fast._signals cimport raise_pending
from l1l2fast._smooth cimport NEWTONS, RUNAWAY, newton, refresh, slope
from l1l2fast._vertex cimport column_noise

cdef enum:
    EXACT = 0, ROUND_CAP = 1, UNBOUNDED = 2, PENDING = 5

cdef double EPS = 2.220446049250313e-16


cdef void measure(Face* s) noexcept nogil:
    # Widths, tolerances, thin columns, and psi put into its box.
    cdef Py_ssize_t i
    cdef double widest = 0, loudest = 0, steep
    for i in range(2 * s.m):
        steep = s.left[i] if i < s.m else s.right[i - s.m]
        if not isinf(steep):
            widest = max(widest, steep)
    column_noise(s.m, s.k, s.Z, s.left, s.right, s.c, s.noise)
    s.steepest, s.thin = 0, 0
    for i in range(s.k):
        loudest = max(loudest, s.noise[i])
        s.steepest = max(s.steepest, s.d[i])
    if s.steepest == 0:
        s.steepest = loudest if loudest > 0 else 1
    s.reach = loudest / s.steepest if loudest > 0 else 1
    for i in range(s.k):
        s.inverse_root[i] = sqrt(s.steepest / s.d[i]) if s.d[i] >= 1e-6 * s.steepest else 0
        if not s.d[i] >= 1e-6 * s.steepest:
            s.bordered[s.thin] = <blas_int>i
            s.thin += 1
    for i in range(s.m):
        s.width[i] = s.left[i] + s.right[i]
        if isinf(s.width[i]):
            s.width[i] = widest if widest > 0 else 1
        s.psi[i] = clip(s.psi[i], -s.left[i], s.right[i])
        s.centre[i] = s.psi[i]


cdef void set_prox(Face* s) noexcept nogil:
    # A little curvature for columns without their own: no step runs away along what rows and d leave free.
    cdef Py_ssize_t i
    cdef double mean = 0
    for i in range(s.m):
        mean += s.width[i] / s.gam / s.m
    for i in range(s.k):
        s.prox[i] = max(1e-10 * mean - s.d[i], 0)
    anchor(s)


cdef void anchor(Face* s) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(s.k):
        s.anchor[i] = s.b[i]


cdef bint recedes(Face* s, double share) noexcept nogil:
    # Does the function fall for ever along the part of b - share anchor where d = 0? A diverging b points there.
    cdef blas_int one = 1
    cdef double alpha = 1, beta = 0, fall = 0, size, rise, tiny = 0
    cdef Py_ssize_t i
    for i in range(s.k):
        s.step[i] = 0 if s.d[i] > 0 else s.b[i] - share * s.anchor[i]
        tiny = max(tiny, 1e-9 * fabs(s.step[i]))
        fall += s.c[i] * s.step[i]
    size = fabs(fall)
    dgemv('T', &s.k, &s.m, &alpha, <double*>s.Z, &s.k, s.step, &one, &beta, s.q, &one)
    for i in range(s.m):
        if fabs(s.q[i]) <= tiny:
            continue  # rounding must not meet an infinite slope
        rise = (s.left[i] if s.q[i] > 0 else s.right[i]) * fabs(s.q[i])
        fall += rise
        size += rise
    return fall < -1e-9 * size


cdef double gap(Face* s) noexcept nogil:
    # sum_i rho_i(r_i) - psi_i r_i, each term >= 0: the duality gap when Z'psi = c + d b.
    cdef Py_ssize_t i
    cdef double total = 0, bound
    for i in range(s.m):
        bound = s.right[i] if s.r[i] > 0 else -s.left[i]
        if s.psi[i] != bound and fabs(s.r[i]) > rounding(s, i):
            total += (bound - s.psi[i]) * s.r[i]
    return total


cdef double typical(Face* s, const double* x) noexcept nogil:
    # The median of |x_i| over the rows that cost something and where x_i is not zero.
    cdef Py_ssize_t i, n = 0
    for i in range(s.m):
        if s.width[i] > 0 and fabs(x[i]) > s.zero:
            s.kinks[n].t = fabs(x[i])
            s.kinks[n].jump = 1
            n += 1
    return median(s.kinks, n)


cdef void set_scales(Face* s) noexcept nogil:
    # The first residuals and the first band: medians, for outliers and far bounds say nothing.
    s.zero = 0
    s.least_zero = 256 * EPS * typical(s, s.y) + 1e-300
    refresh(s)
    s.gam = max(0.25 * typical(s, s.r), 1e6 * s.zero)
    if s.gam < 1e-290:  # y = 0 and b = 0: then c and d alone say how large b may become
        s.gam = s.reach


cdef bint loose(Face* s, Py_ssize_t i) noexcept nogil:
    return -s.left[i] < s.psi[i] < s.right[i]


cdef bint warm(Face* s) noexcept nogil:
    # Does the psi that was given say which rows have no residual?
    cdef Py_ssize_t i, n = 0
    cdef bint given = False
    for i in range(s.m):
        s.inside[i] = s.width[i] > 0 and loose(s, i)
        n += s.inside[i]
        given |= s.psi[i] != 0
    return given and n > 0


cdef int minimise(Face* s, Py_ssize_t max_rounds, Py_ssize_t* newtons) noexcept nogil:
    cdef Py_ssize_t i, count, n_inside = 0, wait = 0, _round
    cdef bint settled = False
    cdef double least
    set_scales(s)
    least = 1e-9 * s.gam
    set_prox(s)
    if warm(s) and finish(s):
        return EXACT
    for _round in range(max_rounds):
        count = newton(s, n_inside > 3 * s.k or _round == 0, &settled, &n_inside)
        if count < 0:
            return UNBOUNDED if count == RUNAWAY else PENDING
        newtons[0] += count
        if finish(s):
            return EXACT
        for i in range(s.m):
            s.centre[i] = s.psi[i]
        if (count == NEWTONS or _round % 4 == 3) and (recedes(s, 0) or recedes(s, 1)):
            return UNBOUNDED
        anchor(s)
        if settled and gap(s) <= 0 and slope(s) <= 64:
            return EXACT
        wait -= 1
        if count == NEWTONS:
            s.gam *= 4
            wait = 4
        elif wait <= 0 and s.gam > least:
            s.gam *= 0.25
    return ROUND_CAP


cdef bint balance(Face* s) noexcept nogil:
    # What rounding left of Z'psi = c in the columns without curvature is taken up by the psi that can move: their
    # shortest step. False: no memory.
    cdef blas_int q = 0, n = 0, one = 1, rank, info, length, lead
    cdef Py_ssize_t i, j
    cdef double least, size
    cdef bint off = False
    cdef double* A
    cdef double* step
    cdef blas_int* free_choice
    transposed(s, s.psi, s.g)
    for j in range(s.k):
        if s.d[j] == 0:
            s.bordered[q] = <blas_int>j
            s.gradient[q] = s.c[j] - s.g[j]
            q += 1
            size = fabs(s.c[j])
            for i in range(s.m):
                size += fabs(s.psi[i] * s.Z[i * s.k + j])
            off |= fabs(s.gradient[q - 1]) > 2 * EPS * size
    for i in range(s.m):
        n += loose(s, i)
    if not off or n == 0:
        return True
    lead, least, length = max(q, n), EPS * max(q, n), 2 * q + 64 * (n + 1) + n
    A = <double*>calloc((<size_t>q * n + lead + length) * sizeof(double) + n * sizeof(blas_int), 1)
    if A is NULL:
        return False
    step = A + <size_t>q * n
    free_choice = <blas_int*>(step + lead + length)
    for j in range(q):
        step[j] = s.gradient[j]
    n = 0
    for i in range(s.m):
        if loose(s, i):
            for j in range(q):
                A[n * q + j] = s.Z[i * s.k + s.bordered[j]]
            n += 1
    dgelsy(&q, &n, &one, A, &q, step, &lead, free_choice, &least, &rank, step + lead, &length, &info)
    n = 0
    for i in range(s.m):
        if loose(s, i):
            s.psi[i] = clip(s.psi[i] + step[n], -s.left[i], s.right[i])
            n += 1
    free(A)
    return True


cdef char* lay_out(Face* s) noexcept nogil:
    # One block for all of it; NULL if there is no memory.
    cdef Py_ssize_t m = s.m, k = s.k, order = s.most + s.k
    cdef Py_ssize_t numbers = 6 * m + 2 * k * k + (BLOCK + s.most + 10) * k + order * (order + 1) + s.most * s.most
    cdef char* memory = <char*>calloc(numbers * sizeof(double) + 2 * m * sizeof(Kink) +
                                      (s.most + m + k + order) * sizeof(blas_int) + 3 * m, 1)
    if memory is NULL:
        return NULL
    s.width = <double*>memory
    s.r = s.width + m
    s.q = s.r + m
    s.centre = s.q + m
    s.shifted = s.centre + m
    s.psi_try = s.shifted + m
    s.gram = s.psi_try + m
    s.hessian = s.gram + k * k
    s.block = s.hessian + k * k
    s.scaled = s.block + BLOCK * k
    s.products = s.scaled + s.most * k
    s.gradient = s.products + s.most * s.most
    s.step = s.gradient + k
    s.b_try = s.step + k
    s.g = s.b_try + k
    s.prox = s.g + k
    s.anchor = s.prox + k
    s.noise = s.anchor + k
    s.inverse_root = s.noise + k
    s.size = s.inverse_root + k
    s.rhs = s.size + k
    s.kkt = s.rhs + order
    s.kinks = <Kink*>(memory + numbers * sizeof(double))
    s.rows = <blas_int*>(s.kinks + 2 * m)
    s.place = s.rows + s.most
    s.bordered = s.place + m
    s.pivots = s.bordered + k
    s.inside = <signed char*>(s.pivots + order)
    s.counted = s.inside + m
    s.chosen = s.counted + m
    return memory


def multiplier(const double[:, ::1] Z not None, const double[::1] y not None, const double[::1] left not None,
               const double[::1] right not None, const double[::1] c not None, const double[::1] d not None,
               double[::1] b not None, double[::1] psi not None, Py_ssize_t max_rounds):
    """Exact minimiser of sum_i right_i (y_i - z_i'b)_+ + left_i (z_i'b - y_i)_+ + c'b + 1/2 b'diag(d)b.

    Z is m x k with entries of size 1, left and right are >= 0 and may be inf, d >= 0 is not zero.
    On entry b and psi are guesses. On exit psi (m,) is the dual point: -left <= psi <= right, and
    Z'psi = c + d b to rounding if status is 0.

    Returns (status, newton_steps). Status 0: optimal to rounding; 1: max_rounds reached;
    2: unbounded below.
    """
    cdef Face s
    cdef Py_ssize_t m = Z.shape[0], k = Z.shape[1], newtons = 0
    cdef int status
    cdef bint balanced
    cdef char* memory
    if m == 0 or k == 0:
        raise ValueError("Z must have at least one row and one column")
    s.m, s.k, s.most = <blas_int>m, <blas_int>k, <blas_int>min(m, k + 10)
    s.Z, s.y, s.left, s.right, s.c, s.d = &Z[0, 0], &y[0], &left[0], &right[0], &c[0], &d[0]
    s.b, s.psi = &b[0], &psi[0]
    s.n_counted, s.n_scaled = 0, 0
    memory = lay_out(&s)
    if memory is NULL:
        raise MemoryError()
    with nogil:
        measure(&s)
        status = minimise(&s, max_rounds, &newtons)
        balanced = balance(&s)
        free(memory)
    if status == PENDING:
        raise_pending()
    if not balanced:
        raise MemoryError()
    return status, newtons
