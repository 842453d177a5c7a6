// SPDX-License-Identifier: Apache-2.0
#include "model/totals.h"

#include <errno.h>
#include <stdlib.h>

int totals_init(struct totals *t, const struct event_table *events, enum reading_scope scope,
                size_t n_slots)
{
    *t = (struct totals){.events = events, .scope = scope, .n_slots = n_slots};
    t->bindings = calloc(n_metrics, sizeof(*t->bindings));
    t->sums = reallocarray(NULL, n_slots * events->n + 1, sizeof(*t->sums));
    if (!t->bindings || !t->sums) {
        totals_done(t);
        return -ENOMEM;
    }
    t->n_bindings = metric_bind(events, t->bindings);
    for (size_t i = 0; i < n_slots * events->n; i++)
        t->sums[i] = SUM_NONE;
    return 0;
}

void totals_done(struct totals *t)
{
    free(t->bindings);
    free(t->sums);
    *t = (struct totals){0};
}

static void add(struct sum *to, struct sum s, enum reading_scope scope)
{
    enum quality ours = sum_quality(*to, scope), theirs = sum_quality(s, scope);

    if (theirs == QUALITY_OFFLINE || (theirs == QUALITY_NEVER_RAN && ours <= QUALITY_SCALED))
        return;
    if (theirs <= QUALITY_SCALED && ours == QUALITY_NEVER_RAN)
        *to = s;
    else
        sum_add(to, s);
}

void totals_add(struct totals *t, const struct sum *interval, double seconds)
{
    t->seconds += seconds;
    t->intervals++;
    for (size_t slot = 0; slot < t->n_slots; slot++)
        for (size_t e = 0; e < t->events->n; e++) {
            size_t i = slot * t->events->n + e;

            if (t->events->events[e].kind == EVENT_COUNT)
                add(&t->sums[i], interval[i], t->scope);
            else if (!isnan(interval[i].raw)) {
                t->sums[i] = interval[i];
                t->gauge_seconds = t->seconds;
            }
        }
}

struct value totals_event(const struct totals *t, size_t slot, size_t event)
{
    return value_of_event(&t->events->events[event], t->sums[slot * t->events->n + event],
                          t->scope);
}

struct value totals_metric(const struct totals *t, size_t slot, const struct metric_binding *b)
{
    struct sum sums[METRIC_INPUTS_MAX];

    for (size_t i = 0; i < b->n_inputs; i++)
        sums[i] = t->sums[slot * t->events->n + (size_t)b->inputs[i]];
    return value_of_metric(b, t->events, sums, t->scope,
                           b->metric->window_seconds > 0 ? t->gauge_seconds : t->seconds);
}
