"""cross_validate(): which strength of the penalty predicts best, by paths over folds of the rows.

A fold is a vector of sample weights, zero where a row is held out: X is shared by all of them and not copied.
Every fold has its own path, which begins at its own null model, and its own means and standard deviations; nothing
of a held-out row reaches the coefficients that predict it.
"""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from l1l2fast import _frames, _validate
from l1l2fast.fold_grams import FoldGrams, neighbours, suits
from l1l2fast.folds import MEASURES, folds, measure
from l1l2fast.losses import Loss
from l1l2fast.path import follow, posed, way
from l1l2fast.path_result import Path
from l1l2fast.penalties import L1, L1L2, L2
from l1l2fast.result import Function, Result, Status, warn_of
from l1l2fast.solvers import answer_of, result_of
from l1l2fast.tasks import Interrupted, cores, run

# Mean scores that differ by this part of them do so by rounding.
TIED = 1e-13
# Scores that follow from the mean square of the errors, for the squared loss.
SQUARES = {"deviance": np.asarray, "mse": np.asarray, "rmse": np.sqrt}


@dataclass(frozen=True, slots=True, eq=False)
class CVResult:
    """What `cross_validate` found; K alphas, F folds.

    Attributes
    ----------
    alphas : ndarray of shape (K,)
        Strengths of the penalty, descending.
    scores : ndarray of shape (K, F)
        Score of each fold's held-out rows, smaller being better; nan for folds that Ctrl-C left undone.
    weights : ndarray of shape (F,)
        What each fold counts in the mean, of sum 1: 1 / F, but for ``cv="loo"`` with sample weights.
    path : Path
        The answers on all rows.
    best, best_1se : Result, or None
        The fits to all rows at `best_alpha` and at `alpha_1se`. None after Ctrl-C.
    scoring : str
        Name of the score.
    time : float
        Seconds, validation included.
    """

    alphas: np.ndarray
    scores: np.ndarray
    weights: np.ndarray
    path: Path
    best: Result | None
    best_1se: Result | None
    scoring: str
    time: float

    def _done(self):
        """The scores of the folds that were done, and their weights."""
        done = ~np.isnan(self.scores).any(0)
        weights = self.weights[done]
        return self.scores[:, done], weights / weights.sum() if done.any() else weights

    @property
    def mean(self) -> np.ndarray:
        """The mean score over the folds, of shape (K,)."""
        scores, weights = self._done()
        return scores @ weights if len(weights) else np.full(len(self.alphas), np.nan)

    @property
    def std_error(self) -> np.ndarray:
        """Standard error of `mean`, of shape (K,): the standard deviation over the folds over the root of F."""
        scores, weights = self._done()
        if len(weights) < 2:
            return np.full(len(self.alphas), np.nan)
        with np.errstate(invalid="ignore"):  # a row that cannot be left out has an infinite score
            off = (scores - (scores @ weights)[:, None]) * weights
        return np.sqrt((off**2).sum(1) * len(weights) / (len(weights) - 1))

    @property
    def best_index(self) -> int:
        """Position of the alpha with the smallest mean score; the larger alpha of equals, up to rounding."""
        least = self.mean.min()
        return int(np.argmax(self.mean <= least + TIED * abs(least)))

    @property
    def best_alpha(self) -> float:
        """The alpha with the smallest mean score."""
        return float(self.alphas[self.best_index])

    @property
    def index_1se(self) -> int:
        """Position of `alpha_1se`."""
        mean, best = self.mean, self.best_index
        return int(np.argmax(mean <= mean[best] + np.nan_to_num(self.std_error[best])))

    @property
    def alpha_1se(self) -> float:
        """The largest alpha whose mean score is within one standard error of the best."""
        return float(self.alphas[self.index_1se])

    def predict(self, X: Any) -> np.ndarray:
        """Predictions of `best`, of shape (n_samples,)."""
        return self.best.predict(X)

    def __repr__(self):
        done = int((~np.isnan(self.scores).any(0)).sum())
        head = f"CVResult({len(self.alphas)} alphas, {done} of {self.scores.shape[1]} folds"
        if done == 0:
            return f"{head}, time={self.time:.2g})"
        k, m = self.best_index, self.index_1se
        counts = np.diff(self.path.coef_csc.indptr)
        return (
            f"{head}, best alpha={self.alphas[k]:.4g} with {self.scoring}={self.mean[k]:.4g} +- "
            f"{self.std_error[k]:.2g} and {counts[k]} nonzero coefficients, within one standard error "
            f"alpha={self.alphas[m]:.4g} with {counts[m]}, time={self.time:.2g})"
        )


def warned(silent: Function) -> Function:
    """`silent`, with a warning if a gap on all rows is above its tolerance; estimators use the silent one."""

    @functools.wraps(silent)
    def loud(*args, **kwargs):
        found = silent(*args, **kwargs)
        warn_of(found.path.gap.max(), found.path.tolerance, Status.MAX_ITER, 3)
        return found

    return loud


@warned
def cross_validate(
    X: Any,
    y: ArrayLike,
    loss: Loss | str = "squared",
    *,
    l1_ratio: float = 1.0,
    alphas: ArrayLike | None = None,
    n_alphas: int = 100,
    eps: float | None = None,
    cv: Any = 5,
    groups: ArrayLike | None = None,
    scoring: str | Callable[..., float] = "deviance",
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    fit_intercept: bool = True,
    penalty_factor: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    positive: bool = False,
    standardize: bool = False,
    tol: float = 1e-8,
    random_state: int | None = None,
    n_jobs: int | None = None,
    progress: bool = False,
) -> CVResult:
    """Choose the strength of a penalty by cross-validation, for any loss that has a path.

    For every alpha, with train_k and test_k the rows of fold k and b_k(alpha) the answer of `path` on train_k,

        score(alpha) = 1/F sum_k  sum_{i in test_k} w_i s(y_i, b0_k(alpha) + x_i'b_k(alpha) + o_i) / sum_{test_k} w_i

    Parameters
    ----------
    X, y, loss, l1_ratio, alphas, n_alphas, eps
        As in `path`. The default grid is that of all rows, and the same for every fold.
    cv : int, splitter, iterable or "loo", default=5
        Number of folds: runs of neighbouring rows, unless `random_state` or `groups` is given. Or any object with
        ``split(X, y, groups)``, such as scikit-learn's; or pairs (train, test) of row numbers; or "loo", each row
        for itself, in closed form for the squared loss (see Notes).
    groups : array-like of shape (n_samples,), optional
        Rows of the same group stay together. Also handed to a splitter.
    scoring : {"deviance", "mse", "mae", "median_ae", "rmse"} or callable, default="deviance"
        The error, smaller being better. "deviance" is the mean of the loss itself if that is made of lines
        (absolute, pinball), and twice that otherwise: the mean square for the squared loss. A callable gets
        ``(y, prediction)``, and ``sample_weight=`` where the weights differ, and returns a float.
    sample_weight : array-like of shape (n_samples,), optional
        w_i, in the fit and in the score.
    offset, fit_intercept, penalty_factor, lower, upper, positive, standardize, tol
        As in `path`. Means and standard deviations are those of the rows in the fit alone.
    random_state : int, optional
        With a number of folds, the rows are shuffled first, as by scikit-learn's KFold.
    n_jobs : int, optional
        Threads over the folds; -1 for one per processor. The answer does not depend on it.
    progress : bool, default=False
        Show how many folds are done: by a bar of tqdm if that is installed, else by a line on stderr.

    Returns
    -------
    CVResult
        `alphas`, `scores`, `mean`, `std_error`, `best_alpha`, `alpha_1se`, `best`, `path`, ...

    Raises
    ------
    ValueError, TypeError
        If an argument is not as above; the message names it. Nothing was computed yet.
    Interrupted
        A KeyboardInterrupt: Ctrl-C was pressed. Its attribute `partial` is the CVResult of the folds that were done.

    Warns
    -----
    ConvergenceWarning
        If a gap of the path on all rows is above its tolerance.

    Notes
    -----
    Memory: X is shared by all folds; each thread needs what `path` needs beside X, and the held-out rows of the columns
    that are selected anywhere on the path.

    Squared loss on tall, dense data: the Gram matrix of the rows in a fit is that of all rows less that of the held-out
    ones, and X is read once for all folds; where a difference would lose digits, the fold has its own.

    ``cv="loo"``: leaving out row i turns its residual r_i into r_i / (1 - h_i), h_i being its leverage (Allen 1974),
    while the other rows keep their weights, as alpha keeps its share of them. For ridge this is exact. With
    an L1 term it is exact as long as the set of nonzero coefficients stays what it is.

    References
    ----------
    Stone (1974), J. R. Statist. Soc. B 36. Allen (1974), Technometrics 16. Breiman, Friedman, Olshen and
    Stone (1984), Classification and Regression Trees, section 3.4.3 (the rule of one standard error).

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast import cross_validate
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 20))
    >>> y = X[:, 0] + rng.laplace(size=100)
    >>> found = cross_validate(X, y, "absolute", cv=5)
    >>> found.scores.shape, found.alpha_1se >= found.best_alpha
    ((100, 5), True)
    """
    begin, names = time.perf_counter(), _frames.names(X)
    loss, progress = _validate.loss(loss), _validate.flag("progress", progress)
    scoring = _validate.choice("scoring", scoring, ("deviance", *MEASURES), function=True)
    threads = cores(None if n_jobs is None else _validate.number("n_jobs", n_jobs, -np.inf, kind=int))
    X = _validate.columns(X).owner  # converted once for all folds, if at all
    y = _validate.finite("y", _validate.vector("y", y, X.shape[0]))
    weight = _validate.weights(sample_weight, len(y))
    alone = isinstance(cv, str) and cv == "loo"
    pairs = None if alone else folds(cv, X, y, weight, groups, random_state)
    offset = _validate.vector("offset", 0.0 if offset is None else offset, len(y), scalar=True)
    rest = fit_intercept, penalty_factor, lower, upper, positive, standardize, tol
    problem = posed(X, y, loss, l1_ratio, weight, offset, *rest)
    shared = FoldGrams(problem, [test for _, test in pairs]) if pairs is not None and suits(problem, pairs) else None
    trace = shared.trace(threads) if shared else way(problem, threads)
    every = follow(trace, alphas, n_alphas, eps, begin)
    name = scoring if isinstance(scoring, str) else getattr(scoring, "__name__", "score")
    if alone:
        scores, share = row_scores(every, y, measure(scoring, loss), weight)
        return complete(CVResult(every.alphas, scores, share, every, None, None, name, 0.0), names, begin)
    scores = np.full((len(pairs), len(every)), np.nan)
    task = Task(X, y, loss, weight, offset, (l1_ratio, *rest), every.alphas, shared, scoring)
    equal = np.full(len(pairs), 1 / len(pairs))
    try:
        run(task, [(k, *pair) for k, pair in enumerate(pairs)], scores, threads, progress, "fold")
    except KeyboardInterrupt:
        took = time.perf_counter() - begin
        raise Interrupted(CVResult(every.alphas, scores.T, equal, every, None, None, name, took)) from None
    return complete(CVResult(every.alphas, scores.T, equal, every, None, None, name, 0.0), names, begin)


def complete(result, names, begin):
    """The result with the fits to all rows at the two alphas of interest."""
    fits = {k: refit(result.path, k, names) for k in {result.best_index, result.index_1se}}
    best, simple = fits[result.best_index], fits[result.index_1se]
    return replace(result, best=best, best_1se=simple, time=time.perf_counter() - begin)


def refit(every, k, names):
    """The fit to all rows at the k-th alpha, with its certificate."""
    begin, problem, alpha, share = time.perf_counter(), every._problem, every.alphas[k], every.l1_ratio
    penalty = L2(alpha) if share == 0 else L1(alpha) if share == 1 else L1L2(alpha * share, alpha * (1 - share))
    start = every.coef_csc[:, [k]].toarray()[:, 0] / problem.columns.scale
    start = np.clip(start, problem.lower, problem.upper)
    problem = replace(problem, penalty=penalty, start=start, started=True)
    return result_of(problem, answer_of(problem), begin, names, kept=problem)


class Task(NamedTuple):
    """What the folds have in common."""

    X: object
    y: np.ndarray
    loss: object
    weight: np.ndarray
    offset: np.ndarray
    options: tuple
    alphas: np.ndarray
    shared: FoldGrams | None
    scoring: object

    def __call__(self, k, train, test):
        """The scores of fold k, for all alphas."""
        found = self.shared.path(k, self.alphas) if self.shared else None
        if found is not None and self.scoring in SQUARES and (squares := self.shared.squares(k, found)) is not None:
            return SQUARES[self.scoring](squares)
        if found is None:
            kept = np.bincount(train, minlength=len(self.y)) * self.weight
            l1_ratio, *rest = self.options
            problem = posed(self.X, self.y, self.loss, l1_ratio, kept, self.offset, *rest)
            found = follow(way(problem, 1), self.alphas)
        F = predictions(found, self.X, test) + self.offset[test]
        here = self.weight[test]
        return measure(self.scoring, self.loss)(self.y[test], F, here / here.sum())


def row_scores(every, y, score, weight):
    """The scores of the rows of positive weight, each left out once, and their weights."""
    rows = np.flatnonzero(weight)
    F = y - np.nan_to_num(every.leave_one_out().T, nan=np.inf)  # a row that decides its own fit is never predicted
    one = np.ones(1)
    return np.stack([score(y[[i]], F[:, [i]].copy(), one) for i in rows], axis=1), weight[rows]


def predictions(found, X, rows):
    """Predictions (K, len(rows)), from the columns that are selected anywhere on the path."""
    used = np.flatnonzero(np.bincount(found.coef_csc.indices, minlength=X.shape[1]))
    rows = neighbours(rows)
    coef = found.coef_csc[used].toarray()
    if hasattr(X, "tocsc"):
        return np.ascontiguousarray((X[:, used][rows] @ coef).T) + found.intercept[:, None]
    part = X[rows] if len(used) == X.shape[1] else X[rows][:, used]
    return coef.T @ part.T + found.intercept[:, None]
