"""Whole fits, through the public `solve`."""

import tracemalloc

import numpy as np

from l1l2fast import path, solve

from .common import CELLS, LAYOUTS, arguments, regression


class Fit:
    """Every cell on every layout, a few milliseconds each."""

    version = "1"
    params = (CELLS, LAYOUTS)
    param_names = ("cell", "layout")

    def setup(self, cell, layout):
        n, p = (1000, 40) if cell.startswith("absolute") else (1000, 300)
        self.X, self.y = regression(n, p, layout=layout)
        self.arguments = arguments(cell, self.X, self.y)

    def time_fit(self, cell, layout):
        solve(self.X, self.y, **self.arguments)

    def track_passes(self, cell, layout):
        return solve(self.X, self.y, **self.arguments).n_passes

    track_passes.unit = "passes over X"

    def track_epochs(self, cell, layout):
        return solve(self.X, self.y, **self.arguments).n_iter

    track_epochs.unit = "epochs"


class Tolerance:
    """The finish is exact, so that the time should hardly depend on the tolerance."""

    version = "1"
    params = (("squared l1", "absolute"), (1e-4, 1e-6, 1e-9))
    param_names = ("cell", "tol")

    def setup(self, cell, tol):
        n, p = (2000, 20) if cell == "absolute" else (300, 3000)
        self.X, self.y = regression(n, p)
        self.arguments = arguments(cell, self.X, self.y) | {"tol": tol}

    def time_fit(self, cell, tol):
        solve(self.X, self.y, **self.arguments)

    def track_passes(self, cell, tol):
        return solve(self.X, self.y, **self.arguments).n_passes

    track_passes.unit = "passes over X"


class Tiny:
    """21 samples and 3 columns: all overhead."""

    version = "1"
    params = (CELLS,)
    param_names = ("cell",)

    def setup(self, cell):
        self.X, self.y = regression(21, 3)
        self.arguments = arguments(cell, self.X, self.y)

    def time_fit(self, cell):
        solve(self.X, self.y, **self.arguments)


class Path:
    """100 alphas at once: many columns, dense and sparse; and tall, where one Gram matrix stands for X."""

    version = "1"
    params = (("dense", "sparse", "tall"), (1.0, 0.5))
    param_names = ("kind", "l1_ratio")

    def setup(self, kind, l1_ratio):
        n, p = (2000, 100) if kind == "tall" else (200, 2000)
        self.X, self.y = regression(n, p, layout="csc" if kind == "sparse" else "F")

    def time_path(self, kind, l1_ratio):
        path(self.X, self.y, l1_ratio=l1_ratio)

    def track_passes(self, kind, l1_ratio):
        return path(self.X, self.y, l1_ratio=l1_ratio).n_passes

    track_passes.unit = "passes over X"

    def track_epochs(self, kind, l1_ratio):
        return path(self.X, self.y, l1_ratio=l1_ratio).n_iter

    track_epochs.unit = "epochs"


class Memory:
    """A lasso on 64 MB, read-only; asv's own peak counts the interpreter and X too."""

    version = "1"
    params = (LAYOUTS,)
    param_names = ("layout",)

    def setup(self, layout):
        rng = np.random.default_rng(0)
        itemsize = 4 if layout == "F float32" else 8
        X = rng.standard_normal((4000, 16000 // itemsize), dtype=np.float32)
        if layout == "csc":
            self.X, _ = regression(4000, 2000, layout=layout)
            self.size = self.X.data.nbytes + self.X.indices.nbytes
        else:
            self.X = np.asarray(X, order=layout[0], dtype=np.float32 if itemsize == 4 else np.float64)
            self.X.flags.writeable = False
            self.size = self.X.nbytes
        self.y = rng.standard_normal(4000)
        self.arguments = arguments("squared l1", self.X, self.y, relative=0.5)

    def peakmem_fit(self, layout):
        solve(self.X, self.y, **self.arguments)

    def track_extra(self, layout):
        tracemalloc.start()
        solve(self.X, self.y, **self.arguments)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return 100 * peak / self.size

    track_extra.unit = "% of X"
