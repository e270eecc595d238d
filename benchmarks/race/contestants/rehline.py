"""rehline: coordinate descent on the dual of lines and parabolas, with an L2 penalty."""

import numpy as np

from race.contestants.base import Contestant, dense, ladder, penalised


class Rehline(Contestant):
    module = "rehline"

    @staticmethod
    def variants(task):
        ridge = task.loss == "pinball" and penalised(task) and task.l1_ratio == 0
        return {"": ladder(0, 9)} if ridge and not task.intercept and dense(task) else {}

    def __init__(self):
        from rehline import ReHLine

        self.model = ReHLine

    def fit(self, X, y, alpha, variant, tol):
        # 1/2 |b|^2 + sum_i max(u_1 f_i + v_1, 0) + max(u_2 f_i + v_2, 0)
        n, quantile = len(y), self.task.parameter
        slopes = np.array([[-quantile], [1 - quantile]]) / (n * alpha)
        model = self.model(C=1.0, tol=tol, max_iter=100_000)
        model._U, model._V = np.repeat(slopes, n, axis=1), -slopes * y
        model.fit(np.ascontiguousarray(X))
        return model.coef_, 0.0, None
