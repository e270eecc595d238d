"""The house has floors: an import or cimport points down, or along a floor without ever coming round in a circle."""

import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = [
    {"_scalar", "_signals", "_blas", "_threads", "_panels", "simd"},
    {"_columns", "_dense", "_sparse", "_losses", "_penalties"},
    {
        "_objective",
        "_groups",
        "_cd",
        "_factor",
        "_newton",
        "_conjugate",
        "_walk",
        "_weigh",
        "_model",
        "_irls",
        "_smooth",
        "_vertex",
        "_simplex",
        "_basis",
        "_corner",
        "_extremes",
        "_parametric",
        "_multiplier",
        "_ascent",
        "_narrow",
        "_interior",
        "_saddle",
        "_lines",
        "_face",
        "_triangle",
        "_nonconvex",
        "_several",
        "_look",
        "_whole",
        "_units",
        "cython_api",
    },
    {
        "losses",
        "penalties",
        "group",
        "result",
        "problem",
        "_validate",
        "_validate_quantiles",
        "_validate_many",
        "_validate_groups",
        "_frames",
        "config",
    },
    {
        "normal",
        "shifted",
        "closed",
        "least_squares",
        "interior",
        "working_set",
        "sampling",
        "squared",
        "absolute",
        "turning",
        "augmented",
        "grouped",
        "enveloped",
        "constrained",
        "narrowing",
        "priced",
        "ascent",
        "smooth",
        "judged",
        "parabola",
        "kept_gram",
        "certificate",
        "uniqueness",
        "solution_set",
        "leverage",
        "nonconvex",
        "linearised",
        "bounds",
        "exchange",
        "textbook",
        "solvers",
    },
    {
        "path",
        "batches",
        "steps",
        "corners",
        "path_result",
        "ridge",
        "criteria",
        "folds",
        "fold_grams",
        "breakpoints",
        "ordered",
        "quantile_process",
        "rank_inversion",
        "sandwich",
        "inference",
        "cross_validation",
        "stability",
        "tasks",
    },
    {"__init__"},
    {
        "_estimators",
        "_any_loss",
        "_not_convex",
        "_paths",
        "_cv",
        "_logistic_cv",
        "_loss_cv",
        "_ridge_cv",
        "_quantile",
        "_generalised",
        "sklearn",
        "compare",
        "plots",
        "dask",
        "__main__",
        "_pictures",
        "_colours",
        "_files",
        "fit",
    },
]
FLOOR = {module: number for number, floor in enumerate(FLOORS) for module in floor}
SOURCES = [
    path
    for folder in ("src", "l1l2fast")
    for path in sorted((ROOT / folder).iterdir())
    if path.suffix in {".py", ".pyx", ".pxd", ".pyi"} and path.name != "__init__.pxd"
]
# from l1l2fast.a import x | from .a import x | import l1l2fast.a | from l1l2fast import a, b | from . import a
IMPORT = re.compile(
    r"^\s*(?:from\s+(?:l1l2fast)?\.(\w+)\s+c?import\b|c?import\s+l1l2fast\.(\w+)|"
    r"from\s+(?:l1l2fast|\.)\s+c?import\s+\(?([\w ,]+)|(?:c?import)\s+(l1l2fast)\s*$)",
    re.MULTILINE,
)


def imports(text):
    """The modules of this package that a source names, wherever in the file."""
    for one, other, several, package in IMPORT.findall(text):
        names = [name.split()[0] for name in several.split(",") if name.strip()] if several else [one or other]
        # A name that is no module comes from the package itself, which stands above everything.
        yield from ["__init__"] if package else [name if name in FLOOR else "__init__" for name in names]


def test_the_pattern_sees_every_form():
    text = """
from l1l2fast._blas cimport dot
import l1l2fast.result
    from .path import path
from . import plots, dask as d
from l1l2fast import solve
cimport l1l2fast._cd
import l1l2fast
import numpy
from math import l1l2fast_not
"""
    assert sorted(imports(text)) == ["__init__", "__init__", "_blas", "_cd", "dask", "path", "plots", "result"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_imports_point_down(path):
    assert path.stem in FLOOR, f"{path.name}: which floor is it on? Put it in FLOORS."
    for name in imports(path.read_text(encoding="utf-8")):
        assert FLOOR[name] <= FLOOR[path.stem], f"{path.name} (floor {FLOOR[path.stem]}) imports {name}"


def test_no_circles_along_a_floor():
    graph = {}
    for path in SOURCES:
        graph.setdefault(path.stem, set()).update(set(imports(path.read_text(encoding="utf-8"))) - {path.stem})
    TopologicalSorter(graph).prepare()


def test_only_the_top_floor_needs_an_extra():
    """numpy and scipy alone below: scikit-learn, matplotlib, pandas and dask are asked for upstairs."""
    extras = re.compile(r"^\s*(?:from|import)\s+(sklearn|matplotlib|pandas|dask|tqdm)\b", re.MULTILINE)
    found = {path.name for path in SOURCES if FLOOR.get(path.stem, 0) < 6 and extras.search(path.read_text("utf-8"))}
    assert found == set()
