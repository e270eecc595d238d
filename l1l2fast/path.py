"""path(): all strengths of the penalty, each answer certified; the fast way down for the lasso and the elastic net."""

import functools
import time
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from l1l2fast import _validate, _validate_many
from l1l2fast.batches import Trace
from l1l2fast.corners import Corners
from l1l2fast.losses import Loss
from l1l2fast.path_result import Path
from l1l2fast.penalties import L1, L1L2, L2
from l1l2fast.result import Function, Status, warn_of
from l1l2fast.steps import Ridges, Steps

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
    X: Any,
    y: ArrayLike,
    loss: Loss | str = "squared",
    *,
    l1_ratio: float = 1.0,
    alphas: ArrayLike | None = None,
    n_alphas: int = 100,
    eps: float | None = None,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    fit_intercept: bool = True,
    penalty_factor: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    positive: bool = False,
    standardize: bool = False,
    tol: float = 1e-8,
    n_jobs: int = 1,
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
    rest = sample_weight, offset, fit_intercept, penalty_factor, lower, upper, positive, standardize
    problem = posed(X, y, loss, l1_ratio, *rest, tol)
    trace = way(problem, _validate.number("n_jobs", n_jobs, 1, kind=int))
    return follow(trace, alphas, n_alphas, eps, begin)


def posed(X, y, loss, l1_ratio, *rest):
    """The problem of a path, validated, at an alpha of 1; `rest` is sample_weight, ..., standardize, tol of `path`."""
    l1_ratio = _validate.number("l1_ratio", l1_ratio, 0.0, 1.0)
    penalty = L2(1.0) if l1_ratio == 0 else L1(1.0) if l1_ratio == 1 else L1L2(l1_ratio, 1 - l1_ratio)
    return _validate.problem(X, y, loss, penalty, None, None, *rest[:-1], None, rest[-1], ROUNDS, None)


def follow(trace, alphas, n_alphas=1, eps=None, begin=0.0):
    """Go down this way, and present what was found; n_alphas and eps are for alphas=None."""
    columns, (l1, l2) = trace.problem.columns, trace.problem.penalty.elastic()
    if eps is None:
        eps = 1e-6 if l1 == 0 else 1e-3 if columns.n >= columns.p else 1e-2
    alphas = np.sort(_validate_many.alphas(alphas, n_alphas, eps, trace.top))[::-1].copy()
    trace.run(alphas)
    return present(trace, alphas, l1 / (l1 + l2), begin)


def way(problem, n_jobs):
    """How to go along the path of this loss and penalty."""
    if problem.loss.slopes() is not None and problem.penalty.elastic()[1] == 0:
        return Corners(problem)
    if not problem.loss.quadratic():
        return Steps(problem)
    if problem.penalty.elastic()[0] > 0:
        return Trace(problem, n_jobs)
    return Steps(problem) if problem.bounded else Ridges(problem)


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
