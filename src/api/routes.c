// SPDX-License-Identifier: Apache-2.0
#include "api/api.h"
#include "api/api_private.h"
#include "web/page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

const struct web_route api_routes[] = {
    {"/", page_handle, WEB_PUBLIC | WEB_PAGE},
    {"/api/latest", handle_latest, 0},
    {"/api/data", handle_data, 0},
    {"/api/series", handle_series, 0},
    {"/api/span", handle_span, 0},
    {"/api/stream", handle_stream, 0},
    {"/api/meta", handle_meta, 0},
    {"/api/processes", handle_processes, 0},
    {"/api/doctor", handle_doctor, 0},
    {"/healthz", handle_health, WEB_PUBLIC},
};

const size_t n_api_routes = sizeof(api_routes) / sizeof(api_routes[0]);

int api_new(const struct api_config *config, struct api **ret)
{
    struct api *a = calloc(1, sizeof(*a));
    int r;

    if (!a)
        return -ENOMEM;
    a->config = *config;
    a->session = config->session;
    a->cpu_at = clock_ns(CLOCK_MONOTONIC);
    a->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    r = selection_init(&a->all, NULL);
    if (r == 0)
        r = query_new(config->session, config->keeper, &a->query);
    if (r < 0) {
        api_free(a);
        return r;
    }
    *ret = a;
    return 0;
}

void api_free(struct api *a)
{
    if (!a)
        return;
    if (a->statm_fd >= 0)
        close(a->statm_fd);
    selection_done(&a->all);
    query_free(a->query);
    buf_done(&a->newest);
    web_reply_unref(a->newest_reply);
    free(a->points);
    free(a);
}

void api_set_server(struct api *a, struct web_server *server)
{
    a->server = server;
}

void api_changed(void *api)
{
    struct api *a = api;

    if (a->server)
        web_server_wake(a->server);
}

int api_reply_json(unsigned status, struct buf *body, struct web_reply **ret)
{
    struct web_reply *reply;

    buf_putc(body, '\n');
    reply = web_reply_new(status, WEB_JSON, body);
    if (!reply)
        return -ENOMEM;
    if (web_reply_header(reply, "Cache-Control", "no-store") < 0) {
        web_reply_unref(reply);
        return -ENOMEM;
    }
    *ret = reply;
    return 0;
}
