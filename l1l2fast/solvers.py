"""solve(): any loss with any penalty, in one convention, with a certificate."""

import functools
import time

import numpy as np

from l1l2fast import _validate, absolute, squared
from l1l2fast.result import Result, warn


def method(problem):
    """The one table: which family of method solves this loss."""
    if problem.loss.quadratic():
        return squared.solve
    if problem.loss.slopes() is not None and problem.penalty.elastic() is not None:
        return absolute.solve
    raise ValueError(f"loss={problem.loss!r} with penalty={problem.penalty!r} has no solver")


def warned(silent):
    """`silent`, with a warning if its result misses the tolerance; estimators use `solve.__wrapped__` and warn."""
    @functools.wraps(silent)
    def loud(*args, **kwargs):
        result = silent(*args, **kwargs)
        warn(result)
        return result
    return loud


@warned
def solve(X, y, loss="squared", penalty=None, *, alpha=None, l1_ratio=None, sample_weight=None, offset=None,
          fit_intercept=True, penalty_factor=None, lower=None, upper=None, positive=False, standardize=False,
          warm_start=None, tol=1e-8, max_iter=1000, callback=None):
    """Fit a linear model with any loss and any penalty, and prove how good it is."""
    begin = time.perf_counter()
    problem = _validate.problem(X, y, loss, penalty, alpha, l1_ratio, sample_weight, offset, fit_intercept,
                                penalty_factor, lower, upper, positive, standardize, warm_start, tol, max_iter,
                                callback)
    answer = method(problem)(problem)
    columns = problem.columns
    coef = answer.b * columns.scale
    intercept = problem.y_mean + answer.intercept - float(columns.mean @ coef) if problem.intercept else 0.0
    correlation = answer.u / columns.scale + columns.mean * answer.theta.sum()
    return Result(coef, intercept, answer.objective, answer.objective - answer.gap, answer.gap,
                  answer.tolerance, answer.status, answer.n_passes, answer.n_iter,
                  time.perf_counter() - begin, answer.unique, answer.theta, correlation)
