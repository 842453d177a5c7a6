// SPDX-License-Identifier: Apache-2.0
// /api/series?cpu=all: one column of every CPU over any span, for a heatmap. One question in place
// of one per CPU, because a stored bucket is read once for all of them.
#include "api/series_cpus.h"

#include "api/params.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Numbers in an answer, points × CPUs: a wide screen's pixels of 512 CPUs.
#define NUMBERS_MAX (2048 * 512)
// What all answers that are being made may hold.
#define BYTES_MAX (32 << 20)
// Numbers read or rendered at a time, so that other clients are served in between.
#define NUMBERS_AT_ONCE 32768

struct cpus {
    struct api *api;
    struct selection columns; // one
    struct query_plan plan;
    size_t n_cpus;
    size_t bytes;    // counted in api->series_bytes
    int64_t next_ms; // where the next part of the span begins
    int64_t *times;
    float *means; // [time][cpu]
    size_t n_times, capacity;
    size_t cpu; // the next one to render
    bool opened, read, failed;
};

static void cpus_free(void *context)
{
    struct cpus *s = context;

    s->api->series_bytes -= s->bytes;
    selection_done(&s->columns);
    free(s->times);
    free(s->means);
    free(s);
}

static bool make_room(struct cpus *s)
{
    size_t capacity = s->capacity ? 2 * s->capacity : 256;
    int64_t *times = reallocarray(s->times, capacity, sizeof(*times));
    float *means;

    if (!times)
        return false;
    s->times = times;
    means = reallocarray(s->means, capacity, s->n_cpus * sizeof(*means));
    if (!means)
        return false;
    s->means = means;
    s->capacity = capacity;
    return true;
}

static bool on_point(void *context, const struct query_point *p)
{
    struct cpus *s = context;
    float *means;

    if (s->n_times == s->capacity && !make_room(s)) {
        s->failed = true;
        return false;
    }
    means = s->means + s->n_times * s->n_cpus;
    for (size_t i = 0; i < s->n_cpus; i++) {
        const struct column *c = &p->columns[0];

        means[i] = NAN;
        if (p->have[0])
            means[i] =
                (float)bucket_mean(p->bucket, 1 + i, c, bucket_value(p->bucket, 1 + i, c).value);
    }
    s->times[s->n_times++] = p->t_ms;
    return true;
}

// The next part of the span.
static void read_part(struct cpus *s)
{
    int64_t buckets = (int64_t)(NUMBERS_AT_ONCE / s->n_cpus) + 1;
    int64_t to = s->next_ms + buckets * s->plan.resolution_ms - 1;
    const struct query_columns columns = {.ids = s->columns.ids, .n = 1};

    if (to > s->plan.to_ms)
        to = s->plan.to_ms;
    // What cannot be read from the disk is a gap, as in the other form.
    (void)query_points(s->api->query, &s->plan, s->next_ms, to, (struct slots){1, 1 + s->n_cpus},
                       &columns, on_point, s);
    s->next_ms = to + 1;
    s->read = s->next_ms > s->plan.to_ms;
}

static void put_head(const struct cpus *s, struct buf *out)
{
    buf_putc(out, '{');
    render_plan(out, &s->plan);
    buf_puts(out, ",\"t\":[");
}

static void put_times(const struct cpus *s, size_t from, struct buf *out)
{
    for (size_t i = from; i < s->n_times; i++) {
        if (i)
            buf_putc(out, ',');
        buf_put_i64(out, s->times[i]);
    }
    if (s->read)
        buf_puts(out, "],\"cpus\":{");
    else
        buf_putc(out, '\n'); // a part in which nothing was measured has bytes as well
}

static void put_cpus(struct cpus *s, struct buf *out)
{
    size_t most = NUMBERS_AT_ONCE / (s->n_times + 1) + 1;

    for (; most > 0 && s->cpu < s->n_cpus; most--, s->cpu++) {
        buf_puts(out, s->cpu ? ",\"" : "\"");
        buf_put_u64(out, s->cpu);
        buf_puts(out, "\":[");
        for (size_t i = 0; i < s->n_times; i++) {
            if (i)
                buf_putc(out, ',');
            render_metric(out, s->means[i * s->n_cpus + s->cpu]);
        }
        buf_putc(out, ']');
    }
}

static int bind_column(struct cpus *s)
{
    int r;

    session_read_lock(s->api->session);
    r = selection_bind(&s->columns, s->api->session);
    session_unlock(s->api->session);
    return r;
}

static enum web_next cpus_next(void *context, struct buf *out)
{
    struct cpus *s = context;

    if (!s->opened) {
        if (s->n_cpus && bind_column(s) < 0)
            out->failed = true;
        s->read = s->plan.empty || !s->n_cpus || s->columns.n != 1;
        put_head(s, out);
        s->opened = true;
        if (s->read)
            put_times(s, 0, out);
    }
    if (!s->read) {
        size_t before = s->n_times;

        read_part(s);
        if (s->failed)
            out->failed = true;
        put_times(s, before, out);
        return WEB_NEXT_MORE;
    }
    put_cpus(s, out);
    if (s->cpu < s->n_cpus)
        return WEB_NEXT_MORE;
    buf_puts(out, "}}\n");
    return WEB_NEXT_END;
}

// How many there are: 0 when there is no history yet.
static int count_cpus(struct session *session, size_t *ret, struct web_reply **ret_reply)
{
    size_t slots;

    session_read_lock(session);
    slots = session->history ? history_slots(session->history) : 0;
    session_unlock(session);
    if (slots == 1)
        return params_refuse(ret_reply, "cpu", "this target has no values per CPU");
    *ret = slots ? slots - 1 : 0;
    return 0;
}

static int prepare(const struct web_request *q, struct cpus *s, struct web_reply **ret)
{
    const char *names = web_request_argument(q, "columns");
    struct api *a = s->api;
    uint64_t points, most;
    double from, to;
    int r;

    if (!names || strchr(names, ','))
        return params_refuse(ret, "columns", "one column, with cpu=all");
    r = count_cpus(a->session, &s->n_cpus, ret);
    if (r != 0)
        return r;
    most = NUMBERS_MAX / (s->n_cpus ? s->n_cpus : 1);
    if (most > PARAMS_POINTS_MAX)
        most = PARAMS_POINTS_MAX;
    points = most < SERIES_POINTS_DEFAULT ? most : SERIES_POINTS_DEFAULT;
    r = params_span(q, &from, &to, ret);
    if (r == 0)
        r = params_whole(q, "points", 1, most, &points, ret);
    if (r != 0)
        return r;
    s->bytes = points * (s->n_cpus + 1) * sizeof(*s->means);
    a->series_bytes += s->bytes;
    if (a->series_bytes > BYTES_MAX) {
        *ret = web_reply_error(503, "busy", "too many series are being made; ask again");
        return *ret ? 1 : -ENOMEM;
    }
    query_plan(a->query, from, to, points, &s->plan);
    s->next_ms = s->plan.from_ms;
    return params_columns(q, a->session, &s->columns, ret);
}

int series_cpus(const struct web_request *q, struct api *a, struct web_reply **ret)
{
    struct cpus *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    s->api = a;
    r = prepare(q, s, ret);
    if (r != 0) {
        cpus_free(s);
        return r;
    }
    *ret = web_reply_pieces(WEB_JSON, &(struct web_source){cpus_next, cpus_free, s});
    return *ret ? 0 : -ENOMEM;
}
