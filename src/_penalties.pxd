# Only the base class is declared here: a leaf lives in _penalties.pyx alone,
# so that adding a penalty touches that one file.
#
# A penalty pen(b) is a function of one coefficient. The solvers multiply it by the
# factor v_j, so that prox, conjugate and derivatives are asked of pen alone.


cdef class Penalty:
    # pen(b)
    cdef double value(self, double b) noexcept nogil
    # argmin_b (b - z)^2 / 2 + step * pen(b)
    cdef double prox(self, double z, double step) noexcept nogil
    # pen'(b) and pen''(b), asked only where smooth(b)
    cdef double derivative(self, double b) noexcept nogil
    cdef double curvature(self, double b) noexcept nogil
    # is pen twice differentiable at b?
    cdef bint smooth(self, double b) noexcept nogil
    # the b that maximises u b - pen(b): +-inf where the supremum is not attained
    cdef double maximiser(self, double u) noexcept nogil
    # lim pen(b) / b as b -> inf: the slope beyond which sup_b u b - pen(b) is infinite
    cdef double recession(self) noexcept nogil
