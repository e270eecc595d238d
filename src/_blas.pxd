# Dense linear algebra without the GIL; the one place that knows BLAS, LAPACK and their integer.
# Matrices are C-ordered double; `ld` is the distance between rows.
include "_blas_int.pxi"


cdef double dot(Py_ssize_t n, const double *x, const double *y) noexcept nogil
cdef void axpy(Py_ssize_t n, double a, const double *x, double *y) noexcept nogil
# the same in single precision
cdef float single_dot(Py_ssize_t n, const float *x, const float *y) noexcept nogil
cdef void single_axpy(Py_ssize_t n, float a, const float *x, float *y) noexcept nogil
# y += a A x, A (m, n) with row distance ld
cdef void gemv(Py_ssize_t m, Py_ssize_t n, double a, const double *A, Py_ssize_t ld,
               const double *x, double *y) noexcept nogil
# y += a A'x, A (m, n) with row distance ld
cdef void gemv_t(Py_ssize_t m, Py_ssize_t n, double a, const double *A, Py_ssize_t ld,
                 const double *x, double *y) noexcept nogil
# C (m, n) += A B', A (m, k) and B (n, k), all C-ordered
cdef void gemm_nt(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const double *A, Py_ssize_t lda,
                  const double *B, Py_ssize_t ldb, double *C, Py_ssize_t ldc) noexcept nogil
# lower triangle of C (n, n) += a A A', A (n, k)
cdef void syrk(Py_ssize_t n, Py_ssize_t k, double a, const double *A, Py_ssize_t lda,
               double *C, Py_ssize_t ldc) noexcept nogil
# lower triangle of C (n, n) += a A'A, A (k, n)
cdef void syrk_t(Py_ssize_t n, Py_ssize_t k, double a, const double *A, Py_ssize_t lda,
                 double *C, Py_ssize_t ldc) noexcept nogil
# the same two in single precision
cdef void single_syrk(Py_ssize_t n, Py_ssize_t k, float a, const float *A, Py_ssize_t lda,
                      float *C, Py_ssize_t ldc) noexcept nogil
cdef void single_syrk_t(Py_ssize_t n, Py_ssize_t k, float a, const float *A, Py_ssize_t lda,
                        float *C, Py_ssize_t ldc) noexcept nogil
# Cholesky factor of the symmetric A (n, n), stored and read in its lower triangle; 0 if positive definite
cdef int cholesky(Py_ssize_t n, double *A, Py_ssize_t ld) noexcept nogil
# x <- A^-1 x with that factor
cdef void cholesky_solve(Py_ssize_t n, const double *A, Py_ssize_t ld, double *x) noexcept nogil
# B (k, n) <- B L'^-1, that is, each row b of B becomes the z of L z = b; L (n, n) lower
cdef void forward(Py_ssize_t n, Py_ssize_t k, const double *L, Py_ssize_t ldl, double *B, Py_ssize_t ldb) noexcept nogil
# A (n, n) symmetric, but not definite: its factors, and x <- A^-1 x with them; 0 if there are any
cdef int lu(blas_int n, double *A, blas_int *pivots) noexcept nogil
cdef void lu_solve(blas_int n, const double *A, const blas_int *pivots, double *x) noexcept nogil
# upper triangle of G from the lower one, rows known:k
cdef void mirror(Py_ssize_t k, Py_ssize_t known, double *G, Py_ssize_t ld) noexcept nogil
