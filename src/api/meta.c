// SPDX-License-Identifier: Apache-2.0
// /api/meta: what is measured, where, in which columns, and how the program itself is doing.
#include "api/api_private.h"
#include "base/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CPU_WINDOW NS_PER_SEC // our own CPU use is over at least this much time

static void put_text(struct json *j, const char *key, const char *text)
{
    json_key(j, key);
    json_string(j, text);
}

// A text that may be unknown: null then.
static void put_known(struct json *j, const char *key, const char *text)
{
    json_key(j, key);
    json_string(j, text[0] ? text : NULL);
}

static void put_whole(struct json *j, const char *key, int64_t value)
{
    json_key(j, key);
    if (value < 0)
        json_null(j);
    else
        json_i64(j, value);
}

static void put_cpus(struct json *j, const struct session *s)
{
    json_key(j, "cpus");
    json_open(j, '{');
    json_key(j, "possible");
    json_i64(j, s->cpus_possible);
    json_key(j, "online");
    json_open(j, '[');
    for (int64_t i = 0; s->cpu_online && i < s->cpus_possible; i++)
        if (s->cpu_online[i])
            json_i64(j, i);
    json_close(j, ']');
    json_close(j, '}');
}

static void put_scope(struct json *j, const struct session *s)
{
    json_key(j, "target");
    json_open(j, '{');
    put_text(j, "kind", s->target_kind);
    put_text(j, "text", s->target_text);
    json_close(j, '}');
    json_key(j, "input");
    json_open(j, '{');
    put_text(j, "kind", s->input_kind);
    put_text(j, "text", s->input_text);
    put_text(j, "state", session_state_name(s->state));
    put_known(j, "reason", s->reason);
    json_close(j, '}');
}

static void put_time(struct json *j, const char *key, const struct history *h, uint64_t sequence)
{
    json_key(j, key);
    if (h && history_last(h))
        json_i64(j, history_timestamp(h, sequence));
    else
        json_null(j);
}

static enum quality newest_quality(const struct history *h, const struct column *c)
{
    uint64_t last = h ? history_last(h) : 0;

    if (last)
        return history_value(h, last, last, 0, c).quality;
    return c->event ? c->event->availability : c->metric->availability;
}

static void put_event(struct json *j, const struct history *h, const struct event *e, size_t index)
{
    const struct column column = {.event = e, .index = index};

    json_open(j, '{');
    put_text(j, "id", e->column);
    put_text(j, "name", e->name);
    put_text(j, "kind", e->kind == EVENT_GAUGE ? "gauge" : "count");
    put_text(j, "unit", e->unit);
    json_key(j, "scale");
    json_metric(j, e->scale);
    json_key(j, "per_cpu");
    json_bool(j, h && history_slots(h) > 1 && !e->total_only);
    put_text(j, "quality", quality_name(newest_quality(h, &column)));
    put_known(j, "why", e->why);
    json_key(j, "group");
    json_i64(j, e->group);
    json_close(j, '}');
}

// The first input that is not there says why the metric is not.
static void put_metric_why(struct json *j, const struct event_table *events,
                           const struct metric_binding *b)
{
    char text[EVENT_NAME_MAX + EVENT_REASON_MAX + 16];

    json_key(j, "why");
    for (size_t i = 0; i < b->n_inputs; i++) {
        const struct event *e = &events->events[b->inputs[i]];

        if (e->availability == QUALITY_EXACT)
            continue;
        snprintf(text, sizeof(text), "needs %s: %s", e->name,
                 e->why[0] ? e->why : quality_name(e->availability));
        json_string(j, text);
        return;
    }
    json_null(j);
}

static void put_metric(struct json *j, const struct history *h, const struct event_table *events,
                       const struct metric_binding *b, size_t index)
{
    const struct column column = {.metric = b, .index = index};

    json_open(j, '{');
    put_text(j, "id", b->metric->id);
    put_text(j, "name", b->metric->name);
    put_text(j, "kind", "metric");
    put_text(j, "unit", b->metric->unit);
    put_text(j, "formula", b->metric->formula);
    put_text(j, "source", b->metric->source);
    json_key(j, "inputs");
    json_open(j, '[');
    for (size_t i = 0; i < b->n_inputs; i++)
        json_string(j, events->events[b->inputs[i]].column);
    json_close(j, ']');
    json_key(j, "per_cpu");
    json_bool(j, h && history_slots(h) > 1 && b->per_cpu);
    put_text(j, "quality", quality_name(newest_quality(h, &column)));
    put_metric_why(j, events, b);
    json_close(j, '}');
}

static int put_columns(struct json *j, const struct session *s)
{
    const struct event_table *events = s->history ? history_events(s->history) : s->events;
    struct metric_binding *own = NULL;
    const struct metric_binding *bindings = NULL;
    size_t n = 0;

    if (s->history) {
        bindings = history_metrics(s->history, &n);
    } else if (events) {
        own = calloc(n_metrics, sizeof(*own));
        if (!own)
            return -ENOMEM;
        n = metric_bind(events, own);
        bindings = own;
    }
    json_key(j, "columns");
    json_open(j, '[');
    for (size_t i = 0; events && i < events->n; i++)
        put_event(j, s->history, &events->events[i], i);
    for (size_t i = 0; i < n; i++)
        put_metric(j, s->history, events, &bindings[i], i);
    json_close(j, ']');
    free(own);
    return 0;
}

static void put_notes(struct json *j, const struct session *s)
{
    json_key(j, "notes");
    json_open(j, '[');
    for (size_t i = 0; i < s->n_notes && i < SESSION_NOTES_MAX; i++) {
        json_open(j, '{');
        put_text(j, "severity", s->notes[i].severity);
        put_text(j, "text", s->notes[i].text);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_process(struct json *j, const char *key, double cpu_percent, int64_t rss)
{
    json_key(j, key);
    json_open(j, '{');
    json_key(j, "cpu_percent");
    json_metric(j, cpu_percent < 0 ? NAN : cpu_percent);
    put_whole(j, "rss_bytes", rss);
    json_close(j, '}');
}

// Our own CPU time, in percent of one CPU, over the last second or since the question before.
static double own_cpu_percent(struct api *a)
{
    ns_t now = clock_ns(CLOCK_MONOTONIC), used;

    if (now - a->cpu_at < CPU_WINDOW)
        return a->cpu_percent;
    used = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    a->cpu_percent = 100.0 * (double)(used - a->cpu_used) / (double)(now - a->cpu_at);
    a->cpu_at = now;
    a->cpu_used = used;
    return a->cpu_percent;
}

static int64_t own_rss_bytes(const struct api *a)
{
    long long size, resident;
    char text[128];
    ssize_t n = a->statm_fd >= 0 ? pread(a->statm_fd, text, sizeof(text) - 1, 0) : -1;

    if (n <= 0)
        return -1;
    text[n] = '\0';
    return sscanf(text, "%lld %lld", &size, &resident) == 2 ? resident * sysconf(_SC_PAGESIZE) : -1;
}

static void put_health(struct json *j, struct api *a)
{
    const struct session_health *h = &a->session->health;
    struct web_stats stats = {0};

    if (a->server)
        stats = web_server_stats(a->server);
    json_key(j, "health");
    json_open(j, '{');
    put_whole(j, "missed_ticks", h->missed_ticks);
    put_whole(j, "dropped_rounds", h->dropped_rounds);
    put_whole(j, "skipped_records", h->skipped_records);
    json_key(j, "clients_dropped");
    json_u64(j, stats.clients_dropped);
    json_key(j, "stream_clients");
    json_u64(j, stats.stream_clients);
    put_process(j, "collector", h->collector_cpu_percent, h->collector_rss_bytes);
    put_process(j, "server", own_cpu_percent(a), own_rss_bytes(a));
    json_close(j, '}');
}

static void put_first(struct json *j, int64_t first_ms)
{
    json_key(j, "first");
    if (first_ms)
        json_i64(j, first_ms);
    else
        json_null(j);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return !a || (b && b < a) ? b : a;
}

static int64_t oldest(const struct keeper_status *status)
{
    int64_t first = 0;

    for (size_t t = 0; t < LADDER_TIERS; t++)
        first = earlier(first, status->first_ms[t]);
    return first;
}

static void put_tiers(struct json *j, const struct keeper_status *status, int64_t interval_ms)
{
    json_key(j, "tiers");
    json_open(j, '[');
    for (size_t t = 0; t < LADDER_TIERS; t++) {
        if (!ladder_used(t, interval_ms))
            continue;
        json_open(j, '{');
        json_key(j, "resolution_ms");
        json_i64(j, t ? ladder[t].resolution_ms : interval_ms);
        put_first(j, status->first_ms[t]);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_history(struct json *j, struct api *a)
{
    static const char *const states[] = {
        [KEEPER_OK] = "ok", [KEEPER_OFF] = "off", [KEEPER_FAILED] = "failed"};
    const struct history *h = a->session->history;
    struct keeper_status status = {.state = KEEPER_OFF};
    const char *path = NULL;

    if (a->config.keeper) {
        keeper_status(a->config.keeper, &status);
        path = keeper_path(a->config.keeper);
    }
    // What has not been taken yet is in the ring.
    if (h)
        status.first_ms[0] = earlier(status.first_ms[0], history_timestamp(h, history_first(h)));
    json_key(j, "history");
    json_open(j, '{');
    json_key(j, "path");
    json_string(j, path);
    put_first(j, oldest(&status));
    json_key(j, "bytes");
    json_u64(j, status.bytes);
    json_key(j, "bound_bytes");
    json_u64(j, status.bound);
    put_tiers(j, &status, a->session->interval_ms);
    put_text(j, "state", states[status.state]);
    put_known(j, "reason", status.reason);
    // Of a run that is kept nowhere else, such as a CSV's, what left the ring is lost.
    json_key(j, "lost");
    json_u64(j, status.lost + (h && !status.line ? history_first(h) - 1 : 0));
    json_close(j, '}');
}

static int put_meta(struct json *j, struct api *a)
{
    const struct session *s = a->session;
    const struct history *h = s->history;
    int r;

    json_open(j, '{');
    put_text(j, "program", "cyclescope");
    put_text(j, "version", a->config.version);
    put_text(j, "run", s->run);
    put_whole(j, "now", clock_ns(CLOCK_REALTIME) / NS_PER_MS);
    put_text(j, "host", s->host);
    put_text(j, "kernel", s->kernel);
    put_text(j, "arch", s->arch);
    put_text(j, "cpu_model", s->cpu_model);
    put_known(j, "hypervisor", s->hypervisor);
    put_cpus(j, s);
    put_scope(j, s);
    json_key(j, "interval_ms");
    json_i64(j, s->interval_ms);
    put_time(j, "first", h, h ? history_first(h) : 0);
    put_time(j, "latest", h, h ? history_last(h) : 0);
    put_whole(j, "rows", h ? (int64_t)(history_last(h) - history_first(h) + 1) : 0);
    put_history(j, a);
    r = put_columns(j, s);
    put_notes(j, s);
    json_key(j, "limits");
    json_open(j, '{');
    json_key(j, "rows");
    json_u64(j, h ? history_capacity(h) : a->config.rows);
    json_key(j, "memory_bytes");
    json_u64(j, a->config.memory_bytes);
    put_whole(j, "stream_min_ms", API_STREAM_MIN_MS);
    json_close(j, '}');
    put_health(j, a);
    json_close(j, '}');
    return r;
}

int handle_meta(const struct web_request *q, void *context, struct web_reply **ret)
{
    struct api *a = context;
    struct buf body = {0};
    struct json j = {.out = &body};
    int r;

    (void)q;
    session_read_lock(a->session);
    r = put_meta(&j, a);
    session_unlock(a->session);
    if (r < 0) {
        buf_done(&body);
        return r;
    }
    return api_reply_json(200, &body, ret);
}
