"""
Why may LAD have many answers?
==============================

The median of 1, 2, 5, 9 is any number from 2 to 5: two values lie below it and two above, so that a step to the
right gains as much on one side as it loses on the other. The absolute loss is flat there. The squared loss is curved
everywhere, and has one lowest point, the mean.
"""

import numpy as np

from l1l2fast import plots, solve

ax = plots.lad_optima([1, 2, 5, 9])

# %%
# The same happens with columns. Two samples of even size, told apart by a column of zeros and ones, have a median
# each, and each is free to move on its own, the first from 2 to 5, the second from 6 to 7. The parallelogram is the
# valley's flat bottom, the point what :func:`l1l2fast.solve` returns, one of its corners.

from matplotlib import pyplot as plt

group = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
y = np.array([1.0, 2.0, 5.0, 9.0, 4.0, 6.0, 7.0, 8.0])
result = solve(group[:, None], y, "absolute")
optima = result.solution_set()
print(optima)

b0, b1 = np.meshgrid(np.linspace(0, 7, 281), np.linspace(-2, 8, 401))
height = np.abs(y[:, None, None] - b0 - b1 * group[:, None, None]).mean(axis=0)
figure, ax = plt.subplots(figsize=(6, 4.4), layout="constrained")
levels = height.min() + np.array([0.0, 0.1, 0.3, 0.6, 1.0, 1.5])
ax.contourf(b0, b1, height, levels=levels, cmap="Oranges_r")
first, second = np.array([2, 5, 5, 2]), np.array([6, 6, 7, 7])  # the medians of both samples, in the four corners
ax.fill(first, second - first, color="#0072B2", label="all optimal")
ax.plot(optima.center_intercept, optima.center[0], "x", color="white", label="their centre")
ax.plot(result.intercept, result.coef[0], "o", color="white", markeredgecolor="black", label="what solve returns")
ax.set(xlabel="intercept", ylabel="coefficient", title="mean |y - b0 - b1 x| of two even samples")
ax.legend(facecolor="0.8")

# %%
# ``result.unique`` says whether there is more than one answer, and ``result.solution_set()`` how far they reach: the
# interval of each coefficient, and a point in the middle. In real numbers with many digits ties are rare; they are the
# rule for counts, grades, and columns of zeros and ones.
