// SPDX-License-Identifier: Apache-2.0
// The events that every kernel names by itself: hardware, hardware cache, software. Names and
// aliases are perf's (linux: tools/perf/util/parse-events.c, evsel.c).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_name {
    const char *name, *alias; // alias: NULL without
    uint32_t type;            // perf_event_attr.type and .config
    uint64_t config;
    const char *description;
};

// The i-th of the table of hardware and software events, NULL beyond the last.
const struct event_name *event_names_at(size_t i);

#define CACHE_EVENT_NAME_MAX 40
// The i-th hardware cache event by perf's main name ("L1-dcache-load-misses"); false beyond the
// last.
bool event_names_cache_at(size_t i, char ret[CACHE_EVENT_NAME_MAX], uint64_t *ret_config);

// Type and config of a name or an alias; false when it is none of these. Cache events are known
// by all of perf's spellings, in upper or lower case: "L1-dcache-loads", "l1d-read-miss", "LLC".
bool event_names_find(const char *name, uint32_t *ret_type, uint64_t *ret_config);

// "r1a8": 'r' and up to 16 hexadecimal digits, a raw code of the processor.
bool event_names_raw(const char *name, uint64_t *ret_config);
