"""All quantiles of a linear model at once: the parametric simplex method in tau (Koenker and d'Orey, 1987).

With the rows Z and slopes of `_units`, a basis h of k rows with zero residual and the sides of all others,

    psi_i = base_i + tau w_i  off the basis,   base_i = 0 above and -w_i below the fit
    Z_h'psi_h = -sum of psi_i z_i off the basis,  so that  psi_h = a + tau d

is the dual point for every tau, and the vertex stays optimal while -w <= psi_h - tau w_h <= 0. At the tau
where row j of the basis meets a bound, the objective is flat along the edge that lets j go, and the first
row met on that edge comes in: one pivot for each breakpoint of b(tau), which is constant in between. Rows of
an L1 penalty have the base +-price and no share of tau.

Ties in y would stall it. It runs on y jittered by 1e-8 of a typical residual; a basis that is optimal there is
optimal for y as well as long as no residual changes its sign, coefficients and gaps are those of y, and
segments that turn out to have the same coefficients are joined.
"""

import numpy as np

from l1l2fast._simplex import simplex
from l1l2fast.absolute import PIVOTS, Lines

JITTER = 1e-8  # of the median nonzero residual
REFACTOR = 50  # pivots between two factorisations of the basis
SAME = 1e-11  # relative: coefficients of neighbouring segments that differ by less are one
CHUNK = 2_000_000  # residuals held at a time while the gaps are computed


def process(problem):
    """Every breakpoint of tau, for `problem` with Pinball(1/2).

    Returns
    -------
    breaks : (S + 1,) array from 0 to 1
    b : (S, p + 1) array, the intercept last, in the solver's units
    objective, gap : (S,) arrays, in the middle of each segment
    pivots : int
    """
    _, level, largest, n_live = problem.sums.level()
    lines = Lines(problem, largest, n_live)
    live = problem.weight.nonzero()[0]
    start = np.append(np.zeros(problem.columns.p), level)
    _, b, _, _ = lines.solve(live, start, problem.y)
    Z, y, left, right = lines.small
    share, price = np.zeros(len(y)), right.copy()  # data rows first, then those of the penalty
    share[: len(live)] = (left + right)[: len(live)]
    price[: len(live)] = 0.0
    if lines.k == 0:
        segments = Segments([0.0, 1.0], np.empty((1, 0), dtype=np.intp), [_constant(y, share)])
    else:
        segments = _both_ways(Z, y, left, right, share, price, lines.units.inner(b))
    breaks, beta = segments.joined(Z, y)
    objective, gap = segments.values(Z, y, share, price, breaks, beta)
    unit = lines.size / problem.columns.n
    b = np.array([lines.coefficients(row, b) for row in beta])
    return breaks, b, objective * unit, gap * unit, len(segments.duals) - 1


def _constant(y, share):
    """The dual line of a model without coefficients: psi sits at a bound everywhere."""
    return -(share * y)[y < 0].sum(), (share * y).sum()


def _both_ways(Z, y, left, right, share, price, beta):
    """From tau = 1/2 up to 1 and down to 0."""
    residual = np.abs(y - Z @ beta)
    typical = np.median(residual[residual > 0]) if (residual > 1e-12 * np.abs(y).max(initial=0)).any() else 1.0
    moved = y + JITTER * typical * np.random.default_rng(0).uniform(-1, 1, len(y))
    basis, psi = np.empty(Z.shape[1], dtype=np.intp), np.zeros(len(y))
    beta = beta.copy()
    simplex(Z, moved, left, right, np.zeros(Z.shape[1]), beta, basis, psi, PIVOTS * (Z.shape[1] + 10))
    side = np.sign(psi)
    up = Walk(Z, y, moved, share, price, basis, side).run(1)
    down = Walk(Z, y, moved, share, price, basis, side).run(-1)
    return Segments(
        [*reversed(down.taus[1:]), *up.taus[1:]],
        np.array([*reversed(down.bases[1:]), *up.bases]),
        [*reversed(down.duals[1:]), *up.duals],
    )


class Walk:
    """The vertex and its dual point while tau moves."""

    def __init__(self, Z, y, moved, share, price, basis, side):
        self.Z, self.y, self.moved, self.share, self.price = Z, y, moved, share, price
        self.basis, self.side = basis.copy(), side.copy()
        self.side[basis] = 0
        self.taus, self.bases, self.duals = [0.5], [], []
        self.active = (share > 0) | (price > 0)

    def base(self, rows, side):
        """What psi - tau share is on that side of zero."""
        return np.where(side > 0, self.price[rows], -self.price[rows] - self.share[rows])

    def refactor(self):
        """Everything from the basis and the sides."""
        self.inverse = np.linalg.inv(self.Z[self.basis])
        b = self.inverse @ self.moved[self.basis]
        self.r = self.moved - self.Z @ (b + self.inverse @ (self.moved[self.basis] - self.Z[self.basis] @ b))
        self.r[self.basis] = 0
        off = self.side != 0
        base, share = np.where(off, self.base(slice(None), self.side), 0.0), np.where(off, self.share, 0.0)
        self.sums = np.array([base, share]) @ self.Z
        self.dual = np.array([base @ self.y, share @ self.y])

    def run(self, way):
        """Pivot until tau has reached 1 (way = 1) or 0 (way = -1)."""
        tau, end = 0.5, (1 + way) / 2
        for pivots in range(100 * len(self.y) * (len(self.basis) + 1)):
            if pivots % REFACTOR == 0:
                self.refactor()
            a, d = -self.sums @ self.inverse
            self.bases.append(self.basis.copy())
            self.duals.append(tuple(self.dual + [a @ self.y[self.basis], d @ self.y[self.basis]]))
            rate = d - self.share[self.basis]
            above = way * rate > 0
            bound = self.base(self.basis, np.where(above, 1, -1))
            with np.errstate(divide="ignore", invalid="ignore"):
                meets = (bound - a) / rate
            meets[np.abs(rate) <= 1e-13 * (np.abs(d) + self.share[self.basis])] = np.inf * way  # never
            z = int(np.argmin(way * meets))
            tau = way * max(way * meets[z], way * tau)
            if way * (end - tau) <= 1e-12 or not self.pivot(z, 1.0 if above[z] else -1.0):
                break
            self.taus.append(tau)
        self.taus.append(end)
        return self

    def pivot(self, z, sign):
        """Row z of the basis goes to that side; the first row met comes in. False: there is none."""
        rate = sign * (self.Z @ self.inverse[:, z])
        toward = (self.side * rate < -1e-11 * np.abs(rate).max()) & self.active
        if not toward.any():
            return False
        rows = np.flatnonzero(toward)
        times = np.maximum(-self.r[rows] / rate[rows], 0)
        first = int(np.argmin(times))
        enters, leaves, t = rows[first], self.basis[z], times[first]
        self.r += t * rate
        self.r[enters], self.r[leaves] = 0.0, sign * t
        for row, side, way in ((enters, self.side[enters], -1.0), (leaves, sign, 1.0)):
            part = way * np.array([self.base(row, side), self.share[row]])
            self.sums += part[:, None] * self.Z[row]
            self.dual += part * self.y[row]
        self.side[enters], self.side[leaves] = 0, sign
        self.basis[z] = enters
        u = self.Z[enters] @ self.inverse
        column = self.inverse[:, z] / u[z]
        u[z] = 0
        self.inverse[:, z] = column
        self.inverse -= np.outer(column, u)
        return True


class Segments:
    """Breakpoints, the basis of each segment, and its dual objective as a line in tau."""

    def __init__(self, breaks, bases, duals):
        self.breaks, self.bases, self.duals = np.array(breaks), bases, np.array(duals)

    def joined(self, Z, y):
        """Breakpoints at which the coefficients change, and the coefficients between them."""
        kept = np.flatnonzero(np.diff(self.breaks) > 1e-14)
        bases = self.bases[kept]
        beta = np.linalg.solve(Z[bases], y[bases][:, :, None])[:, :, 0]
        size = SAME * (1 + np.abs(beta).max(initial=0))
        first = np.append(True, np.abs(np.diff(beta, axis=0)).max(axis=1, initial=0) > size)
        breaks = self.breaks[kept[first]]
        breaks[0] = 0.0
        return np.append(breaks, 1.0), beta[first]

    def values(self, Z, y, share, price, breaks, beta):
        """Objective and gap in the middle of each segment."""
        tau = (breaks[1:] + breaks[:-1]) / 2
        objective = np.empty(len(tau))
        step = max(1, CHUNK // len(y))
        for lo in range(0, len(tau), step):
            r = y - beta[lo : lo + step] @ Z.T
            objective[lo : lo + step] = (
                tau[lo : lo + step] * (r @ share) + np.maximum(-r, 0) @ share + np.abs(r) @ price
            )
        of = np.minimum(np.searchsorted(self.breaks, tau, "right"), len(self.duals)) - 1
        dual = self.duals[of, 0] + tau * self.duals[of, 1]
        return objective, np.maximum(objective - dual, 0)
