// SPDX-License-Identifier: Apache-2.0
#include "output/stat_json.h"

#include "base/json.h"

#include <stdio.h>

static void cpu_key(struct json *j, size_t slot)
{
    char key[24];

    snprintf(key, sizeof(key), "%zu", slot - 1);
    json_key(j, key);
}

// Column i of a history: its events, then its metrics.
static bool column_at(const struct history *h, size_t i, struct column *ret)
{
    const struct event_table *events = history_events(h);
    size_t n;
    const struct metric_binding *bindings = history_metrics(h, &n);

    if (i < events->n)
        *ret = (struct column){.event = &events->events[i], .index = i};
    else if (i - events->n < n)
        *ret = (struct column){.metric = &bindings[i - events->n], .index = i - events->n};
    else
        return false;
    return true;
}

// "scaled 75"
static void put_quality(struct json *j, struct value v)
{
    char text[32];
    double percent = v.running_percent < 1 ? 1 : v.running_percent > 99 ? 99 : v.running_percent;

    if (v.quality == QUALITY_SCALED)
        snprintf(text, sizeof(text), "scaled %.0f", percent);
    json_string(j, v.quality == QUALITY_SCALED ? text : quality_name(v.quality));
}

static void put_columns(struct json *j, const struct history *h, uint64_t sequence, size_t slot)
{
    struct column c;
    bool inexact = false;

    for (size_t i = 0; column_at(h, i, &c); i++) {
        struct value v = history_value(h, sequence, sequence, slot, &c);

        json_key(j, column_id(&c));
        if (c.event && event_is_whole(c.event))
            json_count(j, v.value);
        else
            json_metric(j, v.value);
        inexact |= v.quality != QUALITY_EXACT;
    }
    if (!inexact)
        return;
    json_key(j, "quality");
    json_open(j, '{');
    for (size_t i = 0; column_at(h, i, &c); i++) {
        struct value v = history_value(h, sequence, sequence, slot, &c);

        if (v.quality == QUALITY_EXACT)
            continue;
        json_key(j, column_id(&c));
        put_quality(j, v);
    }
    json_close(j, '}');
}

// Did anything count there? An offline CPU, or one that was not asked for, has no entry.
static bool has_cpu(const struct history *h, uint64_t sequence, size_t slot)
{
    struct column c;

    for (size_t i = 0; column_at(h, i, &c); i++)
        if (isfinite(history_value(h, sequence, sequence, slot, &c).value))
            return true;
    return false;
}

void stat_json_interval(const struct history *h, uint64_t sequence, bool cpus, struct buf *out)
{
    struct json j = {.out = out};

    json_open(&j, '{');
    json_key(&j, "timestamp");
    json_i64(&j, history_timestamp(h, sequence));
    json_key(&j, "seconds");
    json_metric(&j, history_seconds(h, sequence));
    put_columns(&j, h, sequence, 0);
    if (cpus) {
        json_key(&j, "cpus");
        json_open(&j, '{');
        for (size_t slot = 1; slot < history_slots(h); slot++) {
            if (!has_cpu(h, sequence, slot))
                continue;
            cpu_key(&j, slot);
            json_open(&j, '{');
            put_columns(&j, h, sequence, slot);
            json_close(&j, '}');
        }
        json_close(&j, '}');
    }
    json_close(&j, '}');
    buf_putc(out, '\n');
}

static void put_value(struct json *j, struct value v, bool whole)
{
    json_key(j, "value");
    if (whole)
        json_count(j, v.value);
    else
        json_metric(j, v.value);
    json_key(j, "quality");
    json_string(j, quality_name(v.quality));
    if (v.quality == QUALITY_SCALED) {
        json_key(j, "running");
        json_metric(j, v.running_percent);
    }
}

static struct value total_at(const struct totals *t, size_t slot, size_t i)
{
    return i < t->events->n ? totals_event(t, slot, i)
                            : totals_metric(t, slot, &t->bindings[i - t->events->n]);
}

static void put_cpus(struct json *j, const struct totals *t, size_t i)
{
    json_key(j, "cpus");
    json_open(j, '{');
    for (size_t slot = 1; slot < t->n_slots; slot++) {
        struct value v = total_at(t, slot, i);

        if (v.quality >= QUALITY_OFFLINE || (!isfinite(v.value) && v.quality == QUALITY_EXACT))
            continue;
        cpu_key(j, slot);
        json_open(j, '{');
        put_value(j, v, i < t->events->n && event_is_whole(&t->events->events[i]));
        json_close(j, '}');
    }
    json_close(j, '}');
}

static void put_column(struct json *j, const struct totals *t, size_t i, bool per_cpu)
{
    const struct event *e = i < t->events->n ? &t->events->events[i] : NULL;
    const struct metric *m = e ? NULL : t->bindings[i - t->events->n].metric;

    json_key(j, e ? e->column : m->id);
    json_open(j, '{');
    put_value(j, total_at(t, 0, i), e && event_is_whole(e));
    json_key(j, "name");
    json_string(j, e ? e->name : m->name);
    json_key(j, "unit");
    json_string(j, e ? e->unit : m->unit);
    if (e && *e->why) {
        json_key(j, "why");
        json_string(j, e->why);
    }
    if (per_cpu)
        put_cpus(j, t, i);
    json_close(j, '}');
}

void stat_json_totals(const struct totals *t, const struct stat_run *run, struct json *j)
{
    json_open(j, '{');
    json_key(j, "target");
    json_string(j, run->target);
    json_key(j, "seconds");
    json_metric(j, t->seconds);
    json_key(j, "user_seconds");
    json_metric(j, run->user_seconds);
    json_key(j, "system_seconds");
    json_metric(j, run->system_seconds);
    json_key(j, "intervals");
    json_u64(j, t->intervals);
    json_key(j, "exit_status");
    if (run->status < 0)
        json_null(j);
    else
        json_i64(j, run->status);
    json_key(j, "columns");
    json_open(j, '{');
    for (size_t i = 0; i < t->events->n + t->n_bindings; i++)
        put_column(j, t, i, run->per_cpu);
    json_close(j, '}');
    json_close(j, '}');
}

void stat_json_summary(const struct totals *t, const struct stat_run *run, struct buf *out)
{
    struct json j = {.out = out};

    json_open(&j, '{');
    json_key(&j, "summary");
    stat_json_totals(t, run, &j);
    json_close(&j, '}');
    buf_putc(out, '\n');
}
