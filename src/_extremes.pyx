"""How far linear functions reach over a polyhedron of few dimensions, by walking along its edges.

    P = { v : A v <= s },  s >= 0, so that v = 0 is in it;    lower_j, upper_j = min, max over P of C_j v

All slacks and all functions ride along in one dictionary (Chvatal, Linear Programming, 1983): row i of T says

    quantity_i = T[i, q] + sum_a T[i, a] n_a,     a = 0 .. q - 1

with q nonbasic quantities n_a, which are 0 where we stand. At a vertex these are slacks; a pivot exchanges one of
them with a basic slack. From the end of one function to that of the next it is a few pivots, if any.
"""
import numpy as np

from libc.math cimport INFINITY, fabs

from l1l2fast._signals cimport interrupted, raise_pending

cdef enum:
    DONE = 0, PIVOT_CAP = 1, SINGULAR = 2, PENDING = 3
    FREE = -1       # label of what is no slack: a coordinate of v
    REBUILD = 200   # pivots between two dictionaries from scratch
    STALLS = 6      # steps of length zero before Bland's rule takes over
    LISTEN = 32     # pivots between two looks at Ctrl-C

cdef double TINY = 1e-10  # rates below this, in units of the direction, are rounding
cdef double ZERO = 1e-9   # and slacks

cdef struct Dictionary:
    Py_ssize_t m, k, q      # slacks, functions, dimensions
    const double* A
    const double* s
    const double* C
    double* T               # (m + k + 1) x (q + 1): slacks, functions, and a function of the moment
    double* size            # q: how far everything moves along n_a
    double* most            # m: the largest value of each slack at the points counted
    double* total           # k: sum of the functions at the points counted
    Py_ssize_t* basic       # m: which slack a row holds
    Py_ssize_t* outside     # q: which slack a nonbasic is
    Py_ssize_t points       # counted
    Py_ssize_t pivots, fresh, stalls, cap


cdef void fill(Dictionary* s) noexcept nogil:
    cdef Py_ssize_t i, a, w = s.q + 1
    for i in range(s.m):
        for a in range(s.q):
            s.T[i * w + a] = -s.A[i * s.q + a]
        s.T[i * w + s.q] = s.s[i]
        s.basic[i] = i
    for i in range(s.k):
        for a in range(s.q):
            s.T[(s.m + i) * w + a] = s.C[i * s.q + a]
        s.T[(s.m + i) * w + s.q] = 0
    for a in range(w):
        s.T[(s.m + s.k) * w + a] = 0
    for a in range(s.q):
        s.outside[a] = FREE
    s.fresh = 0


cdef void pivot(Dictionary* s, Py_ssize_t row, Py_ssize_t a) noexcept nogil:
    # n_a becomes basic in `row`, whose slack becomes n_a.
    cdef Py_ssize_t i, c, w = s.q + 1, label = s.basic[row]
    cdef double* r = s.T + row * w
    cdef double* t
    cdef double f = 1 / r[a]
    r[a] = -1
    for c in range(w):
        r[c] *= -f
    for i in range(s.m + s.k + 1):
        t = s.T + i * w
        f = t[a]
        if i == row or f == 0 or i < s.m and s.basic[i] == FREE:
            continue
        t[a] = 0
        for c in range(w):
            t[c] += f * r[c]
    s.basic[row], s.outside[a] = s.outside[a], label
    s.fresh += 1


cdef void measure(Dictionary* s) noexcept nogil:
    # v itself is not among the rows, but what moves with it is.
    cdef Py_ssize_t i, a, w = s.q + 1
    for a in range(s.q):
        s.size[a] = 0
    for i in range(s.m, s.m + s.k):
        for a in range(s.q):
            s.size[a] = max(s.size[a], fabs(s.T[i * w + a]))


cdef Py_ssize_t leaving(Dictionary* s, Py_ssize_t a, double sign, bint bland, double* step) noexcept nogil:
    # The row whose slack ends the way along n_a; of those that do so together, the largest rate. -1: none.
    cdef Py_ssize_t i, w = s.q + 1, best = -1
    cdef double rate, value, first = INFINITY, steepest = 0
    for i in range(s.m):
        rate = -sign * s.T[i * w + a]
        if s.basic[i] != FREE and rate > TINY * s.size[a]:
            first = min(first, (max(s.T[i * w + s.q], 0) + 1e-3 * ZERO) / rate)
    for i in range(s.m):
        rate = -sign * s.T[i * w + a]
        if s.basic[i] != FREE and rate > TINY * s.size[a]:
            value = max(s.T[i * w + s.q], 0)
            if value <= first * rate and (s.basic[i] < s.basic[best] if bland and best >= 0 else rate > steepest):
                best, steepest, step[0] = i, rate, value / rate
    return best


cdef Py_ssize_t entering(Dictionary* s, Py_ssize_t row, double sign, bint bland) noexcept nogil:
    # The nonbasic slack whose increase brings the function furthest, -1 at its end.
    cdef Py_ssize_t a, best = -1
    cdef double rate, top = TINY
    for a in range(s.q):
        rate = sign * s.T[row * (s.q + 1) + a]
        if s.outside[a] == FREE or not rate > TINY * s.size[a]:
            continue
        if s.outside[a] < s.outside[best] if bland and best >= 0 else rate > top * s.size[a]:
            best, top = a, rate / s.size[a]
    return best


cdef void descend(Dictionary* s) noexcept nogil:
    # From v = 0 to a vertex; what stays FREE are lines within P.
    cdef Py_ssize_t a, row
    cdef double step
    measure(s)
    for a in range(s.q):
        row = leaving(s, a, 1, False, &step)
        if row < 0:
            row = leaving(s, a, -1, False, &step)
        if row >= 0:
            pivot(s, row, a)
            measure(s)


cdef bint rebuild(Dictionary* s, Py_ssize_t* labels) noexcept nogil:
    # The same vertex from the data: rounding has had REBUILD pivots to grow.
    cdef Py_ssize_t a, c, best, w = s.q + 1
    for a in range(s.q):
        labels[a] = s.outside[a]
    fill(s)
    for a in range(s.q):
        if labels[a] == FREE:
            continue
        best = -1
        for c in range(s.q):
            if s.outside[c] == FREE and (best < 0 or fabs(s.T[labels[a] * w + c]) > fabs(s.T[labels[a] * w + best])):
                best = c
        if best < 0 or s.T[labels[a] * w + best] == 0:
            return False
        pivot(s, labels[a], best)
    s.fresh = 0
    measure(s)
    return True


cdef void count(Dictionary* s) noexcept nogil:
    # This vertex is one of the points whose mean is the centre.
    cdef Py_ssize_t i, w = s.q + 1
    s.points += 1
    for i in range(s.k):
        s.total[i] += s.T[(s.m + i) * w + s.q]
    for i in range(s.m):
        if s.basic[i] != FREE:
            s.most[s.basic[i]] = max(s.most[s.basic[i]], s.T[i * w + s.q])


cdef void count_ray(Dictionary* s, Py_ssize_t a) noexcept nogil:
    # So is this vertex moved by one unit along a ray that never ends.
    cdef Py_ssize_t i, w = s.q + 1
    cdef double unit = 1 / s.size[a]
    count(s)
    for i in range(s.k):
        s.total[i] += unit * s.T[(s.m + i) * w + a]
    for i in range(s.m):
        if s.basic[i] != FREE and s.T[i * w + a] > TINY * s.size[a]:
            s.most[s.basic[i]] = INFINITY
    s.most[s.outside[a]] = INFINITY


cdef int climb(Dictionary* s, Py_ssize_t row, double sign, Py_ssize_t* labels, double* end) noexcept nogil:
    # The largest value of sign * (the function in that row), and the point that has it counted.
    cdef Py_ssize_t a, out
    cdef double step = 0
    s.stalls = 0
    while True:
        a = entering(s, row, sign, s.stalls > STALLS)
        if a < 0:
            end[0] = s.T[row * (s.q + 1) + s.q]
            count(s)
            return DONE
        out = leaving(s, a, 1, s.stalls > STALLS, &step)
        if out < 0:
            end[0] = sign * INFINITY
            count_ray(s, a)
            return DONE
        s.stalls = s.stalls + 1 if step * s.size[a] <= ZERO else 0
        pivot(s, out, a)
        measure(s)
        s.pivots += 1
        if s.pivots > s.cap:
            return PIVOT_CAP
        if s.pivots % LISTEN == 0 and interrupted():
            return PENDING
        if s.fresh > REBUILD and row < s.m + s.k and not rebuild(s, labels):
            return SINGULAR


cdef bint spread(Dictionary* s, Py_ssize_t row, double* low, double* high) noexcept nogil:
    # Does a line within P move this function? Then it has no ends.
    cdef Py_ssize_t a
    for a in range(s.q):
        if s.outside[a] == FREE and fabs(s.T[row * (s.q + 1) + a]) > TINY * s.size[a]:
            low[0], high[0] = -INFINITY, INFINITY
            return True
    return False


cdef int lift(Dictionary* s, Py_ssize_t* labels) noexcept nogil:
    # Raise the sum of those slacks that were zero at every point counted, until it is certain that they are always.
    cdef Py_ssize_t i, a, w = s.q + 1, row = s.m + s.k, zeros, before = s.m + 1
    cdef double end
    cdef int status
    while True:
        zeros = 0
        for a in range(w):
            s.T[row * w + a] = 0
        for i in range(s.m):
            if s.basic[i] != FREE and s.most[s.basic[i]] <= ZERO:
                zeros += 1
                for a in range(w):
                    s.T[row * w + a] += s.T[i * w + a]
        for a in range(s.q):
            if s.outside[a] != FREE and s.most[s.outside[a]] <= ZERO:
                zeros += 1
                s.T[row * w + a] += 1
        if zeros == 0 or zeros == before:
            return DONE
        before = zeros
        status = climb(s, row, 1, labels, &end)
        if status != DONE or end <= 2 * ZERO * zeros:
            return status


def extremes(const double[:, ::1] A not None, const double[::1] s not None, const double[:, ::1] C not None,
             Py_ssize_t max_pivots):
    """The ends of C_j v over A v <= s, where s >= 0 and rows of A and C have length 1, and a point inside.

    Returns (status, ends (2, k), centre (k,), tight (m,), pivots). Ends may be infinite; centre is C v at a
    v of the relative interior; tight says which of the m inequalities are equations throughout. Status 0: done;
    1: max_pivots reached; 2: the numbers are too close to singular.
    """
    cdef Dictionary d
    cdef Py_ssize_t j, m = A.shape[0], q = A.shape[1], k = C.shape[0]
    cdef int status = DONE, sign
    cdef double[::1] memory = np.zeros((m + k + 1) * (q + 1) + q + m + k)
    cdef Py_ssize_t[::1] labels = np.zeros(m + 2 * q + 1, dtype=np.intp)
    ends = np.zeros((2, k))
    cdef double[:, ::1] ends_ = ends
    if q == 0 or k == 0:
        raise ValueError("A and C must have at least one column, C at least one row")
    d.m, d.k, d.q, d.cap = m, k, q, max_pivots
    d.A, d.s, d.C = (&A[0, 0] if m else NULL), (&s[0] if m else NULL), &C[0, 0]
    d.T = &memory[0]
    d.size = d.T + (m + k + 1) * (q + 1)
    d.most = d.size + q
    d.total = d.most + m
    d.basic = &labels[0]
    d.outside = d.basic + m
    d.points = d.pivots = d.stalls = 0
    with nogil:
        fill(&d)
        descend(&d)
        for j in range(k):
            if status != DONE or spread(&d, m + j, &ends_[0, j], &ends_[1, j]):
                continue
            for sign in range(-1, 2, 2):
                if status == DONE:
                    status = climb(&d, m + j, sign, d.outside + q, &ends_[(sign + 1) // 2, j])
        if status == DONE and d.points == 0:
            count(&d)
        if status == DONE:
            status = lift(&d, d.outside + q)
    if status == PENDING:
        raise_pending()
    centre = np.array(<double[:k]>d.total) / max(d.points, 1)
    tight = np.array([d.most[j] <= ZERO for j in range(m)], dtype=bool)
    return status, ends, centre, tight, d.pivots
