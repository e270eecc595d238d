"""Lines on either side of y (absolute, pinball) by proximal steps of the dual point.

    minimise  sum_i w_i l(r_i) + pen(b),   l(r) = max_u u r over -left <= u <= right

Near a point psi of the box, the envelope max_u u r - gam (u - psi)^2 / 2 stands in for l: up to a constant a smooth
loss of y + gam psi, which `grouped` and `smooth` know how to fit. Its slopes are the next psi. That is the method of
multipliers on the residuals (Rockafellar, 1976), which converges for every gam > 0, all the faster the smaller it is;
the rows inside their box become those of zero residual, and the Newton steps of a round few. Every psi is feasible
but for what the inner solve left of X'(w psi), and so each round is certified. It is the method for penalties on
groups; and for an L2 term with more columns than rows, where the others would factor a matrix of all columns.
"""

from dataclasses import replace

import numpy as np

from l1l2fast import grouped, smooth
from l1l2fast._losses import Envelope
from l1l2fast.result import Answer, Status, shrunk
from l1l2fast.squared import curved

# Up to this many numbers in X, other methods cost less where they are to be had.
SMALL = 20_000
# The first smoothing, in residuals of the null model; what a round leaves of it, and what of it is the least.
WIDE, SHRINK, LEAST = 0.3, 0.3, 1e-5
# The gap asked of an inner solve, relative to that of the round before, but not below that part of what is asked for.
INNER, SHARP = 0.05, 0.2
# A dual point that is off its ends by this part of their distance belongs to a zero residual.
STRICT = 1e-6
# Newton steps of the finish, and the largest matrix that it may solve with.
STEPS, LARGEST = 4, 1500
# So many rounds in a row that leave more than this part of the gap are the last.
SLOW, FALLING = 6, 0.8


def needed(problem):
    """Are there lines, and a penalty that is no sum over coefficients?"""
    return problem.loss.slopes() is not None and not problem.penalty.separable()


def suits(lines):
    """Have these lines more columns than rows, and curvature in all of them but a few?"""
    problem, X = lines.problem, lines.problem.columns
    some = X.n < X.p and X.n * X.p > SMALL and problem.method is None
    return some and problem.penalty.elastic()[1] > 0 and np.count_nonzero(problem.factor == 0) < X.n


def solve(problem, lines=None, _tolerance=None):
    """Minimise; returns an Answer. With `lines`, `absolute` asks, and speaks to the callback itself."""
    problem = problem if lines is None else replace(problem, callback=None)
    rounds, answer = Rounds(problem), None
    if rounds.null == 0:
        answer = rounds.nothing()
    elif not (problem.started or problem.penalty.separable()) and grouped.wide(problem):
        answer = rounds.turned()
    while answer is None:
        answer = rounds.certified(rounds.step())
    return answer


def expand(problem, b, on):
    """Gradient and Hessian of the penalty at b, over the coefficients `on`, none of which is zero."""
    if not problem.penalty.separable():
        return problem.sums.layout.expand(b, on)
    (l1, l2), v = problem.penalty.elastic(), problem.factor[on]
    return v * (l1 * np.sign(b[on]) + l2 * b[on]), v * l2


def newton(H, X, intercept, slope, total, r):
    """db, dc, t of  H db + X't = slope,  1't = total,  X db + dc = r;  dc = 0 without an intercept.

    H is a matrix or, where it is diagonal, that: then, if it has no zero, the system is as large as there are rows.
    """
    (m, k), q = X.shape, int(intercept)
    H = H if H.ndim == 2 or H.all() else np.diag(H)
    whole = H.ndim == 2
    first = k if whole else 0
    K = np.zeros((first + q + m, first + q + m))
    K[first + q :, first : first + q], K[first : first + q, first + q :] = 1.0, 1.0
    if whole:  # be it 0 x 0
        K[:k, :k], K[k + q :, :k], K[:k, k + q :] = H, X, X.T
        step = np.linalg.solve(K, np.r_[slope, [total] * q, r])
        return step[:k], float(step[k : k + q].sum()), step[k + q :]
    K[q:, q:] = -(X / H) @ X.T
    step = np.linalg.solve(K, np.r_[[total] * q, r - (X / H) @ slope])
    return (slope - X.T @ step[q:]) / H, float(step[:q].sum()), step[q:]


class Rounds:
    """The method of multipliers: psi, b and the smoothing, and what was reached so far."""

    def __init__(self, problem):
        self.problem = problem
        self.null = problem.sums.level()[0]
        self.tolerance = problem.tol * self.null + 4e-16 * problem.y_size
        self.left, self.right = problem.loss.slopes()
        slope = (self.left + self.right) / 2
        self.widest = self.gam = max(WIDE * self.null / slope**2, 1e-300)
        self.psi, self.u = np.zeros(len(problem.y)), np.zeros(problem.columns.p)
        self.b, self.started = problem.start, problem.started
        self.best, self.gap, self.inside = None, np.inf, None
        self.passes, self.steps, self.rounds, self.slow = 1, 0, 0, 0

    def step(self):
        """The answer of the envelope around psi."""
        problem, gam = self.problem, self.gam
        asked = max(INNER * min(self.gap, self.null), SHARP * self.tolerance)
        y, slope = problem.y + gam * self.psi, problem.slope + gam * self.u
        given = {"y": y, "slope": slope, "start": self.b, "started": self.started or bool(self.b.any())}
        tol = asked / self.null if self.null > 0 else problem.tol
        loss = Envelope(self.left, self.right, gam)
        method = smooth.solve if problem.penalty.separable() else grouped.solve
        answer = method(replace(problem, loss=loss, tol=tol, callback=None, **given))
        self.passes, self.steps = self.passes + answer.n_passes, self.steps + answer.n_iter
        return answer

    def certified(self, answer):
        """Take the step; an Answer if this is the end."""
        problem, w, gam = self.problem, self.problem.weight, self.gam
        f = problem.columns.predict(answer.b) + answer.intercept
        psi = np.clip(self.psi + (problem.y - f) / gam, -self.left, self.right)
        inside, gap_before = self.inside, self.gap
        self.inside = (-self.left < psi) & (psi < self.right) & (w > 0)
        self.b, self.psi = answer.b, psi
        objective = self.look(answer.b, answer.intercept, f, answer.theta, answer.u)
        if self.gap > self.tolerance and inside is not None and (inside == self.inside).all():
            self.finish(answer)
        self.u = problem.columns.sweep(w * self.psi)
        self.passes += 2
        self.slow = 0 if self.gap < FALLING * gap_before else self.slow + 1
        stiff = answer.status is not Status.CONVERGED
        self.gam = min(self.widest, gam / SHRINK**2) if stiff else max(SHRINK * gam, LEAST * self.widest)
        stuck = self.slow > SLOW  # this is what the arithmetic gives
        return self.verdict(objective, Status.MAX_ITER if stuck else None)

    def nothing(self):
        """The answer where nothing is left to fit."""
        b, theta = np.zeros(self.problem.columns.p), np.zeros(len(self.psi))
        return self.verdict(self.look(b, 0.0, self.problem.y, theta, b))

    def turned(self):
        """Start from the answer in the coordinates of the rows, of which there are fewer; an Answer if that is all."""
        problem, w = self.problem, self.problem.weight
        b, answer = grouped.turned(problem, solve)
        theta = np.clip(answer.theta, -self.left * w, self.right * w)
        self.b, self.psi = b, np.divide(theta, w, out=np.zeros(len(w)), where=w > 0)
        self.u = problem.columns.sweep(theta)
        self.passes, self.steps = self.passes + 4, self.steps + answer.n_iter
        objective = self.look(b, answer.intercept, problem.columns.predict(b) + answer.intercept, theta, self.u)
        self.gam = LEAST**0.5 * self.widest
        return self.verdict(objective)

    def verdict(self, objective, status=None):
        """An Answer if this is the end."""
        status = self.problem.verdict(self.rounds, objective, self.gap, self.tolerance, self.passes) or status
        self.rounds += 1
        if status is None:
            return None
        return Answer(*self.best, status, self.tolerance, self.passes, self.steps, self.unique())

    def unique(self):
        """True if the penalty, and a row of zero residual the intercept, leave no other optimum; else None."""
        room = np.minimum(self.psi + self.left, self.right - self.psi) * (self.problem.weight > 0)
        pinned = not self.problem.intercept or room.max() > STRICT * (self.left + self.right)
        return curved(self.problem) if pinned else None

    def look(self, b, level, f, theta, u):
        """Certify a point, and keep it if it is the best so far."""
        objective, gap, scale = self.problem.certify(b, f, theta, u)
        if self.best is None or gap < self.gap:
            self.gap, self.best = gap, (b, level, objective, gap, *shrunk(scale, theta, u))
        return objective

    def finish(self, answer):
        """Newton's method where the penalty is smooth, the rows inside having no residual: exact if they are the ones.

        Unknown are b on the support, the intercept and theta on those rows; elsewhere both stay at their ends.
        """
        problem, w = self.problem, self.problem.weight
        on = np.flatnonzero((answer.b != 0) & (answer.b > problem.lower) & (answer.b < problem.upper))
        k, q = len(on), int(problem.intercept)
        room = np.minimum(self.psi + self.left, self.right - self.psi) * self.inside
        Z = np.sort(np.argsort(-room, kind="stable")[: min(k + q, np.count_nonzero(self.inside))])
        m = len(Z)
        if m == 0 or m + q + k * (not problem.penalty.separable()) > LARGEST:
            return
        theta = w * np.where(self.psi > (self.right - self.left) / 2, self.right, -self.left)
        theta[Z] = (w * self.psi)[Z]
        X = problem.columns.rows(Z)[:, on]
        b, level = answer.b.copy(), answer.intercept
        f, u = problem.columns.predict(b) + level, problem.columns.sweep(theta)
        for _step in range(STEPS):
            slope, H = expand(problem, b, on)
            try:
                db, dc, t = newton(H, X, problem.intercept, u[on] - slope, theta.sum(), (problem.y - f)[Z])
            except np.linalg.LinAlgError:
                return
            b[on] = np.clip(b[on] + db, problem.lower[on], problem.upper[on])
            level += dc
            theta[Z] -= t
            f, u = problem.columns.predict(b) + level, problem.columns.sweep(theta)
        self.passes += 2 * STEPS + 1
        if np.isfinite(f).all():
            theta = np.clip(theta, -self.left * w, self.right * w)
            self.look(b, level, f, theta, problem.columns.sweep(theta))
