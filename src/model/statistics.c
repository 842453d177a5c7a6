// SPDX-License-Identifier: Apache-2.0
#include "model/statistics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define PAIRS_MIN 3

static int compare(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static double mean_of(const double *values, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum / (double)n;
}

// About the mean, in a second pass: the difference of two large sums would have no digits left.
static double deviation_of(const double *values, size_t n, double mean)
{
    double squares = 0;

    if (n < 2)
        return NAN;
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return sqrt(squares / (double)(n - 1));
}

static double error_of(const double *values, size_t n)
{
    size_t length = n / STATISTICS_BATCHES, skip = n % STATISTICS_BATCHES;
    double means[STATISTICS_BATCHES];

    if (length < 2)
        return NAN;
    for (size_t i = 0; i < STATISTICS_BATCHES; i++)
        means[i] = mean_of(values + skip + i * length, length);
    return deviation_of(means, STATISTICS_BATCHES, mean_of(means, STATISTICS_BATCHES)) /
           sqrt(STATISTICS_BATCHES);
}

static double percentile(const double *sorted, size_t n, double p)
{
    double rank = (double)(n - 1) * p;
    size_t below = (size_t)rank;

    if (below + 1 >= n)
        return sorted[n - 1];
    return sorted[below] + (rank - (double)below) * (sorted[below + 1] - sorted[below]);
}

void statistics_of(const double *values, size_t n_values, double *scratch, struct statistics *ret)
{
    struct statistics s = {.mean = NAN,
                           .min = NAN,
                           .max = NAN,
                           .deviation = NAN,
                           .error = NAN,
                           .p50 = NAN,
                           .p95 = NAN,
                           .p99 = NAN,
                           .first = NAN,
                           .last = NAN};

    for (size_t i = 0; i < n_values; i++)
        if (!isnan(values[i]))
            scratch[s.n++] = values[i];
    *ret = s;
    if (!s.n)
        return;
    s.first = scratch[0];
    s.last = scratch[s.n - 1];
    s.mean = mean_of(scratch, s.n);
    s.deviation = deviation_of(scratch, s.n, s.mean);
    s.error = error_of(scratch, s.n);
    qsort(scratch, s.n, sizeof(*scratch), compare);
    s.min = scratch[0];
    s.max = scratch[s.n - 1];
    s.p50 = percentile(scratch, s.n, 0.50);
    s.p95 = percentile(scratch, s.n, 0.95);
    s.p99 = percentile(scratch, s.n, 0.99);
    *ret = s;
}

double statistics_correlation(const double *a, const double *b, size_t n, size_t *ret_pairs)
{
    double mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0, first_a = NAN, first_b = NAN;
    bool varies_a = false, varies_b = false;
    size_t pairs = 0;

    for (size_t i = 0; i < n; i++) {
        if (isnan(a[i]) || isnan(b[i]))
            continue;
        if (!pairs++) {
            first_a = a[i];
            first_b = b[i];
        }
        // Compared, not computed: the sums of what does not vary need not be 0 in doubles.
        varies_a |= a[i] != first_a;
        varies_b |= b[i] != first_b;
        mean_a += a[i];
        mean_b += b[i];
    }
    *ret_pairs = pairs;
    if (pairs < PAIRS_MIN || !varies_a || !varies_b)
        return NAN;
    mean_a /= (double)pairs;
    mean_b /= (double)pairs;
    for (size_t i = 0; i < n; i++) {
        if (isnan(a[i]) || isnan(b[i]))
            continue;
        aa += (a[i] - mean_a) * (a[i] - mean_a);
        bb += (b[i] - mean_b) * (b[i] - mean_b);
        ab += (a[i] - mean_a) * (b[i] - mean_b);
    }
    return fmax(-1, fmin(1, ab / (sqrt(aa) * sqrt(bb))));
}
