// SPDX-License-Identifier: Apache-2.0
// Columns of a history: its sums as counts and metrics, with their quality.
#include "history/history.h"

// An interval of 1 s is measured as 0.9999 s as often as not: that is a window of 1 s too.
#define WINDOW_ENOUGH 0.95

static struct value event_value(const struct history *h, uint64_t from, uint64_t to, size_t slot,
                                size_t index)
{
    const struct event *e = &history_events(h)->events[index];
    struct sum s =
        e->availability == QUALITY_EXACT ? history_sum(h, from, to, slot, index) : SUM_NONE;

    return value_of_event(e, s, history_scope(h));
}

// The first row of the stretch that ends at `to`, begins at `from` or earlier, and is `seconds`
// long.
static uint64_t widen(const struct history *h, uint64_t from, uint64_t to, double seconds)
{
    uint64_t first = history_first(h);
    double length = 0;

    for (uint64_t s = to; s > from; s--)
        if ((length += history_seconds(h, s)) >= seconds)
            return from;
    length += history_seconds(h, from);
    while (from > first && length < seconds)
        length += history_seconds(h, --from);
    return from;
}

static double stretch_seconds(const struct history *h, uint64_t from, uint64_t to)
{
    double seconds = 0;

    for (uint64_t s = from; s <= to; s++)
        seconds += history_seconds(h, s);
    return seconds;
}

// The time that a metric's rate divides by.
static double metric_seconds(const struct history *h, uint64_t from, uint64_t to, size_t slot,
                             const struct metric_binding *b)
{
    return b->metric->window_seconds > 0
               ? history_gauge_seconds(h, from, to, slot, (size_t)b->inputs[0])
               : stretch_seconds(h, from, to);
}

static struct value metric_value(const struct history *h, uint64_t from, uint64_t to, size_t slot,
                                 const struct metric_binding *b)
{
    struct sum sums[METRIC_INPUTS_MAX];

    if (b->availability != QUALITY_EXACT)
        return (struct value){.value = NAN, .quality = b->availability};
    if (b->metric->window_seconds > 0)
        from = widen(h, from, to, b->metric->window_seconds * WINDOW_ENOUGH);
    for (size_t i = 0; i < b->n_inputs; i++)
        sums[i] = history_sum(h, from, to, slot, (size_t)b->inputs[i]);
    return value_of_metric(b, history_events(h), sums, history_scope(h),
                           metric_seconds(h, from, to, slot, b));
}

struct value history_value(const struct history *h, uint64_t from, uint64_t to, size_t slot,
                           const struct column *column)
{
    return column->event ? event_value(h, from, to, slot, column->index)
                         : metric_value(h, from, to, slot, column->metric);
}
