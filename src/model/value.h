// SPDX-License-Identifier: Apache-2.0
// What a column says over a stretch of time: a sum as a count, or counts as a metric, with its
// quality. The history and the terminal's totals get their numbers here, so that they agree.
#pragma once

#include "model/metric.h"
#include "model/reading.h"

struct value {
    double value;           // in the event's unit, or the metric's; NAN: no value
    enum quality quality;   // why it has none, or how good it is
    double running_percent; // 0–100; of a metric: the least of its inputs'
};

// `s`: what the event counted over the stretch; for a gauge, raw is its increase.
struct value value_of_event(const struct event *e, struct sum s, enum reading_scope scope);
// sums[i]: what input i counted over the stretch, which took `seconds`; `events`: those of the
// binding.
struct value value_of_metric(const struct metric_binding *b, const struct event_table *events,
                             const struct sum *sums, enum reading_scope scope, double seconds);
