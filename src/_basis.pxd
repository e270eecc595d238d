# A corner of lines in rows and in coefficients, see `_corner`: its state, and all that hangs on its basis.
#
# All memory is the caller's; n rows, p columns, k of both in the basis.
include "_blas_int.pxi"

from libc.math cimport fabs
from libc.stdint cimport int64_t

from l1l2fast._lines cimport Kink

cdef enum:
    INVERSE_BLOCK = 64  # columns of workspace dgetri likes

cdef struct Corner:
    Py_ssize_t n, p, k, cap
    const double* Z         # p x n
    const double* rows      # n x p
    const double* y         # true
    const double* left
    const double* right
    const double* c
    const double* down
    const double* up
    double* b
    double* psi             # 0 on basic rows until the end
    int64_t* zero           # the rows of the corner
    int64_t* some           # A
    double* y_now           # true or jittered
    double* r
    double* q               # rate at which r falls along d
    double* g               # sum of psi_i z_i off the corner's rows
    double* v
    double* noise           # size of the summands of v, for their rounding error
    double* inverse         # of X[zero, some]: entry (a, z) at a + z cap
    double* d               # rate of b[some]
    double* h
    double* x               # X[zero, j] or x[some] of one row
    double* u
    double* psi_zero        # psi on the corner's rows
    double* work
    signed char* side       # of the residual: 1, -1; 0 on the corner's rows
    signed char* sign       # of the coefficient; 0 off A
    Kink* kinks
    blas_int* pivots
    double rounding         # the part of a residual's rounding that is common to all rows
    int fresh               # pivots since the last factorisation
    int stalls              # of them, of length zero; since the last jitter
    int jitters
    bint jittered           # y_now is not y


cdef inline double rounding(Corner* s, Py_ssize_t i) noexcept nogil:
    return s.rounding + 256 * 2.220446049250313e-16 * fabs(s.y_now[i])


cdef inline double slope_of(Corner* s, Py_ssize_t j) noexcept nogil:
    return s.up[j] if s.sign[j] > 0 else -s.down[j]


cdef inline double psi_of(Corner* s, Py_ssize_t i) noexcept nogil:
    return s.right[i] if s.side[i] > 0 else -s.left[i]


# out = inverse x, and inverse' x
cdef void inverse_times(Corner* s, const double* x, double* out) noexcept nogil
cdef void inverse_transposed_times(Corner* s, const double* x, double* out) noexcept nogil
# noise, from the data
cdef void measure(Corner* s) noexcept nogil
# inverse, b, r, sides, psi and g from scratch; False if the basis is singular
cdef bint refactor(Corner* s) noexcept nogil
# the empty corner
cdef void clear(Corner* s) noexcept nogil
# The four ways to change the basis: row i in place of zero[z]; column j in place of some[a]; row i and column j come
# in; row zero[z] and column some[a] go
cdef void swap_row(Corner* s, Py_ssize_t z, Py_ssize_t i) noexcept nogil
cdef void swap_coefficient(Corner* s, Py_ssize_t a, Py_ssize_t j) noexcept nogil
cdef void grow(Corner* s, Py_ssize_t i, Py_ssize_t j) noexcept nogil
cdef void shrink(Corner* s, Py_ssize_t z, Py_ssize_t a) noexcept nogil
# how many numbers the pointers to double need, cap being min(n, p), and their places
cdef Py_ssize_t needs(Corner* s) noexcept nogil
cdef void lay_out(Corner* s, double* memory) noexcept nogil
