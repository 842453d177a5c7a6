// SPDX-License-Identifier: Apache-2.0
// The server's two threads, seen from its life cycle (server.c).
#pragma once

#include "web/limits.h"
#include "web/mhd.h"
#include "web/server.h"
#include "web/sse.h"

#include <stdatomic.h>

#define LISTEN_MAX 16 // --listen may be given that often

struct web_server {
    const struct web_route *routes;
    size_t n_routes;
    void *context;
    char *token;
    char **hosts;
    size_t n_hosts;

    int listen_fds[LISTEN_MAX];
    char addresses[LISTEN_MAX][WEB_ADDRESS_MAX];
    size_t n_listen;
    int wake_fd;

    struct limits limits;
    struct streams streams;
    struct MHD_Daemon *daemon;
    pthread_t front;
    bool started;
    atomic_bool news;
    atomic_bool stopping;
};

// http.c: libmicrohttpd, its thread and its callbacks. NULL and errno when it does not start.
struct MHD_Daemon *http_start(struct web_server *s);
// front.c: the front thread; `server` is the struct web_server.
void *front_run(void *server);
