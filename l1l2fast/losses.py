"""Losses: what a residual costs. l(y, f) is a function of one sample, its response and prediction.

The table below lists every loss, as its own docstring says it.
"""

import l1l2fast._losses as _losses
from l1l2fast._losses import *  # noqa: F403  every leaf, found through the base class
from l1l2fast._losses import __all__ as __all__


def _summary(name):
    # embedsignature puts the call on the first line if there are arguments
    lines = vars(_losses)[name].__doc__.splitlines()
    return next(line for line in lines if line and not line.startswith(f"{name}("))


__doc__ += "\n" + "".join(f"- {name}: {_summary(name)}\n" for name in __all__[1:])
