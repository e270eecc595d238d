"""What cross-validation asks of its folds, on top of `_validate`; raises as that does."""

import numpy as np


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
