"""show_config(): what a bug report should say."""

from importlib import metadata

import pytest

from l1l2fast import show_config


def test_dicts():
    found = show_config("dicts")
    assert found["versions"]["l1l2fast"] == metadata.version("l1l2fast")
    assert found["versions"]["numpy"] == metadata.version("numpy")
    assert found["build"]["build type"] in ("release", "debug", "debugoptimized", "plain", "minsize")
    assert found["build"]["cython"][0].isdigit()
    assert found["machine"]["loops"] in ("x86-64-v4", "x86-64-v3", "portable")
    assert "blas" in found["blas"]


def test_print(capsys):
    assert show_config() is None
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith("  ")] == ["versions:", "build:", "blas:", "machine:"]
    assert any(line.split() == ["scipy", metadata.version("scipy")] for line in lines)


def test_refuses():
    with pytest.raises(ValueError, match="mode must be 'stdout' or 'dicts', got 'json'"):
        show_config("json")
