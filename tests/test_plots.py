"""Pictures: what stands in the Axes is what the fits say."""

from types import SimpleNamespace

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402

from l1l2fast import L1, L1L2, L2, Pinball, path, plots, ridge_path, solve  # noqa: E402


@pytest.fixture(autouse=True)
def close():
    """No figure outlives its test; each must have been drawn without a warning."""
    yield
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")


def data(n=30, p=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X @ np.arange(p) + rng.standard_normal(n)


def labelled(ax):
    """Lines by their label."""
    return {line.get_label(): line for line in ax.lines}


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_coefficient_path_draws_the_path():
    X, y = data()
    ax = plots.coefficient_path(X, y, feature_names=["a", "b", "c", "d"], n_alphas=20)
    expected = path(X, y, n_alphas=20)
    lines = labelled(ax)
    for j, name in enumerate("abcd"):
        np.testing.assert_array_equal(lines[name].get_xdata(), expected.alphas)
        np.testing.assert_array_equal(lines[name].get_ydata(), expected.coef[j])
    assert ax.xaxis_inverted()
    assert ax.get_xscale() == "log"
    assert set(texts(ax)) == {name for name, b in zip("abcd", expected.coef[:, -1], strict=True) if b != 0}


def test_coefficient_path_knows_data_frames_ridge_and_zero():
    pandas = pytest.importorskip("pandas")
    X, y = data()
    ax = plots.coefficient_path(pandas.DataFrame(X, columns=list("pqrs")), y, alphas=[1.0, 0.1, 0.0])
    assert len(labelled(ax)["p"].get_xdata()) == 2  # alpha 0 has no place on a logarithmic axis
    ax = plots.coefficient_path(X, y, l1_ratio=0, alphas=[1.0, 0.1])
    np.testing.assert_allclose(labelled(ax)["x2"].get_ydata(), ridge_path(X, y, [1.0, 0.1]).coef[1], rtol=1e-9)
    ax = plots.coefficient_path(X, y, "absolute", alphas=[0.3, 0.1])
    expected = [solve(X, y, "absolute", L1(alpha)).coef[2] for alpha in (0.3, 0.1)]
    np.testing.assert_allclose(labelled(ax)["x3"].get_ydata(), expected, atol=1e-9)
    with pytest.raises(ValueError, match="feature_names must have 4 entries, got 1"):
        plots.coefficient_path(X, y, feature_names=["a"])


def test_path_display_counts_and_labels():
    X, y = data(p=12)
    display = plots.PathDisplay(path(X, y, n_alphas=10)).plot(labels=3)
    assert len(display.lines_) == 12
    assert len(texts(display.ax_)) == 3
    (top,) = display.ax_.child_axes
    shown = [label.get_text() for label in top.get_xticklabels()]
    assert shown[0] == "0"
    assert int(shown[-1]) == np.count_nonzero(display.path.coef[:, -1])


def test_path_display_from_estimator():
    linear_model = pytest.importorskip("sklearn.linear_model")
    X, y = data()
    for estimator, alpha in (
        (linear_model.Lasso(alpha=0.3, fit_intercept=False, positive=True), 0.3),
        (linear_model.Ridge(alpha=3.0), 3.0 / len(y)),
        (linear_model.ElasticNet(alpha=0.2, l1_ratio=0.7), 0.2),
    ):
        display = plots.PathDisplay.from_estimator(estimator, X, y, n_alphas=15)
        assert len(display.path.alphas) == 15
        marked = labelled(display.ax_)[f"alpha = {alpha:.3g}"]
        assert marked.get_xdata()[0] == alpha
    first = plots.PathDisplay.from_estimator(linear_model.Lasso(fit_intercept=False, positive=True), X, y)
    assert first.path.coef.min() >= 0
    assert not first.path.intercept.any()
    ax = plt.subplots()[1]
    assert plots.PathDisplay.from_estimator(linear_model.Lasso(), X, y, ax=ax).ax_ is ax
    display = plots.PathDisplay.from_estimator(linear_model.QuantileRegressor(quantile=0.75, alpha=0.1), X, y)
    np.testing.assert_allclose(display.path.coef, path(X, y, Pinball(0.75)).coef)
    with pytest.raises(TypeError, match="got LinearRegression"):
        plots.PathDisplay.from_estimator(linear_model.LinearRegression(), X, y)


def test_path_display_wants_one_target():
    X, y = data()
    with pytest.raises(ValueError, match="one target"):
        plots.PathDisplay(ridge_path(X, np.column_stack([y, y]), [1.0]))


def test_cv_curve_marks_both_choices():
    result = SimpleNamespace(
        alphas=np.array([1.0, 0.5, 0.1]),
        mean=np.array([3.0, 1.2, 1.0]),
        std_error=np.array([0.3, 0.3, 0.3]),
        best_index=2,
        index_1se=1,
    )
    lines = labelled(plots.cv_curve(result))
    assert lines["best: alpha = 0.1"].get_xdata()[0] == 0.1
    assert lines["1-SE rule: alpha = 0.5"].get_xdata()[0] == 0.5
    np.testing.assert_array_equal(lines["mean over the folds"].get_ydata(), result.mean)


def test_cv_display_from_estimator():
    linear_model = pytest.importorskip("sklearn.linear_model")
    X, y = data(60)
    model = linear_model.LassoCV(cv=4).fit(X, y)
    display = plots.CVDisplay.from_estimator(model)
    assert display.alphas[display.best_index] == model.alpha_
    assert display.alphas[display.index_1se] >= model.alpha_
    within = display.mean[display.index_1se] - display.mean[display.best_index]
    assert within <= display.std_error[display.best_index]
    with pytest.raises(TypeError, match="must be fitted"):
        plots.CVDisplay.from_estimator(linear_model.LassoCV())


@pytest.mark.parametrize("loss", ["squared", "absolute"])
@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet"])
def test_constraint_touches_at_the_answer(loss, penalty):
    ax = plots.constraint(loss=loss, penalty=penalty)
    (answer,) = [np.ravel(line.get_xydata()) for label, line in labelled(ax).items() if label.startswith("answer")]
    (patch,) = ax.patches
    border = patch.get_xy()
    # the answer lies on the border of the region ...
    assert np.hypot(*(border - answer).T).min() < 0.02 * np.abs(answer).max()
    # ... and no point of the region has a smaller loss than it
    from l1l2fast._pictures import mean_loss, plane_data
    from l1l2fast.losses import Absolute, Squared

    X, y = plane_data(None, None)
    kind = Squared() if loss == "squared" else Absolute()
    least = mean_loss(X, y, kind, answer[None])[0]
    inside = np.concatenate([border * share for share in np.linspace(0, 1, 21)])
    assert mean_loss(X, y, kind, inside).min() >= least - 1e-7


def test_constraint_on_data_of_ones_own():
    X, y = data(p=2)
    ax = plots.constraint(X, y, penalty=L1(0.2))
    expected = solve(X, y, penalty=L1(0.2), fit_intercept=False).coef
    (label,) = [label for label in labelled(ax) if label.startswith("answer")]
    assert label == f"answer ({expected[0]:.3g}, {expected[1]:.3g})"
    for wrong in (dict(X=data()[0], y=y), dict(X=X), dict(X=X, y=y, penalty=None), dict(X=X, y=y, penalty=L2(0.0))):
        with pytest.raises(ValueError):
            plots.constraint(**wrong)


def test_region_is_the_level_set_with_exact_corners():
    """The region's corners are exact, whatever the angle."""
    from l1l2fast._pictures import region

    for penalty in (L1(2.0), L2(0.5), L1L2(0.3, 0.7)):
        answer = np.array([0.4, -1.0])
        level = penalty(0.4) + penalty(1.0)
        border = region(penalty, answer)
        np.testing.assert_allclose([penalty(a) + penalty(b) for a, b in border.T], level, rtol=1e-12)
        corner = penalty.elastic()
        size = level / corner[0] if corner[1] == 0 else None
        if size:
            assert np.abs(border - [[size], [0.0]]).sum(axis=0).min() < 1e-12 * size


def test_moving_outlier_moves_l2_more():
    axes = plots.moving_outlier()
    assert axes.shape == (6,)
    places = [labelled(ax)["outlier"].get_xdata()[0] for ax in axes]
    np.testing.assert_allclose(places, np.linspace(0, 10, 6))
    for ax in axes:
        solid = {line.get_color(): line for line in ax.lines if line.get_linestyle() == "-"}
        dotted = {line.get_color(): line for line in ax.lines if line.get_linestyle() == ":"}
        moved = {
            color: np.sqrt(np.mean((solid[color].get_ydata() - dotted[color].get_ydata()) ** 2)) for color in dotted
        }
        one, two = moved["#D55E00"], moved["#0072B2"]
        assert ax.get_title() == f"L1 loss moved by {one:.2f}\nL2 loss moved by {two:.2f}"
        assert one < 0.5 * two
    (legend,) = axes[0].figure.legends
    assert [text.get_text() for text in legend.get_texts()][1] == "outlier"


@pytest.mark.parametrize("features", ["linear", "polynomial", "spline"])
def test_moving_outlier_draws_what_solve_says(features):
    from l1l2fast._pictures import basis

    rng = np.random.default_rng(3)
    x = rng.uniform(0, 5, 40)
    y = np.sin(x) + 0.1 * rng.standard_normal(40)
    axes = plots.moving_outlier(x, y, height=4.0, positions=[2.0, 3.0], features=features, size=4)
    columns = basis(features, np.append(x, [2.0, 3.0]), 4)
    grid = np.linspace(x.min(), x.max(), 201)
    expected = solve(columns(np.append(x, 3.0)), np.append(y, 4.0)).predict(columns(grid))
    (line,) = [line for line in axes[1].lines if line.get_color() == "#0072B2" and line.get_linestyle() == "-"]
    np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-10)


def test_moving_outlier_takes_any_regressors():
    ensemble = pytest.importorskip("sklearn.ensemble")
    models = {
        loss: ensemble.GradientBoostingRegressor(loss=loss, n_estimators=10, random_state=0)
        for loss in ("absolute_error", "squared_error")
    }
    axes = plots.moving_outlier(models=models, positions=2)
    assert "absolute_error" in axes[0].get_title()
    assert not hasattr(models["absolute_error"], "estimators_")  # copies are fitted


def test_moving_outlier_refuses():
    with pytest.raises(ValueError, match="features must be"):
        plots.moving_outlier(features="cubic")
    with pytest.raises(ValueError, match="x and y must be given together"):
        plots.moving_outlier([1.0, 2.0])
    with pytest.raises(ValueError, match="positions must be"):
        plots.moving_outlier(positions=0)
    with pytest.raises(ValueError, match="axes must be as many as positions"):
        plots.moving_outlier(axes=plt.subplots(1, 2)[1])


def test_lad_optima():
    ax = plots.lad_optima([9, 1, 5, 2])
    assert ax.get_title() == "every b from 2 to 5 is a median"
    curve = labelled(ax)["mean |y - b|"]
    b, height = curve.get_xdata(), curve.get_ydata()
    flat = (b >= 2) & (b <= 5)
    assert np.ptp(height[flat]) < 1e-12
    assert height[(b < 1.99) | (b > 5.01)].min() > height[flat].max()
    assert plots.lad_optima([1, 2, 5]).get_title() == "one median, 2"
    assert plots.lad_optima([3.0]).get_title() == "one median, 3"


def test_shrinkage_draws_the_formulas():
    lines = labelled(plots.shrinkage(0.7, limit=3))
    z = np.linspace(-3, 3, 401)
    soft = np.sign(z) * np.maximum(np.abs(z) - 0.7, 0)
    np.testing.assert_allclose(lines["L1"].get_ydata(), soft, atol=1e-6)
    np.testing.assert_allclose(lines["L2"].get_ydata(), z / 1.7, atol=1e-6)
    np.testing.assert_allclose(lines["L1 + L2"].get_ydata(), soft / 1.7, atol=1e-6)
    # the dashed ones minimise (b - z)^2 / 2 + pen(b), on a fine grid
    grid = np.linspace(-3, 3, 6001)
    size = np.abs(grid)
    pens = {
        "hard": 0.7**2 / 2 * (grid != 0),
        "MCP": np.where(size <= 3 * 0.7, 0.7 * size - size**2 / 6, 3 * 0.7**2 / 2),
        "SCAD": np.select(
            [size <= 0.7, size <= 3.7 * 0.7],
            [0.7 * size, (2 * 3.7 * 0.7 * size - size**2 - 0.7**2) / (2 * 2.7)],
            0.7**2 * 4.7 / 2,
        ),
    }
    for name, pen in pens.items():
        best = grid[np.argmin((grid - z[:, None]) ** 2 / 2 + pen, axis=1)]
        np.testing.assert_allclose(lines[name].get_ydata(), best, atol=2e-3)
    with pytest.raises(ValueError, match="kinds must be among"):
        plots.shrinkage(kinds=["L7"])


def test_quantile_fan():
    rng = np.random.default_rng(5)
    x = rng.uniform(0, 10, 80)
    y = x * (1 + rng.standard_normal(80) / 3)
    ax = plots.quantile_fan(x, y, quantiles=[0.1, 0.5, 0.9])
    lines = labelled(ax)
    grid = np.linspace(x.min(), x.max(), 201)
    for tau in (0.1, 0.5, 0.9):
        fit = solve(x[:, None], y, Pinball(tau))
        np.testing.assert_allclose(lines[f"{tau:g}"].get_ydata(), fit.predict(grid[:, None]), rtol=1e-8, atol=1e-8)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0.9", "0.5", "0.1"]
    assert len(ax.collections) == 1  # one band, from 0.1 to 0.9
    with pytest.raises(ValueError, match="quantiles"):
        plots.quantile_fan(x, y, quantiles=[1.5])


def test_the_given_axes_are_used():
    ax = plt.subplots()[1]
    X, y = data()
    assert plots.coefficient_path(X, y, ax=ax, n_alphas=5) is ax
    for draw in (plots.lad_optima, plots.shrinkage, plots.constraint):
        ax = plt.subplots()[1]
        assert draw(ax=ax) is ax
    assert plots.quantile_fan([0.0, 1.0, 2.0], [1.0, 3.0, 2.0], quantiles=[0.5], ax=ax) is ax


def test_examples():
    import doctest

    from l1l2fast import _pictures

    for module in (_pictures, plots):
        failed, tried = doctest.testmod(module)
        assert failed == 0
        assert tried > 0
