/* Every kernel is written once, in simd_dense.h and simd_sparse.h, and compiled per dtype here.
 * CLONES makes gcc on glibc compile each for several instruction sets and pick one at load time;
 * elsewhere it is empty and the baseline serves. */
#include <math.h>
#include <string.h>

#include "simd.h"

#ifdef HAVE_TARGET_CLONES
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif
#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline)) /* compiled again inside each clone */
#define PREFETCH(address) __builtin_prefetch(address, 0, 3)
#else
#define INLINE static inline
#define PREFETCH(address) ((void)0)
#endif
#define PASTE2(a, b) a##_##b
#define PASTE(a, b) PASTE2(a, b)
#define NAME(stem) PASTE(stem, SUFFIX)

#include "simd_many.h"

#define REAL double
#define SUFFIX d
#include "simd_dense.h"
#undef SUFFIX
#define INDEX int32_t
#define SUFFIX di
#include "simd_sparse.h"
#undef SUFFIX
#undef INDEX
#define INDEX int64_t
#define SUFFIX dl
#include "simd_sparse.h"
#undef SUFFIX
#undef INDEX
#undef REAL

#define REAL float
#define SUFFIX s
#include "simd_dense.h"
#undef SUFFIX
#define INDEX int32_t
#define SUFFIX si
#include "simd_sparse.h"
#undef SUFFIX
#undef INDEX
#define INDEX int64_t
#define SUFFIX sl
#include "simd_sparse.h"
#undef SUFFIX
#undef INDEX
#undef REAL

CLONES void l1l2fast_box(ptrdiff_t n, const double *restrict r, const double *restrict width,
                         const double *restrict middle, const double *restrict left, const double *restrict right,
                         double *restrict psi, signed char *restrict inside)
{
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++) {
        double x = middle[i] + r[i] * width[i], low = -left[i], high = right[i];
        inside[i] = (x > low) & (x < high);
        x = x < low ? low : x;
        psi[i] = x > high ? high : x;
    }
}

CLONES double l1l2fast_box_slope(ptrdiff_t n, double t, const double *restrict r, const double *restrict q,
                                 const double *restrict width, const double *restrict middle,
                                 const double *restrict left, const double *restrict right)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (ptrdiff_t i = 0; i < n; i++) {
        double x = middle[i] + (r[i] - t * q[i]) * width[i], low = -left[i], high = right[i];
        x = x < low ? low : x;
        sum += q[i] * (x > high ? high : x);
    }
    return sum;
}

/* slope w such that, divided by w, it is not one unit in the last place beyond the slope */
INLINE double within(double slope, double w)
{
    double product = slope * w, back = product / w;
    return fabs(back) > fabs(slope) ? product * (1 - 2.3e-16) : product;
}

double l1l2fast_within(double slope, double w)
{
    return within(slope, w);
}

CLONES void l1l2fast_sides(ptrdiff_t n, const double *restrict r, const double *restrict w, double left, double right,
                           double h, double *restrict theta)
{
    double sum = (right + left) / 2, half = (right - left) / 2;
    int other = 0;
#pragma omp simd reduction(| : other)
    for (ptrdiff_t i = 0; i < n; i++)
        other |= w[i] != w[0];
    if (!other && n > 0) { /* mostly they are equal */
        double above = within(right, w[0]), below = within(-left, w[0]);
        double middle = w[0] * half, rise = h > 0 ? w[0] * sum / h : 0;
#pragma omp simd
        for (ptrdiff_t i = 0; i < n; i++) {
            double x = middle + rise * r[i], side = r[i] > 0 ? above : below;
            x = x < below ? below : x;
            x = x > above ? above : x;
            theta[i] = h > 0 ? x : side;
        }
        return;
    }
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++) {
        double above = within(right, w[i]), below = within(-left, w[i]), side = r[i] > 0 ? above : below;
        double x = w[i] * (half + sum * r[i] / (h > 0 ? h : 1));
        x = x < below ? below : x;
        x = x > above ? above : x;
        theta[i] = h > 0 ? x : side;
    }
}

CLONES void l1l2fast_residuals(ptrdiff_t n, const double *restrict y, double level, double *restrict f)
{
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        f[i] = y[i] - (f[i] + level);
}

CLONES void l1l2fast_above(ptrdiff_t n, const double *restrict r, unsigned char *restrict mark)
{
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        mark[i] = r[i] > 0;
}

CLONES void l1l2fast_crossed(ptrdiff_t n, const double *restrict r, unsigned char *restrict mark)
{
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        mark[i] = mark[i] == (r[i] > 0 ? 0 : 1);
}

CLONES double l1l2fast_line_losses(ptrdiff_t n, const double *restrict y, const double *restrict f,
                                   const double *restrict theta, const double *restrict w, double left, double right,
                                   double *total, double *square)
{
    double sum = 0, first = 0, second = 0;
#pragma omp simd reduction(+ : sum, first, second)
    for (ptrdiff_t i = 0; i < n; i++) {
        double r = y[i] - f[i], above = right * r, below = -left * r, t = w[i] > 0 ? theta[i] : 0;
        sum += w[i] * (above > below ? above : below);
        first += t;
        second += t * t / (w[i] > 0 ? w[i] : 1);
    }
    *total = first, *square = second;
    return sum;
}

CLONES double l1l2fast_line_slacks(ptrdiff_t n, const double *restrict y, const double *restrict f,
                                   const double *restrict theta, const double *restrict w, double left, double right,
                                   double s)
{
    const double ulp = 1 + 1e-15; /* psi was multiplied by w, and is divided by it again */
    double sum = 0, outside = 0;
#pragma omp simd reduction(+ : sum, outside)
    for (ptrdiff_t i = 0; i < n; i++) {
        double r = y[i] - f[i], psi = w[i] > 0 ? s * theta[i] / w[i] : 0;
        double side = r > 0 ? right - psi : left + psi;
        outside += (psi > right * ulp) | (psi < -left * ulp) ? 1.0 : 0.0;
        sum += w[i] * ((r > 0 ? r : -r) * (side > 0 ? side : 0));
    }
    return outside > 0 ? HUGE_VAL : sum;
}

CLONES double l1l2fast_line_level(ptrdiff_t n, const double *restrict y, const double *restrict w, double level,
                                  double left, double right, double *largest, ptrdiff_t *live)
{
    double sum = 0, most = 0;
    ptrdiff_t count = 0;
#pragma omp simd reduction(+ : sum, count) reduction(max : most)
    for (ptrdiff_t i = 0; i < n; i++) {
        double r = y[i] - level, above = right * r, below = -left * r, size = fabs(y[i]);
        sum += w[i] * (above > below ? above : below);
        most = size > most ? size : most;
        count += w[i] > 0;
    }
    *largest = most, *live = count;
    return sum;
}

CLONES double l1l2fast_mean(ptrdiff_t n, const double *restrict y, const double *restrict w, double origin,
                            double *largest)
{
    double sum = 0, most = 0;
#pragma omp simd reduction(+ : sum) reduction(max : most)
    for (ptrdiff_t i = 0; i < n; i++) {
        double size = w[i] > 0 ? fabs(y[i]) : 0;
        most = size > most ? size : most;
        sum += w[i] * (y[i] - origin);
    }
    *largest = most;
    return sum;
}

CLONES double l1l2fast_weigh(ptrdiff_t n, const double *restrict y, const double *restrict w, double *restrict v,
                             double *energy)
{
    double total[8] = {0}, lost[8] = {0}, sum = 0;
#pragma omp simd reduction(+ : sum)
    for (ptrdiff_t i = 0; i < n; i++) {
        v[i] = w[i] * y[i];
        sum += v[i] * y[i];
    }
    for (ptrdiff_t i = 0; i < n; i += 8) { /* eight sums side by side (Kahan, 1965) */
        ptrdiff_t count = n - i < 8 ? n - i : 8;
#pragma omp simd
        for (ptrdiff_t e = 0; e < count; e++) {
            double add = w[i + e] - lost[e], more = total[e] + add;
            lost[e] = (more - total[e]) - add;
            total[e] = more;
        }
    }
    for (int e = 1; e < 8; e++) {
        double add = total[e] - (lost[0] + lost[e]), more = total[0] + add;
        lost[0] = (more - total[0]) - add;
        total[0] = more;
    }
    *energy = sum;
    return total[0];
}

CLONES double l1l2fast_below(ptrdiff_t n, const double *restrict y, const double *restrict w, double low, double high,
                             ptrdiff_t *between)
{
    double sum = 0;
    ptrdiff_t count = 0;
#pragma omp simd reduction(+ : sum, count)
    for (ptrdiff_t i = 0; i < n; i++) {
        sum += y[i] < low ? w[i] : 0;
        count += (y[i] >= low) & (y[i] <= high);
    }
    *between = count;
    return sum;
}

CLONES static void between(ptrdiff_t n, const double *restrict y, double low, double high, unsigned char *restrict mark)
{
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++)
        mark[i] = (y[i] >= low) & (y[i] <= high);
}

ptrdiff_t l1l2fast_places(ptrdiff_t n, const double *y, double low, double high, ptrdiff_t *place)
{
    unsigned char mark[256];
    ptrdiff_t count = 0;
    for (ptrdiff_t begin = 0; begin < n; begin += sizeof mark) {
        ptrdiff_t size = SMALLER((ptrdiff_t)sizeof mark, n - begin);
        between(size, y + begin, low, high, mark);
        for (ptrdiff_t i = 0; i < size; i += 8) {
            uint64_t some = 1;
            if (i + 8 <= size)
                memcpy(&some, mark + i, sizeof some);
            for (ptrdiff_t e = i; some && e < SMALLER(i + 8, size); e++) { /* written, and over it if it was none */
                place[count] = begin + e;
                count += mark[e];
            }
        }
    }
    return count;
}

void l1l2fast_prefetch(const void *start, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        PREFETCH((const char *)start + i);
}

dense_kernels l1l2fast_dense_kernels(int is_double)
{
    return is_double ? dense_table_d() : dense_table_s();
}

sparse_kernels l1l2fast_sparse_kernels(int is_double, int is_int64)
{
    if (is_double)
        return is_int64 ? sparse_table_dl() : sparse_table_di();
    return is_int64 ? sparse_table_sl() : sparse_table_si();
}

/* exp(x) for x <= 0, not below exp(-708): 2^k times Taylor's polynomial on |r| <= log(2) / 2. Rounding by a large
 * number leaves k in the low bits of it. */
INLINE double exp_below(double x)
{
    const double large = 0x1.8p52, log2_high = 0x1.62e42fefa3800p-1, log2_low = 0x1.ef35793c76730p-45;
    x = x < -708 ? -708 : x;
    double rounded = x * 0x1.71547652b82fep0 + large, k = rounded - large, scale;
    double r = (x - k * log2_high) - k * log2_low, p = 1.0 / 6227020800;
    uint64_t bits;
    memcpy(&bits, &rounded, 8);
    bits = (bits + 1023) << 52;
    memcpy(&scale, &bits, 8);
    p = p * r + 1.0 / 479001600;
    p = p * r + 1.0 / 39916800;
    p = p * r + 1.0 / 3628800;
    p = p * r + 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    return scale * ((p * r + 1) * r + 1);
}

/* log(1 + x) for 0 <= x <= 1: twice the series of artanh at x / (2 + x) <= 1/3 */
INLINE double log1p_of_part(double x)
{
    double s = x / (2 + x), z = s * s, p = 1.0 / 33;
    p = p * z + 1.0 / 31;
    p = p * z + 1.0 / 29;
    p = p * z + 1.0 / 27;
    p = p * z + 1.0 / 25;
    p = p * z + 1.0 / 23;
    p = p * z + 1.0 / 21;
    p = p * z + 1.0 / 19;
    p = p * z + 1.0 / 17;
    p = p * z + 1.0 / 15;
    p = p * z + 1.0 / 13;
    p = p * z + 1.0 / 11;
    p = p * z + 1.0 / 9;
    p = p * z + 1.0 / 7;
    p = p * z + 1.0 / 5;
    p = p * z + 1.0 / 3;
    return 2 * (s + s * z * p);
}

CLONES void l1l2fast_logistic(ptrdiff_t n, const double *restrict y, const double *restrict f, double *restrict value,
                              double *restrict slope, double *restrict bend)
{
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++) {
        double m = y[i] * f[i], odds = exp_below(m > 0 ? -m : m), q = 1 / (1 + odds), rest = log1p_of_part(odds);
        value[i] = m > 0 ? rest : rest - m;
        slope[i] = -y[i] * (m > 0 ? odds * q : q);
        bend[i] = y[i] * y[i] * (odds * q * q);
    }
}
