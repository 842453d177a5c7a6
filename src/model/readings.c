// SPDX-License-Identifier: Apache-2.0
#include "model/readings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int readings_init(struct readings *r, const struct event_table *events, size_t n_rows,
                  enum reading_scope scope)
{
    size_t n = events->n * n_rows;

    *r = (struct readings){.events = events, .n_rows = n_rows, .scope = scope};
    r->now = calloc(n + 1, sizeof(*r->now));
    r->before = calloc(n + 1, sizeof(*r->before));
    r->seen = calloc(n + 1, sizeof(*r->seen));
    r->fresh = calloc(n + 1, sizeof(*r->fresh));
    if (!r->now || !r->before || !r->seen || !r->fresh) {
        readings_done(r);
        return -ENOMEM;
    }
    return 0;
}

void readings_done(struct readings *r)
{
    if (!r)
        return;
    free(r->now);
    free(r->before);
    free(r->seen);
    free(r->fresh);
    *r = (struct readings){0};
}

static struct sum count_at(const struct readings *r, size_t i)
{
    // A place that was not read in this interval (an offline CPU, a thread that is gone) has no
    // difference.
    return r->fresh[i] ? reading_difference(r->before[i], r->now[i]) : SUM_NONE;
}

static struct sum gauge_at(const struct readings *r, size_t i)
{
    return r->fresh[i] ? (struct sum){.raw = (double)r->now[i].value} : SUM_NONE;
}

// The total of a gauge takes in what places read before: a CPU that went offline keeps its share of
// the cumulative sum.
static struct sum gauge_total(const struct readings *r, size_t event)
{
    struct sum total = SUM_NONE;
    double sum = 0;
    bool any = false;

    for (size_t row = 0; row < r->n_rows; row++) {
        size_t i = event * r->n_rows + row;

        if (r->seen[i])
            sum += (double)r->now[i].value;
        any |= r->fresh[i];
    }
    if (any)
        total.raw = sum;
    return total;
}

void readings_sums(const struct readings *r, size_t n_slots, struct sum *ret)
{
    size_t n_events = r->events->n;

    for (size_t e = 0; e < n_events; e++) {
        bool gauge = r->events->events[e].kind == EVENT_GAUGE;
        struct sum total = SUM_NONE;

        for (size_t row = 0; row < r->n_rows; row++) {
            size_t i = e * r->n_rows + row;
            struct sum s = gauge ? gauge_at(r, i) : count_at(r, i);

            if (row + 1 < n_slots)
                ret[(row + 1) * n_events + e] = r->events->events[e].total_only ? SUM_NONE : s;
            if (!gauge)
                sum_add_place(&total, s, r->scope);
        }
        ret[e] = gauge ? gauge_total(r, e) : total;
    }
}

void readings_advance(struct readings *r)
{
    size_t n = r->events->n * r->n_rows;

    memcpy(r->before, r->now, n * sizeof(*r->before));
    memset(r->fresh, 0, n * sizeof(*r->fresh));
}
