"""What the answers of a path cost in parameters: degrees of freedom, information criteria, leave-one-out residuals.

Degrees of freedom, the intercept among them, in expectation and for one answer:

    squared, L1          nonzero coefficients                         Zou, Hastie and Tibshirani (2007)
    smooth, with L2      trace of (Z'Z + D)^-1 Z'Z over these,        D = diag(l2 factor), Z = root(weight l'') X~
    ridge                the same over all columns                    from the one factorisation
    absolute, pinball    rows that are fitted exactly                 Li, Liu and Zhu (2007)
"""

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular

from l1l2fast import _validate
from l1l2fast.closed import System
from l1l2fast.solvers import family
from l1l2fast.steps import fit_of, weaker

# Residuals up to this part of the largest response are zero; rows whose share of their residual is below that
# decide their own fit, and leaving them out is beyond rounding.
ZERO, DECIDES = 1e-9, 1e-9
NAMES = ("aic", "bic", "cp", "ebic")


def coefficients(path, k):
    """The k-th answer in the units of the problem."""
    return path.coef_csc[:, [k]].toarray()[:, 0] / path._problem.columns.scale


def moving(problem, b):
    """The columns whose coefficients follow y: nonzero ones and those without penalty, off their bounds."""
    free = (b != 0) | (problem.factor == 0)
    return np.flatnonzero(free & (problem.square > 0) & (problem.lower < b) & (b < problem.upper))


def degrees(path):
    """Degrees of freedom of each answer, (K,)."""
    problem = _validate.kept(path._problem)
    if is_ridge(problem):
        return ridge(problem, path.alphas)[2]
    return np.array([degrees_of(path, k) for k in range(len(path))], dtype=np.float64)


def degrees_of(path, k):
    """Degrees of freedom of the k-th answer."""
    problem, b = path._problem, coefficients(path, k)
    which, l2 = moving(problem, b), path.alphas[k] * problem.penalty.elastic()[1] * problem.factor
    most = len(which) + problem.intercept
    if problem.loss.slopes() is not None:
        return min(fitted(problem, predictions(path, k, b)), most)
    if not l2[which].any():
        return most
    curvature = np.ones(problem.columns.n)
    if not problem.loss.quadratic():
        pairs = zip(problem.y, predictions(path, k, b), strict=True)
        curvature = np.array([problem.loss.derivatives(*pair)[1] for pair in pairs])
    return leverages(problem, which, l2[which], problem.weight * curvature).sum()


def predictions(path, k, b):
    """Those of the k-th answer, in the units of the problem."""
    X = path._problem.columns
    level = path.intercept[k] - path._problem.y_mean + X.mean @ (b * X.scale) if path._problem.intercept else 0.0
    return fit_of(path._problem, b, level)


def fitted(problem, f):
    """How many rows have residual zero."""
    zero = np.abs(problem.y - f) <= ZERO * problem.y_size
    return np.count_nonzero(zero & (problem.weight > 0))


def leverages(problem, which, l2, weight):
    """The diagonal of the map from y to its fit, for these columns, intercept included."""
    root = np.sqrt(weight)
    Z, unit = problem.columns.part(which, root), root / np.linalg.norm(root)
    own = unit**2 * problem.intercept
    if problem.intercept:
        Z = Z - np.outer(Z @ unit, unit)
    M = Z @ Z.T
    M[np.diag_indices_from(M)] += l2
    try:
        part = solve_triangular(cholesky(M, lower=True), Z, lower=True)
    except LinAlgError:  # columns that depend on each other count once
        s, V = np.linalg.eigh(M)
        kept = s > 1e-12 * s[-1]
        part = (V[:, kept] / np.sqrt(s[kept])).T @ Z
    return own + (part**2).sum(0)


def is_ridge(problem):
    """Is it the squared loss with L2 alone, for which one factorisation does?"""
    return problem.loss.quadratic() and problem.penalty.elastic()[0] == 0 and not problem.bounded


def ridge(problem, alphas):
    """Residuals (n, K), 1 - leverage (n, K) and degrees of freedom (K,) of ridge."""
    system = System([problem])
    residual = system.solve(alphas, True)[1]
    return residual, *system.kept(alphas)


def leave_one_out(path):
    """y less its prediction from the other rows, (n, K), nan where a row decides its own fit."""
    problem = _validate.kept(path._problem, quadratic=True)
    if is_ridge(problem):
        residual, kept, _ = ridge(problem, path.alphas)
    else:
        residual, kept = np.empty((2, problem.columns.n, len(path)))
        for k, alpha in enumerate(path.alphas):
            b = coefficients(path, k)
            which = moving(problem, b)
            l2 = alpha * problem.penalty.elastic()[1] * problem.factor[which]
            residual[:, k] = problem.columns.residual(problem.y, problem.weight, b, problem.intercept)[0]
            kept[:, k] = 1 - leverages(problem, which, l2, problem.weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(kept > DECIDES, residual / kept, np.nan)


def criterion(path, name, gamma, noise_variance):
    """AIC, BIC, EBIC or Mallows' Cp of each answer, (K,)."""
    name = _validate.choice("name", name, NAMES)
    known = name == "cp" or noise_variance is not None
    problem = _validate.kept(path._problem, quadratic=known)
    gamma = _validate.number("gamma", gamma, 0.0, 1.0)
    n, df = np.count_nonzero(problem.weight), degrees(path)
    if known:
        noise_variance = noise(problem, n) if noise_variance is None else noise_variance
        misfit = 2 * n * mean_losses(path) / _validate.number("noise_variance", noise_variance, 1e-300)
        if name == "cp":
            return misfit - n + 2 * df
    else:
        misfit = deviance(problem, n, mean_losses(path))
    if name == "aic":
        return misfit + 2 * df
    bic = misfit + np.log(n) * df
    return bic if name == "bic" else bic + 2 * gamma * log_choices(problem, np.diff(path.coef_csc.indptr))


def mean_losses(path):
    """The objective of each answer without its penalty."""
    problem, (l1, l2) = path._problem, path._problem.penalty.elastic()
    B = path.coef_csc.multiply(1 / problem.columns.scale[:, None])
    cost = problem.factor @ (l1 * abs(B) + l2 / 2 * B.multiply(B))
    return np.maximum(path.objective - path.alphas * cost, 0.0)


def deviance(problem, n, mean):
    """Minus twice the log-likelihood, up to a constant, of the distribution that the loss stands for."""
    with np.errstate(divide="ignore"):
        if problem.loss.quadratic():
            return n * np.log(2 * mean)  # Gauss, its variance profiled out
        if problem.loss.slopes() is not None:
            return 2 * n * np.log(mean)  # Laplace, symmetric or not, its scale profiled out
    return 2 * n * mean


def noise(problem, n):
    """The variance of the noise by least squares on all columns; 0 if that leaves nothing to estimate it from."""
    full = family(problem)(weaker(problem, 0.0))
    which = moving(weaker(problem, 0.0), full.b)
    room = n - leverages(problem, which, np.zeros(len(which)), problem.weight).sum()
    return 2 * n * full.objective / room if room > 0.5 else 0.0


def log_choices(problem, counts):
    """log of p over k, how many models have as many nonzero coefficients."""
    from scipy.special import gammaln

    p = np.count_nonzero((problem.factor > 0) & (problem.square > 0) & (problem.lower < problem.upper))
    counts = np.minimum(counts, p)
    return gammaln(p + 1) - gammaln(counts + 1) - gammaln(p - counts + 1)
