# minimise 1/2 b'G b - c'b + sum_j factor_j pen(b_j) over the box, given q = c - G b.
from l1l2fast._penalties cimport Penalty


cdef struct Quadratic:
    # the problem; G is k x k with row distance ld, q = c - G b is kept up to date
    Py_ssize_t k
    Py_ssize_t ld
    const double *G
    double *q
    double *b
    const double *factor
    const double *lower
    const double *upper
    # workspace: k integers, k*k + 3k doubles
    Py_ssize_t *turn
    double *work
    # counters
    Py_ssize_t epochs
    Py_ssize_t newtons


cdef enum:
    PENDING = -1  # in place of the move: Ctrl-C, the caller raises


# Coordinate descent and Newton steps until a pass moves b by less than tol; returns that move.
cdef double minimise_quadratic(Penalty penalty, Quadratic *problem, double tol, Py_ssize_t max_epochs) noexcept nogil
