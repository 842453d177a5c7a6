// SPDX-License-Identifier: Apache-2.0
// /api/processes: the CPU time of each process over a span.
#include "history/processes.h"
#include "api/api_private.h"
#include "api/params.h"
#include "base/json.h"

#include <math.h>
#include <stdlib.h>

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     10000

static void put_number(struct json *j, const char *key, double value)
{
    json_key(j, key);
    json_metric(j, value);
}

static void put_time(struct json *j, const char *key, int64_t ms)
{
    json_key(j, key);
    if (ms)
        json_i64(j, ms);
    else
        json_null(j);
}

static void put_process(struct json *j, const struct process_total *p, double seconds)
{
    json_open(j, '{');
    json_key(j, "pid");
    json_u64(j, p->pid);
    json_key(j, "comm");
    json_string(j, p->comm);
    put_number(j, "cpu_time_ms", p->cpu_ms);
    put_number(j, "share", seconds > 0 ? p->cpu_ms / 1e3 / seconds : NAN);
    put_time(j, "first_seen", p->first_ms);
    put_time(j, "last_seen", p->last_ms);
    json_key(j, "born");
    json_bool(j, p->what & PROCESSES_BORN);
    json_key(j, "ended");
    json_bool(j, p->what & PROCESSES_ENDED);
    json_close(j, '}');
}

static void put_span(struct json *j, const struct process_span *span, uint64_t limit)
{
    json_open(j, '{');
    put_time(j, "from", span->from_ms);
    put_time(j, "to", span->to_ms);
    put_number(j, "seconds", span->seconds);
    put_number(j, "cpu_time_ms", span->cpu_ms);
    json_key(j, "forks");
    json_u64(j, span->forks);
    json_key(j, "count");
    json_u64(j, span->n);
    json_key(j, "truncated");
    json_bool(j, span->truncated || span->n > limit);
    json_key(j, "processes");
    json_open(j, '[');
    for (size_t i = 0; i < span->n && i < limit; i++)
        put_process(j, &span->totals[i], span->seconds);
    json_close(j, ']');
    json_close(j, '}');
}

int handle_processes(const struct web_request *q, void *context, struct web_reply **ret)
{
    struct session *session = ((struct api *)context)->session;
    uint64_t limit = LIMIT_DEFAULT;
    struct process_span span = {0};
    struct buf body = {0};
    struct json j = {.out = &body};
    double from, to;
    int r = params_span(q, &from, &to, ret);

    if (r == 0)
        r = params_whole(q, "limit", 1, LIMIT_MAX, &limit, ret);
    if (r != 0)
        return r;
    session_read_lock(session);
    if (session->processes)
        r = processes_span(session->processes, (int64_t)ceil(from), (int64_t)floor(to), &span);
    session_unlock(session);
    if (r < 0)
        return r;
    process_span_sort(&span);
    put_span(&j, &span, limit);
    free(span.totals);
    return api_reply_json(200, &body, ret);
}
