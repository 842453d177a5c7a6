// SPDX-License-Identifier: Apache-2.0
#include "history/session.h"

#include <stdlib.h>

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
    s->cpu_online = NULL;
    s->doctor = NULL;
    pthread_rwlock_destroy(&s->lock);
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
