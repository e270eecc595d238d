"""statsmodels: quantile regression by reweighted least squares."""

import numpy as np

from race.contestants.base import Contestant, ladder, penalised


class Statsmodels(Contestant):
    module = "statsmodels"

    @staticmethod
    def variants(task):
        return {"": ladder(3, 8)} if task.loss == "pinball" and task.kind == "fit" and not penalised(task) else {}

    def __init__(self):
        from statsmodels.regression.quantile_regression import QuantReg

        self.model = QuantReg

    def fit(self, X, y, alpha, variant, tol):
        found = self.model(y, np.column_stack([np.ones(len(y)), X])).fit(
            self.task.parameter, p_tol=tol, max_iter=10_000
        )
        return found.params[1:], found.params[0], None
