"""Estimators with a smooth loss for `l1l2fast.sklearn`, in place of scikit-learn's."""

import warnings

import numpy as np
from scipy.optimize import brentq
from sklearn import linear_model
from sklearn.base import _fit_context
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, validate_data

from l1l2fast import _estimators
from l1l2fast.losses import Huber, Logistic
from l1l2fast.penalties import L1L2, L2
from l1l2fast.solvers import solve

# A scale below this part of the largest |y| is that of a perfect fit, of which it is not asked exactly.
PERFECT = 1e-10
# How exactly the scale is found, and the gap of each fit on the way.
SCALE, GAP = 1e-9, 1e-12
# The derivative at which the scale of a warm start is kept.
AGAIN = 1e-8


class LogisticRegression(linear_model.LogisticRegression):
    """Logistic regression of two classes: scikit-learn's LogisticRegression, solved to a certified duality gap.

    Minimises, with y_i = -1 for the first class and 1 for the second, in their order,

        C sum_i w_i log(1 + exp(-y_i (intercept + x_i'b))) + l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|^2

    Parameters
    ----------
    penalty : {'l1', 'l2', 'elasticnet'} or None
        'l1' stands for ``l1_ratio=1``, 'l2' for 0, None for no penalty. As in scikit-learn 1.8, it may be left out.
    C : float, default=1.0
        Weight of the loss; infinity for no penalty.
    l1_ratio : float, default=0.0
        Share of the L1 norm in the penalty, from 0 to 1.
    tol : float, default=1e-4
        As in `l1l2fast.sklearn.ElasticNet`, relative to the loss without any column.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    class_weight : dict or 'balanced', default=None
        Weights of the classes, by which those of their samples are multiplied.
    max_iter : int, default=100
        Most outer rounds.
    warm_start : bool, default=False
        Start from the coefficients of the last fit.
    solver, dual, intercept_scaling, random_state, verbose, n_jobs
        Without influence: every penalty has the one solver.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The two labels, of any type.
    coef_, intercept_ : ndarray of shape (1, n_features) and (1,)
        Coefficients and intercept of the log odds of the second class, of the dtype of X.
    n_iter_ : ndarray of shape (1,)
        Epochs of coordinate descent that were done.
    dual_gap_ : float
        Proven bound on how far the objective is above its minimum.
    n_features_in_, feature_names_in_
        What was seen in `fit`.

    See Also
    --------
    l1l2fast.solve : The same and more, with the certificate itself.

    Notes
    -----
    Without a penalty, separable classes have no optimum; a warning says so. More than two classes are an error.

    Examples
    --------
    >>> from l1l2fast.sklearn import LogisticRegression
    >>> model = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"])
    >>> model.predict([[0.5], [2.5]]).tolist(), model.predict_proba([[1.5]]).round(6).tolist()
    (['no', 'yes'], [[0.5, 0.5]])
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data, float64 or float32; anything else is converted to float64.
        y : array-like of shape (n_samples,)
            Labels of two classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights; doubling them has the effect of doubling C.

        Returns
        -------
        LogisticRegression
            Itself.
        """
        X, y = validate_data(self, X, y, accept_sparse="csc", dtype=[np.float64, np.float32])
        self.classes_, signs = two_classes(y)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        if self.class_weight is not None:
            weight = weight * compute_class_weight(
                self.class_weight, classes=self.classes_, y=y, sample_weight=sample_weight
            ).take((signs > 0).astype(int))
        share = {"l1": 1.0, "l2": 0.0}.get(self.penalty, self.l1_ratio or 0.0)
        alpha = 0.0 if self.penalty is None else 1 / (self.C * weight.sum())
        options = {
            "sample_weight": weight,
            "fit_intercept": bool(self.fit_intercept),
            "warm_start": self.coef_[0] if self.warm_start and hasattr(self, "coef_") else None,
            "tol": _estimators.aim(self.tol),
            "max_iter": self.max_iter,
        }
        result = solve.__wrapped__(X, signs, Logistic(), L1L2(alpha * share, alpha * (1 - share)), **options)
        _estimators.record(self, X, y, [result], [result.gap], _estimators.slack(self.tol))
        self.coef_, self.n_iter_ = self.coef_[None], np.array([self.n_iter_], dtype=np.int32)
        self.intercept_ = np.atleast_1d(np.asarray(self.intercept_, dtype=X.dtype))
        if result.status is result.status.UNBOUNDED:
            warnings.warn(f"{result.message}: coef_ is one of ever larger ones", _estimators.ConvergenceWarning, 2)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.array_api_support = False  # numpy arrays only
        return tags


def two_classes(y):
    """The two labels, and -1 or 1 for each sample."""
    check_classification_targets(y)
    classes, which = np.unique(y, return_inverse=True)
    if len(classes) == 1:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data contains only one "
            f"class: {classes[0]!r}"
        )
    if len(classes) > 2:
        raise ValueError(f"Only binary classification is supported. The type of the target is {type_of_target(y)}.")
    return classes, 2.0 * which - 1


class HuberRegressor(linear_model.HuberRegressor):
    """Huber regression with its scale: scikit-learn's HuberRegressor, each scale solved to a certified gap.

    Minimises over the intercept, b and sigma, with r_i = y_i - intercept - x_i'b,

        sum_i w_i (sigma + sigma H(r_i / sigma)) + alpha |b|^2,   H(z) = z^2 up to |z| = epsilon, a line beyond

    (Huber, 1981; Owen, 2007). For a given sigma this is Huber's loss with delta = epsilon sigma and a ridge; the
    minimum over b is convex in sigma, and its derivative is brought to zero.

    Parameters
    ----------
    epsilon : float, default=1.35
        Residuals beyond ``epsilon * scale_`` are outliers; at least 1.
    max_iter : int, default=100
        Most scales that are tried.
    alpha : float, default=0.0001
        Weight of the penalty.
    warm_start : bool, default=False
        Start from the coefficients and the scale of the last fit.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    tol : float, default=1e-5
        Without influence on all but the smallest values: the scale is exact to 1e-9, relatively.

    Attributes
    ----------
    coef_, intercept_, n_features_in_, feature_names_in_
        As in `l1l2fast.sklearn.ElasticNet`.
    scale_ : float
        sigma, by which residuals are measured.
    outliers_ : ndarray of bool of shape (n_samples,)
        Residuals larger than ``epsilon * scale_``.
    n_iter_ : int
        Scales that were tried, beside that of a warm start.

    See Also
    --------
    l1l2fast.solve : ``Huber(delta)`` with every penalty, for a scale that is known.

    Examples
    --------
    >>> from l1l2fast.sklearn import HuberRegressor
    >>> model = HuberRegressor().fit([[0.0], [1.0], [2.0], [3.0], [4.0]], [0.1, 1.0, 1.9, 3.1, 90.0])
    >>> model.outliers_.tolist(), model.coef_.round(1)
    ([False, False, False, False, True], array([1.2]))
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data, float64 or float32; anything else is converted to float64.
        y : array-like of shape (n_samples,)
            Target values.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.

        Returns
        -------
        HuberRegressor
            Itself.
        """
        X, y, _ = _estimators.checked(self, X, y, None, multi_output=False)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        y = y.astype(np.float64, copy=False)
        again = self.warm_start and hasattr(self, "coef_")
        fits = Scales(self, X, y, weight, self.coef_ if again else None)
        self.scale_ = fits.best(self.scale_ if again else None)
        if fits.sigma != self.scale_:
            fits.rise(self.scale_)
        self.coef_, self.intercept_ = fits.result.coef, fits.result.intercept if self.fit_intercept else 0.0
        self.n_iter_ = fits.count - again
        self.outliers_ = np.abs(fits.residual) > self.epsilon * self.scale_
        return self


class Scales:
    """The minimum over b for one scale after the other, each warm from the last."""

    def __init__(self, model, X, y, weight, start):
        self.model, self.X, self.y, self.weight, self.total = model, X, y, weight, weight.sum()
        self.start, self.count, self.sigma, self.result, self.residual = start, 0, None, None, None

    def rise(self, sigma):
        """The derivative of the minimum in sigma, by the sum of the weights."""
        model, eps = self.model, self.model.epsilon
        self.result = solve.__wrapped__(
            self.X,
            self.y,
            Huber(eps * sigma),
            L2(model.alpha * sigma / self.total),
            sample_weight=self.weight,
            fit_intercept=bool(model.fit_intercept),
            warm_start=self.start,
            tol=GAP,
        )
        self.count, self.sigma = self.count + 1, sigma
        self.start, self.residual = self.result.coef, self.y - self.result.predict(self.X)
        size = np.minimum(np.abs(self.residual) / sigma, eps)
        return 1 - self.weight @ (size * size) / self.total

    def best(self, sigma):
        """The scale at which that derivative is zero, or the least one if it is positive everywhere."""
        most = float(np.abs(self.y[self.weight > 0]).max(initial=0.0))
        least = max(10 * np.finfo(np.float64).eps, PERFECT * most)
        low = high = max(least, sigma or 0.5 * most)
        if sigma and abs(self.rise(low)) <= AGAIN:
            return low
        while self.rise(low) > 0:
            if low == least or self.count >= self.model.max_iter:
                return low
            high, low = low, max(least, 0.2 * low)
        while high == low or self.rise(high) < 0:
            if self.count >= self.model.max_iter:
                return high
            low, high = high, 4 * high
        return brentq(self.rise, low, high, xtol=1e-300, rtol=SCALE)
