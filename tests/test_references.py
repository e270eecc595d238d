"""Answers that nobody here made: published, certified, or by hand. b0 stands first."""

import math

import numpy as np
import pytest
import reference
from data import NIST, load, load_diabetes, load_nist, load_prostate

from l1l2fast import L1, L1L2, L2, Status, solve

EPS = np.finfo(float).eps


def coefficients(result):
    assert result.status is Status.CONVERGED
    return np.append(result.intercept, result.coef)


def digits(found, true):
    """The number of correct significant digits, of the worst coefficient."""
    error = np.max(abs(np.asarray(found) - true) / abs(np.asarray(true)))
    return 17 if error == 0 else -math.log10(error)


# Least absolute deviations


def test_stackloss_lad():
    """R: quantreg rq(), L1pack; the optimum is a vertex and the only one."""
    data = load("stackloss")
    result = solve(data.X, data.y, loss="absolute")
    known = [-39.68985507246379, 0.8318840579710135, 0.5739130434782647, -0.06086956521739127]
    np.testing.assert_allclose(coefficients(result), known, rtol=0, atol=1e-9)
    assert np.sum(abs(data.y - result.predict(data.X)) < 1e-11) >= 4
    assert result.objective == pytest.approx(42.08115942028986 / 21, rel=1e-12)
    assert result.unique is True


def test_engel_lad():
    """The vignette of R's quantreg; twice the check loss of the exact optimum."""
    data = load("engel")
    result = solve(data.X, data.y, loss="absolute")
    assert digits(coefficients(result), [81.4822474169362, 0.5601805512094]) > 11
    assert result.objective * 235 == pytest.approx(17559.932647625697, rel=1e-13)


def test_barro_lad():
    """quantreg's own tests: coefficients times 100, to eight decimals."""
    data = load("barro")
    known = [-0.74679759, 0.46539963, 0.15902838, -36.619915]
    result = solve(data.X, data.y, loss="absolute")
    np.testing.assert_allclose(100 * coefficients(result), known, rtol=1e-8, atol=5.1e-9)


def test_median_of_four():
    """|1 - b| + |2 - b| + |5 - b| + |9 - b|: every b in [2, 5] is optimal, at 11."""
    result = solve(np.empty((4, 0)), [1, 2, 5, 9], loss="absolute")
    assert result.objective == pytest.approx(11 / 4, rel=1e-15)
    assert 2 <= result.intercept <= 5
    assert result.unique is False


def test_median_of_four_as_a_column():
    result = solve(np.ones((4, 1)), [1, 2, 5, 9], loss="absolute", fit_intercept=False)
    assert result.objective == pytest.approx(11 / 4, rel=1e-15)
    assert 2 <= result.coef[0] <= 5
    assert result.unique is False


# Least squares


def test_stackloss_least_squares():
    data = load("stackloss")
    known = [-39.919674420123961, 0.715640200485284, 1.295286124388573, -0.152122519148653]
    np.testing.assert_allclose(coefficients(solve(data.X, data.y)), known, rtol=1e-12)


def test_engel_least_squares():
    data = load("engel")
    assert digits(coefficients(solve(data.X, data.y)), [147.4753885237055, 0.4851784236769233]) > 12


# Digits out of 15: 9 for Longley and 6 for Filip are asked for; for the others, what remains of
# double precision when the condition of the scaled columns (1e3 for Wampler) is paid once on the
# data and once on the residuals, which from Wampler 3 to 5 grow from 1e1 to 1e5 times the signal.
NIST_DIGITS = {
    "norris": 11,
    "pontius": 11,
    "noint1": 13,
    "noint2": 13,
    "filip": 6,
    "longley": 9,
    "wampler1": 8,
    "wampler2": 10,
    "wampler3": 8,
    "wampler4": 7,
    "wampler5": 5,
}


@pytest.mark.parametrize("name", NIST)
def test_nist(name):
    data = load_nist(name)
    result = solve(data.X, data.y, loss="squared", fit_intercept=not name.startswith("noint"))
    assert result.status is Status.CONVERGED
    found = result.coef if name.startswith("noint") else coefficients(result)
    assert digits(found, data.certified) >= NIST_DIGITS[name]
    # Filip's predictions are sums of terms of 1e7: what rounding each of them does to the residuals, no code can undo.
    terms = abs(data.X - data.X.mean(0)) @ abs(result.coef)
    rounding = 2 * EPS * abs(data.y - result.predict(data.X)) @ terms + 1e-14 * (data.y @ data.y)
    assert 2 * len(data.y) * result.objective == pytest.approx(data.rss, rel=1e-8, abs=rounding)


def test_prostate_least_squares():
    """ESL table 3.3: three decimals, and the test error."""
    data, train = load_prostate()
    result = solve(data.X[train], data.y[train])
    known = [2.465, 0.680, 0.263, -0.141, 0.210, 0.305, -0.288, -0.021, 0.267]
    np.testing.assert_allclose(coefficients(result), known, atol=5.1e-4)
    assert np.mean((data.y[~train] - result.predict(data.X[~train])) ** 2) == pytest.approx(0.521, abs=5.1e-4)


# Penalties


def test_prostate_lasso():
    """ESL table 3.3, lambda = .20748 for RSS / 2n, after standardising (divisor n - 1) the training rows."""
    data, train = load_prostate()
    X, y = data.X[train], data.y[train]
    result = solve(X, y, penalty=L1(0.20748), penalty_factor=X.std(0, ddof=1))
    np.testing.assert_allclose(coefficients(result), [2.468, 0.533, 0.169, 0, 0.002, 0.094, 0, 0, 0], atol=5.1e-4)
    assert np.flatnonzero(result.coef).tolist() == [0, 1, 3, 4]


def test_glmnet_quickstart():
    """The glmnet vignette, s = .5: glmnet standardises by default, and stops at its own 1e-7."""
    data = load("glmnet_quickstart")
    result = solve(data.X, data.y, penalty=L1(0.5), standardize=True)
    known = {"V1": 1.0055470, "V3": 0.2677140, "V5": -0.4476485, "V6": 0.2379287, "V14": -0.8230862, "V20": -0.5553678}
    found = dict(zip(data.names, result.coef, strict=True))
    assert {name for name in data.names if found[name] != 0} == set(known)
    np.testing.assert_allclose([found[name] for name in known], list(known.values()), atol=4e-6)
    assert result.intercept == pytest.approx(0.2613110, abs=4e-6)


KNOTS = [
    ("+bmi", 949.435260384),
    ("+s5", 889.315990735),
    ("+bp", 452.900968908),
    ("+s3", 316.074052698),
    ("+sex", 130.130851302),
    ("+s6", 88.7824298155),
    ("+s1", 68.9652212024),
    ("+s4", 19.9812546781),
    ("+s2", 5.47747294605),
    ("+age", 5.0891788056),
    ("-s3", 2.18224972883),
    ("+s3", 1.31043524851),
]


@pytest.mark.parametrize("number", range(len(KNOTS)))
def test_diabetes_lasso_knots(number):
    """Efron et al. (2004): just above and just below each knot the nonzero coefficients are as listed."""
    data, support = load_diabetes(), set()
    for change, _ in KNOTS[:number]:
        (support.add if change[0] == "+" else support.remove)(change[1:])
    change, knot = KNOTS[number]
    # A coefficient that enters grows from 0 with the distance, and what it gains with the square
    # of it: at 1e-6 beside the knot, tol=1e-14 still has to see it.
    for side, then in [(1 + 1e-6, support), (1 - 1e-6, support ^ {change[1:]})]:
        result = solve(data.X, data.y, penalty=L1(knot * side / 442), tol=1e-14)
        assert result.gap <= result.tolerance
        assert {name for name, b in zip(data.names, result.coef, strict=True) if b != 0} == then


@pytest.mark.parametrize(
    "penalty, b",
    [
        (L1(0.1), 0.85),
        (L1(0.5), 0.25),
        (L1(2 / 3), 0),
        (L1L2(0.15, 0.35), (2 / 3 - 0.15) / (2 / 3 + 0.35)),
        (L1L2(0.25, 0.25), 0.45454545454545453),
        (L2(1 / 3), 2 / 3),
    ],
    ids=repr,
)
def test_three_points_by_hand(penalty, b):
    """X = y = (-1, 0, 1): b = (2/3 - l1) / (2/3 + l2)."""
    result = solve([[-1], [0], [1]], [-1, 0, 1], penalty=penalty)
    np.testing.assert_allclose(coefficients(result), [0, b], atol=1e-14)


def test_orthonormal_columns_are_soft_thresholded():
    rng = np.random.default_rng(0)
    Q, _ = np.linalg.qr(rng.standard_normal((50, 8)))
    y, alpha = rng.standard_normal(50), 0.01
    ls = Q.T @ y
    expected = np.sign(ls) * np.maximum(abs(ls) - 50 * alpha, 0)
    result = solve(Q, y, penalty=L1(alpha), fit_intercept=False)
    np.testing.assert_allclose(result.coef, expected, atol=1e-14)
    assert np.array_equal(result.coef == 0, expected == 0)
    assert 0 < np.count_nonzero(expected) < 8


def test_ridge_closed_form():
    data = load("longley")
    Xc, yc = data.X - data.X.mean(0), data.y - data.y.mean()
    coef = np.linalg.solve(Xc.T @ Xc + 10 * np.eye(6), Xc.T @ yc)
    np.testing.assert_allclose(solve(data.X, data.y, penalty=L2(10 / 16)).coef, coef, rtol=1e-9)


def test_the_objective_is_in_the_stated_convention():
    """1/W sum w l + sum v pen, weighed by hand on one row of numbers."""
    X, y, w = [[1.0], [2.0], [4.0]], [1.0, 2.0, 3.0], [1.0, 2.0, 1.0]
    for loss in ("squared", "absolute"):
        result = solve(X, y, loss, L2(0.5), sample_weight=w, penalty_factor=[2.0], fit_intercept=False)
        r = np.array(y) - np.array(X)[:, 0] * result.coef[0]
        cost = (r**2 / 2 if loss == "squared" else abs(r)) @ w / 4 + 2 * 0.5 * result.coef[0] ** 2 / 2
        assert result.objective == pytest.approx(cost, rel=1e-14)
        pb = reference.problem(np.array(X), y, loss, l2=0.5, sample_weight=w, penalty_factor=[2.0], fit_intercept=False)
        assert result.objective == pytest.approx(reference.solve(pb).objective, rel=1e-12)
