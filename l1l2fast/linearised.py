"""Penalties that are not convex beside any loss: their tangents, one weighted L1 problem after the other.

    minimise  sum_i w_i l(y_i, c + x~_i'b) + sum_j factor_j pen'(|b_j now|) |b_j|

A penalty that is concave in |b| lies below its tangent, so that every step lowers the objective (Zou and Li, 2008),
and each is as exact as the solver of the loss: for the absolute loss, a vertex. Where pen' is infinite at 0 (L0, Lq)
zero coefficients stay zero: several strengths of the lasso make the starts, and then columns are left out, let in and
exchanged, each trial a fit on a few columns.
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from l1l2fast import bounds
from l1l2fast._nonconvex import residuals, tangents
from l1l2fast.penalties import L1
from l1l2fast.result import Answer, Status

# Strengths of the lasso where zero coefficients stay zero, each HALF of the one before.
STARTS, HALF = 10, 0.5
# Tangents from one start on; those from each of several.
TANGENTS, FEW = 100, 10
# Fits to a few columns that may look for a better support.
TRIALS = 60
# What lowers the objective by less, relative to the null model's, is rounding.
CLEAR = 1e-12


class Point(NamedTuple):
    """What a weighted L1 problem gave, with the objective of the penalty itself."""

    b: np.ndarray
    level: float
    u: np.ndarray
    objective: float
    exact: bool


def solve(problem, convex):
    """A stationary point; `convex` solves problems with an L1 penalty. Returns an Answer."""
    search = Search(problem, convex)
    point, status = search.best()
    far = search.far(point)
    if far <= search.tolerance and point.exact:
        status = Status.STATIONARY
    elif status is None:
        status = Status.MAX_ITER
    lower, theta, u = bounds.lower_bound(problem, point, convex)
    gap = max(point.objective - lower, 0.0)
    ends = status, search.tolerance, search.passes, search.steps, None, far
    return Answer(point.b, point.level, point.objective, gap, theta, u, *ends)


class Search:
    """Fits with the tangents of the penalty, counted and told to the callback."""

    def __init__(self, problem, convex):
        self.problem, self.convex = problem, convex
        self.passes, self.steps, self.rounds, self.stopped = 0, 0, 0, False
        self.locked = bool(np.isinf(problem.penalty.kink()))
        self.penalised = problem.factor > 0
        self.null = self.fit(np.where(self.penalised, np.inf, 0.0), None)
        slope = np.abs(self.null.u / problem.columns.scale)[problem.lower < problem.upper]
        size = 1.0 if problem.loss.slopes() is not None else problem.y_size
        self.tolerance = problem.tol * slope.max(initial=0.0) + bounds.rounding(problem, size)

    def fit(self, factor, start):
        """The minimum with the L1 penalty of these factors, infinite ones excluding their columns."""
        problem = self.problem
        out = np.isinf(factor) & (problem.lower <= 0) & (problem.upper >= 0)
        factor = np.where(np.isinf(factor), 0.0, factor)
        low, high = np.where(out, 0.0, problem.lower), np.where(out, 0.0, problem.upper)
        start = np.clip(np.zeros(len(factor)) if start is None else start, low, high)
        changes = {"factor": factor, "lower": low, "upper": high, "bounded": problem.bounded or bool(out.any())}
        changes |= {"start": start, "started": bool(start.any()), "tol": max(problem.tol**2, 1e-15), "callback": None}
        answer = self.convex(dataclasses.replace(problem, penalty=L1(1.0), **changes))
        self.passes += answer.n_passes
        self.steps += answer.n_iter
        loss = answer.objective - factor @ np.abs(answer.b)
        objective = loss + tangents(problem.penalty, answer.b, problem.factor)[0]
        gap = max(answer.tolerance, problem.tol * abs(answer.objective))
        return Point(answer.b, answer.intercept, answer.u, objective, answer.gap <= gap)

    def slopes(self, b):
        """The factors of the tangents at b."""
        first = np.abs(tangents(self.problem.penalty, b, self.problem.factor)[1])
        at_zero = (b == 0) & self.penalised
        first[at_zero] = self.problem.penalty.kink() * self.problem.factor[at_zero]
        return first

    def far(self, point):
        """How far the point is from stationary, on the scale of X."""
        problem = self.problem
        far = residuals(problem.penalty, point.b, point.u, problem.factor, problem.lower, problem.upper)
        return float((far / problem.columns.scale).max(initial=0.0))

    def told(self, point):
        """Count a round; a Status if the callback or max_iter end the search here."""
        told = self.problem.verdict(self.rounds, point.objective, self.far(point), -1.0, self.passes)
        self.rounds += 1
        return told

    def descend(self, point, most):
        """Tangent after tangent until nothing changes; returns the point, and a Status if that is the end of all."""
        for _ in range(most):
            status = self.told(point)
            if status is not None:
                return point, status
            new = self.fit(self.slopes(point.b), point.b)
            gain = point.objective - new.objective
            moved = gain > 0 or gain > -CLEAR * self.null.objective and self.far(new) < self.far(point)
            point = new if moved else point
            if not moved or gain <= CLEAR * self.null.objective and self.far(point) <= self.tolerance:
                break
        return point, None

    def best(self):
        """From the relaxation, or from several, the best point; and a Status if the search was ended."""
        problem = self.problem
        if not self.locked:
            given = problem.start if problem.started and problem.start.any() and not problem.bounded else None
            first = problem.penalty.kink() * problem.factor if given is None else self.slopes(given)
            return self.descend(self.fit(first, given), TANGENTS)
        best, top = self.null, np.abs(self.null.u[self.penalised]).max(initial=0.0)
        seen = set()
        for k in range(1, STARTS + 1):
            rough = self.fit(np.where(self.penalised, top * HALF**k, 0.0), None)
            support = rough.b != 0
            if support.tobytes() in seen or np.count_nonzero(support) >= problem.columns.n:
                continue
            seen.add(support.tobytes())
            point, status = self.refit(support)
            best = min(best, point, key=lambda point: point.objective)
            if status is not None:
                return best, status
        return self.exchange(best)

    def refit(self, support):
        """The fit on these columns, penalised by tangents."""
        point = self.fit(np.where(self.penalised & ~support, np.inf, 0.0), None)
        return self.descend(point, FEW)

    def exchange(self, point):
        """While one column less, one more or one for another is better, take it; then the tangents once more."""
        trials, status = TRIALS, None
        while trials > 0 and status is None:
            for support in self.neighbours(point):
                other, status = self.refit(support)
                trials -= 1
                if other.objective < point.objective - CLEAR * self.null.objective:
                    point = other
                    break
                if trials == 0 or status is not None:
                    break
            else:
                break
        return (point, status) if status is not None else self.descend(point, TANGENTS)

    def neighbours(self, point):
        """Supports that differ by one column left out, let in or exchanged, the likely ones first."""
        problem = self.problem
        size, support = np.sqrt(problem.square), point.b != 0
        movable = (size > 0) & self.penalised & (problem.lower < problem.upper)
        inside = np.flatnonzero(support & movable)
        pull = np.divide(np.abs(point.u), size, out=np.zeros(len(size)), where=movable & ~support)
        outside = np.argsort(-pull, kind="stable")[: min(3, np.count_nonzero(pull))]
        weakest = inside[np.argsort((np.abs(point.b) * size)[inside], kind="stable")]
        for i in weakest[:3]:
            yield changed(support, i)
        for j in outside:
            yield changed(support, j)
        for i in weakest:
            without = self.fit(np.where(self.penalised & ~changed(support, i), np.inf, 0.0), None)
            pull = np.divide(np.abs(without.u), size, out=np.zeros(len(size)), where=movable & ~support)
            if pull.any():
                yield changed(support, i, int(pull.argmax()))


def changed(support, *columns):
    """The support with these columns the other way round."""
    support = support.copy()
    support[list(columns)] ^= True
    return support
