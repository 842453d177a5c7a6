// SPDX-License-Identifier: Apache-2.0
// A recording of samples (perf record's) as a series: for each event that samples, how many samples
// an interval has, and what they stand for, the sum of their periods. That sum is an estimate, and
// named so: it is no count, and no metric takes it for one.
//
// Samples come ordered by CPU, not by time: intervals stay open until perf has drained its rings
// twice, or until there are too many.
#pragma once

#include "base/clock.h"
#include "model/event.h"
#include "model/reading.h"
#include "stream/head.h"

#define SAMPLED_INTERVAL (100 * NS_PER_MS)

struct sampled; // opaque

// One interval, oldest first. `end_ns`: after the begin, a multiple of SAMPLED_INTERVAL (below 0
// for samples from before it). sums[slot * n_events + event], as in struct interval.
typedef void (*sampled_function)(void *context, ns_t end_ns, const struct sum *sums);

// Are there events, and do all of them sample?
bool sampled_is(const struct stream_head *head);
// Adds the columns of the head's events to `events` (empty): "NAME samples" and, where periods are
// known, "NAME estimated". `begin_ns`: of the first interval, on the recording's clock; 0: the
// first sample's time. `function` gets the intervals. 0, -ENOMEM or -E2BIG. The head outlives it.
int sampled_new(const struct stream_head *head, ns_t begin_ns, size_t n_slots,
                struct event_table *events, sampled_function function, void *context,
                struct sampled **ret);
void sampled_free(struct sampled *s);

// Takes a sample. False when it could not be shown: without a time, or of an interval that was
// given out already.
bool sampled_take(struct sampled *s, size_t event, const struct sample *sample);
// End of the newest interval that a sample was in, as function gets it.
ns_t sampled_newest(const struct sampled *s);
// perf has drained its rings once: gives out what can get no more samples.
void sampled_drained(struct sampled *s);
// Nothing comes any more: gives out everything.
void sampled_end(struct sampled *s);
