"""stability_selection(): which columns are selected again and again, whatever half of the rows is looked at."""

import functools
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from l1l2fast import _validate
from l1l2fast.losses import Loss
from l1l2fast.path import path
from l1l2fast.tasks import Interrupted, cores, run


@dataclass(frozen=True, slots=True, eq=False)
class StabilityResult:
    """What `stability_selection` found; K alphas.

    Attributes
    ----------
    alphas : ndarray of shape (K,)
        Strengths of the penalty, descending.
    frequency : ndarray of shape (n_features, K)
        How often each column was selected at each alpha, from 0 to 1.
    n_selected : ndarray of shape (n_subsamples,)
        How many columns each subsample selected anywhere on the path.
    time : float
        Seconds, validation included.
    """

    alphas: np.ndarray
    frequency: np.ndarray
    n_selected: np.ndarray
    time: float

    @property
    def max_frequency(self) -> np.ndarray:
        """The largest frequency of each column over the alphas, of shape (n_features,)."""
        return self.frequency.max(axis=1, initial=0.0)

    def selected(self, threshold: float = 0.9) -> np.ndarray:
        """Positions of the columns that some alpha selects in this part of the subsamples at least."""
        return np.flatnonzero(self.max_frequency >= threshold)

    def expected_false(self, threshold: float = 0.9) -> float:
        """Bound on the expected number of columns selected wrongly: q^2 / ((2 threshold - 1) n_features).

        q is the mean of `n_selected`. The proof asks for a threshold above 1/2, for wrong columns that are
        exchangeable, and for a selection that is better than guessing (Meinshausen and Buehlmann 2010, theorem 1).
        """
        if not threshold > 0.5 or len(self.n_selected) == 0 or len(self.frequency) == 0:
            return np.inf
        return float(self.n_selected.mean() ** 2 / ((2 * threshold - 1) * len(self.frequency)))

    def __repr__(self):
        return (
            f"StabilityResult({len(self.alphas)} alphas, {len(self.n_selected)} subsamples, {len(self.selected())} of "
            f"{len(self.frequency)} columns selected in 90 %, at most {self.expected_false():.2g} of them wrong on "
            f"average, time={self.time:.2g})"
        )


def stability_selection(
    X: Any,
    y: ArrayLike,
    loss: Loss | str = "squared",
    *,
    l1_ratio: float = 1.0,
    alphas: ArrayLike | None = None,
    n_alphas: int = 30,
    eps: float | None = 0.1,
    n_subsamples: int = 100,
    fraction: float = 0.5,
    random_state: int = 0,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    fit_intercept: bool = True,
    penalty_factor: ArrayLike | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    positive: bool = False,
    standardize: bool = False,
    tol: float = 1e-8,
    n_jobs: int | None = None,
    progress: bool = False,
) -> StabilityResult:
    """How often each column is selected, over subsamples of the rows, for any loss that has a path.

    For every alpha, with I_1, ..., I_S random subsets of the rows and b(alpha; I) the answer of `path` on I,

        frequency_j(alpha) = 1/S sum_s [b_j(alpha; I_s) != 0]

    Parameters
    ----------
    X, y, loss, alphas, n_alphas, eps
        As in `path`. The default grid is that of all rows, and the same for every subsample; it ends early, as the
        bound on wrong selections counts all columns that are selected anywhere on it.
    l1_ratio : float in (0, 1], default=1.0
        Share of L1; without it every column would be selected.
    n_subsamples : int, default=100
        How many subsets are drawn, without replacement.
    fraction : float in [0, 1], default=0.5
        How many of the rows of positive weight are in each; one at least.
    random_state : int, default=0
        Where numpy's default_rng starts; the same numbers give the same subsets, whatever `n_jobs` is.
    sample_weight, offset, fit_intercept, penalty_factor, lower, upper, positive, standardize, tol
        As in `path`.
    n_jobs : int, optional
        Threads over the subsamples; -1 for one per processor.
    progress : bool, default=False
        Show how many subsamples are done.

    Returns
    -------
    StabilityResult
        `frequency`, `max_frequency`, `selected(threshold)`, `expected_false(threshold)`, ...

    Raises
    ------
    ValueError, TypeError
        If an argument is not as above; the message names it. Nothing was computed yet.
    Interrupted
        A KeyboardInterrupt: Ctrl-C was pressed. Its attribute `partial` is the result of the subsamples that were done.

    References
    ----------
    Meinshausen and Buehlmann (2010), J. R. Statist. Soc. B 72.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast import stability_selection
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 50))
    >>> y = 2 * X[:, 3] - 2 * X[:, 7] + rng.standard_normal(100)
    >>> stability_selection(X, y).selected(0.9).tolist()
    [3, 7]
    """
    begin = time.perf_counter()
    loss, progress = _validate.loss(loss), _validate.flag("progress", progress)
    count = _validate.number("n_subsamples", n_subsamples, 1, kind=int)
    fraction = _validate.number("fraction", fraction, 0.0, 1.0)
    seed = _validate.number("random_state", random_state, 0, kind=int)
    l1_ratio = _validate.number("l1_ratio", l1_ratio, 1e-6, 1.0)
    threads = cores(None if n_jobs is None else _validate.number("n_jobs", n_jobs, -np.inf, kind=int))
    X = _validate.columns(X).owner  # converted once for all subsamples, if at all
    weight = _validate.weights(sample_weight, X.shape[0])
    options = {
        "l1_ratio": l1_ratio,
        "offset": offset,
        "fit_intercept": fit_intercept,
        "penalty_factor": penalty_factor,
        "lower": lower,
        "upper": upper,
        "positive": positive,
        "standardize": standardize,
        "tol": tol,
    }
    first = {"alphas": alphas, "n_alphas": n_alphas, "eps": eps, "sample_weight": weight, "n_jobs": threads}
    grid = path.__wrapped__(X, y, loss, **first, **options).alphas
    rows, draw = np.flatnonzero(weight), np.random.default_rng(seed)
    size = max(1, int(fraction * len(rows)))
    subsets = [(draw.choice(rows, size, replace=False),) for _ in range(count)]
    found = [None] * count
    try:
        run(
            functools.partial(select, X, y, loss, grid, weight, options), subsets, found, threads, progress, "subsample"
        )
    except KeyboardInterrupt:
        raise Interrupted(summary(found, X.shape[1], grid, begin)) from None
    return summary(found, X.shape[1], grid, begin)


def select(X, y, loss, alphas, weight, options, rows):
    """Which columns a subset of the rows selects, one column for each alpha."""
    kept = np.zeros(len(weight))
    kept[rows] = weight[rows]
    return path.__wrapped__(X, y, loss, alphas=alphas, sample_weight=kept, **options).coef_csc != 0


def summary(found, p, alphas, begin):
    """The frequencies from the selections of all subsamples that were done."""
    done = [one for one in found if one is not None]
    frequency, n_selected = np.zeros((p, len(alphas))), np.zeros(len(done), dtype=np.intp)
    for k, one in enumerate(done):
        frequency += one.toarray()
        n_selected[k] = len(np.unique(one.indices))
    return StabilityResult(alphas, frequency / max(1, len(done)), n_selected, time.perf_counter() - begin)
