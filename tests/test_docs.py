"""docs/: every page is reachable, every link leads somewhere, every example and script runs; nothing is built."""

import contextlib
import doctest
import importlib
import io
import re
import runpy
from pathlib import Path

import pytest

import l1l2fast

DOCS = Path(__file__).parents[1] / "docs"

# A wheel is tested away from its sources, where there is no documentation.
pytestmark = pytest.mark.skipif(not (DOCS / "conf.py").exists(), reason="about the source tree")

PAGES = sorted(DOCS.glob("*.rst"))
SCRIPTS = sorted((DOCS / "gallery").glob("plot_*.py"))
TEXTS = [*PAGES, *SCRIPTS, *(DOCS / "gallery").glob("*.rst")]


def name(path):
    return path.stem


def read(path):
    return path.read_text("utf-8")


def test_there_is_something_to_test():
    assert len(PAGES) > 10
    assert len(SCRIPTS) > 5


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_toctrees_name_pages(path):
    for block in re.findall(r"^\.\. toctree::\n((?:[ ]+.*\n|\n)*)", read(path), flags=re.MULTILINE):
        for entry in block.split("\n\n", 1)[1].split():
            made = entry.startswith(("generated/", "auto_gallery/"))  # by conf.py, when the pages are built
            assert made or (DOCS / f"{entry}.rst").is_file(), entry


def test_every_page_is_in_a_toctree():
    listed = {"index"}
    for path in PAGES:
        listed |= set(re.findall(r"^   (\w+)$", read(path), flags=re.MULTILINE))
    assert [path.stem for path in PAGES if path.stem not in listed] == []


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_links_lead_somewhere(path):
    text = read(path)
    for target in re.findall(r":doc:`(?:[^`<]*<)?/?([^`>]+)>?`", text):
        assert (DOCS / f"{target}.rst").is_file(), target
    scripts = {f"sphx_glr_auto_gallery_{script.name}" for script in SCRIPTS}
    labels = scripts | set(re.findall(r"^\.\. _(.+):$", "".join(map(read, TEXTS)), flags=re.MULTILINE))
    for target in re.findall(r":ref:`(?:[^`<]*<)?([^`>]+)>?`", text):
        assert target in labels
    for target in re.findall(r":(?:func|class|meth):`(?:[^`<]*<)?([^`>]+)>?`", text):
        place = l1l2fast
        for part in target.removeprefix("l1l2fast.").split("."):
            place = getattr(place, part)
    for target in re.findall(r"^\.\. literalinclude:: (.+)$", text, flags=re.MULTILINE):
        assert (DOCS / target).is_file(), target
    cited, given = set(re.findall(r"\[(\w+)\]_", text)), set(re.findall(r"^\.\. \[(\w+)\]", text, flags=re.MULTILINE))
    assert cited == given


def test_parts_of_sources_are_found():
    """What `adding` includes by its first line."""
    for source, start in re.findall(
        r"literalinclude:: (\S+)\n   :language: cython\n   :start-at: (.+)", read(DOCS / "adding.rst")
    ):
        assert start in read(DOCS / source)


@pytest.mark.parametrize("path", [path for path in PAGES if ">>> " in read(path)], ids=name)
def test_examples(path):
    for extra in ("pandas", "sklearn"):
        if re.search(rf">>> (import {extra}|from ({extra}|l1l2fast\.{extra}))\b", read(path)):
            pytest.importorskip(extra)
    failed, tried = doctest.testfile(str(path), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert failed == 0
    assert tried > 0


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_gallery(path, monkeypatch):
    """Every script runs, without a warning, draws, and says in its first line which question it answers."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    if "sklearn" in read(path):
        pytest.importorskip("sklearn")
    title, rule = read(path).removeprefix('"""\n').splitlines()[:2]
    assert rule == "=" * len(title)
    with contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path(str(path))
    figures = [plt.figure(number) for number in plt.get_fignums()]
    assert figures
    for figure in figures:
        figure.canvas.draw()
    plt.close("all")


def test_generated_pages(tmp_path, monkeypatch):
    """One page per loss and penalty, and the table of cells asked of `solve`."""
    for extra in ("matplotlib", "sklearn"):
        pytest.importorskip(extra)
    monkeypatch.syspath_prepend(DOCS)
    pages = importlib.import_module("pages")
    pages.write(tmp_path)
    made = {path.stem for path in (tmp_path / "generated").iterdir()}
    leaves = [f"losses_{leaf}" for leaf in l1l2fast.losses.__all__[1:]]
    leaves += [f"penalties_{leaf}" for leaf in l1l2fast.penalties.__all__[1:]]
    assert made == {*leaves, "api", "cells", "help", "options"}
    listed = set(re.findall(r"^   ([\w.]+)$", read(tmp_path / "generated" / "api.rst"), flags=re.MULTILINE))
    own_pages = {*l1l2fast.losses.__all__, *l1l2fast.penalties.__all__}
    assert set(l1l2fast.__all__) - own_pages <= listed
    assert {f"plots.{picture}" for picture in l1l2fast.plots.__all__} <= listed
    text = read(tmp_path / "generated" / "penalties_L1.rst")
    assert "The penalty ``alpha |b|``: sets coefficients exactly to zero" in text
    first, last = map(int, re.search(r":lines: (\d+)-(\d+)", text).groups())
    lines = read(DOCS.parent / "src" / "_penalties.pyx").splitlines()
    assert lines[first - 1] == "cdef class L1(Penalty):"
    assert lines[last - 1] == "        return self.alpha, 0.0"
    cells = read(tmp_path / "generated" / "cells.inc")
    assert cells.count("- gap") >= 12
    pages.write(tmp_path)  # a second time, nothing is new


def test_docstrings_survive():
    """Formulas become literal blocks, bars are escaped, quoted ones are not."""
    import sys

    sys.path.insert(0, str(DOCS))
    try:
        pages = importlib.import_module("pages")
    finally:
        sys.path.remove(str(DOCS))
    lines = ["Minimises |b|.", "", "    |b| + 1", "", "See ``|x|`` and coef_."]
    pages.clean(None, "function", "f", None, None, lines)
    assert lines == ["Minimises \\|b\\|.", "", "::", "", "    |b| + 1", "", "See ``|x|`` and coef\\_."]
