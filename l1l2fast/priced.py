"""Two lines a row and a price on the coefficients: an L1 penalty, a bound at 0.

1. Identify: an interior point method (`_interior`), to a gap of a ten thousandth; on a sample of the rows first, if
   they are many, then on the band that it leaves; on the columns that pull before any is in or, if few do, on those
   that still pull after rough fits to these few. From a warm start, and where X is small, nothing.
2. Solve small: the coefficients that it tells from zero, and as many rows of zero residual, are nearly the corner
   (`_corner`); rows that are clearly on one side become a linear term, columns with slack are left out.
3. Finish exactly: the simplex method, a few pivots; rows that did change side and columns that are too steep come in.
4. Certify on all rows and columns.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack, qr

from l1l2fast._corner import corner
from l1l2fast._interior import interior
from l1l2fast.narrowing import nearest, samples, spread_rows, width
from l1l2fast.result import Answer, shrunk
from l1l2fast.uniqueness import STRICT, is_unique

# What the kernels answer.
OPTIMAL, PIVOT_CAP, UNBOUNDED = 0, 1, 2
NEAR = 0
# Up to this many numbers in X, the simplex method starts from the empty corner.
SMALL = 20_000
# The interior point method starts that many typical residuals wide, ends at this gap, after so many steps at most.
WIDE, CLOSE, PATIENCE = 20, 1e-4, 60
# Columns that pull by less than this part of their price at b = 0 are left out at first, if they are many; what is
# beyond its price by this part at the end of it comes in.
PULL, MISSED = 0.5, 1e-2
# Gaps of rough fits to few columns, after each of which those that pull by this part of their price may be in; and how
# few that is: a part of the columns, and of the rows.
GLANCES, LIKELY, MANY = (0.1, 0.01), 0.7, 3
# The small problem has so many rows and columns for each coefficient of the corner, and so many besides.
EACH, BESIDES = 2, 100
# Pivots at most: of a start that promised to be near, for each row or column that may be in the corner, then at all.
HOPED, PIVOTS = 5, 500
# A column is too steep if it is so by this part of its price.
BEYOND = 1e-9
# A pivot in the choice of rows below this part of its column's largest is none.
RANK = 1e-10


class Priced(NamedTuple):
    """Columns Z, (k, m), with y and the slopes of the m rows and of the k coefficients, and a linear term."""

    Z: np.ndarray
    y: np.ndarray
    left: np.ndarray
    right: np.ndarray
    down: np.ndarray
    up: np.ndarray
    c: np.ndarray

    @property
    def free(self):
        """The coefficients without a price."""
        return self.down + self.up == 0

    def side(self, r):
        """The dual point of rows on the sides that r says."""
        return np.where(r > 0, self.right, -self.left)

    def part(self, near, work, r):
        """These rows and columns; other rows stay on the side that r says, other coefficients at 0."""
        k, m = self.Z.shape
        if len(near) == m and len(work) == k:
            return self
        c = self.c
        if len(near) < m:
            side = self.side(r)
            side[near] = 0.0
            c = c - self.Z @ side
        Z = np.ascontiguousarray(self.Z[work] if len(near) == m else self.Z[np.ix_(work, near)])
        return Priced(Z, self.y[near], self.left[near], self.right[near], self.down[work], self.up[work], c[work])

    def sample(self, rows):
        """These rows, which stand for all, and prices in proportion."""
        share = len(rows) / len(self.y)
        sides = self.y[rows], self.left[rows], self.right[rows], share * self.down, share * self.up
        return Priced(np.take(self.Z, rows, axis=1), *sides, share * self.c)

    def beyond(self, v, part):
        """Which columns pull further than this part of their price?"""
        return (v > part * self.up) | (v < -part * self.down)

    def level(self, r):
        """The best constant for these residuals: a quantile."""
        order = np.argsort(r)
        reached = np.cumsum((self.left + self.right)[order])
        return r[order[np.searchsorted(reached, self.right.sum() * (1 - 1e-14))]]


def suits(lines):
    """Are these lines without curvature, and every coefficient held at 0 or not at all?"""
    units = lines.units
    some = units.k > 0 and not units.curved and units.held > 0 and lines.problem.method != "irls"
    return some and lines.n_live > 0 and units.prices() is not None


def table(problem, lines):
    """The live rows, and the problem in the units of `lines`."""
    live = problem.weight.nonzero()[0]
    data = lines.units.along(problem.columns, live)
    return live, Priced(*data, *lines.units.prices(), np.zeros(lines.units.k))


def solve(problem, lines, tolerance):
    """Minimise; returns an Answer without a verdict."""
    live, small = table(problem, lines)
    beta, start = lines.units.inner(np.append(problem.start, 0.0)), None
    if problem.started and problem.start.any():
        if problem.intercept:
            beta[-1] = small.level(small.y - beta @ small.Z)
        r = small.y - beta @ small.Z
        start = Start(*pick(small, (beta != 0) | small.free, np.abs(r)), np.abs(r), np.zeros(len(beta)), r)
    found = vertex(small, start)
    answer = certified(problem, lines, tolerance, live, found)
    return answer._replace(unique=is_only(small, lines, found)) if answer.gap <= tolerance else answer


class Found(NamedTuple):
    """The last corner: its coefficients, dual point, rows and columns; the pivots and steps that led to it."""

    status: int
    beta: np.ndarray
    psi: np.ndarray
    zero: np.ndarray
    some: np.ndarray
    steps: int


def certified(problem, lines, tolerance, live, found):
    """The answer that a corner is, with its gap."""
    b = lines.coefficients(found.beta, np.append(problem.start, 0.0))
    f = problem.columns.predict(b[:-1])
    r = problem.sums.residual(f, b[-1])
    theta = lines.units.spread(found.psi, live, r)
    u = problem.columns.sweep(theta)
    objective, gap, scale = problem.certify(b[:-1], f, theta, u)
    dual = shrunk(scale, theta, u)
    return Answer(b[:-1], float(b[-1]), objective, gap, *dual, None, tolerance, 3, found.steps, None)


def vertex(small, start):
    """The optimal corner, from a start that promises to be near, or None."""
    k, m = small.Z.shape
    steps = 0
    if start is not None:
        found = exact(small, start, HOPED * (len(start.zero) + BESIDES))
        if found.status == OPTIMAL:
            return found
        steps = found.steps
    start, work = identify(small) if k * m > SMALL else (empty(small), 0)
    found = exact(small, start, PIVOTS * (min(m, k) + 10))
    return found._replace(steps=found.steps + steps + work)


class Start(NamedTuple):
    """A corner, what speaks against each row and column as one of the optimal corner's, and the residuals."""

    zero: np.ndarray
    some: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    r: np.ndarray


def empty(small):
    """The corner that always exists, among all rows and columns."""
    none = np.empty(0, np.intp)
    return Start(none, none, np.zeros(len(small.y)), np.zeros(len(small.Z)), small.y)


def again(small, found):
    """To start from a corner found before, at other prices."""
    r = small.y - found.beta @ small.Z
    return Start(found.zero, found.some, np.abs(r), np.zeros(len(found.beta)), r)


def identify(small):
    """A start near the optimum, and the steps it took."""
    m, work = len(small.y), promising(small)
    if len(work) == 0:
        return empty(small), 0
    rows, r, beta, gam, steps = np.arange(m), small.y, np.zeros(len(work)), 0.0, 0
    sizes = samples(m, len(work))[-1:]
    for size in sizes:
        part = small.sample(spread_rows(m, size))
        if len(work) == len(small.Z):
            work, _, steps = wanted(part) or (work, r, 0)
        beta, *_, count = inside(part.part(np.arange(size), work, part.y), np.zeros(len(work)), gam)
        r, steps = small.y - beta @ small.Z[work], steps + count
        rows = nearest(r, min(width(m, len(work), size), m - 1))
        gam = 2 * float(np.abs(r[rows]).max())
    if not sizes and (few := wanted(small)):
        work, r, steps = few
        beta, rows = np.zeros(len(work)), nearest(r, max(m // 2, 2 * len(work)))
    while True:
        part = small.part(rows, work, r)
        beta, psi, rest, status, count = inside(part, beta, gam)
        steps += count
        if status != NEAR and len(rows) < m:
            rows, gam, beta = np.arange(m), 0.0, np.zeros(len(work))
            continue
        if not np.isfinite(beta).all():
            return empty(small), steps
        side = small.side(r)
        side[rows] = psi[: len(rows)]
        v = small.Z @ side - small.c
        missed = np.maximum(v - small.up, -small.down - v) > MISSED * (small.down + small.up)
        missed[work] = False
        if not missed.any():
            return closing(small, part, rows, work, beta, psi, rest, v), steps
        work = np.union1d(work, missed.nonzero()[0])
        beta, gam = np.zeros(len(work)), 0.0


def at_rest(small):
    """What each column pulls by while none is in."""
    r = small.y - (small.level(small.y) if small.free.any() else 0.0)
    return small.Z @ small.side(r) - small.c


def promising(small):
    """The columns that pull at b = 0; all of them, if that is about what they do."""
    work = (small.beyond(at_rest(small), PULL) | small.free).nonzero()[0]
    return work if 2 * len(work) < len(small.Z) else np.arange(len(small.Z))


def wanted(small):
    """The columns that may be in, as rough fits to ever better guesses say, the residuals of the last, and its steps.

    The first guess is those that pull beyond their price at b = 0. None, if they are many.
    """
    (k, m), r, steps = small.Z.shape, small.y, 0
    work = (small.beyond(at_rest(small), 1.0) | small.free).nonzero()[0]
    for close in GLANCES:
        if not 0 < MANY * len(work) < min(m, k):
            return None
        part = small.part(np.arange(m), work, r)
        _, psi, rest, _, count = inside(part, np.zeros(len(work)), 0.0, close)
        if not np.isfinite(rest).all():
            return None
        work, steps = (small.beyond(small.Z @ psi[:m] - small.c, LIKELY) | small.free).nonzero()[0], steps + count
    return (work, rest[:m], steps) if len(work) else None


def inside(part, beta, gam, close=CLOSE):
    """The interior point method from beta, good to about gam: (beta, psi, residuals, status, steps)."""
    k, m = part.Z.shape
    beta, psi, r = beta.copy(), np.empty(m + k), np.empty(m + k)
    left, right = np.append(part.left, part.up), np.append(part.right, part.down)
    gam = gam or WIDE * float(np.median(np.abs(part.y))) or 1.0
    y = np.append(part.y, np.zeros(k))
    return beta, psi, r, *interior(part.Z, y, left, right, part.c, beta, psi, r, gam, close, PATIENCE)


def closing(small, part, rows, work, beta, psi, rest, v):
    """The start that an interior point is: what is zero has a residual small beside its slack, as parts of the most."""
    m = len(rows)
    left, right = np.append(part.left, part.up), np.append(part.right, part.down)
    slack = np.minimum(psi + left, right - psi) / np.maximum(left + right, 1e-300) + 1e-12
    size = np.abs(rest)
    cost = np.full(len(small.y), np.inf)
    cost[rows] = size[:m] / (size[:m].max() + 1e-300) / slack[:m]
    price = 1e12 * np.minimum(small.up - v, v + small.down) / np.where(small.free, 1.0, small.down + small.up)
    price[work] = slack[m:] / (size[m:] / (size[m:].max() + 1e-300) + 1e-12)
    r = small.y - beta @ small.Z[work]
    return Start(*pick(small, (price < 1) | small.free, cost), cost, price, r)


def pick(small, chosen, cost):
    """The rows and columns of a corner with these columns, and rows of little cost: as many as are independent."""
    columns = chosen.nonzero()[0]
    m = len(cost)
    count = min(m, len(columns) + len(columns) // 4 + 10)
    near = np.argpartition(cost, count - 1)[:count]
    M = small.Z[np.ix_(columns, near)].T / (cost[near] / (np.median(cost[near]) + 1e-300) + 0.02)[:, None]
    if len(columns) > count or not full(lapack.dgetrf(M)[0]):
        R, order = qr(M, mode="r", pivoting=True)
        d = np.abs(np.diagonal(R))
        kept = np.sort(order[: np.count_nonzero(d > RANK * d.max(initial=0.0))])
        columns, M = columns[kept], M[:, kept]
    rows = np.arange(count)
    for i, other in enumerate(lapack.dgetrf(M)[1][: len(columns)]):
        rows[i], rows[other] = rows[other], rows[i]
    return near[rows[: len(columns)]], columns


def full(lu):
    """Does this factor show full rank?"""
    d = np.abs(np.diagonal(lu))
    return bool((d > RANK * np.abs(np.triu(lu[: len(d)])).max(axis=0, initial=0.0)[: len(d)]).all())


def least(cost, size, those):
    """The `size` of least cost, ascending, and those; all of them if they are not many more."""
    if 2 * size >= len(cost) or not cost.any():
        return np.arange(len(cost))
    return np.union1d(np.argpartition(cost, size)[:size], those)


def exact(small, start, most):
    """The simplex method on few rows and columns, and more if need be."""
    zero, some, rows, columns, r = start
    size, steps = EACH * len(zero) + BESIDES, 0
    near, work = least(rows, size, zero), least(columns, size, some)
    while True:
        found = on_part(small, near, work, zero, some, r, most - steps)
        steps += found.steps
        if found.status == UNBOUNDED and len(near) < len(r):
            near = least(rows, 4 * len(near), near)
            continue
        now = small.y - found.beta @ small.Z
        crossed = (now > 0) != (r > 0)
        crossed[near] = False
        v = small.Z @ found.psi - small.c
        beyond = np.maximum(v - small.up, -small.down - v) > BEYOND * (small.down + small.up)
        beyond[work] = False
        if found.status != OPTIMAL or not (crossed.any() or beyond.any()):
            return found._replace(steps=steps)
        near = np.union1d(near, crossed.nonzero()[0])
        work = np.union1d(work, beyond.nonzero()[0])
        r, zero, some = now, found.zero, found.some


def on_part(small, near, work, zero, some, r, most):
    """The exact solution with the rows and columns of a part, the rest as r and zeros say."""
    part = small.part(near, work, r)
    at = np.zeros(min(part.Z.shape), np.int64), np.zeros(min(part.Z.shape), np.int64)
    at[0][: len(zero)], at[1][: len(some)] = np.searchsorted(near, zero), np.searchsorted(work, some)
    beta, psi, few = np.zeros(len(small.Z)), small.side(r), np.empty(len(near))
    b, rows = np.zeros(len(work)), np.ascontiguousarray(part.Z.T)
    status, pivots, count = corner(part.Z, rows, *part[1:], b, *at, len(zero), few, most)
    beta[work], psi[near] = b, few
    return Found(status, beta, psi, near[at[0][:count]], work[at[1][:count]], pivots)


def is_only(small, lines, found):
    """Is beta the only minimiser? See `uniqueness`."""
    if len(lines.gone) or lines.free:
        return False
    _, beta, psi, zero, some, _ = found
    v, r = small.Z @ psi, small.y - beta @ small.Z
    width = small.down + small.up
    # a coefficient that is zero and priced beyond what the rows pull is zero in every minimiser
    still = (np.minimum(small.up - v, v + small.down) > STRICT * width) & (beta == 0)
    left, right = small.left[zero], small.right[zero]
    inside = np.minimum(psi[zero] + left, right - psi[zero]) > STRICT * (left + right)
    if inside.all() and still.sum() + len(some) == len(v):
        return True
    moving = (~still).nonzero()[0]
    r[np.abs(r) <= 1e-12] = 0.0
    units = moving[width[moving] > 0]
    Z = np.vstack([small.Z[moving].T, (units[:, None] == moving).astype(float)])
    residual = np.append(r, -beta[units])
    left, right = np.append(small.left, small.up[units]), np.append(small.right, small.down[units])
    return is_unique(Z, residual, np.append(psi, -v[units]), left, right, np.zeros(len(moving)))
