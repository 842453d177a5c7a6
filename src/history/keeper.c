// SPDX-License-Identifier: Apache-2.0
#include "history/keeper_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD NS_PER_SEC

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
    keeper_set_state(k, config->kind == STORE_FILE ? KEEPER_OK : KEEPER_OFF,
                     config->off ? config->off : "");
    k->status.file = config->kind == STORE_FILE;
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

const char *keeper_path(struct keeper *k)
{
    struct keeper_status status;

    keeper_status(k, &status);
    return status.file ? k->config.path : NULL;
}

struct store *keeper_store(struct keeper *k)
{
    return k->store;
}

void keeper_status(struct keeper *k, struct keeper_status *ret)
{
    pthread_mutex_lock(&k->lock);
    *ret = k->status;
    ret->bytes = k->store ? store_bytes(k->store) : 0;
    ret->bound = k->store ? store_bound(k->store) : k->config.bound;
    pthread_mutex_unlock(&k->lock);
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
    int r = pthread_create(&k->thread, NULL, run_thread, k);
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

    session_read_lock(k->session);
    last = k->session->history ? history_last(k->session->history) : 0;
    session_unlock(k->session);
    pthread_mutex_lock(&k->lock);
    if (k->placed && !k->paused && !k->capacity)
        wake(k);
    while (k->placed && !k->stopping && !k->paused && last > k->taken + k->capacity / 2) {
        wake(k);
        if (!k->config.wait)
            break;
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
