// SPDX-License-Identifier: Apache-2.0
// Groups that stop running while we measure: the NMI watchdog was turned on, or another profiler
// took the counters. Each interval says so itself ("never ran"); this notices that it lasts, so
// that a person can be told. Why they are not repacked: ARCHITECTURE.md, "Groups do not change".
#pragma once

#include "base/clock.h"
#include "collect/group.h"

// Longer than any queue of groups that wait for their turn; and not so long that nobody would see
// what it was.
#define STARVE_AFTER (3 * NS_PER_SEC)

struct starve {
    struct reading *seen; // [group * n_rows + row]: its leader's at the last look; owned
    bool *starved;        // [group], owned
    size_t n_groups, n_rows;
    ns_t due;
};

// 0 or -ENOMEM.
int starve_init(struct starve *s, const struct group_set *set, size_t n_rows);
void starve_done(struct starve *s);
// Looks, every STARVE_AFTER: a group starves when it was enabled in some place for most of that
// time and did not run there. `now`: CLOCK_MONOTONIC. True when a group's state is another one than
// before.
bool starve_look(struct starve *s, const struct group_set *set, const struct readings *readings,
                 ns_t now);
// One sentence on the groups that starve, or that none does any more. `ret` holds `size`.
void starve_sentence(const struct starve *s, const struct group_set *set,
                     const struct event_table *events, char *ret, size_t size);
