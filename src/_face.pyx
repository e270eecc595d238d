"""Exact minimiser when the rows with zero residual are (nearly) known.

On the set A of those rows:  z_i'b = y_i  and  Z'psi = c + d b,  psi given off A. With corrections
(db, dpsi) and the columns of curvature eliminated this is

    [ S + e I    Z_F       ] [ dpsi / t ]     S = Z_E (D_E / t)^-1 Z_E',  t = max d,
    [ Z_F'    -D_F/t - e I ] [ db_F     ]     F: columns with d_j < 1e-6 t, E: the others

The small e keeps it nonsingular when rows of A are dependent (ties) or few; since only
corrections are solved for, repeating the step removes its trace from b and psi.
"""
from libc.math cimport fabs
from libc.string cimport memset
from scipy.linalg.cython_blas cimport dgemv

from l1l2fast._blas cimport axpy, cholesky, cholesky_solve, dot, gemm_nt, lu, lu_solve, syrk

cdef enum:
    REPAIRS = 12      # sets tried
    REFINEMENTS = 8
    FOREIGN = 6       # a set wrong about as many rows as it has, as columns, and this part of all is not repaired

cdef double EPS = 2.220446049250313e-16


cdef void residuals(Face* s, const double* b, double* out) noexcept nogil:
    cdef blas_int one = 1
    cdef double alpha = -1, beta = 1
    cdef Py_ssize_t i
    for i in range(s.m):
        out[i] = s.y[i]
    dgemv('T', &s.k, &s.m, &alpha, <double*>s.Z, &s.k, <double*>b, &one, &beta, out, &one)


cdef void transposed(Face* s, const double* psi, double* out) noexcept nogil:
    cdef blas_int one = 1
    cdef double alpha = 1, beta = 0
    dgemv('N', &s.k, &s.m, &alpha, <double*>s.Z, &s.k, <double*>psi, &one, &beta, out, &one)


cdef Py_ssize_t gather(Face* s) noexcept nogil:
    # The chosen rows, or -1 if too many; g = Z'psi_try off them.
    cdef Py_ssize_t i, n = 0
    for i in range(s.m):
        s.q[i] = 0 if s.chosen[i] else s.psi_try[i]
        if s.chosen[i]:
            if n == s.most:
                return -1
            s.rows[n] = <blas_int>i
            n += 1
    transposed(s, s.q, s.g)
    return n


cdef void multiply(Face* s, Py_ssize_t n) noexcept nogil:
    # The products of the set's rows, those kept that were made for a set before.
    cdef Py_ssize_t a, b, e, i, j, old, more = 0
    cdef const double* z
    for i in range(n):
        more += s.place[s.rows[i]] == 0
    if s.n_scaled + more > s.most:
        s.n_scaled = 0
        memset(s.place, 0, s.m * sizeof(blas_int))
    old = s.n_scaled
    for i in range(n):
        if s.place[s.rows[i]] == 0:
            z = s.Z + <Py_ssize_t>s.rows[i] * s.k
            for j in range(s.k):
                s.scaled[s.n_scaled * s.k + j] = z[j] * s.inverse_root[j]
            s.n_scaled += 1
            s.place[s.rows[i]] = <blas_int>s.n_scaled
    more = s.n_scaled - old
    if more > 0:
        for i in range(old, s.n_scaled):
            memset(s.products + i * s.most, 0, (i + 1) * sizeof(double))
        if old > 0:
            gemm_nt(more, old, s.k, s.scaled + old * s.k, s.k, s.scaled, s.k, s.products + old * s.most, s.most)
        syrk(more, s.k, 1.0, s.scaled + old * s.k, s.k, s.products + old * s.most + old, s.most)
    for i in range(n):
        a = s.place[s.rows[i]] - 1
        for j in range(i + 1):
            b = s.place[s.rows[j]] - 1
            e = max(a, b) * s.most + min(a, b)
            s.kkt[j + i * (n + s.thin)] = s.products[e]


cdef bint factor(Face* s, blas_int n) noexcept nogil:
    # The matrix above in s.kkt, and its LU; without bordered columns it is definite, and has a Cholesky factor.
    cdef blas_int order = n + s.thin
    cdef double shift = 1
    cdef Py_ssize_t i, j
    multiply(s, n)
    for i in range(n):
        shift = max(shift, s.kkt[i * (order + 1)])
    shift *= 1e-11
    for j in range(n):
        s.kkt[j * (order + 1)] += shift
    if s.thin == 0:
        return n == 0 or cholesky(n, s.kkt, n) == 0
    for j in range(n):
        for i in range(j):
            s.kkt[j + i * order] = s.kkt[i + j * order]
    for j in range(n, order):
        for i in range(n):
            s.kkt[i + j * order] = s.Z[<Py_ssize_t>s.rows[i] * s.k + s.bordered[j - n]]
            s.kkt[j + i * order] = s.kkt[i + j * order]
        for i in range(n, order):
            s.kkt[i + j * order] = 0
        s.kkt[j * (order + 1)] = -shift - s.d[s.bordered[j - n]] / s.steepest
    if order == 0:
        return True
    return lu(order, s.kkt, s.pivots) == 0


cdef void sizes(Face* s, Py_ssize_t n) noexcept nogil:
    # of the summands of the gradient
    cdef Py_ssize_t i, j
    cdef double psi
    cdef const double* z
    for j in range(s.k):
        s.size[j] = s.noise[j] + fabs(s.d[j] * s.b_try[j])
    for i in range(n):
        psi, z = fabs(s.psi_try[s.rows[i]]), s.Z + <Py_ssize_t>s.rows[i] * s.k
        for j in range(s.k):
            s.size[j] += psi * fabs(z[j])


cdef double defect(Face* s, Py_ssize_t n) noexcept nogil:
    # gradient = c + d b - Z'psi_try and rhs[:n] = y - z'b on the set; how far from zero, in tolerances.
    cdef Py_ssize_t i, j
    cdef double worst = 0
    cdef const double* z
    for j in range(s.k):
        s.gradient[j] = s.c[j] + s.d[j] * s.b_try[j] - s.g[j]
    for i in range(n):
        z = s.Z + <Py_ssize_t>s.rows[i] * s.k
        axpy(s.k, -s.psi_try[s.rows[i]], z, s.gradient)
        s.rhs[i] = s.y[s.rows[i]] - dot(s.k, z, s.b_try)
        worst = max(worst, fabs(s.rhs[i]) / rounding(s, s.rows[i]))
    for j in range(s.k):
        worst = max(worst, fabs(s.gradient[j]) / (64 * EPS * s.size[j] + 1e-300))
    return worst


cdef void correct(Face* s, blas_int n) noexcept nogil:
    # b_try and psi_try moved by one solve; rhs and gradient as left by `defect`.
    cdef blas_int order = n + s.thin
    cdef Py_ssize_t i, j
    cdef double* db = s.step
    for j in range(s.k):
        db[j] = s.gradient[j] / s.d[j] if s.d[j] >= 1e-6 * s.steepest else 0
    for i in range(n):
        s.rhs[i] += dot(s.k, s.Z + <Py_ssize_t>s.rows[i] * s.k, db)
    for j in range(s.thin):
        s.rhs[n + j] = s.gradient[s.bordered[j]] / s.steepest
    if order > 0 and s.thin == 0:
        cholesky_solve(order, s.kkt, order, s.rhs)
    elif order > 0:
        lu_solve(order, s.kkt, s.pivots, s.rhs)
    for j in range(s.k):
        s.gradient[j] = -s.gradient[j]
    for i in range(n):
        s.rhs[i] *= s.steepest
        s.psi_try[s.rows[i]] += s.rhs[i]
        axpy(s.k, s.rhs[i], s.Z + <Py_ssize_t>s.rows[i] * s.k, s.gradient)
    for j in range(s.k):
        if s.d[j] >= 1e-6 * s.steepest:
            s.b_try[j] += s.gradient[j] / s.d[j]
    for j in range(s.thin):
        s.b_try[s.bordered[j]] += s.rhs[n + j]


cdef Py_ssize_t repair(Face* s, Py_ssize_t n) noexcept nogil:
    # Rows whose psi left its box go, rows whose sign contradicts their psi come; how many did.
    cdef Py_ssize_t i, wrong = 0
    cdef double slip, psi
    residuals(s, s.b_try, s.q)
    for i in range(s.m):
        psi = s.psi_try[i]
        if s.chosen[i]:
            slip = 1e-12 * s.width[i]
            if psi > s.right[i]:
                s.psi_try[i] = s.right[i]
            elif psi < -s.left[i]:
                s.psi_try[i] = -s.left[i]
            if fabs(psi - s.psi_try[i]) > slip:
                s.chosen[i] = 0
                wrong += 1
        elif s.width[i] > 0 and fabs(s.q[i]) > rounding(s, i) and psi != (s.right[i] if s.q[i] > 0 else -s.left[i]):
            s.chosen[i] = 1
            wrong += 1
    return wrong


cdef void accept(Face* s) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(s.m):
        s.psi[i] = s.psi_try[i]
        s.r[i] = s.q[i]
        s.inside[i] = s.chosen[i]
    for i in range(s.k):
        s.b[i] = s.b_try[i]


cdef double refine(Face* s, blas_int n, int steps) noexcept nogil:
    # Solves on the set, at most `steps` times or until nothing is gained; what defect is left.
    cdef double before, now
    cdef int _step
    sizes(s, n)
    now = defect(s, n)
    for _step in range(steps):
        before = now
        correct(s, n)
        now = defect(s, n)
        if now <= 0.1 or now > 0.5 * before and _step > 0:
            break
    return now


cdef bint finish(Face* s) noexcept nogil:
    cdef Py_ssize_t i, n, wrong, fewest = s.m + 1, patience = 3, _set
    for i in range(s.m):
        s.chosen[i] = s.inside[i]
        s.psi_try[i] = s.psi[i]
    for i in range(s.k):
        s.b_try[i] = s.b[i]
    for _set in range(REPAIRS):
        n = gather(s)
        if n < 0 or patience == 0 or not factor(s, <blas_int>n):
            return False
        refine(s, <blas_int>n, 1)  # enough to see that a set is wrong
        wrong = repair(s, n)
        if wrong == 0:
            if not refine(s, <blas_int>n, REFINEMENTS) <= 1:
                return False
            wrong = repair(s, n)
        if wrong == 0:
            accept(s)
            return True
        if wrong >= max(n, s.k, s.m // FOREIGN):
            return False
        patience = 3 if wrong < fewest else patience - 1
        fewest = min(fewest, wrong)
    return False
