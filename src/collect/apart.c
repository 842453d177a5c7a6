// SPDX-License-Identifier: Apache-2.0
#include "collect/apart.h"

#include "collect/pairs.h"
#include "collect/starve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Looks between two tries of the whole, each of which takes the parts about a turn in three for the
// time of a look, or of parts that could not be opened (descriptors or memory were short); more and
// more of them, so that what comes and goes is not run after.
#define WAIT_FIRST 10
#define WAIT_MAX   320

// Of the time that a part ran in an interval: a millionth, below which two are the same, and some
// of them, by which they are made to differ. More than a float's rounding in the history, and with
// all members of a group less than what makes a count scaled.
#define SAME_SHIFT 20
#define LESS_SHIFT 18

size_t apart_plan(const struct event_table *events, const struct group *whole, bool singles,
                  struct group *ret)
{
    size_t members[GROUP_EVENTS_MAX], n = 0;
    bool pair[GROUP_EVENTS_MAX];

    memcpy(members, whole->events, whole->n * sizeof(*members));
    pairs_order(events, members, whole->n, pair);
    for (size_t m = 0; m < whole->n; m++) {
        struct group *part = &ret[n++];

        *part =
            (struct group){.cgroup = whole->cgroup, .cpus = whole->cpus, .n_cpus = whole->n_cpus};
        part->events[part->n++] = members[m];
        // Of a group of two that would be itself.
        if (!singles && pair[m] && whole->n > 2)
            part->events[part->n++] = members[++m];
    }
    return n;
}

static void close_parts(struct apart *a)
{
    for (size_t i = 0; i < a->n_parts; i++)
        group_close(&a->parts[i]); // its list of CPUs is the whole's
    free(a->parts);
    a->parts = NULL;
    a->n_parts = 0;
}

void apart_done(struct apart *a)
{
    close_parts(a);
    free(a->ran);
    *a = (struct apart){0};
}

static void refuse(struct apart *a)
{
    a->refused = true;
    a->rest = a->wait;
}

static int prepare(struct apart *a, const struct group *whole, const struct event_table *events,
                   const struct perf_event_attr *attrs, const struct target *target)
{
    int r = 0;

    a->parts = calloc(whole->n, sizeof(*a->parts));
    if (!a->ran)
        a->ran = calloc(whole->n_rows + 1, sizeof(*a->ran));
    if (!a->parts || !a->ran)
        return -ENOMEM;
    a->n_parts = apart_plan(events, whole, a->singles, a->parts);
    for (size_t i = 0; i < a->n_parts && r == 0; i++)
        r = group_prepare(&a->parts[i], attrs, target);
    // The largest part decides: where all are single, nothing smaller is left to be tried.
    a->singles = a->n_parts == whole->n;
    return r;
}

static int open_parts(struct apart *a, const struct group *whole, const struct event_table *events,
                      const struct perf_event_attr *attrs, const struct target *target)
{
    int r = prepare(a, whole, events, attrs, target);

    a->next_row = 0;
    if (r < 0) {
        close_parts(a);
        a->state = APART_NOT;
        refuse(a);
        return r;
    }
    a->state = APART_OPENING;
    a->looks = 0;
    a->trying = false;
    return 0;
}

static void join(struct apart *a)
{
    a->state = APART_JOINING;
    a->next_row = 0;
}

int apart_begin(struct apart *a, const struct group *whole, const struct event_table *events,
                const struct perf_event_attr *attrs, const struct target *target)
{
    if (a->state == APART_COUNTED) {
        a->singles = true; // once they are joined
        join(a);
        return 0;
    }
    a->tasks = target_is_tasks(target);
    a->singles = false;
    a->wait = a->wait ? a->wait * 2 : WAIT_FIRST;
    if (a->wait > WAIT_MAX)
        a->wait = WAIT_MAX;
    return open_parts(a, whole, events, attrs, target);
}

static void read_row(const struct apart *a, size_t row, ns_t elapsed, struct readings *readings)
{
    for (size_t i = 0; i < a->n_parts; i++) {
        const struct group *part = &a->parts[i];
        struct reading *now = &readings->now[part->events[0] * readings->n_rows + row];
        uint64_t enabled = now->enabled; // the whole's

        if (row >= part->n_rows || part->fds[row * part->n] < 0)
            continue;
        group_read_row(part, row, elapsed, readings);
        for (size_t m = 0; a->tasks && m < part->n; m++)
            readings->now[part->events[m] * readings->n_rows + row].enabled = enabled;
    }
}

static size_t cell_of(const struct group *part, size_t row, const struct readings *readings)
{
    return part->events[0] * readings->n_rows + row;
}

// How long it ran in this interval.
static uint64_t ran(const struct group *part, size_t row, const struct readings *readings)
{
    size_t cell = cell_of(part, row, readings);

    return readings->now[cell].running - readings->before[cell].running;
}

static bool like_one_before(const struct apart *a, size_t index, size_t row,
                            const struct readings *readings)
{
    uint64_t own = ran(&a->parts[index], row, readings);

    for (size_t i = 0; i < index; i++) {
        uint64_t other = ran(&a->parts[i], row, readings);

        if ((own > other ? own - other : other - own) <= own >> SAME_SHIFT)
            return true;
    }
    return false;
}

// Turns may be of the same length, to the ns, for two parts. Whoever reads the times would take
// these for one: what ran like another part ran a few millionths less, from now on.
static void tell_apart(const struct apart *a, size_t row, struct readings *readings)
{
    for (size_t i = 1; i < a->n_parts; i++) {
        const struct group *part = &a->parts[i];
        size_t cell = cell_of(part, row, readings);
        uint64_t enabled = readings->now[cell].enabled - readings->before[cell].enabled;
        uint64_t own = ran(part, row, readings), less = i * (own >> LESS_SHIFT);

        if (row >= part->n_rows || part->fds[row * part->n] < 0 ||
            own >= enabled - enabled / 1000 || !like_one_before(a, i, row, readings))
            continue;
        for (size_t m = 0; m < part->n; m++) {
            part->base[row * part->n + m].running -= less;
            readings->now[part->events[m] * readings->n_rows + row].running -= less;
        }
    }
}

void apart_read(const struct apart *a, ns_t elapsed, struct readings *readings)
{
    for (size_t row = 0; a->n_parts && row < readings->n_rows; row++) {
        read_row(a, row, elapsed, readings);
        tell_apart(a, row, readings);
    }
}

static int open_row(struct apart *a, const struct group *whole, size_t row,
                    const struct perf_event_attr *attrs, const struct target *target,
                    struct readings *readings)
{
    // Up to this moment it has been enabled, and from now on the parts are.
    group_read_row(whole, row, 0, readings);
    for (size_t i = 0; i < a->n_parts; i++) {
        int r = group_open_row(&a->parts[i], attrs, target, row, readings);

        // A thread that has ended or a CPU that is away stays the whole's.
        if (r < 0 && r != -ESRCH && r != -ENODEV)
            return r;
    }
    if (!a->tasks)
        group_disable_row(whole, row);
    return 0;
}

static void join_row(struct apart *a, struct group *whole, size_t row, struct readings *readings)
{
    group_read_row(whole, row, 0, readings);
    read_row(a, row, 0, readings);
    group_resume_row(whole, row, readings);
    group_enable_row(whole, row);
    for (size_t i = 0; i < a->n_parts; i++)
        group_close_row(&a->parts[i], row);
}

static int finish(struct apart *a, const struct group *whole, const struct event_table *events,
                  const struct perf_event_attr *attrs, const struct target *target)
{
    bool smaller = a->singles && a->n_parts < whole->n && !a->rest;

    if (a->state == APART_OPENING) {
        a->state = APART_COUNTED;
        a->refused = false;
        return 0;
    }
    close_parts(a);
    a->state = APART_NOT;
    return smaller ? open_parts(a, whole, events, attrs, target) : 0;
}

int apart_step(struct apart *a, struct group *whole, const struct event_table *events,
               const struct perf_event_attr *attrs, const struct target *target,
               struct readings *readings, ns_t until)
{
    int r = 0;

    do {
        if (a->next_row >= whole->n_rows)
            return finish(a, whole, events, attrs, target);
        if (a->state == APART_OPENING)
            r = open_row(a, whole, a->next_row, attrs, target, readings);
        else
            join_row(a, whole, a->next_row, readings);
        a->next_row++;
    } while (r == 0 && clock_ns(CLOCK_MONOTONIC) < until);
    if (r < 0) {
        refuse(a);
        join(a);
    }
    return r;
}

// Did the whole run, wherever it was enabled, since it was asked last?
static bool runs_again(struct apart *a, const struct group *whole)
{
    bool ran = false, starved = false;

    for (size_t row = 0; row < whole->n_rows; row++) {
        struct reading now, before = a->ran[row];

        if (!group_times(whole, row, &now))
            continue;
        ran |= now.running > before.running;
        starved |= now.running == before.running && now.enabled > before.enabled &&
                   now.enabled - before.enabled > (uint64_t)STARVE_AFTER / 2;
        a->ran[row] = now;
    }
    return ran && !starved;
}

static void try_whole(struct apart *a, const struct group *whole, bool enable)
{
    a->trying = enable;
    a->looks = 0;
    for (size_t row = 0; row < whole->n_rows; row++)
        if (enable)
            group_enable_row(whole, row);
        else
            group_disable_row(whole, row);
}

bool apart_look(struct apart *a, const struct group *whole)
{
    bool runs;

    a->rest -= a->rest > 0;
    if (a->state != APART_COUNTED)
        return false;
    a->looks++;
    runs = runs_again(a, whole) && (a->tasks ? a->looks >= a->wait : a->trying);
    if (runs)
        join(a);
    else if (a->trying && !a->tasks)
        try_whole(a, whole, false);
    else if (!a->tasks && a->looks >= a->wait)
        try_whole(a, whole, true);
    return runs;
}
