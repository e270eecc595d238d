"""LADCV, QuantileCV and HuberCV: losses whose CV estimators scikit-learn does not have, made like its LassoCV."""

import numbers

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.linear_model._base import LinearModel
from sklearn.model_selection import check_cv
from sklearn.utils._metadata_requests import MetadataRouter, MethodMapping
from sklearn.utils._param_validation import Interval, StrOptions

from l1l2fast._cv import checked, grid_of, record, searched
from l1l2fast.losses import Absolute, Huber, Pinball

# Huber's corner, in standard deviations: 95 % efficient for Gauss's law, of which QUARTILE is the upper quartile.
CORNER, QUARTILE = 1.345, 0.6744897501960817


class LossCV(RegressorMixin, LinearModel):
    """What LADCV, QuantileCV and HuberCV share."""

    _parameter_constraints = {
        "l1_ratio": [Interval(numbers.Real, 0, 1, closed="both"), "array-like"],
        "eps": [Interval(numbers.Real, 0, 1, closed="right"), None],
        "alphas": [Interval(numbers.Integral, 1, None, closed="left"), "array-like"],
        "cv": ["cv_object"],
        "scoring": [StrOptions({"deviance", "mae", "median_ae", "mse", "rmse"}), callable],
        "rule": [StrOptions({"best", "1se"})],
        "fit_intercept": ["boolean"],
        "positive": ["boolean"],
        "tol": [Interval(numbers.Real, 0, None, closed="left")],
        "n_jobs": [numbers.Integral, None],
    }

    def __init__(
        self,
        *,
        l1_ratio=1.0,
        eps=None,
        alphas=50,
        cv=None,
        scoring="deviance",
        rule="best",
        fit_intercept=True,
        positive=False,
        tol=1e-8,
        n_jobs=None,
    ):
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.cv = cv
        self.scoring = scoring
        self.rule = rule
        self.fit_intercept = fit_intercept
        self.positive = positive
        self.tol = tol
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        """Choose alpha by cross-validation, then fit all rows with it.

        Parameters
        ----------
        X, y, sample_weight, **params
            As in `LassoCV.fit`.

        Returns
        -------
        LADCV, QuantileCV or HuberCV
            Itself.
        """
        X, y, sample_weight = checked(self, X, y, sample_weight)
        loss = self._loss(y, sample_weight)
        found = searched(self, X, y, sample_weight, params, loss, self.scoring, self.tol)
        best, self.score_path_ = record(self, X, y, found, grid_of(self)[0], simple=self.rule == "1se")
        self.l1_ratio_, self.alpha_1se_ = best.path.l1_ratio, best.alpha_1se
        return self

    def get_metadata_routing(self):
        """What is routed where: parameters of `fit` to the splitter."""
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(splitter=check_cv(self.cv), method_mapping=MethodMapping().add(caller="fit", callee="split"))
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class LADCV(LossCV):
    """Least absolute deviations with L1, L2 or both, their strength chosen by cross-validation.

    Minimises, for every alpha, every l1_ratio and every fold,

        1/W sum_i w_i |y_i - intercept - x_i'b| + alpha (l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|^2)

    Parameters
    ----------
    l1_ratio : float or list of float, default=1.0
        Share of L1, or several of them to choose from.
    eps : float, default=None
        The last alpha divided by the first; by default as in `l1l2fast.path`.
    alphas : int or array-like, default=50
        How many are chosen here, or the alphas.
    cv : int, cross-validation generator or iterable, default=None
        As in scikit-learn; None for 5 folds.
    scoring : {"deviance", "mae", "median_ae", "mse", "rmse"} or callable, default="deviance"
        The error of the held-out rows, smaller being better; "deviance" is the mean of the loss.
    rule : {"best", "1se"}, default="best"
        Take the best alpha, or the largest within one standard error of it.
    fit_intercept, positive : bool
        As in `ElasticNet`.
    tol : float, default=1e-8
        As in `LADRegressor`.
    n_jobs : int, default=None
        Threads over the folds.

    Attributes
    ----------
    alpha_, l1_ratio_ : float
        What was chosen.
    alpha_1se_ : float
        The largest alpha within one standard error of the best.
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratio, n_alphas)
        All of them, descending.
    score_path_ : ndarray of shape (n_l1_ratio, n_alphas, n_folds)
        Errors of the held-out rows; without the first axis for one l1_ratio.
    coef_, intercept_, n_iter_, dual_gap_, n_features_in_, feature_names_in_
        As in `LADRegressor`, of the fit to all rows.

    See Also
    --------
    l1l2fast.cross_validate : Any loss.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast.sklearn import LADCV
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> model = LADCV(alphas=10).fit(X, X[:, 0])
    >>> model.score_path_.shape, model.coef_.round(2)
    ((10, 5), array([1., 0., 0., 0.]))
    """

    def _loss(self, y, sample_weight):
        return Absolute()


class QuantileCV(LossCV):
    """Quantile regression with L1, L2 or both, their strength chosen by cross-validation.

    Minimises, for every alpha, every l1_ratio and every fold, with r_i = y_i - intercept - x_i'b,

        1/W sum_i w_i r_i (quantile - [r_i < 0]) + alpha (l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|^2)

    Parameters
    ----------
    quantile : float, default=0.5
        The quantile, in (0, 1).
    l1_ratio, eps, alphas, cv, scoring, rule, fit_intercept, positive, tol, n_jobs
        As in `LADCV`.

    Attributes
    ----------
    alpha_, l1_ratio_, alpha_1se_, alphas_, score_path_
        As in `LADCV`.
    coef_, intercept_, n_iter_, dual_gap_, n_features_in_, feature_names_in_
        As in `LADCV`.

    See Also
    --------
    LADCV : The median, on the scale of the mean absolute error.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast.sklearn import QuantileCV
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> model = QuantileCV(quantile=0.8, alphas=10).fit(X, X[:, 0])
    >>> model.score_path_.shape
    (10, 5)
    """

    _parameter_constraints = {
        **LossCV._parameter_constraints,
        "quantile": [Interval(numbers.Real, 0, 1, closed="neither")],
    }

    def __init__(
        self,
        *,
        quantile=0.5,
        l1_ratio=1.0,
        eps=None,
        alphas=50,
        cv=None,
        scoring="deviance",
        rule="best",
        fit_intercept=True,
        positive=False,
        tol=1e-8,
        n_jobs=None,
    ):
        super().__init__(
            l1_ratio=l1_ratio,
            eps=eps,
            alphas=alphas,
            cv=cv,
            scoring=scoring,
            rule=rule,
            fit_intercept=fit_intercept,
            positive=positive,
            tol=tol,
            n_jobs=n_jobs,
        )
        self.quantile = quantile

    def _loss(self, y, sample_weight):
        return Pinball(self.quantile)


class HuberCV(LossCV):
    """Huber regression with L1, L2 or both, their strength chosen by cross-validation.

    Minimises, for every alpha, every l1_ratio and every fold, with r_i = y_i - intercept - x_i'b,

        1/W sum_i w_i H(r_i) + alpha (l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|^2),
        H(r) = r^2 / 2 for |r| <= delta, a line beyond

    Parameters
    ----------
    delta : float, default=None
        Where the parabola ends, in the units of y. By default 1.345 times the median absolute deviation of y from
        its median, over 0.6745: residuals are no larger than that as a rule, so that outliers beyond are cut.
    l1_ratio, eps, alphas, cv, scoring, rule, fit_intercept, positive, tol, n_jobs
        As in `LADCV`; "deviance" is twice the mean of the loss.

    Attributes
    ----------
    delta_ : float
        The delta of the fits.
    alpha_, l1_ratio_, alpha_1se_, alphas_, score_path_
        As in `LADCV`.
    coef_, intercept_, n_iter_, dual_gap_, n_features_in_, feature_names_in_
        As in `LADCV`.

    See Also
    --------
    HuberRegressor : scikit-learn's, which fits a scale instead of choosing an alpha.

    References
    ----------
    Huber (1964), Ann. Math. Statist. 35.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast.sklearn import HuberCV
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> model = HuberCV(alphas=10).fit(X, X[:, 0])
    >>> model.score_path_.shape, model.coef_.round(2)
    ((10, 5), array([1., 0., 0., 0.]))
    """

    _parameter_constraints = {
        **LossCV._parameter_constraints,
        "delta": [Interval(numbers.Real, 0, None, closed="neither"), None],
    }

    def __init__(
        self,
        *,
        delta=None,
        l1_ratio=1.0,
        eps=None,
        alphas=50,
        cv=None,
        scoring="deviance",
        rule="best",
        fit_intercept=True,
        positive=False,
        tol=1e-8,
        n_jobs=None,
    ):
        super().__init__(
            l1_ratio=l1_ratio,
            eps=eps,
            alphas=alphas,
            cv=cv,
            scoring=scoring,
            rule=rule,
            fit_intercept=fit_intercept,
            positive=positive,
            tol=tol,
            n_jobs=n_jobs,
        )
        self.delta = delta

    def _loss(self, y, sample_weight):
        self.delta_ = self.delta or CORNER * spread(y, sample_weight)
        return Huber(self.delta_)


def spread(y, sample_weight):
    """The median absolute deviation from the median, as a standard deviation of Gauss's law; 1 if that is 0."""
    w = np.ones(len(y)) if sample_weight is None else sample_weight
    y = np.asarray(y, dtype=np.float64)
    return median(np.abs(y - median(y, w)), w) / QUARTILE or 1.0


def median(y, w):
    """The first y at which the weights reach half of their sum."""
    order = np.argsort(y)
    total = np.cumsum(w[order])
    return float(y[order[np.searchsorted(total, 0.5 * total[-1] * (1 - 1e-12))]])
