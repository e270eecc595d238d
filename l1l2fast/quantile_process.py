"""quantile_process(): many conditional quantiles of one data set, each answer certified.

Neighbouring quantiles share the validated data, and each starts where the last ones point: the line through them,
then Newton steps on a smoothed loss, of which only the rows near the fit have curvature (Chernozhukov,
Fernandez-Val and Melly, 2022). So few rows are left on the wrong side that the exact finish of `absolute`
needs one round on its band.
"""

import dataclasses
import functools
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from l1l2fast import _validate, _validate_quantiles, absolute, breakpoints, ordered
from l1l2fast.losses import Pinball
from l1l2fast.penalties import Penalty
from l1l2fast.result import Function, Status, warn_of

# Newton steps at most, and the share of the band that may change side in the last of them.
NEWTON, MOVED = 6, 0.25


@dataclass(frozen=True, slots=True, eq=False)
class QuantileProcess:
    """The answers of `quantile_process`, one per quantile; K quantiles, ascending.

    Attributes
    ----------
    taus : ndarray of shape (K,)
        Quantiles. For the exact process, the middle of each of its K segments.
    breaks : ndarray of shape (K + 1,) or None
        Exact process only: ``coef[k]`` is optimal for every tau from ``breaks[k]`` to ``breaks[k + 1]``.
    coef : ndarray of shape (K, n_features)
        Coefficients on the scale of X.
    intercept : ndarray of shape (K,)
        Intercepts, 0 if none was fitted.
    objective, gap : ndarray of shape (K,)
        Value of the objective at `taus`, and a bound on how far it may be above its minimum. For curves that
        were fitted together so as not to cross, the sum of `gap` is that bound for the sum of `objective`.
    tolerance : ndarray of shape (K,)
        The gap that was asked for: ``tol`` times the objective of the null model.
    n_passes : int
        Passes over X, for all quantiles.
    n_iter : int
        Reweightings and pivots, for all quantiles.
    time : float
        Seconds, validation included.
    """

    taus: np.ndarray
    breaks: np.ndarray | None
    coef: np.ndarray
    intercept: np.ndarray
    objective: np.ndarray
    gap: np.ndarray
    tolerance: np.ndarray
    n_passes: int
    n_iter: int
    time: float

    @property
    def dual_objective(self) -> np.ndarray:
        """Lower bounds on the minima."""
        return self.objective - self.gap

    @property
    def status(self) -> list[Status]:
        """How each quantile ended: a list of `Status`."""
        return [Status.CONVERGED if ok else Status.MAX_ITER for ok in self.gap <= self.tolerance]

    def predict(self, X: Any, taus: ArrayLike | None = None, *, rearranged: bool = False) -> np.ndarray:
        """Predicted quantiles.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        taus : array-like of shape (m,), optional
            Exact process only: any quantiles from 0 to 1. Default: the attribute `taus`.
        rearranged : bool, default=False
            Sort each row, so that no curve crosses another; this can only bring them closer to the
            true quantiles (Chernozhukov, Fernandez-Val and Galichon, Econometrica 78, 2010).

        Returns
        -------
        ndarray of shape (n_samples, K) or (n_samples, m)
        """
        X = X if hasattr(X, "tocsc") else np.asarray(X)
        if X.ndim != 2 or X.shape[1] != self.coef.shape[1]:
            raise ValueError(f"X must have shape (n_samples, {self.coef.shape[1]}), got {X.shape}")
        which = slice(None)
        if taus is not None:
            if self.breaks is None:
                raise ValueError("taus goes with the exact process, quantile_process(X, y); otherwise it is fixed")
            taus = np.asarray(taus, dtype=np.float64)
            which = np.clip(np.searchsorted(self.breaks, taus, "right") - 1, 0, len(self) - 1)
        fit = X @ self.coef[which].T + self.intercept[which]
        return np.sort(fit, axis=1) if rearranged else fit

    def __len__(self):
        return len(self.taus)

    def __repr__(self):
        kind = "quantiles" if self.breaks is None else "segments"
        return (
            f"QuantileProcess({len(self)} {kind} from {self.taus[0]:.3g} to {self.taus[-1]:.3g}, largest "
            f"gap={self.gap.max():.1e}, n_passes={self.n_passes}, n_iter={self.n_iter}, time={self.time:.2g})"
        )


def warned(silent: Function) -> Function:
    """`silent`, with a warning if a gap is above its tolerance."""

    @functools.wraps(silent)
    def loud(*args, **kwargs):
        process = silent(*args, **kwargs)
        worst = int(np.argmax(process.gap - process.tolerance))
        warn_of(process.gap[worst], process.tolerance[worst], Status.MAX_ITER, 3)
        return process

    return loud


@warned
def quantile_process(
    X: Any,
    y: ArrayLike,
    taus: ArrayLike | None = None,
    *,
    penalty: Penalty | str | None = None,
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
    tol: float = 1e-8,
    non_crossing: bool = False,
) -> QuantileProcess:
    """Linear quantile regression for many quantiles, or for all of them.

    Minimises, for every tau, over the intercept b0 and the coefficients b, with W = sum_i w_i and
    r_i = y_i - b0 - x_i'b - o_i,

        1/W sum_i w_i (tau max(r_i, 0) + (1 - tau) max(-r_i, 0)) + sum_j v_j pen(b_j)    s.t.  lower <= b <= upper

    Parameters
    ----------
    X, y, penalty, alpha, l1_ratio, sample_weight, offset, fit_intercept, penalty_factor, standardize, tol
        As in `solve`.
    lower, upper, positive
        As in `solve`; for given taus only.
    taus : array-like of shape (K,), optional
        Quantiles between 0 and 1, in any order; answers are in ascending order. Default: the exact process,
        every tau at which the answer changes, of which there are about n log(p + 1): for n up to some
        thousands. The penalty is then None or L1.
    non_crossing : bool, default=False
        Fit all `taus` together, minimising the sum of their objectives, so that no fitted quantile is below a
        lower one at any row of X of positive weight (Bondell, Reich and Wang, 2010). The penalty is then None.

    Returns
    -------
    QuantileProcess
        `coef` of shape (K, n_features), `intercept`, `objective`, `gap`, `predict(X)`, ...

    Raises
    ------
    ValueError, TypeError
        If an argument is not as above; the message names it.

    Warns
    -----
    ConvergenceWarning
        If a gap is above its tolerance.

    Notes
    -----
    The exact process is the parametric simplex method, with one pivot for each breakpoint. Outside the data, or
    for many rows, ``predict(X, rearranged=True)`` sorts what crosses, at no cost.

    References
    ----------
    Koenker and d'Orey (1987), Applied Statistics 36. Bondell, Reich and Wang (2010), Biometrika 97.
    Chernozhukov, Fernandez-Val and Melly (2022), Empirical Economics 62.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast import quantile_process
    >>> X, y = np.array([[0.0], [0.0], [0.0], [1.0], [1.0], [1.0]]), [1, 2, 3, 2, 4, 6]
    >>> quantile_process(X, y, [0.1, 0.5, 0.9]).coef.ravel().round(6).tolist()
    [1.0, 2.0, 3.0]
    >>> quantile_process(X, y).breaks.round(6).tolist()
    [0.0, 0.333333, 0.666667, 1.0]
    """
    begin = time.perf_counter()
    box = lower, upper, positive
    problem = _validate.problem(
        X,
        y,
        Pinball(0.5),
        penalty,
        alpha,
        l1_ratio,
        sample_weight,
        offset,
        fit_intercept,
        penalty_factor,
        *box,
        standardize,
        None,
        tol,
        1000,
        None,
    )
    taus = _validate_quantiles.quantiles(taus, problem, non_crossing)
    solver = _exact if taus is None else _together if non_crossing else _each
    taus, breaks, b, objective, gap, passes, steps = solver(problem, taus)
    coef = b[:, :-1] * problem.columns.scale
    level = coef @ problem.columns.mean
    if problem.bounded:
        coef = np.clip(coef, *problem.limits)
    intercept = problem.y_mean + b[:, -1] - level if problem.intercept else np.zeros(len(taus))
    tolerance = tol * _null(problem, taus) + 4e-16 * problem.y_size
    return QuantileProcess(
        taus, breaks, coef, intercept, objective, gap, tolerance, passes, steps, time.perf_counter() - begin
    )


def _null(problem, taus):
    """The objective without any column."""
    order = np.argsort(problem.y)
    y, weight = problem.y[order], problem.weight[order]
    level = np.zeros(len(taus))
    if problem.intercept:
        level = y[np.minimum(np.searchsorted(np.cumsum(weight), taus), len(y) - 1)]
    total, below = np.cumsum(weight * y), np.cumsum(weight)
    at = np.searchsorted(y, level, "right")  # rows below the level come first
    under = np.append(0.0, total)[at] - level * np.append(0.0, below)[at]
    return taus * (total[-1] - level * below[-1]) - under


def _exact(problem, taus):
    """All quantiles."""
    breaks, b, objective, gap, pivots = breakpoints.process(problem)
    return (breaks[1:] + breaks[:-1]) / 2, breaks, b, objective, gap, 2, pivots


def _each(problem, taus):
    """One after the other, from the middle outwards."""
    answers = [None] * len(taus)
    middle = int(np.argmin(np.abs(taus - 0.5)))
    for order in (range(middle, len(taus)), range(middle - 1, -1, -1)):
        trail = Trail(problem)
        if order.step < 0:
            trail.note(taus[middle], answers[middle])
        for k in order:
            answers[k] = trail.solve(taus[k])
            trail.note(taus[k], answers[k])
    b = np.array([np.append(answer.b, answer.intercept) for answer in answers])
    totals = [[getattr(answer, name) for answer in answers] for name in ("objective", "gap", "n_passes", "n_iter")]
    return taus, None, b, np.array(totals[0]), np.array(totals[1]), sum(totals[2]), sum(totals[3])


def _together(problem, taus):
    """So that none crosses another."""
    _, _, b, objective, gap, passes, steps = _each(problem, taus)
    fit = np.array([problem.columns.predict(row[:-1]) + row[-1] for row in b])
    if (np.diff(fit, axis=0)[:, problem.weight > 0] < 0).any():
        b, objective, gap, pivots = ordered.process(problem, taus, b)
        steps += pivots
    return taus, None, b, objective, gap, passes + len(taus) + 2, steps


class Trail:
    """The last two answers, and where they point."""

    def __init__(self, problem):
        self.problem = problem
        self.seen = []  # (tau, b), b with the intercept last

    def note(self, tau, answer):
        """Remember an answer."""
        self.seen = [*self.seen[-1:], (tau, np.append(answer.b, answer.intercept))]

    def solve(self, tau):
        """The answer at another tau."""
        problem = dataclasses.replace(self.problem, loss=Pinball(tau))
        if not self.seen:
            return absolute.solve(problem)
        return absolute.solve(problem, self.predicted(problem, tau))

    def predicted(self, problem, tau):
        """The line through the last two answers, and Newton steps from there: b, its residuals, passes and steps."""
        at, b = self.seen[-1]
        small = problem.columns.n * len(b) <= absolute.SMALL
        if len(self.seen) == 2 and not small:
            before, b_before = self.seen[0]
            b = b + min((tau - at) / (at - before), 1.0) * (b - b_before)
        b = np.append(np.clip(b[:-1], problem.lower, problem.upper), b[-1])
        if not small and not problem.penalty.elastic()[0] and not problem.bounded:
            return b, None, 0, 0  # `absolute` knows how to go on
        r, passes = problem.sums.residual(problem.columns.predict(b[:-1]), b[-1]), 1
        if small:
            return b, r, passes, 0
        room = max(1000, 10 * len(b))
        for _ in range(NEWTON):
            b, before, r = newton(problem, tau, b, r)
            passes += 2
            if np.count_nonzero((r > 0) != (before > 0)) <= MOVED * room:
                break
        return b, r, passes, 0


def newton(problem, tau, b, r):
    """A Newton step on the smoothed loss: b, the residuals before and after.

    The kink is a parabola on |r| < h, which holds n^(3/5) k^(2/5) rows: the fewer the closer to the loss, and
    enough for their Gram matrix. Coefficients at zero and at a bound stay there.
    """
    n, k, intercept = problem.columns.n, len(b), problem.intercept
    near = int(min(n - 1, n**0.6 * k**0.4))
    h = np.partition(np.abs(r), near)[near]
    l1, l2 = (factor * problem.factor for factor in problem.penalty.elastic())
    value = b[:-1]
    held = (value <= problem.lower) | (value >= problem.upper) | ((l1 > 0) & (value == 0)) | (problem.square == 0)
    free = np.append(~held, intercept).nonzero()[0]
    if h == 0 or len(free) == 0:
        return b, r, r
    psi = problem.weight * np.clip(tau - 0.5 + r / (2 * h), tau - 1, tau)
    slope = np.append(problem.columns.sweep(psi) - l1 * np.sign(value) - l2 * value, psi.sum())
    rows = np.flatnonzero(np.abs(r) < h)
    Z = np.column_stack([problem.columns.rows(rows), np.ones(len(rows))])[:, free]
    H = (Z * (problem.weight[rows] / (2 * h))[:, None]).T @ Z
    H[np.diag_indices_from(H)] *= 1 + 1e-10
    H[np.diag_indices_from(H)] += np.append(l2, 0.0)[free]
    step = np.zeros(k)
    step[free] = np.linalg.lstsq(H, slope[free], rcond=1e-12)[0]
    b = b + step
    b[:-1] = np.clip(b[:-1], problem.lower, problem.upper)
    return b, r, problem.sums.residual(problem.columns.predict(b[:-1]), b[-1])
