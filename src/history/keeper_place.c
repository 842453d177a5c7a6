// SPDX-License-Identifier: Apache-2.0
// Where a run is kept: the store is opened, and the run's place in it found. Another process may
// hold the file just then, so that this is tried for a while; what cannot be had is kept in memory.
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

// Of a run before its first interval, or of one that goes on in a file that was begun anew.
static struct store_run describe(const struct keeper *k, int64_t start_ms)
{
    const struct session *s = k->session;
    struct store_run run = {.host = s->host,
                            .target_kind = s->target_kind,
                            .target = s->target_text,
                            .start_ms = start_ms,
                            .interval_ms = s->interval_ms,
                            .layout = &k->layout};

    text_copy(run.run, sizeof(run.run), s->run);
    return run;
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
    struct store_run run = describe(k, now_ms); // ingest is the only writer of the session
    int r = layout_init(&k->layout, events, n_slots, scope);

    *ret_last_ms = 0;
    *ret_sequence = 0;
    if (r == 0)
        r = prepare_rows(k);
    if (r < 0) {
        keeper_say(k, "history: this run cannot be kept: out of memory");
        return r;
    }
    r = place(k, &run);
    if (r < 0)
        return r;
    *ret_last_ms = k->place.last_ms;
    *ret_sequence = k->place.sequence;
    pthread_mutex_lock(&k->lock);
    k->taken = k->place.sequence;
    k->status.line = k->place.line;
    k->status.interval_ms = run.interval_ms;
    pthread_mutex_unlock(&k->lock);
    keeper_note_firsts(k);
    pthread_mutex_lock(&k->lock);
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

int keeper_place_again(struct keeper *k)
{
    char host[SESSION_TEXT_MAX], kind[16], target[SESSION_TEXT_MAX];
    struct store_run run;
    int r;

    session_read_lock(k->session);
    run = describe(k, k->rows[0].time_ms);
    text_copy(host, sizeof(host), run.host);
    text_copy(kind, sizeof(kind), run.target_kind);
    text_copy(target, sizeof(target), run.target);
    session_unlock(k->session);
    run.host = host;
    run.target_kind = kind;
    run.target = target;
    r = tiers_place(&k->tiers, k->store, &run, run.start_ms, &k->place);
    for (size_t i = 0; i < k->n_rows; i++)
        k->rows[i].run = k->place.number;
    k->homeless = r < 0;
    return r;
}
