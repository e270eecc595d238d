"""Estimators that choose their alpha by cross-validation: one certified path for each fold, X shared by all of them.

LassoCV and ElasticNetCV *are* scikit-learn's classes with another `fit`; those of `_loss_cv` are made like them.
"""

import numbers
import warnings

import numpy as np
from sklearn import linear_model
from sklearn.base import _fit_context
from sklearn.model_selection import check_cv
from sklearn.utils import check_scalar
from sklearn.utils._metadata_requests import _raise_for_params
from sklearn.utils.metadata_routing import _routing_enabled, process_routing
from sklearn.utils.validation import _check_sample_weight, column_or_1d, validate_data

from l1l2fast import _estimators
from l1l2fast.cross_validation import cross_validate


def checked(estimator, X, y, sample_weight):
    """What scikit-learn's validation leaves of them; one target."""
    X, y = validate_data(
        estimator, X, y, accept_sparse="csc", dtype=[np.float64, np.float32], multi_output=True, y_numeric=True
    )
    if y.ndim > 1 and y.shape[1] > 1:
        raise ValueError(f"For multi-task outputs, use MultiTask{type(estimator).__name__}")
    if isinstance(sample_weight, numbers.Number):
        sample_weight = None
    if sample_weight is not None:
        sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
    return X, column_or_1d(y, warn=True), sample_weight


def folds_of(estimator, X, y, sample_weight, params):
    """Pairs of row numbers from `cv`, which gets what metadata routing has for it."""
    _raise_for_params(params, estimator, "fit")
    routed = {}
    if _routing_enabled():
        routed = process_routing(estimator, "fit", sample_weight=sample_weight, **params).splitter.split
    return list(check_cv(estimator.cv).split(X, y, **routed))


def grid_of(estimator):
    """`alphas` and `n_alphas` of `cross_validate`; earlier versions of scikit-learn have both, too."""
    alphas = estimator.alphas
    if alphas is None or isinstance(alphas, str):
        count = getattr(estimator, "n_alphas", 100)
        return None, count if isinstance(count, numbers.Integral) else 100
    if isinstance(alphas, numbers.Integral):
        return None, alphas
    for k, alpha in enumerate(alphas):
        check_scalar(alpha, f"alphas[{k}]", numbers.Real, min_val=0.0, include_boundaries="left")
    return alphas, len(alphas)


def searched(estimator, X, y, sample_weight, params, loss, scoring, tol):
    """The CVResult of each l1_ratio; their best is in `record`."""
    pairs, (alphas, n_alphas) = folds_of(estimator, X, y, sample_weight, params), grid_of(estimator)
    ratios = np.atleast_1d(getattr(estimator, "l1_ratio", 1.0))
    if alphas is None and (ratios == 0).any() and loss == "squared":
        raise ValueError(
            "Automatic alpha grid generation is not supported for l1_ratio=0. Please supply a grid by providing "
            "your estimator with the appropriate `alphas=` argument."
        )
    if alphas is None and (y == (y[0] if estimator.fit_intercept else 0)).all():
        alphas = np.full(
            n_alphas, np.finfo(np.float64).resolution
        )  # what scikit-learn takes if nothing is to be fitted
    return [
        cross_validate.__wrapped__(
            X,
            y,
            loss,
            l1_ratio=ratio,
            alphas=alphas,
            n_alphas=n_alphas,
            eps=estimator.eps,
            cv=pairs,
            scoring=scoring,
            sample_weight=sample_weight,
            fit_intercept=bool(estimator.fit_intercept),
            positive=bool(estimator.positive),
            tol=tol,
            n_jobs=estimator.n_jobs,
            progress=bool(getattr(estimator, "verbose", False)),
        )
        for ratio in ratios
    ]


def record(estimator, X, y, found, alphas, slack=1.0, simple=False):
    """Set the fitted attributes that all of them have; returns the CVResult that won, and the table of scores."""
    best = found[int(np.argmin([result.mean[result.best_index] for result in found]))]
    fit = best.best_1se if simple else best.best
    _estimators.record(estimator, X, y, [fit], [fit.gap], slack)
    estimator.n_iter_ = max(fit.n_iter, 1)  # the path may have left nothing to do
    worst = max((result.path for result in found), key=lambda path: path.gap.max() / path.tolerance)
    if worst.gap.max() > slack * worst.tolerance >= fit.gap:
        text = (
            f"{_estimators.NOT_CONVERGED} Duality gap: {worst.gap.max():.3e}, tolerance: {slack * worst.tolerance:.3e}"
        )
        warnings.warn(text, _estimators.ConvergenceWarning, stacklevel=4)
    estimator.alpha_ = best.alpha_1se if simple else best.best_alpha
    several = alphas is None and len(found) > 1
    estimator.alphas_ = np.stack([result.alphas for result in found]) if several else found[0].alphas
    return best, np.squeeze(np.stack([result.scores for result in found]))


class SquaredCV:
    """What LassoCV and ElasticNetCV have in place of scikit-learn's `fit`."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        """Choose alpha by cross-validation, then fit all rows with it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data, float64 or float32; anything else is converted to float64. Never written to or copied.
        y : array-like of shape (n_samples,)
            Target values.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, in the fits and in the score of each fold.
        **params : dict
            For the splitter, with metadata routing enabled.

        Returns
        -------
        LassoCV or ElasticNetCV
            Itself.
        """
        X, y, sample_weight = checked(self, X, y, sample_weight)
        tol, slack = _estimators.aim(self.tol), _estimators.slack(self.tol)
        found = searched(self, X, y, sample_weight, params, "squared", "mse", tol)
        best, self.mse_path_ = record(self, X, y, found, grid_of(self)[0], slack)
        if hasattr(self, "l1_ratio"):
            self.l1_ratio_ = best.path.l1_ratio
        return self


class LassoCV(SquaredCV, linear_model.LassoCV):
    """Lasso with its alpha chosen by cross-validation: scikit-learn's LassoCV, each path certified.

    Minimises ``1/(2 W) sum_i w_i (y_i - intercept - x_i'b)^2 + alpha |b|_1`` for every alpha and every fold, and keeps
    the alpha with the smallest mean of the folds' mean squared errors.

    Parameters
    ----------
    eps : float, default=1e-3
        The last alpha divided by the first, if they are chosen here.
    alphas : int or array-like, default=100
        How many are chosen here, or the alphas.
    cv : int, cross-validation generator or iterable, default=None
        As in scikit-learn; None for 5 folds.
    n_jobs : int, default=None
        Threads over the folds.
    verbose : bool or int, default=False
        Show how many folds are done.
    fit_intercept, tol, positive
        As in `ElasticNet`.
    precompute, max_iter, copy_X, random_state, selection
        Checked as in scikit-learn, without influence on the answer.

    Attributes
    ----------
    alpha_ : float
        The alpha that was chosen.
    alphas_ : ndarray of shape (n_alphas,)
        All of them, descending.
    mse_path_ : ndarray of shape (n_alphas, n_folds)
        Mean squared errors of the held-out rows.
    coef_, intercept_, n_iter_, dual_gap_, n_features_in_, feature_names_in_
        As in `ElasticNet`, of the fit to all rows.

    See Also
    --------
    l1l2fast.cross_validate : Any loss, other scores, the rule of one standard error.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast.sklearn import LassoCV
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> model = LassoCV().fit(X, X[:, 0])
    >>> model.mse_path_.shape, model.coef_.round(2)
    ((100, 5), array([1., 0., 0., 0.]))
    """


class ElasticNetCV(SquaredCV, linear_model.ElasticNetCV):
    """Elastic net with alpha and l1_ratio chosen by cross-validation: scikit-learn's ElasticNetCV, each path certified.

    Minimises, for every alpha, every l1_ratio and every fold,

        1/(2 W) sum_i w_i (y_i - intercept - x_i'b)^2 + alpha l1_ratio |b|_1 + alpha (1 - l1_ratio)/2 |b|^2

    Parameters
    ----------
    l1_ratio : float or list of float, default=0.5
        Share of L1, or several of them to choose from; 0 needs alphas.
    eps, alphas, cv, n_jobs, verbose, fit_intercept, tol, positive
        As in `LassoCV`.
    precompute, max_iter, copy_X, random_state, selection
        Checked as in scikit-learn, without influence on the answer.

    Attributes
    ----------
    l1_ratio_ : float
        The share of L1 that was chosen.
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratio, n_alphas)
        All alphas, descending.
    mse_path_ : ndarray of shape (n_l1_ratio, n_alphas, n_folds)
        Mean squared errors of the held-out rows; without the first axis for one l1_ratio.
    alpha_, coef_, intercept_, n_iter_, dual_gap_, n_features_in_, feature_names_in_
        As in `LassoCV`.

    See Also
    --------
    LassoCV : With L1 alone.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast.sklearn import ElasticNetCV
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> model = ElasticNetCV(l1_ratio=[0.5, 0.9]).fit(X, X[:, 0])
    >>> model.mse_path_.shape, model.l1_ratio_
    ((2, 100, 5), 0.9)
    """
