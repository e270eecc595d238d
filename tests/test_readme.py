"""README.md: its Python runs and prints what it says, its commands are those that CI runs, its output is real."""

import contextlib
import importlib
import io
import re
from pathlib import Path

import pytest

from l1l2fast.__main__ import main

README = Path(__file__).parents[1] / "README.md"

# A wheel is tested away from its sources, where there is no README.
pytestmark = pytest.mark.skipif(not README.exists(), reason="about the source tree")

MAIN_JOB = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/l1l2fast compare"
TESTS = 'python3 -m venv .venv && .venv/bin/pip install ".[test]" && .venv/bin/pytest'


def blocks(language):
    """The fenced blocks in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def test_python_prints_what_it_says():
    names = {}
    assert len(blocks("python")) >= 3
    for block in blocks("python"):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(block, "README.md", "exec"), names)  # one after the other, as a reader would
        assert out.getvalue().splitlines() == re.findall(r"^# prints (.*)$", block, flags=re.MULTILINE)


def test_commands():
    commands = [line for block in blocks("") for line in block.splitlines() if line.startswith("python3 ")]
    assert commands == [MAIN_JOB, TESTS]
    assert TESTS in (README.parent / ".ci" / "run").read_text("utf-8").splitlines()


def test_output_is_real(capsys):
    """All of the abridged output but what depends on the machine."""
    assert main(["compare"]) == 0
    real = capsys.readouterr().out.splitlines()
    (block,) = [block for block in blocks("") if "stack loss" in block]
    printed = [line for line in block.splitlines() if line != "..."]
    assert len(printed) > 20
    steady = [line for line in printed if not line.startswith(("gap", "time"))]
    assert [line for line in steady if line not in real] == []


def test_cimport():
    api = importlib.import_module("l1l2fast.cython_api")
    (names,) = re.findall(r"^from l1l2fast\.cython_api cimport ([\w, ]+)", blocks("cython")[0], flags=re.MULTILINE)
    assert set(names.replace(" ", "").split(",")) <= set(api.__pyx_capi__)


def test_files_and_modules_named_exist():
    text = README.read_text("utf-8")
    for name in re.findall(r"`((?:[\w.]+/)*[A-Z]+\.md|LICENSE)`", text):
        assert (README.parent / name).is_file(), name
    for name in set(re.findall(r"help\(([\w.]+)\)", text)):
        module, _, attribute = name.rpartition(".")
        assert getattr(importlib.import_module(module), attribute).__doc__
