"""show_config(): versions, build, BLAS and CPU, for a bug report."""

import json
import platform
import sys
from importlib import metadata, resources
from typing import Any, Literal

import numpy as np
import scipy

# How far the loops beyond BLAS can be vectorised: the clones that src/simd.c is compiled for, best first, and
# what the machine needs for each, in numpy's words.
CLONES = {"x86-64-v4": ("AVX512_SKX", "X86_V4"), "x86-64-v3": ("AVX2", "X86_V3")}


def show_config(mode: Literal["stdout", "dicts"] = "stdout") -> dict[str, dict[str, Any]] | None:
    """Versions, build, BLAS and CPU: what a bug report should say.

    Parameters
    ----------
    mode : {"stdout", "dicts"}, default="stdout"
        Whether to print it, or to return it as a dict of dicts.

    Returns
    -------
    dict or None
        With ``mode="dicts"``: "versions", "build", "blas" and "machine".

    Raises
    ------
    ValueError
        If `mode` is neither.

    Examples
    --------
    >>> from l1l2fast import show_config
    >>> sorted(show_config("dicts"))
    ['blas', 'build', 'machine', 'versions']
    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f"mode must be 'stdout' or 'dicts', got {mode!r}")
    build = build_info()
    found = {"versions": versions(), "build": build, "blas": blas(), "machine": machine(build)}
    if mode == "dicts":
        return found
    lines = []
    for topic, facts in found.items():
        lines += [f"{topic}:", *(f"  {name:14}{fact}" for name, fact in facts.items())]
    sys.stdout.write("\n".join(lines) + "\n")
    return None


def versions():
    """Of the package, Python, what it needs, and the extras that are there."""
    found = {"l1l2fast": metadata.version("l1l2fast"), "python": platform.python_version()}
    for name in ("numpy", "scipy", "scikit-learn", "matplotlib", "pandas", "polars"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def build_info():
    """What meson knew: build type, compiler, Cython, whether loops are compiled for several instruction sets."""
    return json.loads(resources.files("l1l2fast").joinpath("build.json").read_text("utf-8"))


def blas():
    """The BLAS and LAPACK that scipy was built with, ours through `scipy.linalg.cython_blas`."""
    known = scipy.show_config(mode="dicts")["Build Dependencies"]
    return {
        name: f"{known[name].get('name')} {known[name].get('version')}" for name in ("blas", "lapack") if name in known
    }


def machine(build):
    """System, processor, and the instruction set that our own loops use on it."""
    known = np.show_config(mode="dicts").get("SIMD Extensions", {})
    features = {*known.get("baseline", []), *known.get("found", [])}
    fits = (name for name, needs in CLONES.items() if build["target_clones"] and not features.isdisjoint(needs))
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.machine(),
        "loops": next(fits, "portable"),
    }
