// SPDX-License-Identifier: Apache-2.0
// The PIDs that a scan looks at. To list /proc costs the kernel three times what reading the clock
// of each process does, so it is done now and then only. In between, those that are known are
// looked at, and each PID that was given out since: the kernel gives them out in ascending order,
// and /proc/loadavg names the last (linux: kernel/pid.c alloc_pid(), fs/proc/loadavg.c).
#pragma once

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROCESS_LIST_BYTES 4096 // some 170 entries of /proc, which take the kernel 0.1 ms

struct process_list;

struct process_pids {
    int directory; // −1: it is not listed
    char entries[PROCESS_LIST_BYTES] __attribute__((aligned(8)));
    size_t entry, entries_size;
    size_t known;   // place of the next one that is known
    pid_t probe;    // the last one that was tried
    pid_t newest;   // given out before this scan began; 0: not known
    pid_t newest_1; // … before the last one did
    pid_t newest_2; // … and before the one before
    ns_t list_due;  // CLOCK_MONOTONIC
};

#define PROCESS_PIDS_NONE ((struct process_pids){.directory = -1})

// Begins a scan; `known` are those of the scan before, by their PID, and must not change until the
// end. 0 or -errno. root: see base/file.h.
int process_pids_begin(struct process_pids *p, const char *root, const struct process_list *known,
                       ns_t now);
// The next PID, of which there may be no process; 0 at the end. None comes twice.
pid_t process_pids_next(struct process_pids *p, const struct process_list *known);
// Of a scan that is complete, or given up.
void process_pids_end(struct process_pids *p);
