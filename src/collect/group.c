// SPDX-License-Identifier: Apache-2.0
#include "collect/group.h"

#include "collect/perf_event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define READ_FORMAT                                                                                \
    (PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING)

// What read(2) gives with that format.
struct group_reading {
    uint64_t nr;
    uint64_t enabled;
    uint64_t running;
    uint64_t values[GROUP_EVENTS_MAX];
};

// The attr as it is opened: a leader is disabled until its siblings are there, or until the command
// that it counts is executed.
static struct perf_event_attr prepared(const struct perf_event_attr *attr, bool leader, bool task,
                                       bool on_exec)
{
    struct perf_event_attr a = *attr;

    a.size = sizeof(a);
    a.disabled = leader;
    a.enable_on_exec = leader && on_exec;
    a.inherit = task;
    a.read_format = READ_FORMAT;
    return a;
}

static int open_one(const struct perf_event_attr *attr, int leader_fd, pid_t pid, int cpu,
                    bool on_exec)
{
    struct perf_event_attr a = prepared(attr, leader_fd < 0, cpu < 0, on_exec);

    return perf_event_open(&a, pid, cpu, leader_fd, 0);
}

static void close_all(int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

void group_close(struct group *g)
{
    if (g->fds)
        close_all(g->fds, g->n * g->n_rows);
    free(g->fds);
    g->fds = NULL;
    g->n_rows = 0;
}

void group_set_done(struct group_set *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        group_close(&s->groups[i]);
    free(s->groups);
    *s = (struct group_set){0};
}

// Is the user allowed to count a task in user mode only (perf_event_paranoid 2)?
static int narrow_to_user(struct event *e, struct perf_event_attr *attr, int leader_fd, pid_t pid)
{
    struct perf_event_attr user = *attr;
    int fd;

    user.exclude_kernel = 1;
    user.exclude_hv = 1;
    fd = open_one(&user, leader_fd, pid, -1, false);
    if (fd < 0)
        return fd;
    *attr = user;
    snprintf(e->why, sizeof(e->why),
             "%.60s: user mode only, because perf_event_paranoid is %d; sudo counts the kernel too",
             e->name, perf_event_paranoid(""));
    if (strlen(e->name) + 3 <= sizeof(e->name))
        strcat(e->name, ":u");
    return fd;
}

// Does user mode alone make sense? These happen in the kernel: counted in user mode they always
// read 0.
static bool has_user_part(const struct perf_event_attr *attr)
{
    return attr->type != PERF_TYPE_SOFTWARE || (attr->config != PERF_COUNT_SW_CONTEXT_SWITCHES &&
                                                attr->config != PERF_COUNT_SW_CPU_MIGRATIONS);
}

// Opens an event beside leader_fd (−1: as a leader) on the probe's place. A descriptor or -errno.
static int probe(struct event *e, struct perf_event_attr *attr, int leader_fd, pid_t pid, int cpu)
{
    int fd = open_one(attr, leader_fd, pid, cpu, false);

    if (fd != -EACCES && fd != -EPERM)
        return fd;
    if (cpu >= 0 || attr->exclude_kernel || attr->exclude_user || !has_user_part(attr))
        return fd;
    return narrow_to_user(e, attr, leader_fd, pid);
}

static struct group *add_group(struct group_set *s)
{
    struct group *groups = reallocarray(s->groups, s->n + 1, sizeof(*groups));

    if (!groups)
        return NULL;
    s->groups = groups;
    groups[s->n] = (struct group){0};
    return &groups[s->n++];
}

// Plans the events whose wished group is `wish`: those that open beside the first that opened join
// it.
static int plan_group(struct event_table *events, struct perf_event_attr *attrs, int wish,
                      pid_t pid, int cpu, struct group_set *set)
{
    size_t leading = SIZE_MAX; // index of the group that events join
    int fds[GROUP_EVENTS_MAX]; // its descriptors here
    size_t n_fds = 0;
    int r = 0;

    for (size_t i = 0; i < events->n && r == 0; i++) {
        struct event *e = &events->events[i];
        struct group *g = leading == SIZE_MAX ? NULL : &set->groups[leading];
        int fd;

        if (e->kind != EVENT_COUNT || e->group != wish)
            continue;
        fd = g && g->n < GROUP_EVENTS_MAX ? probe(e, &attrs[i], fds[0], pid, cpu) : -EINVAL;
        if (fd >= 0) {
            g->events[g->n++] = i;
            fds[n_fds++] = fd;
            continue;
        }
        fd = probe(e, &attrs[i], -1, pid, cpu);
        if (fd < 0) {
            e->availability = perf_event_quality(fd);
            perf_event_advice(fd, e->name, &attrs[i], cpu >= 0, e->why);
            continue;
        }
        g = add_group(set);
        if (g)
            g->events[g->n++] = i;
        else
            r = -ENOMEM;
        // Only the first may be joined: a later one is alone because it does not fit.
        if (leading == SIZE_MAX && g) {
            leading = set->n - 1;
            fds[n_fds++] = fd;
        } else {
            close(fd);
        }
    }
    close_all(fds, n_fds);
    return r;
}

int group_plan(struct event_table *events, struct perf_event_attr *attrs,
               const struct target *target, struct group_set *ret)
{
    struct group_set set = {0};
    pid_t pid = -1;
    int cpu = -1, n_wishes = events->n_groups, r;
    size_t row = 0;

    while (row < target_rows(target) && !target_place(target, row, &pid, &cpu))
        row++;
    for (int wish = 0; wish < n_wishes; wish++) {
        r = plan_group(events, attrs, wish, pid, cpu, &set);
        if (r < 0) {
            group_set_done(&set);
            return r;
        }
    }
    // Number the groups as they are; what does not open keeps no company.
    events->n_groups = (int)set.n;
    for (size_t i = 0; i < events->n; i++)
        events->events[i].group = -1;
    for (size_t g = 0; g < set.n; g++)
        for (size_t m = 0; m < set.groups[g].n; m++)
            events->events[set.groups[g].events[m]].group = (int)g;
    for (size_t i = 0; i < events->n; i++)
        if (events->events[i].group < 0)
            events->events[i].group = events->n_groups++;
    *ret = set;
    return 0;
}

// Opens all members on one place. 0, or the leader's -errno.
static int open_row(struct group *g, const struct perf_event_attr *attrs, size_t row, pid_t pid,
                    int cpu, bool on_exec)
{
    int *fds = &g->fds[row * g->n];

    for (size_t m = 0; m < g->n; m++) {
        fds[m] = open_one(&attrs[g->events[m]], m ? fds[0] : -1, pid, cpu, on_exec);
        if (fds[m] < 0) {
            int r = fds[m];

            // A group that is not whole there would read as other events: without it instead.
            fds[m] = -1;
            close_all(fds, m);
            memset(fds, 0xff, g->n * sizeof(*fds));
            return r;
        }
    }
    return 0;
}

int group_open(struct group *g, const struct perf_event_attr *attrs, const struct target *target)
{
    size_t rows = target_rows(target);

    group_close(g);
    g->fds = reallocarray(NULL, rows * g->n, sizeof(*g->fds));
    if (!g->fds)
        return -ENOMEM;
    g->n_rows = rows;
    memset(g->fds, 0xff, rows * g->n * sizeof(*g->fds)); // all −1
    for (size_t row = 0; row < rows; row++) {
        pid_t pid;
        int cpu, r;

        if (!target_place(target, row, &pid, &cpu))
            continue;
        r = open_row(g, attrs, row, pid, cpu, target->kind == TARGET_COMMAND);
        if (r == -EMFILE || r == -ENFILE)
            return r;
    }
    return 0;
}

void group_enable(const struct group *g)
{
    for (size_t row = 0; row < g->n_rows; row++)
        if (g->fds[row * g->n] >= 0)
            ioctl(g->fds[row * g->n], PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
}

void group_read(const struct group *g, struct readings *readings)
{
    struct group_reading reading;
    ssize_t size = (ssize_t)(offsetof(struct group_reading, values) + g->n * sizeof(uint64_t));

    for (size_t row = 0; row < g->n_rows; row++) {
        int fd = g->fds[row * g->n];

        // A read of 0 bytes is a pinned group in its error state: no reading.
        if (fd < 0 || read(fd, &reading, sizeof(reading)) != size || reading.nr != g->n)
            continue;
        for (size_t m = 0; m < g->n; m++)
            readings_set(readings, g->events[m], row,
                         (struct reading){.value = reading.values[m],
                                          .enabled = reading.enabled,
                                          .running = reading.running});
    }
}

size_t group_descriptors(const struct group *g)
{
    size_t n = 0;

    for (size_t i = 0; i < g->n * g->n_rows; i++)
        n += g->fds[i] >= 0;
    return n;
}
