"""Smooth losses (Huber, logistic): a penalised parabola at a time, on a working set.

    minimise  sum_i w_i l(y_i, f_i) + sum_j factor_j pen(b_j),   f = o + c + X~b,   lower <= b <= upper

Around the present f, the loss is a parabola with slopes -v and curvatures h, so that its minimum is a
weighted lasso, ridge, ...: the engine of the squared loss solves it (Lee, Sun and Saunders, 2014,
"proximal Newton"), and a line search makes sure of the descent. Columns are centred with the weights h,
which takes the intercept out of the parabola; then the four steps are those of `squared`: identify the
columns that matter on the way down the penalty, solve small, go back to the data, certify, with
theta = -w l'(f), whose sum is brought to zero by the intercept.
"""

from dataclasses import replace

import numpy as np

from l1l2fast._cd import slopes
from l1l2fast._dense import DenseC
from l1l2fast._model import dual_point, level, search
from l1l2fast._narrow import spread_rows
from l1l2fast.judged import AHEAD, Judge, Point, Trail
from l1l2fast.parabola import kinks, model_of
from l1l2fast.problem import EPS
from l1l2fast.result import Status
from l1l2fast.working_set import SMALL, WorkingSet

# Part of the penalty's strength that a round keeps on the way down.
DOWN = 0.4
# Columns that may come in at a time, if the support is smaller; a set is emptied of zeros when it is SPARE times
# as large as the support, and ROOM more.
ROOM, SPARE = 200, 1.5
# Columns of a dense X whose slopes are below this part of their kinks are not read on the way down: the next strength
# is no lower than that.
NEARLY = DOWN
# Steps in one round: while columns are missing, and then.
FEW, MANY = 2, 30
# A round ends when a step falls by less than this part of its first one, columns being missing.
FADING = 0.1
# What each further round at full strength, with no column missing, leaves of that: gaps fall with its root.
STRICTER = 0.01
# With TALL rows for each of few columns, PART of the rows are fitted first, up to a gap of ROUGH.
TALL, PART, ROUGH = 400, 0.1, 1e-4


class Candidates(WorkingSet):
    """A working set that knows which columns may move, and which of them no penalty holds at zero."""

    def __init__(self, problem):
        super().__init__(problem)
        kink = kinks(problem)
        self.movable = (problem.lower < problem.upper) & (problem.square > 0)
        self.kink, self.free = kink, kink == 0
        self.kinked = not self.free.all()
        X = problem.columns
        apart = not X.sparse and not X.owner.flags.c_contiguous  # sparse columns of many entries come from far
        self.picks = apart and X.p > SMALL and self.kinked and problem.callback is None

    def near(self, point, strength):
        """The columns whose slopes the next round wants: on the way, those at work or not far from their kinks."""
        if strength == 1 or not self.picks:
            return None
        near = np.abs(point.g) >= NEARLY * strength * self.kink
        near[self.which] = True
        return np.flatnonzero(near)


def suits(problem):
    """Has the loss a curvature, and the penalty a dual?"""
    return problem.loss.derivatives(1.0, 1.0)[1] > 0 and problem.penalty.convex()


def solve(problem):
    """Minimise; returns an Answer."""
    judge, working, trail, before = Judge(problem), Candidates(problem), problem.trail, None
    resumed = trail is not None and trail.fits(problem)
    if resumed:
        model, before, point = trail.resume(problem, judge)
    else:
        model = model_of(problem)
        if sampled(problem):
            problem = replace(problem, start=of_sample(problem))
            model.share = 0.0 if problem.start.any() else model.share  # near enough for Newton's steps
        point = first_point(problem, judge)
    first = point
    while True:
        answer = judge(point._replace(strength=1.0) if resumed else point, model)
        if answer is not None:
            unmoved = trail._replace(dual=judge.best[2]) if resumed else None
            return answer._replace(trail=unmoved or Trail.behind(first, judge, model))
        resumed, target = False, below(point.strength)
        left = choose(problem, working, before, point, target)
        b, f = descend(model, working.which, point, target, left, judge)
        judge.stricter *= STRICTER if target == 1 and not left else 1.0
        last = point.g, working.near(point, target)
        before, point = (point if target < point.strength else None), refresh(problem, target, b, f, *last)
        judge.passes += 1


def below(strength):
    """The next strength on the way down to 1, which is gone in steps that are about alike."""
    steps = round(np.log(strength) / -np.log(DOWN))
    return strength ** (1 - 1 / steps) if steps > 1 else 1.0


def first_point(problem, judge):
    """Where the way begins: at zero, or at the warm start, with the strength that holds it there."""
    X, b, (c, f, theta) = problem.columns, problem.start, judge.at_zero
    if b.any():
        return refresh(problem, 1.0, b, f)
    g = first_slope(problem, theta)
    strength = 1.0
    if X.p > SMALL:
        kink = kinks(problem)
        held = (kink > 0) & (problem.lower < problem.upper)
        strength = max(1.0, float((np.abs(g[held]) / kink[held]).max(initial=0.0)))
    return Point(strength, b, c, f, theta, g, judge.null)


def sampled(problem):
    """Do some of the rows lead to the fit of all?"""
    n, p = problem.columns.n, problem.columns.p
    return not problem.started and not problem.columns.sparse and 0 < p <= SMALL and n >= TALL * p


def of_sample(problem):
    """The fit to a part of the rows, which is near enough to save most of the steps over all of them."""
    n = problem.columns.n
    rows = spread_rows(n, int(PART * n))
    w, y, X = problem.weight[rows], problem.y[rows], problem.columns.rows(rows)
    if not w.sum() > 0:
        return problem.start
    w /= w.sum()
    offset = None if problem.offset is None else problem.offset[rows]
    square, slope = w @ (X * X), (w * (y - problem.intercept * (w @ y))) @ X
    changes = {"columns": DenseC(X), "y": y, "weight": w, "offset": offset, "square": square, "slope": slope}
    answer = solve(replace(problem, **changes, energy=w @ (y * y), tol=ROUGH, callback=None, started=True))
    return answer.b if answer.status is Status.CONVERGED else problem.start


def first_slope(problem, theta):
    """X~'theta: no pass over X if theta is a multiple of the residuals of squares, whose slope is known."""
    y, w = problem.y, problem.weight
    like = w * (y - w @ y) if problem.intercept else w * y
    top = np.abs(like).argmax()
    ratio = theta[top] / like[top] if like[top] != 0 else 0.0
    if ratio > 0 and np.abs(theta - ratio * like).max() <= 8 * EPS * np.abs(theta).max():
        return ratio * problem.slope
    return problem.columns.sweep(theta)


def refresh(problem, strength, b, f, known=None, which=None):
    """The point at b, near the prediction f: the support is read, the intercept made exact, then X once.

    Of X, the columns `which` if they are given; the slopes of the others stay as they are known.
    """
    f, near = problem.columns.predict(b), f
    if problem.offset is not None:
        f += problem.offset
    c = 0.0
    if problem.intercept:
        c = float(problem.weight @ (near - f))
        f += c
        c += level(problem.sums, f)
    theta = np.empty(len(f))
    loss = dual_point(problem.sums, f, theta)
    if which is None:
        g = problem.columns.sweep(theta)
    else:
        g = known.copy()
        g[which] = slopes(problem.columns, which, theta)
    return Point(strength, b, c, f, theta, g, loss, which)


def choose(problem, working, before, point, strength):
    """Let the columns in that matter at this strength; returns whether some were left out."""
    if problem.columns.p <= SMALL or not working.kinked:
        working.extend(working.outside(working.movable))
        return False
    active = np.count_nonzero(point.b)
    room = problem.columns.p if problem.columns.sparse else max(ROOM, active)
    wanted = working.wanted(before, point, strength, room)
    if point.read is not None:
        read = np.zeros(len(wanted), dtype=bool)
        read[point.read] = True
        wanted &= read
    new = np.count_nonzero(wanted) - np.count_nonzero(wanted[working.which])
    wanted |= point.b != 0
    wanted |= working.free
    if len(working) > SPARE * active + ROOM:
        working.drop(wanted)
    wanted &= working.movable
    working.extend(working.outside(wanted))
    return new > active // 50


def descend(model, which, point, strength, left, judge):
    """Steps on the columns `which` at this strength; returns b and f."""
    b, f, first, before, enough = point.b, point.f, 0.0, 0.0, judge.loosely(strength, left)
    steps = 1 if strength > 1 else FEW if left else MANY
    for _ in range(steps):
        db, df = model.direction(which, b, f, strength, enough, left or strength > 1)
        t, fall, expected = search(model.problem.sums, f, df, b, db, which, strength, model.l, model.v)
        model.learn(f, df, t)
        model.trust(df, t, fall, expected)
        if not fall > 0 and t < 1:
            break  # rounding; a whole step is taken even so, since its slope at the end is smaller
        b, f = moved(b, t, db, which), f + t * df
        model.last = db, df
        first = max(first, fall)
        if expected <= judge.enough() or left and fall < FADING * first:
            break
        if model.share == 0 and expected**2 <= judge.enough() * before:
            break  # Newton's next step would be that small
        before = expected
        enough = min(enough, AHEAD * judge.loosened(expected))
    return b, f


def moved(b, t, db, which):
    """b + t db, db being zero outside of `which`."""
    b = b.copy()
    b[which] += t * db[which]
    return b
