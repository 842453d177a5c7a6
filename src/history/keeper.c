// SPDX-License-Identifier: Apache-2.0
#include "history/keeper_private.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD         NS_PER_SEC
#define PLACES_AT_ONCE 10000 // computed under one hold of the session's lock: a few ms

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
        keeper_say(k, text);
    }
    if (r < 0 && k->config.kind != STORE_MEMORY) {
        snprintf(text, sizeof(text),
                 "history %.180s: %s; what is measured now stays in memory only", k->config.path,
                 note);
        keeper_say(k, text);
        k->status.state = KEEPER_FAILED;
        text_copy(k->status.reason, sizeof(k->status.reason), note);
        r = store_open(STORE_MEMORY, NULL, k->config.memory, &k->store, note);
    }
    k->status.file = r == 0 && store_kind(k->store) == STORE_FILE;
    return r;
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
    k->rows_at_once = k->rows_at_once < 1             ? 1
                      : k->rows_at_once > KEEPER_ROWS ? KEEPER_ROWS
                                                      : k->rows_at_once;
    for (size_t i = 0; r == 0 && i < k->rows_at_once; i++)
        r = bucket_init(&k->rows[i], &k->layout);
    if (r == 0)
        r = tiers_init(&k->tiers, &k->layout, s->interval_ms);
    if (r == 0)
        r = tiers_place(&k->tiers, k->store, &run, now_ms, &k->place);
    if (r < 0) {
        keeper_say(k, "history: this run cannot be kept");
        return r;
    }
    *ret_last_ms = k->place.last_ms;
    *ret_sequence = k->place.sequence;
    pthread_mutex_lock(&k->lock);
    k->taken = k->place.sequence;
    k->status.line = k->place.line;
    k->status.interval_ms = s->interval_ms;
    pthread_mutex_unlock(&k->lock);
    keeper_note_firsts(k);
    pthread_mutex_lock(&k->lock);
    k->placed = true;
    pthread_mutex_unlock(&k->lock);
    return 0;
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
            keeper_work(k);
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

void keeper_wait_end(struct keeper *k)
{
    if (k->config.wait)
        keeper_flush(k);
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
    for (size_t i = 0; i < KEEPER_ROWS; i++)
        bucket_done(&k->rows[i]);
    layout_done(&k->layout);
    pthread_mutex_destroy(&k->lock);
    pthread_cond_destroy(&k->news);
    pthread_cond_destroy(&k->taken_news);
    free((char *)(uintptr_t)k->config.path);
    free((char *)(uintptr_t)k->config.off);
    free(k);
}
