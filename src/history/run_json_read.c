// SPDX-License-Identifier: Apache-2.0
// A run's columns as the store has kept them: they may be from another program's time.
#include "base/text.h"
#include "history/store_private.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

// Events and metrics times slots: what a question holds of a run are two buckets of so many places,
// of some 40 bytes each. The most CPUs that a kernel can have may have 60 columns.
#define PLACES_MAX ((size_t)1 << 19)

static void take_text(const json_t *object, const char *key, char *ret, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));

    text_copy(ret, size, text ? text : "");
}

static enum quality take_quality(const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "quality"));
    enum quality q;

    return name && quality_parse(name, &q) ? q : QUALITY_NOT_SUPPORTED;
}

static bool read_event(const json_t *object, int n_groups, struct event *ret)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    json_int_t group = json_integer_value(json_object_get(object, "group"));

    *ret = (struct event){.group = (int)group, .availability = take_quality(object)};
    take_text(object, "id", ret->column, sizeof(ret->column));
    take_text(object, "name", ret->name, sizeof(ret->name));
    take_text(object, "unit", ret->unit, sizeof(ret->unit));
    ret->kind = kind && strcmp(kind, "gauge") == 0 ? EVENT_GAUGE : EVENT_COUNT;
    ret->scale = json_number_value(json_object_get(object, "scale"));
    ret->total_only = json_is_true(json_object_get(object, "total_only"));
    return ret->column[0] && group >= 0 && group < n_groups;
}

static int read_events(const json_t *root, struct event_table *ret)
{
    const json_t *list = json_object_get(root, "events");
    json_int_t groups = json_integer_value(json_object_get(root, "groups"));
    size_t n = json_array_size(list);

    if (!n || n > EVENTS_MAX || groups < 1 || groups > EVENTS_MAX)
        return -EBADMSG;
    *ret = (struct event_table){
        .n_groups = (int)groups,
        .tasks = json_is_true(json_object_get(root, "tasks")),
        .slots_per_cycle = json_number_value(json_object_get(root, "slots_per_cycle")),
    };
    ret->events = calloc(n, sizeof(*ret->events));
    if (!ret->events)
        return -ENOMEM;
    for (; ret->n < n; ret->n++)
        if (!read_event(json_array_get(list, ret->n), ret->n_groups, &ret->events[ret->n]))
            return -EBADMSG;
    return 0;
}

static double no_value(const double *in, double seconds)
{
    (void)in;
    (void)seconds;
    return NAN;
}

// Stands for a metric that this program does not have, or has in another form: its bytes are passed
// over.
static const struct metric forgotten[2] = {
    {.id = "", .name = "", .unit = "", .formula = "", .source = "", .evaluate = no_value},
    {.id = "",
     .name = "",
     .unit = "",
     .formula = "",
     .source = "",
     .evaluate = no_value,
     .window_seconds = 1},
};

static struct metric_binding binding_of(const struct layout *l, const json_t *object)
{
    const char *id = json_string_value(json_object_get(object, "id"));
    bool window = json_is_true(json_object_get(object, "window"));
    struct metric_binding b = {.metric = &forgotten[window]};

    for (size_t i = 0; id && i < l->n_metrics; i++)
        if (strcmp(l->metrics[i].metric->id, id) == 0 &&
            (l->metrics[i].metric->window_seconds > 0) == window)
            b = l->metrics[i];
    b.per_cpu = json_is_true(json_object_get(object, "per_cpu"));
    b.availability = take_quality(object);
    return b;
}

static int read_metrics(const json_t *root, struct layout *l)
{
    const json_t *list = json_object_get(root, "metrics");
    size_t n = json_array_size(list);
    struct metric_binding *bindings;

    if (n > LAYOUT_METRICS_MAX)
        return -EBADMSG;
    bindings = calloc(n + 1, sizeof(*bindings));
    if (!bindings)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        bindings[i] = binding_of(l, json_array_get(list, i));
    return layout_set_metrics(l, bindings, n);
}

int run_json_read(const char *text, size_t size, size_t n_slots, struct layout *ret)
{
    json_t *root = json_loadb(text, size, 0, NULL);
    struct event_table events = {0};
    int r = root ? read_events(root, &events) : -EBADMSG;

    if (r == 0 &&
        n_slots > PLACES_MAX / (events.n + json_array_size(json_object_get(root, "metrics"))))
        r = -EBADMSG;
    if (r == 0)
        r = layout_init(ret, &events, n_slots,
                        json_is_true(json_object_get(root, "task_times")) ? SCOPE_TASK : SCOPE_CPU);
    if (r == 0) {
        r = read_metrics(root, ret);
        if (r < 0)
            layout_done(ret);
    }
    event_table_done(&events);
    json_decref(root);
    return r;
}
