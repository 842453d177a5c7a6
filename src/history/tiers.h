// SPDX-License-Identifier: Apache-2.0
// From rows to the buckets of every tier, and into the store. The keeper's thread only.
#pragma once

#include "history/store.h"

struct tiers {
    const struct layout *layout; // not owned
    int64_t interval_ms;
    struct bucket open[LADDER_TIERS];  // what is not complete yet; [0] is not used
    struct bucket saved[LADDER_TIERS]; // as they were before the transaction
    struct bucket moving;              // a stored row, while catching up
    uint64_t largest;                  // bytes of the largest one that was packed
};

// 0 or -ENOMEM.
int tiers_init(struct tiers *t, const struct layout *layout, int64_t interval_ms);
void tiers_done(struct tiers *t);
// Finds the run's place in the store, and takes up what was not complete when the process before
// this one ended. 0 or -errno.
int tiers_place(struct tiers *t, struct store *s, const struct store_run *run, int64_t now_ms,
                struct store_place *ret);
// A row; with `full` it is stored itself, too. Within a transaction. 0 or -errno.
int tiers_put(struct tiers *t, struct store *s, const struct store_place *place,
              const struct bucket *row, bool full);
// What the store needs room for before so many rows: each may complete a bucket of every tier.
uint64_t tiers_room(const struct tiers *t, size_t n_rows);
// The state at the begin of a transaction, and back to it when that failed.
void tiers_save(struct tiers *t);
void tiers_restore(struct tiers *t);
