// SPDX-License-Identifier: Apache-2.0
// What is computed from counts. A further metric is one more row of the table in metric_table.c.
#pragma once

#include "model/event.h"

#define METRIC_INPUTS_MAX 8

struct metric {
    const char *id; // column id. Rows of one id are the same metric on different machines
    const char *name;
    const char *unit;    // "" for a plain number; "share" is 0 to 1
    const char *formula; // in the column ids of its inputs
    const char *source;  // where the formula stands
    // Column ids, NULL after the last. "a|b": either. An event that is named with its PMU
    // ("cpu/a/", "skl::A"), perf's other name ("cs") or a modifier that all inputs share ("a:u") is
    // found by its plain name.
    const char *inputs[METRIC_INPUTS_MAX];
    // in[]: the counts of the inputs over one stretch, in the order of inputs; all finite. seconds:
    // its length. NAN when it is not defined (a division by 0).
    double (*evaluate)(const double *in, double seconds);
    // Inputs are cumulative gauges, read ten times or once a second: evaluated over this much time
    // at the least (0: the interval).
    double window_seconds;
    // A ratio whose inputs must come from one group: numerator and denominator read with one
    // read(2).
    bool one_group;
    bool in_units;    // in[] is in the events' units, and not what was counted
    bool per_enabled; // seconds are the first input's time_enabled, added up over CPUs
    bool tasks_only;  // makes sense for processes, not for CPUs
    bool needs_slots; // in[] ends with the core's slots per cycle; without them it is not there
};

extern const struct metric metrics[];
extern const size_t n_metrics;

// A metric of the table whose inputs are all in `events` (present or not supported), resolved to
// their indexes.
struct metric_binding {
    const struct metric *metric;
    int inputs[METRIC_INPUTS_MAX]; // index into the event table
    size_t n_inputs;
    double slots; // of metric->needs_slots
    bool split;   // a one_group metric whose inputs are in different groups: see value_of_metric()
    bool per_cpu; // false when an input exists as a total only
    enum quality availability; // EXACT, or the worst of its inputs'
};

// Binds every metric whose inputs `events` lists: each id once, with the row and the alternatives
// that are available. `ret` holds n_metrics. Returns how many.
size_t metric_bind(const struct event_table *events, struct metric_binding *ret);
