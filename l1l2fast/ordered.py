"""Several quantiles fitted together so that they do not cross at the data (Bondell, Reich and Wang, 2010).

    minimise  sum_l sum_i rho_l(y_i - z_i'b_l)    subject to  z_i'b_l <= z_i'b_(l+1)

A constraint is a row of the same kind, 0 - (z_i'b_l - z_i'b_(l+1)), with an infinite slope on one side, so
this is one problem of the simplex method in all b_l at once. Most rows are far from their curve and keep
their side, and most constraints are idle: both come in when a round shows that they are needed.
"""

import numpy as np

from l1l2fast._simplex import simplex
from l1l2fast.absolute import PIVOTS, Lines

# Up to this many numbers in the joint matrix, all rows are in it from the start.
WHOLE = 500_000
ROUNDS = 100
CROSSED = 1e-10  # of the size of y: less is rounding


def process(problem, taus, b):
    """Joint fit from separate ones; b is (K, p + 1), the intercept last, in the solver's units.

    Returns
    -------
    b, objective, gap, pivots : as in `breakpoints.process`, at the taus
    """
    _, _, largest, n_live = problem.sums.level()
    lines = Lines(problem, largest, n_live)
    live = problem.weight.nonzero()[0]
    lines.solve(live, b[len(b) // 2], problem.y)  # leaves independent columns
    Z, y, left, right = lines.units.system(problem.columns, live)
    joint = Joint(Z, y, left + right, taus)
    beta, objective, gap, pivots = joint.solve(np.array([lines.units.inner(row) for row in b]))
    unit = lines.size / problem.columns.n
    b = np.array([lines.coefficients(row, start) for row, start in zip(beta, b, strict=True)])
    return b, objective * unit, gap * unit, pivots


class Joint:
    """The joint problem: rows in the band of each curve, and pairs (row, curve) that are kept from crossing."""

    def __init__(self, Z, y, weight, taus):
        self.Z, self.y, self.weight, self.taus = Z, y, weight, taus
        self.n, self.k, self.K = *Z.shape, len(taus)

    def solve(self, beta):
        """Rounds until no row outside its band has changed side and nothing crosses."""
        if self.k == 0:
            beta, fit = np.zeros((self.K, 0)), np.zeros((self.n, self.K))
            r = self.y[:, None] - fit
            objective = self.cost(r)
            return beta, objective, np.zeros(self.K), 0
        r = self.y[:, None] - self.Z @ beta.T
        everything = self.n * self.K * self.k * self.K <= WHOLE
        room = self.n if everything else min(self.n, max(300, 10 * self.k))
        inside = np.zeros((self.n, self.K), dtype=bool)
        for level in range(self.K):
            inside[np.argpartition(np.abs(r[:, level]), room - 1)[:room], level] = True
        kept = self.crossing(r)
        pivots = 0
        for _ in range(ROUNDS):
            beta, psi, status, work = self.small(beta, r, inside, kept)
            pivots += work
            before, r = r, self.y[:, None] - self.Z @ beta.T
            moved, crossed = ((r > 0) != (before > 0)) & ~inside, self.crossing(r) & ~kept
            if not (status or moved.any() or crossed.any()):
                break
            if status:  # too few rows to hold it
                room = min(2 * room, self.n)
                inside[np.argsort(np.abs(r), axis=0)[:room], np.arange(self.K)] = True
            inside |= moved
            kept |= crossed
        psi = np.where(inside, psi, self.side(r))
        gap = self.slack(r, psi)
        return beta, self.cost(r), np.full(self.K, np.inf) if status else gap, pivots

    def crossing(self, r):
        """Where the next curve lies below this one, as (n, K - 1) flags."""
        return np.diff(r, axis=1) > CROSSED * np.abs(self.y).max(initial=0)

    def side(self, r):
        """The dual point of rows away from their curve."""
        return self.weight[:, None] * np.where(r > 0, self.taus, self.taus - 1)

    def cost(self, r):
        """The objective of each curve."""
        return self.weight @ np.where(r > 0, self.taus * r, (self.taus - 1) * r)

    def slack(self, r, psi):
        """rho(r) - psi r, summed by curve: the duality gap."""
        return np.maximum(self.cost(r) - (psi * r).sum(axis=0), 0)

    def small(self, beta, r, inside, kept):
        """The exact solution with the rows outside the band on their side."""
        pull = -(self.Z.T @ np.where(inside, 0.0, self.side(r))).T.ravel()
        row, level = np.nonzero(inside)
        first, below = np.nonzero(kept)
        m, count = len(row), len(first)
        M = np.zeros((m + count, self.K, self.k))
        M[np.arange(m), level] = self.Z[row]
        M[m + np.arange(count), below] = self.Z[first]
        M[m + np.arange(count), below + 1] = -self.Z[first]
        weight, tau = self.weight[row], self.taus[level]
        left = np.append((1 - tau) * weight, np.full(count, np.inf))
        right = np.append(tau * weight, np.zeros(count))
        x, psi = beta.ravel().copy(), np.zeros(m + count)
        basis = np.empty(self.K * self.k, dtype=np.intp)
        M, y = M.reshape(m + count, -1), np.append(self.y[row], np.zeros(count))
        status, pivots = simplex(M, y, left, right, pull, x, basis, psi, PIVOTS * (self.K * self.k + 10))
        out = np.zeros((self.n, self.K))
        out[row, level] = psi[:m]
        return x.reshape(self.K, self.k), out, status, pivots
