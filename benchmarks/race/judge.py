"""The judge: one objective for everybody, and a bound that no answer can beat.

    F(b0, b) = 1/n sum_i l(y_i, b0 + x_i'b) + alpha (l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|^2)

in float64, with a loss of `losses.py`; without an intercept b0 must be 0. With `gamma`, the penalty is MCP instead.
It knows nobody's solver: numpy and scipy alone.
"""

import dataclasses

import numpy as np
import scipy.sparse as sp
from scipy.optimize import lsq_linear

from race.losses import loss_of


def predictions(X, coef, intercept):
    f = X @ coef
    return intercept + (f.toarray() if sp.issparse(f) else np.asarray(f))


def objectives(task, coef, intercept):
    """F of each column of `coef` (n_features, n_alphas; any scipy.sparse or numpy)."""
    if not task.intercept and np.any(np.asarray(intercept) != 0):
        raise ValueError("an intercept was not asked for")
    values = []
    for k, (X, y, alphas) in enumerate(task.parts()):
        b = sp.csc_matrix(coef[:, k : k + 1] if task.blocks > 1 else coef)
        b0 = intercept[k : k + 1] if task.blocks > 1 else intercept
        f = predictions(X, b if sp.issparse(X) or b.nnz < 0.1 * b.shape[0] * b.shape[1] else b.toarray(), b0)
        values.append(loss_of(task).value(y[:, None], f).mean(axis=0) + penalty(task, b, alphas))
    return np.concatenate(values)


def penalty(task, b, alphas):
    """The penalty of each column of b."""
    if task.kind == "process":
        return 0.0
    if task.gamma is not None:  # one alpha: the integral of (alpha - |b| / gamma)_+
        size = np.minimum(abs(b.data), task.gamma * alphas[0])
        return np.array([(alphas[0] * size - size**2 / (2 * task.gamma)).sum()])
    l1, l2 = np.asarray(abs(b).sum(axis=0)).ravel(), np.asarray(b.multiply(b).sum(axis=0)).ravel()
    return alphas * (task.l1_ratio * l1 + (1 - task.l1_ratio) / 2 * l2)


def null(task):
    """F without any column."""
    values = []
    for _, y, alphas in task.parts():
        loss, f = loss_of(task), np.zeros((len(y), 1))
        if task.intercept:
            f = f + loss.level(y, f)
        values.append(np.broadcast_to(loss.value(y[:, None], f).mean(axis=0), len(alphas)))
    return np.concatenate(values)


def bounds(task, coef, intercept):
    """Lower bounds of F by duality, from the slopes of the loss at a good answer.

    For every theta, with sum(theta) = 0 beside an intercept,
    F >= - 1/n sum_i l*(y_i, -n theta_i) - sum_j h*(x_j'theta),
    where h* is 0 or infinite (|u| <= alpha) for L1 alone, and (|u| - l1)_+^2 / (2 l2) with an L2 term.
    Of a penalty that is not convex nothing better is known than what somebody found.
    """
    if not task.convex:
        return objectives(task, coef, intercept)
    if task.loss == "pinball":
        coef = sp.csc_matrix(coef).toarray()
        if task.kind == "process":
            one = dataclasses.replace(task, kind="fit", alphas=np.zeros(1))
            each = enumerate(task.alphas)
            return np.array(
                [
                    vertex_bound(dataclasses.replace(one, parameter=tau), 0.0, coef[:, k], intercept[k])
                    for k, tau in each
                ]
            )
        if task.alphas.any() and task.l1_ratio != 1:
            alone = task.l1_ratio == 0 and not task.intercept and task.kind == "fit"
            return ridge_bound(task, coef[:, 0]) if alone else np.full(len(task.alphas), -np.inf)
        answers = zip(task.alphas, coef.T, intercept)
        return np.array([vertex_bound(task, *answer) for answer in answers])
    values, loss = [], loss_of(task)
    for k, (X, y, alphas) in enumerate(task.parts()):
        b, b0 = (coef[:, k : k + 1], intercept[k : k + 1]) if task.blocks > 1 else (coef, intercept)
        f = predictions(X, sp.csc_matrix(b) if sp.issparse(X) else sp.csc_matrix(b).toarray(), b0)
        if task.intercept:
            f += loss.level(y, f)
        theta = -loss.gradient(y[:, None], f) / len(y)
        u = abs(np.asarray(X.T @ theta))
        l1, l2 = alphas * task.l1_ratio, alphas * (1 - task.l1_ratio)
        if task.l1_ratio == 1:
            theta *= np.minimum(1, l1 / np.maximum(u.max(axis=0), 1e-300))
            conjugate = 0.0
        else:
            conjugate = (np.maximum(0, u - l1) ** 2).sum(axis=0) / (2 * l2)
        values.append(-loss.conjugate(y[:, None], -len(y) * theta).mean(axis=0) - conjugate)
    return np.concatenate(values)


def ridge_bound(task, coef):
    """F >= theta'y / n - |X'theta / n|^2 / (2 alpha) for quantile - 1 <= theta <= quantile.

    theta follows the signs of the residuals but for the smallest, which bring X'theta / n to alpha coef.
    """
    n, alpha, r = len(task.y), task.alphas[0], task.y - task.X @ coef
    zero = abs(r) <= 1e-11 * abs(task.y).max()
    theta = np.where(r > 0, task.parameter, task.parameter - 1)
    pull = n * alpha * coef - task.X[~zero].T @ theta[~zero]
    theta[zero] = np.clip(np.linalg.lstsq(task.X[zero].T, pull, rcond=None)[0], task.parameter - 1, task.parameter)
    u = task.X.T @ theta / n
    return np.array([theta @ task.y / n - u @ u / (2 * alpha)])


def vertex_bound(task, alpha, coef, intercept):
    """F >= theta'y / n for quantile - 1 <= theta <= quantile with |X'theta| <= n alpha and, with b0, sum(theta) = 0.

    theta follows the signs of the residuals but for the smallest, which make x_j'theta = n alpha sign(b_j) where
    b_j != 0: optimal at an exact vertex, and a bound only if they stay in the box. It is shrunk to the second limit.
    """
    n, q = len(task.y), task.parameter
    r = task.y - predictions(task.X, coef, intercept)
    used = coef != 0 if alpha > 0 else np.ones(len(coef), bool)
    Z = np.column_stack([np.ones((n, int(task.intercept))), task.X[:, used]])
    aim = np.r_[np.zeros(int(task.intercept)), n * alpha * np.sign(coef[used])]
    size, k = abs(r), max(Z.shape[1], 1)
    zero = size <= max(np.partition(size, k - 1)[k - 1], 1e-11 * abs(task.y).max())
    theta, middle = np.where(r > 0, q, q - 1), q - 0.5
    pull = Z[~zero].T @ theta[~zero] + middle * Z[zero].sum(axis=0) - aim
    theta[zero] = middle - np.linalg.lstsq(Z[zero].T, pull, rcond=None)[0]
    if abs(theta - middle).max() > 0.5:  # of many zeros: others may do
        small = lsq_linear(Z[zero].T, -pull, (-0.5, 0.5), "bvls", tol=1e-15)
        theta[zero] = middle + small.x
    inside = (theta >= q - 1 - 1e-9) & (theta <= q + 1e-9)
    balanced = abs(Z.T @ theta - aim).max(initial=0) <= 1e-9 * np.sqrt(n) * abs(task.X).max()
    if alpha > 0:
        theta *= min(1, n * alpha / max(abs(task.X.T @ theta).max(), 1e-300))
    return theta @ task.y / n if inside.all() and balanced else -np.inf
