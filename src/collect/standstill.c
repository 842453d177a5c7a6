// SPDX-License-Identifier: Apache-2.0
#include "collect/standstill.h"

#include "collect/perf_event.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BUSY_FOR NS_PER_MS

static bool is_processors(const struct perf_event_attr *attr)
{
    return attr->type == PERF_TYPE_HARDWARE || attr->type == PERF_TYPE_HW_CACHE ||
           attr->type == PERF_TYPE_RAW;
}

static bool any_processors(const struct perf_event_attr *attrs, const struct group_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        for (size_t m = 0; m < set->groups[i].n; m++)
            if (is_processors(&attrs[set->groups[i].events[m]]))
                return true;
    return false;
}

// False also when it cannot be told: not permitted, or no counter is free.
static bool cycles_stand_still(void)
{
    struct perf_event_attr attr = {
        .size = sizeof(attr),
        .type = PERF_TYPE_HARDWARE,
        .config = PERF_COUNT_HW_CPU_CYCLES,
        .exclude_kernel = 1,
        .exclude_hv = 1,
        .read_format = PERF_FORMAT_TOTAL_TIME_RUNNING,
    };
    int fd = perf_event_open(&attr, 0, -1, -1, 0);
    ns_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + BUSY_FOR;
    uint64_t reading[2] = {0}; // value, running
    ssize_t n;

    if (fd < 0)
        return false;
    while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end)
        ;
    n = read(fd, reading, sizeof(reading));
    close(fd);
    return n == sizeof(reading) && reading[0] == 0 && reading[1] > 0;
}

static void drop(struct event_table *events, const struct perf_event_attr *attrs, struct group *g)
{
    size_t kept = 0;

    for (size_t m = 0; m < g->n; m++) {
        struct event *e = &events->events[g->events[m]];

        if (!is_processors(&attrs[g->events[m]])) {
            g->events[kept++] = g->events[m];
            continue;
        }
        e->availability = QUALITY_NOT_SUPPORTED;
        snprintf(e->why, sizeof(e->why),
                 "%.80s: this machine's counters open and run, but stand still while the processor "
                 "is busy; let the hypervisor pass the PMU through",
                 e->name);
    }
    g->n = kept;
}

void standstill_drop(struct event_table *events, const struct perf_event_attr *attrs,
                     struct group_set *set)
{
    size_t kept = 0;

    if (!any_processors(attrs, set) || !cycles_stand_still())
        return;
    for (size_t i = 0; i < set->n; i++) {
        drop(events, attrs, &set->groups[i]);
        if (set->groups[i].n)
            set->groups[kept++] = set->groups[i];
    }
    set->n = kept;
}
