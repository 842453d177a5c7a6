// SPDX-License-Identifier: Apache-2.0
#include "collect/group.h"

#include "collect/perf_event.h"

#include <errno.h>
#include <poll.h>
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

int group_open_event(const struct perf_event_attr *attr, int leader_fd,
                     const struct group_place *place)
{
    struct perf_event_attr a = *attr;
    bool narrowed = place->core_type && core_types_event(&a);
    int fd;

    if (narrowed)
        core_types_narrow(&a, place->core_type);
    a.size = sizeof(a);
    a.disabled = leader_fd < 0;
    a.enable_on_exec = leader_fd < 0 && place->on_exec;
    a.inherit = place->cpu < 0;
    a.read_format = READ_FORMAT;
    fd = perf_event_open(&a, place->pid, place->cpu, leader_fd, place->flags);
    // Arm's PMUs take a type on new kernels only; without it, the CPU's own takes the event.
    if (narrowed && (fd == -EINVAL || fd == -ENOENT)) {
        a.config = attr->config;
        fd = perf_event_open(&a, place->pid, place->cpu, leader_fd, place->flags);
    }
    return fd;
}

bool group_place_of(const struct target *target, int cgroup, size_t row, struct group_place *ret)
{
    *ret = (struct group_place){.on_exec = target->kind == TARGET_COMMAND};
    if (!target_place(target, row, &ret->pid, &ret->cpu))
        return false;
    ret->core_type = ret->cpu < 0 ? 0 : core_types_of_cpu(&target->cores, ret->cpu);
    if (cgroup >= 0) {
        ret->pid = target->cgroups[cgroup].fd;
        ret->flags = PERF_FLAG_PID_CGROUP;
    }
    return true;
}

static void close_all(int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    memset(fds, 0xff, n * sizeof(*fds)); // all −1
}

void group_close(struct group *g)
{
    if (g->fds)
        close_all(g->fds, g->n * g->n_rows);
    free(g->fds);
    free(g->base);
    g->fds = NULL;
    g->base = NULL;
    g->n_rows = 0;
}

void group_set_settle(struct group_set *s)
{
    while (s->n_kept)
        close(s->kept[--s->n_kept]);
    free(s->kept);
    s->kept = NULL;
}

void group_set_done(struct group_set *s)
{
    if (!s)
        return;
    group_set_settle(s);
    for (size_t i = 0; i < s->n; i++) {
        group_close(&s->groups[i]);
        free(s->groups[i].cpus);
    }
    free(s->groups);
    *s = (struct group_set){0};
}

bool group_counts_on(const int *cpus, size_t n, int cpu)
{
    for (size_t i = 0; i < n; i++)
        if (cpus[i] == cpu)
            return true;
    return !cpus || cpu < 0;
}

// Opens all members on one place. 0, or the first -errno: a group that is not whole there would
// read as other events, and is left out.
static int open_row(struct group *g, const struct perf_event_attr *attrs,
                    const struct target *target, size_t row)
{
    int *fds = &g->fds[row * g->n];
    struct group_place place;

    if (!group_place_of(target, g->cgroup, row, &place) ||
        !group_counts_on(g->cpus, g->n_cpus, place.cpu))
        return 0;
    for (size_t m = 0; m < g->n; m++) {
        fds[m] = group_open_event(&attrs[g->events[m]], m ? fds[0] : -1, &place);
        if (fds[m] < 0) {
            int r = fds[m];

            close_all(fds, g->n);
            return r;
        }
    }
    return 0;
}

int group_prepare(struct group *g, const struct perf_event_attr *attrs, const struct target *target)
{
    size_t rows = target_rows(target);

    group_close(g);
    g->fds = reallocarray(NULL, rows * g->n, sizeof(*g->fds));
    g->base = calloc(rows * g->n, sizeof(*g->base));
    if (!g->fds || !g->base) {
        group_close(g);
        return -ENOMEM;
    }
    g->n_rows = rows;
    g->pinned = attrs[g->events[0]].pinned;
    memset(g->fds, 0xff, rows * g->n * sizeof(*g->fds)); // all −1
    return 0;
}

int group_open(struct group *g, const struct perf_event_attr *attrs, const struct target *target)
{
    int r = group_prepare(g, attrs, target);

    for (size_t row = 0; r == 0 && row < g->n_rows; row++) {
        int error = open_row(g, attrs, target, row);

        if (error == -EMFILE || error == -ENFILE)
            r = error;
    }
    return r;
}

void group_enable_row(const struct group *g, size_t row)
{
    if (g->fds[row * g->n] >= 0)
        ioctl(g->fds[row * g->n], PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
}

void group_disable_row(const struct group *g, size_t row)
{
    if (g->fds[row * g->n] >= 0)
        ioctl(g->fds[row * g->n], PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP);
}

void group_enable(const struct group *g)
{
    for (size_t row = 0; row < g->n_rows; row++)
        group_enable_row(g, row);
}

void group_close_row(struct group *g, size_t row)
{
    close_all(&g->fds[row * g->n], g->n);
}

int group_open_row(struct group *g, const struct perf_event_attr *attrs,
                   const struct target *target, size_t row, const struct readings *readings)
{
    int r;

    if (g->fds[row * g->n] >= 0)
        return 0;
    r = open_row(g, attrs, target, row);
    if (r < 0)
        return r;
    for (size_t m = 0; m < g->n; m++)
        g->base[row * g->n + m] = readings->now[g->events[m] * readings->n_rows + row];
    group_enable_row(g, row);
    return 0;
}

// A pinned group that found no counter is in an error state, and reads as an end of file. Once its
// task has ended it reads as that of a task that was never on a CPU, which no task that has ended
// is.
static bool is_given_up(const struct group *g, int fd, ssize_t n, uint64_t enabled)
{
    struct pollfd p = {.fd = fd};

    return n == 0 ||
           (n > 0 && g->pinned && enabled == 0 && poll(&p, 1, 0) == 1 && p.revents & POLLHUP);
}

// Enabled all the time, and has not run.
static void read_given_up(const struct group *g, size_t row, ns_t elapsed,
                          struct readings *readings)
{
    for (size_t m = 0; m < g->n; m++) {
        struct reading r = readings->now[g->events[m] * readings->n_rows + row];

        r.enabled += (uint64_t)elapsed;
        readings_set(readings, g->events[m], row, r);
    }
}

// Reads the row into `ret`. False when that is not the whole group.
static bool read_whole(const struct group *g, size_t row, struct group_reading *ret, bool *ret_gone)
{
    int fd = g->fds[row * g->n];
    ssize_t size = (ssize_t)(offsetof(struct group_reading, values) + g->n * sizeof(uint64_t));
    ssize_t n = fd < 0 ? -1 : read(fd, ret, sizeof(*ret));

    *ret_gone = n >= 0 && is_given_up(g, fd, n, ret->enabled);
    return n == size && ret->nr == g->n && !*ret_gone;
}

void group_read_row(const struct group *g, size_t row, ns_t elapsed, struct readings *readings)
{
    struct group_reading reading;
    const struct reading *base = &g->base[row * g->n];
    bool given_up, whole = read_whole(g, row, &reading, &given_up);

    if (given_up)
        read_given_up(g, row, elapsed, readings);
    for (size_t m = 0; whole && m < g->n; m++)
        readings_set(readings, g->events[m], row,
                     (struct reading){.value = base[m].value + reading.values[m],
                                      .enabled = base[m].enabled + reading.enabled,
                                      .running = base[m].running + reading.running});
}

void group_read(const struct group *g, ns_t elapsed, struct readings *readings)
{
    for (size_t row = 0; row < g->n_rows; row++)
        group_read_row(g, row, elapsed, readings);
}

bool group_times(const struct group *g, size_t row, struct reading *ret)
{
    struct group_reading reading;
    bool given_up;

    if (!read_whole(g, row, &reading, &given_up))
        return false;
    *ret = (struct reading){.enabled = reading.enabled, .running = reading.running};
    return true;
}

void group_resume_row(struct group *g, size_t row, const struct readings *readings)
{
    struct group_reading reading;
    bool given_up;

    if (!read_whole(g, row, &reading, &given_up))
        return;
    // What these descriptors counted may be more than what is to be gone on from: the sum of both
    // is right all the same, because the difference is taken modulo 2^64.
    for (size_t m = 0; m < g->n; m++) {
        struct reading now = readings->now[g->events[m] * readings->n_rows + row];

        g->base[row * g->n + m] = (struct reading){.value = now.value - reading.values[m],
                                                   .enabled = now.enabled - reading.enabled,
                                                   .running = now.running - reading.running};
    }
}

size_t group_descriptors(const struct group *g)
{
    size_t n = 0;

    for (size_t i = 0; i < g->n * g->n_rows; i++)
        n += g->fds[i] >= 0;
    return n;
}
