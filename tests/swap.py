"""A pytest plugin that puts our estimators in the place of scikit-learn's, and keeps the tests that name them.

Loaded by test_sklearn_swap.py with `pytest -p swap`; the names are in the variable SWAP, and those of tests to be left
out in SWAP_WITHOUT.
"""

import ast
import os
from pathlib import Path

NAMES = set(filter(None, os.environ.get("SWAP", "").split(",")))
WITHOUT = set(os.environ.get("SWAP_WITHOUT", "").split(","))


def pytest_configure():
    """Swap before any test module is imported: what it takes from sklearn.linear_model is then ours."""
    from sklearn import linear_model

    from l1l2fast import sklearn

    for name in NAMES:
        setattr(linear_model, name, getattr(sklearn, name))


def naming_functions(path):
    """The test functions of a file whose source, decorators included, names a swapped class."""
    return {
        function.name
        for function in ast.parse(Path(path).read_text("utf-8")).body
        if isinstance(function, ast.FunctionDef)
        and any(isinstance(node, ast.Name) and node.id in NAMES for node in ast.walk(function))
    }


def pytest_collection_modifyitems(config, items):
    """Drop the tests that have nothing to do with the swapped classes."""
    wanted = {path: naming_functions(path) - WITHOUT for path in {item.path for item in items}}
    dropped = [item for item in items if item.originalname not in wanted[item.path]]
    items[:] = [item for item in items if item.originalname in wanted[item.path]]
    config.hook.pytest_deselected(items=dropped)
