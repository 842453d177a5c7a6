// SPDX-License-Identifier: Apache-2.0
// Time as the program uses it: whole nanoseconds, in a type that says so.
#pragma once

#include <stdint.h>
#include <time.h>

typedef int64_t ns_t; // nanoseconds; a point in time (of which clock, its name says) or a duration

#define NS_PER_US  ((ns_t)1000)
#define NS_PER_MS  ((ns_t)1000000)
#define NS_PER_SEC ((ns_t)1000000000)

static inline ns_t timespec_ns(struct timespec t)
{
    return (ns_t)t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

// The clock's time now in ns. `id` is one that always exists (CLOCK_MONOTONIC, CLOCK_REALTIME, …).
static inline ns_t clock_ns(clockid_t id)
{
    struct timespec t = {0};

    clock_gettime(id, &t);
    return timespec_ns(t);
}
