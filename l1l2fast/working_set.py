"""Working sets of the squared loss: the few columns that a solution may use, and how to move on them.

A point is a strength t of the penalty with an answer there: b, g = X~'(w r) for every column and
energy = |r|_w^2. The last two points tell where the next ones lie, since b and g are piecewise
linear in t. A set is asked to `extend` itself by columns, to `drop` some, and to `walk` along
decreasing strengths; columns outside of it stay at zero.
"""

from typing import NamedTuple

import numpy as np

from l1l2fast._cd import residual_epochs, slopes
from l1l2fast._several import reaching
from l1l2fast._walk import walk

# With so few columns all of them make the working set at once: one Gram, one solve, one check.
SMALL = 200
# Epochs over one working set, at most; and multiplications in one call of a compiled loop, so that Ctrl-C is heard.
MOST, WORK = 20_000, 5e8
# A column whose slope, carried on this far along the line through the last two points, comes within this part
# of its kink is let in.
AHEAD, NEAR = 1.15, 0.98
# In residual form, an epoch over all columns is followed by one over the support, and by so many over its restless
# columns, those that still move by this part of the largest move; |x_j change_j| is the size of a move.
AGAIN, RESTLESS = 10, 0.2
# How much a pass may move b, in units of the gap that is asked for: the gap is of first order, the move of second.
STILL = 0.03
# At its end, those columns are calmed that are so far over their kink as this part of the one that is furthest.
OVER = 0.3
# From so many numbers on, a Gram matrix is formed where X lies, if its means allow.
FIT = 1 << 16
# Epochs that the Gram matrix of a sparse working set costs, for each of its columns.
PRICE = 0.15
NONE, NOWHERE = np.empty((0, 0)), np.empty(0, dtype=np.intp)


class Point(NamedTuple):
    """An answer at one strength of the penalty."""

    strength: float
    b: np.ndarray
    r: np.ndarray
    theta: np.ndarray
    g: np.ndarray
    energy: float

    @property
    def line(self):
        """What a compiled walk wants to know."""
        return self.strength, self.b, self.g, self.energy


class WorkingSet:
    """Columns `which`, their coefficients free to move, those of the others zero."""

    def __init__(self, problem):
        self.problem = problem
        self.which = NOWHERE
        self.epochs = 0

    def __len__(self):
        return len(self.which)

    def extend(self, new):
        """Let columns in that are not there yet."""
        self.which = np.concatenate([self.which, new])

    def drop(self, keep):
        """Let those columns go that a mask over all columns does not keep."""
        self.which = self.which[keep[self.which]]

    def outside(self, mask):
        """Indices of a mask over all columns, without those that are in."""
        known = np.zeros(len(mask), dtype=bool)
        known[self.which] = True
        return np.flatnonzero(mask & ~known)

    def spread(self, row):
        """b over all columns from b on `which`."""
        b = np.zeros(self.problem.columns.p)
        b[self.which] = row
        return b

    def wanted(self, before, point, strength, room):
        """Columns off the support that the penalty at this strength would not hold at zero: a mask, the `room` best."""
        problem = self.problem
        line, bound, ahead = point.g, max(2 * strength - point.strength, 0.8 * strength), 0.0
        if before is not None:
            line, bound = before.g, NEAR * strength
            ahead = AHEAD * (point.strength - strength) / (before.strength - point.strength)
        box = problem.square, problem.factor, problem.lower, problem.upper
        mask, merit = reaching(point.b, point.g, line, ahead, bound * problem.penalty.kink(), *box)
        if len(merit) > room:
            new = np.flatnonzero(mask)
            mask[new[np.argpartition(merit, len(new) - room)[: len(new) - room]]] = False
        return mask


class GramSet(WorkingSet):
    """With the Gram matrix G of its columns, formed once: a move costs no more than the set is large.

    A matrix of all columns may be given, which then are in.
    """

    def __init__(self, problem, gram=None):
        super().__init__(problem)
        self.root = np.sqrt(problem.weight)
        self.G, self.work = NONE, np.empty(0)
        if gram is not None:
            self.which, self.G = np.arange(len(gram), dtype=np.intp), gram

    def extend(self, new):
        """Let columns in that are not there yet."""
        known = len(self.which)
        self.which = np.concatenate([self.which, new]) if known else new
        size = len(self.which)
        if size > len(self.G):
            room = min(size + size // 2, self.problem.columns.p) if known else size
            G, self.G = self.G, np.empty((room, room))
            if known:
                self.G[:known, :known] = G[:known, :known]
        if size > known:
            X = self.problem.columns
            near = known == 0 and X.n * size > FIT and X.near(self.which, self.problem.square)
            X.gram(self.which, self.root, self.G, known, near)

    def drop(self, keep):
        """Let those columns go that a mask over all columns does not keep."""
        stay = np.flatnonzero(keep[self.which])
        self.G[: len(stay), : len(stay)] = self.G[stay[:, None], stay]
        super().drop(keep)

    def walk(self, before, point, strengths, enough, budget):
        """Solve along `strengths`, from two points on.

        Returns
        -------
        rows : sequence of ndarray
            b on `which` at each strength; fewer than asked if the last one's work passed the budget.
        stuck : bool
            Whether it did.
        """
        k = len(self.which)
        if len(self.work) < k * k + 16 * k:
            self.work = np.empty(int(1.2 * k) ** 2 + 17 * k)
        B, self.sizes = np.empty((len(strengths), k)), np.empty((2, len(strengths)))
        points = before and before.line, point.line, strengths
        ends = enough, budget, MOST, self.work
        epochs, done = walk(self.problem.sums, self.G, self.which, *points, B, self.sizes, *ends)
        self.epochs += epochs
        return B[: done + 1], done < len(strengths)


class ResidualSet(WorkingSet):
    """Without a Gram matrix: each move reads its column of X and changes the residual."""

    fall = 0.0  # a set is left, at the latest, when an epoch moves b by this part of what the first one did
    here = 0  # epochs at the present strength

    def walk(self, before, point, strengths, enough, budget):
        """Solve along `strengths`, from two points on; as `GramSet.walk`, the budget in epochs."""
        problem, rows, stuck = self.problem, [], False
        last, now = before and (before.strength, before.b, before.theta), (point.strength, point.b, point.theta)
        for t in strengths:
            b, v = self.predict(last, now, t)
            self.here = self.here if t == point.strength else 0
            stuck = self.descend(t * problem.factor, v, b, STILL * enough, budget)
            rows.append(b[self.which])
            last, now = now, (t, b, v)
            if stuck:
                break
        if problem.columns.sparse:
            self.calm(t * problem.factor, v, b)
            rows[-1] = b[self.which]
        return rows, stuck

    def predict(self, last, now, t):
        """b and w r on the line through the last two, at t; what would change sign or cross a bound stops there."""
        problem, (strength, b, v) = self.problem, now
        if last is None or last[0] <= strength or problem.columns.sparse:  # on sparse data, it saved no pass
            return b.copy(), v.copy()
        ahead = (strength - t) / (last[0] - strength)
        there = b + ahead * (b - last[1])
        kept = np.where(b * there > 0, there, 0.0)
        if problem.bounded:
            kept = np.clip(kept, problem.lower, problem.upper)
        v = v + ahead * (v - last[2])
        if (kept != there).any():
            v += problem.weight * problem.columns.predict(there - kept)
        return kept, v

    def descend(self, factor, v, b, still, budget):
        """Passes over the columns, most of them over a few alone, until one moves b by `still`. Were there too many?"""
        moved, enough, largest, stuck = np.inf, still, 0.0, False
        while moved > enough and not stuck:
            moved = self.passes(self.which, factor, v, b)
            enough, largest = max(enough, self.fall * moved) if largest == 0 else enough, max(largest, moved)
            epochs = 1
            if moved > enough:
                epochs += self.settle(factor, v, b, max(enough / 2, 0.01 * moved))
            self.epochs, self.here = self.epochs + epochs, self.here + epochs
            # below that part of its largest move, an epoch that should still gain moves by rounding
            bought = self.here > budget and self.epochs > PRICE * len(self.which)
            stuck = moved > still and (bought or moved <= 1e-30 * largest)
        return stuck

    def settle(self, factor, v, b, still):
        """Passes over the support, then over its restless columns; returns how many passes over all that costs."""
        support = self.which[b[self.which] != 0]
        moved = self.passes(support, factor, v, b)
        if moved <= still:
            return 1
        old = b[support]
        moved = self.passes(support, factor, v, b)
        sizes = self.problem.square[support] * (b[support] - old) ** 2
        restless = support[sizes > RESTLESS**2 * sizes.max(initial=0.0)]
        self.passes(restless, factor, v, b, max(still, 0.1 * moved), AGAIN)
        return 2 + AGAIN * len(restless) // len(self.which)

    def calm(self, factor, v, b):
        """Passes over the columns furthest over their kink, few of them long: gaps are as large as the largest."""
        over = np.abs(slopes(self.problem.columns, self.which, v)) - factor[self.which] * self.problem.penalty.kink()
        self.passes(self.which[over > OVER * max(over.max(initial=0.0), 0.0)], factor, v, b, most=3)

    def passes(self, which, factor, v, b, still=0.0, most=1):
        """Epochs over these columns, until one moves b by no more than `still`; returns how much the last one did."""
        X, w, limits = self.problem.columns, self.problem.weight, (self.problem.lower, self.problem.upper)
        square, penalty = self.problem.square, self.problem.penalty
        return residual_epochs(X, which, w, v, b, square, penalty, factor, *limits, still, most)[1]
