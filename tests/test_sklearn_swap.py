"""scikit-learn's own tests of Lasso, ElasticNet and Ridge, run on ours."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

sklearn = pytest.importorskip("sklearn", minversion="1.9")  # earlier versions test other details
pytestmark = pytest.mark.skipif(find_spec("sklearn.linear_model.tests") is None, reason="installed without its tests")

# These are about the innards of a solver that is not ours.
OTHERS = {
    "test_n_iter": "sag, saga and lsqr end after max_iter iterations, the others count none",
    "test_ridge_fit_intercept_sparse_sag": "sag warns that it needs many iterations",
    "test_lbfgs_solver_error": "L-BFGS fails after one iteration",
}


def run(names, modules, folder):
    """Tests of scikit-learn that name the classes, with ours in their place: exit status, output, counts."""
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "pytest", "-p", "swap", "-p", "no:cacheprovider", "-c", os.devnull, "-q",
               "--tb=short", "-W", "ignore", "-k", " and ".join(f"not {name}" for name in OTHERS), "--pyargs",
               *(f"sklearn.linear_model.tests.{module}" for module in modules)]
    done = subprocess.run(command, cwd=folder, env={**os.environ, "SWAP": names, "PYTHONPATH": path}, text=True,
                          capture_output=True, check=False)
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", done.stdout.splitlines()[-1])}
    print(f"{', '.join(modules)} with our {names}: {counts}")
    return done.returncode, done.stdout + done.stderr, counts


@pytest.mark.parametrize(("names", "module", "least"), [
    ("Lasso,ElasticNet,Ridge", "test_coordinate_descent", 100),
    ("Lasso,ElasticNet", "test_sparse_coordinate_descent", 60),
    ("Ridge", "test_ridge", 300),
])
def test_scikit_learns_tests_pass_on_ours(names, module, least, tmp_path):
    status, output, counts = run(names, [module], tmp_path)
    assert status == 0, output
    assert counts["passed"] >= least, output
    assert "failed" not in counts
    assert "error" not in counts and "errors" not in counts
