"""celer: coordinate descent on working sets; logistic by proximal Newton, which has no intercept."""

import numpy as np
import scipy.sparse as sp

from race.contestants.base import Contestant, ladder


def working_set(variant):
    """The size of celer's and skglm's first working set: their 10, or 100."""
    return 100 if variant.endswith("p100") else 10


class Celer(Contestant):
    module = "celer"

    @staticmethod
    def variants(task):
        logistic = task.loss == "logistic" and task.l1_ratio == 1 and not task.intercept and task.kind == "fit"
        if task.kind == "ridge" or not task.convex or task.loss != "squared" and not logistic:
            return {}
        return {"": ladder(1, 12)} | ({"p100": ladder(1, 12)} if task.kind != "loop" else {})

    def __init__(self):
        import celer

        self.package = celer

    def fit(self, X, y, alpha, variant, tol):
        ratio = self.task.l1_ratio
        options = dict(tol=tol, max_iter=200, p0=working_set(variant))
        if self.task.loss == "logistic":
            model = self.package.LogisticRegression(C=1 / (alpha * len(y)), **options).fit(X, y)
            return model.coef_.ravel(), 0.0, None
        options["alpha"] = alpha
        one = self.package.Lasso(**options) if ratio == 1 else self.package.ElasticNet(l1_ratio=ratio, **options)
        model = one.fit(X, y)
        return model.coef_, model.intercept_, None

    def path(self, X, y, alphas, variant, tol):
        mean, level = np.asarray(X.mean(axis=0)).ravel(), y.mean()
        options = dict(alphas=alphas, l1_ratio=self.task.l1_ratio, tol=tol, max_iter=200, prune=1)
        if sp.issparse(X):
            options |= dict(X_offset=mean, X_scale=np.ones(len(mean)))
        else:
            X = X - mean
        _, coef, _ = self.package.celer_path(X, y - level, "lasso", p0=working_set(variant), **options)
        return coef, level - mean @ coef, None
