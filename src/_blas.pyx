"""Dense linear algebra without the GIL: thin, C-ordered faces of scipy's BLAS and LAPACK."""
from libc.math cimport fabs, sqrt
from scipy.linalg cimport cython_blas, cython_lapack

# BLAS is column-major: a C-ordered matrix is the transpose of what it sees, hence
# "upper" for our lower triangle, and operands swapped in gemm. Matrices of up to SMALL rows are factorised
# here, and products of up to FEW multiplications made: libraries lay out memory for blocks first, which takes longer.

cdef enum:
    SMALL = 12
    FEW = 500


cdef double dot(Py_ssize_t n, const double *x, const double *y) noexcept nogil:
    cdef blas_int size = <blas_int>n, one = 1
    return cython_blas.ddot(&size, <double*>x, &one, <double*>y, &one)


cdef void axpy(Py_ssize_t n, double a, const double *x, double *y) noexcept nogil:
    cdef blas_int size = <blas_int>n, one = 1
    cython_blas.daxpy(&size, &a, <double*>x, &one, y, &one)


cdef float single_dot(Py_ssize_t n, const float *x, const float *y) noexcept nogil:
    cdef blas_int size = <blas_int>n, one = 1
    return cython_blas.sdot(&size, <float*>x, &one, <float*>y, &one)


cdef void single_axpy(Py_ssize_t n, float a, const float *x, float *y) noexcept nogil:
    cdef blas_int size = <blas_int>n, one = 1
    cython_blas.saxpy(&size, &a, <float*>x, &one, y, &one)


cdef void gemv(Py_ssize_t m, Py_ssize_t n, double a, const double *A, Py_ssize_t ld,
               const double *x, double *y) noexcept nogil:
    cdef blas_int rows = <blas_int>n, columns = <blas_int>m, lda = <blas_int>ld, one = 1
    cdef double beta = 1.0
    cython_blas.dgemv("T", &rows, &columns, &a, <double*>A, &lda, <double*>x, &one, &beta, y, &one)


cdef void gemv_t(Py_ssize_t m, Py_ssize_t n, double a, const double *A, Py_ssize_t ld,
                 const double *x, double *y) noexcept nogil:
    cdef blas_int rows = <blas_int>n, columns = <blas_int>m, lda = <blas_int>ld, one = 1
    cdef double beta = 1.0
    cython_blas.dgemv("N", &rows, &columns, &a, <double*>A, &lda, <double*>x, &one, &beta, y, &one)


cdef void gemm_nt(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const double *A, Py_ssize_t lda,
                  const double *B, Py_ssize_t ldb, double *C, Py_ssize_t ldc) noexcept nogil:
    cdef blas_int m_ = <blas_int>m, n_ = <blas_int>n, k_ = <blas_int>k
    cdef blas_int lda_ = <blas_int>lda, ldb_ = <blas_int>ldb, ldc_ = <blas_int>ldc
    cdef double one = 1.0
    cython_blas.dgemm("T", "N", &n_, &m_, &k_, &one, <double*>B, &ldb_, <double*>A, &lda_, &one, C, &ldc_)


cdef void syrk(Py_ssize_t n, Py_ssize_t k, double a, const double *A, Py_ssize_t lda,
               double *C, Py_ssize_t ldc) noexcept nogil:
    cdef blas_int n_ = <blas_int>n, k_ = <blas_int>k, lda_ = <blas_int>lda, ldc_ = <blas_int>ldc
    cdef double one = 1.0
    cdef Py_ssize_t i, j, e
    if n * n * k <= FEW:
        for i in range(n):
            for j in range(i + 1):
                for e in range(k):
                    C[i * ldc + j] += a * A[i * lda + e] * A[j * lda + e]
        return
    cython_blas.dsyrk("U", "T", &n_, &k_, &a, <double*>A, &lda_, &one, C, &ldc_)


cdef void syrk_t(Py_ssize_t n, Py_ssize_t k, double a, const double *A, Py_ssize_t lda,
                 double *C, Py_ssize_t ldc) noexcept nogil:
    cdef blas_int n_ = <blas_int>n, k_ = <blas_int>k, lda_ = <blas_int>lda, ldc_ = <blas_int>ldc
    cdef double one = 1.0
    cython_blas.dsyrk("U", "N", &n_, &k_, &a, <double*>A, &lda_, &one, C, &ldc_)


cdef void single_syrk(Py_ssize_t n, Py_ssize_t k, float a, const float *A, Py_ssize_t lda,
                      float *C, Py_ssize_t ldc) noexcept nogil:
    cdef blas_int n_ = <blas_int>n, k_ = <blas_int>k, lda_ = <blas_int>lda, ldc_ = <blas_int>ldc
    cdef float one = 1.0
    cython_blas.ssyrk("U", "T", &n_, &k_, &a, <float*>A, &lda_, &one, C, &ldc_)


cdef void single_syrk_t(Py_ssize_t n, Py_ssize_t k, float a, const float *A, Py_ssize_t lda,
                        float *C, Py_ssize_t ldc) noexcept nogil:
    cdef blas_int n_ = <blas_int>n, k_ = <blas_int>k, lda_ = <blas_int>lda, ldc_ = <blas_int>ldc
    cdef float one = 1.0
    cython_blas.ssyrk("U", "N", &n_, &k_, &a, <float*>A, &lda_, &one, C, &ldc_)


cdef int cholesky(Py_ssize_t n, double *A, Py_ssize_t ld) noexcept nogil:
    cdef blas_int n_ = <blas_int>n, ld_ = <blas_int>ld, info = 0
    if n <= SMALL:
        return small_cholesky(n, A, ld)
    cython_lapack.dpotrf("U", &n_, A, &ld_, &info)
    return <int>info


cdef void cholesky_solve(Py_ssize_t n, const double *A, Py_ssize_t ld, double *x) noexcept nogil:
    cdef blas_int n_ = <blas_int>n, ld_ = <blas_int>ld, one = 1, info = 0
    if n <= SMALL:
        small_cholesky_solve(n, A, ld, x)
        return
    cython_lapack.dpotrs("U", &n_, &one, <double*>A, &ld_, x, &n_, &info)


cdef void forward(Py_ssize_t n, Py_ssize_t k, const double *L, Py_ssize_t ldl,
                  double *B, Py_ssize_t ldb) noexcept nogil:
    cdef blas_int n_ = <blas_int>n, k_ = <blas_int>k, ldl_ = <blas_int>ldl, ldb_ = <blas_int>ldb
    cdef double one = 1.0
    cython_blas.dtrsm("L", "U", "T", "N", &n_, &k_, &one, <double*>L, &ldl_, B, &ldb_)


cdef int small_cholesky(Py_ssize_t n, double *A, Py_ssize_t ld) noexcept nogil:
    cdef Py_ssize_t i, j, e
    cdef double rest
    for i in range(n):
        for j in range(i + 1):
            rest = A[i * ld + j]
            for e in range(j):
                rest -= A[i * ld + e] * A[j * ld + e]
            if j < i:
                A[i * ld + j] = rest / A[j * ld + j]
            elif rest > 0:
                A[i * ld + i] = sqrt(rest)
            else:
                return <int>i + 1
    return 0


cdef void small_cholesky_solve(Py_ssize_t n, const double *A, Py_ssize_t ld, double *x) noexcept nogil:
    cdef Py_ssize_t i, e
    for i in range(n):
        for e in range(i):
            x[i] -= A[i * ld + e] * x[e]
        x[i] /= A[i * ld + i]
    for i in range(n - 1, -1, -1):
        x[i] /= A[i * ld + i]
        for e in range(i):
            x[e] -= A[i * ld + e] * x[i]


cdef int lu(blas_int n, double *A, blas_int *pivots) noexcept nogil:
    cdef blas_int info = 0
    if n <= SMALL:
        return small_lu(n, A, pivots)
    cython_lapack.dgetrf(&n, &n, A, &n, pivots, &info)
    return <int>info


cdef void lu_solve(blas_int n, const double *A, const blas_int *pivots, double *x) noexcept nogil:
    cdef blas_int one = 1, info = 0
    if n <= SMALL:
        small_lu_solve(n, A, pivots, x)
        return
    cython_lapack.dgetrs("N", &n, &one, <double*>A, &n, <blas_int*>pivots, x, &n, &info)


cdef int small_lu(Py_ssize_t n, double *A, blas_int *pivots) noexcept nogil:
    # Fortran's order and numbering, as LAPACK's
    cdef Py_ssize_t i, j, c, top
    for j in range(n):
        top = j
        for i in range(j + 1, n):
            if fabs(A[i + j * n]) > fabs(A[top + j * n]):
                top = i
        pivots[j] = <blas_int>(top + 1)
        if A[top + j * n] == 0:
            return <int>j + 1
        if top != j:
            for c in range(n):
                A[j + c * n], A[top + c * n] = A[top + c * n], A[j + c * n]
        for i in range(j + 1, n):
            A[i + j * n] /= A[j + j * n]
        for c in range(j + 1, n):
            for i in range(j + 1, n):
                A[i + c * n] -= A[i + j * n] * A[j + c * n]
    return 0


cdef void small_lu_solve(Py_ssize_t n, const double *A, const blas_int *pivots, double *x) noexcept nogil:
    cdef Py_ssize_t i, j
    for j in range(n):
        x[j], x[pivots[j] - 1] = x[pivots[j] - 1], x[j]
    for j in range(n):
        for i in range(j + 1, n):
            x[i] -= A[i + j * n] * x[j]
    for j in range(n - 1, -1, -1):
        x[j] /= A[j + j * n]
        for i in range(j):
            x[i] -= A[i + j * n] * x[j]


cdef void mirror(Py_ssize_t k, Py_ssize_t known, double *G, Py_ssize_t ld) noexcept nogil:
    """Upper triangle of G from the lower one, rows known:k, in squares that the cache holds."""
    cdef Py_ssize_t a, c, top, left
    for top in range(known, k, 16):
        for left in range(0, top + 16, 16):
            for a in range(top, min(top + 16, k)):
                for c in range(left, min(left + 16, a)):
                    G[c * ld + a] = G[a * ld + c]
