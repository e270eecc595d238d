"""The tables loss x penalty, and what each cell has: asked of `solve` itself."""

import numpy as np
from scipy import sparse

from l1l2fast import Group, losses, penalties, solve

N, P = 30, 4
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, P)).astype(np.float32).astype(np.float64)  # so that float32 holds the same numbers
X[RNG.random((N, P)) < 0.2] = 0.0
Y = X @ [1.0, -0.7, 0.0, 0.2] + RNG.standard_normal(N)
LOSSES = [getattr(losses, name)() for name in losses.__all__[1:]]
GROUPS = [Group(0.05, [0, 0, 1, 1]), Group(0.05, [0, 0, 1, 1], 0.02)]
PENALTIES = [None, *(getattr(penalties, name)() for name in penalties.__all__[1:]), *GROUPS]
# What `solve` is asked for, and how X is given.
OPTIONS = {
    "weights": {"sample_weight": np.arange(N) % 4},
    "offset": {"offset": np.linspace(-1, 1, N)},
    "penalty factors": {"penalty_factor": [0.0, 0.0, 2.0, 2.0]},
    "excluded columns": {"penalty_factor": [1.0, 1.0, np.inf, np.inf]},
    "bounds": {"lower": [-0.3, -0.2, -np.inf, 0.1], "upper": [0.3, np.inf, 0.1, 0.4]},
    "positive": {"positive": True},
    "standardize": {"standardize": True},
    "no intercept": {"fit_intercept": False},
    "norm_bound": {"norm_bound": 0.5},
    "warm start": {"warm_start": [1.0, 0.0, -1.0, 0.5]},
    "sparse X": {},
    "float32": {},
}
STORES = {"sparse X": sparse.csc_array, "float32": np.float32}


def response(loss):
    """y for the loss."""
    return Y if loss.responses() is None else np.where(np.median(Y) < Y, 1.0, -1.0)


def weak(penalty):
    """The penalty at a strength that leaves some columns in."""
    if penalty is None or isinstance(penalty, Group):
        return penalty
    numbers = penalty.parameters()
    first = next(iter(numbers))
    return type(penalty)(**numbers | {name: 0.05 for name in numbers if name in (first, "l1", "l2")})


def answer(loss, penalty, option=None):
    """The Result of a cell; None if it does not have the option, or is none."""
    given = STORES.get(option, np.asarray)(X)
    try:
        return solve.__wrapped__(given, response(loss), loss, weak(penalty), **OPTIONS.get(option, {}))
    except ValueError:
        return None


def name(penalty):
    """How a table calls it."""
    if isinstance(penalty, Group):
        return "`Group`, ``l1``" if penalty.l1 else "`Group`"
    return "none" if penalty is None else f"`{type(penalty).__name__}`"


def cells():
    """Loss by penalty: what an answer carries."""
    rows = [["loss \\\\ penalty", *map(name, PENALTIES)]]
    for loss in LOSSES:
        answers = [answer(loss, penalty) for penalty in PENALTIES]
        said = ["no" if one is None else "gap" if one.stationarity is None else "stationarity" for one in answers]
        rows.append([f":doc:`{type(loss).__name__} </generated/losses_{type(loss).__name__}>`", *said])
    return listed(rows)


def options():
    """Option by penalty: with every loss, with none, or without those that are named."""
    rows = [["option \\\\ penalty", *map(name, PENALTIES)]]
    for option in OPTIONS:
        row = [option]
        for penalty in PENALTIES:
            without = [type(loss).__name__ for loss in LOSSES if answer(loss, penalty, option) is None]
            row.append("yes" if not without else "no" if len(without) == len(LOSSES) else f"not {', '.join(without)}")
        rows.append(row)
    return listed(rows)


def listed(rows):
    """As a list-table."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        lines += [f"   {'* -' if i == 0 else '  -'} {cell}" for i, cell in enumerate(row)]
    return "\n".join([*lines, ""])
