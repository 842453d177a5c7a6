// SPDX-License-Identifier: Apache-2.0
#include "output/csv.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>

#define NUMBER_BYTES  21 // a 64-bit number and its comma
#define PERCENT_BYTES 4
#define METRIC_BYTES  16

static const char *const first_columns[4] = {"cycles", "instructions", "cache_misses",
                                             "branch_misses"};

enum { CYCLES, INSTRUCTIONS };

static bool is_first(const struct csv_layout *l, size_t event)
{
    for (size_t i = 0; i < 4; i++)
        if (l->first[i] == (int)event)
            return true;
    return false;
}

static bool can_be_multiplexed(const struct event *e)
{
    return e->kind == EVENT_COUNT && e->type != PERF_TYPE_SOFTWARE &&
           e->type != PERF_TYPE_TRACEPOINT;
}

int csv_layout_init(struct csv_layout *l, const struct event_table *events,
                    enum reading_scope scope)
{
    *l = (struct csv_layout){.events = events, .scope = scope};
    l->further = calloc(events->n + 1, sizeof(*l->further));
    l->multiplexed = calloc(events->n + 1, sizeof(*l->multiplexed));
    if (!l->further || !l->multiplexed) {
        csv_layout_done(l);
        return -ENOMEM;
    }
    for (size_t i = 0; i < 4; i++)
        l->first[i] = event_table_find_column(events, first_columns[i]);
    for (size_t e = 0; e < events->n; e++) {
        // A gauge that this machine does not have was not asked for.
        if (!is_first(l, e) && (events->events[e].kind != EVENT_GAUGE ||
                                events->events[e].availability == QUALITY_EXACT))
            l->further[l->n_further++] = e;
        if (can_be_multiplexed(&events->events[e]))
            l->multiplexed[l->n_multiplexed++] = e;
    }
    l->row_max =
        NUMBER_BYTES * (1 + 4 + l->n_further) + METRIC_BYTES + PERCENT_BYTES * l->n_multiplexed;
    return 0;
}

void csv_layout_done(struct csv_layout *l)
{
    free(l->further);
    free(l->multiplexed);
    *l = (struct csv_layout){0};
}

void csv_header(const struct csv_layout *l, struct buf *out)
{
    buf_puts(out, "timestamp,cycles,instructions,cache_misses,branch_misses,cpi");
    for (size_t i = 0; i < l->n_further; i++)
        buf_printf(out, ",%s", l->events->events[l->further[i]].column);
    for (size_t i = 0; i < l->n_multiplexed; i++)
        buf_printf(out, ",%s_running", l->events->events[l->multiplexed[i]].column);
    buf_putc(out, '\n');
}

static double count_of(const struct csv_layout *l, int event, const struct sum *totals)
{
    if (event < 0)
        return NAN;
    return l->events->events[event].kind == EVENT_GAUGE ? totals[event].raw
                                                        : sum_count(totals[event], l->scope);
}

static void put_count(const struct csv_layout *l, int event, const struct sum *totals,
                      struct buf *out)
{
    double count = count_of(l, event, totals);

    buf_putc(out, ',');
    if (!isfinite(count) || fabs(count) >= 9e18)
        return;
    if (event_is_whole(&l->events->events[event]))
        buf_put_i64(out, llround(count));
    else
        buf_put_sig6(out, event_in_unit(&l->events->events[event], count));
}

// The header promises that these two were counted together; where they were not, but each all the
// time, the windows are the same too.
static double cpi(const struct csv_layout *l, const struct sum *totals)
{
    int cycles = l->first[CYCLES], instructions = l->first[INSTRUCTIONS];
    double divisor = count_of(l, instructions, totals);

    if (cycles < 0 || !(divisor > 0))
        return NAN;
    if ((l->events->events[cycles].group != l->events->events[instructions].group ||
         !sum_same_times(totals[cycles], totals[instructions])) &&
        (sum_quality(totals[cycles], l->scope) != QUALITY_EXACT ||
         sum_quality(totals[instructions], l->scope) != QUALITY_EXACT))
        return NAN;
    return count_of(l, cycles, totals) / divisor;
}

void csv_row(const struct csv_layout *l, int64_t timestamp_ms, const struct sum *totals,
             struct buf *out)
{
    double ratio = cpi(l, totals);

    buf_put_i64(out, timestamp_ms);
    for (size_t i = 0; i < 4; i++)
        put_count(l, l->first[i], totals, out);
    buf_putc(out, ',');
    if (isfinite(ratio))
        buf_put_sig6(out, ratio);
    for (size_t i = 0; i < l->n_further; i++)
        put_count(l, (int)l->further[i], totals, out);
    for (size_t i = 0; i < l->n_multiplexed; i++) {
        struct sum s = totals[l->multiplexed[i]];

        buf_putc(out, ',');
        if (!isnan(sum_count(s, l->scope)))
            buf_put_u64(out, (uint64_t)lround(sum_running_percent(s, l->scope)));
    }
    buf_putc(out, '\n');
}
