// SPDX-License-Identifier: Apache-2.0
// Which processes ran: once a second each process's CPU clock is read, which is exact to the ns,
// covers all threads, needs no privilege and costs half a microsecond (clock_getcpuclockid(3);
// linux: include/linux/posix-timers_types.h). Who there is: process_pids.h.
//
// What lives for less than the second between two scans, and what a process ran between the last
// scan and its end, the kernel tells (exits.h) where it may be asked. Elsewhere, `forks` counts all
// that were started, so that the reader knows how many were not seen.
//
// A scan is done in slices, after a tick's work, so that it delays no tick.
#pragma once

#include "base/clock.h"
#include "collect/exits.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROCESS_COMM_MAX  16    // the kernel's TASK_COMM_LEN
#define PROCESS_SCAN_MAX  32768 // processes; further ones are left out
#define PROCESS_SCAN_UNIT NS_PER_SEC

enum { PROCESS_BORN = 1, PROCESS_ENDED = 2 };

// A process that ran, was born or ended since the scan before.
struct process_change {
    pid_t pid;
    unsigned what;               // PROCESS_BORN and PROCESS_ENDED, added up
    uint64_t cpu_ns;             // that it ran
    char comm[PROCESS_COMM_MAX]; // any bytes; terminated
};

struct process_scan; // opaque

// Reads a process's CPU clock in ns. 0 or -errno.
typedef int process_clock(pid_t pid, uint64_t *ret_ns);

// Of all processes, or, with `n` > 0, of these and their children. root: see base/file.h; `clock`:
// NULL is the kernel's, a test has its own. 0 or -errno.
int process_scan_new(const char *root, const pid_t *trees, size_t n, process_clock *clock,
                     struct process_scan **ret);
void process_scan_free(struct process_scan *s);
// Takes those that ended from there, too (not owned; it must outlive the scan's last step). Each
// completed scan empties it.
void process_scan_exits(struct process_scan *s, struct exits *exits);

// Works on the scan that is under way, or begins the next when it is due, for about `budget` ns.
// The first scan is what the second is compared with. True when a comparison has been completed:
// its changes hold until the next call. `now`: CLOCK_MONOTONIC.
bool process_scan_step(struct process_scan *s, ns_t now, ns_t budget);
// How many tasks the machine has started since its boot, as is known now; 0: not known.
void process_scan_started(struct process_scan *s, uint64_t tasks);
// Makes the next scan due now: for a run that ends.
void process_scan_hurry(struct process_scan *s);

const struct process_change *process_scan_changes(const struct process_scan *s, size_t *ret_n);
// Seconds between the two scans, and the tasks (processes and threads, of the whole machine) that
// were started between them.
double process_scan_seconds(const struct process_scan *s);
uint64_t process_scan_forks(const struct process_scan *s);
