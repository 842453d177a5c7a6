// SPDX-License-Identifier: Apache-2.0
// Events that stop running while we measure: the NMI watchdog was turned on, or another profiler
// took the counters. Each interval says so itself ("never ran"); this notices that it lasts, so
// that something can be done about it (regroup.h).
#pragma once

#include "base/clock.h"
#include "model/readings.h"

// So much enabled time without running is no queue of groups that wait for their turns; and it is
// not so long that nobody would see what it was. For each group of a longer queue a turn is added.
#define STARVE_AFTER NS_PER_SEC
#define STARVE_TURN  (20 * NS_PER_MS) // twice the longest: 4 ms, or a jiffy of 10 ms

struct starve_place;

struct starve {
    struct starve_place *places; // [event * n_rows + row]; owned
    bool *starved;               // [event], owned
    size_t n_events, n_rows;
    ns_t after, due;
};

// 0 or -ENOMEM.
int starve_init(struct starve *s, const struct readings *readings, size_t n_groups);
void starve_done(struct starve *s);
// Looks, every STARVE_AFTER: an event starves when, in some place, it is enabled and has been for
// `after` since it ran there last. `now`: CLOCK_MONOTONIC. False: it was not yet time to look.
bool starve_look(struct starve *s, const struct readings *readings, ns_t now);
// It gets a new chance: what was so far is not held against it.
void starve_forgive(struct starve *s, size_t event);
