"""Least squares and ridge by orthogonal factorisation: no penalty has a kink, no bound is set.

    1/2 |y - X~b|_w^2 + 1/2 sum_j d_j b_j^2

X is read in blocks of rows that are folded into one triangular factor R (Golub, 1965), so the
extra memory is a few p x p arrays; with fewer rows than columns the transpose is factorised.
The answer is refined with R'R d = X~'r (Bjorck, 1987): the Gram matrix, which squares the
condition number, is never formed. Columns are scaled, R is pivoted, and if it shows a rank
below p, the shortest of the optimal coefficient vectors is returned.
"""

import numpy as np
from scipy.linalg import lapack

from l1l2fast.problem import EPS
from l1l2fast.result import Answer, Status

# Sparse X of more columns than this is solved by LSMR instead of a dense triangle.
MAX_DENSE = 4000


def least_squares(problem, d):
    """Minimise; d is the curvature of the penalty. Returns an Answer."""
    X = problem.columns
    live = np.flatnonzero((problem.square > 0) & (problem.upper > problem.lower))
    unique = not ((problem.square == 0) & (problem.upper > problem.lower) & (d == 0)).any()
    if hasattr(X.owner, "tocsc") and len(live) > MAX_DENSE:
        solver = Iterative(problem, live, d)
    elif X.n < len(live) and (d[live] > 0).any():
        solver = Wide(problem, live, d)
    else:
        solver = Tall(problem, live, d)
    return refine(problem, d, solver, unique)


def scale_of(problem):
    """The objective at b = 0, and the gap that tol asks for: relative to it, above the rounding of y."""
    null = float(problem.weight @ (problem.y * problem.y)) / 2
    return null, problem.tol * null + (4e-16 * problem.y_size) ** 2 / 2


def refine(problem, d, solver, unique):
    """Solve for b, then for the correction of the fresh residual until it stops helping."""
    y, weight = problem.y, problem.weight
    _, tolerance = scale_of(problem)
    b, best, passes, rounds = solver.first(), None, solver.passes, 0
    status = None
    while status is None:
        r, theta = problem.columns.residual(y, weight, b, problem.intercept)
        step = solver.correct(problem.columns.sweep(theta) - d * b)
        _, theta = problem.columns.residual(r, weight, step, problem.intercept)
        u = problem.columns.sweep(theta)
        passes += 2
        objective, gap, scale = problem.certify(b, y - r, theta, u)
        if best is None or gap < best[1]:
            best = objective, gap, b, scale * theta, scale * u
            status = problem.verdict(rounds, objective, gap, tolerance, passes)
        else:  # the correction is rounding: this is as good as float64 allows
            status = Status.CONVERGED if best[1] <= tolerance else Status.MAX_ITER
        b = b + step
        rounds += 1
    objective, gap, b, theta, u = best
    return Answer(b, 0.0, objective, gap, theta, u, status, tolerance, passes, rounds, unique and solver.full_rank)


class Tall:
    """R and Q'y from row blocks of [X~ y; sqrt(d) 0]."""

    def __init__(self, problem, live, d):
        self.problem, self.live, self.passes = problem, live, 2
        d = d[live]
        self.scale = 1 / np.sqrt(problem.square[live] + d)
        k = len(live)
        stacked = fold(problem, live, self.scale, np.sqrt(d) * self.scale)
        if k == 0:
            self.rank, self.full_rank = 0, True
            return
        factor, pivot, tau, *_ = lapack.dgeqp3(stacked[:, :k])
        m = len(tau)
        self.z = lapack.dormqr("L", "T", factor[:, :m], tau, stacked[:, k:], 32 * k)[0][:m, 0]
        self.pivot = pivot - 1
        diagonal = np.abs(factor.diagonal())
        self.rank = int(np.count_nonzero(diagonal > EPS * max(32, k) * diagonal[0]))
        self.full_rank = self.rank == k
        self.R = factor[:self.rank]
        self.shortest = None if self.full_rank else shortest_map(np.triu(self.R), self.pivot, self.scale)

    def first(self):
        """The solution, as accurate as the factorisation."""
        return self.back(self.z[:self.rank]) if self.rank else np.zeros(self.problem.columns.p)

    def correct(self, rho):
        """(X~'X~ + diag(d))^+ rho by two triangular solves."""
        if self.rank == 0:
            return np.zeros(len(rho))
        right = (self.scale * rho[self.live])[self.pivot[:self.rank]]
        return self.back(lapack.dtrtrs(self.R[:, :self.rank], right, trans=1)[0])

    def back(self, z):
        """R^+ z on the scale of the coefficients."""
        b = np.zeros(self.problem.columns.p)
        if self.full_rank:
            b[self.live[self.pivot]] = self.scale[self.pivot] * lapack.dtrtrs(self.R[:, :self.rank], z)[0]
        else:
            b[self.live] = self.shortest(z)
        return b

    def shorten(self, b):
        """The shortest coefficients of the live columns with the fit of b; the last entry is not theirs."""
        b = b.copy()
        b[self.live] = self.shortest(np.triu(self.R) @ (b[self.live] / self.scale)[self.pivot])
        return b


def fold(problem, live, scale, ridge):
    """The triangle of [diag(ridge) 0; X~ scale, y], or all its rows if they are few."""
    X, root, k = problem.columns, np.sqrt(problem.weight), len(live)
    R = np.zeros((0, k + 1))
    if ridge.any():
        R = np.zeros((k, k + 1))
        np.fill_diagonal(R, ridge)
    rows = max(256, 2 * (k + 1))
    for lo in range(0, X.n, rows):
        hi = min(lo + rows, X.n)
        block = X.block(lo, hi, root)
        stacked = np.empty((len(R) + hi - lo, k + 1), order="F")
        stacked[:len(R)] = R
        np.multiply((block if k == X.p else block[live]).T, scale, out=stacked[len(R):, :k])
        np.multiply(root[lo:hi], problem.y[lo:hi], out=stacked[len(R):, k])
        R = stacked
        if hi < X.n or len(R) > 2 * rows:
            R = np.triu(lapack.dgeqrf(stacked, overwrite_a=True)[0][:k + 1])
    return R


def shortest_map(R, pivot, scale):
    """z -> the shortest b with R (b / scale)[pivot] = z, on the scale of the coefficients."""
    M = np.empty((R.shape[1], R.shape[0]))
    M[pivot] = R.T
    M /= scale[:, None]
    Q, T = np.linalg.qr(M)
    return lambda z: Q @ lapack.dtrtrs(T, z, trans=1)[0]


class Wide:
    """Fewer rows than columns: b = D^-1 Z'c with Z = L Q', after the free columns are projected out."""

    full_rank = True

    def __init__(self, problem, live, d):
        self.problem, self.passes = problem, 2
        X, root = problem.columns, np.sqrt(problem.weight)
        rows = X.block(0, X.n, root)
        self.free, self.held = live[d[live] == 0], live[d[live] > 0]
        self.Q_free = np.linalg.qr(rows[self.free].T)[0] if len(self.free) else np.empty((X.n, 0))
        self.shrink = 1 / np.sqrt(d[self.held])
        Z = rows[self.held] * self.shrink[:, None]
        Z -= (Z @ self.Q_free) @ self.Q_free.T
        self.rows_free = rows[self.free]
        self.Q, L = np.linalg.qr(Z)
        # normal equations of [L'; I] through its own triangle
        self.R = np.linalg.qr(np.vstack([L.T, np.eye(len(L))]), mode="r")
        self.root = root
        if len(self.free):
            _, T = np.linalg.qr(self.rows_free.T)
            size = np.abs(np.diag(T))
            self.full_rank = len(self.free) <= X.n and bool((size > EPS * 32 * X.n * size.max(initial=0.0)).all())

    def first(self):
        """The solution, up to the rounding that `correct` removes."""
        X, y, weight = self.problem.columns, self.problem.y, self.problem.weight
        return self.correct(X.sweep(weight * y))

    def correct(self, rho):
        """(X~'X~ + diag(d))^-1 rho in the row space of X."""
        step = np.zeros(self.problem.columns.p)
        free, held = rho[self.free], rho[self.held]
        # eliminate the free block: rows_free rows_free' is its Gram
        along = np.linalg.lstsq(self.rows_free, free, rcond=None)[0] if len(self.free) else np.zeros(len(self.root))
        right = self.shrink * held
        if len(self.free):
            rows = self.problem.columns.block(0, len(self.root), self.root)[self.held]
            right = right - self.shrink * (rows @ along)
        c = self.Q.T @ right
        inside = lapack.dtrtrs(self.R, lapack.dtrtrs(self.R, c, trans=1)[0])[0]
        scaled = self.Q @ inside + (right - self.Q @ c)
        step[self.held] = self.shrink * scaled
        if len(self.free):
            fitted = rows.T @ step[self.held]
            step[self.free] = np.linalg.lstsq(self.rows_free.T, along - fitted, rcond=None)[0]
        return step


class Iterative:
    """Sparse X with many columns: LSMR (Fong and Saunders, 2011) on [X~; sqrt(d)] with scaled columns."""

    full_rank = None

    def __init__(self, problem, live, d):
        self.problem, self.live, self.passes = problem, live, 1
        self.root = np.sqrt(problem.weight)
        self.scale = 1 / np.sqrt(problem.square[live] + d[live])
        self.ridge = np.sqrt(d[live]) * self.scale
        if (d[live] > 0).all():
            self.full_rank = True

    def first(self):
        """Start from zero and let `refine` improve it."""
        X = self.problem.columns
        return self.correct(X.sweep(self.problem.weight * self.problem.y))

    def correct(self, rho):
        """(X~'X~ + diag(d))^-1 rho by conjugate gradients on the scaled normal equations."""
        from scipy.sparse.linalg import LinearOperator, minres

        X, live = self.problem.columns, self.live
        full = np.zeros(X.p)

        def normal(c):
            full[live] = self.scale * np.ravel(c)
            f = X.predict(full)
            if self.problem.intercept:
                f -= self.problem.weight @ f
            self.passes += 2
            return self.scale * X.sweep(self.problem.weight * f)[live] + self.ridge**2 * np.ravel(c)

        k = len(live)
        right = self.scale * rho[live]
        solution, _ = minres(LinearOperator((k, k), matvec=normal, dtype=float), right, rtol=1e-14, maxiter=20 * k)
        step = np.zeros(X.p)
        step[live] = self.scale * solution
        return step
