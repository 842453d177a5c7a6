// SPDX-License-Identifier: Apache-2.0
#include "collect/trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

// A turn of multiplexing lasts 4 ms (perf_event_mux_interval_ms) or a jiffy (10 ms at most); a
// group that merely waits for its turn has had one after this.
#define TURN     (10 * NS_PER_MS)
#define AT_LEAST (30 * NS_PER_MS)
// Of the wall clock: on a loaded machine this thread's own time passes slowly.
#define GIVE_UP NS_PER_SEC

static bool needs_pmu(const struct group *g, const struct perf_event_attr *attrs)
{
    for (size_t m = 0; m < g->n; m++)
        if (attrs[g->events[m]].type != PERF_TYPE_SOFTWARE &&
            attrs[g->events[m]].type != PERF_TYPE_TRACEPOINT)
            return true;
    return false;
}

static void open_group(const struct group *g, const struct perf_event_attr *attrs,
                       const struct group_place *place, int *fds)
{
    for (size_t m = 0; m < g->n; m++) {
        fds[m] = group_open_event(&attrs[g->events[m]], m ? fds[0] : -1, place);
        if (fds[m] < 0) {
            while (m > 0)
                close(fds[--m]);
            memset(fds, 0xff, g->n * sizeof(*fds)); // all −1
            return;
        }
    }
    ioctl(fds[0], PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
}

// Does it still have to run? `limit`: enabled time after which its turn has come.
static bool waits(int fd, size_t n, ns_t limit, bool *ret_starved)
{
    uint64_t reading[3 + GROUP_EVENTS_MAX] = {0};

    *ret_starved = false;
    // Nothing is known of one that cannot be read; a pinned one is for its user to judge.
    if (fd < 0 || read(fd, reading, (3 + n) * sizeof(*reading)) <= 0 || reading[2] > 0)
        return false;
    *ret_starved = true;
    return (ns_t)reading[1] < limit;
}

static void run(const struct group_set *set, const struct perf_event_attr *attrs, const int *fds,
                bool on_cpu, bool *starved)
{
    ns_t limit = AT_LEAST + TURN * (ns_t)set->n, start = clock_ns(CLOCK_MONOTONIC);
    bool waiting = true;

    while (waiting && clock_ns(CLOCK_MONOTONIC) - start < GIVE_UP + limit) {
        waiting = false;
        for (size_t i = 0; i < set->n; i++)
            if (set->groups[i].n > 1 && needs_pmu(&set->groups[i], attrs))
                waiting |= waits(fds[i * GROUP_EVENTS_MAX], set->groups[i].n, limit, &starved[i]);
        // This thread's events count only while it works, a CPU's always.
        if (waiting && on_cpu)
            nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
    }
}

int trial_run(const struct group_set *set, const struct perf_event_attr *attrs,
              const struct group_place *place, bool *starved)
{
    struct group_place here = {.pid = place->cpu < 0 ? 0 : -1, .cpu = place->cpu};
    size_t n_fds = set->n * GROUP_EVENTS_MAX;
    bool any = false;
    int *fds;

    for (size_t i = 0; i < set->n; i++)
        any |= set->groups[i].n > 1 && needs_pmu(&set->groups[i], attrs);
    if (!any)
        return 0;
    fds = reallocarray(NULL, n_fds, sizeof(*fds));
    if (!fds)
        return -ENOMEM;
    memset(fds, 0xff, n_fds * sizeof(*fds)); // all −1
    for (size_t i = 0; i < set->n; i++)
        open_group(&set->groups[i], attrs, &here, &fds[i * GROUP_EVENTS_MAX]);
    run(set, attrs, fds, here.cpu >= 0, starved);
    for (size_t i = 0; i < n_fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(fds);
    return 0;
}
