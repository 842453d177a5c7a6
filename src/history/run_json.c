// SPDX-License-Identifier: Apache-2.0
// A run's columns as the store keeps them: enough to understand its buckets years later, by a
// program whose metrics may be others.
#include "base/json.h"
#include "history/store_private.h"

static void put_event(struct json *j, const struct event *e)
{
    json_open(j, '{');
    json_key(j, "id");
    json_string(j, e->column);
    json_key(j, "name");
    json_string(j, e->name);
    json_key(j, "kind");
    json_string(j, e->kind == EVENT_GAUGE ? "gauge" : "count");
    json_key(j, "unit");
    json_string(j, e->unit);
    json_key(j, "scale");
    buf_printf(j->out, "%.17g", e->scale);
    j->comma = true;
    json_key(j, "group");
    json_i64(j, e->group);
    json_key(j, "total_only");
    json_bool(j, e->total_only);
    json_key(j, "quality");
    json_string(j, quality_name(e->availability));
    json_close(j, '}');
}

static void put_metric(struct json *j, const struct metric_binding *b)
{
    json_open(j, '{');
    json_key(j, "id");
    json_string(j, b->metric->id);
    json_key(j, "formula");
    json_string(j, b->metric->formula);
    json_key(j, "unit");
    json_string(j, b->metric->unit);
    json_key(j, "window");
    json_bool(j, b->metric->window_seconds > 0);
    json_key(j, "per_cpu");
    json_bool(j, b->per_cpu);
    json_key(j, "quality");
    json_string(j, quality_name(b->availability));
    json_close(j, '}');
}

void run_json_write(struct buf *out, const struct layout *l)
{
    struct json j = {.out = out};

    json_open(&j, '{');
    json_key(&j, "tasks");
    json_bool(&j, l->events.tasks);
    json_key(&j, "task_times");
    json_bool(&j, l->scope == SCOPE_TASK);
    json_key(&j, "slots_per_cycle");
    buf_printf(out, "%.17g", l->events.slots_per_cycle);
    j.comma = true;
    json_key(&j, "groups");
    json_i64(&j, l->events.n_groups);
    json_key(&j, "events");
    json_open(&j, '[');
    for (size_t i = 0; i < l->events.n; i++)
        put_event(&j, &l->events.events[i]);
    json_close(&j, ']');
    json_key(&j, "metrics");
    json_open(&j, '[');
    for (size_t i = 0; i < l->n_metrics; i++)
        put_metric(&j, &l->metrics[i]);
    json_close(&j, ']');
    json_close(&j, '}');
}
