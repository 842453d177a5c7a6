// SPDX-License-Identifier: Apache-2.0
// What a stream has told of itself, and the history of its intervals: the model that the server
// shows. The reader-writer lock in it is the server's only one.
#pragma once

#include "base/clock.h"
#include "history/history.h"
#include "history/processes.h"
#include "model/finding.h"

#include <pthread.h>

#define SESSION_TEXT_MAX  256
#define SESSION_NOTES_MAX 32 // further ones are counted, not kept

enum session_state { SESSION_WAITING, SESSION_LIVE, SESSION_ENDED, SESSION_FAILED };

struct session_note {
    char severity[16]; // "info", "warning", "error"
    char text[SESSION_TEXT_MAX * 2];
};

// What the collector said of itself at its last status note; -1 is unknown.
struct session_health {
    int64_t missed_ticks;
    int64_t dropped_rounds;
    int64_t skipped_records; // records that our reader did not understand
    double collector_cpu_percent;
    int64_t collector_rss_bytes;
};

struct session {
    pthread_rwlock_t lock;

    // Under the lock from here on. Strings come from the measured machine: text, never markup.
    char run[17]; // identifies this run of the collector; changes when it is restarted
    char host[SESSION_TEXT_MAX], kernel[SESSION_TEXT_MAX], arch[64], cpu_model[SESSION_TEXT_MAX],
        hypervisor[64];
    char target_kind[16], target_text[SESSION_TEXT_MAX];
    char input_kind[16], input_text[SESSION_TEXT_MAX];
    enum session_state state;
    char reason[SESSION_TEXT_MAX]; // of ENDED and FAILED
    int64_t interval_ms;           // nominal; 0 unknown
    int64_t cpus_possible;         // 0 unknown
    bool *cpu_online;              // [cpus_possible], owned, NULL unknown
    struct session_note notes[SESSION_NOTES_MAX];
    size_t n_notes;
    struct findings *doctor; // of the collector's machine; owned; NULL: the stream has none
    struct session_health health;
    unsigned meta_generation;    // grows when anything but health and history changes
    struct history *history;     // NULL until the first interval; owned
    struct processes *processes; // NULL until the stream tells of one; owned
    ns_t delivered;              // CLOCK_MONOTONIC of the last interval's arrival; 0 none
    const struct event_table
        *events; // before the first interval as well; NULL until the stream named them

    // Called by ingest, without the lock, after intervals arrived or anything else changed. Set
    // before ingest starts.
    void (*changed)(void *context);
    void *changed_context;
};

int session_init(struct session *s);
void session_done(struct session *s);

// What the intervals of a run are made of: see history_new().
struct session_shape {
    const struct event_table *events;
    size_t n_slots;
    enum reading_scope scope;
    size_t rows, memory; // bounds of the history
    uint64_t before;     // sequence number before the first interval's: a run that goes on
};

// Hands an interval to the session, which is live from then on: the one door to the history,
// whether the interval came in a stream or in a CSV. The first one makes the history. Under the
// write lock. 0 or -ENOMEM.
int session_push(struct session *s, const struct session_shape *shape,
                 const struct interval *interval);
// Another run begins, with other columns or from an earlier time: it gets a history and a name of
// its own. `events` (may be NULL) are its columns. Under the write lock.
void session_restart(struct session *s, const struct event_table *events);
// A name for a run that has none of its own.
void session_name_run(struct session *s);

static inline void session_read_lock(struct session *s)
{
    pthread_rwlock_rdlock(&s->lock);
}
static inline void session_unlock(struct session *s)
{
    pthread_rwlock_unlock(&s->lock);
}
const char *session_state_name(enum session_state state);
// Does the collector deliver? 0, or a reason (static text) why not. Call under the lock. `now`:
// CLOCK_MONOTONIC.
const char *session_trouble(const struct session *s, ns_t now);
