/* Dense kernels for one REAL; included by simd.c, contracts in simd.h. No include guard: read once per dtype. */

CLONES static double NAME(dot)(ptrdiff_t n, const void *data, double m, const double *restrict v)
{
    /* four sums at a time, as one alone would wait for each of its additions; whole vectors apart, for a load
     * that lies across two stores of an axpy just before would wait for both */
    const ptrdiff_t q = n / 32 * 8;
    const REAL *restrict x = data, *restrict x1 = x + q, *restrict x2 = x1 + q, *restrict x3 = x2 + q;
    const double *restrict v1 = v + q, *restrict v2 = v1 + q, *restrict v3 = v2 + q;
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
    for (ptrdiff_t i = 0; i < q; i++) {
        s0 += ((double)x[i] - m) * v[i];
        s1 += ((double)x1[i] - m) * v1[i];
        s2 += ((double)x2[i] - m) * v2[i];
        s3 += ((double)x3[i] - m) * v3[i];
    }
#pragma omp simd reduction(+ : s0)
    for (ptrdiff_t i = 4 * q; i < n; i++)
        s0 += ((double)x[i] - m) * v[i];
    return (s0 + s1) + (s2 + s3);
}

CLONES static void NAME(axpy)(ptrdiff_t n, double a, const void *data, double m, const double *restrict w,
                              double *restrict v)
{
    const REAL *restrict x = data;
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        v[i] += a * w[i] * ((double)x[i] - m);
}

CLONES static double NAME(move)(ptrdiff_t n, double a, const void *data, double m, const double *restrict w,
                                double *restrict v, const void *following, double m_other)
{
    const REAL *restrict x = data, *restrict other = following;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (ptrdiff_t i = 0; i < n; i++) {
        double now = v[i] + a * w[i] * ((double)x[i] - m);
        v[i] = now;
        sum += ((double)other[i] - m_other) * now;
    }
    return sum;
}

CLONES static void NAME(columns)(ptrdiff_t n, ptrdiff_t p, const void *data, ptrdiff_t ld, const double *restrict m,
                                 const double *restrict v, double *restrict g)
{
    const REAL *restrict x = data;
    ptrdiff_t j = 0;
    for (; j + 4 <= p; j += 4, x += 4 * ld) { /* four columns at a time: v is read once */
        const REAL *restrict x1 = x + ld, *restrict x2 = x + 2 * ld, *restrict x3 = x + 3 * ld;
        double m0 = m[j], m1 = m[j + 1], m2 = m[j + 2], m3 = m[j + 3], g0 = 0, g1 = 0, g2 = 0, g3 = 0;
#pragma omp simd reduction(+ : g0, g1, g2, g3)
        for (ptrdiff_t i = 0; i < n; i++) {
            g0 += ((double)x[i] - m0) * v[i];
            g1 += ((double)x1[i] - m1) * v[i];
            g2 += ((double)x2[i] - m2) * v[i];
            g3 += ((double)x3[i] - m3) * v[i];
        }
        g[j] = g0, g[j + 1] = g1, g[j + 2] = g2, g[j + 3] = g3;
    }
    for (; j < p; j++, x += ld) { /* in the same order as the others */
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (ptrdiff_t i = 0; i < n; i++)
            sum += ((double)x[i] - m[j]) * v[i];
        g[j] = sum;
    }
}

CLONES static void NAME(moments)(ptrdiff_t n, ptrdiff_t p, const void *data, ptrdiff_t ld, const double *restrict m,
                                 const double *restrict w, const double *restrict v, double *restrict s1,
                                 double *restrict s2, double *restrict s3)
{
    const REAL *restrict x = data;
    ptrdiff_t j = 0;
    for (; j + 4 <= p; j += 4, x += 4 * ld) { /* four columns at a time, as above */
        const REAL *restrict x1 = x + ld, *restrict x2 = x + 2 * ld, *restrict x3 = x + 3 * ld;
        double m0 = m[j], m1 = m[j + 1], m2 = m[j + 2], m3 = m[j + 3];
        double a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0, c0 = 0, c1 = 0, c2 = 0, c3 = 0;
#pragma omp simd reduction(+ : a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3)
        for (ptrdiff_t i = 0; i < n; i++) {
            double d0 = (double)x[i] - m0, d1 = (double)x1[i] - m1, d2 = (double)x2[i] - m2, d3 = (double)x3[i] - m3;
            a0 += w[i] * d0, b0 += w[i] * d0 * d0, c0 += v[i] * d0;
            a1 += w[i] * d1, b1 += w[i] * d1 * d1, c1 += v[i] * d1;
            a2 += w[i] * d2, b2 += w[i] * d2 * d2, c2 += v[i] * d2;
            a3 += w[i] * d3, b3 += w[i] * d3 * d3, c3 += v[i] * d3;
        }
        s1[j] = a0, s1[j + 1] = a1, s1[j + 2] = a2, s1[j + 3] = a3;
        s2[j] = b0, s2[j + 1] = b1, s2[j + 2] = b2, s2[j + 3] = b3;
        s3[j] = c0, s3[j + 1] = c1, s3[j + 2] = c2, s3[j + 3] = c3;
    }
    for (; j < p; j++, x += ld) {
        double a = 0, b = 0, c = 0;
#pragma omp simd reduction(+ : a, b, c)
        for (ptrdiff_t i = 0; i < n; i++) {
            double d = (double)x[i] - m[j];
            a += w[i] * d, b += w[i] * d * d, c += v[i] * d;
        }
        s1[j] = a, s2[j] = b, s3[j] = c;
    }
}

CLONES static void NAME(copy)(ptrdiff_t n, const void *data, double m, const double *restrict s,
                              double *restrict out)
{
    const REAL *restrict x = data;
    if (s) {
#pragma omp simd
        for (ptrdiff_t i = 0; i < n; i++)
            out[i] = s[i] * ((double)x[i] - m);
    } else {
#pragma omp simd
        for (ptrdiff_t i = 0; i < n; i++)
            out[i] = (double)x[i] - m;
    }
}

CLONES static void NAME(rows)(ptrdiff_t rows, ptrdiff_t p, const void *data, const double *restrict m,
                              const double *restrict v, double *restrict g)
{
    const REAL *restrict x = data;
    ptrdiff_t i = 0;
    for (; i + 4 <= rows; i += 4, x += 4 * p) { /* four rows at a time: g is read and written once */
        const REAL *restrict x1 = x + p, *restrict x2 = x + 2 * p, *restrict x3 = x + 3 * p;
        double v0 = v[i], v1 = v[i + 1], v2 = v[i + 2], v3 = v[i + 3];
#pragma omp simd
        for (ptrdiff_t j = 0; j < p; j++)
            g[j] += v0 * ((double)x[j] - m[j]) + v1 * ((double)x1[j] - m[j]) + v2 * ((double)x2[j] - m[j]) +
                    v3 * ((double)x3[j] - m[j]);
    }
    for (; i < rows; i++, x += p) {
        double v0 = v[i];
#pragma omp simd
        for (ptrdiff_t j = 0; j < p; j++)
            g[j] += v0 * ((double)x[j] - m[j]);
    }
}

CLONES static void NAME(row_products)(ptrdiff_t rows, ptrdiff_t p, const void *data, const double *restrict m,
                                      const double *restrict scale, const double *restrict b, double *restrict f)
{
    const REAL *restrict x = data;
    ptrdiff_t i = 0;
    for (; i + 4 <= rows; i += 4, x += 4 * p) { /* four rows at a time, as above */
        const REAL *restrict x1 = x + p, *restrict x2 = x + 2 * p, *restrict x3 = x + 3 * p;
        double f0 = 0, f1 = 0, f2 = 0, f3 = 0;
#pragma omp simd reduction(+ : f0, f1, f2, f3)
        for (ptrdiff_t j = 0; j < p; j++) {
            double a = b[j], s = scale[j];
            f0 += a * (s * ((double)x[j] - m[j])), f1 += a * (s * ((double)x1[j] - m[j]));
            f2 += a * (s * ((double)x2[j] - m[j])), f3 += a * (s * ((double)x3[j] - m[j]));
        }
        f[i] = f0, f[i + 1] = f1, f[i + 2] = f2, f[i + 3] = f3;
    }
    for (; i < rows; i++, x += p) {
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (ptrdiff_t j = 0; j < p; j++)
            sum += b[j] * (scale[j] * ((double)x[j] - m[j]));
        f[i] = sum;
    }
}

CLONES static void NAME(row_moments)(ptrdiff_t rows, ptrdiff_t p, const void *data, const double *restrict m,
                                     const double *restrict w, const double *restrict v, double *restrict s1,
                                     double *restrict s2, double *restrict s3)
{
    const REAL *restrict x = data;
    ptrdiff_t i = 0;
    for (; i + 4 <= rows; i += 4, x += 4 * p) { /* four rows at a time, as above */
        const REAL *restrict x1 = x + p, *restrict x2 = x + 2 * p, *restrict x3 = x + 3 * p;
        double w0 = w[i], w1 = w[i + 1], w2 = w[i + 2], w3 = w[i + 3];
        double v0 = v[i], v1 = v[i + 1], v2 = v[i + 2], v3 = v[i + 3];
#pragma omp simd
        for (ptrdiff_t j = 0; j < p; j++) {
            double d0 = (double)x[j] - m[j], d1 = (double)x1[j] - m[j];
            double d2 = (double)x2[j] - m[j], d3 = (double)x3[j] - m[j];
            s1[j] += w0 * d0 + w1 * d1 + w2 * d2 + w3 * d3;
            s2[j] += w0 * d0 * d0 + w1 * d1 * d1 + w2 * d2 * d2 + w3 * d3 * d3;
            s3[j] += v0 * d0 + v1 * d1 + v2 * d2 + v3 * d3;
        }
    }
    for (; i < rows; i++, x += p) {
#pragma omp simd
        for (ptrdiff_t j = 0; j < p; j++) {
            double d = (double)x[j] - m[j];
            s1[j] += w[i] * d;
            s2[j] += w[i] * d * d;
            s3[j] += v[i] * d;
        }
    }
}

CLONES static void NAME(pick)(ptrdiff_t rows, ptrdiff_t p, ptrdiff_t k, const void *data,
                              const ptrdiff_t *restrict which, const double *restrict m,
                              const double *restrict scale, const double *restrict s, double *restrict out,
                              ptrdiff_t ld)
{
    const REAL *restrict x = data;
    for (ptrdiff_t i = 0; i < rows; i += 8) /* eight rows at a time: what is written fills cache lines */
        for (ptrdiff_t a = 0; a < k; a++) {
            ptrdiff_t j = which[a], end = SMALLER(i + 8, rows);
            for (ptrdiff_t e = i; e < end; e++)
                out[a * ld + e] = (s ? s[e] : 1.0) * (scale[j] * ((double)x[e * p + j] - m[j]));
        }
}

CLONES static void NAME(gather)(ptrdiff_t n, const void *data, ptrdiff_t stride, const ptrdiff_t *restrict rows,
                                double m, double s, double *restrict out)
{
    const REAL *restrict x = data;
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        out[i] = s * ((double)x[rows[i] * stride] - m);
}

CLONES static void NAME(combine)(ptrdiff_t n, const void *const *x, const double *a, const double *m,
                                 double *restrict v)
{
    const REAL *restrict x0 = x[0], *restrict x1 = x[1], *restrict x2 = x[2], *restrict x3 = x[3];
    double a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3], m0 = m[0], m1 = m[1], m2 = m[2], m3 = m[3];
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        v[i] = v[i] + a0 * ((double)x0[i] - m0) + a1 * ((double)x1[i] - m1) + a2 * ((double)x2[i] - m2) +
               a3 * ((double)x3[i] - m3);
}

CLONES static void NAME(columns_many)(ptrdiff_t n, ptrdiff_t p, const void *data, ptrdiff_t ld, const double *m,
                                      const double *r, ptrdiff_t stride, ptrdiff_t width, double *g, ptrdiff_t ldg)
{
    /* a long column goes by in stretches, so that r stays in the second-level cache */
    ptrdiff_t stretch = TALL * (1 + 128 / (1 + (width - 1) / 8));
    _Alignas(64) double tile[TALL * COLUMNS] = {0};
    for (ptrdiff_t begin = 0; begin < n; begin += stretch) {
        ptrdiff_t end = SMALLER(begin + stretch, n);
        for (ptrdiff_t j = 0; j < p; j += COLUMNS) {
            ptrdiff_t columns = SMALLER(COLUMNS, p - j);
            for (ptrdiff_t i = begin; i < end; i += TALL) {
                ptrdiff_t rows = SMALLER(TALL, end - i);
                for (ptrdiff_t c = 0; c < columns; c++) {
                    const REAL *restrict x = (const REAL *)data + (j + c) * ld + i;
                    if (i + 3 * TALL <= n) /* the tile after the next one */
                        for (ptrdiff_t e = 0; e < TALL; e += 64 / (ptrdiff_t)sizeof(REAL))
                            PREFETCH(x + 2 * TALL + e);
#pragma omp simd
                    for (ptrdiff_t e = 0; e < rows; e++)
                        tile[c * TALL + e] = (double)x[e] - m[j + c];
                }
                add_products(rows, columns, tile, 1, TALL, r + 8 * i, stride, width, g + j * ldg, ldg);
            }
        }
    }
}

CLONES static void NAME(rows_many)(ptrdiff_t n, ptrdiff_t p, const void *data, ptrdiff_t ld, const double *m,
                                   const double *r, ptrdiff_t stride, ptrdiff_t width, double *g, ptrdiff_t ldg)
{
    _Alignas(64) double tile[TALL * WIDE] = {0};
    for (ptrdiff_t i = 0; i < n; i += TALL) {
        ptrdiff_t rows = SMALLER(TALL, n - i);
        for (ptrdiff_t begin = 0; begin < p; begin += WIDE) {
            ptrdiff_t columns = SMALLER(WIDE, p - begin);
            for (ptrdiff_t e = 0; e < rows; e++) {
                const REAL *restrict x = (const REAL *)data + (i + e) * ld + begin;
                if (begin + 3 * WIDE <= p)
                    for (ptrdiff_t c = 0; c < WIDE; c += 64 / (ptrdiff_t)sizeof(REAL))
                        PREFETCH(x + 2 * WIDE + c);
#pragma omp simd
                for (ptrdiff_t c = 0; c < columns; c++)
                    tile[e * WIDE + c] = (double)x[c] - m[begin + c];
            }
            for (ptrdiff_t c = 0; c < columns; c += COLUMNS)
                add_products(rows, SMALLER(COLUMNS, columns - c), tile + c, WIDE, 1, r + 8 * i, stride, width,
                             g + (begin + c) * ldg, ldg);
        }
    }
}

static double NAME(item)(const void *data, ptrdiff_t i)
{
    return ((const REAL *)data)[i];
}

static dense_kernels NAME(dense_table)(void)
{
    dense_kernels table = {NAME(dot), NAME(axpy), NAME(move), NAME(columns), NAME(moments), NAME(copy), NAME(rows),
                           NAME(row_products), NAME(row_moments), NAME(columns_many), NAME(rows_many), NAME(pick),
                           NAME(gather), NAME(combine), NAME(item), sizeof(REAL)};
    return table;
}
