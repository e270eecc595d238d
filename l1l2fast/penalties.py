"""Penalties: what a coefficient costs. pen(b) is a function of one coefficient.

The table below lists every penalty, as its own docstring says it.
"""

import l1l2fast._penalties as _penalties
from l1l2fast._penalties import *  # noqa: F403  every leaf, found through the base class
from l1l2fast._penalties import __all__ as __all__


def _summary(name):
    # embedsignature puts the call on the first line if there are arguments
    lines = vars(_penalties)[name].__doc__.splitlines()
    return next(line for line in lines if line and not line.startswith(f"{name}("))


__doc__ += "\n" + "".join(f"- {name}: {_summary(name)}\n" for name in __all__[1:])
