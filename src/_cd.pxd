# Coordinate descent on 1/2 b'G b - c'b + sum_j factor_j pen(b_j), lower <= b <= upper.
from l1l2fast._penalties cimport Penalty


# The new b_j given its slope q_j = (c - G b)_j and curvature h = G_jj.
cdef inline double coordinate(Penalty penalty, double b, double q, double h, double factor,
                              double lower, double upper) noexcept nogil:
    cdef double new = penalty.prox(b + q / h, factor / h)
    if new < lower:
        return lower
    return upper if new > upper else new


# One pass over b[turn[0..count)]; q = c - G b and energy = |z - X b|_w^2 are kept. Adds the number of
# coordinates that moved to moves[0] and returns sum_j h_j (change of b_j)^2, twice the decrease at most.
cdef double gram_epoch(Penalty penalty, const Py_ssize_t *turn, Py_ssize_t count, Py_ssize_t k,
                       const double *G, Py_ssize_t ld, double *q, double *b, const double *factor,
                       const double *lower, const double *upper, double *energy, Py_ssize_t *moves) noexcept nogil
