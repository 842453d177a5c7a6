// SPDX-License-Identifier: Apache-2.0
// The tick: a timer on an absolute grid. A late tick does not delay the next, and a missed one is
// counted, not made up for.
#pragma once

#include "model/grid.h"

#include <stdbool.h>

struct tick {
    int fd; // readable when due
    struct grid grid;
    bool started; // the reference has passed
    uint64_t missed;
};

// Starts the timer. Its first expiry is the grid's reference: a moment within 100 ms (or one
// interval) whose wall-clock time is round. 0 or -errno.
int tick_open(struct tick *t, ns_t interval);
void tick_close(struct tick *t);
// Takes the expiry. Returns false when there was none.
bool tick_take(struct tick *t);
// Has the wall clock stepped against the grid's? Then the grid follows it.
bool tick_follow_wall_clock(struct tick *t);
