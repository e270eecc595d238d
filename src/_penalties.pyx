"""Penalties: functions of one coefficient b.

A new penalty is one class in this file with the methods listed in ``_penalties.pxd``;
tests, stubs and the documentation find it through ``Penalty.__subclasses__()``.
"""
cimport cython
from libc.math cimport INFINITY, fabs, pow, sqrt

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
        cdef double slope = self.derivative(1e-300)
        return slope if slope > 1e-290 else 0.0  # less is the curvature's share: there is no kink

    def separable(self):
        """Whether the penalty is a sum over coefficients; `Group` is not."""
        return True

    def convex(self):
        """Whether pen is convex, so that an answer carries a duality gap."""
        return True

    def threshold(self, double step):
        """The largest |z| whose prox(z, step) is 0."""
        return step * self.kink()

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


@cython.final
cdef class MCP(Penalty):
    """alpha |b| - b^2 / (2 gamma) up to |b| = gamma alpha, then constant: large coefficients go free (Zhang, 2010)."""
    cdef readonly double alpha
    cdef readonly double gamma

    limits = {"gamma": (1.0, INFINITY)}

    def __init__(self, double alpha=1.0, double gamma=3.0):
        self.alpha = alpha
        self.gamma = gamma

    cdef double value(self, double b) noexcept nogil:
        cdef double size = fabs(b)
        if size / self.gamma < self.alpha:
            return size * (self.alpha - size / (2 * self.gamma))
        return self.gamma * self.alpha * self.alpha / 2

    cdef double prox(self, double z, double step) noexcept nogil:
        # firm thresholding (Gao and Bruce, 1997); from step = gamma on, the quadratic is concave: hard thresholding
        cdef double size = fabs(z), bend = 1 - step / self.gamma
        if bend <= 0:
            return z if size > self.alpha * sqrt(step * self.gamma) else 0.0
        if size <= step * self.alpha:
            return 0.0
        if size / self.gamma >= self.alpha:
            return z
        return sign(z) * max(size - step * (self.alpha - size / self.gamma) / bend, 0.0)

    cdef double derivative(self, double b) noexcept nogil:
        return sign(b) * max(self.alpha - fabs(b) / self.gamma, 0.0)

    cdef double curvature(self, double b) noexcept nogil:
        return -1 / self.gamma if fabs(b) / self.gamma < self.alpha else 0.0

    cdef bint smooth(self, double b) noexcept nogil:
        return b != 0 and fabs(b) / self.gamma != self.alpha

    def threshold(self, double step):
        """The largest |z| whose prox(z, step) is 0."""
        return step * self.alpha if step < self.gamma else self.alpha * sqrt(step * self.gamma)

    def convex(self):
        """False: an answer is stationary, and carries no proof that it is the best."""
        return False


@cython.final
cdef class SCAD(Penalty):
    """alpha |b| whose slope falls from |b| = alpha to 0 at gamma alpha: large ones go free (Fan and Li, 2001)."""
    cdef readonly double alpha
    cdef readonly double gamma

    limits = {"gamma": (2.0, INFINITY)}

    def __init__(self, double alpha=1.0, double gamma=3.7):
        self.alpha = alpha
        self.gamma = gamma

    cdef double value(self, double b) noexcept nogil:
        cdef double size = fabs(b), over = size - self.alpha
        if over <= 0:
            return self.alpha * size
        if size / self.gamma < self.alpha:
            return self.alpha * size - over * over / (2 * (self.gamma - 1))
        return self.alpha * self.alpha * (self.gamma + 1) / 2

    cdef double prox(self, double z, double step) noexcept nogil:
        cdef double size = fabs(z), bend = 1 - (1 + step) / self.gamma
        if size / self.gamma >= self.alpha:
            # past the bend z itself is a minimum; where the bend is concave, what shrinks less may cost more
            if bend > 0 or size > self.alpha * (1 + step):
                return z
            return z if size > self.alpha * self.lead(step) else soft_threshold(z, step * self.alpha)
        if bend <= 0 or size <= self.alpha * (1 + step):
            return soft_threshold(z, step * self.alpha)
        return sign(z) * (size - step * (self.alpha - size / self.gamma) / bend)

    cdef double lead(self, double step) noexcept nogil:
        # for step >= gamma - 1: the |z| / alpha at which z costs as much as its soft threshold
        return sqrt(step * (self.gamma + 1)) if step > self.gamma + 1 else (self.gamma + 1 + step) / 2

    cdef double derivative(self, double b) noexcept nogil:
        cdef double size = fabs(b)
        if size <= self.alpha:
            return self.alpha * sign(b)
        return sign(b) * max(self.alpha - size / self.gamma, 0.0) * (self.gamma / (self.gamma - 1))

    cdef double curvature(self, double b) noexcept nogil:
        return -1 / (self.gamma - 1) if fabs(b) > self.alpha and fabs(b) / self.gamma < self.alpha else 0.0

    cdef bint smooth(self, double b) noexcept nogil:
        return b != 0 and fabs(b) != self.alpha and fabs(b) / self.gamma != self.alpha

    def threshold(self, double step):
        """The largest |z| whose prox(z, step) is 0."""
        return self.alpha * (self.lead(step) if step > self.gamma + 1 else step)

    def convex(self):
        """False: an answer is stationary, and carries no proof that it is the best."""
        return False


@cython.final
cdef class Lq(Penalty):
    """alpha |b|^q with 0 < q < 1, between L1 and L0 (Frank and Friedman, 1993; Xu et al., 2012, for q = 1/2)."""
    cdef readonly double alpha
    cdef readonly double q

    limits = {"q": (0.01, 0.99)}

    def __init__(self, double alpha=1.0, double q=0.5):
        self.alpha = alpha
        self.q = q

    cdef double value(self, double b) noexcept nogil:
        return self.alpha * pow(fabs(b), self.q)

    cdef double prox(self, double z, double step) noexcept nogil:
        # b + c q b^(q - 1) = z: its larger root, to which Newton's method falls from z since the left side is convex
        cdef double size = fabs(z), c = step * self.alpha, b = size, pull, new
        if size <= self.jump(c) or size == 0:
            return 0.0
        while True:
            pull = c * self.q * pow(b, self.q - 1)
            new = b - (b - size + pull) / (1 - (1 - self.q) * pull / b)
            if not new < b * (1 - 2e-16):
                return sign(z) * b
            b = new

    cdef double jump(self, double c) noexcept nogil:
        # the |z| at which b and 0 cost the same
        cdef double b = pow(2 * c * (1 - self.q), 1 / (2 - self.q))
        return b + c * self.q * pow(b, self.q - 1) if b > 0 else 0.0

    cdef double derivative(self, double b) noexcept nogil:
        return sign(b) * self.alpha * self.q * pow(fabs(b), self.q - 1) if b != 0 else 0.0

    cdef double curvature(self, double b) noexcept nogil:
        return -self.alpha * self.q * (1 - self.q) * pow(fabs(b), self.q - 2) if b != 0 else 0.0

    def threshold(self, double step):
        """The largest |z| whose prox(z, step) is 0."""
        return self.jump(step * self.alpha)

    def kink(self):
        """The derivative of pen at 0+: slopes up to it leave a coefficient at zero."""
        return INFINITY if self.alpha > 0 else 0.0

    def convex(self):
        """False: an answer is stationary, and carries no proof that it is the best."""
        return False


@cython.final
cdef class L0(Penalty):
    """alpha for every b that is not 0: best subset selection, no shrinkage (Beale, Kendall and Mann, 1967)."""
    cdef readonly double alpha

    def __init__(self, double alpha=1.0):
        self.alpha = alpha

    cdef double value(self, double b) noexcept nogil:
        return self.alpha if b != 0 else 0.0

    cdef double prox(self, double z, double step) noexcept nogil:
        return z if fabs(z) > sqrt(2 * step * self.alpha) else 0.0

    def threshold(self, double step):
        """The largest |z| whose prox(z, step) is 0."""
        return sqrt(2 * step * self.alpha)

    def kink(self):
        """The derivative of pen at 0+: slopes up to it leave a coefficient at zero."""
        return INFINITY if self.alpha > 0 else 0.0

    def convex(self):
        """False: an answer is stationary, and carries no proof that it is the best."""
        return False


__all__ = ["Penalty"] + sorted(c.__name__ for c in Penalty.__subclasses__())
