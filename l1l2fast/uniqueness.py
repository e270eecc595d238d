"""Is a minimiser the only one? Decided by its dual point.

f(b) = sum_i rho_i(y_i - z_i'b) + c'b + 1/2 b'diag(d)b,   rho_i(r) = right_i r_+ + left_i r_-

Let b be a minimiser with residuals r and a dual point psi: -left <= psi <= right, Z'psi = c + d b, psi_i in
the subdifferential of rho_i at r_i. All minimisers agree where d > 0, f being strictly convex there,
so take t with d_j t_j = 0 for all j. Then

    f(b + t) - f(b) = sum_i [ rho_i(r_i - z_i't) - rho_i(r_i) + psi_i z_i't ],

every term is >= 0, and term i is zero exactly if psi_i is a subgradient of rho_i at r_i - z_i't too:

    -left_i < psi_i < right_i   z_i't = 0                   ("strict" rows, r_i = 0)
    psi_i = right_i             z_i't <= r_i
    psi_i = -left_i             z_i't >= r_i                (both if left_i = right_i = 0: no condition)

As t may be small, rows with r_i != 0 do not matter, and b is unique if and only if t = 0 is all of the cone

    T = { t : d_j t_j = 0,  z_i't = 0 on strict rows,  s_i z_i't <= 0 where r_i = 0 and psi_i is at a bound },

s_i = 1 at right_i, -1 at -left_i. Any dual point gives the same answer. Let N span the t that meet the
equations, in q dimensions, and A have the rows s_i z_i'N of the last kind, "loose" rows. Then

- q = 0: unique, whatever the number of zero residuals;
- A has at most q rows, or rank < q: not unique, for A v = -1 (or A v = 0, v != 0) has a solution;
- else minimise sum(A v) over -1 <= A v <= 0: this is 0 if unique, and otherwise at most -1, since a
  v != 0 of the cone can be stretched until some row reaches -1.
"""

import numpy as np
from scipy.linalg import qr
from scipy.linalg.lapack import dgeqp3, dgetrf

from l1l2fast._simplex import simplex

STRICT = 1e-9  # psi is inside its bounds by this part of their distance
RANK = 1e-10


def is_unique(Z, residual, psi, left, right, d):
    """Whether the minimiser with these residuals is the only one; see the proof above.

    Parameters
    ----------
    Z : (m, k) array, entries of size 1
    residual : (m,) array, zero where it is rounding
    psi : (m,) array, the dual point
    left, right : (m,) arrays of slopes, 0 and inf included
    d : (k,) array of curvatures, 0 included

    Returns
    -------
    bool or None
        None: the linear programme was not solved.
    """
    flat = d == 0
    k = np.count_nonzero(flat)
    if k == 0:
        return True
    width = left + right
    if width.max() == np.inf:
        width = np.minimum(width, width[width < np.inf].max(initial=0) or np.abs(psi).max())
    margin = STRICT * width
    above, below = psi + left > margin, right - psi > margin
    strict = above & below
    columns = Z if k == len(d) else Z[:, flat]
    S = columns[strict]
    if len(S) >= k and _independent(S):
        return True
    size = np.abs(residual)
    loose = (size <= 1e-12 * size.max()) & (above != below)
    if len(S) + np.count_nonzero(loose) <= k and len(S) < k:
        return False
    N = _null_space(S, k)
    A = np.where(above[loose], 1.0, -1.0)[:, None] * (columns[loose] @ N)
    return _only_zero(A, np.linalg.norm(columns[loose], axis=1))


def _independent(S):
    """Whether LU finds the columns of S independent; False is no proof of the contrary."""
    U = dgetrf(S)[0]
    return bool(np.abs(U.diagonal()).min() > RANK * np.abs(S).max())


def _rank(R):
    """The rank shown by the diagonal of a pivoted QR factorisation."""
    diagonal = np.abs(np.diagonal(R))
    return np.count_nonzero(diagonal > RANK * diagonal.max(initial=0))


def _null_space(S, k):
    """An orthonormal basis, (k, q), of the t with S t = 0."""
    if len(S) == 0:
        return np.eye(k)
    Q, R, _ = qr(S.T, pivoting=True, check_finite=False)
    return Q[:, _rank(R) :]


def _only_zero(A, length):
    """Whether A v <= 0 only for v = 0; `length` is that of the rows that A was projected from."""
    norm = np.linalg.norm(A, axis=1)
    kept = norm > RANK * length
    A = A[kept] / norm[kept, None]
    m, q = A.shape
    if m <= q or _rank(dgeqp3(A)[0]) < q:
        return False
    v, basis, dual = np.zeros(q), np.empty(q, dtype=np.int64), np.empty(2 * m)
    none, wall = np.zeros(m), np.full(m, np.inf)
    fall = A.sum(axis=0)
    status, _ = simplex(
        np.vstack([A, A]),
        np.repeat([0.0, -1.0], m),
        np.r_[wall, none],
        np.r_[none, wall],
        fall,
        v,
        basis,
        dual,
        50 * (q + 100),
    )
    return None if status else bool(fall @ v > -0.5)
