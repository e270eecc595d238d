"""The contestants: one file each, with its own best settings and the ladder of tolerances it is swept over.

In Python, a class with `variants` for the command, and the rest for the worker; what belongs to a peer is imported
when that makes one. In R, a script that speaks the protocol of `worker.py`, and its variants in `scripts.py`.
"""

from pathlib import Path

from race.contestants import (
    adelie,
    celer,
    highs,
    ours,
    pyfixest,
    rehline,
    scikit,
    scripts,
    skglm,
    statsmodels,
    textbook,
)

PYTHON = {
    "l1l2fast": ours.L1L2fast,
    "skglm": skglm.Skglm,
    "celer": celer.Celer,
    "adelie": adelie.Adelie,
    "rehline": rehline.Rehline,
    "sklearn": scikit.ScikitLearn,
    "statsmodels": statsmodels.Statsmodels,
    "pyfixest": pyfixest.Pyfixest,
    "highs": highs.Highs,
    "numpy": textbook.Numpy,
}
SCRIPTS = {name: str(Path(__file__).parent / f"{name}.R") for name in scripts.VARIANTS}
# in turn; the slow ones last
NAMES = [
    "l1l2fast",
    "skglm",
    "celer",
    "adelie",
    "rehline",
    "glmnet",
    "quantreg",
    "conquer",
    "pyfixest",
    "highs",
    "sklearn",
    "statsmodels",
    "numpy",
]


def variants(name, task):
    """{variant: its tolerances} of a contestant for a task; empty if it does not run there."""
    return (scripts.VARIANTS[name] if name in scripts.VARIANTS else PYTHON[name].variants)(task)
