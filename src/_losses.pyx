"""Losses: functions of one sample, its response y and the prediction f.

A new loss is one class in this file with the methods listed in ``_losses.pxd``;
tests, stubs and the documentation find it through ``Loss.__subclasses__()``.
"""
cimport cython
from libc.math cimport INFINITY, fabs, hypot

from l1l2fast._scalar cimport sign

cdef double ROUNDING = 1e-15


cdef class Loss:
    """Base class of the losses l(y, f); every constructor argument has a default."""

    #: Smallest and largest value each constructor argument may take, where not [0, inf).
    limits = {}

    cdef double value(self, double y, double f) noexcept nogil:
        return 0.0

    cdef double gradient(self, double y, double f) noexcept nogil:
        return 0.0

    cdef double curvature(self, double y, double f) noexcept nogil:
        return 0.0

    cdef double slope(self, double y, double f, double eps) noexcept nogil:
        return self.gradient(y, f)

    cdef double weight(self, double y, double f, double eps) noexcept nogil:
        return self.curvature(y, f)

    cdef double conjugate(self, double y, double g) noexcept nogil:
        return INFINITY

    cdef double slack(self, double y, double f, double g) noexcept nogil:
        return self.value(y, f) + self.conjugate(y, g) - g * f

    def slopes(self):
        """The slopes ``(left, right)`` if l = left (f - y)_+ + right (y - f)_+, else None."""
        return None

    def quadratic(self):
        """Whether l = (y - f)^2 / 2."""
        return False

    def __call__(self, double y, double f):
        """l(y, f)."""
        return self.value(y, f)

    def derivatives(self, double y, double f):
        """First and second derivative of l(y, f) in f."""
        return self.gradient(y, f), self.curvature(y, f)

    def majoriser(self, double y, double f, double eps):
        """Slope at f and curvature of the parabola that lies above the loss smoothed by eps and touches it at f."""
        return self.slope(y, f, eps), self.weight(y, f, eps)

    def dual(self, double y, double g):
        """l*(y, g) = sup_f g f - l(y, f)."""
        return self.conjugate(y, g)

    def fenchel_young(self, double y, double f, double g):
        """l(y, f) + l*(y, g) - g f, zero exactly where g is a subgradient at f."""
        return self.slack(y, f, g)

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
cdef class Squared(Loss):
    """(y - f)^2 / 2: the conditional mean (Legendre, 1805; Gauss, 1809)."""

    cdef double value(self, double y, double f) noexcept nogil:
        return (y - f) * (y - f) / 2

    cdef double gradient(self, double y, double f) noexcept nogil:
        return f - y

    cdef double curvature(self, double y, double f) noexcept nogil:
        return 1.0

    cdef double conjugate(self, double y, double g) noexcept nogil:
        return g * (g / 2 + y)

    cdef double slack(self, double y, double f, double g) noexcept nogil:
        cdef double miss = (f - y) - g
        return miss * miss / 2

    def quadratic(self):
        """Whether l = (y - f)^2 / 2."""
        return True


@cython.final
cdef class Absolute(Loss):
    """|y - f|: the conditional median (Boscovich, 1757; Laplace, 1789)."""

    cdef double value(self, double y, double f) noexcept nogil:
        return fabs(y - f)

    cdef double gradient(self, double y, double f) noexcept nogil:
        return sign(f - y)

    cdef double curvature(self, double y, double f) noexcept nogil:
        return 0.0

    cdef double slope(self, double y, double f, double eps) noexcept nogil:
        return (f - y) / hypot(y - f, eps)

    cdef double weight(self, double y, double f, double eps) noexcept nogil:
        # sqrt(r^2 + eps^2) is concave in r^2: its tangent there is the majoriser.
        return 1 / hypot(y - f, eps)

    cdef double conjugate(self, double y, double g) noexcept nogil:
        return g * y if fabs(g) <= 1 else INFINITY

    cdef double slack(self, double y, double f, double g) noexcept nogil:
        return fabs(y - f) + g * (y - f) if fabs(g) <= 1 else INFINITY

    def slopes(self):
        """The slopes ``(left, right)`` if l = left (f - y)_+ + right (y - f)_+, else None."""
        return 1.0, 1.0


@cython.final
cdef class Pinball(Loss):
    """r (quantile - [r < 0]), r = y - f: the conditional quantile (Koenker and Bassett, 1978)."""
    cdef readonly double quantile

    #: 0 and 1 themselves would ask for the least and the largest response.
    limits = {"quantile": (1e-6, 1 - 1e-6)}

    def __init__(self, double quantile=0.5):
        self.quantile = quantile

    cdef double value(self, double y, double f) noexcept nogil:
        return (y - f) * self.quantile if y > f else (f - y) * (1 - self.quantile)

    cdef double gradient(self, double y, double f) noexcept nogil:
        return -self.quantile if y > f else (1 - self.quantile if y < f else 0.0)

    cdef double curvature(self, double y, double f) noexcept nogil:
        return 0.0

    cdef double slope(self, double y, double f, double eps) noexcept nogil:
        # the loss is |r| / 2 + (quantile - 1/2) r, and only the first term needs smoothing
        return (f - y) / (2 * hypot(y - f, eps)) + (0.5 - self.quantile)

    cdef double weight(self, double y, double f, double eps) noexcept nogil:
        return 0.5 / hypot(y - f, eps)

    cdef double conjugate(self, double y, double g) noexcept nogil:
        return g * y if self.within(g) else INFINITY

    cdef double slack(self, double y, double f, double g) noexcept nogil:
        cdef double side = self.quantile + g if y > f else 1 - self.quantile - g
        if not self.within(g):
            return INFINITY
        return fabs(y - f) * (side if side > 0 else 0.0)

    cdef bint within(self, double g) noexcept nogil:
        # a slope that was multiplied by a weight and divided by it again may have left by a unit in the last place
        return -self.quantile * (1 + ROUNDING) <= g <= (1 - self.quantile) * (1 + ROUNDING)

    def slopes(self):
        """The slopes ``(left, right)`` if l = left (f - y)_+ + right (y - f)_+, else None."""
        return 1 - self.quantile, self.quantile


__all__ = ["Loss"] + sorted(c.__name__ for c in Loss.__subclasses__())
