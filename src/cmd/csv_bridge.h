// SPDX-License-Identifier: Apache-2.0
// The CSV file as a consumer of intervals: layout, ring, and the messages about both.
#pragma once

#include "collect/collector.h"
#include "collect/csv_ring.h"
#include "output/csv.h"

struct csv_bridge {
    struct csv_ring *ring; // NULL: without CSV
    struct csv_layout layout;
    const char *path;
    double *gauges; // newest cumulative value of each event that is a gauge; they count from 0
    struct sum *totals;
    struct buf row;
    bool failing; // said so
};

// Begins the file; when that is not possible, says why and goes on without.
void csv_bridge_open(struct csv_bridge *b, const char *path, size_t rows,
                     const struct collector *c);
void csv_bridge_close(struct csv_bridge *b);
// Appends the interval that the collector has just read.
void csv_bridge_interval(struct csv_bridge *b, const struct readings *readings,
                         int64_t timestamp_ms);
