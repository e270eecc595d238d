# Exact line searches. Along b + t d a convex piecewise function changes at kinks; the first kind is
# piecewise linear (its slope jumps), the second piecewise quadratic (its slope bends). Both are weighted
# quickselects: O(n), where sorting the kinks would be O(n log n).


cdef struct Kink:
    double t      # where
    double jump   # by how much the slope, or the slope of the slope, rises there
    Py_ssize_t row


cdef inline double middle(double a, double b, double c) noexcept nogil:
    if a > b:
        a, b = b, a
    return a if c < a else (b if c > b else c)


cdef inline void swap(Kink* kinks, Py_ssize_t i, Py_ssize_t j) noexcept nogil:
    cdef Kink kept = kinks[i]
    kinks[i] = kinks[j]
    kinks[j] = kept


cdef inline double partition(Kink* kinks, Py_ssize_t first, Py_ssize_t last,
                             Py_ssize_t* less, Py_ssize_t* more) noexcept nogil:
    # kinks[first:less] lie before the returned t, kinks[less:more] at it, kinks[more:last] behind it.
    # Three-way, for ties are common.
    cdef double t = middle(kinks[first].t, kinks[first + (last - first) // 2].t, kinks[last - 1].t)
    cdef Py_ssize_t i = first
    less[0], more[0] = first, last
    while i < more[0]:
        if kinks[i].t < t:
            swap(kinks, i, less[0])
            less[0] += 1
            i += 1
        elif kinks[i].t > t:
            more[0] -= 1
            swap(kinks, i, more[0])
        else:
            i += 1
    return t


cdef inline Py_ssize_t crossing(Kink* kinks, Py_ssize_t n, double slope) noexcept nogil:
    # Reorders so that kinks[:p] lie at or before kinks[p] and
    # slope + sum jump[:p] < 0 <= slope + sum jump[:p+1]; returns p, or n if the slope stays negative.
    cdef Py_ssize_t first = 0, last = n, less, more, i
    cdef double reached
    while first < last:
        partition(kinks, first, last, &less, &more)
        reached = slope
        for i in range(first, less):
            reached += kinks[i].jump
        if reached >= 0:
            last = less
            continue
        for i in range(less, more):
            reached += kinks[i].jump
            if reached >= 0:
                return i
        slope = reached
        first = more
    return last


cdef inline double median(Kink* kinks, Py_ssize_t n) noexcept nogil:
    # The (lower) median of t, all jumps being 1; 0 if n is 0.
    return kinks[crossing(kinks, n, 0.5 - (n + 1) // 2)].t if n > 0 else 0.0


cdef inline double stationary(Kink* kinks, Py_ssize_t n, double slope, double bend, double floor) noexcept nogil:
    # The t >= 0 at which a continuous nondecreasing derivative vanishes: slope + bend t at first, its
    # slope changing by `jump` at each kink and being `floor` behind them all. -1 if it stays negative.
    cdef Py_ssize_t first = 0, last = n, less, more, i
    cdef double t, turn, moment, start = slope
    while first < last:
        t = partition(kinks, first, last, &less, &more)
        turn, moment = 0.0, 0.0
        for i in range(first, less):
            turn += kinks[i].jump
            moment += kinks[i].jump * kinks[i].t
        if slope - moment + (bend + turn) * t >= 0:
            last = less
            continue
        for i in range(less, more):
            turn += kinks[i].jump
            moment += kinks[i].jump * t
        slope -= moment
        bend += turn
        first = more
    if slope >= 0:
        return 0.0
    if last == n:
        bend = floor  # free of the rounding of all those kinks
    return -slope / bend if bend * 1e20 > -start else -1.0
