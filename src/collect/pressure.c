// SPDX-License-Identifier: Apache-2.0
#include "collect/pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A CPU's part of /proc/schedstat: its line, and one of some 300 bytes for each scheduling domain,
// of which there are at most six. What does not fit is not read.
#define SCHEDSTAT_CPU_BYTES 2048
#define TEXT_BYTES_MIN      4096
// A bit less than the second over which shares are taken, so that each such second has a reading.
#define SUMS_EVERY      (900 * NS_PER_MS)
#define RUN_DELAY_FIELD 8 // of a CPU's line (linux: Documentation/scheduler/sched-stats.rst)

enum { SCHEDSTAT, PSI_CPU, PSI_IO, PSI_MEMORY, NO_FILE = PRESSURE_FILES };

static const struct {
    const char *path, *why;
} files[PRESSURE_FILES] = {
    [SCHEDSTAT] = {"/proc/schedstat", "this kernel was built without CONFIG_SCHEDSTATS"},
#define NO_PSI "this kernel was built without PSI, or needs psi=1 on its command line"
    [PSI_CPU] = {"/proc/pressure/cpu", NO_PSI},
    [PSI_IO] = {"/proc/pressure/io", NO_PSI},
    [PSI_MEMORY] = {"/proc/pressure/memory", NO_PSI},
};

// Every task stands still for want of a CPU: that cannot be in a whole system.
static const struct {
    const char *name;
    int file;
    const char *line; // of a PSI file
} gauges[PRESSURE_GAUGES] = {
    {"run-delay", SCHEDSTAT, NULL},           {"run-queue", NO_FILE, NULL},
    {"psi-cpu-some", PSI_CPU, "some "},       {"psi-io-some", PSI_IO, "some "},
    {"psi-io-full", PSI_IO, "full "},         {"psi-memory-some", PSI_MEMORY, "some "},
    {"psi-memory-full", PSI_MEMORY, "full "},
};
enum { RUN_DELAY, RUN_QUEUE };

// The whole file as a text. False when there is none. A file with a line per CPU gives a page or so
// at a time, the others are whole at once.
static bool read_text(struct pressure *p, int file)
{
    size_t n = 0;

    while (p->fds[file] >= 0 && n < p->size - 1) {
        ssize_t r = pread(p->fds[file], p->text + n, p->size - 1 - n, (off_t)n);

        if (r <= 0)
            break;
        n += (size_t)r;
        if (file != SCHEDSTAT)
            break;
    }
    p->text[n] = '\0';
    return n > 0;
}

static int open_files(struct pressure *p, const char *root)
{
    for (int f = 0; f < PRESSURE_FILES; f++) {
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s%s", root, files[f].path);
        p->fds[f] = open(path, O_RDONLY | O_CLOEXEC);
        if (p->fds[f] < 0 && (errno == EMFILE || errno == ENFILE))
            return -errno;
        // PSI that is off opens, and refuses to be read.
        if (p->fds[f] >= 0 && !read_text(p, f)) {
            close(p->fds[f]);
            p->fds[f] = -1;
        }
    }
    return 0;
}

static int describe(struct pressure *p, struct event_table *events)
{
    int group = events->n_groups;

    for (size_t i = 0; i < PRESSURE_GAUGES; i++) {
        int index = gauges_describe(events, gauges[i].name, group);
        struct event *e;

        if (index < 0)
            return index;
        e = &events->events[index];
        e->total_only = i != RUN_DELAY;
        if (gauges[i].file == NO_FILE || p->fds[gauges[i].file] >= 0)
            continue;
        e->availability = QUALITY_NOT_SUPPORTED;
        snprintf(e->why, sizeof(e->why), "%s: %s", e->name, files[gauges[i].file].why);
    }
    return 0;
}

int pressure_open(struct pressure *p, const char *root, struct event_table *events,
                  const struct target *target)
{
    size_t rows = target_is_tasks(target) ? 1 : target->n_possible;
    size_t first_event = events->n;
    int r;

    *p = PRESSURE_NONE;
    p->target = target;
    p->size = target->n_possible * SCHEDSTAT_CPU_BYTES + TEXT_BYTES_MIN;
    p->text = malloc(p->size);
    r = p->text ? open_files(p, root) : -ENOMEM;
    if (r == 0)
        r = describe(p, events);
    if (r == 0)
        r = gauges_init(&p->gauges, first_event, PRESSURE_GAUGES, rows);
    if (r < 0)
        pressure_close(p);
    return r;
}

void pressure_close(struct pressure *p)
{
    for (int f = 0; f < PRESSURE_FILES; f++)
        if (p->fds[f] >= 0)
            close(p->fds[f]);
    free(p->text);
    gauges_done(&p->gauges);
    *p = PRESSURE_NONE;
}

// Of a system per CPU, of a process the sum of all CPUs, because its places are not CPUs.
static void read_delays(struct pressure *p, struct readings *readings)
{
    bool process = target_is_tasks(p->target);
    uint64_t sum = 0;

    if (!read_text(p, SCHEDSTAT))
        return;
    for (char *line = p->text; line; line = strchr(line, '\n')) {
        unsigned long long value = 0;
        unsigned long cpu;
        char *at;
        pid_t pid;
        int place;

        line += *line == '\n';
        if (strncmp(line, "cpu", 3) != 0)
            continue;
        cpu = strtoul(line + 3, &at, 10);
        for (int field = 1; field <= RUN_DELAY_FIELD; field++)
            value = strtoull(at, &at, 10);
        sum += value;
        if (!process && cpu < p->target->n_possible && target_place(p->target, cpu, &pid, &place))
            gauges_set(&p->gauges, readings, RUN_DELAY, cpu, value);
    }
    if (process)
        gauges_set(&p->gauges, readings, RUN_DELAY, 0, sum);
}

// Of the tasks that are runnable, one reads this.
static void add_queue(struct pressure *p, struct readings *readings, ns_t now, int64_t runnable)
{
    if (runnable < 0)
        return;
    if (runnable > 1 && p->read_at && now > p->read_at)
        p->queue += (uint64_t)(runnable - 1) * (uint64_t)(now - p->read_at);
    gauges_set(&p->gauges, readings, RUN_QUEUE, 0, p->queue);
}

static void read_stalls(struct pressure *p, struct readings *readings, int file)
{
    if (!read_text(p, file))
        return;
    for (size_t i = 0; i < PRESSURE_GAUGES; i++) {
        const char *line = gauges[i].file == file ? strstr(p->text, gauges[i].line) : NULL;
        const char *total = line ? strstr(line, "total=") : NULL;

        if (total)
            gauges_set(&p->gauges, readings, i, 0,
                       strtoull(total + strlen("total="), NULL, 10) * NS_PER_US);
    }
}

void pressure_read(struct pressure *p, struct readings *readings, ns_t now, int64_t runnable)
{
    add_queue(p, readings, now, runnable);
    p->read_at = now;
    if (now < p->sums_due)
        return;
    p->sums_due = now + SUMS_EVERY;
    read_delays(p, readings);
    for (int file = PSI_CPU; file <= PSI_MEMORY; file++)
        read_stalls(p, readings, file);
}

void pressure_hurry(struct pressure *p)
{
    p->sums_due = 0;
}

void pressure_start(struct pressure *p, struct readings *readings, ns_t now)
{
    gauges_start(&p->gauges, readings);
    p->read_at = 0;
    p->queue = 0;
    pressure_hurry(p);
    pressure_read(p, readings, now, 0);
    pressure_hurry(p);
}
