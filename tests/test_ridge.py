"""ridge_path against scikit-learn, exact fractions and slow numpy: one row left out after the other."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import Ridge, RidgeCV

from l1l2fast import L2, ConvergenceWarning, closed, least_squares, ridge_path, solve

ALPHAS = np.array([30.0, 1.0, 0.1, 1e-3, 1e-5])
SHAPES = [(40, 7), (7, 40), (12, 12), (25, 1), (1, 4), (2, 3)]


def data(n, p, seed=0, targets=None):
    """X with means away from 0 and unequal scales, y, weights."""
    rng = np.random.default_rng(seed)
    X = (rng.standard_normal((n, p)) + 0.5 * rng.standard_normal((n, 1)) + 1) * 10 ** rng.uniform(-1, 1, p)
    y = rng.standard_normal(n) if targets is None else rng.standard_normal((n, targets))
    return X, y + 3, rng.uniform(0.5, 2, n)


def slow(X, y, alpha, weight, intercept=True, factor=None):
    """Coefficients and intercept by least squares on rows added for the penalty; alpha is that of the weighted sum."""
    p = X.shape[1]
    factor = np.ones(p) if factor is None else factor
    root = np.sqrt(weight)[:, None]
    shift = weight @ X / weight.sum() if intercept else np.zeros(p)
    level = weight @ y / weight.sum() if intercept else 0.0
    A = np.vstack([root * (X - shift), np.diag(np.sqrt(alpha * factor))])
    b = np.linalg.lstsq(A, np.concatenate([root[:, 0] * (y - level), np.zeros(p)]), rcond=None)[0]
    return b, level - shift @ b


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_against_scikit_learn(shape, intercept):
    X, y, weight = data(*shape)
    path = ridge_path(X, y, ALPHAS, sample_weight=weight, fit_intercept=intercept)
    assert path.coef.shape == (shape[1], len(ALPHAS))
    assert (path.gap <= 1e-6 * path.tolerance).all()
    for k, alpha in enumerate(ALPHAS):
        ridge = Ridge(alpha * weight.sum(), fit_intercept=intercept, solver="svd").fit(X, y, weight)
        np.testing.assert_allclose(path.coef[:, k], ridge.coef_, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(path.intercept[k], ridge.intercept_, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("shape", [(40, 7), (7, 40), (12, 12), (13, 12), (2, 3)])
def test_leave_one_out_is_what_leaving_one_out_gives(shape, intercept):
    X, y, weight = data(*shape)
    path = ridge_path(X, y, ALPHAS, sample_weight=weight, fit_intercept=intercept, loo=True)
    for k, alpha in enumerate(ALPHAS):
        for i in range(len(y)):
            rest = np.arange(len(y)) != i
            b, level = slow(X[rest], y[rest], alpha * weight.sum(), weight[rest], intercept)
            np.testing.assert_allclose(path.loo[i, k], y[i] - X[i] @ b - level, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(path.loo_mse, weight @ path.loo**2 / weight.sum(), rtol=1e-12)
    assert path.best == path.loo_mse.argmin()


@pytest.mark.parametrize("shape", [(40, 7), (7, 40)])
def test_leave_one_out_against_ridge_cv(shape):
    X, y, _ = data(*shape, targets=3)
    path = ridge_path(X, y, ALPHAS, loo=True)
    cv = RidgeCV(ALPHAS * len(y), store_cv_results=True).fit(X, y)
    np.testing.assert_allclose(np.moveaxis(path.loo, 0, 1) ** 2, cv.cv_results_, rtol=1e-6, atol=1e-10)
    assert path.best.shape == (3,)


@pytest.mark.parametrize("shape", [(30, 6), (6, 30)])
def test_degrees_of_freedom_are_the_trace_of_the_hat_matrix(shape):
    X, y, weight = data(*shape)
    path = ridge_path(X, np.eye(shape[0]), ALPHAS, sample_weight=weight, loo=True)
    fitted = path.predict(X)  # (target, row, alpha)
    np.testing.assert_allclose(path.df, np.einsum("iik->k", fitted), rtol=1e-9)


def test_exact_fractions():
    """Normal equations in rational arithmetic: no rounding but that of the answer."""
    X = np.array([[1, 2], [3, -1], [0, 4], [2, 2]])
    y = [1, 5, -2, 3]
    mean, level = [Fraction(int(c.sum()), 4) for c in X.T], Fraction(sum(y), 4)
    Z = [[int(x) - m for x, m in zip(row, mean, strict=True)] for row in X]
    for alpha in (Fraction(1, 8), Fraction(3)):
        a, b, d = (sum(row[i] * row[j] for row in Z) / 4 for i, j in ((0, 0), (0, 1), (1, 1)))
        s, t = (sum(row[i] * (v - level) for row, v in zip(Z, y, strict=True)) / 4 for i in (0, 1))
        det = (a + alpha) * (d + alpha) - b * b
        want = [float(((d + alpha) * s - b * t) / det), float(((a + alpha) * t - b * s) / det)]
        np.testing.assert_allclose(ridge_path(X, y, float(alpha)).coef[:, 0], want, rtol=1e-14)


@pytest.mark.parametrize("shape", [(30, 5), (8, 20)])
def test_weights_are_repeated_rows(shape):
    X, y, _ = data(*shape)
    count = np.arange(len(y)) % 3
    one = ridge_path(X, y, ALPHAS, sample_weight=count, loo=True)
    other = ridge_path(np.repeat(X, count, axis=0), np.repeat(y, count), ALPHAS)
    np.testing.assert_allclose(one.coef, other.coef, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(one.objective, other.objective, rtol=1e-10)
    without = count == 0  # what has no weight is predicted by the others alone
    np.testing.assert_allclose(one.loo[without], y[without, None] - other.predict(X[without]), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("shape", [(40, 7), (7, 40)])
@pytest.mark.parametrize("standardize", [True, False])
def test_every_layout_of_X(shape, standardize):
    X, y, weight = data(*shape)
    X = X.astype(np.float32)
    X[np.random.default_rng(1).random(shape) < 0.5] = 0
    want = ridge_path(X.astype(np.float64), y, ALPHAS, sample_weight=weight, standardize=standardize, loo=True)
    layouts = [X, np.asfortranarray(X), np.asfortranarray(X, dtype=np.float64), X[:, ::-1][:, ::-1]]
    for other in [*layouts, sparse.csc_array(X), sparse.csr_matrix(X)]:
        path = ridge_path(other, y, ALPHAS, sample_weight=weight, standardize=standardize, loo=True)
        np.testing.assert_allclose(path.coef, want.coef, rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(path.loo, want.loo, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("shape", [(40, 9), (7, 40), (6, 4)])
def test_factors_free_and_excluded_columns(shape):
    X, y, weight = data(*shape)
    factor = np.linspace(0.2, 4, shape[1])
    factor[:2], factor[3] = 0, np.inf
    path = ridge_path(X, y, ALPHAS, sample_weight=weight, penalty_factor=factor, loo=True)
    assert (path.coef[3] == 0).all()
    assert path.method == "svd"
    use = np.isfinite(factor)
    for k, alpha in enumerate(ALPHAS):
        b, level = slow(X[:, use], y, alpha * weight.sum(), weight, factor=factor[use])
        np.testing.assert_allclose(path.coef[use, k], b, rtol=1e-7, atol=1e-9)
        rest = np.arange(len(y)) != 1
        b, level = slow(X[rest][:, use], y[rest], alpha * weight.sum(), weight[rest], factor=factor[use])
        np.testing.assert_allclose(path.loo[1, k], y[1] - X[1, use] @ b - level, rtol=1e-6, atol=1e-8)
    assert (path.gap <= path.tolerance).all()


@pytest.mark.parametrize("alpha", [1e-6, 1e-10, 1e-14, 1e-20, 0.0])
@pytest.mark.parametrize("turn", [True, False])
def test_ill_conditioned_columns_are_not_squared(alpha, turn):
    rng = np.random.default_rng(2)
    U, V = np.linalg.qr(rng.standard_normal((40, 12)))[0], np.linalg.qr(rng.standard_normal((12, 12)))[0]
    X = U * np.geomspace(1, 1e-9, 12) @ V
    y = rng.standard_normal(40)
    if turn:
        X, y = X.T, rng.standard_normal(12)
    path = ridge_path(X, y, [1.0, alpha], fit_intercept=False)
    assert (path.gap <= path.tolerance).all()
    for k, a in enumerate(path.alphas):
        # the gradient of the objective, each sum relative to the rounding of its terms, or to what a Gram matrix loses
        gradient = X.T @ (y - X @ path.coef[:, k]) / len(y) - a * path.coef[:, k]
        size = np.linalg.norm(X, axis=0) * (np.linalg.norm(X, 2) * np.linalg.norm(path.coef[:, k]) + np.linalg.norm(y))
        assert (np.abs(gradient) <= (1e-11 if turn and path.method != "svd" else 1e-14) * size / len(y)).all()
    assert path.method == ("svd" if alpha < 1e-13 else path.method)


def test_constant_collinear_and_no_columns():
    X, y, _ = data(30, 4)
    X = np.column_stack([X, np.ones(30), X[:, 0], X[:, 1]])
    path = ridge_path(X, y, [1.0, 1e-2, 0.0], loo=True)
    assert (path.coef[4] == 0).all() and path.method == "svd"
    np.testing.assert_allclose(path.coef[0], path.coef[5], rtol=1e-9)
    Z = X - X.mean(0)
    np.testing.assert_allclose(path.coef[:, 2], np.linalg.lstsq(Z, y - y.mean(), rcond=1e-12)[0], atol=1e-10)
    empty = ridge_path(np.empty((3, 0)), [1.0, 2.0, 6.0], [1.0], loo=True)
    assert empty.coef.shape == (0, 1) and empty.intercept[0] == 3
    np.testing.assert_allclose(empty.loo[:, 0], [-3, -1.5, 4.5])
    decided = ridge_path([[0.0], [0.0], [1.0]], [1.0, 2.0, 3.0], [0.0], loo=True)
    assert np.isnan(decided.loo[2, 0])  # the last row alone says what the column does
    assert not np.isnan(decided.loo[:2]).any() and decided.best == 0


@pytest.mark.parametrize("spread, method", [(1.0, "lanczos"), (1e-3, "tridiagonal")])
@pytest.mark.parametrize("turn", [False, True])
def test_methods_for_larger_problems_agree(spread, method, turn):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((4000, 510)) * np.geomspace(1, spread, 510)
    X = np.ascontiguousarray(X.T) if turn else X
    y = X @ rng.standard_normal(X.shape[1]) + rng.standard_normal(len(X))
    alphas = [1.0, 0.5, 0.1, 1e-2, 1e-4 if spread < 1 else 0.2]
    path = ridge_path(X, y, alphas)
    assert path.method == method and path.n_passes <= 4
    few = ridge_path(X, y, alphas[2:])
    assert few.method == "cholesky"
    np.testing.assert_allclose(few.coef, path.coef[:, 2:], rtol=1e-7, atol=1e-9 * np.abs(path.coef).max())
    full = ridge_path(X, y, alphas, loo=True)
    assert full.method == "eigh"
    np.testing.assert_allclose(path.coef, full.coef, rtol=1e-7, atol=1e-9 * np.abs(full.coef).max())
    for k, alpha in enumerate(alphas):
        want = Ridge(alpha * len(y), solver="cholesky").fit(X, y).coef_
        np.testing.assert_allclose(path.coef[:, k], want, rtol=1e-7, atol=1e-9 * np.abs(want).max())


@pytest.mark.parametrize("shape", [(60, 20), (20, 60)])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_alphas_span_few_directions(shape, weighted, dtype):
    """A grid of 60 alphas goes through X by fewer vectors than that; its answers are those of one alpha at a time."""
    X, y, weight = data(*shape, targets=2)
    X, weight = X.astype(dtype), weight if weighted else None
    path = ridge_path(X, y, n_alphas=60, sample_weight=weight, standardize=True)
    assert (path.gap <= 1e-6 * path.tolerance[:, None]).all()
    for k in (0, 23, 59):
        for t in (0, 1):
            one = solve(X, y[:, t], penalty=L2(path.alphas[k]), sample_weight=weight, standardize=True)
            np.testing.assert_allclose(path.coef[t, :, k], one.coef, rtol=1e-9, atol=1e-10 * np.abs(one.coef).max())
            np.testing.assert_allclose(path.objective[t, k], one.objective, rtol=1e-10)


def test_targets_share_one_factorisation():
    X, y, weight = data(50, 8, targets=4)
    path = ridge_path(X, y, ALPHAS, sample_weight=weight, offset=y[:, 0] / 2, loo=True)
    assert path.coef.shape == (4, 8, 5) and path.intercept.shape == (4, 5) and path.predict(X).shape == (4, 50, 5)
    for k in range(4):
        one = ridge_path(X, y[:, k], ALPHAS, sample_weight=weight, offset=y[:, 0] / 2, loo=True)
        np.testing.assert_allclose(path.coef[k], one.coef, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(path.loo[k], one.loo, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(path.objective[k], one.objective, rtol=1e-12)
        assert path.best[k] == one.best


def test_sparse_beyond_a_dense_gram(monkeypatch):
    X, y, weight = data(30, 40, targets=2)
    X[np.abs(X) < 1] = 0
    want = ridge_path(X, y, ALPHAS, sample_weight=weight)
    monkeypatch.setattr(closed, "MAX_DENSE", 10)
    monkeypatch.setattr(least_squares, "MAX_DENSE", 10)
    path = ridge_path(sparse.csc_array(X), y, ALPHAS, sample_weight=weight)
    assert path.method == "iterative" and (path.gap <= path.tolerance[:, None]).all()
    np.testing.assert_allclose(path.coef, want.coef, rtol=1e-5, atol=1e-6)


def test_scaled_and_shifted():
    """Scaling X, y and alpha, and shifting columns, changes the answer as it should and nothing else."""
    X, y, _ = data(40, 6)
    want = ridge_path(X, y, ALPHAS, loo=True)
    for unit in (1e6, 1e-6):
        path = ridge_path(X * unit, y * unit, ALPHAS * unit**2, loo=True)
        np.testing.assert_allclose(path.coef, want.coef, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(path.loo, want.loo * unit, rtol=1e-8, atol=1e-10 * unit)
    path = ridge_path(X + 1e6, y, ALPHAS)
    np.testing.assert_allclose(path.coef, want.coef, rtol=1e-6, atol=1e-7)


def test_default_grid_and_repr():
    X, y, _ = data(30, 5)
    path = ridge_path(X, y, n_alphas=7, eps=1e-3, loo=True)
    assert path.alphas[0] == pytest.approx(X.var(0).sum()) and path.alphas[-1] == pytest.approx(1e-3 * path.alphas[0])
    assert repr(path).startswith("RidgePath(7 alphas from") and "best alpha" in repr(path)
    assert "best alpha" in repr(ridge_path(X, np.column_stack([y, y]), n_alphas=3, loo=True))
    short = ridge_path(X, y, n_alphas=3)
    assert short.best is None and short.df is None and "best" not in repr(short)
    assert (short.dual_objective <= short.objective).all()
    with pytest.raises(ValueError, match="X must have shape"):
        short.predict(X[:, :2])


@pytest.mark.parametrize(
    "wrong, match",
    [
        ({"alphas": [-1.0]}, "alphas must hold numbers >= 0"),
        ({"alphas": [np.nan]}, "alphas must be finite"),
        ({"alphas": []}, "alphas must hold"),
        ({"n_alphas": 0}, "n_alphas"),
        ({"eps": 0.0}, "eps must be > 0"),
        ({"y": np.ones((30, 0))}, "y must have at least one column"),
        ({"y": np.full((30, 2), np.nan)}, "y must be finite"),
        ({"y": np.ones((29, 2))}, "y must have 30 entries"),
        ({"sample_weight": -1.0}, "sample_weight"),
    ],
)
def test_errors_name_the_argument(wrong, match):
    X, y, _ = data(30, 5)
    with pytest.raises(ValueError, match=match):
        ridge_path(X, **({"y": y, "alphas": [1.0]} | wrong))
    with pytest.raises(TypeError, match="lower"):
        ridge_path(X, y, lower=0)


def test_a_gap_above_the_tolerance_warns():
    X, y, _ = data(30, 5)
    with pytest.warns(ConvergenceWarning, match="exceeds the tolerance"):
        path = ridge_path(X @ np.vander([1, 2, 3, 4, 5.0]), y, [1.0, 1e-12], tol=0)
    assert (path.gap > path.tolerance).any()
