/* Loops that BLAS lacks: shifted, mixed precision, sparse.
 *
 * X is stored as float (suffix _s) or double (_d); sums are always double. `m` is the
 * column's centre: x - m is formed before it is multiplied, so that columns far from
 * zero lose no digits. Sparse kernels come for 32 and 64 bit indices (_si _sl _di _dl).
 * None of them allocates, none can fail; `restrict` says what must not overlap.
 */
#ifndef L1L2FAST_SIMD_H
#define L1L2FAST_SIMD_H
#include <stddef.h>
#include <stdint.h>

/* sum_i (x_i - m) v_i */
typedef double (*dot_fn)(ptrdiff_t n, const void *x, double m, const double *v);
/* v_i += a w_i (x_i - m) */
typedef void (*axpy_fn)(ptrdiff_t n, double a, const void *x, double m, const double *w, double *v);
/* both, for two columns: v_i += a w_i (x_i - m), and then sum_i (other_i - m_other) v_i */
typedef double (*move_fn)(ptrdiff_t n, double a, const void *x, double m, const double *w, double *v,
                          const void *other, double m_other);
/* p columns, ld apart: g_j = sum_i (x_ij - m_j) v_i */
typedef void (*columns_fn)(ptrdiff_t n, ptrdiff_t p, const void *x, ptrdiff_t ld, const double *m, const double *v,
                           double *g);
/* their moments: sum w (x - m), sum w (x - m)^2, sum v (x - m) */
typedef void (*moments_fn)(ptrdiff_t n, ptrdiff_t p, const void *x, ptrdiff_t ld, const double *m, const double *w,
                           const double *v, double *s1, double *s2, double *s3);
/* out_i = s_i (x_i - m), with s = NULL for ones */
typedef void (*copy_fn)(ptrdiff_t n, const void *x, double m, const double *s, double *out);
/* rows of a C-ordered X: g_j += sum_i v_i (x_ij - m_j) over `rows` rows */
typedef void (*rows_fn)(ptrdiff_t rows, ptrdiff_t p, const void *x, const double *m, const double *v, double *g);
/* and f_i = sum_j b_j scale_j (x_ij - m_j) of each */
typedef void (*row_products_fn)(ptrdiff_t rows, ptrdiff_t p, const void *x, const double *m, const double *scale,
                                const double *b, double *f);
/* the same three, added up over some rows of a C-ordered X */
typedef void (*row_moments_fn)(ptrdiff_t rows, ptrdiff_t p, const void *x, const double *m, const double *w,
                               const double *v, double *s1, double *s2, double *s3);
/* g[j ldg + k] += sum_i (x_ij - m_j) r_ik for p columns, ld apart, and `width` residuals; r is packed: panels
 * of 8 residuals, each panel n x 8 by rows on 64 byte boundaries, `stride` doubles from one to the next */
typedef void (*columns_many_fn)(ptrdiff_t n, ptrdiff_t p, const void *x, ptrdiff_t ld, const double *m,
                                const double *r, ptrdiff_t stride, ptrdiff_t width, double *g, ptrdiff_t ldg);
/* rows of a C-ordered X, transposed: out[a ld + i] = s_i scale_j (x_ij - m_j) for j = which[a], s = NULL for ones */
typedef void (*pick_fn)(ptrdiff_t rows, ptrdiff_t p, ptrdiff_t k, const void *x, const ptrdiff_t *which,
                        const double *m, const double *scale, const double *s, double *out, ptrdiff_t ld);
/* the given rows of a column whose numbers lie `stride` apart: out_i = s (x_i - m) */
typedef void (*gather_rows_fn)(ptrdiff_t n, const void *x, ptrdiff_t stride, const ptrdiff_t *rows, double m, double s,
                               double *out);
/* four columns at once: v += sum_j a_j (x_j - m_j) */
typedef void (*combine_fn)(ptrdiff_t n, const void *const *x, const double *a, const double *m, double *v);
/* one number of the store as a double */
typedef double (*item_fn)(const void *x, ptrdiff_t i);
/* sum over the stored entries of (x - m) v[index] */
typedef double (*gather_fn)(ptrdiff_t nnz, const void *x, const void *index, double m, const double *v);
/* out_k = sum over the stored entries of (x - m) r[8 index + k], k < 8; `more` >= nnz entries may be looked at */
typedef void (*gather_many_fn)(ptrdiff_t nnz, ptrdiff_t more, const void *x, const void *index, double m,
                               const double *r, double *out);
/* over the stored entries, d = x - m: out = { sum w d, sum w d^2, sum v d, sum w, sum v } */
typedef void (*entry_moments_fn)(ptrdiff_t nnz, const void *x, const void *index, double m, const double *w,
                                 const double *v, double *out);
/* columns from start[j] to start[j + 1]: g_j = sum over the stored entries of x v[index] */
typedef void (*entry_columns_fn)(ptrdiff_t p, const ptrdiff_t *start, const void *x, const void *index,
                                 const double *v, double *g);
/* the same: sum x, sum x^2, sum x v[index] */
typedef void (*plain_moments_fn)(ptrdiff_t p, const ptrdiff_t *start, const void *x, const void *index,
                                 const double *v, double *s1, double *s2, double *s3);
/* v[index] += a w[index] (x - m) over the stored entries, with w = NULL for ones */
typedef void (*scatter_fn)(ptrdiff_t nnz, double a, const void *x, const void *index, double m,
                           const double *w, double *v);
/* v[8 index] = w[index] (x - m) over the stored entries, and the sum of these */
typedef double (*spread_fn)(ptrdiff_t nnz, const void *x, const void *index, double m, const double *w, double *v);
/* number of stored entries with index < row (indices are sorted) */
typedef ptrdiff_t (*rank_fn)(ptrdiff_t nnz, const void *index, ptrdiff_t row);
typedef ptrdiff_t (*index_fn)(const void *index, ptrdiff_t k);

typedef struct {
    dot_fn dot;
    axpy_fn axpy;
    move_fn move;
    columns_fn columns;
    moments_fn moments;
    copy_fn copy;
    rows_fn rows;
    row_products_fn row_products;
    row_moments_fn row_moments;
    columns_many_fn columns_many; /* X by columns */
    columns_many_fn rows_many;    /* X by rows, ld apart */
    pick_fn pick;
    gather_rows_fn gather;
    combine_fn combine;
    item_fn item;
    size_t size; /* bytes of one number */
} dense_kernels;

typedef struct {
    gather_fn gather;
    gather_many_fn gather_many;
    entry_moments_fn moments;
    entry_columns_fn columns;
    plain_moments_fn plain_moments;
    scatter_fn scatter;
    spread_fn spread;
    rank_fn rank;
    index_fn index;
    item_fn item;
    size_t size, index_size;
} sparse_kernels;

/* psi_i = middle_i + r_i width_i, moved between -left_i and right_i; inside_i: it did not have to be */
void l1l2fast_box(ptrdiff_t n, const double *r, const double *width, const double *middle, const double *left,
                  const double *right, double *psi, signed char *inside);
/* sum_i q_i psi_i of r - t q */
double l1l2fast_box_slope(ptrdiff_t n, double t, const double *r, const double *q, const double *width,
                          const double *middle, const double *left, const double *right);
/* slope w such that, divided by w, it is not one unit in the last place beyond the slope */
double l1l2fast_within(double slope, double w);
/* theta_i = w_i times the slope of the side that r_i is on, right or -left; made continuous where |r_i| < h, if h > 0 */
void l1l2fast_sides(ptrdiff_t n, const double *r, const double *w, double left, double right, double h, double *theta);
/* f_i = y_i - (f_i + level) */
void l1l2fast_residuals(ptrdiff_t n, const double *y, double level, double *f);
/* mark_i = r_i > 0; and, with other r, whether such a mark is wrong: what is neither 0 nor 1 is not */
void l1l2fast_above(ptrdiff_t n, const double *r, unsigned char *mark);
void l1l2fast_crossed(ptrdiff_t n, const double *r, unsigned char *mark);
/* lines of slopes left and right: sum_i w_i [right (y_i - f_i)_+ + left (f_i - y_i)_+]; sums of theta and of
 * theta_i^2 / w_i over the w_i > 0 */
double l1l2fast_line_losses(ptrdiff_t n, const double *y, const double *f, const double *theta, const double *w,
                            double left, double right, double *total, double *square);
/* sum_i w_i |y_i - f_i| (slope of its side - s theta_i / w_i), each >= 0; infinite if a slope is beyond its bounds */
double l1l2fast_line_slacks(ptrdiff_t n, const double *y, const double *f, const double *theta, const double *w,
                            double left, double right, double s);
/* the same sum for f = level everywhere; max |y_i|, and how many w_i > 0 */
double l1l2fast_line_level(ptrdiff_t n, const double *y, const double *w, double level, double left, double right,
                           double *largest, ptrdiff_t *live);
/* sum_i w_i (y_i - origin); max |y_i| where w_i > 0 */
double l1l2fast_mean(ptrdiff_t n, const double *y, const double *w, double origin, double *largest);
/* v_i = w_i y_i; returns sum_i w_i, whose rounding does not add up; sum_i w_i y_i^2 */
double l1l2fast_weigh(ptrdiff_t n, const double *y, const double *w, double *v, double *energy);
/* sum_i w_i of the y_i < low, and how many lie in [low, high] */
double l1l2fast_below(ptrdiff_t n, const double *y, const double *w, double low, double high, ptrdiff_t *between);
/* the i with low <= y_i <= high, ascending; returns how many. place has room for n */
ptrdiff_t l1l2fast_places(ptrdiff_t n, const double *y, double low, double high, ptrdiff_t *place);
/* log(1 + exp(-y f)) of each and its first two derivatives in f */
void l1l2fast_logistic(ptrdiff_t n, const double *y, const double *f, double *value, double *slope, double *bend);
/* asks for memory that will soon be read */
void l1l2fast_prefetch(const void *start, size_t bytes);
dense_kernels l1l2fast_dense_kernels(int is_double);
sparse_kernels l1l2fast_sparse_kernels(int is_double, int is_int64);
#endif
