"""Penalties on groups of columns, for losses with a curvature: a working set of groups and a parabola at a time.

    minimise  sum_i w_i l(y_i, f_i) + sum_g (thin_g |b_g|_1 + level_g |b_g|_2),   f = o + c + X~b

The frame is that of `smooth`: identify the groups that matter, since g stays zero as long as
|soft(x~_g'theta, thin_g)| <= level_g; solve the parabola of the loss on them (`turning`); go back to the data;
certify. The squared loss is its own parabola, whose Gram matrix is kept.
"""

from dataclasses import replace

import numpy as np

from l1l2fast._dense import DenseF
from l1l2fast._model import dual_point
from l1l2fast._weigh import gram_and_sums
from l1l2fast.augmented import Multipliers
from l1l2fast.group import Group
from l1l2fast.judged import FAR, MOVES, Judge, Point
from l1l2fast.normal import gram_of_rows
from l1l2fast.parabola import Model
from l1l2fast.smooth import FEW, MANY, first_slope, refresh
from l1l2fast.turning import Turning
from l1l2fast.working_set import SMALL, GramSet, WorkingSet

# Columns that may come in at a time, if the support is smaller; a set is emptied of zeros when it is SPARE times
# as large as the support, and ROOM more.
ROOM, SPARE = 200, 1.5
# With more columns than rows, what Newton steps on the columns may cost, in steps of the method for few rows.
RENT = 20
# Directions of the rows that are left out for a start, relative to the largest square.
FLAT = 1e-12
# What the last step on a parabola may fall by, relative to the gap that is asked of it.
SHARP = 1e-2
# So many rounds in a row that leave more than this part of the gap are the last.
SLOW, FALLING = 5, 0.9
# How far the derivative at the end of a step may have risen above zero, relative to that at its beginning;
# the fall that is enough, relative to what a line would fall by; and rounding, relative to the objective.
RISE, FALL, ROUNDING = 0.3, 0.2, 1e-15


def suits(problem):
    """Is the penalty one on groups, and has the loss a curvature?"""
    return not problem.penalty.separable() and problem.loss.derivatives(1.0, 1.0)[1] > 0


def solve(problem):
    """Minimise; returns an Answer."""
    working = GramSet(problem) if problem.loss.quadratic() else WorkingSet(problem)
    judge, model = GroupJudge(problem), GroupModel(problem, working)
    point = first_point(problem, judge, model)
    while True:
        answer = judge(point, model)
        if answer is not None:
            return answer
        left = choose(problem, working, point)
        b, f = descend(model, point, left, judge)
        judge.stricter *= SHARP if not left else 1.0
        point = refresh(problem, 1.0, b, f)
        judge.passes += 1


def first_point(problem, judge, model):
    """Zero, or the warm start."""
    c, f, theta = judge.at_zero
    if problem.start.any():
        return refresh(problem, 1.0, problem.start, f)
    if wide(problem):
        judge.passes += 3  # the Gram matrix, the way back, and what refresh reads
        b, answer = turned(problem, solve)
        model.epochs += answer.n_iter
        return refresh(problem, 1.0, b, f)
    return Point(1.0, problem.start, c, f, theta, first_slope(problem, theta))


def wide(problem):
    """Is this the norm of more coefficients than there are rows, many enough to care?"""
    layout = problem.sums.layout
    norm = len(layout.level) == 1 and layout.thin[0] == 0 and 0 < layout.level[0] < np.inf
    return norm and problem.columns.p > max(SMALL, problem.columns.n)


def turned(problem, method):
    """b and the answer of the same problem in the coordinates of the rows: X~ = Z V', and |Vz| = |z|."""
    X, layout = problem.columns, problem.sums.layout
    live = problem.sums.movable()
    square, U = np.linalg.eigh(gram_of_rows(problem, live, np.ones(len(live)), np.ones(X.n)))
    kept = square > FLAT * square[-1]
    size, U = np.sqrt(square[kept]), U[:, kept]
    Z, r = DenseF(np.asfortranarray(U * size)), len(size)
    free = {"lower": np.full(r, -np.inf), "upper": np.full(r, np.inf), "start": np.zeros(r), "bounded": False}
    y = problem.y - problem.weight @ problem.y if problem.intercept else problem.y
    square, slope = problem.weight @ (U * size) ** 2, Z.sweep(problem.weight * y)
    strength = Group(layout.level[0] / np.sqrt(r) if r else 0.0)
    rest = {"penalty": strength, "factor": np.ones(r), "square": square, "slope": slope, "callback": None}
    answer = method(replace(problem, columns=Z, started=False, tol=SHARP * problem.tol, **free, **rest))
    b = X.sweep(U @ (answer.b / size))
    b[np.setdiff1d(np.arange(X.p), live)] = 0.0
    return b, answer


def choose(problem, working, point):
    """Let the groups in that matter; returns whether some were left out."""
    layout = problem.sums.layout
    movable = (problem.square > 0) & (problem.lower < problem.upper)
    if problem.columns.p <= SMALL:
        working.extend(by_group(layout, working.outside(movable)))
        return False
    active = np.count_nonzero(point.b)
    used = (layout.level == 0) & (layout.thin == 0)
    used[layout.of[point.b != 0]] = True
    if len(working) > SPARE * active + ROOM:
        working.drop(used[layout.of])
    size = problem.sums.slopes(point.g)
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = np.where(size > layout.level, size / layout.level, 0.0)
    new = np.argsort(-excess, kind="stable")[: np.count_nonzero(excess)]
    sizes = layout.sizes[new]
    taken = new[np.cumsum(sizes) - sizes < max(ROOM, active)]
    used[taken] = True
    working.extend(by_group(layout, working.outside(used[layout.of] & movable)))
    return len(taken) < len(new)


def by_group(layout, columns):
    """The columns sorted so that those of a group are neighbours."""
    return columns[np.argsort(layout.of[columns], kind="stable")]


def descend(model, point, left, judge):
    """Steps on the columns at work; returns b and f."""
    b, f, enough = point.b, point.f, judge.loosely(1.0, left)
    if model.problem.loss.quadratic():
        enough = judge.loosened(judge.gap if left else judge.enough())
        return model.minimum(point, SHARP * enough), f
    for _ in range(FEW if left else MANY):
        db, df = model.direction(model.working.which, b, f, 1.0, SHARP * enough, False)
        t, expected = search(model, b, f, db, df)
        if t == 0:
            break  # rounding
        model.learn(f, df, t)
        b, f = b + t * db, f + t * df
        model.last = db, df
        if expected <= judge.enough():
            break
        enough = min(enough, judge.loosened(expected))
    return b, f


def search(model, b, f, db, df):
    """The step to take, 0 if none descends, and by how much a line would fall along all of it.

    The whole step is taken if it ends no higher than it began and hardly uphill; else t is near the minimum.
    """
    sums, layout, theta = model.problem.sums, model.problem.sums.layout, np.empty(len(f))
    start, now = dual_point(sums, f, theta), layout.penalty(b)
    first = layout.penalty(b + db) - now - theta @ df
    low, high, t = 0.0, 1.0, 1.0
    rounding = ROUNDING * (start + now + np.abs(theta) @ np.abs(df))
    for _halving in range(50):
        rise = dual_point(sums, f + t * df, theta) - start + layout.penalty(b + t * db) - now
        slope = layout.slope(b + t * db, db) - theta @ df
        enough = abs(slope) <= max(RISE * abs(first), rounding) or slope <= 0 and t == 1
        if rise <= rounding and (enough or rise <= FALL * t * first):  # at a kink, the slope need not vanish
            return t, -first
        if rise > rounding or slope > 0:
            high = t
        else:
            low = t
        t = (low + high) / 2
    return 0.0, -first


class GroupModel(Model):
    """The parabola on the columns at work, by their Gram matrix."""

    def __init__(self, problem, working):
        super().__init__(problem)
        self.working = working

    def small(self):
        """The small problem of the columns at work, whose groups are neighbours."""
        layout = self.problem.sums.layout
        of = layout.of[self.working.which]
        begin = np.flatnonzero(np.diff(of, prepend=-1, append=-1))
        groups = of[begin[:-1]]
        return Turning(begin, layout.thin[groups], layout.level[groups])

    def minimum(self, point, enough):
        """b at the minimum of the squared loss."""
        which, root = self.working.which, self.working.root
        x = point.b[which]
        if len(which):
            self.settle(self.working.G, point.g[which], x, enough, lambda: self.problem.columns.part(which, root))
        return self.working.spread(x)

    def settle(self, G, q, x, enough, rows):
        """Bring x to the minimum; `rows` makes Z', G = Z'Z, of which there may be fewer than columns."""
        small, k, n = self.small(), len(x), self.problem.columns.n
        budget = RENT * n * n * k if k > max(SMALL, n) else np.inf
        if not small.minimise(G, q, x, enough, budget):
            before = x.copy()
            many = Multipliers(small, rows(), q + G[:k, :k] @ x)
            x[:] = many.minimise(x, enough)
            q -= G[:k, :k] @ (x - before)
            small.minimise(G, q, x, enough, budget)
            self.epochs += many.steps
        self.epochs += small.passes

    def gram_pays(self, k):
        """The steps are taken in Gram form."""
        return True

    def by_gram(self, which, inside, strength, b, v, lift, loss, enough, rank):
        """b with the columns `which` at the minimum; v is h times the residual."""
        G = np.empty((len(which), len(which)))
        first, slope = gram_and_sums(self.problem.columns, which, self.h, v, G)
        if self.problem.intercept:
            all_h = self.h.sum()
            slope = slope - first * (v.sum() / all_h)
            G -= np.outer(first, first / all_h)
        new, x = b.copy(), b[which]
        self.settle(G, slope, x, enough, lambda: self.rows(which, first))
        new[which] = x
        return new

    def rows(self, which, first):
        """The columns `which`, centred and weighted by h, where that is not zero."""
        W, on, root = self.problem.columns.part(which, np.ones(len(self.h))), self.h > 0, np.sqrt(self.h)
        if self.problem.intercept:
            W -= (first / self.h.sum())[:, None]
        return np.ascontiguousarray((W * root)[:, on])


class GroupJudge(Judge):
    """Knows what groups cost far out, and gives up where the gap hardly falls any more."""

    def __init__(self, problem):
        super().__init__(problem)
        self.slow = 0

    def __call__(self, point, model):
        """An Answer if this is the end."""
        before = self.gap
        answer = super().__call__(point, model)
        self.slow = 0 if self.gap < FALLING * before else self.slow + 1
        if self.slow > SLOW:
            self.rounds = self.problem.max_iter  # one more
        return answer

    def endless(self, point, model):
        """Does the last step go on falling?"""
        if model.last is None or np.abs(model.last[1]).max() <= MOVES:
            return False
        db, df = model.last
        sums, theta = self.problem.sums, np.empty(len(df))
        if sums.layout.penalty(db) > 0:  # it grows for ever, and the loss falls no lower than 0
            return False
        return dual_point(sums, point.f + FAR * df, theta) < dual_point(sums, point.f, theta)
