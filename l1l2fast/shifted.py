"""(M + a I) x = c for many a at once, M symmetric and positive semidefinite.

One factorisation serves all shifts, if they are more than a few: Lanczos's (1950) as far as it is
cheap, Householder's (1958) tridiagonal form, the eigenvectors where they are wanted themselves, or,
where M = A'A would square a condition number that is large already, the singular values of A.
Every solver has

    solve(c, shifts)     of shape (size, targets * shifts) from one column of c per target
    correct(c, shifts)   the same from one column of c per solution; shifts then has their number
    extent               the largest and the smallest eigenvalue of M, as far as they were seen
"""

import numpy as np
from scipy.linalg import blas, eigh, eigvalsh_tridiagonal, lapack, svd

from l1l2fast.problem import EPS

# Smaller matrices are made tridiagonal at once.
SMALL = 500
# A Cholesky factor for each of so many shifts costs less than the tridiagonal form.
FEW = 4
# Lanczos gives up where it would take more steps than this part of the size: the tridiagonal form costs that.
PATIENCE = 1 / 10
# Steps between two looks at what Lanczos has got.
LOOK = 8


def apart(c, count):
    """Each column of c `count` times."""
    return np.repeat(c, count, axis=1)


def factorise(gram):
    """The Cholesky factor (lower, in place); estimates of the condition number, inf if there is none, and the norm."""
    v = gram.diagonal().copy()
    for _ in range(3):  # close enough to the largest eigenvalue
        v = blas.dsymv(1 / np.linalg.norm(v), gram, v, lower=1)
    norm = np.linalg.norm(v)
    factor, info = lapack.dpotrf(gram, lower=1, clean=0, overwrite_a=1)
    rcond = 0.0 if info else lapack.dpocon(factor, norm, uplo="L")[0]
    return factor, 1 / rcond if rcond > 0 else np.inf, norm


class Cholesky:
    """One factor per shift, for a few of them."""

    method = "cholesky"

    def __init__(self, M, shifts):
        self.factors, self.shifts, worst = {}, shifts, 0.0
        for k, shift in enumerate(shifts):
            moved = M if k == len(shifts) - 1 else M.copy(order="F")
            diagonal = moved.diagonal() + shift
            moved[np.diag_indices_from(moved)] = diagonal
            self.factors[float(shift)], condition, norm = factorise(moved)
            if condition >= worst:
                worst, self.extent = condition, (norm - shift, norm / condition - shift)

    def solve(self, c, shifts):
        """(L L')^-1 c."""
        return self.correct(apart(c, len(shifts)), np.tile(shifts, c.shape[1]))

    def correct(self, c, shifts):
        """The same."""
        out = np.empty(c.shape, order="F")
        for shift, factor in self.factors.items():
            which = shifts == shift
            out[:, which] = lapack.dpotrs(factor, c[:, which], lower=1)[0]
        return out


class Eigen:
    """M = V diag(s) V'."""

    method = "eigh"

    def __init__(self, M):
        self.s, self.V = eigh(M, lower=True, overwrite_a=True, check_finite=False, driver="evd")
        self.s = np.maximum(self.s, 0.0)
        self.extent = self.s[-1], self.s[0]

    def solve(self, c, shifts):
        """V (V'c / (s + a))."""
        turned = apart(self.V.T @ c, len(shifts))
        return self.V @ (turned / (self.s[:, None] + np.tile(shifts, c.shape[1])))

    def correct(self, c, shifts):
        """The same."""
        return self.V @ ((self.V.T @ c) / (self.s[:, None] + shifts))


class Tridiagonal:
    """M = Q T Q' for less than half of the work of the eigenvectors."""

    method = "tridiagonal"

    def __init__(self, M):
        p = len(M)
        factor, self.d, self.e, tau, _ = lapack.dsytrd(M, lower=1, lwork=64 * p, overwrite_a=1)
        self.reflectors = np.asfortranarray(factor[1:, : p - 1]), tau
        ends = [eigvalsh_tridiagonal(self.d, self.e, select="i", select_range=(k, k))[0] for k in (p - 1, 0)]
        self.extent = max(ends[0], 0.0), max(ends[1], 0.0)

    def solve(self, c, shifts):
        """Q (T + a)^-1 Q'c."""
        return self.correct(c, np.tile(shifts, c.shape[1]), len(shifts))

    def correct(self, c, shifts, count=1):
        """The same; each column of c stands for `count` solutions."""
        c = self.turn("T", c)
        out = np.empty((len(c), len(shifts)), order="F")
        for k, shift in enumerate(shifts):
            out[:, k] = lapack.dptsv(self.d + shift, self.e, c[:, k // count])[2]
        return self.turn("N", out)

    def turn(self, trans, c):
        """Q'c for "T", Q c for "N"; the first row stays as it is."""
        if len(c) > 1:
            rest = lapack.dormqr("L", trans, *self.reflectors, c[1:], 64 * c.shape[1])[0]
            c = np.concatenate([c[:1], rest])
        return c


class Lanczos:
    """M = V T V' as far as c sees it, with full orthogonalisation; None of it if that goes on for too long."""

    method = "lanczos"

    def __init__(self, M, c, shift, aim):
        most = int(len(M) * PATIENCE)
        self.V, self.d, self.e = np.empty((len(M), most + 1), order="F"), np.empty(most), np.empty(most)
        self.size, self.steps, self.done = np.linalg.norm(c), 0, False
        if self.size == 0 or len(M) < SMALL:
            return
        self.V[:, 0] = c / self.size
        history = []
        for m in range(1, most + 1):
            self.step(M, m)
            if m % LOOK:
                continue
            history.append(abs(self.e[m - 1] * self.small(shift)[-1]) / self.size)
            if not history[-1] > aim:
                self.finish(m)
                return
            if len(history) > 2:  # at the pace of late
                pace = np.log(history[-3] / history[-1]) / (2 * LOOK)
                if pace <= 0 or m + np.log(history[-1] / aim) / pace > most:
                    return

    def step(self, M, m):
        """One more column of V: the image of the last, orthogonal to all."""
        V = self.V[:, :m]
        new = blas.dsymv(1.0, M, V[:, -1], lower=1)
        self.d[m - 1] = V[:, -1] @ new
        for _ in range(2):
            new -= V @ (new @ V)
        self.steps, self.e[m - 1] = m, np.linalg.norm(new)
        self.V[:, m] = new / self.e[m - 1] if self.e[m - 1] > 0 else 0.0

    def small(self, shift):
        """(T + a)^-1 V'c; its last entry times the last e is the size of the residual."""
        right = np.zeros(self.steps)
        right[0] = self.size
        return lapack.dptsv(self.d[: self.steps] + shift, self.e[: self.steps - 1], right)[2]

    def finish(self, m):
        """Keep what was asked for."""
        ends = eigvalsh_tridiagonal(self.d[:m], self.e[: m - 1])
        self.extent, self.done, self.V = (ends[-1], max(ends[0], 0.0)), True, self.V[:, :m]

    def solve(self, c, shifts):
        """V (T + a)^-1 V'c, c being the vector that V was built on."""
        return self.V @ np.stack([self.small(shift) for shift in shifts], axis=1)


class Singular:
    """A = U diag(root of s) V' from any A with that A'A = M, and proj = U'y: nothing is squared that is not divided."""

    method = "svd"

    def __init__(self, A, y):
        try:
            U, sigma, Vt = svd(A, full_matrices=False, overwrite_a=False, check_finite=False)
        except np.linalg.LinAlgError:
            U, sigma, Vt = svd(A, full_matrices=False, check_finite=False, lapack_driver="gesvd")
        rank = int(np.count_nonzero(sigma > EPS * max(32, *A.shape) * sigma[:1]))
        self.V, self.sigma, self.turned = Vt[:rank].T, sigma[:rank], U[:, :rank].T @ y
        self.s, self.full = self.sigma**2, rank == A.shape[1]
        low = self.s[-1] if self.full and rank else 0.0
        self.extent = (self.s[0], low) if rank else (0.0, 0.0)

    def solve(self, c, shifts):
        """V sigma / (s + a) U'y; c is not looked at."""
        turned = apart(self.turned * self.sigma[:, None], len(shifts))
        return self.V @ (turned / (self.s[:, None] + np.tile(shifts, self.turned.shape[1])))

    def correct(self, c, shifts):
        """V (V'c / (s + a))."""
        return self.V @ ((self.V.T @ c) / (self.s[:, None] + shifts))
