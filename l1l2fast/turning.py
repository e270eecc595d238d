"""The minimum of a quadratic with norms of groups: passes over the groups, Newton steps on those that are not zero.

    1/2 b'G b - c'b + sum_g (thin_g |b_g|_1 + level_g |b_g|_2),    q = c - G b is kept

Off zero, a norm is smooth: its gradient is the direction b_g / |b_g|, its curvature acts across it and is 1 / |b_g|.
Passes find the groups, and with thin > 0 the coefficients, that are zero; Newton's method gives the rest digits.
"""

import numpy as np
from scipy.linalg import lapack

from l1l2fast._groups import bounds, epochs

# Rounds of passes and Newton steps, at most; passes in one round while the zeros still change; Newton steps in one.
ROUNDS, PASSES, STEPS = 100, 5, 20
# So many rounds in a row that leave more than this part of the least move so far: it goes no further.
STALE, FALLING = 8, 0.9
# A Newton step is cut to this part until it descends, and given up below LEAST.
CUT, LEAST = 0.4, 1e-4
# What is lent to a Gram matrix that is singular, relative to its diagonal.
LIFTS = 0.0, 1e-13, 1e-10, 1e-7
# A move or a fall of this size, relative to what it is a difference of, is rounding.
ROUNDING = 1e-14


class Turning:
    """The small problem over positions 0..k, of which group g has those from begin_g to begin_(g+1)."""

    def __init__(self, begin, thin, level):
        self.begin, self.thin, self.level = begin, thin, level
        sizes = np.diff(begin)
        self.of = np.repeat(np.arange(len(sizes)), sizes)
        self.bound, self.work = np.empty(len(sizes)), np.empty(3 * sizes.max(initial=1))
        self.passes, self.left = 0, np.inf

    def minimise(self, G, q, b, enough, budget=np.inf):
        """Bring b, with q = c - G b, to the minimum: the fall of the last step is about `enough`. Both are changed.

        Returns whether it came to an end within the budget: the cubes of the sizes of its Newton steps, added up.
        """
        bounds(G, self.begin, self.bound)
        self.left = budget
        least, stale = np.inf, 0
        for _round in range(ROUNDS):
            still = max(enough, ROUNDING**2 * float(np.diagonal(G)[: len(b)] @ (b * b)))
            zero = b == 0
            for _pass in range(PASSES):
                moved, done = epochs(G, self.begin, self.thin, self.level, self.bound, q, b, still, 1, self.work)
                self.passes += done
                before, zero = zero, b == 0
                if moved <= still:
                    return True
                if (before == zero).all():
                    break
            least, stale = min(least, moved), stale + 1 if moved > FALLING * least else 0
            if stale > STALE:
                return True
            self.newton(G, q, b, enough)
            if self.left < 0:
                return False
        return True

    def newton(self, G, q, b, enough):
        """Newton steps on what is not zero, until one falls by no more than `enough`."""
        for _step in range(STEPS):
            norms = self.norms(b)
            on = np.flatnonzero((b != 0) | ((self.thin == 0) & ((norms > 0) | (self.level == 0)))[self.of])
            self.left -= float(len(on)) ** 3
            if len(on) == 0 or self.left < 0:
                return
            x, of = b[on], self.of[on]
            slope, H = self.expand(G, q, x, norms, on, of)
            d = self.solve(H, slope, G, on)
            if d is None:
                return
            fall, change, moved = self.search(G, q, x, d, norms, on, of)
            if change is None:
                return
            b[on] = np.where(change == -x, 0.0, x + change)
            q -= moved
            if fall <= enough:
                return

    def norms(self, b):
        """|b_g|_2."""
        largest = np.abs(b).max(initial=0.0)
        if largest == 0:
            return np.zeros(len(self.level))
        return largest * np.sqrt(np.bincount(self.of, (b / largest) ** 2, len(self.level)))

    def expand(self, G, q, x, norms, on, of):
        """Gradient and Hessian at x, the coefficients `on`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            unit = np.where(norms[of] > 0, x / norms[of], 0.0)
            bend = np.where((norms > 0) & (self.level > 0), self.level / norms, 0.0)
        slope = self.thin[of] * np.sign(x) + self.level[of] * unit - q[on]
        H = G[np.ix_(on, on)]
        H[np.diag_indices_from(H)] += bend[of]
        ends = np.flatnonzero(np.diff(of, prepend=-1, append=-1))
        for lo, hi in zip(ends[:-1], ends[1:], strict=True):
            H[lo:hi, lo:hi] -= bend[of[lo]] * np.outer(unit[lo:hi], unit[lo:hi])
        return slope, H

    def solve(self, H, slope, G, on):
        """-H^-1 slope, or None."""
        diagonal = np.diagonal(G)[on]
        for lift in LIFTS:
            factor, failed = lapack.dpotrf((H + np.diag(lift * diagonal) if lift else H).T, lower=1, clean=0)
            if not failed:
                return -lapack.dpotrs(factor, slope, lower=1)[0]
        return None

    def search(self, G, q, x, d, norms, on, of):
        """The fall of the objective along d, the change of x, signs being kept where thin > 0, and G times it."""
        t, thin, level, full = 1.0, self.thin[of], self.level, np.zeros(len(q))
        while t > LEAST:
            change = np.where((thin > 0) & ((x + t * d) * x <= 0), -x, t * d)
            new = x + change
            after = np.sqrt(np.bincount(of, new * new, len(level)))
            # |x + d| - |x| without cancellation
            longer = np.bincount(of, change * (x + new), len(level))
            both = after + norms
            full[on] = change
            moved = G[: len(q), : len(q)] @ full
            terms = -q[on] * change, thin * np.sign(x) * change, change * moved[on] / 2
            rise = sum(term.sum() for term in terms)
            rise += level @ np.divide(longer, both, out=np.zeros_like(both), where=both > 0)
            if rise <= ROUNDING * np.abs(terms[0]).sum() * (t == 1):
                return -rise, change, moved
            t *= CUT
        return 0.0, None, None
