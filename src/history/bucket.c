// SPDX-License-Identifier: Apache-2.0
#include "history/bucket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NS 1e9

static const struct extremes none = {NAN, NAN, NAN};

int bucket_init(struct bucket *b, const struct layout *layout)
{
    *b = (struct bucket){.layout = layout};
    b->raw = calloc(layout->n_raw + 1, sizeof(*b->raw));
    b->empty = calloc(layout->n_raw + 1, sizeof(*b->empty));
    b->times = calloc(layout->n_times + 1, sizeof(*b->times));
    b->gauge_ns = calloc(layout->n_gauges + 1, sizeof(*b->gauge_ns));
    b->events = calloc(layout->n_raw + 1, sizeof(*b->events));
    b->metrics = calloc(layout->n_metric_places + 1, sizeof(*b->metrics));
    if (!b->raw || !b->empty || !b->times || !b->gauge_ns || !b->events || !b->metrics) {
        bucket_done(b);
        return -ENOMEM;
    }
    bucket_clear(b);
    return 0;
}

void bucket_done(struct bucket *b)
{
    free(b->raw);
    free(b->empty);
    free(b->times);
    free(b->gauge_ns);
    free(b->events);
    free(b->metrics);
    *b = (struct bucket){0};
}

static void clear_slot(struct bucket *b, size_t slot)
{
    const struct layout *l = b->layout;
    size_t place;

    for (size_t e = 0; e < l->events.n; e++)
        if ((place = layout_raw(l, slot, e)) != LAYOUT_NONE) {
            b->raw[place] = NAN;
            b->empty[place] = 0;
            b->events[place] = none;
        }
    for (size_t k = 0; k < l->n_counted; k++)
        b->times[layout_times(l, slot, l->counted[k])] = (struct bucket_times){0};
    for (size_t m = 0; m < l->n_metrics; m++)
        if ((place = layout_metric(l, slot, m)) != LAYOUT_NONE)
            b->metrics[place] = none;
    for (size_t g = 0; g < (size_t)l->events.n_groups; g++)
        if (l->first_gauge[g] != LAYOUT_NONE)
            b->gauge_ns[l->first_gauge[g] + slot] = NAN;
}

void bucket_clear_slots(struct bucket *b, struct slots slots)
{
    b->time_ms = 0;
    b->seconds = 0;
    b->run = b->sequence = b->intervals = b->missing = 0;
    for (size_t slot = slots.from; slot < slots.to; slot++)
        clear_slot(b, slot);
}

void bucket_clear(struct bucket *b)
{
    bucket_clear_slots(b, (struct slots){0, b->layout->n_slots});
}

void bucket_copy(struct bucket *to, const struct bucket *b)
{
    const struct layout *l = to->layout;

    to->time_ms = b->time_ms;
    to->seconds = b->seconds;
    to->run = b->run;
    to->sequence = b->sequence;
    to->intervals = b->intervals;
    to->missing = b->missing;
    memcpy(to->raw, b->raw, l->n_raw * sizeof(*b->raw));
    memcpy(to->empty, b->empty, l->n_raw * sizeof(*b->empty));
    memcpy(to->times, b->times, l->n_times * sizeof(*b->times));
    memcpy(to->gauge_ns, b->gauge_ns, l->n_gauges * sizeof(*b->gauge_ns));
    memcpy(to->events, b->events, l->n_raw * sizeof(*b->events));
    memcpy(to->metrics, b->metrics, l->n_metric_places * sizeof(*b->metrics));
}

static void take_event(struct bucket *b, const struct history *h, uint64_t sequence, size_t slot,
                       size_t event)
{
    const struct layout *l = b->layout;
    const struct event *e = &l->events.events[event];
    size_t place = layout_raw(l, slot, event);
    struct sum s;
    double count;

    if (place == LAYOUT_NONE)
        return;
    s = history_sum(h, sequence, sequence, slot, event);
    b->raw[place] = s.raw;
    count = value_of_event(e, s, l->scope).value;
    b->events[place] = (struct extremes){count, count, count};
    b->empty[place] = isnan(count);
    if (isnan(s.raw))
        return;
    if (e->kind == EVENT_GAUGE)
        b->gauge_ns[layout_gauge(l, slot, event)] =
            history_gauge_seconds(h, sequence, sequence, slot, event) * NS;
    else
        b->times[layout_times(l, slot, event)] = (struct bucket_times){s.enabled, s.running};
}

static uint64_t missing_of(double seconds, int64_t interval_ms)
{
    double grid_points = interval_ms > 0 ? round(seconds * 1e3 / (double)interval_ms) : 1;

    return grid_points > 1 && grid_points < 1e15 ? (uint64_t)grid_points - 1 : 0;
}

static bool is_wanted(const struct wanted *wanted, const struct metric_binding *m, size_t index)
{
    return !wanted ||
           (wanted->metrics[index] && (wanted->extremes || m->metric->window_seconds > 0));
}

void bucket_take(struct bucket *b, const struct history *h, uint64_t sequence, int64_t interval_ms,
                 struct slots slots, const struct wanted *wanted)
{
    const struct layout *l = b->layout;

    bucket_clear_slots(b, slots);
    b->time_ms = history_timestamp(h, sequence);
    b->seconds = history_seconds(h, sequence);
    b->sequence = sequence;
    b->intervals = 1;
    b->missing = missing_of(b->seconds, interval_ms);
    for (size_t slot = slots.from; slot < slots.to; slot++) {
        for (size_t e = 0; e < l->events.n; e++)
            if (!wanted || wanted->events[e])
                take_event(b, h, sequence, slot, e);
        for (size_t m = 0; m < l->n_metrics; m++) {
            size_t place = layout_metric(l, slot, m);
            struct column column = {.metric = &l->metrics[m], .index = m};
            double value;

            if (place == LAYOUT_NONE || !is_wanted(wanted, &l->metrics[m], m))
                continue;
            value = history_value(h, sequence, sequence, slot, &column).value;
            b->metrics[place] = (struct extremes){value, value, value};
        }
    }
}

static void add_extremes(struct extremes *to, struct extremes e)
{
    to->last = e.last;
    if (isnan(e.min))
        return;
    // NAN is not less, and not greater. Without a branch: which it is nobody can predict.
    to->min = to->min < e.min ? to->min : e.min;
    to->max = to->max > e.max ? to->max : e.max;
}

static bool never_ran(struct bucket_times t)
{
    return t.enabled > 0 && t.running <= 0;
}

static bool is_zero(struct bucket_times t)
{
    return t.enabled <= 0 && t.running <= 0;
}

// What becomes of an event's sums: an interval in which it had no counter says nothing of the
// others' scale, unless there is no other.
enum joining { JOIN_ADD, JOIN_SKIP, JOIN_REPLACE };

static enum joining joining_of(struct bucket_times ours, struct bucket_times theirs)
{
    if (never_ran(theirs))
        return never_ran(ours) || is_zero(ours) ? JOIN_ADD : JOIN_SKIP;
    return never_ran(ours) && !is_zero(theirs) ? JOIN_REPLACE : JOIN_ADD;
}

static enum joining add_times(struct bucket_times *ours, struct bucket_times theirs)
{
    enum joining how = joining_of(*ours, theirs);

    if (how == JOIN_REPLACE)
        *ours = theirs;
    if (how == JOIN_ADD) {
        ours->enabled += theirs.enabled;
        ours->running += theirs.running;
    }
    return how;
}

// The times between the readings of the groups' gauges.
static void add_gauge_times(struct bucket *to, const struct bucket *b, size_t slot)
{
    const struct layout *l = to->layout;

    for (size_t g = 0; g < (size_t)l->events.n_groups; g++)
        if (l->first_gauge[g] != LAYOUT_NONE) {
            double *ours = &to->gauge_ns[l->first_gauge[g] + slot];
            double theirs = b->gauge_ns[l->first_gauge[g] + slot];

            if (!isnan(theirs))
                *ours = isnan(*ours) ? theirs : *ours + theirs;
        }
}

static void add_event(struct bucket *to, const struct bucket *b, size_t slot, size_t event)
{
    size_t place = layout_raw(to->layout, slot, event);
    enum joining joining = JOIN_ADD;

    if (place == LAYOUT_NONE)
        return;
    add_extremes(&to->events[place], b->events[place]);
    to->empty[place] += b->empty[place];
    if (isnan(b->raw[place]))
        return;
    if (to->layout->events.events[event].kind == EVENT_COUNT) {
        size_t times = layout_times(to->layout, slot, event);

        joining = add_times(&to->times[times], b->times[times]);
    }
    if (joining == JOIN_SKIP)
        return;
    if (joining == JOIN_REPLACE || isnan(to->raw[place]))
        to->raw[place] = b->raw[place];
    else
        to->raw[place] += b->raw[place];
}

void bucket_add(struct bucket *to, const struct bucket *b, struct slots slots,
                const struct wanted *wanted)
{
    const struct layout *l = to->layout;

    to->time_ms = b->time_ms;
    to->run = b->run;
    to->sequence = b->sequence;
    to->seconds += b->seconds;
    to->intervals += b->intervals;
    to->missing += b->missing;
    for (size_t slot = slots.from; slot < slots.to; slot++) {
        add_gauge_times(to, b, slot);
        for (size_t e = 0; e < l->events.n; e++)
            if (!wanted || wanted->events[e])
                add_event(to, b, slot, e);
        for (size_t m = 0; m < l->n_metrics; m++) {
            size_t place = layout_metric(l, slot, m);

            if (place != LAYOUT_NONE && (!wanted || wanted->metrics[m]))
                add_extremes(&to->metrics[place], b->metrics[place]);
        }
    }
}
