// SPDX-License-Identifier: Apache-2.0
// Keeps the history: a thread of its own takes new rows out of the ring once a second, adds them up
// into the tiers, and writes both into the store. The ring is the queue between it and ingest,
// which never waits for it: what leaves the ring before it was taken is lost to the tiers, and
// counted.
//
//     keeper_new(&config, &keeper)   nothing happens yet
//     … privileges are dropped, the filter is set …
//     keeper_start(keeper)           starts the thread
//     keeper_begin(keeper, …)        opens the store, finds the run's place in it
//     keeper_stop(keeper)            the rest is taken and written
#pragma once

#include "history/session.h"
#include "history/store.h"

struct keeper; // opaque

struct keeper_config {
    struct session *session;
    enum store_kind kind;
    const char *path; // of a STORE_FILE. Copied
    const char *off;  // why there is no file, for /api/meta; NULL: by choice. Copied
    uint64_t bound;   // of the store, bytes
    uint64_t memory;  // of the store when it has to be in memory
    bool wait;        // ingest waits for us: the input is a file, which can be read at any speed
    void (*say)(const char *text); // a line for the user; any thread; may be NULL
    // Is the process to end? Asked now and then while keeper_begin() waits; NULL: never.
    bool (*ending)(void *context);
    void *context;
};

int keeper_new(const struct keeper_config *config, struct keeper **ret);
// 0 or -errno.
int keeper_start(struct keeper *k);
void keeper_stop(struct keeper *k);
void keeper_free(struct keeper *k); // stops; NULL is fine
// What it holds in memory of what the history in memory is allowed.
uint64_t keeper_memory(const struct keeper *k);

// Ingest's, before the first interval of a run, without the session's lock: says where the run goes
// on. Waits some seconds for a file that another process holds; where it is held for longer, or the
// disk is full, the thread goes on to try, with what is measured in the ring, and the run begins at
// 0; where it cannot be had otherwise, the tiers are in memory. The user is told. 0 or -errno:
// nothing is kept, and it begins at 0.
int keeper_begin(struct keeper *k, const struct event_table *events, size_t n_slots,
                 enum reading_scope scope, int64_t now_ms, int64_t *ret_last_ms,
                 uint64_t *ret_sequence);
// Ingest's, now and then, without the lock: where half of the ring has not been taken it is time,
// which a fine interval, many CPUs or little memory make less than a second. Waits for that where
// the configuration says so.
void keeper_wait(struct keeper *k);
// The same at the end: until all was written, so that what has ended is whole for whoever asks.
void keeper_wait_end(struct keeper *k);

struct keeper_status {
    enum { KEEPER_OK, KEEPER_OFF, KEEPER_FAILED } state;
    bool file;                  // there is one
    char reason[STORE_WHY_MAX]; // of OFF and FAILED; ""
    uint64_t bytes, bound;
    int64_t first_ms[LADDER_TIERS]; // 0: nothing there, or not used
    int64_t line;                   // 0: nothing was stored of this run
    int64_t interval_ms;
    uint64_t lost; // rows that never reached the tiers
};

// Any thread.
void keeper_status(struct keeper *k, struct keeper_status *ret);
const char *keeper_path(struct keeper *k);
// For store_read(), _read_run(), _first(); NULL while there is no status.line.
struct store *keeper_store(struct keeper *k);
// Wakes it, and waits until all that the ring holds now was taken and written (tests).
void keeper_flush(struct keeper *k);
