"""Of a tall problem of the squared loss, the columns that its optimum may use, as a part of the rows tells.

A slope of the whole at b = 0 says little about columns that go together; the optimum of few rows, which costs no pass
over X, says nearly all. What it says is not relied upon: the pass that certifies sees the columns left out.
"""

from dataclasses import replace

import numpy as np

from l1l2fast._dense import DenseF
from l1l2fast.working_set import GramSet, Point

# Rows of the sample for each column; they come in runs of so many, for X in Fortran order is read along its columns.
PER_COLUMN, RUN = 10, 64
# Columns come in whose slope in the sample is this part of their kink.
NEAR = 0.7


def likely(problem, strength):
    """A mask over the columns: those that the optimum of a sample uses or nearly uses; None without one."""
    part = sample(problem)
    if part is None:
        return None
    p, working = part.columns.p, GramSet(part)
    working.extend(np.arange(p, dtype=np.intp))
    point = Point(strength, np.zeros(p), part.y, part.weight * part.y, part.slope, part.energy)
    rows, _ = working.walk(None, point, np.array([strength]), 0.0, np.inf)
    b = rows[-1]
    g = part.slope - working.G[:p, :p] @ b
    return (b != 0) | ~(np.abs(g) < NEAR * strength * part.penalty.kink() * part.factor)


def runs(n, p):
    """Where the runs of a sample begin."""
    return np.linspace(0, n - RUN, -(-PER_COLUMN * p // RUN)).astype(np.intp)


def sample(problem):
    """The problem of runs of rows, evenly spread; None if none of them counts."""
    X, n, p = problem.columns, problem.columns.n, problem.columns.p
    starts = runs(n, p)
    rows = (starts[:, None] + np.arange(RUN)).ravel()
    w, y = problem.weight[rows], problem.y[rows]
    if not w.sum() > 0:
        return None
    w /= w.sum()
    Z, ones = np.empty((p, len(rows))), np.ones(n)
    for k, lo in enumerate(starts):
        Z[:, k * RUN : (k + 1) * RUN] = X.block(lo, lo + RUN, ones)
    part = DenseF(Z.T)
    y = y - problem.intercept * (w @ y)
    square, slope, _, energy = part.first_pass(w, y, int(w.argmax()), problem.intercept)
    return replace(problem, columns=part, y=y, weight=w, square=square, slope=slope, energy=energy)
