"""What _validate.py asks of a penalty on groups: errors are raised here as there."""

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
