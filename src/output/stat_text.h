// SPDX-License-Identifier: Apache-2.0
// `cyclescope stat`'s summary, as perf stat prints it: each event with its count, its metrics
// beside it, and how good they are.
#pragma once

#include "base/buf.h"
#include "model/totals.h"

// What is said of the whole run beside its counts. Any bytes in the texts; unknown times are NAN.
struct stat_run {
    const char *target;  // "the whole system", "process 123 (stress)"
    double user_seconds; // CPU time of a command or process
    double system_seconds;
    bool per_cpu; // a row for each CPU instead of their total
    bool machine; // also what is not the target's, but the machine's: CPU use
    int status;   // exit status of a command, −1: there was none
};

void stat_text(const struct totals *t, const struct stat_run *run, struct buf *out);
