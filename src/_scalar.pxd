# Inline formulas of one number; everything above is built from them.
from libc.math cimport INFINITY, fabs


cdef inline double sign(double x) noexcept nogil:
    return (x > 0) - (x < 0)


cdef inline double clip(double x, double lower, double upper) noexcept nogil:
    # min(max(.)) in this order returns `upper` where lower > upper; callers exclude that.
    if x < lower:
        return lower
    return upper if x > upper else x


cdef inline double soft_threshold(double z, double t) noexcept nogil:
    # argmin_b (b - z)^2 / 2 + t |b|
    if z > t:
        return z - t
    return z + t if z < -t else 0.0
