"""Squared loss with an L2 penalty, all alphas and targets at once: one small matrix, factorised once.

    A = diag(root q) X~ diag(1 / root v),  q = w / W
    (A'A + alpha) c = A' root(q) y,  b = c / root(v)          if A has more rows than columns ("tall")
    (A A' + alpha) z = root(q) y,    b = A'z / root(v)        if it has fewer ("wide")

Nothing has a kink to be identified. Solve small and finish exactly are the work of `shifted`; one
pass over X then certifies all alphas together. Where the condition number must not be squared, and
beside columns that the penalty leaves free, A is brought to triangular form and its singular
values take the place of the eigenvalues. Arrays of solutions have one column per target and alpha.
"""

from dataclasses import replace

import numpy as np
from scipy.linalg import qr, solve_triangular

from l1l2fast import normal
from l1l2fast.least_squares import MAX_DENSE, least_squares, scale_of
from l1l2fast.penalties import L2
from l1l2fast.problem import EPS
from l1l2fast.shifted import FEW, SMALL, Cholesky, Eigen, Lanczos, Singular, Tridiagonal

# Condition numbers up to that may be squared: a correction then still gains four digits.
LIMIT = 3e5
# Of what the Gram matrix loses, EPS times its condition number, that much is left in the answer; else it is corrected.
LOSS = 1e-10
# The residual at which Lanczos stops; how far below the tolerance corrections aim, and how many there may be.
AIM, AHEAD, CORRECTIONS = 1e-13, 1e-3, 4


class System:
    """What the alphas have in common; `solve` says how they were solved in `method` and `condition`."""

    def __init__(self, problems):
        self.problems, self.problem = problems, problems[0]
        problem = self.problem
        self.Y = np.stack([other.y for other in problems], axis=1)
        self.tolerance = np.array([scale_of(other)[1] for other in problems])
        live = (problem.square > 0) & (problem.upper > problem.lower)
        self.held = np.flatnonzero(live & (problem.factor > 0))
        self.free = np.flatnonzero(live & (problem.factor == 0))
        self.shrink = 1 / np.sqrt(problem.factor[self.held])
        self.root = np.sqrt(problem.weight)
        self.top = float(problem.square[self.held] @ self.shrink**2)
        self.passes, self.method, self.condition, self.solver = 1, "svd", 1.0, None

    def solve(self, alphas, loo):
        """Coefficients of X~ (p, M), residuals (n, M), objectives and gaps (M,)."""
        X, size = self.problem.columns, min(self.problem.columns.n, len(self.held))
        if X.sparse and size > MAX_DENSE and not loo:
            return self.one_by_one(alphas)
        if size and not len(self.free):
            wide = len(self.held) > X.n
            found = self.wide(alphas, loo) if wide else self.tall(alphas, loo)
            if found is not None:
                return found
        return self.triangular(alphas)

    def choose(self, gram, right, alphas, loo):
        """A solver for the Gram matrix (its lower triangle), or None if its condition number is out of reach."""
        low, solver = alphas.min(), None
        if loo or len(gram) == 1:
            solver = Eigen(gram)
        elif len(gram) >= SMALL and len(alphas) <= FEW:
            solver = Cholesky(gram, alphas)
        elif right.shape[1] == 1 and len(gram) >= SMALL:
            solver = Lanczos(gram, right[:, 0], low, AIM)
            if solver.done and self.judge(solver, low) and not self.lossy():  # for it cannot correct
                return solver
            solver = None
        return self.judge(Tridiagonal(gram) if solver is None else solver, low)

    def judge(self, solver, low):
        """The solver, if it reaches down to the smallest alpha."""
        top, bottom = (extent + low for extent in solver.extent)
        self.method, self.solver = solver.method, solver
        self.condition = float(np.sqrt(top / bottom)) if bottom > 0 else np.inf if top > 0 else 1.0
        return solver if self.condition <= LIMIT or solver.method == "svd" else None

    def tall(self, alphas, loo):
        """By the Gram matrix of the columns; None where that is not good enough."""
        problem, X, held = self.problem, self.problem.columns, self.held
        gram = normal.gram_of_columns(problem, held, self.shrink, self.root)
        self.passes += 1
        if self.Y.shape[1] == 1:
            right = (problem.slope[held] * self.shrink)[:, None]
        else:
            right = normal.cross(problem, held, self.shrink, self.root, self.Y)
            self.passes += 1
        solver = self.choose(gram, right, alphas, loo)
        return None if solver is None else self.finish(solver.solve(right, alphas), alphas, X.p)

    def finish(self, c, alphas, p):
        """Certify c = root(v) b with a pass over X, correct it as long as that helps; None if it does not suffice."""
        factor, shifts, best = self.problem.factor[:, None], np.tile(alphas, self.Y.shape[1]), None
        for done in range(CORRECTIONS + 1):
            b = self.spread(c, p)
            exact = self.lossy() or self.method == "svd"
            residual, u = (normal.residuals if exact else normal.residuals_of_few)(self.problem, b, self.Y)
            self.passes += 1
            objective, gap = self.certify(b, residual, u, shifts)
            found = b, residual, objective, gap
            best = found if done == 0 or done == 1 and self.lossy() else better(best, found)
            excess = best[3].reshape(len(self.tolerance), -1) / np.maximum(self.tolerance, 1e-300)[:, None]
            if self.enough((excess <= AHEAD).all(), done):
                break
            c = c + self.correction(u - shifts * factor * b, shifts)
        return best if (excess <= 1).all() or self.method == "svd" else None

    def spread(self, c, p):
        """Coefficients of all columns of X~."""
        if len(self.held) == p and (self.shrink == 1).all():
            return np.ascontiguousarray(c)
        b = np.zeros((p, c.shape[1]))
        b[self.held] = self.shrink[:, None] * c[-len(self.held) :] if len(self.held) else 0.0
        b[self.free] = c[: len(self.free)]
        return b

    def correction(self, gradient, shifts):
        """What c lacks, from minus the gradient in the units of b."""
        held = gradient[self.held] * self.shrink[:, None]
        if not len(self.free):
            return self.solver.correct(held, shifts)
        first = solve_triangular(self.corner, gradient[self.free], trans=1)
        step = self.solver.correct(held - self.side.T @ first, shifts)
        return np.concatenate([solve_triangular(self.corner, first - self.side @ step), step])

    def certify(self, b, residual, u, shifts):
        """Objectives and gaps with the dual point theta = q r, as in `problem.certify`, for all columns at once."""
        problem, n = self.problem, len(self.Y)
        size = np.sqrt(problem.weight @ residual**2)
        pull = shifts * problem.factor[:, None]
        objective = size**2 / 2 + (pull * b**2).sum(0) / 2
        unit = 2.3e-16 * (16 + np.sqrt(n)) * (size + np.sqrt(problem.square) @ np.abs(b))
        live = np.concatenate([self.free, self.held])
        pull, part = pull[live], b[live]
        off = np.abs(u[live] - pull * part)
        with np.errstate(divide="ignore", invalid="ignore"):
            slack = off**2 / (2 * pull)
        small = off <= np.sqrt(problem.square[live])[:, None] * unit
        slack[small] = np.fmin(slack, off * np.abs(part))[small]
        return objective, slack.sum(0)

    def wide(self, alphas, loo):
        """By the Gram matrix of the rows; for theta = root(q) alpha z the gap is |root(q) r - alpha z|^2 / 2."""
        problem, root, count = self.problem, self.root, self.Y.shape[1]
        gram = normal.gram_of_rows(problem, self.held, self.shrink, root)
        self.passes += 1
        right, shifts = root[:, None] * self.Y, np.tile(alphas, count)
        top = np.trace(gram)
        if problem.intercept:  # the eigenvector that the intercept takes away is known; for loo, let it come last
            gram += (2 * top if loo else top / len(gram)) * np.outer(root, root)
        solver = self.choose(gram.copy(order="F"), right, alphas, loo)
        if loo and problem.intercept:
            solver.s, solver.V = solver.s[:-1], solver.V[:, :-1]
            solver.extent = solver.s[-1], solver.s[0]
            solver = self.judge(solver, alphas.min())
        if solver is None:
            return None
        z = solver.solve(right, alphas)
        goal = np.repeat(right, len(alphas), axis=1)
        rounding = EPS * (16 + np.sqrt(len(self.held))) * top
        limit = np.repeat(self.tolerance, len(alphas))
        for done in range(CORRECTIONS + 1):
            z = self.centre(z)
            if self.lossy():  # the products with the Gram matrix are no better than its factors
                rounding, off = 0.0, self.root[:, None] * self.through(z)[1] - shifts * z
            else:
                off = goal - gram @ z - shifts * z
            gap = (np.linalg.norm(off, axis=0) + rounding * np.linalg.norm(z, axis=0)) ** 2 / 2
            if self.enough((gap <= AHEAD * limit).all(), done):
                break
            z += solver.correct(off, shifts)
        if not (gap <= limit).all():
            return None
        residual = off + shifts * z
        objective = (residual**2).sum(0) / 2 + shifts * (z * (goal - residual)).sum(0) / 2
        b = normal.turn_back(problem, self.held, self.shrink, root, z)
        self.passes += 1
        return b, self.unweighted(residual, b), objective, gap

    def through(self, z):
        """b from z, and its residuals."""
        b = normal.turn_back(self.problem, self.held, self.shrink, self.root, z)
        self.passes += 2
        return b, normal.residuals(self.problem, b, self.Y)[0]

    def enough(self, near, done):
        """Shall there be no correction more?"""
        return near and (done > 0 or not self.lossy()) or done == CORRECTIONS or self.method == "lanczos"

    def lossy(self):
        """Has squaring the condition number cost more digits than may be lost?"""
        return self.method != "svd" and self.condition**2 * EPS > LOSS

    def centre(self, z):
        """z without what the intercept takes."""
        return z - self.root[:, None] * (self.root @ z) if self.problem.intercept else z

    def unweighted(self, residual, b):
        """Residuals of the rows as they are; those of weight zero are predicted."""
        none = np.flatnonzero(self.root == 0)
        residual = residual / np.where(self.root > 0, self.root, 1.0)[:, None]
        if len(none):
            count = b.shape[1] // self.Y.shape[1]
            residual[none] = np.repeat(self.Y[none], count, axis=1) - self.problem.columns.rows(none) @ b
        return residual

    def triangular(self, alphas):
        """By orthogonal transforms: the free columns first, the singular values of what they leave of the others."""
        problem, free = self.problem, self.free
        if len(free):
            rows = normal.row_block(problem.columns, slice(0, problem.columns.n), free, np.ones(len(free)), self.root)
            _, R, pivot = qr(rows, mode="economic", pivoting=True)
            extent = np.abs(R.diagonal())
            several = free
            free = free[pivot[: np.count_nonzero(extent > EPS * 32 * max(rows.shape) * extent[0])]]
            self.free = free
        f, k = len(free), len(self.held)
        scale = np.concatenate([np.ones(f), self.shrink])
        R = normal.triangle(problem, np.concatenate([free, self.held]), scale, self.root, self.Y)
        self.passes += 1 + bool(f)
        self.corner, self.side = R[:f, :f], R[:f, f : f + k]
        solver = self.judge(Singular(R[f:, f : f + k], R[f:, f + k :]), alphas.min())
        c = solver.solve(None, alphas)
        if f:
            right = np.repeat(R[:f, f + k :], len(alphas), axis=1) - self.side @ c
            c = np.concatenate([solve_triangular(self.corner, right), c])
        found = self.finish(c, alphas, problem.columns.p)
        if f and f < len(several):  # of the free coefficients that fit as well, the shortest
            found[0][several] = np.linalg.lstsq(rows, rows @ found[0][several], rcond=None)[0]
        return self.settle(found, alphas)

    def settle(self, found, alphas):
        """Hand to `least_squares`, which projects its dual point, what has no proof: alphas of rounding size."""
        b, residual, objective, gap = found
        for m in np.flatnonzero(gap > np.repeat(self.tolerance, len(alphas))):
            one = self.single(*divmod(m, len(alphas)), alphas)
            if one[3] < gap[m]:
                b[:, m], residual[:, m], objective[m], gap[m] = one
        return found

    def single(self, target, k, alphas):
        """Coefficients, residuals, objective and gap of one alpha and target."""
        problem = replace(self.problems[target], penalty=L2(alphas[k]))
        if problem.slope is None:
            problem.slope = problem.columns.sweep(problem.weight * problem.y)
        answer = least_squares(problem, alphas[k] * problem.factor)
        residual, _ = problem.columns.residual(problem.y, problem.weight, answer.b, problem.intercept)
        self.passes += answer.n_passes + 1
        return answer.b, residual, answer.objective, answer.gap

    def one_by_one(self, alphas):
        """Sparse X with many rows and columns: each alpha and target for itself."""
        self.method, self.condition = "iterative", np.nan
        found = [self.single(target, k, alphas) for target in range(len(self.problems)) for k in range(len(alphas))]
        b, residual, objective, gap = zip(*found, strict=True)
        return np.stack(b, axis=1), np.stack(residual, axis=1), np.array(objective), np.array(gap)

    def kept(self, alphas):
        """1 - leverage of each row (n, K), and the trace of the map from y to its fit (K,)."""
        problem, solver, s = self.problem, self.solver, self.solver.s[:, None]
        df = problem.intercept + len(self.free) + (s / (s + alphas)).sum(0)
        self.passes += 1
        if solver.method == "eigh" and len(solver.V) == len(self.Y) and len(self.held) > len(self.Y):
            self.passes -= 1
            return solver.V**2 @ (alphas / (s + alphas)), df
        kept, live = np.empty((len(self.Y), len(alphas))), np.concatenate([self.free, self.held])
        scale, f = np.concatenate([np.ones(len(self.free)), self.shrink]), len(self.free)
        for part in normal.steps(len(self.Y), len(live)):
            block = normal.row_block(problem.columns, part, live, scale, self.root)
            taken = problem.weight[part] * problem.intercept
            if f:
                left = solve_triangular(self.corner, block[:, :f].T, trans=1)
                taken = taken + (left**2).sum(0)
                block = block[:, f:] - left.T @ self.side
            kept[part] = 1 - taken[:, None] - (block @ solver.V) ** 2 @ (1 / (s + alphas))
        return kept, df


def better(one, other):
    """Column by column, the one with the smaller gap."""
    wins = other[3] < one[3]
    return tuple(np.where(wins, new, old) for old, new in zip(one, other, strict=True))
