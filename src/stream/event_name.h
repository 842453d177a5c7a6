// SPDX-License-Identifier: Apache-2.0
// An event's name from its attr, and its exclude bits from its name, as perf does both: `perf stat
// record` leaves the name out where it follows from the attr. Source: linux,
// tools/perf/util/evsel.c (evsel__name, evsel__add_modifiers), tools/perf/util/parse-events.l.
#pragma once

#include "model/event.h"

// What of an attr is in an event's name.
struct event_attr {
    uint32_t type;
    uint64_t config;
    bool exclude_user, exclude_kernel, exclude_hv, exclude_host, exclude_guest;
    unsigned precise_ip; // 0–3
};

// The name that perf prints for such an event ("cycles:u", "L1-dcache-load-misses", "raw 0x1a8").
// An event of a PMU whose name is not known is "type11/config=0x3/".
void event_name(const struct event_attr *attr, char ret[EVENT_NAME_MAX]);

// The attr of an event that was opened under this name: type and config as given, the excludes from
// the modifiers at its end ("instructions:u", "cpu/event=0x3c/k"; not the second half of a
// tracepoint's "sched:sched_switch").
struct event_attr event_name_attr(uint32_t type, uint64_t config, const char *name);
