// SPDX-License-Identifier: Apache-2.0
// /api/span: the statistics of a span, and how its columns go together. Rendered piece by piece: a
// column, then a row of the correlations, so that no other client waits for all of it.
#include "api/api_private.h"
#include "api/params.h"
#include "base/json.h"
#include "model/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define CHUNK_ROWS       256 // computed under one hold of the lock
#define SPAN_BUCKETS_MAX 10000
#define SPAN_COLUMNS_MAX 64
// Of all requests at once: six of the largest. Further ones are told to come later.
#define SPAN_BYTES_MAX ((size_t)32 << 20)

struct span {
    struct api *api;
    struct selection columns;
    struct range range;
    size_t slot;
    size_t n_buckets, n_columns;
    size_t bytes;   // of the values
    double *values; // [column * n_buckets + bucket], means; then as many for scratch
    struct buf n;   // the matrix of how many pairs there are, while that of r is rendered
    size_t column;  // the next one to render
    size_t row;     // of the correlations, the same
    bool opened, correlating, gone;
};

// A column over the whole span.
struct whole {
    bool count, fractions; // what kind of a column it is: outside of the lock there is no column
    struct sum inputs[METRIC_INPUTS_MAX];
    double seconds;
    uint64_t rows; // intervals that have a value
    struct value value;
};

static void span_free(void *context)
{
    struct span *s = context;

    s->api->span_bytes -= s->bytes;
    selection_done(&s->columns);
    buf_done(&s->n);
    free(s->values);
    free(s);
}

static uint64_t bucket_end(const struct range *range, uint64_t first)
{
    uint64_t end = ((first - 1) / range->per + 1) * range->per;

    return end < range->last ? end : range->last;
}

// Under the lock: is the history still the one that make_room() bound to?
static bool still_there(struct span *s)
{
    struct session *session = s->api->session;
    int r = session->history ? selection_bind(&s->columns, session) : -ENOENT;

    if (r != 0 || s->slot >= history_slots(session->history))
        s->gone = true;
    return !s->gone;
}

// Adds a bucket to the whole; its rows that have a value.
static uint64_t add_to_whole(const struct history *h, uint64_t from, uint64_t to, size_t slot,
                             const struct column *c, struct whole *whole)
{
    size_t n = c->event ? 1 : c->metric->n_inputs;
    uint64_t rows = 0;

    for (size_t i = 0; i < n; i++) {
        size_t event = c->event ? c->index : (size_t)c->metric->inputs[i];
        struct sum s = history_sum(h, from, to, slot, event);

        if (history_events(h)->events[event].kind == EVENT_GAUGE ||
            sum_quality(s, history_scope(h)) != QUALITY_NEVER_RAN)
            sum_add(&whole->inputs[i], s);
    }
    if (c->metric && c->metric->metric->window_seconds > 0) {
        double seconds = history_gauge_seconds(h, from, to, slot, (size_t)c->metric->inputs[0]);

        whole->seconds += isnan(seconds) ? 0 : seconds;
        return 0;
    }
    for (uint64_t i = from; i <= to; i++) {
        whole->seconds += history_seconds(h, i);
        // A gauge's increase is over all rows, a count's over those that have one.
        if (c->event)
            rows += c->event->kind == EVENT_GAUGE || !isnan(history_value(h, i, i, slot, c).value);
    }
    return rows;
}

// Means of a column's buckets, and what it is over the whole span: the only place that knows where
// they come from. False when another run has begun. Not under the lock.
static bool fetch_column(struct span *s, size_t index, double *ret_means, struct whole *ret)
{
    struct session *session = s->api->session;
    uint64_t next = s->range.first;

    *ret = (struct whole){.value = {.value = NAN}};
    for (size_t i = 0; i < METRIC_INPUTS_MAX; i++)
        ret->inputs[i] = SUM_NONE;
    while (next <= s->range.last) {
        const struct history *h;
        const struct column *c;

        session_read_lock(session);
        if (!still_there(s)) {
            session_unlock(session);
            return false;
        }
        h = session->history;
        c = &s->columns.columns[index];
        ret->count = c->event != NULL;
        ret->fractions = !c->event || c->event->fractions;
        for (uint64_t stop = next + CHUNK_ROWS; next <= s->range.last && next < stop;) {
            uint64_t to = bucket_end(&s->range, next);
            uint64_t from = next < history_first(h) ? history_first(h) : next;

            *ret_means = NAN;
            if (from <= to) {
                uint64_t rows = add_to_whole(h, from, to, s->slot, c, ret);

                *ret_means = history_value(h, from, to, s->slot, c).value;
                if (c->event)
                    *ret_means /= (double)rows; // 0 of them: it is NAN
                ret->rows += isnan(*ret_means) ? 0 : rows;
            }
            ret_means++;
            next = to + 1;
        }
        ret->value = c->event ? value_of_event(c->event, ret->inputs[0], history_scope(h))
                              : value_of_metric(c->metric, history_events(h), ret->inputs,
                                                history_scope(h), ret->seconds);
        session_unlock(session);
    }
    return true;
}

// What the span really covers. Under the lock.
static void open_span(struct span *s, struct buf *out)
{
    const struct history *h = s->api->session->history;
    double resolution = (double)s->range.per * (double)s->api->session->interval_ms;
    double seconds = 0, from = NAN, to = NAN;
    int64_t missing = 0;
    struct json j = {.out = out};

    if (s->n_buckets && still_there(s)) {
        uint64_t first = s->range.first > history_first(h) ? s->range.first : history_first(h);

        for (uint64_t i = first; i <= s->range.last; i++)
            seconds += history_seconds(h, i);
        if (first <= s->range.last) {
            from = (double)history_timestamp(h, first) - round(1e3 * history_seconds(h, first));
            to = (double)history_timestamp(h, s->range.last);
            if (resolution > 0)
                missing = llround((to - from) / resolution) - (int64_t)s->n_buckets;
        }
    }
    json_open(&j, '{');
    json_key(&j, "from");
    json_count(&j, from);
    json_key(&j, "to");
    json_count(&j, to);
    json_key(&j, "resolution_ms");
    json_count(&j, resolution);
    json_key(&j, "seconds");
    json_metric(&j, seconds);
    json_key(&j, "buckets");
    json_u64(&j, s->n_buckets);
    json_key(&j, "missing");
    json_i64(&j, missing > 0 ? missing : 0);
    json_key(&j, "columns");
    json_open(&j, '{');
}

static void put(struct json *j, const char *key, double value)
{
    json_key(j, key);
    json_metric(j, value);
}

// A bucket's own value: whole where the bucket is one interval of a count.
static void put_value(struct json *j, const struct span *s, const char *key,
                      const struct whole *whole, double value)
{
    json_key(j, key);
    if (s->range.per == 1 && !whole->fractions)
        json_count(j, value);
    else
        json_metric(j, value);
}

static void put_statistics(struct json *j, const struct span *s, const struct whole *whole,
                           const struct statistics *of)
{
    bool none = isnan(whole->value.value);

    json_open(j, '{');
    json_key(j, "n");
    json_u64(j, of->n);
    json_key(j, "sum");
    json_count(j, whole->count ? whole->value.value : NAN);
    put(j, "mean", whole->count ? whole->value.value / (double)whole->rows : whole->value.value);
    put(j, "stddev", of->deviation);
    put(j, "stderr", of->error);
    put_value(j, s, "min", whole, of->min);
    put_value(j, s, "max", whole, of->max);
    put(j, "p50", of->p50);
    put(j, "p95", of->p95);
    put(j, "p99", of->p99);
    put_value(j, s, "first", whole, of->first);
    put_value(j, s, "last", whole, of->last);
    put(j, "running", none ? NAN : whole->value.running_percent);
    json_close(j, '}');
}

// "cycles" in its quotes, of the column that the answer began with.
static void put_name(const struct span *s, size_t column, struct buf *out)
{
    size_t start = column ? s->columns.key_ends[column - 1] : 0;

    // `,"cycles":`
    buf_append(out, s->columns.keys.data + start + 1, s->columns.key_ends[column] - start - 2);
}

static void render_span_column(struct span *s, struct buf *out)
{
    double *means = s->values + s->column * s->n_buckets;
    double *scratch = s->values + s->n_columns * s->n_buckets;
    struct json j = {.out = out};
    struct statistics statistics;
    struct whole whole;

    if (!fetch_column(s, s->column, means, &whole))
        return;
    statistics_of(means, s->n_buckets, scratch, &statistics);
    buf_puts(out, s->column ? "," : "");
    put_name(s, s->column, out);
    buf_putc(out, ':');
    put_statistics(&j, s, &whole, &statistics);
    s->column++;
}

static void render_names(struct span *s, struct buf *out)
{
    // The columns of another run are none of these.
    if (s->gone)
        s->column = 0;
    buf_puts(out, "},\"correlation\":{\"columns\":[");
    for (size_t i = 0; i < s->column; i++) {
        buf_puts(out, i ? "," : "");
        put_name(s, i, out);
    }
    buf_puts(out, "],\"r\":[");
    s->correlating = true;
}

static void render_row(struct span *s, struct buf *out)
{
    struct json r = {.out = out, .comma = s->row > 0}, n = {.out = &s->n, .comma = s->row > 0};
    const double *a = s->values + s->row * s->n_buckets;

    json_open(&r, '[');
    json_open(&n, '[');
    for (size_t i = 0; i < s->column; i++) {
        size_t pairs = 0;

        json_metric(&r,
                    statistics_correlation(a, s->values + i * s->n_buckets, s->n_buckets, &pairs));
        json_u64(&n, pairs);
    }
    json_close(&r, ']');
    json_close(&n, ']');
    s->row++;
}

static enum web_next span_next(void *context, struct buf *out)
{
    struct span *s = context;

    if (!s->opened) {
        session_read_lock(s->api->session);
        open_span(s, out);
        session_unlock(s->api->session);
        s->opened = true;
        return WEB_NEXT_MORE;
    }
    if (!s->gone && s->column < s->n_columns) {
        render_span_column(s, out);
        return WEB_NEXT_MORE;
    }
    if (!s->correlating)
        render_names(s, out);
    if (s->row < s->column) {
        render_row(s, out);
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
    struct session *session = s->api->session;
    int r = 0;

    session_read_lock(session);
    if (session->history)
        r = selection_bind(&s->columns, session);
    session_unlock(session);
    if (r < 0)
        return r;
    s->n_columns = s->columns.n;
    if (s->n_columns > SPAN_COLUMNS_MAX)
        return params_refuse(ret, "columns", "at most 64 of them; name the ones that are wanted");
    if (s->range.first <= s->range.last)
        s->n_buckets =
            (size_t)((s->range.last - 1) / s->range.per - (s->range.first - 1) / s->range.per + 1);
    s->bytes = (s->n_columns + 1) * s->n_buckets * sizeof(*s->values);
    s->api->span_bytes += s->bytes;
    if (s->api->span_bytes > SPAN_BYTES_MAX) {
        *ret = web_reply_error(503, "busy", "too many spans are being computed; ask again");
        return *ret ? 1 : -ENOMEM;
    }
    s->values = malloc(s->bytes + 1);
    return s->values ? 0 : -ENOMEM;
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
        r = params_range(q, a->session, SPAN_BUCKETS_MAX, &s->range, ret);
    if (r == 0)
        r = params_columns(q, a->session, &s->columns, ret);
    if (r == 0)
        r = make_room(s, ret);
    if (r != 0) {
        span_free(s);
        return r;
    }
    *ret = web_reply_pieces(WEB_JSON, &(struct web_source){span_next, span_free, s});
    return *ret ? 0 : -ENOMEM;
}
