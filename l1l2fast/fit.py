"""One loss, one penalty, one table: the command `fit`.

The penalty acts on columns scaled to standard deviation 1, unless --raw; coefficients are on the original scale. Left
to itself, alpha is FRACTION of the least one that leaves no column under an L1 penalty; L2's, as in `compare`, is that
over the size of a typical coefficient.
"""

import csv
import math
import warnings

import numpy as np

from l1l2fast import _validate
from l1l2fast._files import InputError, UsageError
from l1l2fast.compare import FRACTION, UNIQUE, cell, line
from l1l2fast.cross_validation import cross_validate
from l1l2fast.losses import Pinball
from l1l2fast.result import ConvergenceWarning
from l1l2fast.solvers import solve

SHARES = {"l1": 1.0, "l2": 0.0}


def losses():
    """The names of the losses, the squared one first."""
    return sorted(_validate.LOSSES, key=lambda name: (name != "squared", name))


def check(options):
    """Refuse options that contradict each other, before any file is read."""
    penalised = options.penalty not in (None, "none")
    if options.quantile is not None:
        if options.loss not in (None, "pinball"):
            raise UsageError(f"--quantile goes with the pinball loss, got --loss {options.loss}")
        if not 0 < options.quantile < 1:
            raise UsageError(f"--quantile: expected a number between 0 and 1, got {options.quantile:g}")
    for name in ("alpha", "cv", "plot"):
        if getattr(options, name) is not None and not penalised:
            raise UsageError(f"--{name} goes with a penalty: add --penalty l1, l2 or elasticnet")
    if options.l1_ratio is not None and options.penalty != "elasticnet":
        raise UsageError("--l1-ratio goes with --penalty elasticnet")
    if options.alpha is not None and options.cv is not None:
        raise UsageError("--alpha and --cv exclude each other: cross-validation chooses alpha")
    if options.plot is not None:
        pictures()


def pictures():
    """`l1l2fast.plots`, drawing into files only."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        from l1l2fast import plots
    except ImportError as error:
        raise UsageError(f"--plot: {error}") from None
    return plots


def run(options, title, names, X, y):
    """Fit, write the files that were asked for, and lay out the answer.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line, checked by `check`.
    title : str
        What is fitted; the first line.
    names : list of str
        Names of the columns of X.
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)

    Returns
    -------
    str
    """
    loss = Pinball(0.5 if options.quantile is None else options.quantile) if is_pinball(options) else options.loss
    loss = loss or "squared"
    common = dict(standardize=not options.raw, fit_intercept=not options.no_intercept, positive=options.positive)
    share = SHARES.get(options.penalty, 0.5 if options.l1_ratio is None else options.l1_ratio)
    penalty, words = None, "none"
    if options.penalty not in (None, "none"):
        alpha, how = choose(options, X, y, loss, share, common)
        penalty = _validate.penalty("elasticnet", alpha, share)
        words = options.penalty if options.penalty != "elasticnet" else f"elasticnet, l1_ratio = {share:g}"
        words += f", alpha = {alpha:.6g} ({how}), on "
        words += "the coefficients" if options.raw else "columns scaled to standard deviation 1"
    with warnings.catch_warnings():  # a gap above the tolerance is marked in the report
        warnings.simplefilter("ignore", ConvergenceWarning)
        result = solve(X, y, loss, penalty, **common)
    if options.plot is not None:
        draw(options.plot, X, y, loss, share, names, alpha, common)
    if options.out is not None:
        write(options.out, names, result, options.no_intercept)
    lines = [title, f"loss: {loss}", f"penalty: {words}", ""]
    return "\n".join(lines + report(names, X, y, result, not options.no_intercept))


def is_pinball(options):
    """Whether a quantile is asked for."""
    return options.quantile is not None or options.loss == "pinball"


def choose(options, X, y, loss, share, common):
    """Alpha, and where it comes from."""
    if options.alpha is not None:
        return options.alpha, "as given"
    if options.cv is not None:
        if options.cv > len(y):
            raise InputError(f"--cv {options.cv}: there are only {len(y)} rows")
        # files are often sorted: the folds are shuffled
        scores = cross_validate(X, y, loss, l1_ratio=share, cv=options.cv, random_state=0, **common)
        return float(scores.alphas[scores.best_index]), f"the best in {options.cv}-fold cross-validation"
    first = FRACTION * pull(X, y, loss, common)
    second = first / (pull(X, y, "squared", common) or 1.0)
    return (second if share == 0 else first), "the default"


def pull(X, y, loss, common):
    """The least alpha that leaves no column under an L1 penalty: the largest slope at the null model's dual point."""
    nothing = np.empty((len(y), 0))
    theta = solve(nothing, y, loss, fit_intercept=common["fit_intercept"]).certificate().theta
    slope = np.abs(X.T @ theta)
    if common["standardize"]:
        sd = X.std(axis=0)
        slope = slope / np.where(sd > 0, sd, 1.0)
    return float(slope.max(initial=0.0))


def draw(path, X, y, loss, share, names, alpha, common):
    """The coefficients against alpha, with the fitted one marked, as a file."""
    plots = pictures()
    try:
        ax = plots.coefficient_path(X, y, loss, l1_ratio=share, feature_names=names, **common)
        if alpha > 0:
            ax.axvline(alpha, color="black", linestyle="--", linewidth=1)
        ax.set_title(f"{loss} loss; dashed: alpha = {alpha:.3g}")
        ax.figure.savefig(path, dpi=150)
    except ValueError as error:
        raise UsageError(f"--plot: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def write(path, names, result, no_intercept):
    """Names and coefficients as CSV, all digits."""
    try:
        with open(path, "w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["name", "coef"])
            if not no_intercept:
                rows.writerow(["(intercept)", repr(float(result.intercept))])
            rows.writerows([name, repr(float(b))] for name, b in zip(names, result.coef, strict=True))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def report(names, X, y, result, intercept):
    """The answer as lines of at most 100 columns."""
    lines = [line("", ["coefficient".center(18), "per sd".center(18)])]
    scaled = result.coef * X.std(axis=0)
    for name, b, effect in zip(names, result.coef, scaled, strict=True):
        lines.append(line("  " + name, [shown(b), shown(effect)]))
    if intercept:
        lines.append(line("(intercept)", [shown(result.intercept)]))
    error = np.abs(y - result.predict(X))
    late = "" if result.gap <= result.tolerance else "above the tolerance: this may not be the best fit"
    lines += [
        "",
        line("nonzero", [cell(f"{np.count_nonzero(result.coef)}"), f"of {len(names)}"]),
        line("mean |error|", [shown(error.mean())]),
        line("median |error|", [shown(np.median(error))]),
        line("RMSE", [shown(math.sqrt((error**2).mean()))]),
        line("objective", [shown(result.objective)]),
        line("gap", [cell(f"{result.gap:.1e}"), late]),
        line("only optimum", [cell(UNIQUE[result.unique])]),
    ]
    constant = [repr(name) for name, spread in zip(names, np.ptp(X, axis=0), strict=True) if spread == 0]
    if constant:
        lines += ["", f"Constant, and so without influence: {', '.join(constant[:10])}{', ...' * (len(constant) > 10)}"]
    return [*lines, "", "The gap: no coefficients have an objective lower than this one by more."]


def shown(value):
    """A number with six digits, its decimal point in its place; an exact zero as a bare 0."""
    return cell("0" if value == 0 else f"{value:.6g}")
