// SPDX-License-Identifier: Apache-2.0
#include "cmd/process_table.h"

#include "collect/notes.h"

#define SHARE     4                 // of the time between two ticks
#define SLICE_MAX (5 * NS_PER_MS)   // and not more at once
#define LAST_MAX  (200 * NS_PER_MS) // at the end of a run no tick is delayed

ns_t process_table_budget(ns_t interval)
{
    return interval / SHARE < SLICE_MAX ? interval / SHARE : SLICE_MAX;
}

static bool step(struct process_scan *scan, ns_t budget)
{
    ns_t now = clock_ns(CLOCK_MONOTONIC);

    if (budget != PROCESS_TABLE_LAST)
        return process_scan_step(scan, now, budget);
    process_scan_hurry(scan);
    return process_scan_step(scan, now, LAST_MAX);
}

void process_table_step(struct process_scan **scan, const struct target *target,
                        int64_t timestamp_ms, ns_t budget, struct consumer *const *to, size_t n)
{
    pid_t tree = target->kind == TARGET_PROCESS ? target->pid : 0;
    struct buf notes = {0};
    bool anybody = false;

    for (size_t i = 0; i < n; i++)
        anybody |= to[i]->sink != NULL;
    if (!anybody || (!*scan && process_scan_new("", tree, NULL, scan) < 0))
        return;
    if (!step(*scan, budget))
        return;
    notes_processes(&notes, *scan, timestamp_ms);
    for (size_t i = 0; i < n; i++)
        consumer_sideband(to[i], &notes);
    buf_done(&notes);
}
