// SPDX-License-Identifier: Apache-2.0
#include "web/sse.h"

#include "web/reply_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define BLOCK_SIZE       ((size_t)16384) // what libmicrohttpd is told to ask for at once
#define PIECE_KEEP_BYTES ((size_t)16384) // a larger piece's memory is given back once it is sent

static const char keep_alive[] = ": keep-alive\n\n";

struct stream {
    struct stream *next, **link; // under the lock
    struct streams *owner;
    struct MHD_Connection *connection;
    int fd; // the connection's; valid while the stream is listed
    bool events;
    ns_t every;

    // http thread only
    struct web_source source;
    struct buf out;
    size_t sent; // of out
    bool ended;
    bool more; // the source has a next piece already

    // under the lock
    bool suspended;
    bool dropped;
    uint64_t seen;  // generation that the source was last asked in
    ns_t due;       // not before then the next event
    ns_t last_sent; // when bytes were last made
    ns_t progress;  // when libmicrohttpd last asked for bytes
    ns_t caught_up; // when it last had all there was
};

int streams_init(struct streams *s, int kick_fd, ns_t stall)
{
    *s = (struct streams){.kick_fd = kick_fd, .stall = stall};
    return -pthread_mutex_init(&s->lock, NULL);
}

void streams_done(struct streams *s)
{
    pthread_mutex_destroy(&s->lock);
}

// Gives the http thread nothing to send for now. False when there is something after all.
static bool suspend(struct stream *s)
{
    struct streams *owner = s->owner;
    ns_t now = clock_ns(CLOCK_MONOTONIC);
    bool suspended = false, kick = false;

    pthread_mutex_lock(&owner->lock);
    if (!owner->stopping && !s->dropped && (s->seen == owner->generation || now < s->due)) {
        mhd.suspend_connection(s->connection);
        s->suspended = suspended = true;
        // The front thread sleeps until the times that it knew; this one is new to it.
        kick = s->seen != owner->generation || s->more;
    }
    pthread_mutex_unlock(&owner->lock);
    if (kick)
        eventfd_write(owner->kick_fd, 1);
    return suspended;
}

// Asks the source for its next piece, or, when that is not due yet, makes a keep-alive comment if
// that is.
static void refill(struct stream *s)
{
    struct streams *owner = s->owner;
    ns_t now = clock_ns(CLOCK_MONOTONIC);
    bool due = !s->events || s->more;
    uint64_t generation;

    pthread_mutex_lock(&owner->lock);
    generation = owner->generation;
    due = due || now >= s->due;
    pthread_mutex_unlock(&owner->lock);

    s->sent = 0;
    owner->held.bytes -= s->out.capacity;
    if (s->out.capacity > PIECE_KEEP_BYTES)
        buf_done(&s->out);
    else
        buf_clear(&s->out);
    if (due) {
        enum web_next next = s->source.next(s->source.context, &s->out);

        s->more = next == WEB_NEXT_MORE;
        s->ended = next == WEB_NEXT_END;
    }

    pthread_mutex_lock(&owner->lock);
    if (due)
        s->seen = generation;
    if (s->out.size)
        s->due = now + s->every;
    else if (s->events && !s->more && !s->ended && now - s->last_sent >= WEB_KEEP_ALIVE)
        buf_append(&s->out, keep_alive, sizeof(keep_alive) - 1);
    if (s->out.size)
        s->last_sent = now;
    if (!s->more)
        s->caught_up = now;
    pthread_mutex_unlock(&owner->lock);
    owner->held.bytes += s->out.capacity;
}

static ssize_t read_stream(void *context, uint64_t position, char *to, size_t max)
{
    struct stream *s = context;
    struct streams *owner = s->owner;
    size_t n;
    bool dropped, stopping;

    (void)position;
    pthread_mutex_lock(&owner->lock);
    s->progress = clock_ns(CLOCK_MONOTONIC);
    dropped = s->dropped;
    stopping = owner->stopping;
    pthread_mutex_unlock(&owner->lock);
    if (dropped)
        return MHD_CONTENT_READER_END_WITH_ERROR;

    while (s->sent == s->out.size) {
        if (s->ended || (stopping && s->events))
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (stopping)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        // An event stream rests after each piece, unless it has catching up to do.
        if (s->events && !s->more && s->out.size) {
            buf_clear(&s->out);
            s->sent = 0;
            if (suspend(s))
                return 0;
        }
        refill(s);
        if (buf_error(&s->out) < 0)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (!s->out.size && !s->more && !s->ended && suspend(s))
            return 0;
        pthread_mutex_lock(&owner->lock);
        stopping = owner->stopping;
        dropped = s->dropped;
        pthread_mutex_unlock(&owner->lock);
        if (dropped)
            return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    n = s->out.size - s->sent < max ? s->out.size - s->sent : max;
    memcpy(to, s->out.data + s->sent, n);
    s->sent += n;
    return (ssize_t)n;
}

static void free_stream(void *context)
{
    struct stream *s = context;
    struct streams *owner = s->owner;

    pthread_mutex_lock(&owner->lock);
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    owner->n_events -= s->events;
    pthread_mutex_unlock(&owner->lock);
    if (s->source.free)
        s->source.free(s->source.context);
    owner->held.bytes -= s->out.capacity;
    buf_done(&s->out);
    free(s);
}

int streams_queue(struct streams *owner, struct MHD_Connection *connection, int fd,
                  struct web_reply *reply)
{
    struct stream *s = calloc(1, sizeof(*s));
    struct MHD_Response *response;
    struct web_reply *whole;
    ns_t now = clock_ns(CLOCK_MONOTONIC);
    int r = 0;

    if (!s)
        return -ENOMEM;
    *s = (struct stream){.owner = owner,
                         .connection = connection,
                         .fd = fd,
                         .events = reply->events,
                         .every = reply->every,
                         .last_sent = now,
                         .progress = now,
                         .caught_up = now};
    response = mhd.create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_stream, s,
                                                 free_stream);
    if (!response) {
        free(s);
        return -ENOMEM;
    }
    s->source = reply->source;
    reply->source = (struct web_source){0};
    s->out = reply->first;
    reply->first = (struct buf){0};
    s->more = reply->first_next == WEB_NEXT_MORE;
    owner->held.bytes += s->out.capacity;
    pthread_mutex_lock(&owner->lock);
    s->next = owner->first;
    s->link = &owner->first;
    if (s->next)
        s->next->link = &s->next;
    owner->first = s;
    owner->n_events += s->events;
    pthread_mutex_unlock(&owner->lock);

    whole = web_reply_of_response(reply->status, response); // from here on `response` frees `s`
    if (!whole)
        return -ENOMEM;
    if (web_reply_header(whole, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type) < 0 ||
        web_reply_header(whole, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") < 0)
        r = -ENOMEM;
    else if (mhd.queue_response(connection, whole->status, whole->response) != MHD_YES)
        r = -EIO;
    web_reply_unref(whole);
    return r;
}

static void resume(struct stream *s)
{
    s->suspended = false;
    mhd.resume_connection(s->connection);
}

static void drop(struct stream *s)
{
    s->dropped = true;
    s->owner->dropped++;
    shutdown(s->fd, SHUT_RDWR);
    if (s->suspended)
        resume(s);
}

ns_t streams_run(struct streams *owner, bool news, ns_t now)
{
    ns_t next = INT64_MAX;

    pthread_mutex_lock(&owner->lock);
    owner->generation += news;
    for (struct stream *s = owner->first; s; s = s->next) {
        ns_t at;

        if (s->dropped)
            continue;
        if (s->suspended) {
            at = s->last_sent + WEB_KEEP_ALIVE;
            if (s->seen != owner->generation && s->due < at)
                at = s->due;
            if (at <= now) {
                s->progress = s->caught_up = now;
                resume(s);
                continue;
            }
        } else {
            at = s->progress + owner->stall;
            if (s->events && s->caught_up + WEB_LAG_SECONDS * NS_PER_SEC < at)
                at = s->caught_up + WEB_LAG_SECONDS * NS_PER_SEC;
            if (at <= now) {
                drop(s);
                continue;
            }
        }
        if (at < next)
            next = at;
    }
    pthread_mutex_unlock(&owner->lock);
    return next;
}

void streams_stop(struct streams *owner)
{
    pthread_mutex_lock(&owner->lock);
    owner->stopping = true;
    for (struct stream *s = owner->first; s; s = s->next)
        if (s->suspended)
            resume(s);
    pthread_mutex_unlock(&owner->lock);
}

void streams_count(struct streams *owner, size_t *ret_clients, uint64_t *ret_dropped)
{
    pthread_mutex_lock(&owner->lock);
    *ret_clients = owner->n_events;
    *ret_dropped = owner->dropped;
    pthread_mutex_unlock(&owner->lock);
}
