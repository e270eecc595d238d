"""The benchmarks run: every one of them, once, on what is installed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("asv")

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
pytestmark = pytest.mark.skipif(not BENCHMARKS.exists(), reason="the benchmarks stay with the source tree")


@pytest.fixture
def asv(tmp_path):
    """Runs asv in a copy of the benchmarks, with a home of its own: it writes beside both."""
    copy = shutil.copytree(BENCHMARKS, tmp_path / "benchmarks", ignore=shutil.ignore_patterns(".asv", "__pycache__"))
    home = {name: str(tmp_path) for name in ("HOME", "USERPROFILE")}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-P", "-m", "asv", *arguments],
            cwd=copy,
            env=os.environ | home | {"OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    assert run("machine", "--yes").returncode == 0
    return run


def written():
    """Benchmarks by their names in the source: module.Class.method."""
    for path in sorted((BENCHMARKS / "benchmarks").glob("*.py")):
        owner = ""
        for line in path.read_text("utf-8").splitlines():
            if found := re.match(r"class (\w+)", line):
                owner = found[1]
            elif found := re.match(r" +def ((time|timeraw|peakmem|track)_\w+)", line):
                yield f"{path.stem}.{owner}.{found[1]}"


def test_every_benchmark_runs(asv):
    # forking is twice as quick as starting afresh, where the system can
    launch = "forkserver" if hasattr(os, "fork") else "spawn"
    done = asv("run", "--python=same", "--quick", "--dry-run", "--show-stderr", f"--launch-method={launch}")
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "failed" not in output, output
    names = list(written())
    assert len(names) > 5
    assert [name for name in names if f" {name} " not in output] == []
