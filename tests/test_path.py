"""path against scikit-learn, the slow judge and `solve`: every alpha certified, and the same whatever the grid."""

import tracemalloc
import warnings

import numpy as np
import pytest
import reference
from cells import EPS, LAYOUTS, judge_noise, rounding_of_y, snapshot
from data import random_problem
from scipy import sparse
from sklearn import linear_model

from l1l2fast import L1, L1L2, ConvergenceWarning, Path, Status, path, solve

# Tall (one Gram matrix stands for X), all columns at once, and a working set that columns enter.
SHAPES = [(60, 8), (30, 12), (20, 40), (30, 300)]
K = 5


def quiet_path(*args, **options):
    """`path` that must certify everything, and not warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = path(*args, **options)
    assert (result.gap <= result.tolerance).all()
    return result


def check(X, y, l1_ratio=1.0, tol=1e-10, alphas=None, **options):
    """A path; every answer is held against the judge. Returns it."""
    before = snapshot(X)
    result = quiet_path(X, y, l1_ratio=l1_ratio, tol=tol, alphas=alphas, n_alphas=K, **options)
    assert snapshot(X) == before
    for alpha, b0, b, objective, gap in zip(
        result.alphas, result.intercept, result.coef.T, result.objective, result.gap, strict=True
    ):
        pb = reference.problem(X, y, "squared", alpha * l1_ratio, alpha * (1 - l1_ratio), **options)
        best, null = reference.solve(pb).objective, reference.null_objective(pb)
        noise = 64 * EPS * (null + rounding_of_y(pb))
        here = reference.objective(pb, b0, b)
        assert abs(here - objective) <= noise
        assert here - best <= gap + noise, "the gap is not a bound"
        assert here >= best - 1e-12 * null - judge_noise(pb), "better than the judge: one of the two is wrong"
        assert np.all(pb.lower <= b) and np.all(b <= pb.upper)
        assert tol * null * (1 - 1e-9) <= result.tolerance <= tol * null + noise
        assert proven(pb, b0, b) <= result.tolerance + noise
    return result


def proven(pb, b0, b):
    """The duality gap that numpy finds, with the residuals, scaled into the feasible set, as dual point."""
    r = pb.y - pb.offset - b0 - pb.X @ b
    theta = pb.c * (r - pb.c @ r if pb.intercept else r)
    u, held = pb.X.T @ theta, (pb.l2 == 0) & (pb.l1 > 0) & np.isneginf(pb.lower) & np.isposinf(pb.upper)
    theta /= max(1.0, np.max(abs(u[held]) / pb.l1[held], initial=0.0))
    size = abs(pb.y) + abs(pb.offset) + abs(b0) + abs(pb.X) @ abs(b)
    return reference.objective(pb, b0, b) - reference.dual_objective(pb, theta, size)[0]


def options_of(name, n, p):
    """Keyword arguments, by the name of a case."""
    rng = np.random.default_rng(1)
    return {
        "plain": {},
        "elastic net": {"l1_ratio": 0.5},
        "weights": {"sample_weight": np.where(rng.random(n) < 0.2, 0, rng.random(n))},
        "offset": {"offset": rng.standard_normal(n)},
        "no intercept": {"fit_intercept": False},
        "factors": {"penalty_factor": np.r_[0, np.inf, rng.random(p - 3), 0]},
        "bounds": {"lower": -0.3, "upper": 0.5},
        "bounds without 0": {"lower": 0.01, "upper": 0.5},
        "positive": {"positive": True},
        "standardize": {"standardize": True},
        "all": {
            "standardize": True,
            "l1_ratio": 0.7,
            "sample_weight": rng.random(n),
            "offset": rng.standard_normal(n),
            "penalty_factor": np.r_[0, np.inf, rng.random(p - 3), 0],
            "lower": -0.3,
        },
    }[name]


CASES = ["plain", "elastic net", "weights", "offset", "no intercept", "factors", "bounds", "bounds without 0"]
CASES += ["positive", "standardize", "all"]


@pytest.mark.parametrize("layout", ["C", "csc"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_against_the_judge(shape, case, layout):
    X, y = random_problem(3, *shape, sparse=layout == "csc")
    check(LAYOUTS[layout](X), y, **options_of(case, *shape))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_layout_of_X(shape, layout):
    """Read-only, never written to, and the answer is that of the same numbers in float64, Fortran order."""
    X, y = random_problem(4, *shape, sparse=True)
    X = X.astype(np.float32).astype(np.float64)
    stored = LAYOUTS[layout](X)
    for part in [stored.data, stored.indices, stored.indptr] if sparse.issparse(stored) else [stored]:
        part.flags.writeable = False
    here, want = check(stored, y), quiet_path(np.asfortranarray(X), y, n_alphas=K, tol=1e-14)
    np.testing.assert_allclose(here.alphas, want.alphas, rtol=1e-12)
    np.testing.assert_allclose(here.predict(X), want.predict(X), atol=2e-4 * y.std())


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_against_scikit_learn(shape, l1_ratio):
    X, y = random_problem(5, *shape)
    X = (X - X.mean(0)) / X.std(0)
    y = y - y.mean()
    result = quiet_path(X, y, l1_ratio=l1_ratio, n_alphas=20, eps=1e-2, tol=1e-13)
    alphas, coef, _ = linear_model.enet_path(X, y, l1_ratio=l1_ratio, alphas=20, eps=1e-2, tol=1e-12, max_iter=100_000)
    np.testing.assert_allclose(result.alphas, alphas, rtol=1e-12)
    np.testing.assert_allclose(result.coef, coef, atol=1e-5)
    np.testing.assert_allclose(result.intercept, 0, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"l1_ratio": 0.5}, {"standardize": True}, {"positive": True}], ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_against_solve_one_by_one(shape, options):
    X, y = random_problem(6, *shape)
    result = quiet_path(X, y, n_alphas=12, tol=1e-12, **options)
    options = dict(options)
    share = options.pop("l1_ratio", 1.0)
    for k, alpha in enumerate(result.alphas):
        penalty = L1(alpha) if share == 1 else L1L2(alpha * share, alpha * (1 - share))
        one = solve(X, y, penalty=penalty, tol=1e-12, **options)
        assert abs(one.objective - result.objective[k]) <= result.tolerance
        assert one.tolerance == pytest.approx(result.tolerance, rel=1e-12)
        np.testing.assert_allclose(result.predict(X)[:, k], one.predict(X), atol=1e-4 * y.std())


@pytest.mark.parametrize("layout", ["F", "csc"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_default_grid_begins_where_everything_is_zero(shape, layout):
    X, y = random_problem(7, *shape)
    X = LAYOUTS[layout](X)
    top = quiet_path(X, y, n_alphas=3)
    assert top.coef_csc[:, [0]].nnz == 0
    assert top.alphas[2] == pytest.approx(top.alphas[0] * (1e-3 if shape[0] >= shape[1] else 1e-2))
    assert quiet_path(X, y, alphas=top.alphas[0] * (1 - 1e-6), tol=1e-16).coef_csc.nnz == 1


def test_the_grid_begins_where_free_columns_alone_are_left():
    X, y = random_problem(7, 40, 6)
    factor = np.r_[0.0, 2.0, np.ones(4)]
    result = quiet_path(X, y, penalty_factor=factor, n_alphas=2)
    A = np.column_stack([np.ones(40), X[:, 0]])
    b0, b = np.linalg.lstsq(A, y, rcond=None)[0]
    np.testing.assert_allclose(result.coef[:, 0], [b, 0, 0, 0, 0, 0], rtol=1e-9)
    slope = abs(X.T @ (y - b0 - b * X[:, 0])) / 40
    assert result.alphas[0] == pytest.approx(max(slope[1:] / factor[1:]), rel=1e-9)


def test_the_grid_begins_where_bounds_hold_the_last_column():
    X, y = random_problem(7, 40, 6)
    slope = (X - X.mean(0)).T @ (y - y.mean()) / 40
    assert quiet_path(-X * np.sign(slope), y, positive=True).coef_csc.nnz == 0
    free = abs(slope).argsort()[-2:]
    upper = np.where(np.arange(6) == free[1], 0.0, np.inf)
    result = quiet_path(X * np.sign(slope), y, upper=upper, n_alphas=1)
    assert result.alphas[0] == pytest.approx(abs(slope[free[0]]), rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_alphas_in_any_order_come_back_descending(shape):
    X, y = random_problem(8, *shape)
    grid = quiet_path(X, y, n_alphas=30).alphas
    shuffled = quiet_path(X, y, alphas=np.random.default_rng(0).permutation(grid).tolist())
    np.testing.assert_array_equal(shuffled.alphas, grid)
    np.testing.assert_array_equal(shuffled.coef, quiet_path(X, y, alphas=grid).coef)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_few_large_and_repeated_alphas(shape):
    X, y = random_problem(9, *shape)
    top = quiet_path(X, y, n_alphas=1)
    assert len(top) == 1 and top.coef_csc.nnz == 0
    one = quiet_path(X, y, alphas=top.alphas[0] / 5, tol=1e-12)
    np.testing.assert_allclose(
        one.predict(X)[:, 0], solve(X, y, penalty=L1(one.alphas[0]), tol=1e-12).predict(X), atol=1e-4 * y.std()
    )
    above = quiet_path(X, y, alphas=top.alphas[0] * np.array([1e6, 2.0, 1.0]))
    assert above.coef_csc.nnz == 0
    twice = quiet_path(X, y, alphas=np.repeat(top.alphas[0] / np.array([2, 5]), 3), tol=1e-12)
    np.testing.assert_allclose(twice.objective[3:], one.objective[0], atol=one.tolerance)


@pytest.mark.parametrize("layout", ["F", "csc"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_alpha_0_is_least_squares(shape, layout):
    X, y = random_problem(10, *shape)
    result = quiet_path(LAYOUTS[layout](X), y, alphas=[0.1, 0.0], tol=1e-8)
    want = np.linalg.lstsq(np.column_stack([np.ones(len(y)), X]), y, rcond=None)[0]
    np.testing.assert_allclose(
        result.predict(X)[:, 1], np.column_stack([np.ones(len(y)), X]) @ want, atol=1e-3 * y.std()
    )
    if shape[0] > shape[1]:
        np.testing.assert_allclose(np.r_[result.intercept[1], result.coef[:, 1]], want, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("layout", ["F", "C", "csc"])
def test_constant_and_repeated_columns(layout):
    X, y = random_problem(11, 40, 10)
    X[:, 2], X[:, 5], X[:, 7] = 1e3, 0, X[:, 1]
    result = check(LAYOUTS[layout](X), y)
    assert not result.coef[[2, 5]].any()


@pytest.mark.parametrize("level", [0.0, 0.1, -3e5])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_constant_y(shape, level):
    X, _ = random_problem(12, *shape)
    result = quiet_path(X, np.full(shape[0], level), n_alphas=4)
    assert len(result) == 4 and result.coef_csc.nnz == 0
    np.testing.assert_allclose(result.intercept, level, rtol=1e-15)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_units_do_not_matter(shape):
    X, y = random_problem(13, *shape)
    X = X / X.std(0)
    want = quiet_path(X, y, n_alphas=20)
    for a, c in ((1e6, 1.0), (1.0, 1e-6), (1e-6, 1e6)):
        other = quiet_path(a * X, c * y, n_alphas=20)
        same_answer(want, other, a, c)
    shifted = quiet_path(X + 1e6, y, n_alphas=20)
    np.testing.assert_allclose(shifted.alphas, want.alphas, rtol=1e-8)
    assert abs(shifted.n_passes - want.n_passes) <= 1
    np.testing.assert_allclose(shifted.objective, want.objective, atol=2 * want.tolerance)


def same_answer(want, other, a, c):
    """`other` is that of a X and c y."""
    np.testing.assert_allclose(other.alphas, a * c * want.alphas, rtol=1e-10)
    np.testing.assert_array_equal(other.coef != 0, want.coef != 0)
    np.testing.assert_allclose(other.coef, c / a * want.coef, atol=1e-6 * c / a * abs(want.coef).max())
    assert abs(other.n_passes - want.n_passes) <= 1


@pytest.mark.parametrize("layout", ["F", "C", "csc", "float32"])
@pytest.mark.parametrize("shape", [*SHAPES, (300, 1500)], ids=str)
def test_the_same_bits_again_and_with_two_threads(shape, layout):
    X, y = random_problem(14, *shape)
    X = LAYOUTS[layout](X)
    one, again, two = (quiet_path(X, y, n_alphas=20, n_jobs=jobs) for jobs in (1, 1, 2))
    for other in (again, two):
        for name in ("alphas", "coef", "intercept", "objective", "gap", "n_passes", "n_iter"):
            np.testing.assert_array_equal(getattr(other, name), getattr(one, name))


def regressive(n, p, seed=0):
    """Columns of which neighbours correlate by a half, and a sparse answer."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = 0.5 * X[:, j - 1] + np.sqrt(0.75) * X[:, j]
    b = np.zeros(p)
    b[rng.permutation(p)[: max(5, p // 100)]] = rng.standard_normal(max(5, p // 100))
    return X, X @ b + rng.standard_normal(n)


def test_a_path_takes_few_passes():
    X, y = regressive(200, 2000)
    assert quiet_path(X, y).n_passes <= 20
    X, y = regressive(1000, 50)
    assert quiet_path(X, y).n_passes <= 3


@pytest.mark.parametrize("layout", ["C", "F", "float32"])
def test_memory(layout):
    """Beside X: a batch of rows of p, the Gram matrix of the working set, and the answers; X is not copied."""
    X, y = regressive(3000, 2000)
    X = LAYOUTS[layout](X)
    X.flags.writeable = False
    path(X[:, :500].copy(order="K"), y, n_alphas=2)  # what is imported late
    tracemalloc.start()
    result = quiet_path(X, y, n_alphas=30, eps=0.1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    active = np.diff(result.coef_csc.indptr).max()
    working = 1.5 * (1.5 * active + 400)  # room to grow
    assert peak <= 8 * (4 * 16 * (3000 + 2000) + 2 * working**2) + 1e5
    assert peak <= X.nbytes / 2


@pytest.mark.parametrize("tol", [0.0, 1e-30])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_warning_exactly_if_a_gap_is_above_its_tolerance(shape, tol):
    X, y = random_problem(15, *shape)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = path(X, y, n_alphas=6, tol=tol)
    assert len(caught) == bool((result.gap > result.tolerance).any())
    assert all(found.category is ConvergenceWarning and found.filename == __file__ for found in caught)
    for status, gap in zip(result.status, result.gap, strict=True):
        assert (status is Status.CONVERGED) == (gap <= result.tolerance)
    assert result.gap.max() <= 1e-9 * result.objective.max()


def test_what_it_is_made_of():
    X, y = random_problem(16, 40, 30)
    result = quiet_path(X, y, n_alphas=7)
    assert isinstance(result, Path) and len(result) == 7
    assert result.coef.shape == (30, 7) and result.coef_csc.format == "csc"
    assert set(result.status) == {Status.CONVERGED}
    np.testing.assert_array_equal(result.dual_objective, result.objective - result.gap)
    np.testing.assert_allclose(result.predict(X), X @ result.coef + result.intercept, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(result.predict(sparse.csr_array(X)), result.predict(X), rtol=1e-12, atol=1e-12)
    assert repr(result).startswith("Path(7 alphas from ") and "n_passes=" in repr(result)
    with pytest.raises(ValueError, match=r"X must have shape \(n_samples, 30\)"):
        result.predict(X[:, :3])


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"loss": "cubic"}, "loss"),
        ({"l1_ratio": -0.1}, "l1_ratio"),
        ({"l1_ratio": 1.5}, "l1_ratio"),
        ({"alphas": []}, "alphas"),
        ({"alphas": [1.0, -1.0]}, "alphas"),
        ({"alphas": [np.nan]}, "alphas"),
        ({"alphas": "many"}, "alphas"),
        ({"n_alphas": 0}, "n_alphas"),
        ({"eps": 0.0}, "eps"),
        ({"eps": 2.0}, "eps"),
        ({"tol": -1.0}, "tol"),
        ({"n_jobs": 0}, "n_jobs"),
        ({"n_jobs": 1.5}, "n_jobs"),
        ({"sample_weight": [1.0]}, "sample_weight"),
        ({"penalty_factor": -1.0}, "penalty_factor"),
        ({"lower": 1.0, "upper": 0.0}, "lower"),
        ({"positive": "yes"}, "positive"),
    ],
    ids=str,
)
def test_errors_name_the_argument(options, name):
    X, y = random_problem(17, 20, 3)
    with pytest.raises((ValueError, TypeError), match=name):
        path(X, y, **options)
