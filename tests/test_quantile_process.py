"""Many quantiles at once: the answers of separate fits and of HiGHS, every breakpoint, and no crossing."""

import doctest

import numpy as np
import pytest
import scipy.sparse as sp
from data import FOLDER, load
from scipy.optimize import linprog

from l1l2fast import L1, L1L2, L2, Pinball, absolute, quantile_process, solve

TAUS = np.array([0.05, 0.2, 0.25, 0.5, 0.6, 0.9, 0.95])


def scattered(n=301, p=4, seed=0):
    """Rows whose spread depends on the second column."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X[:, 0] + 3 + (1 + 0.5 * np.abs(X[:, 1])) * rng.standard_t(3, n)


def together(X, y, taus, weight=None, crossing=True):
    """The least sum of all check losses, without crossing at the rows unless that is allowed: a linear programme."""
    n, K = len(y), len(taus)
    weight = np.full(n, 1 / n) if weight is None else weight / weight.sum()
    Z = np.column_stack([X, np.ones(n)])
    k = Z.shape[1]
    c = np.r_[np.zeros(K * k), np.outer(taus, weight).ravel(), np.outer(1 - taus, weight).ravel()]
    equal = sp.hstack([sp.block_diag([Z] * K), sp.eye_array(K * n), -sp.eye_array(K * n)])
    below = sp.hstack(
        [sp.kron(sp.eye_array(K - 1, K) - sp.eye_array(K - 1, K, k=1), Z), sp.csr_array(((K - 1) * n, 2 * K * n))]
    )
    rules = {} if crossing else {"A_ub": below, "b_ub": np.zeros((K - 1) * n)}
    box = [(None, None)] * (K * k) + [(0, None)] * (2 * K * n)
    return linprog(c, A_eq=equal, b_eq=np.tile(y, K), bounds=box, **rules).fun


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("penalty", [None, L1(0.05), L2(0.1), L1L2(0.02, 0.1)], ids=str)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"fit_intercept": False, "offset": np.linspace(0, 1, 301)},
        {"sample_weight": np.arange(301) % 4, "penalty_factor": [1, 0, 2, np.inf]},
        {"lower": -0.1, "upper": 0.8},
        {"standardize": True, "positive": True},
    ],
    ids=lambda settings: "-".join(settings) or "plain",
)
def test_answers_are_those_of_separate_fits(settings, penalty, small, monkeypatch):
    X, y = scattered()
    if not small:  # with a band of rows, and Newton steps to it
        monkeypatch.setattr(absolute, "SMALL", 0)
    process = quantile_process(X, y, TAUS[::-1], penalty=penalty, tol=1e-12, **settings)
    assert process.taus.tolist() == TAUS.tolist()
    assert process.breaks is None
    assert (process.gap <= process.tolerance).all()
    fits = [solve(X, y, Pinball(tau), penalty, tol=1e-12, **settings) for tau in TAUS]
    np.testing.assert_allclose(process.objective, [fit.objective for fit in fits], rtol=1e-11)
    np.testing.assert_allclose(process.coef, [fit.coef for fit in fits], atol=1e-6)
    np.testing.assert_allclose(process.intercept, [fit.intercept for fit in fits], atol=1e-6)
    np.testing.assert_allclose(process.tolerance, [fit.tolerance for fit in fits], rtol=1e-9)
    np.testing.assert_allclose(process.predict(X)[:, 1], fits[1].predict(X), atol=1e-6)


def test_the_sum_is_that_of_highs():
    X, y = scattered(80, 3)
    weight = np.random.default_rng(1).uniform(0.1, 2, 80)
    process = quantile_process(X, y, TAUS, sample_weight=weight)
    assert process.objective.sum() == pytest.approx(together(X, y, TAUS, weight), rel=1e-10)


def test_neighbours_save_passes():
    X, y = scattered(30_000, 5)
    taus = np.arange(1, 20) / 20
    for penalty in (None, L2(0.1)):
        process = quantile_process(sp.csc_array(X), y, taus, penalty=penalty)
        fits = [solve(X, y, Pinball(tau), penalty) for tau in taus]
        np.testing.assert_allclose(process.coef, [fit.coef for fit in fits], atol=1e-9)
        # alone, each looks at samples instead, whose passes are not counted
        assert process.n_passes <= 1.1 * sum(fit.n_passes for fit in fits)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"sample_weight": np.arange(60) % 3},
        {"fit_intercept": False},
        {"penalty": L1(0.1)},
        {"penalty": L1(0.1), "penalty_factor": [1, 0, 2], "standardize": True},
    ],
    ids=lambda settings: "-".join(settings) or "plain",
)
@pytest.mark.parametrize("kind", ["real", "ties", "collinear"])
def test_every_breakpoint(kind, settings, seed):
    X, y = scattered(60, 3, seed)
    if kind != "real":
        X, y = np.round(X), np.round(y)
    if kind == "collinear":
        X[:, 2] = X[:, 0]
    process = quantile_process(X, y, **settings)
    assert process.breaks[0] == 0 and process.breaks[-1] == 1
    assert (np.diff(process.breaks) > 0).all()
    assert (process.gap <= 1e-12).all()
    rng = np.random.default_rng(seed)
    for tau in [*process.taus[1:-1:9], *process.breaks[1:-1:9], *rng.uniform(0.01, 0.99, 5)]:
        penalty = settings.get("penalty")
        fit = solve(X, y, Pinball(tau), **settings)
        k = min(np.searchsorted(process.breaks, tau, "right"), len(process)) - 1
        again = solve(
            X, y, Pinball(tau), **settings, lower=process.coef[k], upper=process.coef[k]
        )  # what these coefficients cost
        assert again.objective == pytest.approx(fit.objective, rel=1e-7), (tau, penalty)
        if fit.unique and abs(tau - process.breaks).min() > 1e-6:
            np.testing.assert_allclose(process.coef[k], fit.coef, atol=1e-9)
            np.testing.assert_allclose(process.intercept[k], fit.intercept, atol=1e-9)


def test_breakpoints_of_order_statistics():
    """Without columns, the segments are the sorted values."""
    y = np.array([3.0, 1.0, 2.0, 2.0, 9.0])
    process = quantile_process(np.empty((5, 0)), y)
    np.testing.assert_allclose(process.breaks, [0, 0.2, 0.6, 0.8, 1], atol=1e-15)
    assert process.intercept.tolist() == [1, 2, 3, 9]
    assert process.predict(np.empty((2, 0)), [0.0, 0.1, 0.5, 0.7, 1.0]).tolist() == [[1, 1, 2, 3, 9]] * 2


@pytest.mark.parametrize("name", ["engel", "barro", "stackloss"])
def test_breakpoints_are_those_of_rq(name):
    """R's rq(tau = -1); with ties it also lists changes of the basis that leave the coefficients as they are."""
    lines = [line.split() for line in (FOLDER / "quantreg.txt").read_text("utf-8").splitlines()]
    (known,) = (np.array(line[4:], float) for line in lines if line[0] == "process" and line[2] == name)
    data = load(name)
    process = quantile_process(data.X, data.y)
    missing = np.abs(process.breaks[:, None] - known).min(axis=1) > 1e-9
    assert not missing.any()
    assert len(process) + 1 == {"engel": 268, "barro": len(known), "stackloss": 23}[name]
    b = np.column_stack([process.intercept, process.coef])
    assert np.abs(np.diff(b, axis=0)).max(axis=1).min() > 1e-7 * np.abs(b).max()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n", [40, 300])
def test_curves_that_do_not_cross(n, seed, monkeypatch):
    X, y = scattered(n, 4, seed)
    taus, weight = np.arange(1, 10) / 10, np.random.default_rng(seed).uniform(0.2, 2, n)
    free = quantile_process(X, y, taus, sample_weight=weight)
    assert (np.diff(free.predict(X)) < -1e-3).any()
    process = quantile_process(X, y, taus, sample_weight=weight, non_crossing=True)
    assert (np.diff(process.predict(X)) > -1e-12).all()
    wanted = together(X, y, taus, weight, crossing=False)
    assert process.objective.sum() == pytest.approx(wanted, rel=1e-10)
    assert process.gap.sum() < 1e-13
    monkeypatch.setattr("l1l2fast.ordered.WHOLE", 0)  # the same from a band of rows
    again = quantile_process(X, y, taus, sample_weight=weight, non_crossing=True)
    assert again.objective.sum() == pytest.approx(wanted, rel=1e-10)


def test_rearranged_predictions_do_not_cross():
    X, y = scattered(40)
    process = quantile_process(X, y, np.arange(1, 10) / 10)
    new = 3 * np.random.default_rng(1).standard_normal((50, 4))
    assert (np.diff(process.predict(new)) < 0).any()
    sorted_ = process.predict(new, rearranged=True)
    assert (np.diff(sorted_) >= 0).all()
    assert np.array_equal(np.sort(process.predict(new)), sorted_)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"taus": [0.5, 1.0]}, "taus must hold numbers from"),
        ({"taus": []}, "taus must hold"),
        ({"taus": "half"}, "taus must"),
        ({"non_crossing": True}, "non_crossing goes with given taus"),
        ({"penalty": L2(0.1)}, "taus=None"),
        ({"positive": True}, "taus=None"),
        ({"taus": [0.5], "non_crossing": True, "penalty": L1(0.1)}, "non_crossing=True goes with no penalty"),
        ({"taus": [0.5], "tol": -1}, "tol must"),
    ],
)
def test_refused(arguments, message):
    X, y = scattered(30)
    with pytest.raises((ValueError, TypeError), match=message):
        quantile_process(X, y, **arguments)


def test_predict_refuses():
    X, y = scattered(30)
    process = quantile_process(X, y, [0.5])
    with pytest.raises(ValueError, match="X must have shape"):
        process.predict(X[:, :2])
    with pytest.raises(ValueError, match="taus goes with the exact process"):
        process.predict(X, [0.5])
    assert "1 quantiles from 0.5 to 0.5" in repr(process)
    assert process.status[0].value == "converged"


def test_example():
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    (example,) = finder.find(quantile_process.__wrapped__, "quantile_process", globs={})
    assert example.examples
    assert runner.run(example).failed == 0
