"""One problem in the solvers' own units.

    minimise  sum_i w_i l(y_i, c + x~_i'b) + sum_j factor_j pen(b_j),   lower <= b <= upper

with sum(w) = 1, y less its offset and (with an intercept) its mean, x~_j = scale_j (x_j - mean_j).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from l1l2fast import _objective
from l1l2fast.result import Progress, Status

EPS = np.finfo(np.float64).eps


@dataclass(slots=True)
class Problem:
    """A validated problem; arrays are read, never written."""

    columns: object  # l1l2fast._columns.Columns
    y: np.ndarray
    y_mean: float
    y_size: float  # largest |y| before centring: what its rounding is measured by
    weight: np.ndarray
    intercept: bool
    loss: object
    penalty: object
    factor: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    bounded: bool  # is any bound finite?
    start: np.ndarray
    square: np.ndarray  # sum_i w_i x~_ij^2
    slope: np.ndarray  # X~'(w y): minus the gradient of the squared loss at b = 0
    tol: float
    max_iter: int
    callback: Callable | None

    def objective(self, b, f):
        """The objective at b with predictions f."""
        return (_objective.loss_value(self.loss, self.y, f, self.weight)
                + _objective.penalty_value(self.penalty, b, self.factor))

    def certify(self, b, f, theta, u):
        """Bound the distance to the optimum from a dual point.

        The largest multiple of theta that is feasible is used; u = X~'theta is taken to be
        known up to the rounding of the sums it comes from.

        Returns
        -------
        gap : float
            objective(b, f) - D(scale * theta) >= 0.
        scale : float
        """
        root = np.sqrt(self.square)
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.sqrt(np.nansum(theta * theta / self.weight))
        size += root @ np.abs(b) if self.loss.quadratic() else 0.0
        rounding = (EPS * (16 + np.sqrt(len(theta))) * size) * root
        box = self.factor, self.lower, self.upper, rounding
        scale = _objective.dual_scale(self.penalty, u, *box)
        gap = _objective.loss_slack(self.loss, self.y, f, self.weight, theta if scale == 1 else scale * theta)
        return gap + _objective.penalty_slack(self.penalty, b, u, scale, *box), scale

    def verdict(self, rounds, objective, gap, tolerance, n_passes):
        """Ask the callback and the tolerance whether to go on: a Status, or None."""
        if self.callback is not None and self.callback(Progress(rounds, objective, gap, n_passes)) is True:
            return Status.CONVERGED if gap <= tolerance else Status.STOPPED
        if gap <= tolerance:
            return Status.CONVERGED
        return Status.MAX_ITER if rounds >= self.max_iter else None
