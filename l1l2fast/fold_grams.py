"""Folds of tall data with the squared loss: X is read once for all of them.

Weighted sums over the rows in a fit are those over all rows less those over the held-out ones: means, correlations,
energies and Gram matrices alike. Where the held-out rows make up all rows, the sums of the folds are summed up
instead, so that every product of two columns is formed once. Held-out squared errors are quadratic forms in the
same matrices.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from l1l2fast.batches import TALL, WHOLE, Trace
from l1l2fast.normal import add_syrk, mirror, row_block, steps
from l1l2fast.path import follow

# Less of a column's or of the response's squares than this part in a fit, and the difference would lose digits.
KEPT = 1e-4
# Held-out squares of this part of the response's or less lose digits in the quadratic form; and how closely the form
# has to agree with the rows themselves.
FINE, AGREE = 1e-6, 1e-8


class Sums(NamedTuple):
    """Sums over some rows of 1, y, y^2, x, x y and x x', weighted, x and y about the means of all rows."""

    weight: float
    level: float
    energy: float
    first: np.ndarray
    slope: np.ndarray
    gram: np.ndarray

    def less(self, other):
        """The sums over the other rows."""
        return Sums(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))


class FoldGrams:
    """The sums over all rows and over each fold's held-out ones, and the paths and errors that follow from them."""

    def __init__(self, problem, tests):
        self.problem, self.tests = problem, tests
        self.folds = [sums_over(problem, rows) for rows in tests]
        if sum(len(rows) for rows in tests) == problem.columns.n:
            self.all = Sums(*(sum(parts) for parts in zip(*self.folds, strict=True)))
        else:
            self.all = sums_over(problem, np.arange(problem.columns.n))

    def trace(self, n_jobs):
        """The way along the path of all rows."""
        return Trace(self.problem, n_jobs, self.settled(self.all.gram / self.all.weight))

    def settled(self, gram):
        """The matrix, in which a column that is constant over all rows is exactly that."""
        still = self.problem.square == 0
        gram[still], gram[:, still] = 0.0, 0.0
        return np.ascontiguousarray(gram)

    def path(self, k, alphas):
        """The path of fold k; None if the difference of the sums would lose digits."""
        problem, kept = self.problem, self.all.less(self.folds[k])
        d, c = (kept.first / kept.weight, kept.level / kept.weight) if problem.intercept else (0.0 * kept.first, 0.0)
        gram = self.settled(kept.gram / kept.weight - np.outer(d, d))
        energy = kept.energy / kept.weight - c * c
        square = gram.diagonal().copy()
        if energy < KEPT * problem.energy or (square < KEPT * problem.square).any():
            return None
        columns = type(problem.columns)(problem.columns.owner)
        columns.mean[:] = problem.columns.mean + d
        weight = problem.weight / kept.weight
        weight[self.tests[k]] = 0.0
        centred = {"y": problem.y - c, "y_mean": problem.y_mean + c, "energy": energy}
        slope = kept.slope / kept.weight - c * d
        fit = replace(problem, columns=columns, weight=weight, square=square, slope=slope, **centred)
        return follow(FoldTrace(fit, 1, gram), alphas)

    def squares(self, k, found):
        """Mean squares of the held-out errors of fold k, of shape (K,); None if they are too small for that."""
        problem, held, B = self.problem, self.folds[k], found.coef
        off = found.intercept + problem.columns.mean @ B - problem.y_mean
        squares = held.energy - 2 * held.slope @ B + (B * (held.gram @ B)).sum(0)
        squares = (squares - 2 * off * (held.level - held.first @ B)) / held.weight + off**2
        b, w = B[:, -1], problem.weight[self.tests[k]] / held.weight
        error = problem.y[self.tests[k]] - problem.columns.owner[neighbours(self.tests[k])] @ b
        last = w @ (error + (problem.y_mean - found.intercept[-1])) ** 2
        exact = squares.min() > FINE * problem.energy and abs(squares[-1] - last) <= AGREE * last
        return squares if exact else None


class FoldTrace(Trace):
    """The way along a fold's path, whose Gram matrix is confirmed by the errors that it predicts."""

    def confirmed(self, alpha, row, energy):
        """Yes: the held-out errors that follow from the same sums are compared with X, see `squares`."""
        return True


def suits(problem, pairs):
    """Is X tall and dense, and are the rows in each fit those that are not held out?"""
    X = problem.columns
    if not problem.loss.quadratic() or problem.penalty.elastic()[0] == 0 or X.sparse or not (X.scale == 1).all():
        return False
    if X.p > WHOLE or len(pairs) * X.p > X.n or any(len(train) < TALL * X.p for train, _ in pairs):
        return False
    once = (np.bincount(np.concatenate(pair), minlength=X.n) for pair in pairs)
    return all((count == 1).all() for count in once)


def neighbours(rows):
    """A slice, if these row numbers are one."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows) and (np.diff(rows) == 1).all():
        return slice(rows[0], rows[-1] + 1)
    return rows


def sums_over(problem, rows):
    """The sums over these rows, block by block in the cache."""
    X, w, y = problem.columns, problem.weight[rows], problem.y[rows]
    even = bool((w == w[0]).all())
    root, unit = None if even else np.sqrt(problem.weight), w[0] if even else 1.0
    every, ones = np.arange(X.p), np.ones(X.p)
    first, gram = np.zeros((X.p, 2)), np.zeros((X.p, X.p), order="F")
    for part in steps(len(rows), X.p):
        block = row_block(X, neighbours(rows[part]), every, ones, root)
        r = np.ones(len(block)) if even else root[rows[part]]
        first += block.T @ np.column_stack([r, r * y[part]])
        gram = add_syrk(gram, block)
    return Sums(w.sum(), w @ y, w @ (y * y), *(unit * first.T), unit * mirror(gram))
