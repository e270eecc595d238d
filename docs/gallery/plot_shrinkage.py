"""
What a penalty does to one coefficient
======================================

If the columns are orthonormal, a penalised fit treats every coefficient on its own: it is a function of the
least-squares coefficient z. L1 subtracts (soft thresholding) and leaves a gap around zero; L2 divides, and never gets
to zero; L1 + L2 does both.
"""

from l1l2fast import plots

ax = plots.shrinkage(kinds=["L1", "L2", "L1 + L2"])

# %%
# L1 shrinks large coefficients as much as small ones, a bias that hard thresholding (the best subset), SCAD and MCP
# avoid. Their price is a penalty that is not convex: more than one local optimum, and no duality gap to prove the
# answer. With orthonormal columns the fits find the best one: every point of every curve is a fit by ``solve``.

ax = plots.shrinkage()
