// SPDX-License-Identifier: Apache-2.0
// How much work stands still, on every machine: the run queue, the time that tasks waited for a
// CPU, and the kernel's pressure stall information (PSI). Gauges in ns, of the whole machine
// whatever the target is. What the kernel adds up itself is read once a second, and at the first
// and last reading of a run: its files cost more than the events, and its shares are over the last
// second. The run queue, which is sampled, is read each time.
//
//     run-delay        time that tasks waited for this CPU (/proc/schedstat; exact, per CPU)
//     run-queue        runnable tasks × time (/proc/stat, sampled at each reading)
//     psi-cpu-some …   time in which some task, or every task (full), stood still: /proc/pressure
#pragma once

#include "base/clock.h"
#include "collect/gauges.h"
#include "collect/target.h"

#define PRESSURE_FILES  4
#define PRESSURE_GAUGES 7

struct pressure {
    struct gauges gauges;
    int fds[PRESSURE_FILES]; // −1: not on this machine
    char *text;              // room for the largest file
    size_t size;
    const struct target *target; // not owned
    ns_t read_at;                // CLOCK_MONOTONIC of the last reading
    ns_t sums_due;               // when what the kernel adds up is read again
    uint64_t queue;              // Σ length × ns
};

#define PRESSURE_NONE ((struct pressure){.fds = {-1, -1, -1, -1}})

// Adds the gauges to the table (one group) and opens what is there: a gauge without its file is not
// supported, and says why. root: see base/file.h. 0 or -errno.
int pressure_open(struct pressure *p, const char *root, struct event_table *events,
                  const struct target *target);
void pressure_close(struct pressure *p);
// Makes the figures of now the zero of what is read from here on. `now`: CLOCK_MONOTONIC.
void pressure_start(struct pressure *p, struct readings *readings, ns_t now);
// `runnable`: tasks, of which the caller is one; −1: not known.
void pressure_read(struct pressure *p, struct readings *readings, ns_t now, int64_t runnable);
// Makes everything due at the next reading.
void pressure_hurry(struct pressure *p);
