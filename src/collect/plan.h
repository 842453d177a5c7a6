// SPDX-License-Identifier: Apache-2.0
// Which events are counted together: what was asked for, as far as this machine's PMU can.
#pragma once

#include "collect/group.h"

// The CPUs on which an event may be opened, ascending; NULL: any. Not owned.
struct event_cpus {
    const int *cpus;
    size_t n;
};

// Plans how `attrs` (one an event of the table) are grouped here, by opening them on the target's
// first place, or the first of their `cpus` (one an event; NULL: any). What has an availability
// already is left alone. An event that does not open gets its availability and reason; where a
// task's event is refused for its kernel part, its attr is narrowed to user mode, its name gets
// ":u" and `why` says so. A wished group (with several cgroups: a block of wishes for each) that
// does not open whole becomes several, each as large as the kernel takes; one that opens, but gets
// no counters in a short trial, is halved until it does; counters that stand still are left out.
// Sides of a ratio stay together in that as long as they fit. Sets the events' group numbers. 0, or
// -errno for what stops everything (memory).
int group_plan(struct event_table *events, struct perf_event_attr *attrs,
               const struct event_cpus *cpus, const struct target *target, struct group_set *ret);
