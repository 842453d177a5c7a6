// SPDX-License-Identifier: Apache-2.0
// Counters that open and run, and stand still: what some hypervisors give their guests. Their 0 is
// not a measurement.
#pragma once

#include "collect/group.h"

// Counts this thread's cycles while it is busy for a millisecond; when there are none, takes the
// processor's events out of `set` (planned, nothing open) and says so in `events`. Does nothing,
// and takes no time, without such an event in it.
void standstill_drop(struct event_table *events, const struct perf_event_attr *attrs,
                     struct group_set *set);
