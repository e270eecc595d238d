"""solve(norm_bound=t): the loss alone, the norm held to t, with every convex loss."""

import numpy as np
import pytest
import reference_groups as judge
from test_groups import LABELS, data, options

from l1l2fast import L1, L1L2, L2, Absolute, Group, Huber, Logistic, Pinball, Squared, Status, solve

LOSSES = [Squared(), Absolute(), Pinball(0.3), Huber(0.7), Logistic()]
PENALTIES = [L1(), L2(), L1L2(0.5, 0.5)]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
every_penalty = pytest.mark.parametrize("penalty", PENALTIES, ids=str)


def size(penalty, coef, factor=1.0, sd=1.0):
    """What is bounded, at coefficients of the raw scale."""
    if isinstance(penalty, Group):
        return penalty(sd * coef)
    l1, l2 = penalty.elastic()
    total = np.sum(factor * (l1 * np.abs(sd * coef) + l2 * (sd * coef) ** 2 / 2))
    return np.sqrt(2 * total) if isinstance(penalty, L2) else total


@every_loss
@every_penalty
@pytest.mark.parametrize("kind", ["plain", "no intercept", "weights", "offset", "standardize", "factors"])
def test_against_the_judge(loss, penalty, kind):
    X, y = data(loss)
    rest = {"penalty_factor": np.array([0, 1, 1, 2, 1, 0.5, 1, 1, 1, 3])} if kind == "factors" else options(kind, 40)
    pb, factor = judge.problem(X, y, loss, penalty, **rest), rest.get("penalty_factor", np.ones(10))
    sd = np.sqrt(pb.c @ (X - pb.c @ X) ** 2) if kind == "standardize" else np.ones(10)
    for t in (0.3, 1.0):
        result = solve(X, y, loss, penalty, norm_bound=t, tol=1e-9, **rest)
        l1, l2 = penalty.elastic()
        bound = t * t / 2 if isinstance(penalty, L2) else t
        other = judge.solve_bounded(pb, l1 * factor * sd, l2 * factor * sd**2, bound)
        best = judge.objective(pb, *other)
        assert result.status is Status.CONVERGED
        assert result.objective == pytest.approx(judge.objective(pb, result.intercept, result.coef), rel=1e-12)
        assert result.objective == pytest.approx(best, rel=1e-7)
        assert size(penalty, result.coef, factor, sd) <= t * (1 + 1e-12)
        assert result.objective - best <= result.gap + 1e-7 * best
        assert 0 < result.alpha < np.inf


@every_loss
@every_penalty
def test_the_multiplier_is_the_strength(loss, penalty):
    """A penalised fit at that strength has the same objective there; the certificate is one of numpy's own."""
    X, y = data(loss)
    bounded = solve(X, y, loss, penalty, norm_bound=0.5, tol=1e-10)
    l1, l2 = (bounded.alpha * strength for strength in penalty.elastic())
    penalised = solve(X, y, loss, L1L2(l1, l2), tol=1e-10)
    paid = np.sum(l1 * np.abs(bounded.coef) + l2 * bounded.coef**2 / 2)
    assert bounded.objective + paid == pytest.approx(penalised.objective, rel=1e-8)
    u = X.T @ bounded.certificate().theta
    if isinstance(penalty, L1):
        assert np.abs(u).max() <= bounded.alpha * (1 + 1e-9)
    # -sum l* - t times the dual norm is a bound that nothing can beat
    if not isinstance(penalty, L1L2):
        dual_norm = np.abs(u).max() if isinstance(penalty, L1) else np.linalg.norm(u)
        part = bounded.objective - bounded.gap - (0.5 * dual_norm - bounded.coef @ u)
        assert part <= bounded.objective


@every_loss
@every_penalty
def test_the_ends_are_exact(loss, penalty):
    X, y = data(loss)
    free, none = solve(X, y, loss, tol=1e-10), solve(X, y, loss, penalty_factor=np.inf)
    loose = solve(X, y, loss, penalty, norm_bound=1.01 * size(penalty, free.coef), tol=1e-10)
    assert loose.alpha == 0
    assert loose.objective == pytest.approx(free.objective, rel=1e-9)
    nothing = solve(X, y, loss, penalty, norm_bound=0)
    assert nothing.alpha == np.inf
    assert not nothing.coef.any()
    assert nothing.objective == pytest.approx(none.objective, rel=1e-12)
    tight = solve(X, y, loss, penalty, norm_bound=0.999 * size(penalty, free.coef), tol=1e-9)
    assert tight.alpha > 0
    assert tight.gap <= tight.tolerance


@pytest.mark.parametrize("loss", [Squared(), Huber(0.7), Logistic()], ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("penalty", [Group(10**-0.5), Group(1.0, LABELS), Group(1.0, LABELS, 0.5)], ids=str)
def test_groups_too(loss, penalty):
    X, y = data(loss)
    result = solve(X, y, loss, penalty, norm_bound=0.5, tol=1e-9)
    assert result.gap <= result.tolerance
    assert size(penalty, result.coef) == pytest.approx(0.5, rel=1e-4)
    if penalty.groups is None:  # the norm is the norm, squared or not
        assert result.coef == pytest.approx(solve(X, y, loss, L2(), norm_bound=0.5, tol=1e-12).coef, abs=1e-3)


@every_loss
def test_more_columns_than_rows(loss):
    X, y = data(loss, 1, 15, 40)
    for penalty in PENALTIES:
        for t in (0.01, 1.0, 50.0):
            result = solve(X, y, loss, penalty, norm_bound=t)
            assert result.gap <= result.tolerance, (penalty, t, result)
            assert size(penalty, result.coef) <= t * (1 + 1e-12)


@every_loss
def test_with_bounds(loss):
    X, y = data(loss)
    result = solve(X, y, loss, L1(), norm_bound=0.5, positive=True)
    assert result.gap <= result.tolerance
    assert result.coef.min() >= 0
    assert result.coef.sum() <= 0.5 * (1 + 1e-12)


def test_by_name():
    X, y = data(Squared())
    assert (
        solve(X, y, penalty="l1", norm_bound=0.5).coef.tolist()
        == solve(X, y, penalty=L1(), norm_bound=0.5).coef.tolist()
    )
    named = solve(X, y, penalty="elasticnet", l1_ratio=0.2, norm_bound=0.5)
    assert named.coef.tolist() == solve(X, y, penalty=L1L2(0.2, 0.8), norm_bound=0.5).coef.tolist()
    assert solve(X, y, penalty="l1").alpha is None


def test_what_is_refused():
    X, y = data(Squared())
    for wrong in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="norm_bound must be a finite number >= 0"):
            solve(X, y, penalty="l1", norm_bound=wrong)
    for wrong in (True, "1", [1.0]):
        with pytest.raises(TypeError, match="norm_bound must be a number"):
            solve(X, y, penalty="l1", norm_bound=wrong)
    for rest in ({}, {"penalty": "l1", "alpha": 1.0}):
        with pytest.raises(ValueError, match="norm_bound takes a penalty and the place of alpha"):
            solve(X, y, norm_bound=1.0, **rest)
    with pytest.raises(ValueError, match="norm_bound must leave room inside of lower and upper"):
        solve(X, y, penalty="l1", norm_bound=1.0, lower=0.5)
