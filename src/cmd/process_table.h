// SPDX-License-Identifier: Apache-2.0
// The process table on its way into the streams: a slice of the scan after each tick's work, and
// notes when a scan is complete.
#pragma once

#include "cmd/consumer.h"
#include "collect/process_scan.h"

struct process_table {
    struct process_scan *scan; // NULL until there is somebody to tell
    struct exits exits;
    ns_t exits_due;
    uint64_t forks; // the newest figure, for process_scan_started(); the caller's to set
};

#define PROCESS_TABLE_NONE ((struct process_table){.exits = EXITS_NONE})

#define PROCESS_TABLE_LAST ((ns_t)0) // instead of a budget: the last scan of a run, as a whole

// How long a slice may be, so that the next tick is not late.
ns_t process_table_budget(ns_t interval);
// Works on it, and tells `to` what a completed scan found.
void process_table_step(struct process_table *t, const struct target *target, int64_t timestamp_ms,
                        ns_t budget, struct consumer *const *to, size_t n);
void process_table_done(struct process_table *t);
