// SPDX-License-Identifier: Apache-2.0
#include "collect/cpu_time.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 256    // a CPU's line: 10 numbers of at most 20 digits
#define REST_BYTES 131072 // the interrupts of a large machine; what does not fit is not known
#define SUMMARY_LINES                                                                              \
    6 // behind these: softirq, procs_blocked, procs_running, processes, btime, ctxt

// The columns of a "cpu" line (proc(5)): user nice system idle iowait irq softirq steal guest
// guest_nice. guest is in user, guest_nice in nice.
enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, N_COLUMNS };

static const struct {
    const char *name;
    int columns[2];
} states[CPU_TIME_STATES] = {
    {"cpu-user", {USER, NICE}},  {"cpu-system", {SYSTEM, -1}}, {"cpu-iowait", {IOWAIT, -1}},
    {"cpu-irq", {IRQ, SOFTIRQ}}, {"cpu-steal", {STEAL, -1}},   {"cpu-idle", {IDLE, -1}},
};

int cpu_time_describe(struct event_table *events, size_t *ret_first_event)
{
    int group = events->n_groups;

    *ret_first_event = events->n;
    for (size_t i = 0; i < CPU_TIME_STATES; i++) {
        int r = gauges_describe(events, states[i].name, group);

        if (r < 0)
            return r;
    }
    return 0;
}

int cpu_time_open(struct cpu_time *c, const char *root, size_t first_event,
                  const struct target *target)
{
    char path[PATH_MAX];

    *c = (struct cpu_time){
        .fd = -1,
        .size = (target->n_possible + 1) * LINE_BYTES + REST_BYTES,
        .ns_per_tick = (double)NS_PER_SEC / (double)sysconf(_SC_CLK_TCK),
        .target = target,
    };
    snprintf(path, sizeof(path), "%s/proc/stat", root);
    c->text = malloc(c->size);
    if (!c->text ||
        gauges_init(&c->gauges, first_event, CPU_TIME_STATES, target_rows(target)) < 0) {
        cpu_time_close(c);
        return -ENOMEM;
    }
    c->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (c->fd < 0) {
        int r = -errno;

        cpu_time_close(c);
        return r;
    }
    return 0;
}

void cpu_time_close(struct cpu_time *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c->text);
    gauges_done(&c->gauges);
    *c = (struct cpu_time){.fd = -1};
}

static void set_row(struct cpu_time *c, struct readings *readings, size_t row,
                    const unsigned long long ticks[N_COLUMNS])
{
    for (size_t i = 0; i < CPU_TIME_STATES; i++) {
        unsigned long long sum = 0;

        for (size_t k = 0; k < 2; k++)
            if (states[i].columns[k] >= 0)
                sum += ticks[states[i].columns[k]];
        gauges_set(&c->gauges, readings, i, row, (uint64_t)((double)sum * c->ns_per_tick));
    }
}

void cpu_time_start(struct cpu_time *c, struct readings *readings)
{
    gauges_start(&c->gauges, readings);
    cpu_time_read(c, readings);
}

// Is the line of this CPU (the first line: the total) one to take?
static bool wanted(const struct cpu_time *c, bool total, unsigned long cpu)
{
    pid_t pid;
    int place;

    if (total || target_is_tasks(c->target))
        return total && target_is_tasks(c->target);
    return cpu < c->target->n_possible && target_place(c->target, cpu, &pid, &place);
}

static unsigned long long number_after(const char *line, const char *name,
                                       unsigned long long otherwise)
{
    size_t length = strlen(name);

    return strncmp(line, name, length) == 0 ? strtoull(line + length, NULL, 10) : otherwise;
}

// From the end: the interrupts' line may be longer than all others.
static void read_summary(struct cpu_time *c, size_t end)
{
    if (end && c->text[end - 1] == '\n')
        end--;
    for (int i = 0; i < SUMMARY_LINES && end; i++) {
        const char *newline = memrchr(c->text, '\n', end);
        const char *line = newline ? newline + 1 : c->text;

        c->runnable = (int64_t)number_after(line, "procs_running ", (uint64_t)c->runnable);
        c->forks = number_after(line, "processes ", c->forks);
        end = newline ? (size_t)(newline - c->text) : 0;
    }
}

void cpu_time_read(struct cpu_time *c, struct readings *readings)
{
    ssize_t n = pread(c->fd, c->text, c->size - 1, 0);

    c->runnable = -1;
    c->forks = c->cpus_seen = 0;
    if (n <= 0)
        return;
    c->text[n] = '\0';
    read_summary(c, (size_t)n);
    // The first line is the total, "cpu  …"; then "cpu0 …" for each online CPU.
    for (char *line = c->text; line && strncmp(line, "cpu", 3) == 0;) {
        unsigned long long ticks[N_COLUMNS];
        char *p = line + 3;
        bool total = *p == ' ';
        unsigned long cpu = total ? 0 : strtoul(p, &p, 10);

        for (size_t i = 0; i < N_COLUMNS; i++)
            ticks[i] = strtoull(p, &p, 10);
        // Their order is theirs: any two sets give two numbers, but for one in 2^64.
        c->cpus_seen = (c->cpus_seen + (total ? 0 : cpu + 1)) * 0x9e3779b97f4a7c15u + 1;
        if (wanted(c, total, cpu))
            set_row(c, readings, cpu, ticks);
        line = strchr(p, '\n');
        line += line != NULL;
    }
}
