// SPDX-License-Identifier: Apache-2.0
// What process_scan.c (looks at every process) and process_compare.c (what became of them) share.
#pragma once

#include "collect/process_pids.h"
#include "collect/process_scan.h"

#include <limits.h>
#include <stdint.h>

struct process {
    pid_t pid, parent;
    uint64_t cpu;             // ns
    uint64_t ran;             // since the scan before
    uint64_t left;            // of one that has ended: what it ran after its last scan
    uint64_t started;         // clock ticks since boot: tells a PID's second process from its first
    bool born, member, named; // named: comm, parent and started are known
    char comm[PROCESS_COMM_MAX];
};

struct process_list {
    struct process *list; // ascending PIDs once it is complete; owned
    size_t n, capacity;
};

struct process_scan {
    char root[PATH_MAX];
    pid_t *trees; // owned
    size_t n_trees;
    process_clock *clock;
    struct process_list before, now;
    struct process_change *changes;
    size_t n_changes, changes_capacity;
    struct exits *exits; // NULL: nobody tells; not owned
    size_t at;           // in before: where the next PID is expected
    size_t names;        // looked up in this scan
    pid_t turn;          // names of PIDs up to here were looked up in the scans before …
    pid_t reached;       // … and up to here in this one
    struct process_pids pids;
    bool under_way, compared; // a scan is; there was one before
    ns_t due, done;
    double seconds;
    uint64_t started; // the newest figure; 0: not known
    uint64_t started_tasks, forks;
};

// The one with this PID; NULL: none. The list is complete.
struct process *process_list_find(const struct process_list *l, pid_t pid);
void process_list_sort(struct process_list *l);
bool process_is_root(const struct process_scan *s, pid_t pid);
// Who of `now` belongs to the trees.
void process_find_members(struct process_scan *s);
// Takes what the kernel told of those that ended, if it does.
void process_take_exits(struct process_scan *s);
// Makes the changes from `before` to `now`.
void process_compare(struct process_scan *s);
