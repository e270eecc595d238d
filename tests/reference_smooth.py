"""The judge of the smooth losses, beside `reference`: Huber with delta = 1 and the logistic loss, by Clarabel.

Huber      min sum c (e^2/2 + u + v),  y - f = e + u - v,  u, v >= 0
logistic   min sum c s,  exp(-s) + exp(-s - y f) <= 1,  two exponential cones a row
"""

from dataclasses import dataclass

import numpy as np
import reference
import scipy.sparse as sp
from reference import EPS

LOSSES = {
    "huber": lambda y, f: np.where(abs(y - f) <= 1, (y - f) ** 2 / 2, abs(y - f) - 0.5),
    "logistic": lambda y, f: np.logaddexp(0, -y * f),
}


@dataclass(frozen=True)
class Problem(reference.Problem):
    loss: str


def problem(X, y, loss, l1=0.0, l2=0.0, **options):
    """The arguments of `l1l2fast.solve`, written out in full."""
    return Problem(**vars(reference.problem(X, y, "squared", l1, l2, **options)), loss=loss)


def objective(pb, intercept, coef):
    """P(b0, b), in extended precision where the machine has it."""
    b = np.asarray(coef, dtype=np.longdouble)
    f = np.longdouble(intercept) + pb.X.astype(np.longdouble) @ b + pb.offset
    return float(pb.c @ LOSSES[pb.loss](pb.y, f) + np.sum(pb.l1 * abs(b) + pb.l2 * b * b / 2))


def null_objective(pb):
    """The objective of b = 0 with the best intercept: the unit of `tol`."""
    from scipy.optimize import minimize_scalar

    zero, size = np.zeros(len(pb.l1)), 50.0 + np.max(abs(pb.y - pb.offset)[pb.c > 0])
    if not pb.intercept:
        return objective(pb, 0.0, zero)
    return minimize_scalar(
        lambda b0: objective(pb, b0, zero), bounds=(-size, size), method="bounded", options={"xatol": 1e-12}
    ).fun


def solve(pb):
    """An optimum; columns are centred and scaled to size 1, for the sake of the absolute tolerances."""
    fixed = pb.lower == pb.upper
    free, rows = np.flatnonzero(~fixed), pb.c > 0
    coef = np.where(fixed, pb.lower, 0.0)
    offset = (pb.offset + pb.X @ coef)[rows]
    inside = np.all((pb.lower[free] <= 0) & (pb.upper[free] >= 0))
    if pb.loss == "huber" and inside and not (pb.y[rows] - offset).any():
        return reference.Answer(0.0, coef, objective(pb, 0.0, coef))
    extra = np.zeros(int(pb.intercept))
    mean = pb.c @ pb.X[:, free] if pb.intercept else np.zeros(len(free))
    centred = pb.X[rows][:, free] - mean
    if pb.intercept:
        centred[:, np.ptp(pb.X[rows][:, free], axis=0) <= 8 * EPS * abs(mean)] = 0
    A = np.column_stack([centred, np.ones((rows.sum(), len(extra)))])
    column = abs(A).max(0, initial=0)
    unit = 1 / np.where(column > 0, column, 1)
    program = Program(
        A * unit,
        offset,
        np.append(pb.l1[free], extra) * unit,
        np.append(pb.l2[free], extra) * unit**2,
        np.append(pb.lower[free], extra - np.inf) / unit,
        np.append(pb.upper[free], extra + np.inf) / unit,
    )
    z = unit * getattr(program, pb.loss)(pb.y[rows], pb.c[rows])
    coef[free] = np.clip(z[: len(free)], pb.lower[free], pb.upper[free])
    intercept = z[-1] - mean.astype(np.longdouble) @ coef[free] if pb.intercept else 0.0
    return reference.Answer(float(intercept), coef, objective(pb, intercept, coef))


class Program:
    """Unknowns: b (k), three vectors of the loss (n each), t >= |b| for the columns with an L1 penalty."""

    def __init__(self, A, offset, l1, l2, lower, upper):
        (n, k), self.l2 = A.shape, l2
        self.A, self.offset, self.n, self.k = sp.csr_array(A), offset, n, k
        self.E, self.zero = sp.eye_array(n), sp.csr_array((n, n))
        B = sp.eye_array(k).tocsc()
        T = B[:, l1 > 0]
        self.m = m = T.shape[1]
        self.l1 = T.T @ l1
        low, high = np.isfinite(lower), np.isfinite(upper)
        between = sp.csr_array((k, 3 * n))
        self.box = [
            sp.hstack([T.T, T.T @ between, -sp.eye_array(m)]),
            sp.hstack([-T.T, T.T @ between, -sp.eye_array(m)]),
            sp.hstack([-B, between, sp.csr_array((k, m))]).tocsr()[low],
            sp.hstack([B, between, sp.csr_array((k, m))]).tocsr()[high],
        ]
        self.limit = np.concatenate([np.zeros(2 * m), -lower[low], upper[high]])

    def rows(self, *parts):
        """n constraints from their parts in b and in the three vectors."""
        parts = [part if part is not None else (self.zero if at else 0 * self.A) for at, part in enumerate(parts)]
        return sp.hstack([*parts, sp.csr_array((self.n, self.m))])

    def huber(self, y, c):
        import clarabel

        E, none = self.E, np.zeros(self.n)
        G = [self.rows(self.A, E, E, -E), *self.box, self.rows(None, None, -E, None), self.rows(None, None, None, -E)]
        right = np.concatenate([y - self.offset, self.limit, none, none])
        cones = [clarabel.ZeroConeT(self.n), clarabel.NonnegativeConeT(len(right) - self.n)]
        return self.run([none, c, c], [c, none, none], G, right, cones, 1e-14)

    def logistic(self, y, c):
        import clarabel

        E, none, one = self.E, np.zeros(self.n), np.ones(self.n)
        empty, turn = sp.csr_array((self.n, self.k + 3 * self.n + self.m)), np.arange(3 * self.n)
        turn = turn.reshape(3, self.n).T.ravel()  # (x, 1, u) of one row side by side: exp(x) <= u
        first = [self.rows(sp.diags_array(y) @ self.A, E, None, None), empty, self.rows(None, None, -E, None)]
        second = [self.rows(None, E, None, None), empty, self.rows(None, None, None, -E)]
        triples = [sp.vstack(parts).tocsr()[turn] for parts in (first, second)]
        rights = [np.concatenate([x, one, none])[turn] for x in (-y * self.offset, none)]
        right = np.concatenate([one, self.limit, *rights])
        cones = [clarabel.NonnegativeConeT(self.n + len(self.limit))]
        cones += [clarabel.ExponentialConeT() for _ in range(2 * self.n)]
        return self.run(
            [c, none, none], [none] * 3, [self.rows(None, None, E, E), *self.box, *triples], right, cones, 1e-11
        )

    def run(self, linear, quadratic, G, right, cones, tol):
        """b."""
        import clarabel

        Q = sp.csc_matrix(sp.diags_array(np.concatenate([self.l2, *quadratic, np.zeros(self.m)])))
        linear, G = np.concatenate([np.zeros(self.k), *linear, self.l1]), sp.csc_matrix(sp.vstack(G))
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tol
        for settings.max_step_fraction in (0.99, 0.95, 0.8, 0.9, 0.7, 0.5):
            found = clarabel.DefaultSolver(Q, linear, G, right, cones, settings).solve()
            if found.status == clarabel.SolverStatus.Solved:
                return np.asarray(found.x)[: self.k]
        raise AssertionError(f"Clarabel: {found.status}")


def dual_objective(pb, theta, size):
    """As `reference.dual_objective`: D(theta), and by how much theta leaves its set, in units of rounding."""
    theta, X = np.asarray(theta, dtype=np.longdouble), pb.X.astype(np.longdouble)
    on, g = pb.c > 0, -theta[pb.c > 0] / pb.c[pb.c > 0]
    excess = [np.max(abs(theta[~on]), initial=0) / EPS]
    if pb.loss == "huber":
        excess.append(np.max(abs(g) - 1) / (8 * EPS))
        conjugate = g * g / 2 + g * pb.y[on]
    else:
        a = -g * pb.y[on]
        excess.append(np.max(abs(a - 0.5) - 0.5) / (8 * EPS))
        a = np.clip(a, 0, 1)
        conjugate = entropy(a) + entropy(1 - a)
    rounding = rounding_of_theta(pb, theta, size)
    if pb.intercept:
        excess.append(abs(theta.sum()) / (rounding.sum() + np.finfo(float).tiny))
    u, room = X.T @ theta, abs(X).T @ rounding + np.finfo(float).tiny
    h, beyond = reference._bounded_conjugate(u, pb.l1, pb.l2, pb.lower, pb.upper, room)
    excess.append(np.max(beyond / room, initial=0))
    return float(-pb.c[on] @ conjugate - theta @ pb.offset - h.sum()), float(max(excess))


def entropy(a):
    """a log a, 0 at 0."""
    return a * np.log(np.where(a > 0, a, 1))


def rounding_of_theta(pb, theta, size):
    """theta is c times a slope of the loss, which moves no faster than f."""
    return (16 + len(theta)) * EPS * (pb.c * size + abs(theta))


def check_certificate(pb, result):
    """Assert, with numpy alone, that the certificate proves result.gap."""
    certificate = result.certificate()
    assert np.all(pb.lower <= result.coef) and np.all(result.coef <= pb.upper)
    primal = objective(pb, result.intercept, result.coef)
    size = abs(pb.y) + abs(pb.offset) + abs(result.intercept) + abs(pb.X) @ abs(result.coef)
    dual, excess = dual_objective(pb, certificate.theta, size)
    assert excess <= 1, f"theta is infeasible: {excess:.3g} times what rounding allows"
    slack = EPS * (64 * (abs(primal) + abs(dual) + null_objective(pb)) + 8 * pb.c @ (1 + size))
    slack += abs(result.coef) @ (abs(pb.X).T @ rounding_of_theta(pb, certificate.theta, size))
    claims = (certificate.primal, primal), (certificate.dual, dual), (result.objective, primal)
    for claimed, found in claims:
        assert abs(claimed - found) <= slack, f"{claimed!r} claimed, {found!r} found"
    for claimed in (certificate.gap, result.gap):
        assert claimed >= 0 and abs(claimed - (primal - dual)) <= slack
