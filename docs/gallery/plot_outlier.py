"""
L1 or L2 as the loss: what one wild row does
============================================

One outlier moves from the far left to the far right. Each panel shows the fit with it (solid) and without it
(dotted), and says how far it moved the fit, as a root mean square over the range of x.

The squared loss lets the outlier pull in proportion to its distance. The absolute loss lets it pull as hard as any
other row and no harder: what counts is on which side of the line it lies.
"""

from l1l2fast import plots

axes = plots.moving_outlier()

# %%
# Curves instead of lines: a polynomial of degree 3, and a cubic spline with 3 inner knots. The more freely a fit can
# bend, the more an outlier at the edge can do with it, and the absolute loss is no cure for that.

axes = plots.moving_outlier(features="polynomial", size=3)

# %%

axes = plots.moving_outlier(features="spline", size=3)

# %%
# Any two regressors can be compared: here scikit-learn's gradient boosting with the absolute and the squared error.
# Trees follow the outlier where it is, and only there: so does the number.

from sklearn.ensemble import GradientBoostingRegressor

models = {
    "absolute error": GradientBoostingRegressor(loss="absolute_error", n_estimators=50, random_state=0),
    "squared error": GradientBoostingRegressor(loss="squared_error", n_estimators=50, random_state=0),
}
axes = plots.moving_outlier(models=models)
