// SPDX-License-Identifier: Apache-2.0
#include "web/reply.h"

#include "base/json.h"
#include "web/reply_private.h"

#include <errno.h>
#include <stdlib.h>

// On every answer: no guessing of types, nothing told to other sites, no use by them.
static const struct {
    const char *name;
    const char *value;
} common_headers[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

// Takes `response`.
struct web_reply *web_reply_of_response(unsigned status, struct MHD_Response *response)
{
    struct web_reply *r;

    if (!response)
        return NULL;
    r = calloc(1, sizeof(*r));
    if (!r) {
        mhd.destroy_response(response);
        return NULL;
    }
    r->references = 1;
    r->status = status;
    r->response = response;
    for (size_t i = 0; i < sizeof(common_headers) / sizeof(common_headers[0]); i++) {
        if (web_reply_header(r, common_headers[i].name, common_headers[i].value) < 0) {
            web_reply_unref(r);
            return NULL;
        }
    }
    return r;
}

static struct web_reply *with_type(struct web_reply *r, const char *type)
{
    if (r && web_reply_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type) < 0) {
        web_reply_unref(r);
        return NULL;
    }
    return r;
}

struct web_reply *web_reply_new(unsigned status, const char *type, struct buf *body)
{
    struct MHD_Response *response;

    if (buf_error(body) < 0) {
        buf_done(body);
        return NULL;
    }
    response = mhd.create_response_from_buffer(body->size, body->data, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        buf_done(body);
        return NULL;
    }
    *body = (struct buf){0};
    return with_type(web_reply_of_response(status, response), type);
}

struct web_reply *web_reply_static(unsigned status, const char *type, const void *bytes,
                                   size_t size)
{
    union {
        const void *constant;
        void *plain; // MHD's type; it does not write there
    } pointer = {.constant = bytes};

    return with_type(
        web_reply_of_response(
            status, mhd.create_response_from_buffer(size, pointer.plain, MHD_RESPMEM_PERSISTENT)),
        type);
}

struct web_reply *web_reply_error(unsigned status, const char *code, const char *message)
{
    struct buf body = {0};
    struct json j = {.out = &body};
    struct web_reply *r;

    json_open(&j, '{');
    json_key(&j, "error");
    json_open(&j, '{');
    json_key(&j, "code");
    json_string(&j, code);
    json_key(&j, "message");
    json_string(&j, message);
    json_close(&j, '}');
    json_close(&j, '}');
    buf_putc(&body, '\n');
    r = web_reply_new(status, WEB_JSON, &body);
    if (r && web_reply_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") < 0) {
        web_reply_unref(r);
        return NULL;
    }
    return r;
}

static struct web_reply *of_source(const char *type, const struct web_source *source)
{
    struct web_reply *r = calloc(1, sizeof(*r));

    if (!r) {
        if (source->free)
            source->free(source->context);
        return NULL;
    }
    r->references = 1;
    r->status = MHD_HTTP_OK;
    r->source = *source;
    r->type = type;
    return r;
}

struct web_reply *web_reply_pieces(const char *type, const struct web_source *source)
{
    return of_source(type, source);
}

struct web_reply *web_reply_events(const struct web_source *source, ns_t every)
{
    struct web_reply *r = of_source("text/event-stream; charset=utf-8", source);

    if (r) {
        r->events = true;
        r->every = every;
    }
    return r;
}

int web_reply_header(struct web_reply *r, const char *name, const char *value)
{
    return mhd.add_response_header(r->response, name, value) == MHD_YES ? 0 : -ENOMEM;
}

struct web_reply *web_reply_ref(struct web_reply *r)
{
    r->references++;
    return r;
}

void web_reply_unref(struct web_reply *r)
{
    if (!r || --r->references)
        return;
    if (r->response)
        mhd.destroy_response(r->response);
    if (r->source.free)
        r->source.free(r->source.context);
    buf_done(&r->first);
    free(r);
}
