"""Estimators that stand in for scikit-learn's, each answer solved and certified by `l1l2fast.solve`.

    Lasso(alpha)                  1/(2 W) sum_i w_i r_i^2 + alpha |b|_1
    ElasticNet(alpha, l1_ratio)   1/(2 W) sum_i w_i r_i^2 + alpha (l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|^2)
    Ridge(alpha)                  sum_i w_i r_i^2 + alpha |b|^2
    QuantileRegressor(quantile, alpha)   1/W sum_i w_i r_i (quantile - [r_i < 0]) + alpha |b|_1
    HuberRegressor(epsilon, alpha)       sum_i w_i (sigma + sigma H(r_i / sigma)) + alpha |b|^2
    LogisticRegression(C, l1_ratio)      C sum_i w_i log(1 + exp(-y_i f_i)) + l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|^2
    LADRegressor(alpha, l1_ratio)        1/W sum_i w_i |r_i| + alpha (l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|^2)

    GroupLasso(groups, alpha)            1/(2 W) sum_i w_i r_i^2 + alpha sum_g sqrt(size_g) |b_g|_2, or another loss
    MCPRegressor, SCADRegressor, LqRegressor, L0Regressor       penalties that are not convex, with any loss
    LinearModel(loss, penalty)           any other cell, as `l1l2fast.solve` has it

with r = y - f, f = intercept + X b and W = sum w. All down to LogisticRegression *are* scikit-learn's classes with
another `fit`: parameters, their limits, tags, `path`, `sparse_coef_`, `predict` and metadata
routing are inherited, `isinstance` holds. X is converted to floating point and, if sparse, to
CSC, and not copied otherwise; the targets of a two-dimensional y are solved one by one, those of
Ridge with one alpha together. `lasso_path` and `enet_path` have scikit-learn's arguments and shapes. LassoCV,
ElasticNetCV, RidgeCV, LogisticRegressionCV, LADCV, QuantileCV and HuberCV choose their alpha by cross-validation.
"""

import numbers
import warnings

import numpy as np
from scipy import sparse

try:
    from sklearn import linear_model
    from sklearn.base import _fit_context
except ImportError as error:
    raise ImportError("l1l2fast.sklearn needs scikit-learn >= 1.6: pip install 'l1l2fast[sklearn]'") from error

from l1l2fast import _estimators
from l1l2fast._any_loss import GroupLasso, LinearModel
from l1l2fast._cv import ElasticNetCV, LassoCV
from l1l2fast._estimators import ConvergenceWarning
from l1l2fast._generalised import HuberRegressor, LogisticRegression
from l1l2fast._logistic_cv import LogisticRegressionCV
from l1l2fast._loss_cv import LADCV, HuberCV, QuantileCV
from l1l2fast._not_convex import L0Regressor, LqRegressor, MCPRegressor, SCADRegressor
from l1l2fast._paths import enet_path, lasso_path
from l1l2fast._quantile import LADRegressor, QuantileRegressor
from l1l2fast._ridge_cv import RidgeCV
from l1l2fast.penalties import L1L2, L2

__all__ = [
    "LADCV",
    "ConvergenceWarning",
    "ElasticNet",
    "ElasticNetCV",
    "GroupLasso",
    "HuberCV",
    "HuberRegressor",
    "L0Regressor",
    "LADRegressor",
    "Lasso",
    "LassoCV",
    "LinearModel",
    "LogisticRegression",
    "LogisticRegressionCV",
    "LqRegressor",
    "MCPRegressor",
    "QuantileCV",
    "QuantileRegressor",
    "Ridge",
    "RidgeCV",
    "SCADRegressor",
    "enet_path",
    "lasso_path",
]

# Coordinate descent, of which max_iter counts the epochs, needs this many to do what one outer round does.
EPOCHS_PER_ROUND = 3

# Words that callers of scikit-learn look for, and so do its tests.
ALPHA_ZERO = (
    "With alpha=0, this algorithm does not converge well. You are advised to use the LinearRegression estimator"
)
NOT_FINITE = (
    "Coordinate descent iterations resulted in non-finite parameter values. The input data may contain "
    "large values and need to be preprocessed."
)


class ElasticNet(linear_model.ElasticNet):
    """Elastic net: scikit-learn's ElasticNet, solved to a certified duality gap.

    Minimises, with ``W = sum(sample_weight)`` (``n_samples`` without weights),

        1/(2 W) sum_i w_i (y_i - intercept - x_i'b)^2 + alpha l1_ratio |b|_1 + alpha (1 - l1_ratio)/2 |b|^2

    Parameters
    ----------
    alpha : float, default=1.0
        Weight of the penalty. 0 is least squares, solved by orthogonal factorisation; a warning
        is given as in scikit-learn.
    l1_ratio : float, default=0.5
        Share of the L1 norm in the penalty, from 0 to 1.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    precompute : bool or array-like of shape (n_features, n_features), default=False
        Checked as in scikit-learn, without influence on the answer: the part of the Gram matrix
        that is needed is computed.
    max_iter : int, default=1000
        Most epochs of coordinate descent, three of which count as one outer round of this solver;
        with fewer than three the starting point comes back, with its gap and a warning.
    copy_X : bool, default=True
        X is never written to, with one exception: ``copy_X=False`` and ``check_input=False``
        together centre it in place, as in scikit-learn.
    tol : float, default=1e-4
        The duality gap is at most ``tol`` times the mean square of y (centred if an intercept is
        fitted), and ``tol ** 2`` times is aimed at, so that the coefficients have the precision ``tol``.
    warm_start : bool, default=False
        Start from the coefficients of the last fit.
    positive : bool, default=False
        Whether the coefficients must be >= 0.
    random_state, selection
        Checked as in scikit-learn, without influence on the answer.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients, of the dtype of X.
    sparse_coef_ : sparse matrix of shape (1, n_features) or (n_targets, n_features)
        The same, sparse.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept, 0.0 if none was fitted.
    n_iter_ : int or list of int
        Epochs of coordinate descent that were done.
    dual_gap_ : float or ndarray of shape (n_targets,)
        Bound on how far the objective is above its minimum, up to the rounding of the objective.
    n_features_in_, feature_names_in_
        What was seen in `fit`.

    See Also
    --------
    l1l2fast.solve : The same and more, with the certificate itself.

    Examples
    --------
    >>> from l1l2fast.sklearn import ElasticNet
    >>> model = ElasticNet(alpha=0.5, l1_ratio=0.5).fit([[-1.0], [0.0], [1.0]], [-1, 0, 1])
    >>> model.coef_.round(6)
    array([0.454545])
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, check_input=True):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data, float64 or float32; anything else is converted to float64.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Target values.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights; only their ratios matter.
        check_input : bool, default=True
            False skips the validation; X must then be Fortran-ordered or sparse.

        Returns
        -------
        ElasticNet
            Itself.
        """
        if self.alpha == 0:
            warnings.warn(ALPHA_ZERO, stacklevel=2)
        sample_weight = None if isinstance(sample_weight, numbers.Number) else sample_weight
        if check_input:
            X, y, sample_weight = _estimators.checked(self, X, y, sample_weight)
        elif not (sparse.issparse(X) or X.flags.f_contiguous or sample_weight is not None):
            raise ValueError("X must be Fortran-ordered with check_input=False")
        _estimators.prepare(self, X, sample_weight, in_place=not (check_input or self.copy_X))
        penalty = L1L2(self.alpha * self.l1_ratio, self.alpha * (1 - self.l1_ratio))
        max_iter = (1000 if self.max_iter is None else self.max_iter) // EPOCHS_PER_ROUND
        try:
            results = _estimators.solve_targets(
                self,
                X,
                y,
                "squared",
                [penalty] * _estimators.n_targets(y),
                sample_weight,
                _estimators.aim(self.tol),
                max_iter,
            )
        except ValueError as error:
            if "rescale it" not in str(error):
                raise
            raise ValueError(f"{NOT_FINITE} {error}") from None
        return _estimators.record(
            self, X, y, results, self._gaps(X, y, sample_weight, penalty, results), _estimators.slack(self.tol)
        )

    def _gaps(self, X, y, sample_weight, penalty, results):
        """The proven gaps; those of a small lasso in the form in which anyone would compute them."""
        plain = penalty.l2 == 0 < penalty.l1 and sample_weight is None and not (self.positive or sparse.issparse(X))
        if not plain or X.size > _estimators.SMALL:
            return [result.gap for result in results]
        return [
            _estimators.lasso_gap(X, target, result, penalty.l1)
            if result.gap <= result.tolerance and result.coef.any()
            else result.gap
            for target, result in zip(y.reshape(len(y), -1).T, results, strict=True)
        ]


class Lasso(ElasticNet, linear_model.Lasso):
    """Lasso: scikit-learn's Lasso, solved to a certified duality gap.

    Minimises, with ``W = sum(sample_weight)`` (``n_samples`` without weights),

        1/(2 W) sum_i w_i (y_i - intercept - x_i'b)^2 + alpha |b|_1

    Parameters
    ----------
    alpha : float, default=1.0
        Weight of the penalty; 0 as in `ElasticNet`.
    fit_intercept, precompute, copy_X, max_iter, tol, warm_start, positive, random_state, selection
        As in `ElasticNet`.

    Attributes
    ----------
    coef_, sparse_coef_, intercept_, n_iter_, dual_gap_, n_features_in_, feature_names_in_
        As in `ElasticNet`.

    See Also
    --------
    ElasticNet : With the squared L2 norm in the penalty as well.
    l1l2fast.solve : The same and more, with the certificate itself.

    Examples
    --------
    >>> from l1l2fast.sklearn import Lasso
    >>> model = Lasso(alpha=0.1).fit([[0, 0], [1, 1], [2, 4]], [0, 1, 2])
    >>> model.coef_.round(6)
    array([0.      , 0.426923])
    """


class Ridge(linear_model.Ridge):
    """Ridge regression: scikit-learn's Ridge, solved to a certified duality gap.

    Minimises ``sum_i w_i (y_i - intercept - x_i'b)^2 + alpha |b|^2``.

    Parameters
    ----------
    alpha : float or array-like of shape (n_targets,), default=1.0
        Weight of the penalty, one for all targets or one for each; with 0, the shortest least
        squares solution is returned.
    fit_intercept, positive : bool
        As in `ElasticNet`.
    copy_X : bool, default=True
        Without influence: X is never written to.
    max_iter : int, default=None
        Most outer rounds; None for 1000. One is enough but with ``positive=True``.
    tol : float, default=1e-4
        The duality gap is at most ``tol`` times the sum of the squares of y (centred if an
        intercept is fitted). Without ``positive`` the answer is exact to rounding.
    solver, random_state
        Checked as in scikit-learn, without influence: X or, where that loses nothing, its Gram matrix is
        factorised, once for all targets of one alpha; with ``positive=True``, coordinate descent finds
        the coefficients that are 0.

    Attributes
    ----------
    coef_, intercept_, n_features_in_, feature_names_in_
        As in `ElasticNet`.
    dual_gap_ : float or ndarray of shape (n_targets,)
        Proven bound on how far the objective is above its minimum.
    n_iter_ : ndarray of shape (n_targets,)
        Factorisations and refinements, or epochs of coordinate descent; never None.
    solver_ : str
        ``solver``; for 'auto' the one that scikit-learn would have taken.

    See Also
    --------
    l1l2fast.solve : The same and more, with the certificate itself.

    Examples
    --------
    >>> from l1l2fast.sklearn import Ridge
    >>> model = Ridge(alpha=2.0).fit([[-1.0], [0.0], [1.0]], [0, 1, 2])
    >>> model.coef_.round(6), round(float(model.intercept_), 6)
    (array([0.5]), 1.0)
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X, y
            As in `ElasticNet.fit`.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights; doubling them has the effect of halving alpha.

        Returns
        -------
        Ridge
            Itself.
        """
        X, y, sample_weight = _estimators.checked(self, X, y, sample_weight)
        self.solver_ = self._solver_name(sparse.issparse(X))
        count = _estimators.n_targets(y)
        alpha = np.ravel(np.asarray(self.alpha, dtype=np.float64))
        if len(alpha) not in (1, count):
            raise ValueError(f"Number of targets and number of penalties do not correspond: {len(alpha)} != {count}")
        if (alpha < 0).any():
            raise ValueError(f"alpha must be >= 0, got {alpha.min()}")
        total = len(y) if sample_weight is None else sample_weight.sum()
        tol, max_iter = _estimators.aim(self.tol), 1000 if self.max_iter is None else self.max_iter
        if count > 1 and not self.positive and (alpha == alpha[0]).all():
            results = _estimators.ridge_targets(self, X, y, alpha[0] / total, sample_weight, tol)
        else:
            penalties = [L2(a / total) for a in np.broadcast_to(alpha, count)]
            results = _estimators.solve_targets(self, X, y, "squared", penalties, sample_weight, tol, max_iter)
        _estimators.record(
            self, X, y, results, [2 * total * result.gap for result in results], _estimators.slack(self.tol)
        )
        self.n_iter_ = np.array([result.n_iter for result in results], dtype=np.int32)
        return self

    def _solver_name(self, is_sparse):
        """scikit-learn's rules on which solver goes with what; the name is all that is used."""
        solver = self.solver
        if solver == "lbfgs" and not self.positive:
            raise ValueError("'lbfgs' solver can be used only when positive=True. Please use another solver.")
        if self.positive and solver not in ("auto", "lbfgs"):
            raise ValueError(
                f"solver='{solver}' does not support positive fitting. Please set the solver to 'auto' "
                "or 'lbfgs', or set `positive=False`"
            )
        if is_sparse and (solver == "svd" or (self.fit_intercept and solver in ("cholesky", "saga"))):
            raise ValueError(
                f"solver='{solver}' does not support fitting the intercept on sparse data. Please set "
                "the solver to 'auto' or 'lsqr', 'sparse_cg', 'sag', 'lbfgs' or set "
                "`fit_intercept=False`"
            )
        if solver != "auto":
            return solver
        return "lbfgs" if self.positive else "sparse_cg" if is_sparse else "cholesky"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.array_api_support = False  # numpy arrays only
        return tags
