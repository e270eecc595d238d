"""Dense linear algebra without the GIL: thin, C-ordered faces of scipy's BLAS and LAPACK."""
from scipy.linalg cimport cython_blas, cython_lapack

include "_blas_int.pxi"

# BLAS is column-major: a C-ordered matrix is the transpose of what it sees, hence
# "upper" for our lower triangle, and operands swapped in gemm.


cdef double dot(Py_ssize_t n, const double *x, const double *y) noexcept nogil:
    cdef blas_int size = <blas_int>n, one = 1
    return cython_blas.ddot(&size, <double*>x, &one, <double*>y, &one)


cdef void axpy(Py_ssize_t n, double a, const double *x, double *y) noexcept nogil:
    cdef blas_int size = <blas_int>n, one = 1
    cython_blas.daxpy(&size, &a, <double*>x, &one, y, &one)


cdef void gemv(Py_ssize_t m, Py_ssize_t n, double a, const double *A, Py_ssize_t ld,
               const double *x, double *y) noexcept nogil:
    cdef blas_int rows = <blas_int>n, columns = <blas_int>m, lda = <blas_int>ld, one = 1
    cdef double beta = 1.0
    cython_blas.dgemv("T", &rows, &columns, &a, <double*>A, &lda, <double*>x, &one, &beta, y, &one)


cdef void gemm_nt(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const double *A, Py_ssize_t lda,
                  const double *B, Py_ssize_t ldb, double *C, Py_ssize_t ldc) noexcept nogil:
    cdef blas_int m_ = <blas_int>m, n_ = <blas_int>n, k_ = <blas_int>k
    cdef blas_int lda_ = <blas_int>lda, ldb_ = <blas_int>ldb, ldc_ = <blas_int>ldc
    cdef double one = 1.0
    cython_blas.dgemm("T", "N", &n_, &m_, &k_, &one, <double*>B, &ldb_, <double*>A, &lda_, &one, C, &ldc_)


cdef void syrk(Py_ssize_t n, Py_ssize_t k, const double *A, Py_ssize_t lda,
               double *C, Py_ssize_t ldc) noexcept nogil:
    cdef blas_int n_ = <blas_int>n, k_ = <blas_int>k, lda_ = <blas_int>lda, ldc_ = <blas_int>ldc
    cdef double one = 1.0
    cython_blas.dsyrk("U", "T", &n_, &k_, &one, <double*>A, &lda_, &one, C, &ldc_)


cdef int cholesky(Py_ssize_t n, double *A, Py_ssize_t ld) noexcept nogil:
    cdef blas_int n_ = <blas_int>n, ld_ = <blas_int>ld, info = 0
    cython_lapack.dpotrf("U", &n_, A, &ld_, &info)
    return <int>info


cdef void cholesky_solve(Py_ssize_t n, const double *A, Py_ssize_t ld, double *x) noexcept nogil:
    cdef blas_int n_ = <blas_int>n, ld_ = <blas_int>ld, one = 1, info = 0
    cython_lapack.dpotrs("U", &n_, &one, <double*>A, &ld_, x, &n_, &info)


cdef void forward(Py_ssize_t n, Py_ssize_t k, const double *L, Py_ssize_t ldl,
                  double *B, Py_ssize_t ldb) noexcept nogil:
    cdef blas_int n_ = <blas_int>n, k_ = <blas_int>k, ldl_ = <blas_int>ldl, ldb_ = <blas_int>ldb
    cdef double one = 1.0
    cython_blas.dtrsm("L", "U", "T", "N", &n_, &k_, &one, <double*>L, &ldl_, B, &ldb_)


cdef void syrk_minus(Py_ssize_t n, Py_ssize_t k, const double *A, Py_ssize_t lda,
                     double *C, Py_ssize_t ldc) noexcept nogil:
    cdef blas_int n_ = <blas_int>n, k_ = <blas_int>k, lda_ = <blas_int>lda, ldc_ = <blas_int>ldc
    cdef double one = 1.0, minus = -1.0
    cython_blas.dsyrk("U", "T", &n_, &k_, &minus, <double*>A, &lda_, &one, C, &ldc_)
