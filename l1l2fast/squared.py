"""Squared loss: a working set on the way down the penalty, or one factorisation where nothing has a kink.

Wide data go down in residual form, a few passes at each strength from a point that the last two predict; a Gram
matrix of the support, or near interpolation the interior point method, then finishes what loose passes found.

Every round does four things: identify the columns that matter, solve the small problem they
make, go back to the data for a fresh residual, certify. Notation as in `problem`; r = y - X~b
is centred, so that the intercept is 0 in these units; theta = w r and g = X~'theta.
"""

import numpy as np

from l1l2fast.interior import fits, interior
from l1l2fast.least_squares import least_squares, scale_of
from l1l2fast.result import Answer, Status, shrunk
from l1l2fast.sampling import likely
from l1l2fast.working_set import NOWHERE, SMALL, GramSet, Point, ResidualSet

# A Gram of this many columns (128 MB) is the largest that is formed.
MAX_GRAM = 4000
# Columns that may come in at a time, if the support is smaller.
ROOM = 200
# Part of the penalty's strength that a round keeps, the support having fewer columns than the part CUT of the rows,
# and with more, for then the moves cost more than the passes; and that a step inside of a round keeps. Sparse data
# prefer long ones, as their passes cost as much as their moves. A step from a point for which a Gram matrix had all the
# columns is longer, by this power.
DOWN, CUT, LATE, FINE = 0.4, 0.15, 0.6, 0.77
FARTHER = 1.6
DOWN_SPARSE, FINE_SPARSE = 0.1, 0.45
# The gap asked for on the way, relative to the objective; and where columns are still missing, to the present gap.
LOOSE, MISSING = 0.03, 0.1
# With at least FEW columns and TALL rows for each, where the Gram matrix is most of the work, it starts with those
# columns whose slope is this part of their kink, unless they are MOST of all; with TALLER rows, with those that a
# sample asks for.
FEW, TALL, PROMISING, MOST, TALLER = 50, 20, 0.5, 0.6, 200
# A set is emptied of zeros when it is this many times as large as the support, and ROOM more.
SPARE = 1.5
# Work on one set, relative to the interior point's n^3, after which that takes over; and how often it may.
BUDGET, CROSSINGS = 0.3, 4
# Epochs on one set in residual form that are no reason to look for anything else.
EPOCHS = 30
# In fewer rows, moves in a Gram matrix cost less than moves of the residual.
SHORT = 200
# A round without a Gram matrix at full strength is taken to divide the gap by this, the next ones by what the last did.
REACH = 10
# What each further round at full strength leaves of the gap that is asked for, in residual form.
STRICTER = 0.01
# Part of the gap by which a round must lower the objective, or it is rounding that does.
CRAWL = 1e-5
# New columns, relative to the support, that say that many others were missing; and that some were.
MANY, SOME = 0.1, 0.01
# On sparse data, a round at full strength with some columns missing ends when an epoch moves b by this part of the
# first; one without, with this part of the tolerance in mind.
FALL, CLOSER = 0.03, 0.3


def solve(problem):
    """Minimise; returns an Answer."""
    elastic = problem.penalty.elastic()
    if elastic is not None and not problem.bounded and (elastic[0] == 0 or not problem.factor.any()):
        return least_squares(problem, elastic[1] * problem.factor)
    return descend(problem)


def descend(problem):
    """Bring the penalty down to its strength, then let columns in until the others certify that they are not needed."""
    judge, before, point = Judge(problem), None, first_point(problem)
    working = new_set(problem)
    budget, crossings, again, stuck, gap = budget_of(problem, working), 0, 0, False, np.inf
    while True:
        answer = judge(point, working.epochs)
        if answer is not None:
            return answer
        if brief(working) and point.strength == 1:
            reach = REACH if again == 0 else gap / judge.gap  # what one more round may divide the gap by
            stuck, gap = judge.gap > reach * judge.tolerance, judge.gap
        if stuck and point.strength == 1 and holds_residual(working) and crowded(problem, point):
            working, budget = gram_instead(problem, working)
        if stuck and point.strength == 1 and not holds_residual(working):
            b = cross(problem, working, point, 1e-6 * judge.objective)
            crossings += 1
            budget = np.inf if crossings == CROSSINGS else budget
            target, stuck = 1.0, False
        else:
            target = down(problem, working, point) * point.strength
            target = target if target > 1.0 + 1e-9 else 1.0
            if holds_residual(working) and (stuck or finishing(problem, point, target)):
                working, budget = firmer(problem, working, point)
            elif not holds_residual(working) and np.count_nonzero(point.b) > MAX_GRAM:
                working = ResidualSet(problem)
                budget = budget_of(problem, working)
            new = choose(problem, working, before, point, target) / max(1, np.count_nonzero(point.b))
            again += holds_residual(working) and point.strength == 1
            enough = asked(judge, working, point, again, judge.enough(point, target, new > MANY))
            if holds_residual(working) and problem.columns.sparse and point.strength == 1:
                enough, working.fall = 0.0, fall(judge, new)  # relative to the first epoch of the round
            rows, stuck = working.walk(before, point, ladder(problem, point.strength, target), enough, budget)
            b = working.spread(rows[-1])
        before, point = (point if target < point.strength else None), refresh(problem, target, b)
        judge.passes += 1


def asked(judge, working, point, again, enough):
    """The gap to ask of this set: in residual form on dense data, more with each round at full strength."""
    if brief(working) and again == 0:
        return max(enough, judge.loose(point))  # to arrive is enough
    if brief(working):  # at full strength, the gap falls with the root of what is asked
        return enough * STRICTER ** (again / 2)
    return enough


def fall(judge, new):
    """What an epoch may still move of what the first one did, to get from the gap, of first order, to the tolerance."""
    needed = (CLOSER * judge.tolerance / judge.gap) ** 2
    return max(FALL, needed) if new > SOME else needed


def first_point(problem):
    """Where the way begins: at zero, or at the warm start, with the strength that holds it there."""
    b, g = problem.start, problem.slope
    if problem.started and b.any():
        return refresh(problem, 1.0, b)
    if problem.columns.p <= SMALL:  # all columns take part from the start: no way to go
        return Point(1.0, b, problem.y, problem.weight * problem.y, g, problem.energy)
    kink = problem.penalty.kink() * problem.factor
    held = (kink > 0) & (problem.lower < problem.upper)
    steepness = np.divide(np.abs(g), kink, out=np.zeros(len(g)), where=held)
    strength = max(1.0, float(steepness.max(initial=0.0)))
    return Point(strength, b, problem.y, problem.weight * problem.y, g, problem.energy)


def refresh(problem, strength, b, n_jobs=1):
    """The point at b, with a fresh residual: the support is read, then X once."""
    return Point(strength, b, *problem.columns.fresh(problem.y, problem.weight, b, problem.intercept, n_jobs))


def new_set(problem):
    """The kind of working set that suits X; free columns need exact steps, as their slopes must vanish."""
    columns = problem.columns
    if columns.p <= SMALL:
        return GramSet(problem)
    if not columns.sparse and (not SHORT <= columns.n < columns.p or not columns.owner.flags.f_contiguous):
        return GramSet(problem)
    free = (problem.factor == 0) & (problem.square > 0) & (problem.lower < problem.upper)
    return GramSet(problem) if free.any() else ResidualSet(problem)


def budget_of(problem, working):
    """Work on one set after which something else is tried: a Gram matrix, or the interior point method."""
    if holds_residual(working):
        return EPOCHS
    return BUDGET * max(problem.columns.n, 100) ** 3 if problem.columns.p > SMALL and fits(problem) else np.inf


def holds_residual(working):
    """Does this set work without a Gram matrix?"""
    return isinstance(working, ResidualSet)


def firmer(problem, working, point):
    """The set, and its budget, that follow one in residual form whose epochs have cost as much as a Gram matrix."""
    if np.count_nonzero(point.b) > MAX_GRAM:
        return working, budget_of(problem, working)
    gram, budget = gram_instead(problem, working)
    gram.extend(np.flatnonzero(point.b))
    return gram, np.inf if problem.columns.sparse else budget


def gram_instead(problem, working):
    """An empty set with a Gram matrix in place of this one, and its budget."""
    gram = GramSet(problem)
    gram.epochs = working.epochs
    return gram, budget_of(problem, gram)


def crowded(problem, point):
    """Has it more coefficients than rows, near interpolation?"""
    return fits(problem) and np.count_nonzero(point.b) >= problem.columns.n


def brief(working):
    """Is this the residual form of a dense X, whose passes soon cost as much as a Gram matrix?"""
    return holds_residual(working) and not working.problem.columns.sparse


def finishing(problem, point, target):
    """Does one walk more with a Gram matrix, of few columns, reach the end?"""
    return target == 1 and not problem.columns.sparse and np.count_nonzero(point.b) <= ROOM


def down(problem, working, point):
    """Part of the present strength to go down to."""
    if problem.columns.sparse:
        return DOWN_SPARSE
    usual = LATE if np.count_nonzero(point.b) > CUT * problem.columns.n else DOWN
    return usual if holds_residual(working) or misses(problem, working, point) else usual**FARTHER


def misses(problem, working, point):
    """Are there columns that this point asks for, and that were not at work?"""
    over = np.abs(point.g) > (1 + 1e-6) * point.strength * problem.penalty.kink() * problem.factor
    return len(working) == 0 or len(working.outside(over)) > 0


def choose(problem, working, before, point, strength, known=NOWHERE):
    """Let the columns in that matter at this strength, and those `known` to; returns how many."""
    p = problem.columns.p
    if p <= SMALL:
        if len(working) < p:
            working.extend(promising(problem, working, point, strength))
        return 0
    active = np.count_nonzero(point.b)
    room = p if holds_residual(working) else max(ROOM, min(active, MAX_GRAM - active))
    keep = working.wanted(before, point, strength, room)
    keep |= (point.b != 0) | ((problem.factor == 0) & (problem.square > 0))
    keep[known] = True
    if len(working) > SPARE * active + ROOM:
        working.drop(keep)
    new = working.outside(keep)
    working.extend(new)
    return len(new)


def promising(problem, working, point, strength):
    """Columns to let in, of few: all of them, unless their Gram matrix would be most of the work."""
    n, p = problem.columns.n, problem.columns.p
    if p > FEW and n >= TALL * p:
        kink = strength * problem.penalty.kink() * problem.factor
        chosen = (point.b != 0) | ~(np.abs(point.g) < PROMISING * kink)
        if 0 < np.count_nonzero(chosen) <= MOST * p:
            sampled = likely(problem, strength) if n >= TALLER * p and not point.b.any() else None
            return working.outside(chosen if sampled is None else sampled)
    return working.outside(np.ones(p, dtype=bool)) if len(working) else np.arange(p, dtype=np.intp)


def ladder(problem, start, end):
    """Strengths from start, excluded, down to end, no step longer than FINE."""
    if start <= end:
        return np.array([end])
    fine = FINE_SPARSE if problem.columns.sparse else FINE
    steps = int(np.ceil(np.log(start / end) / -np.log(fine) - 1e-9))
    return np.append(np.geomspace(start, end, steps + 1)[1:-1], end)


def cross(problem, working, point, enough):
    """The interior point method from this point on; its support becomes the working set. Returns b."""
    full = np.zeros(len(point.b))
    b, which = interior(problem, point, enough)
    full[which] = b
    working.drop(full != 0)
    working.extend(working.outside(full != 0))
    return full


class Judge:
    """Certifies every point at full strength, keeps the best, and says when to stop."""

    def __init__(self, problem):
        self.problem = problem
        self.null, self.tolerance = scale_of(problem)
        self.best, self.gap, self.objective = None, np.inf, np.inf
        self.passes, self.rounds, self.idle = 1 + (problem.started and bool(problem.start.any())), 0, 0

    def __call__(self, point, epochs):
        """An Answer if this is the end."""
        problem = self.problem
        objective, gap, scale = problem.certify(point.b, problem.y - point.r, point.theta, point.g)
        better = gap < 0.5 * self.gap or self.objective - objective > CRAWL * self.gap
        self.idle = 0 if better or point.strength > 1 else self.idle + 1
        self.objective = objective
        if self.best is None or gap <= self.gap:
            self.gap, self.best = gap, (objective, point, scale)
        status = problem.verdict(self.rounds, objective, self.gap, self.tolerance, self.passes)
        if status is None and self.idle > 3:
            status = Status.MAX_ITER  # this is what the arithmetic gives
        self.rounds += 1
        if status is None:
            return None
        objective, point, scale = self.best
        theta, g = shrunk(scale, point.theta, point.g)
        ends = status, self.tolerance, self.passes, epochs, curved(problem)
        return Answer(point.b, 0.0, objective, self.gap, theta, g, *ends)

    def enough(self, point, strength, left):
        """The gap to ask of the working set at this strength."""
        if self.problem.columns.p <= SMALL:
            return 0.0  # the Newton steps finish to rounding for nothing
        if strength > 1:
            return self.loose(point)
        if left:
            return max(min(MISSING * self.gap, self.loose(point)), 0.3 * self.tolerance)
        return 0.3 * self.tolerance

    def loose(self, point):
        """The gap to ask for on the way."""
        objective = point.energy / 2 + point.strength * (self.objective - point.energy / 2)
        return max(LOOSE * objective, 0.3 * self.tolerance)


def curved(problem):
    """True if the penalty makes the objective strictly convex, so that the optimum is the only one; else None."""
    elastic = problem.penalty.elastic()
    return True if elastic is not None and elastic[1] > 0 and bool((problem.factor > 0).all()) else None
