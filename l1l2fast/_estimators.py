"""What the estimators of `l1l2fast.sklearn` share: from scikit-learn's conventions to `solve` and back."""

import warnings

import numpy as np
from scipy import sparse
from sklearn import exceptions
from sklearn.utils.validation import _check_sample_weight, validate_data

from l1l2fast import result as _result
from l1l2fast.ridge import ridge_path
from l1l2fast.solvers import solve

# Words that callers of scikit-learn look for, and so do its tests.
NOT_CONVERGED = "Objective did not converge. You might want to increase the number of iterations."
GRAM_RECOMPUTED = "Gram matrix was provided but X was centered to fit intercept: recomputing Gram matrix."

# For X of that many numbers, two more products with it go unnoticed.
SMALL = 50_000


class ConvergenceWarning(_result.ConvergenceWarning, exceptions.ConvergenceWarning):
    """The duality gap exceeds the tolerance: l1l2fast's warning and scikit-learn's in one."""


def checked(estimator, X, y, sample_weight, multi_output=True):
    """What scikit-learn's validation leaves of them, without a copy that `solve` can do without."""
    X, y = validate_data(
        estimator, X, y, accept_sparse="csc", dtype=[np.float64, np.float32], multi_output=multi_output, y_numeric=True
    )
    if sparse.issparse(y):
        raise TypeError(f"y must be dense, got a sparse {type(y).__name__}")
    if sample_weight is not None:
        sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
    return X, y, sample_weight


def n_targets(y):
    """How many columns y has."""
    return y.shape[1] if y.ndim == 2 else 1


def starts(estimator, y):
    """Where to begin, for each target: the coefficients of the last fit, if that is asked for."""
    count = n_targets(y)
    if not getattr(estimator, "warm_start", False) or not hasattr(estimator, "coef_"):
        return [None] * count
    coef = np.atleast_2d(estimator.coef_)
    if len(coef) != count:
        raise ValueError(f"warm_start=True needs a y of {len(coef)} target(s) as in the last fit, got {count}")
    return coef


def solve_targets(estimator, X, y, loss, penalties, sample_weight, tol, max_iter, **options):
    """One Result per target; the warnings are left to `record`."""
    return [
        solve.__wrapped__(
            X,
            target,
            loss,
            penalty,
            sample_weight=sample_weight,
            fit_intercept=bool(estimator.fit_intercept),
            positive=bool(estimator.positive),
            warm_start=start,
            tol=tol,
            max_iter=max_iter,
            **options,
        )
        for target, penalty, start in zip(y.reshape(len(y), -1).T, penalties, starts(estimator, y), strict=True)
    ]


def ridge_targets(estimator, X, y, alpha, sample_weight, tol):
    """One Result per target of ridge with one alpha, from one factorisation."""
    path = ridge_path.__wrapped__(
        X, y, alpha, sample_weight=sample_weight, fit_intercept=bool(estimator.fit_intercept), tol=tol
    )
    return [
        _result.Result(
            path.coef[k, :, 0],
            path.intercept[k, 0],
            path.objective[k, 0],
            path.dual_objective[k, 0],
            path.gap[k, 0],
            path.tolerance[k],
            _result.Status.CONVERGED if path.gap[k, 0] <= path.tolerance[k] else _result.Status.MAX_ITER,
            path.n_passes,
            1,
            path.time,
            None,
            None,
            None,
        )
        for k in range(y.shape[1])
    ]


def aim(tol):
    """The tolerance for `solve` that stands for scikit-learn's two rules.

    The gap must be at most tol times the mean square of y, twice the null objective; and updates
    must be below tol times the largest coefficient. An objective is flat at its minimum: errors of
    that size raise it by their square.
    """
    return min(2 * tol, max(2 * tol**2, 1e-10))


def slack(tol):
    """How far a gap may exceed its aim before scikit-learn would warn."""
    return 2 * tol / aim(tol) if tol > 0 else 1.0


def record(estimator, X, y, results, gaps, slack=1.0):
    """Set the fitted attributes, of X's dtype and y's dimension; warn about what is above the tolerance."""
    coef = np.array([result.coef for result in results], dtype=X.dtype)
    gaps = np.array(gaps, dtype=X.dtype)
    n_iter = [result.n_iter for result in results]
    one = len(results) == 1
    estimator.coef_, estimator.dual_gap_, estimator.n_iter_ = (
        (coef[0], gaps[0], n_iter[0]) if one else (coef, gaps, n_iter)
    )
    intercept = np.array([result.intercept for result in results], dtype=X.dtype)
    estimator.intercept_ = (intercept[0] if y.ndim == 1 else intercept) if estimator.fit_intercept else 0.0
    for result in results:
        if result.missing > slack * result.tolerance:
            what = "Duality gap" if result.stationarity is None else "Stationarity"
            warnings.warn(
                f"{NOT_CONVERGED} {what}: {result.missing:.3e}, tolerance: {slack * result.tolerance:.3e}; "
                f"{result.message}.",
                ConvergenceWarning,
                stacklevel=4,
            )
    return estimator


def lasso_gap(X, y, result, alpha):
    """scikit-learn's dual gap of the lasso: primal minus dual, the dual point being the scaled residual.

    The gap that `solve` proves is closer, but below the rounding of the objective nothing but the
    same sums can agree with someone else's difference of the two; scikit-learn's tests look at that.
    """
    n = len(y)
    residual = y - X @ result.coef
    if result.intercept:
        y, residual = y - y.mean(), residual - result.intercept
    primal = 0.5 * np.mean(residual**2) + alpha * np.sum(np.abs(result.coef))
    residual /= np.max(np.abs(X.T @ residual) / (n * alpha))
    return primal - 0.5 * (np.mean(y**2) - np.mean((y - residual) ** 2))


def prepare(estimator, X, sample_weight, in_place):
    """What scikit-learn does to X and with `precompute` before it solves: centring in place, and one check."""
    given = not isinstance(estimator.precompute, (bool, np.bool_))
    if sparse.issparse(X) or not (in_place or given):
        return
    mean = np.zeros(X.shape[1], dtype=X.dtype)
    if estimator.fit_intercept:
        mean = np.average(X, axis=0, weights=sample_weight).astype(X.dtype)
    if given and not np.allclose(mean, 0):
        warnings.warn(GRAM_RECOMPUTED, UserWarning, stacklevel=4)
    elif given:
        check_gram(np.asarray(estimator.precompute), X, mean, sample_weight)
    if in_place:
        X -= mean


def check_gram(gram, X, mean, sample_weight):
    """One entry of a Gram matrix is compared with X; the solver has no use for the rest."""
    p = X.shape[1]
    if gram.shape != (p, p):
        raise ValueError(f"precompute must be a Gram matrix of shape {(p, p)}, got {gram.shape}")
    j, k = p // 2, min(p // 2 + 1, p - 1)
    expected = len(X) * np.average((X[:, j] - mean[j]) * (X[:, k] - mean[k]), weights=sample_weight)
    rtol = 1e-4 if np.float32 in (gram.dtype, X.dtype) else 1e-7
    if not np.isclose(expected, gram[j, k], rtol=rtol, atol=1e-5):
        raise ValueError(
            "Gram matrix passed in via 'precompute' parameter did not pass validation when a single "
            f"element was checked: for ({j}, {k}), {expected} was computed, {gram[j, k]} was given"
        )
