# Only the base class is declared here: a leaf lives in _losses.pyx alone,
# so that adding a loss touches that one file.
#
# A loss l(y, f) is a function of one sample: its response y and the prediction f.


cdef class Loss:
    # l(y, f)
    cdef double value(self, double y, double f) noexcept nogil
    # dl/df; where l has a kink, the subgradient 0
    cdef double gradient(self, double y, double f) noexcept nogil
    # d2l/df2, 0 at and beside a kink
    cdef double curvature(self, double y, double f) noexcept nogil
    # slope at f and curvature of a parabola that lies above the loss smoothed by eps and touches it at f
    cdef double slope(self, double y, double f, double eps) noexcept nogil
    cdef double weight(self, double y, double f, double eps) noexcept nogil
    # l*(y, g) = sup_f g f - l(y, f); inf outside its domain
    cdef double conjugate(self, double y, double g) noexcept nogil
    # l(y, f) + l*(y, g) - g f >= 0 (Fenchel-Young), written so that nothing cancels
    cdef double slack(self, double y, double f, double g) noexcept nogil
    # the value, the gradient and the curvature at once
    cdef void expand(self, double y, double f, double *out) noexcept nogil
    # the same for n samples
    cdef void expand_all(self, Py_ssize_t n, const double *y, const double *f, double *value, double *gradient,
                         double *curvature) noexcept nogil
