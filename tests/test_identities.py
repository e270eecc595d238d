"""What ties cells to each other: rotations of X, the pinball loss at one half, and gaps at sizes beyond the judges'."""

import numpy as np
import pytest
from cells import quiet_solve
from data import random_problem

from l1l2fast import L1, L1L2, L2, Group
from l1l2fast.losses import Absolute, Huber, Logistic, Pinball, Squared

LOSSES = [Squared(), Absolute(), Pinball(0.3), Huber(0.5), Logistic()]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=str)


def data(loss, n, p, seed=0):
    X, y = random_problem(seed, n, p)
    return X, np.where(y > np.median(y), 1.0, -1.0) if isinstance(loss, Logistic) else y


@pytest.mark.parametrize("n, p", [(60, 8), (30, 50)])
@every_loss
def test_rotating_X_changes_the_answers_of_L1_alone(loss, n, p):
    X, y = data(loss, n, p)
    Q = np.linalg.qr(np.random.default_rng(1).standard_normal((p, p)))[0]
    for penalty in L2(0.1), Group(0.1):
        plain = quiet_solve(X, y, loss, penalty, tol=1e-12)
        turned = quiet_solve(X @ Q, y, loss, penalty, tol=1e-12)
        np.testing.assert_allclose(X @ Q @ turned.coef, X @ plain.coef, atol=2e-5)
        np.testing.assert_allclose(Q @ turned.coef, plain.coef, atol=2e-5)
    plain, turned = (quiet_solve(A, y, loss, L1(0.1), tol=1e-10) for A in (X, X @ Q))
    assert abs(X @ Q @ turned.coef - X @ plain.coef).max() > 0.01
    assert turned.objective != pytest.approx(plain.objective, rel=1e-3)


@pytest.mark.parametrize(
    "penalty", [None, L1(0.05), L2(0.1), L1L2(0.03, 0.1), Group(0.05, [0, 0, 1, 1, 2, 2])], ids=str
)
def test_the_pinball_loss_at_one_half_is_half_of_the_absolute_one(penalty):
    X, y = data(Absolute(), 41, 6)
    half = quiet_solve(X, y, Pinball(0.5), penalty, tol=1e-11)
    double = None
    if isinstance(penalty, Group):
        double = Group(2 * penalty.alpha, penalty.groups)
    elif penalty is not None:
        double = type(penalty)(*(2 * value for value in penalty.parameters().values()))
    whole = quiet_solve(X, y, Absolute(), double, tol=1e-11)
    assert whole.objective == pytest.approx(2 * half.objective, rel=1e-10)
    np.testing.assert_allclose(whole.coef, half.coef, atol=1e-6)


@pytest.mark.parametrize("n, p", [(2000, 200), (200, 2000)])
@pytest.mark.parametrize("penalty", [None, L1(0.02), L2(0.1), L1L2(0.02, 0.02), "Group"], ids=str)
@every_loss
def test_a_gap_of_1e_9_at_larger_sizes(loss, penalty, n, p):
    """Huber and logistic without groups are in test_smooth.py."""
    if penalty == "Group":
        penalty = Group(0.05, np.arange(p) // 5)
    elif isinstance(loss, Huber | Logistic):
        return
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    y = X[:, :10].sum(axis=1) + 2 * rng.standard_normal(n)
    y = np.where(y > np.median(y), 1.0, -1.0) if isinstance(loss, Logistic) else y
    result = quiet_solve(X, y, loss, penalty, tol=1e-9)
    assert result.gap <= result.tolerance
