// SPDX-License-Identifier: Apache-2.0
// /api/latest and /api/data: samples, one and many.
#include "api/api_private.h"
#include "api/params.h"

#include <errno.h>
#include <stdlib.h>

// Rendered under one hold of the lock (about 1 ms): ingest waits no longer than that.
#define CHUNK_ROWS 256

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
        r = api_reply_json(&body, &a->newest_reply);
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
    return api_reply_json(&body, ret);
}

struct data {
    struct session *session;
    struct selection columns;
    struct range range; // first moves along
    size_t slot;
    bool opened, bound, any;
};

static void data_free(void *context)
{
    struct data *d = context;

    selection_done(&d->columns);
    free(d);
}

// Renders up to CHUNK_ROWS rows. False when there is no further one.
static bool data_chunk(struct data *d, struct buf *out)
{
    const struct history *h = d->session->history;
    uint64_t rows = 0;
    int r;

    if (!h || d->range.first > d->range.last)
        return false;
    r = selection_bind(&d->columns, d->session);
    if (r < 0 || (r > 0 && d->bound) || d->slot >= history_slots(h))
        return false; // another run: what was asked for is gone
    d->bound = true;
    if (d->range.first < history_first(h))
        d->range.first = history_first(h);
    while (d->range.first <= d->range.last && rows < CHUNK_ROWS) {
        uint64_t from = d->range.first;
        uint64_t to = ((from - 1) / d->range.per + 1) * d->range.per;

        if (to > d->range.last)
            to = d->range.last;
        if (d->any)
            buf_append(out, ",\n", 2);
        render_sample_open(out, &d->columns, from, to, d->slot);
        buf_putc(out, '}');
        d->any = true;
        d->range.first = to + 1;
        rows += to - from + 1;
    }
    return d->range.first <= d->range.last;
}

static enum web_next data_next(void *context, struct buf *out)
{
    struct data *d = context;
    bool more;

    if (!d->opened)
        buf_putc(out, '[');
    d->opened = true;
    session_read_lock(d->session);
    more = data_chunk(d, out);
    session_unlock(d->session);
    if (more)
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
    d->session = a->session;
    r = params_slot(q, a->session, &d->slot, ret);
    if (r == 0)
        r = params_range(q, a->session, 0, &d->range, ret);
    if (r == 0)
        r = params_columns(q, a->session, &d->columns, ret);
    if (r != 0) {
        free(d);
        return r;
    }
    *ret = web_reply_pieces(WEB_JSON, &(struct web_source){data_next, data_free, d});
    return *ret ? 0 : -ENOMEM;
}
