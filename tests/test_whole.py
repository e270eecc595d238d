"""Small problems in one call: the same answers as step by step, and numpy confirms the certificate."""

import numpy as np
import pytest
import reference
import scipy.sparse as sp

from l1l2fast import Status, absolute, solve
from l1l2fast.losses import Pinball

MADE = {"C": np.ascontiguousarray, "F": np.asfortranarray, "csc": sp.csc_array}


def small(seed):
    """X, y and options: normal numbers, integers that tie, or dummies; units far apart or not."""
    rng = np.random.default_rng(seed)
    n, p, kind = rng.integers(6, 60), rng.integers(0, 5), seed % 3
    X = rng.standard_normal((n, p)) if kind == 0 else rng.integers(0, 4 if kind == 1 else 2, (n, p)).astype(float)
    X *= 10.0 ** rng.integers(-3, 4, p)
    y = X @ rng.standard_normal(p) + rng.standard_t(2, n) if kind == 0 else rng.integers(-3, 4, n)
    options = {"fit_intercept": bool(p == 0 or rng.random() < 0.7)}
    if rng.random() < 0.3:
        options["sample_weight"] = rng.integers(1, 4, n)
    if rng.random() < 0.3:
        options["offset"] = rng.standard_normal(n)
    return X, y, options


@pytest.mark.parametrize("loss", ["absolute", Pinball(0.25)], ids=str)
@pytest.mark.parametrize("seed", range(30))
def test_as_step_by_step(seed, loss, monkeypatch):
    X, y, options = small(seed)
    layout = list(MADE)[seed // 3 % 3]
    result = solve(MADE[layout](X), y, loss, **options)
    reference.check_certificate(reference.problem(X, y, loss, **options), result)
    monkeypatch.setattr(absolute, "is_tiny", lambda problem: False)
    slow = solve(X, y, loss, **options)
    assert result.objective == pytest.approx(slow.objective, rel=1e-12, abs=1e-14)
    assert result.unique == slow.unique and result.unique is not None
    assert result.status is slow.status is Status.CONVERGED
    if result.unique:
        np.testing.assert_allclose(result.coef, slow.coef, rtol=1e-9, atol=1e-12 * np.abs(slow.coef).max(initial=0))
        assert result.intercept == pytest.approx(slow.intercept, rel=1e-9, abs=1e-9)


def test_it_is_that_call(monkeypatch):
    """One minimiser takes no step beyond it; of several, the answer is as before."""
    X, y = np.array([[0.0], [1.0], [2.0], [4.0]]), np.array([0.0, 1.0, 2.5, 4.0])
    expected = solve(X, y, "absolute")
    monkeypatch.setattr(absolute, "Lines", None)
    again = solve(X, y, "absolute")
    assert again.coef == expected.coef == 1 and again.unique
    with pytest.raises(TypeError):  # two of four rows: there is a choice
        solve(np.zeros((4, 0)), [1.0, 2.0, 5.0, 9.0], "absolute")
