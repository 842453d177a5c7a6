// SPDX-License-Identifier: Apache-2.0
// An answer that a handler hands to the server. A whole answer (web_reply_new, _static, _error) may
// be kept and given out any number of times: that is how one rendering serves every client. Replies
// belong to the http thread.
#pragma once

#include "base/clock.h"
#include "web/source.h"

#define WEB_JSON "application/json; charset=utf-8"

struct web_reply; // opaque, counts its references

// Takes the bytes of `body` (which is then empty) also on failure. NULL: no memory.
struct web_reply *web_reply_new(unsigned status, const char *type, struct buf *body);
// `bytes` outlive the reply.
struct web_reply *web_reply_static(unsigned status, const char *type, const void *bytes,
                                   size_t size);
// {"error":{"code":…,"message":…}}
struct web_reply *web_reply_error(unsigned status, const char *code, const char *message);
// An answer in pieces. For one client: it can be given out once. Takes `source` also on failure.
struct web_reply *web_reply_pieces(const char *type, const struct web_source *source);
// A stream of server-sent events, at most one piece each `every`; a comment is sent after
// WEB_KEEP_ALIVE of silence.
struct web_reply *web_reply_events(const struct web_source *source, ns_t every);

// Adds a header. 0 or -ENOMEM.
int web_reply_header(struct web_reply *r, const char *name, const char *value);

struct web_reply *web_reply_ref(struct web_reply *r);
void web_reply_unref(struct web_reply *r); // NULL is fine
