// SPDX-License-Identifier: Apache-2.0
// The format of packed buckets, for pack.c and unpack.c.
#pragma once

#include "history/pack.h"

#include <math.h>

#define NS 1e9
#define EXACT_MAX                                                                                  \
    4503599627370496.0 // 2^52: whole numbers below are exact in a double, and fit << 2

enum { FLAG_AGGREGATED = 1 };
enum raw_tag { RAW_WHOLE, RAW_WHOLE_EMPTY, RAW_DOUBLE, RAW_NONE };
enum extremes_code { EXTREMES_NONE, EXTREMES_ZERO, EXTREMES_ONE, EXTREMES_TWO };

// Nanoseconds, and what else is a whole number in a double.
static inline int64_t pack_whole(double v)
{
    return fabs(v) < 9e18 ? (int64_t)llround(v) : 0;
}

// Of a tier all extremes are kept; of an interval those of the metrics over a window, which do not
// follow from its own sums.
static inline bool pack_keeps(const struct layout *l, size_t metric, bool aggregated)
{
    return aggregated || l->metrics[metric].metric->window_seconds > 0;
}

static inline size_t pack_count_kept(const struct layout *l, size_t slot, bool aggregated)
{
    size_t n = 0;

    for (size_t e = 0; aggregated && e < l->events.n; e++)
        n += layout_raw(l, slot, e) != LAYOUT_NONE;
    for (size_t m = 0; m < l->n_metrics; m++)
        n += layout_metric(l, slot, m) != LAYOUT_NONE && pack_keeps(l, m, aggregated);
    return n;
}
