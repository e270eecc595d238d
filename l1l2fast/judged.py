"""What a solve of a smooth loss goes through: points, the judge who certifies them, the trail that is left behind."""

from typing import NamedTuple

import numpy as np

from l1l2fast._model import dual_point, falls_on, level
from l1l2fast.parabola import Model
from l1l2fast.result import Answer, Status, shrunk
from l1l2fast.squared import curved

# A round ends when a step falls by less than this part of the gap that is asked for.
# Slopes of columns without a penalty must vanish to rounding, for which FREE stands in.
STILL, FREE = 1e-2, 1e-6
# The gap asked of a parabola: on the way down, relative to the objective; while columns are missing, to the
# gap; and then, to the fall of the last step.
LOOSE, MISSING, AHEAD = 0.03, 0.1, 0.1
# A step that goes on falling so many times its length, by so much of f: there is no minimum.
FAR, MOVES = 30.0, 1e-2


class Point(NamedTuple):
    """An answer at one strength of the penalty: b, f, theta = -w l', g = X~'theta."""

    strength: float
    b: np.ndarray
    level: float
    f: np.ndarray
    theta: np.ndarray
    g: np.ndarray
    loss: float = 0.0  # sum w l
    read: np.ndarray | None = None  # the columns whose g this is; None for all. What g says of others is older


class Trail(NamedTuple):
    """Where a solve ended, for the next one on the same data.

    The answer and, if there is one, that at another strength of the penalty, the dual point that proved it, the model,
    and the factors of the penalty.
    """

    before: Point | None
    point: Point
    dual: tuple[np.ndarray, np.ndarray]
    model: Model
    factor: np.ndarray

    @classmethod
    def behind(cls, first, judge, model):
        """The trail of a solve that began at `first`."""
        before = first if first.strength > 1 and first.b.any() else None
        return cls(before, *judge.best[1:], model, judge.problem.factor)

    def fits(self, problem):
        """Is this the same problem, but for the strength of the penalty, and the answer its start?"""
        known = self.model.problem
        data = known.columns is problem.columns and known.y is problem.y and known.weight is problem.weight
        same = known.loss == problem.loss and known.penalty == problem.penalty and known.offset is problem.offset
        same = same and known.lower is problem.lower and known.upper is problem.upper
        return data and same and problem.start is self.point.b and problem.factor.any()

    def resume(self, problem, judge):
        """The model, and the last two points with the strengths that they have beside this problem's."""
        ratio = max(1.0, float(self.factor.max() / problem.factor.max()))
        point, before = self.point._replace(strength=ratio), self.before
        self.model.follow(problem)
        judge.passes = 0
        judge.dual = shrunk(problem.certify(point.b, point.f, *self.dual)[2], *self.dual)
        return self.model, before and before._replace(strength=ratio * before.strength), point


class Judge:
    """Certifies every point at full strength, keeps the best, and says when to stop.

    On the way down it looks only if somebody watches: no such point is near the optimum.
    """

    def __init__(self, problem):
        self.problem = problem
        f = np.zeros(problem.columns.n) if problem.offset is None else problem.offset.copy()
        theta = np.empty(len(f))
        self.null, c = dual_point(problem.sums, f, theta), 0.0
        rounding = 4e-16 * problem.y_size * np.abs(theta).sum()
        if problem.intercept:
            c = level(problem.sums, f)
            self.null = dual_point(problem.sums, f, theta)
        self.at_zero = c, f, theta
        self.tolerance = problem.tol * self.null + rounding
        free = (problem.factor == 0) | (problem.penalty.growth() == 0)
        self.still = FREE if free[problem.lower < problem.upper].any() else STILL
        self.best, self.dual, self.gap, self.objective = None, None, np.inf, np.inf
        self.passes, self.rounds, self.idle, self.stricter = 1, 0, 0, 1.0

    def __call__(self, point, model):
        """An Answer if this is the end."""
        problem = self.problem
        if point.strength > 1 and problem.callback is None and self.rounds < problem.max_iter:
            self.rounds, self.objective = self.rounds + 1, point.loss
            return None
        objective, gap, dual = self.certify(point)
        self.idle = 0 if gap < 0.5 * self.gap or objective < self.objective or point.strength > 1 else self.idle + 1
        self.objective = objective
        if self.best is None or gap <= self.gap:
            self.gap, self.best = gap, (objective, point, dual)
        status = problem.verdict(self.rounds, objective, self.gap, self.tolerance, self.passes)
        if status is None and self.idle > 3:
            status = Status.MAX_ITER  # this is what the arithmetic gives
        self.rounds += 1
        if status is None:
            return None
        objective, point, (theta, g) = self.best
        if status is not Status.STOPPED and self.endless(point, model):
            status = Status.UNBOUNDED
        ends = status, self.tolerance, self.passes, model.epochs, curved(problem)
        return Answer(point.b, point.level, objective, self.gap, theta, g, *ends)

    def certify(self, point):
        """Objective, gap and the dual point that proves it: the point's own, or one on the way there from the last.

        The own one is brought back into its domain by a factor, which costs the more the larger the dual value; the
        way from a point inside may be left where it meets the first of the columns that stand in its way.
        """
        objective, gap, scale = self.problem.certify(point.b, point.f, point.theta, point.g)
        dual = shrunk(scale, point.theta, point.g)
        if self.dual is not None and scale < 1:
            t = self.problem.sums.reach(self.dual[1], point.g)
            mixed = [(1 - t) * old + t * new for old, new in zip(self.dual, (point.theta, point.g), strict=True)]
            _, other, scale = self.problem.certify(point.b, point.f, *mixed)
            if other < gap:
                gap, dual = other, shrunk(scale, *mixed)
        self.dual = dual
        return objective, gap, dual

    def endless(self, point, model):
        """Does the last step, or the intercept alone, go on falling?"""
        steps = [] if model.last is None or np.abs(model.last[1]).max() <= MOVES else [model.last]
        if abs(point.level) > FAR / 2:
            steps.append((np.zeros(len(point.b)), np.full(len(point.f), np.sign(point.level))))
        return any(falls_on(self.problem.sums, point.f, df, point.b, db, FAR) for db, df in steps)

    def loosely(self, strength, left):
        """The gap of the first parabola of a round that is good enough."""
        if strength > 1:
            return LOOSE * self.objective
        if self.still == FREE and self.idle and not left:
            return 0.0  # slopes of free columns must come down to rounding, which no gap foretells
        gap = min(self.gap, self.objective)
        return min(MISSING * gap, np.inf if left else AHEAD * self.loosened(gap))

    def loosened(self, gap):
        """What a gap of the loss means for a parabola, whose gap is of second order where the loss is a line."""
        return gap * min(1.0, gap / self.null) if self.null > 0 else 0.0

    def enough(self):
        """The fall of a step below which a round ends."""
        return self.still * self.tolerance * self.stricter
