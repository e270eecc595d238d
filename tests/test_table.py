"""The documentation's table, cell by cell: every loss x penalty has what it says, and the answers are answers."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from l1l2fast import Group, Status, solve

DOCS = Path(__file__).resolve().parents[1] / "docs"
if not DOCS.exists():
    pytest.skip("the documentation stays with the source tree", allow_module_level=True)


def load():
    import sys

    sys.path.insert(0, str(DOCS))
    try:
        return importlib.import_module("table")
    finally:
        sys.path.remove(str(DOCS))


table = load()
every_loss = pytest.mark.parametrize("loss", table.LOSSES, ids=str)
every_penalty = pytest.mark.parametrize("penalty", table.PENALTIES, ids=str)
CHANCE = np.random.default_rng(1)


def has(penalty, option):
    """What the table should say, of every loss."""
    grouped = isinstance(penalty, Group)
    if option in ("bounds", "positive"):
        return not grouped
    return option != "norm_bound" or grouped or penalty is not None and penalty.convex()


def price(penalty, b, factor):
    """sum_j v_j pen(b_j), written out."""
    if penalty is None:
        return 0.0
    if not isinstance(penalty, Group):
        return sum(v * penalty(one) for v, one in zip(factor, b, strict=True) if v > 0 and one != 0)
    pairs = [(slice(0, 2), factor[0]), (slice(2, 4), factor[2])]
    return sum(
        v * (penalty.alpha * np.sqrt(2 * np.square(b[g]).sum()) + penalty.l1 * abs(b[g]).sum())
        for g, v in pairs
        if v > 0 and b[g].any()
    )


class Case:
    """One option's objective, for any point; and which points are allowed."""

    def __init__(self, loss, penalty, option):
        given = table.OPTIONS.get(option, {})
        self.loss, self.penalty, self.y = loss, table.weak(penalty), table.response(loss)
        self.w = np.asarray(given.get("sample_weight", np.ones(table.N)), float)
        self.w /= self.w.sum()
        self.offset = given.get("offset", np.zeros(table.N))
        self.factor = np.array(given.get("penalty_factor", np.ones(table.P)))
        self.sd = np.ones(table.P)
        if given.get("standardize"):
            self.sd = np.sqrt(self.w @ (table.X - self.w @ table.X) ** 2)
        self.low = np.zeros(table.P) if given.get("positive") else np.array(given.get("lower", [-np.inf] * table.P))
        self.high = np.array(given.get("upper", [np.inf] * table.P))
        self.intercept, self.bound = given.get("fit_intercept", True), given.get("norm_bound")

    def size(self, b):
        """What norm_bound is a bound of."""
        unit = table.weak(self.penalty)
        if isinstance(unit, Group) or getattr(unit, "elastic", lambda: None)()[0] > 0:
            return price(unit, b, self.factor)
        return np.sqrt(np.square(b).sum())

    def objective(self, b0, b):
        f = b0 + table.X @ b + self.offset
        value = self.w @ [self.loss(*pair) for pair in zip(self.y, f, strict=True)]
        return value if self.bound is not None else value + price(self.penalty, self.sd * b, self.factor)

    def allowed(self, b0, b):
        """The nearest point that is, roughly."""
        b = np.where(np.isinf(self.factor), 0.0, np.clip(b, self.low, self.high))
        return (b0 if self.intercept else 0.0), b


@pytest.mark.parametrize("option", [None, *table.OPTIONS])
@every_penalty
@every_loss
def test_a_cell_has_what_the_table_says(loss, penalty, option):
    result = table.answer(loss, penalty, option)
    assert (result is not None) == has(penalty, option)
    if result is None:
        return
    assert result.missing <= result.tolerance
    convex = result.stationarity is None
    assert result.status is (Status.CONVERGED if convex else Status.STATIONARY)
    case = Case(loss, penalty, option)
    point = result.intercept, result.coef
    again = case.allowed(*point)
    assert again[0] == point[0] and (again[1] == point[1]).all()
    assert case.objective(*point) == pytest.approx(result.objective, rel=1e-9)
    # nobody near is better; if it is convex, nobody at all
    for size in (1e-4, 1e-3) if not convex else (1e-3, 0.1):
        for _ in range(10):
            move = size * CHANCE.standard_normal(table.P + 1) * (CHANCE.random(table.P + 1) < 0.5)
            b0, b = case.allowed(point[0] + move[0], point[1] + move[1:])
            if option == "norm_bound" and case.size(b) > case.size(point[1]) * (1 - 1e-12):
                b = b * (case.size(point[1]) / case.size(b)) ** (1 if penalty.__class__.__name__ != "L1L2" else 2)
                if case.size(b) > case.size(point[1]):
                    continue
            assert case.objective(b0, b) >= result.objective - result.gap * convex - 1e-12 - 1e-9 * (not convex)


@every_penalty
@every_loss
def test_stores_of_X_and_starts_make_no_difference(loss, penalty):
    plain = table.answer(loss, penalty)
    for option in "sparse X", "float32", "warm start":
        other = table.answer(loss, penalty, option)
        if plain.stationarity is None:
            assert other.objective == pytest.approx(plain.objective, rel=3e-8)
            np.testing.assert_allclose(table.X @ other.coef, table.X @ plain.coef, atol=2e-3)
        elif option != "warm start":  # which may lead to another stationary point
            assert other.objective == pytest.approx(plain.objective, rel=1e-8)


@every_penalty
@every_loss
def test_integer_weights_repeat_rows(loss, penalty):
    result = table.answer(loss, penalty, "weights")
    rows = np.repeat(np.arange(table.N), table.OPTIONS["weights"]["sample_weight"])
    repeated = solve.__wrapped__(table.X[rows], table.response(loss)[rows], loss, table.weak(penalty))
    assert result.objective == pytest.approx(repeated.objective, rel=3e-8)


def test_the_pages_are_made_of_it():
    assert table.cells().count("- gap") == 30 and table.cells().count("- stationarity") == 20
    rows = table.options().split("   * - ")[2:]
    assert [row.split("\n")[0] for row in rows] == list(table.OPTIONS)
    for row in rows:
        option, *said = (line.strip().removeprefix("- ") for line in row.strip().split("\n"))
        assert said == ["yes" if has(penalty, option) else "no" for penalty in table.PENALTIES]
