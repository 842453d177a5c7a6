// SPDX-License-Identifier: Apache-2.0
#include "history/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

// A collector that says nothing for this long is in trouble, however long its interval.
#define SILENCE_MIN (2 * NS_PER_SEC)

int session_init(struct session *s)
{
    pthread_rwlockattr_t attr;
    int r;

    *s = (struct session){
        .health = {-1, -1, 0, -1, -1},
        .meta_generation = 1,
    };
    pthread_rwlockattr_init(&attr);
    // Ingest must not starve while readers queue up.
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    r = pthread_rwlock_init(&s->lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    return -r;
}

void session_done(struct session *s)
{
    history_free(s->history);
    free(s->cpu_online);
    free(s->doctor);
    s->history = NULL;
    processes_free(s->processes);
    s->processes = NULL;
    s->cpu_online = NULL;
    s->doctor = NULL;
    pthread_rwlock_destroy(&s->lock);
}

int session_push(struct session *s, const struct session_shape *shape,
                 const struct interval *interval)
{
    s->state = SESSION_LIVE;
    s->delivered = clock_ns(CLOCK_MONOTONIC);
    if (!s->history) {
        int r = history_new(shape->events, shape->n_slots, shape->scope, shape->rows, shape->memory,
                            &s->history);

        if (r < 0)
            return r;
        history_continue(s->history, shape->before);
        s->events = history_events(s->history);
        s->meta_generation++;
    }
    history_push(s->history, interval);
    return 0;
}

void session_restart(struct session *s, const struct event_table *events)
{
    history_free(s->history);
    s->history = NULL;
    s->events = events;
    session_name_run(s);
    s->meta_generation++;
}

void session_name_run(struct session *s)
{
    uint32_t run;

    if (getrandom(&run, sizeof(run), GRND_NONBLOCK) != sizeof(run))
        run = (uint32_t)clock_ns(CLOCK_REALTIME);
    snprintf(s->run, sizeof(s->run), "%08x", run);
}

const char *session_state_name(enum session_state state)
{
    static const char *const names[] = {
        [SESSION_WAITING] = "waiting",
        [SESSION_LIVE] = "live",
        [SESSION_ENDED] = "ended",
        [SESSION_FAILED] = "failed",
    };

    return names[state];
}

const char *session_trouble(const struct session *s, ns_t now)
{
    ns_t patience = 5 * s->interval_ms * NS_PER_MS;

    switch (s->state) {
    case SESSION_WAITING:
        return "no interval has arrived yet";
    case SESSION_ENDED:
        return "the collector has ended";
    case SESSION_FAILED:
        return "the stream could not be read";
    case SESSION_LIVE:
        break;
    }
    if (patience < SILENCE_MIN)
        patience = SILENCE_MIN;
    return now - s->delivered > patience ? "the collector has been silent for too long" : NULL;
}
