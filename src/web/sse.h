// SPDX-License-Identifier: Apache-2.0
// Answers in pieces: tables too long to hold, and streams of server-sent events.
//
// A client holds one piece at most. libmicrohttpd asks for bytes when the socket takes some; with
// none to give, the connection is suspended, and the front thread resumes it when there is news
// (streams_wake) and its time has come. A client that stops reading is not asked: it is seen by its
// silence and cut off.
//
// Threads: replies are queued and asked for bytes in the http thread; streams_run is the front
// thread's; the lock joins them and is never held while a source is called.
#pragma once

#include "base/clock.h"
#include "web/held.h"

#include <pthread.h>
#include <stdbool.h>

// A comment after that much silence, so that proxies and clients know we live.
#define WEB_KEEP_ALIVE    (10 * NS_PER_SEC)
#define WEB_STALL_SECONDS 10 // a client that takes no byte for so long is dropped
#define WEB_LAG_SECONDS   30 // one that takes bytes, but never catches up in so long, too

struct MHD_Connection;
struct stream;

struct streams {
    pthread_mutex_t lock;
    struct stream *first;
    int kick_fd;         // not owned: written to when the front thread should look again
    uint64_t generation; // grows with each wake
    bool stopping;
    size_t n_events; // event streams now
    uint64_t dropped;
    ns_t stall;       // WEB_STALL_SECONDS unless a test shortened it
    struct held held; // http thread only
};

int streams_init(struct streams *s, int kick_fd, ns_t stall);
void streams_done(struct streams *s);

// Queues a reply of pieces, of which held_begin() made the first, or of events on the connection,
// whose socket is `fd`. 0 or -errno.
int streams_queue(struct streams *s, struct MHD_Connection *connection, int fd,
                  struct web_reply *reply);

// Resumes what is due (with `news`, also what waited for news) and drops who stalls. Returns when
// it must be called next (CLOCK_MONOTONIC), INT64_MAX for no time.
ns_t streams_run(struct streams *s, bool news, ns_t now);
// Ends every stream; none is suspended afterwards or will be.
void streams_stop(struct streams *s);
void streams_count(struct streams *s, size_t *ret_clients, uint64_t *ret_dropped);
