"""Penalties: what a coefficient costs. pen(b) is a function of one coefficient.

=====  ==========================  ==================================
L1     alpha |b|                 the lasso: exact zeros
L2     alpha b^2 / 2               ridge: shrinks, never zeroes
L1L2   l1 |b| + l2 b^2 / 2       the elastic net: both
=====  ==========================  ==================================
"""

from l1l2fast._penalties import *  # noqa: F403  every leaf, found through the base class
from l1l2fast._penalties import __all__ as __all__
