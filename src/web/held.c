// SPDX-License-Identifier: Apache-2.0
#include "web/held.h"

#include "web/reply_private.h"

#include <stdlib.h>

struct whole {
    struct held *held;
    struct buf body;
};

static void whole_free(void *context)
{
    struct whole *w = context;

    w->held->bytes -= w->body.size;
    buf_done(&w->body);
    free(w);
}

// Takes the first piece of `reply`, which is its last.
static struct web_reply *make_whole(struct held *h, struct web_reply *reply)
{
    struct whole *w = malloc(sizeof(*w));
    struct MHD_Response *response;
    struct web_reply *whole;

    if (!w)
        return NULL;
    *w = (struct whole){h, reply->first};
    response = mhd.create_response_from_buffer_with_free_callback_cls(w->body.size, w->body.data,
                                                                      whole_free, w);
    if (!response) {
        free(w);
        return NULL;
    }
    reply->first = (struct buf){0};
    h->bytes += w->body.size;                               // what is behind it was never touched
    whole = web_reply_of_response(reply->status, response); // from here on `response` frees `w`
    if (whole && (web_reply_header(whole, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type) < 0 ||
                  web_reply_header(whole, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") < 0)) {
        web_reply_unref(whole);
        return NULL;
    }
    return whole;
}

static struct web_reply *refuse_for_now(void)
{
    struct web_reply *r =
        web_reply_error(MHD_HTTP_SERVICE_UNAVAILABLE, "busy",
                        "too many answers wait for their clients to take them; ask again");

    if (r && web_reply_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "1") < 0) {
        web_reply_unref(r);
        return NULL;
    }
    return r;
}

struct web_reply *held_begin(struct held *h, struct web_reply *reply)
{
    struct buf *first = &reply->first;
    struct web_reply *answer;

    if (reply->response || reply->events)
        return reply;
    reply->first_next = reply->source.next(reply->source.context, first);
    if (buf_error(first) < 0)
        answer = web_reply_error(MHD_HTTP_SERVICE_UNAVAILABLE, "out_of_memory",
                                 "no memory for this answer; ask for less");
    else if (first->size > HELD_SMALL_BYTES && h->bytes + first->size > HELD_MAX_BYTES)
        answer = refuse_for_now();
    else if (reply->first_next == WEB_NEXT_END)
        answer = make_whole(h, reply);
    else
        return reply;
    web_reply_unref(reply);
    return answer;
}
