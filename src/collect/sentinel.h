// SPDX-License-Identifier: Apache-2.0
// Tells when a CPU was offline and is back since the last look. A suspended machine's CPUs all go
// and come while nobody runs, and the list of those that are online never shows it; but what was
// open on them is frozen for ever, and reads as a CPU, or a cgroup, that counts nothing. A clock of
// our own on each CPU shows it: it stands still then.
#pragma once

#include "base/clock.h"
#include "collect/target.h"

struct sentinel {
    int *fds;          // a dummy event of each possible CPU, −1 where none is open; owned
    uint64_t *enabled; // its time when last read; owned
    bool *away;        // was away before the last look; owned
    size_t n_cpus;
    bool refused; // one of an online CPU did not open: that CPU was just going or coming
    ns_t looked;  // CLOCK_MONOTONIC
};

// None is open yet. 0 or -ENOMEM.
int sentinel_init(struct sentinel *s, size_t n_cpus);
void sentinel_done(struct sentinel *s);
// Opens one on each of the target's CPUs that has none, closes those of CPUs that it has not;
// before what is to be watched is opened, so that a CPU which goes in between is found. Without
// permission there is none, and nothing is found.
void sentinel_follow(struct sentinel *s, const struct target *target);
// Looks once a second, however often it is called. True when CPUs were away since the last time:
// `away` has them, and theirs are closed; or when one would not open. `now`: CLOCK_MONOTONIC.
bool sentinel_look(struct sentinel *s, ns_t now);
size_t sentinel_descriptors(const struct sentinel *s);
