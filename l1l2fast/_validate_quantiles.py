"""What `quantile_process` and `inference` ask of their arguments, on top of `_validate`; raises as that does."""

import numpy as np

from l1l2fast import _validate, losses
from l1l2fast.result import Result


def quantiles(value, problem, non_crossing):
    """Ascending quantiles, each once; None for all. Refuses what the joint fits do not know."""
    penalty, together = problem.penalty, _validate.flag("non_crossing", non_crossing)
    l1, l2 = penalty.elastic() or (0.0, 1.0)
    plain = problem.factor.max(initial=0.0) == 0
    if value is None:
        if together:
            raise ValueError("non_crossing goes with given taus: the exact process has no end of curves")
        if problem.bounded or (l2 > 0 and not plain):
            raise ValueError(f"taus=None, the exact process, goes with no penalty or L1 and no bounds, got {penalty!r}")
        return None
    taus = np.unique(
        _validate.finite("taus", np.array(_validate.real_array("taus", np.atleast_1d(value), 1), dtype=np.float64))
    )
    low, high = losses.Pinball.limits["quantile"]
    if len(taus) == 0 or taus[0] < low or taus[-1] > high:
        raise ValueError(f"taus must hold numbers from {low} to {high}, got {value!r}")
    if together and (problem.bounded or (l1 + l2 > 0 and not plain)):
        raise ValueError(f"non_crossing=True goes with no penalty and no bounds, got {penalty!r}")
    if penalty.elastic() is None:
        raise ValueError(f"penalty must be None, L1, L2 or L1L2, got {penalty!r}")
    return taus


def bandwidth(value, rules):
    """The name of a rule, or a number between 0 and 1/2."""
    if isinstance(value, str):
        return _validate.choice("bandwidth", value, rules)
    value = _validate.number("bandwidth", value, 0.0, 0.5)
    if value == 0:
        raise ValueError("bandwidth must be > 0")
    return value


def for_inference(result):
    """The problem behind a result, the result, and its quantile."""
    if not isinstance(result, Result):
        raise TypeError(f"result must be a Result of solve(), got {type(result).__name__}")
    problem = result._problem
    if problem is None:
        raise ValueError("result must come from solve() itself: a pickled one has left its data behind")
    slopes = problem.loss.slopes() if not problem.loss.quadratic() else None
    free = problem.penalty.elastic() == (0.0, 0.0) or problem.factor.max(initial=0.0) == 0
    if slopes is None or problem.bounded or not free:
        raise ValueError("result must be a median or quantile fit without penalty and bounds")
    if np.count_nonzero(problem.weight) <= problem.columns.p + problem.intercept:
        raise ValueError("result must have more rows than coefficients")
    return problem, result, slopes[1] / sum(slopes)


def full_rank(gram):
    """Refuse a Gram matrix of dependent columns, whose squares have the mean 1."""
    values = np.linalg.eigvalsh(gram) if len(gram) else np.ones(1)
    if values[0] <= 1e-13 * values[-1]:
        raise ValueError("X must have columns that are neither constant nor combinations of others")


def some_density(H):
    """H, if it can be inverted: quantiles that are the same nearly everywhere show no density."""
    values = np.linalg.eigvalsh(H) if np.isfinite(H).all() else np.zeros(1)
    if len(H) and values[0] <= 1e-13 * values[-1]:
        raise ValueError("bandwidth must be larger: the quantiles it compares are the same at nearly all rows")
    return H


def labels(value, p):
    """Names of the columns."""
    value = [f"x{j + 1}" for j in range(p)] if value is None else [str(name) for name in value]
    if len(value) != p:
        raise ValueError(f"names must hold {p} names, one for each column of X, got {len(value)}")
    return value
