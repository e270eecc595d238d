"""Every loss and penalty, found through its base class, as instances that the tests share."""

import numpy as np

from l1l2fast.losses import Loss
from l1l2fast.penalties import Penalty


def instances(base):
    """Each leaf of `base`: as it is by default, with each argument at 0 and at some odd value, within its limits."""
    found = []
    for cls in base.__subclasses__():
        default = cls()
        found.append(default)
        for name, value in default.parameters().items():
            low, high = default.limits.get(name, (0.0, np.inf))
            for other in (0.0, 0.37 * value):
                if low <= other <= high:
                    found.append(cls(**{name: other}))
    return found


LOSSES, PENALTIES = instances(Loss), instances(Penalty)
