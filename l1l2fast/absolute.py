"""Losses that are lines on either side of y (absolute, pinball): reweight, then finish exactly.

1. Identify: fits to samples of growing size, then Newton steps on all rows (`narrowing`); with L1 + L2 or bounds,
   iteratively reweighted least squares with a shrinking smoothing, one pass each. Where X is small, b = 0 will do.
   An L1 penalty alone goes its own way (`priced`); what follows is for what that leaves open.
2. Solve small: only the rows with the smallest residuals can change side; the others become
   a linear term. L1 penalties and bounds are further rows, of one nonzero.
3. Finish: the simplex method walks to an exact vertex; with an L2 term, the method of
   multipliers ends on the exact set of zero residuals.
4. Certify on all rows; rows that did change side are let in, and 2 to 4 repeat.
"""

import math

import numpy as np

from l1l2fast import ascent, enveloped, priced
from l1l2fast._irls import Reweighted
from l1l2fast._look import Look
from l1l2fast._multiplier import multiplier
from l1l2fast._objective import held, strictly_inside
from l1l2fast._simplex import simplex
from l1l2fast._units import Units
from l1l2fast._whole import whole
from l1l2fast.least_squares import Tall
from l1l2fast.narrowing import PER_COLUMN, ROWS, WIDER, Part, approach, rough, spacing, vertex, width
from l1l2fast.result import Answer, Status, shrunk
from l1l2fast.uniqueness import STRICT, is_unique

# Up to this many numbers in X, all rows are kept in the small problem.
SMALL = 20_000
# Up to this many, the exact finish starts from b = 0 or a warm start: it costs less than any help.
TINY = 2_000
# Up to this many, neither samples nor a band of them pay, unless the rows are more than that (and X is not tiny).
FEW, FEW_ROWS = 10_000, 600
# From more columns than this on, an interior point method costs less than the pivots that it saves.
WIDE = 100
# Reweightings; the smoothing is halved at each, from the mean residual of the null model.
REWEIGHTINGS = 12
# Pivots of the simplex method per column, and rounds of the method of multipliers, at most.
PIVOTS, ROUNDS = 500, 200

# Residuals of so many rows for each column say how all are spread.
SPREAD = 100
# Of more rows than this, about so many are as good as so many.
MANY = 10_000
# Residuals that are a smaller part of the largest y are rounding, and too small to be a smoothing.
RESOLVED = 1e-15
# How often rows that changed side are let in before the gap is asked.
REPAIRS = 2

# What the kernels answer.
OPTIMAL, UNBOUNDED, DEFICIENT = 0, 2, 3


def solve(problem, guess=None):
    """Minimise; returns an Answer. A `guess`, what `begin` returns, spares that its work."""
    null, level, largest, n_live = problem.sums.level()
    tolerance = problem.tol * null + 4e-16 * problem.y_size
    if null == 0 and not (problem.lower > 0).any() and not (problem.upper < 0).any():
        b, theta = np.zeros(problem.columns.p), np.zeros(problem.columns.n)  # nothing is left to fit
        return Answer(b, 0.0, 0.0, 0.0, theta, b, Status.CONVERGED, tolerance, 1, 0, None)
    if guess is None and n_live == problem.columns.n and is_tiny(problem):
        found = whole(problem.columns, problem.sums, problem.start, level, largest, STRICT, PIVOTS * problem.columns.n)
        if found is not None and found[3] <= tolerance:
            *answer, pivots = found
            return Answer(*answer, problem.verdict(0, *found[2:4], tolerance, 2), tolerance, 2, pivots, True)
    lines, best, rounds, repairs = Lines(problem, largest, n_live), None, 0, 0
    for quick in (priced, ascent, enveloped) if guess is None else ():
        answer = quick.solve(problem, lines, tolerance) if quick.suits(lines) else None
        if answer is not None and answer.gap <= tolerance:
            return answer._replace(status=problem.verdict(0, answer.objective, answer.gap, tolerance, answer.n_passes))
    b, r, passes, steps = lines.towards(*guess) if guess else begin(problem, lines, null, level)
    band = lines.first(r)
    while True:
        band, b, psi, work = lines.solve(band, b, r)
        steps += work
        look, lines.known = lines.look, None
        theta = look.judge(b, psi, band, r)
        r, u, crossed, some = look.r, look.u, look.crossed, len(band) < lines.n_live
        passes += 2
        if some and crossed.any():
            crossed &= np.abs(r) > lines.rounding(b)  # at zero, either side is the right one
        if some and repairs < REPAIRS and lines.bare and crossed.any():  # known already, and cheap to mend
            repairs += 1
            crossed[lines.nearest(r, 4 * np.count_nonzero(crossed) + ROWS + PER_COLUMN * lines.k)] = True
            band = crossed.nonzero()[0]
            continue
        objective, gap, scale = problem.sums.certify_look(b[:-1], look, theta)
        if best is None or gap < best[1]:
            unique = lines.unique(band, r, b, psi, theta) if gap <= tolerance else None
            best = objective, gap, b, *shrunk(scale, theta, u), unique
        status = problem.verdict(rounds, objective, best[1], tolerance, passes)
        rounds += 1
        if status is None and not some:
            status = Status.MAX_ITER  # nothing is left to let in: this is what the arithmetic gives
        if status is not None:
            objective, gap, b, theta, u, unique = best
            return Answer(b[:-1], float(b[-1]), objective, gap, theta, u, status, tolerance, passes, steps, unique)
        crossed[band] = True
        crossed[lines.nearest(r, 2 * len(band))] = True
        band = crossed.nonzero()[0]


def is_tiny(problem):
    """Is there nothing but rows, and are they so few that one call costs less than any step?"""
    few = problem.columns.n * (problem.columns.p + 1) <= TINY and not problem.bounded
    return few and problem.method is None and not any(problem.penalty.elastic())


def begin(problem, lines, null, level):
    """A rough solution: b with the intercept last, its residuals, passes, steps."""
    p = problem.columns.p
    if lines.k == 0:
        return np.append(problem.start, 0.0), lines.y, 0, 0
    if problem.method == "irls" or problem.columns.n * (p + 1) > TINY and not lines.bare:
        return reweight(problem, null)
    b = np.empty(p + 1)
    b[:p], b[p] = problem.start, level
    return lines.sampled(b) if lines.bare else (b, problem.y, 0, 0)  # all rows of a small problem are the band


def reweight(problem, null):
    """IRLS with a shrinking smoothing; returns what `begin` does."""
    p, extra = problem.columns.p, int(problem.intercept)
    b, factor = np.zeros(p + extra), np.zeros(p + extra)
    lower, upper = np.empty(p + extra), np.empty(p + extra)
    lower[p:], upper[p:] = -np.inf, np.inf
    b[:p], factor[:p], lower[:p], upper[:p] = problem.start, problem.factor, problem.lower, problem.upper
    fit = Reweighted(problem.columns, problem.loss, problem.penalty, problem.y, problem.weight, factor, lower, upper, b)
    if len(b) == 0 or null == 0:
        return np.append(b, [0.0] * (1 - extra)), problem.y, 0, 0
    # in a small problem the exact finish is cheap, and so a rough start will do
    steps = REWEIGHTINGS if problem.columns.n * len(b) > SMALL else REWEIGHTINGS // 2
    eps = null
    # a good warm start is kept by starting near the end of the schedule, a bad one dropped
    if problem.started and problem.start.any():
        first = fit.measure()
        if first < null:
            eps, steps = first / 2 ** (steps - 2), 2
        else:
            b[:] = np.clip(0.0, lower, upper)
    fit.run(eps, 0.5, steps, 1e-6)
    return (b if extra else np.append(b, 0.0)), fit.residual, steps + 1, steps


class Lines:
    """The small problem: lines and parabolas over a band of rows, in the units of `_units`."""

    def __init__(self, problem, largest, n_live):
        self.problem, self.n_live, self.gam, self.radius = problem, n_live, 0.0, None
        self.ahead = 0.0  # of beta, where rows that stay on their side need not follow
        self.look, self.known = Look(problem.columns, problem.sums), None
        self.size = math.ldexp(0.5, math.frexp(largest or 1.0)[1])
        used = problem.sums.movable()
        self.shorten, self.gone = None, used[:0]
        self.y, self.free = problem.y, False
        if len(used) < problem.columns.p:
            rest = problem.start.copy()
            rest[used] = 0.0
            self.y = problem.y - problem.columns.predict(rest)
            idle = (problem.square == 0) & (problem.lower < problem.upper)
            self.free = bool((idle & (problem.factor * sum(problem.penalty.elastic()) == 0)).any())
        self.use(used)

    def use(self, used):
        """Set up the units and curvatures of the columns that take part; the others stay as they are."""
        problem = self.problem
        slopes, elastic = problem.loss.slopes(), problem.penalty.elastic()
        self.units = Units(problem.sums, self.y, self.size, slopes, *elastic, used)
        self.k = self.units.k
        self.room = max(1000, 10 * self.k)
        self.bare = self.is_bare()

    def is_bare(self):
        """Is there nothing but rows, and so many that it pays to look at few of them?"""
        k, method = self.k, self.problem.method
        if k == 0 or self.units.held or method == "irls":
            return False
        if method == "interior" and not self.units.curved:
            return True
        # with few rows for the columns, samples say little; where curvature holds these, the finish does without
        many = TINY if self.n_live > FEW_ROWS else FEW
        return self.n_live > (1 if self.units.curved else 3) * k and self.n_live * k > many

    def part(self, rows):
        """These rows as a problem of their own."""
        share = len(rows) / self.n_live
        return Part(*self.units.along(self.problem.columns, rows), np.zeros(self.k), share * self.units.d)

    def sampled(self, b):
        """What `begin` returns, from samples."""
        beta = self.units.inner(b)
        size, self.gam, steps, h = rough(self, beta)
        if size == 0:
            self.room = self.n_live
            return b, self.y, 0, 0
        self.room = width(self.n_live, self.k, size)
        b = self.coefficients(beta, b)
        if h > RESOLVED * self.size and (found := self.near(b, h)):
            b, r, newtons = found
            return b, r, 1 + newtons, steps + newtons
        f = self.problem.columns.predict(b[:-1])
        return b, self.problem.sums.residual(f, b[-1]), 1, steps

    def towards(self, b, r, passes, steps):
        """The same from a guess; r may be None."""
        if self.bare:
            rows = np.arange(0, len(self.y), 1 + len(self.y) // (SPREAD * self.k))
            part = self.part(rows)
            h = self.size * spacing(part.y - self.units.inner(b) @ part.Z, self.n_live, self.k)
            if h > RESOLVED * self.size and (found := self.near(b, h)):
                b, r, newtons = found
                return b, r, passes + 1 + newtons, steps + newtons
        if r is None:
            r = self.problem.sums.residual(self.problem.columns.predict(b[:-1]), b[-1])
        return b, r, passes, steps

    def near(self, b, h):
        """What `approach` does from b: b, r and Newton steps; remembers that theta and its sums go with r."""
        found = approach(self, b, h)
        if not found:
            return None
        b, self.ahead, self.radius, error, steps = found
        r = self.known = self.look.r
        self.gam = error / (WIDER * self.size)
        return b, r, steps

    def first(self, r):
        """The rows that may change side on the way from the rough solution."""
        near = () if self.radius is None else self.look.near(r, self.radius)
        return near if len(near) > self.k else self.nearest(r, self.room)

    def nearest(self, r, room):
        """The rows with the smallest residuals, of positive weight."""
        weight = self.problem.weight
        if len(r) * self.k <= SMALL or room >= self.n_live:
            return weight.nonzero()[0]
        size = np.abs(r)
        if self.n_live < len(r):
            size[weight == 0] = np.inf
        sample = size if room < MANY else size[:: len(r) // MANY]  # about as many will do
        last = room * len(sample) // len(r)
        return (size <= np.partition(sample, last)[last] * (1 + 1e-9)).nonzero()[0]  # ties stay together

    def pull(self, band, r, Z=None):
        """The linear term that the rows outside the band leave behind; Z (k, m) are those inside, if at hand."""
        if len(band) == self.n_live:
            return np.zeros(self.k)
        if Z is not None and self.known is r:  # outside of the band, theta is what r says
            look = self.look
            return Z @ (len(r) * look.theta[band]) - self.units.sums(look.total, look.u)
        side = self.units.spread(np.zeros(len(band)), band, r)
        return -self.units.sums(side.sum(), self.problem.columns.sweep(side))

    def solve(self, band, b, r):
        """The exact solution with the rows outside the band, widened if need be, kept on the side that r says."""
        work = 0
        while True:
            beta, self.ahead = self.units.inner(b) + self.ahead, 0.0
            if self.bare:
                part = self.part(band)
                part = part._replace(c=self.pull(band, r, part.Z), d=self.units.d)
                self.small = part.Z.T, *part[1:4]
                psi, self.basis = np.zeros(len(band)), np.empty(self.k, dtype=np.intp)
                inner = not self.units.curved and (self.k > WIDE or self.problem.method == "interior")
                status, done = vertex(part, beta, self.basis, psi, PIVOTS * (self.k + 10), self.gam, inner)
                self.basis = None if self.units.curved else self.basis
                self.gam = 0.0
            else:
                Z, y, left, right = self.small = self.units.system(self.problem.columns, band)
                psi, c = np.zeros(len(y)), self.pull(band, r)
                status, done = self.finish(Z, y, left, right, c, beta, psi)
            work += done
            if status in (UNBOUNDED, DEFICIENT) and len(band) < self.n_live:
                band = self.nearest(r, 4 * len(band))
            elif status == DEFICIENT and len(self.units.used):
                self.drop_dependent()
            else:
                return band, self.coefficients(beta, b), psi, work

    def finish(self, Z, y, left, right, c, beta, psi):
        """Run the exact kernel of this case."""
        self.basis = None
        if self.k == 0:
            psi[:] = np.where(y > 0, right, -left)
            return OPTIMAL, 0
        if self.units.curved:
            return multiplier(Z, y, left, right, c, self.units.d, beta, psi, ROUNDS)
        self.basis = np.empty(self.k, dtype=np.intp)
        return simplex(Z, y, left, right, c, beta, self.basis, psi, PIVOTS * (self.k + 10))

    def coefficients(self, beta, b):
        """b from beta; columns that were dropped are not in it."""
        b = b.copy()
        b[self.gone] = 0.0
        self.units.coefficients(beta, b)
        if not self.shorten:
            return b
        short = self.shorten(b)
        # with columns on scales far apart, a shorter b may be one that does not fit
        moved = self.problem.columns.predict(short[:-1] - b[:-1])[self.problem.weight > 0]
        return short if np.abs(moved).max() <= 1e-13 * self.size else b

    def drop_dependent(self):
        """Keep an independent subset of the columns that no unit and no curvature holds."""
        used, d = self.units.used, self.units.d
        bare = np.setdiff1d(np.flatnonzero(d[: len(used)] == 0), self.units.owners)
        tall = Tall(self.problem, used[bare], np.zeros(self.problem.columns.p))
        rank = min(tall.rank, len(bare) - 1)
        gone = tall.live[tall.pivot[rank:]]
        self.gone = np.union1d(self.gone, gone)
        if tall.shortest is not None:
            self.shorten = tall.shorten
        self.use(np.setdiff1d(used, gone))

    def rounding(self, b):
        """Residuals up to this size are zero."""
        return 1e-13 * self.size * (1 + np.abs(self.units.inner(b)).sum())

    def unique(self, band, r, b, psi, theta):
        """Is b the only minimiser? See `uniqueness`."""
        if len(self.gone) or self.free:
            return False
        Z, y, left, right = self.small
        # no row of the basis, which is nonsingular, can leave zero; or no coefficient can move without curvature
        if self.basis is not None and strictly_inside(psi, left, right, self.basis, STRICT):
            return True
        if self.basis is None and held(Z, psi, left, right, self.units.d, STRICT):
            return True
        residual = y - Z @ self.units.inner(b)
        zero = (np.abs(r) <= 1e-12 * self.size) & (self.problem.weight > 0)
        residual[: len(band)][zero[band]] = 0.0
        zero[band] = False
        if zero.any():  # these rows, outside the band, hold b too
            rows = zero.nonzero()[0]
            more, _, *sides = self.units.along(self.problem.columns, rows)
            left, right = np.append(left, sides[0]), np.append(right, sides[1])
            Z, psi = np.vstack([Z, more.T]), np.append(psi, len(r) * theta[rows])
            residual = np.append(residual, np.zeros(len(rows)))
        return is_unique(Z, residual, psi, left, right, self.units.d)
