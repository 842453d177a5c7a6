// SPDX-License-Identifier: Apache-2.0
// /api/latest and /api/data: samples, one and many.
#include "api/api_private.h"
#include "api/params.h"

#include <errno.h>
#include <stdlib.h>

#define CHUNK_ROWS 256 // rendered at a time: bounds what one client makes us hold

int api_render_newest(struct api *a)
{
    const struct history *h = a->session->history;
    uint64_t last = h ? history_last(h) : 0;

    if (last && last == a->newest_sequence && h == a->all.history &&
        memcmp(a->newest_run, a->session->run, sizeof(a->newest_run)) == 0)
        return 0;
    web_reply_unref(a->newest_reply);
    a->newest_reply = NULL;
    a->newest_sequence = 0;
    buf_clear(&a->newest);
    if (!last) {
        buf_puts(&a->newest, "{}");
        return buf_error(&a->newest);
    }
    if (selection_bind(&a->all, a->session) < 0)
        return -ENOMEM;
    render_sample_open(&a->newest, &a->all, last, last, 0);
    buf_putc(&a->newest, '}');
    if (buf_error(&a->newest) < 0)
        return -ENOMEM;
    a->newest_sequence = last;
    memcpy(a->newest_run, a->session->run, sizeof(a->newest_run));
    return 0;
}

static int latest_of_all(struct api *a, struct web_reply **ret)
{
    struct buf body = {0};
    int r;

    session_read_lock(a->session);
    r = api_render_newest(a);
    session_unlock(a->session);
    if (r < 0)
        return r;
    if (!a->newest_reply) {
        buf_append(&body, a->newest.data, a->newest.size);
        r = api_reply_json(200, &body, &a->newest_reply);
        if (r < 0)
            return r;
    }
    *ret = web_reply_ref(a->newest_reply);
    return 0;
}

int handle_latest(const struct web_request *q, void *context, struct web_reply **ret)
{
    struct api *a = context;
    struct selection columns;
    struct buf body = {0};
    uint64_t last;
    size_t slot;
    int r;

    if (!web_request_argument(q, "cpu") && !web_request_argument(q, "columns"))
        return latest_of_all(a, ret);
    r = params_slot(q, a->session, &slot, ret);
    if (r == 0)
        r = params_columns(q, a->session, &columns, ret);
    if (r != 0)
        return r;
    session_read_lock(a->session);
    last = a->session->history ? history_last(a->session->history) : 0;
    if (!last || slot >= history_slots(a->session->history)) {
        buf_putc(&body, '{');
    } else if ((r = selection_bind(&columns, a->session)) >= 0) {
        r = 0;
        render_sample_open(&body, &columns, last, last, slot);
    }
    session_unlock(a->session);
    buf_putc(&body, '}');
    selection_done(&columns);
    if (r < 0) {
        buf_done(&body);
        return r;
    }
    return api_reply_json(200, &body, ret);
}

struct data {
    struct api *api;
    struct selection columns;
    struct query_plan plan;
    int64_t next_ms; // t of the next point at the earliest
    size_t slot;
    struct buf *out; // of the piece at hand
    size_t n;        // points in it
    bool opened, any;
};

static void data_free(void *context)
{
    struct data *d = context;

    selection_done(&d->columns);
    free(d);
}

static bool on_point(void *context, const struct query_point *p)
{
    struct data *d = context;

    if (d->any)
        buf_append(d->out, ",\n", 2);
    render_point_open(d->out, &d->columns, &d->plan, p, d->slot);
    buf_putc(d->out, '}');
    d->any = true;
    // However long the gap before the next one is.
    d->next_ms = d->plan.single ? p->t_ms + 1 : p->t_ms + d->plan.resolution_ms;
    return ++d->n < CHUNK_ROWS && !d->out->failed;
}

static enum web_next data_next(void *context, struct buf *out)
{
    struct data *d = context;
    struct query_columns columns;

    if (!d->opened) {
        buf_putc(out, '[');
        d->opened = true;
        if (selection_bind_once(&d->columns, d->api->session) < 0) {
            out->failed = true;
            return WEB_NEXT_END;
        }
    }
    columns = (struct query_columns){.ids = d->columns.ids, .n = d->columns.n};
    d->out = out;
    d->n = 0;
    if (query_points(d->api->query, &d->plan, d->next_ms, d->plan.to_ms,
                     (struct slots){d->slot, d->slot + 1}, &columns, on_point, d) == -ENOMEM)
        out->failed = true;
    if (d->n == CHUNK_ROWS)
        return WEB_NEXT_MORE;
    buf_append(out, "]\n", 2);
    return WEB_NEXT_END;
}

int handle_data(const struct web_request *q, void *context, struct web_reply **ret)
{
    struct api *a = context;
    struct data *d = calloc(1, sizeof(*d));
    int r;

    if (!d)
        return -ENOMEM;
    d->api = a;
    r = params_slot(q, a->session, &d->slot, ret);
    if (r == 0)
        r = params_plan(q, a->query, 0, &d->plan, ret);
    if (r == 0)
        r = params_columns(q, a->session, &d->columns, ret);
    if (r != 0) {
        free(d);
        return r;
    }
    d->plan.exact = true; // its sums are those of the samples
    d->next_ms = d->plan.from_ms;
    *ret = web_reply_pieces(WEB_JSON, &(struct web_source){data_next, data_free, d});
    return *ret ? 0 : -ENOMEM;
}
