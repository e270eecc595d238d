"""Problems shared by the benchmarks: fixed seeds, and parameters that are strings or numbers.

A parameter never depends on what is installed, and every class that is kept for years has a
`version`: without it, asv throws its history away at each edit of its source.
"""

import numpy as np
import scipy.sparse as sp

#: storage of X, by name
LAYOUTS = ("F", "C", "F float32", "csc")

#: loss and penalty, by name
CELLS = ("squared", "squared l1", "squared l2", "squared elasticnet", "absolute", "absolute l2")


def stored(X, layout):
    """X in the layout of that name; "csc" keeps a tenth of the entries."""
    if layout == "csc":
        rng = np.random.default_rng(2)
        return sp.csc_array(X * (rng.random(X.shape) < 0.1))
    order, *dtype = layout.split()
    return np.array(X, order=order, dtype=dtype[0] if dtype else "float64")


def regression(n, p, nonzeros=10, layout="F", seed=0):
    """Correlated columns, `nonzeros` true coefficients, noise with heavy tails.

    Returns
    -------
    X, y
    """
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    X[:, 1:] += 0.5 * X[:, :-1]
    X += rng.standard_normal(p)  # means that the implicit centring has to remove
    X = stored(X, layout)
    b = np.zeros(p)
    b[:: max(1, p // nonzeros)] = 1.0
    return X, np.asarray(X @ b) + rng.standard_t(3, n)


def arguments(cell, X, y, relative=0.05):
    """Keyword arguments of `solve` for a cell; alpha relative to the largest that matters."""
    loss, *penalty = cell.split()
    if not penalty:
        return {"loss": loss}
    if loss == "squared" and penalty[0] != "l2":
        alpha = relative * np.abs(X.T @ (y - y.mean())).max() / len(y)
    else:
        alpha = relative
    return {"loss": loss, "penalty": penalty[0], "alpha": float(alpha)}
