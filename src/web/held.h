// SPDX-License-Identifier: Apache-2.0
// What answers made in pieces hold until their clients have taken it: counted, because a client may
// take its time, and a page of a chart is a megabyte.
//
// Of the http thread.
#pragma once

#include "web/reply.h"

// Of all clients at once, beside answers of HELD_SMALL_BYTES and less: a dozen of the largest.
#define HELD_MAX_BYTES   ((size_t)16 << 20)
#define HELD_SMALL_BYTES ((size_t)16384)

struct held {
    size_t bytes;
};

// Makes the first piece of an answer in pieces, and returns what to answer with: the same; when
// that was all of it, a whole one, which libmicrohttpd sends from where it is; when there is no
// room, a refusal. NULL: no memory. Takes `reply`, which may be any.
struct web_reply *held_begin(struct held *h, struct web_reply *reply);
