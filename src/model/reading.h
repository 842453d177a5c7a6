// SPDX-License-Identifier: Apache-2.0
// From raw readings to counts: the difference of two readings, scaled by that interval's own times.
#pragma once

#include "model/event.h"

#include <math.h>

// One read(2): cumulative since the event was opened; times in ns.
struct reading {
    uint64_t value;
    uint64_t enabled;
    uint64_t running;
};

// What an event counted over a stretch of time: raw, with the times to scale it by. Adds up
// (sum_add). No value: raw is NAN.
struct sum {
    double raw;
    double enabled; // ns
    double running; // ns
};

#define SUM_NONE ((struct sum){.raw = NAN})

// How the times of a reading are to be understood.
enum reading_scope {
    SCOPE_CPU,  // enabled runs as the wall clock does; enabled = 0 means that the CPU was offline
    SCOPE_TASK, // enabled only while the task is on a CPU; enabled = 0 is a true count of 0
};

// The difference of two readings of one descriptor. A value or time that went backwards (a
// descriptor that was reopened by somebody else's stream) has no value.
struct sum reading_difference(struct reading earlier, struct reading later);

// Here because rows of thousands of values ask all three of the same sum.
//
// Quality of its count.
static inline enum quality sum_quality(struct sum s, enum reading_scope scope)
{
    if (isnan(s.raw))
        return QUALITY_OFFLINE;
    if (s.enabled <= 0)
        return scope == SCOPE_TASK ? QUALITY_EXACT : QUALITY_OFFLINE;
    if (s.running <= 0)
        return QUALITY_NEVER_RAN;
    // The kernel updates the two times in turn: a few hundred ns of difference are not
    // multiplexing.
    return s.running >= s.enabled * 0.9995 ? QUALITY_EXACT : QUALITY_SCALED;
}

// raw · enabled / running: the count over the stretch. NAN when it has no value.
static inline double sum_count(struct sum s, enum reading_scope scope)
{
    switch (sum_quality(s, scope)) {
    case QUALITY_EXACT:
        return s.raw;
    case QUALITY_SCALED:
        return s.raw * (s.enabled / s.running);
    default:
        return NAN;
    }
}

// The percent of the enabled time in which it was counted (0–100).
static inline double sum_running_percent(struct sum s, enum reading_scope scope)
{
    switch (sum_quality(s, scope)) {
    case QUALITY_EXACT:
        return 100;
    case QUALITY_SCALED:
        return 100 * s.running / s.enabled;
    default:
        return 0;
    }
}

// Were two events counted in the same parts of the stretch? Those that share their counters' times
// were.
static inline bool sum_same_times(struct sum a, struct sum b)
{
    return !islessgreater(a.enabled, b.enabled) && !islessgreater(a.running, b.running);
}

// One stretch after another of the same event in the same place: raw values and times add up; a
// stretch without value is left out.
void sum_add(struct sum *to, struct sum s);
// The same stretch in several places (CPUs, threads): counts are scaled place by place, and then
// added, because a busy CPU and an idle one do not share a running time. The result is again a sum:
// its count is the sum of the counts, its times are the added times. A place that was offline is
// left out. A CPU that was enabled but never ran leaves the whole without value. A task that never
// ran is taken for one that counts as the others do, as perf does: it may have been on a CPU for
// less than a group's turn, and its time is in what the whole says of itself.
void sum_add_place(struct sum *to, struct sum s, enum reading_scope scope);
