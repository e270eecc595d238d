"""cross_validate(): which strength of the penalty predicts best, by paths over folds of the rows.

A fold is a vector of sample weights, zero where a row is held out: X is shared by all of them and not copied.
Every fold has its own path, which begins at its own null model, and its own means and standard deviations; nothing
of a held-out row reaches the coefficients that predict it.
"""

import functools
import time
from dataclasses import dataclass, replace

import numpy as np

from l1l2fast import _frames, _validate
from l1l2fast.folds import MEASURES, folds, measure
from l1l2fast.path import path
from l1l2fast.path_result import Path
from l1l2fast.penalties import L1, L1L2, L2
from l1l2fast.result import Result, Status, warn_of
from l1l2fast.solvers import solve
from l1l2fast.tasks import Interrupted, cores, run


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
    def mean(self):
        """The mean score over the folds, of shape (K,)."""
        scores, weights = self._done()
        return scores @ weights if len(weights) else np.full(len(self.alphas), np.nan)

    @property
    def std_error(self):
        """Standard error of `mean`, of shape (K,): the standard deviation over the folds over the root of F."""
        scores, weights = self._done()
        if len(weights) < 2:
            return np.full(len(self.alphas), np.nan)
        with np.errstate(invalid="ignore"):  # a row that cannot be left out has an infinite score
            off = (scores - (scores @ weights)[:, None]) * weights
        return np.sqrt((off**2).sum(1) * len(weights) / (len(weights) - 1))

    @property
    def best_index(self):
        """Position of the alpha with the smallest mean score; the larger alpha of equals."""
        return int(np.argmin(self.mean))

    @property
    def best_alpha(self):
        """The alpha with the smallest mean score."""
        return float(self.alphas[self.best_index])

    @property
    def index_1se(self):
        """Position of `alpha_1se`."""
        mean, best = self.mean, self.best_index
        return int(np.argmax(mean <= mean[best] + np.nan_to_num(self.std_error[best])))

    @property
    def alpha_1se(self):
        """The largest alpha whose mean score is within one standard error of the best."""
        return float(self.alphas[self.index_1se])

    def predict(self, X):
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


def warned(silent):
    """`silent`, with a warning if a gap on all rows is above its tolerance; estimators use the silent one."""

    @functools.wraps(silent)
    def loud(*args, **kwargs):
        found = silent(*args, **kwargs)
        warn_of(found.path.gap.max(), found.path.tolerance, Status.MAX_ITER, 3)
        return found

    return loud


@warned
def cross_validate(
    X,
    y,
    loss="squared",
    *,
    l1_ratio=1.0,
    alphas=None,
    n_alphas=100,
    eps=None,
    cv=5,
    groups=None,
    scoring="deviance",
    sample_weight=None,
    offset=None,
    fit_intercept=True,
    penalty_factor=None,
    lower=None,
    upper=None,
    positive=False,
    standardize=False,
    tol=1e-8,
    random_state=None,
    n_jobs=None,
    progress=False,
):
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
    options = {
        "l1_ratio": l1_ratio,
        "fit_intercept": fit_intercept,
        "penalty_factor": penalty_factor,
        "lower": lower,
        "upper": upper,
        "positive": positive,
        "standardize": standardize,
        "offset": offset,
        "tol": tol,
    }
    grid = {"alphas": alphas, "n_alphas": n_alphas, "eps": eps, "n_jobs": threads}
    every = path.__wrapped__(X, y, loss, sample_weight=weight, **grid, **options)
    name = scoring if isinstance(scoring, str) else getattr(scoring, "__name__", "score")
    if alone:
        scores, share = row_scores(every, y, measure(scoring, loss), weight)
        result = CVResult(every.alphas, scores, share, every, None, None, name, 0.0)
        return complete(result, X, y, loss, weight, options, names, begin)
    scores = np.full((len(pairs), len(every)), np.nan)
    task = functools.partial(fold_scores, X, y, loss, every.alphas, measure(scoring, loss), weight, options)
    equal = np.full(len(pairs), 1 / len(pairs))
    try:
        run(task, pairs, scores, threads, progress, "fold")
    except KeyboardInterrupt:
        took = time.perf_counter() - begin
        raise Interrupted(CVResult(every.alphas, scores.T, equal, every, None, None, name, took)) from None
    result = CVResult(every.alphas, scores.T, equal, every, None, None, name, 0.0)
    return complete(result, X, y, loss, weight, options, names, begin)


def complete(result, X, y, loss, weight, options, names, begin):
    """The result with the fits to all rows at the two alphas of interest."""
    places = {result.best_index, result.index_1se}
    fits = {k: replace(refit(result.path, k, X, y, loss, weight, options), feature_names=names) for k in places}
    best, simple = fits[result.best_index], fits[result.index_1se]
    return replace(result, best=best, best_1se=simple, time=time.perf_counter() - begin)


def refit(every, k, X, y, loss, weight, options):
    """The fit to all rows at the k-th alpha, with its certificate."""
    alpha, share = every.alphas[k], every.l1_ratio
    penalty = L2(alpha) if share == 0 else L1(alpha) if share == 1 else L1L2(alpha * share, alpha * (1 - share))
    start = every.coef_csc[:, [k]].toarray()[:, 0]
    options = {name: value for name, value in options.items() if name != "l1_ratio"}
    return solve.__wrapped__(X, y, loss, penalty, sample_weight=weight, warm_start=start, **options)


def fold_scores(X, y, loss, alphas, score, weight, options, train, test):
    """The scores of one fold, for all alphas."""
    kept = np.bincount(train, minlength=len(y)) * weight
    found = path.__wrapped__(X, y, loss, alphas=alphas, sample_weight=kept, **options)
    F = predictions(found, X, test) + options["offset"][test]
    here = weight[test]
    return score(y[test], F, here / here.sum())


def row_scores(every, y, score, weight):
    """The scores of the rows of positive weight, each left out once, and their weights."""
    rows = np.flatnonzero(weight)
    F = y - np.nan_to_num(every.leave_one_out().T, nan=np.inf)  # a row that decides its own fit is never predicted
    one = np.ones(1)
    return np.stack([score(y[[i]], F[:, [i]].copy(), one) for i in rows], axis=1), weight[rows]


def predictions(found, X, rows):
    """Predictions (K, len(rows)), from the columns that are selected anywhere on the path."""
    used = np.flatnonzero(np.bincount(found.coef_csc.indices, minlength=X.shape[1]))
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows) and (np.diff(rows) == 1).all():
        rows = slice(rows[0], rows[-1] + 1)  # neighbours need not be gathered
    coef = found.coef_csc[used].toarray()
    if hasattr(X, "tocsc"):
        return np.ascontiguousarray((X[:, used][rows] @ coef).T) + found.intercept[:, None]
    part = X[rows] if len(used) == X.shape[1] else X[rows][:, used]
    return coef.T @ part.T + found.intercept[:, None]
