"""Random hostile problems of two lines without a penalty: a gap within the tolerance, or an honest status."""

import warnings

import numpy as np
import pytest
import reference

from l1l2fast import ConvergenceWarning, Status, absolute, solve
from l1l2fast.losses import Pinball

TOL = 1e-10


def columns(rng, n, p):
    """Normal, integer or binary columns, some zero, constant, equal, nearly so, or on a scale of their own."""
    kind = rng.integers(3)
    X = rng.standard_normal((n, p)) if kind == 0 else rng.integers(-2, 3 if kind == 1 else 0, (n, p)).astype(float)
    for j in range(p):
        other, event = X[:, rng.integers(p)].copy(), rng.integers(14)
        if event == 0:
            X[:, j] = 0
        elif event == 1:
            X[:, j] = 3
        elif event == 2:
            X[:, j] = other
        elif event == 3:
            X[:, j] = other - X[:, rng.integers(p)]
        elif event == 4:
            X[:, j] = np.arange(n) == rng.integers(n)  # one row of its own
    return X * 10.0 ** rng.choice([0, 0, 0, 9, -9, 3], p)


def hostile(seed):
    rng = np.random.default_rng(seed)
    p = int(rng.integers(1, 8))
    n = int(rng.choice([p, p + 1, p + 2, 2 * p + 3, 30, 60, 150]))
    X = columns(rng, n, p)
    signal = X @ (rng.standard_normal(p) / np.maximum(abs(X).max(0), 1e-300))
    noise = rng.standard_t(1, n) if rng.random() < 0.3 else rng.standard_normal(n)
    y = signal + (np.round(noise) if rng.random() < 0.5 else noise)
    if rng.random() < 0.2:
        y = np.sort(y)
    y = y * 10.0 ** rng.choice([0, 0, 9, -9])
    if rng.random() < 0.4:
        again = rng.integers(n, size=n)  # duplicated rows
        X, y = X[again], y[again]
    options = {"fit_intercept": bool(rng.random() < 0.7)}
    if rng.random() < 0.3:
        w = rng.integers(0, 3, n) * rng.choice([1.0, 0.3, 1e6], n)
        options["sample_weight"] = w if w.any() else None
    loss = "absolute" if rng.random() < 0.3 else Pinball(float(rng.choice([0.01, 0.1, 0.25, 0.5, 0.9, 0.99])))
    return X, y, loss, options


def outcome(X, y, loss, options, **more):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = solve(X, y, loss, tol=TOL, **options, **more)
    assert all(issubclass(w.category, ConvergenceWarning) for w in caught)
    assert bool(caught) == (result.gap > result.tolerance) == (result.status is not Status.CONVERGED)
    return result


@pytest.mark.parametrize("method", [None, "narrowing", "irls", "interior"])
@pytest.mark.parametrize("block", range(10))
def test_hostile(block, method, monkeypatch):
    """1000 problems as they come; fewer of them by each way that is meant for larger ones."""
    if method == "narrowing":
        monkeypatch.setattr(absolute, "FEW", 0)
    step, missed = (1 if method is None else 5), 0
    for seed in range(100 * block, 100 * block + 100, step):
        X, y, loss, options = hostile(seed)
        try:
            result = outcome(X, y, loss, options, method=None if method == "narrowing" else method)
            pb = reference.problem(X, y, loss, **options)
            if result.status is Status.CONVERGED:
                reference.check_certificate(pb, result)
            else:
                missed += 1
                assert result.objective <= reference.null_objective(pb) * (1 + 1e-9)
            if method is None and seed % 3 == 0:
                best = reference.solve(pb).objective
                assert result.objective - best <= result.gap + 1e-9 * reference.null_objective(pb)
        except Exception as error:
            error.add_note(f"seed {seed}: {X.shape}, {loss}, {options}")
            raise
    assert missed == 0
