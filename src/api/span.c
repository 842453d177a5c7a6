// SPDX-License-Identifier: Apache-2.0
// /api/span: the statistics of a span, and how its columns go together. Rendered piece by piece: a
// column, then a row of the correlations, so that no other client waits for all of it.
#include "api/params.h"
#include "api/span_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BUCKETS    512 // computed at a time: a few ms
#define SPAN_BUCKETS_MAX 10000
#define SPAN_COLUMNS_MAX 64
// Of all requests at once: six of the largest. Further ones are told to come later.
#define SPAN_BYTES_MAX ((size_t)32 << 20)

static void end_total(struct span *s);

static void span_free(void *context)
{
    struct span *s = context;

    s->api->span_bytes -= s->bytes;
    end_total(s);
    selection_done(&s->columns);
    buf_done(&s->n);
    free(s->whole);
    free(s->values);
    free(s);
}

// Over one run the whole span is one bucket; runs with other columns are weighed by their time.
static void add_to_whole(struct whole *w, const struct bucket *total, size_t slot,
                         const struct column *c)
{
    struct value v = bucket_value(total, slot, c);

    w->count = c->event != NULL;
    w->fractions = !c->event || !event_is_whole(c->event);
    if (isnan(v.value))
        return;
    if (c->event) {
        w->sum = isnan(w->sum) ? v.value : w->sum + v.value;
        w->intervals += bucket_intervals(total, slot, c);
    } else {
        w->ratio += v.value * total->seconds;
        w->weight += total->seconds;
    }
    w->running += v.running_percent * total->seconds;
    w->ran_of += total->seconds;
}

static void end_total(struct span *s)
{
    struct column c;

    if (!s->totalling)
        return;
    for (size_t i = 0; i < s->n_columns; i++)
        if (layout_find(&s->layout, s->columns.ids[i], &c))
            add_to_whole(&s->whole[i], &s->total, s->slot, &c);
    bucket_done(&s->total);
    layout_done(&s->layout);
    s->totalling = false;
}

// The point's layout is the query's, which may be gone when the next piece is made.
static int begin_total(struct span *s, const struct layout *l)
{
    int r;

    if (s->seen == l)
        return 0;
    if (s->totalling && layout_equal(&s->layout, l)) {
        s->seen = l;
        return 0;
    }
    end_total(s);
    r = layout_copy(&s->layout, l);
    if (r < 0)
        return r;
    r = bucket_init(&s->total, &s->layout);
    if (r < 0) {
        layout_done(&s->layout);
        return r;
    }
    s->totalling = true;
    s->seen = l;
    return 0;
}

static size_t bytes_for(const struct span *s, size_t capacity)
{
    return (s->n_columns + 1) * capacity * sizeof(*s->values);
}

// Single intervals may lie closer than the nominal one. 0 or -errno (-E2BIG).
static int grow(struct span *s)
{
    size_t capacity = 2 * s->capacity < SPAN_BUCKETS_MAX ? 2 * s->capacity : SPAN_BUCKETS_MAX;
    size_t bytes = bytes_for(s, capacity);
    double *values;

    if (s->capacity == SPAN_BUCKETS_MAX)
        return -E2BIG;
    if (s->api->span_bytes + bytes - s->bytes > SPAN_BYTES_MAX)
        return -ENOMEM;
    values = malloc(bytes);
    if (!values)
        return -ENOMEM;
    for (size_t i = 0; i < s->n_columns; i++)
        memcpy(values + i * capacity, s->values + i * s->capacity, s->n_buckets * sizeof(*values));
    free(s->values);
    s->values = values;
    s->api->span_bytes += bytes - s->bytes;
    s->bytes = bytes;
    s->capacity = capacity;
    return 0;
}

static bool on_point(void *context, const struct query_point *p)
{
    struct span *s = context;
    int r = s->n_buckets == s->capacity ? grow(s) : 0;

    if (r == 0)
        r = begin_total(s, p->bucket->layout);
    if (r < 0) {
        s->failed = r != -E2BIG;
        return false;
    }
    bucket_add(&s->total, p->bucket, (struct slots){s->slot, s->slot + 1}, NULL);
    for (size_t i = 0; i < s->n_columns; i++) {
        const struct column *c = &p->columns[i];
        double mean = NAN;

        if (p->have[i])
            mean = bucket_mean(p->bucket, s->slot, c, bucket_value(p->bucket, s->slot, c).value);
        s->values[i * s->capacity + s->n_buckets] = mean;
    }
    if (!s->n_buckets++)
        s->from_ms = (double)p->t_ms - (s->plan.single ? round(1e3 * p->bucket->seconds)
                                                       : (double)s->plan.resolution_ms);
    s->to = (double)p->bucket->time_ms; // the newest bucket may go on growing beyond it
    s->seconds += p->bucket->seconds;
    return true;
}

// The next buckets of all columns. True when there are no more.
static bool fetch(struct span *s)
{
    const struct query_columns columns = {.ids = s->columns.ids, .n = s->n_columns};
    int64_t to = s->next_ms + CHUNK_BUCKETS * s->plan.resolution_ms - 1;

    if (s->plan.empty || s->next_ms > s->plan.to_ms)
        return true;
    to = to < s->plan.to_ms ? to : s->plan.to_ms;
    s->seen = NULL;
    if (query_points(s->api->query, &s->plan, s->next_ms, to, (struct slots){s->slot, s->slot + 1},
                     &columns, on_point, s) == -ENOMEM)
        s->failed = true;
    s->next_ms = to + 1;
    return s->failed;
}

static enum web_next span_next(void *context, struct buf *out)
{
    struct span *s = context;

    if (!s->opened) {
        if (!fetch(s))
            return WEB_NEXT_MORE;
        end_total(s);
        out->failed |= s->failed;
        span_render_head(s, out);
        s->opened = true;
        return WEB_NEXT_MORE;
    }
    if (s->column < s->n_columns) {
        span_render_column(s, out);
        return WEB_NEXT_MORE;
    }
    if (!s->correlating)
        span_render_names(s, out);
    if (s->row < s->column) {
        span_render_row(s, out);
        return WEB_NEXT_MORE;
    }
    buf_puts(out, "],\"n\":[");
    buf_append(out, s->n.data, s->n.size);
    buf_puts(out, "]}}\n");
    if (buf_error(&s->n) < 0)
        out->failed = true;
    return WEB_NEXT_END;
}

// The columns by their number, and room for their buckets. As params_…() answers.
static int make_room(struct span *s, struct web_reply **ret)
{
    const struct query_plan *p = &s->plan;
    size_t expected = p->empty ? 0 : (size_t)((p->to_ms - p->from_ms) / p->resolution_ms) + 1;
    int r = selection_bind_once(&s->columns, s->api->session);

    if (r < 0)
        return r;
    s->n_columns = s->columns.n;
    if (s->n_columns > SPAN_COLUMNS_MAX)
        return params_refuse(ret, "columns", "at most 64 of them; name the ones that are wanted");
    s->capacity = expected < SPAN_BUCKETS_MAX ? expected : SPAN_BUCKETS_MAX;
    s->bytes = bytes_for(s, s->capacity);
    s->api->span_bytes += s->bytes;
    if (s->api->span_bytes > SPAN_BYTES_MAX) {
        *ret = web_reply_error(503, "busy", "too many spans are being computed; ask again");
        return *ret ? 1 : -ENOMEM;
    }
    s->values = malloc(s->bytes + 1);
    s->whole = calloc(s->n_columns + 1, sizeof(*s->whole));
    if (!s->values || !s->whole)
        return -ENOMEM;
    for (size_t i = 0; i < s->n_columns; i++)
        s->whole[i].sum = NAN;
    return 0;
}

int handle_span(const struct web_request *q, void *context, struct web_reply **ret)
{
    struct api *a = context;
    struct span *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    s->api = a;
    r = params_slot(q, a->session, &s->slot, ret);
    if (r == 0)
        r = params_plan(q, a->query, SPAN_BUCKETS_MAX, &s->plan, ret);
    if (r == 0)
        r = params_columns(q, a->session, &s->columns, ret);
    if (r == 0)
        r = make_room(s, ret);
    if (r != 0) {
        span_free(s);
        return r;
    }
    s->next_ms = s->plan.from_ms;
    *ret = web_reply_pieces(WEB_JSON, &(struct web_source){span_next, span_free, s});
    return *ret ? 0 : -ENOMEM;
}
