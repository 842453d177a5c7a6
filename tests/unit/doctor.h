// SPDX-License-Identifier: Apache-2.0
// Machines that we do not have, for the doctor's tests: each is a few files of /proc and /sys, and
// what trying things out would have given there.
#pragma once

#include "collect/doctor.h"

#include "unit.h"

#include "collect/doctor_checks.h"

struct file {
    const char *path, *text;
};

static char root[64];
static struct findings findings;

static inline int set_up(void **state)
{
    (void)state;
    scratch_init(root);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    scratch_done(root);
    return 0;
}

static inline void write_files(const struct file *files)
{
    for (; files->path; files++)
        scratch_write(root, files->path, files->text);
}

// What every machine below has, unless it says otherwise.
static const struct file usual[] = {
    {"proc/sys/kernel/perf_event_paranoid", "2\n"},
    {"proc/sys/kernel/kptr_restrict", "0\n"},
    {"proc/sys/kernel/nmi_watchdog", "0\n"},
    {"proc/sys/kernel/perf_event_mlock_kb", "516\n"},
    {"proc/self/status", "Name:\tcyclescope\nNoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\n"},
    {"proc/self/uid_map", "         0          0 4294967295\n"},
    {"proc/self/mountinfo", "23 29 0:22 / /proc rw - proc proc rw\n"
                            "31 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"},
    {"sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n"},
    {"sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"},
    {0},
};

// Root on a machine with a PMU.
static inline struct doctor_look root_with_pmu(void)
{
    return (struct doctor_look){
        .machine = {.kernel = "6.1.0-28-amd64"},
        .cpus = 8,
        .cap_perfmon = true,
        .cap_sys_admin = true,
        .cap_syslog = true,
        .cap_ipc_lock = true,
        .cap_sys_nice = true,
        .group_read = true,
        .cycles = 3100000,
        .instructions = 2000000,
        .enabled = 1000000,
        .running = 1000000,
        .counters = 4,
        .descriptors = {1048576, 1048576},
        .locked_memory = {8 << 20, 8 << 20},
        .timer_resolution = 1,
    };
}

// A user without privileges there, at perf_event_paranoid 2.
static inline struct doctor_look user_with_pmu(void)
{
    struct doctor_look l = root_with_pmu();

    l.cap_perfmon = l.cap_sys_admin = l.cap_syslog = l.cap_ipc_lock = l.cap_sys_nice = false;
    l.software_system = l.software_self = l.hardware_system = l.hardware_self = -EACCES;
    l.cgroup = -EACCES;
    l.realtime = -EPERM;
    return l;
}

static inline struct doctor_look without_pmu(struct doctor_look l)
{
    if (l.hardware_system == 0)
        l.hardware_system = -ENOENT;
    if (l.hardware_self == 0)
        l.hardware_self = -ENOENT;
    l.hardware_user = l.group = -ENOENT;
    l.group_read = false;
    l.cycles = l.instructions = 0;
    l.enabled = l.running = 0;
    l.counters = 0;
    return l;
}

static inline enum doctor_verdict examine(const struct doctor_look *l)
{
    doctor_check(root, l, &findings);
    for (size_t i = 0; i < findings.n; i++) {
        const struct finding *f = &findings.checks[i];

        // Each says what it found; who takes something away says what, and what helps.
        assert_true(f->found[0]);
        if (f->status == FINDING_PASS && (f->cost[0] || f->remedy[0]))
            fail_msg("%s passes, and costs \"%s\" and wants \"%s\"", f->name, f->cost, f->remedy);
        if ((f->status == FINDING_LIMITED || f->status == FINDING_FAIL) &&
            !(f->cost[0] && f->remedy[0]))
            fail_msg("%s does not say what it costs, or what helps", f->name);
        // Nothing was cut.
        assert_true(strlen(f->found) < FINDING_TEXT_MAX - 1);
        assert_true(strlen(f->cost) < FINDING_TEXT_MAX - 1);
        assert_true(strlen(f->remedy) < FINDING_TEXT_MAX - 1);
    }
    return doctor_verdict(&findings);
}

static inline void assert_finding(const char *name, enum finding_status status, const char *found,
                                  const char *remedy)
{
    const struct finding *f = findings_find(&findings, name);

    assert_non_null(f);
    if (f->status != status)
        fail_msg("%s is %s: %s", name, finding_status_name(f->status), f->found);
    assert_contains(f->found, found);
    assert_contains(f->remedy, remedy);
}
