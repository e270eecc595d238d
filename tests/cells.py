"""Every cell loss x penalty, and one call that fits it and compares with the judge."""

import warnings
from typing import NamedTuple

import numpy as np
import pytest
import reference
import scipy.sparse as sp

from l1l2fast import L1, L1L2, L2, Status, solve
from l1l2fast.losses import Pinball

EPS = np.finfo(float).eps


class Cell(NamedTuple):
    loss: object  # its name, or a Loss
    l1: float
    l2: float

    def penalty(self, times_l1=1.0, times_l2=1.0):
        """The penalty object, None if there is none."""
        l1, l2 = self.l1 * times_l1, self.l2 * times_l2
        return L1L2(l1, l2) if self.l1 and self.l2 else L1(l1) if self.l1 else L2(l2) if self.l2 else None

    @property
    def degree(self):
        """How the loss grows with y: by its square or by its size."""
        return 2 if self.loss == "squared" else 1

    def __str__(self):
        loss = self.loss if isinstance(self.loss, str) else type(self.loss).__name__.lower()
        return f"{loss}-{'l1' * bool(self.l1)}{'l2' * bool(self.l2) or 'none' * (not self.l1)}"


LOSSES = "squared", "absolute", Pinball(0.3)
CELLS = [Cell(loss, l1, l2) for loss in LOSSES for l1, l2 in ((0, 0), (0.1, 0), (0, 0.1), (0.05, 0.1))]
every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
penalised_cell = pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.l1 or cell.l2], ids=str)
sparse_penalty_cell = pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.l1], ids=str)

LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "float32": lambda X: np.asfortranarray(X, dtype=np.float32),
    "float32 C": lambda X: np.ascontiguousarray(X, dtype=np.float32),
    "csc": sp.csc_array,
    "csr": sp.csr_array,
    "csc float32": lambda X: sp.csc_array(X.astype(np.float32)),
}


def quiet_solve(X, y, *args, **options):
    """`solve` that must converge, and must not warn about anything."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = solve(X, y, *args, **options)
    assert result.status is Status.CONVERGED, result.message
    return result


def snapshot(X):
    """Everything an input holds, to see later that nothing was written."""
    parts = [getattr(X, name) for name in ("data", "indices", "indptr")] if sp.issparse(X) else [X]
    return [np.array(part).tobytes() for part in parts]


def check(cell, X, y, tol=1e-10, judge=None, **options):
    """Fit the cell; hold objective, gap, certificate and bounds against the judge. Return the result."""
    before = snapshot(X)
    result = quiet_solve(X, y, cell.loss, cell.penalty(), tol=tol, **options)
    assert snapshot(X) == before
    options.pop("warm_start", None)
    pb = reference.problem(X, y, cell.loss, cell.l1, cell.l2, **options)
    best, null = (judge or reference.solve)(pb).objective, reference.null_objective(pb)
    # What rounding of y alone does to the objective.
    noise = 64 * EPS * (null + rounding_of_y(pb))
    assert result.gap <= result.tolerance
    assert tol * null * (1 - 1e-9) <= result.tolerance <= tol * null + noise
    assert result.objective <= best + result.gap + noise
    assert result.objective >= best - 1e-12 * null - judge_noise(pb), "better than the judge: one of the two is wrong"
    assert result.gap >= result.objective - best - noise
    reference.check_certificate(pb, result)
    return result


def judge_noise(pb):
    """The judge works on y / max|y|, mostly to 1e-14; 2e-12 is the worst that was seen."""
    size = np.max((abs(pb.y) + abs(pb.offset))[pb.c > 0])
    return 1e-11 * (size if pb.slopes else size**2)


def rounding_of_y(pb):
    """By how many EPS the objective moves when y is rounded."""
    size = np.max((abs(pb.y) + abs(pb.offset))[pb.c > 0])
    return size if pb.slopes else size * np.sqrt(2 * reference.null_objective(pb)) + EPS * size**2
