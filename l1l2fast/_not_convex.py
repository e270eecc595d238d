"""Estimators named by penalties that are not convex, for `l1l2fast.sklearn`."""

import numbers

from sklearn.utils._param_validation import Interval

from l1l2fast._any_loss import STRENGTH, AnyLoss
from l1l2fast.penalties import L0, MCP, SCAD, Lq


def within(penalty, argument):
    """What the argument of a penalty may be."""
    return [Interval(numbers.Real, *penalty.limits[argument], closed="both")]


class NotConvex(AnyLoss):
    """Penalties with a strength and perhaps one more number."""

    _parameter_constraints = AnyLoss._parameter_constraints | {"alpha": [STRENGTH], "positive": ["boolean"]}

    def __init__(
        self,
        alpha=1.0,
        *,
        loss="squared",
        fit_intercept=True,
        positive=False,
        standardize=False,
        tol=1e-8,
        max_iter=1000,
        warm_start=False,
    ):
        self.alpha = alpha
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.positive = positive
        self.standardize = standardize
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start


class MCPRegressor(NotConvex):
    """The minimax concave penalty: the lasso without its bias on large coefficients.

    Looks for a low stationary point, with ``W = sum(sample_weight)`` (``n_samples`` without weights), of

        1/W sum_i w_i l(y_i, intercept + x_i'b) + sum_j pen(b_j),   pen' = (alpha - |b| / gamma)_+

    (Zhang, 2010).

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty.
    gamma : float, default=3.0
        Beyond gamma alpha a coefficient costs no more; larger is nearer to the lasso.
    loss : str or Loss, default="squared"
        As in `l1l2fast.solve`.
    fit_intercept, positive, standardize : bool
        As in `l1l2fast.solve`.
    tol : float, default=1e-8
        Asked of `stationarity_`, relative to the steepest slope of the loss where no column is in.
    max_iter, warm_start
        As in `l1l2fast.sklearn.LinearModel`.

    Attributes
    ----------
    coef_, intercept_, n_iter_, n_features_in_, feature_names_in_
        As in `l1l2fast.sklearn.ElasticNet`.
    stationarity_ : float
        How far coef_ is from stationary; nobody says that it is the best.
    dual_gap_ : float
        Proven bound on how far the objective is above its minimum, which may say little.

    See Also
    --------
    l1l2fast.solve : The same and more, and how it is done.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast.sklearn import MCPRegressor
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> MCPRegressor(0.1).fit(X, 2 * X[:, 0]).coef_.round(2)
    array([2., 0., 0., 0.])
    """

    _parameter_constraints = NotConvex._parameter_constraints | {
        "gamma": [Interval(numbers.Real, 1, None, closed="neither")]
    }

    def __init__(
        self,
        alpha=1.0,
        gamma=3.0,
        *,
        loss="squared",
        fit_intercept=True,
        positive=False,
        standardize=False,
        tol=1e-8,
        max_iter=1000,
        warm_start=False,
    ):
        super().__init__(
            alpha,
            loss=loss,
            fit_intercept=fit_intercept,
            positive=positive,
            standardize=standardize,
            tol=tol,
            max_iter=max_iter,
            warm_start=warm_start,
        )
        self.gamma = gamma

    def penalty_for(self, p):
        """MCP."""
        return MCP(self.alpha, self.gamma)


class SCADRegressor(NotConvex):
    """The smoothly clipped absolute deviation: the lasso without its bias on large coefficients.

    Looks for a low stationary point, with ``W = sum(sample_weight)`` (``n_samples`` without weights), of

        1/W sum_i w_i l(y_i, intercept + x_i'b) + sum_j pen(b_j),
            pen' = min(alpha, (gamma alpha - |b|)_+ / (gamma - 1))

    (Fan and Li, 2001).

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty.
    gamma : float, default=3.7
        Beyond gamma alpha a coefficient costs no more.
    loss : str or Loss, default="squared"
        As in `l1l2fast.solve`.
    fit_intercept, positive, standardize : bool
        As in `l1l2fast.solve`.
    tol : float, default=1e-8
        Asked of `stationarity_`, relative to the steepest slope of the loss where no column is in.
    max_iter, warm_start
        As in `l1l2fast.sklearn.LinearModel`.

    Attributes
    ----------
    coef_, intercept_, n_iter_, n_features_in_, feature_names_in_
        As in `l1l2fast.sklearn.ElasticNet`.
    stationarity_ : float
        How far coef_ is from stationary; nobody says that it is the best.
    dual_gap_ : float
        Proven bound on how far the objective is above its minimum, which may say little.

    See Also
    --------
    l1l2fast.solve : The same and more, and how it is done.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast.sklearn import SCADRegressor
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> SCADRegressor(0.1).fit(X, 2 * X[:, 0]).coef_.round(2)
    array([2., 0., 0., 0.])
    """

    _parameter_constraints = NotConvex._parameter_constraints | {
        "gamma": [Interval(numbers.Real, 2, None, closed="neither")]
    }

    def __init__(
        self,
        alpha=1.0,
        gamma=3.7,
        *,
        loss="squared",
        fit_intercept=True,
        positive=False,
        standardize=False,
        tol=1e-8,
        max_iter=1000,
        warm_start=False,
    ):
        super().__init__(
            alpha,
            loss=loss,
            fit_intercept=fit_intercept,
            positive=positive,
            standardize=standardize,
            tol=tol,
            max_iter=max_iter,
            warm_start=warm_start,
        )
        self.gamma = gamma

    def penalty_for(self, p):
        """SCAD."""
        return SCAD(self.alpha, self.gamma)


class LqRegressor(NotConvex):
    """The bridge between the lasso and best subsets, q from 0 to 1.

    Looks for a low stationary point, with ``W = sum(sample_weight)`` (``n_samples`` without weights), of

        1/W sum_i w_i l(y_i, intercept + x_i'b) + sum_j pen(b_j),   pen = alpha |b|^q

    (Frank and Friedman, 1993).

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty.
    q : float, default=0.5
        The power.
    loss : str or Loss, default="squared"
        As in `l1l2fast.solve`.
    fit_intercept, positive, standardize : bool
        As in `l1l2fast.solve`.
    tol : float, default=1e-8
        Asked of `stationarity_`, relative to the steepest slope of the loss where no column is in.
    max_iter, warm_start
        As in `l1l2fast.sklearn.LinearModel`.

    Attributes
    ----------
    coef_, intercept_, n_iter_, n_features_in_, feature_names_in_
        As in `l1l2fast.sklearn.ElasticNet`.
    stationarity_ : float
        How far coef_ is from stationary; nobody says that it is the best.
    dual_gap_ : float
        Proven bound on how far the objective is above its minimum, which may say little.

    See Also
    --------
    l1l2fast.solve : The same and more, and how it is done.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast.sklearn import LqRegressor
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> LqRegressor(0.01).fit(X, 2 * X[:, 0]).coef_.round(2)
    array([2., 0., 0., 0.])
    """

    _parameter_constraints = NotConvex._parameter_constraints | {"q": within(Lq, "q")}

    def __init__(
        self,
        alpha=1.0,
        q=0.5,
        *,
        loss="squared",
        fit_intercept=True,
        positive=False,
        standardize=False,
        tol=1e-8,
        max_iter=1000,
        warm_start=False,
    ):
        super().__init__(
            alpha,
            loss=loss,
            fit_intercept=fit_intercept,
            positive=positive,
            standardize=standardize,
            tol=tol,
            max_iter=max_iter,
            warm_start=warm_start,
        )
        self.q = q

    def penalty_for(self, p):
        """Lq."""
        return Lq(self.alpha, self.q)


class L0Regressor(NotConvex):
    """Best subsets: every column that is used costs the same.

    Looks for a low stationary point, with ``W = sum(sample_weight)`` (``n_samples`` without weights), of

        1/W sum_i w_i l(y_i, intercept + x_i'b) + sum_j pen(b_j),   pen = alpha [b != 0]

    (Hazimeh and Mazumder, 2020).

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty.
    loss : str or Loss, default="squared"
        As in `l1l2fast.solve`.
    fit_intercept, positive, standardize : bool
        As in `l1l2fast.solve`.
    tol : float, default=1e-8
        Asked of `stationarity_`, relative to the steepest slope of the loss where no column is in.
    max_iter, warm_start
        As in `l1l2fast.sklearn.LinearModel`.

    Attributes
    ----------
    coef_, intercept_, n_iter_, n_features_in_, feature_names_in_
        As in `l1l2fast.sklearn.ElasticNet`.
    stationarity_ : float
        How far coef_ is from stationary; nobody says that it is the best.
    dual_gap_ : float
        Proven bound on how far the objective is above its minimum, which may say little.

    See Also
    --------
    l1l2fast.solve : The same and more, and how it is done.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast.sklearn import L0Regressor
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> L0Regressor(0.01).fit(X, 2 * X[:, 0]).coef_.round(2)
    array([2., 0., 0., 0.])
    """

    def penalty_for(self, p):
        """L0."""
        return L0(self.alpha)
