// SPDX-License-Identifier: Apache-2.0
#include "history/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void layout_done(struct layout *l)
{
    event_table_done(&l->events);
    free(l->metrics);
    free(l->first_raw);
    free(l->first_times);
    free(l->counted);
    free(l->first_gauge);
    free(l->first_metric);
    *l = (struct layout){0};
}

static int copy_events(struct layout *l, const struct event_table *events)
{
    size_t n_groups = (size_t)events->n_groups + 1;

    l->events = *events;
    l->events.events = calloc(events->n, sizeof(*events->events));
    l->metrics = calloc(n_metrics, sizeof(*l->metrics));
    l->first_raw = calloc(events->n, sizeof(*l->first_raw));
    l->first_times = calloc(events->n, sizeof(*l->first_times));
    l->counted = calloc(events->n, sizeof(*l->counted));
    l->first_gauge = calloc(n_groups, sizeof(*l->first_gauge));
    l->first_metric = calloc(n_metrics, sizeof(*l->first_metric));
    if (!l->events.events || !l->metrics || !l->first_raw || !l->first_times || !l->counted ||
        !l->first_gauge || !l->first_metric)
        return -ENOMEM;
    memcpy(l->events.events, events->events, events->n * sizeof(*events->events));
    l->n_metrics = metric_bind(&l->events, l->metrics);
    return 0;
}

static bool has_times(const struct event *e)
{
    return e->kind == EVENT_COUNT && e->availability == QUALITY_EXACT;
}

static void place_times(size_t *first, size_t *n, size_t n_slots)
{
    if (*first != LAYOUT_NONE)
        return;
    *first = *n;
    *n += n_slots;
}

static int by_group(const void *a, const void *b, void *context)
{
    const struct event *events = context;
    size_t i = *(const size_t *)a, k = *(const size_t *)b;

    if (events[i].group != events[k].group)
        return events[i].group < events[k].group ? -1 : 1;
    return i < k ? -1 : i > k;
}

static void order(struct layout *l)
{
    for (size_t i = 0; i < l->events.n; i++)
        if (has_times(&l->events.events[i]))
            l->counted[l->n_counted++] = i;
    qsort_r(l->counted, l->n_counted, sizeof(*l->counted), by_group, l->events.events);
}

static void place(struct layout *l)
{
    for (size_t g = 0; g <= (size_t)l->events.n_groups; g++)
        l->first_gauge[g] = LAYOUT_NONE;
    for (size_t i = 0; i < l->events.n; i++) {
        const struct event *e = &l->events.events[i];

        l->first_raw[i] = l->first_times[i] = LAYOUT_NONE;
        if (e->availability != QUALITY_EXACT)
            continue;
        l->first_raw[i] = l->n_raw;
        l->n_raw += e->total_only ? 1 : l->n_slots;
        if (e->kind == EVENT_GAUGE)
            place_times(&l->first_gauge[e->group], &l->n_gauges, l->n_slots);
        else
            place_times(&l->first_times[i], &l->n_times, l->n_slots);
    }
}

static void place_metrics(struct layout *l)
{
    l->n_metric_places = 0;
    for (size_t i = 0; i < l->n_metrics; i++) {
        l->first_metric[i] = LAYOUT_NONE;
        if (l->metrics[i].availability != QUALITY_EXACT)
            continue;
        l->first_metric[i] = l->n_metric_places;
        l->n_metric_places += l->metrics[i].per_cpu ? l->n_slots : 1;
    }
}

int layout_set_metrics(struct layout *l, struct metric_binding *bindings, size_t n)
{
    size_t *first = calloc(n + 1, sizeof(*first));

    free(l->metrics);
    l->metrics = bindings;
    l->n_metrics = first ? n : 0;
    free(l->first_metric);
    l->first_metric = first;
    place_metrics(l);
    return first ? 0 : -ENOMEM;
}

int layout_init(struct layout *l, const struct event_table *events, size_t n_slots,
                enum reading_scope scope)
{
    int r;

    *l = (struct layout){0};
    if (!n_slots || !events->n)
        return -EINVAL;
    r = copy_events(l, events);
    if (r < 0) {
        layout_done(l);
        return r;
    }
    l->n_slots = n_slots;
    l->scope = scope;
    order(l);
    place(l);
    place_metrics(l);
    return 0;
}

int layout_copy(struct layout *l, const struct layout *of)
{
    struct metric_binding *bindings;
    int r = layout_init(l, &of->events, of->n_slots, of->scope);

    if (r < 0)
        return r;
    bindings = calloc(of->n_metrics + 1, sizeof(*bindings));
    if (bindings)
        memcpy(bindings, of->metrics, of->n_metrics * sizeof(*bindings));
    r = bindings ? layout_set_metrics(l, bindings, of->n_metrics) : -ENOMEM;
    if (r < 0)
        layout_done(l);
    return r;
}

size_t layout_columns(const struct layout *l)
{
    return l->events.n + l->n_metrics;
}

struct column layout_column(const struct layout *l, size_t index)
{
    if (index < l->events.n)
        return (struct column){.event = &l->events.events[index], .index = index};
    index -= l->events.n;
    return (struct column){.metric = &l->metrics[index], .index = index};
}

bool layout_find(const struct layout *l, const char *id, struct column *ret)
{
    int event = event_table_find_column(&l->events, id);

    if (event >= 0) {
        *ret = layout_column(l, (size_t)event);
        return true;
    }
    for (size_t i = 0; i < l->n_metrics; i++)
        if (strcmp(l->metrics[i].metric->id, id) == 0) {
            *ret = layout_column(l, l->events.n + i);
            return true;
        }
    return false;
}

static bool events_equal(const struct event *a, const struct event *b)
{
    return strcmp(a->column, b->column) == 0 && a->group == b->group && a->kind == b->kind &&
           a->availability == b->availability && a->total_only == b->total_only &&
           a->scale == b->scale;
}

// What decides on the places as well: a stored run has them as they were stored.
static bool metrics_equal(const struct metric_binding *a, const struct metric_binding *b)
{
    return a->metric == b->metric && a->per_cpu == b->per_cpu && a->availability == b->availability;
}

bool layout_equal(const struct layout *a, const struct layout *b)
{
    if (a == b)
        return true;
    if (a->events.n != b->events.n || a->n_metrics != b->n_metrics || a->n_slots != b->n_slots ||
        a->scope != b->scope || a->events.tasks != b->events.tasks ||
        a->events.slots_per_cycle != b->events.slots_per_cycle)
        return false;
    for (size_t i = 0; i < a->events.n; i++)
        if (!events_equal(&a->events.events[i], &b->events.events[i]))
            return false;
    for (size_t i = 0; i < a->n_metrics; i++)
        if (!metrics_equal(&a->metrics[i], &b->metrics[i]))
            return false;
    return true;
}

const char *column_id(const struct column *c)
{
    return c->event ? c->event->column : c->metric->metric->id;
}
