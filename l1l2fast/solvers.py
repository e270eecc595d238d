"""solve(): any loss with any penalty, in one convention, with a certificate."""

import functools
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from l1l2fast import _frames, _validate, absolute, constrained, enveloped, grouped, nonconvex, smooth, squared, textbook
from l1l2fast._validate_groups import constraint
from l1l2fast.group import Group
from l1l2fast.leverage import leverage
from l1l2fast.losses import Loss
from l1l2fast.penalties import Penalty
from l1l2fast.result import QUESTIONS, Function, Progress, Result, warn
from l1l2fast.solution_set import solution_set


def family(problem):
    """The one table: which family of method solves this loss with this penalty."""
    if grouped.suits(problem):
        return grouped.solve
    if problem.method in textbook.METHODS:
        return textbook.solve
    if enveloped.needed(problem):
        return enveloped.solve
    if not problem.penalty.convex():
        return functools.partial(nonconvex.solve, convex=answer_of)
    if problem.loss.quadratic():
        return squared.solve
    if problem.loss.slopes() is not None and problem.penalty.elastic() is not None:
        return absolute.solve
    if smooth.suits(problem):
        return smooth.solve
    raise ValueError(f"loss={problem.loss!r} with penalty={problem.penalty!r} has no solver")


def answer_of(problem):
    """The answer of the method that the table names."""
    return family(problem)(problem)


QUESTIONS["solution_set"] = lambda result: solution_set(result, answer_of)
QUESTIONS["leverage"] = leverage


def warned(silent: Function) -> Function:
    """`silent`, with a warning if its result misses the tolerance; estimators use `solve.__wrapped__` and warn."""

    @functools.wraps(silent)
    def loud(*args, **kwargs):
        result = silent(*args, **kwargs)
        if result.missing > result.tolerance:
            warn(result)
        return result

    return loud


@warned
def solve(
    X: Any,
    y: ArrayLike,
    loss: Loss | str = "squared",
    penalty: Penalty | Group | str | None = None,
    *,
    alpha: float | None = None,
    l1_ratio: float | None = None,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    fit_intercept: bool = True,
    penalty_factor: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    positive: bool = False,
    standardize: bool = False,
    norm_bound: float | None = None,
    warm_start: ArrayLike | Result | None = None,
    tol: float = 1e-8,
    max_iter: int = 1000,
    callback: Callable[[Progress], bool | None] | None = None,
    method: str | None = None,
) -> Result:
    """Fit a linear model with any loss and any penalty, and prove how good the answer is.

    Minimises over the intercept b0 and the coefficients b, with W = sum_i w_i,

        1/W sum_i w_i l(y_i, b0 + x_i'b + o_i) + sum_j v_j pen(b_j)    subject to  lower <= b <= upper

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Real numbers. float32 and float64 in C or Fortran order and CSC are used in place, never
        copied or written, read-only memory included; other dtypes, strides and formats are
        converted once. Arithmetic is float64.
    y : array-like of shape (n_samples,)
        Response; for the logistic loss -1 or 1.
    loss : {"squared", "absolute", "pinball", "huber", "logistic"} or Loss, default="squared"
        l(y, f) = (y - f)^2 / 2, the conditional mean; |y - f|, the conditional median; or, as an object,
        ``Pinball(quantile)``, r (quantile - [r < 0]) with r = y - f, the conditional quantile;
        ``Huber(delta)``, r^2 / 2 up to |r| = delta and a line beyond; ``Logistic()``,
        log(1 + exp(-y f)), the log odds of y = 1 against y = -1.
    penalty : None, {"l1", "l2", "elasticnet"} or Penalty, default=None
        pen(b) = alpha |b|, alpha b^2 / 2, or both: alpha (l1_ratio |b| + (1 - l1_ratio) b^2 / 2).
        Objects say the same: ``L1(alpha)``, ``L2(alpha)``, ``L1L2(l1, l2)``. ``Group(alpha, groups)`` is a sum of
        norms of groups of coefficients instead, one group being the norm of all.
        Not convex, see Notes: ``MCP(alpha, gamma)``, ``SCAD(alpha, gamma)``, ``Lq(alpha, q)`` and ``L0(alpha)``.
    alpha : float, default=1.0
        Strength of a penalty given by name.
    l1_ratio : float in [0, 1], default=0.5
        Share of L1 in "elasticnet".
    sample_weight : array-like of shape (n_samples,), optional
        w_i >= 0; only their ratios matter, zero drops the row.
    offset : array-like of shape (n_samples,), optional
        o_i, a known part of the prediction.
    fit_intercept : bool, default=True
        Fit b0, which is never penalised. Columns are centred implicitly: sparse X stays sparse.
    penalty_factor : array-like of shape (n_features,), optional
        v_j >= 0: 0 leaves coefficient j free, inf excludes it. Default 1.
    lower, upper : float or array-like of shape (n_features,), optional
        Bounds of the coefficients. Beyond 1e150 is no bound.
    positive : bool, default=False
        Short for ``lower=0``; with `lower`, the larger of the two.
    standardize : bool, default=False
        Penalise sd_j b_j, sd_j the weighted standard deviation of column j (divisor W): a constant column, which
        without an intercept still predicts something, is then free, with every penalty.
        Coefficients are returned for X as given.
    norm_bound : float, optional
        The penalty as a constraint: its strength is not given but found, so that the loss alone is least among the
        b with sum_j v_j pen(b_j) <= norm_bound; for L2, sqrt(sum_j v_j b_j^2) <= norm_bound. The answer's
        `alpha` is the strength that does it, 0 if the constraint changes nothing, inf if norm_bound is 0.
    warm_start : array-like of shape (n_features,) or Result, optional
        Coefficients to start from.
    tol : float, default=1e-8
        Asked of the duality gap, relative to the objective of the null model (b = 0, best b0); with a penalty that
        is not convex, of ``Result.stationarity``, relative to the steepest slope of the loss there.
    max_iter : int, default=1000
        Outer rounds at most.
    callback : callable, optional
        Called with a `Progress` once per round; returning True stops with the best point so far.
    method : None or {"irls", "interior", "ista", "fista", "subgradient"}, default=None
        How the absolute and the pinball loss are brought near the optimum; the last steps, to the exact one,
        are the same. None is the quickest. "irls": reweighted least squares over all rows, see Notes.
        "interior": an interior point method on the rows that matter, without penalty and bounds only.
        The last three are the textbook's, for smooth losses with L1, L2 or both, to be looked at: proximal gradient
        steps, Nesterov's, and subgradient steps, which never set a coefficient to 0. `max_iter` counts their steps.

    Returns
    -------
    Result
        `coef`, `intercept`, `objective`, `gap`, `unique`, `certificate()`, ...

    Raises
    ------
    ValueError, TypeError
        If an argument is not as above; the message names it. Nothing was computed yet.

    Warns
    -----
    ConvergenceWarning
        Exactly if ``gap > tolerance``, or with a penalty that is not convex, ``stationarity > tolerance``.

    Notes
    -----
    Squared loss without a kink (no penalty, L2) is solved by one factorisation, of the Gram matrix or,
    where that would lose digits, of X (conjugate gradients for large sparse X); with a kink by
    coordinate descent on a growing working set and Newton steps on its support. The absolute and the pinball
    loss end exactly: by the simplex method on a vertex (as many zero residuals as coefficients), or with an L2
    term by the method of multipliers. Without a penalty, or with L2 alone, they begin with smoothed fits to samples of
    growing size and Newton steps, after which only the rows of a narrow band can still change side; with more than 100
    coefficients an interior point method leads up to the vertex. With a strong L2 penalty and no intercept some epochs
    of coordinate ascent on the dual take their place. With an L1 penalty or `positive` the interior point method runs
    over all rows and columns, in the smaller of n and p, and the simplex method's basis is as small as the support.
    With an L2 term and more columns than rows, the loss is replaced by its envelope around the present dual point, a
    smooth loss, in a few rounds. With L1 + L2 and more rows than columns, bounds there, or method="irls"
    they begin with reweighted least squares: |r| is replaced by the parabola that touches
    sqrt(r^2 + eps^2) from above at the present residual, eps starts at the objective of the null model
    and is halved at each of 12 reweightings. The smoothed objective falls at each; in the limit the
    error falls with eps, linearly, so that digits come slowly, and the exact finish takes over.
    Huber's and the logistic loss are replaced by their parabola at the present fit, a weighted squared
    loss with the same penalty (proximal Newton), on a working set as above; Huber's, which consists of
    parabolas and lines, ends exactly. Classes that can be separated without a penalty have no optimum:
    the status is then ``UNBOUNDED``.

    MCP, SCAD, Lq and L0 are not convex: the answer is a stationary point, ``status`` is STATIONARY, and nobody
    says that it is the best. With the squared loss it comes from the lasso by coordinate descent to the best value of
    each coefficient, Newton steps with the penalty's curvature, and for L0 and Lq exchanges of columns (Hazimeh and
    Mazumder, 2020); with other losses from weighted L1 fits along the penalty's tangents (Zou and Li, 2008).
    ``dual_objective`` is the larger of two lower bounds: that of an L1 penalty below pen on the box in which any
    better point must lie, and for the squared loss, G being X'WX / W >= diag(d), objective plus
    sum_j min_s {d_j (s - b_j)^2 / 2 - u_j (s - b_j) + v_j (pen(s) - pen(b_j))}. ``gap`` is 0 where that proves the
    optimum; where there are more columns than rows and no bounds, dual_objective is mostly 0 and gap says little.

    References
    ----------
    Zhang (2010), Annals of Statistics 38. Fan and Li (2001), J. Am. Statist. Ass. 96. Hazimeh and Mazumder (2020),
    Operations Research 68. Zou and Li (2008), Annals of Statistics 36. Beck and Teboulle (2009), SIAM Journal on
    Imaging Sciences 2.
    Tibshirani (1996), J. R. Statist. Soc. B 58. Friedman, Hastie and Tibshirani (2010), J. Stat.
    Softw. 33. Koenker and Bassett (1978), Econometrica 46. Barrodale and Roberts (1973), SIAM Journal on
    Numerical Analysis 10. Huber (1964), Ann. Math. Statist. 35. Lee, Sun and Saunders (2014), SIAM J. Optim. 24.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast import L1, MCP, solve
    >>> X = np.array([[-1.0], [0.0], [1.0]])
    >>> result = solve(X, [-1.0, 0.0, 1.0], penalty=L1(0.1))
    >>> round(float(result.coef[0]), 6)
    0.85
    >>> bool(result.gap <= result.tolerance)
    True
    >>> solve(X, [-1.0, 0.0, 9.0], loss="absolute").unique
    True
    >>> round(float(solve(X, [-1.0, 0.0, 1.0], penalty="l1", norm_bound=0.5).coef[0]), 6)
    0.5
    >>> solve(X, [-1.0, 0.0, 1.0], penalty=MCP(0.1)).status.value
    'stationary'
    """
    begin = time.perf_counter()
    problem = _validate.problem(
        X,
        y,
        loss,
        penalty,
        alpha,
        l1_ratio,
        sample_weight,
        offset,
        fit_intercept,
        penalty_factor,
        lower,
        upper,
        positive,
        standardize,
        warm_start,
        tol,
        max_iter,
        callback,
        method,
    )
    method, multiplier = family(problem), None
    if norm_bound is None:
        answer = method(problem)
    else:
        bound = constraint(norm_bound, problem, penalty, alpha)
        answer, multiplier = constrained.solve(problem, bound, method)
    kept = problem if norm_bound is None else None
    return result_of(problem, answer, begin, _frames.names(X), kept=kept, alpha=multiplier)


def result_of(problem, answer, begin, names, *, kept, alpha=None):
    """The answer on the scale of X."""
    coef, level, correlation = problem.columns.unscale(answer.b, answer.u, answer.theta)
    if problem.bounded:  # scaling back may have moved a coefficient over its bound by one unit in the last place
        coef = np.clip(coef, *problem.limits)
    intercept = problem.y_mean + answer.intercept - level if problem.intercept else 0.0
    return Result(
        coef,
        intercept,
        answer.objective,
        answer.objective - answer.gap,
        answer.gap,
        answer.tolerance,
        answer.status,
        answer.n_passes,
        answer.n_iter,
        time.perf_counter() - begin,
        answer.unique,
        answer.theta,
        correlation,
        kept,
        feature_names=names,
        alpha=alpha,
        stationarity=answer.stationarity,
    )
