"""Data frames of pandas and polars: numbers and names in, names out, and what is no number refused by its name."""

import pickle

import numpy as np
import pytest

from l1l2fast import inference, solve

PACKAGES = ["pandas", "polars"]


@pytest.fixture(params=PACKAGES)
def frames(request):
    return pytest.importorskip(request.param)


def columns(n=20, seed=0):
    rng = np.random.default_rng(seed)
    return {"size": rng.standard_normal(n), "age": rng.integers(0, 50, n), "new": rng.random(n) < 0.5}


def test_names_and_numbers(frames):
    given = columns()
    X, y = frames.DataFrame(given), np.arange(20.0)
    result = solve(X, y)
    plain = solve(np.column_stack([np.asarray(v, float) for v in given.values()]), y)
    np.testing.assert_allclose(result.coef, plain.coef, rtol=1e-10)
    assert result.feature_names == ("size", "age", "new")
    assert dict(result.table()) == {"(intercept)": result.intercept, **dict(zip(given, result.coef, strict=True))}
    np.testing.assert_allclose(result.predict(X), plain.predict(X.to_numpy().astype(float)))
    assert pickle.loads(pickle.dumps(result)).table() == result.table()
    assert plain.feature_names is None
    assert [row.name for row in plain.table()] == ["(intercept)", "x1", "x2", "x3"]


def test_the_table_makes_a_frame(frames):
    table = solve(frames.DataFrame(columns()), np.arange(20.0)).table()
    if frames.__name__ == "pandas":
        frame = frames.DataFrame(table)
        assert frame["name"].tolist() == ["(intercept)", "size", "age", "new"]
    else:
        frame = frames.DataFrame(list(table), schema=["name", "coef"], orient="row")
        assert frame["name"].to_list() == ["(intercept)", "size", "age", "new"]
    assert repr(table).splitlines()[1].split() == ["size", f"{table[1].coef:.6g}"]


def test_a_long_table_is_cut():
    text = repr(solve(np.eye(100), np.arange(100.0), penalty="l2").table())
    assert len(text.splitlines()) == 61
    assert text.endswith("... and 41 more")


def test_text_is_refused_by_name(frames):
    X = frames.DataFrame({**columns(), "city": ["Rome", "Oslo"] * 10})
    with pytest.raises(TypeError, match=r"X must hold numbers: column 'city' holds text such as 'Rome'.*dummies"):
        solve(X, np.arange(20.0))


def test_categories_are_refused_by_name(frames):
    if frames.__name__ == "pandas":
        kind = frames.Categorical([1, 2] * 10)
    else:
        kind = frames.Series(["a", "b"] * 10).cast(frames.Categorical)
    with pytest.raises(TypeError, match=r"X must hold numbers: column 'kind' .*dummies"):
        solve(frames.DataFrame({**columns(), "kind": kind}), np.arange(20.0))


def test_dates_are_refused_by_name(frames):
    import datetime

    when = [datetime.datetime(2020, 1, 1 + i) for i in range(20)]
    with pytest.raises(TypeError, match=r"X must hold numbers: column 'when' has dtype .*convert it"):
        solve(frames.DataFrame({**columns(), "when": when}), np.arange(20.0))


@pytest.mark.parametrize("missing", [None, float("nan"), float("inf")])
def test_missing_values_are_named(frames, missing):
    given = columns()
    given["size"] = [*given["size"][:5].tolist(), missing, *given["size"][6:].tolist()]
    with pytest.raises(ValueError, match=r"X must be finite: column 'size' holds (nan|inf) in row 5; drop these rows"):
        solve(frames.DataFrame(given), np.arange(20.0))


def test_huge_numbers_are_not_taken_for_missing_ones(frames):
    with pytest.raises(ValueError, match="rescale"):
        solve(frames.DataFrame({"a": [1e308, 1e308, 1e307], "b": [1.0, 2.0, 4.0]}), np.arange(3.0))


def test_pandas_own_types():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(columns()).convert_dtypes()
    np.testing.assert_allclose(solve(X, np.arange(20.0)).coef, solve(pandas.DataFrame(columns()), np.arange(20.0)).coef)
    X.loc[3, "age"] = pandas.NA
    with pytest.raises(ValueError, match="column 'age' holds nan in row 3"):
        solve(X, np.arange(20.0))
    X = pandas.DataFrame({"a": [1.0, pandas.NA, 2.0]})
    with pytest.raises(ValueError, match="column 'a' has missing values"):
        solve(X, np.arange(3.0))
    X = pandas.DataFrame({"a": np.array([1.0, 3.0, 2.0], dtype=object)})
    with pytest.raises(TypeError, match="column 'a' has dtype object; convert it"):
        solve(X, np.arange(3.0))


def test_pandas_numbers_are_not_copied():
    pandas = pytest.importorskip("pandas")
    from l1l2fast import _frames

    X = pandas.DataFrame(np.random.default_rng(0).standard_normal((10, 3)))
    assert np.shares_memory(_frames.numbers(X), X.to_numpy())


def test_names_that_are_no_text_or_twice():
    pandas = pytest.importorskip("pandas")
    X = np.random.default_rng(0).standard_normal((10, 2))
    assert solve(pandas.DataFrame(X), np.arange(10.0)).feature_names is None
    twice = solve(pandas.DataFrame(X, columns=["a", "a"]), np.arange(10.0))
    assert [row.name for row in twice.table()] == ["(intercept)", "a", "a"]


def test_predict_wants_the_same_columns(frames):
    X = frames.DataFrame(columns())
    result = solve(X, np.arange(20.0))
    other = X[["age", "size", "new"]]
    with pytest.raises(ValueError, match=r"X must have the columns \['size', 'age', 'new'\] in this order"):
        result.predict(other)
    assert result.predict(X.to_numpy().astype(float)).shape == (20,)


def test_the_table_of_inference_has_the_names(frames):
    result = solve(frames.DataFrame(columns()), np.random.default_rng(1).standard_normal(20), "absolute")
    assert inference(result, "iid").names == ["Intercept", "size", "age", "new"]
