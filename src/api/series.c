// SPDX-License-Identifier: Apache-2.0
// /api/series: columns instead of rows, over any span, as as many points as a chart can show.
#include "api/api_private.h"
#include "api/params.h"
#include "api/series_cpus.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINES        4
#define NUMBER_BYTES 8 // of text, with its comma; most are no longer
// Numbers rendered at a time: what one client makes us hold, and for how long the others wait. Each
// time costs a walk through the span.
#define NUMBERS_AT_ONCE 196608 // 48 columns of 1,000 points
#define COLUMNS_AT_ONCE 64

static const char *const line_names[LINES] = {"mean", "min", "max", "running"};
static_assert(sizeof(struct bucket_point) == LINES * sizeof(double), "a point is its lines");

struct series {
    struct api *api;
    struct selection columns;
    struct query_plan plan;
    size_t slot;
    size_t column; // the next one to render
    bool opened;
    const char *ids[COLUMNS_AT_ONCE];
    bool whole[COLUMNS_AT_ONCE]; // a count of whole numbers
    size_t n_ids;
    size_t room; // points of a column in api->points
    // The buckets' ends: those of the first columns hold for the others as well.
    int64_t *times;
    size_t n_times, at;
    bool more_times; // still collecting them
    struct buf seconds, sequences;
    bool failed;
};

static void series_free(void *context)
{
    struct series *s = context;

    selection_done(&s->columns);
    free(s->times);
    buf_done(&s->seconds);
    buf_done(&s->sequences);
    free(s);
}

static void put_comma(struct buf *out)
{
    if (out->size)
        buf_putc(out, ',');
}

// Room for so many points of each column, an odd number of them: columns whose distance is a power
// of two would share a few lines of the cache. False: no memory.
static bool make_room(struct series *s, size_t room)
{
    struct api *a = s->api;
    struct bucket_point *points = a->points;

    room |= 1;
    if (s->n_ids * room > a->n_points) {
        points = reallocarray(points, s->n_ids * room, sizeof(*points));
        if (!points)
            return false;
        a->points = points;
        a->n_points = s->n_ids * room;
    }
    for (size_t i = s->n_ids; i-- > 1 && s->at;)
        memmove(points + i * room, points + i * s->room, s->at * sizeof(*points));
    s->room = room;
    return true;
}

// The next point; NULL: one without values.
static void take_point(struct series *s, const struct query_point *p)
{
    for (size_t i = 0; i < s->n_ids; i++) {
        struct bucket_point *to = &s->api->points[i * s->room + s->at];
        const struct column *c = p && p->have[i] ? &p->columns[i] : NULL;

        if (!c) {
            *to = (struct bucket_point){NAN, NAN, NAN, NAN};
            continue;
        }
        s->whole[i] = c->event && event_is_whole(c->event);
        bucket_point(p->bucket, s->slot, c, s->plan.single, to);
    }
    s->at++;
}

static bool add_time(struct series *s, const struct query_point *p)
{
    if (s->n_times % 1024 == 0) {
        int64_t *times = reallocarray(s->times, s->n_times + 1024, sizeof(*times));

        if (!times)
            return false;
        s->times = times;
    }
    s->times[s->n_times++] = p->t_ms;
    put_comma(&s->seconds);
    render_metric(&s->seconds, p->bucket->seconds);
    put_comma(&s->sequences);
    if (p->sequence)
        buf_put_u64(&s->sequences, p->sequence);
    else
        buf_puts(&s->sequences, "null");
    return s->n_times <= s->room || make_room(s, 2 * s->room);
}

static bool on_point(void *context, const struct query_point *p)
{
    struct series *s = context;

    if (s->more_times) {
        s->failed = !add_time(s, p);
        if (!s->failed)
            take_point(s, p);
        return !s->failed;
    }
    // A bucket that has gone since has no values; one that has come since is for the next question.
    while (s->at < s->n_times && s->times[s->at] < p->t_ms)
        take_point(s, NULL);
    if (s->at < s->n_times && s->times[s->at] == p->t_ms)
        take_point(s, p);
    return true;
}

// How many points there are; before they are known, as many as the plan can have.
static size_t count_points(const struct series *s)
{
    if (s->opened)
        return s->n_times + 1;
    return s->plan.empty ? 1
                         : (size_t)((s->plan.to_ms - s->plan.from_ms) / s->plan.resolution_ms) + 1;
}

// The next columns over the whole span.
static int collect(struct series *s)
{
    struct query_columns columns = {.ids = s->ids, .extremes = !s->plan.single};
    size_t most = NUMBERS_AT_ONCE / LINES / count_points(s);
    int r;

    most = most < 1 ? 1 : most > COLUMNS_AT_ONCE ? COLUMNS_AT_ONCE : most;
    for (s->n_ids = 0; s->n_ids < most && s->column + s->n_ids < s->columns.n; s->n_ids++)
        s->ids[s->n_ids] = s->columns.ids[s->column + s->n_ids];
    columns.n = s->n_ids;
    s->at = 0;
    if (!make_room(s, count_points(s)))
        return -ENOMEM;
    memset(s->whole, 0, sizeof(s->whole));
    s->more_times = !s->opened;
    r = query_points(s->api->query, &s->plan, s->plan.from_ms, s->plan.to_ms,
                     (struct slots){s->slot, s->slot + 1}, &columns, on_point, s);
    while (!s->more_times && s->at < s->n_times)
        take_point(s, NULL);
    return s->failed ? -ENOMEM : r;
}

static void put_head(struct series *s, struct buf *out)
{
    buf_puts(out, "{\"t\":[");
    for (size_t i = 0; i < s->n_times; i++) {
        if (i)
            buf_putc(out, ',');
        buf_put_i64(out, s->times[i]);
    }
    buf_puts(out, "],\"seconds\":[");
    buf_append(out, s->seconds.data, s->seconds.size);
    buf_puts(out, "],\"sequence\":[");
    buf_append(out, s->sequences.data, s->sequences.size);
    buf_puts(out, "],");
    render_plan(out, &s->plan);
    buf_puts(out, ",\"columns\":{");
    buf_done(&s->seconds);
    buf_done(&s->sequences);
}

static void put_line(const struct series *s, size_t i, size_t line, struct buf *out)
{
    const struct bucket_point *points = &s->api->points[i * s->room];
    const double *first[LINES] = {&points->mean, &points->min, &points->max,
                                  &points->running_percent};
    // A mean of counts is not whole.
    bool whole = line < 3 && s->whole[i] && (line || s->plan.single);

    render_numbers(out, first[line], s->at, LINES, whole);
}

static void put_columns(struct series *s, struct buf *out)
{
    // At once, instead of in some steps, each with a copy.
    buf_reserve(out, s->n_ids * s->at * LINES * NUMBER_BYTES);
    for (size_t i = 0; i < s->n_ids; i++, s->column++) {
        size_t start = s->column ? s->columns.key_ends[s->column - 1] : 0;
        size_t skip = s->column == 0; // the first has no comma before it

        buf_append(out, s->columns.keys.data + start + skip,
                   s->columns.key_ends[s->column] - start - skip);
        for (size_t k = 0; k < LINES; k++) {
            buf_puts(out, k ? ",\"" : "{\"");
            buf_puts(out, line_names[k]);
            buf_puts(out, "\":[");
            put_line(s, i, k, out);
            buf_putc(out, ']');
        }
        buf_putc(out, '}');
    }
}

static enum web_next series_next(void *context, struct buf *out)
{
    struct series *s = context;

    if (!s->opened && selection_bind_once(&s->columns, s->api->session) < 0)
        out->failed = true;
    if ((!s->opened || s->column < s->columns.n) && collect(s) == -ENOMEM)
        out->failed = true;
    if (!s->opened)
        put_head(s, out);
    s->opened = true;
    put_columns(s, out);
    if (s->column < s->columns.n)
        return WEB_NEXT_MORE;
    buf_puts(out, "}}\n");
    return WEB_NEXT_END;
}

int handle_series(const struct web_request *q, void *context, struct web_reply **ret)
{
    const char *cpu = web_request_argument(q, "cpu");
    struct api *a = context;
    struct series *s;
    int r;

    if (cpu && strcmp(cpu, "all") == 0)
        return series_cpus(q, a, ret);
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->api = a;
    r = params_slot(q, a->session, &s->slot, ret);
    if (r == 0)
        r = params_plan(q, a->query, SERIES_POINTS_DEFAULT, &s->plan, ret);
    if (r == 0)
        r = params_columns(q, a->session, &s->columns, ret);
    if (r != 0) {
        free(s);
        return r;
    }
    *ret = web_reply_pieces(WEB_JSON, &(struct web_source){series_next, series_free, s});
    return *ret ? 0 : -ENOMEM;
}
