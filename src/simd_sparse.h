/* Sparse kernels for one REAL and INDEX; included by simd.c, contracts in simd.h. Read once per pair of types. */

static double NAME(gather)(ptrdiff_t nnz, const void *data, const void *indices, double m, const double *v)
{
    const REAL *restrict x = data;
    const INDEX *restrict index = indices;
    double even = 0, odd = 0; /* two chains hide the latency of the additions */
    ptrdiff_t k = 0;
    for (; k + 2 <= nnz; k += 2) {
        even += ((double)x[k] - m) * v[index[k]];
        odd += ((double)x[k + 1] - m) * v[index[k + 1]];
    }
    if (k < nnz)
        even += ((double)x[k] - m) * v[index[k]];
    return even + odd;
}

CLONES static void NAME(gather_many)(ptrdiff_t nnz, ptrdiff_t more, const void *data, const void *indices, double m,
                                     const double *restrict r, double *restrict out)
{
    const REAL *restrict x = data;
    const INDEX *restrict index = indices;
    eight even = {0}, odd = {0}; /* two chains hide the latency of the additions */
    ptrdiff_t k = 0;
    for (; k + 2 <= nnz; k += 2) {
        if (k + AHEAD + 1 < more) {
            PREFETCH(r + 8 * (ptrdiff_t)index[k + AHEAD]);
            PREFETCH(r + 8 * (ptrdiff_t)index[k + AHEAD + 1]);
        }
        add_scaled(&even, (double)x[k] - m, r + 8 * (ptrdiff_t)index[k]);
        add_scaled(&odd, (double)x[k + 1] - m, r + 8 * (ptrdiff_t)index[k + 1]);
    }
    if (k < nnz)
        add_scaled(&even, (double)x[k] - m, r + 8 * (ptrdiff_t)index[k]);
    write_sum(&even, &odd, out);
}

static void NAME(entry_moments)(ptrdiff_t nnz, const void *data, const void *indices, double m,
                                const double *restrict w, const double *restrict v, double *out)
{
    const REAL *restrict x = data;
    const INDEX *restrict index = indices;
    double first = 0, second = 0, with_v = 0, all_w = 0, all_v = 0;
    for (ptrdiff_t k = 0; k < nnz; k++) {
        double d = (double)x[k] - m, wi = w[index[k]], vi = v[index[k]];
        first += wi * d;
        second += wi * d * d;
        with_v += vi * d;
        all_w += wi;
        all_v += vi;
    }
    out[0] = first;
    out[1] = second;
    out[2] = with_v;
    out[3] = all_w;
    out[4] = all_v;
}

/* Columns of text are short: one chain each, and no call. */
static void NAME(columns)(ptrdiff_t p, const ptrdiff_t *start, const void *data, const void *indices,
                          const double *restrict v, double *restrict g)
{
    const REAL *restrict x = data;
    const INDEX *restrict index = indices;
    for (ptrdiff_t j = 0; j < p; j++) {
        double sum = 0;
        for (ptrdiff_t k = start[j]; k < start[j + 1]; k++)
            sum += (double)x[k] * v[index[k]];
        g[j] = sum;
    }
}

static void NAME(plain_moments)(ptrdiff_t p, const ptrdiff_t *start, const void *data, const void *indices,
                                const double *restrict v, double *restrict s1, double *restrict s2,
                                double *restrict s3)
{
    const REAL *restrict x = data;
    const INDEX *restrict index = indices;
    for (ptrdiff_t j = 0; j < p; j++) {
        double first = 0, second = 0, with_v = 0;
        for (ptrdiff_t k = start[j]; k < start[j + 1]; k++) {
            double d = (double)x[k];
            first += d;
            second += d * d;
            with_v += v[index[k]] * d;
        }
        s1[j] = first;
        s2[j] = second;
        s3[j] = with_v;
    }
}

static void NAME(scatter)(ptrdiff_t nnz, double a, const void *data, const void *indices, double m,
                          const double *restrict w, double *restrict v)
{
    const REAL *restrict x = data;
    const INDEX *restrict index = indices;
    if (w)
        for (ptrdiff_t k = 0; k < nnz; k++)
            v[index[k]] += a * w[index[k]] * ((double)x[k] - m);
    else
        for (ptrdiff_t k = 0; k < nnz; k++)
            v[index[k]] += a * ((double)x[k] - m);
}

static double NAME(spread)(ptrdiff_t nnz, const void *data, const void *indices, double m,
                           const double *restrict w, double *restrict v)
{
    const REAL *restrict x = data;
    const INDEX *restrict index = indices;
    double sum = 0;
    for (ptrdiff_t k = 0; k < nnz; k++)
        sum += v[8 * (ptrdiff_t)index[k]] = w[index[k]] * ((double)x[k] - m);
    return sum;
}

static ptrdiff_t NAME(rank)(ptrdiff_t nnz, const void *indices, ptrdiff_t row)
{
    const INDEX *index = indices;
    ptrdiff_t low = 0, high = nnz;
    while (low < high) {
        ptrdiff_t middle = low + (high - low) / 2;
        if ((ptrdiff_t)index[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static ptrdiff_t NAME(index)(const void *indices, ptrdiff_t k)
{
    return (ptrdiff_t)((const INDEX *)indices)[k];
}

static double NAME(sparse_item)(const void *data, ptrdiff_t k)
{
    return ((const REAL *)data)[k];
}

static sparse_kernels NAME(sparse_table)(void)
{
    sparse_kernels table = {NAME(gather), NAME(gather_many), NAME(entry_moments), NAME(columns),
                            NAME(plain_moments), NAME(scatter), NAME(spread), NAME(rank), NAME(index),
                            NAME(sparse_item), sizeof(REAL), sizeof(INDEX)};
    return table;
}
