"""scikit-learn: coordinate descent, HiGHS, liblinear and the methods for smooth logistic regression."""

import numpy as np
import scipy.sparse as sp

from race.contestants.base import Contestant, dense, ladder, penalised, tall


class ScikitLearn(Contestant):
    module = "sklearn"

    @staticmethod
    def variants(task):
        if not task.convex:
            return {}
        if task.loss == "pinball" and task.l1_ratio == 0 and penalised(task):
            # liblinear knows the median, and penalises the intercept
            return {"svr": ladder(0, 10)} if task.parameter == 0.5 and not task.intercept else {}
        if task.loss == "pinball":  # no tolerance: the end is exact
            possible = task.kind == "fit" and task.l1_ratio == 1 and task.X.size <= (5e5 if penalised(task) else 2e5)
            return {"": [0.0]} if possible else {}
        if task.loss == "logistic":
            if task.l1_ratio == 1:  # liblinear penalises the intercept
                return {} if task.intercept else {"liblinear": ladder(0, 10)}
            return {solver: ladder(1, 12) for solver in ("lbfgs", "newton-cholesky", "newton-cg")}
        if task.loss != "squared":
            return {}
        if task.kind == "ridge":
            return {"": [0.0]}
        found = {"": ladder(2, 15)}
        return found | ({"gram": found[""]} if tall(task) and dense(task) else {})

    def __init__(self):
        from sklearn import linear_model, svm

        self.models, self.svr = linear_model, svm.LinearSVR

    def model(self, alpha, variant, tol, **options):
        ratio = self.task.l1_ratio
        if variant.endswith("svr"):
            options |= dict(C=0.5 / (alpha * len(self.task.y)), fit_intercept=False, tol=tol, max_iter=100_000)
            return self.svr(epsilon=0.0, loss="epsilon_insensitive", random_state=0, **options)
        if self.task.loss == "pinball":
            options = dict(alpha=alpha, solver="highs", fit_intercept=self.task.intercept)
            return self.models.QuantileRegressor(quantile=self.task.parameter, **options)
        if self.task.loss == "logistic":
            options |= dict(C=1 / (alpha * len(self.task.y)), l1_ratio=ratio, fit_intercept=self.task.intercept)
            return self.models.LogisticRegression(solver=variant, tol=tol, max_iter=100_000, **options)
        options |= dict(alpha=alpha, tol=tol, precompute=variant.endswith("gram"), max_iter=100_000)
        return self.models.Lasso(**options) if ratio == 1 else self.models.ElasticNet(l1_ratio=ratio, **options)

    def fit(self, X, y, alpha, variant, tol):
        model = self.model(alpha, variant, tol).fit(X, y)
        return model.coef_.ravel(), float(np.squeeze(model.intercept_)), None

    def path(self, X, y, alphas, variant, tol):
        if sp.issparse(X):  # no copy can be centred: one estimator, warm
            model = self.model(alphas[0], variant, tol, warm_start=True)
            answers = [(model.set_params(alpha=a).fit(X, y).sparse_coef_, model.intercept_) for a in alphas]
            return sp.vstack([coef for coef, _ in answers]).T.tocsc(), [b0 for _, b0 in answers], None
        mean, level = X.mean(axis=0), y.mean()
        options = dict(alphas=alphas, tol=tol, precompute=variant.endswith("gram"), copy_X=False, max_iter=100_000)
        _, coef, _ = self.models.enet_path(X - mean, y - level, l1_ratio=self.task.l1_ratio, **options)
        return coef, level - mean @ coef, None

    def ridge(self, X, y, alphas, variant, tol):
        models = [self.models.Ridge(alpha=alpha * len(y)).fit(X, y) for alpha in alphas]
        return np.stack([model.coef_ for model in models], axis=1), [model.intercept_ for model in models], None
