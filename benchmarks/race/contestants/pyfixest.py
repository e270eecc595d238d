"""pyfixest: quantile regression by the method of Frisch and Newton, as its formula interface calls it."""

import numpy as np
from scipy.linalg import cho_factor, solve_triangular

from race.contestants.base import Contestant, ladder, penalised


class Pyfixest(Contestant):
    """By its solver, which its formulas call too, after a data frame was parsed."""

    module = "pyfixest"

    @staticmethod
    def variants(task):
        free = task.loss == "pinball" and task.intercept and not penalised(task)
        return {"fn": ladder(2, 9)} if free else {}

    def __init__(self):
        from pyfixest.estimation.quantreg.frisch_newton_ip import frisch_newton_solver

        self.solver = frisch_newton_solver

    def fit(self, X, y, alpha, variant, tol):
        return self.quantile(np.column_stack([np.ones(len(y)), X]), y, self.task.parameter, tol)

    def quantile(self, Z, y, tau, tol):
        factor = cho_factor(Z.T @ Z, lower=True, check_finite=False)[0]
        sums = {"chol": factor, "P": solve_triangular(factor, Z.T, lower=True, check_finite=False)}
        size = {"b": (1 - tau) * Z.sum(axis=0), "c": -y, "u": np.ones(len(y)), "q": tau}
        beta = self.solver(A=Z.T, **size, tol=tol, max_iter=200, **sums)[0]
        return beta[1:], beta[0], None

    def process(self, X, y, taus, variant, tol):
        Z = np.column_stack([np.ones(len(y)), X])
        coef, intercept, _ = zip(*(self.quantile(Z, y, tau, tol) for tau in taus))
        return np.stack(coef, axis=1), list(intercept), None
