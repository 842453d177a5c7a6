// SPDX-License-Identifier: Apache-2.0
// Where a run is kept: the store is opened, and the run's place in it found. Another process may
// hold the file just then, or the disk be full: that is waited for, first by ingest and then by the
// thread, with the ring as the queue. What cannot be had otherwise is kept in memory.
#include "history/keeper_private.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PLACES_AT_ONCE 10000 // computed under one hold of the session's lock: a few ms
#define AGAIN          (50 * NS_PER_MS)
// Of what is held by another process: as long as a look at it, or a backup, takes. What is measured
// meanwhile waits in the stream's queues.
#define BUSY_PATIENCE (10 * NS_PER_SEC)
// Of any other failure. When root looks at the file, SQLite makes its log and index anew and gives
// them to the file's owner only then: whoever opens them in between may not write for as long as
// the connection lives.
#define OTHER_PATIENCE (2 * NS_PER_SEC)

// A run, and the texts that it names.
struct described {
    struct store_run run;
    char host[SESSION_TEXT_MAX], kind[16], target[SESSION_TEXT_MAX];
};

static void describe(const struct keeper *k, int64_t start_ms, struct described *ret)
{
    const struct session *s = k->session;

    session_read_lock(k->session);
    text_copy(ret->host, sizeof(ret->host), s->host);
    text_copy(ret->kind, sizeof(ret->kind), s->target_kind);
    text_copy(ret->target, sizeof(ret->target), s->target_text);
    ret->run = (struct store_run){.host = ret->host,
                                  .target_kind = ret->kind,
                                  .target = ret->target,
                                  .start_ms = start_ms,
                                  .interval_ms = s->interval_ms,
                                  .layout = &k->layout};
    text_copy(ret->run.run, sizeof(ret->run.run), s->run);
    session_unlock(k->session);
}

// `note`: what became of a damaged file; "" where there was none.
static void say_begun_anew(struct keeper *k, const char *note)
{
    char text[2 * STORE_WHY_MAX];

    if (!note[0])
        return;
    snprintf(text, sizeof(text), "history: %s, and a new one begun", note);
    keeper_say(k, text);
}

static int set_aside(struct keeper *k, struct store *store)
{
    char note[STORE_WHY_MAX] = "";
    int r = store_set_aside(store, note);

    say_begun_anew(k, note);
    return r;
}

static int place_in(struct keeper *k, struct store *store, const struct store_run *run)
{
    int r;

    tiers_done(&k->tiers); // of an attempt that failed half way
    r = tiers_init(&k->tiers, &k->layout, run->interval_ms);
    return r == 0 ? tiers_place(&k->tiers, store, run, run->start_ms, &k->place) : r;
}

// 0, or -errno with the reason.
static int open_and_place(struct keeper *k, enum store_kind kind, const struct store_run *run,
                          char ret_why[STORE_WHY_MAX])
{
    uint64_t bound = kind == k->config.kind ? k->config.bound : k->config.memory;
    char note[STORE_WHY_MAX];
    struct store *store;
    int r = store_open(kind, k->config.path, bound, &store, note);

    if (r < 0) {
        text_copy(ret_why, STORE_WHY_MAX, note);
        return r;
    }
    say_begun_anew(k, note);
    r = place_in(k, store, run);
    if (r == -EBADMSG && set_aside(k, store) == 0)
        r = place_in(k, store, run);
    if (r < 0) {
        text_copy(ret_why, STORE_WHY_MAX, store_why(store, r));
        store_close(store);
        return r;
    }
    pthread_mutex_lock(&k->lock);
    k->store = store;
    k->status.file = kind == STORE_FILE;
    pthread_mutex_unlock(&k->lock);
    return 0;
}

static void say_of_file(struct keeper *k, const char *why, const char *what)
{
    char text[2 * STORE_WHY_MAX];

    snprintf(text, sizeof(text), "history %.180s: %s; %s",
             k->config.path[0] ? k->config.path : "in a temporary file", why, what);
    keeper_say(k, text);
}

// False: another attempt is of no use, or there is no time left for it.
static bool wait_to_try_again(const struct keeper *k, int error, ns_t begun)
{
    const struct timespec again = {.tv_nsec = AGAIN};
    ns_t patience = error == -EBUSY ? BUSY_PATIENCE : OTHER_PATIENCE;

    if (error == -EPROTO || error == -ENOSPC || error == -ENOMEM ||
        clock_ns(CLOCK_MONOTONIC) - begun >= patience ||
        (k->config.ending && k->config.ending(k->config.context)))
        return false;
    nanosleep(&again, NULL);
    return true;
}

// Is it a matter of time until it can be had? An input that waits for us would have to wait, too.
static bool passes(const struct keeper *k, int error)
{
    return (error == -EBUSY || error == -ENOSPC) && k->config.kind == STORE_FILE && !k->config.wait;
}

static int place(struct keeper *k, const struct store_run *run)
{
    enum store_kind kind = k->config.kind;
    ns_t begun = clock_ns(CLOCK_MONOTONIC);
    char why[STORE_WHY_MAX] = "", text[2 * STORE_WHY_MAX];
    bool said = false;
    int r;

    while ((r = open_and_place(k, kind, run, why)) < 0 && kind != STORE_MEMORY &&
           wait_to_try_again(k, r, begun)) {
        if (r == -EBUSY && !said) {
            keeper_set_state(k, KEEPER_FAILED, why);
            say_of_file(k, why, "waiting for it");
            said = true;
        }
    }
    if (r == 0 && said)
        keeper_set_state(k, KEEPER_OK, "");
    if (r < 0 && passes(k, r)) {
        say_of_file(k, why, "what is measured now waits in memory until it can be written");
        keeper_set_state(k, KEEPER_FAILED, why);
        k->late = true;
        return 0;
    }
    if (r < 0 && kind != STORE_MEMORY) {
        say_of_file(k, why, "what is measured now stays in memory only");
        keeper_set_state(k, KEEPER_FAILED, why);
        r = open_and_place(k, STORE_MEMORY, run, why);
    }
    if (r < 0) {
        snprintf(text, sizeof(text), "history: this run cannot be kept: %s", why);
        keeper_say(k, text);
    }
    return r;
}

static int prepare_rows(struct keeper *k)
{
    size_t places = k->layout.n_raw + k->layout.n_metric_places;
    int r = 0;

    k->rows_at_once = PLACES_AT_ONCE / (places + 1);
    k->rows_at_once = k->rows_at_once < 1             ? 1
                      : k->rows_at_once > KEEPER_ROWS ? KEEPER_ROWS
                                                      : k->rows_at_once;
    for (size_t i = 0; r == 0 && i < k->rows_at_once; i++)
        r = bucket_init(&k->rows[i], &k->layout);
    return r;
}

int keeper_begin(struct keeper *k, const struct event_table *events, size_t n_slots,
                 enum reading_scope scope, int64_t now_ms, int64_t *ret_last_ms,
                 uint64_t *ret_sequence)
{
    int r = layout_init(&k->layout, events, n_slots, scope);
    struct described d;

    *ret_last_ms = 0;
    *ret_sequence = 0;
    if (r == 0)
        r = prepare_rows(k);
    if (r < 0) {
        keeper_say(k, "history: this run cannot be kept: out of memory");
        return r;
    }
    k->start_ms = now_ms;
    describe(k, now_ms, &d);
    r = place(k, &d.run);
    if (r < 0)
        return r;
    *ret_last_ms = k->place.last_ms;
    *ret_sequence = k->place.sequence;
    pthread_mutex_lock(&k->lock);
    k->taken = k->place.sequence;
    k->status.line = k->place.line;
    k->status.interval_ms = d.run.interval_ms;
    pthread_mutex_unlock(&k->lock);
    if (!k->late)
        keeper_note_firsts(k);
    pthread_mutex_lock(&k->lock);
    k->paused = k->late;
    k->placed = true;
    pthread_mutex_unlock(&k->lock);
    return 0;
}

int keeper_set_aside(struct keeper *k)
{
    int r = set_aside(k, k->store);

    k->homeless |= r == 0;
    return r;
}

int keeper_place_late(struct keeper *k)
{
    char why[STORE_WHY_MAX] = "";
    struct described d;
    int r;

    describe(k, k->start_ms, &d);
    r = open_and_place(k, k->config.kind, &d.run, why);
    k->late = r < 0;
    if (r < 0)
        keeper_set_state(k, KEEPER_FAILED, why);
    return r;
}

int keeper_place_again(struct keeper *k)
{
    struct described d;
    int r;

    describe(k, k->rows[0].time_ms, &d);
    r = tiers_place(&k->tiers, k->store, &d.run, d.run.start_ms, &k->place);
    for (size_t i = 0; i < k->n_rows; i++)
        k->rows[i].run = k->place.number;
    k->homeless = r < 0;
    return r;
}
