"""Lines with an L2 penalty on every coefficient and no intercept: coordinate ascent on the dual, then its exact end.

The parabola of every coefficient makes each dual point feasible that is in its box, and b follows from it. Where it is
strong, a few epochs (`_ascent`, in single precision) bring all but few rows to an end of the box, and those that stay
inside, with zero residual, give the exact solution by one factorisation as large as they are many (`_face`). With weak
penalties, or many rows inside, that is slow, as is soon seen: then the other methods take over.
"""

import numpy as np

from l1l2fast._ascent import ascend
from l1l2fast._multiplier import multiplier
from l1l2fast.result import Answer, shrunk

# Up to this many numbers in X, the exact finish alone costs less; of a sparse X, beyond it the rows are not made dense.
TINY, DENSE = 2000, 20_000_000
# Epochs at most, with another for so many columns: what the other methods cost.
EPOCHS, PER_EPOCH = 12, 15
# A gap on the way of this part of what is asked for is enough; so steady the rows inside are for the exact end.
CLOSE, STEADY = 0.5, 0.03
# Rows of the exact end: as many times those inside, and some.
WIDER, ROWS = 1.25, 30
# Rounds of the method of multipliers, where the first set of rows was not the one; trials of all that.
ROUNDS, TRIALS = 50, 3


def suits(lines):
    """Is there curvature everywhere, nothing but rows, and so many numbers that it pays?"""
    X, units = lines.problem.columns, lines.units
    if X.n * units.k <= TINY or units.held or lines.problem.method is not None or not (units.d > 0).all():
        return False
    return not X.sparse or X.n * units.k <= DENSE


def solve(problem, lines, tolerance):
    """An Answer, or None if this is not the way."""
    climb = Climb(problem, lines)
    enough = CLOSE * tolerance * problem.columns.n / lines.size
    for _trial in range(TRIALS):
        gap = climb.up(enough)
        if gap is None:
            return None
        answer = climb.certified(tolerance) if gap <= enough else None
        if answer is None or answer.gap > tolerance:
            climb.finish()
            answer = climb.certified(tolerance)
        if answer.gap <= tolerance:
            return answer
    return None


class Climb:
    """A dual point and what belongs to it, in the units of `Units`."""

    def __init__(self, problem, lines):
        self.problem, self.lines, self.units = problem, lines, lines.units
        self.W, *self.rows, self.unit = self.units.rounded(problem.columns)
        self.y, self.left, self.right = self.rows[0], *(side * self.unit for side in self.rows[1:3])
        self.psi, self.v = np.zeros(len(self.y)), np.zeros(self.units.k, dtype=np.float32)
        self.budget = EPOCHS + self.units.k / PER_EPOCH
        self.passes, self.steps = 2, 0

    def up(self, enough):
        """Epochs of coordinate ascent; the gap on the way, None if that was too slow."""
        psi = self.psi / self.unit
        over, epochs, gap = ascend(self.W, *self.rows, self.v, psi, enough / self.unit, STEADY, self.budget)
        if over or not np.isfinite(gap):
            return None
        self.psi = psi * self.unit
        self.steps += epochs
        self.sweep()
        self.beta = self.units.sums(self.theta.sum(), self.u) / self.units.d
        return gap * self.unit

    def finish(self):
        """The exact solution on the rows inside and those of small residual, the others being held where they are."""
        inside = (-self.left < self.psi) & (self.psi < self.right)
        size = np.abs(self.y - self.W @ self.v)
        room = min(int(WIDER * np.count_nonzero(inside)) + ROWS, len(size)) - 1
        inside |= size <= np.partition(size, room)[room]
        near, d, beta = np.flatnonzero(inside), self.units.d, self.beta
        Z = np.ascontiguousarray(self.units.along(self.problem.columns, near)[0].T)
        psi, rest = self.psi[near], (self.y[near], self.left[near], self.right[near])
        self.steps += multiplier(Z, *rest, psi @ Z - d * beta, d, beta, psi, ROUNDS)[1]
        more = (psi - self.psi[near]) @ Z
        self.psi[near] = psi
        self.v = (beta * np.sqrt(d / self.unit)).astype(np.float32)
        if self.units.k < len(self.u):
            self.sweep()
        else:  # these rows are all that changed
            self.theta = self.spread()
            self.u += more * self.units.root / len(self.y)

    def spread(self):
        """theta of psi."""
        return self.units.spread(self.psi, np.arange(len(self.y)), self.y)

    def sweep(self):
        """theta and X~'theta of psi."""
        self.theta = self.spread()
        self.u = self.problem.columns.sweep(self.theta)
        self.passes += 1

    def certified(self, tolerance):
        """The answer so far."""
        problem = self.problem
        b = self.lines.coefficients(self.beta, np.append(problem.start, 0.0))[:-1]
        f = problem.columns.predict(b)
        self.passes += 1
        objective, gap, scale = problem.certify(b, f, self.theta, self.u)
        dual = shrunk(scale, self.theta, self.u)
        return Answer(b, 0.0, objective, gap, *dual, None, tolerance, self.passes, self.steps, True)
