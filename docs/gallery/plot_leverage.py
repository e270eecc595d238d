"""
Is LAD robust? Against wild y, not against wild x
=================================================

The absolute loss forgives an outlier in y: a row that is ten times as far away costs ten times as much, and pulls no
harder. But the pull of a row on a slope is its x times the sign of its residual, and x is not bounded. One row far out
in x, a leverage point, can turn the line towards itself.
"""

import numpy as np
from matplotlib import pyplot as plt

from l1l2fast import solve

rng = np.random.default_rng(0)
x = rng.uniform(0, 10, 20)
y = 1 + 0.5 * x + 0.4 * rng.standard_normal(20)
grid = np.array([-1.0, 61.0])

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for ax, (place, height), title in zip(
    axes, [(5.0, 30.0), (60.0, 0.0)], ["an outlier in y", "an outlier in x"], strict=True
):
    X, response = np.append(x, place)[:, None], np.append(y, height)
    ax.plot(x, y, ".", color="0.55")
    ax.plot(place, height, "*", color="black", markersize=11, label="outlier")
    for loss, color, name in (("absolute", "#D55E00", "L1 loss"), ("squared", "#0072B2", "L2 loss")):
        with_it, without = solve(X, response, loss), solve(x[:, None], y, loss)
        ax.plot(grid, with_it.predict(grid[:, None]), color=color, label=f"{name}: slope {with_it.coef[0]:.2f}")
        ax.plot(grid, without.predict(grid[:, None]), ":", color=color, label=f"without: {without.coef[0]:.2f}")
    ax.set(title=title, xlabel="x", ylabel="y", xlim=(-1, 62), ylim=(-4, 33))
    ax.legend(fontsize="small")

# %%
# Left, LAD does not notice a row that drags least squares upwards. Right, both lines go where the leverage point
# wants them: all of its weight is in x. The remedy is to look at x, which no loss does. ``result.leverage()`` has the
# hat value of each row, the share of its own response in its own fit: here 0.94 for the last one, where the mean is
# 2 / 21.

print(solve(X, response, "absolute").leverage())
