// SPDX-License-Identifier: Apache-2.0
// What this machine can measure, what not, why, and the remedy: a table of named checks.
//
// Two steps, so that tests can be any machine: doctor_look() tries things out (opens events, counts
// a busy loop), and the checks judge what it saw together with the files of /proc and /sys.
#pragma once

#include "base/clock.h"
#include "collect/machine.h"
#include "model/finding.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

// What was tried on the living machine. An `int` is 0 or the -errno that it gave.
struct doctor_look {
    struct machine machine;
    size_t cpus; // online

    // Effective capabilities of this process.
    bool cap_perfmon, cap_sys_admin, cap_syslog, cap_ipc_lock, cap_sys_nice;

    // Opening a software event and a hardware one (cycles): on a CPU; on this
    // process; on this process without the kernel.
    int software_system, software_self, software_user;
    int hardware_system, hardware_self, hardware_user;

    // cycles and instructions in one group over a busy loop, where they opened at all.
    int group;
    bool group_read; // what follows is a reading
    uint64_t cycles, instructions;
    ns_t enabled, running;
    unsigned counters; // events of one kind that count at once in one group; 0 unknown

    int cgroup; // a software event on the root cgroup; -ENOTDIR without a cgroup2 mount
    struct rlimit descriptors, locked_memory;
    int realtime; // SCHED_FIFO
    ns_t timer_resolution;
};

// Tries it out. It takes a millisecond where there is no PMU, 2 where it counts, up to 50 where
// events open and do not count; and once some 10 more, in which the kernel readies itself for the
// first event. The calling thread's scheduling is as before when it returns.
void doctor_look(struct doctor_look *ret);
// Runs every check. `root`: see base/file.h.
void doctor_check(const char *root, const struct doctor_look *look, struct findings *ret);
// Both, on this machine, now; it is described in *ret_machine (NULL: not asked for).
void doctor_run(struct machine *ret_machine, struct findings *ret);

// What the findings come to. Also the exit status of `cyclescope doctor`.
enum doctor_verdict {
    DOCTOR_HARDWARE = 0, // hardware counters work
    DOCTOR_NOTHING = 1,
    DOCTOR_SOFTWARE = 3, // only software events do
};
enum doctor_verdict doctor_verdict(const struct findings *f);
