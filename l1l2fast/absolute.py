"""Losses that are lines on either side of y (absolute, later pinball): reweight, then finish exactly.

1. Identify: iteratively reweighted least squares with a shrinking smoothing; one pass each.
2. Solve small: only the rows with the smallest residuals can change side; the others become
   a linear term. L1 penalties and bounds are further rows, of one nonzero.
3. Finish: the simplex method walks to an exact vertex; with an L2 term, the method of
   multipliers ends on the exact set of zero residuals.
4. Certify on all rows; rows that did change side are let in, and 2 to 4 repeat.
"""

import math

import numpy as np

from l1l2fast._irls import Reweighted
from l1l2fast._multiplier import multiplier
from l1l2fast._objective import strictly_inside
from l1l2fast._simplex import simplex
from l1l2fast.least_squares import Tall
from l1l2fast.result import Answer, Status
from l1l2fast.uniqueness import is_unique

# Up to this many numbers in X, all rows are kept in the small problem.
SMALL = 20_000
# Reweightings; the smoothing is halved at each, from the mean residual of the null model.
REWEIGHTINGS = 12
# Pivots of the simplex method per column, and rounds of the method of multipliers, at most.
PIVOTS, ROUNDS = 500, 200

# What the kernels answer.
OPTIMAL, UNBOUNDED, DEFICIENT = 0, 2, 3


def solve(problem):
    """Minimise; returns an Answer."""
    null = null_objective(problem)
    tolerance = problem.tol * null + 4e-16 * problem.y_size
    if null == 0 and not (problem.lower > 0).any() and not (problem.upper < 0).any():
        b, theta = np.zeros(problem.columns.p), np.zeros(problem.columns.n)  # nothing is left to fit
        return Answer(b, 0.0, 0.0, 0.0, theta, b, Status.CONVERGED, tolerance, 1, 0, None)
    b, r, passes, steps = reweight(problem, null)
    lines, best, rounds = Lines(problem), None, 0
    band = lines.nearest(r, lines.room)
    while True:
        band, b, psi, work = lines.solve(band, b, r)
        steps += work
        f = problem.columns.predict(b[:-1]) + b[-1]
        sides, r = np.sign(r), problem.y - f
        theta = lines.spread(psi, band, sides)
        u = problem.columns.sweep(theta)
        passes += 2 + (len(band) < lines.n_live)
        objective, gap, scale = problem.certify(b[:-1], f, theta, u)
        if best is None or gap < best[1]:
            unique = lines.unique(band, r, b, psi) if gap <= tolerance else None
            best = objective, gap, b, scale * theta, scale * u, unique
        status = problem.verdict(rounds, objective, best[1], tolerance, passes)
        rounds += 1
        if status is None and len(band) == lines.n_live:
            status = Status.MAX_ITER  # nothing is left to let in: this is what the arithmetic gives
        if status is not None:
            objective, gap, b, theta, u, unique = best
            return Answer(b[:-1], float(b[-1]), objective, gap, theta, u, status, tolerance, passes, steps, unique)
        band = np.union1d(lines.nearest(r, 2 * len(band)), np.union1d(band, np.flatnonzero(np.sign(r) != sides)))


def null_objective(problem):
    """The objective at b = 0 with the best intercept, a weighted median of y."""
    y, weight = problem.y, problem.weight
    if not problem.intercept:
        return float(weight @ np.abs(y))
    if weight.max() * len(y) < 1 + 1e-12:  # equal weights
        middle = np.partition(y, len(y) // 2)[len(y) // 2]
    else:
        order = np.argsort(y)
        middle = y[order[np.searchsorted(np.cumsum(weight[order]), 0.5)]]
    return float(weight @ np.abs(y - middle))


def reweight(problem, null):
    """IRLS with a shrinking smoothing: b with the intercept last, its residuals, passes, steps."""
    p, extra = problem.columns.p, int(problem.intercept)
    b, factor = np.zeros(p + extra), np.zeros(p + extra)
    lower, upper = np.empty(p + extra), np.empty(p + extra)
    lower[p:], upper[p:] = -np.inf, np.inf
    b[:p], factor[:p], lower[:p], upper[:p] = problem.start, problem.factor, problem.lower, problem.upper
    fit = Reweighted(problem.columns, problem.loss, problem.penalty, problem.y, problem.weight, factor, lower, upper, b)
    if len(b) == 0 or null == 0:
        return np.append(b, [0.0] * (1 - extra)), problem.y, 0, 0
    # in a small problem the exact finish is cheap, and so a rough start will do
    size = problem.columns.n * len(b)
    steps = REWEIGHTINGS if size > SMALL else REWEIGHTINGS // 2 if size > SMALL // 10 else REWEIGHTINGS // 4
    eps = null
    if (
        problem.started and problem.start.any()
    ):  # a good warm start is kept by starting near the end of the schedule, a bad one dropped
        first = fit.measure()
        if first < null:
            eps, steps = first / 2 ** (steps - 2), 2
        else:
            b[:] = np.clip(0.0, lower, upper)
    fit.run(eps, 0.5, steps, 1e-6)
    return (b if extra else np.append(b, 0.0)), fit.residual, steps + 1, steps


class Lines:
    """The small problem: lines and parabolas over a band of rows, in units of order 1.

    beta_j = b_j / scale_j are the coefficients of the columns `used`, the intercept last; the
    objective is in units of size / n. L1 penalties and bounds are `units`: rows of one nonzero,
    beta_owner = snap / scale, that cost left and right of it.
    """

    def __init__(self, problem):
        X, self.problem = problem.columns, problem
        self.size = math.ldexp(0.5, math.frexp(float(np.abs(problem.y).max()) or 1.0)[1])
        self.root = np.sqrt(problem.square)
        self.weight = problem.weight * X.n
        self.n_live = int(np.count_nonzero(self.weight))
        self.slopes = problem.loss.slopes()
        self.left, self.right = self.slopes[0] * self.weight, self.slopes[1] * self.weight
        self.shorten, self.gone = None, np.zeros(0, dtype=np.intp)
        self.y, self.free = problem.y, False
        used = (self.root > 0) & (problem.lower < problem.upper)
        if not used.all():
            self.y = problem.y - X.predict(np.where(used, 0.0, problem.start))
            self.free = bool(((self.root == 0) & (problem.lower < problem.upper) & (problem.factor == 0)).any())
        self.use(used.nonzero()[0])

    def use(self, used):
        """Set up the units and curvatures of the columns that take part; the others stay as they are."""
        problem, extra = self.problem, int(self.problem.intercept)
        self.used, self.k = used, len(used) + extra
        self.room = max(1000, 10 * self.k)
        self.scale = np.empty(self.k)
        self.scale[len(used) :] = self.size
        np.divide(self.size, self.root[used], out=self.scale[: len(used)])
        scale = self.scale[: len(used)]
        l1, l2 = problem.penalty.elastic()
        price = problem.factor[used] * scale * (problem.columns.n / self.size)
        self.d, self.curved = np.zeros(self.k), False
        if l2 > 0:
            self.d[: len(used)] = l2 * scale * price
            self.curved = bool(self.d.any())
        if l1 == 0 and not problem.bounded:
            self.owner = np.empty(0, dtype=np.intp)
            self.snap = self.unit_left = self.unit_right = np.empty(0)
            return
        # beyond this price a coefficient is zero whatever the rows say: |z_j'psi| <= sum of the weights
        l1 = np.minimum(l1 * price, 2.0 * problem.columns.n * max(self.slopes))
        lower, upper = problem.lower[used], problem.upper[used]
        kink, low, high = np.flatnonzero(l1 > 0), np.flatnonzero(lower > -np.inf), np.flatnonzero(upper < np.inf)
        self.owner = np.concatenate([kink, low, high])
        self.snap = np.concatenate([np.zeros(len(kink)), lower[low], upper[high]])
        none, forever = np.zeros(len(low)), np.full(len(high), np.inf)
        self.unit_left = np.concatenate([l1[kink], none, forever])
        self.unit_right = np.concatenate([l1[kink], np.full(len(low), np.inf), np.zeros(len(high))])

    def nearest(self, r, room):
        """The rows with the smallest residuals, of positive weight."""
        n = len(r)
        if n * self.k <= SMALL or room >= self.n_live:
            return self.weight.nonzero()[0]
        size = np.where(self.weight > 0, np.abs(r), np.inf)
        return np.sort(np.argpartition(size, room)[:room])

    def system(self, band):
        """Rows Z, their y and slopes: the band, then the units."""
        problem, m, k = self.problem, len(band), len(self.used)
        whole = m == problem.columns.n
        Z = np.zeros((m + len(self.owner), self.k))
        rows = problem.columns.rows(slice(None) if whole else band)
        np.divide(rows if k == rows.shape[1] else rows[:, self.used], self.root[self.used], out=Z[:m, :k])
        Z[:m, k:] = 1.0
        if whole and len(self.owner) == 0:
            return Z, self.y / self.size, self.left, self.right
        Z[m + np.arange(len(self.owner)), self.owner] = 1.0
        y = self.y[band] / self.size
        return (
            Z,
            np.concatenate([y, self.snap / self.scale[self.owner]]),
            np.concatenate([self.left[band], self.unit_left]),
            np.concatenate([self.right[band], self.unit_right]),
        )

    def pull(self, band, r):
        """The linear term that the rows outside the band leave behind."""
        c = np.zeros(self.k)
        if len(band) < self.n_live:
            side = self.spread(np.zeros(len(band)), band, np.sign(r))
            c[: len(self.used)] = -self.problem.columns.sweep(side)[self.used] / self.root[self.used]
            c[len(self.used) :] = -side.sum()
            c *= len(r)
        return c

    def spread(self, psi, band, sides):
        """theta over all rows: psi in the band, the slope of their side elsewhere."""
        theta = np.where(sides > 0, self.right, -self.left) if len(band) < self.n_live else np.zeros(len(sides))
        theta[band] = psi[: len(band)]
        theta /= len(sides)
        # divided, a slope may be one unit in the last place beyond what it was made of
        left, right = self.slopes
        return np.minimum(np.maximum(theta, -left * self.problem.weight), right * self.problem.weight)

    def solve(self, band, b, r):
        """The exact solution with the rows outside the band, widened if need be, kept on the side that r says."""
        work = 0
        while True:
            Z, y, left, right = self.small = self.system(band)
            beta = self.inner(b)
            psi = np.zeros(len(y))
            status, done = self.finish(Z, y, left, right, self.pull(band, r), beta, psi)
            work += done
            if status == UNBOUNDED and len(band) < self.n_live:
                band = self.nearest(r, 4 * len(band))
            elif status == DEFICIENT and len(self.used):
                self.drop_dependent()
            else:
                return band, self.coefficients(beta, y[len(band) :], b), psi, work

    def finish(self, Z, y, left, right, c, beta, psi):
        """Run the exact kernel of this case."""
        self.basis = None
        if self.k == 0:
            psi[:] = np.where(y > 0, right, -left)
            return OPTIMAL, 0
        if self.curved:
            status, work = multiplier(Z, y, left, right, c, self.d, beta, psi, ROUNDS)
            balance(Z[:, self.d == 0], psi, left, right, c[self.d == 0])
            return status, work
        self.basis = np.empty(self.k, dtype=np.intp)
        return simplex(Z, y, left, right, c, beta, self.basis, psi, PIVOTS * (self.k + 10))

    def inner(self, b):
        """beta from b."""
        beta = np.empty(self.k)
        beta[: len(self.used)] = b[self.used]
        beta[len(self.used) :] = b[-1]
        return beta / self.scale

    def coefficients(self, beta, targets, b):
        """b from beta: exactly zero or on its bound where a unit's residual is rounding."""
        new = b.copy()
        new[self.gone] = 0.0
        part = (beta * self.scale)[: len(self.used)]
        if len(self.owner):
            at = np.abs(beta[self.owner] - targets) <= 1e-14 * (1 + np.abs(beta).max())
            part[self.owner[at]] = self.snap[at]
        new[self.used] = part
        if self.problem.bounded:
            new[:-1] = np.clip(new[:-1], self.problem.lower, self.problem.upper)
        new[-1] = beta[-1] * self.scale[-1] if self.problem.intercept else 0.0
        return self.shorten(new) if self.shorten else new

    def drop_dependent(self):
        """Keep an independent subset of the columns that no unit and no curvature holds."""
        bare = np.setdiff1d(np.flatnonzero(self.d[: len(self.used)] == 0), self.owner)
        tall = Tall(self.problem, self.used[bare], np.zeros(self.problem.columns.p))
        rank = min(tall.rank, len(bare) - 1)
        gone = tall.live[tall.pivot[rank:]]
        self.gone = np.union1d(self.gone, gone)
        if tall.shortest is not None:
            self.shorten = tall.shorten
        self.use(np.setdiff1d(self.used, gone))

    def unique(self, band, r, b, psi):
        """Is b the only minimiser? See `uniqueness`."""
        if self.shorten or self.free:
            return False
        if self.basis is not None and strictly_inside(psi, *self.small[2:], self.basis, 1e-9):
            return True  # the basis is nonsingular, and no row of it can leave zero
        Z, y, left, right = self.small
        residual = y - Z @ self.inner(b)
        residual[: len(band)][np.abs(r[band]) <= 1e-12 * self.size] = 0.0
        return is_unique(Z, residual, psi, left, right, self.d)


def balance(Z, psi, left, right, c):
    """Move psi, strictly inside its box only, by what rounding left of Z'psi = c; in place."""
    off = c - psi @ Z
    if off.any():
        inside = np.flatnonzero((psi > -left) & (psi < right))
        step = np.linalg.lstsq(Z[inside].T, off, rcond=None)[0]
        psi[inside] = np.clip(psi[inside] + step, -left[inside], right[inside])
