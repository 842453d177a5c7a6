// SPDX-License-Identifier: Apache-2.0
// The doctor's hands: what can only be found out by trying.
#include "collect/doctor.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "collect/doctor_checks.h"
#include "collect/perf_event.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>

#define SPIN_FOR        NS_PER_MS        // long enough for any counter to have moved
#define SPIN_PATIENT    (20 * NS_PER_MS) // the kernel takes turns among groups every 1 to 4 ms
#define SPIN_SHORT      (NS_PER_MS / 5)  // to see whether a group runs at all
#define SPIN_ROUNDS     10000            // between looks at the clock
#define PROBE_GROUP_MAX 16               // more counters than that nobody asks for

#define HYBRID_TYPE_SHIFT 32 // PERF_PMU_TYPE_SHIFT, of newer headers

struct probe_group {
    int fds[PROBE_GROUP_MAX];
    size_t n;
};

struct probe_reading {
    uint64_t nr, enabled, running, values[PROBE_GROUP_MAX];
};

static int try_open(uint32_t type, uint64_t config, pid_t pid, int cpu, bool user)
{
    struct perf_event_attr attr = {
        .type = type, .size = sizeof(attr), .config = config, .disabled = 1};
    int fd;

    attr.exclude_kernel = attr.exclude_hv = user;
    fd = perf_event_open(&attr, pid, cpu, -1, 0);
    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

// Adds an event on this process. 0 or -errno.
static int probe_add(struct probe_group *g, uint64_t config, bool user)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attr),
        .config = config,
        .disabled = g->n == 0,
        .read_format =
            PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
    };
    int fd;

    attr.exclude_kernel = attr.exclude_hv = user;
    fd = perf_event_open(&attr, 0, -1, g->n ? g->fds[0] : -1, 0);
    if (fd < 0)
        return fd;
    g->fds[g->n++] = fd;
    return 0;
}

static void probe_close(struct probe_group *g)
{
    while (g->n)
        close(g->fds[--g->n]);
}

// Keeps this CPU busy for that much of this thread's own time.
static void spin(ns_t duration)
{
    ns_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + duration;

    do {
        for (volatile unsigned i = 0; i < SPIN_ROUNDS; i++)
            ;
    } while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end);
}

// Counts a busy loop, again until the group has run or `patience` is over. False: no reading.
static bool probe_count(const struct probe_group *g, ns_t step, ns_t patience,
                        struct probe_reading *ret)
{
    ns_t spent = 0;

    *ret = (struct probe_reading){0};
    if (ioctl(g->fds[0], PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP) < 0)
        return false;
    do {
        spin(step);
        spent += step;
        if (read(g->fds[0], ret, sizeof(*ret)) <= 0 || ret->nr != g->n)
            return false;
    } while (ret->running == 0 && spent < patience);
    return true;
}

static void look_at_group(struct doctor_look *l, uint64_t type, bool user)
{
    struct probe_group g = {0};
    struct probe_reading reading;
    uint64_t hybrid = type << HYBRID_TYPE_SHIFT;

    l->group = probe_add(&g, hybrid | PERF_COUNT_HW_CPU_CYCLES, user);
    if (l->group == 0)
        l->group = probe_add(&g, hybrid | PERF_COUNT_HW_INSTRUCTIONS, user);
    if (l->group == 0 && probe_count(&g, SPIN_FOR, SPIN_PATIENT, &reading)) {
        l->group_read = true;
        l->cycles = reading.values[0];
        l->instructions = reading.values[1];
        l->enabled = (ns_t)reading.enabled;
        l->running = (ns_t)reading.running;
    }
    probe_close(&g);
}

// How many events of a kind run in one group: the kernel lets as many in as the PMU has counters,
// and may be using one of those itself.
static void look_for_counters(struct doctor_look *l, uint64_t type, bool user)
{
    uint64_t hybrid = type << HYBRID_TYPE_SHIFT, config = hybrid | PERF_COUNT_HW_BRANCH_MISSES;
    struct probe_group g = {0};
    size_t fits;

    if (probe_add(&g, config, user) < 0)
        config = hybrid | PERF_COUNT_HW_INSTRUCTIONS;
    while (g.n < PROBE_GROUP_MAX && probe_add(&g, config, user) == 0)
        ;
    for (fits = g.n; fits > 0; fits--) {
        struct probe_reading reading;

        probe_close(&g);
        while (g.n < fits && probe_add(&g, config, user) == 0)
            ;
        if (g.n == fits && probe_count(&g, SPIN_SHORT, SPIN_SHORT, &reading) && reading.running)
            break;
    }
    probe_close(&g);
    l->counters = (unsigned)fits;
}

static void look_at_hardware(struct doctor_look *l)
{
    bool user = l->hardware_self != 0;
    uint64_t types[2] = {0};
    // Of a hybrid processor, the core type on which we happen to run counts.
    size_t n = doctor_hybrid_types("", types), i = 0;

    l->group = l->hardware_user;
    if (l->hardware_user != 0)
        return;
    do {
        look_at_group(l, types[i], user);
    } while (l->running == 0 && ++i < n);
    if (l->running)
        look_for_counters(l, types[i], user);
}

static void look_at_capabilities(struct doctor_look *l)
{
    if (capng_get_caps_process() < 0)
        return;
    l->cap_perfmon = capng_have_capability(CAPNG_EFFECTIVE, CAP_PERFMON);
    l->cap_sys_admin = capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
    l->cap_syslog = capng_have_capability(CAPNG_EFFECTIVE, CAP_SYSLOG);
    l->cap_ipc_lock = capng_have_capability(CAPNG_EFFECTIVE, CAP_IPC_LOCK);
    l->cap_sys_nice = capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_NICE);
}

static int try_cgroup(int cpu)
{
    char mount[DOCTOR_MOUNT_MAX];
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                   .size = sizeof(attr),
                                   .config = PERF_COUNT_SW_DUMMY,
                                   .disabled = 1};
    cleanup_close int folder = -1;
    int fd;

    if (!doctor_cgroup_mount("", mount))
        return -ENOTDIR;
    folder = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    fd = perf_event_open(&attr, folder, cpu, -1, PERF_FLAG_PID_CGROUP);
    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

static int try_realtime(void)
{
    struct sched_param before, least = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};
    int policy = sched_getscheduler(0);

    if (policy < 0 || sched_getparam(0, &before) < 0)
        return -errno;
    if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &least) < 0)
        return -errno;
    // Back without the flag where we may: a user without privileges may not clear it.
    if (sched_setscheduler(0, policy, &before) < 0)
        sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, &before);
    return 0;
}

void doctor_look(struct doctor_look *ret)
{
    struct doctor_look l = {0};
    cleanup_free int *cpus = NULL;
    struct timespec resolution = {0};
    int cpu = 0;

    machine_describe("", &l.machine);
    if (file_read_cpus("", "online", &cpus, &l.cpus) == 0 && l.cpus)
        cpu = cpus[0];
    look_at_capabilities(&l);
// What it says of one software event, it says of all: the one that counts nothing costs least.
#define DUMMY  PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY
#define CYCLES PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES
    l.software_system = try_open(DUMMY, -1, cpu, false);
    l.software_self = try_open(DUMMY, 0, -1, false);
    l.software_user = try_open(DUMMY, 0, -1, true);
    l.hardware_system = try_open(CYCLES, -1, cpu, false);
    l.hardware_self = try_open(CYCLES, 0, -1, false);
    l.hardware_user = try_open(CYCLES, 0, -1, true);
#undef DUMMY
#undef CYCLES
    // Some PMUs cannot leave the kernel out: who may count with it needs no such event.
    if (l.software_self == 0)
        l.software_user = 0;
    if (l.hardware_self == 0)
        l.hardware_user = 0;
    look_at_hardware(&l);
    l.cgroup = try_cgroup(cpu);
    getrlimit(RLIMIT_NOFILE, &l.descriptors);
    getrlimit(RLIMIT_MEMLOCK, &l.locked_memory);
    l.realtime = try_realtime();
    if (clock_getres(CLOCK_MONOTONIC, &resolution) == 0)
        l.timer_resolution = timespec_ns(resolution);
    *ret = l;
}
