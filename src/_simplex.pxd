from libc.stdint cimport int64_t

# What `optimum` answers, too: the k x k algebra needs k independent rows.
cdef enum:
    OPTIMAL = 0, PIVOT_CAP = 1, UNBOUNDED = 2, DEFICIENT = 3, INFEASIBLE = 4, PENDING = 5, NO_MEMORY = 6


# `simplex` for whoever has C arrays: Z is m x k, row by row. PENDING if Ctrl-C came.
cdef int optimum(Py_ssize_t m, Py_ssize_t k, const double* Z, const double* y, const double* left, const double* right,
                 const double* c, double* b, int64_t* basis, double* psi, Py_ssize_t max_pivots,
                 Py_ssize_t* pivots) noexcept nogil
