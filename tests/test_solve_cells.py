"""Every cell, layout of X and option of `solve`, against the judge; and each certificate, with numpy alone."""

from functools import cache

import numpy as np
import pytest
import reference
import scipy.sparse as sp
from cells import CELLS, LAYOUTS, check, every_cell, penalised_cell, quiet_solve, sparse_penalty_cell
from data import random_problem

from l1l2fast import L2

N, P = 30, 6
RNG = np.random.default_rng(7)
WEIGHTS = RNG.integers(0, 4, N) * RNG.uniform(0.5, 2, N)
OFFSET = 2 * RNG.standard_normal(N)
FACTORS = np.array([0, 1, np.inf, 2.5, 1, 0.3])
# One coefficient is pinned, one is pushed away from 0, some are bounded on one side only.
LOWER = np.array([-np.inf, -0.02, -1, 0.01, 0.05, -np.inf])
UPPER = np.array([0.05, 0.02, np.inf, 0.3, 0.05, np.inf])
OPTIONS = {
    "plain": {},
    "weights": {"sample_weight": WEIGHTS},
    "offset": {"offset": OFFSET},
    "factors": {"penalty_factor": FACTORS},
    "bounds": {"lower": LOWER, "upper": UPPER},
    "scalar bounds": {"lower": -0.1, "upper": 0.2},
    "positive": {"positive": True},
    "no intercept": {"fit_intercept": False},
    "standardize": {"standardize": True},
    "warm start": {"warm_start": np.array([5.0, 0, -3, 0, 1, 1])},
    "all": {
        "sample_weight": WEIGHTS,
        "offset": OFFSET,
        "penalty_factor": FACTORS,
        "standardize": True,
        "lower": np.where(np.isinf(FACTORS), -1, LOWER),
        "upper": UPPER,
    },
    "all without intercept": {
        "sample_weight": WEIGHTS,
        "offset": OFFSET,
        "penalty_factor": FACTORS,
        "fit_intercept": False,
        "positive": True,
    },
}
every_option = pytest.mark.parametrize("option", OPTIONS)
every_layout = pytest.mark.parametrize("layout", LAYOUTS)


class OnePerProblem:
    """The judge, asked once for the layouts that hold the same numbers."""

    def __init__(self):
        self.answers = {}

    def __call__(self, pb):
        key = tuple(np.asarray(part).tobytes() if isinstance(part, np.ndarray) else part for part in vars(pb).values())
        if key not in self.answers:
            self.answers[key] = reference.solve(pb)
        return self.answers[key]


JUDGE = OnePerProblem()


@every_cell
@every_option
@every_layout
def test_cell(cell, layout, option):
    X, y = random_problem(3, N, P, sparse=True)
    options = OPTIONS[option]
    X = LAYOUTS[layout](X)
    result = check(cell, X, y, judge=JUDGE, **options)
    pb = reference.problem(
        X, y, cell.loss, cell.l1, cell.l2, **{name: value for name, value in options.items() if name != "warm_start"}
    )
    best = JUDGE(pb)
    assert result.objective == pytest.approx(best.objective, rel=1e-8)
    if cell.l2 and not np.any(pb.l2[pb.lower < pb.upper] == 0):
        # Strongly convex: the coefficients are determined, to the root of the gap.
        assert reference.objective(pb, best.intercept, best.coef) <= result.objective * (1 + 1e-12)
        weight = pb.l2 * (result.coef - best.coef) ** 2 / 2
        assert weight.sum() <= 4 * result.gap + 1e-12 * reference.null_objective(pb)


@sparse_penalty_cell
def test_zeros_are_exact(cell):
    """What the judge holds at zero strictly (|u_j| well below l1) is exactly 0.0, not small."""
    X, y = random_problem(3, N, P)
    result = check(cell, X, y)
    u = X.T @ result.certificate().theta
    inside = abs(u) < cell.l1 * (1 - 1e-6)
    assert inside.any()
    assert np.all(result.coef[inside] == 0)


@every_cell
@pytest.mark.parametrize("layout", ["C", "F", "csc"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_wide(cell, layout, fit_intercept):
    """More columns than rows: without a penalty the optimum interpolates, at objective 0."""
    X, y = random_problem(4, 15, 40, sparse=layout == "csc")
    check(cell, LAYOUTS[layout](X), y, judge=JUDGE, fit_intercept=fit_intercept)


@penalised_cell
@pytest.mark.parametrize("alpha", [1e-1, 1e-2, 1e-3, 1e-4])
def test_weak_penalties_on_wide_data(cell, alpha):
    """Next to interpolation nearly as many coefficients as rows are not zero, and hardly held."""
    rng = np.random.default_rng(10)
    X, y = rng.standard_normal((12, 40)), rng.standard_normal(12)
    check(cell._replace(l1=cell.l1 * alpha, l2=cell.l2 * alpha), X, y)


@every_cell
@pytest.mark.parametrize("layout", ["F", "csc"])
def test_larger(cell, layout):
    """Enough rows and columns for working sets, blocks and several rounds."""
    X, y = random_problem(5, 400, 120, sparse=layout == "csc")
    check(cell, LAYOUTS[layout](X), y, judge=JUDGE, sample_weight=1 + np.arange(400) % 3)


@every_cell
@pytest.mark.parametrize("alpha", [1e-6, 1e-3, 1.0, 30.0])
def test_weak_and_strong_penalties(cell, alpha):
    X, y = random_problem(6, 40, 12)
    check(cell._replace(l1=cell.l1 * alpha, l2=cell.l2 * alpha), X, y)


@cache
def hostile(seed):
    """A small problem of small integers: ties, duplicated rows and columns, zero columns and rows, any shape."""
    rng = np.random.default_rng(seed)
    n, p = rng.integers(1, 12), rng.integers(0, 7)
    X = rng.integers(-2, 3, (n, p)).astype(float)
    y = rng.integers(-3, 4, n).astype(float)
    options = {}
    if rng.random() < 0.4:
        w = rng.integers(0, 3, n).astype(float)
        options["sample_weight"] = w if w.any() else w + 1
    if rng.random() < 0.3:
        options["offset"] = rng.integers(-2, 3, n).astype(float)
    if rng.random() < 0.4:
        options["penalty_factor"] = rng.choice([0, 0.5, 1, 2, np.inf], p)
    if rng.random() < 0.4:
        options["lower"], options["upper"] = -rng.integers(0, 3, p) / 2, rng.choice([0, 0.25, 1, np.inf], p)
    options["fit_intercept"] = bool(rng.random() < 0.7)
    options["standardize"] = bool(rng.random() < 0.2)
    return (sp.csc_array(X) if rng.random() < 0.4 else X), y, options


@every_cell
@pytest.mark.parametrize("block", range(8))
def test_hostile_integers(cell, block):
    for seed in range(10 * block, 10 * block + 10):
        X, y, options = hostile(seed)
        try:
            check(cell, X, y, judge=JUDGE, **options)
        except Exception as error:
            error.add_note(f"seed {seed}: {X.shape}, {options}")
            raise


@penalised_cell
def test_uniqueness_with_a_penalty(cell):
    """A strictly convex penalty has one optimum; two equal columns under L1 alone have many."""
    rng = np.random.default_rng(8)
    X = rng.standard_normal((N, 3))
    X, y = np.column_stack([X, X[:, 0]]), 9 * X[:, 0] + rng.standard_normal(N)
    # Without an intercept: of an even number of rows, a median may be any point between two.
    result = quiet_solve(X, y, cell.loss, cell.penalty(), fit_intercept=False)
    assert abs(result.coef[0] + result.coef[3]) > 1
    assert result.unique is True if cell.l2 else result.unique is not True


def test_an_intercept_that_is_not_unique():
    """Rows in pairs at 0 and 1: no penalty on b holds the intercept between them."""
    X = np.array([[1.0], [-1], [1], [-1]])
    result = quiet_solve(X, [0, 0, 1, 1], "absolute", L2(1.0))
    assert abs(result.coef[0]) < 1e-12 and 0 <= result.intercept <= 1
    assert result.unique is False


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_equal_columns_without_penalty_are_not_unique(loss):
    X, y = random_problem(8, N, 3)
    assert quiet_solve(np.column_stack([X, X[:, 0]]), y, loss).unique is not True
    assert quiet_solve(X, y, loss).unique is not False


def test_every_cell_is_named_once():
    assert len({str(cell) for cell in CELLS}) == len(CELLS) == 12
