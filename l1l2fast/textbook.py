"""The plain methods of the textbook, for teaching and as judges of the quick ones; not for speed.

    F(b) = f(b) + g(b),   f(b) = min_c sum_i w_i l(y_i, c + x~_i'b),   g(b) = sum_j v_j (l1 |b_j| + l2 b_j^2 / 2)

f has a gradient with Lipschitz constant L: the largest eigenvalue of X~'diag(w) X~ times the largest curvature of l,
which is 1 for the squared and Huber's loss and 1/4 for the logistic one.

    ista         b <- prox_{g / L}(b - f'(b) / L)                          F - F* <= L |b* - b_0|^2 / (2 k)
    fista        the same from z = b + (t - 1) / t_next (b - b_before)      F - F* <= 2 L |b* - b_0|^2 / (k + 1)^2
    subgradient  b <- b - (f'(b) + v (l1 sign(b) + l2 b)) / (L sqrt(k + 1))  without a prox, F - F* ~ log(k) / sqrt(k)

after k steps (Beck and Teboulle, 2009; Shor, 1985). The pull of L1 is the same however small a coefficient is, so
that the last method steps over zero and back; that of L2 shrinks with it. The prox of L1, soft thresholding,
stops at zero exactly. Every step is certified, as everywhere, from theta = -w l'.
"""

from typing import NamedTuple

import numpy as np

from l1l2fast._model import dual_point, level
from l1l2fast.judged import Judge
from l1l2fast.least_squares import scale_of
from l1l2fast.result import Answer, Status, shrunk
from l1l2fast.squared import curved

# Steps of the power method, whose answer is lengthened by LONGER: it comes from below.
POWER, LONGER = 200, 1.01


class Look(NamedTuple):
    """A point: coefficients, intercept, prediction, theta = -w l'(f), g = X~'theta (minus the gradient of f)."""

    b: np.ndarray
    level: float
    f: np.ndarray
    theta: np.ndarray
    g: np.ndarray


class Smooth:
    """The smooth part f and the steps that its methods are made of."""

    def __init__(self, problem):
        self.problem = problem
        self.l1, self.l2 = (part * problem.factor for part in problem.penalty.elastic())
        if problem.loss.quadratic():
            self.null, self.tolerance = scale_of(problem)
        else:
            judge = Judge(problem)
            self.null, self.tolerance = judge.null, judge.tolerance
        self.passes = 1
        y = float(problem.y[problem.weight.argmax()])
        self.L = self.steepest() * max(problem.loss.majoriser(y, f, 0.0)[1] for f in (0.0, y))

    def steepest(self):
        """The largest eigenvalue of X~'diag(w) X~, by the power method."""
        X, w = self.problem.columns, self.problem.weight
        v, size = np.sqrt(self.problem.square), 0.0
        for _ in range(POWER):
            length = np.linalg.norm(v)
            if length == 0:
                break
            before, v = size, v / length
            v = X.sweep(self.centred(w * X.predict(v)))
            size = np.linalg.norm(v)
            self.passes += 2
            if size <= before * (1 + 1e-6):
                break
        return LONGER * size if size > 0 else 1.0

    def centred(self, theta):
        """theta less a multiple of w, so that its sum is 0: what the best intercept leaves."""
        return theta - self.problem.weight * theta.sum() if self.problem.intercept else theta

    def at(self, b):
        """Look at b."""
        problem, c = self.problem, 0.0
        self.passes += 1
        if problem.loss.quadratic():
            r, theta, g, _ = problem.columns.fresh(problem.y, problem.weight, b, problem.intercept)
            return Look(b, c, problem.y - r, theta, g)
        f = problem.columns.predict(b)
        if problem.offset is not None:
            f += problem.offset
        if problem.intercept:
            c = level(problem.sums, f)
        theta = np.empty(len(f))
        dual_point(problem.sums, f, theta)
        return Look(b, c, f, theta, problem.columns.sweep(theta))

    def prox(self, z, step):
        """argmin_b |b - z|^2 / 2 + step g(b) within the bounds: soft thresholding, then shrinking, then clipping."""
        soft = np.sign(z) * np.maximum(np.abs(z) - step * self.l1, 0.0)
        return np.clip(soft / (1 + step * self.l2), self.problem.lower, self.problem.upper)

    def slope(self, look):
        """A subgradient of F: that of |b| at 0 is taken to be 0."""
        return -look.g + self.l1 * np.sign(look.b) + self.l2 * look.b


def ista(model, b):
    """Proximal gradient steps."""
    look = model.at(b)
    while True:
        yield look
        look = model.at(model.prox(look.b + look.g / model.L, 1 / model.L))


def fista(model, b):
    """The same from an extrapolated point, with Nesterov's weights."""
    look, t = model.at(b), 1.0
    ahead = look
    while True:
        yield look
        new, t_next = model.prox(ahead.b + ahead.g / model.L, 1 / model.L), (1 + np.sqrt(1 + 4 * t * t)) / 2
        ahead = model.at(new + (t - 1) / t_next * (new - look.b))
        look, t = model.at(new), t_next


def subgradient(model, b):
    """Steps down a subgradient, each shorter than the last."""
    look, k = model.at(b), 0
    while True:
        yield look
        k += 1
        new = look.b - model.slope(look) / (model.L * np.sqrt(k))
        look = model.at(np.clip(new, model.problem.lower, model.problem.upper))


METHODS = {"ista": ista, "fista": fista, "subgradient": subgradient}


def solve(problem):
    """Minimise by the method that the problem names; returns an Answer."""
    model, best = Smooth(problem), None
    for rounds, look in enumerate(METHODS[problem.method](model, problem.start)):
        objective, gap, scale = problem.certify(look.b, look.f, look.theta, look.g)
        if best is None or gap <= best[1]:
            best = objective, gap, scale, look
        status = problem.verdict(rounds, objective, best[1], model.tolerance, model.passes)
        if status is not None:
            break
    objective, gap, scale, look = best
    ends = status or Status.MAX_ITER, model.tolerance, model.passes, rounds, curved(problem)
    return Answer(look.b, look.level, objective, gap, *shrunk(scale, look.theta, look.g), *ends)
