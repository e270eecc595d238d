"""
All strengths of the penalty at once
====================================

The coefficients of ten clinical measurements against the strength of the penalty (442 patients, Efron et al. 2004).
Under L1 (the lasso) columns come in one by one; under L2 (ridge) all are there from the start, small. Every point of
every line carries its own certificate.
"""

from matplotlib import pyplot as plt
from sklearn.datasets import load_diabetes

from l1l2fast import plots

X, y = load_diabetes(return_X_y=True, as_frame=True)
figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
plots.coefficient_path(X, y, ax=axes[0])
plots.coefficient_path(X, y, l1_ratio=0, ax=axes[1])
axes[0].set_title("L1 penalty: the lasso")
axes[1].set_title("L2 penalty: ridge")

# %%
# scikit-learn's Display convention: the path on which an estimator lies, its own alpha marked.

from l1l2fast.sklearn import Lasso

display = plots.PathDisplay.from_estimator(Lasso(alpha=0.5), X, y)
display.ax_.legend(handles=display.ax_.lines[-1:], loc="lower left")

# %%
# Which strength? :func:`l1l2fast.cross_validate` leaves out one tenth of the rows after the other. Both choices are
# marked: the best alpha, and the strongest penalty within one standard error of it.

from l1l2fast import cross_validate

found = cross_validate(X, y, cv=10)
print(found)
ax = plots.cv_curve(found)

# %%
# The same from scikit-learn's estimators, or ours: whatever has `alphas_` and `mse_path_`.

from sklearn.linear_model import LassoCV

display = plots.CVDisplay.from_estimator(LassoCV(cv=10, tol=1e-6).fit(X, y))
