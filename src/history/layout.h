// SPDX-License-Identifier: Apache-2.0
// What a run's rows and buckets are made of: its events, the metrics that these make, its slots,
// and the place of each value. What cannot have a value has no place: an event that was not opened,
// the CPUs of a total. Each counted event has times of its own: those of a group are the same until
// the collector counts its events apart. Gauges of a group share the time between their readings.
//
// Constant once made: any thread.
#pragma once

#include "model/event.h"
#include "model/value.h"

#define LAYOUT_NONE        SIZE_MAX
#define LAYOUT_METRICS_MAX 512 // several times what the table of metrics has

struct layout {
    struct event_table events;      // owned
    struct metric_binding *metrics; // owned
    size_t n_metrics;
    size_t n_slots; // slot 0 is the target's total, slot 1 + c is CPU c
    enum reading_scope scope;
    // The first place of each, that of slot 0 (LAYOUT_NONE: it has none); a slot's is so many
    // behind it. Owned.
    size_t *first_raw;    // [event]
    size_t *first_times;  // [event]
    size_t *first_gauge;  // [group]
    size_t *first_metric; // [metric]
    size_t n_raw, n_times, n_gauges, n_metric_places;
    size_t *counted; // events that have times: the groups in their order, each with its own; owned
    size_t n_counted;
};

// A column: an event or a metric of a layout.
struct column {
    const struct event *event;           // NULL for a metric
    const struct metric_binding *metric; // NULL for an event
    size_t index;                        // in its table
};

// Copies what it needs of `events`. 0, -ENOMEM, -EINVAL (no slots, no events).
int layout_init(struct layout *l, const struct event_table *events, size_t n_slots,
                enum reading_scope scope);
// The same, metrics and all: those of a stored run may be none that this program has. 0 or -ENOMEM.
int layout_copy(struct layout *l, const struct layout *of);
void layout_done(struct layout *l);
// Its metrics become these (taken, also on failure): a stored run has those that it was stored
// with.
int layout_set_metrics(struct layout *l, struct metric_binding *bindings, size_t n);

// Places; LAYOUT_NONE: it has no value there.
static inline size_t layout_raw(const struct layout *l, size_t slot, size_t event)
{
    return l->first_raw[event] == LAYOUT_NONE || (slot && l->events.events[event].total_only)
               ? LAYOUT_NONE
               : l->first_raw[event] + slot;
}
// The times of an event that is counted, and has a raw value.
static inline size_t layout_times(const struct layout *l, size_t slot, size_t event)
{
    return l->first_times[event] + slot;
}
static inline size_t layout_gauge(const struct layout *l, size_t slot, size_t event)
{
    return l->first_gauge[l->events.events[event].group] + slot;
}
static inline size_t layout_metric(const struct layout *l, size_t slot, size_t metric)
{
    return l->first_metric[metric] == LAYOUT_NONE || (slot && !l->metrics[metric].per_cpu)
               ? LAYOUT_NONE
               : l->first_metric[metric] + slot;
}

// Columns in their order: events, then metrics.
size_t layout_columns(const struct layout *l);
struct column layout_column(const struct layout *l, size_t index);
bool layout_find(const struct layout *l, const char *id, struct column *ret);
// The same columns in the same places: their values can be added up.
bool layout_equal(const struct layout *a, const struct layout *b);
const char *column_id(const struct column *c);
