"""The lasso of a Gram matrix, in l1l2fast's coordinate descent."""
import numpy as np

from l1l2fast.cython_api cimport enet_gram_epoch_d, soft_threshold_n_d


def lasso_gram(const double[:, ::1] gram, const double[::1] c, double alpha, double tol=1e-10, int max_epochs=10_000):
    """argmin_b 1/2 b'G b - c'b + alpha |b|_1, and how many epochs it took."""
    cdef Py_ssize_t n = c.shape[0]
    cdef int epoch = 0
    cdef double moved = tol + 1
    if gram.shape[0] != n or gram.shape[1] != n:
        raise ValueError(f"gram must have shape ({n}, {n}), got ({gram.shape[0]}, {gram.shape[1]})")
    answer, rest = np.zeros(n), np.array(c)
    cdef double[::1] b = answer, q = rest  # q = c - G b is kept up to date
    if n > 0:
        with nogil:
            while moved > tol and epoch < max_epochs:
                moved = enet_gram_epoch_d(n, &gram[0, 0], n, &q[0], &b[0], alpha, 0.0)
                epoch += 1
    return answer, epoch


def soft_threshold(const double[::1] z, double t):
    """sign(z) max(|z| - t, 0), entry by entry."""
    answer = np.empty(z.shape[0])
    cdef double[::1] b = answer
    if z.shape[0] > 0:
        with nogil:
            soft_threshold_n_d(z.shape[0], &z[0], t, &b[0])
    return answer
