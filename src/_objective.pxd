# The two halves of a duality gap, one coefficient at a time, and the vectors of one problem that sums run over.
from l1l2fast._losses cimport Loss
from l1l2fast._penalties cimport Penalty


# the largest |u| at which h*(u), h = factor pen + indicator of [lower, upper], is finite
cdef double limit(Penalty penalty, double u, double factor, double lower, double upper) noexcept nogil
# h(b) + h*(u) - u b >= 0, with u moved by at most `rounding` to where that is finite or zero
cdef double slack(Penalty penalty, double b, double u, double factor, double lower, double upper,
                  double rounding, bint projected) noexcept nogil

# is psi off its bounds -left and right by that part of their distance?
cdef inline bint inside(double psi, double left, double right, double margin) noexcept nogil:
    cdef double width = margin * min(left + right, 1e300)
    return psi + left > width and right - psi > width


cdef class Sums:
    cdef Loss loss
    cdef Penalty penalty
    cdef bint intercept, lines  # two slopes, left and right?
    cdef double left, right
    cdef const double[::1] y, w, square, factor, lower, upper
    # the last part of `certify`
    cdef concluded(self, const double[::1] b, const double[::1] u, const double[::1] y, const double[::1] f,
                   const double[::1] theta, double objective, double size, double total, double spread, double known,
                   bint projected)
