// SPDX-License-Identifier: Apache-2.0
#include "history/keeper.h"

#include "base/text.h"
#include "history/pack.h"
#include "history/tiers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD         NS_PER_SEC
#define PLACES_AT_ONCE 10000 // computed under one hold of the session's lock: a few ms
#define ROWS_AT_ONCE   64

struct keeper {
    struct keeper_config config;
    struct session *session;
    struct store *store;
    pthread_t thread;
    bool started;

    pthread_mutex_t lock; // of what follows
    pthread_cond_t news;  // for the thread
    pthread_cond_t taken_news;
    bool stopping, placed, woken;
    bool paused;      // the store cannot write; it was said
    uint64_t taken;   // sequence of the newest row that was taken
    uint64_t written; // of the newest that was written
    size_t capacity;  // of the ring; 0 unknown
    uint64_t newest;  // sequence of its newest row, as last seen
    struct keeper_status status;

    // The thread's alone, once placed.
    struct layout layout;
    struct store_place place;
    struct tiers tiers;
    struct bucket rows[ROWS_AT_ONCE]; // taken, not yet written: [n_rows]
    size_t n_rows, rows_at_once;
    uint64_t row_bytes; // of the newest packed one
};

static void say(const struct keeper *k, const char *text)
{
    if (k->config.say && text[0])
        k->config.say(text);
}

int keeper_new(const struct keeper_config *config, struct keeper **ret)
{
    struct keeper *k = calloc(1, sizeof(*k));
    pthread_condattr_t monotonic;

    if (!k)
        return -ENOMEM;
    k->config = *config;
    k->session = config->session;
    pthread_mutex_init(&k->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&k->news, &monotonic);
    pthread_cond_init(&k->taken_news, &monotonic);
    pthread_condattr_destroy(&monotonic);
    k->config.path = strdup(config->path ? config->path : "");
    k->config.off = config->off ? strdup(config->off) : NULL;
    if (!k->config.path || (config->off && !k->config.off)) {
        keeper_free(k);
        return -ENOMEM;
    }
    *ret = k;
    return 0;
}

uint64_t keeper_memory(const struct keeper *k)
{
    return k->store && store_kind(k->store) == STORE_MEMORY ? k->config.memory : 0;
}

const char *keeper_path(const struct keeper *k)
{
    return k->store && store_kind(k->store) == STORE_FILE ? k->config.path : NULL;
}

struct store *keeper_store(struct keeper *k)
{
    return k->store;
}

void keeper_status(struct keeper *k, struct keeper_status *ret)
{
    pthread_mutex_lock(&k->lock);
    *ret = k->status;
    pthread_mutex_unlock(&k->lock);
    ret->bytes = k->store ? store_bytes(k->store) : 0;
    ret->bound = k->store ? store_bound(k->store) : 0;
}

static int open_store(struct keeper *k)
{
    char note[STORE_WHY_MAX] = "", text[2 * STORE_WHY_MAX];
    int r = store_open(k->config.kind, k->config.path, k->config.bound, &k->store, note);

    k->status.state = k->config.kind == STORE_FILE ? KEEPER_OK : KEEPER_OFF;
    text_copy(k->status.reason, sizeof(k->status.reason), k->config.off ? k->config.off : "");
    if (r == 0 && note[0]) {
        snprintf(text, sizeof(text), "history: %s, and a new one begun", note);
        say(k, text);
    }
    if (r < 0 && k->config.kind != STORE_MEMORY) {
        snprintf(text, sizeof(text),
                 "history %.180s: %s; what is measured now stays in memory only", k->config.path,
                 note);
        say(k, text);
        k->status.state = KEEPER_FAILED;
        text_copy(k->status.reason, sizeof(k->status.reason), note);
        r = store_open(STORE_MEMORY, NULL, k->config.memory, &k->store, note);
    }
    k->status.file = r == 0 && store_kind(k->store) == STORE_FILE;
    return r;
}

static void note_firsts(struct keeper *k)
{
    int64_t first[LADDER_TIERS];

    for (size_t t = 0; t < LADDER_TIERS; t++)
        first[t] = store_first(k->store, t, k->place.line);
    pthread_mutex_lock(&k->lock);
    memcpy(k->status.first_ms, first, sizeof(first));
    k->written = k->taken;
    pthread_cond_broadcast(&k->taken_news);
    pthread_mutex_unlock(&k->lock);
}

int keeper_begin(struct keeper *k, const struct event_table *events, size_t n_slots,
                 enum reading_scope scope, int64_t now_ms, int64_t *ret_last_ms,
                 uint64_t *ret_sequence)
{
    const struct session *s = k->session; // ingest is the only writer
    struct store_run run = {.host = s->host,
                            .target_kind = s->target_kind,
                            .target = s->target_text,
                            .start_ms = now_ms,
                            .interval_ms = s->interval_ms,
                            .layout = &k->layout};
    size_t places;
    int r = layout_init(&k->layout, events, n_slots, scope);

    *ret_last_ms = 0;
    *ret_sequence = 0;
    if (r < 0)
        return r;
    text_copy(run.run, sizeof(run.run), s->run);
    places = k->layout.n_raw + k->layout.n_metric_places;
    k->rows_at_once = PLACES_AT_ONCE / (places + 1);
    k->rows_at_once = k->rows_at_once < 1              ? 1
                      : k->rows_at_once > ROWS_AT_ONCE ? ROWS_AT_ONCE
                                                       : k->rows_at_once;
    for (size_t i = 0; r == 0 && i < k->rows_at_once; i++)
        r = bucket_init(&k->rows[i], &k->layout);
    if (r == 0)
        r = tiers_init(&k->tiers, &k->layout, s->interval_ms);
    if (r == 0)
        r = tiers_place(&k->tiers, k->store, &run, now_ms, &k->place);
    if (r < 0) {
        say(k, "history: this run cannot be kept");
        return r;
    }
    *ret_last_ms = k->place.last_ms;
    *ret_sequence = k->place.sequence;
    pthread_mutex_lock(&k->lock);
    k->taken = k->place.sequence;
    k->status.line = k->place.line;
    k->status.interval_ms = s->interval_ms;
    pthread_mutex_unlock(&k->lock);
    note_firsts(k);
    pthread_mutex_lock(&k->lock);
    k->placed = true;
    pthread_mutex_unlock(&k->lock);
    return 0;
}

// Computes the next rows, if there are any. False when there is none.
static bool take_rows(struct keeper *k)
{
    const struct slots all = {0, k->layout.n_slots};
    const struct history *h;
    uint64_t first, last, lost = 0;

    session_read_lock(k->session);
    h = k->session->history;
    if (h) {
        first = history_first(h);
        last = history_last(h);
        if (k->taken + 1 < first) {
            lost = first - k->taken - 1;
            k->taken = first - 1;
        }
        for (k->n_rows = 0; k->n_rows < k->rows_at_once && k->taken + k->n_rows < last; k->n_rows++)
            bucket_take(&k->rows[k->n_rows], h, k->taken + k->n_rows + 1, k->session->interval_ms,
                        all, NULL);
    }
    session_unlock(k->session);
    for (size_t i = 0; i < k->n_rows; i++)
        k->rows[i].run = k->place.number;
    pthread_mutex_lock(&k->lock);
    k->status.lost += lost;
    if (h) {
        k->taken += k->n_rows;
        k->newest = last;
        k->capacity = history_capacity(h);
    }
    pthread_cond_broadcast(&k->taken_news);
    pthread_mutex_unlock(&k->lock);
    return k->n_rows > 0;
}

static int write_rows(struct keeper *k)
{
    bool full = store_kind(k->store) != STORE_MEMORY; // the ring has them
    int64_t now_ms = k->rows[k->n_rows - 1].time_ms;
    int r = store_begin(k->store, 2 * k->n_rows * (k->row_bytes + 512));

    if (r < 0)
        return r;
    tiers_save(&k->tiers);
    for (size_t i = 0; r == 0 && i < k->n_rows; i++)
        r = tiers_put(&k->tiers, k->store, &k->place, &k->rows[i], full, &k->row_bytes);
    if (r == 0)
        r = store_commit(k->store, now_ms);
    if (r < 0) {
        store_rollback(k->store);
        tiers_restore(&k->tiers);
    }
    return r;
}

// A file that turned out to be damaged: what comes from now on goes into a new one.
static int begin_anew(struct keeper *k)
{
    const struct session *s = k->session;
    struct store_run run = {.interval_ms = s->interval_ms, .layout = &k->layout};
    char host[SESSION_TEXT_MAX], kind[16], target[SESSION_TEXT_MAX];
    char note[STORE_WHY_MAX] = "", text[2 * STORE_WHY_MAX];
    int r = store_set_aside(k->store, note);

    if (r < 0)
        return r;
    snprintf(text, sizeof(text), "history: %s, and a new one begun", note);
    say(k, text);
    session_read_lock(k->session);
    text_copy(run.run, sizeof(run.run), s->run);
    text_copy(host, sizeof(host), s->host);
    text_copy(kind, sizeof(kind), s->target_kind);
    text_copy(target, sizeof(target), s->target_text);
    session_unlock(k->session);
    run.host = host;
    run.target_kind = kind;
    run.target = target;
    run.start_ms = k->rows[0].time_ms;
    r = tiers_place(&k->tiers, k->store, &run, run.start_ms, &k->place);
    for (size_t i = 0; i < k->n_rows; i++)
        k->rows[i].run = k->place.number;
    return r;
}

static void set_state(struct keeper *k, int error)
{
    char text[2 * STORE_WHY_MAX];

    pthread_mutex_lock(&k->lock);
    if (!k->paused == !error) {
        pthread_mutex_unlock(&k->lock);
        return;
    }
    k->paused = error != 0;
    pthread_cond_broadcast(&k->taken_news);
    k->status.state = error                                ? KEEPER_FAILED
                      : store_kind(k->store) == STORE_FILE ? KEEPER_OK
                                                           : KEEPER_OFF;
    snprintf(k->status.reason, sizeof(k->status.reason), "%s",
             !error             ? ""
             : error == -ENOSPC ? "the disk is full"
             : error == -EBUSY  ? "another program keeps it busy"
                                : store_error(k->store));
    snprintf(text, sizeof(text), error ? "history: paused: %s" : "history: goes on%s",
             k->status.reason);
    pthread_mutex_unlock(&k->lock);
    say(k, text);
}

// Takes and writes all that is there. What cannot be written is tried again the next time.
static void work(struct keeper *k)
{
    bool any = false;

    while (k->n_rows || take_rows(k)) {
        int r = write_rows(k);

        if (r == -EBADMSG && begin_anew(k) == 0)
            continue;
        set_state(k, r);
        if (r < 0)
            return;
        k->n_rows = 0;
        any = true;
    }
    if (any)
        note_firsts(k);
}

static void *run_thread(void *context)
{
    struct keeper *k = context;
    bool stopping = false;

    while (!stopping) {
        ns_t until = clock_ns(CLOCK_MONOTONIC) + PERIOD;
        struct timespec t = {.tv_sec = until / NS_PER_SEC, .tv_nsec = until % NS_PER_SEC};
        bool placed;

        pthread_mutex_lock(&k->lock);
        while (!k->stopping && !k->woken &&
               pthread_cond_timedwait(&k->news, &k->lock, &t) != ETIMEDOUT)
            ;
        stopping = k->stopping;
        k->woken = false;
        placed = k->placed;
        pthread_mutex_unlock(&k->lock);
        if (placed)
            work(k);
    }
    return NULL;
}

int keeper_start(struct keeper *k)
{
    int r = open_store(k);

    if (r < 0)
        return r;
    r = pthread_create(&k->thread, NULL, run_thread, k);
    k->started = r == 0;
    return -r;
}

static void wake(struct keeper *k)
{
    k->woken = true;
    pthread_cond_signal(&k->news);
}

void keeper_wait(struct keeper *k)
{
    uint64_t last;

    if (!k->config.wait)
        return;
    session_read_lock(k->session);
    last = k->session->history ? history_last(k->session->history) : 0;
    session_unlock(k->session);
    pthread_mutex_lock(&k->lock);
    if (k->placed && !k->capacity)
        wake(k);
    while (k->placed && !k->stopping && !k->paused && last > k->taken + k->capacity / 2) {
        wake(k);
        pthread_cond_wait(&k->taken_news, &k->lock);
    }
    pthread_mutex_unlock(&k->lock);
}

void keeper_flush(struct keeper *k)
{
    uint64_t last;

    session_read_lock(k->session);
    last = k->session->history ? history_last(k->session->history) : 0;
    session_unlock(k->session);
    pthread_mutex_lock(&k->lock);
    while (k->placed && k->started && !k->paused && k->written < last) {
        wake(k);
        pthread_cond_wait(&k->taken_news, &k->lock);
    }
    pthread_mutex_unlock(&k->lock);
}

void keeper_stop(struct keeper *k)
{
    if (!k->started)
        return;
    pthread_mutex_lock(&k->lock);
    k->stopping = true;
    pthread_cond_broadcast(&k->news);
    pthread_cond_broadcast(&k->taken_news);
    pthread_mutex_unlock(&k->lock);
    pthread_join(k->thread, NULL);
    k->started = false;
}

void keeper_free(struct keeper *k)
{
    if (!k)
        return;
    keeper_stop(k);
    store_close(k->store);
    tiers_done(&k->tiers);
    for (size_t i = 0; i < ROWS_AT_ONCE; i++)
        bucket_done(&k->rows[i]);
    layout_done(&k->layout);
    pthread_mutex_destroy(&k->lock);
    pthread_cond_destroy(&k->news);
    pthread_cond_destroy(&k->taken_news);
    free((char *)(uintptr_t)k->config.path);
    free((char *)(uintptr_t)k->config.off);
    free(k);
}
