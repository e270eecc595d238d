"""Estimators for every cell, for `l1l2fast.sklearn`: any loss with any penalty, and those named by their penalty."""

import numbers

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin, _fit_context
from sklearn.linear_model._base import LinearModel as Linear
from sklearn.utils._param_validation import Interval, StrOptions

from l1l2fast import _estimators, _validate
from l1l2fast.group import Group
from l1l2fast.losses import Loss
from l1l2fast.penalties import Penalty

STRENGTH = Interval(numbers.Real, 0, None, closed="left")


class AnyLoss(MultiOutputMixin, RegressorMixin, Linear):
    """What they share: a loss, `solve`'s options, and `fit`; a class says what its penalty is."""

    _parameter_constraints = {
        "loss": [StrOptions(set(_validate.LOSSES)), Loss],
        "fit_intercept": ["boolean"],
        "standardize": ["boolean"],
        "tol": [Interval(numbers.Real, 0, None, closed="left")],
        "max_iter": [Interval(numbers.Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
    }
    positive = False  # where it is not a parameter

    def penalty_for(self, p):
        """The penalty on p coefficients."""
        raise NotImplementedError

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
        estimator
            Itself.
        """
        X, y, sample_weight = _estimators.checked(self, X, y, sample_weight)
        penalties, standardize = [self.penalty_for(X.shape[1])] * _estimators.n_targets(y), bool(self.standardize)
        results = _estimators.solve_targets(
            self, X, y, self.loss, penalties, sample_weight, self.tol, self.max_iter, standardize=standardize
        )
        if results[0].stationarity is not None:
            far = np.array([result.stationarity for result in results])
            self.stationarity_ = far[0] if y.ndim == 1 else far
        _estimators.record(self, X, y, results, [result.gap for result in results])
        self.n_iter_ = np.maximum(1, self.n_iter_)  # scikit-learn's rule, also where b = 0 is seen to be best at once
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class LinearModel(AnyLoss):
    """Any loss with any penalty: `l1l2fast.solve` as an estimator.

    Minimises, with ``W = sum(sample_weight)`` (``n_samples`` without weights),

        1/W sum_i w_i l(y_i, intercept + x_i'b) + sum_j pen(b_j)

    Parameters
    ----------
    loss : str or Loss, default="squared"
        As in `l1l2fast.solve`. For the logistic loss y is -1 or 1, and `predict` gives the log odds.
    penalty : None, str, Penalty or Group, default=None
        As in `l1l2fast.solve`.
    alpha, l1_ratio : float, default=None
        Of a penalty given by name, as in `l1l2fast.solve`; without influence otherwise.
    fit_intercept, positive, standardize : bool
        As in `l1l2fast.solve`.
    tol : float, default=1e-8
        Asked of the duality gap, relative to the objective of the null model.
    max_iter : int, default=1000
        Most outer rounds.
    warm_start : bool, default=False
        Start from the coefficients of the last fit.

    Attributes
    ----------
    coef_, intercept_, n_iter_, dual_gap_, n_features_in_, feature_names_in_
        As in `l1l2fast.sklearn.ElasticNet`.
    stationarity_ : float
        With a penalty that is not convex, as in `l1l2fast.Result`.

    See Also
    --------
    l1l2fast.solve : The same and more, with the certificate itself.

    Examples
    --------
    >>> from l1l2fast import Huber
    >>> from l1l2fast.sklearn import LinearModel
    >>> model = LinearModel(Huber(0.5), "l1", alpha=0.01).fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 2, 90])
    >>> model.coef_.round(2)
    array([1.92])
    """

    _parameter_constraints = AnyLoss._parameter_constraints | {
        "penalty": [StrOptions(set(_validate.PENALTIES)), Penalty, Group, None],
        "alpha": [STRENGTH, None],
        "l1_ratio": [Interval(numbers.Real, 0, 1, closed="both"), None],
        "positive": ["boolean"],
    }

    def __init__(
        self,
        loss="squared",
        penalty=None,
        *,
        alpha=None,
        l1_ratio=None,
        fit_intercept=True,
        positive=False,
        standardize=False,
        tol=1e-8,
        max_iter=1000,
        warm_start=False,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.positive = positive
        self.standardize = standardize
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def penalty_for(self, p):
        """As given, or by name with alpha and l1_ratio."""
        named = isinstance(self.penalty, str)
        return _validate.penalty(self.penalty, *((self.alpha, self.l1_ratio) if named else (None, None)))


class GroupLasso(AnyLoss):
    """The group lasso, with the squared loss or another one: whole groups of columns enter or stay out.

    Minimises, with ``W = sum(sample_weight)`` (``n_samples`` without weights),

        1/W sum_i w_i l(y_i, intercept + x_i'b) + sum_g (alpha sqrt(size_g) |b_g|_2 + l1 |b_g|_1)

    (Yuan and Lin, 2006; Simon, Friedman, Hastie and Tibshirani, 2013).

    Parameters
    ----------
    groups : int or array-like of shape (n_features,), default=None
        The label of each column's group; a number is the size of groups of neighbours; None is one group of all.
    alpha : float, default=1.0
        Strength of the norms.
    l1 : float, default=0.0
        Strength of the L1 norm beside them: the sparse group lasso.
    loss : str or Loss, default="squared"
        As in `l1l2fast.solve`, with `Group`.
    fit_intercept, standardize : bool
        As in `l1l2fast.solve`.
    tol, max_iter, warm_start
        As in `l1l2fast.sklearn.LinearModel`.

    Attributes
    ----------
    coef_, intercept_, n_iter_, dual_gap_, n_features_in_, feature_names_in_
        As in `l1l2fast.sklearn.ElasticNet`.

    See Also
    --------
    l1l2fast.Group : The penalty.

    Notes
    -----
    celer and skglm leave out the factor sqrt(size_g) unless they are given weights.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast.sklearn import GroupLasso
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> y = X[:, 0] + X[:, 1]
    >>> GroupLasso(2, alpha=0.2).fit(X, y).coef_.round(1)
    array([0.8, 0.7, 0. , 0. ])
    """

    _parameter_constraints = AnyLoss._parameter_constraints | {
        "groups": [Interval(numbers.Integral, 1, None, closed="left"), "array-like", None],
        "alpha": [STRENGTH],
        "l1": [STRENGTH],
    }

    def __init__(
        self,
        groups=None,
        alpha=1.0,
        *,
        l1=0.0,
        loss="squared",
        fit_intercept=True,
        standardize=False,
        tol=1e-8,
        max_iter=1000,
        warm_start=False,
    ):
        self.groups = groups
        self.alpha = alpha
        self.l1 = l1
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def penalty_for(self, p):
        """Norms of the groups."""
        labels = np.arange(p) // self.groups if isinstance(self.groups, numbers.Integral) else self.groups
        return Group(self.alpha, labels, self.l1)
