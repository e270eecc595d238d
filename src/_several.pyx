"""Several answers of a lasso at once: their residuals, and the columns that their gaps depend on.

A column that the penalty holds at zero adds nothing to a gap. Its correlation with a residual is known without a look
at the column as far as the residual is a combination of others whose correlations are known: the rest of it moves the
correlation by no more than its length times the column's (the sphere test of Ndiaye et al., 2017, about a line).
"""
import numpy as np

from libc.math cimport fabs, sqrt

from l1l2fast._columns cimport Columns
from l1l2fast._signals cimport interrupted, raise_pending

from l1l2fast._panels import panels


def residuals(Columns X not None, const double[::1] y not None, const double[::1] w not None,
              const Py_ssize_t[::1] which not None, const double[:, ::1] rows not None, bint centred):
    """r = y - X~ b, less its mean if `centred`, and w r, for every row of b on the columns `which`: shapes (K, n)."""
    cdef Py_ssize_t i, k, a, count
    r, theta = np.zeros((rows.shape[0], X.n)), np.empty((rows.shape[0], X.n))
    cdef double[:, ::1] r_ = r, theta_ = theta
    cdef double[::1] b = np.zeros(X.p), ones = np.ones(X.n)
    cdef Py_ssize_t[::1] support = np.empty(which.shape[0] + 1, dtype=np.intp)
    for k in range(rows.shape[0] if X.n > 0 else 0):
        count = 0
        for a in range(which.shape[0]):
            b[which[a]] = rows[k, a]
            support[count] = which[a]
            count += rows[k, a] != 0
        if count > 0:
            with nogil:
                X.predict_part(0, X.n if X.by_rows() else count, &support[0], count, &b[0], &ones[0], &r_[k, 0])
        for i in range(X.n):
            r_[k, i] = y[i] - r_[k, i]
        X.settle(w, centred, r_[k], theta_[k])
        if interrupted():
            raise_pending()
    return r, theta


def correlations(Columns X not None, const Py_ssize_t[::1] which not None, theta not None,
                 double[:, ::1] G not None):
    """The rows `which` of G = X~'theta', theta (K, n), each column of X read for itself: for an X stored by columns."""
    packed = panels(theta.T)
    cdef const double[:, :, ::1] v = packed
    cdef double[::1] total = np.ravel(np.ones(X.n) @ packed)
    cdef Py_ssize_t a, k, done = 0
    for a in range(which.shape[0]):
        with nogil:
            for k in range(G.shape[1]):
                G[which[a], k] = 0.0
            X.many_part(which[a], which[a] + 1, &v[0, 0, 0], G.shape[1], &total[0], &G[0, 0])
        done += X.n
        if done > 1e8:
            done = 0
            if interrupted():
                raise_pending()


def nearest(const double[:, ::1] known not None, const double[:, ::1] r not None, const double[::1] w not None):
    """Combinations of two vectors near each row of r: coefficients C (2, K), and bounds of |r_k - C_k'known|_w."""
    cdef Py_ssize_t i, k, n = w.shape[0]
    cdef double aa = 0.0, ab = 0.0, bb = 0.0, ar, br, rr, det, rest, eps = 2.3e-16 * (16 + sqrt(<double>n))
    coefficients, lengths = np.zeros((2, r.shape[0])), np.empty(r.shape[0])
    cdef double[:, ::1] C = coefficients
    cdef double[::1] reach = lengths
    with nogil:
        for i in range(n):
            aa += w[i] * known[0, i] * known[0, i]
            ab += w[i] * known[0, i] * known[1, i]
            bb += w[i] * known[1, i] * known[1, i]
        det = aa * bb - ab * ab
        for k in range(r.shape[0]):
            ar = br = rr = rest = 0.0
            for i in range(n):
                ar += w[i] * known[0, i] * r[k, i]
                br += w[i] * known[1, i] * r[k, i]
                rr += w[i] * r[k, i] * r[k, i]
            if det > 1e-10 * aa * bb:
                C[0, k], C[1, k] = (bb * ar - ab * br) / det, (aa * br - ab * ar) / det
            elif bb > 0:
                C[1, k] = br / bb
            for i in range(n):
                rest += w[i] * (r[k, i] - C[0, k] * known[0, i] - C[1, k] * known[1, i]) ** 2
            # what rounding makes of this, and of the correlations that are known
            reach[k] = sqrt(rest) + eps * (sqrt(rr) + fabs(C[0, k]) * sqrt(aa) + fabs(C[1, k]) * sqrt(bb))
    return coefficients, lengths


def doubtful(const double[:, ::1] G not None, const double[:, ::1] C not None, const double[::1] reach not None,
             const double[::1] size not None, const double[::1] factor not None, const double[::1] bound not None):
    """The columns with |sum_b C_bk G_bj| + size_j reach_k > factor_j bound_k for some k: they must be looked at."""
    cdef Py_ssize_t j, k, count = 0, K = reach.shape[0]
    cdef double least = np.min(bound), farthest = np.max(reach), stretch = np.max(np.sum(np.abs(C), axis=0))
    which = np.empty(size.shape[0], dtype=np.intp)
    cdef Py_ssize_t[::1] which_ = which
    with nogil:
        for j in range(size.shape[0]):
            if stretch * max(fabs(G[0, j]), fabs(G[1, j])) + size[j] * farthest <= factor[j] * least:
                continue
            for k in range(K):
                if fabs(C[0, k] * G[0, j] + C[1, k] * G[1, j]) + size[j] * reach[k] > factor[j] * bound[k]:
                    which_[count] = j
                    count += 1
                    break
    return which[:count]


def exceeding(const double[:, ::1] G not None, const double[::1] factor not None, const double[::1] bound not None):
    """The columns with an entry |G_jk| > factor_j bound_k."""
    cdef Py_ssize_t j, k, count = 0
    cdef int above
    which = np.empty(G.shape[0], dtype=np.intp)
    cdef Py_ssize_t[::1] which_ = which
    with nogil:
        for j in range(G.shape[0]):
            above = 0
            for k in range(G.shape[1]):
                above |= fabs(G[j, k]) > factor[j] * bound[k]
            which_[count] = j
            count += above
    return which[:count]


def reaching(const double[::1] b not None, const double[::1] g not None, const double[::1] before not None,
             double ahead, double bound, const double[::1] square not None, const double[::1] factor not None,
             const double[::1] lower not None, const double[::1] upper not None):
    """Columns with b_j = 0 and g_j, or g_j + ahead (g_j - before_j), beyond factor_j bound: a mask, and by how much.

    That is relative to the root of their squares: a large column is not a better one.
    """
    cdef Py_ssize_t j, count = 0
    cdef double there, most
    chosen, merits = np.zeros(b.shape[0], dtype=bool), np.empty(b.shape[0])
    cdef unsigned char[::1] mask = chosen.view(np.uint8)
    cdef double[::1] merit = merits
    with nogil:
        for j in range(b.shape[0]):
            there = g[j] + ahead * (g[j] - before[j])
            if fabs(g[j]) <= factor[j] * bound and fabs(there) <= factor[j] * bound:
                continue  # nearly all of many columns: the other vectors are not read for these
            most = max(g[j], there, 0.0) if upper[j] > 0 else 0.0
            if lower[j] < 0:
                most = max(most, -g[j], -there)
            if most > factor[j] * bound and square[j] > 0 and b[j] == 0:
                mask[j] = True
                merit[count] = (most - factor[j] * bound) / sqrt(square[j])
                count += 1
    return chosen, merits[:count]
