"""l1l2fast: the one whose times are compared with everybody's."""

import numpy as np
import scipy.sparse as sp

from race.contestants.base import Contestant, ladder, penalised


class L1L2fast(Contestant):
    module = "l1l2fast"

    @staticmethod
    def variants(task):
        if task.kind == "ridge":
            return {"": [1e-8, 1e-12]}
        # without a penalty, the end of the pinball loss is exact whatever is asked
        return {"": [1e-8] if task.loss == "pinball" and not penalised(task) else ladder(1, 12)}

    def __init__(self):
        import l1l2fast
        import l1l2fast.losses

        self.package = l1l2fast

    def loss(self):
        kind = getattr(self.package.losses, self.task.loss.title())
        return kind() if self.task.parameter is None else kind(self.task.parameter)

    def penalty(self, alpha):
        ratio = self.task.l1_ratio
        if alpha == 0:
            return None
        if self.task.gamma is not None:
            return self.package.MCP(alpha, self.task.gamma)
        if ratio == 1:
            return self.package.L1(alpha)
        return self.package.L1L2(alpha * ratio, alpha * (1 - ratio)) if ratio else self.package.L2(alpha)

    def fit(self, X, y, alpha, variant, tol, start=None):
        options = {"fit_intercept": self.task.intercept, "tol": tol, "warm_start": start}
        result = self.package.solve(X, y, self.loss(), self.penalty(alpha), **options)
        return result.coef, result.intercept, result.n_passes

    def process(self, X, y, taus, variant, tol):
        found = self.package.quantile_process(X, y, taus, tol=tol)
        return found.coef.T, found.intercept, found.n_passes

    def path(self, X, y, alphas, variant, tol):
        options = {"l1_ratio": self.task.l1_ratio, "fit_intercept": self.task.intercept, "tol": tol}
        if hasattr(self.package, "path"):
            path = self.package.path(X, y, self.loss(), alphas=alphas, **options)
            return path.coef_csc, path.intercept, int(np.sum(path.n_passes))
        answers = [(None, 0.0, 0)]
        for alpha in alphas:
            answers.append(self.fit(X, y, alpha, variant, tol, answers[-1][0]))
        coef, intercept, passes = zip(*answers[1:])
        return sp.csc_matrix(np.array(coef)).T.tocsc(), intercept, sum(passes)

    def ridge(self, X, y, alphas, variant, tol):
        if hasattr(self.package, "ridge_path"):
            path = self.package.ridge_path(X, y, alphas=alphas)
            return path.coef, path.intercept, getattr(path, "n_passes", None)
        return self.path(X, y, alphas, variant, tol)
