"""The fast way along a path, for the lasso and the elastic net: alphas in batches, certified together.

The alphas of a batch are solved on one working set, each from the line through the last two answers. Then X is read
once for the residuals of all of them; the first that is not certified is the first of the next batch. The Gram matrix
of a working set serves many alphas, and is worth its price for sparse X too.
"""

import numpy as np

from l1l2fast._several import correlations, doubtful, exceeding, nearest, residuals
from l1l2fast.least_squares import scale_of
from l1l2fast.squared import MAX_GRAM, SMALL, budget_of, choose, cross, holds_residual, refresh
from l1l2fast.working_set import NOWHERE, GramSet, Point, ResidualSet

# Alphas that are solved, and certified by one pass over X, together: at first, and at most. A batch without misses is
# followed by one with so many MORE, one that ends early by hardly more than were done.
BATCH, LONG, MORE = 8, 16, 4
# Part of the tolerance that a solve may use up, and what each further attempt leaves of it.
SHARE, STRICTER = 0.6, 0.3
# Attempts at one alpha that do not halve its gap; and crossings by the interior point method, before the walk to it
# may take as long as it takes.
IDLE, CROSSINGS = 4, 2
# With so many rows for each column, and so few columns, the Gram matrix of all of them stands for X.
TALL, WHOLE = 4, 1000


class Trace:
    """The way down: the last two certified points, the working set, and what was found."""

    levels = 0.0  # the intercepts in these units

    def __init__(self, problem, n_jobs, gram=None):
        self.problem, self.n_jobs = problem, n_jobs
        self.null, self.tolerance = scale_of(problem)
        self.passes, self.stuck = 1, False
        self.attempts, self.crossings, self.idle, self.least = 0, 0, 0, np.inf  # at the present alpha
        self.missed = NOWHERE  # columns that the last batch would have needed
        self.strict = 1.0  # part of the usual accuracy that is asked of the working set
        self.found, self.memory = [], np.empty(0)
        n, p = problem.columns.n, problem.columns.p
        self.whole = n >= TALL * p and p <= WHOLE
        self.working = GramSet(problem, gram)
        self.budget = budget_of(problem, self.working)
        self.before, self.point = None, self.beginning()
        kink = problem.penalty.kink() * problem.factor
        held = (kink > 0) & (problem.lower < problem.upper)
        up, down = np.where(problem.upper > 0, self.point.g, 0.0), np.where(problem.lower < 0, -self.point.g, 0.0)
        self.top = float((np.maximum(up, down)[held] / kink[held]).max(initial=0.0))
        self.point = self.point._replace(strength=self.top)
        self.known = Known(problem) if problem.columns.sparse and p > SMALL else None
        if self.known is not None:
            self.known.put(self.point.r, self.point.g)

    @property
    def epochs(self):
        """Epochs of coordinate descent."""
        return self.working.epochs

    def beginning(self):
        """The answer under a penalty without limit: the free columns only."""
        problem = self.problem
        if self.whole or problem.columns.p <= SMALL:
            self.working.extend(self.working.outside(np.ones(problem.columns.p, dtype=bool)))
        b = problem.start
        start = Point(1.0, b, problem.y, problem.weight * problem.y, problem.slope, problem.energy)
        free = np.flatnonzero((problem.factor == 0) & (problem.lower < problem.upper) & (problem.square > 0))
        if b.any():
            start = self.refresh(1.0, b)
        if len(free) == 0:
            return start
        alone = GramSet(problem)
        alone.extend(free)
        full = b.copy()
        full[free] = alone.walk(None, start, np.ones(1), 0.0, np.inf)[0][-1]
        return self.refresh(1.0, full)

    def run(self, alphas):
        """Solve for all alphas, in batches."""
        first, size = 0, len(alphas) if self.whole else BATCH
        while first < len(alphas):
            done = self.batch(alphas[first : first + size])
            first += done
            size = min(LONG, size + MORE) if done == size else max(MORE, done + MORE // 2)

    def batch(self, alphas):
        """Solve for these, certify them; returns how many are done."""
        limited = alphas[0] > 0 and self.crossings < CROSSINGS
        if self.stuck and limited and not self.point.strength > alphas[0] and not holds_residual(self.working):
            b = cross(self.problem, self.working, self.point, 1e-7 * self.null)
            rows, alphas, self.stuck = b[None, self.working.which], alphas[:1], False
            self.crossings += 1
        else:
            if not holds_residual(self.working) and np.count_nonzero(self.point.b) > MAX_GRAM:
                epochs, self.working, self.budget = self.epochs, ResidualSet(self.problem), np.inf
                self.working.epochs = epochs
            if not self.whole:
                choose(self.problem, self.working, self.before, self.point, alphas[-1], self.missed)
                self.make_exact()
            alphas, budget = (alphas, self.budget) if limited else (alphas[:1], np.inf)
            enough = SHARE * self.tolerance * self.strict
            rows, self.stuck = self.working.walk(self.before, self.point, alphas, enough, budget)
            if self.whole and self.attempts == 0 and self.by_gram(alphas, rows):
                return len(alphas)
            rows, self.whole = rows[:LONG], False  # the other alphas come again, in batches
        look = self.look(alphas[: len(rows)], np.asarray(rows))
        for i in range(len(rows)):
            objective, gap, _ = look.certify(i)
            if gap > self.tolerance and not self.give_up(gap):
                self.tighten(gap, len(look.missed(i)))
                self.missed = look.missed()
                self.step(look, i)
                return i
            if not holds_residual(self.working):
                self.strict = 1.0
            self.attempts, self.crossings, self.idle, self.least = 0, 0, 0, np.inf
            self.found.append((*look.support(i), objective, gap))
        self.step(look, i)
        self.missed = NOWHERE
        return i + 1

    def make_exact(self):
        """Gram matrices go on from the correlations of their columns: where these were guessed, they are read."""
        if self.known is None or holds_residual(self.working):
            return
        points = [self.point] if self.before is None else [self.before, self.point]
        which, p = self.working.which, self.problem.columns.p
        G = np.empty((p, len(points)))
        correlations(self.problem.columns, which, np.stack([point.theta for point in points]), G)
        for k, point in enumerate(points):
            point.g[which] = G[which, k]

    def by_gram(self, alphas, rows):
        """Take the answers that the Gram matrix of all columns certifies, if that is confirmed."""
        problem, (energies, gaps) = self.problem, self.working.sizes
        if gaps.max() > self.tolerance or not self.confirmed(alphas[-1], rows[-1], energies[-1]):
            return False
        l1, l2 = problem.penalty.elastic()
        W = self.working.which
        for alpha, b, energy, gap in zip(alphas, rows, energies, gaps, strict=True):
            cost = alpha * problem.factor[W] @ (l1 * np.abs(b) + l2 / 2 * b * b)
            self.found.append((W[b != 0], b[b != 0], energy / 2 + cost, gap))
        return True

    def confirmed(self, alpha, row, energy):
        """Does a pass over X find the same energy, and a gap within the tolerance, for the answer at the last alpha?"""
        problem = self.problem
        last = self.refresh(alpha, self.working.spread(row))
        _, gap, _ = problem.sums.at(alpha).certify(last.b, problem.y - last.r, last.theta, last.g)
        return gap <= self.tolerance and abs(last.energy - energy) <= 1e-10 * problem.energy

    def tighten(self, gap, misses):
        """Ask for more after a gap that is too large; in residual form for all the alphas that are left."""
        if not holds_residual(self.working):
            self.strict *= STRICTER
        elif not misses or self.attempts > 1:  # there, the gap falls with the root of what is asked for
            self.strict *= min(STRICTER, STRICTER * self.tolerance / gap) ** 2

    def give_up(self, gap):
        """Is this alpha as good as it gets? Counts the attempts that did not help."""
        self.attempts += 1
        crawls = holds_residual(self.working) and not self.stuck
        self.idle = self.idle + 1 if gap > 0.5 * self.least and not crawls else 0
        self.least = min(gap, self.least)
        return self.idle > IDLE

    def step(self, look, i):
        """Go on from answer i of a batch; the one before stays if it is another strength."""
        if i > 0:
            self.point = look.point(i - 1)
        if look.strengths[i] < self.point.strength:
            self.before = self.point
        self.point = look.point(i)

    def refresh(self, strength, b):
        """The point at b, from a fresh residual."""
        self.passes += 1
        return refresh(self.problem, strength, b, self.n_jobs)

    def look(self, strengths, rows):
        """Answers on the working set's columns, from fresh residuals: X is read once for all of them."""
        self.passes += 1
        need = self.problem.columns.p * len(rows)
        if len(self.memory) < need:
            self.memory = np.empty(need)  # fresh pages would cost as much as the pass
        return Look(self.problem, strengths, self.working.which, rows, self.memory[:need], self.known, self.n_jobs)


class Known:
    """Two residuals whose correlations with all columns are known: the last ones of a batch and of the one before."""

    def __init__(self, problem):
        n, p = problem.columns.n, problem.columns.p
        self.r, self.g, self.size = np.zeros((2, n)), np.zeros((2, p)), np.sqrt(problem.square)

    def put(self, r, g):
        """The newest."""
        self.r[0], self.g[0] = self.r[1], self.g[1]
        self.r[1], self.g[1] = r, g


class Look:
    """Answers at several strengths, rows of b on the columns `which`, and their correlations with all columns.

    Those of a sparse X come from one residual, if that is enough to see that a column is held at zero by all of them.
    """

    def __init__(self, problem, strengths, which, rows, memory, known, n_jobs):
        order = np.argsort(which)
        self.problem, self.strengths, self.which, self.rows = problem, strengths, which[order], rows.take(order, 1)
        X, kink = problem.columns, problem.penalty.kink() * np.asarray(strengths)
        self.r, self.theta = residuals(X, problem.y, problem.weight, self.which, self.rows, problem.intercept)
        self.G, self.known = memory.reshape(X.p, len(rows)), known
        # the other columns are held at zero by every one of these strengths, and add nothing to a gap
        if known is None:
            X.sweep_many(self.theta.T, n_jobs, self.G)
            self.near = np.union1d(self.which, exceeding(self.G, problem.factor, kink))
        else:
            known.put(self.r[-1], X.sweep(self.theta[-1], n_jobs))
            self.C, reach = nearest(known.r, self.r, problem.weight)
            self.near = np.union1d(self.which, doubtful(known.g, self.C, reach, known.size, problem.factor, kink))
            correlations(X, self.near, self.theta, self.G)
        self.place = np.searchsorted(self.near, self.which)
        self.sums = problem.sums.part(self.near)

    def certify(self, i):
        """As `Problem.certify`."""
        b = np.zeros(len(self.near))
        b[self.place] = self.rows[i]
        u = self.G[self.near, i]
        return self.sums.at(self.strengths[i]).certify(b, self.problem.y - self.r[i], self.theta[i], u)

    def missed(self, i=slice(None)):
        """The columns that matter for answer i, or any, and are not at work."""
        problem, out = self.problem, np.setdiff1d(self.near, self.which, assume_unique=True)
        g, limit = self.G[out, i], np.multiply.outer(problem.factor[out], problem.penalty.kink() * self.strengths[i])
        up, down = ((problem.upper[out] > 0) & (g > limit).T), ((problem.lower[out] < 0) & (g < -limit).T)
        return out[np.atleast_2d(up | down).any(axis=0)]

    def support(self, i):
        """The columns of nonzero coefficients, and these."""
        b = self.rows[i]
        return self.which[b != 0], b[b != 0]

    def point(self, i):
        """Answer i on its own; what is not in `near` of its correlations is a guess, but for the last one."""
        b = np.zeros(self.problem.columns.p)
        b[self.which] = self.rows[i]
        r, theta = self.r[i], self.theta[i]
        if self.known is None:
            g = self.G[:, i].copy()
        else:
            g = self.C[0, i] * self.known.g[0] + self.C[1, i] * self.known.g[1]
            g[self.near] = self.G[self.near, i]
        return Point(float(self.strengths[i]), b, r, theta, g, float(theta @ r))
