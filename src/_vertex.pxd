# A vertex of a piecewise linear function: k independent rows with zero residual, and all that hangs on them.
#
# f(b) = sum_i [ right_i (y_i - z_i'b)_+ + left_i (z_i'b - y_i)_+ ] + c'b
#
# All memory is the caller's; m rows, k columns.
include "_blas_int.pxi"

from libc.math cimport fabs
from libc.stdint cimport int64_t

from l1l2fast._lines cimport Kink

cdef enum:
    INVERSE_BLOCK = 64  # columns of workspace dgetri likes: work has INVERSE_BLOCK * k

cdef struct Vertex:
    blas_int m, k
    const double* Z
    const double* y         # true
    double* y_now           # true or jittered
    double* lo              # finite slopes
    double* hi
    const double* left      # true slopes
    const double* right
    const double* c
    double* b
    int64_t* basis
    double* psi             # 0 on basic rows until the end
    signed char* side       # of the residual: 1, -1; 0 on basic rows
    double* r
    double* q               # rate at which r falls along d
    double* inverse         # of the basic rows, column by column
    double* work
    double* d
    double* g               # sum of psi_i z_i off the basis
    double* u
    double* h
    double* psi_basic
    double* noise           # size of the summands of g, column by column, for their rounding error
    Kink* kinks
    blas_int* pivots
    double widest           # largest finite slope
    double big              # stands for an infinite slope
    double zero             # the part of a residual's rounding that is common to all rows
    int fresh               # pivots since the last factorisation
    int stalls              # of them, of length zero; since the last jitter
    int jitters             # so far
    bint jittered           # y_now is not y


# Residuals of row i up to this are rounding: of y_i, and of z_i'b in `s.zero`. Row by row, for one
# huge y must not hide the residuals of the others.
cdef inline double rounding(Vertex* s, Py_ssize_t i) noexcept nogil:
    return s.zero + 256 * 2.220446049250313e-16 * fabs(s.y_now[i])

# out = Z v
cdef void rows_times(Vertex* s, const double* v, double* out) noexcept nogil
# out = inverse v ('N') or inverse' v ('T')
cdef void basis_times(Vertex* s, char trans, const double* v, double* out) noexcept nogil
# out += a z_i
cdef void add_row(Vertex* s, double a, Py_ssize_t i, double* out) noexcept nogil
# out = c - Z'psi
cdef void slack(Vertex* s, double* out) noexcept nogil
# out_j = |c_j| + norm over i of (finite slopes of row i) z_ij: what rounding of Z'psi - c is relative to. The
# columns are told apart for one may carry far steeper rows, say a penalty, than the others.
cdef void column_noise(Py_ssize_t m, Py_ssize_t k, const double* Z, const double* left, const double* right,
                       const double* c, double* out) noexcept nogil
# Tolerances and the stand-in for infinite slopes, from the data.
cdef void measure(Vertex* s) noexcept nogil
# lo, hi from left, right and big
cdef void set_slopes(Vertex* s) noexcept nogil
# A basis near b; False if Z has no k independent rows.
cdef bint start(Vertex* s) noexcept nogil
# inverse, b, r, sides, psi and g from scratch; False if the basis is singular.
cdef bint refactor(Vertex* s) noexcept nogil
# sides, psi and g from r
cdef void take_sides(Vertex* s) noexcept nogil
