"""scikit-learn's `enet_path` and `lasso_path`, answered by `l1l2fast.path`: the same arguments and shapes."""

import numbers
import warnings

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from l1l2fast import _estimators
from l1l2fast.path import path

# What scikit-learn hands to its solver; only tol has a meaning here.
IGNORED = {"max_iter", "random_state", "selection", "do_screening"}


def enet_path(
    X,
    y,
    *,
    l1_ratio=0.5,
    eps=1e-3,
    n_alphas=100,
    alphas=None,
    precompute="auto",
    Xy=None,
    copy_X=True,
    coef_init=None,
    verbose=False,
    return_n_iter=False,
    positive=False,
    check_input=True,
    **params,
):
    """Elastic net along a path of alphas: scikit-learn's `enet_path`, each answer certified.

    Minimises, for every alpha and without an intercept,

        1/(2 n_samples) |y - X b|^2 + alpha l1_ratio |b|_1 + alpha (1 - l1_ratio)/2 |b|^2

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Data, float64 or float32; anything else is converted to float64. Never written to.
    y : array-like of shape (n_samples,)
        Target values. For several targets scikit-learn has another penalty; they are refused.
    l1_ratio : float, default=0.5
        Share of the L1 norm in the penalty, in (0, 1].
    eps : float, default=1e-3
        The last alpha divided by the first, if they are chosen here.
    n_alphas : int, default=100
        How many are chosen here.
    alphas : int or array-like of shape (n_alphas,), default=None
        The alphas, in any order; an integer stands for `n_alphas`.
    precompute : 'auto', bool or array-like of shape (n_features, n_features), default='auto'
        A Gram matrix is checked against X, without influence on the answer.
    positive : bool, default=False
        Whether the coefficients must be >= 0.
    return_n_iter : bool, default=False
        Whether to return `n_iters` too.
    check_input : bool, default=True
        False leaves out scikit-learn's own checks; those of `l1l2fast.path` remain.
    Xy, copy_X, coef_init, verbose
        Accepted without influence.
    **params
        `tol` (default 1e-4) has the meaning of `ElasticNet`; `max_iter`, `selection`, `random_state` and
        `do_screening` are without influence.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
        Descending.
    coefs : ndarray of shape (n_features, n_alphas)
        Coefficients, of the dtype of X.
    dual_gaps : ndarray of shape (n_alphas,)
        Bounds on how far each objective is above its minimum.
    n_iters : list of int
        Epochs of coordinate descent; alphas are solved together, and each counts for the same.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as above; the message names it.

    See Also
    --------
    l1l2fast.path : With an intercept, weights, an offset, bounds and penalty factors.

    References
    ----------
    Friedman, Hastie and Tibshirani (2010), J. Stat. Softw. 33.

    Examples
    --------
    >>> from l1l2fast.sklearn import enet_path
    >>> alphas, coefs, gaps = enet_path([[-1.0], [0.0], [1.0]], [-1.0, 0.0, 1.0], alphas=[0.5, 0.1])
    >>> coefs.round(6).tolist()
    [[0.454545, 0.860465]]
    """
    tol = params.pop("tol", 1e-4)
    if unknown := sorted(set(params) - IGNORED):
        raise ValueError(f"Unexpected parameters in params: {', '.join(unknown)}")
    if check_input:
        X = check_array(X, accept_sparse="csc", dtype=[np.float64, np.float32])
        y = check_array(y, accept_sparse=False, dtype=np.float64, ensure_2d=False)
    if np.ndim(y) != 1:
        raise ValueError(f"y must have one dimension, got shape {np.shape(y)}: several targets are not solved here")
    if not isinstance(precompute, (str, bool, np.bool_)) and not sparse.issparse(X):
        _estimators.check_gram(np.asarray(precompute), X, np.zeros(X.shape[1]), None)
    if isinstance(alphas, numbers.Integral):
        n_alphas, alphas = alphas, None
    if l1_ratio == 0 and alphas is None:
        raise ValueError("l1_ratio=0 has no largest alpha: give alphas, or use l1l2fast.ridge_path")
    result = path.__wrapped__(
        X,
        y,
        l1_ratio=l1_ratio,
        alphas=alphas,
        n_alphas=n_alphas,
        eps=eps,
        fit_intercept=False,
        positive=bool(positive),
        tol=_estimators.aim(tol),
    )
    if result.gap.max() > (enough := _estimators.slack(tol) * result.tolerance):
        text = f"{_estimators.NOT_CONVERGED} Duality gap: {result.gap.max():.3e}, tolerance: {enough:.3e}"
        warnings.warn(text, _estimators.ConvergenceWarning, stacklevel=2)
    answer = result.alphas, result.coef.astype(X.dtype, copy=False), result.gap
    return (*answer, [-(-result.n_iter // len(result))] * len(result)) if return_n_iter else answer


def lasso_path(
    X,
    y,
    *,
    eps=1e-3,
    n_alphas=100,
    alphas=None,
    precompute="auto",
    Xy=None,
    copy_X=True,
    coef_init=None,
    verbose=False,
    return_n_iter=False,
    positive=False,
    **params,
):
    """Lasso along a path of alphas: scikit-learn's `lasso_path`, each answer certified.

    Minimises, for every alpha and without an intercept,

        1/(2 n_samples) |y - X b|^2 + alpha |b|_1

    Parameters
    ----------
    X, y, eps, n_alphas, alphas, precompute, Xy, copy_X, coef_init, verbose, return_n_iter, positive, **params
        As in `enet_path`, `check_input` being one of the last.

    Returns
    -------
    alphas, coefs, dual_gaps, n_iters
        As from `enet_path`.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as above; the message names it.

    See Also
    --------
    l1l2fast.path : With an intercept, weights, an offset, bounds and penalty factors.

    References
    ----------
    Friedman, Hastie and Tibshirani (2010), J. Stat. Softw. 33.

    Examples
    --------
    >>> from l1l2fast.sklearn import lasso_path
    >>> alphas, coefs, gaps = lasso_path([[-1.0], [0.0], [1.0]], [-1.0, 0.0, 1.0], alphas=[0.5, 0.1])
    >>> coefs.round(6).tolist()
    [[0.25, 0.85]]
    """
    return enet_path(
        X,
        y,
        l1_ratio=1.0,
        eps=eps,
        n_alphas=n_alphas,
        alphas=alphas,
        precompute=precompute,
        positive=positive,
        return_n_iter=return_n_iter,
        **params,
    )
