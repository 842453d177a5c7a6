// SPDX-License-Identifier: Apache-2.0
#include "cmd/process_table.h"

#include "collect/notes.h"

#include <errno.h>
#include <stdlib.h>

#define SHARE       4                 // of the time between two ticks
#define SLICE_MAX   (5 * NS_PER_MS)   // and not more at once
#define EXITS_EVERY (50 * NS_PER_MS)  // the kernel's queue holds thousands
#define LAST_MAX    (200 * NS_PER_MS) // at the end of a run no tick is delayed

ns_t process_table_budget(ns_t interval)
{
    return interval / SHARE < SLICE_MAX ? interval / SHARE : SLICE_MAX;
}

static bool step(struct process_table *t, ns_t budget)
{
    ns_t now = clock_ns(CLOCK_MONOTONIC);

    if (now >= t->exits_due || budget == PROCESS_TABLE_LAST) {
        exits_drain(&t->exits);
        t->exits_due = now + EXITS_EVERY;
    }
    if (budget != PROCESS_TABLE_LAST)
        return process_scan_step(t->scan, now, budget);
    process_scan_hurry(t->scan);
    return process_scan_step(t->scan, now, LAST_MAX);
}

static void tell(struct consumer *const *to, size_t n, const char *text)
{
    struct buf note = {0};

    notes_text(&note, "info", text);
    for (size_t i = 0; i < n; i++)
        consumer_sideband(to[i], &note);
    buf_done(&note);
}

// Of a process or command its tree; of anything else the machine.
static int open_scan(struct process_table *t, const struct target *target,
                     struct consumer *const *to, size_t n)
{
    pid_t *roots = calloc(target->n_tasks + 1, sizeof(*roots));
    int r;

    if (!roots)
        return -ENOMEM;
    for (size_t i = 0; i < target->n_tasks; i++)
        roots[i] = target->tasks[i].pid;
    r = process_scan_new("", roots, target->n_tasks, NULL, &t->scan);
    free(roots);
    if (r < 0)
        return r;
    if (exits_open(&t->exits, target->n_possible) == 0)
        process_scan_exits(t->scan, &t->exits);
    else
        tell(to, n,
             "processes that live for less than a second are counted (forks), not listed: the "
             "kernel tells of them to root only, outside of containers");
    return 0;
}

void process_table_done(struct process_table *t)
{
    process_scan_free(t->scan);
    exits_done(&t->exits);
    *t = PROCESS_TABLE_NONE;
}

void process_table_step(struct process_table *t, const struct target *target, int64_t timestamp_ms,
                        ns_t budget, struct consumer *const *to, size_t n)
{
    struct buf notes = {0};
    bool anybody = false;

    for (size_t i = 0; i < n; i++)
        anybody |= to[i]->sink != NULL;
    if (!anybody || (!t->scan && open_scan(t, target, to, n) < 0))
        return;
    process_scan_started(t->scan, t->forks);
    if (!step(t, budget))
        return;
    notes_processes(&notes, t->scan, timestamp_ms);
    for (size_t i = 0; i < n; i++)
        consumer_sideband(to[i], &notes);
    buf_done(&notes);
}
