// SPDX-License-Identifier: Apache-2.0
// Shared by the handlers.
#pragma once

#include "api/api.h"
#include "api/render.h"

struct api {
    struct api_config config;
    struct session *session;
    struct query *query; // of the http thread
    struct web_server *server;
    int statm_fd;          // /proc/self/statm, -1 when it is not there
    ns_t cpu_at, cpu_used; // where the last figure of our own CPU use began
    double cpu_percent;

    // The newest sample with all columns: asked for by everybody, rendered once.
    struct selection all;
    struct buf newest;
    char newest_run[sizeof(((struct session *)0)->run)];
    uint64_t newest_sequence;       // 0: nothing rendered
    struct web_reply *newest_reply; // of the same; NULL until asked for

    size_t span_bytes;   // that the answers of /api/span hold at the moment
    size_t series_bytes; // the same of /api/series?cpu=all

    // What /api/series collects one piece's points in: used by all answers, one after another.
    struct bucket_point *points; // owned
    size_t n_points;
};

// The newest sample's JSON, rendered when there is a new one, "{}" before the first. Under the read
// lock. 0 or -ENOMEM.
int api_render_newest(struct api *a);
// The answer of these bytes, which it takes: JSON that is not to be stored. 0 or -ENOMEM.
int api_reply_json(unsigned status, struct buf *body, struct web_reply **ret);

web_handler handle_latest, handle_data, handle_series, handle_span, handle_stream, handle_meta,
    handle_processes, handle_doctor, handle_health;
