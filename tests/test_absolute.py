"""The band of rows of the absolute loss: however few rows it starts with, the answer is exact on all of them."""

import numpy as np
import pytest

from l1l2fast import L1, L2, Status, absolute, solve


@pytest.mark.parametrize("penalty", [None, L1(0.05), L2(0.1)], ids=str)
def test_a_band_that_starts_too_narrow(penalty, monkeypatch):
    """As many rows as coefficients: the small problem is unbounded or its rows change side, and it is widened."""
    asked, upper = [], 9.0 if isinstance(penalty, L1) else None  # by itself, L1 goes another way (`priced`)
    use, nearest, width = absolute.Lines.use, absolute.Lines.nearest, absolute.width

    def narrow(lines, used):
        use(lines, used)
        lines.room = lines.k

    def noted(lines, r, room):
        asked.append(room)
        return nearest(lines, r, room)

    monkeypatch.setattr(absolute, "SMALL", 0)
    monkeypatch.setattr(absolute.Lines, "nearest", noted)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((600, 4))
        y = X @ [1.0, 2.0, 3.0, 4.0] + rng.standard_t(2, 600)
        monkeypatch.setattr(absolute.Lines, "use", use)
        monkeypatch.setattr(absolute, "width", width)
        wide = solve(X, y, "absolute", penalty, upper=upper, tol=1e-10)
        monkeypatch.setattr(absolute.Lines, "use", narrow)
        monkeypatch.setattr(absolute, "width", lambda n, k, before: k)
        result = solve(X, y, "absolute", penalty, upper=upper, tol=1e-10)
        assert result.status is Status.CONVERGED
        assert result.objective == pytest.approx(wide.objective, rel=1e-12)
    assert min(asked) == 5 < max(asked[1:])
