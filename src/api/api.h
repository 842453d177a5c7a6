// SPDX-License-Identifier: Apache-2.0
// What every handler works with. One per server; its handlers run in the http thread only
// (web/server.h).
#pragma once

#include "base/buf.h"
#include "history/keeper.h"
#include "web/server.h"

// A stream's events, unless `every` says otherwise: 20 a second are more than eyes need.
#define API_STREAM_MIN_MS 50

struct api;

struct api_config {
    struct session *session;
    struct keeper *keeper; // NULL: only what is in the ring
    const char *version;
    size_t rows;         // limits that /api/meta tells
    size_t memory_bytes; //
};

// Opens what must be open before files are out of reach. 0 or -errno.
int api_new(const struct api_config *config, struct api **ret);
void api_free(struct api *a);
// For the counters in /api/meta. Before web_server_start().
void api_set_server(struct api *a, struct web_server *server);
// For session.changed, with the api as its context: wakes the streams. Any thread.
void api_changed(void *api);

// The table for web_config.routes; their context is the api.
extern const struct web_route api_routes[];
extern const size_t n_api_routes;
