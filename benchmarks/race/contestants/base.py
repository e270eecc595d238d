"""What contestants share."""

import numpy as np
import scipy.sparse as sp


def ladder(loosest, tightest):
    return [10.0**-k for k in range(loosest, tightest + 1)]


def tall(task):
    return task.X.shape[0] > task.X.shape[1]


def dense(task):
    return not sp.issparse(task.X)


def penalised(task):
    return task.kind != "process" and bool(task.alphas.any())


class Contestant:
    """fit() and path() give coefficients, intercept(s) and passes over X (None if it does not count them)."""

    @staticmethod
    def variants(task):
        """{variant: its tolerances} for a task; empty if it does not run there."""
        return {}

    def run(self, task, parts, variant, tol):
        """The answer to a task, coefficients (n_features, n_alphas): what is timed."""
        self.task = task
        if task.kind == "fit":
            return self.fit(task.X, task.y, task.alphas[0], variant, tol)
        if task.kind == "loop":
            answers = [self.fit(X, y, alphas[0], variant, tol) for X, y, alphas in parts]
            return np.stack([coef for coef, *_ in answers], axis=1), [b0 for _, b0, _ in answers], None
        return getattr(self, task.kind)(task.X, task.y, task.alphas, variant, tol)
