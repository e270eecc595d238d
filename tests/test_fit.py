"""The command `fit`: what it prints and writes is what `solve` says, and each mistake has one clear line."""

import csv

import numpy as np
import pytest

from l1l2fast import L1, L1L2, L2, Pinball, cross_validate, fit, solve
from l1l2fast.__main__ import main


@pytest.fixture
def run(capsys):
    """Run the command line; returns exit status, stdout, stderr."""

    def run(*arguments):
        try:
            status = main(list(arguments))
        except SystemExit as stop:
            status = stop.code
        return status, *capsys.readouterr()

    return run


def example(n=40, p=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * [1.0, 10.0, 0.1][:p]
    return X, X @ [1.0, 0.2, -3.0][:p] + rng.standard_normal(n)


def save(path, X, y, names="abc"):
    lines = [",".join([*names, "y"]), *(",".join(map(repr, [*row, t])) for row, t in zip(X.tolist(), y.tolist()))]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture
def data(tmp_path):
    X, y = example()
    return save(tmp_path / "data.csv", X, y), X, y


def coefficients(path):
    with open(path, newline="") as file:
        first, *rows = csv.reader(file)
    assert first == ["name", "coef"]
    return {name: float(value) for name, value in rows}


def printed(out):
    """Label -> first number behind it."""
    rows = [line.split() for line in out.splitlines()]
    return {row[0]: row[1] for row in rows if len(row) > 1}


@pytest.mark.parametrize(
    ("arguments", "question"),
    [
        ([], ("squared", None)),
        (["--loss", "absolute"], ("absolute", None)),
        (["--penalty", "l1", "--alpha", ".1"], ("squared", L1(0.1))),
        (["--loss", "absolute", "--penalty", "l2", "--alpha", ".1"], ("absolute", L2(0.1))),
        (["--quantile", ".8", "--penalty", "l1", "--alpha", ".02"], (Pinball(0.8), L1(0.02))),
        (["--loss", "pinball"], (Pinball(0.5), None)),
        (["--penalty", "elasticnet", "--alpha", ".2", "--l1-ratio", ".25"], ("squared", L1L2(0.05, 0.15))),
    ],
)
def test_fit_says_what_solve_says(run, data, tmp_path, arguments, question):
    path, X, y = data
    out = tmp_path / "coef.csv"
    status, text, err = run("fit", path, "--target", "y", *arguments, "--out", str(out))
    assert (status, err) == (0, "")
    result = solve(X, y, *question, standardize=True)
    expected = {"(intercept)": result.intercept, **dict(zip("abc", result.coef, strict=True))}
    assert coefficients(out) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    shown = printed(text)
    for name in "abc":
        assert float(shown[name]) == pytest.approx(expected[name], rel=1e-5)
    assert float(shown["objective"]) == pytest.approx(result.objective, rel=1e-5)


def test_raw_no_intercept_positive(run, data, tmp_path):
    path, X, y = data
    out = tmp_path / "coef.csv"
    arguments = ["--penalty", "l1", "--alpha", "0.1", "--raw", "--no-intercept", "--positive", "--out", str(out)]
    assert run("fit", path, *arguments)[0] == 0
    result = solve(X, y, penalty=L1(0.1), fit_intercept=False, positive=True)
    assert coefficients(out) == pytest.approx(dict(zip("abc", result.coef, strict=True)), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_the_default_alpha_is_a_tenth_of_the_least_that_leaves_nothing(data, loss):
    _, X, y = data
    common = dict(standardize=True, fit_intercept=True)
    top = fit.pull(X, y, loss, common)
    assert not solve(X, y, loss, L1(top * 1.001), standardize=True).coef.any()
    assert solve(X, y, loss, L1(top * 0.98), standardize=True).coef.any()


def test_constant_columns_are_named(run, tmp_path):
    X, y = example()
    X[:, 1] = 7.0
    status, out, _ = run("fit", save(tmp_path / "data.csv", X, y))
    assert status == 0
    assert "Constant, and so without influence: 'b'" in out
    assert printed(out)["b"] == "0"


def test_picture(run, data, tmp_path):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "path.png"
    status, _, err = run("fit", data[0], "--penalty", "l1", "--plot", str(picture))
    assert (status, err) == (0, "")
    assert picture.read_bytes().startswith(b"\x89PNG")
    status, _, err = run("fit", data[0], "--penalty", "l2", "--plot", str(tmp_path / "path.what"))
    assert status == 2
    assert "--plot" in err
    status, _, err = run("fit", data[0], "--penalty", "l1", "--plot", str(tmp_path / "no" / "path.png"))
    assert status == 1


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_cross_validation_chooses(run, data, loss):
    path, X, y = data
    status, out, _ = run("fit", path, "--loss", loss, "--penalty", "elasticnet", "--cv", "4")
    assert status == 0
    found = cross_validate(X, y, loss, l1_ratio=0.5, cv=4, random_state=0, standardize=True)
    assert f"alpha = {found.best_alpha:.6g} (the best in 4-fold cross-validation)" in out
    shown = printed(out)
    assert [float(shown[name]) for name in "abc"] == pytest.approx(found.best.coef, rel=1e-4, abs=1e-6)


def test_more_folds_than_rows(run, data):
    status, out, err = run("fit", data[0], "--penalty", "l1", "--cv", "400")
    assert (status, out) == (1, "")
    assert "--cv 400: there are only 40 rows" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--loss", "cubic"], "invalid choice: 'cubic'"),
        (["--quantile", "0"], "--quantile: expected a number between 0 and 1, got 0"),
        (["--quantile", "1.5"], "--quantile: expected a number from 0 to 1, got '1.5'"),
        (["--quantile", ".5", "--loss", "absolute"], "--quantile goes with the pinball loss, got --loss absolute"),
        (["--alpha", "1"], "--alpha goes with a penalty"),
        (["--cv", "5"], "--cv goes with a penalty"),
        (["--plot", "path.png"], "--plot goes with a penalty"),
        (["--penalty", "l1", "--l1-ratio", ".5"], "--l1-ratio goes with --penalty elasticnet"),
        (["--penalty", "l1", "--alpha", "1", "--cv", "5"], "--alpha and --cv exclude each other"),
        (["--penalty", "l1", "--cv", "1.5"], "--cv: expected a whole number from 2 to 1000, got '1.5'"),
    ],
)
def test_contradictions(run, arguments, said):
    status, out, err = run("fit", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


def test_fifty_columns_with_one_thing_wrong(run, tmp_path):
    names = [f"c{j}" for j in range(49)]
    rng = np.random.default_rng(0)
    rows = [[*map(repr, row)] for row in rng.standard_normal((60, 50)).tolist()]
    for cell, said in (
        ("", "line 12, column 'c7': the value is missing ('')"),
        ("NA", "line 12, column 'c7': the value is missing ('NA')"),
        ("red", "line 12, column 'c7': expected a finite number, got 'red'"),
    ):
        rows[10][7] = cell
        path = tmp_path / "data.csv"
        path.write_text("\n".join(",".join(row) for row in [[*names, "y"], *rows]) + "\n")
        status, out, err = run("fit", str(path), "--loss", "absolute")
        assert (status, out) == (1, "")
        assert said in err


def test_unwritable(run, data, tmp_path):
    status, out, err = run("fit", data[0], "--out", str(tmp_path / "no" / "coef.csv"))
    assert (status, out) == (1, "")
    assert "No such file" in err or "coef.csv" in err


@pytest.mark.parametrize("package", ["polars", "pandas"])
def test_parquet(run, tmp_path, monkeypatch, package):
    module = pytest.importorskip(package)
    pytest.importorskip("pyarrow") if package == "pandas" else None
    from l1l2fast import _files

    monkeypatch.setattr(_files, "parquet_reader", lambda: module.read_parquet)
    X, y = example()
    columns = {**dict(zip("abc", X.T, strict=True)), "y": y}
    path = str(tmp_path / "data.parquet")
    frame = module.DataFrame(columns)
    frame.write_parquet(path) if package == "polars" else frame.to_parquet(path)
    assert run("fit", path)[1].split("\n", 1)[1] == run("fit", save(tmp_path / "d.csv", X, y))[1].split("\n", 1)[1]
    frame = module.DataFrame({**columns, "city": ["Rome"] * len(y)})
    frame.write_parquet(path) if package == "polars" else frame.to_parquet(path)
    status, out, err = run("fit", path, "--target", "y")
    assert (status, out) == (1, "")
    assert "column 'city' holds text such as 'Rome'" in err
    (tmp_path / "data.parquet").write_text("not a table")
    assert run("fit", path)[0] == 1
    assert run("fit", str(tmp_path / "none.parquet"))[0] == 1
