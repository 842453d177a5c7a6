// SPDX-License-Identifier: Apache-2.0
// Columns of a history: its sums as counts and metrics, with their quality.
#include "history/history.h"

#include <string.h>

bool history_column(const struct history *h, const char *id, struct column *ret)
{
    const struct event_table *events = history_events(h);
    int event = event_table_find_column(events, id);
    const struct metric_binding *bindings;
    size_t n;

    if (event >= 0) {
        *ret = (struct column){.event = &events->events[event], .index = (size_t)event};
        return true;
    }
    bindings = history_metrics(h, &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(bindings[i].metric->id, id) == 0) {
            *ret = (struct column){.metric = &bindings[i], .index = i};
            return true;
        }
    return false;
}

const char *column_id(const struct column *c)
{
    return c->event ? c->event->column : c->metric->metric->id;
}

static struct value no_value(enum quality quality)
{
    return (struct value){.value = NAN, .quality = quality};
}

static struct value event_value(const struct history *h, uint64_t from, uint64_t to, size_t slot,
                                size_t index)
{
    const struct event *e = &history_events(h)->events[index];
    struct sum s;
    enum reading_scope scope = history_scope(h);

    if (e->availability != QUALITY_EXACT)
        return no_value(e->availability);
    s = history_sum(h, from, to, slot, index);
    // A gauge has no times: it was read in these rows, or it was not.
    if (e->kind == EVENT_GAUGE)
        return (struct value){.value = s.raw, .quality = QUALITY_EXACT, .running_percent = 100};
    return (struct value){.value = sum_count(s, scope),
                          .quality = sum_quality(s, scope),
                          .running_percent = sum_running_percent(s, scope)};
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

// A metric's input as its formula wants it.
static struct value input_value(const struct history *h, uint64_t from, uint64_t to, size_t slot,
                                const struct metric_binding *b, size_t input)
{
    size_t event = (size_t)b->inputs[input];
    struct value v = event_value(h, from, to, slot, event);

    if (b->metric->in_units)
        v.value *= history_events(h)->events[event].scale;
    return v;
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
    size_t first = (size_t)b->inputs[0];

    if (b->metric->per_enabled)
        return history_sum(h, from, to, slot, first).enabled / 1e9;
    if (b->metric->window_seconds > 0)
        return history_gauge_seconds(h, from, to, slot, first);
    return stretch_seconds(h, from, to);
}

static struct value metric_value(const struct history *h, uint64_t from, uint64_t to, size_t slot,
                                 const struct metric_binding *b)
{
    struct value result = {.quality = QUALITY_EXACT, .running_percent = 100};
    double in[METRIC_INPUTS_MAX + 1];

    if (b->availability != QUALITY_EXACT)
        return no_value(b->availability);
    if (b->metric->window_seconds > 0)
        from = widen(h, from, to, b->metric->window_seconds);
    for (size_t i = 0; i < b->n_inputs; i++) {
        struct value v = input_value(h, from, to, slot, b, i);

        in[i] = v.value;
        result.quality = quality_worse(result.quality, v.quality);
        if (v.running_percent < result.running_percent)
            result.running_percent = v.running_percent;
        if (isnan(v.value))
            return no_value(result.quality);
    }
    if (b->split && result.quality != QUALITY_EXACT)
        return no_value(result.quality);
    in[b->n_inputs] = b->slots;
    result.value = b->metric->evaluate(in, metric_seconds(h, from, to, slot, b));
    return result;
}

struct value history_value(const struct history *h, uint64_t from, uint64_t to, size_t slot,
                           const struct column *column)
{
    return column->event ? event_value(h, from, to, slot, column->index)
                         : metric_value(h, from, to, slot, column->metric);
}
