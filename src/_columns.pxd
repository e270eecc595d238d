# What a solver may ask of X: its columns, centred and scaled, x~_j = scale_j (x_j - mean_j).
# Dense or sparse, order and dtype are decided behind these methods and nowhere else.
#
# v is any n-vector; `total` is sum(v), which a centred sparse column needs.


cdef enum:
    # numbers handled between two looks at Ctrl-C: about a tenth of a second of memory traffic
    PART = 1 << 26

# the address of an array's memory, read-only memory too; whoever asks keeps the array alive
cdef const char *address(array) except? NULL


cdef class Columns:
    cdef readonly Py_ssize_t n, p
    cdef readonly bint sparse
    cdef readonly object mean, scale          # float64 arrays (p,), seen by Python
    cdef double[::1] mean_, scale_            # the same memory
    cdef readonly object owner                # the user's X, kept alive and never written

    cdef allot(self, Py_ssize_t n, Py_ssize_t p, owner)
    # x~_j' v
    cdef double dot(self, Py_ssize_t j, const double *v, double total) noexcept nogil
    # x~_j will be asked for next
    cdef void expect(self, Py_ssize_t j) noexcept nogil
    # v += a w * x~_j up to a multiple of w; returns how much sum(v) grew by that; sparse: w NULL for 1 / n each
    cdef double axpy(self, Py_ssize_t j, double a, const double *w, double *v) noexcept nogil
    # that axpy, with `total` kept up to date, and then the dot of another column
    cdef double move(self, Py_ssize_t j, double a, const double *w, double *v, double *total,
                     Py_ssize_t after) noexcept nogil
    # out[a, i - lo] = root_i x~_ij for the rows lo <= i < hi and the columns j = which[a]; root NULL for ones
    cdef void load(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k,
                   const double *root, double *out, Py_ssize_t ld) noexcept nogil
    # out[a, i] = x~_ij for i = rows[i], j = which[a]; False if this store cannot
    cdef bint load_rows(self, const Py_ssize_t *rows, Py_ssize_t m, const Py_ssize_t *which, Py_ssize_t k,
                        double *out, Py_ssize_t ld) noexcept nogil
    # one part of g = X~'v: columns lo:hi, or the sums over rows lo:hi of a C-ordered X (see `parts`); g was zero
    cdef void sweep_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *v, double total, double *g) noexcept nogil
    # the same with K vectors in panels of 8 (see simd.h) whose sums are `total`, g (p, K)
    cdef void many_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *r, Py_ssize_t K, const double *total,
                        double *g) noexcept nogil
    # one part of the moments about `origin`: sum w d, sum w d^2, sum v d with d = x_j - origin_j
    cdef void moments_part(self, Py_ssize_t lo, Py_ssize_t hi, const double *origin, const double *w,
                           const double *v, double *s1, double *s2, double *s3) noexcept nogil
    # x~_j'w, sum w x~_j^2 and x~_j'v, given the sums of w and v
    cdef void weigh_one(self, Py_ssize_t j, const double *w, const double *v, double all_w, double all_v,
                        double *out) noexcept nogil
    # one part of f = X~ b: entries lo:hi of `which` (the nonzero b), or rows lo:hi of a C-ordered X
    cdef void predict_part(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k,
                           const double *b, const double *ones, double *f) noexcept nogil
    # are the pieces of `parts` rows, as the memory lies, or columns?
    cdef bint by_rows(self) noexcept nogil
    # number of pieces the matrix is walked in, and how many of them hold about so many numbers
    cdef Py_ssize_t parts(self, Py_ssize_t numbers, Py_ssize_t *step) noexcept nogil
    # the same for `sweep`, whose pieces the threads share
    cdef Py_ssize_t pieces(self, Py_ssize_t *step) noexcept nogil
    # `sweep` and a piece of it; `moments`; f = X~ b; r = y - f and w r of `residual`, returning sum w r^2
    cdef swept(self, const double[::1] v, int n_jobs)
    cpdef sweep_piece(self, Py_ssize_t lo, Py_ssize_t hi, const double[::1] v, double total, out)
    cdef int add_moments(self, const double[::1] w, const double[::1] v, double[::1] origin,
                         double[:, ::1] s) except -1
    cdef int fit(self, const double[::1] b, double[::1] f, const Py_ssize_t[::1] which_=*) except -1
    cdef double subtract(self, const double[::1] y, const double[::1] w, const double[::1] b, bint centred,
                         double[::1] r, double[::1] theta) except? -1
    cdef double settle(self, const double[::1] w, bint centred, double[::1] r, double[::1] theta) noexcept
    # r, w r and X~'(w r) by reading X once
    cdef at_once(self, const double[::1] y, const double[::1] w, const double[::1] b, double[::1] r, double[::1] theta)
    # rows lo:hi of it: r holds y, and g (p,) is what these rows add; False if this store cannot
    cdef bint fresh_part(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k, const double *b,
                         const double *ones, const double *w, double *r, double *theta, double *g) noexcept nogil
    # f = X~ b of the rows lo:hi, for b that is zero but for the k columns `which`; False if this store cannot
    cdef bint fit_rows(self, Py_ssize_t lo, Py_ssize_t hi, const Py_ssize_t *which, Py_ssize_t k, const double *b,
                       double *f) noexcept nogil
    # g_j += sum_i (x_ij - mean_j) v_i over the rows lo:hi, not scaled; g (2, p), the second row for work
    cdef void sweep_rows(self, Py_ssize_t lo, Py_ssize_t hi, const double *v, double *g) noexcept nogil
    # `gram` from X as it is stored; False if X, the columns or the weights do not allow it
    cdef bint gram_of_stored(self, const Py_ssize_t[::1] which, const double[::1] root, double[:, ::1] G) except -1
    # G (k, k) += w X'X over the rows lo:hi, as they are stored, of k columns from `first` on, in its lower triangle;
    # False if BLAS cannot read them there
    cdef bint add_stored(self, Py_ssize_t lo, Py_ssize_t hi, Py_ssize_t first, Py_ssize_t k,
                         double w, double *G, Py_ssize_t ld) noexcept nogil
    # a run of rows of X~, added to the Gram matrix under construction in `gram`
    cdef void add_gram(self, Py_ssize_t begin, Py_ssize_t end, const Py_ssize_t *which, Py_ssize_t k,
                       Py_ssize_t known, const double *root, double *block, Py_ssize_t rows,
                       double *G, Py_ssize_t ld) noexcept nogil
