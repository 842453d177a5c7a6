// SPDX-License-Identifier: Apache-2.0
// What a whole run counted: raw sums over its intervals, slot by slot (slot 0 is the target's
// total, slot 1 + c is CPU c), evaluated at its end.
#pragma once

#include "model/value.h"

struct totals {
    const struct event_table *events; // not owned
    struct metric_binding *bindings;  // the metrics of these events; owned
    size_t n_bindings;
    enum reading_scope scope;
    size_t n_slots;
    struct sum *sums; // [slot * events->n + event]; of a gauge, its newest cumulative value; owned
    double seconds;   // measured
    double gauge_seconds; // until gauges, which are not read at every tick, were read last
    size_t intervals;
};

// 0 or -ENOMEM.
int totals_init(struct totals *t, const struct event_table *events, enum reading_scope scope,
                size_t n_slots);
void totals_done(struct totals *t);

// Adds an interval's sums, as readings_sums() gives them. An interval in which an event had no
// counter is left out of that event's sum, unless there is no other.
void totals_add(struct totals *t, const struct sum *interval, double seconds);

struct value totals_event(const struct totals *t, size_t slot, size_t event);
struct value totals_metric(const struct totals *t, size_t slot, const struct metric_binding *b);
