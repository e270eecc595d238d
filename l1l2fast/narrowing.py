"""Two lines a row, and perhaps an L2 penalty: few rows decide, and each step finds out which with the fewer it keeps.

A fit to m of the rows misses the residuals of the others by about sqrt(k / m) of their spread, so in a larger
set only so many rows can still change side (Portnoy and Koenker, 1997): the rest becomes a linear term. Samples
of growing size are fitted in this way, roughly; Newton steps on all rows, of which those near the fit make the
Hessian, come so close that a narrow band is left. It narrows further while the smoothing falls (`_narrow`), until
the simplex method, or with curvature the method of multipliers, has next to nothing left to do; where rows tie, the
smoothed fit says which vertex it is.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dgetrf, dpotrf, dpotrs

from l1l2fast._interior import interior
from l1l2fast._multiplier import multiplier
from l1l2fast._narrow import bends, narrow, spread_rows
from l1l2fast._simplex import simplex
from l1l2fast.uniqueness import RANK

# What the kernels answer.
OPTIMAL, UNBOUNDED, DEFICIENT = 0, 2, 3
# A sample has SHARE n^(2/3) k^(1/3) of n rows, which makes it and the band that it leaves alike in size.
SHARE = 1.5
# A sample that is more than one row in so many is no help: a Newton step on all rows costs less.
MOST = 8
# A smoothing of about a standard error ends the fit to a sample; the next one begins with so many of them.
WIDER = 4
# The band reaches so many standard errors to both sides.
ERRORS = 4.5
# The simplex method is given so many rows, and as many again for each column.
ROWS, PER_COLUMN = 150, 10
# Rounds of the method of multipliers at most.
ROUNDS = 200
# Newton steps over all rows at most, until they move by so many times what the smoothing leaves open anyway.
NEWTONS, CLOSER = 4, 3
# So many times shorter is the next one.
SHORTER = 5
# So often the smoothing is made WIDER where they lead nowhere.
WIDENINGS = 2
# The interior point method is given so many rows for each column. It ends at this gap, relative to the part's sum:
# what it leaves costs the simplex method a few pivots, k^2 each, where a step costs k^3. And its steps at most.
INNER, CLOSE, PATIENCE = 5, 2e-3, 50


class Part(NamedTuple):
    """Rows Z, (k, m), their y and slopes; the linear term that the other rows leave behind; curvatures."""

    Z: np.ndarray
    y: np.ndarray
    left: np.ndarray
    right: np.ndarray
    c: np.ndarray
    d: np.ndarray

    def keep(self, r, near):
        """The part of it whose rows are `near`; the others stay on the side that r says."""
        if len(near) == len(r):
            return self
        side = np.where(r > 0, self.right, -self.left)
        side[near] = 0.0
        rows = np.take(self.Z, near, axis=1), self.y[near], self.left[near], self.right[near]
        return Part(*rows, self.c - self.Z @ side, self.d)


def nearest(r, count, least=0.0):
    """The rows with the smallest residuals, and all up to `least`: rows that tie stay together."""
    size = np.abs(r)
    if count < len(r):
        return (size <= max(np.partition(size, count)[count], least)).nonzero()[0]
    return np.arange(len(r))


def width(m, k, before):
    """How many of m rows may change side after a fit to `before` of them."""
    return int(ERRORS * m * np.sqrt(k / before)) + PER_COLUMN * k


def samples(n, k):
    """Sizes of the samples, the smallest first."""
    sizes, m = [], n
    while True:
        m = int(SHARE * np.cbrt(float(m) * m * k))
        if 3 * m > (sizes[0] if sizes else n):
            return sizes
        sizes.insert(0, m)


def spacing(r, n, k, share=1.0):
    """What |r| does not exceed in n^(3/5) k^(2/5) of n rows: few, but enough for their Gram matrix.

    r are the residuals of some rows, or the smallest, that `share` of them.
    """
    size = np.abs(r)
    count = min(int(len(size) / share * (k / n) ** 0.4), len(size) - 1)
    return np.partition(size, count)[count]


def rough(lines, beta):
    """Fits growing samples, moving beta; returns the size of the last one, its smoothing, and the Newton steps.

    And how far from zero so many residuals lie, on both sides, as the Hessian over all rows takes.
    """
    live = None if lines.n_live == len(lines.y) else lines.problem.weight.nonzero()[0]
    before, steps, gam, h = 0, 0, 0.0, 0.0
    slopes = lines.problem.loss.slopes()
    flat = min(slopes) / sum(slopes)  # smoothing more of the rows than this would not see the quantile
    sizes = samples(lines.n_live, lines.k)
    if len(sizes) > 1 and MOST * sizes[-1] > lines.n_live:
        sizes.pop()
    for m in sizes:
        rows = spread_rows(lines.n_live, m)
        part = lines.part(rows if live is None else live[rows])
        if before and 2 * width(m, lines.k, before) < m:
            r = part.y - beta @ part.Z
            part = part.keep(r, nearest(r, width(m, lines.k, before)))
        psi, r = np.empty_like(part.y), np.empty_like(part.y)
        few = max(int(min(2 * np.sqrt(lines.k * m), flat * m)), int(0.5 * np.sqrt(lines.k * m)) + lines.k)
        status, newtons, gam = narrow(*part, beta, psi, r, WIDER * gam, few)
        before, steps = m, steps + newtons
        h = lines.size * spacing(r, lines.n_live, lines.k, len(r) / m)
    return before, gam, steps, h


def approach(lines, b, h):
    """Newton steps on all rows from b, whose last entry is the intercept; the kinks smoothed where |r| < h.

    Where rows tie, steps may lead nowhere until h is as wide as what lies between two values of r. Returns b, at which
    `lines.look` then is, the step that leads on from there, how far away a row may be that can still change side, what
    that step leaves open, and the steps; or None if they lead nowhere.
    """
    looks = 0
    for wider in range(WIDENINGS + 1):
        b, found, more = newtons(lines, b, WIDER**wider * h)
        looks += more
        if found is not None:
            return b, *found, looks - 1
    return None


def newtons(lines, b, h):
    """The steps of `approach` with one h: b, what else that returns (None: they lead nowhere), and its looks."""
    units, look, before, bend, last = lines.units, lines.look, np.inf, None, b
    for steps in range(NEWTONS + 1):
        look.smooth(b, h)
        slope = units.sums(look.total, look.u) - units.d * units.inner(b)
        step, move = bend.step(slope) if bend else (None, np.inf)
        if bend is None or before > h / 2 and not move < CLOSER * bend.noise:  # far from where it was taken
            bend = Bend.near(lines, h)
            if bend is None:
                break
            step, move = bend.step(slope)
        if not move < before:
            break
        if move < CLOSER * bend.noise or steps == NEWTONS or move > before / 2:
            error = math.hypot(move / SHORTER, bend.noise)
            return b, (step, max(h, ERRORS * math.hypot(move, bend.noise)), error), steps + 1
        last, before = b, move
        b = lines.coefficients(units.inner(b) + step, b)
    return last, None, steps + 1


class Bend(NamedTuple):
    """What the rows within h of the fit say of the curvature: the factor of the Hessian, their Gram matrix.

    The root mean square of their fit moves by `size` times that of G in their weights; `noise` is what h leaves open.
    """

    factor: np.ndarray
    G: np.ndarray
    size: float
    noise: float

    @classmethod
    def near(cls, lines, h):
        """At the last look; None if they are too few, or dependent."""
        rows = lines.look.near(lines.look.r, h)
        if len(rows) < 4 * lines.k:
            return None
        Z, _, left, right = lines.units.along(lines.problem.columns, rows)
        G, weights = bends(Z, left, right)
        H = G * (lines.size / (2 * h))
        diagonal = np.einsum("jj->j", H)
        diagonal += 1e-12 * diagonal + lines.units.d
        factor, failed = dpotrf(H, lower=1, overwrite_a=1)
        noise = h * math.sqrt(lines.k / (3 * len(rows)))
        return None if failed else cls(factor, G, lines.size / math.sqrt(weights), noise)

    def step(self, slope):
        """A Newton step, and how far the fit moves by it."""
        step = dpotrs(self.factor, slope, lower=1)[0]
        square = step @ self.G @ step
        return step, self.size * math.sqrt(square) if square >= 0 else np.inf  # rounding, of a singular matrix


def rounding(beta):
    """Residuals up to this size are zero."""
    return 1e-13 * (1 + np.abs(beta).sum())


def narrowed(part, beta, side, gam, inner):
    """The rows that the simplex method should have, moving beta, the steps that it took, and `tie` if that is all.

    Of rows that it drops, `side` keeps the dual point.
    At the end come Newton steps down to twice as many rows inside as columns or, if `inner`, the interior point
    method, whose vertex is nearer.
    """
    k, m = part.Z.shape
    rows, gam, steps, enough = np.arange(m), WIDER * gam, 0, ROWS + PER_COLUMN * k
    status = UNBOUNDED
    if inner and gam > 0:  # what beta may be off by: each row left out here is one less in every step
        r = part.y - beta @ part.Z
        rows = nearest(r, min(m, enough), ERRORS * gam)
        side[:] = np.where(r > 0, part.right, -part.left)
        part = part.keep(r, rows)
    while len(rows) > 2 * k:
        psi, r = np.empty_like(part.y), np.empty_like(part.y)
        last = len(rows) <= (2 if inner else 1) * enough
        few = len(rows) if inner and last else max(2 * k, 0 if last else len(rows) // 12)
        status, newtons, gam = narrow(*part, beta, psi, r, gam, few)
        steps += newtons
        if status == OPTIMAL and not part.d.any() and (found := tie(part, beta, psi, few)):
            return rows, steps, found
        if status == UNBOUNDED or last:
            break
        near = nearest(r, max(len(rows) // 3, enough), gam / 2)
        if len(near) == len(rows):
            break
        side[rows] = np.where(r > 0, part.right, -part.left)
        part, rows, gam = part.keep(r, near), rows[near], gam / 4
    if inner and status != UNBOUNDED:
        near = nearest(r, INNER * k, gam)
        part, rows = part.keep(r, near), rows[near]
        psi, r = np.empty_like(part.y), np.empty_like(part.y)
        inside = beta.copy()
        steps += interior(*part[:5], inside, psi, r, 0.3 * gam, CLOSE, PATIENCE)[1]
        if np.isfinite(inside).all():  # dependent columns may have been too much for it
            beta[:] = inside
    return rows, steps, None


def tie(part, beta, psi, few):
    """Where rows tie, more of them than `few` stay inside the smoothed kinks: is their common vertex the optimum?

    The smoothed fit's psi is feasible already, and optimal if no row contradicts it there. Moves beta there; returns
    psi with Z psi = c and k of the rows, or None.
    """
    k = len(beta)
    inside = ((psi > -part.left) & (psi < part.right)).nonzero()[0]
    if len(inside) <= max(few, 2 * k):
        return None
    Z = part.Z[:, inside]
    lu, pivots, _ = dgetrf(Z.T)
    order = np.arange(len(inside))
    for a, other in enumerate(pivots):
        order[a], order[other] = order[other], order[a]
    if np.abs(lu.diagonal()).min() <= RANK * np.abs(Z).max():
        return None
    basis = inside[order[:k]]
    rows = part.Z[:, basis].T
    exact = np.linalg.solve(rows, part.y[basis])
    exact += np.linalg.solve(rows, part.y[basis] - rows @ exact)
    r = part.y - exact @ part.Z
    r[np.abs(r) <= rounding(exact)] = 0.0
    if r[inside].any():
        return None
    psi = psi.copy()
    room = (psi + part.left)[inside] * (part.right - psi)[inside]
    for _ in range(2):  # the least change that balances the sums, where each row has room for it
        psi[inside] += room * (Z.T @ np.linalg.solve(room * Z @ Z.T, part.c - part.Z @ psi))
    wrong = np.where(r > 0, part.right - psi, np.where(r < 0, part.left + psi, 0.0))
    if wrong.any() or not ((-part.left <= psi) & (psi <= part.right)).all():
        return None
    beta[:] = exact
    return psi, basis


def exact(part, beta, basis, psi, most):
    """Run the exact kernel; returns (status, steps). With curvature there is no basis: it is filled with -1."""
    rows = np.ascontiguousarray(part.Z.T)
    if not part.d.any():
        return simplex(rows, *part[1:5], beta, basis, psi, most)
    basis[:] = -1
    return multiplier(rows, *part[1:], beta, psi, ROUNDS)


def vertex(part, beta, basis, psi, max_pivots, gam, inner):
    """As `exact` on all rows of the part, but it sees few of them; returns (status, steps).

    gam is the smoothing of the fit that led to beta, or 0.
    """
    m = len(part.y)
    near, steps, tied = narrowed(part, beta, psi, gam, inner)
    if tied:
        psi[near], basis[:] = tied[0], near[tied[1]]
        now = part.y - beta @ part.Z
        small = np.abs(now) <= rounding(beta)  # rows at zero may have either side
        wrong = ~small & (psi != np.where(now > 0, part.right, -part.left))
        if not wrong.any() and np.abs(part.Z @ psi - part.c).max() <= 1e-14 * (part.left + part.right).sum():
            return OPTIMAL, steps
    while True:
        r = part.y - beta @ part.Z
        small, psi_near, before = part.keep(r, near), np.zeros(len(near)), beta.copy()
        status, more = exact(small, beta, basis, psi_near, max_pivots)
        steps += more
        some = len(near) < m
        if some and status in (UNBOUNDED, DEFICIENT):
            beta[:] = before
            near = nearest(r, min(m, 4 * len(near)))
            continue
        now = part.y - beta @ part.Z
        moved = ((now > 0) != (r > 0)) & (np.abs(now) > rounding(beta))
        moved[near] = False
        if not (some and moved.any()):
            psi[:] = np.where(r > 0, part.right, -part.left)
            psi[near] = psi_near
            if status != DEFICIENT:  # then there is none
                basis[:] = near[basis]
            return status, steps
        moved[near] = True
        moved[nearest(now, min(m, 2 * len(near)))] = True
        near = moved.nonzero()[0]
