"""Least squares and ridge: no penalty has a kink, no bound is set.

    1/2 |y - X~b|_w^2 + 1/2 sum_j d_j b_j^2

Where the Gram matrix in the smaller of n and p loses nothing, which its Cholesky factor tells, that
is all there is to do. It squares the condition number; elsewhere, and for small X, orthogonal
factorisation does not: X is read in blocks of rows that are folded into one triangular factor R
(Golub, 1965), so the extra memory is a few p x p arrays; with fewer rows than columns the transpose
is factorised. The answer is refined with R'R d = X~'r (Bjorck, 1987). Columns are scaled, R is
pivoted, and if it shows a rank below p, the shortest of the optimal coefficient vectors is returned.
"""

import numpy as np
from scipy.linalg import lapack, qr

from l1l2fast import normal
from l1l2fast._triangle import back, forth, frame, pivoted, stack
from l1l2fast.problem import EPS
from l1l2fast.result import Answer, Status, shrunk
from l1l2fast.shifted import factorise

# Sparse X of more columns than this is solved by conjugate gradients instead of a dense triangle.
MAX_DENSE = 4000
# Below that many multiplications, orthogonal transforms cost nothing that could be saved.
HEAVY = 1e6
# Condition numbers of the Gram matrix: below the first nothing is lost, up to the second a correction makes up for it.
HARMLESS, SQUARED = 1e4, 1e10
# How far below the gap that is asked for conjugate gradients go.
AHEAD = 1e-4
# A curvature of the penalty relative to the data's, below which a correction of the answer is enough.
TINY = 1e-20


def least_squares(problem, d):
    """Minimise; d is the curvature of the penalty. Returns an Answer."""
    X = problem.columns
    live, unique = problem.sums.movable(), True
    if len(live) < X.p:
        unique = not ((problem.square == 0) & (problem.upper > problem.lower) & (d == 0)).any()
    solver = normal_equations(problem, live, d)
    if solver is not None:
        pass
    elif X.sparse and len(live) > MAX_DENSE:
        solver = Iterative(problem, live, d)
    elif X.n < len(live) and (d[live] > 0).any():
        solver = Wide(problem, live, d)
    else:
        solver = Tall(problem, live, d)
    return refine(problem, d, solver, unique)


def scale_of(problem):
    """The objective at b = 0, and the gap that tol asks for: relative to it, above the rounding of y."""
    null = problem.energy / 2
    return null, problem.tol * null + (4e-16 * problem.y_size) ** 2 / 2


def refine(problem, d, solver, unique):
    """Solve for b, then for the correction of the fresh residual until it stops helping."""
    y, weight = problem.y, problem.weight
    _, tolerance = scale_of(problem)
    b, best, passes, rounds, status = solver.first(), None, 0, 0, None
    while status is None:
        projected = not (solver.easy and rounds == 0)
        if projected:
            # a dual point that is feasible to rounding: r less what a correction of b would still take away
            r, theta = problem.columns.residual(y, weight, b, problem.intercept)
            step = solver.correct(r, theta, d * b)
            _, theta, u, _ = problem.columns.fresh(r, weight, step, problem.intercept)
            passes += 1
        else:
            r, theta, u, _ = problem.columns.fresh(y, weight, b, problem.intercept)
        passes += 1
        objective, gap, scale = problem.certify(b, y - r, theta, u, projected)
        if gap > tolerance and projected:  # the projection itself ended in rounding: count what that may cost
            objective, gap, scale = min(
                (objective, gap, scale), problem.certify(b, y - r, theta, u), key=lambda c: c[1]
            )
        if best is None or gap < best[1] or solver.easy and rounds == 1:
            best = objective, gap, b, *shrunk(scale, theta, u)
            status = problem.verdict(rounds, objective, gap, tolerance, passes)
        else:  # the correction is rounding: this is as good as float64 allows
            status = Status.CONVERGED if best[1] <= tolerance else Status.MAX_ITER
        if status is None and projected:
            b = b + step
        rounds += 1
    objective, gap, b, theta, u = best
    passes += solver.passes
    return Answer(b, 0.0, objective, gap, theta, u, status, tolerance, passes, rounds, unique and solver.full_rank)


def normal_equations(problem, live, d):
    """A Cholesky factor in the smaller of n and p, or None where that does not pay or would lose digits."""
    X, few = problem.columns, min(problem.columns.n, len(live))
    wide = X.n < len(live)
    if X.n * len(live) * few < HEAVY or X.sparse and few > MAX_DENSE or wide and not (d[live] > 0).all():
        return None
    solver = (CholeskyOfRows if wide else CholeskyOfColumns)(problem, live, d)
    return solver if solver.condition <= SQUARED else None


class CholeskyOfColumns:
    """The Cholesky factor of scaled X~'X~ + diag(d)."""

    easy = full_rank = True

    def __init__(self, problem, live, d):
        self.problem, self.live, self.passes = problem, live, 2
        self.scale = 1 / np.sqrt(problem.square[live] + d[live])
        gram = normal.gram_of_columns(problem, live, self.scale, np.sqrt(problem.weight))
        gram[np.diag_indices_from(gram)] += d[live] * self.scale**2
        self.factor, self.condition, _ = factorise(gram)
        self.d = d

    def first(self):
        """The solution, corrected once if the condition number asks for it."""
        b = self.solve(self.problem.slope)
        return b if self.condition <= HARMLESS else corrected(self, b)

    def correct(self, r, theta, pull):
        """(X~'X~ + diag(d))^-1 (X~'theta - pull)."""
        return self.solve(self.problem.columns.sweep(theta) - pull)

    def solve(self, rho):
        """(X~'X~ + diag(d))^-1 rho."""
        b = np.zeros(len(rho))
        b[self.live] = self.scale * lapack.dpotrs(self.factor, self.scale * rho[self.live], lower=1)[0]
        return b


class CholeskyOfRows:
    """The Cholesky factor of mu (I + X~ diag(1/d) X~'), mu being the smallest d: for fewer rows than columns."""

    easy = full_rank = True

    def __init__(self, problem, live, d):
        self.problem, self.live, self.passes, self.root = problem, live, 3, np.sqrt(problem.weight)
        self.d, self.mu = d, d[live].min()
        self.inverse = np.zeros(len(d))
        self.inverse[live] = self.mu / d[live]
        gram = normal.gram_of_rows(problem, live, np.sqrt(self.inverse[live]), self.root)
        if problem.intercept:  # what is orthogonal to root has no say in it, and the condition number is the others'
            gram += np.trace(gram) / len(gram) * np.outer(self.root, self.root)
        gram[np.diag_indices_from(gram)] += self.mu
        self.factor, self.condition, _ = factorise(gram)

    def first(self):
        """The solution, corrected once if the condition number asks for it."""
        b = self.back(self.problem.y)
        return b if self.condition <= HARMLESS else corrected(self, b)

    def back(self, f):
        """X~'(mu I + X~ diag(mu/d) X~')^-1 f, times mu/d."""
        z = lapack.dpotrs(self.factor, self.root * f, lower=1)[0]
        return self.inverse * self.problem.columns.sweep(self.root * z)

    def correct(self, r, theta, pull):
        """(X~'X~ + diag(d))^-1 (X~'theta - pull), by Woodbury's identity."""
        X = self.problem.columns
        step = self.inverse / self.mu * (X.sweep(theta) - pull)
        return step - self.back(X.predict(step))


def corrected(solver, b):
    """b and what its residual asks for."""
    problem = solver.problem
    r, theta = problem.columns.residual(problem.y, problem.weight, b, problem.intercept)
    solver.passes += 2
    return b + solver.correct(r, theta, solver.d * b)


class Tall:
    """R and Q'y from row blocks of [X~ y; sqrt(d) 0]."""

    def __init__(self, problem, live, d):
        self.problem, self.live, self.passes = problem, live, 2
        self.scale, ridge = frame(problem.square, d, live)
        k = len(live)
        if k == 0:
            self.rank, self.full_rank, self.easy = 0, True, True
            return
        self.R = fold(problem, live, self.scale, ridge)
        # rounding adds up over the blocks of rows, at random
        self.pivot, self.rank, self.easy = pivoted(self.R, EPS * max(32, k, problem.columns.n**0.5))
        self.z = self.R[: self.rank, k]
        self.full_rank = self.rank == k
        self.shortest = None if self.full_rank else shortest_map(self.triangle(), self.pivot, self.scale)

    def triangle(self):
        """The rows of R that count."""
        return np.triu(self.R[: self.rank, :-1])

    def first(self):
        """The solution, as accurate as the factorisation."""
        return self.back(self.z) if self.rank else np.zeros(self.problem.columns.p)

    def correct(self, r, theta, pull):
        """(X~'X~ + diag(d))^+ (X~'theta - pull) by two triangular solves; theta = w r, pull = d b."""
        if self.rank == 0:
            return np.zeros(len(pull))
        rho = self.problem.columns.sweep(theta) - pull
        return self.back(forth(self.R, self.pivot, self.live, self.scale, rho, self.rank))

    def back(self, z):
        """R^+ z on the scale of the coefficients."""
        if self.full_rank:
            return back(self.R, self.pivot, self.live, self.scale, z, self.problem.columns.p)
        b = np.zeros(self.problem.columns.p)
        b[self.live] = self.shortest(z)
        return b

    def shorten(self, b):
        """The shortest coefficients of the live columns with the fit of b; the last entry is not theirs."""
        b = b.copy()
        b[self.live] = self.shortest(self.triangle() @ (b[self.live] / self.scale)[self.pivot])
        return b


def fold(problem, live, scale, R):
    """[R; X~ scale, y] or, if its rows are many, its triangle."""
    X, root, k = problem.columns, np.sqrt(problem.weight), len(live)
    rows = max(256, 2 * (k + 1))
    for lo in range(0, X.n, rows):
        hi = min(lo + rows, X.n)
        R = stack(R, X, lo, hi, live, scale, root, problem.y)
        if hi < X.n or len(R) > 2 * rows:
            R = np.asfortranarray(np.triu(lapack.dgeqrf(R, overwrite_a=True)[0][: k + 1]))
    return R


def shortest_map(R, pivot, scale):
    """z -> the shortest b with R (b / scale)[pivot] = z, on the scale of the coefficients."""
    M = np.empty((R.shape[1], R.shape[0]))
    M[pivot] = R.T
    M /= scale[:, None]
    # columns of X on scales far apart: the long rows first and pivoting, as above, or the short ones drown
    order = np.argsort(-np.abs(M).max(axis=1, initial=0), kind="stable")
    Q, T, turn = qr(M[order], mode="economic", pivoting=True)
    Q[order] = Q.copy()
    return lambda z: Q @ lapack.dtrtrs(T, z[turn], trans=1)[0]


class Wide:
    """Fewer rows than columns: b = c / sqrt(d) for the columns that d holds, the free ones projected out of the rest.

    With Z' = X~ / sqrt(d) = U T Pi' Q', c = Q Pi e minimises |U'r - T e|^2 + |e|^2. Both parts of
    the right-hand side stay what they are: Z r would drown them in the rounding of 1 / sqrt(d).
    """

    easy = False

    def __init__(self, problem, live, d):
        self.problem, self.passes, self.root = problem, 2, np.sqrt(problem.weight)
        rows = problem.columns.block(0, problem.columns.n, self.root)
        self.free, self.held = live[d[live] == 0], live[d[live] > 0]
        self.rows_free = rows[self.free]
        # Below that, d shortens b and does nothing else; `refine` works with the d that was asked for.
        self.shrink = 1 / np.sqrt(np.maximum(d[self.held], TINY * problem.square[live].max()))
        Z = np.multiply(rows[self.held], self.shrink[:, None], order="F")
        size = np.linalg.norm(Z)
        self.full_rank = True
        if len(self.free):
            Q, T, _ = qr(self.rows_free.T, mode="economic", pivoting=True)
            extent = np.abs(T.diagonal())
            self.full_rank = len(self.free) <= len(extent) and bool(extent[-1] > EPS * 32 * Z.shape[1] * extent[0])
            Z -= (Z @ Q) @ Q.T
        n, k = Z.shape[1], min(Z.shape)
        self.Q = Reflectors(lapack.dgeqrf(Z, lwork=64 * n))
        T, pivot, *tau = lapack.dgeqp3(np.triu(self.Q.R[:k]).T, lwork=64 * (k + 1))
        self.U, self.pivot = Reflectors((T, *tau)), pivot - 1
        self.rank = int(np.count_nonzero(np.abs(T.diagonal()) > EPS * max(32, n) * size))
        # the long rows come first, as they must for Householder's transforms to keep the short ones
        T = np.triu(T[:k])
        T[self.rank :] = 0.0
        self.R, *self.small = lapack.dtpqrt(k, min(k, 64), T, np.eye(k))[:3]

    def first(self):
        """The solution, up to the rounding that `correct` removes."""
        return self.correct(self.problem.y, None, np.zeros(self.problem.columns.p))

    def correct(self, r, theta, pull):
        """(X~'X~ + diag(d))^-1 (X~'theta - pull) from the residual r and pull = d b; b has no part that Q lacks."""
        problem, step, k = self.problem, np.zeros(self.problem.columns.p), len(self.R)
        short = self.Q.turn("T", self.shrink * pull[self.held])[self.pivot]
        right = self.U.turn("T", self.root * r)[:k]
        right[self.rank :] = 0.0
        right = lapack.dtpmqrt(k, *self.small, right[:, None], -short[:, None], trans="T")[0]
        c = np.zeros(len(self.held))
        c[self.pivot] = lapack.dtrtrs(self.R, right[:, 0])[0]
        step[self.held] = self.shrink * self.Q.turn("N", c)
        if len(self.free):
            r, _ = problem.columns.residual(r, problem.weight, step, problem.intercept)
            step[self.free] = np.linalg.lstsq(self.rows_free.T, self.root * r, rcond=None)[0]
        return step


class Reflectors:
    """An orthogonal matrix as LAPACK leaves it, above which stands the triangle R."""

    def __init__(self, factored):
        self.R, self.tau = factored[0], factored[1]

    def turn(self, trans, x):
        """Q'x for "T", Q x for "N"."""
        m = len(self.tau)
        return lapack.dormqr("L", trans, self.R[:, :m], self.tau, x[:, None], 32 * m)[0][:, 0]


class Iterative:
    """Sparse X with many rows and columns: conjugate gradients on the residual (Hestenes and Stiefel, 1952)."""

    full_rank = None

    def __init__(self, problem, live, d):
        self.problem, self.d, self.passes, self.most = problem, d, 1, 20 * len(live)
        self.scale = np.zeros(len(d))
        self.scale[live] = 1 / (problem.square[live] + d[live])
        self.easy = bool((d[live] > 0).all())
        self.full_rank = self.easy or None
        self.inverse = np.divide(1.0, d, out=np.zeros(len(d)), where=(d > 0) & (self.scale > 0))
        self.aim = AHEAD * scale_of(problem)[1]

    def first(self):
        """Start from zero and let `refine` improve it."""
        y = self.problem.y
        return self.correct(y, self.problem.weight * y, np.zeros(len(self.d)))

    def correct(self, r, theta, pull):
        """(X~'X~ + diag(d))^-1 (X~'theta - pull), the columns scaled; stopped where r itself proves the gap small."""
        problem, X, step = self.problem, self.problem.columns, np.zeros(len(self.d))
        g = X.sweep(theta) - pull
        move = self.scale * g
        size = goal = g @ move
        for _ in range(self.most):
            rounding = len(g) * (4 * EPS) ** 2 * (problem.weight @ (r * r))
            if size <= max(1e-28 * goal, rounding) or self.easy and (g * self.inverse) @ g / 2 <= self.aim:
                break
            f = X.predict(move)
            if problem.intercept:
                f -= problem.weight @ f
            length = size / (f @ (problem.weight * f) + move @ (self.d * move))
            step += length * move
            r = r - length * f
            pull = pull + length * self.d * move
            g = X.sweep(problem.weight * r) - pull
            scaled = self.scale * g
            before, size = size, g @ scaled
            move = scaled + size / before * move
            self.passes += 2
        return step
