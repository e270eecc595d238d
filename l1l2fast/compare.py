"""L1 and L2 side by side: each as the loss, each as the penalty, fitted to the same table.

Two blocks, one per loss, of four columns, one per penalty. The penalties act on columns scaled
to standard deviation 1. Left to itself, `compare` takes for each loss

    L1      alpha = a = FRACTION of the alpha at which b = 0 is optimal
    L2      alpha = a / s: on a coefficient of size s it pulls as hard as the L1 penalty does,
            s = the largest slope of y on a single (scaled) column
    L1+L2   l1_ratio of the first and the rest of the second

so that the answer does not depend on the units of y or of any column.
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np

from l1l2fast.penalties import L1, L1L2, L2, Penalty
from l1l2fast.result import ConvergenceWarning, Result
from l1l2fast.solvers import solve

FRACTION = 0.1
LOSSES = {"absolute": "L1 loss, |error|", "squared": "L2 loss, error^2/2"}
PENALTIES = ("no penalty", "L1", "L2", "L1+L2")

# Widths: a label, then four cells of digits before and after the decimal point; 98 in all.
LABEL, BEFORE, AFTER = 26, 8, 10
DIGITS = 6
UNIQUE = {True: "yes", False: "no", None: "undecided"}

LEGEND = """\
As the loss     L1: every unit of error costs the same. The fit goes for the median; a wild row
                hardly moves it. Several fits can be equally good ("only optimum": no).
                L2: large errors cost most. The fit goes for the mean; one wild row can drag it off.
As the penalty  L1: weak columns get exactly 0, shown as a bare 0.
                L2: all coefficients shrink, none to 0; columns that say the same share the work.
The gap         No fit has an objective lower than the one shown by more than this."""


@dataclass(frozen=True, slots=True)
class Fit:
    """One of the eight fits: what was asked for, the answer, and |error| for each row."""

    loss: str
    penalty: Penalty | None
    result: Result
    error: np.ndarray


def compare(X, y, alpha=None, l1_ratio=0.5):
    """Fit both losses with every penalty.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    alpha : float, default=None
        Strength of all penalties, as in `solve`. By default it is chosen for each: see above.
    l1_ratio : float, default=0.5
        Share of the L1 penalty in L1+L2.

    Returns
    -------
    dict of str to list of Fit
        For each loss the fits with no, the L1, the L2 and the L1+L2 penalty.
    """
    return {loss: [fit(X, y, loss, penalty) for penalty in penalties(X, y, loss, alpha, l1_ratio)] for loss in LOSSES}


def fit(X, y, loss, penalty):
    """One fit. A gap above the tolerance is marked in the report: no warning is needed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        result = solve(X, y, loss, penalty, standardize=True)
    return Fit(loss, penalty, result, np.abs(y - result.predict(X)))


def penalties(X, y, loss, alpha, l1_ratio):
    """None and the three penalties, in the order of PENALTIES."""
    if alpha is None:
        first = FRACTION * pull(X, y, loss)
        second = first / (pull(X, y, "squared") or 1.0)
    else:
        first = second = alpha
    return None, L1(first), L2(second), L1L2(l1_ratio * first, (1 - l1_ratio) * second)


def pull(X, y, loss):
    """The largest slope of the loss at b = 0 over the scaled columns: an L1 alpha of that size keeps b = 0.

    Where y is tied at its median, the absolute loss has many slopes there; the tied rows share equally.
    """
    if loss == "squared":
        theta = y - y.mean()
    else:
        theta = np.sign(y - np.median(y))
        tied = theta == 0
        if tied.any():
            theta[tied] = -theta.sum() / np.count_nonzero(tied)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused by the first `solve`
        centred = X - X.mean(axis=0)
        sd = np.sqrt((centred * centred).mean(axis=0))
        sd[sd == 0] = 1.0
        return float(np.abs(centred.T @ theta / sd).max(initial=0.0)) / len(y)


def report(title, names, fits, alpha=None):
    """The comparison as text of at most 100 columns.

    Parameters
    ----------
    title : str
        What was fitted; the first line.
    names : list of str
        Names of the columns of X.
    fits : dict of str to list of Fit
        From `compare`.
    alpha : float, default=None
        As given to `compare`.

    Returns
    -------
    str
    """
    lines = [title, "Penalties act on columns scaled to standard deviation 1; coefficients are on the original scale."]
    if alpha is None:
        lines.append(f"Their alphas: L1 at {FRACTION:g} of the alpha that leaves no column, L2 of like strength.")
    for loss, row in fits.items():
        lines += ["", *block(loss, names, row)]
    if any(f.result.gap > f.result.tolerance for row in fits.values() for f in row):
        lines += ["", "* the gap is above the tolerance: this fit may not be the best one"]
    return "\n".join([*lines, "", LEGEND])


def block(loss, names, fits):
    """The lines for one loss."""
    results = [f.result for f in fits]
    strength = np.array([f.penalty.elastic() if f.penalty is not None else (0.0, 0.0) for f in fits])
    lines = [line(LOSSES[loss], [name.center(BEFORE + AFTER) for name in PENALTIES])]
    lines += [line("  " + name, numbers([r.coef[j] for r in results])) for j, name in enumerate(names)]
    lines += [
        line("intercept", numbers([r.intercept for r in results])),
        line("mean |error|", numbers([f.error.mean() for f in fits])),
        line("median |error|", numbers([np.median(f.error) for f in fits])),
        line("RMSE", numbers([math.sqrt((f.error**2).mean()) for f in fits])),
        line("alpha on |b|", numbers(strength[:, 0])),
        line("alpha on b^2/2", numbers(strength[:, 1])),
        line("objective", numbers([r.objective for r in results])),
        line("gap", [gap(r) for r in results]),
        line("time (ms)", [cell(f"{1000 * r.time:.2f}") for r in results]),
    ]
    if loss == "absolute":
        lines.append(line("only optimum", [UNIQUE[r.unique].center(BEFORE + AFTER) for r in results]))
    return lines


def line(label, cells):
    """A label and its cells; a long label loses its middle, since long names often differ at the end."""
    label = "".join(c if c.isprintable() else "?" for c in label)
    if len(label) >= LABEL:
        half = (LABEL - 3) // 2
        label = label[:half] + ".." + label[-half:]
    return (label.ljust(LABEL) + "".join(cells)).rstrip()


def numbers(values):
    """Cells for numbers that are to be compared: the same decimals for all, an exact zero as a bare 0."""
    largest = max(abs(v) for v in values)
    exponent = math.floor(math.log10(largest)) if largest > 0 else 0
    if -4 <= exponent < BEFORE - 1:
        form = f".{max(DIGITS - 1 - exponent, 0)}f"
    else:
        form = f".{DIGITS - 1}e"
    return [cell("0" if v == 0 else format(v, form)) for v in values]


def gap(result):
    """The gap's cell, marked if the gap is above the tolerance."""
    return cell(("0" if result.gap == 0 else f"{result.gap:.1e}") + "*" * (result.gap > result.tolerance))


def cell(text):
    """Text with its decimal point in the cell's place for it."""
    before, point, after = text.partition(".")
    return before.rjust(BEFORE) + (point + after).ljust(AFTER)
