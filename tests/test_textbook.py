"""ista, fista, subgradient: the bounds of the textbook hold, and they agree with the quick methods."""

import itertools

import numpy as np
import pytest

from l1l2fast import L1, L1L2, L2, ConvergenceWarning, Huber, Logistic, Status, solve
from l1l2fast.textbook import METHODS, Smooth

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 12)) + RNG.standard_normal((60, 1))
Y = X @ np.where(np.arange(12) < 4, 1.0, 0.0) + RNG.standard_normal(60)
LABELS = np.where(Y > 0, 1, -1)
LOSSES = "squared", Huber(0.7), Logistic()
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=str)


def response(loss):
    return LABELS if isinstance(loss, Logistic) else Y


def value(loss, penalty, b, c):
    """The objective in numpy."""
    y, f = response(loss), X @ b + c
    r = np.abs(y - f)
    if loss == "squared":
        sample = r * r / 2
    elif isinstance(loss, Huber):
        sample = np.where(r <= loss.delta, r * r / 2, loss.delta * (r - loss.delta / 2))
    else:
        sample = np.logaddexp(0, -y * f)
    l1, l2 = penalty.elastic()
    return sample.mean() + l1 * np.abs(b).sum() + l2 * b @ b / 2


def walk(method, loss, penalty, steps):
    """(b, objective) of the first steps, and what the bounds are made of: L, |b* - b_0|^2 and F*."""
    best = solve(X, response(loss), loss, penalty, tol=1e-12)
    problem = best._problem
    model = Smooth(problem)
    points = []
    for look in itertools.islice(METHODS[method](model, np.zeros(12)), steps + 1):
        c = look.level + problem.y_mean - problem.columns.mean @ look.b if problem.intercept else 0.0
        points.append((look.b, value(loss, penalty, look.b, c)))
    centred = X - X.mean(0)
    curvature = 0.25 if isinstance(loss, Logistic) else 1.0
    L = np.linalg.eigvalsh(centred.T @ centred / len(X))[-1] * curvature
    assert L <= model.L <= 1.03 * L
    return points, model.L, best.coef @ best.coef, best.objective


@every_loss
@pytest.mark.parametrize("penalty", [L1(0.05), L1L2(0.02, 0.05), L2(0.05)], ids=repr)
def test_the_rate_of_ista(loss, penalty):
    """F - F* <= L |b*|^2 / (2 k), and no step goes up."""
    points, L, far, best = walk("ista", loss, penalty, 100)
    for k, (_, here) in enumerate(points[1:], start=1):
        assert here - best <= L * far / (2 * k) + 1e-12
    assert (np.diff([here for _, here in points]) <= 1e-13).all()


@every_loss
@pytest.mark.parametrize("penalty", [L1(0.05), L1L2(0.02, 0.05), L2(0.05)], ids=repr)
def test_the_acceleration_of_fista(loss, penalty):
    """F - F* <= 2 L |b*|^2 / (k + 1)^2, which ista misses on the same data once columns are correlated."""
    points, L, far, best = walk("fista", loss, penalty, 100)
    for k, (_, here) in enumerate(points[1:], start=1):
        assert here - best <= 2 * L * far / (k + 1) ** 2 + 1e-12


def test_fista_is_ahead_where_the_condition_is_bad():
    slow, _, _, best = walk("ista", "squared", L1(0.001), 60)
    fast = walk("fista", "squared", L1(0.001), 60)[0]
    assert fast[-1][1] - best < 0.1 * (slow[-1][1] - best)


def test_a_subgradient_steps_over_zero_that_soft_thresholding_hits():
    """The pull of L1 has one size: coefficients that belong at 0 jump from side to side. That of L2 shrinks."""
    ends = walk("ista", "squared", L1(0.3), 300)[0]
    zero = np.flatnonzero(ends[-1][0] == 0)
    assert len(zero) >= 3
    over = np.array([b for b, _ in walk("subgradient", "squared", L1(0.3), 300)[0]])[100:, zero]
    assert (over != 0).all()
    signs = np.sign(over)
    assert ((signs[1:] != signs[:-1]).mean(0) > 0.15).sum() >= 3
    smooth = np.array([b for b, _ in walk("subgradient", "squared", L2(0.3), 300)[0]])[100:]
    assert (np.sign(smooth[1:]) == np.sign(smooth[:-1])).all()


@every_loss
@pytest.mark.parametrize("method", ["ista", "fista"])
@pytest.mark.parametrize("penalty", [L1(0.05), L2(0.05), L1L2(0.05, 0.05)], ids=repr)
def test_the_same_answer_and_certificate(method, penalty, loss):
    y = response(loss)
    options = {"sample_weight": np.arange(60) % 3 + 1.0, "penalty_factor": np.linspace(0.5, 2, 12), "lower": -0.5}
    quick = solve(X, y, loss, penalty, tol=1e-10, **options)
    slow = solve(X, y, loss, penalty, tol=1e-7, method=method, max_iter=5000, **options)
    assert slow.status is Status.CONVERGED and slow.gap <= slow.tolerance
    assert quick.dual_objective - 1e-12 <= slow.objective <= quick.objective + slow.gap + 1e-12
    assert slow.coef == pytest.approx(quick.coef, abs=1e-2)


def test_a_gap_that_was_not_reached_is_said():
    with pytest.warns(ConvergenceWarning):
        result = solve(X, Y, penalty=L1(0.1), method="subgradient", max_iter=50)
    assert result.status is Status.MAX_ITER
    assert result.gap >= result.objective - solve(X, Y, penalty=L1(0.1)).objective


def test_where_it_does_not_apply():
    for loss, penalty in (("absolute", L1(0.1)), ("pinball", None)):
        with pytest.raises(ValueError, match="smooth"):
            solve(X, Y, loss, penalty, method="fista")
    with pytest.raises(ValueError, match="method"):
        solve(X, Y, method="newton")
