// SPDX-License-Identifier: Apache-2.0
// The HTTP server: libmicrohttpd in its poll mode, and around it what that leaves open: limits,
// deadlines, who may ask, and streams. It knows paths and bytes; what they mean is the api's
// business.
//
// Two threads. The front thread accepts connections from any number of sockets, keeps the deadlines
// and wakes the streams; the http thread is libmicrohttpd's, and all handlers, replies and sources
// run in it, so they need no locks among themselves.
//
//     web_server_bind(&config, &server, &failed)     while still privileged: opens and listens
//     … privileges are dropped, the filter is set …
//     web_server_start(server)                       threads
//     web_server_wake(server)                        from any thread, after there was news
//     web_server_stop(server), web_server_free(server)
#pragma once

#include "base/clock.h"
#include "web/reply.h"

#include <stdbool.h>

// Bytes of a request's path and query: our longest ask for all columns by name.
#define WEB_TARGET_MAX  ((size_t)4096)
#define WEB_ADDRESS_MAX 64 // "[" + 45 + "]:65535"

// The request that a handler answers. http thread, during the call.
struct web_request;
// The value of a query parameter (decoded; the first of that name), NULL when it is not there.
const char *web_request_argument(const struct web_request *q, const char *name);
const char *web_request_header(const struct web_request *q, const char *name);

// Gives the answer in *ret. A negative errno becomes a 503 (-ENOMEM) or 500.
typedef int web_handler(const struct web_request *q, void *context, struct web_reply **ret);

enum web_route_flags {
    WEB_PUBLIC = 1, // answered without a token
    WEB_PAGE = 2,   // may be opened from a link on another site; cacheable
};

struct web_route {
    const char *path;
    web_handler *handler;
    unsigned flags;
};

struct web_listen {
    const char *address; // "127.0.0.1:5000", "[::1]:0", "0.0.0.0:80": numeric; port 0 picks one
    bool optional;       // left out when this machine has no such address family or address
};

struct web_config {
    const struct web_listen *listen;
    size_t n_listen;
    const char *const *allow_hosts; // further Host names; localhost, loopback and the addresses
                                    // listened on always are
    size_t n_allow_hosts;
    const char *token;              // NULL: none is asked for. Copied
    const struct web_route *routes; // outlive the server
    size_t n_routes;
    void *context; // of the handlers
    // For tests; 0 is what limits.h and sse.h say.
    ns_t head_deadline, stall;
    size_t connections_max;
};

struct web_server;

// Opens the listening sockets, and loads libmicrohttpd (-ELIBACC). -EADDRINUSE, -EACCES (port below
// 1024), -EADDRNOTAVAIL, -EINVAL (not an address and port), -ENOKEY (not on loopback, and no
// token), -ENOENT (every address was optional and none is there): then ret_failed, which holds
// WEB_ADDRESS_MAX and may be NULL, names the address. Raises RLIMIT_NOFILE's soft limit to what it
// needs.
int web_server_bind(const struct web_config *config, struct web_server **ret, char *ret_failed);
// "127.0.0.1:5000" of the i-th socket, with the port that was picked; NULL after the last.
const char *web_server_address(const struct web_server *s, size_t i);
int web_server_start(struct web_server *s);
// There is news for the streams. Cheap, never waits; any thread; also before start and after stop.
void web_server_wake(struct web_server *s);
// Ends streams and connections and joins the threads. Harmless when not started.
void web_server_stop(struct web_server *s);
// Stops, and frees. NULL is fine.
void web_server_free(struct web_server *s);

struct web_stats {
    size_t connections;
    size_t stream_clients;
    uint64_t clients_dropped; // stream clients and slow readers cut off
};
struct web_stats web_server_stats(struct web_server *s);
