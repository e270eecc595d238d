"""examples/downstream builds against the installed package, without a network, and its kernels say what ours say."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import l1l2fast
from l1l2fast import L1, cython_api, solve

EXAMPLE = Path(__file__).parents[1] / "examples" / "downstream"

# A wheel is tested away from its sources, where there is no example.
pytestmark = pytest.mark.skipif(not EXAMPLE.is_dir(), reason="about the source tree")


def declarations():
    """The folder in which Cython finds l1l2fast/cython_api.pxd: None where it finds it by itself."""
    if (Path(l1l2fast.__file__).parent / "cython_api.pxd").is_file():
        return None
    # installed for editing: the declarations lie in the build tree, beside the folder of the module
    for folder in Path(cython_api.__file__).parents[:3]:
        if (folder / "l1l2fast" / "cython_api.pxd").is_file():
            return str(folder)
    return pytest.skip("the declarations of l1l2fast.cython_api are not installed")


@pytest.fixture(scope="module")
def downstream(tmp_path_factory):
    """The example, built in a copy of its folder and installed into another."""
    for tool in ("mesonpy", "mesonbuild", "Cython", "pip"):
        pytest.importorskip(tool)
    if not any(map(shutil.which, [os.environ.get("CC", "cc"), "gcc", "clang", "cl"])):
        pytest.skip("there is no C compiler")
    source, place = tmp_path_factory.mktemp("source") / "downstream", tmp_path_factory.mktemp("installed")
    shutil.copytree(EXAMPLE, source)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])  # meson and ninja
    environment = os.environ | {"PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    if folder := declarations():
        environment["PYTHONPATH"] = folder
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*command, "--target", str(place), str(source)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(place))
    try:
        yield importlib.import_module("downstream")
    finally:
        sys.path.remove(str(place))
        for name in [name for name in sys.modules if name.partition(".")[0] == "downstream"]:
            del sys.modules[name]


def test_the_lasso_of_a_gram_matrix(downstream):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 8))
    y = X @ np.arange(8) + rng.standard_normal(50)
    b, epochs = downstream.lasso_gram(X.T @ X / 50, X.T @ y / 50, 0.3, tol=1e-22)
    np.testing.assert_allclose(b, solve(X, y, penalty=L1(0.3), fit_intercept=False, tol=1e-14).coef, atol=1e-8)
    assert 1 < epochs < 10_000


def test_soft_threshold(downstream):
    z = np.array([3.0, -0.5, -2.0])
    np.testing.assert_array_equal(downstream.soft_threshold(z, 1.0), [2.0, 0.0, -1.0])
    assert downstream.soft_threshold(np.empty(0), 1.0).shape == (0,)


def test_sizes_are_checked_in_front_of_the_kernel(downstream):
    with pytest.raises(ValueError, match="gram must have shape"):
        downstream.lasso_gram(np.eye(3), np.ones(2), 0.1)
