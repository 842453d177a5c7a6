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

static inline struct value value_none(enum quality quality)
{
    return (struct value){.value = NAN, .quality = quality};
}

// Here because a chart asks for tens of thousands of them, and often for the value alone.
//
// What was counted, without the event's scale. `s`: what the event counted over the stretch; for a
// gauge, raw is its increase.
static inline struct value value_of_count(const struct event *e, struct sum s,
                                          enum reading_scope scope)
{
    if (e->availability != QUALITY_EXACT)
        return value_none(e->availability);
    // A gauge has no times: it was read in this stretch, or it was not.
    if (e->kind == EVENT_GAUGE)
        return (struct value){.value = s.raw, .quality = QUALITY_EXACT, .running_percent = 100};
    return (struct value){.value = sum_count(s, scope),
                          .quality = sum_quality(s, scope),
                          .running_percent = sum_running_percent(s, scope)};
}

// The same in the event's unit.
static inline struct value value_of_event(const struct event *e, struct sum s,
                                          enum reading_scope scope)
{
    struct value v = value_of_count(e, s, scope);

    return (struct value){event_in_unit(e, v.value), v.quality, v.running_percent};
}

// sums[i]: what input i counted over the stretch, which took `seconds`; `events`: those of the
// binding.
struct value value_of_metric(const struct metric_binding *b, const struct event_table *events,
                             const struct sum *sums, enum reading_scope scope, double seconds);
