"""The parabola of a smooth loss around a prediction f, and its penalised minimum over a few columns.

    minimise  1/2 sum_i h_i d_i^2 - v_i d_i + sum_j factor_j pen(b_j),   d = c + X~(b - b_now)

With columns centred by the weights h, c is sum v / sum h whatever b is.
With more columns than rows and no kink, the rows make the smaller system.
"""

import numpy as np
from scipy.linalg import lapack

from l1l2fast import normal
from l1l2fast._cd import residual_epochs
from l1l2fast._conjugate import support_step
from l1l2fast._dense import DenseF
from l1l2fast._model import minimise, parabola, stiffen
from l1l2fast._sparse import Sparse
from l1l2fast._weigh import weigh
from l1l2fast.kept_gram import KeptGram
from l1l2fast.working_set import SMALL

# What the curvature is at least, as a part of a majoriser's: at first, at most, and when it is dropped.
SHARE, MOST_SHARE, LEAST_SHARE = 0.3, 1.0, 1e-5
# What each step leaves of the curvature that rows were lent because a step had been cut.
KEPT = 0.1
# The fall of a step, relative to the loss, below which its rounding says nothing about the parabola.
TRIFLE = 1e-9
# Epochs of one step in Gram form, at most, and with more columns than rows, where no Newton step can finish; in
# residual form, of which those over the support between two over all columns; and the part of the largest move at which
# they end.
EPOCHS, CROWDED, MOST, ACTIVE, FADED = 2000, 100, 20, 3, 0.05
# Where no Gram matrix needs to follow, because X is sparse: that part instead, or the part of the gap asked for; a Gram
# matrix after all, when the epochs were as many as the support has columns, divided by RENT.
LAST, NEAR, RENT = 1e-3, 0.1, 12
# An epoch that moves b by more than this part of the one before is followed by conjugate gradients: what they leave of
# the squared slopes, and their iterations at most, on the way and then.
SLOW, LESS, SHORT, FURTHER = 0.1, 0.01, 20, 150
# So few sparse columns make a Gram matrix at once.
FEW = 30
# Numbers in the columns at work beyond which an epoch waits for memory, and the largest Gram matrix.
CACHED, MAX_GRAM = 4_000_000, 4000
# Curvature that columns without a penalty are lent where even they outnumber the rows, relative to their mean square.
LENT = 1e-9


def kinks(problem):
    """The slopes up to which the penalty holds each coefficient at zero."""
    return problem.penalty.kink() * problem.factor


def together(X, which):
    """These columns of X, copied to where they lie together: cheaper than an epoch over them where they do not."""
    if not X.sparse:
        return DenseF(X.part(which, np.ones(X.n)).T)
    copy = Sparse(X.owner[:, which])
    copy.mean[:], copy.scale[:] = X.mean[which], X.scale[which]
    return copy


def model_of(problem):
    """The model that suits the penalty and the shape of X."""
    elastic = problem.penalty.elastic()
    if elastic is None or problem.bounded or kinks(problem).any():
        return Model(problem)
    live = np.flatnonzero((problem.square > 0) & (problem.lower < problem.upper))
    few = len(live) <= max(problem.columns.n, SMALL)  # then this matrix, which holds more digits, costs little
    return Model(problem) if few else Rows(problem, live, elastic[1])


class Model:
    """The minimum by coordinate descent, in residual form for many columns, and by their Gram matrix."""

    def __init__(self, problem):
        self.problem = problem
        self.mean = problem.columns.mean.copy()
        self.l, self.v, self.h = np.empty((3, problem.columns.n))
        self.gram, self.work = KeptGram(problem.columns), np.empty(0)
        self.floor = np.zeros(problem.columns.n)
        self.share, self.doubt, self.epochs, self.last, self.hand = SHARE, 0.0, 0, None, None
        free = (problem.factor == 0) | (problem.penalty.growth() == 0)
        self.free = bool(free[problem.lower < problem.upper].any())  # slopes that must vanish to rounding

    def follow(self, problem):
        """Go on with another penalty on the same data."""
        self.problem, self.last, self.epochs = problem, None, 0

    def learn(self, f, df, t):
        """A step that had to be cut took some rows, or all, for too flat; else they may be as flat as they are."""
        self.floor *= KEPT
        if t < 1:
            stiffen(self.problem.sums, f, df, self.l, self.v, self.h, self.floor)
        if t < 0.5:
            self.share = min(MOST_SHARE, max(10, 1 / t) * max(self.share, LEAST_SHARE))
        elif t == 1:
            self.share = 0.1 * self.share if self.share > LEAST_SHARE else 0.0

    def trust(self, df, t, fall, expected):
        """How far to trust the next parabola: as far as a step fell by what this one said."""
        modelled = expected - self.h @ (df * df) / 2
        if t < 1:
            self.doubt = 1.0
        else:
            self.doubt = abs(1 - fall / modelled) / 2 if modelled > TRIFLE * self.l.sum() else 0.0

    def direction(self, which, b, f, strength, enough, rough):
        """The way to the minimum of the parabola over the columns `which`: the changes of b and f.

        A rough one is enough on the way, and where the last step fell by something else than its parabola: that of a
        few epochs.
        """
        rough = rough or self.doubt > FADED
        problem = self.problem
        loss, all_v, all_h, rank = parabola(problem.sums, f, self.share, self.floor, self.l, self.v, self.h)
        if rank == 0:  # every row is on a line
            self.share = SHARE
            loss, all_v, all_h, rank = parabola(problem.sums, f, self.share, self.floor, self.l, self.v, self.h)
        lift, new, v = all_v / all_h if problem.intercept else 0.0, b, self.v
        inside, pays, still = which, self.gram_pays(len(which)), False
        if not pays:
            new, v, still = self.epochs_over(which, b, strength, lift, enough, rough)
            which = which[new[which] != 0]
        if len(which) and (pays or not (rough or still) and len(which) <= MAX_GRAM):
            ends = loss, enough, rank - problem.intercept
            new = self.by_gram(which, inside, strength, new, v, lift, *ends)
        db = new - b
        if pays:
            df = problem.columns.predict(db, inside)
        else:
            X, at, take = self.at_hand(inside)
            df = X.predict(db[take], at)
        if problem.intercept:  # the columns less their means by the weights h
            df += lift - self.h @ df / all_h
        return db, df

    def gram_pays(self, k):
        """Is a Gram matrix of k columns cheaper than some epochs?"""
        X = self.problem.columns
        if X.sparse:
            return k <= FEW
        return k <= SMALL or k * X.n > CACHED and k <= MAX_GRAM

    def epochs_over(self, which, b, strength, lift, enough, rough):
        """Epochs in residual form; returns b, h times the residual, and whether nothing is left to do."""
        problem, (X, at, take) = self.problem, self.at_hand(which)
        first, square, _ = weigh(X, at, self.h, self.v)
        total = self.h.sum()  # the epochs want weights of sum 1, with which the columns are centred
        h, v, squares = self.h / total, (self.v - lift * self.h) / total, np.zeros(X.p)
        squares[at] = square / total
        if problem.intercept:
            before, shift = X.mean[at], first / total
            X.mean[at] = before + shift / X.scale[at]
            squares[at] -= shift * shift
            squares[at[squares[at] <= 1e-13 * shift * shift]] = 0.0
        new, factor = b[take].copy(), strength / total * problem.factor[take]
        box = squares, problem.penalty, factor, problem.lower[take], problem.upper[take]
        still = self.passes(X, at, h, v, new, box, NEAR * enough / total, rough)
        v *= total
        if problem.intercept:
            X.mean[at] = before
        if X is not problem.columns:
            new, short = b.copy(), new
            new[which] = short
        return new, v, still

    def at_hand(self, which):
        """X, or a copy of these columns that lie together, their places there, and what of longer vectors is theirs."""
        X = self.problem.columns
        if not X.sparse and not X.owner.flags.c_contiguous:
            return X, which, slice(None)
        if self.hand is None or not np.array_equal(self.hand[2], which):
            self.hand = together(X, which), np.arange(len(which)), which
        return self.hand

    def passes(self, X, at, h, v, b, box, enough, rough):
        """Epochs until they move b by less, and where that takes many of a sparse X, conjugate gradients.

        Of a dense X, for which a Gram matrix is to follow unless this is rough, a single one.
        """
        sparse = self.problem.columns.sparse
        most = MOST if rough else max(MOST, np.count_nonzero(b) // RENT) if sparse else 1
        faded = FADED if rough else 0.0 if self.free else max(LAST, self.doubt)
        moved, largest, epochs = np.inf, 0.0, 0
        while epochs < most and (moved > faded * largest if rough else moved > max(faded * largest, enough)):
            before = moved
            _, moved = residual_epochs(X, at, h, v, b, *box, 0.0, 1)
            largest = max(largest, moved)
            support = at[b[at] != 0]
            if sparse and moved > SLOW * before:
                more, _ = support_step(X, support, h, v, b, *box, LESS, SHORT if rough else FURTHER)
            else:
                more, _ = residual_epochs(X, support, h, v, b, *box, FADED * moved, ACTIVE)
            epochs += 1 + more
        self.epochs += epochs
        return sparse and moved <= max(faded * largest, enough)

    def by_gram(self, which, inside, strength, b, v, lift, loss, enough, rank):
        """b with the columns `which` at the minimum, by their Gram matrix; v is h times the residual.

        Others that are `inside` move with them if their matrix is known.
        """
        problem, maybe = self.problem, np.zeros(len(b), dtype=bool)
        maybe[inside] = True
        which, first, slope = self.gram.of(which, self.h, v, maybe)
        k, G = len(which), self.gram.G
        if len(self.work) < k * k + 11 * k:
            self.work = np.empty(k * k + 11 * k)
        if problem.intercept:
            all_h = self.h.sum()
            slope = slope - first * (v.sum() / all_h)
            G = np.multiply.outer(first, first / -all_h)
            G += self.gram.G[:k, :k]
        ends = loss, enough, rank, EPOCHS if k <= rank else CROWDED, self.work
        new, paid = b.copy(), not self.gram_pays(len(inside))  # by epochs in residual form
        new[which], epochs = minimise(problem.sums, G, which, strength, b, slope, *ends, paid)
        self.epochs += epochs
        return new


class Rows(Model):
    """The minimum by the Gram matrix K = X~ D^-1 X~' of the rows, for D = diag(l2 factor) and no kink.

    Stationary is a = v - H d with X~'a = D b, and with Z'a = 0 for the intercept and the columns without a penalty,
    Z g being what they add to d: a Cholesky factor of I + sqrt(H) K sqrt(H) gives both, g by a system of its own.
    Where those are more than the rows, they are lent a curvature instead, which holds them where they are and vanishes
    as they settle.
    """

    def __init__(self, problem, live, l2):
        super().__init__(problem)
        d = l2 * problem.factor[live]
        lent = np.count_nonzero(d == 0) > problem.columns.n
        held = lent | (d > 0)
        self.held, self.unheld, self.d = live[held], live[~held], d[held]
        least = LENT * problem.square[live].mean() if lent else 0.0
        self.inverse = 1 / np.maximum(self.d, least)
        one = np.ones(problem.columns.n)
        self.K = normal.gram_of_rows(problem, self.held, np.sqrt(self.inverse), one)
        self.length = np.sqrt(problem.square[self.unheld])
        Z = problem.columns.part(self.unheld, one) / self.length[:, None]  # rows, of about the length 1
        self.Z = np.vstack([one, Z]) if problem.intercept else Z

    def direction(self, which, b, f, strength, enough, rough):
        """The way to the minimum of the parabola over all columns: the changes of b and f."""
        problem, X = self.problem, self.problem.columns
        parabola(problem.sums, f, self.share, self.floor, self.l, self.v, self.h)
        pull = np.zeros(X.p)
        pull[self.held] = self.inverse * self.d * b[self.held]
        root = np.sqrt(self.h)
        A = self.K * root
        A *= root[:, None]
        A[np.diag_indices_from(A)] += 1.0
        A, _ = lapack.dpotrf(A, lower=1, overwrite_a=1, clean=0)
        Z = self.Z * root
        right = np.vstack([root * (self.K @ self.v - X.predict(pull)), Z]).T
        s = lapack.dpotrs(A, right, lower=1)[0]
        g = np.linalg.lstsq(Z @ s[:, 1:], self.Z @ self.v - Z @ s[:, 0], rcond=None)[0]
        a = self.v - root * (s[:, 0] + s[:, 1:] @ g)
        db = np.zeros(X.p)
        db[self.held] = self.inverse * (X.sweep(a)[self.held] - self.d * b[self.held])
        db[self.unheld] = g[problem.intercept :] / self.length
        self.epochs += 1
        return db, (g[0] if problem.intercept else 0.0) + X.predict(db)
