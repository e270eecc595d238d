"""Estimators of conditional medians and quantiles, for `l1l2fast.sklearn`."""

import numbers

from scipy import sparse
from sklearn import linear_model
from sklearn.base import MultiOutputMixin, RegressorMixin, _fit_context
from sklearn.linear_model._base import LinearModel
from sklearn.utils._param_validation import Interval

from l1l2fast import _estimators
from l1l2fast.losses import Pinball
from l1l2fast.penalties import L1, L1L2
from l1l2fast.solvers import solve

# The finish is exact: a loose tolerance would save little.
TOL = 1e-10


class QuantileRegressor(linear_model.QuantileRegressor):
    """Quantile regression: scikit-learn's QuantileRegressor, solved to an exact vertex and certified.

    Minimises, with ``W = sum(sample_weight)`` (``n_samples`` without weights) and
    ``r_i = y_i - intercept - x_i'b``,

        1/W sum_i w_i (quantile max(r_i, 0) + (1 - quantile) max(-r_i, 0)) + alpha |b|_1

    Parameters
    ----------
    quantile : float, default=0.5
        The quantile to predict, strictly between 0 and 1 (by 1e-6 at least).
    alpha : float, default=1.0
        Weight of the penalty; 0 for none.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    solver : {'highs-ds', 'highs-ipm', 'highs', 'interior-point', 'revised simplex'}, default='highs'
        Checked as in scikit-learn, without influence on the answer: no linear programme is built.
    solver_options : dict, default=None
        Without influence.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients, of the dtype of X.
    intercept_ : float
        Intercept, 0.0 if none was fitted.
    n_iter_ : int
        Reweightings and pivots of the simplex method.
    dual_gap_ : float
        Proven bound on how far the objective is above its minimum.
    unique_ : bool or None
        Whether the coefficients are the only optimal ones; None if that was not decided.
    n_features_in_, feature_names_in_
        What was seen in `fit`.

    See Also
    --------
    l1l2fast.sklearn.LADRegressor : The median, with L1 and L2 penalties.
    l1l2fast.quantile_process : Many quantiles at once.
    l1l2fast.solve : The same and more, with the certificate itself.

    Examples
    --------
    >>> from l1l2fast.sklearn import QuantileRegressor
    >>> model = QuantileRegressor(quantile=0.75, alpha=0).fit([[0], [0], [0], [1], [1], [1]], [1, 2, 3, 2, 4, 6])
    >>> model.coef_.round(6), round(float(model.intercept_), 6)
    (array([3.]), 3.0)
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
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights; only their ratios matter.

        Returns
        -------
        QuantileRegressor
            Itself.
        """
        if self.solver == "interior-point":
            raise ValueError(f"Solver {self.solver} is not anymore available in SciPy >= 1.11.0.")
        X, y, sample_weight = _estimators.checked(self, X, y, sample_weight, multi_output=False)
        if sparse.issparse(X) and self.solver == "revised simplex":
            raise ValueError(f"Solver {self.solver} does not support sparse X. Use solver 'highs' for example.")
        result = solve.__wrapped__(
            X,
            y,
            Pinball(self.quantile),
            L1(self.alpha),
            sample_weight=sample_weight,
            fit_intercept=bool(self.fit_intercept),
            tol=TOL,
        )
        _estimators.record(self, X, y, [result], [result.gap])
        self.unique_ = result.unique
        return self


class LADRegressor(MultiOutputMixin, RegressorMixin, LinearModel):
    """Least absolute deviations (L1 loss, median regression), with an L1 or L2 penalty or both if so wished.

    Minimises, with ``W = sum(sample_weight)`` (``n_samples`` without weights),

        1/W sum_i w_i |y_i - intercept - x_i'b| + alpha l1_ratio |b|_1 + alpha (1 - l1_ratio)/2 |b|^2

    The loss is the *mean* absolute deviation: as in `Lasso` and unlike in `Ridge`, alpha keeps its
    meaning when samples are added.

    Parameters
    ----------
    alpha : float, default=0.0
        Weight of the penalty.
    l1_ratio : float, default=1.0
        Share of the L1 norm in the penalty, from 0 to 1.
    fit_intercept, positive, warm_start : bool
        As in `l1l2fast.sklearn.ElasticNet`.
    tol : float, default=1e-8
        The duality gap is at most ``tol`` times the mean absolute deviation of y from its median
        (from 0 if no intercept is fitted).
    max_iter : int, default=1000
        Most outer rounds.

    Attributes
    ----------
    coef_, intercept_, n_iter_, dual_gap_, n_features_in_, feature_names_in_
        As in `l1l2fast.sklearn.ElasticNet`.
    unique_ : bool or None, or list of these
        Whether the coefficients are the only optimal ones; None if that was not decided.

    See Also
    --------
    QuantileRegressor : Other quantiles; its loss at 0.5 is half of this one, and so is its alpha.
    l1l2fast.solve : The same and more, with the certificate itself.

    Examples
    --------
    >>> from l1l2fast.sklearn import LADRegressor
    >>> model = LADRegressor().fit([[0], [1], [2], [3], [4]], [1, 3, 5, 7, 100])
    >>> model.coef_.round(6), round(float(model.intercept_), 6)
    (array([2.]), 1.0)
    """

    _parameter_constraints = {
        "alpha": [Interval(numbers.Real, 0, None, closed="left")],
        "l1_ratio": [Interval(numbers.Real, 0, 1, closed="both")],
        "fit_intercept": ["boolean"],
        "positive": ["boolean"],
        "tol": [Interval(numbers.Real, 0, None, closed="left")],
        "max_iter": [Interval(numbers.Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
    }

    def __init__(
        self, alpha=0.0, *, l1_ratio=1.0, fit_intercept=True, positive=False, tol=1e-8, max_iter=1000, warm_start=False
    ):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.positive = positive
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X, y
            As in `l1l2fast.sklearn.ElasticNet.fit`.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights; only their ratios matter.

        Returns
        -------
        LADRegressor
            Itself.
        """
        X, y, sample_weight = _estimators.checked(self, X, y, sample_weight)
        penalties = [L1L2(self.alpha * self.l1_ratio, self.alpha * (1 - self.l1_ratio))] * _estimators.n_targets(y)
        results = _estimators.solve_targets(self, X, y, "absolute", penalties, sample_weight, self.tol, self.max_iter)
        _estimators.record(self, X, y, results, [result.gap for result in results])
        self.unique_ = results[0].unique if len(results) == 1 else [result.unique for result in results]
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
