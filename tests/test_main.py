"""The command line: the main job on real data, files of all kinds, and one clear line for each mistake."""

import io
import os
import re
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest

from l1l2fast import L1, L1L2, L2, compare, solve
from l1l2fast.__main__ import main

# Published: R's quantreg and L1pack (LAD), and any least-squares program; intercept first.
LAD = -39.68985507246379, 0.8318840579710135, 0.5739130434782647, -0.06086956521739127
LS = -39.919674420123961, 0.715640200485284, 1.295286124388573, -0.152122519148653


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path."""

    def write(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


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


def table(text):
    """The two blocks of a report: loss -> label -> four cells."""
    blocks = {}
    for line in text.splitlines():
        if re.match(r"L[12] loss, ", line):
            block = blocks.setdefault(line[:2], {})
        elif not line:
            block = {}
        elif blocks:
            block[line[: compare.LABEL].strip()] = line[compare.LABEL :].split()
    return blocks


def columns(blocks, loss, labels):
    return np.array([[float(cell) for cell in blocks[loss][label]] for label in labels])


def example(n=40, p=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * 10.0 ** rng.integers(-3, 4, p)
    return X, X @ (1 / np.abs(X).max(axis=0)) + rng.standard_normal(n)


def as_csv(X, y, names, place=0):
    """CSV with the target in that place."""
    data = np.insert(X, place, y, axis=1)
    return ",".join(names) + "\n" + "".join(",".join(map(repr, row)) + "\n" for row in data.tolist())


def test_stack_loss_is_the_default(run):
    status, out, err = run("compare")
    assert (status, err) == (0, "")
    assert out.startswith("stack loss (Brownlee 1965): 21 rows, STACKLOSS explained by 3 columns\n")
    blocks = table(out)
    labels = ["intercept", "AIRFLOW", "WATERTEMP", "ACIDCONC"]
    # six digits of the largest number of a row are printed
    np.testing.assert_allclose(columns(blocks, "L1", labels)[:, 0], LAD, atol=5e-5)
    np.testing.assert_allclose(columns(blocks, "L2", labels)[:, 0], LS, atol=5e-5)
    assert blocks["L1"]["only optimum"][0] == "yes"
    # R: sum(abs(residuals)) = 42.0811594, sum(residuals^2) = 178.83
    np.testing.assert_allclose(columns(blocks, "L1", ["mean |error|"])[0, 0], 42.08115942 / 21, atol=1e-5)
    np.testing.assert_allclose(columns(blocks, "L2", ["RMSE"])[0, 0], (178.8299616 / 21) ** 0.5, atol=1e-5)


def test_digits_behind_the_report():
    fits = compare.compare(*stack_loss())
    for loss, published in (("absolute", LAD), ("squared", LS)):
        result = fits[loss][0].result
        np.testing.assert_allclose([result.intercept, *result.coef], published, rtol=1e-9)
    for row in fits.values():
        assert all(0 <= fit.result.gap <= fit.result.tolerance for fit in row)


def stack_loss():
    from l1l2fast import __main__

    with __main__.resources.files("l1l2fast").joinpath("datasets", "stackloss.csv").open(encoding="utf-8") as file:
        names, data = __main__.read(file, "stack loss")
    assert names == ["AIRFLOW", "WATERTEMP", "ACIDCONC", "STACKLOSS"]
    assert data.shape == (21, 4)
    return data[:, :3], data[:, 3]


def test_report_says_what_solve_says(run, write):
    X, y = example()
    names = ["a", "y", "b", "c"]
    path = write(as_csv(X, y, names, 1))
    status, out, _ = run("compare", path, "--target", "y", "--alpha", "0.2", "--l1-ratio", ".3")
    assert status == 0
    penalties = None, L1(0.2), L2(0.2), L1L2(0.3 * 0.2, 0.7 * 0.2)
    blocks = table(out)
    for name, loss in (("L1", "absolute"), ("L2", "squared")):
        for k, penalty in enumerate(penalties):
            result = solve(X, y, loss, penalty, standardize=True)
            error = np.abs(y - X @ result.coef - result.intercept)
            expected = [
                *result.coef,
                result.intercept,
                error.mean(),
                np.median(error),
                (error @ error / len(y)) ** 0.5,
                result.objective,
            ]
            labels = ["a", "b", "c", "intercept", "mean |error|", "median |error|", "RMSE", "objective"]
            got = columns(blocks, name, labels)
            assert np.all(np.abs(got[:, k] - expected) <= 1e-5 * np.abs(got).max(axis=1))
            assert ((got[:3, k] == 0) == (result.coef == 0)).all()
        np.testing.assert_allclose(columns(blocks, name, ["alpha on |b|"])[0], [0, 0.2, 0, 0.06])
        np.testing.assert_allclose(columns(blocks, name, ["alpha on b^2/2"])[0], [0, 0, 0.2, 0.14])
        assert all(float(cell) <= 1e-6 for cell in blocks[name]["gap"])
        assert all(float(cell) > 0 for cell in blocks[name]["time (ms)"])
    assert "only optimum" not in blocks["L2"]
    assert set(blocks["L1"]["only optimum"]) <= {"yes", "no", "undecided"}


@pytest.mark.parametrize("loss", compare.LOSSES)
def test_alpha_is_a_share_of_the_one_that_leaves_no_column(loss):
    X, y = example(41)
    largest = compare.pull(X, y, loss)
    assert not solve(X, y, loss, L1(largest * 1.000001), standardize=True).coef.any()
    assert solve(X, y, loss, L1(largest * 0.999), standardize=True).coef.any()
    assert compare.penalties(X, y, loss, None, 0.5)[1].alpha == pytest.approx(compare.FRACTION * largest)


def test_alpha_with_ties_at_the_median():
    X, y = example(40)
    y = np.round(y)  # many rows at the median
    assert not solve(X, y, "absolute", L1(compare.pull(X, y, "absolute") * 1.000001), standardize=True).coef.any()


@pytest.mark.parametrize("loss", compare.LOSSES)
def test_units_do_not_matter(loss):
    X, y = example()
    units = np.array([1e3, 1e-2, 5.0])
    plain, scaled = compare.compare(X, y)[loss], compare.compare(X * units, 1e4 * y)[loss]
    for one, other in zip(plain, scaled, strict=True):
        # 1e-4: the optimum is flat to that at the default tolerance of 1e-8 of the gap
        np.testing.assert_allclose(other.result.coef * units / 1e4, one.result.coef, rtol=1e-4, atol=1e-12)


def test_exact_zeros_are_bare(run, write):
    X, y = example()
    _, out, _ = run("compare", write(as_csv(X, y, ["y", "a", "b", "c"])), "--target", "y", "--alpha", "1e9")
    for block in table(out).values():
        assert [block[name][k] for name in "abc" for k in (1, 3)] == ["0"] * 6
        assert all(block[name][2] != "0" for name in "abc")  # the L2 penalty shrinks and does not select


@pytest.mark.parametrize("p", [1, 3, 50])
def test_fits_a_hundred_columns(run, write, p):
    X, y = example(80, p)
    names = [f"a name that is far too long to print in full: {j}" for j in range(p)]
    status, out, _ = run("compare", write(as_csv(X, y * 1e6, ["y", *names])), "--target", "y")
    assert status == 0
    report = out.splitlines()[1:]  # the first line holds the path
    assert max(map(len, report)) <= 100
    assert not any(line != line.rstrip() for line in report)
    points = {match.start() for line in report if line.startswith("  a name") for match in re.finditer(r"\.\d", line)}
    assert len(points) <= 4  # decimal points stand below each other
    assert len(table(out)["L1"]) == p + 10


def test_more_columns_than_rows(run, write):
    X, y = example(6, 9)
    status, out, _ = run("compare", write(as_csv(X, y, ["y", *"abcdefghi"])), "--target", "y")
    assert status == 0
    assert table(out)["L1"]["only optimum"][0] == "no"


def test_a_gap_above_the_tolerance_is_marked(monkeypatch):
    X, y = example()
    monkeypatch.setattr(compare, "solve", lambda *args, **kwargs: solve(*args, **kwargs, tol=0, max_iter=0))
    fits = {loss: [compare.fit(X, y, loss, L1(0.01))] * 4 for loss in compare.LOSSES}
    text = compare.report("title", list("abc"), fits)
    assert any(cell.endswith("*") for cell in table(text)["L2"]["gap"])
    assert "* the gap is above the tolerance" in text


SAME = {
    "byte order mark": "\ufeffx,y\n1,2\n2,4\n4,5\n",
    "quotes": '"x","y"\r\n"1","2"\r\n"2","4"\r\n"4","5"\r\n',
    "spaces": "x , y\n 1, 2\n2 ,4\n\n4.0,5e0\n\n\n",
    "space before a quote": '"x", "y"\n1, "2"\n2, "4"\n4, "5"\n',
    "no newline at the end": "x,y\n1,2\n2,4\n4,5",
    "old newlines": "x,y\r1,2\r2,4\r4,5\r",
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_dialects(run, write, text):
    status, out, err = run("compare", write(text))
    assert (status, err) == (0, "")
    assert ": 3 rows, y explained by 1 column\n" in out
    np.testing.assert_allclose(columns(table(out), "L2", ["x", "intercept"])[:, 0], [13 / 14, 1.5], atol=1e-5)


def test_names_with_commas_newlines_and_foreign_letters(run, write):
    path = write('"size, in\nmetres",größe,"y ""quoted"""\n1,5,2\n2,3,4\n4,4,5\n')
    status, out, _ = run("compare", path, "--target", 'y "quoted"')
    assert status == 0
    assert "size, in?metres" in table(out)["L1"]
    assert "größe" in table(out)["L1"]


GOOD = "a,b,y\n1,2,3\n2,1,5\n"
WRONG = {
    # what is in the file: what must be said
    "empty": ("", "the file is empty"),
    "blank": ("\n\n", "the file is empty"),
    "header only": ("a,b,y\n", "no rows of numbers"),
    "no header": ("1,2,3\n4,5,6\n", "line 1: expected the column names, got numbers"),
    "one column": ("y\n1\n2\n", "line 1: expected two columns or more separated by commas, got one"),
    "semicolons": ("a;y\n1;2\n", "is ';' the separator?"),
    "nameless column": (',y\n"1",2\n', "line 1: column 1 has no name"),
    "twice the same name": ("a,a,y\n1,2,3\n", "line 1: two columns are called 'a'"),
    "text": (GOOD + "1,two,3\n", "line 4, column 'b': expected a finite number, got 'two'"),
    "text after blank lines": ("a,b,y\n\n\n1,2,x\n", "line 4, column 'y': expected a finite number, got 'x'"),
    "text after quoted newlines": ('"a\n\n",b,y\n1,2,x\n', "line 4, column 'y'"),
    "long text": (GOOD + "1," + 1000 * "x" + ",3\n", "'xxxxx"),
    "underscore": (GOOD + "1,1_000,3\n", "expected a finite number, got '1_000'"),
    "decimal comma": (GOOD + '1,"2,5",3\n', "expected a finite number, got '2,5'"),
    "infinity": (GOOD + "1,inf,3\n", "line 4, column 'b': expected a finite number, got 'inf'"),
    "overflow": (GOOD + "1,1e999,3\n", "expected a finite number, got '1e999'"),
    "squares overflow": (GOOD + "1,1e200,3\n", "rescale it"),
    "missing": (GOOD + "1,,3\n", "line 4, column 'b': the value is missing ('')"),
    "NA": (GOOD + "NA,1,3\n", "line 4, column 'a': the value is missing ('NA')"),
    "nan": (GOOD + "1,1,nan\n", "line 4, column 'y': the value is missing ('nan')"),
    "short row": (GOOD + "1,2\n", "line 4: expected 3 values, as many as there are column names, got 2"),
    "long row": (GOOD + "1,2,3,4\n", "line 4: expected 3 values, as many as there are column names, got 4"),
    "constant target": ("a,y\n1,3\n2,3\n", "column 'y': all 2 values are 3, nothing is left to explain"),
    "one row": ("a,y\n1,3\n", "column 'y': all 1 values are 3"),
    "open quote": (GOOD + '1,"2,3\n', "line 4: unexpected end of data"),
    "quote inside": (GOOD + '1,"2"3,4\n', "line 4: ',' expected after '\"'"),
    "not UTF-8": ("größe,y\n1,2\n".encode("latin-1"), "not text in UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), "not text in UTF-8"),
    "binary": (bytes(range(256)), "not text in UTF-8"),
    "huge field": (GOOD + "1,2," + 200_000 * "3" + "\n", "line 4: field larger than field limit"),
}


def one_line(err):
    """The single line on stderr."""
    assert err.endswith("\n")
    (line,) = err.splitlines()
    assert line.startswith("l1l2fast")
    return line


@pytest.mark.parametrize(("content", "said"), WRONG.values(), ids=WRONG)
def test_wrong_file(run, write, content, said):
    path = write(content)
    status, out, err = run("compare", path)
    assert (status, out) == (1, "")
    line = one_line(err)
    assert said in line
    assert path in line
    assert len(line) < len(path) + 200


def test_wrong_path(run, tmp_path):
    for path, said in ((tmp_path / "no.csv", "No such file or directory"), (tmp_path, "Is a directory")):
        status, out, err = run("compare", str(path))
        assert (status, out) == (1, "")
        line = one_line(err)
        assert str(path) in line
        assert said in line or os.name == "nt"  # Windows has its own words


def test_wrong_target(run, write):
    status, _, err = run("compare", write(GOOD), "--target", "z")
    assert status == 1
    assert "no column is called 'z'; there are 'a', 'b', 'y'" in one_line(err)
    status, _, err = run("compare", write(as_csv(*example(5, 50), [f"c{j}" for j in range(51)])), "--target", "z")
    assert "'c9', ..." in one_line(err)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: COMMAND"),
        (["contrast"], "invalid choice: 'contrast'"),
        (["compare", "a.csv", "b.csv"], "unrecognized arguments: b.csv"),
        (["compare", "--alpha", "-1"], "--alpha: expected a number >= 0, got '-1'"),
        (["compare", "--alpha", "nan"], "--alpha: expected a number >= 0, got 'nan'"),
        (["compare", "--alpha", "lots"], "--alpha: expected a number >= 0, got 'lots'"),
        (["compare", "--l1-ratio", "1.5"], "--l1-ratio: expected a number from 0 to 1, got '1.5'"),
        (["compare", "--target"], "--target: expected one argument"),
    ],
)
def test_wrong_arguments(run, arguments, said):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert said in one_line(err)


def test_version_and_help(run):
    assert run("--version") == (0, f"l1l2fast {metadata.version('l1l2fast')}\n", "")
    status, out, err = run("--help")
    assert (status, err) == (0, "")
    assert "compare" in out
    status, out, err = run("compare", "--help")
    assert (status, err) == (0, "")
    for word in ("DATA.csv", "--target COLUMN", "--alpha A", "--l1-ratio R"):
        assert word in out


def test_the_script_is_main():
    (script,) = [entry for entry in metadata.entry_points(group="console_scripts") if entry.name == "l1l2fast"]
    assert script.load() is main


def outside(arguments, **options):
    """Run it as users do, in a process of its own; -P: the source folder is not the package."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "l1l2fast", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def test_as_a_module():
    done = outside(["compare"])
    assert (done.returncode, done.stderr) == (0, "")
    assert set(table(done.stdout)) == {"L1", "L2"}
    done = outside(["compare", "no.csv"])
    assert (done.returncode, done.stdout) == (1, "")
    one_line(done.stderr)


def test_a_poor_terminal_gets_question_marks(write):
    done = outside(["compare", write("größe,y\n1,2\n2,4\n4,5\n")], env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "gr??e" in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_a_reader_that_leaves_early_is_no_error():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "l1l2fast", "compare"],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")


def test_interrupt(run, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(compare, "compare", stop)
    assert run("compare") == (130, "", "")


def test_a_defect_is_not_blamed_on_the_file(run, monkeypatch):
    def fail(*_):
        raise ValueError("operands could not be broadcast")

    monkeypatch.setattr(compare, "compare", fail)
    with pytest.raises(ValueError, match="broadcast"):
        run("compare")


def test_data_inside_are_plain_numbers():
    X, y = stack_loss()
    assert X.sum(axis=0).tolist() == [1269, 443, 1812]
    assert y.sum() == 368


def test_colours_on_a_terminal(run):
    """If rich is there and somebody looks: the same characters, some of them in colour."""
    pytest.importorskip("rich")
    from l1l2fast._colours import show

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for command in (["compare"], ["fit", "--penalty", "l1"]):
        report = run(*command)[1]
        plain, coloured = io.StringIO(), Terminal()
        show(report.rstrip("\n"), plain)
        show(report.rstrip("\n"), coloured)
        assert plain.getvalue() == report
        assert "\x1b[" in coloured.getvalue() and re.sub(r"\x1b\[[0-9;]*m", "", coloured.getvalue()) == report
