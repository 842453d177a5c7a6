// SPDX-License-Identifier: Apache-2.0
// Runs groups for a moment, to see which of them never get counters: with the NMI watchdog on, and
// on PMUs that take any group, one can open and never run.
#pragma once

#include "collect/group.h"

// Opens all groups of `set` beside each other, on `place`'s CPU or on this thread, until each of
// several events that needs a PMU has run, or its turn would have come. Sets starved[i] of those
// that have not. Nothing is done, and no time spent, where no such group is. 0 or -ENOMEM.
int trial_run(const struct group_set *set, const struct perf_event_attr *attrs,
              const struct group_place *place, bool *starved);
