"""What a solver hands back: the answer, its certificate and how it ended."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, TypeVar

import numpy as np

from l1l2fast import _frames

# A function that keeps its signature when it is decorated.
Function = TypeVar("Function", bound=Callable[..., Any])

# Questions about a result that take more than the result: name -> the function that answers them. They are methods
# of `Result`, but their answers live on floors above this one; `solvers` puts them here.
QUESTIONS = {}


class ConvergenceWarning(UserWarning):
    """The duality gap is larger than the tolerance that was asked for."""


class Status(Enum):
    """How a solve ended."""

    CONVERGED = "converged"
    STATIONARY = "stationary"
    MAX_ITER = "max_iter"
    STOPPED = "stopped"
    UNBOUNDED = "unbounded"


# status -> (what it means, is it worth a warning)
MESSAGES = {
    Status.CONVERGED: ("the duality gap is within the tolerance", False),
    Status.STATIONARY: ("a stationary point; no proof that it is the best", False),
    Status.MAX_ITER: ("no further progress was possible within max_iter or the arithmetic", True),
    Status.STOPPED: ("the callback asked to stop", True),
    Status.UNBOUNDED: ("the objective falls for ever, as with separable classes: no coefficients attain it", True),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """What a callback sees, once per outer round.

    Attributes
    ----------
    round : int
        Rounds done, from 0.
    objective, gap : float
        Objective of the present point and the bound on its distance to the optimum.
    n_passes : int
        Passes over X so far.
    """

    round: int
    objective: float
    gap: float
    n_passes: int


class Answer(NamedTuple):
    """A method's answer in the solver's units: x~_j = scale_j (x_j - mean_j), y centred."""

    b: np.ndarray
    intercept: float
    objective: float
    gap: float
    theta: np.ndarray
    u: np.ndarray
    status: Status | None
    tolerance: float
    n_passes: int
    n_iter: int
    unique: bool | None
    stationarity: float | None = None
    trail: object = None  # what the method that found it can go on from, on the same data


def shrunk(scale, theta, u):
    """The dual point that was certified."""
    return (theta, u) if scale == 1 else (scale * theta, scale * u)


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """A dual point and what it proves: no coefficients do better than ``primal - gap``.

    With the weights ``q = w / sum(w)``, the offset ``o`` and ``h_j(b) = v_j pen(b)`` on
    ``lower_j <= b <= upper_j`` (infinite outside), every ``theta`` gives the lower bound

        D(theta) = -sum_i q_i l*(y_i, -theta_i / q_i) - theta'o - sum_j h_j*(x_j'theta)

    as long as ``sum(theta) = 0`` when there is an intercept. ``l*`` and ``h*`` are the
    convex conjugates: l*(y, g) = g^2/2 + g y for the squared loss, and on |g| <= delta for Huber's;
    g y on |g| <= 1 for the absolute loss; a log a + (1-a) log(1-a), a = -g y, for the logistic one;
    h_j*(u) = u t - h_j(t) at t = soft(u, v_j l1) / (v_j l2) moved into the bounds. A penalty on groups has
    h_g*(u) = 0 where ``|soft(u_g, v_g l1)|_2 <= alpha sqrt(size_g) v_g``, infinite beyond.
    A penalty that is not convex has no such pair: `dual` is the lower bound that the notes of `solve` describe.

    Attributes
    ----------
    theta : ndarray of shape (n_samples,)
        The dual point.
    correlation : ndarray of shape (n_features,)
        X'theta, as computed.
    primal, dual, gap : float
        Objective, lower bound and their difference.

    References
    ----------
    Rockafellar, R. T. (1970). Convex Analysis, section 31.
    """

    theta: np.ndarray
    correlation: np.ndarray
    primal: float
    dual: float
    gap: float


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """The answer of `solve`.

    Attributes
    ----------
    coef : ndarray of shape (n_features,)
        Coefficients on the scale of X, float64.
    intercept : float
        Intercept, 0.0 if none was fitted.
    objective, dual_objective : float
        Value of the objective and a lower bound on its minimum, in the units of the objective.
    gap : float
        ``objective - dual_objective`` >= 0, so that no answer is better by more than this.
    tolerance : float
        The gap that was asked for: ``tol`` times the objective of the null model.
    status : Status
        How the solve ended; `message` says it in words.
    n_passes : int
        Passes over X.
    n_iter : int
        Epochs of coordinate descent, reweightings or pivots.
    time : float
        Seconds, validation included.
    unique : bool or None
        Whether coefficients and intercept are the only optimal ones; None if that was not decided.
    feature_names : tuple of str or None
        Names of the columns, if X was a data frame; `table` shows the coefficients with them.
    alpha : float or None
        With `norm_bound`, the multiplier: what the penalty would be multiplied by to have the same coefficients.
        The objective is then that of the loss alone, and the lower bound the penalised one less
        alpha times the bound (half its square for L2).
    stationarity : float or None
        Beside a penalty that is not convex: the largest distance of 0 from the derivative of the objective by a
        coefficient (from its set of slopes, at a kink or a bound), in the units of objective / coefficient; None
        elsewhere. `tolerance` is then meant for this: ``tol`` times the steepest slope of the loss of the null model.
    """

    coef: np.ndarray
    intercept: float
    objective: float
    dual_objective: float
    gap: float
    tolerance: float
    status: Status
    n_passes: int
    n_iter: int
    time: float
    unique: bool | None
    _theta: np.ndarray = field(repr=False)
    _correlation: np.ndarray = field(repr=False)
    _problem: object = field(repr=False, default=None)  # l1l2fast.problem.Problem: what was solved, for later questions
    feature_names: tuple[str, ...] | None = field(repr=False, default=None)
    alpha: float | None = field(repr=False, default=None)
    stationarity: float | None = field(repr=False, default=None)

    def __getstate__(self) -> list[Any]:
        # a copy on disk carries the answer, not the data
        return [None if name == "_problem" else getattr(self, name) for name in self.__slots__]

    @property
    def missing(self) -> float:
        """What `tolerance` is meant for: `stationarity` where there is one, else `gap`."""
        return self.gap if self.stationarity is None else self.stationarity

    @property
    def message(self) -> str:
        """What `status` means."""
        return MESSAGES[self.status][0]

    def predict(self, X: Any) -> np.ndarray:
        """Predictions X coef + intercept.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        if _frames.is_frame(X):
            given = _frames.names(X)
            if self.feature_names and given and given != self.feature_names:
                raise ValueError(f"X must have the columns {list(self.feature_names)} in this order, got {list(given)}")
            X = _frames.numbers(X)
        X = X if hasattr(X, "tocsc") else np.asarray(X)
        if X.ndim != 2 or X.shape[1] != len(self.coef):
            raise ValueError(f"X must have shape (n_samples, {len(self.coef)}), got {X.shape}")
        return X @ self.coef + self.intercept

    def table(self) -> _frames.Table:
        """The coefficients by name, the intercept first.

        Returns
        -------
        Table
            A tuple of pairs (name, coef) that prints as a table; ``dict(table)`` and ``pandas.DataFrame(table)``
            make other things of it. The names are those of the data frame, else x1, x2, ...

        Examples
        --------
        >>> from l1l2fast import solve
        >>> solve([[-1.0], [0.0], [1.0]], [-1.0, 1.0, 3.0]).table()
        (intercept)              1
        x1                       2
        """
        return _frames.table(self.feature_names, self.coef, self.intercept)

    def certificate(self) -> Certificate:
        """The dual point behind `gap`, for anyone to check with numpy alone.

        Returns
        -------
        Certificate
        """
        return Certificate(self._theta, self._correlation, self.objective, self.dual_objective, self.gap)

    def solution_set(self) -> Any:
        """All optima, not only this one: where each coefficient and the intercept may lie.

        A median, a fit with more columns than rows or a lasso with two equal columns can have many
        optima. They are a polyhedron

            { (b0, b) : the conditions of optimality hold together with the dual point of `certificate` }

        and this walks over its vertices: two small linear programmes for each coefficient that can move.

        Returns
        -------
        SolutionSet
            `unique`, `dimension`, the intervals `lower` to `upper` of the coefficients (n_features,) and
            `intercept_lower` to `intercept_upper`, and an optimum inside, `center` and `center_intercept`.

        Raises
        ------
        ValueError
            If the result was unpickled, or is one with `norm_bound`: it has left its data behind.

        Notes
        -----
        Which of several optima `solve` returns. Squared loss without a kink: the shortest coefficients.
        Absolute loss without an L2 term: a vertex, with as many zero residuals as coefficients (an L1 penalty
        and a bound count as rows); the first at which no exchange of a zero residual lowers the objective, on
        the way from b = 0 (small data), a rough fit or `warm_start`; if X has dependent columns, the shortest
        coefficients with the fit of that vertex. Lasso, bounds: where coordinate descent arrives. The same data give
        the same one every time, and where X and the weights are integers, every layout of X does. No rule
        treats all optima alike but `center`.

        References
        ----------
        Tibshirani, R. J. (2013). The lasso problem and uniqueness. Electronic Journal of Statistics 7, 1456-1490.
        Koenker, R. (2005). Quantile Regression, section 2.2. Cambridge University Press.

        Examples
        --------
        >>> import numpy as np
        >>> from l1l2fast import solve
        >>> solve(np.empty((4, 0)), [1, 2, 5, 9], "absolute").solution_set()
        SolutionSet(dimension 1: intercept in [2, 5])
        """
        return QUESTIONS["solution_set"](self)

    def leverage(self) -> Any:
        """Which rows lie far out in x: leverages h_i = df_i / dy_i, and what these rows did to a squared-loss fit.

        A row's leverage is the diagonal entry of the hat matrix, between 0 and 1 with the sum p. It is that of the
        least-squares fit on the columns that take part: all of them, or with an L1 penalty those whose coefficient
        is not 0 (and with bounds, not at a bound). An L2 penalty counts for the squared loss.

        Returns
        -------
        Leverage
            `hat` (n_samples,), `mean`, `cutoffs`, `flagged`; for the squared loss also `standardized`,
            `studentized` and `cooks_distance`.

        Raises
        ------
        ValueError
            If the result was unpickled, or is one with `norm_bound`: it has left its data behind.

        Notes
        -----
        X is read in blocks of rows; for p columns that take part, dense or sparse, two p x p arrays are made.
        Beside a penalty, the figures made of residuals are approximations, with `dof` in the place of p.

        The absolute loss shrugs off any error in y, but not in x: one row far out in x turns the
        line, whatever the loss. Look at the leverages before you trust a fit.

        References
        ----------
        Hoaglin, D. C. and Welsch, R. E. (1978). The hat matrix in regression and ANOVA. The American Statistician 32.
        Cook, R. D. (1977). Detection of influential observation in linear regression. Technometrics 19.

        Examples
        --------
        Ten points on the line y = x, of which one is moved: up by 1000, then out by 1000.

        >>> import numpy as np
        >>> from l1l2fast import solve
        >>> x = y = np.arange(10.0)
        >>> moved = np.where(x == 9, 1009, x)
        >>> solve(x[:, None], moved, "absolute").coef.round(3)
        array([1.])
        >>> turned = solve(moved[:, None], y, "absolute")
        >>> turned.coef.round(3)
        array([0.005])
        >>> turned.leverage()
        Leverage(mean 0.2, above 0.4: {9: 1})
        """
        return QUESTIONS["leverage"](self)

    def __repr__(self) -> str:
        nonzero = np.count_nonzero(self.coef)
        far = "" if self.stationarity is None else f"stationarity={self.stationarity:.1e}, "
        return (
            f"Result({self.status.value}, objective={self.objective:.10g}, gap={self.gap:.1e}, {far}"
            f"{nonzero} of {len(self.coef)} coefficients nonzero, n_passes={self.n_passes}, "
            f"n_iter={self.n_iter}, time={self.time:.2g})"
        )


def warn(result):
    """Warn exactly when the gap, or what stands for it, exceeds the tolerance."""
    what = "gap" if result.stationarity is None else "stationarity"
    warn_of(result.missing, result.tolerance, result.status, 4, what)


def warn_of(gap, tolerance, status, stacklevel=4, what="gap"):
    """The same from the numbers."""
    if gap > tolerance:
        text = MESSAGES[status][0]
        warnings.warn(
            f"{what} {gap:.3g} exceeds the tolerance {tolerance:.3g}: {text}", ConvergenceWarning, stacklevel=stacklevel
        )
