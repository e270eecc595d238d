"""path(): all strengths of the penalty, each answer certified; the fast way down for the lasso and the elastic net."""

import functools
import time

import numpy as np

from l1l2fast import _validate, _validate_many
from l1l2fast.least_squares import scale_of
from l1l2fast.path_result import Path
from l1l2fast.penalties import L1, L1L2, L2
from l1l2fast.result import Function, Status, warn_of
from l1l2fast.squared import SMALL, budget_of, choose, cross, firmer, holds_residual, new_set
from l1l2fast.steps import Ridges, Steps
from l1l2fast.working_set import GramSet, Point

# Alphas that are solved, and certified by one pass over X, together; the larger number after a batch without misses.
BATCH, LONG = 8, 16
# Part of the tolerance that a solve may use up, and what each further attempt at the same alpha leaves of it.
SHARE, STRICTER = 0.6, 0.3
# Attempts at one alpha that do not halve its gap; and crossings by the interior point method, before the walk to it
# may take as long as it takes.
IDLE, CROSSINGS = 4, 2
# With so many rows for each column, and so few columns, the Gram matrix of all of them stands for X.
TALL, WHOLE = 4, 1000
# Outer rounds at one alpha of a loss that has them, at most.
ROUNDS = 1000


def warned(silent: Function) -> Function:
    """`silent`, with a warning if a gap is above its tolerance; `l1l2fast.sklearn` uses `path.__wrapped__`."""

    @functools.wraps(silent)
    def loud(*args, **kwargs):
        result = silent(*args, **kwargs)
        warn_of(result.gap.max(), result.tolerance, Status.MAX_ITER, 3)
        return result

    return loud


@warned
def path(
    X,
    y,
    loss="squared",
    *,
    l1_ratio=1.0,
    alphas=None,
    n_alphas=100,
    eps=None,
    sample_weight=None,
    offset=None,
    fit_intercept=True,
    penalty_factor=None,
    lower=None,
    upper=None,
    positive=False,
    standardize=False,
    tol=1e-8,
    n_jobs=1,
) -> Path:
    """Any loss along decreasing strengths of an L1, L2 or L1 + L2 penalty, each answer certified.

    Minimises over the intercept b0 and the coefficients b, for every alpha, with W = sum_i w_i,

        1/W sum_i w_i l(y_i, b0 + x_i'b + o_i)
            + alpha sum_j v_j (l1_ratio |b_j| + (1 - l1_ratio) b_j^2 / 2)      subject to  lower <= b <= upper

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        As in `solve`.
    y : array-like of shape (n_samples,)
        Response.
    loss : str or Loss, default="squared"
        As in `solve`.
    l1_ratio : float in [0, 1], default=1.0
        Share of L1. For 0 and the squared loss there is `ridge_path`, which knows more.
    alphas : float or array-like of shape (n_alphas,), optional
        Strengths of the penalty, >= 0, in any order; they come back descending. By default `n_alphas` of
        them descend geometrically from the smallest that leaves every penalised coefficient at zero, or,
        for ``l1_ratio=0``, which has none, from one that is proven to leave the objective within 1 % of that.
    n_alphas : int, default=100
        Length of the default grid.
    eps : float in (0, 1], optional
        Its last alpha divided by its first; 1e-3, or 1e-2 with more columns than rows, 1e-6 for ``l1_ratio=0``.
    sample_weight, offset, fit_intercept, penalty_factor, lower, upper, positive, standardize
        As in `solve`.
    tol : float, default=1e-8
        Asked of each duality gap, relative to the objective of the null model.
    n_jobs : int, default=1
        Threads that share the passes over X; the answer does not depend on it.

    Returns
    -------
    Path
        `alphas`, `coef`, `coef_csc`, `intercept`, `objective`, `gap`, ...

    Raises
    ------
    ValueError, TypeError
        If an argument is not as above; the message names it. Nothing was computed yet.

    Warns
    -----
    ConvergenceWarning
        Exactly if a gap is above its tolerance.

    Notes
    -----
    Squared loss: several alphas are solved on one working set and certified together: a pass over X costs little more
    for eight residuals than for one. Columns come in by their slope along the path, and each answer
    starts from the line through the last two. With many rows and few columns the Gram matrix of all of
    them stands for X, which one last pass confirms. Beside X, which is not copied, this takes four arrays of
    16 (n_samples + n_features), the Gram matrix of the working set twice, and the nonzero coefficients.
    An alpha of 0 is least squares, one of its solutions if there are many. With ``l1_ratio=0``, one factorisation.

    Other losses: one `solve` for each alpha, on data that were validated once, and warm from the alpha before.
    The first alpha is the largest correlation of a column with the dual point of the model without the penalised
    columns. Where that has many dual points (absolute loss, several residuals of exactly 0), the best of them
    is found by Newton's method on the least objective, which is concave in alpha.

    References
    ----------
    Friedman, Hastie and Tibshirani (2010), J. Stat. Softw. 33. Tibshirani et al. (2012), J. R. Statist.
    Soc. B 74. Osborne, Presnell and Turlach (2000), IMA J. Numer. Anal. 20. Dinkelbach (1967), Management
    Science 13.

    Examples
    --------
    >>> from l1l2fast import path
    >>> result = path([[-1.0], [0.0], [1.0]], [-1.0, 0.5, 1.0], alphas=[0.5, 0.1])
    >>> result.coef.round(4).tolist()
    [[0.25, 0.85]]
    >>> path([[-1.0], [0.0], [1.0]], [-1.0, 0.5, 9.0], "absolute", alphas=[4.0, 0.5]).coef.round(4).tolist()
    [[0.0, 1.5]]
    """
    begin = time.perf_counter()
    l1_ratio = _validate.number("l1_ratio", l1_ratio, 0.0, 1.0)
    n_jobs = _validate.number("n_jobs", n_jobs, 1, kind=int)
    penalty = L2(1.0) if l1_ratio == 0 else L1(1.0) if l1_ratio == 1 else L1L2(l1_ratio, 1 - l1_ratio)
    rest = sample_weight, offset, fit_intercept, penalty_factor, lower, upper, positive, standardize
    problem = _validate.problem(X, y, loss, penalty, None, None, *rest, None, tol, ROUNDS, None)
    trace = way(problem, n_jobs)
    if eps is None:
        eps = 1e-6 if l1_ratio == 0 else 1e-3 if problem.columns.n >= problem.columns.p else 1e-2
    alphas = np.sort(_validate_many.alphas(alphas, n_alphas, eps, trace.top))[::-1].copy()
    trace.run(alphas)
    return present(trace, alphas, l1_ratio, begin)


def way(problem, n_jobs):
    """How to go along the path of this loss and penalty."""
    if not problem.loss.quadratic():
        return Steps(problem)
    if problem.penalty.elastic()[0] > 0:
        return Trace(problem, n_jobs)
    return Steps(problem) if problem.bounded else Ridges(problem)


class Trace:
    """The way down: the last two certified points, the working set, and what was found."""

    levels = 0.0  # the intercepts in these units

    def __init__(self, problem, n_jobs):
        self.problem, self.n_jobs = problem, n_jobs
        self.null, self.tolerance = scale_of(problem)
        self.passes, self.stuck = 1, False
        self.attempts, self.crossings, self.idle, self.least = 0, 0, 0, np.inf  # at the present alpha
        self.found = []
        n, p = problem.columns.n, problem.columns.p
        self.whole = n >= TALL * p and p <= WHOLE
        self.working = GramSet(problem) if self.whole else new_set(problem)
        self.budget = budget_of(problem, self.working)
        self.before, self.point = None, self.beginning()
        kink = problem.penalty.kink() * problem.factor
        held = (kink > 0) & (problem.lower < problem.upper)
        up, down = np.where(problem.upper > 0, self.point.g, 0.0), np.where(problem.lower < 0, -self.point.g, 0.0)
        self.top = float((np.maximum(up, down)[held] / kink[held]).max(initial=0.0))
        self.point = self.point._replace(strength=self.top)

    @property
    def epochs(self):
        """Epochs of coordinate descent."""
        return self.working.epochs

    def beginning(self):
        """The answer under a penalty without limit: the free columns only."""
        problem = self.problem
        if self.whole or problem.columns.p <= SMALL:
            self.working.extend(np.arange(problem.columns.p, dtype=np.intp))
        b = problem.start
        start = Point(1.0, b, problem.y, problem.weight * problem.y, problem.slope, problem.energy)
        free = np.flatnonzero((problem.factor == 0) & (problem.lower < problem.upper) & (problem.square > 0))
        if b.any():
            start = self.refresh([1.0], b[None, :])[0]
        if len(free) == 0:
            return start
        alone = GramSet(problem)
        alone.extend(free)
        full = b.copy()
        full[free] = alone.walk(None, start, np.ones(1), 0.0, np.inf)[0][-1]
        return self.refresh([1.0], full[None, :])[0]

    def run(self, alphas):
        """Solve for all alphas, in batches."""
        first, size = 0, len(alphas) if self.whole else BATCH
        while first < len(alphas):
            done = self.batch(alphas[first : first + size])
            first += done
            size = LONG if done == size else BATCH

    def batch(self, alphas):
        """Solve for these, certify them; returns how many are done."""
        limited = alphas[0] > 0 and self.crossings < CROSSINGS
        if self.stuck and limited and not self.point.strength > alphas[0] and not holds_residual(self.working):
            b = cross(self.problem, self.working, self.point, 1e-7 * self.null)
            rows, alphas, self.stuck = b[None, self.working.which], alphas[:1], False
            self.crossings += 1
        else:
            if self.stuck and holds_residual(self.working):
                self.working, self.budget = firmer(self.problem, self.working, self.point)
            if not self.whole:
                choose(self.problem, self.working, self.before, self.point, alphas[-1])
            alphas, budget = (alphas, self.budget) if limited else (alphas[:1], np.inf)
            power = 2 if holds_residual(self.working) else 1  # there, the gap falls with the root of what is asked for
            enough = SHARE * self.tolerance * STRICTER ** (power * self.attempts)
            rows, self.stuck = self.working.walk(self.before, self.point, alphas, enough, budget)
            if self.whole and self.attempts == 0 and self.by_gram(alphas, rows):
                return len(alphas)
            rows, self.whole = rows[:LONG], False  # the other alphas come again, in batches
        B = np.zeros((len(rows), self.problem.columns.p))
        B[:, self.working.which] = rows
        points = self.refresh(alphas[: len(rows)], B)
        for i, point in enumerate(points):
            objective, gap, _ = self.problem.sums.at(alphas[i]).certify(
                point.b, self.problem.y - point.r, point.theta, point.g
            )
            if gap > self.tolerance and not self.give_up(gap):
                self.step(point)
                return i
            self.attempts, self.crossings, self.idle, self.least = 0, 0, 0, np.inf
            self.found.append((np.flatnonzero(point.b), point.b[point.b != 0], objective, gap))
            self.step(point)
        return len(points)

    def by_gram(self, alphas, rows):
        """Take the answers that the Gram matrix of all columns certifies, if a pass over X confirms the last."""
        problem, (energies, gaps) = self.problem, self.working.sizes
        if gaps.max() > self.tolerance:
            return False
        last = self.refresh(alphas[-1:], self.working.spread(rows[-1])[None, :])[0]
        objective, gap, _ = problem.sums.at(alphas[-1]).certify(last.b, problem.y - last.r, last.theta, last.g)
        if gap > self.tolerance or abs(last.energy - energies[-1]) > 1e-10 * problem.energy:
            return False
        l1, l2 = problem.penalty.elastic()
        W = self.working.which
        for alpha, b, energy, gap_here in zip(alphas, rows, energies, gaps, strict=True):
            cost = alpha * problem.factor[W] @ (l1 * np.abs(b) + l2 / 2 * b * b)
            self.found.append((W[b != 0], b[b != 0], energy / 2 + cost, gap_here))
        self.found[-1] = (*self.found[-1][:2], objective, gap)
        return True

    def give_up(self, gap):
        """Is this alpha as good as it gets? Counts the attempts that did not help."""
        self.attempts += 1
        crawls = holds_residual(self.working) and not self.stuck
        self.idle = self.idle + 1 if gap > 0.5 * self.least and not crawls else 0
        self.least = min(gap, self.least)
        return self.idle > IDLE

    def step(self, point):
        """Go on from this point; the one before stays if it is another strength."""
        if point.strength < self.point.strength:
            self.before = self.point
        self.point = point

    def refresh(self, strengths, B):
        """Points at the rows of B, from fresh residuals: X is read once for all of them."""
        problem, X = self.problem, self.problem.columns
        self.passes += 1
        if len(B) == 1:
            fresh = X.fresh(problem.y, problem.weight, B[0], problem.intercept, self.n_jobs)
            return [Point(float(strengths[0]), B[0], *fresh)]
        pairs = [X.residual(problem.y, problem.weight, b, problem.intercept) for b in B]
        G = np.ascontiguousarray(X.sweep_many(np.stack([theta for _, theta in pairs], axis=1), self.n_jobs).T)
        return [
            Point(float(t), b, r, theta, g, float(theta @ r))
            for t, b, (r, theta), g in zip(strengths, B, pairs, G, strict=True)
        ]


def present(trace, alphas, l1_ratio, begin):
    """The answers on the scale of X."""
    from scipy.sparse import csc_array

    problem, X = trace.problem, trace.problem.columns
    columns, values, objective, gap = zip(*trace.found, strict=True)
    indptr = np.concatenate([[0], np.cumsum([len(column) for column in columns])])
    index = np.concatenate(columns)
    coef = np.concatenate(values) * X.scale[index]
    if problem.bounded:
        coef = np.clip(coef, problem.limits[0][index], problem.limits[1][index])
    coef = csc_array((coef, index, indptr), shape=(X.p, len(alphas)))
    intercept = (
        problem.y_mean + np.asarray(trace.levels) - X.mean @ coef if problem.intercept else np.zeros(len(alphas))
    )
    proof = np.array(objective), np.array(gap), trace.tolerance
    counts = trace.passes, trace.epochs, time.perf_counter() - begin
    return Path(alphas, coef, intercept, *proof, l1_ratio, *counts, problem)
