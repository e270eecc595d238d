"""An unpenalised quantile fit and the estimates that `inference` makes of its spread.

Rows are z_i = w_i (x~_i / |x~|, 1), responses and residuals times w_i too, with weights of mean 1; `raw` is the way
back to the scale of X.
"""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from l1l2fast import _validate_quantiles, absolute
from l1l2fast.losses import Pinball
from l1l2fast.quantile_process import Trail
from l1l2fast.rank_inversion import Pulled, limit

BLOCK = 8192  # rows read at a time
LEVEL = 0.95  # of the intervals for which Hall and Sheather's bandwidth is best


class Fit:
    """A fitted quantile, its rows and residuals."""

    def __init__(self, problem, result, tau):
        self.problem, self.tau, self.intercept = dataclasses.replace(problem, loss=Pinball(tau)), tau, problem.intercept
        columns = problem.columns
        self.p, self.k = columns.p, columns.p + self.intercept
        self.live = problem.weight.nonzero()[0]
        self.n = len(self.live)
        self.weight = problem.weight[self.live] * self.n
        self.root = np.sqrt(np.where(problem.square > 0, problem.square, 1.0))
        b = result.coef / columns.scale
        level = result.intercept - problem.y_mean + columns.mean @ result.coef if self.intercept else 0.0
        self.b = np.append(b, level)
        self.residual = problem.sums.residual(columns.predict(b), level)
        self.r = self.weight * self.residual[self.live]
        self.coef = np.append([result.intercept] * self.intercept, result.coef)
        # raw coefficients, the intercept first, from those of z, the intercept last
        self.back = np.zeros((self.k, self.k))
        self.back[self.intercept :, : self.p] = np.diag(columns.scale / self.root)
        if self.intercept:
            self.back[0] = np.append(-columns.mean * columns.scale / self.root, 1.0)
        self.gram = self.products(np.ones(self.n))

    def blocks(self):
        """The rows z, some at a time, with their place."""
        for lo in range(0, self.n, BLOCK):
            part = slice(lo, min(lo + BLOCK, self.n))
            Z = self.problem.columns.rows(self.live[part]) / self.root
            yield part, np.column_stack([Z, *[np.ones(len(Z))] * self.intercept]) * self.weight[part, None]

    def products(self, f):
        """sum_i f_i z_i z_i'"""
        return sum((Z * f[part, None]).T @ Z for part, Z in self.blocks())

    def bandwidth(self, rule):
        """How far from tau to look, by Hall and Sheather's rule, Bofinger's, or as given."""
        from scipy.special import ndtri

        z = ndtri(self.tau)
        density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
        if rule == "hall-sheather":
            width = (1.5 * (ndtri((1 + LEVEL) / 2) * density) ** 2 / ((2 * z * z + 1) * self.n)) ** (1 / 3)
        elif rule == "bofinger":
            width = (4.5 * density**4 / ((2 * z * z + 1) ** 2 * self.n)) ** (1 / 5)
        else:
            width = rule
        while not width < min(self.tau, 1 - self.tau):
            width /= 2
        return float(width)

    def density(self, kind, h):
        """f_i, the density of each (weighted) response at its quantile."""
        if kind == "iid":
            r = np.sort(self.r[np.argsort(np.abs(self.r), kind="stable")[min(self.k, self.n - 2) :]])
            below, above = np.quantile(r, [self.tau - h, self.tau + h])
            return np.full(self.n, 2 * h / (above - below) if above > below else np.inf)
        if kind == "ker":
            from scipy.special import ndtri

            spread = np.subtract(*np.quantile(self.r, [0.75, 0.25])) / 1.34
            c = min(self.r.std(ddof=1), spread) * (ndtri(self.tau + h) - ndtri(self.tau - h))
            return np.exp(-((self.r / c) ** 2) / 2) / (np.sqrt(2 * np.pi) * c)
        low, high = (self.at(self.tau + shift) for shift in (-h, h))
        apart = self.weight * (self.problem.columns.predict((high - low)[:-1]) + (high - low)[-1])[self.live]
        apart -= 1e-12 * np.abs(self.problem.y).max()  # as good as zero
        return np.divide(2 * h, apart, out=np.zeros(self.n), where=apart > 0)

    def at(self, tau):
        """The coefficients of another quantile."""
        trail = Trail(self.problem)
        trail.seen = [(self.tau, self.b)]
        answer = trail.solve(tau)
        return np.append(answer.b, answer.intercept)

    def covariance(self, f):
        """tau (1 - tau) H^-1 Z'Z H^-1 on the scale of X."""
        if np.isinf(f).any():
            return np.zeros((self.k, self.k))  # too many residuals are tied: no spread is seen
        half = self.back @ np.linalg.inv(_validate_quantiles.some_density(self.products(f)))
        return self.tau * (1 - self.tau) * half @ self.gram @ half.T

    def inverted(self, level, h):
        """Limits by inverting the rank test; nan for h is the test for errors of one density."""
        H = self.gram if np.isnan(h) else _validate_quantiles.some_density(self.products(self.density("nid", h)))
        Z = np.vstack([Z for _, Z in self.blocks()])
        y = self.weight * self.problem.y[self.live]
        left, right = np.full(self.n, 1 - self.tau), np.full(self.n, self.tau)
        size = 2.0 ** np.floor(np.log2(np.abs(y).max(initial=0) or 1.0))
        beta = np.append(self.b[:-1] * self.root, [self.b[-1]] * self.intercept) / size
        pulled = Pulled(Z, y / size, left, right, beta)
        limits = np.empty((2, self.k))
        for j, a in enumerate(self.back):
            # the part of column j that the others do not explain, and the variance of its rank statistic
            d = np.linalg.solve(H, a)
            d /= a @ d
            pull = self.critical(level) * np.sqrt(self.tau * (1 - self.tau) * (d @ self.gram @ d))
            limits[:, j] = [size * limit(pulled, a, sign * pull) for sign in (-1.0, 1.0)]
        if self.intercept:
            limits[:, 0] += self.problem.y_mean
        return limits

    def bootstrap(self, n_boot, n_jobs, seed):
        """Coefficients of samples of the rows, (n_boot, k), on the scale of X."""
        seeds = np.random.SeedSequence(seed).spawn(n_boot)

        def draw(seed):
            chosen = np.random.default_rng(seed).integers(0, self.n, self.n)
            weight = np.zeros(len(self.problem.y))
            weight[self.live] = self.weight * np.bincount(chosen, minlength=self.n)
            problem = dataclasses.replace(self.problem, weight=weight / weight.sum())
            answer = absolute.solve(problem, (self.b.copy(), self.residual, 1, 0))
            return np.append(answer.b * self.root, [answer.intercept] * self.intercept)

        with ThreadPoolExecutor(n_jobs) as pool:
            draws = np.array(list(pool.map(draw, seeds))) @ self.back.T
        draws[:, : self.intercept] += self.problem.y_mean
        return draws

    def critical(self, level):
        """Student's t at that level, two-sided."""
        from scipy.special import stdtrit

        return stdtrit(self.n - self.k, (1 + level) / 2)

    def p_value(self, t):
        """Two-sided."""
        from scipy.special import stdtr

        return 2 * stdtr(self.n - self.k, -np.abs(t))
