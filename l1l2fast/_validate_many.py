"""What the functions that solve many problems ask: folds, targets, alphas; raises as `_validate` does."""

import dataclasses

import numpy as np

from l1l2fast import _validate


def groups(value, n, count):
    """Labels of the rows, of `count` kinds at least."""
    labels = np.asarray(value)
    if labels.shape != (n,):
        raise ValueError(f"groups must have {n} entries, got shape {labels.shape}")
    if len(kinds := np.unique(labels)) < count:
        raise ValueError(f"groups must be {count} at least, as many as folds, got {len(kinds)}")
    return labels


def splits(pairs, weight):
    """Pairs (train, test) of row numbers, each with a row of positive weight."""
    found = [tuple(np.asarray(rows) for rows in pair) for pair in pairs]
    if not found or any(len(pair) != 2 for pair in found):
        raise ValueError(f"cv must give pairs (train, test) of row numbers, one at least, got {len(found)} folds")
    for k, rows in ((k, rows) for k, pair in enumerate(found) for rows in pair):
        if rows.dtype.kind not in "iu" or rows.ndim != 1 or not ((rows >= 0) & (rows < len(weight))).all():
            raise ValueError(f"cv must give row numbers from 0 to {len(weight) - 1}, fold {k} has others")
        if not (weight[rows] > 0).any():
            raise ValueError(f"cv must leave a row of positive weight on either side, fold {k} has none")
    return found


def responses(y):
    """Whether y has two dimensions, and its columns."""
    if np.ndim(y) != 2 or hasattr(y, "tocsc"):
        return False, [y]
    y = _validate.real_array("y", y, 2)
    if y.shape[1] == 0:
        raise ValueError(f"y must have at least one column, got shape {y.shape}")
    return True, list(y.T)


def retarget(problem, y, offset):
    """The problem with another y; its `slope` is not brought up to date, which would take a pass over X."""
    n = problem.columns.n
    y = _validate.finite("y", _validate.vector("y", y, n))
    if offset is not None:
        y = y - _validate.vector("offset", offset, n, scalar=True)
    y, y_mean, y_size = _validate.centred(y, problem.weight, problem.intercept)
    energy = float(problem.weight @ (y * y))
    return dataclasses.replace(problem, y=y, y_mean=y_mean, y_size=y_size, energy=energy, slope=None)


def alphas(value, n_alphas, eps, top):
    """A grid of penalties: the given one, or `n_alphas` of them from `top` down to `eps` times that."""
    n_alphas = _validate.number("n_alphas", n_alphas, 1, kind=int)
    if _validate.number("eps", eps, 0.0, 1.0) == 0:
        raise ValueError(f"eps must be > 0, got {eps!r}")
    if value is None:
        return np.geomspace(top, top * eps, n_alphas) if top > 0 else np.ones(n_alphas)
    grid = np.array(_validate.real_array("alphas", np.atleast_1d(value), 1), dtype=np.float64)
    grid = _validate.finite("alphas", grid)
    if len(grid) == 0 or grid.min() < 0:
        raise ValueError(f"alphas must hold numbers >= 0, got {value!r}")
    return grid
