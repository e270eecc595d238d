"""
Laplace and Gauss: what the norms believe
=========================================

A penalised fit is the most probable coefficient vector of a Bayesian, whose prior is exp(-penalty) and whose noise is
distributed as exp(-loss):

========  ==============================  =====================================
norm      as the loss: the noise is       as the penalty: the coefficients are
========  ==============================  =====================================
L1        Laplace, exp(-\\|r\\| / s)         Laplace, exp(-\\|b\\| / t)
L2        Gauss, exp(-r² / (2 s²))        Gauss, exp(-b² / (2 t²))
========  ==============================  =====================================

Laplace's density has a peak at zero and heavy tails: most values are tiny, a few are large. Gauss's is flat at zero
and has no tails to speak of. That is why L1 as the loss believes in outliers, and L1 as the penalty in columns that do
not matter.
"""

import numpy as np
from matplotlib import pyplot as plt

from l1l2fast import L1, L2, solve

z = np.linspace(-4, 4, 401)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
laplace, gauss = np.exp(-np.sqrt(2) * np.abs(z)) / np.sqrt(2), np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
for ax in axes:
    ax.plot(z, laplace, color="#D55E00", label="Laplace (L1)")
    ax.plot(z, gauss, color="#0072B2", label="Gauss (L2)")
axes[0].set(title="two densities of variance 1", xlabel="r or b")
axes[1].set(title="their tails", xlabel="r or b", yscale="log")
axes[0].legend()

# %%
# Noise of either kind, and the error of both losses. A loss that fits the noise has the smaller error; for Laplace's
# noise the median needs half the data of the mean, for Gauss's noise the mean needs two thirds of the median's.

rng = np.random.default_rng(0)
X = rng.standard_normal((100, 3))
truth = np.array([1.0, -2.0, 0.5])
for name, draw in (("Laplace", lambda: rng.laplace(size=100)), ("Gauss", lambda: rng.standard_normal(100))):
    errors = {"absolute": [], "squared": []}
    for _ in range(200):
        y = X @ truth + draw()
        for loss, found in errors.items():
            found.append(np.mean((solve(X, y, loss).coef - truth) ** 2))
    print(f"{name + ' noise:':15}" + ", ".join(f"{loss} loss {np.mean(found):.4f}" for loss, found in errors.items()))

# %%
# The same for coefficients: few large ones suit L1, many middling ones suit L2. The error is the best of 12 strengths.

X = rng.standard_normal((80, 60))
for name, truth in (
    ("5 of 60 matter", np.where(np.arange(60) < 5, 2.0, 0.0)),
    ("all 60 matter", rng.standard_normal(60) * 0.58),
):
    y = X @ truth + rng.standard_normal(80)
    strengths = np.geomspace(0.01, 2, 12)
    for penalty in (L1, L2):
        error = min(np.mean((solve(X, y, penalty=penalty(a)).coef - truth) ** 2) for a in strengths)
        print(f"{name}, {penalty.__name__} penalty: mean squared error of b {error:.3f}")
