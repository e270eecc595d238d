"""Leverage: how far a row lies out in x, and so how hard it can pull a fit towards itself.

    h_i = df_i / dy_i = q_i + q_i x~_i'(X~' diag(q) X~ + diag(d))^-1 x~_i,   q = w / W, d the curvature of the penalty

for the squared loss; the first term is the intercept's. With R from a factorisation in row blocks that sum is
|R'^-1 x~_i|^2, so X is read twice and never copied.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from l1l2fast import _validate
from l1l2fast._triangle import stack
from l1l2fast.least_squares import Tall


@dataclass(frozen=True, slots=True, eq=False)
class Leverage:
    """What each row can do to a fit, and, for the squared loss, what it did.

    Attributes
    ----------
    hat : ndarray of shape (n_samples,)
        h_i, from 0 to 1: the diagonal of the hat matrix.
    dof : float
        Sum of h_i: the number of parameters p, intercept included, less what an L2 penalty takes.
    mean : float
        p / n over the n rows of positive weight.
    cutoffs : (float, float)
        2 p / n and 3 p / n: the usual limits above which a row deserves a look, or a hard one.
    flagged : ndarray of int
        Rows above the first of them, highest first.
    standardized, studentized : ndarray of shape (n_samples,) or None
        Residuals over their standard deviation, sqrt(w_i) r_i / (s sqrt(1 - h_i)), with s from all rows, or
        from all but this one ("internally" and "externally" studentized). nan where h_i = 1. None
        if the loss is not the squared one.
    cooks_distance : ndarray of shape (n_samples,) or None
        standardized^2 h_i / (p (1 - h_i)): how far all coefficients move without that row.
    """

    hat: np.ndarray
    dof: float
    mean: float
    cutoffs: tuple[float, float]
    flagged: np.ndarray
    standardized: np.ndarray | None
    studentized: np.ndarray | None
    cooks_distance: np.ndarray | None

    def __repr__(self):
        rows = [f"{i}: {self.hat[i]:.3g}" for i in self.flagged[:SHOWN]]
        rows += ["..."] if len(self.flagged) > SHOWN else []
        return f"Leverage(mean {self.mean:.3g}, above {self.cutoffs[0]:.3g}: {{{', '.join(rows)}}})"


SHOWN = 8  # rows in a repr
# 1 - h_i is rounding below this.
ALONE = 1e-12


def leverage(result):
    """The Leverage of a Result."""
    problem = _validate.kept(result._problem)
    b = result.coef / problem.columns.scale
    live, d = taking_part(problem, b)
    hat = hat_values(problem, live, d)
    n, dof = np.count_nonzero(problem.weight), float(hat.sum())
    mean = dof / n
    cutoffs = 2 * mean, 3 * mean
    flagged = np.flatnonzero(hat > cutoffs[0])
    flagged = flagged[np.argsort(-hat[flagged], kind="stable")]
    figures = influence(problem, b, hat, n, dof) if problem.loss.quadratic() else (None, None, None)
    return Leverage(hat, dof, mean, cutoffs, flagged, *figures)


def taking_part(problem, b):
    """The columns that follow when y moves a little, and the curvature of the penalty in units of the squared loss."""
    live = problem.sums.movable()
    moves = (problem.lower[live] < b[live]) & (b[live] < problem.upper[live])
    kink = problem.penalty.kink() * problem.factor[live]
    live = live[moves & ((kink == 0) | (b[live] != 0))]
    d = np.zeros(problem.columns.p)
    elastic = problem.penalty.elastic()
    if problem.loss.quadratic():
        if elastic is not None:
            d[live] = elastic[1] * problem.factor[live]
        else:
            d[live] = [f * problem.penalty.derivatives(x)[1] for f, x in zip(problem.factor[live], b[live])]
    return live, d


def hat_values(problem, live, d):
    """The diagonal of the hat matrix."""
    X, root = problem.columns, np.sqrt(problem.weight)
    hat = problem.weight.copy() if problem.intercept else np.zeros(X.n)
    tall = Tall(problem, live, d)
    if tall.rank == 0:
        return hat
    R, columns = np.asfortranarray(tall.triangle()[:, : tall.rank]), tall.pivot[: tall.rank]
    above, rows = np.empty((0, len(live) + 1), order="F"), max(256, 2 * len(live))
    for low in range(0, X.n, rows):
        high = min(low + rows, X.n)
        block = stack(above, X, low, high, live, tall.scale, root, problem.y)[:, columns]
        hat[low:high] += (lapack.dtrtrs(R, block.T, trans=1)[0] ** 2).sum(axis=0)
    return np.minimum(hat, 1.0)


def influence(problem, b, hat, n, dof):
    """Studentized residuals, both kinds, and Cook's distance."""
    r = problem.columns.residual(problem.y, problem.weight, b, problem.intercept)[0]
    r = r * np.sqrt(problem.weight)
    rest = np.where(1 - hat > ALONE, 1 - hat, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        squared = r * r / rest * ((n - dof) / (r @ r))
        others = (n - dof - squared) / (n - dof - 1)  # the variance without that row, relative to s^2
        standardized = np.copysign(np.sqrt(squared), r)
        return standardized, standardized / np.sqrt(others), squared * hat / (dof * rest)
