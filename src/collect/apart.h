// SPDX-License-Identifier: Apache-2.0
// A group of which the events are counted in parts for a while, because somebody else has taken so
// many counters that it never runs: each two sides of a ratio by themselves, or, where not even two
// counters are free, each event. In the stream they stay what they are, with their ids and totals;
// only their times are no longer the same, which tells that they were not counted together.
//
// The group stays open. On CPUs it is disabled, since one that cannot run keeps those behind it in
// the kernel's queue from running too, and is tried from time to time. On tasks it stays enabled:
// it was inherited by children that the parts, opened later, do not reach, and its enabled time,
// which has theirs in it, is what the parts' counts are scaled to.
#pragma once

#include "collect/group.h"

enum apart_state {
    APART_NOT,     // counted as a whole
    APART_OPENING, // row by row
    APART_COUNTED,
    APART_JOINING, // the whole takes over again, row by row
};

struct apart {
    enum apart_state state;
    struct group *parts; // owned
    size_t n_parts;
    size_t next_row;     // of opening or joining
    bool singles;        // each part is one event
    bool refused;        // the last time, its parts could not be opened
    unsigned rest;       // looks until that is tried again
    bool tasks, trying;  // is the whole enabled, to see whether it runs?
    unsigned looks;      // since the last try
    unsigned wait;       // looks until the next, of either try
    struct reading *ran; // [row]: the whole's times when it was looked at last; owned
};

// The parts: pairs, or single events. `ret`: as many as the group has events; their memory for
// descriptors is not there yet. Returns how many they are.
size_t apart_plan(const struct event_table *events, const struct group *whole, bool singles,
                  struct group *ret);

// Begins to count the group in parts, or, of one that is, in smaller ones. 0, or -errno: it stays
// as it is.
int apart_begin(struct apart *a, const struct group *whole, const struct event_table *events,
                const struct perf_event_attr *attrs, const struct target *target);
// Goes on, of one that is opening or joining, until CLOCK_MONOTONIC is `until`, one row at least.
// 0, or -errno: the parts cannot be opened; the whole then takes over again, and they are refused
// for a while.
int apart_step(struct apart *a, struct group *whole, const struct event_table *events,
               const struct perf_event_attr *attrs, const struct target *target,
               struct readings *readings, ns_t until);
// After the whole was read: what the parts have counted instead of it.
void apart_read(const struct apart *a, ns_t elapsed, struct readings *readings);
// To be called once in STARVE_AFTER. True when the whole runs again, and began to take over.
bool apart_look(struct apart *a, const struct group *whole);
void apart_done(struct apart *a);
