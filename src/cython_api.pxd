# The public C face of l1l2fast: plain functions on double, without the GIL, without
# allocation, that cannot fail. Signatures are frozen (tests/test_cython_api.py): none is ever
# changed, new ones are added. Downstream:
#
#     from l1l2fast.cython_api cimport soft_threshold_d
#
# Matrices are C-ordered with `ld` numbers from one row to the next.

# sign(z) max(|z| - t, 0), the minimiser of (b - z)^2 / 2 + t |b|
cdef double soft_threshold_d(double z, double t) noexcept nogil

# minimiser of (b - z)^2 / 2 + step * alpha |b|
cdef double prox_l1_d(double z, double step, double alpha) noexcept nogil
# minimiser of (b - z)^2 / 2 + step * alpha b^2 / 2
cdef double prox_l2_d(double z, double step, double alpha) noexcept nogil
# minimiser of (b - z)^2 / 2 + step * (l1 |b| + l2 b^2 / 2)
cdef double prox_l1l2_d(double z, double step, double l1, double l2) noexcept nogil
# minimiser of |b - z|_2^2 / 2 + t |b|_2 over vectors of length n, written to b; z and b may be the same memory
cdef void prox_group_d(Py_ssize_t n, const double *z, double t, double *b) noexcept nogil

# b <- soft_threshold_d(z, t), entry by entry; z and b may be the same memory
cdef void soft_threshold_n_d(Py_ssize_t n, const double *z, double t, double *b) noexcept nogil

# One pass of coordinate descent on 1/2 b'G b - c'b + l1 |b|_1 + l2/2 |b|_2^2. G is n x n and symmetric;
# q = c - G b is kept up to date, n numbers of the caller's. Coordinates with G_jj <= 0 stay.
# Returns sum_j G_jj (change of b_j)^2: small means converged.
cdef double enet_gram_epoch_d(Py_ssize_t n, const double *G, Py_ssize_t ld, double *q, double *b,
                              double l1, double l2) noexcept nogil

# One pass of coordinate descent on |r|_2^2 / 2 + l1 |b|_1 + l2/2 |b|_2^2 with r = y - X b kept up to date.
# X is rows x n and column j starts at X + j * ld (Fortran order); square_j = |x_j|_2^2.
# Returns sum_j square_j (change of b_j)^2.
cdef double enet_epoch_d(Py_ssize_t rows, Py_ssize_t n, const double *X, Py_ssize_t ld, const double *square,
                         double *r, double *b, double l1, double l2) noexcept nogil

# Weights of one reweighting for the L1 loss: w_i = 1 / sqrt(r_i^2 + eps^2), eps > 0
cdef void lad_weights_d(Py_ssize_t n, const double *r, double eps, double *w) noexcept nogil
