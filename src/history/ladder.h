// SPDX-License-Identifier: Apache-2.0
// The tiers of the history: how long each resolution is kept, and which one answers a question so
// that a handful of stored buckets make one point.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Tier 0 is full resolution.
#define LADDER_TIERS 7

struct tier {
    const char *table;
    int64_t resolution_ms; // 0: the run's interval
    int64_t keep_ms;
    int64_t interval_max_ms; // of runs whose interval is at most that; 0: of all
    unsigned steps[8];       // resolutions that points may have, in buckets of this tier; 0 ends
};

extern const struct tier ladder[LADDER_TIERS];

// Does a run of this interval fill the tier? A bucket holds one interval at the least.
bool ladder_used(size_t tier, int64_t interval_ms);
// The end of the bucket that a time falls into: bucket t covers t − resolution < time ≤ t.
int64_t ladder_end(int64_t time_ms, int64_t resolution_ms);
