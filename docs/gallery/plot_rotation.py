"""
Which is invariant under rotation?
==================================

Rotate the columns, X -> XQ with Q orthogonal: the same information in other coordinates. An L2 penalty measures the
length of b, which does not change; the answer turns with the coordinates and predicts the same. An L1 penalty measures
along the axes, and the axes are other ones now: another answer, other predictions.

L2 suits columns whose directions mean nothing in particular; L1 says that these very columns mean something.
"""

import numpy as np
from matplotlib import pyplot as plt

from l1l2fast import L1, L2, solve

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 2)) @ [[1.0, 0.0], [0.5, 0.7]]
y = X @ [1.0, 0.2] + 0.4 * rng.standard_normal(60)
angles = np.linspace(0, np.pi / 2, 46)


def moved(loss, penalty):
    """How far the predictions move as the columns are rotated: their root mean square change, for each angle."""
    first = solve(X, y, loss, penalty, tol=1e-12).predict(X)
    change = []
    for angle in angles:
        Q = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        rotated = solve(X @ Q, y, loss, penalty, tol=1e-12).predict(X @ Q)
        change.append(np.sqrt(np.mean((rotated - first) ** 2)))
    return np.array(change)


figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for loss, style in (("squared", "-"), ("absolute", "--")):
    for penalty, color in ((L1(0.2), "#D55E00"), (L2(0.2), "#0072B2")):
        ax.plot(np.degrees(angles), moved(loss, penalty), style, color=color, label=f"{loss} loss, {penalty}")
ax.set(xlabel="rotation of the columns (degrees)", ylabel="change of the predictions (RMS)")
ax.set_title("L2 penalties do not see a rotation, L1 penalties do")
ax.legend()

# %%
# After a quarter turn the axes lie where they were, up to a sign, and so does the lasso. The loss has no say in this:
# it sees predictions only, so that least squares and LAD without a penalty are invariant under every invertible
# change of coordinates.
