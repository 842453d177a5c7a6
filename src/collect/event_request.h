// SPDX-License-Identifier: Apache-2.0
// An event as it was asked for: what to open, where, and what its numbers mean.
#pragma once

#include "collect/modifiers.h"
#include "model/event.h"

#include <linux/perf_event.h>

struct event_request {
    char name[EVENT_NAME_MAX];     // as it was asked for, with the modifiers that are in force
    char modifiers[MODIFIERS_MAX]; // those: already in `attr`
    struct perf_event_attr attr;   // type, config…, exclude_*, pinned: the rest is group.c's
    int group;                     // requests with the same number belong together
    char unit[EVENT_UNIT_MAX];     // "" for a plain number
    double scale;                  // value × scale is in unit
    // The only CPUs on which it is to be opened, ascending: one of each package or die for what is
    // counted once for all of it (uncore, RAPL: opened on every CPU, it would be counted as many
    // times), or the cores of one type. NULL: wherever the target is. It cannot be opened for a
    // task when it is an uncore event: the kernel says so. Owned by the list.
    int *cpus;
    size_t n_cpus;
};

// May it be opened on this CPU? (`cpu` < 0: a task's.)
static inline bool event_request_on_cpu(const struct event_request *r, int cpu)
{
    for (size_t i = 0; i < r->n_cpus; i++)
        if (r->cpus[i] == cpu)
            return true;
    return !r->cpus || cpu < 0;
}
