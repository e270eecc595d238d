"""What a stranger's clone must hold; nothing here is about numbers."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import l1l2fast

ROOT = Path(__file__).resolve().parents[1]

# The tests also run beside a wheel alone, where there is no tree to look at.
pytestmark = pytest.mark.skipif(not (ROOT / "meson.build").exists(), reason="about the source tree")


def files(folders, suffixes):
    """Files of the tree, but for what builds and benchmark runs leave behind."""
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*"))]
    return [
        path
        for path in found
        if path.suffix in suffixes and not {".asv", "_build", "generated", "auto_gallery"} & set(path.parts)
    ]


CODE = files(["src", "l1l2fast", "tests", "benchmarks"], {".py", ".pyi", ".pyx", ".pxd", ".pxi", ".c", ".h"})
TEXT = files([".github", "docs", "benchmarks"], {".md", ".yml", ".json", ".rst"})
TEXT += [path for path in sorted(ROOT.glob("*")) if path.suffix in {".md", ".toml", ".build", ".yaml"}]


def name(path):
    return str(path.relative_to(ROOT))


def read(place):
    return (ROOT / place).read_text("utf-8")


def readme_commands(end):
    """Lines of the fenced blocks of README.md that end so."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", read("README.md"), flags=re.MULTILINE | re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip().endswith(end)]


def test_ci_runs_the_test_command_of_the_readme():
    (command,) = readme_commands(".venv/bin/pytest")
    assert command in read(".ci/run").splitlines()


def test_readme_has_the_main_job():
    assert len(readme_commands("l1l2fast compare")) == 1


def test_one_version():
    built = re.search(r"^\s*version: '([^']+)'", read("meson.build"), flags=re.MULTILINE)
    assert built[1] == l1l2fast.__version__ == metadata.version("l1l2fast")


def test_changelog_knows_the_version():
    heading = "Unreleased" if ".dev" in l1l2fast.__version__ else l1l2fast.__version__
    assert f"## [{heading}]" in read("CHANGELOG.md")


def test_licence():
    assert "BSD 3-Clause License" in read("LICENSE")
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert project["license"] == "BSD-3-Clause"
    assert metadata.metadata("l1l2fast")["License-Expression"] == "BSD-3-Clause"
    assert any(file.name == "LICENSE" for file in metadata.files("l1l2fast"))


@pytest.mark.parametrize("path", CODE, ids=name)
def test_no_file_needs_a_table_of_contents(path):
    assert len(path.read_text("utf-8").splitlines()) <= 450


@pytest.mark.parametrize("path", CODE + TEXT, ids=name)
def test_no_path_of_a_machine(path):
    # pieced together, so that this file does not find itself
    places = ["/ho" + "me/", "/roo" + "t/", "/Us" + "ers/", "/wo" + "rk/", "/tm" + "p/", "C:" + "\\"]
    text = path.read_text("utf-8")
    assert [place for place in places if place in text] == []


@pytest.mark.parametrize("path", [path for path in CODE if path.suffix == ".py"], ids=name)
def test_python_files_say_what_they_are_for(path):
    assert path.read_text("utf-8").lstrip("r").startswith('"""')
