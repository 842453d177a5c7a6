// SPDX-License-Identifier: Apache-2.0
// The rows of the CSV data bridge: timestamp,cycles,instructions,cache_misses,branch_misses,cpi,
// then the further events, then a <column>_running in percent for each that can be multiplexed.
#pragma once

#include "base/buf.h"
#include "model/reading.h"

struct csv_layout {
    const struct event_table *events; // not owned
    enum reading_scope scope;
    int first[4];    // events of the fixed columns, −1 where they are not measured
    size_t *further; // events of the further columns, owned
    size_t n_further;
    size_t *multiplexed; // events with a _running column, owned
    size_t n_multiplexed;
    size_t row_max; // bytes that a row takes at the most, newline included
};

// 0 or -ENOMEM.
int csv_layout_init(struct csv_layout *l, const struct event_table *events,
                    enum reading_scope scope);
void csv_layout_done(struct csv_layout *l);
void csv_header(const struct csv_layout *l, struct buf *out);
// totals[event]: this interval's sums; of a gauge, its increase.
void csv_row(const struct csv_layout *l, int64_t timestamp_ms, const struct sum *totals,
             struct buf *out);
