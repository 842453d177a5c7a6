// SPDX-License-Identifier: Apache-2.0
// What server.c and sse.c see of a reply.
#pragma once

#include "web/mhd.h"
#include "web/reply.h"

#include <stdbool.h>

struct web_reply {
    unsigned references;
    unsigned status;
    struct MHD_Response *response; // NULL for pieces and events until they are queued
    struct web_source source;      // of pieces and events, until they are queued
    const char *type;              // of pieces and events
    struct buf first;              // piece, once held_begin() has made it
    enum web_next first_next;      // what came with it
    bool events;
    ns_t every;
};

struct web_reply *web_reply_of_response(unsigned status, struct MHD_Response *response);
