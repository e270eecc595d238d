"""Lines on either side of y (absolute, pinball) with a penalty on groups: proximal steps of the dual point.

    minimise  sum_i w_i l(r_i) + pen(b),   l(r) = max_u u r over -left <= u <= right

Near a point psi of the box, the envelope max_u u r - gam (u - psi)^2 / 2 stands in for l: up to a constant a smooth
loss of y + gam psi, with which `grouped` knows what to do. Its slopes are the next psi. That is the method of
multipliers on the residuals (Rockafellar, 1976), which converges for every gam > 0, all the faster the smaller it is;
the rows inside their box become those of zero residual, and the Newton steps of a round few. Every psi is feasible
but for what the inner solve left of X'(w psi), and so each round is certified.
"""

from dataclasses import replace

import numpy as np

from l1l2fast import grouped
from l1l2fast._losses import Envelope
from l1l2fast.result import Answer, Status, shrunk
from l1l2fast.squared import curved

# The first smoothing, in residuals of the null model; what a round leaves of it, and what of it is the least.
WIDE, SHRINK, LEAST = 0.3, 0.3, 1e-5
# The gap asked of an inner solve, relative to that of the round before, but not below that part of what is asked for.
INNER, SHARP = 0.05, 0.2
# Newton steps of the finish, and the largest matrix that it may solve with.
STEPS, LARGEST = 4, 1500
# So many rounds in a row that leave more than this part of the gap are the last.
SLOW, FALLING = 6, 0.8


def suits(problem):
    """Are there lines, and a penalty that is no sum over coefficients?"""
    return problem.loss.slopes() is not None and not problem.penalty.separable()


def solve(problem):
    """Minimise; returns an Answer."""
    rounds, answer = Rounds(problem), None
    if rounds.null == 0:
        answer = rounds.nothing()
    elif not problem.started and grouped.wide(problem):
        answer = rounds.turned()
    while answer is None:
        answer = rounds.certified(rounds.step())
    return answer


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
        answer = grouped.solve(replace(problem, loss=loss, tol=tol, callback=None, **given))
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
        return Answer(*self.best, status, self.tolerance, self.passes, self.steps, curved(self.problem))

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
        problem, w, layout = self.problem, self.problem.weight, self.problem.sums.layout
        on = np.flatnonzero((answer.b != 0) & (layout.level[layout.of] < np.inf))
        k, q = len(on), int(problem.intercept)
        room = np.minimum(self.psi + self.left, self.right - self.psi) * self.inside
        Z = np.sort(np.argsort(-room, kind="stable")[: min(k + q, np.count_nonzero(self.inside))])
        m = len(Z)
        if m == 0 or k + q + m > LARGEST:
            return
        theta = w * np.where(self.psi > (self.right - self.left) / 2, self.right, -self.left)
        theta[Z] = (w * self.psi)[Z]
        X = problem.columns.rows(Z)[:, on]
        b, level = answer.b.copy(), answer.intercept
        K = np.zeros((k + q + m, k + q + m))
        K[k + q :, :k], K[:k, k + q :] = X, X.T
        K[k + q :, k : k + q], K[k : k + q, k + q :] = 1.0, 1.0
        f, u = problem.columns.predict(b) + level, problem.columns.sweep(theta)
        for _step in range(STEPS):
            slope, K[:k, :k] = layout.expand(b, on)
            try:
                step = np.linalg.solve(K, np.r_[u[on] - slope, [theta.sum()] * q, (problem.y - f)[Z]])
            except np.linalg.LinAlgError:
                return
            b[on] += step[:k]
            level += float(step[k : k + q].sum())
            theta[Z] -= step[k + q :]
            f, u = problem.columns.predict(b) + level, problem.columns.sweep(theta)
        self.passes += 2 * STEPS + 1
        if np.isfinite(f).all():
            theta = np.clip(theta, -self.left * w, self.right * w)
            self.look(b, level, f, theta, problem.columns.sweep(theta))
