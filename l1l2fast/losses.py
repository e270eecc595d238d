"""Losses: what a residual costs. l(y, f) is a function of one sample.

==========  ====================  ==================================
Squared     (y - f)^2 / 2         least squares: the conditional mean
Absolute    |y - f|             L1 loss, LAD: the conditional median
==========  ====================  ==================================
"""

from l1l2fast._losses import *  # noqa: F403  every leaf, found through the base class
from l1l2fast._losses import __all__ as __all__
