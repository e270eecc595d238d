"""The public C face: ``from l1l2fast.cython_api cimport soft_threshold_d``, see cython_api.pxd."""
from libc.math cimport hypot, sqrt

from l1l2fast._blas cimport axpy, dot
from l1l2fast._scalar cimport soft_threshold


cdef double soft_threshold_d(double z, double t) noexcept nogil:
    return soft_threshold(z, t)


cdef double prox_l1_d(double z, double step, double alpha) noexcept nogil:
    return soft_threshold(z, step * alpha)


cdef double prox_l2_d(double z, double step, double alpha) noexcept nogil:
    return z / (1 + step * alpha)


cdef double prox_l1l2_d(double z, double step, double l1, double l2) noexcept nogil:
    return soft_threshold(z, step * l1) / (1 + step * l2)


cdef void prox_group_d(Py_ssize_t n, const double *z, double t, double *b) noexcept nogil:
    cdef Py_ssize_t i
    cdef double norm = sqrt(dot(n, z, z)), shrink = 0.0
    if norm > t:
        shrink = 1 - t / norm
    for i in range(n):
        b[i] = shrink * z[i]


cdef void soft_threshold_n_d(Py_ssize_t n, const double *z, double t, double *b) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        b[i] = soft_threshold(z[i], t)


cdef double enet_gram_epoch_d(Py_ssize_t n, const double *G, Py_ssize_t ld, double *q, double *b,
                              double l1, double l2) noexcept nogil:
    cdef Py_ssize_t j
    cdef double h, change, moved = 0.0
    for j in range(n):
        h = G[j * ld + j]
        if h > 0:
            change = soft_threshold(q[j] + h * b[j], l1) / (h + l2) - b[j]
            if change != 0:
                b[j] += change
                axpy(n, -change, G + j * ld, q)
                moved += h * change * change
    return moved


cdef double enet_epoch_d(Py_ssize_t rows, Py_ssize_t n, const double *X, Py_ssize_t ld, const double *square,
                         double *r, double *b, double l1, double l2) noexcept nogil:
    cdef Py_ssize_t j
    cdef double h, change, moved = 0.0
    for j in range(n):
        h = square[j]
        if h > 0:
            change = soft_threshold(dot(rows, X + j * ld, r) + h * b[j], l1) / (h + l2) - b[j]
            if change != 0:
                b[j] += change
                axpy(rows, -change, X + j * ld, r)
                moved += h * change * change
    return moved


cdef void lad_weights_d(Py_ssize_t n, const double *r, double eps, double *w) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        w[i] = 1 / hypot(r[i], eps)
