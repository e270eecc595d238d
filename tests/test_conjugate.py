"""Conjugate gradients on the support, against a linear system; and the fits that they make possible."""

import numpy as np
import pytest
import scipy.sparse as sp
from cells import quiet_solve

from l1l2fast import L1, L1L2, parabola, smooth
from l1l2fast._conjugate import support_step
from l1l2fast._dense import DenseF
from l1l2fast._sparse import Sparse


def texts(seed, n, p):
    """A sparse X with columns of very different frequency that go together, and two classes."""
    rng = np.random.default_rng(seed)
    topics = rng.random((n, 5)) ** 4 @ rng.random((5, p)) ** 4
    X = sp.csc_array(np.where(rng.random((n, p)) < np.minimum(topics, 0.9), 1 + rng.random((n, p)), 0.0))
    score = X @ (rng.standard_normal(p) * (rng.random(p) < 0.2))
    return X, np.where(score + rng.standard_normal(n) > np.median(score), 1.0, -1.0)


@pytest.mark.parametrize("store", [Sparse, lambda X: DenseF(np.asfortranarray(X.toarray()))], ids=["csc", "F"])
@pytest.mark.parametrize("penalty", [L1(0.01), L1L2(0.005, 0.1)], ids=str)
def test_one_step_solves_the_system_of_the_support(store, penalty):
    X, y = texts(0, 80, 30)
    w = np.random.default_rng(1).random(80)
    w /= w.sum()
    dense, columns = X.toarray(), store(X)
    mean = w @ dense
    columns.mean[:] = mean
    dense = dense - mean
    square = w @ dense**2
    which = np.arange(0, 30, 2)
    l1, l2 = penalty.elastic()
    A, factor = dense[:, which], np.full(30, 2.0)
    # a start whose solution has the same signs: the step is not cut
    G = A.T @ (w[:, None] * A) + 2 * l2 * np.eye(len(which))
    sign = np.sign(np.linalg.solve(G, A.T @ (w * y)))
    expected = np.linalg.solve(G, A.T @ (w * y) - 2 * l1 * sign)
    kept = sign == np.sign(expected)
    which, A, sign = which[kept], A[:, kept], sign[kept]
    G = G[np.ix_(kept, kept)]
    expected = np.linalg.solve(G, A.T @ (w * y) - 2 * l1 * sign)
    assert (np.sign(expected) == sign).all() and len(which) > 5
    b = np.zeros(30)
    b[which] = 0.1 * sign
    v = w * (y - dense @ b)
    everywhere = np.full(30, np.inf)
    count, fall = support_step(columns, which, w, v, b, square, penalty, factor, -everywhere, everywhere, 1e-24, 200)
    assert count < 200 and fall > 0
    np.testing.assert_allclose(b[which], expected, rtol=1e-8, atol=1e-10)
    # v is w (y - X~b) up to a multiple of w
    apart = v - w * (y - dense @ b)
    np.testing.assert_allclose(apart / w, (apart / w)[0], atol=1e-12)


def test_a_step_stops_at_zero_and_at_bounds_and_still_goes_down():
    X, y = texts(2, 60, 20)
    w, which = np.full(60, 1 / 60), np.arange(20)
    dense = X.toarray()
    b, square = np.full(20, 0.5), w @ dense**2
    v, lower, upper = w * (y - dense @ b), np.full(20, -np.inf), np.full(20, 0.6)

    def objective(b):
        return w @ (y - dense @ b) ** 2 / 2 + 0.01 * abs(b).sum()

    before = objective(b)
    _, fall = support_step(Sparse(X), which, w, v, b, square, L1(0.01), np.ones(20), lower, upper, 1e-12, 100)
    assert (b >= 0).all() and (b <= 0.6).all() and fall > 0
    assert before - objective(b) == pytest.approx(fall, rel=1e-9)
    np.testing.assert_allclose(v, w * (y - dense @ b), atol=1e-14)


def test_where_some_are_stopped_the_others_are_solved_for():
    X, _ = texts(2, 60, 20)
    w, which, factor = np.full(60, 1 / 60), np.arange(20), np.ones(20)
    dense, everywhere = X.toarray(), np.full(20, np.inf)
    b, square = np.full(20, 0.5), w @ dense**2
    y = dense @ np.where(which % 5 == 0, -0.5, 1.0)
    v = w * (y - dense @ b)
    support_step(Sparse(X), which, w, v, b, square, L1(0.01), factor, -everywhere, everywhere, 1e-24, 1000)
    inside = b != 0
    np.testing.assert_array_equal(~inside, which % 5 == 0)  # the solution of all of them would have crossed zero there
    np.testing.assert_allclose(dense[:, inside].T @ (w * (y - dense @ b)), 0.01, atol=1e-10)


@pytest.mark.parametrize("intercept", [True, False])
def test_sparse_logistic_without_a_gram_matrix(monkeypatch, intercept):
    X, y = texts(3, 400, 900)
    options = {"penalty": L1(0.002), "fit_intercept": intercept, "tol": 1e-9}
    dense = quiet_solve(X.toarray(), y, "logistic", **options)
    monkeypatch.setattr(parabola, "RENT", 1e-9)  # never ask for one
    monkeypatch.setattr(parabola, "FEW", 0)
    result = quiet_solve(X, y, "logistic", **options)
    assert np.count_nonzero(result.coef) > 50
    assert result.objective == pytest.approx(dense.objective, rel=3e-9)


@pytest.mark.parametrize("loss", ["huber", "logistic"])
def test_beginning_with_a_sample_of_the_rows(monkeypatch, loss):
    rng = np.random.default_rng(4)
    X = rng.standard_normal((4000, 3)) + 5
    f = X @ [1.0, -2.0, 0.5] - 4 + rng.logistic(size=4000)
    f[::50] += 100
    y = np.where(f > 0, 1.0, -1.0) if loss == "logistic" else f
    options = {"sample_weight": (np.arange(4000) % 3).astype(float), "offset": rng.standard_normal(4000)}
    for penalty in (None, L1(0.05)):
        result = quiet_solve(X, y, loss, penalty, tol=1e-11, **options)
        with monkeypatch.context() as patch:
            patch.setattr(smooth, "TALL", np.inf)
            whole = quiet_solve(X, y, loss, penalty, tol=1e-11, **options)
        np.testing.assert_allclose(result.coef, whole.coef, atol=1e-5)
        assert result.objective == pytest.approx(whole.objective, rel=1e-11)
