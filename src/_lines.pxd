# Exact line searches: a convex piecewise function along b + t d changes its slope at kinks.


cdef struct Kink:
    double t      # where
    double jump   # by how much the slope rises there
    Py_ssize_t row


cdef inline double middle(double a, double b, double c) noexcept nogil:
    if a > b:
        a, b = b, a
    return a if c < a else (b if c > b else c)


cdef inline void swap(Kink* kinks, Py_ssize_t i, Py_ssize_t j) noexcept nogil:
    cdef Kink kept = kinks[i]
    kinks[i] = kinks[j]
    kinks[j] = kept


cdef inline Py_ssize_t crossing(Kink* kinks, Py_ssize_t n, double slope) noexcept nogil:
    # Reorders so that kinks[:p] lie at or before kinks[p] and
    # slope + sum jump[:p] < 0 <= slope + sum jump[:p+1]; returns p, or n if the slope stays negative.
    # Weighted quickselect: O(n), where sorting would be O(n log n). Three-way, for ties are common.
    cdef Py_ssize_t first = 0, last = n, less, i, more
    cdef double t, below, equal
    while first < last:
        t = middle(kinks[first].t, kinks[first + (last - first) // 2].t, kinks[last - 1].t)
        less, i, more, below, equal = first, first, last, 0.0, 0.0
        while i < more:
            if kinks[i].t < t:
                below += kinks[i].jump
                swap(kinks, i, less)
                less += 1
                i += 1
            elif kinks[i].t > t:
                more -= 1
                swap(kinks, i, more)
            else:
                equal += kinks[i].jump
                i += 1
        if slope + below >= 0:
            last = less
            continue
        slope += below
        if slope + equal < 0:
            slope += equal
            first = more
            continue
        for i in range(less, more):
            slope += kinks[i].jump
            if slope >= 0:
                return i
        return more - 1  # the same sum in another order: >= 0 up to rounding
    return last
