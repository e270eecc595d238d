"""The judge: one objective for everybody, and a bound that no answer can beat.

    F(b0, b) = 1/(2n) |y - b0 - X b|^2 + alpha (l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|^2)

in float64; of a task with a quantile, F = 1/n sum_i r_i (quantile - [r_i < 0]) with r = y - b0 - X b.
It knows nobody's solver: numpy and scipy alone.
"""

import numpy as np
import scipy.sparse as sp
from scipy.optimize import lsq_linear


def residuals(X, y, coef, intercept):
    fitted = X @ coef
    return y[:, None] - intercept - (fitted.toarray() if sp.issparse(fitted) else np.asarray(fitted))


def objectives(task, coef, intercept):
    """F of each column of `coef` (n_features, n_alphas; any scipy.sparse or numpy)."""
    values = []
    for k, (X, y, alphas) in enumerate(task.parts()):
        b = sp.csc_matrix(coef[:, k : k + 1] if task.blocks > 1 else coef)
        b0 = intercept[k : k + 1] if task.blocks > 1 else intercept
        r = residuals(X, y, b if sp.issparse(X) or b.nnz < 0.1 * b.shape[0] * b.shape[1] else b.toarray(), b0)
        l1, l2 = np.asarray(abs(b).sum(axis=0)).ravel(), np.asarray(b.multiply(b).sum(axis=0)).ravel()
        penalty = alphas * (task.l1_ratio * l1 + (1 - task.l1_ratio) / 2 * l2)
        values.append(loss(task, r) + penalty)
    return np.concatenate(values)


def loss(task, r):
    """The mean loss of residuals, column by column."""
    if task.quantile is not None:
        return np.maximum(task.quantile * r, (task.quantile - 1) * r).mean(axis=0)
    return np.einsum("ij,ij->j", r, r) / (2 * len(r))


def null(task):
    """F without any column: half the variance of y, or the loss at its quantile."""
    if task.quantile is not None:
        return loss(task, (task.y - np.quantile(task.y, task.quantile, method="inverted_cdf"))[:, None])
    return np.concatenate([np.full(len(alphas), np.var(y) / 2) for _, y, alphas in task.parts()])


def bounds(task, coef, intercept):
    """Lower bounds of F by duality, from the residuals of a good answer.

    For every theta with sum(theta) = 0, F >= y'theta - n/2 |theta|^2 - sum_j h*(x_j'theta), where h* is
    0 or infinite (|u| <= alpha) for L1 alone, and (|u| - l1)_+^2 / (2 l2) with an L2 term.
    """
    if task.quantile is not None:
        return vertex_bound(task, sp.csc_matrix(coef).toarray()[:, 0], intercept[0])
    values = []
    for k, (X, y, alphas) in enumerate(task.parts()):
        b, b0 = (coef[:, k : k + 1], intercept[k : k + 1]) if task.blocks > 1 else (coef, intercept)
        r = residuals(X, y, sp.csc_matrix(b) if sp.issparse(X) else sp.csc_matrix(b).toarray(), b0)
        theta = (r - r.mean(axis=0)) / len(y)
        u = abs(np.asarray(X.T @ theta))
        l1, l2 = alphas * task.l1_ratio, alphas * (1 - task.l1_ratio)
        if task.l1_ratio == 1:
            theta *= np.minimum(1, l1 / np.maximum(u.max(axis=0), 1e-300))
            conjugate = 0.0
        else:
            conjugate = (np.maximum(0, u - l1) ** 2).sum(axis=0) / (2 * l2)
        values.append((y - y.mean()) @ theta - len(y) / 2 * (theta**2).sum(axis=0) - conjugate)
    return np.concatenate(values)


def vertex_bound(task, coef, intercept):
    """F >= theta'y / n for quantile - 1 <= theta <= quantile with X'theta = 0 and sum(theta) = 0.

    theta follows the signs of the residuals but for the smallest, which balance the sums: optimal at an
    exact vertex, and a bound only if they stay within the box.
    """
    Z = np.column_stack([np.ones(len(task.y)), task.X])
    r = task.y - Z @ np.concatenate([[intercept], coef])
    size = abs(r)
    zero = size <= max(np.partition(size, Z.shape[1] - 1)[Z.shape[1] - 1], 1e-11 * abs(task.y).max())
    theta = np.where(r > 0, task.quantile, task.quantile - 1)
    middle = task.quantile - 0.5
    pull = Z[~zero].T @ theta[~zero] + middle * Z[zero].sum(axis=0)
    theta[zero] = middle - np.linalg.lstsq(Z[zero].T, pull, rcond=None)[0]
    if abs(theta - middle).max() > 0.5:  # of many zeros: others may do
        small = lsq_linear(Z[zero].T, -pull, (-0.5, 0.5), "bvls", tol=1e-15)
        theta[zero] = middle + small.x
    inside = (theta >= task.quantile - 1 - 1e-9) & (theta <= task.quantile + 1e-9)
    balanced = abs(Z.T @ theta).max() <= 1e-9 * np.sqrt(len(theta)) * abs(Z).max()
    return np.array([theta @ task.y / len(theta) if inside.all() and balanced else -np.inf])
