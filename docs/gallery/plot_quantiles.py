"""
More than the middle: quantiles
===============================

The absolute loss asks for the median. Tilt it, and it asks for any other quantile: the pinball loss costs `quantile`
for a unit that the fit is too low and `1 - quantile` for a unit that it is too high.
"""

import numpy as np

from l1l2fast import plots

rng = np.random.default_rng(0)
x = rng.uniform(0, 10, 300)
y = 2 + x + (0.3 + 0.3 * x) * rng.gumbel(size=300)
ax = plots.quantile_fan(x, y)

# %%
# The scatter grows with x, and its upper side faster than its lower: least squares would have shown neither. With
# splines for the columns, the quantiles follow curves.

y = 3 * np.sin(x) + (0.3 + 0.15 * x) * rng.standard_normal(300)
ax = plots.quantile_fan(x, y, features="spline", size=5)
