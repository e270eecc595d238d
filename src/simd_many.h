/* Products with 8 residuals at a time; included by simd.c, inlined into its clones.
 * A small tile of X is centred first, in double. Six columns of 8 sums then fill the registers of AVX2, AVX-512
 * and NEON without spilling. */
enum {
    COLUMNS = 6,
    TALL = 32, /* rows of a tile, */
    WIDE = 24, /* and its columns when X lies by rows */
    AHEAD = 16 /* entries of a sparse column between asking for a row of residuals and using it */
};
#define SMALLER(a, b) ((a) < (b) ? (a) : (b))

/* out[8 c + k] = sum_i tile[row i + column c] r[8 i + k] for c < COLUMNS, k < 8 */
INLINE void product(ptrdiff_t rows, const double *restrict tile, ptrdiff_t row, ptrdiff_t column,
                    const double *restrict r, double *restrict out)
{
    double s0[8] = {0}, s1[8] = {0}, s2[8] = {0}, s3[8] = {0}, s4[8] = {0}, s5[8] = {0};
    for (ptrdiff_t i = 0; i < rows; i++, tile += row, r += 8) {
        double x0 = tile[0], x1 = tile[column], x2 = tile[2 * column];
        double x3 = tile[3 * column], x4 = tile[4 * column], x5 = tile[5 * column];
#pragma omp simd
        for (int k = 0; k < 8; k++) {
            s0[k] += x0 * r[k];
            s1[k] += x1 * r[k];
            s2[k] += x2 * r[k];
            s3[k] += x3 * r[k];
            s4[k] += x4 * r[k];
            s5[k] += x5 * r[k];
        }
    }
    for (int k = 0; k < 8; k++) {
        out[k] = s0[k];
        out[8 + k] = s1[k];
        out[16 + k] = s2[k];
        out[24 + k] = s3[k];
        out[32 + k] = s4[k];
        out[40 + k] = s5[k];
    }
}

/* g[c ldg + k] += the products with all residuals, panel by panel; columns <= COLUMNS, the tile has all of them */
INLINE void add_products(ptrdiff_t rows, ptrdiff_t columns, const double *tile, ptrdiff_t row, ptrdiff_t column,
                         const double *r, ptrdiff_t stride, ptrdiff_t width, double *g, ptrdiff_t ldg)
{
    _Alignas(64) double sums[8 * COLUMNS];
    for (ptrdiff_t k = 0; k < width; k += 8, r += stride) {
        ptrdiff_t some = SMALLER(8, width - k);
        product(rows, tile, row, column, r, sums);
        for (ptrdiff_t c = 0; c < columns; c++)
            for (ptrdiff_t e = 0; e < some; e++)
                g[c * ldg + k + e] += sums[8 * c + e];
    }
}

/* Eight sums of a sparse column. gcc makes gathers of a plain loop whose address depends on an index; it leaves
 * vectors of 32 bytes alone (of 64 bytes it would spill under AVX2). */
#if defined(__GNUC__)
typedef double four __attribute__((vector_size(32), aligned(8), may_alias));
typedef struct {
    four low, high;
} eight;

INLINE void add_scaled(eight *sum, double x, const double *r)
{
    sum->low += x * ((const four *)r)[0];
    sum->high += x * ((const four *)r)[1];
}

INLINE void write_sum(const eight *a, const eight *b, double *out)
{
    ((four *)out)[0] = a->low + b->low;
    ((four *)out)[1] = a->high + b->high;
}
#else
typedef struct {
    double sum[8];
} eight;

INLINE void add_scaled(eight *sum, double x, const double *r)
{
    for (int k = 0; k < 8; k++)
        sum->sum[k] += x * r[k];
}

INLINE void write_sum(const eight *a, const eight *b, double *out)
{
    for (int k = 0; k < 8; k++)
        out[k] = a->sum[k] + b->sum[k];
}
#endif
