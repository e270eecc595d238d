"""Sums over samples and over coefficients: objectives and the two halves of a duality gap.

Notation: P = sum_i w_i l(y_i, f_i) + sum_j h_j(b_j) with h_j = factor_j pen + indicator of
[lower_j, upper_j]; theta is a dual point, u = X~'theta. By Fenchel and Young

    P - D = sum_i w_i [l(y, f) + l*(y, g) - g f]_i + sum_j [h(b) + h*(u) - u b]_j,   g = -theta / w

in which every bracket is >= 0 and none cancels.
"""
from libc.math cimport INFINITY, fabs, isinf

from l1l2fast._losses cimport Loss
from l1l2fast._penalties cimport Penalty
from l1l2fast._scalar cimport clip


def loss_value(Loss loss not None, const double[::1] y not None, const double[::1] f not None,
               const double[::1] w not None):
    """sum_i w_i l(y_i, f_i)."""
    cdef Py_ssize_t i
    cdef double total = 0.0
    with nogil:
        for i in range(y.shape[0]):
            if w[i] > 0:
                total += w[i] * loss.value(y[i], f[i])
    return total


def loss_slack(Loss loss not None, const double[::1] y not None, const double[::1] f not None,
               const double[::1] w not None, const double[::1] theta not None):
    """sum_i w_i [l(y, f) + l*(y, g) - g f] at g = -theta / w."""
    cdef Py_ssize_t i
    cdef double total = 0.0
    with nogil:
        for i in range(y.shape[0]):
            if w[i] > 0:
                total += w[i] * loss.slack(y[i], f[i], -theta[i] / w[i])
    return total


def penalty_value(Penalty penalty not None, const double[::1] b not None, const double[::1] factor not None):
    """sum_j factor_j pen(b_j)."""
    cdef Py_ssize_t j
    cdef double total = 0.0
    with nogil:
        for j in range(b.shape[0]):
            if factor[j] > 0 and b[j] != 0:
                total += factor[j] * penalty.value(b[j])
    return total


cdef inline double limit(Penalty penalty, double u, double factor, double lower, double upper) noexcept nogil:
    # the largest |u| at which h* is finite
    if isinf(upper if u > 0 else lower):
        return factor * penalty.recession() if factor > 0 else 0.0
    return INFINITY


cdef double slack(Penalty penalty, double b, double u, double factor, double lower, double upper,
                  double rounding) noexcept nogil:
    # h(b) + h*(u) - u b, with u moved by at most `rounding` to where that is finite or zero
    cdef double bound = limit(penalty, u, factor, lower, upper), top, slope
    if lower < b < upper and (factor == 0 or penalty.smooth(b)):
        slope = factor * penalty.derivative(b) if factor > 0 else 0.0
        if fabs(u - slope) <= rounding:
            return fabs(u - slope) * fabs(b)
    if fabs(u) > bound:
        if fabs(u) > bound + rounding:
            return INFINITY
        u = bound if u > 0 else -bound
    if factor == 0:
        top = upper if u > 0 else (lower if u < 0 else b)
        return u * (top - b)
    top = penalty.maximiser(u / factor)
    if isinf(top) and fabs(u) >= bound:
        top = 0.0                      # at the limit the supremum is reached everywhere from 0 on
    top = clip(top, lower, upper)
    slope = factor * (penalty.value(b) - penalty.value(top)) - u * (b - top)
    return slope if slope > 0 else 0.0


def penalty_slack(Penalty penalty not None, const double[::1] b not None, const double[::1] u not None,
                  double scale, const double[::1] factor not None, const double[::1] lower not None,
                  const double[::1] upper not None, const double[::1] rounding not None):
    """sum_j [h_j(b_j) + h_j*(scale u_j) - scale u_j b_j], u_j being known to within rounding_j."""
    cdef Py_ssize_t j
    cdef double total = 0.0
    with nogil:
        for j in range(b.shape[0]):
            total += slack(penalty, b[j], scale * u[j], factor[j], lower[j], upper[j], rounding[j])
    return total


def dual_scale(Penalty penalty not None, const double[::1] u not None, const double[::1] factor not None,
               const double[::1] lower not None, const double[::1] upper not None,
               const double[::1] rounding not None):
    """The largest s <= 1 at which every h_j*(s u_j) is finite, to within rounding_j."""
    cdef Py_ssize_t j
    cdef double s = 1.0, bound
    with nogil:
        for j in range(u.shape[0]):
            bound = limit(penalty, u[j], factor[j], lower[j], upper[j])
            if fabs(u[j]) > bound + rounding[j] and bound < s * fabs(u[j]):
                s = bound / fabs(u[j])
    return s


def violation(Penalty penalty not None, const double[::1] b not None, const double[::1] g not None,
              const double[::1] square not None, const double[::1] factor not None,
              const double[::1] lower not None, const double[::1] upper not None, double[::1] out not None):
    """out_j = square_j (b_j - its minimiser with the others fixed)^2, the score of a working set."""
    cdef Py_ssize_t j
    cdef double new
    with nogil:
        for j in range(b.shape[0]):
            out[j] = 0.0
            if square[j] > 0:
                new = penalty.prox(b[j] + g[j] / square[j], factor[j] / square[j])
                new = clip(new, lower[j], upper[j]) - b[j]
                out[j] = square[j] * new * new


def all_finite(const double[::1] x not None):
    """Whether every number is finite."""
    cdef Py_ssize_t i
    cdef double zero = 0.0
    for i in range(x.shape[0]):
        zero += x[i] * 0.0
    return zero == 0.0
