"""Squared loss: a working set with a cached Gram, or one factorisation where nothing has a kink.

Every round does four things: identify the columns that matter, solve the small problem they
make, go back to the data for a fresh residual, certify. Notation as in `problem`; r = y - X~b
is centred, so that the intercept is 0 in these units; g = X~'(w r).
"""

import numpy as np

from l1l2fast._cd import residual_epochs
from l1l2fast._newton import solve_quadratic
from l1l2fast._objective import violation
from l1l2fast.least_squares import least_squares, scale_of
from l1l2fast.result import Answer, Status

# A Gram of this many columns (128 MB) is the largest that is formed.
MAX_GRAM = 4000
# With so few columns all of them make the working set at once: one Gram, one solve, one check.
SMALL = 200
# Passes over one working set, at most.
MOST = 20_000
# Multiplications in one call of a compiled loop, so that Ctrl-C is heard within a second.
WORK = 5e8


def solve(problem):
    """Minimise; returns an Answer."""
    elastic = problem.penalty.elastic()
    if elastic is not None and not problem.bounded and (elastic[0] == 0 or not problem.factor.any()):
        return least_squares(problem, elastic[1] * problem.factor)
    return working_set(problem)


def working_set(problem):
    """Grow a set of columns until the others certify that they are not needed."""
    y, weight = problem.y, problem.weight
    null, tolerance = scale_of(problem)
    b, theta, g, passes = problem.start, weight * y, problem.slope, 1
    r = y
    if problem.started and b.any():
        r, theta, g = refresh(problem, b)
        passes += 1
    gram = Gram(problem)
    best, epochs, rounds, idle = None, 0, 0, 0
    while True:
        objective, gap, scale = problem.certify(b, y - r, theta, g)
        if best is None or gap < 0.5 * best[1] or objective < best[0]:
            idle = 0
        else:
            idle += 1
        if best is None or gap <= best[1]:
            best = objective, gap, scale, b, theta, g
        status = problem.verdict(rounds, objective, best[1], tolerance, passes)
        if status is None and idle > 3:
            status = Status.MAX_ITER  # this is what the arithmetic gives
        if status is not None:
            objective, gap, scale, b, theta, g = best
            return Answer(
                b, 0.0, objective, gap, scale * theta, scale * g, status, tolerance, passes, epochs, curved(problem)
            )
        which, b = identify(problem, b, g), b.copy()
        epochs += solve_small(gram, which, b, g, theta, aim(problem.tol, gap, null, len(b)))
        r, theta, g = refresh(problem, b)
        passes += 1
        rounds += 1


def aim(tol, gap, null, p):
    """How little a pass over the working set should still move, in units of the objective.

    The gap is of first order in the coefficients' error and the move of second, hence the squares.
    With few columns in all, the Newton steps finish to rounding for nothing.
    """
    if null == 0 or p <= SMALL:
        return 1e-31 * null
    return null * max(1e-2 * min(tol, 1e-3) ** 2, 1e-6 * min(1.0, gap / null) ** 2, 1e-31)


def curved(problem):
    """True if the penalty makes the objective strictly convex, so that the optimum is the only one; else None."""
    elastic = problem.penalty.elastic()
    return True if elastic is not None and elastic[1] > 0 and bool((problem.factor > 0).all()) else None


def refresh(problem, b):
    """A fresh residual, its dual point and correlations: the support is read, then X once."""
    r, theta = problem.columns.residual(problem.y, problem.weight, b, problem.intercept)
    return r, theta, problem.columns.sweep(theta)


def identify(problem, b, g):
    """Support and the worst offenders, at most as many as are in the support already (or SMALL / 2)."""
    if len(b) <= SMALL:
        return np.arange(len(b), dtype=np.intp)
    score = np.empty(len(b))
    violation(problem.penalty, b, g, problem.square, problem.factor, problem.lower, problem.upper, score)
    inside = b != 0
    outside = np.where(inside, 0.0, score)
    room = max(SMALL // 2, np.count_nonzero(inside))
    candidates = np.flatnonzero(outside > 0)
    if len(candidates) > room:
        candidates = candidates[np.argpartition(outside[candidates], -room)[-room:]]
    return np.concatenate([np.flatnonzero(inside), np.sort(candidates)]).astype(np.intp)


class Gram:
    """The Gram matrix of the working set, extended as columns come in, rebuilt when most have left."""

    def __init__(self, problem):
        self.problem = problem
        self.root = np.sqrt(problem.weight)
        self.which = np.empty(0, dtype=np.intp)
        self.G = np.empty((0, 0))

    def wanted(self, size):
        """Is a Gram of that many columns worth its memory and its flops?"""
        return size <= (SMALL if self.problem.columns.sparse else MAX_GRAM)

    def extend(self, which):
        """Make self.G cover the given columns; self.which is their order in it."""
        new = which
        if len(self.which):
            gone = len(self.which) - np.count_nonzero(np.isin(self.which, which))
            if gone > len(which) or gone + len(which) > MAX_GRAM:
                self.which = self.which[:0]
            else:
                new = which[~np.isin(which, self.which)]
        known, size = len(self.which), len(self.which) + len(new)
        if size > len(self.G):
            G, self.G = self.G, np.empty((size, size))
            if known:
                self.G[:known, :known] = G[:known, :known]
        self.which = np.concatenate([self.which, new]) if known else new
        self.problem.columns.gram(self.which, self.root, self.G, known)

    def solve(self, which, b, g, aim):
        """Minimise over the working set in place; returns the number of epochs."""
        self.extend(which)
        problem, W = self.problem, self.which
        q, part, box = g.copy(), b, (problem.factor, problem.lower, problem.upper)
        if len(W) < len(b) or len(b) > SMALL:
            q, part, box = g[W], b[W], [bound[W] for bound in box]
        calls = max(1, int(WORK / (len(W) + 1) ** 2))
        epochs, done = 0, calls
        while done == calls and epochs < MOST:
            _, done, _ = solve_quadratic(self.G, q, part, problem.penalty, *box, aim, calls)
            epochs += done
        if part is not b:
            b[W] = part
        return epochs


def solve_small(gram, which, b, g, theta, aim):
    """Minimise over the columns `which` in place, in Gram form if that is affordable; returns the epochs."""
    if gram.wanted(len(which)):
        return gram.solve(which, b, g, aim)
    problem, v, epochs, moved = gram.problem, theta.copy(), 0, np.inf
    rest = problem.weight, v, b, problem.square, problem.penalty, problem.factor, problem.lower, problem.upper
    while epochs < (5 if len(which) <= MAX_GRAM else 100) and moved > aim:
        done, moved = residual_epochs(problem.columns, which, *rest, aim, 1)
        epochs += done
    support = np.flatnonzero(b).astype(np.intp)
    if moved > aim and 0 < len(support) <= MAX_GRAM:
        epochs += gram.solve(support, b, refresh(problem, b)[2], aim)
    return epochs
