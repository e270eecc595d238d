"""All optima of a fit: how far each coefficient can go without a higher objective.

Take one optimal point with its dual point theta, u = X~'theta, and q the weights. Another point is optimal exactly if
it goes with the same dual point (Rockafellar 1970, section 31): row by row and column by column,

    theta_i / q_i  is a subgradient of the loss at r_i       u_j  is a subgradient of h_j at b_j

which is a polyhedron in (b0, b). With the slopes -left and right of the loss:

    squared loss (any strictly convex one)      r_i as it is: the fit is unique, the coefficients need not be
    a smooth loss that is straight at r_i       left open: if the other rows do not prove it unique, nobody is told
    -left < theta_i / q_i < right               r_i = 0
    theta_i / q_i = right or -left              r_i >= 0, or r_i <= 0
    l2 v_j > 0                                  b_j as it is
    |u_j| < l1 v_j                              b_j = 0 (the rest is the lasso's equicorrelation set: Tibshirani 2013)
    u_j = l1 v_j or -l1 v_j                     b_j >= 0, or b_j <= 0
    beyond that                                 b_j at its bound

1. Columns that may move; equations of the rows that may not; N, the directions that meet them, q in number. Often
   q = 0, and that is the proof of uniqueness.
2. The inequalities in these q dimensions, and their vertices: `_extremes`.

Units are those of `problem`, with columns of length 1 and y of size 1.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.linalg import norm
from scipy.linalg import lapack

from l1l2fast import _validate
from l1l2fast._extremes import extremes
from l1l2fast._triangle import stack
from l1l2fast.problem import EPS

# A dual point is inside its bounds by this part of their distance; equations hold to it, relative to y.
STRICT, HOLDS = 1e-9, 1e-7
# What is rounding of a residual or of a coefficient, in units of y; and of a direction.
ZERO, ROUNDING = 1e-12, 1e-10
# More columns, or numbers in N, than this are not looked at.
MAX_COLUMNS, MAX_NUMBERS = 4000, 5e7
# Vertices to walk over, per column, at most.
PIVOTS = 100


@dataclass(frozen=True, slots=True, eq=False)
class SolutionSet:
    """All optima of a fit, as the box around them and a point among them.

    Attributes
    ----------
    unique : bool or None
        Whether there is one optimum only. None if that could not be decided, and then the rest is nan and None:
        no optimum was reached to rounding, more than 4000 columns are in question, or rows in the straight
        part of a smooth loss leave a direction open.
    dimension : int or None
        Dimension of the set of optimal (intercept, coef): 0 for a point, 1 for a segment, ...
    lower, upper : ndarray of shape (n_features,)
        Smallest and largest value of each coefficient among all optima; infinite where there is no end.
    intercept_lower, intercept_upper : float
        The same of the intercept.
    center : ndarray of shape (n_features,)
        Coefficients of an optimum inside of the set, off all of its ends: a mean of vertices.
    center_intercept : float
        Its intercept.
    """

    unique: bool | None
    dimension: int | None
    lower: np.ndarray
    upper: np.ndarray
    intercept_lower: float
    intercept_upper: float
    center: np.ndarray
    center_intercept: float

    def __repr__(self):
        if self.unique is None:
            return "SolutionSet(not decided)"
        if self.unique:
            return "SolutionSet(unique)"
        ends = [("intercept", self.intercept_lower, self.intercept_upper)]
        ends += [(f"coef[{j}]", low, high) for j, (low, high) in enumerate(zip(self.lower, self.upper))]
        ends = [f"{name} in [{low:.6g}, {high:.6g}]" for name, low, high in ends if low < high]
        more = [f"{len(ends) - SHOWN} more"] if len(ends) > SHOWN else []
        return f"SolutionSet(dimension {self.dimension}: {', '.join(ends[:SHOWN] + more)})"


SHOWN = 8  # intervals in a repr


def solution_set(result, again):
    """The SolutionSet of a Result; `again(problem)` solves once more where the answer is not exact enough."""
    problem = _validate.kept(result._problem, convex=True)
    if result.unique:
        return point(result)
    place = Place(problem, result.coef / problem.columns.scale, result.intercept, result._theta)
    if not place.exact():
        problem = dataclasses.replace(
            problem, tol=0.0, max_iter=max(problem.max_iter, 1000), callback=None, start=place.b, started=True
        )
        answer = again(problem)
        place = Place(problem, answer.b, problem.y_mean + answer.intercept - place.level(answer.b), answer.theta)
        if not place.exact():
            return undecided(result)
    return place.face(result)


def point(result):
    """The set of one optimum."""
    b, c = result.coef, result.intercept
    return SolutionSet(True, 0, b.copy(), b.copy(), c, c, b.copy(), c)


def undecided(result):
    """The answer that is none."""
    nan = np.full(len(result.coef), np.nan)
    return SolutionSet(None, None, nan, nan.copy(), np.nan, np.nan, nan.copy(), np.nan)


class Place:
    """An optimal point and its dual point, and where they let each row and each column go."""

    def __init__(self, problem, b, intercept, theta):
        self.problem, self.b, self.theta = problem, b, theta
        X = problem.columns
        self.live = problem.weight > 0
        self.root = np.sqrt(problem.square)
        self.root[self.root == 0] = 1.0
        self.u = X.sweep(theta)
        self.u[problem.square == 0] = 0.0
        self.size = problem.y_size or 1.0
        f = X.predict(b)
        self.c = intercept - problem.y_mean + self.level(b) if problem.intercept else 0.0
        self.r = problem.y - f - self.c
        self.settle()
        self.low, self.high = self.box()
        self.fixed, self.sign = self.rows()

    def level(self, b):
        """The fit at the means of the columns."""
        return float(self.problem.columns.mean @ (self.problem.columns.scale * b))

    def settle(self):
        """The intercept is known to the rounding of the means only; where rows fit exactly, they tell the rest."""
        X = self.problem.columns
        if not self.problem.intercept or self.problem.loss.slopes() is None:
            return
        noise = 64 * EPS * (abs(self.problem.y_mean) + np.abs(X.mean) @ np.abs(X.scale * self.b) + self.size)
        size = np.where(self.live, np.abs(self.r), np.inf)
        i = int(size.argmin())
        if size[i] <= noise:
            self.c += self.r[i]
            self.r = self.r - self.r[i]

    def box(self):
        """Where u lets each coefficient go."""
        problem, elastic = self.problem, self.problem.penalty.elastic()
        if elastic is None:  # a penalty with a curve of its own is taken to be strictly convex
            return self.b, self.b
        kink, b, u = elastic[0] * problem.factor, self.b, self.u
        w = problem.weight[self.live]
        length = np.sqrt((self.theta[self.live] ** 2 / w).sum())
        rounding = 8 * EPS * (16 + problem.columns.n**0.5) * max(length, self.noise())
        margin = STRICT * kink + rounding * self.root
        none = np.clip(0.0, problem.lower, problem.upper)
        low = np.where(u > kink + margin, problem.upper, np.where(u >= -kink - margin, none, problem.lower))
        high = np.where(u < -kink - margin, problem.lower, np.where(u <= kink + margin, none, problem.upper))
        low = np.where(u <= -kink + margin, problem.lower, low)
        high = np.where(u >= kink - margin, problem.upper, high)
        held = elastic[1] * problem.factor > 0
        low[held], high[held] = b[held], b[held]
        return low, high

    def noise(self):
        """What the dual point of a smooth loss is made of: y and its fit."""
        return np.sqrt(self.problem.energy) if self.problem.loss.slopes() is None else 0.0

    def rows(self):
        """Rows whose residual is fixed, and the sign it must have on the others (0 for any)."""
        slopes = self.problem.loss.slopes()
        if slopes is None:
            return self.live & ~self.flat(), np.zeros(len(self.r))
        psi = np.divide(self.theta, self.problem.weight, out=np.zeros(len(self.r)), where=self.live)
        margin = STRICT * sum(slopes)
        above, below = psi + slopes[0] > margin, slopes[1] - psi > margin
        return self.live & above & below, np.where(self.live, above.astype(float) - below, 0.0)

    def flat(self):
        """Rows where a smooth loss is a line, as Huber's far out: what such a row allows is left open."""
        loss, y = self.problem.loss, self.problem.y
        if loss.quadratic():
            return np.zeros(len(y), dtype=bool)
        return np.array([loss.derivatives(*at)[1] == 0 for at in zip(y.tolist(), (y - self.r).tolist())])

    def exact(self):
        """Are both conditions met to rounding?"""
        off = np.maximum(self.low - self.b, self.b - self.high) * self.root
        wrong = [off.max(initial=0.0)]
        if self.problem.loss.slopes() is not None:
            wrong += [np.abs(self.r[self.fixed]).max(initial=0.0), -(self.sign * self.r).min()]
        return max(wrong) <= HOLDS * self.size

    def face(self, result):
        """The set of all points that go with this dual point."""
        moving = np.flatnonzero(self.low < self.high)
        if len(moving) > MAX_COLUMNS:
            return undecided(result)
        return Face(self, moving).solution_set(result)


class Face:
    """The polyhedron: beta = (those coefficients, intercept), beta = N v and A v <= s, in the units above."""

    def __init__(self, place, moving):
        problem = place.problem
        self.place, self.moving, self.intercept = place, moving, problem.intercept
        self.scale = np.where(problem.square[moving] > 0, 1 / place.root[moving], 0.0)
        self.only = None  # the block, where one holds all rows
        # the least that is a direction, as for the methods that solve: see `least_squares` and `_vertex`
        X, smooth = problem.columns, problem.loss.slopes() is None
        self.N = null_space(self.triangle(), EPS * max(32, len(moving), X.n**0.5) if smooth else ZERO)

    def blocks(self):
        """Rows of [X~ 1] of these columns, of length 1, by and by: (where, rows)."""
        n, k = self.place.problem.columns.n, len(self.moving)
        rows = max(256, 2 * k, 100_000 // (k + 1))
        if n > rows:
            return (self.block(low, min(low + rows, n)) for low in range(0, n, rows))
        self.only = self.only or self.block(0, n)
        return [self.only]

    def block(self, low, high):
        """The rows low:high."""
        X, k = self.place.problem.columns, len(self.moving)
        ones, above = _validate.constant(1.0, X.n), np.empty((0, k + 1), order="F")
        block = stack(above, X, low, high, self.moving, self.scale, ones, ones)
        return slice(low, high), block[:, : k + self.intercept]

    def triangle(self):
        """R with the null space of the fixed rows."""
        k = len(self.moving) + self.intercept
        R = np.empty((0, k))
        for where, rows in self.blocks():
            rows = rows[self.place.fixed[where]]
            if len(rows):
                R = np.vstack([R, rows])
                R = np.linalg.qr(R, mode="r") if len(R) > 2 * k else R
        return R

    def inequalities(self):
        """A of rows of length 1, and s: of the rows that must keep their sign, and of the boxes."""
        place, N, k = self.place, self.N, len(self.moving)
        rows, room = [np.empty((0, N.shape[1]))], [np.empty(0)]

        def add(A, s, length):
            unit = lengths(A)
            kept = unit > ROUNDING * length
            rows.append(A[kept] / unit[kept, None])
            room.append(np.where(s > ZERO, s, 0.0)[kept] / unit[kept])

        if place.sign.any():
            for where, Z in self.blocks():
                loose = place.sign[where].nonzero()[0]
                sign, Z = place.sign[where][loose], Z[loose]
                add(sign[:, None] * (Z @ N), sign * place.r[where][loose] / place.size, lengths(Z))
        for sign, end in ((1.0, place.high), (-1.0, place.low)):
            room_j = sign * (end - place.b)[self.moving] * place.root[self.moving] / place.size
            ends = np.isfinite(room_j)
            if ends.any():
                add(sign * N[:k][ends], room_j[ends], 1.0)
        return np.vstack(rows), np.concatenate(room)

    def functions(self):
        """What v does to the coefficients and, last, to the intercept, on the scale of X."""
        place, k = self.place, len(self.moving)
        X = place.problem.columns
        C = (X.scale / place.root)[self.moving, None] * self.N[:k] * place.size
        level = X.mean[self.moving, None] * C
        last = place.size * self.N[k] - level.sum(axis=0) if self.intercept else np.zeros(self.N.shape[1])
        still = np.append(lengths(self.N[:k]) <= ROUNDING, norm(last) <= 1e-2 * ROUNDING * norm(level))
        return np.vstack([C, last]), still

    def solution_set(self, result):
        """Walk over the vertices."""
        if self.N.shape[1] == 0:
            return point(result)
        if not (self.place.fixed | (self.place.sign != 0))[self.place.live].all():
            return undecided(result)
        A, s = self.inequalities()
        C, still = self.functions()
        moves, going = np.zeros((3, len(C))), ~still
        if len(s) == 0:  # nothing but lines
            moves[:2, going] = [[-np.inf], [np.inf]]
            return self.answer(moves, self.N.shape[1])
        if (len(A) + len(C)) * A.shape[1] > MAX_NUMBERS:
            return undecided(result)
        C = C[going]
        unit = lengths(C)
        status, ends, centre, tight, _ = extremes(A, s, C / unit[:, None], PIVOTS * (C.size + 10))
        if status:
            return undecided(result)
        dimension = A.shape[1] - rank_of(A[tight])
        if dimension == 0:
            return point(result)
        low, high = np.where(np.abs(ends) <= STRICT, 0.0, ends)
        moves[:, going] = unit * [np.minimum(low, 0.0), np.maximum(high, 0.0), np.where(low < high, centre, 0.0)]
        return self.answer(moves, dimension)

    def answer(self, moves, dimension):
        """The SolutionSet from what moves, three times as far: to the lower ends, the upper ends and the centre."""
        place, X = self.place, self.place.problem.columns
        b = X.scale * place.b
        intercept = place.problem.y_mean + place.c - place.level(place.b) if self.intercept else 0.0
        new = b[self.moving] + moves[:, :-1]
        noise = STRICT * place.size * (X.scale / place.root)[self.moving]
        for end in place.low, place.high, np.zeros(X.p):  # exactly there, if it is there up to rounding
            end = (X.scale * end)[self.moving]
            end[np.isinf(end)] = np.nan
            new = np.where(np.abs(new - end) <= noise, end, new)
        low, high, centre = np.tile(b, (3, 1))
        low[self.moving], high[self.moving], centre[self.moving] = new
        ends = (intercept + moves[:, -1]).tolist()
        return SolutionSet(False, dimension, low, high, *ends[:2], centre, ends[2])


def null_space(R, small):
    """N with R N = 0: columns that depend on others, up to `small`, move by themselves; the others make up for it."""
    k = R.shape[1]
    if len(R) == 0 or k == 0:
        return np.eye(k)
    T, pivot, *_ = lapack.dgeqp3(R)
    pivot -= 1
    extent = np.abs(T.diagonal())
    rank = int(np.count_nonzero(extent > small * extent[0]))
    N = np.zeros((k, k - rank))
    N[pivot[rank:]] = np.eye(k - rank)
    if 0 < rank < k:
        N[pivot[:rank]] = -lapack.dtrtrs(T[:rank, :rank], T[:rank, rank:])[0]
    N[np.abs(N) <= ROUNDING] = 0.0
    return N


def lengths(A):
    """The length of every row."""
    return np.sqrt(np.einsum("ij,ij->i", A, A))


def rank_of(A):
    """The rank of rows of length 1."""
    return int(np.count_nonzero(np.abs(lapack.dgeqp3(A)[0].diagonal()) > STRICT)) if len(A) else 0
