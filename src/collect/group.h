// SPDX-License-Identifier: Apache-2.0
// Events that are scheduled onto the PMU together and read with one read(2).
#pragma once

#include "base/clock.h"
#include "collect/target.h"
#include "model/readings.h"

#include <linux/perf_event.h>

#define GROUP_EVENTS_MAX 32 // no PMU has more counters; bounds the read buffer on the stack

struct group {
    size_t events[GROUP_EVENTS_MAX]; // indexes into the event table and the attrs; the first leads
    size_t n;
    int cgroup;  // place in the target's cgroups; −1 without
    bool pinned; // has its counters always, or is given up
    // The only CPUs on which it is opened: what is counted once for a package (RAPL, uncore) would
    // be counted as often as it has CPUs. NULL: wherever the target is. Owned.
    int *cpus;
    size_t n_cpus;
    int *fds; // [row * n + member], −1 where nothing is open; owned
    // The same: what was counted there before the descriptor that is open now, because its CPU was
    // offline for a while. Owned.
    struct reading *base;
    size_t n_rows;
};

struct group_set {
    struct group *groups; // owned
    size_t n;
    // Software events that planning opened. The kernel rewrites its own code when the first of a
    // kind is opened and when the last is closed, which costs more than all else of opening: they
    // are kept until the groups are open. Owned.
    int *kept;
    size_t n_kept;
};

// Where and how an event is opened; see perf_event_open(2).
struct group_place {
    pid_t pid; // or a cgroup's descriptor
    int cpu;
    uint32_t core_type; // of that CPU; 0: all are of one
    unsigned long flags;
    bool on_exec; // counts from the task's exec on
};

// May it be opened on this CPU? NULL: on any.
bool group_counts_on(const int *cpus, size_t n, int cpu);
// A descriptor, or -errno. An event that every core type has is opened as that of the CPU's.
// leader_fd −1: as a leader, which is disabled until its siblings are
// there.
int group_open_event(const struct perf_event_attr *attr, int leader_fd,
                     const struct group_place *place);
// The place of this row, for group_open_event(). False when nothing is opened there.
bool group_place_of(const struct target *target, int cgroup, size_t row, struct group_place *ret);

// Opens the group on every place of the target (closing what was open before); nothing counts
// before group_enable(), or before its exec for a command. A place where it does not open stays
// without (an offline CPU, a thread that has ended). 0, -EMFILE/-ENFILE, or -ENOMEM.
int group_open(struct group *g, const struct perf_event_attr *attrs, const struct target *target);
// The same without opening it anywhere: group_open_row() does.
int group_prepare(struct group *g, const struct perf_event_attr *attrs,
                  const struct target *target);
void group_close(struct group *g);
// Enables leader and members at once: a sibling that joins a running leader of a CPU never counts.
void group_enable(const struct group *g);
void group_enable_row(const struct group *g, size_t row);
void group_disable_row(const struct group *g, size_t row);
// One read(2) a row, into `readings`. `elapsed`: since the last time, which is the enabled time of
// a group that the kernel gave up (a pinned one that found no counter) and that has not run.
void group_read(const struct group *g, ns_t elapsed, struct readings *readings);
void group_read_row(const struct group *g, size_t row, ns_t elapsed, struct readings *readings);
// How long it was enabled and ran there since it was opened; its value is nothing. False: not to be
// read.
bool group_times(const struct group *g, size_t row, struct reading *ret);
size_t group_descriptors(const struct group *g);

// A CPU went offline: its descriptors are frozen for ever. It came back, or for the first time: new
// ones count on from what `readings` has. Both do nothing where nothing is to do.
void group_close_row(struct group *g, size_t row);
int group_open_row(struct group *g, const struct perf_event_attr *attrs,
                   const struct target *target, size_t row, const struct readings *readings);
// The descriptors that are open count on from what `readings` has, where others counted meanwhile.
void group_resume_row(struct group *g, size_t row, const struct readings *readings);

// The groups are open: what planning kept goes.
void group_set_settle(struct group_set *s);
void group_set_done(struct group_set *s);
