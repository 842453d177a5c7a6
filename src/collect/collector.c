// SPDX-License-Identifier: Apache-2.0
#include "collect/collector_private.h"

#include "base/clock.h"
#include "collect/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_TRIES 5 // a process that starts threads while we attach is listed again this often

// /proc/stat has a resolution of 10 ms and costs as much as several groups, and so do the others:
// not at each tick of a fine grid. Nor is the list of online CPUs.
#define GAUGES_EVERY (100 * NS_PER_MS)

static int open_groups(struct collector *c)
{
    for (size_t i = 0; i < c->groups.n; i++) {
        int r = group_open(&c->groups.groups[i], c->attrs, &c->target);

        if (r < 0)
            return r;
    }
    return 0;
}

// Attaches to every thread. One that is born meanwhile is counted by inheritance if its parent had
// been attached before, and not if not, and nobody can tell which: so open anew, until no thread
// was born while we did. A process that never stops starting threads is taken as it is after some
// tries.
static int open_all(struct collector *c)
{
    for (int tries = 1;; tries++) {
        size_t known = c->target.n_threads;
        int r = open_groups(c);

        if (r < 0 || !target_is_tasks(&c->target) || target_find_threads(&c->target) <= 0)
            return r;
        if (tries == OPEN_TRIES) {
            c->target.n_threads = known;
            return 0;
        }
    }
}

static int follow_online(struct collector *c)
{
    int r = sentinel_init(&c->sentinel, target_rows(&c->target));

    if (r < 0)
        return r;
    sentinel_follow(&c->sentinel, &c->target);
    return online_open(&c->online, "");
}

int collector_open(struct collector *c, const struct event_list *list, struct target *target,
                   char *ret_message)
{
    struct event_cpus *cpus = NULL;
    size_t cpu_time_event;
    ns_t started;
    int r;

    *c = (struct collector){
        .target = *target, .cpu_time.fd = -1, .online.fd = -1, .pressure = PRESSURE_NONE};
    *target = TARGET_NONE;
    c->events.tasks = target_scope(&c->target) == SCOPE_TASK;
    c->events.slots_per_cycle = machine_slots_per_cycle("");
    r = collector_describe(c, list, &cpus);
    if (r == 0)
        r = group_plan(&c->events, c->attrs, cpus, &c->target, &c->groups);
    if (r == 0)
        r = collector_order(c, cpus);
    if (r == 0)
        r = collector_restrict(c, cpus);
    free(cpus);
    if (r == 0)
        r = collector_describe_parts(c);
    if (r == 0)
        r = cpu_time_describe(&c->events, &cpu_time_event);
    if (r == 0)
        r = pressure_open(&c->pressure, "", &c->events, &c->target);
    started = clock_ns(CLOCK_MONOTONIC);
    if (r == 0)
        r = open_all(c);
    c->opening = clock_ns(CLOCK_MONOTONIC) - started;
    group_set_settle(&c->groups);
    if (r == 0)
        r = readings_init(&c->readings, &c->events, target_rows(&c->target),
                          target_scope(&c->target));
    if (r == 0)
        r = regroup_init(&c->regroup, &c->groups, &c->readings);
    if (r == 0)
        r = cpu_time_open(&c->cpu_time, "", cpu_time_event, &c->target);
    if (r == 0 && !target_is_tasks(&c->target))
        r = follow_online(c);
    if (r < 0) {
        snprintf(ret_message, EVENT_REASON_MAX, "cannot open the events: %s%s", strerror(-r),
                 r == -EMFILE ? "; raise the limit of open files (ulimit -n)" : "");
        collector_close(c);
        return r;
    }
    return 0;
}

void collector_close(struct collector *c)
{
    regroup_done(&c->regroup);
    group_set_done(&c->groups);
    online_close(&c->online);
    sentinel_done(&c->sentinel);
    free(c->attrs);
    free(c->parts);
    c->attrs = NULL;
    c->parts = NULL;
    cpu_time_close(&c->cpu_time);
    pressure_close(&c->pressure);
    readings_done(&c->readings);
    event_table_done(&c->events);
    target_done(&c->target);
}

void collector_start(struct collector *c, ns_t reference)
{
    ns_t started;

    c->last_read = clock_ns(CLOCK_MONOTONIC);
    // Read at the first tick: perf takes what is not in it as not supported.
    c->gauges_due = reference;
    cpu_time_start(&c->cpu_time, &c->readings);
    pressure_start(&c->pressure, &c->readings, c->last_read);
    started = clock_ns(CLOCK_MONOTONIC);
    for (size_t i = 0; i < c->groups.n && c->target.kind != TARGET_COMMAND; i++)
        group_enable(&c->groups.groups[i]);
    c->enabling = clock_ns(CLOCK_MONOTONIC) - started;
    readings_advance(&c->readings);
}

// Opens what came online, closes what went.
static void follow_cpus(struct collector *c)
{
    // Without memory for the list the CPUs stay as they are, until the next change.
    if (target_online(&c->target, c->online.text) < 0)
        return;
    sentinel_follow(&c->sentinel, &c->target);
    for (size_t row = 0; row < c->readings.n_rows; row++) {
        struct group_place place;

        if (group_place_of(&c->target, -1, row, &place))
            regroup_open_row(&c->regroup, &c->groups, c->attrs, &c->target, row, &c->readings);
        else
            regroup_close_row(&c->regroup, &c->groups, row);
    }
}

// Closes what froze on CPUs that were offline for a moment. True when there were any.
static bool close_frozen(struct collector *c, ns_t now)
{
    if (!sentinel_look(&c->sentinel, now))
        return false;
    for (size_t row = 0; row < c->sentinel.n_cpus; row++)
        if (c->sentinel.away[row])
            regroup_close_row(&c->regroup, &c->groups, row);
    return true;
}

// What the CPUs of one core type counted is in the rows of the whole.
static void read_parts(struct collector *c)
{
    for (size_t i = 0; i < c->n_parts; i++) {
        const struct collector_part *p = &c->parts[i];

        for (size_t k = 0; k < p->type->n_cpus; k++) {
            size_t row = (size_t)p->type->cpus[k], cell = p->of * c->readings.n_rows + row;

            if (row < c->readings.n_rows && c->readings.fresh[cell])
                readings_set(&c->readings, p->event, row, c->readings.now[cell]);
        }
    }
}

// /proc/stat, which was read anyway, has a line for each CPU that is online.
static bool cpus_changed(struct collector *c)
{
    bool changed = !c->cpu_time.cpus_seen || c->cpu_time.cpus_seen != c->cpus_seen;

    c->cpus_seen = c->cpu_time.cpus_seen;
    return changed;
}

bool collector_read(struct collector *c, ns_t now)
{
    bool changed = false;

    regroup_read(&c->regroup, &c->groups, now - c->last_read, &c->readings);
    read_parts(c);
    c->last_read = now;
    if (now >= c->gauges_due) {
        cpu_time_read(&c->cpu_time, &c->readings);
        pressure_read(&c->pressure, &c->readings, now, c->cpu_time.runnable);
        // On the grid: after a late tick the next one is due all the same.
        c->gauges_due += ((now - c->gauges_due) / GAUGES_EVERY + 1) * GAUGES_EVERY;
        // After reading: what a CPU counted before it went is in its frozen descriptors. Until this
        // is noticed it reads as offline all the same, because its time stands still.
        changed = cpus_changed(c) && online_changed(&c->online);
        changed |= close_frozen(c, now);
        if (changed)
            follow_cpus(c);
    }
    return changed;
}

bool collector_regroup(struct collector *c, ns_t until, char *ret_text)
{
    return regroup_step(&c->regroup, &c->groups, &c->events, c->attrs, &c->target, &c->readings,
                        until, ret_text);
}

void collector_hurry(struct collector *c)
{
    c->gauges_due = c->last_read;
    pressure_hurry(&c->pressure);
}

size_t collector_counting(const struct collector *c, bool hardware_only)
{
    size_t n = 0;

    for (size_t i = 0; i < c->events.n; i++) {
        const struct event *e = &c->events.events[i];

        n += e->kind == EVENT_COUNT && e->availability == QUALITY_EXACT &&
             !(hardware_only && e->type == PERF_TYPE_SOFTWARE);
    }
    return n;
}

size_t collector_descriptors(const struct collector *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->groups.n; i++)
        n += group_descriptors(&c->groups.groups[i]);
    return n + regroup_descriptors(&c->regroup) + sentinel_descriptors(&c->sentinel);
}
