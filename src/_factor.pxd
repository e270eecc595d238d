# The Cholesky factor of G_AA + a diagonal that follows its set A: columns come and go, the factor is brought up to date.


cdef struct Factor:
    # A has `count` columns, 0 if there is no factor; row c of L, with row distance `ld`, belongs to column order[c]
    Py_ssize_t count
    Py_ssize_t ld
    Py_ssize_t changes          # since it was computed afresh
    double *L
    Py_ssize_t *order
    Py_ssize_t *mark            # workspace: ld integers
    double *diagonal            # what was added to G_jj, for every column of A
    double *turn                # workspace: 2 ld doubles


# Columns that would come and go to make A = which[0..count), all of them if there is no factor
cdef Py_ssize_t difference(Factor *f, const Py_ssize_t *which, Py_ssize_t count) noexcept nogil
# Make A = which[0..count) and the factor that of G_AA + about diag(bend); which is put in the factor's order.
# False: that is singular.
cdef bint follow(Factor *f, const double *G, Py_ssize_t ld, const double *bend, Py_ssize_t *which,
                 Py_ssize_t count) noexcept nogil
# Is every pivot of a factor beyond rounding? Row c of L belongs to column order[c] of G.
cdef bint regular(Py_ssize_t count, const double *L, Py_ssize_t ldl, const double *G, Py_ssize_t ld,
                  const Py_ssize_t *order) noexcept nogil
