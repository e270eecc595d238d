"""The race's problems, small: units and origins of the data do not matter, and a repeat has the same bits."""

import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from l1l2fast import L1, path, solve

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
pytestmark = pytest.mark.skipif(not BENCHMARKS.exists(), reason="the benchmarks stay with the source tree")


@pytest.fixture(scope="module")
def course():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        from race import course

        yield course
    for name in [name for name in sys.modules if name.split(".")[0] == "race"]:
        del sys.modules[name]


MADE = {
    "wide": lambda course: course.autoregressive(80, 600, 0.5, 1),
    "corr": lambda course: course.autoregressive(60, 400, 0.95, 2),
    "gene": lambda course: course.factors(40, 500, 3),
    "tall": lambda course: course.autoregressive(900, 30, 0.5, 4),
    "sparse": lambda course: course.documents(300, 1500, 30, 5),
}
every_problem = pytest.mark.parametrize("name", MADE)


def data(course, name):
    """X and y in multiples of 2^-20, so that a shift by 1e6 loses nothing."""
    X, y = MADE[name](course)
    if not sp.issparse(X):
        return np.round(X * 2**20) / 2**20, y
    return X, y


def answers(X, y, alphas):
    """Coefficients (n_features, 2 + K), objectives and passes of two fits and a path."""
    fits = [solve(X, y, "squared", L1(alpha), tol=1e-10) for alpha in (alphas[0] / 10, alphas[0] / 100)]
    way = path(X, y, alphas=alphas, tol=1e-10)
    coef = np.column_stack([*(fit.coef for fit in fits), way.coef])
    objective = np.append([fit.objective for fit in fits], way.objective)
    gaps = [*(fit.gap / fit.tolerance for fit in fits), *(way.gap / way.tolerance)]
    assert max(gaps) <= 1
    return coef, objective, [*(fit.n_passes for fit in fits), way.n_passes]


@every_problem
def test_units_and_origins_do_not_matter(course, name):
    X, y = data(course, name)
    alphas = path(X, y, n_alphas=15, eps=0.02).alphas
    coef, objective, passes = answers(X, y, alphas)
    assert np.count_nonzero(coef[:, -1]) > 5
    cases = [(a, c, 0.0) for a, c in ((1e6, 1.0), (1e-6, 1.0), (1.0, 1e6), (1.0, 1e-6), (1e-6, 1e6))]
    for a, c, shift in cases if sp.issparse(X) else [*cases, (1.0, 1.0, 1e6)]:
        moved = X * a if sp.issparse(X) else X * a + shift
        found, value, other = answers(moved, c * y, a * c * alphas)
        np.testing.assert_array_equal(found != 0, coef != 0)
        np.testing.assert_allclose(value, c * c * objective, rtol=1e-8)
        assert max(abs(p - q) for p, q in zip(other, passes, strict=True)) <= 1


@every_problem
def test_the_same_bits_on_a_repeat_and_for_two_threads(course, name):
    X, y = data(course, name)
    alphas = path(X, y, n_alphas=15, eps=0.02).alphas
    first, again = answers(X, y, alphas), answers(X, y, alphas)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert first[2] == again[2]
    one, two = (path(X, y, alphas=alphas, tol=1e-10, n_jobs=jobs) for jobs in (1, 2))
    for part in ("coef", "intercept", "objective", "gap", "n_passes", "n_iter"):
        np.testing.assert_array_equal(getattr(one, part), getattr(two, part))
