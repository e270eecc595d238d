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

from l1l2fast._parametric import Walk, costs
from l1l2fast._simplex import simplex
from l1l2fast.absolute import PIVOTS, Lines

JITTER = 1e-8  # of the median nonzero residual
SAME = 1e-11  # relative: coefficients of neighbouring segments that differ by less are one


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
    Z, y, left, right = lines.units.system(problem.columns, live)
    share, price = np.zeros(len(y)), right.copy()  # data rows first, then those of the penalty
    share[: len(live)] = (left + right)[: len(live)]
    price[: len(live)] = 0.0
    if lines.k == 0:
        segments = Segments(np.array([0.0, 1.0]), np.empty((1, 0), dtype=np.intp), np.array([_constant(y, share)]))
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
    up, down = (Walk(Z, y, moved, share, price, basis, np.sign(psi), way).run() for way in (1.0, -1.0))
    # the segment around 1/2 is the first of both
    breaks = np.concatenate([down[0][::-1], up[0]])
    return Segments(breaks, *(np.concatenate([down[i][:0:-1], up[i]]) for i in (1, 2)))


class Segments:
    """Breakpoints, the basis of each segment, and its dual objective as a line in tau."""

    def __init__(self, breaks, bases, duals):
        self.breaks, self.bases, self.duals = breaks, bases, duals

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
        objective = costs(Z, y, share, price, beta, tau)
        of = np.minimum(np.searchsorted(self.breaks, tau, "right"), len(self.duals)) - 1
        dual = self.duals[of, 0] + tau * self.duals[of, 1]
        return objective, np.maximum(objective - dual, 0)
