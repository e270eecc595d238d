"""The Gram matrix X~_J' diag(h) X~_J, kept while the columns J and the weights h change a little.

Between two steps of a smooth loss few columns come in, and the curvature of many rows may stay: Huber's is 1 or 0.
Rows whose weight changed are then added with the difference; else the matrix is formed anew.
"""

import numpy as np

from l1l2fast._weigh import add_rows, gram_and_sums, weigh

# Rows whose weight changed, and columns that are new, relative to all, from which on the matrix is formed anew.
MANY = 0.25
# Columns that may stay though they are not asked for, relative to those that are.
SPARE = 0.1
# What is left of a diagonal entry after subtractions, below which they have worn it.
WORN = 1e-6


class KeptGram:
    """The matrix of the columns `which`, `G[:k, :k]`; a larger G is room for more."""

    def __init__(self, columns):
        self.columns = columns
        self.which = np.empty(0, dtype=np.intp)
        self.h, self.peak = np.empty(0), np.empty(0)
        self.G = np.empty((0, 0))

    def of(self, which, h, v, maybe):
        """The matrix for these columns and, if they are there, some of those that a mask says `maybe` to.

        Returns
        -------
        which : ndarray
            The columns, in another order.
        first, slope : ndarray
            X~_J'h and X~_J'v.
        """
        changed = np.flatnonzero(h != self.h) if len(self.h) == len(h) else None
        if self.columns.sparse or changed is None or len(changed) > MANY * len(h) or not self.follow(which, maybe):
            return self.anew(which, h, v)
        known = len(self.which) - self.new
        top = np.arange(known)
        add_rows(self.columns, self.which[:known], changed, (h - self.h)[changed], self.G)
        if (self.G[top, top] < WORN * self.peak).any():
            return self.anew(which, h, v)
        self.columns.gram(self.which, np.sqrt(h), self.G, known)
        self.h, diagonal = h.copy(), self.G.diagonal()[: len(self.which)]
        self.peak = np.concatenate([np.maximum(self.peak, diagonal[:known]), diagonal[known:]])
        first, _, slope = weigh(self.columns, self.which, h, v)
        return self.which, first, slope

    def follow(self, which, maybe):
        """Let the columns in and out, if not too many come; `new` says how many have no matrix yet."""
        wanted, inside = np.zeros(self.columns.p, dtype=bool), np.zeros(self.columns.p, dtype=bool)
        wanted[which], inside[self.which] = True, True
        new = np.flatnonzero(wanted & ~inside)
        stay = wanted[self.which]
        if np.count_nonzero(maybe[self.which] & ~stay) <= SPARE * len(which):
            stay |= maybe[self.which]
        if len(new) > MANY * len(which):
            return False
        kept = np.flatnonzero(stay)
        size, old = len(kept) + len(new), len(self.which)
        G = self.G
        if size > len(G):
            room = min(size + size // 4, self.columns.p)
            self.G = np.empty((room, room))
        if len(kept) < old:
            self.G[: len(kept), : len(kept)] = G[kept].take(kept, 1)
        elif self.G is not G:
            self.G[:old, :old] = G[:old, :old]
        self.which, self.peak, self.new = np.concatenate([self.which[kept], new]), self.peak[kept], len(new)
        return True

    def anew(self, which, h, v):
        """Form the matrix from nothing."""
        k = len(which)
        if len(self.G) != k:
            self.G = np.empty((k, k))
        self.which, self.h = which, h.copy()
        first, slope = gram_and_sums(self.columns, which, h, v, self.G)
        self.peak = self.G.diagonal()[:k].copy()
        return which, first, slope
