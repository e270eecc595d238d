"""What _validate.py asks of a penalty on groups, and of one as a constraint: errors are raised here as there."""

import math

import numpy as np


def grouping(penalty, factor, bounded, p):
    """What a penalty on groups asks for: a label for every column, one factor for a group, no bounds."""
    if penalty.groups is not None and (len(penalty.groups) != p or np.ndim(penalty.groups) != 1):
        raise ValueError(f"Group(groups) must hold one label for each of the {p} columns, got {len(penalty.groups)}")
    if bounded:
        raise ValueError(f"lower, upper and positive go with penalties on single coefficients, got penalty={penalty!r}")
    if factor is None or np.ndim(factor) == 0:
        return
    of, factor = penalty.numbers(p), np.asarray(factor)
    first = np.unique(of, return_index=True)[1][of]
    if (factor != factor[first]).any():
        j = np.flatnonzero(factor != factor[first])[0]
        raise ValueError(
            f"penalty_factor must be the same within a group, got {factor[first[j]]} and {factor[j]} "
            f"at positions {first[j]} and {j}"
        )


def constraint(value, problem, penalty, alpha):
    """The bound of pen(b) that norm_bound means."""
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise TypeError(f"norm_bound must be a number, got {value!r}")
    if not 0 <= value < math.inf:
        raise ValueError(f"norm_bound must be a finite number >= 0, got {value!r}")
    if penalty is None or alpha is not None:
        raise ValueError(f"norm_bound takes a penalty and the place of alpha, got {penalty=}, {alpha=}")
    if problem.penalty.separable() and problem.penalty.elastic() is None:
        raise ValueError(f"norm_bound takes L1, L2, L1L2 or Group, got penalty={problem.penalty!r}")
    l2 = problem.penalty.separable() and problem.penalty.elastic()[0] == 0
    bound = value * value / 2 if l2 else float(value)
    still = np.clip(0.0, problem.lower, problem.upper)
    if problem.bounded and still.any():
        least = float(problem.factor @ [problem.penalty(b) for b in still])
        if least >= bound:
            raise ValueError(f"norm_bound must leave room inside of lower and upper, got {value!r}")
    return bound
