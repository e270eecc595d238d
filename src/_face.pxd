# A piecewise linear plus diagonal quadratic function, and its exact minimiser once the rows with zero
# residual are known up to a few.
#
# f(b) = sum_i [ right_i (y_i - z_i'b)_+ + left_i (z_i'b - y_i)_+ ] + c'b + 1/2 b'diag(d)b
#
# All memory is the caller's; m rows, k columns.
include "_blas_int.pxi"

from libc.math cimport fabs

from l1l2fast._lines cimport Kink

cdef struct Face:
    blas_int m, k, most     # no set of more than `most` rows is tried
    blas_int thin           # columns with (nearly) no curvature: bordered, not eliminated
    const double* Z
    const double* y
    const double* left
    const double* right
    const double* c
    const double* d
    double* b
    double* psi
    double* width           # left + right, finite; 0 on rows that cost nothing
    double* r
    double* q               # rate at which r falls along `step`
    double* centre          # psi of the round before
    double* shifted         # residual in units of psi, plus centre
    double* prox            # curvature towards anchor, on columns with none of their own
    double* anchor          # b of the round before
    double* noise           # size of the summands of Z'psi, column by column
    double* gradient
    double* step
    double* gram            # sum of width_i z_i z_i' over `counted`, lower triangle in Fortran's eyes
    double* hessian
    double* block           # rows packed for dsyrk
    double* b_try
    double* psi_try
    double* g               # Z'psi_try off the set
    double* kkt             # (most + thin)^2
    double* rhs
    double* scaled          # rows that were in a set, times inverse_root; at most `most`
    double* products        # S of those, lower triangle, `most` apart
    double* size            # of the summands of the gradient
    double* inverse_root    # sqrt(steepest / d), 0 on the thin columns
    blas_int* rows          # of the set
    blas_int* place         # of a row among those, counted from 1; 0 for none
    blas_int* bordered      # the thin columns
    blas_int* pivots
    Kink* kinks             # 2 m
    signed char* inside     # psi strictly between its bounds
    signed char* counted
    signed char* chosen
    double gam              # band: rows with |r| below about gam are inside
    double zero             # the part of a residual's rounding that is common to all rows
    double least_zero       # and what it is at b = 0
    double steepest         # largest curvature d
    double reach            # how large b may become where y = 0
    double worst            # largest entry of the gradient, in units of its rounding
    Py_ssize_t n_counted
    Py_ssize_t n_scaled

cdef enum:
    BLOCK = 128


# Residuals of row i up to this are rounding: of y_i, and of z_i'b in `s.zero`. Row by row, for one
# huge y must not hide the residuals of the others.
cdef inline double rounding(Face* s, Py_ssize_t i) noexcept nogil:
    return s.zero + 256 * 2.220446049250313e-16 * fabs(s.y[i])

# out = y - Z b
cdef void residuals(Face* s, const double* b, double* out) noexcept nogil
# out = Z'psi
cdef void transposed(Face* s, const double* psi, double* out) noexcept nogil
# Exact b and psi from the rows now inside, repairing that set a few times; False, and nothing changed, if not found.
cdef bint finish(Face* s) noexcept nogil
