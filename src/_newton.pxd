# minimise 1/2 b'G b - c'b + sum_j factor_j pen(b_j) over the box, given q = c - G b.
from l1l2fast._factor cimport Factor
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
    # |z - X b|_w^2, kept up to date, and the duality gap that is good enough; 0 and 0 where nobody knows them
    double energy
    double enough
    # the rank of G, if the columns are independent as far as they can be
    Py_ssize_t rank
    # work done, and when to give up, in multiplications of a pass over b
    double spent
    double budget
    # passes that went before, as work: Newton's steps begin once passes have cost as much as one
    double paid
    # the factor of the last support; its count is 0 for a new G
    Factor live
    # the penalty's curvature on the support
    double *bend
    # workspace: 3k integers, k*k + 8k doubles
    Py_ssize_t *turn
    double *work
    # counters
    Py_ssize_t epochs
    Py_ssize_t newtons


cdef enum:
    PENDING = -1  # in place of the move: Ctrl-C, the caller raises


# Divide the workspace; s.k must be there. The factor is none.
cdef void settle(Quadratic *problem, Py_ssize_t *integers, double *work) noexcept nogil
# Coordinate descent and Newton steps until the gap is `enough` or a pass moves b by less than tol; returns that move.
cdef double minimise_quadratic(Penalty penalty, Quadratic *problem, double tol, Py_ssize_t max_epochs) noexcept nogil
# The duality gap of the quadratic, from energy and q alone.
cdef double small_gap(Penalty penalty, Quadratic *problem) noexcept nogil
