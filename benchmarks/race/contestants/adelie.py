"""adelie: the path of the elastic net, screened; logistic by iterated reweighting."""

import numpy as np
import scipy.sparse as sp

from race.contestants.base import Contestant, dense, ladder, tall


class Adelie(Contestant):
    module = "adelie"

    @staticmethod
    def variants(task):
        if not task.convex or task.loss not in ("squared", "logistic"):
            return {}
        if task.kind == "ridge":
            return {"": ladder(3, 14)}
        found = {"": ladder(2, 15)}
        if task.kind == "fit":
            found["warm"] = found[""]
        if tall(task) and dense(task) and task.kind != "loop" and task.loss == "squared":
            found["cov"] = found[""]
        return found

    def __init__(self):
        import adelie

        self.package = adelie

    def path(self, X, y, alphas, variant, tol):
        options = dict(lmda_path=alphas, alpha=self.task.l1_ratio, tol=tol, intercept=self.task.intercept)
        options |= dict(early_exit=False, n_threads=1, progress_bar=False)
        if variant.endswith("cov"):
            del options["intercept"]
            mean, level = X.mean(axis=0), y.mean()
            gram = X.T @ X / len(y) - np.outer(mean, mean)
            state = self.package.gaussian_cov(np.asfortranarray(gram), X.T @ (y - level) / len(y), **options)
            return state.betas.T.tocsc(), level - state.betas @ mean, None
        matrix = self.package.matrix.sparse(X) if sp.issparse(X) else X
        if self.task.loss == "logistic":
            glm = self.package.glm.binomial((y + 1) / 2)
            options["irls_tol"] = tol
        else:
            glm = self.package.glm.gaussian(y)
        state = self.package.grpnet(matrix, glm, **options)
        return state.betas.T.tocsc(), state.intercepts, None

    def fit(self, X, y, alpha, variant, tol):
        alphas = np.array([alpha])
        if variant.endswith("warm"):
            alphas = np.geomspace(max(self.task.alpha_max, alpha), alpha, 10)
        coef, intercept, _ = self.path(X, y, alphas, variant, tol)
        return coef.toarray()[:, -1], intercept[-1], None

    ridge = path
