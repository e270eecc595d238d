# Inline formulas of one number; everything above is built from them.
from libc.math cimport INFINITY, fabs, floor, ilogb, ldexp
from libc.stdint cimport uint64_t


cdef inline double sign(double x) noexcept nogil:
    return (x > 0) - (x < 0)


cdef inline double clip(double x, double lower, double upper) noexcept nogil:
    # min(max(.)) in this order returns `upper` where lower > upper; callers exclude that.
    if x < lower:
        return lower
    return upper if x > upper else x


cdef inline double near_root(double square) noexcept nogil:
    # a power of two near the root: to divide by it costs no digits
    return ldexp(1.0, ilogb(square) // 2)


cdef inline double soft_threshold(double z, double t) noexcept nogil:
    # argmin_b (b - z)^2 / 2 + t |b|
    if z > t:
        return z - t
    return z + t if z < -t else 0.0


cdef inline double summed(Py_ssize_t n, const double *x) noexcept nogil:
    # the sum, by halves down to runs of eight sums side by side: rounding grows with log n
    cdef double[8] part
    cdef double rest = 0.0
    cdef Py_ssize_t e, i = 0, half = n // 2 - n // 2 % 8
    if n > 128:
        return summed(half, x) + summed(n - half, x + half)
    for e in range(8):
        part[e] = 0.0
    while i + 8 <= n:
        for e in range(8):
            part[e] += x[i + e]
        i += 8
    for i in range(i, n):
        rest += x[i]
    return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7])) + rest


cdef inline double mean_about(double origin, double first, double total) noexcept nogil:
    # origin + first / total; of integers the quotient of two, rounded once, which does not depend on the origin
    if first != 0 and origin == floor(origin) and fabs(origin) < 1e9:
        return (total * origin + first) / total
    return origin + first / total


cdef inline double variance(double first, double second, double total) noexcept nogil:
    # second / total - (first / total)^2, of integers rounded once
    if second < 1e140:  # else products would overflow
        return (total * second - first * first) / (total * total)
    return second / total - (first / total) * (first / total)


cdef inline double scatter(Py_ssize_t i, Py_ssize_t salt) noexcept nogil:
    # spread over (-1/2, 1/2) without order, the same on every run
    cdef uint64_t x = <uint64_t>(i + 1) * 0x9E3779B97F4A7C15ULL + <uint64_t>salt
    x = (x ^ (x >> 31)) * 0xBF58476D1CE4E5B9ULL
    x = (x ^ (x >> 29)) * 0x94D049BB133111EBULL
    return <double>(x >> 11) / 9007199254740992.0 - 0.5
