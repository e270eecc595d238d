"""Two lines a row and a price on the coefficients: an L1 penalty, a bound at 0.

1. Identify: an interior point method on all rows and columns, to a gap of a ten thousandth (`_interior`); from a warm
   start, and where X is small, nothing.
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
from l1l2fast.result import Answer, shrunk
from l1l2fast.uniqueness import STRICT, is_unique

# What the kernels answer.
OPTIMAL, PIVOT_CAP, UNBOUNDED = 0, 1, 2
# Up to this many numbers in X, the simplex method starts from the empty corner.
SMALL = 20_000
# The interior point method starts that many typical residuals wide, ends at this gap, after so many steps at most.
WIDE, CLOSE, PATIENCE = 20, 1e-4, 60
# The small problem has so many rows and columns for each coefficient of the corner, and so many besides.
EACH, BESIDES = 2, 100
# Pivots at most: of a start that promised to be near, for each row or column that may be in the corner, then at all.
NEAR, PIVOTS = 5, 500
# A column is too steep if it is so by this part of its price.
BEYOND = 1e-9
# A pivot in the choice of rows below this part of its column's largest is none.
RANK = 1e-10


class Priced(NamedTuple):
    """Columns Z, (k, m), with y and the slopes of the m rows and of the k coefficients."""

    Z: np.ndarray
    y: np.ndarray
    left: np.ndarray
    right: np.ndarray
    down: np.ndarray
    up: np.ndarray

    @property
    def free(self):
        """The coefficients without a price."""
        return self.down + self.up == 0

    def side(self, r):
        """The dual point of rows on the sides that r says."""
        return np.where(r > 0, self.right, -self.left)


def suits(lines):
    """Are these lines without curvature, and every coefficient held at 0 or not at all?"""
    units = lines.units
    some = units.k > 0 and not units.curved and len(units.owners) > 0 and lines.problem.method != "irls"
    return some and lines.n_live > 0 and units.prices() is not None


def solve(problem, lines, tolerance):
    """Minimise; returns an Answer without a verdict."""
    live, units = problem.weight.nonzero()[0], lines.units
    Z, y, left, right = units.along(problem.columns, live)
    small = Priced(Z, y, left, right, *units.prices())
    beta, warm = units.inner(np.append(problem.start, 0.0)), problem.started and problem.start.any()
    if warm and problem.intercept:
        beta[-1] = level(small, small.y - beta @ small.Z)
    status, beta, psi, basis, steps = vertex(small, beta, warm)
    b = lines.coefficients(beta, np.append(problem.start, 0.0))
    f = problem.columns.predict(b[:-1])
    r = problem.sums.residual(f, b[-1])
    theta = units.spread(psi, live, r)
    u = problem.columns.sweep(theta)
    objective, gap, scale = problem.certify(b[:-1], f, theta, u)
    unique = is_only(small, lines, beta, r[live], psi, basis) if gap <= tolerance else None
    return Answer(b[:-1], float(b[-1]), objective, gap, *shrunk(scale, theta, u), None, tolerance, 3, steps, unique)


def level(small, r):
    """The best constant for these residuals: a quantile."""
    order = np.argsort(r)
    reached = np.cumsum((small.left + small.right)[order])
    return r[order[np.searchsorted(reached, small.right.sum() * (1 - 1e-14))]]


def vertex(small, beta, warm):
    """The optimal corner: (status, beta, psi, its rows and columns, steps)."""
    k, m = small.Z.shape
    most, steps = PIVOTS * (min(m, k) + 10), 0
    if warm:
        r = small.y - beta @ small.Z
        start = Start(*pick(small, (beta != 0) | small.free, np.abs(r)), np.abs(r), np.zeros(k), r)
        status, *answer, steps = exact(small, start, NEAR * (len(start.zero) + BESIDES))
        if status == OPTIMAL:
            return status, *answer, steps
    start, work = identify(small) if k * m > SMALL else (empty(small), 0)
    status, *answer, more = exact(small, start, most)
    return status, *answer, steps + work + more


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


def identify(small):
    """A start near the optimum, and the steps it took."""
    k, m = small.Z.shape
    beta, psi, r = np.zeros(k), np.empty(m + k), np.empty(m + k)
    left, right = np.append(small.left, small.up), np.append(small.right, small.down)
    gam = WIDE * float(np.median(np.abs(small.y))) or 1.0
    y = np.append(small.y, beta)
    _, steps = interior(small.Z, y, left, right, np.zeros(k), beta, psi, r, gam, CLOSE, PATIENCE)
    if not np.isfinite(beta).all():
        return empty(small), steps
    # what is zero has a small residual beside its slack, each as a part of the largest
    slack = np.minimum(psi + left, right - psi) / np.maximum(left + right, 1e-300) + 1e-12
    r, size = r[:m], np.abs(r)
    rows = size[:m] / (size[:m].max() + 1e-300) / slack[:m]
    columns = slack[m:] / (size[m:] / (size[m:].max() + 1e-300) + 1e-12)
    return Start(*pick(small, (columns < 1) | small.free, rows), rows, columns, r), steps


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
    """The simplex method on few rows and columns, and more if need be; (status, beta, psi, (rows, columns), steps)."""
    zero, some, rows, columns, r = start
    size, steps = EACH * len(zero) + BESIDES, 0
    near, work = least(rows, size, zero), least(columns, size, some)
    while True:
        status, beta, psi, basis, pivots = on_part(small, near, work, zero, some, r, most - steps)
        steps += pivots
        if status == UNBOUNDED and len(near) < len(r):
            near = least(rows, 4 * len(near), near)
            continue
        now = small.y - beta @ small.Z
        crossed = (now > 0) != (r > 0)
        crossed[near] = False
        v = small.Z @ psi
        beyond = np.maximum(v - small.up, -small.down - v) > BEYOND * (small.down + small.up)
        beyond[work] = False
        if status != OPTIMAL or not (crossed.any() or beyond.any()):
            return status, beta, psi, basis, steps
        near = np.union1d(near, crossed.nonzero()[0])
        work = np.union1d(work, beyond.nonzero()[0])
        r, (zero, some) = now, basis


def on_part(small, near, work, zero, some, r, most):
    """The exact solution with the rows and columns of a part, the rest as r and zeros say."""
    side = small.side(r)
    side[near] = 0.0
    c = -(small.Z[work] @ side) if len(near) < len(r) else np.zeros(len(work))
    whole = len(near) == len(r) and len(work) == len(small.Z)
    Z = small.Z if whole else np.ascontiguousarray(small.Z[np.ix_(work, near)])
    at = np.zeros(min(Z.shape), np.int64), np.zeros(min(Z.shape), np.int64)
    at[0][: len(zero)], at[1][: len(some)] = np.searchsorted(near, zero), np.searchsorted(work, some)
    found, psi = np.zeros(len(work)), np.zeros(len(near))
    prices = small.down[work], small.up[work]
    rows = np.ascontiguousarray(Z.T)
    rest = small.y[near], small.left[near], small.right[near], *prices, c, found, *at, len(zero), psi
    status, pivots, count = corner(Z, rows, *rest, most)
    beta = np.zeros(len(small.Z))
    beta[work] = found
    side[near] = psi
    return status, beta, side, (near[at[0][:count]], work[at[1][:count]]), pivots


def is_only(small, lines, beta, r, psi, basis):
    """Is beta the only minimiser? See `uniqueness`."""
    if len(lines.gone) or lines.free:
        return False
    zero, some = basis
    v = small.Z @ psi
    width = small.down + small.up
    # a coefficient that is zero and priced beyond what the rows pull is zero in every minimiser
    still = (np.minimum(small.up - v, v + small.down) > STRICT * width) & (beta == 0)
    left, right = small.left[zero], small.right[zero]
    inside = np.minimum(psi[zero] + left, right - psi[zero]) > STRICT * (left + right)
    if inside.all() and still.sum() + len(some) == len(v):
        return True
    moving = (~still).nonzero()[0]
    rest = r.copy()
    rest[np.abs(r) <= 1e-12 * lines.size] = 0.0
    units = moving[width[moving] > 0]
    Z = np.vstack([small.Z[moving].T, (units[:, None] == moving).astype(float)])
    residual = np.append(rest / lines.size, -beta[units])
    left, right = np.append(small.left, small.up[units]), np.append(small.right, small.down[units])
    return is_unique(Z, residual, np.append(psi, -v[units]), left, right, np.zeros(len(moving)))
