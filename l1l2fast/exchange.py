"""A better support, where the penalty jumps (L0, Lq) and a coefficient alone has no way to it.

One column of the support leaves, another one comes in, or only one of the two, and the rest follows by an exact
refit: the local combinatorial search of Hazimeh and Mazumder (2020), with pairs refitted instead of fixed. All of that
on the Gram matrix of the support and the columns that stand next to it.
"""

import numpy as np
from scipy.linalg import lapack

from l1l2fast._nonconvex import tangents
from l1l2fast.working_set import SMALL, GramSet

# Columns beside the support that are looked at, and those that are tried in each place.
NEAREST, TRIED = 100, 8
# Members of the support that are tried, the least first; fewer where their refits cost more multiplications than WORK.
MEMBERS, WORK = 100, 1e9
# Part of a column's square that is added to it before columns are left out.
LIFT = 1e-10
# Newton steps of a refit.
STEPS = 8


def better(problem, point, newton, clear):
    """Coefficients of a neighbouring support with a lower objective, by more than `clear`; or None."""
    working = GramSet(problem)
    working.extend(nearby(problem, point))
    which = working.which
    trial = Trial(problem, working, point, newton)
    on = point.b[which] != 0
    free = ~((problem.lower[which] <= 0) & (problem.upper[which] >= 0) & (problem.factor[which] > 0))
    best, gain = None, clear
    members = [None, *leaving(problem, point, which, on & ~free)]
    for i in members:
        rest = on.copy()
        if i is not None:
            rest[i] = False
        without, q, value = trial(rest)
        if i is not None and trial.here - value > gain:
            best, gain = without, trial.here - value
        for j in trial.coming(rest, q, i):
            rest[j] = True
            other, _, value = trial(rest)
            rest[j] = False
            if trial.here - value > gain:
                best, gain = other, trial.here - value
    return None if best is None else working.spread(best)


def eliminated(problem, which):
    """Coefficients on the best of the supports that are left when the least of these columns goes, time and again."""
    working, best, b = GramSet(problem), np.zeros(problem.columns.p), problem.start
    working.extend(which)
    k, sides = len(which), (problem.factor[which], problem.lower[which], problem.upper[which])
    G, c, live = working.G[:k, :k], problem.slope[which], np.ones(k, dtype=bool)
    try:
        inverse = np.linalg.inv(G + np.diag(LIFT * G.diagonal()))
    except np.linalg.LinAlgError:
        return b
    least = np.inf
    for _ in range(k):
        solution = np.where(live, inverse @ (c * live), 0.0)
        b = np.clip(solution, sides[1], sides[2])
        value = b @ (G @ b) / 2 - c @ b + tangents(problem.penalty, b, sides[0])[0]
        if value < least:
            least, best = value, working.spread(b)
        spare = live & (sides[0] > 0)
        if not spare.any():
            break
        cost = np.where(spare, solution**2 / np.where(live, inverse.diagonal(), 1.0), np.inf)
        i = cost.argmin()  # without i, the inverse is that of the rest
        inverse -= np.outer(inverse[i], inverse[i] / inverse[i, i])
        live[i] = False
        inverse[i] = inverse[:, i] = 0.0
    return best


def nearby(problem, point):
    """The support and the columns beside it with the steepest slopes."""
    pull = np.divide(np.abs(point.g), np.sqrt(problem.square), out=np.zeros(len(point.g)), where=problem.square > 0)
    pull[problem.lower == problem.upper] = 0.0
    pull[point.b != 0] = np.inf
    room = max(SMALL, np.count_nonzero(point.b) + NEAREST)
    order = np.argsort(-pull, kind="stable")[:room]
    return np.sort(order[pull[order] > 0])


def leaving(problem, point, which, members):
    """Places in `which` of the members that matter least."""
    at = np.flatnonzero(members)
    size = np.abs(point.b[which[at]]) * np.sqrt(problem.square[which[at]])
    most = int(min(MEMBERS, WORK / (TRIED * max(len(at), 1) ** 3 / 3)))
    return at[np.argsort(size, kind="stable")[:most]]


class Trial:
    """Refits on given supports among the columns of a working set."""

    def __init__(self, problem, working, point, newton):
        self.newton, self.penalty, which = newton, problem.penalty, working.which
        k = len(which)
        self.G, b = working.G[:k, :k], point.b[which]
        self.c = point.g[which] + self.G @ b
        self.sides = problem.factor[which], problem.lower[which], problem.upper[which]
        self.here = self.value(b, point.g[which])

    def value(self, b, q):
        """The objective, up to a constant."""
        return tangents(self.penalty, b, self.sides[0])[0] - b @ (self.c + q) / 2

    def __call__(self, support):
        """b on this support, its slopes q and the objective."""
        on, b = np.flatnonzero(support), np.zeros(len(self.c))
        if len(on):
            _, x, info = lapack.dposv(self.G[on[:, None], on], self.c[on], lower=1)
            x = x if info == 0 else np.linalg.lstsq(self.G[on[:, None], on], self.c[on], rcond=None)[0]
            b[on] = np.clip(x, self.sides[1][on], self.sides[2][on])
        q = self.c - b[on] @ self.G[on]
        for _ in range(STEPS):
            if not self.newton(self.penalty, self.G, q, b, *self.sides):
                break
        return b, q, self.value(b, q)

    def coming(self, support, q, gone):
        """The columns off this support that would lower the loss most."""
        diagonal = self.G.diagonal()
        pull = np.divide(np.abs(q), np.sqrt(diagonal), out=np.zeros(len(q)), where=(diagonal > 0) & ~support)
        if gone is not None:
            pull[gone] = 0.0
        order = np.argsort(-pull, kind="stable")[:TRIED]
        return order[pull[order] > 0]
