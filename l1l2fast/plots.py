"""Pictures, with matplotlib (extra `plots`): of your own fits, and of what L1 and L2 do.

    coefficient_path, PathDisplay    coefficients against the strength of the penalty
    cv_curve, CVDisplay              cross-validated error, with the best alpha and the 1-SE choice
    quantile_fan                     conditional quantiles through a cloud of points
    constraint, moving_outlier, lad_optima, shrinkage    see `l1l2fast._pictures`

Every function draws on the Axes it is given, or on new ones, and returns them; nothing is shown or saved.
The Display classes follow scikit-learn: `from_estimator`, `plot`, and the attributes `ax_`, `figure_`.
"""

import numpy as np

from l1l2fast import _validate
from l1l2fast._pictures import (
    FIRST,
    QUIET,
    SECOND,
    basis,
    constraint,
    fitted,
    lad_optima,
    line_data,
    moving_outlier,
    plt,
    shrinkage,
)
from l1l2fast.losses import Pinball
from l1l2fast.path import path

__all__ = [
    "CVDisplay",
    "PathDisplay",
    "coefficient_path",
    "constraint",
    "cv_curve",
    "lad_optima",
    "moving_outlier",
    "quantile_fan",
    "shrinkage",
]


def names_of(X, feature_names, p):
    """Names of the columns: as given, those of a data frame, or x1, x2, ..."""
    if feature_names is None:
        feature_names = getattr(X, "columns", None)
    if feature_names is None:
        return [f"x{j + 1}" for j in range(p)]
    if len(feature_names) != p:
        raise ValueError(f"feature_names must have {p} entries, got {len(feature_names)}")
    return [str(name) for name in feature_names]


class PathDisplay:
    """Coefficients against the strength of the penalty.

    Parameters
    ----------
    path : Path or RidgePath
        From `l1l2fast.path` or `l1l2fast.ridge_path`, or whatever has `alphas` and `coef` of shape
        (n_features, n_alphas).
    feature_names : sequence of str, optional
        Default: x1, x2, ...
    alpha : float, optional
        A strength to mark.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    lines_ : list of matplotlib.lines.Line2D
        One per column.

    Examples
    --------
    >>> from l1l2fast import path
    >>> from l1l2fast.plots import PathDisplay
    >>> display = PathDisplay(path([[-1.0, 1.0], [0.0, 1.0], [1.0, 3.0]], [-1.0, 0.0, 2.0])).plot()
    >>> len(display.lines_)
    2
    """

    def __init__(self, path, feature_names=None, alpha=None):
        if np.ndim(path.coef) != 2:
            raise ValueError(f"path must be for one target, got coef of shape {np.shape(path.coef)}")
        self.path = path
        self.feature_names = names_of(None, feature_names, len(path.coef))
        self.alpha = alpha

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, feature_names=None, n_alphas=100, sample_weight=None, ax=None, labels=8
    ):
        """The path on which an estimator lies, with its own alpha marked; it need not be fitted.

        Parameters
        ----------
        estimator : Lasso, ElasticNet, Ridge, LADRegressor, ...
            Of `l1l2fast.sklearn` or scikit-learn; `alpha`, `l1_ratio`, `quantile`, `fit_intercept` and `positive`
            are read from it.
        X, y : array-like
            Data.
        feature_names : sequence of str, optional
            Default: those of a data frame, else x1, x2, ...
        n_alphas : int, default=100
            Points of the path.
        sample_weight : array-like of shape (n_samples,), optional
            Sample weights.
        ax, labels
            As in `plot`.

        Returns
        -------
        PathDisplay
        """
        loss, l1_ratio = question(estimator)
        options = {name: getattr(estimator, name) for name in ("fit_intercept", "positive") if hasattr(estimator, name)}
        options["sample_weight"] = sample_weight
        alpha = getattr(estimator, "alpha", None)
        if alpha is not None and type(estimator).__name__.startswith("Ridge"):
            alpha = alpha / (len(y) if sample_weight is None else np.sum(sample_weight))  # no mean in its loss
        line = path(X, y, loss, l1_ratio=l1_ratio, n_alphas=n_alphas, **options)
        return cls(line, names_of(X, feature_names, len(line.coef)), alpha).plot(ax=ax, labels=labels)

    def plot(self, ax=None, *, labels=8):
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw.
        labels : int, default=8
            How many columns get their name at the end of their line, the largest coefficients first.

        Returns
        -------
        PathDisplay
            Itself.
        """
        alphas, coef = np.asarray(self.path.alphas), np.asarray(self.path.coef)
        shown = alphas > 0  # the axis is logarithmic
        alphas, coef = alphas[shown], coef[:, shown]
        self.ax_ = plt.subplots(figsize=(6.4, 4.2), layout="constrained")[1] if ax is None else ax
        self.figure_ = self.ax_.figure
        self.lines_ = [
            self.ax_.plot(alphas, row, linewidth=1.2, label=name)[0]
            for name, row in zip(self.feature_names, coef, strict=True)
        ]
        self.ax_.axhline(0, color=QUIET, linewidth=0.6, zorder=0)
        self.ax_.set_xscale("log")
        self.ax_.set(xlabel="alpha, from strong to weak", ylabel="coefficient")
        if not self.ax_.xaxis_inverted():
            self.ax_.invert_xaxis()
        self.ax_.margins(x=0)
        if self.alpha:
            self.ax_.axvline(self.alpha, color="black", linestyle="--", linewidth=1, label=f"alpha = {self.alpha:.3g}")
        count_axis(self.ax_, alphas, coef)
        end_labels(self.ax_, alphas, coef, self.lines_, labels)
        return self


def count_axis(ax, alphas, coef):
    """Above the picture: how many coefficients are not zero."""
    at = np.unique(np.linspace(0, len(alphas) - 1, min(6, len(alphas))).astype(int))
    top = ax.secondary_xaxis("top")
    top.set_xticks(alphas[at], [str(np.count_nonzero(coef[:, k])) for k in at])
    top.minorticks_off()
    top.set_xlabel("nonzero coefficients")


def end_labels(ax, alphas, coef, lines, count):
    """Names at the weak end of the largest coefficients, moved apart where they would overlap."""
    last = coef[:, np.argmin(alphas)]
    chosen = [j for j in np.argsort(-np.abs(last))[:count] if last[j] != 0]
    low, high = ax.get_ylim()
    step, place = 0.05 * (high - low), -np.inf
    for j in sorted(chosen, key=lambda j: last[j]):
        place = max(last[j], place + step)
        ax.annotate(
            lines[j].get_label(),
            (alphas.min(), last[j]),
            (6, (place - last[j]) / (high - low) * ax.bbox.height * 72 / ax.figure.dpi),
            textcoords="offset points",
            color=lines[j].get_color(),
            fontsize="small",
            verticalalignment="center",
            annotation_clip=False,
        )


def question(estimator):
    """What an estimator minimises: its loss, and the share of L1 in its penalty."""
    kind = type(estimator).__name__
    if hasattr(estimator, "quantile"):
        loss, share = Pinball(estimator.quantile), 1.0
    elif kind.startswith("LAD"):
        loss, share = "absolute", 1.0
    else:
        loss, share = "squared", 0.0 if kind.startswith("Ridge") else 1.0
    if not any(kind.startswith(known) for known in ("Lasso", "ElasticNet", "Ridge", "LAD", "Quantile")):
        raise TypeError(f"estimator must be Lasso, ElasticNet, Ridge, LADRegressor or QuantileRegressor, got {kind}")
    return loss, getattr(estimator, "l1_ratio", share)


def coefficient_path(X, y, loss="squared", *, l1_ratio=1.0, feature_names=None, labels=8, ax=None, **options):
    """Fit a path and draw it: each coefficient against alpha, the number of nonzero ones above.

    Parameters
    ----------
    X, y, loss, l1_ratio
        As in `l1l2fast.path`; ``l1_ratio=0`` is an L2 penalty, as in ridge.
    feature_names : sequence of str, optional
        Default: those of a data frame, else x1, x2, ...
    labels : int, default=8
        How many columns get their name at the end of their line, the largest coefficients first.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    **options
        For `l1l2fast.path`: alphas, n_alphas, sample_weight, standardize, ...

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError, TypeError
        If an argument is not as above; the message names it.

    References
    ----------
    Efron, Hastie, Johnstone and Tibshirani (2004), Ann. Statist. 32, figure 1.

    Examples
    --------
    >>> from l1l2fast import plots
    >>> ax = plots.coefficient_path([[-1.0, 1.0], [0.0, 1.0], [1.0, 3.0]], [-1.0, 0.0, 2.0], n_alphas=20)
    >>> ax.get_ylabel()
    'coefficient'
    """
    line = path(X, y, loss, l1_ratio=l1_ratio, **options)
    return PathDisplay(line, names_of(X, feature_names, len(line.coef))).plot(ax, labels=labels).ax_


class CVDisplay:
    """Cross-validated error against the strength of the penalty, with the best alpha and the 1-SE choice.

    Parameters
    ----------
    alphas, mean, std_error : array-like of shape (n_alphas,)
        Strengths, mean error over the folds and its standard error.
    best_index : int
        Position of the least mean error.
    index_1se : int, optional
        Position of the strongest penalty whose mean error is within one standard error of the least.
    scoring : str, default="error"
        Name of the error.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> from l1l2fast.plots import CVDisplay
    >>> display = CVDisplay([1.0, 0.1, 0.01], [3.0, 1.0, 1.1], [0.2, 0.2, 0.2], 1, 1).plot()
    >>> display.ax_.get_xlabel()
    'alpha, from strong to weak'
    """

    def __init__(self, alphas, mean, std_error, best_index, index_1se=None, scoring="error"):
        self.alphas, self.mean, self.std_error = (np.asarray(v, float) for v in (alphas, mean, std_error))
        self.best_index, self.index_1se, self.scoring = best_index, index_1se, scoring

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Of a fitted LassoCV, ElasticNetCV (one l1_ratio) or the like: whatever has `alphas_` and `mse_path_`.

        Parameters
        ----------
        estimator : fitted estimator
            With `mse_path_` of shape (n_alphas, n_folds).
        ax : matplotlib.axes.Axes, optional
            Where to draw.

        Returns
        -------
        CVDisplay
        """
        if not hasattr(estimator, "mse_path_"):
            raise TypeError(f"estimator must be fitted and have mse_path_, got {type(estimator).__name__}")
        folds = np.asarray(estimator.mse_path_)
        if folds.ndim != 2:
            raise ValueError(f"estimator must have one l1_ratio, got mse_path_ of shape {folds.shape}")
        mean, se = folds.mean(axis=1), folds.std(axis=1, ddof=1) / np.sqrt(folds.shape[1])
        best = int(np.argmin(mean))
        within = np.flatnonzero(mean <= mean[best] + se[best])
        simple = int(within[np.argmax(np.asarray(estimator.alphas_)[within])])
        return cls(estimator.alphas_, mean, se, best, simple, "mean squared error").plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw.

        Returns
        -------
        CVDisplay
            Itself.
        """
        self.ax_ = plt.subplots(figsize=(6.4, 4.2), layout="constrained")[1] if ax is None else ax
        self.figure_ = self.ax_.figure
        shown = self.alphas > 0  # the axis is logarithmic
        alphas, mean, se = self.alphas[shown], self.mean[shown], self.std_error[shown]
        self.ax_.fill_between(alphas, mean - se, mean + se, color=SECOND, alpha=0.2, linewidth=0, label="± 1 SE")
        self.ax_.plot(alphas, mean, color=SECOND, label="mean over the folds")
        for index, name, style in ((self.best_index, "best", "-"), (self.index_1se, "1-SE rule", "--")):
            if index is not None and self.alphas[index] > 0:
                chosen = self.alphas[index]
                self.ax_.axvline(
                    chosen, color=FIRST, linestyle=style, linewidth=1.2, label=f"{name}: alpha = {chosen:.3g}"
                )
        self.ax_.set_xscale("log")
        if not self.ax_.xaxis_inverted():
            self.ax_.invert_xaxis()
        self.ax_.set(xlabel="alpha, from strong to weak", ylabel=f"{self.scoring} on the rows left out")
        self.ax_.legend(fontsize="small")
        return self


def cv_curve(result, *, ax=None):
    """The error curve of a cross-validation, with both choices of alpha.

    Parameters
    ----------
    result : CVResult
        From `l1l2fast.cross_validate`; whatever has `alphas`, `mean`, `std_error`, `best_index` and `index_1se`.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes

    References
    ----------
    Breiman, Friedman, Olshen and Stone (1984), Classification and Regression Trees, section 3.4.3 (1-SE rule).

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from l1l2fast import plots
    >>> scores = dict(mean=[3.0, 1.0], std_error=[0.2, 0.2], best_index=1, index_1se=1)
    >>> plots.cv_curve(SimpleNamespace(alphas=[1.0, 0.1], **scores)).get_ylabel()
    'error on the rows left out'
    """
    values = (result.alphas, result.mean, result.std_error, result.best_index, result.index_1se)
    return CVDisplay(*values, getattr(result, "scoring", "error")).plot(ax).ax_


def quantile_fan(x, y, *, quantiles=(0.05, 0.25, 0.5, 0.75, 0.95), features="linear", size=3, ax=None):
    """Conditional quantiles through a cloud of points: one fit with the pinball loss for each.

    Parameters
    ----------
    x, y : array-like of shape (n_samples,)
        Points.
    quantiles : sequence of float, default=(0.05, 0.25, 0.5, 0.75, 0.95)
        Between 0 and 1; a band is filled between each and its mirror image, if that is there too.
    features : {"linear", "polynomial", "spline"}, default="linear"
        What the fits are made of.
    size : int, default=3
        Degree of the polynomial, or number of inner knots of the cubic spline.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError, TypeError
        If an argument is not as above; the message names it.

    References
    ----------
    Koenker and Hallock (2001), J. Econ. Perspect. 15, figure 1.

    Examples
    --------
    >>> from l1l2fast import plots
    >>> ax = plots.quantile_fan([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 3.0, 2.0], quantiles=[0.5])
    >>> ax.get_title()
    'conditional quantiles'
    """
    x, y = line_data(x, y)
    columns = basis(features, x, size)
    grid = np.linspace(x.min(), x.max(), 201)
    taus = sorted(_validate.number("quantiles", tau, 1e-6, 1 - 1e-6) for tau in np.atleast_1d(quantiles).tolist())
    lines = {tau: fitted(Pinball(tau), columns, x, y)(grid) for tau in taus}
    ax = plt.subplots(figsize=(6.0, 4.2), layout="constrained")[1] if ax is None else ax
    ax.plot(x, y, ".", color=QUIET, markersize=4, zorder=0)
    for tau, line in lines.items():
        mirror = next((other for other in taus if abs(tau + other - 1) < 1e-9), None)
        if mirror is not None and mirror > tau:
            ax.fill_between(grid, line, lines[mirror], color=SECOND, alpha=0.12, linewidth=0)
        middle = abs(tau - 0.5) < 1e-9
        ax.plot(grid, line, color=FIRST if middle else SECOND, linewidth=2 if middle else 1, label=f"{tau:g}")
    handles, names = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], names[::-1], title="quantile", fontsize="small")  # the highest line comes first
    ax.set(xlabel="x", ylabel="y", title="conditional quantiles")
    return ax
