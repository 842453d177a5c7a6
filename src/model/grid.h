// SPDX-License-Identifier: Apache-2.0
// The time grid of a run: intervals end at reference + k · interval on CLOCK_MONOTONIC, and the
// reference's wall-clock time is known. Collector and server compute the same timestamps with it.
#pragma once

#include "base/clock.h"

struct grid {
    ns_t interval;  // > 0; 0: no grid, times are taken as they are
    ns_t reference; // CLOCK_MONOTONIC of the start
    ns_t wall;      // CLOCK_REALTIME of the same moment
};

// Timestamp, in ms since the epoch, of a reading that was taken `time` ns after the reference: its
// grid point, and 1 ms after `previous` at the least.
static inline int64_t grid_timestamp_ms(const struct grid *g, ns_t time, int64_t previous)
{
    ns_t on_grid = g->interval > 0 ? time - time % g->interval : time;
    int64_t timestamp = (g->wall + on_grid) / NS_PER_MS;

    return timestamp > previous ? timestamp : previous + 1;
}
