"""Squared loss: a working set with a cached Gram, or one factorisation where nothing has a kink.

Every round does four things: identify the columns that matter, solve the small problem they
make, go back to the data for a fresh residual, certify. Notation as in `problem`; r = y - X~b
is centred, so that the intercept is 0 in these units; g = X~'(w r).
"""

import numpy as np

from l1l2fast import _objective
from l1l2fast._cd import residual_epochs
from l1l2fast._newton import solve_quadratic
from l1l2fast.least_squares import least_squares
from l1l2fast.result import Answer, Status

# A Gram of this many columns (128 MB) is the largest that is formed.
MAX_GRAM = 4000
# With so few columns all of them make the working set at once: one Gram, one solve, one check.
SMALL = 200
# Multiplications in one call of a compiled loop, so that Ctrl-C is heard within a second.
WORK = 5e8


def solve(problem):
    """Minimise; returns an Answer."""
    elastic = problem.penalty.elastic()
    if elastic is not None and not problem.bounded and (elastic[0] == 0 or not problem.factor.any()):
        return least_squares(problem, elastic[1] * problem.factor)
    return working_set(problem)


def null_objective(problem):
    """The objective at b = 0 and its value at the rounding of y."""
    return float(problem.weight @ (problem.y * problem.y)) / 2, (4e-16 * problem.y_size) ** 2 / 2


def working_set(problem):
    """Grow a set of columns until the others certify that they are not needed."""
    X, y, weight = problem.columns, problem.y, problem.weight
    null, rounding = null_objective(problem)
    tolerance = problem.tol * null + rounding
    b, r, g, passes = problem.start, y, problem.slope, 1
    if b.any():
        r, g = refresh(problem, b)
        passes += 1
    known = Gram(problem)
    score = np.empty(X.p)
    epochs = rounds = 0
    best = None
    while True:
        theta = weight * r
        gap, scale = problem.certify(b, y - r, theta, g)
        objective = problem.objective(b, y - r)
        improved = best is None or objective < best.objective or gap < best.gap
        if best is None or gap <= best.gap:
            best = Answer(b, 0.0, objective, gap, scale * theta, scale * g, None, passes, epochs, None)
        status = problem.verdict(rounds, objective, best.gap, tolerance, passes)
        if status is None and rounds > 20 and not improved:
            status = Status.MAX_ITER  # the arithmetic is exhausted
        if status is not None:
            return finish(problem, best, status, passes, epochs)
        _objective.violation(problem.penalty, b, g, problem.square, problem.factor, problem.lower, problem.upper, score)
        aim = 0.01 * min(problem.tol, 1e-3) ** 2 * null
        aim = max(aim, 1e-6 * (gap / null) ** 2 * null if null > 0 and np.isfinite(gap) else 0.0, 1e-33 * null)
        which = identify(b, score, X.p)
        b = b.copy()
        if known.wanted(len(which)):
            epochs += known.solve(which, b, g, aim)
        else:
            epochs += sweep_residual(problem, which, b, theta.copy(), aim, known)
        r, g = refresh(problem, b)
        passes += 1
        rounds += 1


def finish(problem, best, status, passes, epochs):
    """Close the books: counters, status, and uniqueness where it is free to tell."""
    elastic = problem.penalty.elastic()
    curved = elastic is not None and elastic[1] > 0 and bool((problem.factor > 0).all())
    if status is Status.STOPPED or best.gap > 0:
        unique = True if curved else None
    else:
        unique = True if curved else None
    return Answer(best.b, best.intercept, best.objective, best.gap, best.theta, best.u, status, passes, epochs, unique)


def refresh(problem, b):
    """A fresh residual and its correlations: two readings of the support, one pass over X."""
    r = problem.y - problem.columns.predict(b)
    if problem.intercept:
        r -= problem.weight @ r
    return r, problem.columns.sweep(problem.weight * r)


def identify(b, score, p):
    """Support and the worst offenders, at most as many as are in the support already (or SMALL)."""
    if p <= SMALL:
        return np.arange(p, dtype=np.intp)
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
        sparse = hasattr(self.problem.columns.owner, "tocsc")
        return size <= (SMALL if sparse else MAX_GRAM)

    def extend(self, which):
        """Make self.G cover the given columns; self.which is their order in it."""
        gone = ~np.isin(self.which, which)
        if np.count_nonzero(gone) > len(which):
            self.which = self.which[:0]
        new = which[~np.isin(which, self.which)]
        known, size = len(self.which), len(self.which) + len(new)
        if size > len(self.G):
            G = np.empty((size, size))
            G[:known, :known] = self.G[:known, :known]
            self.G = G
        self.which = np.concatenate([self.which, new])
        self.problem.columns.gram(self.which, self.root, self.G, known)

    def solve(self, which, b, g, aim):
        """Minimise over the working set in place; returns the number of epochs."""
        self.extend(which)
        problem, W = self.problem, self.which
        q, part = g[W], b[W]
        box = problem.factor[W], problem.lower[W], problem.upper[W]
        calls = max(1, int(WORK / (len(W) + 1) ** 2))
        epochs = 0
        while epochs < 100_000:
            moved, done, _ = solve_quadratic(self.G, q, part, problem.penalty, *box, aim, calls)
            epochs += done
            if moved <= aim:
                break
        b[W] = part
        return epochs


def sweep_residual(problem, which, b, v, aim, known):
    """Passes over the working set without a Gram, then a finish on the support if that is small."""
    X = problem.columns
    args = problem.weight, v, b, problem.square, problem.penalty, problem.factor, problem.lower, problem.upper
    epochs = 0
    limit = 5 if len(which) <= MAX_GRAM else 100
    for _ in range(limit):
        done, moved = residual_epochs(X, which, *args, aim, 1)
        epochs += done
        if moved <= aim:
            return epochs
        which = which[b[which] != 0] if len(which) > MAX_GRAM and epochs % 5 else which
    support = np.flatnonzero(b).astype(np.intp)
    if 0 < len(support) <= MAX_GRAM:
        r, g = refresh(problem, b)
        epochs += known.solve(support, b, g, aim)
    return epochs
