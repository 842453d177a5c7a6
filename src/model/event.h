// SPDX-License-Identifier: Apache-2.0
// An event is what can be counted (perf_event_open(2): type + config), or a gauge that is carried
// like one.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENT_NAME_MAX   128 // perf's longest sysfs names are about 70; longer ones are cut
#define EVENT_UNIT_MAX   32  // "Joules", "MiB": the kernel's own limit is shorter
#define EVENT_REASON_MAX 256 // one sentence
#define EVENTS_MAX       1024 // a stream with more is refused; perf's own default lists stay below 100

// How good a number is. The order is from best to worst: quality_worse() compares.
enum quality {
    QUALITY_EXACT,         // counted all the time
    QUALITY_SCALED,        // multiplexed: counted for part of the interval, scaled up
    QUALITY_NEVER_RAN,     // enabled, but had no counter in this interval: no value
    QUALITY_OFFLINE,       // its CPU is offline: no value
    QUALITY_DENIED,        // the kernel did not let us open it: no value
    QUALITY_NOT_SUPPORTED, // this machine does not have it: no value
};

enum event_kind {
    EVENT_COUNT, // a perf event: value, time_enabled, time_running
    EVENT_GAUGE, // a cumulative figure of ours (CPU time in ns): value only, read at times of its
                 // own
};

struct event {
    // What values are made of, in one cache line.
    uint64_t id;     // in the stream
    uint64_t config; // perf_event_attr.config
    double scale;    // what is counted × scale is in unit; readings and sums are raw
    uint32_t type;   // perf_event_attr.type
    enum event_kind kind;
    enum quality availability;   // EXACT when it was opened, DENIED or NOT_SUPPORTED when not
    int group;                   // events with the same number are counted together
    bool total_only;             // a gauge of the whole, without a value per CPU
    bool fractions;              // its values may have some (somebody's CSV); counts have none
    char name[EVENT_NAME_MAX];   // as perf spells it, with the modifiers that are in force
    char column[EVENT_NAME_MAX]; // column id, unique in its table
    char unit[EVENT_UNIT_MAX];   // "" for a plain number
    char why[EVENT_REASON_MAX];  // the sentence for an event that is not there, or that is
                                 // restricted; ""
};

struct event_table {
    struct event *events; // owned
    size_t n;
    int n_groups; // group numbers are 0 … n_groups − 1
    // What metrics need to know of where they are counted:
    bool tasks;             // for tasks, not for CPUs
    bool no_times;          // how long the events were enabled is not known (a CSV)
    double slots_per_cycle; // operations that a core can issue in one; 0 unknown
};

void event_table_done(struct event_table *t);
// Adds a copy of `e`, giving it a column id that is unique in the table (a second one of a name
// gets _2). A negative group makes a group of its own. Returns its index, -ENOMEM or -E2BIG
// (EVENTS_MAX).
int event_table_add(struct event_table *t, const struct event *e);
// Index of the event with this column id; -1 when there is none.
int event_table_find_column(const struct event_table *t, const char *column);

// The column id of a name: lower case, every character other than a–z and 0–9 as '_'. `ret` holds
// EVENT_NAME_MAX.
void event_column_id(const char *name, char ret[EVENT_NAME_MAX]);

// A value in the event's unit: what was counted, times its scale (0: none was given).
static inline double event_in_unit(const struct event *e, double counted)
{
    return e->scale != 0 ? counted * e->scale : counted;
}
// Are its values whole numbers?
static inline bool event_is_whole(const struct event *e)
{
    return (e->scale == 1 || e->scale == 0) && !e->fractions;
}

// "exact", "scaled", "never ran", "offline", "denied", "not supported".
const char *quality_name(enum quality q);
bool quality_parse(const char *name, enum quality *ret);
static inline enum quality quality_worse(enum quality a, enum quality b)
{
    return a > b ? a : b;
}
