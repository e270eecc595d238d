"""The type stubs say what the compiled modules are, and a user's code type-checks."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import l1l2fast
from l1l2fast.losses import Loss
from l1l2fast.penalties import Penalty

pytest.importorskip("mypy")
PACKAGE = Path(l1l2fast.__file__).parent
STUBBED = sorted(path.stem for path in PACKAGE.glob("*.pyi"))
LEAVES = Loss.__subclasses__() + Penalty.__subclasses__()
EXPORTED = [leaf for leaf in LEAVES if leaf.__name__ in l1l2fast.__all__]
# What is judged are the stubs and the types a user sees, not the bodies of the modules.
CONFIG = """
[mypy]
ignore_missing_imports = True
[mypy-l1l2fast.*]
ignore_errors = True
"""
STRICT = """
import numpy as np
from numpy.typing import NDArray

from l1l2fast import L1, L1L2, CVResult, Path, Pinball, QuantileProcess, Result, RidgePath, StabilityResult
from l1l2fast import cross_validate, inference, path, quantile_process, ridge_path, show_config, solve
from l1l2fast import stability_selection


def fit(X: NDArray[np.float64], y: NDArray[np.float64]) -> Result:
    result = solve(X, y, "absolute", L1(0.1), sample_weight=np.ones(len(y)), tol=1e-6)
    reveal_type(result.gap)
    reveal_type(result.unique)
    reveal_type(result.table()[0].name)
    coef: NDArray[np.float64] = result.coef + result.predict(X)[0] + result.certificate().theta[0]
    return result


def lines(X: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[Path, RidgePath]:
    return path(X, y, n_alphas=10), ridge_path(X, y, [1.0, 0.1], loo=True)


def choices(X: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[CVResult, StabilityResult, QuantileProcess]:
    chosen = cross_validate(X, y, "absolute", cv=3, scoring="mae", random_state=0)
    alpha: float = chosen.best_alpha + chosen.path.criterion("bic").min()
    print(inference(solve(X, y, "absolute", method="interior"), "iid", names=["a", "b"]))
    return chosen, stability_selection(X, y, Pinball(0.5)), quantile_process(X, y, [0.1, 0.9], penalty=L1(alpha))


solve([[1.0], [2.0]], [1.0, 2.0], Pinball(0.5), L1L2(0.1, l2=0.2), callback=lambda progress: progress.gap < 1)
show_config()
solve([[1.0], [2.0]], [1.0, 2.0], fit_intercept="yes")  # wrong
cross_validate([[1.0], [2.0]], [1.0, 2.0], tol="small")  # wrong
path([[1.0], [2.0]], [1.0, 2.0], "squared", 100)  # wrong
stability_selection([[1.0], [2.0]])  # wrong
"""
USAGE = """
from l1l2fast import L1, L1L2, L2, Absolute, Pinball, Squared, solve
from l1l2fast.losses import Loss
from l1l2fast.penalties import Penalty

penalties: list[Penalty] = [L1(0.1), L2(alpha=0.1), L1L2(0.1, l2=0.2)]
losses: list[Loss] = [Squared(), Absolute()]
reveal_type(penalties[0].apply_prox(1.0, step=2))
reveal_type(L1L2(0.1, 0.2).elastic())
reveal_type(losses[0].dual(1.0, 2.0))
reveal_type(Pinball(0.9).quantile)
result = solve([[1.0], [2.0]], [1.0, 2.0], losses[1], penalties[2])
losses[0].dual("1")  # wrong
L1("a")  # wrong
L1L2(0.1, l3=0.2)  # wrong
from l1l2fast import nonsense  # wrong
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One place for both runs, so that mypy reads the stubs of numpy once."""
    folder = tmp_path_factory.mktemp("mypy")
    (folder / "mypy.ini").write_text(CONFIG, encoding="utf-8")
    return folder


def run(folder, *arguments):
    """Run a module of mypy; its output. A checkout installed for editing lies outside site-packages."""
    environment = os.environ | {"MYPYPATH": ""}
    if (PACKAGE.parent / "pyproject.toml").exists():
        environment["MYPYPATH"] = str(PACKAGE.parent)
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def wrong(text):
    """Numbers of the lines that mypy complains of."""
    return sorted({int(line.split(":")[1]) for line in text.splitlines() if ": error: " in line})


def marked(text):
    """Numbers of the lines that it must complain of, and of no others."""
    return [number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# wrong")]


def test_stubs_agree_with_the_compiled_modules(folder):
    """mypy.stubtest; a leaf that the package does not export need not be listed, its base class stands for it."""
    assert {"_losses", "_penalties"} <= set(STUBBED)
    leaves = [re.escape(f"{leaf.__module__}.{leaf.__name__}") + r"(\..*)?" for leaf in LEAVES if leaf not in EXPORTED]
    # The base's arguments in the stub are those its leaves may have.
    leaves += [re.escape(f"{base.__module__}.{base.__name__}") + r"\.__init__" for base in (Loss, Penalty)]
    leaves += [leaf.replace("._", ".") for leaf in leaves]
    allowed = [r".*\.__(reduce|setstate)_cython__", r".*\.__(pyx_capi|test|all)__", *leaves]
    (folder / "allowed").write_text("\n".join(allowed), encoding="utf-8")
    code, text = run(
        folder,
        "mypy.stubtest",
        "--ignore-disjoint-bases",
        "--ignore-unused-allowlist",
        "--allowlist=allowed",
        "--mypy-config-file=mypy.ini",
        *(f"l1l2fast.{stem}" for stem in STUBBED),
    )
    assert code == 0, text
    assert f"no issues found in {len(STUBBED)} modules" in text


@pytest.mark.parametrize("leaf", EXPORTED, ids=lambda leaf: leaf.__name__)
def test_an_exported_leaf_is_listed_with_its_arguments(leaf):
    """Cython tells stubtest nothing of a constructor, and pyright finds no leaf of the package that is not listed."""
    stub = ast.parse((PACKAGE / f"{leaf.__module__.split('.')[-1]}.pyi").read_text(encoding="utf-8"))
    listed = {node.name: node.body for node in stub.body if isinstance(node, ast.ClassDef)}
    assert leaf.__name__ in listed, f"{leaf.__name__}: list it in the stub, with the arguments of its constructor"
    made = next(node.args for node in listed[leaf.__name__] if getattr(node, "name", "") == "__init__")
    assert [argument.arg for argument in made.args] == ["self", *leaf().parameters()]
    assert len(made.defaults) == len(made.args) - 1


def test_a_users_code_type_checks(folder):
    """Also the proof that mypy finds the stubs at all: types are revealed, and what is wrong is seen."""
    (folder / "usage.py").write_text(USAGE, encoding="utf-8")
    _, text = run(folder, "mypy", "--config-file=mypy.ini", "usage.py")
    revealed = re.findall(r'Revealed type is "(?:builtins\.)?([^"]*)"', text)
    revealed = [kind.replace("builtins.", "") for kind in revealed]
    assert revealed == ["float", "tuple[float, float] | None", "float", "float"], text
    assert wrong(text) == marked(USAGE), text


def test_a_users_code_passes_strictly(folder):
    """mypy --strict, the settings of users who want to know: nothing untyped is called, and what is wrong is seen."""
    (folder / "strict.py").write_text(STRICT, encoding="utf-8")
    _, text = run(folder, "mypy", "--strict", "--config-file=mypy.ini", "strict.py")
    revealed = [kind.replace("builtins.", "") for kind in re.findall(r'Revealed type is "([^"]*)"', text)]
    assert revealed == ["float", "bool | None", "str"], text
    assert wrong(text) == marked(STRICT), text
