// SPDX-License-Identifier: Apache-2.0
// The collector: opens a target's events, reads all of them at a tick, and keeps the cumulative
// readings. What is done with them (stream, CSV) is the caller's. A tick allocates nothing.
#pragma once

#include "base/clock.h"
#include "collect/cpu_time.h"
#include "collect/event_list.h"
#include "collect/online.h"
#include "collect/plan.h"
#include "collect/pressure.h"
#include "collect/regroup.h"
#include "collect/sentinel.h"

// An event that is the part of another one's CPUs that are of one core type.
struct collector_part {
    size_t event, of; // indexes into the event table
    const struct core_type *type;
};

struct collector {
    struct target target; // owned from collector_open() on
    struct event_table events;
    struct perf_event_attr *attrs; // of the events that are counts, by their index; owned
    struct group_set groups;
    struct collector_part *parts; // of a hybrid processor's CPUs; owned
    size_t n_parts;
    struct online online;
    uint64_t cpus_seen; // see cpu_time.h
    struct sentinel sentinel;
    struct cpu_time cpu_time;
    struct pressure pressure;
    struct readings readings;
    struct regroup regroup;
    ns_t gauges_due, last_read; // CLOCK_MONOTONIC
    // How long it took to open the descriptors (looking for threads that were born meanwhile
    // included), and to enable them.
    ns_t opening, enabling;
};

// Plans and opens `list` for `target` (taken over, also on failure); events are disabled until
// collector_start(). An event that does not open is in `events` with the reason, and no error. 0,
// or -errno with a sentence in ret_message (EVENT_REASON_MAX).
int collector_open(struct collector *c, const struct event_list *list, struct target *target,
                   char *ret_message);
void collector_close(struct collector *c);
// Enables everything (a command's events wait for its exec): counts and CPU time are zero now.
// `reference`: the time grid's, CLOCK_MONOTONIC.
void collector_start(struct collector *c, ns_t reference);
// Reads everything into c->readings. `now`: CLOCK_MONOTONIC. True when CPUs went offline or came
// online (or did both): c->online.text and the target have the new list, what went has been read
// for the last time, and what came is counted from now on.
bool collector_read(struct collector *c, ns_t now);
// After a tick's work, until CLOCK_MONOTONIC is `until` or a little longer: what has to be done so
// that every event gets counters. True when there is something to tell (REGROUP_TEXT_MAX).
bool collector_regroup(struct collector *c, ns_t until, char *ret_text);
// Has the next reading take what is not read each time too: for a run that ends.
void collector_hurry(struct collector *c);

// How many events count, of all or of hardware events only; descriptors open.
size_t collector_counting(const struct collector *c, bool hardware_only);
size_t collector_descriptors(const struct collector *c);
