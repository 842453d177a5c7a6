// SPDX-License-Identifier: Apache-2.0
// Shared by keeper.c (its life), keeper_place.c (where a run is kept) and keeper_work.c (what its
// thread does each second).
#pragma once

#include "history/keeper.h"
#include "history/tiers.h"

#define KEEPER_ROWS 64 // in one transaction

struct keeper {
    struct keeper_config config;
    struct session *session;
    pthread_t thread;
    bool started;

    pthread_mutex_t lock; // of what follows
    struct store *store;  // NULL until the run has its place, and the same from then on
    pthread_cond_t news;  // for the thread
    pthread_cond_t taken_news;
    bool stopping, woken;
    bool placed;      // the thread may work
    bool paused;      // the store cannot write; it was said
    uint64_t taken;   // sequence of the newest row that was taken
    uint64_t written; // of the newest that was written
    size_t capacity;  // of the ring; 0 unknown
    struct keeper_status status;

    // The thread's alone, once placed.
    struct layout layout;
    int64_t start_ms; // of the run
    bool late;        // the file could not be had at the run's begin, and is still to be opened
    struct store_place place;
    struct tiers tiers;
    struct bucket rows[KEEPER_ROWS]; // taken, not yet written: [n_rows]
    size_t n_rows, rows_at_once;
    bool homeless; // the store's file is a new one, in which the run has no place yet
};

// A line for the user; "" is none.
void keeper_say(const struct keeper *k, const char *text);
void keeper_set_state(struct keeper *k, int state, const char *reason);
// The thread's. A file that turned out to be damaged is set aside, and a new one begun; the run is
// to be placed again then. 0 or -errno.
int keeper_set_aside(struct keeper *k);
// Of a `late` one: opens the file now. 0, or -errno: it stays late.
int keeper_place_late(struct keeper *k);
int keeper_place_again(struct keeper *k);
// Takes and writes all that is there. What cannot be written is tried again the next time. The
// thread's.
void keeper_work(struct keeper *k);
// Tells how far the tiers reach back, and that what was taken is written.
void keeper_note_firsts(struct keeper *k);
