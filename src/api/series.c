// SPDX-License-Identifier: Apache-2.0
// /api/series: columns instead of rows, thinned out to as many points as a chart can show.
#include "api/api_private.h"
#include "api/params.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define CHUNK_ROWS     256  // computed under one hold of the lock
#define POINTS_DEFAULT 2000 // a wide screen's pixels

struct series {
    struct session *session;
    struct selection columns;
    struct range range;
    size_t slot;
    size_t column; // the next one to render
    bool opened, gone;
    struct buf lines[4]; // mean, min, max, running of the column at hand
};

static const char *const line_names[] = {"mean", "min", "max", "running"};

static void series_free(void *context)
{
    struct series *s = context;

    selection_done(&s->columns);
    for (size_t i = 0; i < 4; i++)
        buf_done(&s->lines[i]);
    free(s);
}

static uint64_t bucket_end(const struct range *range, uint64_t first)
{
    uint64_t end = ((first - 1) / range->per + 1) * range->per;

    return end < range->last ? end : range->last;
}

// Under the lock: is the history still the one that this answer began with? Rows may have left it.
static bool still_there(struct series *s)
{
    int r = s->session->history ? selection_bind(&s->columns, s->session) : -ENOENT;

    if (r < 0 || (r > 0 && s->opened) || s->slot >= history_slots(s->session->history))
        s->gone = true;
    return !s->gone;
}

static void open_series(struct series *s, struct buf *out)
{
    const struct history *h = s->session->history;
    const char *comma = "";

    if (still_there(s) && s->range.first < history_first(h))
        s->range.first = history_first(h);
    if (s->gone)
        s->range.first = s->range.last + 1;
    buf_puts(out, "{\"t\":[");
    for (uint64_t i = s->range.first; i <= s->range.last; i++, comma = ",") {
        i = bucket_end(&s->range, i);
        buf_puts(out, comma);
        buf_put_i64(out, history_timestamp(h, i));
    }
    buf_puts(out, "],\"sequence\":[");
    comma = "";
    for (uint64_t i = s->range.first; i <= s->range.last; i++, comma = ",") {
        i = bucket_end(&s->range, i);
        buf_puts(out, comma);
        buf_put_u64(out, i);
    }
    buf_puts(out, "],\"interval_ms\":");
    buf_put_i64(out, s->session->interval_ms);
    buf_puts(out, ",\"per_bucket\":");
    buf_put_u64(out, s->range.per);
    buf_puts(out, ",\"columns\":{");
}

// A bucket's values, appended to the four lines. Under the lock; its rows may have gone.
static void render_bucket(struct series *s, const struct column *c, uint64_t from, uint64_t to)
{
    const struct history *h = s->session->history;
    void (*render)(struct buf *, double) =
        c->event && event_is_whole(c->event) ? render_count : render_metric;
    double min = NAN, max = NAN, sum = 0, mean;
    struct value whole = {.value = NAN};
    size_t n = 0;

    if (from < history_first(h))
        from = history_first(h);
    for (uint64_t i = from; i <= to; i++) {
        struct value v = history_value(h, i, i, s->slot, c);

        if (isnan(v.value))
            continue;
        n++;
        sum += v.value;
        min = v.value < min || n == 1 ? v.value : min;
        max = v.value > max || n == 1 ? v.value : max;
    }
    if (from <= to)
        whole = history_value(h, from, to, s->slot, c);
    mean = whole.value;
    if (c->event && n) // a gauge's increase is over all rows, a count's over those that have one
        mean /= c->event->kind == EVENT_GAUGE ? (double)(to - from + 1) : (double)n;
    if (c->event && n && isnan(mean)) // a gauge's first row has no row before it to grow from
        mean = sum / (double)n;
    for (size_t i = 0; i < 4; i++)
        if (s->lines[i].size)
            buf_putc(&s->lines[i], ',');
    if (c->event && s->range.per > 1)
        render_metric(&s->lines[0], mean); // a mean of counts is not whole
    else
        render(&s->lines[0], mean);
    render(&s->lines[1], min);
    render(&s->lines[2], max);
    render_metric(&s->lines[3], isnan(whole.value) ? NAN : whole.running_percent);
}

static void render_series_column(struct series *s, struct buf *out)
{
    size_t start = s->column ? s->columns.key_ends[s->column - 1] : 0;
    size_t skip = s->column == 0; // the first has no comma before it
    uint64_t next = s->range.first;

    for (size_t i = 0; i < 4; i++)
        buf_clear(&s->lines[i]);
    while (next <= s->range.last) {
        session_read_lock(s->session);
        if (!still_there(s)) {
            session_unlock(s->session);
            return;
        }
        for (uint64_t stop = next + CHUNK_ROWS; next <= s->range.last && next < stop;) {
            uint64_t end = bucket_end(&s->range, next);

            render_bucket(s, &s->columns.columns[s->column], next, end);
            next = end + 1;
        }
        session_unlock(s->session);
    }
    buf_append(out, s->columns.keys.data + start + skip,
               s->columns.key_ends[s->column] - start - skip);
    for (size_t i = 0; i < 4; i++) {
        buf_puts(out, i ? ",\"" : "{\"");
        buf_puts(out, line_names[i]);
        buf_puts(out, "\":[");
        buf_append(out, s->lines[i].data, s->lines[i].size);
        buf_putc(out, ']');
        if (buf_error(&s->lines[i]) < 0)
            out->failed = true;
    }
    buf_putc(out, '}');
    s->column++;
}

static enum web_next series_next(void *context, struct buf *out)
{
    struct series *s = context;

    if (!s->opened) {
        session_read_lock(s->session);
        open_series(s, out);
        session_unlock(s->session);
        s->opened = true;
    } else if (!s->gone && s->column < s->columns.n) {
        render_series_column(s, out);
    }
    if (!s->gone && s->column < s->columns.n)
        return WEB_NEXT_MORE;
    buf_puts(out, "}}\n");
    return WEB_NEXT_END;
}

int handle_series(const struct web_request *q, void *context, struct web_reply **ret)
{
    struct api *a = context;
    struct series *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    s->session = a->session;
    r = params_slot(q, a->session, &s->slot, ret);
    if (r == 0)
        r = params_range(q, a->session, POINTS_DEFAULT, &s->range, ret);
    if (r == 0)
        r = params_columns(q, a->session, &s->columns, ret);
    if (r != 0) {
        free(s);
        return r;
    }
    *ret = web_reply_pieces(WEB_JSON, &(struct web_source){series_next, series_free, s});
    return *ret ? 0 : -ENOMEM;
}
