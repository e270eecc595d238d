"""skglm, by its solvers, which its estimators call too, after checks and a copy of X."""

import numpy as np

from race.contestants.base import Contestant, ladder
from race.contestants.celer import working_set


class Skglm(Contestant):
    """Coordinate descent with Anderson's extrapolation; `newton` is its proximal Newton method."""

    module = "skglm"

    @staticmethod
    def variants(task):
        if task.kind == "ridge" or task.l1_ratio == 0 or task.loss == "pinball":
            return {}
        found = {"": ladder(1, 12)}
        if task.kind != "loop":
            found["p100"] = found[""]
        if task.loss == "logistic":
            found |= {"newton": found[""], "newton-p100": found[""]}
        return found

    def __init__(self):
        from skglm import datafits, penalties, solvers
        from skglm.utils.jit_compilation import compiled_clone

        self.compiled, self.datafits, self.penalties, self.solvers = compiled_clone, datafits, penalties, solvers

    def parts(self, alpha, variant, tol):
        # its tolerance is a violation of optimality, in units of the gradient
        options = dict(tol=tol * self.task.alpha_max, max_iter=200, p0=working_set(variant))
        options["fit_intercept"] = self.task.intercept
        kind = self.solvers.ProxNewton if variant.startswith("newton") else self.solvers.AndersonCD
        return kind(**options), self.compiled(self.datafit()), self.compiled(self.penalty(alpha))

    def datafit(self):
        if self.task.loss == "huber":
            return self.datafits.Huber(self.task.parameter)
        return self.datafits.Logistic() if self.task.loss == "logistic" else self.datafits.Quadratic()

    def penalty(self, alpha):
        ratio = self.task.l1_ratio
        if self.task.gamma is not None:
            return self.penalties.MCPenalty(alpha, self.task.gamma)
        return self.penalties.L1(alpha) if ratio == 1 else self.penalties.L1_plus_L2(alpha, ratio)

    def split(self, coef):
        """Coefficients and intercept(s), which is the last row."""
        return (coef[:-1], coef[-1], None) if self.task.intercept else (coef, np.zeros(coef.shape[1:]), None)

    def fit(self, X, y, alpha, variant, tol):
        solver, datafit, penalty = self.parts(alpha, variant, tol)
        return self.split(solver.solve(X, y, datafit, penalty)[0])

    def path(self, X, y, alphas, variant, tol):
        solver, datafit, penalty = self.parts(1.0, variant, tol)
        return self.split(solver.path(X, y, datafit, penalty, alphas)[1])
