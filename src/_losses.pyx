"""Losses: functions of one sample, its response y and the prediction f.

A new loss is one class in this file with the methods listed in ``_losses.pxd``;
tests, stubs and the documentation find it through ``Loss.__subclasses__()``.
"""
cimport cython
from libc.math cimport INFINITY, exp, fabs, hypot, log, log1p

from l1l2fast._scalar cimport clip, sign

cdef extern from "simd.h":
    void l1l2fast_logistic(Py_ssize_t n, const double *y, const double *f, double *value, double *slope,
                           double *bend) noexcept nogil

# By so much a dual point theta = w g may leave its domain when it is divided by w again.
cdef double ULP = 1e-15

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

    cdef void expand(self, double y, double f, double *out) noexcept nogil:
        out[0], out[1], out[2] = self.value(y, f), self.gradient(y, f), self.curvature(y, f)

    cdef void expand_all(self, Py_ssize_t n, const double *y, const double *f, double *value, double *gradient,
                         double *curvature) noexcept nogil:
        cdef Py_ssize_t i
        cdef double[3] out
        for i in range(n):
            self.expand(y[i], f[i], out)
            value[i], gradient[i], curvature[i] = out[0], out[1], out[2]

    def slopes(self):
        """The slopes ``(left, right)`` if l = left (f - y)_+ + right (y - f)_+, else None."""
        return None

    def quadratic(self):
        """Whether l = (y - f)^2 / 2."""
        return False

    def of_residual(self):
        """Whether l depends on y - f alone, so that what is known of f may be taken off y."""
        return self.quadratic() or self.slopes() is not None

    def responses(self):
        """The values that y may take, None for any number."""
        return None

    def __call__(self, double y, double f):
        """l(y, f)."""
        return self.value(y, f)

    def derivatives(self, double y, double f):
        """First and second derivative of l(y, f) in f."""
        return self.gradient(y, f), self.curvature(y, f)

    def expansion(self, double y, double f):
        """l(y, f) and its first two derivatives in f."""
        cdef double[3] out
        self.expand(y, f, out)
        return out[0], out[1], out[2]

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


cdef class Huber(Loss):
    """r^2 / 2 where |r| <= delta, r = y - f, else delta |r| - delta^2 / 2: a mean whose outliers weigh less (1964)."""
    cdef readonly double delta

    #: Squares of it must be numbers.
    limits = {"delta": (1e-150, 1e150)}

    def __init__(self, double delta=1.0):
        self.delta = delta

    cdef double value(self, double y, double f) noexcept nogil:
        cdef double r = fabs(y - f)
        return self.delta * (r - self.delta / 2) if r > self.delta else r * r / 2

    cdef double gradient(self, double y, double f) noexcept nogil:
        return clip(f - y, -self.delta, self.delta)

    cdef double curvature(self, double y, double f) noexcept nogil:
        return fabs(y - f) <= self.delta

    cdef double weight(self, double y, double f, double eps) noexcept nogil:
        cdef double r = fabs(y - f)
        return 1.0 if r <= self.delta else self.delta / r

    cdef double conjugate(self, double y, double g) noexcept nogil:
        return g * (g / 2 + y) if fabs(g) <= self.delta * (1 + ULP) else INFINITY

    cdef double slack(self, double y, double f, double g) noexcept nogil:
        cdef double r = y - f, far
        if fabs(g) > self.delta * (1 + ULP):
            return INFINITY
        g = clip(g, -self.delta, self.delta)
        far = sign(r) * g
        if fabs(r) > self.delta:
            return (self.delta + far) * (fabs(r) - (self.delta - far) / 2)
        return (r + g) * (r + g) / 2

    def of_residual(self):
        """Whether l depends on y - f alone, so that what is known of f may be taken off y."""
        return True


@cython.final
cdef class Envelope(Huber):
    """max_u u r - delta u^2 / 2 over -left <= u <= right, r = y - f: lines smoothed at their kink (Moreau, 1965).

    A solver's tool; users hold the classes that derive from `Loss` itself.
    """
    cdef readonly double left, right

    def __init__(self, double left=1.0, double right=1.0, double delta=1.0):
        self.left, self.right, self.delta = left, right, delta

    cdef double value(self, double y, double f) noexcept nogil:
        cdef double r = y - f, u = clip(r / self.delta, -self.left, self.right)
        return u * (r - self.delta * u / 2)

    cdef double gradient(self, double y, double f) noexcept nogil:
        return -clip((y - f) / self.delta, -self.left, self.right)

    cdef double curvature(self, double y, double f) noexcept nogil:
        return 1 / self.delta if -self.left * self.delta <= y - f <= self.right * self.delta else 0.0

    cdef double weight(self, double y, double f, double eps) noexcept nogil:
        # a line and, around the middle of the box, Huber's loss
        cdef double half = (self.left + self.right) / 2
        cdef double r = fabs(y - f - self.delta * (self.right - self.left) / 2)
        return 1 / self.delta if r <= self.delta * half else half / r

    cdef bint within(self, double g) noexcept nogil:
        return -self.right * (1 + ULP) <= g <= self.left * (1 + ULP)

    cdef double conjugate(self, double y, double g) noexcept nogil:
        return g * (y + self.delta * g / 2) if self.within(g) else INFINITY

    cdef double slack(self, double y, double f, double g) noexcept nogil:
        cdef double r = y - f, u = clip(r / self.delta, -self.left, self.right), v = clip(-g, -self.left, self.right)
        if not self.within(g):
            return INFINITY
        if u * self.delta == r or -self.left < u < self.right:
            return self.delta * (u - v) * (u - v) / 2
        return (u - v) * (r - self.delta * (u + v) / 2)


cdef inline double divergence(double a, double q) noexcept nogil:
    # a log(a / q) - a + q >= 0 for positive a and q
    cdef double x = (q - a) / a
    if fabs(x) < 1e-2:  # the next term of the series is below 1e-17 of the first
        return a * x * x * (1 / 2. - x * (1 / 3. - x * (1 / 4. - x * (1 / 5. - x * (1 / 6. - x * (
            1 / 7. - x * (1 / 8. - x / 9)))))))
    return a * (x - log(q / a))


@cython.final
cdef class Logistic(Loss):
    """log(1 + exp(-y f)), y = -1 or 1: the log odds of the two classes (Berkson, 1944)."""

    cdef double value(self, double y, double f) noexcept nogil:
        cdef double m = y * f
        return log1p(exp(-m)) if m > 0 else log1p(exp(m)) - m

    cdef double gradient(self, double y, double f) noexcept nogil:
        return -y / (1 + exp(y * f))

    cdef double curvature(self, double y, double f) noexcept nogil:
        cdef double odds = exp(-fabs(y * f))
        return y * y * odds / ((1 + odds) * (1 + odds))

    cdef double weight(self, double y, double f, double eps) noexcept nogil:
        # log cosh is concave in its argument's square (Jaakkola and Jordan, 1997)
        cdef double m = fabs(y * f), odds = exp(-m)
        return y * y * ((1 - odds) / ((1 + odds) * (2 * m)) if m > 1e-4 else 0.25 - m * m / 48)

    cdef double conjugate(self, double y, double g) noexcept nogil:
        cdef double a = -g / y if y != 0 else 0.5
        if not -ULP <= a <= 1 + ULP or y == 0 and g != 0:
            return INFINITY
        return (a * log(a) if a > 0 else 0.0) + ((1 - a) * log1p(-a) if a < 1 else 0.0)

    cdef double slack(self, double y, double f, double g) noexcept nogil:
        # the relative entropy of the two probabilities (a, 1 - a) and (q, 1 - q)
        cdef double m = y * f, a = -g / y if y != 0 else 0.5, q
        if not -ULP <= a <= 1 + ULP or y == 0 and g != 0:
            return INFINITY
        if m < 0:  # the two classes change places, so that q <= 1/2 is known to its last digit
            m, a = -m, 1 - a
        if a <= 0:
            return log1p(exp(-m))
        if a >= 1:
            return m + log1p(exp(-m))
        if m > 30:  # q may be zero, but nothing cancels that would show
            return max(0.0, a * (m + log(a)) + (1 - a) * log1p(-a) + log1p(exp(-m)))
        q = 1 / (1 + exp(m))
        return divergence(a, q) + divergence(1 - a, 1 - q)

    cdef void expand(self, double y, double f, double *out) noexcept nogil:
        cdef double m = y * f, odds = exp(-fabs(m)), q = 1 / (1 + odds)
        out[0] = log1p(odds) if m > 0 else log1p(odds) - m
        out[1] = -y * (odds * q if m > 0 else q)
        out[2] = y * y * odds * q * q

    cdef void expand_all(self, Py_ssize_t n, const double *y, const double *f, double *value, double *gradient,
                         double *curvature) noexcept nogil:
        l1l2fast_logistic(n, y, f, value, gradient, curvature)

    def responses(self):
        """The values that y may take, None for any number."""
        return -1.0, 1.0


__all__ = ["Loss"] + sorted(c.__name__ for c in Loss.__subclasses__())
