"""The linear system of a step of the interior point method (`_interior`).

    dpsi = g - q (Z'db),   Z dpsi = miss

Its matrix is Z diag(q) Z', k x k; or, with Z = [X, I], fewer rows than coefficients and most of these priced, what is
left for the psi of the rows of X:

    diag(1 / q) + sum over priced j of x_j x_j' / q_j,      bordered by the x_j of the coefficients without a price.

While that is good enough, products are made in single precision, and of rows that hardly count only the diagonal: what
is wrong with a step, the next one mends.
"""
from libc.math cimport isfinite, sqrt
from libc.string cimport memset

from l1l2fast._blas cimport axpy, cholesky, cholesky_solve, dot, gemv, gemv_t, single_syrk, single_syrk_t, syrk, syrk_t

# Columns that count for this part of the largest, and rows for this part of the mean, are left out of the matrix.
cdef double FAINT = 1e-8
cdef double FEEBLE = 1e-4
# What products in single precision may miss, as part of a diagonal entry; they are good enough down to this gap.
cdef double ROUGH = 1e-6

ctypedef fused real:
    float
    double


cdef void residuals(Saddle* t, const double* b, double* r) noexcept nogil:
    # r -= Z'b
    cdef Py_ssize_t j
    gemv_t(t.k, t.n, -1.0, t.Z, t.n, b, r)
    for j in range(t.m - t.n):
        r[t.n + j] -= b[j]


cdef void add_sums(Saddle* t, double a, const double* v, double* out) noexcept nogil:
    # out += a Z v
    cdef Py_ssize_t j
    gemv(t.k, t.n, a, t.Z, t.n, v, out)
    for j in range(t.m - t.n):
        out[j] += a * v[t.n + j]


cdef void begin_matrix(Saddle* t, Py_ssize_t size) noexcept nogil:
    memset(t.normal, 0, size * size * sizeof(double))
    if t.rough:
        memset(t.single, 0, size * size * sizeof(float))


cdef void end_products(Saddle* t, Py_ssize_t size) noexcept nogil:
    # from single precision to double, where the rest is added
    cdef Py_ssize_t i, j
    for i in range(size if t.rough else 0):
        for j in range(i + 1):
            t.normal[i * size + j] = t.single[i * size + j]
        t.normal[i * (size + 1)] *= 1 + ROUGH


cdef bint decomposed(Saddle* t, Py_ssize_t size) noexcept nogil:
    # Cholesky's factor, finite
    cdef Py_ssize_t i
    if cholesky(size, t.normal, size) != 0:
        return False
    for i in range(size):
        if not isfinite(t.normal[i * (size + 1)]):
            return False
    return True


cdef void pack(Saddle* t, Py_ssize_t size, real* block) noexcept nogil:
    # rows t.packed[:size] of Z', times t.root
    cdef Py_ssize_t i, j, first = t.packed[0]
    cdef bint all_between = t.packed[size - 1] - first == size - 1
    cdef const double* z
    for j in range(t.k):
        z = t.Z + j * t.n
        if all_between:
            for i in range(size):
                block[j * BLOCK + i] = <real>(t.root[i] * z[first + i])
        else:
            for i in range(size):
                block[j * BLOCK + i] = <real>(t.root[i] * z[t.packed[i]])


cdef void add_rows(Saddle* t, Py_ssize_t size) noexcept nogil:
    if size == 0:
        return
    if t.rough:
        pack(t, size, <float*>t.block)
        single_syrk(t.k, size, 1.0, <float*>t.block, BLOCK, t.single, t.k)
    else:
        pack(t, size, t.block)
        syrk(t.k, size, 1.0, t.block, BLOCK, t.normal, t.k)


cdef double add_strong(Saddle* t) noexcept nogil:
    # Z diag(q) Z' of the rows that count; returns the sum of the q of the others
    cdef Py_ssize_t i, size = 0
    cdef double least = 0, rest = 0
    for i in range(t.n):
        least += (FEEBLE if t.rough else FAINT) * t.q[i] / t.n
    for i in range(t.n):
        if t.q[i] < least:
            rest += t.q[i]
            continue
        t.root[size] = sqrt(t.q[i])
        t.packed[size] = i
        size += 1
        if size == BLOCK:
            add_rows(t, size)
            size = 0
    add_rows(t, size)
    return rest


cdef bint factor_tall(Saddle* t) noexcept nogil:
    # Z diag(q) Z'; of the rows that hardly count the diagonal
    cdef Py_ssize_t j
    cdef double top = 0, rest
    begin_matrix(t, t.k)
    rest = add_strong(t)
    end_products(t, t.k)
    for j in range(t.k):
        t.normal[j * (t.k + 1)] += rest * t.square[j]
    for j in range(t.m - t.n):
        t.normal[j * (t.k + 1)] += t.q[t.n + j]
    for j in range(t.k):
        top = max(top, t.normal[j * (t.k + 1)])
    for j in range(t.k):
        t.normal[j * (t.k + 1)] += 1e-13 * top
    return decomposed(t, t.k)


cdef bint factor_border(Saddle* t) noexcept nogil:
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


cdef void scale(Py_ssize_t n, double root, const double* z, real* out) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = <real>(root * z[i])


cdef void add_columns(Saddle* t, Py_ssize_t size) noexcept nogil:
    # x_j x_j' / q_j of the columns t.packed[:size]
    cdef Py_ssize_t e
    cdef const double* z
    for e in range(size):
        z = t.Z + t.packed[e] * t.n
        if t.rough:
            scale(t.n, t.root[e], z, <float*>t.block + e * t.n)
        else:
            scale(t.n, t.root[e], z, t.block + e * t.n)
    if size > 0 and t.rough:
        single_syrk_t(t.n, size, 1.0, <float*>t.block, t.n, t.single, t.n)
    elif size > 0:
        syrk_t(t.n, size, 1.0, t.block, t.n, t.normal, t.n)


cdef bint factor_wide(Saddle* t) noexcept nogil:
    cdef Py_ssize_t i, j, size = 0
    cdef double top = 0
    begin_matrix(t, t.n)
    for j in range(t.k):
        if counts(t, t.n + j):
            top = max(top, 1 / t.q[t.n + j])
    for j in range(t.k):
        if not counts(t, t.n + j) or 1 < FAINT * top * t.q[t.n + j]:
            continue
        t.root[size] = 1 / sqrt(t.q[t.n + j])
        t.packed[size] = j
        size += 1
        if size == BLOCK:
            add_columns(t, size)
            size = 0
    add_columns(t, size)
    end_products(t, t.n)
    for i in range(t.n):
        t.normal[i * (t.n + 1)] += 1 / t.q[i]
    return decomposed(t, t.n) and factor_border(t)


cdef bint factor(Saddle* t) noexcept nogil:
    # In single precision while it lasts: what is wrong with a step, the next one mends.
    cdef Py_ssize_t i
    for i in range(t.m):
        if counts(t, i):
            t.q[i] = 1 / (t.u[i] / t.s[i] + t.v[i] / t.a[i])
    if t.rough and (factor_wide(t) if t.wide else factor_tall(t)):
        return True
    t.rough = False
    return factor_wide(t) if t.wide else factor_tall(t)


cdef void solve_tall(Saddle* t) noexcept nogil:
    # db and dpsi of  dpsi = g - q (Z'db),  Z dpsi = miss
    cdef Py_ssize_t i, j
    for j in range(t.k):
        t.db[j] = -t.miss[j]
    add_sums(t, 1.0, t.g, t.db)
    cholesky_solve(t.k, t.normal, t.k, t.db)
    memset(t.dr, 0, t.m * sizeof(double))
    residuals(t, t.db, t.dr)
    for i in range(t.m):
        if counts(t, i):
            t.dpsi[i] = t.g[i] + t.q[i] * t.dr[i]


cdef void solve_wide(Saddle* t) noexcept nogil:
    # the same by way of dpsi
    cdef Py_ssize_t a, i, j, u
    for i in range(t.n):
        t.turned[i] = t.g[i] / t.q[i]
    for j in range(t.k):
        t.db[j] = (t.miss[j] - t.g[t.n + j]) / t.q[t.n + j] if counts(t, t.n + j) else 0
    gemv_t(t.k, t.n, 1.0, t.Z, t.n, t.db, t.turned)
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
        t.db[j] = t.miss[j]
    gemv(t.k, t.n, -1.0, t.Z, t.n, t.dpsi, t.db)
    for j in range(t.k):
        u = t.n + j
        if counts(t, u):
            t.dpsi[u] = t.db[j]
            t.db[j] = (t.g[u] - t.dpsi[u]) / t.q[u]
        else:
            t.db[j] = t.loose[a]
            a += 1


cdef void solve(Saddle* t) noexcept nogil:
    if t.wide:
        solve_wide(t)
    else:
        solve_tall(t)


cdef void measure(Saddle* t) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(t.k):
        t.square[j] = dot(t.n, t.Z + j * t.n, t.Z + j * t.n) / t.n


cdef Py_ssize_t needs(Saddle* t) noexcept nogil:
    # numbers that lay_out hands out
    cdef Py_ssize_t m = max(t.m, BLOCK), size = t.n if t.wide else t.k
    return 10 * m + 3 * t.k + (2 * size + BLOCK) * size + 2 * BLOCK + (2 * t.n + t.free + 1) * t.free + t.n


cdef void lay_out(Saddle* t, double* memory) noexcept nogil:
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
    t.dr = t.miss + t.k
    t.square = t.dr + m
    t.root = t.square + t.k
    t.packed = <Py_ssize_t*>(t.root + BLOCK)
    t.single = <float*>(t.root + 2 * BLOCK)
    t.normal = t.root + 2 * BLOCK + size * size
    t.block = t.normal + size * size
    t.border = t.block + BLOCK * size
    t.schur = t.border + 2 * t.n * t.free
    t.loose = t.schur + t.free * t.free
    t.turned = t.loose + t.free
