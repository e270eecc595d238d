"""ridge_path(): ridge regression for all alphas and all targets at once."""

import functools
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from l1l2fast import _validate, _validate_many
from l1l2fast.closed import System
from l1l2fast.result import Function, Status, warn_of

# A row that keeps less than that of its own residual decides its own fit: leaving it out is beyond rounding.
DECIDES = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class RidgePath:
    """The answers of `ridge_path`, one per alpha; K alphas, and T targets if y has two dimensions.

    Attributes
    ----------
    alphas : ndarray of shape (K,)
        As given; the default grid descends.
    coef : ndarray of shape (n_features, K) or (T, n_features, K)
        Coefficients on the scale of X, as in scikit-learn's paths.
    intercept : ndarray of shape (K,) or (T, K)
        Intercepts, 0 if none was fitted.
    objective, gap : ndarray of shape (K,) or (T, K)
        Value of the objective, and a bound on how far it may be above its minimum.
    tolerance : float or ndarray of shape (T,)
        The gap that was asked for: ``tol`` times the objective of the null model.
    df : ndarray of shape (K,), or None
        Degrees of freedom: the trace of the map from y to its fit, intercept included. With ``loo=True``.
    loo : ndarray of shape (n_samples, K) or (T, n_samples, K), or None
        y less its prediction from the other rows, which keep their weights, as alpha keeps its share of
        them; nan where a row decides its own fit (leverage 1). With ``loo=True``.
    loo_mse : ndarray of shape (K,) or (T, K), or None
        The weighted mean of the squares of `loo`. With ``loo=True``.
    method : {"lanczos", "tridiagonal", "cholesky", "eigh", "svd", "iterative"}
        How the alphas were solved: all but the last two from the Gram matrix in the smaller of n and p.
    condition : float
        Condition number of what was squared, X~ with root(alpha) I below it, at the smallest alpha, as
        far as the method saw it (nan for "iterative"). Above 3e5, X~ is factorised itself ("svd").
    n_passes : int
        Passes over X.
    time : float
        Seconds, validation included.
    """

    alphas: np.ndarray
    coef: np.ndarray
    intercept: np.ndarray
    objective: np.ndarray
    gap: np.ndarray
    tolerance: float | np.ndarray
    df: np.ndarray | None
    loo: np.ndarray | None
    loo_mse: np.ndarray | None
    method: str
    condition: float
    n_passes: int
    time: float

    @property
    def dual_objective(self) -> np.ndarray:
        """Lower bounds on the minima."""
        return self.objective - self.gap

    @property
    def best(self) -> int | np.ndarray | None:
        """Position of the alpha with the smallest `loo_mse`, for each target; None without ``loo=True``."""
        if self.loo_mse is None:
            return None
        best = np.argmin(np.where(np.isnan(self.loo_mse), np.inf, self.loo_mse), axis=-1)
        return int(best) if best.ndim == 0 else best

    def predict(self, X: Any) -> np.ndarray:
        """Predictions, of shape (n_samples, K) or (T, n_samples, K)."""
        X = X if hasattr(X, "tocsc") else np.asarray(X)
        if X.ndim != 2 or X.shape[1] != self.coef.shape[-2]:
            raise ValueError(f"X must have shape (n_samples, {self.coef.shape[-2]}), got {X.shape}")
        if self.coef.ndim == 2:
            return X @ self.coef + self.intercept
        return np.stack([X @ coef for coef in self.coef]) + self.intercept[:, None, :]

    def __repr__(self):
        best = "" if self.loo_mse is None else f", best alpha={np.array2string(self.alphas[self.best], precision=4)}"
        return (
            f"RidgePath({len(self.alphas)} alphas from {self.alphas.max():.3g} to {self.alphas.min():.3g}, "
            f"coef of shape {self.coef.shape}, largest gap={self.gap.max():.1e}{best}, method={self.method!r}, "
            f"condition={self.condition:.1e}, n_passes={self.n_passes}, time={self.time:.2g})"
        )


def warned(silent: Function) -> Function:
    """`silent`, with a warning if a gap is above its tolerance; estimators use `ridge_path.__wrapped__`."""

    @functools.wraps(silent)
    def loud(*args, **kwargs):
        path = silent(*args, **kwargs)
        gap, tolerance = np.atleast_2d(path.gap).max(1), np.atleast_1d(path.tolerance)
        worst = np.argmax(gap - tolerance)
        warn_of(gap[worst], tolerance[worst], Status.MAX_ITER, 3)
        return path

    return loud


@warned
def ridge_path(
    X: Any,
    y: ArrayLike,
    alphas: ArrayLike | None = None,
    *,
    n_alphas: int = 100,
    eps: float = 1e-6,
    loo: bool = False,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    fit_intercept: bool = True,
    penalty_factor: ArrayLike | None = None,
    standardize: bool = False,
    tol: float = 1e-8,
) -> RidgePath:
    """Ridge regression for many alphas and many targets from one factorisation, each answer certified.

    Minimises over the intercept b0 and the coefficients b, for every alpha, with W = sum_i w_i,

        1/(2 W) sum_i w_i (y_i - b0 - x_i'b - o_i)^2 + alpha/2 sum_j v_j b_j^2

    This is `solve` with ``L2(alpha)``; scikit-learn's ``Ridge(alpha)`` is ``alpha / W`` here.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        As in `solve`; bounds are not for this function.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Response, or several of them.
    alphas : float or array-like of shape (n_alphas,), optional
        Strengths of the penalty, >= 0, in any order. By default `n_alphas` of them descend
        geometrically from sum_j sd_j^2 / v_j, at which every coefficient is less than half of what it
        was, to `eps` times that.
    n_alphas : int, default=100
        Length of the default grid.
    eps : float in (0, 1], default=1e-6
        Its last alpha divided by its first.
    loo : bool, default=False
        Also give the leave-one-out residuals and the degrees of freedom, in closed form. Eigenvectors
        are needed then, which takes about twice as long.
    sample_weight, offset, fit_intercept, penalty_factor, standardize
        As in `solve`.
    tol : float, default=1e-8
        Asked of each duality gap, relative to the objective of the null model.

    Returns
    -------
    RidgePath
        `alphas`, `coef`, `intercept`, `objective`, `gap`, `loo_mse`, `best`, `method`, ...

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
    Leaving out row i changes its residual from r_i to r_i / (1 - h_i), h_i being its leverage (Allen
    1974; Golub, Heath and Wahba 1979): no model is fitted twice.

    References
    ----------
    Hoerl and Kennard (1970), Technometrics 12. Allen (1974), Technometrics 16. Golub, Heath and Wahba
    (1979), Technometrics 21.

    Examples
    --------
    >>> from l1l2fast import ridge_path
    >>> path = ridge_path([[-1.0], [0.0], [1.0]], [-1.0, 0.5, 1.0], [2.0, 0.2], loo=True)
    >>> path.coef.round(4).tolist()
    [[0.25, 0.7692]]
    >>> path.best
    1
    """
    begin = time.perf_counter()
    several, columns = _validate_many.responses(y)
    loo = _validate.flag("loo", loo)
    rest = sample_weight, offset, fit_intercept, penalty_factor, None, None, False, standardize, None, tol, 1000, None
    problem = _validate.problem(X, columns[0], "squared", None, None, None, *rest)
    problems = [problem] + [_validate_many.retarget(problem, column, offset) for column in columns[1:]]
    system = System(problems)
    alphas = _validate_many.alphas(alphas, n_alphas, eps, system.top)
    answers = system.solve(alphas, loo)
    return present(system, answers, alphas, several, loo, begin)


def present(system, answers, alphas, several, loo, begin):
    """A RidgePath from the answers in the system's own units."""
    problem, (b, residual, objective, gap), shape = system.problem, answers, (-1, len(alphas))
    X = problem.columns
    coef = b if (X.scale == 1).all() else b * X.scale[:, None]
    intercept = np.zeros(b.shape[1])
    if problem.intercept:
        intercept = np.repeat([other.y_mean for other in system.problems], len(alphas)) - X.mean @ coef
    coef = coef.reshape(len(coef), *((-1, len(alphas)) if several else (len(alphas),)))
    coef = np.moveaxis(coef, 1, 0) if several else coef
    tolerance = system.tolerance
    df = left = mse = None
    if loo:
        kept, df = system.kept(alphas)
        with np.errstate(divide="ignore", invalid="ignore"):
            left = np.where(kept > DECIDES, 1 / kept, np.nan)[:, None, :] * residual.reshape(len(residual), *shape)
        mse = np.einsum("i,itk,itk->tk", problem.weight, left, left)
        left = np.moveaxis(left, 1, 0)
    fields = [part.reshape(shape) for part in (intercept, objective, gap)] + [left, mse]
    if not several:
        fields = [part if part is None else part[0] for part in fields]
        tolerance = float(tolerance[0])
    intercept, objective, gap, left, mse = fields
    return RidgePath(
        alphas,
        coef,
        intercept,
        objective,
        gap,
        tolerance,
        df,
        left,
        mse,
        system.method,
        system.condition,
        system.passes,
        time.perf_counter() - begin,
    )
