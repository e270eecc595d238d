"""Penalties that are not convex: a stationary point, from the convex relaxation on, and a bound on what is possible.

    minimise  1/2 |y - X~b|_w^2 + sum_j factor_j pen(b_j),   lower <= b <= upper

Start at the lasso whose thresholds are those of pen. Then coordinate descent on a working set with its Gram matrix,
each move to the best value of its coefficient; Newton steps with pen'' on the support, where Cholesky's
factorisation tells whether this is a minimum (and if not, the way down). A penalty that jumps (L0, Lq) leaves many
such points, of which exchanges of one column for another find better ones (`exchange`).
Other losses: `linearised`. Nothing of that proves optimality: `bounds` says what is left.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack

from l1l2fast import bounds, linearised
from l1l2fast._nonconvex import descend, moves, residuals, tangents
from l1l2fast.exchange import better, eliminated
from l1l2fast.penalties import L1
from l1l2fast.result import Answer, Status
from l1l2fast.working_set import SMALL, GramSet

# The lasso to start from need not be better than this.
LOOSE = 1e-2
# Columns that may come in at a time, if the support is smaller.
ROOM = 200
# Passes between two Newton steps, and rounds of both on one working set.
PASSES, ROUNDS = 25, 100
# A pass that moves b by this part of y has come to rest; what lowers the objective by less is rounding.
REST, CLEAR = 1e-28, 1e-12
# While more columns ask to come in than this part of the support, this is rest enough.
FEW, ROUGH = 0.1, 1e-6
# A pass that moves b by the square of this part of tol is rest enough at first, STRICTER times as much in each round.
CLOSE, STRICTER = 0.1, 0.01
# And while the objective falls by this part from round to round.
FALLING = 1e-3
# Columns come in that would move if their slopes were this many times as steep: some of them soon are.
AHEAD = 1.2
# Curvature that is less than this part of the largest is none.
FLAT = 1e-10
# Lengths of a step that are tried.
STEPS = 1.0, 0.5, 0.2, 0.05, 0.01
# The lasso that lets many columns in, relative to the thresholds of pen.
WEAK = 0.2


class Point(NamedTuple):
    """Coefficients with r = y - X~b, theta = w r, g = X~'theta and the objective."""

    b: np.ndarray
    r: np.ndarray
    theta: np.ndarray
    g: np.ndarray
    energy: float
    objective: float


def solve(problem, convex):
    """A stationary point; `convex` solves problems with an L1 penalty. Returns an Answer."""
    if not problem.loss.quadratic():
        return linearised.solve(problem, convex)
    judge = Judge(problem)
    point = best_of(problem, judge, convex)
    if judge.status is Status.STATIONARY and jumps(problem):
        point = improve(problem, judge, point)
    lower, theta, u = bounds.lower_bound(problem, point, convex)
    gap = max(point.objective - lower, 0.0)
    ends = judge.status, judge.tolerance, judge.passes, judge.epochs, None, judge.far
    return Answer(point.b, 0.0, point.objective, gap, theta, u, *ends)


def box(problem, which=slice(None)):
    """What a move of these columns has to know."""
    return problem.factor[which], problem.lower[which], problem.upper[which]


def jumps(problem):
    """Does a coefficient leave zero by a jump?"""
    square = problem.square[problem.square > 0]
    if len(square) == 0:
        return False
    edge = problem.penalty.threshold(1 / np.median(square))
    return problem.penalty.apply_prox(1.001 * edge, 1 / np.median(square)) > 0.1 * edge


def best_of(problem, judge, convex):
    """The best point that descent reaches from a warm start, or else from the relaxation and what `starts` adds."""
    given = problem.start if problem.started and problem.start.any() else None
    if given is not None and not problem.bounded:
        return settle(problem, judge, given)
    best = None
    for b in starts(problem, judge, convex):
        point = settle(problem, judge, b)
        if best is None or point.objective < best[0].objective:
            best = point, judge.status, judge.far
        if judge.status is not Status.STATIONARY:
            break
    point, judge.status, judge.far = best
    return point


def starts(problem, judge, convex):
    """The relaxation; where coefficients jump, also from below, zero, and from above, leaving columns out."""
    yield relaxed(problem, judge, convex, 1.0)
    if not jumps(problem):
        return
    yield problem.start
    weak = relaxed(problem, judge, convex, WEAK)
    yield weak
    live, most = problem.sums.movable(), min(SMALL, (problem.columns.n - 1) // 2)
    if len(live) <= SMALL and len(live) < problem.columns.n:
        yield eliminated(problem, live)
    elif 0 < np.count_nonzero(weak) <= most:
        yield eliminated(problem, np.flatnonzero(weak))


def relaxed(problem, judge, convex, strength):
    """The lasso with the thresholds of pen, at which a column alone would leave zero, times `strength`."""
    square, factor = problem.square, np.zeros(problem.columns.p)
    held = np.flatnonzero((square > 0) & (problem.factor > 0))
    step = problem.factor[held] / square[held]
    if len(held) and step.min() == step.max():
        factor[held] = problem.penalty.threshold(step[0]) * square[held]
    else:
        factor[held] = [problem.penalty.threshold(one) for one in step] * square[held]
    answer = convex(dataclasses.replace(problem, penalty=L1(strength), factor=factor, tol=LOOSE, callback=None))
    judge.passes += answer.n_passes
    judge.epochs += answer.n_iter
    return answer.b


def refresh(problem, b):
    """The point at b, with a fresh residual: the support is read, then X once."""
    r, theta, g, energy = problem.columns.fresh(problem.y, problem.weight, b, problem.intercept)
    return Point(b, r, theta, g, energy, energy / 2 + tangents(problem.penalty, b, problem.factor)[0])


def settle(problem, judge, b):
    """From b downhill until no column asks to move."""
    working, before = GramSet(problem), np.inf
    b = np.clip(b, problem.lower, problem.upper)  # columns that were left out may not be zero
    # falls go with the square of the slopes of which tol is a part
    rest, clear = max(REST, min(ROUGH, (CLOSE * problem.tol) ** 2)), max(CLEAR, problem.tol**2) * judge.null
    while True:
        point = refresh(problem, b)
        judge.passes += 1
        new, fall = moves(problem.penalty, b, point.g, problem.square, *box(problem))
        fall[fall <= clear] = 0.0
        if judge(point, bool(fall.any()), before - point.objective <= 1e-15 * judge.null):
            return point
        keep = b != 0
        rough = np.count_nonzero(fall[~keep]) > FEW * np.count_nonzero(keep)
        _, fall = moves(problem.penalty, b, AHEAD * point.g, problem.square, *box(problem))
        asking = np.flatnonzero(~keep & (fall > 0))
        room = max(ROOM, np.count_nonzero(keep))
        keep[asking[np.argsort(-fall[asking], kind="stable")[:room]]] = True
        working.extend(working.outside(keep))
        rough = rough or before - point.objective > FALLING * point.objective
        before = point.objective
        b = working.spread(small(problem, working, point, judge, ROUGH if rough else rest))
        rest = rest if rough else max(REST, STRICTER * rest)


def small(problem, working, point, judge, rest):
    """b on the working set where neither a move nor a Newton step helps; `rest` is the move that counts as none."""
    which = working.which
    b, q, sides = point.b[which], point.g[which], box(problem, which)
    for _ in range(ROUNDS):
        epochs, moved = descend(problem.penalty, working.G, q, b, *sides, rest * problem.energy, PASSES)
        judge.epochs += epochs
        if rest > REST and moved <= rest * problem.energy:
            break
        if not newton(problem.penalty, working.G, q, b, *sides) and moved <= rest * problem.energy:
            break
    return b


def newton(penalty, G, q, b, factor, lower, upper):
    """A step on the support, b and q brought up to date; returns whether it went downhill."""
    on = np.flatnonzero((lower < b) & (b < upper) & ((b != 0) | (factor == 0)))
    if len(on) == 0:
        return False
    sides = factor[on], lower[on], upper[on]
    value, first, second = tangents(penalty, b[on], sides[0])
    slope = q[on] - first
    H = G[on[:, None], on]
    step, curved = direction(H, slope, second, b[on])
    if step is None:
        return False
    for t in STEPS:
        new = np.clip(b[on] + t * step, sides[1], sides[2])
        new[(new * b[on] < 0) & (sides[0] > 0)] = 0.0
        d = new - b[on]
        change = d @ (H @ d) / 2 - d @ q[on] + tangents(penalty, new, sides[0])[0] - value
        # near the minimum a whole step is as good as rounding lets one see
        if change < 0 or curved and t == 1 and change <= 1e-14 * abs(d @ q[on]):
            b[on] = new
            q -= d @ G[on, : len(q)]
            return change < -1e-14 * abs(d @ q[on])
    return False


def direction(H, slope, second, b):
    """Newton's step, and True; or where the curvature is negative a way down that is as long as b, and False."""
    H = H + np.diag(second)
    L, k = lapack.dpotrf(H, lower=1)
    if k == 0:
        return lapack.dpotrs(L, slope, lower=1)[0], True
    # where the factorisation stops, the first k columns have a direction whose curvature is that pivot
    down, k = np.zeros(len(b)), k - 1
    down[k] = 1.0
    if k > 0:
        down[:k] = -lapack.dpotrs(L[:k, :k], H[:k, k], lower=1)[0]
    if H[k, : k + 1] @ down[: k + 1] < -FLAT * np.abs(H.diagonal()).max():
        down *= (np.abs(b).max() / np.abs(down).max()) * (1.0 if down @ slope >= 0 else -1.0)
        return down, False
    values, vectors = np.linalg.eigh(H)
    kept = values > FLAT * values[-1]
    V = vectors[:, kept]
    return V @ ((V.T @ slope) / values[kept]), True


def improve(problem, judge, point):
    """While a neighbouring support is better: go there and settle."""
    while judge.rounds < problem.max_iter and judge.status is Status.STATIONARY:
        b = better(problem, point, newton, CLEAR * judge.null)
        if b is None:
            break
        kept = judge.status, judge.far
        other = settle(problem, judge, b)
        if not other.objective < point.objective - CLEAR * judge.null:
            judge.status, judge.far = kept
            break
        point = other
    return point


class Judge:
    """Says how far a point is from stationary, on the scale of X, and when to stop."""

    def __init__(self, problem):
        self.problem = problem
        self.null = problem.energy / 2
        steepest = np.abs(problem.slope / problem.columns.scale).max(initial=0.0)
        self.tolerance = problem.tol * steepest + bounds.rounding(problem, problem.y_size)
        self.passes, self.epochs, self.rounds = 1, 0, 0
        self.status, self.far = None, np.inf

    def __call__(self, point, asked, still):
        """Is this the end? `asked` says that a coefficient would move, `still` that the last round did nothing."""
        problem = self.problem
        far = residuals(problem.penalty, point.b, point.g, *box(problem)) / problem.columns.scale
        self.far = float(far.max(initial=0.0))
        told = problem.verdict(self.rounds, point.objective, self.far, -1.0, self.passes)
        self.rounds += 1
        if self.far <= self.tolerance and (not asked or still):
            told = Status.STATIONARY
        elif told is None and still:
            told = Status.MAX_ITER  # this is what the arithmetic gives
        self.status = told
        return told is not None
