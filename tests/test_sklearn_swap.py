"""scikit-learn's own tests of Lasso, ElasticNet, Ridge and QuantileRegressor, run on ours."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

sklearn = pytest.importorskip("sklearn", minversion="1.9")  # earlier versions test other details
pytestmark = pytest.mark.skipif(find_spec("sklearn.linear_model.tests") is None, reason="installed without its tests")

# Tests of these names are left out, because they are about
OTHERS = {
    "test_n_iter": "what is counted by sag, saga and lsqr, and that the others count nothing",
    "test_ridge_fit_intercept_sparse_sag": "the warning of sag that it needs many iterations",
    "test_lbfgs_solver_error": "the failure of L-BFGS after one iteration",
    "cv": "scikit-learn's RidgeCV, with Ridge to compare: they take long",
}
OTHERS_CV = {
    "multioutput": "equality, in seven digits, to scikit-learn's MultiTaskLassoCV and its tolerance of 1e-4",
    "does_not_set_precompute": "what is handed to scikit-learn's Lasso inside, which is not asked",
}


@pytest.fixture(
    scope="module",
    params=[
        ("Lasso,ElasticNet,Ridge", "test_coordinate_descent", (), 100),
        ("Lasso,ElasticNet", "test_sparse_coordinate_descent", (), 60),
        ("Ridge", "test_ridge", OTHERS, 300),
        ("QuantileRegressor", "test_quantile", (), 50),
        ("LassoCV,ElasticNetCV", "test_coordinate_descent", OTHERS_CV, 160),
        ("RidgeCV", "test_ridge", (), 300),
    ],
    ids=lambda param: f"{param[1]}-{param[0]}",
)
def outcome(request, tmp_path_factory):
    """scikit-learn's tests that name the classes, run with ours in their place: exit status, output, counts."""
    names, module, without, least = request.param
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    empty = tmp_path_factory.mktemp(module) / "pytest.ini"
    empty.write_text("[pytest]\n", "utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "swap",
        "-p",
        "no:cacheprovider",
        "-c",
        str(empty),
        "-q",
        "--tb=short",
        "-W",
        "ignore",
        "-k",
        " and ".join(f"not {name}" for name in without),
        "--pyargs",
        f"sklearn.linear_model.tests.{module}",
    ]
    done = subprocess.run(
        command,
        cwd=empty.parent,
        text=True,
        capture_output=True,
        check=False,
        env={**os.environ, "SWAP": names, "PYTHONPATH": path, "PYTEST_ADDOPTS": ""},
    )
    last = done.stdout.splitlines()[-1:]
    counts = {word: int(number) for number, word in re.findall(r"(\d+) ([a-z]+)", "".join(last))}
    print(f"{module} with our {names}: {counts}")
    return done.returncode, done.stdout + done.stderr, counts, least


def test_scikit_learns_tests_pass_on_ours(outcome):
    status, output, counts, least = outcome
    assert status == 0, output
    assert counts["passed"] >= least, output
    assert not {"failed", "error", "errors"} & set(counts)
