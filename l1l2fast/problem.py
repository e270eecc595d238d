"""One problem in the solvers' own units.

    minimise  sum_i w_i l(y_i, c + x~_i'b) + sum_j factor_j pen(b_j),   lower <= b <= upper

with sum(w) = 1, x~_j = scale_j (x_j - mean_j) and, if l is a function of y - f, y less its offset and (with an
intercept) its mean; else c stands for c + offset_i.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from l1l2fast._groups import GroupSums
from l1l2fast._objective import Sums
from l1l2fast.result import Progress, Status

EPS = np.finfo(np.float64).eps


@dataclass(slots=True)
class Problem:
    """A validated problem; arrays are read, never written."""

    columns: object  # l1l2fast._columns.Columns
    y: np.ndarray
    offset: np.ndarray | None  # what y could not take in
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
    limits: tuple[np.ndarray, np.ndarray]  # the bounds on the scale of X
    start: np.ndarray
    started: bool  # may start be other than zero?
    square: np.ndarray  # sum_i w_i x~_ij^2
    slope: np.ndarray  # X~'(w (y - mean)): minus the gradient of the squared loss at b = 0
    energy: float  # sum_i w_i y_i^2
    tol: float
    max_iter: int
    callback: Callable | None
    method: str | None = None  # asked for by name
    trail: object = None  # that of an answer on the same data, whose b is the start
    sums: Sums = field(init=False, repr=False)

    def __post_init__(self):
        rest = self.square, self.factor, self.lower, self.upper, self.intercept
        if self.penalty.separable():
            self.sums = Sums(self.loss, self.penalty, self.y, self.weight, *rest)
        else:
            layout = self.penalty.layout(self.factor, self.lower == self.upper, self.square > 0)
            self.sums = GroupSums(layout, self.loss, self.y, self.weight, *rest)

    def certify(self, b, f, theta, u, projected=False):
        """Objective at b with predictions f, and how far it may be from the optimum.

        Returns
        -------
        objective, gap, scale : float
            gap = objective - D(scale * theta) >= 0 with the largest feasible scale <= 1.
        """
        return self.sums.certify(b, f, theta, u, projected)

    def verdict(self, rounds, objective, gap, tolerance, n_passes):
        """Ask the callback and the tolerance whether to go on: a Status, or None."""
        if self.callback is not None and self.callback(Progress(rounds, objective, gap, n_passes)) is True:
            return Status.CONVERGED if gap <= tolerance else Status.STOPPED
        if gap <= tolerance:
            return Status.CONVERGED
        return Status.MAX_ITER if rounds >= self.max_iter else None
