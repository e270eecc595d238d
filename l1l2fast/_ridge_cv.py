"""RidgeCV: scikit-learn's, from one factorisation for all alphas and targets; each row left out in closed form."""

import inspect
import numbers
import warnings

import numpy as np
from sklearn import linear_model
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.linear_model import _ridge
from sklearn.model_selection import check_cv
from sklearn.utils import check_scalar
from sklearn.utils._metadata_requests import _raise_for_params
from sklearn.utils.metadata_routing import _routing_enabled, process_routing

from l1l2fast import _estimators
from l1l2fast.ridge import ridge_path


class Echo(RegressorMixin, BaseEstimator):
    """Predicts what it is given: scorers want an estimator."""

    def fit(self, X, y):
        """Nothing to learn."""
        return self

    def predict(self, predictions):
        """The predictions themselves."""
        return predictions

    def __sklearn_is_fitted__(self):
        return True


def takes_weights(scorer):
    """Does this scorer know what to do with sample weights?"""
    asked = getattr(scorer, "_accept_sample_weight", None)
    return asked() if asked else "sample_weight" in inspect.signature(scorer).parameters


class RidgeCV(linear_model.RidgeCV):
    """Ridge regression with its alpha chosen by cross-validation: scikit-learn's RidgeCV, each answer certified.

    Minimises ``sum_i w_i (y_i - intercept - x_i'b)^2 + alpha |b|^2`` for every alpha. Without `cv`, each row is left
    out in turn, in closed form: its residual r_i becomes r_i / (1 - h_i), h_i being its leverage, and no model
    is fitted twice.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), default=(0.1, 1.0, 10.0)
        Weights of the penalty, > 0, or >= 0 with `cv`.
    fit_intercept : bool, default=True
        As in `Ridge`.
    scoring : str or callable, default=None
        A scorer of scikit-learn, larger being better; None for minus the mean squared error, weighted,
        or R^2 with `cv`.
    cv : int, cross-validation generator or iterable, default=None
        As in scikit-learn; None leaves out each row.
    gcv_mode
        Checked as in scikit-learn, without influence: the factorisation is chosen by the condition number.
    store_cv_results : bool, default=False
        Keep `cv_results_`; without `cv` only.
    alpha_per_target : bool, default=False
        Choose an alpha for each target; without `cv` only.

    Attributes
    ----------
    alpha_ : float or ndarray of shape (n_targets,)
        The alpha that was chosen.
    best_score_ : float or ndarray of shape (n_targets,)
        Its score.
    cv_results_ : ndarray of shape (n_samples, n_alphas) or (n_samples, n_targets, n_alphas)
        Weighted squared errors of each row left out, or with `scoring` its predictions.
    coef_, intercept_, n_features_in_, feature_names_in_
        As in `Ridge`.
    dual_gap_ : float or ndarray of shape (n_targets,)
        Proven bound on how far the objective is above its minimum.

    See Also
    --------
    l1l2fast.ridge_path : All alphas, with degrees of freedom and leave-one-out residuals.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast.sklearn import RidgeCV
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> RidgeCV([0.01, 1.0, 100.0]).fit(X, X[:, 0]).alpha_
    0.01
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        """Choose alpha by cross-validation, then fit all rows with it.

        Parameters
        ----------
        X, y
            As in `Ridge.fit`.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, in the fits and, where the scorer takes them, in the score.
        **params : dict
            For the scorer, with metadata routing enabled.

        Returns
        -------
        RidgeCV
            Itself.
        """
        _raise_for_params(params, self, "fit")
        alphas = self._alphas()
        if self.cv is not None and (self.store_cv_results or self.alpha_per_target):
            name = "store_cv_results" if self.store_cv_results else "alpha_per_target"
            raise ValueError(f"cv!=None and {name}=True are incompatible")
        if isinstance(sample_weight, numbers.Number):
            sample_weight = None
        X, y, sample_weight = _estimators.checked(self, X, y, sample_weight)
        if hasattr(_ridge, "_check_gcv_mode"):
            _ridge._check_gcv_mode(X, self.gcv_mode)  # for its warning
        path = self._path(X, y, alphas, sample_weight, self.cv is None)
        if self.cv is None:
            table = self._left_out(path, y, sample_weight, self._score_params(sample_weight, params))
        else:
            table = self._by_folds(X, y, alphas, sample_weight, params)
        best = np.argmax(np.where(np.isnan(table), -np.inf, table), axis=-1)
        self.alpha_, self.best_score_ = alphas[best], np.take_along_axis(table, best[..., None], -1)[..., 0]
        if np.ndim(best) == 0:
            self.alpha_, self.best_score_ = float(self.alpha_), float(self.best_score_)
        return self._record(X, y, path, best)

    def _alphas(self):
        """The alphas, checked as by scikit-learn."""
        low = "neither" if self.cv is None else "left"
        several = np.ndim(self.alphas) > 0
        for k, alpha in enumerate(self.alphas if several else [self.alphas]):
            name = f"alphas[{k}]" if several and len(self.alphas) > 1 else "alphas"
            check_scalar(alpha, name, numbers.Real, min_val=0.0, include_boundaries=low)
        return np.array(np.atleast_1d(self.alphas), dtype=np.float64)

    def _path(self, X, y, alphas, sample_weight, loo=False):
        """The answers for all alphas and targets."""
        total = len(y) if sample_weight is None else sample_weight.sum()
        intercept = bool(self.fit_intercept)
        return ridge_path.__wrapped__(
            X, y, alphas / total, loo=loo, sample_weight=sample_weight, fit_intercept=intercept
        )

    def _score_params(self, sample_weight, params):
        """What the scorer is to get."""
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        if _routing_enabled():
            return process_routing(self, "fit", **params, **given).scorer.score
        return given

    def _left_out(self, path, y, sample_weight, score_params):
        """Scores of each row left out: (K,), or (T, K) for an alpha per target."""
        loo = np.atleast_3d(path.loo) if path.loo.ndim == 3 else path.loo[None]  # (T, n, K)
        weight = 1.0 if sample_weight is None else sample_weight[:, None]
        if self.scoring is None:
            stored = np.nan_to_num(weight * loo**2, nan=np.inf)
            table = -stored.mean(axis=1)
            table = table if self.alpha_per_target and y.ndim == 2 else table.mean(axis=0)
        else:
            stored = y.reshape(len(y), -1).T[:, :, None] - loo
            table = self._scored(stored, y, score_params)
        if self.store_cv_results:
            self.cv_results_ = np.ascontiguousarray(stored[0] if y.ndim == 1 else np.moveaxis(stored, 0, 1))
        return table

    def _scored(self, predictions, y, score_params):
        """The scorer's opinion of predictions (T, n, K)."""
        scorer, one = self._get_scorer(), Echo()
        count = range(predictions.shape[2])
        if self.alpha_per_target and y.ndim == 2:
            return np.array(
                [
                    [scorer(one, P[:, k], target, **score_params) for k in count]
                    for P, target in zip(predictions, y.T, strict=True)
                ]
            )
        shape = y.shape
        return np.array([scorer(one, predictions[:, :, k].T.reshape(shape), y, **score_params) for k in count])

    def _by_folds(self, X, y, alphas, sample_weight, params):
        """Mean scores over the folds, (K,)."""
        scorer, table = self._get_scorer(), []
        routed = self._score_params(sample_weight, params) if _routing_enabled() or takes_weights(scorer) else {}
        for train, test in check_cv(self.cv).split(X, y):
            part = None if sample_weight is None else sample_weight[train]
            path = self._path(X[train], y[train], alphas, part)
            rest = {name: np.asarray(value)[test] for name, value in routed.items()}
            table.append([scorer(self._model(path, k, y), X[test], y[test], **rest) for k in range(len(alphas))])
        return np.mean(table, axis=0)

    def _model(self, path, k, y):
        """A fitted Ridge at the k-th alpha, for a scorer to look at."""
        model = linear_model.Ridge(path.alphas[k], fit_intercept=self.fit_intercept)
        model.coef_ = path.coef[..., k] if y.ndim == 2 else path.coef[:, k]
        model.intercept_ = path.intercept[..., k]
        model.n_features_in_ = path.coef.shape[-2]
        return model

    def _record(self, X, y, path, best):
        """Set the fitted attributes of the alphas at `best`, one for all targets or one for each."""
        coef = path.coef if y.ndim == 2 else path.coef[None]
        place = np.broadcast_to(best, len(coef))
        rows = np.arange(len(coef))
        chosen = coef[rows, :, place].astype(X.dtype)
        self.coef_ = chosen if len(chosen) > 1 else chosen[0]
        gap, tolerance = np.atleast_2d(path.gap)[rows, place], np.atleast_1d(path.tolerance)
        self.dual_gap_ = gap if len(gap) > 1 else float(gap[0])
        intercept = np.atleast_2d(path.intercept)[rows, place].astype(X.dtype)
        self.intercept_ = (intercept if y.ndim == 2 else intercept[0]) if self.fit_intercept else 0.0
        if (gap > tolerance).any():
            text = f"{_estimators.NOT_CONVERGED} Duality gap: {gap.max():.3e}"
            warnings.warn(text, _estimators.ConvergenceWarning, stacklevel=3)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.array_api_support = False  # numpy arrays only
        return tags
