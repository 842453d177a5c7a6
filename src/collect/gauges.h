// SPDX-License-Identifier: Apache-2.0
// Gauges: cumulative figures that the kernel keeps in files, carried like events. They count from
// the start of the run, per place, and never go backwards.
#pragma once

#include "model/readings.h"

struct gauges {
    size_t first_event; // index of the first of n events that stand together
    size_t n;
    size_t n_rows;
    uint64_t *start; // [row * n + gauge]: the figure when first seen, owned
};

// Adds a gauge of ns to the table, in this group. Its index, or -errno.
int gauges_describe(struct event_table *events, const char *name, int group);
// 0 or -ENOMEM.
int gauges_init(struct gauges *g, size_t first_event, size_t n, size_t n_rows);
void gauges_done(struct gauges *g);
// Forgets what was seen: the figures that are set next are the zero of the run.
void gauges_start(struct gauges *g, struct readings *readings);
// Sets a gauge in a place to what the kernel's figure (ns) has grown by since it was first seen.
void gauges_set(struct gauges *g, struct readings *readings, size_t gauge, size_t row, uint64_t ns);
