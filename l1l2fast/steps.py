"""The general way along a path: from alpha to alpha on one validated problem, each answer the start of the next.

The lasso and the elastic net of the squared loss have a faster one, `batches.Trace`; without a kink, all alphas of the
squared loss come from one factorisation. The three of them are asked for the same: `top`, `run`, and what was found.
"""

from dataclasses import replace

import numpy as np

from l1l2fast.closed import System
from l1l2fast.solvers import family

# Without a kink no alpha leaves all coefficients at zero: the grid begins where they are proven to lower the objective
# of the null model by no more than this part of it.
HARDLY = 0.01
# Halvings and steps of Newton's method on the way to the first alpha, at most.
HALVINGS, STEPS = 60, 60
# Alphas that agree to that part are the same.
SAME, HAIR = 1e-12, 1e-9


class Steps:
    """Any loss: one solve for each alpha, warm from the one before."""

    def __init__(self, problem):
        self.problem = problem
        self.found, self.levels, self.passes, self.epochs = [], [], 1, 0
        self.still = np.clip(0.0, problem.lower, problem.upper)
        self.held = (problem.factor > 0) & (problem.lower < problem.upper)
        self.null = self.null_model()
        self.tolerance = self.null.tolerance
        self.top = self.beginning()

    def solve(self, problem):
        """Solve, and count what it took."""
        answer = family(problem)(problem)
        self.passes += answer.n_passes
        self.epochs += answer.n_iter
        return answer

    def at(self, alpha, start, trail=None):
        """The answer at one strength of the penalty."""
        return self.solve(weaker(self.problem, alpha, start=start, started=True, trail=trail))

    def null_model(self):
        """The answer under a penalty without limit: what is penalised is as near to zero as its bounds let it be."""
        problem, held = self.problem, self.held
        lower, upper = np.where(held, self.still, problem.lower), np.where(held, self.still, problem.upper)
        bounded = problem.bounded or bool(held.any())
        return self.solve(replace(problem, lower=lower, upper=upper, start=self.still, started=True, bounded=bounded))

    def beginning(self):
        """The smallest alpha that leaves the null model the best; without a kink, one that hardly leaves it."""
        problem, null = self.problem, self.null
        if problem.penalty.elastic()[0] == 0:
            size = null.u[self.held] ** 2 @ (1 / problem.factor[self.held]) / 2
            return float(size / (HARDLY * null.objective)) if size > 0 and null.objective > 0 else 0.0
        top = self.bound(null)
        if problem.loss.slopes() is None or self.settled():
            return top
        return self.newton(top)

    def bound(self, answer):
        """The smallest alpha at which the dual point of this answer proves that the null model is the best."""
        problem, g = self.problem, answer.u
        up, down = np.where(problem.upper > 0, g, 0.0), np.where(problem.lower < 0, -g, 0.0)
        kink = problem.penalty.kink() * problem.factor
        return float((np.maximum(up, down)[self.held] / kink[self.held]).max(initial=0.0))

    def settled(self):
        """Is the dual point of the null model the only one? Yes, if no more rows are fitted than it has parameters."""
        problem, null = self.problem, self.null
        r = problem.y - problem.columns.predict(null.b) - null.intercept
        zero = (np.abs(r) <= SAME * np.abs(problem.y).max(initial=0.0)) & (problem.weight > 0)
        free = ~self.held & (problem.square > 0) & (problem.lower < problem.upper)
        return np.count_nonzero(zero) <= np.count_nonzero(free) + problem.intercept

    def newton(self, top):
        """The first alpha, where the null model has many dual points, of which `top` has seen one.

        The least objective phi(alpha) is concave and, from the first alpha on, that of the null model, N. So is
        L(b) + alpha |b| above it everywhere if b is optimal at one alpha, and where that line meets N is
        a better alpha from below (Dinkelbach, 1967): with two slopes there are finitely many b, and it ends.
        """
        answer, alpha = None, top
        for _ in range(HALVINGS):
            if top == 0 or alpha <= SAME * top or answer is not None:
                break
            alpha /= 2
            below = self.at(alpha, self.still)
            if self.size(below) > 0:
                answer = below
            else:
                top, self.null = min(top, self.bound(below)), below
        if answer is None:
            return top
        for _ in range(STEPS):
            size = self.size(answer)
            meets = alpha + (self.null_objective(alpha) - answer.objective) / size if size > 0 else alpha
            if not meets > alpha * (1 + SAME):
                break
            alpha = min(meets, top)
            answer = self.at(alpha, answer.b)
        if answer.gap > self.tolerance:  # exactly there, many rows and columns tie; a hair above, they do not
            alpha *= 1 + HAIR
            answer = self.at(alpha, self.still)
        self.null = self.null._replace(theta=answer.theta, u=answer.u)
        return alpha

    def size(self, answer):
        """How much more of the penalty, at alpha = 1, this answer has than the null model."""
        return self.cost(answer.b) - self.cost(self.still)

    def cost(self, b):
        """The penalty of the held columns at alpha = 1."""
        l1, l2 = self.problem.penalty.elastic()
        b = b[self.held]
        return float(self.problem.factor[self.held] @ (l1 * np.abs(b) + l2 / 2 * b * b))

    def null_objective(self, alpha):
        """The objective of the null model, which pays for what its bounds ask for."""
        return self.null.objective + (alpha - 1) * self.cost(self.still)

    def run(self, alphas):
        """Solve for all alphas, in this order."""
        last = self.null
        for alpha in alphas:
            last = self.unmoved(alpha) or self.at(alpha, last.b, last.trail)
            self.found.append((np.flatnonzero(last.b), last.b[last.b != 0], last.objective, last.gap))
            self.levels.append(last.intercept)

    def unmoved(self, alpha):
        """The null model, if it is the answer at this alpha."""
        null, problem = self.null, self.problem
        if alpha < self.top * (1 - SAME):
            return None
        f = fit_of(problem, null.b, null.intercept)
        sums = problem.sums.at(alpha)
        objective, gap, _ = sums.certify(null.b, f, null.theta, null.u)
        return null._replace(objective=objective, gap=gap) if gap <= self.tolerance else None


def fit_of(problem, b, level):
    """What b and this level predict, in the units of the problem's y."""
    f = problem.columns.predict(b) + level
    return f if problem.offset is None else f + problem.offset


def weaker(problem, alpha, **changes):
    """The problem with its penalty multiplied by alpha, and other changes."""
    return replace(problem, factor=alpha * problem.factor, **changes)


class Ridges:
    """The squared loss with an L2 penalty: all alphas from one factorisation, as `ridge_path` has it."""

    def __init__(self, problem):
        self.problem, self.system = problem, System([problem])
        self.top, self.tolerance = self.system.top, float(self.system.tolerance[0])
        self.found, self.levels, self.epochs = [], 0.0, 0

    @property
    def passes(self):
        """Passes over X."""
        return self.system.passes

    def run(self, alphas):
        """Solve for all alphas."""
        B, _, objective, gap = self.system.solve(alphas, False)
        self.found = [(np.flatnonzero(b), b[b != 0], *proof) for b, *proof in zip(B.T, objective, gap, strict=True)]
        self.epochs = len(alphas)
