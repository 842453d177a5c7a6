// SPDX-License-Identifier: Apache-2.0
// CPU time by state, from /proc/stat: on every machine, at the kernel's resolution of 10 ms
// (USER_HZ). The kernel makes the whole file at each reading, so that the rest of it is taken along
// by those who need it.
#pragma once

#include "collect/gauges.h"
#include "collect/target.h"

#define CPU_TIME_STATES 6

struct cpu_time {
    int fd;
    char *text; // room for one read of the file's CPU lines
    size_t size;
    double ns_per_tick;
    struct gauges gauges;        // CPU_TIME_STATES of them
    const struct target *target; // not owned
    // Of the newest reading:
    int64_t runnable;   // tasks, the one that reads this among them; −1: not known
    uint64_t forks;     // tasks that were started since boot; 0: not known
    uint64_t cpus_seen; // another number when other CPUs are online; 0: not known
};

// Adds the gauges to the table (one group). 0 or -errno.
int cpu_time_describe(struct event_table *events, size_t *ret_first_event);
// Of a process, whose places are not CPUs, the machine's total is read, into row 0. root: see
// file.h. 0 or -errno.
int cpu_time_open(struct cpu_time *c, const char *root, size_t first_event,
                  const struct target *target);
void cpu_time_close(struct cpu_time *c);
// Makes the time until now the zero of what is read from here on, as events count from when they
// are enabled.
void cpu_time_start(struct cpu_time *c, struct readings *readings);
// Reads the file into `readings` (value in ns since the start). Values never go backwards: iowait
// and idle of a tickless CPU do in the file.
void cpu_time_read(struct cpu_time *c, struct readings *readings);
