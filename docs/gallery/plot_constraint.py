"""
Why does L1 give zeros?
=======================

A penalised fit is the point of least loss in a region around zero: a diamond for the L1 penalty, a disk for L2.
The level lines of the loss grow until one of them touches the region.

They touch a disk wherever their slope is right, and that is hardly ever on an axis. A diamond sticks out on the
axes: a whole cone of directions ends in the same corner, and in a corner a coefficient is exactly 0.
"""

from matplotlib import pyplot as plt

from l1l2fast import plots

figure, axes = plt.subplots(2, 3, figsize=(13, 8.5), layout="constrained")
for row, loss in zip(axes, ["squared", "absolute"], strict=True):
    for ax, penalty in zip(row, ["l1", "l2", "elasticnet"], strict=True):
        plots.constraint(loss=loss, penalty=penalty, ax=ax)

# %%
# The penalty makes the zeros, not the loss: both rows, the squared and the absolute loss, end in the corner of
# the diamond. L1 + L2, the elastic net, keeps the corners, and its sides are round.
#
# The picture is exact. The region is drawn through the answer of :func:`l1l2fast.solve`, and the bold line is the
# level of the loss there.
