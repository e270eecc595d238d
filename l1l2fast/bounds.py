"""Lower bounds on problems whose penalty is not convex.

Two of them, of which the larger one counts. With theta = w r and u = X~'theta at a point b, and G = X~'diag(w) X~ at
least diag(d) in the order of matrices, every other point t has

    P(t) >= P(b) + sum_j min_s { d_j (s - b_j)^2 / 2 - u_j (s - b_j) + factor_j (pen(s) - pen(b_j)) }

which says at once that a stationary point is the best where d outweighs pen'' (squared loss, more rows than columns).
And on a box |b_j| <= m_j the chord factor_j pen(m_j) / m_j |b| lies below a penalty that is concave in |b|: an L1
penalty, whose problem is convex and has a certificate. Outside of the box each penalty alone costs more than the
point that was found. A penalty that stays bounded on an unbounded box has the chord 0, and what remains is the least
value of the loss, which is 0 if there are as many columns as rows.
"""

import dataclasses

import numpy as np

from l1l2fast import normal
from l1l2fast._nonconvex import moves
from l1l2fast.penalties import L1
from l1l2fast.problem import EPS

# More columns than this are not asked for the least eigenvalue of their Gram matrix.
MOST = 500
# What rounding may leave of an eigenvalue, relative to the largest.
SAFE = 1e-13
# How far a chord is looked for, in doublings and in halvings.
FAR, HALVINGS = 1e200, 200


def rounding(problem, size):
    """What rounding leaves of a slope, on the scale of X, where l' is as large as `size`."""
    return 4 * EPS * size * float((np.sqrt(problem.square) / problem.columns.scale).max(initial=0.0)) + 1e-300


def lower_bound(problem, point, convex):
    """The larger bound, the dual point it comes from, and X~'theta of that."""
    n, p = problem.columns.n, problem.columns.p
    best = 0.0, np.zeros(n), np.zeros(p)
    if problem.loss.quadratic():
        best = max(best, separable(problem, point), key=lambda bound: bound[0])
    return max(best, chords(problem, point.objective, convex), key=lambda bound: bound[0])


def separable(problem, point):
    """The first bound; -inf where the Gram matrix is singular or large."""
    live = np.flatnonzero((problem.square > 0) & (problem.lower < problem.upper))
    none = -np.inf, point.theta, point.g
    if not 0 < len(live) <= min(MOST, problem.columns.n):
        return none
    scale = 1 / np.sqrt(problem.square[live])
    gram = normal.gram_of_columns(problem, live, scale, np.sqrt(problem.weight))
    values = np.linalg.eigvalsh(gram, "L")
    least = values[0] - SAFE * len(live) * values[-1]
    if not least > 0:
        return none
    sides = problem.factor[live], problem.lower[live], problem.upper[live]
    _, fall = moves(problem.penalty, point.b[live], point.g[live], least * problem.square[live], *sides)
    return point.objective - fall.sum(), point.theta, point.g


def chords(problem, objective, convex):
    """The second bound: the certificate of an L1 problem."""
    n, p = problem.columns.n, problem.columns.p
    values, inverse = np.unique(problem.factor, return_inverse=True)
    reach = np.array([farthest(problem.penalty, objective / v) if v > 0 else np.inf for v in values])
    end = np.minimum(np.maximum(np.abs(problem.lower), np.abs(problem.upper)), reach[inverse])
    factor = np.zeros(p)
    for j in np.flatnonzero((problem.factor > 0) & (end > 0) & (end < FAR)):
        factor[j] = problem.factor[j] * problem.penalty(end[j]) / end[j]
    if not factor.any() and n <= p:
        return -np.inf, np.zeros(n), np.zeros(p)
    answer = convex(dataclasses.replace(problem, penalty=L1(1.0), factor=factor, callback=None))
    return answer.objective - answer.gap, answer.theta, answer.u


def farthest(penalty, price):
    """The largest b with pen(b) <= price, rounded up; inf if there is none."""
    low, high = 0.0, FAR
    if penalty(high) <= price:
        return np.inf
    for _ in range(HALVINGS):
        middle = np.sqrt(max(low, 1e-200) * high)
        low, high = (middle, high) if penalty(middle) <= price else (low, middle)
    return high * (1 + 1e-9)
