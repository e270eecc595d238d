"""The parabola of a smooth loss around a prediction f, and its penalised minimum over a few columns.

    minimise  1/2 sum_i h_i d_i^2 - v_i d_i + sum_j factor_j pen(b_j),   d = c + X~(b - b_now)

Columns are centred with the weights h for the time of one step: c is then sum v / sum h, whatever b is.
With more columns than rows and no kink, the rows make the smaller system.
"""

import numpy as np
from scipy.linalg import lapack

from l1l2fast import normal
from l1l2fast._model import minimise, parabola

# What the curvature is at least, as a part of a majoriser's: at first, at most, and when it is dropped.
SHARE, MOST_SHARE, LEAST_SHARE = 0.3, 1.0, 1e-5
# Epochs of one step, at most.
EPOCHS = 2000
# A kink below this is none: penalties say what their slope is beside zero.
NO_KINK = 1e-290
# Curvature that columns without a penalty are lent where rows are fewer, relative to their mean square.
LENT = 1e-9


def kinks(problem):
    """The slopes up to which the penalty holds each coefficient at zero."""
    kink = problem.penalty.kink()
    return (kink if kink > NO_KINK else 0.0) * problem.factor


def model_of(problem):
    """The model that suits the penalty and the shape of X."""
    elastic = problem.penalty.elastic()
    if elastic is None or problem.bounded or kinks(problem).any():
        return Model(problem)
    live = np.flatnonzero((problem.square > 0) & (problem.lower < problem.upper))
    return Rows(problem, live, elastic[1]) if problem.columns.n < len(live) else Model(problem)


class Model:
    """The minimum by the Gram matrix of the columns."""

    def __init__(self, problem):
        self.problem = problem
        self.mean = problem.columns.mean.copy()
        self.v, self.h = np.empty((2, problem.columns.n))
        self.G, self.work = np.empty((0, 0)), np.empty(0)
        self.share, self.epochs, self.last = SHARE, 0, None

    def learn(self, t):
        """Steps that had to be cut ask for more curvature."""
        if t < 0.5:
            self.share = min(MOST_SHARE, max(10, 1 / t) * max(self.share, LEAST_SHARE))
        elif t == 1:
            self.share = 0.1 * self.share if self.share > LEAST_SHARE else 0.0

    def direction(self, which, b, f, strength, enough):
        """The way to the minimum of the parabola over the columns `which`: the changes of b and f."""
        problem, X = self.problem, self.problem.columns
        loss, all_v, all_h, rank = parabola(problem.sums, f, self.share, self.v, self.h)
        lift, sums = 0.0, X.weigh(which, self.h, self.v)
        slope = sums[2]
        if problem.intercept and all_h > 0:
            lift, shift = all_v / all_h, sums[0] / all_h
            X.mean[which] += shift / X.scale[which]
            slope -= shift * all_v
        db = np.zeros(X.p)
        if len(which):
            new = self.minimum(which, strength, b, slope, loss, enough, rank - problem.intercept)
            db[which] = new - b[which]
        df = X.predict(db)
        df += lift
        X.mean[which] = self.mean[which]
        return db, df

    def minimum(self, which, strength, b, slope, loss, enough, rank):
        """b on the columns `which` at the minimum, by their Gram matrix."""
        problem, k = self.problem, len(which)
        if len(self.G) != k:
            self.G, self.work = np.empty((k, k)), np.empty(k * k + 9 * k)
        problem.columns.gram(which, np.sqrt(self.h), self.G)
        ends = loss, enough, rank, EPOCHS, self.work
        new, epochs = minimise(problem.sums, self.G, which, strength, b, slope, *ends)
        self.epochs += epochs
        return new


class Rows(Model):
    """The minimum by the Gram matrix K = X~ (D + M)^-1 X~' of the rows, for D = diag(l2 factor) and no kink.

    Stationary is a = v - H d with X~'a = D b + M (b - b_now): a Cholesky factor of I + sqrt(H) K sqrt(H) gives it.
    M lends curvature to columns without any; it holds them where they are and vanishes as they settle.
    """

    def __init__(self, problem, live, l2):
        super().__init__(problem)
        self.live, self.d = live, l2 * problem.factor[live]
        lent = LENT * problem.square[live].mean()
        self.inverse = 1 / np.where(self.d > 0, self.d, lent)
        one = np.ones(problem.columns.n)
        self.K = normal.gram_of_rows(problem, live, np.sqrt(self.inverse), one)

    def direction(self, which, b, f, strength, enough):
        """The way to the minimum of the parabola over all columns: the changes of b and f."""
        problem, X = self.problem, self.problem.columns
        _, all_v, _, _ = parabola(problem.sums, f, self.share, self.v, self.h)
        pull = np.zeros(X.p)
        pull[self.live] = self.inverse * self.d * b[self.live]
        held, root = X.predict(pull), np.sqrt(self.h)
        A = self.K * root
        A *= root[:, None]
        A[np.diag_indices_from(A)] += 1.0
        A, _ = lapack.dpotrf(A, lower=1, overwrite_a=1, clean=0)
        right = np.column_stack([root, root * (self.K @ self.v - held)])
        s = -lapack.dpotrs(A, right, lower=1)[0]
        c = -(all_v + root @ s[:, 1]) / (root @ s[:, 0]) if problem.intercept else 0.0
        a = self.v + root * (c * s[:, 0] + s[:, 1])
        db = np.zeros(X.p)
        db[self.live] = self.inverse * (X.sweep(a)[self.live] - self.d * b[self.live])
        self.epochs += 1
        return db, c + X.predict(db)
