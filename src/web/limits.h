// SPDX-License-Identifier: Apache-2.0
// How many connections there may be and how long each may take. libmicrohttpd restarts its timeout
// with every byte, so a client that sends one byte a second keeps a connection for ever; here each
// phase has a deadline that bytes do not move.
//
// Threads: enter, leave and phase come from the http thread, sweep from the front thread; a lock
// joins them. An entry leaves before libmicrohttpd closes its socket, so that sweep can never shut
// down a descriptor that was given to somebody else.
#pragma once

#include "base/clock.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

// 1,000 streams and some room; one costs about 20 KB here and as much in the kernel.
#define WEB_CONNECTIONS_MAX   1100
#define WEB_CONNECTIONS_SPARE 64 // above it, so that those too many can be told so with a 503
#define WEB_PER_ADDRESS_MAX   64 // a browser opens 6; loopback is exempt
#define WEB_IDLE_SECONDS      15 // keep-alive without a byte (libmicrohttpd's own timeout)
// From the connection to the end of its first request head.
#define WEB_HEAD_DEADLINE  (10 * NS_PER_SEC)
#define WEB_REPLY_DEADLINE (120 * NS_PER_SEC) // for taking an answer that is not a stream

enum limits_phase {
    LIMITS_HEAD,   // no whole request yet
    LIMITS_REPLY,  // an answer is on its way
    LIMITS_IDLE,   // between two requests
    LIMITS_STREAM, // sse.c watches it
};

enum limits_verdict { LIMITS_OK, LIMITS_TOO_MANY, LIMITS_TOO_MANY_OF_ADDRESS };

struct limits_entry {
    int fd; // -1 is a free entry
    enum limits_phase phase;
    ns_t since; // CLOCK_MONOTONIC, when the phase began
    struct in6_addr address;
    bool loopback;
    enum limits_verdict verdict;
    // For server.c, http thread only: of the request that is being read.
    size_t target_size;
    bool target_bad;
};

struct limits {
    pthread_mutex_t lock;
    struct limits_entry *entries; // owned
    size_t capacity;
    size_t max;
    size_t n;
    ns_t head_deadline;
};

// Room for `max` connections and the spare ones. 0 or -errno.
int limits_init(struct limits *l, size_t max, ns_t head_deadline);
void limits_done(struct limits *l);

// A new connection; its verdict is in the entry. NULL when even the spare room is taken.
struct limits_entry *limits_enter(struct limits *l, int fd, const struct sockaddr *peer, ns_t now);
void limits_leave(struct limits *l, struct limits_entry *e);
void limits_set_phase(struct limits *l, struct limits_entry *e, enum limits_phase phase, ns_t now);
// Shuts down the sockets that are past their deadline. Returns how many connections there are.
size_t limits_sweep(struct limits *l, ns_t now);
