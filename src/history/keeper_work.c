// SPDX-License-Identifier: Apache-2.0
// What the keeper's thread does each second: rows out of the ring, buckets into the store.
#include "history/keeper_private.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void keeper_say(const struct keeper *k, const char *text)
{
    if (k->config.say && text[0])
        k->config.say(text);
}

void keeper_set_state(struct keeper *k, int state, const char *reason)
{
    pthread_mutex_lock(&k->lock);
    k->status.state = state;
    text_copy(k->status.reason, sizeof(k->status.reason), reason);
    pthread_mutex_unlock(&k->lock);
}

void keeper_note_firsts(struct keeper *k)
{
    int64_t first[LADDER_TIERS];

    for (size_t t = 0; t < LADDER_TIERS; t++)
        first[t] = store_first(k->store, t, k->place.line);
    pthread_mutex_lock(&k->lock);
    memcpy(k->status.first_ms, first, sizeof(first));
    k->status.line = k->place.line; // in a file that was begun anew it is another
    k->written = k->taken;
    pthread_cond_broadcast(&k->taken_news);
    pthread_mutex_unlock(&k->lock);
}

// Computes the next rows, if there are any. False when there is none.
static bool take_rows(struct keeper *k)
{
    const struct slots all = {0, k->layout.n_slots};
    const struct history *h;
    uint64_t first, last, taken = k->taken, lost = 0;

    session_read_lock(k->session);
    h = k->session->history;
    if (h) {
        first = history_first(h);
        last = history_last(h);
        if (taken + 1 < first) {
            lost = first - taken - 1;
            taken = first - 1;
        }
        for (k->n_rows = 0; k->n_rows < k->rows_at_once && taken + k->n_rows < last; k->n_rows++)
            bucket_take(&k->rows[k->n_rows], h, taken + k->n_rows + 1, k->session->interval_ms, all,
                        NULL);
    }
    session_unlock(k->session);
    for (size_t i = 0; i < k->n_rows; i++)
        k->rows[i].run = k->place.number;
    pthread_mutex_lock(&k->lock);
    k->status.lost += lost;
    if (h) {
        k->taken = taken + k->n_rows;
        k->capacity = history_capacity(h);
    }
    pthread_cond_broadcast(&k->taken_news);
    pthread_mutex_unlock(&k->lock);
    return k->n_rows > 0;
}

// A place that was found late may be of a line that already has newer times, since the clock was
// set back: its times have to increase.
static size_t first_new(const struct keeper *k)
{
    size_t i = 0;

    while (i < k->n_rows && k->rows[i].time_ms <= k->place.last_ms)
        i++;
    return i;
}

static void count_lost(struct keeper *k, uint64_t n)
{
    pthread_mutex_lock(&k->lock);
    k->status.lost += n;
    pthread_mutex_unlock(&k->lock);
}

static int write_rows(struct keeper *k)
{
    bool full = store_kind(k->store) != STORE_MEMORY; // the ring has them
    int64_t now_ms = k->rows[k->n_rows - 1].time_ms;
    int r = store_begin(k->store, tiers_room(&k->tiers, k->n_rows));

    if (r < 0)
        return r;
    tiers_save(&k->tiers);
    for (size_t i = first_new(k); r == 0 && i < k->n_rows; i++)
        r = tiers_put(&k->tiers, k->store, &k->place, &k->rows[i], full);
    if (r == 0)
        r = store_commit(k->store, now_ms);
    if (r < 0) {
        store_rollback(k->store);
        tiers_restore(&k->tiers);
        return r;
    }
    count_lost(k, first_new(k));
    return 0;
}

// Tells the user once that it cannot write, and once that it goes on.
static void set_paused(struct keeper *k, int error)
{
    bool news = !k->paused != !error;
    const char *why = error ? store_why(k->store, error) : "";
    char text[2 * STORE_WHY_MAX];

    if (!news)
        return;
    pthread_mutex_lock(&k->lock);
    k->paused = error != 0;
    pthread_cond_broadcast(&k->taken_news);
    pthread_mutex_unlock(&k->lock);
    keeper_set_state(k,
                     error                                ? KEEPER_FAILED
                     : store_kind(k->store) == STORE_FILE ? KEEPER_OK
                                                          : KEEPER_OFF,
                     why);
    snprintf(text, sizeof(text), error ? "history: paused: %s" : "history: goes on%s", why);
    keeper_say(k, text);
}

void keeper_work(struct keeper *k)
{
    bool any = false;

    if (k->late) {
        if (keeper_place_late(k) < 0)
            return;
        set_paused(k, 0);
    }
    while (k->n_rows || take_rows(k)) {
        int r = k->homeless ? keeper_place_again(k) : 0;

        if (r == 0)
            r = write_rows(k);
        if (r == -EBADMSG && keeper_set_aside(k) == 0)
            continue;
        set_paused(k, r);
        if (r < 0)
            return;
        k->n_rows = 0;
        any = true;
    }
    if (any)
        keeper_note_firsts(k);
}
