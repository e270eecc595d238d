"""Coordinate ascent on the dual of lines and a strictly convex parabola.

minimise over b in R^k   sum_i [ right_i (y_i - z_i'b)_+ + left_i (z_i'b - y_i)_+ ] + 1/2 |b|^2
maximise over psi        y'psi - 1/2 |Z'psi|^2,   -left <= psi <= right,   b = Z'psi

Each psi_i in turn goes to where its row's residual vanishes, or to the end of its box (Hsieh and others, 2008; Ho and
Lin, 2012). Every psi is feasible, so that the gap, sum_i rho_i(r_i) - psi_i r_i, is known on the way. A row at
an end of its box that pulls further out than any row did in the epoch before is left out for the time being. Rows
and b are in single precision, for memory is what takes the time: what b and the gap are, psi has to say afterwards.
"""
import numpy as np

from libc.math cimport INFINITY, fabs

from l1l2fast._blas cimport single_axpy, single_dot
from l1l2fast._scalar cimport clip
from l1l2fast._signals cimport interrupted, raise_pending

cdef extern from "simd.h":
    void l1l2fast_prefetch(const void *start, size_t bytes) noexcept nogil

cdef enum:
    # a row is asked for while so many before it are at work; numbers of it, for the hardware goes on by itself
    AHEAD = 2
    MOST_AHEAD = 256


cdef inline Py_ssize_t draw(unsigned long long *state, Py_ssize_t n) noexcept nogil:
    # below n, by Knuth's linear congruences
    state[0] = state[0] * 6364136223846793005ULL + 1442695040888963407ULL
    return <Py_ssize_t>((state[0] >> 33) % <unsigned long long>n)


cdef struct Epoch:
    double gap          # of the rows that were looked at, each when it was its turn
    double push         # the largest residual that could still move a psi
    Py_ssize_t changes  # rows that came to an end of their box or left it
    Py_ssize_t inside


cdef Py_ssize_t epoch(const float[:, ::1] Z, const double[::1] y, const double[::1] left, const double[::1] right,
                      const double[::1] square, float[::1] b, double[::1] psi, Py_ssize_t[::1] rows, Py_ssize_t n,
                      double far, unsigned long long *state, Epoch *out) noexcept nogil:
    # One epoch over rows[:n]; those that are left out from now on go behind the number that is returned.
    cdef Py_ssize_t a = 0, e, i, k = b.shape[0]
    cdef double r, before, now
    out.gap, out.push, out.changes, out.inside = 0.0, 0.0, 0, 0
    for i in range(n):
        e = i + draw(state, n - i)
        rows[e], rows[i] = rows[i], rows[e]
    while a < n:
        i = rows[a]
        if a + AHEAD < n:
            l1l2fast_prefetch(&Z[rows[a + AHEAD], 0], min(k, MOST_AHEAD) * sizeof(float))
        r = y[i] - single_dot(k, &Z[i, 0], &b[0])
        before = psi[i]
        if before == right[i] and r > far or before == -left[i] and r < -far:
            n -= 1
            rows[a], rows[n] = rows[n], i
            continue
        a += 1
        out.gap += (right[i] - before) * r if r > 0 else -(left[i] + before) * r
        now = clip(before + r / square[i], -left[i], right[i]) if square[i] > 0 else (right[i] if r > 0 else -left[i])
        out.inside += -left[i] < now < right[i]
        if now != before:
            out.push = max(out.push, fabs(r))
            out.changes += (-left[i] < now < right[i]) != (-left[i] < before < right[i])
            single_axpy(k, <float>(now - before), &Z[i, 0], &b[0])
            psi[i] = now
    return n


def ascend(const float[:, ::1] Z not None, const double[::1] y not None, const double[::1] left not None,
           const double[::1] right not None, const double[::1] square not None, float[::1] b not None,
           double[::1] psi not None, double enough, double steady, double budget):
    """Epochs until the gap is `enough`, or few rows come to an end of their box or leave it.

    Z is m x k, square holds |z_i|^2; on entry b = Z'psi, as on exit. Few is a part `steady` of the rows inside their
    box. It is given up when `budget` epochs over all rows are spent, or, with more rows than columns, when after the
    second most rows are still inside.

    Returns whether it was given up, the epochs, and the gap as it was on the way.
    """
    cdef Py_ssize_t m = Z.shape[0], n = Z.shape[0], epochs = 0
    cdef double far = INFINITY, spent = 0.0
    cdef bint whole, over = False, stopped = False
    cdef unsigned long long state = 1
    cdef Py_ssize_t[::1] rows = np.arange(m, dtype=np.intp)
    cdef Epoch now
    now.gap = 0.0
    with nogil:
        while m > 0:
            whole = n == m
            spent += <double>n / m
            n = epoch(Z, y, left, right, square, b, psi, rows, n, far, &state, &now)
            epochs += 1
            stopped = interrupted()
            over = spent >= budget or epochs == 2 and m > b.shape[0] and 2 * now.inside > m
            if stopped or over:
                break
            far = now.push if now.push > 0 else INFINITY
            if now.gap <= enough or epochs > 2 and now.changes <= steady * now.inside:
                if whole:
                    break
                n, far = m, INFINITY  # those that were left out have the last word
    if stopped:
        raise_pending()
    return over, epochs, now.gap
