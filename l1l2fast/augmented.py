"""The minimum of a quadratic with norms of groups where rows are fewer than columns: multipliers for its dual.

    1/2 |Z b|^2 - c'b + h(b),    h(b) = sum_g (thin_g |b_g|_1 + level_g |b_g|_2)

Each round adds |b - b_now|^2 / (2 sigma), which makes the dual smooth: with v = c + Z'theta, minimise over theta

    1/2 |theta|^2 + max over x of  v'x - h(x) - |x - b_now|^2 / (2 sigma),    x = prox_(sigma h)(b_now + sigma v)

by Newton's method; its gradient is theta + Z x, its matrices are as large as there are rows. The rounds converge for
every sigma, all the faster the larger it is (Rockafellar, 1976; Zhang, Zhang, Sun and Toh, 2020).
"""

import numpy as np
from scipy.linalg import blas, lapack

# The first sigma, in units of a typical curvature; how it grows, and how far.
FIRST, GROWTH, LAST = 10.0, 10.0, 1e9
# Rounds, and Newton steps in one of them, at most.
ROUNDS, STEPS = 30, 30
# A round ends when the gradient is this part of what the round moves b by, in units in which both can be compared.
INNER = 0.1
# The fall that a step must bring, of what a line would; it is halved until then, and given up below LEAST.
FALL, LEAST, ROUNDING = 1e-4, 1e-8, 1e-15


class Multipliers:
    """Groups as `turning.Turning` has them, over the columns whose numbers are the rows of W = Z'."""

    def __init__(self, small, W, c):
        self.of, self.thin, self.level = small.of, small.thin[small.of], small.level
        self.finite = np.where(np.isinf(small.level), 0.0, small.level)  # what is held at zero costs nothing
        self.W, self.c = W, c
        square = np.einsum("ij,ij->i", W, W)
        self.unit = float(square[square > 0].mean()) if square.any() else 1.0
        self.steps = 0

    def minimise(self, b, enough):
        """b nearer to the minimum: the last round falls by about `enough`."""
        theta, sigma = -(b @ self.W), FIRST / self.unit
        for _round in range(ROUNDS):
            before, (theta, b, exact) = b, self.proximal(theta, b, sigma)
            if not exact or ((b - before) ** 2).sum() <= enough * sigma:
                break
            sigma = min(GROWTH * sigma, LAST / self.unit)
        return b

    def proximal(self, theta, b, sigma):
        """theta and x of one round, and whether Newton's method came to its end."""
        v = self.c + self.W @ theta
        here = self.look(theta, v, b, sigma)
        for _step in range(STEPS):
            value, x, lengths = here
            slope = theta + x @ self.W
            if np.linalg.norm(slope) <= INNER * np.linalg.norm(x - b) / np.sqrt(sigma) and _step > 0:
                return theta, x, True
            factor, failed = lapack.dpotrf(self.hessian(x, lengths, sigma), lower=1, overwrite_a=1, clean=0)
            if failed:
                break
            d = -lapack.dpotrs(factor, slope, lower=1)[0]
            dv, fall, t = self.W @ d, float(slope @ d), 1.0
            here = self.look(theta + d, v + dv, b, sigma)
            while here[0] > value + FALL * t * fall + ROUNDING * abs(value):
                t /= 2
                if t < LEAST:
                    return theta, x, False
                here = self.look(theta + t * d, v + t * dv, b, sigma)
            theta, v = theta + t * d, v + t * dv
            self.steps += 1
        return theta, here[1], False

    def look(self, theta, v, b, sigma):
        """The function at theta, x there, and for each group the length that its prox shortens."""
        s = b + sigma * v
        x = np.sign(s) * np.maximum(np.abs(s) - sigma * self.thin, 0.0)
        lengths = self.norms(x)
        kept = 1 - self.part(lengths, sigma)
        x *= kept[self.of]
        cost = self.thin @ np.abs(x) + self.finite @ (kept * lengths)
        return theta @ theta / 2 + v @ x - cost - ((x - b) ** 2).sum() / (2 * sigma), x, lengths

    def norms(self, x):
        """|x_g|_2."""
        largest = np.abs(x).max(initial=0.0) or 1.0
        return largest * np.sqrt(np.bincount(self.of, (x / largest) ** 2, len(self.level)))

    def part(self, lengths, sigma):
        """The part of each group's length that the prox takes."""
        short = lengths <= sigma * self.level
        return np.where(short, 1.0, sigma * self.finite / np.where(short, 1.0, lengths))

    def hessian(self, x, lengths, sigma):
        """I + sigma Z J Z', J the derivative of the prox: across a group what it leaves, along it all."""
        on = np.flatnonzero(x)
        of = self.of[on]
        part = self.part(lengths, sigma)[of]
        W, unit = self.W[on], x[on] / ((1 - part) * lengths[of])
        first = np.flatnonzero(np.diff(of, prepend=-1))
        along = np.add.reduceat(W * (np.sqrt(part) * unit)[:, None], first) if len(on) else W
        H = blas.dsyrk(sigma, np.concatenate([W * np.sqrt(1 - part)[:, None], along]).T, lower=1)
        H[np.diag_indices_from(H)] += 1.0
        return H
