// SPDX-License-Identifier: Apache-2.0
// What a bucket's sums say of a column. One file, so that it becomes one piece of code: a chart
// asks for tens of thousands of these, and what is handed on through memory is waited for.
#include "history/bucket.h"

#define NS 1e9
// An interval of 1 s is measured as 0.9999 s as often as not: that is a window of 1 s too.
#define WINDOW_ENOUGH 0.95

static const struct extremes none = {NAN, NAN, NAN};

static inline struct sum sum_of(const struct bucket *b, size_t slot, size_t event)
{
    const struct layout *l = b->layout;
    size_t place = layout_raw(l, slot, event);
    struct bucket_times t;

    if (place == LAYOUT_NONE || isnan(b->raw[place]))
        return SUM_NONE;
    if (l->events.events[event].kind == EVENT_GAUGE)
        return (struct sum){.raw = b->raw[place]};
    t = b->times[layout_times(l, slot, event)];
    return (struct sum){b->raw[place], t.enabled, t.running};
}

static double gauge_seconds(const struct bucket *b, size_t slot, size_t event)
{
    const struct layout *l = b->layout;

    // A stored run, or a stream, can call a count as a metric over a window calls its gauge.
    if (layout_raw(l, slot, event) == LAYOUT_NONE || l->events.events[event].kind != EVENT_GAUGE)
        return NAN;
    return b->gauge_ns[layout_gauge(l, slot, event)] / NS;
}

static struct value metric_value(const struct bucket *b, size_t slot,
                                 const struct metric_binding *m, size_t index)
{
    const struct layout *l = b->layout;
    struct sum sums[METRIC_INPUTS_MAX];
    double window = m->metric->window_seconds, seconds = b->seconds;

    for (size_t i = 0; i < m->n_inputs; i++)
        sums[i] = sum_of(b, slot, (size_t)m->inputs[i]);
    if (window > 0 && m->availability == QUALITY_EXACT)
        seconds = gauge_seconds(b, slot, (size_t)m->inputs[0]);
    if (window > 0 && !(seconds >= window * WINDOW_ENOUGH)) {
        size_t place = layout_metric(l, slot, index);

        if (place != LAYOUT_NONE && !isnan(b->metrics[place].last))
            return (struct value){b->metrics[place].last, QUALITY_EXACT, 100};
    }
    return value_of_metric(m, &l->events, sums, l->scope, seconds);
}

static inline struct value value_of(const struct bucket *b, size_t slot,
                                    const struct column *column)
{
    if (column->metric)
        return metric_value(b, slot, column->metric, column->index);
    return value_of_event(column->event, sum_of(b, slot, column->index), b->layout->scope);
}

struct value bucket_value(const struct bucket *b, size_t slot, const struct column *column)
{
    return value_of(b, slot, column);
}

static inline double intervals_of(const struct bucket *b, size_t slot, const struct column *column)
{
    size_t place = layout_raw(b->layout, slot, column->index);

    if (place == LAYOUT_NONE)
        return 0;
    // A gauge is read at times of its own: its increase is spread over the time between them.
    if (column->event->kind == EVENT_GAUGE)
        return (double)b->intervals * (gauge_seconds(b, slot, column->index) / b->seconds);
    return b->empty[place] < b->intervals ? (double)(b->intervals - b->empty[place]) : 0;
}

double bucket_intervals(const struct bucket *b, size_t slot, const struct column *column)
{
    return intervals_of(b, slot, column);
}

static inline double mean_of(const struct bucket *b, size_t slot, const struct column *column,
                             double value)
{
    double n;

    if (column->metric)
        return value;
    n = intervals_of(b, slot, column);
    return n > 0 ? value / n : NAN;
}

double bucket_mean(const struct bucket *b, size_t slot, const struct column *column, double value)
{
    return mean_of(b, slot, column, value);
}

static inline const struct extremes *extremes_of(const struct bucket *b, size_t slot,
                                                 const struct column *column)
{
    size_t place = column->event ? layout_raw(b->layout, slot, column->index)
                                 : layout_metric(b->layout, slot, column->index);

    if (place == LAYOUT_NONE)
        return &none;
    return column->event ? &b->events[place] : &b->metrics[place];
}

struct extremes bucket_extremes(const struct bucket *b, size_t slot, const struct column *column)
{
    return *extremes_of(b, slot, column);
}

void bucket_point(const struct bucket *b, size_t slot, const struct column *column, bool single,
                  struct bucket_point *ret)
{
    struct value v = value_of(b, slot, column);
    const struct extremes *e = single ? NULL : extremes_of(b, slot, column);

    ret->mean = mean_of(b, slot, column, v.value);
    ret->min = e ? e->min : v.value;
    ret->max = e ? e->max : v.value;
    ret->running_percent = isnan(v.value) ? NAN : v.running_percent;
}

void bucket_derive_extremes(struct bucket *b, size_t slot, const struct wanted *wanted)
{
    const struct layout *l = b->layout;
    size_t place;

    for (size_t e = 0; e < l->events.n; e++)
        if ((!wanted || wanted->events[e]) && (place = layout_raw(l, slot, e)) != LAYOUT_NONE) {
            double v = value_of_event(&l->events.events[e], sum_of(b, slot, e), l->scope).value;

            b->events[place] = (struct extremes){v, v, v};
        }
    for (size_t m = 0; m < l->n_metrics; m++)
        if ((!wanted || wanted->metrics[m]) && (place = layout_metric(l, slot, m)) != LAYOUT_NONE &&
            !(l->metrics[m].metric->window_seconds > 0)) {
            double v = metric_value(b, slot, &l->metrics[m], m).value;

            b->metrics[place] = (struct extremes){v, v, v};
        }
}
