"""Interior point method for a lasso near interpolation, where the support is almost as large as n.

There coordinate descent crawls and a Newton step on the support crosses kinks at once, but the dual

    minimise  1/2 |v|^2 - y'v   subject to   |Z'v| <= l,     Z = sqrt(w) X~_W,  v = sqrt(w) r

has n unknowns only: each step solves (I + Z diag(d) Z') dv = ..., n x n, whatever the support (Mehrotra, 1992).
Started at a loosely solved lasso it takes about ten steps; its end names the support, from which the
working set goes on exactly.
"""

import numpy as np
from scipy.linalg import blas, lapack

# Part of the largest feasible dual point to start from, and part of the way to the boundary in each step.
INSIDE, REACH = 0.98, 0.995
# Curvatures below this part of the largest are left out of the matrix; and so many columns per row are in it at most.
SMALLEST, LARGE = 1e-8, 2.0
STEPS = 40
# A coefficient is in the support if its multiplier exceeds its slack by this part of max|b| / l.
CROSS = 1e-3


# The columns that may be in the support: |g| within this part of its limit; and at most so many per row.
POSSIBLE, MOST = 0.6, 5
# Rows, at most: the matrix and the columns are held in memory.
MAX_ROWS = 4000


def fits(problem):
    """Is this a lasso with fewer rows than columns, every coefficient penalised and none bounded?"""
    elastic, n = problem.penalty.elastic(), problem.columns.n
    plain = elastic is not None and elastic[1] == 0 and elastic[0] > 0 and not problem.bounded
    return plain and n < problem.columns.p and n <= MAX_ROWS and bool((problem.factor > 0).all())


def interior(problem, point, enough):
    """Solve from a `Point` on; returns the nonzero coefficients and their columns.

    Columns with small correlations are left out: whether one of them was needed, the next pass shows.
    """
    limit = point.strength * problem.penalty.kink() * problem.factor
    size = np.where(point.b != 0, np.inf, np.abs(point.g) / limit)
    which = np.flatnonzero(size > POSSIBLE)
    most = min(MOST * problem.columns.n, len(size) - 1)
    if len(which) > most:
        which = np.sort(np.argpartition(size, len(size) - most)[len(size) - most :])
    root = np.sqrt(problem.weight)
    Z = problem.columns.part(which, root).T
    b = dual_steps(Z, root * problem.y, limit[which], point.b[which], enough)
    return b[b != 0], which[b != 0]


def dual_steps(Z, y, limit, b, enough):
    """Predictor and corrector steps from a warm start b, until the gap is `enough` or falls no more.

    Parameters
    ----------
    Z : (n, k) Fortran-ordered float64
    y : (n,)
    limit : (k,) positive
        l, one per column.
    b : (k,)
        Coefficients to start from.

    Returns
    -------
    b : (k,)
        Coefficients, exactly zero off the support.
    """
    k = Z.shape[1]
    r = y - Z @ b
    u = Z.T @ r
    v = INSIDE * min(1.0, float((limit / np.maximum(np.abs(u), 1e-300)).min())) * r
    u = Z.T @ v
    gap = first = least = r @ r / 2 + limit @ np.abs(b) - (y @ v - v @ v / 2)
    s = np.array([limit - u, limit + u])  # the slacks; both they and their multipliers z stay > 0
    z = np.array([np.maximum(b, 0.0), np.maximum(-b, 0.0)]) + 0.1 * gap / (2 * k) / s
    r, square = y - Z @ (z[0] - z[1]), np.einsum("ij,ij->j", Z, Z)
    block, slow, best, slack = np.empty(len(y) * columns_in(Z)), 0, z.copy(), s
    for _ in range(STEPS):
        mu = (z * s).sum() / (2 * k)
        M, failed = factor(Z, square, (z / s).sum(0), block)
        if failed:
            break
        rest = v - r
        _, ds, dz = direction(Z, M, z, s, rest, -z * s)
        after = ((z + reach(z, dz, 1.0) * dz) * (s + reach(s, ds, 1.0) * ds)).sum() / (2 * k)
        dv, ds, dz = direction(Z, M, z, s, rest, (after / mu) ** 3 * mu - z * s - ds * dz)
        z += reach(z, dz, REACH) * dz
        step = reach(s, ds, REACH)
        v += step * dv
        s = s + step * ds
        b = z[0] - z[1]
        r = y - Z @ b
        gap = r @ r / 2 + limit @ np.abs(b) - (y @ v - v @ v / 2)
        # the first steps give up the gap of the start for feasible multipliers
        slow = slow + 1 if gap > 0.9 * least and least < first else 0
        if gap <= least:
            least, best, slack = gap, z.copy(), s
        if gap <= enough or slow == 3:
            break
    b = best[0] - best[1]
    inside = (best / slack).max(0) > CROSS * np.abs(b).max() / limit
    return np.where(inside, b, 0.0)


def direction(Z, M, z, s, rest, aim):
    """Steps of v, s and z that bring the rest of the gradient to zero and z s to z s + aim, to first order."""
    ratio = aim / s
    dv = lapack.dpotrs(M, -rest - Z @ (ratio[0] - ratio[1]), lower=1)[0]
    du = Z.T @ dv
    ds = np.array([-du, du])
    return dv, ds, ratio - z / s * ds


def columns_in(Z):
    """How many columns may be in the matrix of a step."""
    return min(Z.shape[1], int(LARGE * len(Z)))


def factor(Z, square, d, block):
    """Cholesky factor of I + Z diag(d) Z', or nearly so, and whether it failed.

    Where many columns count, the step is but a Newton step's neighbour: the least of them stand as a multiple of the
    identity, and single precision is enough. What is wrong with the step, the next one sees. `square` has the squares
    of the columns, `block` is memory for `columns_in` of them.
    """
    J, most, rest = np.flatnonzero(d > SMALLEST * d.max()), columns_in(Z), 0.0
    rough = len(J) > most
    if rough:
        order = np.argpartition(d[J], len(J) - most)
        little, J = J[order[:-most]], np.sort(J[order[-most:]])
        rest = d[little] @ square[little] / len(Z)
    for single in (True, False) if rough else (False,):
        A = block.view(np.float32 if single else np.float64)[: len(Z) * len(J)].reshape((len(Z), -1), order="F")
        with np.errstate(over="ignore"):  # the factor is not finite then
            np.multiply(Z[:, J], np.sqrt(d[J]), out=A, casting="same_kind")
            M = (blas.ssyrk if single else blas.dsyrk)(1.0, A, lower=1)
            M[np.diag_indices_from(M)] += M.dtype.type(1.0 + rest)
        M, info = (lapack.spotrf if single else lapack.dpotrf)(M, lower=1, overwrite_a=1, clean=0)
        failed = info != 0 or not np.isfinite(M.diagonal()).all()
        if not failed:
            break
    return M.astype(np.float64, order="F", copy=False), failed


def reach(x, dx, part):
    """The longest step <= 1 that keeps x + step dx > 0, times `part`."""
    down = dx < 0
    return min(1.0, part * float((-x[down] / dx[down]).min(initial=np.inf)))
