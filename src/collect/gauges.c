// SPDX-License-Identifier: Apache-2.0
#include "collect/gauges.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int gauges_describe(struct event_table *events, const char *name, int group)
{
    struct event e = {
        .id = events->n + 1, .kind = EVENT_GAUGE, .unit = "ns", .scale = 1, .group = group};

    snprintf(e.name, sizeof(e.name), "%s", name);
    return event_table_add(events, &e);
}

int gauges_init(struct gauges *g, size_t first_event, size_t n, size_t n_rows)
{
    *g = (struct gauges){.first_event = first_event, .n = n, .n_rows = n_rows};
    g->start = calloc(n_rows * n, sizeof(*g->start));
    return g->start ? 0 : -ENOMEM;
}

void gauges_done(struct gauges *g)
{
    free(g->start);
    *g = (struct gauges){0};
}

void gauges_start(struct gauges *g, struct readings *readings)
{
    for (size_t i = 0; i < g->n * readings->n_rows; i++) {
        readings->now[g->first_event * readings->n_rows + i].value = 0;
        readings->seen[g->first_event * readings->n_rows + i] = false;
    }
}

void gauges_set(struct gauges *g, struct readings *readings, size_t gauge, size_t row, uint64_t ns)
{
    size_t cell = (g->first_event + gauge) * readings->n_rows + row;
    uint64_t *start, newest;

    if (row >= g->n_rows)
        return;
    start = &g->start[row * g->n + gauge];
    newest = readings->now[cell].value;
    // What a CPU did before it was first seen, perhaps because it was offline, is not counted.
    if (!readings->seen[cell])
        *start = ns;
    ns -= ns > *start ? *start : ns;
    readings_set(readings, g->first_event + gauge, row,
                 (struct reading){.value = ns > newest ? ns : newest});
}
