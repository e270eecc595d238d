"""The judge is judged too: by hand-made answers, by brute force, and by its refusal of false certificates."""

from types import SimpleNamespace

import numpy as np
import pytest
import reference
from data import random_problem

LOSSES = "squared", "absolute", SimpleNamespace(quantile=0.3)
CELLS = [(loss, l1, l2) for loss in LOSSES for l1, l2 in ((0, 0), (0.1, 0), (0, 0.1), (0.05, 0.1))]
every_cell = pytest.mark.parametrize("loss, l1, l2", CELLS)


@pytest.mark.parametrize("l1, l2, b", [(0.1, 0, 0.85), (0.5, 0, 0.25), (0.15, 0.35, 0.508196721311475), (1, 0, 0)])
def test_by_hand(l1, l2, b):
    answer = reference.solve(reference.problem(np.array([[-1.0], [0], [1]]), [-1, 0, 1], l1=l1, l2=l2))
    assert answer.coef[0] == pytest.approx(b, abs=1e-12)
    assert answer.intercept == pytest.approx(0, abs=1e-12)


def test_median_by_hand():
    pb = reference.problem(np.empty((4, 0)), [1, 2, 5, 9], "absolute")
    assert reference.solve(pb).objective == pytest.approx(11 / 4, rel=1e-15)
    assert reference.null_objective(pb) == 11 / 4


@every_cell
def test_nothing_nearby_is_better(loss, l1, l2):
    X, y = random_problem(1, n=20, p=4)
    w = np.arange(20) % 3
    pb = reference.problem(
        X,
        y,
        loss,
        l1,
        l2,
        sample_weight=w,
        offset=y / 5,
        penalty_factor=[0, np.inf, 1, 2],
        lower=-0.3,
        upper=[0.1, 1, np.inf, 0.2],
        standardize=True,
    )
    answer = reference.solve(pb)
    assert answer.coef[1] == 0 and np.all(answer.coef >= -0.3)
    rng = np.random.default_rng(0)
    for size in 10.0 ** -np.arange(1, 9):
        for _ in range(50):
            b = np.clip(answer.coef + size * rng.standard_normal(4), pb.lower, pb.upper)
            b0 = answer.intercept + size * rng.standard_normal()
            assert reference.objective(pb, b0, b) >= answer.objective * (1 - 1e-13)


def squared_result(pb, **change):
    """An optimum of the squared loss dressed as a Result, its dual point made by hand."""
    answer = reference.solve(pb)
    theta = pb.c * (pb.y - pb.offset - answer.intercept - pb.X @ answer.coef)
    dual, _ = reference.dual_objective(pb, theta, abs(pb.y))
    gap = max(answer.objective - dual, 0)
    parts = dict(theta=theta, primal=answer.objective, dual=dual, gap=gap) | change
    certificate = SimpleNamespace(**parts)
    return SimpleNamespace(
        coef=answer.coef,
        intercept=answer.intercept,
        objective=parts["primal"],
        dual_objective=parts["dual"],
        gap=parts["gap"],
        certificate=lambda: certificate,
    )


BOUNDS = {"lower": -0.2, "upper": 0.1}


@pytest.mark.parametrize(
    "l1, l2, bounds", [(0, 0, BOUNDS), (0, 0.1, {}), (0, 0.1, BOUNDS), (0.05, 0.1, {}), (0.05, 0.1, BOUNDS)]
)
def test_a_true_certificate_passes(l1, l2, bounds):
    X, y = random_problem(2)
    pb = reference.problem(X, y, l1=l1, l2=l2, sample_weight=1 + np.arange(30) % 3, offset=y / 3, **bounds)
    result = squared_result(pb)
    assert reference.check_certificate(pb, result) <= 1e-13 * reference.null_objective(pb)


@pytest.mark.parametrize("lie", ["gap", "primal", "dual", "theta", "intercept", "coef"])
def test_a_false_certificate_fails(lie):
    X, y = random_problem(2)
    pb = reference.problem(X, y, l1=0, l2=0.1, upper=0.5)
    result = squared_result(pb)
    certificate = result.certificate()
    if lie == "theta":
        certificate.theta = certificate.theta * (1 + 1e-9) + 1e-9
    elif lie in ("coef", "intercept"):
        setattr(result, lie, getattr(result, lie) + 1e-4)
    else:
        setattr(certificate, lie, getattr(certificate, lie) - 1e-9)
    with pytest.raises(AssertionError):
        reference.check_certificate(pb, result)


def test_an_infeasible_dual_point_is_seen():
    X, y = random_problem(3)
    pb = reference.problem(X, y, "absolute", l1=0.1, fit_intercept=False)
    assert reference.dual_objective(pb, np.zeros(30), y) == (0, 0)
    assert reference.dual_objective(pb, np.full(30, 1.001 / 30), y)[1] > 1e9
    assert reference.dual_objective(reference.problem(X, y, l1=0.1), np.full(30, 1e-6), abs(y))[1] > 1e3
