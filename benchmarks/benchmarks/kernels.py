"""Compiled kernels, through the thin Python methods that the tests use too.

Private modules are imported in `setup`: a commit that has another name for one of them loses
that benchmark and keeps the rest.
"""

import numpy as np
import scipy.sparse as sp

from .common import LAYOUTS, regression


class Columns:
    """One pass over a centred and scaled X, and the work on a few of its columns."""

    version = "1"
    params = (LAYOUTS, ((50, 2000), (5000, 200)))
    param_names = ("layout", "shape")

    def setup(self, layout, shape):
        from l1l2fast._dense import DenseC, DenseF
        from l1l2fast._sparse import Sparse

        n, p = shape
        X, y = regression(n, p, layout=layout)
        self.columns = {"F": DenseF, "C": DenseC, "csc": Sparse}[layout.split()[0]](X)
        self.columns.mean[:] = np.asarray(X.mean(axis=0))
        self.columns.scale[:] = 2.0
        self.residual = y - y.mean()
        self.residuals = np.random.default_rng(1).standard_normal((n, 8))
        self.ones = np.ones(n)
        self.origin = self.columns.origin(0)
        self.support = np.arange(0, p, p // 40, dtype=np.intp)
        self.G = np.zeros((self.support.size, self.support.size))
        self.b = np.zeros(p)
        self.b[self.support] = 1.0

    def time_sweep(self, layout, shape):
        self.columns.sweep(self.residual)

    def time_sweep_many(self, layout, shape):
        self.columns.sweep_many(self.residuals)

    def time_moments(self, layout, shape):
        self.columns.moments(self.ones, self.residual, self.origin)

    def time_gram(self, layout, shape):
        self.columns.gram(self.support, self.ones, self.G)

    def time_predict(self, layout, shape):
        self.columns.predict(self.b)


class SparseGram:
    """Gram matrix of the heaviest columns of a sparse X whose columns are of very different weight."""

    version = "1"
    params = (50, 300)
    param_names = ("support",)

    def setup(self, support):
        from l1l2fast._sparse import Sparse

        rng = np.random.default_rng(0)
        n, p, entries = 20_000, 20_000, 400_000
        column = np.minimum(rng.zipf(1.5, entries), p) - 1
        X = sp.csc_array((rng.standard_normal(entries), (rng.integers(0, n, entries), column)), shape=(n, p))
        X.sum_duplicates()
        self.columns = Sparse(X)
        self.columns.mean[:] = np.asarray(X.mean(axis=0)).ravel()
        self.root, self.which = np.ones(n), np.arange(support, dtype=np.intp)
        self.G = np.zeros((support, support))

    def time_gram(self, support):
        self.columns.gram(self.which, self.root, self.G)


class Scalar:
    """One coefficient through Python: the cost of the call."""

    version = "1"
    params = (("L1", "L2", "L1L2"),)
    param_names = ("penalty",)

    def setup(self, penalty):
        from l1l2fast import penalties

        self.penalty = getattr(penalties, penalty)()

    def time_prox(self, penalty):
        self.penalty.apply_prox(2.0, 0.5)
