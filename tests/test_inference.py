"""Standard errors and confidence intervals of quantile fits: R's quantreg, brute force and simulation."""

import doctest
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from data import FOLDER, load
from scipy.optimize import linprog
from scipy.stats import t as student

from l1l2fast import L1, Inference, Pinball, inference, solve

JUDGED = [line.split() for line in (FOLDER / "quantreg.txt").read_text("utf-8").splitlines() if line[0] != "#"]
FITS = [(name, float(tau), np.array(rest, float)) for kind, name, tau, *rest in JUDGED if kind == "fit"]
ERRORS = {
    (kind, how, name, float(tau)): np.array(rest, float) for kind, how, name, tau, *rest in JUDGED if kind != "fit"
}
KINDS = ("iid", "nid", "ker", "rank", "bootstrap")
# Of integers, many residuals are zero at once. There the limit depends on which row comes in first, and quantreg
# stops between two of them; the limits of these are those of brute force, below.
TIED = {("rank-lower", 0.5, 1), ("rank-upper", 0.75, 3), ("rank-nid-upper", 0.75, 2)}


def read(name):
    """X and y as R had them."""
    data = load(name)
    return (data.X[:, :-1] if name == "prostate" else data.X), data.y


def noisy(n=200, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 2)) * [1.0, 10.0] + [0.0, 3.0]
    return X, 1 + X[:, 0] + (1 + 0.5 * np.abs(X[:, 0])) * rng.standard_normal(n)


@pytest.mark.parametrize("name, tau, wanted", FITS, ids=lambda value: str(value) if np.ndim(value) == 0 else "")
def test_fits_are_those_of_rq(name, tau, wanted):
    X, y = read(name)
    result = solve(X, y, Pinball(tau), tol=1e-12)
    assert result.objective * len(y) == pytest.approx(wanted[0], rel=2e-10)
    found = np.append(result.intercept, result.coef)
    np.testing.assert_allclose(found, wanted[1:], rtol=2e-9, atol=1e-12 * np.abs(found).max())


@pytest.mark.parametrize("case", [case for case in ERRORS if case[0] in ("nid", "ker")], ids=str)
def test_standard_errors_are_those_of_summary_rq(case):
    kind, how, name, tau = case
    X, y = read(name)
    weight = 1 + np.arange(1, len(y) + 1) % 3 / 2 if how == "weighted" else None
    found = inference(solve(X, y, Pinball(tau), sample_weight=weight, tol=1e-12), kind)
    np.testing.assert_allclose(found.std_err, ERRORS[case], rtol=3e-7)


@pytest.mark.parametrize("case", [case for case in ERRORS if case[0].startswith("rank")], ids=str)
def test_rank_limits_are_those_of_summary_rq(case):
    kind, _, name, tau = case
    X, y = read(name)
    side = kind.rpartition("-")[2]
    found = inference(solve(X, y, Pinball(tau)), "rank", iid="nid" not in kind)
    same = [name != "stackloss" or (kind, tau, j) not in TIED for j in range(len(found.coef))]
    np.testing.assert_allclose(getattr(found, side)[same], ERRORS[case][same], rtol=1e-7)
    assert np.isnan(found.std_err).all()


@pytest.mark.parametrize("case", [case for case in ERRORS if case[0] == "iid" and case[2] != "stackloss"], ids=str)
def test_iid_is_near_summary_rq(case):
    """Another estimate of the same sparsity: there a line through the residuals near the quantile."""
    X, y = read(case[2])
    found = inference(solve(X, y, Pinball(case[3])), "iid").std_err
    np.testing.assert_allclose(found, ERRORS[case], rtol=0.2)
    assert np.ptp(found / ERRORS[case]) < 1e-8


def test_iid_by_hand():
    X, y = noisy()
    for tau in (0.3, 0.5):
        result = solve(X, y, Pinball(tau))
        found = inference(result, "iid", bandwidth=0.1)
        r = np.sort(y - result.predict(X))
        r = r[np.abs(r) > 1e-10]
        assert len(r) == 197
        sparsity = np.diff(np.quantile(r, [tau - 0.1, tau + 0.1]))[0] / 0.2
        Z = np.column_stack([np.ones(200), X])
        np.testing.assert_allclose(found.cov, tau * (1 - tau) * sparsity**2 * np.linalg.inv(Z.T @ Z), rtol=1e-9)
        np.testing.assert_allclose(found.std_err**2, found.cov.diagonal())
        np.testing.assert_allclose(found.p_value, 2 * student.sf(abs(found.t), 197), rtol=1e-9)
        reach = student.ppf(0.975, 197) * found.std_err
        np.testing.assert_allclose([found.lower, found.upper], [found.coef - reach, found.coef + reach])


def test_bandwidths():
    """Koenker (2005), section 4.10.1; quantreg's bandwidth.rq for the first two."""
    X, y = read("engel")
    result = solve(X, y, "absolute")
    assert inference(result, "iid").bandwidth == pytest.approx(0.15743933142)
    assert inference(result, "iid", bandwidth="bofinger").bandwidth == pytest.approx(0.217348667977)
    assert inference(solve(X, y, Pinball(0.05)), "nid", bandwidth=0.12).bandwidth == 0.03


def profile(Z, y, tau, j, xi):
    """The least check loss with coefficient j at xi."""
    rest, n = np.delete(Z, j, axis=1), len(y)
    k = rest.shape[1]
    cost = np.r_[np.zeros(k), np.full(n, tau), np.full(n, 1 - tau)]
    box = [(None, None)] * k + [(0, None)] * (2 * n)
    return linprog(cost, A_eq=np.hstack([rest, np.eye(n), -np.eye(n)]), b_eq=y - xi * Z[:, j], bounds=box).fun


@pytest.mark.parametrize("kind, tau, j", [("rank-lower", 0.5, 1), ("rank-upper", 0.75, 3), ("rank-upper", 0.5, 2)])
def test_rank_limits_by_brute_force(kind, tau, j):
    """The statistic is the slope of the profile; its jump at the critical value, and the jump before, by bisection."""
    X, y = read("stackloss")
    Z = np.column_stack([np.ones(21), X])
    found = inference(solve(X, y, Pinball(tau)), "rank")
    way, limit = (-1, found.lower[j]) if "lower" in kind else (1, found.upper[j])
    unit = np.sqrt(tau * (1 - tau) / np.linalg.inv(Z.T @ Z)[j, j])
    span = abs(limit - found.coef[j])

    def statistic(xi, step=1e-7):
        step *= span
        return (profile(Z, y, tau, j, xi + step) - profile(Z, y, tau, j, xi - step)) / (2 * step) / unit

    def jump(low, high, value):
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if way * statistic(middle) <= value + 1e-5 else (low, middle)
        return low

    critical = student.ppf(0.975, 17)
    outer = jump(found.coef[j], limit + way * span, critical)
    inside, beyond = (way * statistic(outer + way * shift * span) for shift in (-1e-4, 1e-4))
    assert inside < critical < beyond
    inner = jump(found.coef[j], outer - way * 1e-4 * span, inside - 1e-3)
    wanted = inner + (critical - inside) / (beyond - inside) * (outer - inner)
    assert limit == pytest.approx(wanted, abs=1e-4 * span)


def test_rank_limits_from_a_band_are_those_from_all_rows(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5000, 3))
    y = X[:, 0] + rng.standard_t(3, 5000)
    result = solve(X, y, Pinball(0.7))
    band = inference(result, "rank")
    monkeypatch.setattr("l1l2fast.rank_inversion.ROOM", 10**6)
    every = inference(result, "rank")
    np.testing.assert_allclose([band.lower, band.upper], [every.lower, every.upper], rtol=1e-9)
    assert ((band.lower < result_of(result)) & (result_of(result) < band.upper)).all()


def result_of(result):
    return np.append(result.intercept, result.coef)


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_cover(kind):
    """60 samples: the true slope is in about 90 % of the intervals, within what chance allows."""
    inside = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        X = rng.uniform(-1, 1, (150, 1))
        y = 1 + 2 * X[:, 0] + rng.standard_normal(150)
        found = inference(solve(X, y, Pinball(0.4)), kind, level=0.9, n_boot=60)
        inside += found.lower[1] <= 2 <= found.upper[1]
    assert 47 <= inside <= 60


@pytest.mark.parametrize("kind", KINDS)
def test_equivariance(kind):
    """X and y in other units: coefficients, errors and limits in those units, the same t."""
    X, y = noisy()
    one = inference(solve(X, y, Pinball(0.6)), kind, n_boot=20)
    other = inference(solve(1e-3 * X, 1e6 * y + 5e6, Pinball(0.6)), kind, n_boot=20)
    for name in ("lower", "upper", *(() if kind == "rank" else ("std_err",))):
        mine, wanted = getattr(other, name), 1e6 * getattr(one, name) * [1, 1e3, 1e3]
        np.testing.assert_allclose(mine - [5e6 * (name != "std_err"), 0, 0], wanted, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_sparse_x_and_rows_of_weight_zero(kind):
    from scipy import sparse

    X, y = noisy()
    weight = np.where(np.arange(200) % 4 > 0, 2.0, 0.0)
    one = inference(solve(sparse.csc_array(X), y, Pinball(0.6), sample_weight=weight), kind, n_boot=20)
    other = inference(solve(X[weight > 0], y[weight > 0], Pinball(0.6)), kind, n_boot=20)
    assert one.n == other.n == 150
    np.testing.assert_allclose([one.lower, one.upper], [other.lower, other.upper], rtol=1e-6)


def test_without_an_intercept():
    X, y = noisy()
    found = inference(solve(X, y, "absolute", fit_intercept=False), "ker")
    named = inference(solve(np.column_stack([np.ones(200), X]), y, "absolute", fit_intercept=False), "nid")
    both = inference(solve(X, y, "absolute"), "nid")
    assert found.names == ["x1", "x2"]
    np.testing.assert_allclose(named.std_err, both.std_err, rtol=1e-8)


def test_bootstrap_is_seeded_and_threads_do_not_matter():
    X, y = noisy()
    result = solve(X, y, "absolute")
    one, two, other = (
        inference(result, "bootstrap", n_boot=30, random_state=seed, n_jobs=jobs)
        for seed, jobs in ((3, 1), (3, 2), (4, 1))
    )
    assert np.array_equal(one.cov, two.cov)
    assert np.array_equal(one.lower, two.lower)
    assert not np.array_equal(one.cov, other.cov)
    wide = inference(result, "bootstrap", n_boot=400)
    np.testing.assert_allclose(wide.std_err, inference(result, "nid").std_err, rtol=0.5)


def test_the_table():
    X, y = read("engel")
    found = inference(solve(X, y, "absolute"), names=["income"])
    assert isinstance(found, Inference)
    lines = str(found).splitlines()
    assert lines[0] == "Quantile 0.5, 235 rows, 233 degrees of freedom"
    assert lines[2].split() == ["coef", "std", "err", "t", "P>|t|", "[0.025", "0.975]"]
    assert lines[3].split() == ["Intercept", "81.482", "19.25", "4.233", "0.000", "43.555", "119.41"]
    assert lines[4].split() == ["income", "0.56018", "0.02828", "19.810", "0.000", "0.50447", "0.61589"]
    assert len({len(line) for line in lines[2:]}) == 1
    rank = str(inference(solve(X, y, "absolute"), "rank", level=0.9)).splitlines()
    assert rank[2].split() == ["coef", "[0.05", "0.95]"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"kind": "robust"}, "kind must be one of"),
        ({"level": 1.5}, "level must"),
        ({"bandwidth": "silverman"}, "bandwidth must be one of"),
        ({"bandwidth": 0.0}, "bandwidth must be > 0"),
        ({"bandwidth": 0.7}, "bandwidth must be"),
        ({"names": ["a"]}, "names must hold 2"),
        ({"kind": "bootstrap", "n_boot": 1}, "n_boot must"),
    ],
)
def test_refused(arguments, message):
    X, y = noisy()
    with pytest.raises(ValueError, match=message):
        inference(solve(X, y, "absolute"), **arguments)


def test_results_that_are_refused():
    X, y = noisy()
    fit = solve(X, y, "absolute")
    with pytest.raises(ValueError, match="data behind"):
        inference(pickle.loads(pickle.dumps(fit)))
    with pytest.raises(TypeError, match="Result of solve"):
        inference(fit.coef)
    for other in (solve(X, y), solve(X, y, "absolute", L1(0.1)), solve(X, y, "absolute", positive=True)):
        with pytest.raises(ValueError, match="without penalty and bounds"):
            inference(other)
    with pytest.raises(ValueError, match="more rows than coefficients"):
        inference(solve(X[:3], y[:3], "absolute"))
    for wrong in (np.column_stack([X, X[:, 0] - X[:, 1]]), np.column_stack([X, np.ones(200)])):
        with pytest.raises(ValueError, match="neither constant nor combinations"):
            inference(solve(wrong, y, "absolute"))


def test_ties():
    """Where the response has few values, quantiles may be equal: no density, or no spread at all."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 2))
    fit = solve(X, np.repeat([0.0, 1.0], [50, 10]), "absolute")
    assert inference(fit, "iid", bandwidth=0.1).std_err.tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="bandwidth must be larger"):
        inference(fit, "nid", bandwidth=0.1)
    counts = rng.integers(0, 4, 60).astype(float)
    for kind in KINDS:
        found = inference(solve(np.round(X), counts, "absolute"), kind, n_boot=20)
        assert (found.lower <= found.upper).all()


def test_scipy_stats_is_not_imported():
    code = "import sys, l1l2fast; assert 'scipy.stats' not in sys.modules"
    subprocess.run([sys.executable, "-P", "-c", code], check=True, env=os.environ)


def test_example():
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    (example,) = finder.find(inference, "inference", globs={})
    assert example.examples
    assert runner.run(example).failed == 0
