# The linear system of a step of the interior point method, see `_interior`.
#
#     dpsi = g - q (Z'db),   Z dpsi = miss
#
# All memory is the caller's; k columns, m rows, of which the last k may be those of the identity.

cdef enum:
    BLOCK = 256  # rows packed for syrk

cdef struct Saddle:
    Py_ssize_t m, n, k      # all rows, those that are no units, columns
    Py_ssize_t free         # columns without a price
    bint wide               # the matrix is that of the rows
    const double* Z         # k x n
    const double* y
    const double* left
    const double* right
    const double* c
    double* b
    double* psi
    double* r               # y - Z'b
    double* u
    double* v
    double* s
    double* a
    double* q               # 1 / (u / s + v / a)
    double* g               # right-hand side by rows
    double* du
    double* dv
    double* dpsi
    double* db
    double* dr              # the change of r
    double* square          # mean of the squares of each column's entries
    double* miss            # c - Z psi
    double* normal          # the matrix of the steps, lower triangle
    float* single           # the same in single precision
    bint rough              # is that good enough?
    double* block           # packed rows or columns, of either precision
    double* root            # sqrt(q) of packed rows
    Py_ssize_t* packed      # their numbers
    double* border          # of the wide matrix: x_j, and (matrix)^-1 x_j, for each free j
    double* schur           # free x free
    double* turned          # the right side of the wide system, then its solution
    double* loose           # b of the free columns


cdef inline bint counts(Saddle* t, Py_ssize_t i) noexcept nogil:
    return t.left[i] + t.right[i] > 0


# numbers that lay_out hands out, once the sizes are set
cdef Py_ssize_t needs(Saddle* t) noexcept nogil
cdef void lay_out(Saddle* t, double* memory) noexcept nogil
# `square` of Z
cdef void measure(Saddle* t) noexcept nogil
# r -= Z'b
cdef void residuals(Saddle* t, const double* b, double* r) noexcept nogil
# out += a Z v
cdef void add_sums(Saddle* t, double a, const double* v, double* out) noexcept nogil
# q and the factor of the matrix, False if there is none; `rough` ends where single precision fails
cdef bint factor(Saddle* t) noexcept nogil
# db and dpsi of g and miss; dr = -Z'db, unless the matrix is that of the rows
cdef void solve(Saddle* t) noexcept nogil
