"""Confidence limits of a linear functional of quantile coefficients, by inverting its rank test (Koenker, 1994).

The test of a'beta = xi refits the rest and takes T(xi) = a'(score of the refit), psi being the rank scores. With
g(xi) = min { sum_i rho(y_i - z_i'beta) : a'beta = xi }, which is convex and piecewise linear, T is the slope
of g. So the largest xi with T(xi) <= q is where a pull of q takes the functional:

    the a'beta of   minimise  sum_i rho(y_i - z_i'beta) - q a'beta

one run of the simplex method, started at the fit; there is no refit for other values of xi. T jumps at that
vertex, and the limit is interpolated between it and the one before it, as Koenker proposed.
"""

import numpy as np

from l1l2fast._simplex import simplex
from l1l2fast.absolute import PIVOTS

OPTIMAL = 0
ROOM = 1000  # rows of the band, at least
# Relative: a functional that moves less has stayed, and by this much a pull exceeds the one at which it moves.
SAME, BEYOND = 1e-11, 1e-9


class Pulled:
    """The fit under a pull; a band of rows that grows when others change side."""

    def __init__(self, Z, y, left, right, beta):
        self.Z, self.y, self.left, self.right, self.beta = Z, y, left, right, beta
        self.r = y - Z @ beta
        room = min(len(y), max(ROOM, 20 * Z.shape[1]))
        self.inside = np.zeros(len(y), dtype=bool)
        self.inside[np.argpartition(np.abs(self.r), room - 1)[:room]] = True

    def solve(self, c):
        """Minimise sum rho + c'beta: (beta, basis rows, psi of them), or None if that has no minimum."""
        beta, r = self.beta.copy(), self.r
        basis, k = np.empty(len(beta), dtype=np.intp), len(beta)
        while True:
            band = np.flatnonzero(self.inside)
            side = np.where(self.inside, 0.0, np.where(r > 0, self.right, -self.left))
            psi = np.zeros(len(band))
            part = self.Z[band], self.y[band], self.left[band], self.right[band]
            status, _ = simplex(*part, c - side @ self.Z, beta, basis, psi, PIVOTS * (k + 10))
            if status == OPTIMAL:
                before, r = r, self.y - self.Z @ beta
                moved = ((r > 0) != (before > 0)) & ~self.inside
                if not moved.any():
                    return beta, band[basis], psi[basis]
                self.inside |= moved
            elif len(band) == len(self.y):
                return None
            else:
                room = min(len(self.y), 4 * len(band))
                self.inside[np.argpartition(np.abs(self.r), room - 1)[:room]] = True


def limit(fit, a, pull, interpolated=True):
    """The confidence limit of a'beta on the side of `pull`, q times its sign; infinite if there is none.

    Parameters
    ----------
    fit : Pulled
    a : (k,) array
    pull : float
        Critical value of T, with the sign of the side.
    """
    way = np.sign(pull)
    found = at(fit, a, pull)
    if found is None:
        return way * np.inf
    value, low, high = found
    inner, outer = (low, high) if way > 0 else (high, low)
    if not interpolated:
        return value
    while True:  # more than one step only where ties give one vertex several bases
        near = at(fit, a, inner - way * BEYOND * abs(pull))
        if near is None or way * inner < 0:
            return value
        if abs(near[0] - value) > SAME * (abs(value) + abs(a) @ abs(fit.beta)):
            break
        inner = near[1] if way > 0 else near[2]
    while True:
        far = at(fit, a, outer + way * BEYOND * abs(pull))
        if far is None or abs(far[0] - value) > SAME * (abs(value) + abs(a) @ abs(fit.beta)):
            break
        outer = far[2] if way > 0 else far[1]
    return near[0] + (pull - inner) / (outer - inner) * (value - near[0])


def at(fit, a, pull):
    """a'beta under a pull, and the least and largest pull at which this basis is optimal; None: it runs away."""
    found = fit.solve(-pull * a)
    if found is None:
        return None
    beta, basis, psi = found
    rate = np.linalg.solve(fit.Z[basis].T, -a)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.array([-fit.left[basis] - psi, fit.right[basis] - psi]) / rate
    ends = np.sort(ends[:, np.abs(rate) > 1e-13 * np.abs(rate).max()], axis=0)
    return a @ beta, pull + min(ends[0].max(), 0.0), pull + max(ends[1].min(), 0.0)
