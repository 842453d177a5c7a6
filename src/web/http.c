// SPDX-License-Identifier: Apache-2.0
// The http thread: libmicrohttpd's callbacks, from a connection to its answer.
#include "web/held.h"
#include "web/limits.h"
#include "web/reply_private.h"
#include "web/request.h"
#include "web/server_private.h"
#include "web/sse.h"

#include <errno.h>
#include <string.h>

// libmicrohttpd's pool of one connection: a head with a 4 KiB target and a browser's headers.
#define CONNECTION_MEMORY ((size_t)16384)
#define HTTP_STACK        ((size_t)262144) // handlers keep their large things on the heap

static struct limits_entry *entry_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        mhd.get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct web_server *s = context;
    const union MHD_ConnectionInfo *fd, *peer;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        limits_leave(&s->limits, *socket_context);
        *socket_context = NULL;
        return;
    }
    fd = mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    peer = mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (fd)
        *socket_context = limits_enter(&s->limits, fd->connect_fd, peer ? peer->client_addr : NULL,
                                       clock_ns(CLOCK_MONOTONIC));
}

// The target as it was sent, before it is decoded.
static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct limits_entry *e = entry_of(connection);

    (void)context;
    if (e) {
        e->target_size = strlen(target);
        e->target_bad = strstr(target, "%00") != NULL;
    }
    return NULL;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request_context,
                         enum MHD_RequestTerminationCode code)
{
    struct web_server *s = context;
    struct limits_entry *e = entry_of(connection);

    (void)request_context;
    (void)code;
    if (e)
        limits_set_phase(&s->limits, e, LIMITS_IDLE, clock_ns(CLOCK_MONOTONIC));
}

static const struct web_route *find_route(const struct web_server *s, const char *path)
{
    for (size_t i = 0; i < s->n_routes; i++)
        if (strcmp(s->routes[i].path, path) == 0)
            return &s->routes[i];
    return NULL;
}

static struct web_reply *refuse_connection(enum limits_verdict verdict)
{
    struct web_reply *r =
        verdict == LIMITS_TOO_MANY
            ? web_reply_error(MHD_HTTP_SERVICE_UNAVAILABLE, "too_many_connections",
                              "all connections are taken; try again later")
            : web_reply_error(MHD_HTTP_TOO_MANY_REQUESTS, "too_many_connections",
                              "all connections of one address are taken; try again later");

    if (r && (web_reply_header(r, MHD_HTTP_HEADER_CONNECTION, "close") < 0 ||
              web_reply_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "1") < 0)) {
        web_reply_unref(r);
        return NULL;
    }
    return r;
}

static struct web_reply *answer(struct web_server *s, const struct web_request *q,
                                enum limits_verdict verdict)
{
    const struct access access = {(const char *const *)s->hosts, s->n_hosts, s->token};
    const struct web_route *route = find_route(s, q->path);
    struct web_reply *reply = NULL;
    int r;

    if (verdict != LIMITS_OK)
        return refuse_connection(verdict);
    if (!request_check(q, &access, route, &reply) || reply)
        return reply;
    r = route->handler(q, s->context, &reply);
    if (r < 0) // a handler that failed gave no reply
        return r == -ENOMEM ? web_reply_error(MHD_HTTP_SERVICE_UNAVAILABLE, "out_of_memory",
                                              "no memory for this answer; ask for less")
                            : web_reply_error(MHD_HTTP_INTERNAL_SERVER_ERROR, "internal",
                                              "the answer could not be made");
    return reply;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **request_context)
{
    struct web_server *s = context;
    struct limits_entry *e = entry_of(connection);
    struct web_reply *reply;
    enum MHD_Result result;

    (void)version;
    (void)upload;
    (void)upload_size;
    if (!e)
        return MHD_NO;
    // The first call comes with the head. An answer to it makes libmicrohttpd close the connection
    // afterwards, which is right for a body (we will not read it) and wrong for all others: they
    // are answered at the second call.
    if (!*request_context && !request_has_body(connection)) {
        *request_context = e;
        return MHD_YES;
    }
    reply = answer(s,
                   &(struct web_request){.connection = connection,
                                         .path = path,
                                         .method = method,
                                         .target_size = e->target_size,
                                         .target_bad = e->target_bad},
                   e->verdict);
    if (reply)
        reply = held_begin(&s->streams.held, reply);
    if (!reply)
        return MHD_NO;
    limits_set_phase(&s->limits, e, reply->response ? LIMITS_REPLY : LIMITS_STREAM,
                     clock_ns(CLOCK_MONOTONIC));
    if (reply->response)
        result = mhd.queue_response(connection, reply->status, reply->response);
    else
        result = streams_queue(&s->streams, connection, e->fd, reply) < 0 ? MHD_NO : MHD_YES;
    web_reply_unref(reply);
    return result;
}

// Poll mode: the epoll mode of 0.9.75 hangs once 128 connections are ready at the same time.
struct MHD_Daemon *http_start(struct web_server *s)
{
    return mhd.start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME |
                                MHD_USE_NO_LISTEN_SOCKET,
                            0, NULL, NULL, on_request, s,                              //
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)s->limits.capacity, //
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)WEB_IDLE_SECONDS, //
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,     //
                            MHD_OPTION_THREAD_STACK_SIZE, HTTP_STACK,                  //
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,            //
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,              //
                            MHD_OPTION_URI_LOG_CALLBACK, on_target, s,                 //
                            MHD_OPTION_END);
}
