// SPDX-License-Identifier: Apache-2.0
#include "model/value.h"

// Were its inputs counted in different parts of the stretch, though they are of one group? Events
// that are counted together have the same times, to the ns; see collect/apart.h.
static bool was_apart(const struct metric_binding *b, const struct sum *sums)
{
    for (size_t i = 1; i < b->n_inputs && b->metric->one_group; i++)
        if (!sum_same_times(sums[i], sums[0]))
            return true;
    return false;
}

struct value value_of_metric(const struct metric_binding *b, const struct event_table *events,
                             const struct sum *sums, enum reading_scope scope, double seconds)
{
    struct value result = {.quality = QUALITY_EXACT, .running_percent = 100};
    double in[METRIC_INPUTS_MAX + 1];

    if (b->availability != QUALITY_EXACT)
        return value_none(b->availability);
    for (size_t i = 0; i < b->n_inputs; i++) {
        const struct event *e = &events->events[b->inputs[i]];
        struct value v = value_of_count(e, sums[i], scope);

        in[i] = b->metric->in_units ? event_in_unit(e, v.value) : v.value;
        result.quality = quality_worse(result.quality, v.quality);
        if (v.running_percent < result.running_percent)
            result.running_percent = v.running_percent;
        if (isnan(v.value))
            return value_none(result.quality);
    }
    // Two groups that did not run all the time ran at different times.
    if (result.quality != QUALITY_EXACT && (b->split || was_apart(b, sums))) {
        result.value = NAN;
        return result;
    }
    in[b->n_inputs] = b->slots;
    result.value =
        b->metric->evaluate(in, b->metric->per_enabled ? sums[0].enabled / 1e9 : seconds);
    return result;
}
