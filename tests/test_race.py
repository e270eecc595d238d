"""The race: its judge against slow formulas, and a rehearsal of the whole command on tiny problems."""

import dataclasses
import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
pytestmark = pytest.mark.skipif(not BENCHMARKS.exists(), reason="the benchmarks stay with the source tree")


@pytest.fixture
def race(monkeypatch):
    """The modules of the race that need no process: course, judge, files, report."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    from race import course, files, judge, report

    yield {"course": course, "files": files, "judge": judge, "report": report}
    for name in [name for name in sys.modules if name.split(".")[0] == "race"]:
        del sys.modules[name]


def slow_loss(task, y, f):
    error, parameter = y - f, task.parameter
    if task.loss == "pinball":
        return error * parameter if error > 0 else error * (parameter - 1)
    if task.loss == "logistic":
        return math.log(1 + math.exp(-y * f))
    if task.loss == "huber" and abs(error) > parameter:
        return parameter * (abs(error) - parameter / 2)
    return error**2 / 2


def slow_penalty(task, alpha, b):
    if task.gamma is None:
        return alpha * (task.l1_ratio * abs(b) + (1 - task.l1_ratio) / 2 * b * b)
    inside = alpha * abs(b) - b * b / (2 * task.gamma)
    return inside if abs(b) < task.gamma * alpha else task.gamma * alpha**2 / 2


def slow(task, X, y, alpha, b, b0):
    X = X.toarray() if sp.issparse(X) else X
    losses = [slow_loss(task, y[i], b0 + sum(X[i, j] * b[j] for j in range(len(b)))) for i in range(len(y))]
    return sum(losses) / len(y) + sum(slow_penalty(task, alpha, v) for v in b)


@pytest.mark.parametrize("k", range(13))
def test_judge_and_files(race, tmp_path, k):
    task = race["course"].task(race["course"].REHEARSAL[k])
    race["files"].write_task(tmp_path, task)
    task = race["files"].read_task(tmp_path)
    rng = np.random.default_rng(k)
    coef = rng.standard_normal((task.X.shape[1], len(task.alphas))) * (rng.random((task.X.shape[1], 1)) < 0.3)
    intercept = rng.standard_normal(len(task.alphas)) * task.intercept
    race["files"].write_answer(tmp_path, coef, intercept)
    read = race["files"].read_answer(tmp_path, task.X.shape[1])
    assert (read[0].toarray() == coef).all()
    values = race["judge"].objectives(task, *read)
    parts = task.parts() if task.blocks > 1 else [(task.X, task.y, [alpha]) for alpha in task.alphas]
    assert len(values) == len(parts)
    for i in 0, len(parts) - 1:
        X, y, (alpha,) = parts[i]
        if task.kind == "process":  # alphas are quantiles
            one = dataclasses.replace(task, kind="fit", parameter=alpha)
            assert values[i] == pytest.approx(slow(one, X, y, 0.0, coef[:, i], intercept[i]), rel=1e-12)
            continue
        expected = slow(task, X, y, alpha, coef[:, i], intercept[i])
        assert values[i] == pytest.approx(expected, rel=1e-12)
    if not task.convex:
        return  # no bound is known
    # nobody is below the bound, not even the model without columns
    bound = race["judge"].bounds(task, *read)
    assert (bound <= np.minimum(values, race["judge"].null(task)) * (1 + 1e-12)).all()


@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.0])
def test_bound_is_met_where_the_answer_is_known(race, ratio):
    # orthogonal columns of mean 0: b_j = soft(x_j'y / n, l1) / (x_j'x_j / n + l2)
    X = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], float)
    y = np.array([3.0, 1, 0.5, -2])
    task = race["course"].Task(X, y, np.array([0.4]), ratio)
    z, l1, l2 = X.T @ y / 4, 0.4 * ratio, 0.4 * (1 - ratio)
    b = np.sign(z) * np.maximum(0, abs(z) - l1) / (1 + l2)
    answer = b[:, None], np.array([y.mean()])
    assert race["judge"].bounds(task, *answer) == pytest.approx(race["judge"].objectives(task, *answer), rel=1e-14)


@pytest.mark.parametrize("sparse", [False, True])
def test_real_data_by_path(race, tmp_path, sparse):
    X, y = sp.random(15, 9, 0.5, format="csc", random_state=0), np.arange(1.0, 16)
    if sparse:
        np.savez(tmp_path / "news20.npz", data=X.data, indices=X.indices, indptr=X.indptr, shape=X.shape, y=y)
    else:
        np.savez(tmp_path / "news20.npz", X=X.toarray(), y=y)
    course = race["course"]
    (problem,) = [problem for problem in course.PROBLEMS if problem.name == "news20_10"]
    assert course.task(problem) is None
    for place in str(tmp_path), f"news20={tmp_path / 'news20.npz'}":
        found = course.task(problem, (place,))
        assert sp.issparse(found.X) == sparse
        assert abs(found.X - (X if sparse else X.toarray())).max() == 0
        assert found.y.tolist() == [1.0] * 10 + [-1.0] * 5


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory):
    """The command on tiny problems: what it printed and wrote. Here, its imports are outside the limit of one test."""
    folder = tmp_path_factory.mktemp("race")
    names = ["l1l2fast", "numpy"] + (["sklearn"] if importlib.util.find_spec("sklearn") else [])
    done = subprocess.run(
        [sys.executable, "-m", "race", "--check", "--repeats", "1", "--output", folder, "--contestants", *names],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads((folder / "race.json").read_text("utf-8"))
    written["table"] = (folder / "race.csv").read_text("utf-8").splitlines()
    return done.stdout, written


def test_everybody_means_the_same_problem(rehearsal):
    _, written = rehearsal
    for name, problem in written["problems"].items():
        assert problem["failures"] == {}, name
        assert -1e-12 < problem["known"] < 1e-10, name
        errors = {}
        for run in problem["runs"]:
            errors.setdefault(run["label"].split("-")[0], []).append(run["error"])
        assert all(-1e-12 <= min(found) <= 1e-9 for found in errors.values()), (name, errors)


def test_the_report_is_whole(rehearsal):
    printed, written = rehearsal
    assert {state.split()[0] for state in written["versions"].values()} == {"ready"}
    assert len(written["problems"]) == 15
    for problem in written["problems"].values():
        assert [row["accuracy"] for row in problem["rows"]] == [1e-4, 1e-6, 1e-9]
        assert all(row["ours"]["error"] <= row["accuracy"] for row in problem["rows"])
    assert "geometric mean" in printed
    assert written["table"][0] == "problem,within 1e-04,within 1e-06,within 1e-09"
    assert [line.split(",")[0] for line in written["table"][1:]] == list(written["problems"])


def test_cross_validation_beside_scikit_learn(tmp_path):
    command = [sys.executable, "-m", "race.cv", "--only", "rehearsal_tall", "--contestants", "l1l2fast", "sklearn"]
    done = subprocess.run([*command, "--output", tmp_path], cwd=BENCHMARKS, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "cv.json").read_text())["rehearsal_tall_cv"]
    for who in ("l1l2fast", "sklearn"):
        last = found["runs"][who][-1]
        assert last["error"] < 1e-6 and last["same"] and last["cpu"] > 0
    assert "within 1e-05: l1l2fast" in done.stdout and len(found["ratios"]) == 3
