"""Two lines a row, and perhaps an L2 penalty: few rows decide, and each step finds out which with the fewer it keeps.

A fit to m of the rows misses the residuals of the others by about sqrt(k / m) of their spread, so in a larger
set only so many rows can still change side (Portnoy and Koenker, 1997): the rest becomes a linear term. Samples
of growing size are fitted in this way, roughly, then all rows; then their band narrows while the smoothing
falls (`_narrow`), until the simplex method, or with curvature the method of multipliers, has next to nothing
left to do.
"""

from typing import NamedTuple

import numpy as np

from l1l2fast._interior import interior
from l1l2fast._multiplier import multiplier
from l1l2fast._narrow import narrow
from l1l2fast._simplex import simplex

# What the kernels answer.
OPTIMAL, UNBOUNDED, DEFICIENT = 0, 2, 3
# A sample has SHARE n^(2/3) k^(1/3) of n rows, which makes it and the band that it leaves alike in size.
SHARE = 1.5
# A smoothing of about a standard error ends the fit to a sample; the next one begins with so many of them.
WIDER = 4
# The band reaches so many standard errors to both sides.
ERRORS = 4.5
# The simplex method is given so many rows, and as many again for each column.
ROWS, PER_COLUMN = 150, 10
# Rounds of the method of multipliers at most.
ROUNDS = 200
# The interior point method's last gap, relative to the part's sum, and its steps at most.
CLOSE, PATIENCE = 1e-7, 50


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


def spread_rows(n, m):
    """One row of each of m stretches of the n: data may come in an order."""
    rng = np.random.default_rng(m)
    return ((np.arange(m) + rng.random(m)) * (n / m)).astype(np.intp)


def rough(lines, beta):
    """Fits growing samples, moving beta; returns the size of the last one, its smoothing, and the Newton steps."""
    live = None if lines.n_live == len(lines.y) else lines.problem.weight.nonzero()[0]
    before, steps, gam = 0, 0, 0.0
    for m in samples(lines.n_live, lines.k):
        rows = spread_rows(lines.n_live, m)
        part = lines.part(rows if live is None else live[rows])
        if before and 2 * width(m, lines.k, before) < m:
            r = part.y - beta @ part.Z
            part = part.keep(r, nearest(r, width(m, lines.k, before)))
        psi, r = np.empty_like(part.y), np.empty_like(part.y)
        few = int(0.5 * np.sqrt(lines.k * m)) + lines.k
        status, newtons, gam = narrow(*part, beta, psi, r, WIDER * gam, few)
        before, steps = m, steps + newtons
    return before, gam, steps


def narrowed(part, beta, gam, inner):
    """The rows that the simplex method should have, moving beta, and the steps that it took.

    At the end come Newton steps down to twice as many rows inside as columns or, if `inner`, the interior point
    method, whose vertex is nearer.
    """
    k, m = part.Z.shape
    rows, gam, steps, enough = np.arange(m), WIDER * gam, 0, ROWS + PER_COLUMN * k
    status = UNBOUNDED
    while len(rows) > 2 * k:
        psi, r = np.empty_like(part.y), np.empty_like(part.y)
        last = len(rows) <= enough
        few = len(rows) if inner and last else max(2 * k, 0 if last else len(rows) // 12)
        status, newtons, gam = narrow(*part, beta, psi, r, gam, few)
        steps += newtons
        if status == UNBOUNDED or last:
            break
        near = nearest(r, max(len(rows) // 3, enough), gam / 2)
        if len(near) == len(rows):
            break
        part, rows, gam = part.keep(r, near), rows[near], gam / 4
    if inner and status != UNBOUNDED:
        inside = beta.copy()
        steps += interior(*part[:5], inside, psi, r, 0.3 * gam, CLOSE, PATIENCE)[1]
        if np.isfinite(inside).all():  # dependent columns may have been too much for it
            beta[:] = inside
    return rows, steps


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
    near, steps = narrowed(part, beta, gam, inner)
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
        moved = (now > 0) != (r > 0)
        moved[near] = False
        if not (some and moved.any()):
            psi[:] = np.where(now > 0, part.right, -part.left)
            psi[near] = psi_near
            if status != DEFICIENT:  # then there is none
                basis[:] = near[basis]
            return status, steps
        moved[near] = True
        moved[nearest(now, min(m, 2 * len(near)))] = True
        near = moved.nonzero()[0]
