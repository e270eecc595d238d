# The smoothed function of one round of the method of multipliers, and its minimiser.
include "_blas_int.pxi"

from l1l2fast._face cimport Face

cdef enum:
    NEWTONS = 15  # a round, at most
    RUNAWAY = -1
    INTERRUPTED = -2

# r, and how much of it rounding of Z b may be
cdef void refresh(Face* s) noexcept nogil
# gradient = c + d b - Z'psi + prox (b - anchor); returns its largest entry in units of its rounding error
cdef double slope(Face* s) noexcept nogil
# Newton steps on b until settled (to rounding), or, if loose, until few rows still go in or out.
# Returns their number, RUNAWAY if unbounded, INTERRUPTED by Ctrl-C.
cdef Py_ssize_t newton(Face* s, bint loose, bint* settled, Py_ssize_t* n_inside) noexcept nogil
