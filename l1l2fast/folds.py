"""What cross-validation is made of: folds of the rows, and measures of how far predictions are from the response.

Folds are pairs (train, test) of row numbers; the plain ones are those of scikit-learn's KFold and GroupKFold.
A measure takes the responses (n,), predictions (K, n) and weights (n,) of sum 1, and gives K numbers, smaller
ones for better predictions.
"""

import numpy as np

from l1l2fast import _validate, _validate_many
from l1l2fast._objective import mean_losses


def folds(cv, X, y, weight, groups, random_state):
    """A list of (train, test) from a number of folds, a splitter, or pairs."""
    n = len(y)
    if hasattr(cv, "split") and not isinstance(cv, str):
        pairs = cv.split(X, y, groups)
    elif isinstance(cv, str) or not hasattr(cv, "__iter__"):
        cv = _validate.number("cv", cv, 2, n, kind=int)
        order = np.arange(n)
        if random_state is not None:
            np.random.RandomState(_validate.number("random_state", random_state, 0, kind=int)).shuffle(order)
        tests = parts(order, cv) if groups is None else whole_groups(_validate_many.groups(groups, n, cv), cv)
        pairs = [(others(test, n), np.sort(test)) for test in tests]
    else:
        pairs = cv
    return _validate_many.splits(pairs, weight)


def others(rows, n):
    """The other ones of n rows."""
    left = np.ones(n, dtype=bool)
    left[rows] = False
    return np.flatnonzero(left)


def parts(order, count):
    """The rows, in this order, in `count` parts whose sizes differ by one at most."""
    return np.array_split(order, count)


def whole_groups(groups, count):
    """Parts that keep groups together: the largest group comes first, each to the part that is smallest so far."""
    _, member, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    home, filled = np.empty(len(sizes), dtype=np.intp), np.zeros(count)
    for group in np.argsort(sizes)[::-1]:
        home[group] = filled.argmin()
        filled[home[group]] += sizes[group]
    return [np.flatnonzero(home[member] == part) for part in range(count)]


def measure(scoring, loss):
    """The function that `scoring` stands for."""
    if scoring == "deviance":
        return lambda y, F, w: deviance(loss, y, F, w)
    if callable(scoring):
        return lambda y, F, w: np.array([one(scoring, y, f, w) for f in F])
    return MEASURES[scoring]


def one(scoring, y, f, w):
    """A user's measure; weights are handed over if there are any."""
    return float(scoring(y, f) if (w == w[0]).all() else scoring(y, f, sample_weight=w))


def deviance(loss, y, F, w):
    """The mean loss if it is made of lines; else twice that, so that the squared loss has the mean square."""
    return (1 if loss.slopes() is not None else 2) * mean_losses(loss, y, w, F)


def mse(y, F, w):
    """Mean squared error."""
    return (F - y) ** 2 @ w


def mae(y, F, w):
    """Mean absolute error."""
    return np.abs(F - y) @ w


def rmse(y, F, w):
    """Root of the mean squared error."""
    return np.sqrt(mse(y, F, w))


def median_ae(y, F, w):
    """The weighted median of the absolute errors; the mean of two where both are."""
    error = np.abs(F - y)
    order = np.argsort(error, axis=1)
    total = np.cumsum(w[order], axis=1)
    rows = np.arange(len(F))
    low = (total < 0.5 * (1 - 1e-12)).sum(1)
    high = (total <= 0.5 * (1 + 1e-12)).sum(1)
    error = np.take_along_axis(error, order, axis=1)
    return (error[rows, low] + error[rows, np.minimum(high, F.shape[1] - 1)]) / 2


MEASURES = {"mse": mse, "mae": mae, "rmse": rmse, "median_ae": median_ae}
