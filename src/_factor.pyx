"""A Cholesky factor that follows its set of columns.

From one strength of the penalty to the next, a few columns of hundreds enter or leave the support.
A row of L that leaves is rotated away, O(m^2); rows that come are solved for, O(m^2) each and all
in one go (Golub and Van Loan, Matrix Computations, 6.5). Afresh it would be O(m^3).

A penalty's curvature on the diagonal changes with its strength. A factor of nearly the same diagonal stays: each step
that is solved with it leaves of the error no more than the part by which they differ.
"""
from libc.math cimport fabs, sqrt
from libc.string cimport memcpy

from l1l2fast._blas cimport cholesky, forward, syrk

cdef enum:
    # changes as a part of the columns beyond which the factor is computed afresh, and how many rounding allows
    PART = 6
    MOST = 300

# The part by which a diagonal may differ from that of the factor.
cdef double ALIKE = 0.2


cdef Py_ssize_t difference(Factor *f, const Py_ssize_t *which, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t c, stay = 0
    for c in range(f.ld):
        f.mark[c] = 0
    for c in range(f.count):
        f.mark[f.order[c]] = 1
    for c in range(count):
        stay += f.mark[which[c]]
    return f.count + count - 2 * stay


cdef bint regular(Py_ssize_t count, const double *L, Py_ssize_t ldl, const double *G, Py_ssize_t ld,
                  const Py_ssize_t *order) noexcept nogil:
    cdef Py_ssize_t c
    for c in range(count):
        # what is left of a column beside those before it: less than that is rounding
        if L[c * ldl + c] * L[c * ldl + c] < 1e-14 * G[order[c] * ld + order[c]]:
            return False
    return True


cdef void rotate_four(double *row, Py_ssize_t ld, Py_ssize_t lo, Py_ssize_t hi, const double *cosine,
                      const double *sine, double *x) noexcept nogil:
    # `rotate` for four rows side by side: each of them alone would wait for its last product
    cdef Py_ssize_t e
    cdef double x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3], y0, y1, y2, y3, c, s
    cdef double *row1 = row + ld
    cdef double *row2 = row1 + ld
    cdef double *row3 = row2 + ld
    cdef const double *row4 = row3 + ld
    for e in range(lo, hi):
        c, s = cosine[e], sine[e]
        y0, y1, y2, y3 = row1[e + 1], row2[e + 1], row3[e + 1], row4[e + 1]
        row[e], row1[e], row2[e], row3[e] = c * x0 + s * y0, c * x1 + s * y1, c * x2 + s * y2, c * x3 + s * y3
        x0, x1, x2, x3 = c * y0 - s * x0, c * y1 - s * x1, c * y2 - s * x2, c * y3 - s * x3
    x[0], x[1], x[2], x[3] = x0, x1, x2, x3


cdef void rotate(double *row, Py_ssize_t ld, Py_ssize_t lo, Py_ssize_t hi, const double *cosine, const double *sine,
                 double *x) noexcept nogil:
    # entries lo..hi of a row from those of the next one, x being the entry that is on its way
    cdef Py_ssize_t e
    cdef double y
    cdef const double *below = row + ld
    for e in range(lo, hi):
        y = below[e + 1]
        row[e] = cosine[e] * x[0] + sine[e] * y
        x[0] = cosine[e] * y - sine[e] * x[0]


cdef void remove_row(Factor *f, Py_ssize_t i) noexcept nogil:
    # the rows below move up, and rotations of neighbouring columns make them triangular again
    cdef Py_ssize_t r = i, c, rows
    cdef double y
    cdef double[4] x
    cdef double *cosine = f.turn
    cdef double *sine = f.turn + f.ld
    cdef double *row
    while r < f.count - 1:
        rows = min(4, f.count - 1 - r)
        row = f.L + r * f.ld
        for c in range(rows):
            memcpy(row + c * f.ld, row + (c + 1) * f.ld, i * sizeof(double))
            x[c] = row[(c + 1) * f.ld + i]
        if rows == 4:
            rotate_four(row, f.ld, i, r, cosine, sine, x)
        for c in range(rows):
            rotate(row, f.ld, r if rows == 4 else i, r + c, cosine, sine, x + c)
            y = row[f.ld + r + c + 1]
            row[r + c] = sqrt(x[c] * x[c] + y * y)
            cosine[r + c], sine[r + c] = x[c] / row[r + c], y / row[r + c]
            f.order[r + c] = f.order[r + c + 1]
            row += f.ld
        r += rows
    f.count -= 1


cdef bint alike(const Factor *f, const double *bend, const Py_ssize_t *which, Py_ssize_t count) noexcept nogil:
    # may the factor stay for this diagonal? Where columns are marked, they are in it
    cdef Py_ssize_t c, j
    for c in range(count):
        j = which[c]
        if f.mark[j] and fabs(bend[j] - f.diagonal[j]) > ALIKE * min(bend[j], f.diagonal[j]):
            return False
    return True


cdef bint append_rows(Factor *f, const double *G, Py_ssize_t ld, const double *bend,
                      Py_ssize_t count) noexcept nogil:
    # order[f.count..count) are the new columns; their rows of L solve L z = G_A,new, their corner is what is left
    cdef Py_ssize_t m = f.count, more = count - f.count, c, e
    cdef double *row
    cdef const double *source
    for c in range(m, count):
        row, source = f.L + c * f.ld, G + f.order[c] * ld
        for e in range(c + 1):
            row[e] = source[f.order[e]]
        f.diagonal[f.order[c]] = bend[f.order[c]]
        row[c] += bend[f.order[c]]
    if more > 0 and m > 0:
        forward(m, more, f.L, f.ld, f.L + m * f.ld, f.ld)
        syrk(more, m, -1.0, f.L + m * f.ld, f.ld, f.L + m * f.ld + m, f.ld)
    if more > 0 and cholesky(more, f.L + m * f.ld + m, f.ld) != 0:
        return False
    f.count = count
    return regular(count, f.L, f.ld, G, ld, f.order)


cdef bint follow(Factor *f, const double *G, Py_ssize_t ld, const double *bend, Py_ssize_t *which,
                 Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t c, changes = difference(f, which, count)
    f.changes += changes
    if f.count == 0 or changes * PART > count or f.changes > MOST or not alike(f, bend, which, count):
        f.count = f.changes = 0
    else:
        for c in range(f.ld):
            f.mark[c] = 0
        for c in range(count):
            f.mark[which[c]] = 1
        for c in range(f.count - 1, -1, -1):
            if not f.mark[f.order[c]]:
                remove_row(f, c)
    for c in range(f.count):
        f.mark[f.order[c]] = 2
    if f.count == 0:
        for c in range(f.ld):
            f.mark[c] = 0
    changes = f.count
    for c in range(count):
        if f.mark[which[c]] != 2:
            f.order[changes] = which[c]
            changes += 1
    if not append_rows(f, G, ld, bend, count):
        f.count = 0
        return False
    memcpy(which, f.order, count * sizeof(Py_ssize_t))
    return True
