// SPDX-License-Identifier: Apache-2.0
// Statistics of a series of values in their order of time. NAN is no value, and is left out.
#pragma once

#include <stddef.h>

#define STATISTICS_BATCHES 20 // see statistics_of()

struct statistics {
    size_t n; // values; of the rest, what n is too small for is NAN
    double mean, min, max;
    // Of the values: the square root of the sum of squares over n − 1. From 2 values on.
    double deviation;
    // Standard error of the mean, by batch means: neighbours in time are alike, so that
    // deviation / √n would promise too much. The values are cut into 20 batches of equal length
    // (what is left over, fewer than 20, are the oldest), whose means are nearly independent where
    // a batch is longer than the likeness lasts; the error is their deviation / √20. Between 10 and
    // 30 batches are advised by Schmeiser, "Batch size effects in the analysis of simulation
    // output", Operations Research 30(3), 1982. From 40 values on.
    double error;
    // Percentiles: linear between the two nearest ranks, of h = (n − 1) p counted from 0. That is
    // definition 7 of Hyndman and Fan, "Sample quantiles in statistical packages", The American
    // Statistician 50(4), 1996, which R and NumPy take.
    double p50, p95, p99;
    double first, last;
};

// values[n_values], some NAN. `scratch` holds as many.
void statistics_of(const double *values, size_t n_values, double *scratch, struct statistics *ret);

// Pearson's correlation of the pairs of which both have a value, −1 … 1; NAN where there are fewer
// than 3 of them, or one of the two does not vary.
double statistics_correlation(const double *a, const double *b, size_t n, size_t *ret_pairs);
