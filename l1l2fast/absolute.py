"""Losses that are lines on either side of y (absolute, later pinball): reweight, then finish exactly.

1. Identify: iteratively reweighted least squares with a shrinking smoothing; one pass each.
2. Solve small: only the rows with the smallest residuals can change side; the others become
   a linear term. L1 penalties and bounds are further rows, of one nonzero.
3. Finish: the simplex method walks to an exact vertex; with an L2 term, the method of
   multipliers ends on the exact set of zero residuals.
4. Certify on all rows; rows that did change side are let in, and 2 to 4 repeat.
"""

import numpy as np

from l1l2fast._irls import Reweighted
from l1l2fast._multiplier import multiplier
from l1l2fast._simplex import simplex
from l1l2fast.least_squares import Tall
from l1l2fast.result import Answer, Status
from l1l2fast.uniqueness import is_unique

# Up to this many numbers in X, all rows are kept in the small problem.
SMALL = 20_000
# Reweightings; the smoothing is halved at each, down to a thousandth of the first residuals.
REWEIGHTINGS = 12
# Pivots of the simplex method per column, and rounds of the method of multipliers, at most.
PIVOTS, ROUNDS = 500, 200

# What the kernels answer.
OPTIMAL, UNBOUNDED, DEFICIENT = 0, 2, 3


def solve(problem):
    """Minimise; returns an Answer."""
    null = null_objective(problem)
    tolerance = problem.tol * null + 4e-16 * problem.y_size
    b, r, passes, steps = reweight(problem, null)
    lines, best, rounds = Lines(problem), None, 0
    band = lines.nearest(r, lines.room)
    while True:
        b, psi, work = lines.solve(band, b, r)
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
    if weight.max() == weight.min():
        middle = np.partition(y, len(y) // 2)[len(y) // 2]
    else:
        order = np.argsort(y)
        middle = y[order[np.searchsorted(np.cumsum(weight[order]), 0.5)]]
    return float(weight @ np.abs(y - middle))


def reweight(problem, null):
    """IRLS with a shrinking smoothing: b with the intercept last, its residuals, passes, steps."""
    p, extra = problem.columns.p, int(problem.intercept)
    b = np.zeros(p + extra)
    b[:p] = problem.start
    factor, lower, upper = problem.factor, problem.lower, problem.upper
    if extra:
        factor, lower, upper = np.append(factor, 0.0), np.append(lower, -np.inf), np.append(upper, np.inf)
    fit = Reweighted(problem.columns, problem.loss, problem.penalty, problem.y, problem.weight, factor, lower, upper, b)
    eps, steps = null, 0
    while eps > 0 and len(b) > 0 and steps < REWEIGHTINGS:
        fit.step(eps, 1e-6)
        eps /= 2
        steps += 1
    fit.measure()
    return (b if extra else np.append(b, 0.0)), fit.residual, steps + 1, steps


class Lines:
    """The small problem: lines and parabolas over a band of rows, in units of order 1.

    beta_j = b_j / scale_j are the coefficients of the columns `used`, the intercept last; the
    objective is in units of size / n. L1 penalties and bounds are `units`: rows of one nonzero,
    beta_owner = snap / scale, that cost left and right of it.
    """

    def __init__(self, problem):
        X, self.problem = problem.columns, problem
        self.size = 2.0 ** np.floor(np.log2(np.abs(problem.y).max() or 1.0))
        self.root = np.sqrt(problem.square)
        self.weight = problem.weight * X.n
        self.n_live = int(np.count_nonzero(self.weight))
        left, right = problem.loss.slopes()
        self.left, self.right = left * self.weight, right * self.weight
        self.shorten, self.gone = None, np.zeros(0, dtype=np.intp)
        self.free = bool(((self.root == 0) & (problem.lower < problem.upper) & (problem.factor == 0)).any())
        used = (self.root > 0) & (problem.lower < problem.upper)
        pinned = np.where(used, 0.0, problem.start)
        self.y = problem.y - X.predict(pinned) if pinned.any() else problem.y
        self.use(np.flatnonzero(used))

    def use(self, used):
        """Set up the units and curvatures of the columns that take part; the others stay as they are."""
        problem, extra = self.problem, int(self.problem.intercept)
        self.used, self.k = used, len(used) + extra
        self.room = max(1000, 10 * self.k)
        self.scale = np.full(self.k, self.size)
        self.scale[:len(used)] /= self.root[used]
        scale = self.scale[:len(used)]
        l1, l2 = problem.penalty.elastic()
        price = problem.factor[used] * scale * (problem.columns.n / self.size)
        self.d = np.zeros(self.k)
        self.d[:len(used)] = l2 * scale * price
        l1 = l1 * price
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
            return np.flatnonzero(self.weight)
        size = np.where(self.weight > 0, np.abs(r), np.inf)
        return np.sort(np.argpartition(size, room)[:room])

    def system(self, band):
        """Rows Z, their y and slopes: the band, then the units."""
        problem, m, k = self.problem, len(band), len(self.used)
        Z = np.zeros((m + len(self.owner), self.k))
        rows = problem.columns.rows(band)
        Z[:m, :k] = (rows if k == rows.shape[1] else rows[:, self.used]) / self.root[self.used]
        Z[:m, k:] = 1.0
        Z[m + np.arange(len(self.owner)), self.owner] = 1.0
        y = self.y[band] / self.size
        if m == problem.columns.n and len(self.owner) == 0:
            return Z, y, self.left, self.right
        return (Z, np.concatenate([y, self.snap / self.scale[self.owner]]),
                np.concatenate([self.left[band], self.unit_left]), np.concatenate([self.right[band], self.unit_right]))

    def pull(self, band, r):
        """The linear term that the rows outside the band leave behind."""
        c = np.zeros(self.k)
        if len(band) < self.n_live:
            side = self.spread(np.zeros(len(band)), band, np.sign(r))
            c[:len(self.used)] = -self.problem.columns.sweep(side)[self.used] / self.root[self.used]
            c[len(self.used):] = -side.sum()
            c *= len(r)
        return c

    def spread(self, psi, band, sides):
        """theta over all rows: psi in the band, the slope of their side elsewhere."""
        theta = np.where(sides > 0, self.right, -self.left) if len(band) < self.n_live else np.zeros(len(sides))
        theta[band] = psi[:len(band)]
        theta /= len(sides)
        # divided, a slope may be one unit in the last place beyond what it was made of
        left, right = self.problem.loss.slopes()
        return np.clip(theta, -left * self.problem.weight, right * self.problem.weight)

    def solve(self, band, b, r):
        """The exact solution with the rows outside the band kept on the side that r says."""
        work = 0
        while True:
            Z, y, left, right = self.small = self.system(band)
            beta = np.append(b[self.used], b[-1:] if self.problem.intercept else []) / self.scale
            psi = np.zeros(len(y))
            status, done = self.finish(Z, y, left, right, self.pull(band, r), beta, psi)
            work += done
            if status == UNBOUNDED and len(band) < self.n_live:
                band = self.nearest(r, 4 * len(band))
            elif status == DEFICIENT and len(self.used):
                self.drop_dependent()
            else:
                return self.coefficients(beta, y[len(band):], b), psi, work

    def finish(self, Z, y, left, right, c, beta, psi):
        """Run the exact kernel of this case."""
        if self.k == 0:
            psi[:] = np.where(y > 0, right, -left)
            return OPTIMAL, 0
        if self.d.any():
            return multiplier(Z, y, left, right, c, self.d, beta, psi, ROUNDS)
        return simplex(Z, y, left, right, c, beta, np.empty(self.k, dtype=np.int64), psi, PIVOTS * (self.k + 10))

    def coefficients(self, beta, targets, b):
        """b from beta: exactly zero or on its bound where a unit's residual is rounding."""
        new = np.append(b[:-1], 0.0)
        new[self.gone] = 0.0
        part = (beta * self.scale)[:len(self.used)]
        at = np.abs(beta[self.owner] - targets) <= 1e-14 * (1 + np.abs(beta).max(initial=0.0))
        part[self.owner[at]] = self.snap[at]
        new[self.used] = part
        if self.problem.bounded:
            new[:-1] = np.clip(new[:-1], self.problem.lower, self.problem.upper)
        if self.problem.intercept:
            new[-1] = beta[-1] * self.scale[-1]
        return self.shorten(new) if self.shorten else new

    def drop_dependent(self):
        """Keep an independent subset of the columns that no unit and no curvature holds."""
        bare = np.setdiff1d(np.flatnonzero(self.d[:len(self.used)] == 0), self.owner)
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
        Z, y, left, right = self.small
        beta = np.append(b[self.used], b[-1:] if self.problem.intercept else []) / self.scale
        residual = y - Z @ beta
        residual[:len(band)][np.abs(r[band]) <= 1e-12 * self.size] = 0.0
        return is_unique(Z, residual, psi, left, right, self.d)
