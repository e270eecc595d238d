"""The judge: slow, obvious answers and checks, independent of the library.

    minimise  P(b0, b) = sum_i c_i l(y_i, f_i) + sum_j (l1_j |b_j| + l2_j b_j^2 / 2),   lower <= b <= upper
    f = b0 + X b + o,   c = w / sum(w),   l = (y - f)^2 / 2 or left (f - y)_+ + right (y - f)_+

`solve` hands the problem to an interior-point or simplex code of others; `check_certificate`
uses numpy alone and the conjugates written out here.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

EPS = np.finfo(float).eps


@dataclass(frozen=True)
class Problem:
    X: np.ndarray
    y: np.ndarray
    slopes: tuple | None  # (left, right); None for the squared loss
    l1: np.ndarray  # per coefficient: penalty factor and standardisation are inside
    l2: np.ndarray
    c: np.ndarray
    offset: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    intercept: bool


@dataclass(frozen=True)
class Answer:
    intercept: float
    coef: np.ndarray
    objective: float


def slopes(loss):
    """(left, right) of a loss of two lines, given by name or as an object with a quantile; None for squares."""
    if loss == "squared":
        return None
    return (1.0, 1.0) if loss == "absolute" else (1 - loss.quantile, loss.quantile)


def problem(
    X,
    y,
    loss="squared",
    l1=0.0,
    l2=0.0,
    *,
    sample_weight=None,
    offset=None,
    fit_intercept=True,
    penalty_factor=None,
    lower=None,
    upper=None,
    positive=False,
    standardize=False,
):
    """The arguments of `l1l2fast.solve`, written out in full."""
    X = np.asarray(X.toarray() if sp.issparse(X) else X, dtype=float)
    n, p = X.shape
    w = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    c = w / w.sum()
    v = np.ones(p) if penalty_factor is None else np.asarray(penalty_factor, dtype=float)
    lower = np.full(p, 0.0 if positive else -np.inf) if lower is None else np.broadcast_to(lower, p).astype(float)
    upper = np.full(p, np.inf) if upper is None else np.broadcast_to(upper, p).astype(float)
    lower, upper = np.where(np.isinf(v), 0.0, lower), np.where(np.isinf(v), 0.0, upper)
    v = np.where(np.isinf(v), 0.0, v)
    sd = np.sqrt(c @ (X - c @ X) ** 2) if standardize else np.ones(p)
    return Problem(
        X,
        np.asarray(y, dtype=float),
        slopes(loss),
        l1 * v * sd,
        l2 * v * sd**2,
        c,
        np.zeros(n) if offset is None else np.broadcast_to(offset, n).astype(float),
        lower,
        upper,
        fit_intercept,
    )


def objective(pb, intercept, coef):
    """P(b0, b), in extended precision where the machine has it."""
    b = np.asarray(coef, dtype=np.longdouble)
    r = pb.y - (np.longdouble(intercept) + pb.X.astype(np.longdouble) @ b + pb.offset)
    return float(pb.c @ of_residual(pb, r) + np.sum(pb.l1 * abs(b) + pb.l2 * b * b / 2))


def of_residual(pb, r):
    """l at r = y - f."""
    if pb.slopes is None:
        return r * r / 2
    left, right = pb.slopes
    return np.where(r > 0, right, -left) * r


def solve(pb):
    """An optimum by HiGHS (two lines, no L2) or Clarabel (everything else)."""
    fixed = pb.lower == pb.upper
    free, rows = np.flatnonzero(~fixed), pb.c > 0
    coef = np.where(fixed, pb.lower, 0.0)
    target = (pb.y - pb.offset - pb.X @ coef)[rows]
    if not target.any() and np.all((pb.lower[free] <= 0) & (pb.upper[free] >= 0)):
        return Answer(0.0, coef, objective(pb, 0.0, coef))
    extra = np.zeros(int(pb.intercept))
    # Centred, or a column of large mean could hardly be told from the intercept.
    mean = pb.c @ pb.X[:, free] if pb.intercept else np.zeros(len(free))
    centred = pb.X[rows][:, free] - mean
    if pb.intercept:
        centred[:, np.ptp(pb.X[rows][:, free], axis=0) <= 8 * EPS * abs(mean)] = 0
    A = np.column_stack([centred, np.ones((rows.sum(), len(extra)))])
    # Columns and target of size 1, so that the codes' absolute tolerances mean the same for all.
    column, size = abs(A).max(0, initial=0), abs(target).max()
    column, size = np.where(column > 0, column, 1), size if size > 0 else 1.0
    unit, worth = size / column, size if pb.slopes else size**2
    z = unit * _solve_scaled(
        A / column,
        target / size,
        pb.c[rows],
        pb.slopes,
        np.append(pb.l1[free], extra) * unit / worth,
        np.append(pb.l2[free], extra) * unit**2 / worth,
        np.append(pb.lower[free], extra - np.inf) / unit,
        np.append(pb.upper[free], extra + np.inf) / unit,
    )
    coef[free] = np.clip(z[: len(free)], pb.lower[free], pb.upper[free])
    # Where b0 is large, its own rounding would show in the objective.
    intercept = z[-1] - mean.astype(np.longdouble) @ coef[free] if pb.intercept else 0.0
    return Answer(float(intercept), coef, objective(pb, intercept, coef))


def _solve_scaled(A, y, c, lines, l1, l2, lower, upper):
    """min over (b, e, s, t): c'(e^2/2 or d e + m s) + l1't + l2'b^2/2,  A b + e = y, |e| <= s, |b| <= t.

    Of two lines, m is the mean slope and d half their difference."""
    left, right = lines or (0.0, 0.0)
    n, k = A.shape
    E, B = sp.eye_array(n, format="csr"), sp.eye_array(k, format="csr")
    S, T = E[:, : n if lines else 0], B[:, l1 > 0]
    equal = sp.block_array([[sp.csr_array(A), E, 0 * S, sp.csr_array((n, T.shape[1]))]])
    below = sp.vstack(
        [
            sp.block_array(
                [
                    [None, S.T, -S.T @ S, None],
                    [None, -S.T, -S.T @ S, None],
                    [T.T, None, None, -T.T @ T],
                    [-T.T, None, None, -T.T @ T],
                ]
            ),
            *(
                sp.hstack([side, sp.csr_array((side.shape[0], equal.shape[1] - k))])
                for side in (-B[np.isfinite(lower)], B[np.isfinite(upper)])
            ),
        ]
    )
    none = np.zeros(2 * (S.shape[1] + T.shape[1]))
    limit = np.concatenate([none, -lower[np.isfinite(lower)], upper[np.isfinite(upper)]])
    linear = np.concatenate([np.zeros(k), (right - left) / 2 * c, (right + left) / 2 * (S.T @ c), T.T @ l1])
    quadratic = np.concatenate([l2, 0 * c if lines else c, 0 * (S.T @ c), 0 * (T.T @ l1)])
    program = _highs if not quadratic.any() else _clarabel
    return program(quadratic, linear, equal, y, below, limit)[:k]


def _highs(quadratic, linear, equal, y, below, limit):
    from scipy.optimize import linprog

    result = linprog(
        linear,
        below,
        limit,
        equal,
        y,
        bounds=(None, None),
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert result.status == 0, result.message
    return result.x


def _clarabel(quadratic, linear, equal, y, below, limit):
    import clarabel

    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-14
    cones = [clarabel.ZeroConeT(len(y)), clarabel.NonnegativeConeT(len(limit))]
    G = sp.csc_matrix(sp.vstack([equal, below]))
    Q = sp.csc_matrix(sp.diags_array(quadratic))
    # Now and then it stalls at 1e-7, depending on how near the boundary it may step.
    for settings.max_step_fraction in (0.99, 0.95, 0.8, 0.9, 0.7, 0.5):
        found = clarabel.DefaultSolver(Q, linear, G, np.append(y, limit), cones, settings).solve()
        if found.status == clarabel.SolverStatus.Solved:
            return np.asarray(found.x)
    raise AssertionError(f"Clarabel: {found.status}")


def null_objective(pb):
    """The objective of b = 0 with the best intercept: the unit of `tol`."""
    y = pb.y - pb.offset
    if not pb.intercept:
        center = 0.0
    elif pb.slopes is None:
        center = pb.c @ y
    else:
        order, (left, right) = np.argsort(y), pb.slopes
        center = y[order][np.searchsorted(np.cumsum(pb.c[order]), right / (left + right) - 1e-12)]
    return objective(pb, center, np.zeros(len(pb.l1)))


def dual_objective(pb, theta, size):
    """D(theta) = -sum_i c_i l*(y_i, -theta_i / c_i) - theta'o - sum_j h_j*(x_j'theta), and by how much theta
    leaves the set where D is finite, as a multiple of what rounding allows: `size` is that of the
    numbers whose difference c theta is."""
    theta, X = np.asarray(theta, dtype=np.longdouble), pb.X.astype(np.longdouble)
    on = pb.c > 0
    excess = [np.max(abs(theta[~on]), initial=0) / EPS]
    g = -theta[on] / pb.c[on]
    if pb.slopes is None:
        conjugate = g * g / 2 + g * pb.y[on]
    else:
        left, right = pb.slopes
        conjugate = np.clip(g, -right, left) * pb.y[on]
        excess.append(np.max(np.maximum(g - left, -right - g)) / (8 * EPS))
    rounding = rounding_of_theta(pb, theta, size)
    if pb.intercept:
        excess.append(abs(theta.sum()) / (rounding.sum() + np.finfo(float).tiny))
    u, room = X.T @ theta, abs(X).T @ rounding + np.finfo(float).tiny
    h, beyond = _bounded_conjugate(u, pb.l1, pb.l2, pb.lower, pb.upper, room)
    excess.append(np.max(beyond / room, initial=0))
    return float(-pb.c[on] @ conjugate - theta @ pb.offset - h.sum()), float(max(excess))


def rounding_of_theta(pb, theta, size):
    """For squares theta = c (y - f) at best: each entry carries the rounding of y and f, not of their
    difference; and a sum of n products has no error beyond the classical bound."""
    return (16 + len(theta)) * EPS * (pb.c * (size if pb.slopes is None else 1) + abs(theta))


def _bounded_conjugate(u, l1, l2, lower, upper, room):
    """sup over lower <= b <= upper of u b - l1|b| - l2 b^2/2; where it is infinite: 0, and the excess of |u|."""
    curved = l2 > 0
    pull = np.sign(u) * np.maximum(abs(u) - l1, 0)
    # Rounding must not be multiplied by a bound of 1e300.
    certain = curved | (abs(pull) > room)
    end = np.where(certain & (pull > 0), upper, np.where(certain & (pull < 0), lower, 0))
    best = np.clip(np.where(curved, pull / np.where(curved, l2, 1), end), lower, upper)
    beyond = np.where(np.isinf(best), abs(pull), 0)
    best = np.where(np.isinf(best), 0, best)
    return u * best - l1 * abs(best) - l2 * best * best / 2, beyond


def check_certificate(pb, result):
    """Assert, with numpy alone, that the certificate proves result.gap; return the gap found here."""
    certificate = result.certificate()
    assert np.shape(certificate.theta) == pb.y.shape
    assert np.all(pb.lower <= result.coef) and np.all(result.coef <= pb.upper)
    primal = objective(pb, result.intercept, result.coef)
    size = abs(pb.y) + abs(pb.offset) + abs(result.intercept) + abs(pb.X) @ abs(result.coef)
    dual, excess = dual_objective(pb, certificate.theta, size)
    assert excess <= 1, f"theta is infeasible: {excess:.3g} times what rounding allows"
    # Each sum is good to some units in the last place of its largest parts, and to more where n equal parts
    # are added one by one, as a build without vector units does; f = b0 + x'b has rounded too, and so has
    # x_j'theta, which the gap multiplies by b_j.
    r = abs(pb.y - pb.offset - result.intercept - pb.X @ result.coef) + EPS * size if pb.slopes is None else 1
    slack = EPS * ((64 + len(pb.y) / 16) * (abs(primal) + abs(dual) + null_objective(pb)) + 8 * pb.c @ (r * size))
    slack += abs(result.coef) @ (abs(pb.X).T @ rounding_of_theta(pb, certificate.theta, size))
    for name, here, there in [
        ("primal", primal, certificate.primal),
        ("dual", dual, certificate.dual),
        ("objective", primal, result.objective),
        ("dual", dual, result.dual_objective),
    ]:
        assert abs(here - there) <= slack, f"{name}: {there!r} claimed, {here!r} found"
    for claimed in (certificate.gap, result.gap):
        assert claimed >= primal - dual - slack, f"gap {claimed:.3g} claimed, {primal - dual:.3g} found"
        assert claimed <= primal - dual + slack
        assert claimed >= 0
    return primal - dual
