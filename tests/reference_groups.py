"""The judge of penalties on groups: Clarabel on second order cones, and a certificate checked with numpy alone.

minimise  sum_i c_i l(y_i, f_i) + sum_g (thin_g |b_g|_1 + level_g |b_g|_2),   f = b0 + X b + o,  c = w / sum(w)
"""

from dataclasses import dataclass

import clarabel
import numpy as np
import scipy.sparse as sp

from l1l2fast import Group
from l1l2fast.losses import Logistic, Squared


@dataclass(frozen=True)
class Problem:
    X: np.ndarray
    y: np.ndarray
    loss: object
    c: np.ndarray
    offset: np.ndarray
    intercept: bool
    groups: list  # (columns, thin, level, multiples of them that are penalised)


def problem(X, y, loss, penalty, *, sample_weight=None, offset=None, fit_intercept=True, penalty_factor=None,
            standardize=False, **_rest):  # fmt: skip
    """The arguments of `l1l2fast.solve`, written out in full."""
    X = np.asarray(X.toarray() if sp.issparse(X) else X, dtype=float)
    n, p = X.shape
    w = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    c = w / w.sum()
    v = np.ones(p) if penalty_factor is None else np.broadcast_to(penalty_factor, p).astype(float)
    sd = np.sqrt(c @ (X - c @ X) ** 2) if standardize else np.ones(p)
    labels = np.zeros(p) if getattr(penalty, "groups", None) is None else np.asarray(penalty.groups)
    groups = []
    for label in np.unique(labels) if isinstance(penalty, Group) else ():
        J = np.flatnonzero(labels == label)
        thin, level = penalty.l1, penalty.alpha * np.sqrt(len(J))
        out = np.isinf(v[J[0]])
        groups.append((J, 0.0 if out else v[J[0]] * thin, np.inf if out else v[J[0]] * level, sd[J]))
    offset = np.zeros(n) if offset is None else np.broadcast_to(offset, n).astype(float)
    return Problem(X, np.asarray(y, dtype=float), loss, c, offset, fit_intercept, groups)


def values(loss, y, f):
    """l(y, f)."""
    if isinstance(loss, Logistic):
        return np.logaddexp(0, -y * f)
    r = np.abs(y - f)
    if isinstance(loss, Squared):
        return r * r / 2
    if loss.slopes() is not None:
        return np.where(y > f, loss.slopes()[1], loss.slopes()[0]) * r
    return np.where(r <= loss.delta, r * r / 2, loss.delta * (r - loss.delta / 2))


def objective(pb, intercept, coef):
    """The objective at a point."""
    total = pb.c @ values(pb.loss, pb.y, intercept + pb.X @ coef + pb.offset)
    for J, thin, level, sd in pb.groups:
        if coef[J].any():
            total += thin * np.abs(sd * coef[J]).sum() + level * np.linalg.norm(sd * coef[J])
    return total


class Cone:
    """minimise z'Q z / 2 + q'z over named parts of z, with rows  limit - A z  in cones."""

    def __init__(self, **sizes):
        self.at, end = {}, 0
        for name, size in sizes.items():
            self.at[name] = slice(end, end + size)
            end += size
        self.size, self.rows, self.limits, self.cones = end, [], [], []
        self.q, self.Q = np.zeros(end), np.zeros(end)

    def add(self, cone, limit, **parts):
        """Rows of a cone: limit - sum of A_part z_part."""
        row = np.zeros((len(limit), self.size))
        for name, A in parts.items():
            row[:, self.at[name]] = A
        self.rows.append(row)
        self.limits.append(limit)
        self.cones.append(cone)

    def solve(self):
        """z."""
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-11
        A, Q = sp.csc_matrix(np.vstack(self.rows)), sp.csc_matrix(sp.diags_array(self.Q))
        found = clarabel.DefaultSolver(Q, self.q, A, np.concatenate(self.limits), self.cones, settings).solve()
        assert found.status in (clarabel.SolverStatus.Solved, clarabel.SolverStatus.AlmostSolved), found.status
        z = np.asarray(found.x)
        return {name: z[at] for name, at in self.at.items()}


def cone_of(pb):
    """The loss alone: f and u, a as they are needed; b0, b, and t, s, q for penalties."""
    n, p = pb.X.shape
    cone = Cone(b0=1, b=p, t=len(pb.groups), s=p, q=1, f=n, u=n, a=n)
    one = np.eye(n)
    cone.add(clarabel.ZeroConeT(n), pb.offset, f=one, b=-pb.X, b0=-np.ones((n, 1)) * pb.intercept)
    if not pb.intercept:
        cone.add(clarabel.ZeroConeT(1), np.zeros(1), b0=np.eye(1))
    if isinstance(pb.loss, Logistic):  # exp(-u) + exp(-y f - u) <= 1
        cone.q[cone.at["u"]] = pb.c
        for i in range(n):
            first, last = np.eye(3)[:, :1] @ one[i : i + 1], np.eye(3)[:, 2:] @ one[i : i + 1]
            cone.add(clarabel.ExponentialConeT(), np.array([0.0, 1, 1]), u=first, a=last)
            cone.add(clarabel.ExponentialConeT(), np.array([0.0, 1, 0]), u=first, f=pb.y[i] * first, a=-last)
    elif isinstance(pb.loss, Squared):  # y - f = u
        cone.Q[cone.at["u"]] = pb.c
        cone.add(clarabel.ZeroConeT(n), pb.y, f=one, u=one)
    else:  # y - f = u + v with -left v <= a and right v <= a; u = 0 unless the loss is Huber's
        left, right = getattr(pb.loss, "slopes", lambda: None)() or (pb.loss.delta, pb.loss.delta)
        cone.q[cone.at["a"]] = pb.c
        if hasattr(pb.loss, "delta"):
            cone.Q[cone.at["u"]] = pb.c
        else:
            cone.add(clarabel.ZeroConeT(n), np.zeros(n), u=one)
        for slope in (left, -right):
            cone.add(clarabel.NonnegativeConeT(n), slope * pb.y, f=slope * one, u=slope * one, a=-one)
    return cone


def solve_bounded(pb, l1, l2, bound):
    """(b0, b) of the least loss with sum_j l1_j |b_j| + l2_j b_j^2 / 2 <= bound."""
    p = pb.X.shape[1]
    cone, one = cone_of(pb), np.eye(p)
    for sign in (1, -1):
        cone.add(clarabel.NonnegativeConeT(p), np.zeros(p), s=-one, b=sign * one)
    cone.add(clarabel.NonnegativeConeT(1), np.array([bound]), s=l1[None], q=np.array([[0.5]]))
    head = np.concatenate([[-1.0, -1.0], np.zeros(p)])[:, None]  # |(q - 1, 2 root(l2) b)| <= q + 1
    pick = np.vstack([np.zeros((2, p)), -2 * np.sqrt(l2)[:, None] * one])
    cone.add(clarabel.SecondOrderConeT(p + 2), np.concatenate([[1.0, -1.0], np.zeros(p)]), q=head, b=pick)
    z = cone.solve()
    return float(z["b0"][0]), z["b"]


def solve(pb):
    """(b0, b) by Clarabel."""
    p, cone = pb.X.shape[1], cone_of(pb)
    for g, (J, thin, level, sd) in enumerate(pb.groups):
        pick = np.eye(p)[J] * sd[:, None]
        if np.isinf(level):
            cone.add(clarabel.ZeroConeT(len(J)), np.zeros(len(J)), b=pick)
            continue
        cone.q[cone.at["t"]][g] = level
        cone.q[cone.at["s"]][J] = thin
        head = np.zeros((1 + len(J), len(pb.groups)))
        head[0, g] = -1
        cone.add(clarabel.SecondOrderConeT(1 + len(J)), np.zeros(1 + len(J)), t=head,
                 b=np.vstack([np.zeros(p), -pick]))  # fmt: skip
        for sign in (1, -1):
            cone.add(clarabel.NonnegativeConeT(len(J)), np.zeros(len(J)), s=-np.eye(p)[J], b=sign * pick)
    z = cone.solve()
    for J, _, level, _ in pb.groups:
        z["b"][J] *= np.isfinite(level)
    return float(z["b0"][0]), z["b"]


def check_certificate(pb, result):
    """The dual point is feasible, and its value is what the result says."""
    theta, rounding = result.certificate().theta, 1e-9 * np.abs(result.certificate().theta).max()
    if pb.intercept:
        assert abs(theta.sum()) <= rounding
    u = pb.X.T @ theta
    for J, thin, level, sd in pb.groups:
        if np.isfinite(level):
            z = u[J] / np.where(sd > 0, sd, 1.0)
            soft = np.sign(z) * np.maximum(np.abs(z) - thin, 0)
            assert np.linalg.norm(soft) <= level + 1e-9 * (1 + np.abs(u).max())
    live = pb.c > 0
    g, y = -theta[live] / pb.c[live], pb.y[live]
    if isinstance(pb.loss, Logistic):
        a = np.clip(-g * y, 0, 1)
        conjugate = sum(np.where(x > 0, x * np.log(np.where(x > 0, x, 1)), 0) for x in (a, 1 - a))
    elif pb.loss.slopes() is not None:
        left, right = pb.loss.slopes()
        assert -right * (1 + 1e-12) <= g.min() and g.max() <= left * (1 + 1e-12)
        conjugate = g * y
    else:
        assert isinstance(pb.loss, Squared) or np.abs(g).max() <= pb.loss.delta * (1 + 1e-12)
        conjugate = g * g / 2 + g * y
    dual = -pb.c[live] @ conjugate - theta @ pb.offset
    assert abs(dual - result.dual_objective) <= 1e-9 * (1 + abs(result.objective))
