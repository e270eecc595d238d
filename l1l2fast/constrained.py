"""The penalty as a constraint: the strength at which the penalised answer lies on its edge.

    minimise  sum_i w_i l(y_i, f_i)   subject to   pen(b) <= bound

With a multiplier a >= 0, the penalised problem bounds this one from below: whatever b is in there,

    sum w l >= min (sum w l + a pen) - a bound,   so that   P - D = (gap at strength a) + a (bound - pen(b)).

pen(b(a)) falls as a grows; a bracket of two answers, outside and inside, is narrowed until the point between them
that is surely inside passes with that gap. A loss of straight lines jumps from one vertex to the next at the a
where both are optimal, which the tangents of the dual at the two ends point at.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from l1l2fast.problem import EPS
from l1l2fast.result import Answer, Status, shrunk

# Solves, at most; how much nearer an answer is asked to be than the constrained one; a step that comes so near to an
# end of the bracket halves it instead.
SOLVES, SHARE, NEAR = 100, 0.05, 1e-12
TINY = 1e-300


class End(NamedTuple):
    """An answer at strength a: its prediction, and pen(b) at strength 1."""

    a: float
    answer: Answer
    f: np.ndarray
    size: float

    @property
    def loss(self):
        """The objective without the penalty."""
        return self.answer.objective - (self.a * self.size if self.a > 0 else 0.0)


def solve(problem, bound, method):
    """Minimise under pen(b) <= bound; returns an Answer and the multiplier a. `method` solves penalised problems."""
    search = Search(problem, bound, method)
    if bound == 0:
        return search.nothing(), np.inf
    low = search.end(0.0, problem.start)
    if low.size <= bound:
        return search.done(low.answer._replace(objective=low.loss)), 0.0
    null = search.nothing()
    # by convexity, loss(0) >= loss(b) + a pen(b)
    top = max(null.objective - low.loss + low.answer.gap, 0.0) / bound
    high = search.end(top, null.b)
    while high.size > bound:  # by rounding
        high = search.end(2 * high.a, null.b)
    return search.close(low, high)


def size_of(problem, b):
    """pen(b) at strength 1."""
    if not problem.penalty.separable():
        return problem.sums.layout.penalty(b)
    l1, l2 = problem.penalty.elastic()
    return float(problem.factor @ (l1 * np.abs(b) + l2 * b * b / 2))


class Search:
    """Counts what it takes."""

    def __init__(self, problem, bound, method):
        self.problem, self.bound, self.method = problem, bound, method
        self.passes = self.epochs = 0
        self.tolerance = None
        # what falls nearly along a line as a grows: |b|_1, or 1 / |b|_2
        l1, l2 = problem.penalty.elastic() if problem.penalty.separable() else (1.0, 1.0)  # a norm bends as l2 does
        self.steep = l1 == 0
        self.straight = problem.loss.slopes() is not None and l1 > 0 and l2 == 0

    def run(self, problem):
        """Solve one, closely."""
        answer = self.method(replace(problem, tol=SHARE * problem.tol))
        self.passes, self.epochs = self.passes + answer.n_passes, self.epochs + answer.n_iter
        if self.tolerance is None:
            self.tolerance = answer.tolerance / SHARE
        return answer

    def end(self, a, b):
        """The answer at strength a, from b on."""
        problem = self.problem
        answer = self.run(replace(problem, factor=a * problem.factor, start=b, started=True))
        return End(a, answer, self.predict(answer), size_of(problem, answer.b))

    def predict(self, answer):
        """f in the units of the solver."""
        f = self.problem.columns.predict(answer.b) + answer.intercept
        return f if self.problem.offset is None else f + self.problem.offset

    def nothing(self):
        """The answer whose penalised coefficients are zero, or as near to it as bounds allow."""
        problem = self.problem
        held, still = problem.factor > 0, np.clip(0.0, problem.lower, problem.upper)
        lower, upper = np.where(held, still, problem.lower), np.where(held, still, problem.upper)
        start, factor = np.where(held, still, problem.start), np.where(held, 0.0, problem.factor)
        rest = {"start": start, "started": True, "bounded": True}
        return self.done(self.run(replace(problem, factor=factor, lower=lower, upper=upper, **rest)))

    def done(self, answer):
        """With the totals, and what was asked for."""
        totals = {"n_passes": self.passes, "n_iter": self.epochs, "tolerance": self.tolerance}
        if answer.status is Status.MAX_ITER and answer.gap <= self.tolerance:
            totals["status"] = Status.CONVERGED
        return answer._replace(**totals)

    def close(self, low, high):
        """Narrow the bracket until the gap is small enough."""
        best, weights, last = None, (1.0, 1.0), None
        for _ in range(SOLVES):
            for found in (self.between(low, high, end) for end in (low, high)):
                best = found if best is None or found[0].gap < best[0].gap else best
            stopped = Status.STOPPED in (low.answer.status, high.answer.status)
            if best[0].gap <= self.tolerance or stopped or high.a - low.a <= EPS * high.a:
                break
            middle = self.end(self.next(low, high, weights), high.answer.b)
            inside = middle.size <= self.bound
            low, high = (low, middle) if inside else (middle, high)
            # the same side again: the other end, which did not move, counts for less
            weights = (1.0, 1.0) if inside != last else (weights[0] / 2, 1.0) if inside else (1.0, weights[1] / 2)
            last = inside
        status = Status.CONVERGED if best[0].gap <= self.tolerance else Status.STOPPED if stopped else Status.MAX_ITER
        return self.done(best[0]._replace(status=status)), best[1]

    def next(self, low, high, weights):
        """A strength inside of the bracket."""
        if self.straight:
            a = (high.loss - low.loss) / max(low.size - high.size, TINY)
        else:
            outside, inside = weights[0] * self.height(low.size), weights[1] * self.height(high.size)
            a = (low.a * inside - high.a * outside) / min(inside - outside, -TINY) if inside > -np.inf else low.a
        width = NEAR * (high.a - low.a)
        return a if low.a + width < a < high.a - width else (low.a + high.a) / 2

    def height(self, size):
        """How far outside an answer is, on a scale on which it falls nearly along a line."""
        if not self.steep:
            return size - self.bound
        return self.bound**-0.5 - size**-0.5 if size > 0 else -np.inf

    def between(self, low, high, end):
        """The point of the bracket that convexity puts inside, certified by one end's dual point; its multiplier."""
        part, b, size = self.inside(low, high)
        f = high.f + part * (low.f - high.f)
        problem = replace(self.problem, factor=end.a * self.problem.factor)
        objective, gap, scale = problem.certify(b, f, end.answer.theta, end.answer.u)
        theta, u = shrunk(scale, end.answer.theta, end.answer.u)
        level = high.answer.intercept + part * (low.answer.intercept - high.answer.intercept)
        gap += end.a * (self.bound - size)
        answer = end.answer._replace(b=b, intercept=level, objective=objective - end.a * size, theta=theta, u=u)
        return answer._replace(gap=gap, unique=None), end.a

    def inside(self, low, high):
        """How far to go from the end inside to the other: the part, b and pen(b) there."""
        step, width = low.answer.b - high.answer.b, low.size - high.size
        for margin in (0.0, 4 * EPS, 64 * EPS, 1e-12, 1e-9):  # rounding may not take it outside
            part = max(self.bound * (1 - margin) - high.size, 0.0) / width if width > 0 else 0.0
            b = high.answer.b + part * step
            size = size_of(self.problem, b)
            if size <= self.bound:
                return part, b, size
        return 0.0, high.answer.b, high.size
