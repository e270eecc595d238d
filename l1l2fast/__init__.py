"""l1l2fast: L1 and L2 norms, as the loss or as the penalty; fast, exact, certified."""

from types import ModuleType
from typing import TYPE_CHECKING

from l1l2fast.config import show_config
from l1l2fast.cross_validation import CVResult, cross_validate
from l1l2fast.group import Group
from l1l2fast.inference import Inference, inference
from l1l2fast.leverage import Leverage
from l1l2fast.losses import Absolute, Huber, Logistic, Pinball, Squared
from l1l2fast.path import Path, path
from l1l2fast.penalties import L0, L1, L1L2, L2, MCP, SCAD, Lq
from l1l2fast.quantile_process import QuantileProcess, quantile_process
from l1l2fast.result import Certificate, ConvergenceWarning, Progress, Result, Status
from l1l2fast.ridge import RidgePath, ridge_path
from l1l2fast.solution_set import SolutionSet
from l1l2fast.solvers import solve
from l1l2fast.stability import StabilityResult, stability_selection
from l1l2fast.tasks import Interrupted

__version__ = "0.1.0.dev0"

__all__ = [
    "L0",
    "L1",
    "L1L2",
    "L2",
    "MCP",
    "SCAD",
    "Absolute",
    "CVResult",
    "Certificate",
    "ConvergenceWarning",
    "Group",
    "Huber",
    "Inference",
    "Interrupted",
    "Leverage",
    "Logistic",
    "Lq",
    "Path",
    "Pinball",
    "Progress",
    "QuantileProcess",
    "Result",
    "RidgePath",
    "SolutionSet",
    "Squared",
    "StabilityResult",
    "Status",
    "cross_validate",
    "inference",
    "path",
    "quantile_process",
    "ridge_path",
    "show_config",
    "solve",
    "stability_selection",
]

plots: ModuleType
sklearn: ModuleType

if not TYPE_CHECKING:  # a checker of types would excuse any misspelled name

    def __getattr__(name):
        """`l1l2fast.sklearn` and `l1l2fast.plots` on first use: what they import is optional, and slow."""
        if name in {"sklearn", "plots"}:
            import importlib

            return importlib.import_module(f"l1l2fast.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
