"""Penalties: functions of one coefficient b.

A new penalty is one class in this file with the methods listed in ``_penalties.pxd``;
tests, stubs and the documentation find it through ``Penalty.__subclasses__()``.
"""
cimport cython
from libc.math cimport INFINITY, fabs

from l1l2fast._scalar cimport sign, soft_threshold


cdef class Penalty:
    """Base class of the penalties pen(b); every constructor argument has a default."""

    #: Smallest and largest value each constructor argument may take, where not [0, inf).
    limits = {}

    cdef double value(self, double b) noexcept nogil:
        return 0.0

    cdef double prox(self, double z, double step) noexcept nogil:
        return z

    cdef double derivative(self, double b) noexcept nogil:
        return 0.0

    cdef double curvature(self, double b) noexcept nogil:
        return 0.0

    cdef bint smooth(self, double b) noexcept nogil:
        return b != 0

    cdef double maximiser(self, double u) noexcept nogil:
        return INFINITY * sign(u) if u != 0 else 0.0

    cdef double recession(self) noexcept nogil:
        return 0.0

    def elastic(self):
        """The pair (l1, l2) if pen(b) = l1 |b| + l2 b^2 / 2, else None."""
        return None

    def growth(self):
        """lim pen(b) / b as b grows: a dual coordinate beyond it is infeasible."""
        return self.recession()

    def kink(self):
        """The derivative of pen at 0+: slopes up to it leave a coefficient at zero."""
        return 0.0 if self.smooth(0.0) else self.derivative(1e-300)

    def separable(self):
        """Whether the penalty is a sum over coefficients; `Group` is not."""
        return True

    def convex(self):
        """Whether pen is convex, so that an answer carries a duality gap."""
        return True

    def __call__(self, double b):
        """pen(b)."""
        return self.value(b)

    def apply_prox(self, double z, double step=1.0):
        """argmin_b (b - z)^2 / 2 + step * pen(b)."""
        return self.prox(z, step)

    def derivatives(self, double b):
        """First and second derivative of pen at b, or None where it is not smooth."""
        return (self.derivative(b), self.curvature(b)) if self.smooth(b) else None

    def argmax(self, double u):
        """The b that attains pen*(u) = sup_b u b - pen(b), infinite where nothing does."""
        return self.maximiser(u)

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.parameters().items())})"

    def __eq__(self, other):
        return type(self) is type(other) and self.parameters() == other.parameters()

    def __hash__(self):
        return hash((type(self), *self.parameters().items()))

    def parameters(self):
        """The constructor's arguments, by name."""
        return {name: getattr(self, name) for name, kind in vars(type(self)).items()
                if type(kind).__name__ == "getset_descriptor"}


@cython.final
cdef class L1(Penalty):
    """alpha |b|: sets coefficients exactly to zero (Tibshirani, 1996)."""
    cdef readonly double alpha

    def __init__(self, double alpha=1.0):
        self.alpha = alpha

    cdef double value(self, double b) noexcept nogil:
        return self.alpha * fabs(b)

    cdef double prox(self, double z, double step) noexcept nogil:
        return soft_threshold(z, step * self.alpha)

    cdef double derivative(self, double b) noexcept nogil:
        return self.alpha * sign(b)

    cdef double maximiser(self, double u) noexcept nogil:
        return INFINITY * sign(u) if fabs(u) > self.alpha else 0.0

    cdef double recession(self) noexcept nogil:
        return self.alpha

    def elastic(self):
        """The pair (l1, l2) if pen(b) = l1 |b| + l2 b^2 / 2, else None."""
        return self.alpha, 0.0


@cython.final
cdef class L2(Penalty):
    """alpha b^2 / 2: shrinks and never zeroes (Hoerl and Kennard, 1970)."""
    cdef readonly double alpha

    def __init__(self, double alpha=1.0):
        self.alpha = alpha

    cdef double value(self, double b) noexcept nogil:
        return self.alpha * b * b / 2

    cdef double prox(self, double z, double step) noexcept nogil:
        return z / (1 + step * self.alpha)

    cdef double derivative(self, double b) noexcept nogil:
        return self.alpha * b

    cdef double curvature(self, double b) noexcept nogil:
        return self.alpha

    cdef bint smooth(self, double b) noexcept nogil:
        return True

    cdef double maximiser(self, double u) noexcept nogil:
        if self.alpha == 0:
            return INFINITY * sign(u) if u != 0 else 0.0
        return u / self.alpha

    cdef double recession(self) noexcept nogil:
        return INFINITY if self.alpha > 0 else 0.0

    def elastic(self):
        """The pair (l1, l2) if pen(b) = l1 |b| + l2 b^2 / 2, else None."""
        return 0.0, self.alpha


@cython.final
cdef class L1L2(Penalty):
    """l1 |b| + l2 b^2 / 2: the elastic net, both zeros and shrinkage (Zou and Hastie, 2005)."""
    cdef readonly double l1
    cdef readonly double l2

    def __init__(self, double l1=1.0, double l2=1.0):
        self.l1 = l1
        self.l2 = l2

    cdef double value(self, double b) noexcept nogil:
        return self.l1 * fabs(b) + self.l2 * b * b / 2

    cdef double prox(self, double z, double step) noexcept nogil:
        return soft_threshold(z, step * self.l1) / (1 + step * self.l2)

    cdef double derivative(self, double b) noexcept nogil:
        return self.l1 * sign(b) + self.l2 * b

    cdef double curvature(self, double b) noexcept nogil:
        return self.l2

    cdef double maximiser(self, double u) noexcept nogil:
        cdef double excess = soft_threshold(u, self.l1)
        if self.l2 == 0:
            return INFINITY * sign(excess) if excess != 0 else 0.0
        return excess / self.l2

    cdef double recession(self) noexcept nogil:
        return INFINITY if self.l2 > 0 else self.l1

    def elastic(self):
        """The pair (l1, l2) if pen(b) = l1 |b| + l2 b^2 / 2, else None."""
        return self.l1, self.l2


__all__ = ["Penalty"] + sorted(c.__name__ for c in Penalty.__subclasses__())
