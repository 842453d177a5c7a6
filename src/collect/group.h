// SPDX-License-Identifier: Apache-2.0
// Events that are scheduled onto the PMU together and read with one read(2).
#pragma once

#include "collect/target.h"
#include "model/readings.h"

#include <linux/perf_event.h>

#define GROUP_EVENTS_MAX 32 // no PMU has more counters; bounds the read buffer on the stack

struct group {
    size_t events[GROUP_EVENTS_MAX]; // indexes into the event table and the attrs; the first leads
    size_t n;
    int *fds; // [row * n + member], −1 where nothing is open; owned
    size_t n_rows;
};

struct group_set {
    struct group *groups; // owned
    size_t n;
};

// Plans how `attrs` (one an event of the table) are grouped here, by opening them on the target's
// first place: events of one wished group stay together as far as the kernel lets them; one that
// does not open beside the others, but does alone, gets a group of its own; one that does not open
// at all gets its availability and reason. Where a task's event is refused for its kernel part, its
// attr is narrowed to user mode, its name gets ":u" and `why` says so. Sets the events' group
// numbers. 0, or -errno for what stops everything (memory).
int group_plan(struct event_table *events, struct perf_event_attr *attrs,
               const struct target *target, struct group_set *ret);

// Opens the group on every place of the target (closing what was open before); nothing counts
// before group_enable(), or before its exec for a command. A place where it does not open stays
// without (an offline CPU, a thread that has ended). 0, -EMFILE/-ENFILE, or -ENOMEM.
int group_open(struct group *g, const struct perf_event_attr *attrs, const struct target *target);
void group_close(struct group *g);
// Enables leader and members at once: a sibling that joins a running leader of a CPU never counts.
void group_enable(const struct group *g);
// One read(2) a row, into `readings`.
void group_read(const struct group *g, struct readings *readings);
size_t group_descriptors(const struct group *g);

void group_set_done(struct group_set *s);
