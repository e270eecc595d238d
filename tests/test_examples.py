"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

import l1l2fast

SOURCES = sorted(Path(l1l2fast.__file__).parent.glob("*.py"))
MODULES = [path.stem for path in SOURCES if re.search(r"^\s*>>> ", path.read_text("utf-8"), flags=re.MULTILINE)]
# whose own imports of an extra stand elsewhere
EXTRAS = {"plots": "matplotlib"}


def test_there_are_examples():
    assert {"solvers", "path", "ridge", "result"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    needed = EXTRAS.get(name)
    text = next(path for path in SOURCES if path.stem == name).read_text("utf-8")
    for extra in ("sklearn", "matplotlib", "pandas"):
        if needed == extra or re.search(rf"^\s*(?:>>> )?(?:import|from) {extra}\b", text, flags=re.MULTILINE):
            module = pytest.importorskip(extra)
            if extra == "matplotlib":
                module.use("Agg")
    failed, tried = doctest.testmod(importlib.import_module(f"l1l2fast.{name}"), optionflags=doctest.ELLIPSIS)
    assert failed == 0
    assert tried > 0
    if "matplotlib" in text or needed == "matplotlib":
        importlib.import_module("matplotlib.pyplot").close("all")
