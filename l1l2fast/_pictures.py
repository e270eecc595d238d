"""Pictures that explain: each is drawn from fits of this library, on data of its own unless you give yours.

    constraint        level lines of the loss, the penalty's diamond or disk, and where they touch
    moving_outlier    one wild row moves from left to right: what it does to two fits
    lad_optima        all minimisers of the absolute loss, as the flat bottom of a valley
    shrinkage         what a penalty makes of a least-squares coefficient, columns being orthonormal

`l1l2fast.plots` is their public address.
"""

import copy

import numpy as np
from scipy.interpolate import BSpline

try:
    from matplotlib import pyplot as plt
except ImportError as error:
    raise ImportError("l1l2fast.plots needs matplotlib >= 3.8: pip install 'l1l2fast[plots]'") from error

from l1l2fast import _validate
from l1l2fast.penalties import L0, L1, L1L2, L2, MCP, SCAD
from l1l2fast.solvers import solve

# L1 is always the first, L2 the second: two colours that everybody can tell apart, in print too.
FIRST, SECOND, THIRD, QUIET = "#D55E00", "#0072B2", "#009E73", "0.55"
CURVES = FIRST, SECOND, THIRD, "black", "#CC79A7", "#E69F00"
LOSS_NAMES = {"squared": "L2 loss (squared)", "absolute": "L1 loss (absolute)"}


def basis(features, x, size):
    """The map from points on a line to columns, made for the range and the quantiles of x."""
    low, high = float(np.min(x)), float(np.max(x))
    middle, half = (low + high) / 2, (high - low) / 2 or 1.0
    if features == "linear":
        return lambda t: (t[:, None] - middle) / half
    size = _validate.number("size", size, 1, 50, kind=int)
    if features == "polynomial":
        return lambda t: np.polynomial.legendre.legvander((t - middle) / half, size)[:, 1:]
    if features == "spline":
        inner = np.quantile(x, np.linspace(0, 1, size + 2)[1:-1])
        knots = np.concatenate([np.full(4, low), inner, np.full(4, high)])
        # the B-splines add up to 1, which the intercept is: one of them goes
        return lambda t: BSpline.design_matrix(t, knots, 3, extrapolate=True).toarray()[:, 1:]
    raise ValueError(f"features must be 'linear', 'polynomial' or 'spline', got {features!r}")


def line_data(x, y):
    """x and y as given, or 24 points about a line."""
    if (x is None) != (y is None):
        raise ValueError("x and y must be given together")
    if x is None:
        rng = np.random.default_rng(4)
        x = np.linspace(0, 10, 24)
        y = 1 + 0.5 * x + 0.5 * rng.standard_normal(24)
    x = _validate.finite("x", _validate.vector("x", x, len(x)))
    return x, _validate.finite("y", _validate.vector("y", y, len(x)))


def fitted(model, columns, x, y):
    """The function that a loss, or a copy of an estimator, makes of the points."""
    if hasattr(model, "predict"):
        done = copy.deepcopy(model).fit(columns(x), y)
    else:
        done = solve(columns(x), y, model)
    return lambda t: done.predict(columns(t))


def moving_outlier(x=None, y=None, *, height=None, positions=6, features="linear", size=3, models=None, axes=None):
    """One outlier moves from left to right: what it does to an L1-loss and to an L2-loss fit.

    Every panel has the same points and one more, at another place. A solid line is the fit with it, a
    dotted line the fit without; the number is the root mean square distance between the two,

        sqrt( mean_t (f_with(t) - f_without(t))^2 )

    over the range of x, in units of y: 0 is a fit that takes no notice.

    Parameters
    ----------
    x, y : array-like of shape (n_samples,), optional
        Points; by default 24 about a line.
    height : float, optional
        y of the outlier; by default it lies above all points by their whole spread.
    positions : int or array-like, default=6
        x of the outlier, one for each panel; a number of panels stands for so many from the least to the largest x.
    features : {"linear", "polynomial", "spline"}, default="linear"
        What the fits are made of.
    size : int, default=3
        Degree of the polynomial, or number of inner knots of the cubic spline.
    models : dict of str to loss or estimator, optional
        Two (or more) things to compare, by name: losses, as `solve` takes them, or regressors with `fit` and
        `predict`, such as scikit-learn's. By default the absolute and the squared loss.
    axes : array of matplotlib.axes.Axes, optional
        Where to draw, one for each position.

    Returns
    -------
    ndarray of matplotlib.axes.Axes
        One per position, of shape (n_positions,).

    Raises
    ------
    ValueError, TypeError
        If an argument is not as above; the message names it.

    References
    ----------
    Huber, P. J. (1964), Ann. Math. Statist. 35.

    Examples
    --------
    >>> from l1l2fast import plots
    >>> axes = plots.moving_outlier(features="polynomial")
    >>> len(axes)
    6
    """
    x, y = line_data(x, y)
    if np.ndim(positions) == 0:
        places = np.linspace(x.min(), x.max(), _validate.number("positions", positions, 1, 100, kind=int))
    else:
        places = _validate.finite("positions", _validate.vector("positions", positions, len(positions)))
    if height is None:
        height = y.max() + np.ptp(y)
    models = {"L1 loss": "absolute", "L2 loss": "squared"} if models is None else models
    columns = basis(features, np.append(x, places), size)
    grid = np.linspace(x.min(), x.max(), 201)
    without = {name: fitted(model, columns, x, y)(grid) for name, model in models.items()}
    axes = panels(len(places)) if axes is None else np.asarray(axes).reshape(-1)
    if len(axes) != len(places):
        raise ValueError(f"axes must be as many as positions, {len(places)}, got {len(axes)}")
    for ax, place in zip(axes, places, strict=True):
        outlier = np.append(x, place), np.append(y, height)
        with_ = {name: fitted(model, columns, *outlier)(grid) for name, model in models.items()}
        outlier_panel(ax, x, y, (place, height), grid, with_, without)
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize="small")
    return axes


def panels(count):
    """Axes side by side, three in a row, with the same limits."""
    rows = -(-count // 3)
    figure, axes = plt.subplots(
        rows,
        min(count, 3),
        figsize=(9, 0.8 + 2.6 * rows),
        sharex=True,
        sharey=True,
        layout="constrained",
        squeeze=False,
    )
    for ax in axes.flat[count:]:
        ax.set_axis_off()
    return axes.reshape(-1)[:count]


def outlier_panel(ax, x, y, outlier, grid, with_, without):
    """One panel: the points, the fits, and how far the outlier moved each of them."""
    ax.plot(x, y, "o", color=QUIET, markersize=3, label="points")
    ax.plot(*outlier, "*", color="black", markersize=11, label="outlier", clip_on=False, zorder=3)
    notes = []
    for number, (name, line) in enumerate(with_.items()):
        color = CURVES[number % len(CURVES)]
        ax.plot(grid, line, "-", color=color, label=f"{name} (dotted: without the outlier)")
        ax.plot(grid, without[name], ":", color=color, linewidth=2)
        notes.append(f"{name} moved by {np.sqrt(np.mean((line - without[name]) ** 2)):.2f}")
    ax.set_title("\n".join(notes), fontsize="small")
    ax.margins(y=0.08)


def constraint(X=None, y=None, loss="squared", penalty="l1", *, alpha=None, l1_ratio=0.5, ax=None):
    """The constraint picture: level lines of the loss and the region of the penalty touch at the answer.

    With two columns and no intercept, b minimises ``1/n sum_i l(y_i, x_i'b) + pen(b)``. It is also the point
    of least loss in the region ``{b : pen(b) <= pen(answer)}``, which is drawn: a diamond for L1, a disk for L2,
    something between for both. The level line through the answer touches the region there. At a corner, a
    coefficient is exactly zero.

    Parameters
    ----------
    X : array-like of shape (n_samples, 2), optional
        Two columns; by default data of its own.
    y : array-like of shape (n_samples,), optional
        Response.
    loss : str or Loss, default="squared"
        As in `solve`.
    penalty : {"l1", "l2", "elasticnet"} or Penalty, default="l1"
        As in `solve`; of the form l1 |b| + l2 b^2 / 2.
    alpha : float, optional
        Strength of a penalty given by name; by default chosen so that the region is of a size to be seen.
    l1_ratio : float, default=0.5
        Share of L1 in "elasticnet".
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
    Tibshirani, R. (1996), J. R. Statist. Soc. B 58, figure 2.

    Examples
    --------
    >>> from l1l2fast import plots
    >>> ax = plots.constraint(loss="absolute", penalty="l2")
    >>> ax.get_title()
    'L1 loss (absolute), L2 penalty'
    """
    X, y = plane_data(X, y)
    free = solve(X, y, loss, fit_intercept=False).coef
    share = l1_ratio if penalty == "elasticnet" else None
    if isinstance(penalty, str) and alpha is None:
        alpha = visible(X, y, loss, penalty, share, free)
    penalty = _validate.penalty(penalty, alpha, share)
    if penalty.elastic() is None or max(penalty.elastic()) == 0:
        raise ValueError(f"penalty must be L1, L2 or L1L2 with a positive strength, got {penalty!r}")
    answer = solve(X, y, loss, penalty, fit_intercept=False).coef
    border = region(penalty, answer)
    ax = plt.subplots(figsize=(4.6, 5.0), layout="constrained")[1] if ax is None else ax
    draw_levels(ax, X, y, _validate.loss(loss), free, answer, border)
    ax.fill(*border, color=SECOND, alpha=0.25, label="penalty no larger than the answer's")
    ax.plot(*free, "x", color="black", markersize=8, markeredgewidth=2, label="no penalty")
    ax.plot(*answer, "o", color="black", label=f"answer ({answer[0]:.3g}, {answer[1]:.3g})")
    kinds = {(True, False): "L1", (False, True): "L2", (True, True): "L1 + L2"}
    l1, l2 = penalty.elastic()
    ax.set(xlabel="$b_1$", ylabel="$b_2$", aspect="equal")
    ax.set_title(f"{LOSS_NAMES.get(loss, repr(loss))}, {kinds[l1 > 0, l2 > 0]} penalty")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, fontsize="x-small")
    return ax


def visible(X, y, loss, penalty, share, free):
    """The strength, by bisection, that makes the answer some 0.6 times as long as without a penalty."""
    low, high = 1e-6, 1e6
    for _ in range(40):
        alpha = np.sqrt(low * high)
        b = solve(X, y, loss, _validate.penalty(penalty, alpha, share), fit_intercept=False).coef
        low, high = (alpha, high) if b @ b > 0.36 * (free @ free) else (low, alpha)
    return low


def plane_data(X, y):
    """X and y as given, or 40 rows of two columns, the first of which matters most."""
    if (X is None) != (y is None):
        raise ValueError("X and y must be given together")
    if X is None:
        rng = np.random.default_rng(1)
        X = rng.standard_normal((40, 2)) @ [[1.0, 0.35], [0.0, 0.9]]
        y = X @ [0.45, 1.6] + 0.6 * rng.standard_normal(40)
    X = _validate.real_array("X", X, 2).astype(float)
    if X.shape[1] != 2:
        raise ValueError(f"X must have two columns, b_1 and b_2 of the picture, got shape {X.shape}")
    return X, _validate.finite("y", _validate.vector("y", y, len(X)))


def region(penalty, answer):
    """The curve l1 (|b_1| + |b_2|) + l2 (b_1^2 + b_2^2) / 2 = the penalty of the answer, corners exact."""
    l1, l2 = penalty.elastic()
    level = l1 * np.abs(answer).sum() + l2 * (answer @ answer) / 2
    angle = np.arange(721) * (np.pi / 360)
    direction = np.array([np.cos(angle), np.sin(angle)])
    slope = l1 * np.abs(direction).sum(axis=0)
    # the positive root of l2 t^2 / 2 + slope t = level, without cancellation
    return direction * (2 * level / (slope + np.sqrt(slope**2 + 2 * l2 * level)))


def draw_levels(ax, X, y, loss, free, answer, border):
    """Level lines of the mean loss: one through the answer, two inside and two outside."""
    corners = np.column_stack([border, free, 2 * free - answer, [0.0, 0.0]])
    low, high = corners.min(axis=1), corners.max(axis=1)
    room = 0.25 * (high - low).max()
    sides = [np.linspace(a - room, b + room, 121) for a, b in zip(low, high, strict=True)]
    plane = np.stack(np.meshgrid(*sides), axis=-1)
    height = mean_loss(X, y, loss, plane.reshape(-1, 2)).reshape(plane.shape[:2])
    least, touching = mean_loss(X, y, loss, np.stack([free, answer]))
    levels = least + (touching - least) * np.array([0.1, 0.4, 1.0, 1.7, 2.6])
    if touching > least:
        widths = np.where(levels == levels[2], 2.0, 0.8)
        ax.contour(*sides, height, levels=levels, colors=FIRST, linewidths=widths)
        ax.plot([], [], color=FIRST, label="equal loss; bold: the answer's")
    ax.axhline(0, color=QUIET, linewidth=0.6)
    ax.axvline(0, color=QUIET, linewidth=0.6)


def mean_loss(X, y, loss, points):
    """The mean loss at each row of `points`, without an intercept."""
    value = np.vectorize(loss, otypes=[float])
    return np.array([value(y, X @ b).mean() for b in points])


def lad_optima(y=(1.0, 2.0, 5.0, 9.0), *, ax=None):
    """All minimisers of the absolute loss: for an even number of values, the flat bottom of a valley.

    Draws ``mean_i |y_i - b|``, flat between the two middle values, where every b is a median, and
    ``mean_i (y_i - b)^2 / 2``, which has one lowest point, the mean.

    Parameters
    ----------
    y : array-like of shape (n_samples,), default=(1, 2, 5, 9)
        Values.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError, TypeError
        If y is not a vector of finite numbers.

    References
    ----------
    Koenker, R. (2005), Quantile Regression, section 2.2. Cambridge University Press.

    Examples
    --------
    >>> from l1l2fast import plots
    >>> plots.lad_optima([1, 2, 5, 9]).get_title()
    'every b from 2 to 5 is a median'
    """
    y = _validate.finite("y", _validate.vector("y", y, len(y)))
    nothing = np.empty((len(y), 0))
    fits = {name: solve(nothing, y, name) for name in ("absolute", "squared")}
    optima = fits["absolute"].solution_set()
    middle = optima.intercept_lower, optima.intercept_upper
    room = 0.1 * np.ptp(y) or 1.0
    b = np.union1d(np.linspace(y.min() - room, y.max() + room, 401), y)
    errors = y[:, None] - b
    ax = plt.subplots(figsize=(5.6, 3.8), layout="constrained")[1] if ax is None else ax
    if middle[0] < middle[1]:
        ax.axvspan(*middle, color=FIRST, alpha=0.15, linewidth=0)
    for name, curve, color in (
        ("absolute", np.abs(errors).mean(axis=0), FIRST),
        ("squared", (errors**2).mean(axis=0) / 2, SECOND),
    ):
        ax.plot(b, curve, color=color, label=f"mean {'|y - b|' if name == 'absolute' else '(y - b)² / 2'}")
        fit = fits[name]
        ax.plot(fit.intercept, fit.objective, "o", color=color, label=f"what solve returns: {fit.intercept:.4g}")
    ax.plot(y, np.zeros(len(y)), "|", color="black", markersize=14, label="the values y", clip_on=False)
    ax.set(xlabel="b", ylabel="objective", ylim=(0, 3 * max(fit.objective for fit in fits.values()) or 1))
    flat = f"every b from {middle[0]:.4g} to {middle[1]:.4g} is a median"
    ax.set_title(flat if middle[0] < middle[1] else f"one median, {middle[0]:.4g}")
    ax.legend(loc="upper center", fontsize="small")
    return ax


def shrinkage(alpha=1.0, *, kinds=("L1", "L2", "L1 + L2", "hard", "SCAD", "MCP"), limit=4.0, ax=None):
    """What penalties make of a least-squares coefficient z, if the columns are orthonormal.

    The coefficient under the penalty minimises ``(b - z)^2 / 2 + pen(b)``; all curves are fits by `solve` with
    ``X'X = n I``. Hard thresholding is L0 of strength ``alpha^2 / 2``, which drops what is below alpha; SCAD has
    a = 3.7 and MCP gamma = 3. These three are not convex, and dashed.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of each penalty; of both parts of L1 + L2.
    kinds : sequence of {"L1", "L2", "L1 + L2", "hard", "SCAD", "MCP"}
        Which to draw.
    limit : float, default=4.0
        z runs from -limit to limit.
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
    Fan and Li (2001), J. Am. Statist. Assoc. 96. Zhang (2010), Ann. Statist. 38.

    Examples
    --------
    >>> from l1l2fast import plots
    >>> ax = plots.shrinkage(kinds=["L1", "L2"])
    >>> [line.get_label() for line in ax.lines][:2]
    ['L1', 'L2']
    """
    alpha, limit = _validate.number("alpha", alpha, 0.0), _validate.number("limit", limit, 0.0)
    curves = {
        "L1": L1(alpha),
        "L2": L2(alpha),
        "L1 + L2": L1L2(alpha, alpha),
        "hard": L0(alpha**2 / 2),
        "SCAD": SCAD(alpha),
        "MCP": MCP(alpha),
    }
    if unknown := [kind for kind in kinds if kind not in curves]:
        raise ValueError(f"kinds must be among {[*curves]}, got {unknown[0]!r}")
    z = np.linspace(-limit, limit, 401)
    ax = plt.subplots(figsize=(5.2, 4.6), layout="constrained")[1] if ax is None else ax
    for number, kind in enumerate(kinds):
        line = "-" if curves[kind].convex() else "--"
        ax.plot(z, shrunk(z, curves[kind]), line, color=CURVES[number % len(CURVES)], label=kind)
    ax.plot(z, z, ":", color=QUIET, label="no penalty")
    ax.set(xlabel="z, the least-squares coefficient", ylabel="b, the coefficient under the penalty", aspect="equal")
    ax.set_title(f"shrinkage, alpha = {alpha:g}")
    ax.legend(loc="upper left", fontsize="small")
    return ax


def shrunk(z, penalty):
    """argmin_b (b - z)^2 / 2 + pen(b), by fits with X'X = n I, of some z at once."""
    found = []
    for part in np.array_split(z, 1 + len(z) // 16):
        X = np.sqrt(len(part)) * np.eye(len(part))
        found.append(solve(X, X @ part, penalty=penalty, fit_intercept=False, tol=1e-12).coef)
    return np.concatenate(found)
