"""The contestants in Python: each with its own best settings, and the ladder of tolerances it is swept over.

This file is read twice: by the command, which only wants `variants`, and by each worker, which makes
one contestant; so whatever belongs to a peer is imported in its class.
"""

import numpy as np
import scipy.sparse as sp


def ladder(loosest, tightest):
    return [10.0**-k for k in range(loosest, tightest + 1)]


class Contestant:
    """fit() and path() give coefficients, intercept(s) and passes over X (None if it does not count them)."""

    def run(self, task, parts, variant, tol):
        """The answer to a task, coefficients (n_features, n_alphas): what is timed."""
        self.task = task
        if task.kind == "fit":
            return self.fit(task.X, task.y, task.alphas[0], variant, tol)
        if task.kind == "loop":
            answers = [self.fit(X, y, alphas[0], variant, tol) for X, y, alphas in parts]
            return np.stack([coef for coef, *_ in answers], axis=1), [b0 for _, b0, _ in answers], None
        return (self.ridge if task.kind == "ridge" else self.path)(task.X, task.y, task.alphas, variant, tol)


class L1L2fast(Contestant):
    module = "l1l2fast"

    def __init__(self):
        import l1l2fast
        import l1l2fast.losses

        self.package = l1l2fast

    def penalty(self, alpha):
        ratio = self.task.l1_ratio
        if ratio == 1:
            return self.package.L1(alpha)
        return self.package.L1L2(alpha * ratio, alpha * (1 - ratio)) if ratio else self.package.L2(alpha)

    def fit(self, X, y, alpha, variant, tol, start=None):
        if self.task.quantile is None:
            result = self.package.solve(X, y, "squared", self.penalty(alpha), tol=tol, warm_start=start)
        else:
            result = self.package.solve(X, y, self.package.losses.Pinball(self.task.quantile), tol=tol)
        return result.coef, result.intercept, result.n_passes

    def path(self, X, y, alphas, variant, tol):
        if hasattr(self.package, "path"):
            path = self.package.path(X, y, alphas=alphas, l1_ratio=self.task.l1_ratio, tol=tol)
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


class ScikitLearn(Contestant):
    module = "sklearn"

    def __init__(self):
        from sklearn import linear_model

        self.models = linear_model

    def model(self, alpha, variant, tol, **options):
        options |= dict(alpha=alpha, tol=tol, precompute=variant.endswith("gram"), max_iter=100_000)
        ratio = self.task.l1_ratio
        return self.models.Lasso(**options) if ratio == 1 else self.models.ElasticNet(l1_ratio=ratio, **options)

    def fit(self, X, y, alpha, variant, tol):
        if self.task.quantile is None:
            model = self.model(alpha, variant, tol).fit(X, y)
        else:
            model = self.models.QuantileRegressor(quantile=self.task.quantile, alpha=0.0, solver="highs").fit(X, y)
        return model.coef_, model.intercept_, None

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


def working_set(variant):
    """The size of celer's and skglm's first working set: their 10, or 100."""
    return 100 if variant.endswith("p100") else 10


class Celer(Contestant):
    module = "celer"

    def __init__(self):
        import celer

        self.package = celer

    def fit(self, X, y, alpha, variant, tol):
        ratio = self.task.l1_ratio
        options = dict(alpha=alpha, tol=tol, max_iter=200, p0=working_set(variant))
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


class Skglm(Contestant):
    """By its solver, which its estimators call too, after checks and a copy of X."""

    module = "skglm"

    def __init__(self):
        from skglm import datafits, penalties, solvers
        from skglm.utils.jit_compilation import compiled_clone

        self.compiled, self.penalties, self.solver = compiled_clone, penalties, solvers.AndersonCD
        self.datafit = datafits.Quadratic

    def parts(self, alpha, variant, tol):
        # its tolerance is a violation of optimality, in units of the gradient
        solver = self.solver(tol=tol * self.task.alpha_max, max_iter=200, p0=working_set(variant))
        ratio = self.task.l1_ratio
        penalty = self.penalties.L1(alpha) if ratio == 1 else self.penalties.L1_plus_L2(alpha, ratio)
        return solver, self.compiled(self.datafit()), self.compiled(penalty)

    def fit(self, X, y, alpha, variant, tol):
        solver, datafit, penalty = self.parts(alpha, variant, tol)
        coef = solver.solve(X, y, datafit, penalty)[0]
        return coef[:-1], coef[-1], None

    def path(self, X, y, alphas, variant, tol):
        solver, datafit, penalty = self.parts(1.0, variant, tol)
        coef = solver.path(X, y, datafit, penalty, alphas)[1]
        return coef[:-1], coef[-1], None


class Adelie(Contestant):
    module = "adelie"

    def __init__(self):
        import adelie

        self.package = adelie

    def path(self, X, y, alphas, variant, tol):
        options = dict(lmda_path=alphas, alpha=self.task.l1_ratio, tol=tol)
        options |= dict(early_exit=False, n_threads=1, progress_bar=False)
        if variant.endswith("cov"):
            mean, level = X.mean(axis=0), y.mean()
            gram = X.T @ X / len(y) - np.outer(mean, mean)
            state = self.package.gaussian_cov(np.asfortranarray(gram), X.T @ (y - level) / len(y), **options)
            return state.betas.T.tocsc(), level - state.betas @ mean, None
        matrix = self.package.matrix.sparse(X) if sp.issparse(X) else X
        state = self.package.grpnet(matrix, self.package.glm.gaussian(y), **options)
        return state.betas.T.tocsc(), state.intercepts, None

    def fit(self, X, y, alpha, variant, tol):
        alphas = np.array([alpha])
        if variant.endswith("warm"):
            start = abs(X.T @ (y - y.mean())).max() / len(y) / self.task.l1_ratio
            alphas = np.geomspace(start, alpha, 10)
        coef, intercept, _ = self.path(X, y, alphas, variant, tol)
        return coef.toarray()[:, -1], intercept[-1], None

    ridge = path


class Statsmodels(Contestant):
    """Quantile regression by reweighted least squares."""

    module = "statsmodels"

    def __init__(self):
        from statsmodels.regression.quantile_regression import QuantReg

        self.model = QuantReg

    def fit(self, X, y, alpha, variant, tol):
        found = self.model(y, np.column_stack([np.ones(len(y)), X])).fit(self.task.quantile, p_tol=tol, max_iter=10_000)
        return found.params[1:], found.params[0], None


class Numpy(Contestant):
    """Ridge by formula, from one eigendecomposition in the smaller of n and p: a floor, not a package."""

    module = "numpy"

    def ridge(self, X, y, alphas, variant, tol):
        n, p = X.shape
        mean, level = X.mean(axis=0), y.mean()
        X = X - mean
        values, vectors = np.linalg.eigh(X.T @ X if p <= n else X @ X.T)
        shrink = 1 / (np.maximum(values, 0)[:, None] + n * alphas)
        if p <= n:
            coef = vectors @ ((vectors.T @ (X.T @ (y - level)))[:, None] * shrink)
        else:
            coef = X.T @ (vectors @ ((vectors.T @ (y - level))[:, None] * shrink))
        return coef, level - mean @ coef, None


PYTHON = {
    "l1l2fast": L1L2fast,
    "skglm": Skglm,
    "celer": Celer,
    "adelie": Adelie,
    "sklearn": ScikitLearn,
    "statsmodels": Statsmodels,
    "numpy": Numpy,
}
SCRIPTS = {"glmnet": "glmnet.R", "quantreg": "quantreg.R"}  # the contestants in R
NAMES = [
    "l1l2fast",
    "skglm",
    "celer",
    "adelie",
    "glmnet",
    "quantreg",
    "sklearn",
    "statsmodels",
    "numpy",
]  # in turn; the slow ones last


def variants(name, task):
    """{variant: its tolerances} of a contestant for a task; empty if it does not run there."""
    tall, dense = task.X.shape[0] > task.X.shape[1], not sp.issparse(task.X)
    single = task.kind == "fit"
    if task.quantile is not None:
        # the first has no tolerance: its end is exact
        exact, some = {"": [0.0]}, {"br": [0.0], "fnb": ladder(4, 12), "pfn": ladder(4, 12)}
        some = some if task.X.size <= 5e6 else {"fnb": some["fnb"], "pfn": some["pfn"]}
        small = {"sklearn": exact} if task.X.size <= 2e5 else {}
        return (small | {"l1l2fast": {"": [1e-8]}, "quantreg": some, "statsmodels": {"": ladder(3, 8)}}).get(name, {})
    if name in ("quantreg", "statsmodels"):
        return {}
    if task.kind == "ridge":
        ladders = {"l1l2fast": {"": [1e-8, 1e-12]}, "sklearn": {"": [0.0]}, "numpy": {"eigh": [0.0]}}
        return ladders.get(name) or ({"": ladder(3, 14)} if name in ("glmnet", "adelie") else {})
    if name == "numpy":
        return {}
    found = {"": ladder(1, 12) if name in ("l1l2fast", "celer", "skglm") else ladder(2, 15)}
    if name in ("celer", "skglm") and task.kind != "loop":
        found["p100"] = found[""]
    if name == "sklearn" and tall and dense:
        found["gram"] = found[""]
    if name == "adelie":
        found |= {"warm": found[""]} if single else {}
        found |= {"cov": found[""]} if tall and dense and task.kind != "loop" else {}
    if name == "glmnet":
        found |= {"warm5": found[""], "warm20": found[""]} if single else {}
        found |= {"cov": found[""]} if task.kind == "path" and dense else {}
    return found
