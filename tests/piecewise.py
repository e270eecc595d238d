"""Piecewise linear problems and slow, obvious judges of them.

minimise over b   sum_i [ right_i (y_i - z_i'b)_+ + left_i (z_i'b - y_i)_+ ] + c'b + 1/2 b'diag(d)b
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog


@dataclass
class Problem:
    Z: np.ndarray
    y: np.ndarray
    left: np.ndarray
    right: np.ndarray
    c: np.ndarray
    d: np.ndarray = field(default=None)

    def __post_init__(self):
        self.Z = np.ascontiguousarray(self.Z, float)
        for name in ("y", "left", "right", "c"):
            setattr(self, name, np.array(getattr(self, name), float))
        self.d = np.zeros(self.Z.shape[1]) if self.d is None else np.array(self.d, float)

    def objective(self, b):
        """The objective; a residual at rounding level does not violate an infinite slope."""
        r = self.y - self.Z @ b
        r[np.abs(r) <= 1e-12 * (np.abs(self.y).max(initial=0) + np.abs(b).sum())] = 0
        with np.errstate(invalid="ignore"):
            terms = np.where(r > 0, self.right * r, np.where(r < 0, -self.left * r, 0))
        return terms.sum() + self.c @ b + self.d @ b**2 / 2

    def dual(self, b, psi):
        """psi'y - 1/2 b'diag(d)b: the dual value when Z'psi = c + d b."""
        return psi @ self.y - self.d @ b**2 / 2

    def size(self):
        """What a gap is measured against."""
        return self.widths() @ np.abs(self.y) + 1e-300

    def widths(self):
        """left + right, without the infinite ones."""
        return sum(np.where(np.isinf(s), 0, s) for s in (self.left, self.right))

    def check(self, b, psi, gap=1e-12):
        """Everything that proves b optimal, by numpy alone."""
        assert np.all(psi >= -self.left)
        assert np.all(psi <= self.right)
        slack = self.Z.T @ psi - self.c - self.d * b
        scale = np.abs(self.Z).T @ (np.abs(psi) + self.widths()) + np.abs(self.c) + self.d * np.abs(b)
        assert np.all(np.abs(slack) <= 1e-12 * scale)
        primal = self.objective(b)
        assert abs(primal - self.dual(b, psi)) <= gap * (abs(primal) + self.size())


def highs(problem):
    """scipy's OptimizeResult for the same problem as a linear programme (d = 0)."""
    m, k = problem.Z.shape
    scale = max(np.max(s[np.isfinite(s)], initial=0) for s in (problem.left, problem.right, np.abs(problem.c))) or 1
    slopes = np.r_[problem.right, problem.left]
    return linprog(
        np.r_[problem.c, np.where(np.isinf(slopes), 0, slopes)] / scale,
        A_eq=np.hstack([problem.Z, np.eye(m), -np.eye(m)]),
        b_eq=problem.y,
        bounds=[(None, None)] * k + [(0, 0 if np.isinf(s) else None) for s in slopes],
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )


def designs(rng, m, k):
    """A design and a response: continuous, tied integers, dummies, repeated rows."""
    kind = rng.integers(4)
    if kind == 0:
        return rng.normal(size=(m, k)), rng.standard_t(2, size=m)
    if kind == 1:
        return rng.integers(-2, 3, (m, k)), rng.integers(-3, 4, m)
    if kind == 2:
        Z = rng.integers(0, 2, (m, k))
        Z[:, 0] = 1
        return Z, rng.integers(0, 3, m)
    return rng.normal(size=(m, k))[rng.integers(0, 1 + m // 3, m)], rng.integers(0, 2, m)


def slopes(rng, m):
    """left, right: equal, random, zero on some rows, of very different sizes, all of one scale."""
    kind = rng.integers(4)
    if kind == 0:
        left = right = np.ones(m)
    elif kind == 1:
        left, right = rng.random((2, m))
    elif kind == 2:
        left, right = rng.choice([0.0, 0.5, 1.0, 2.0], (2, m))
    else:
        left, right = rng.choice([1e-3, 1.0, 1e3], (2, m))
    scale = 10.0 ** rng.integers(-4, 5)
    return left * scale, right * scale


def unit_rows(rng, k, scale):
    """L1 penalties and bounds as rows e_j: y, left, right. Bounds have an infinite slope."""
    y = rng.integers(-1, 2, k).astype(float)
    left = np.where(rng.random(k) < 0.3, np.inf, scale)
    right = np.where(rng.random(k) < 0.3, np.inf, scale)
    return y, left, np.where(np.isinf(left), scale, right)


def random_problem(seed, quadratic=False):
    """A hostile problem: see designs, slopes, unit_rows; c is often such that an optimum exists."""
    rng = np.random.default_rng(seed)
    k = rng.integers(1, 9)
    m = k + rng.integers(0, 60)
    Z, y = designs(rng, m, k)
    left, right = slopes(rng, m)
    c = np.zeros(k)
    if rng.random() < 0.5:  # psi strictly inside for some b, times 3 often outside for all
        c = (Z.T @ (rng.random(m) * (left + right) - left)) * rng.choice([1, 1, 3])
    if rng.random() < 0.4:
        y_unit, left_unit, right_unit = unit_rows(rng, k, left.max() + 1e-3)
        Z, y = np.vstack([Z, np.eye(k)]), np.r_[y, y_unit]
        left, right = np.r_[left, left_unit], np.r_[right, right_unit]
    d = np.zeros(k)
    if quadratic:
        d = 10.0 ** rng.integers(-8, 5) * left[np.isfinite(left)].max() * (1 + rng.integers(0, 3, k))
        d[rng.random(k) < 0.2] = 0
        if not (left + right)[y != 0].any():  # with y = 0 nothing gives a gap its scale
            y[np.argmax(left + right)] = 1
    return Problem(Z, y, left, right, c, d)
