// SPDX-License-Identifier: Apache-2.0
// Buckets as bytes: what the store keeps of all slots, exactly and in little room. docs/history.md
// describes the format; its first byte is its version.
#pragma once

#include "base/buf.h"
#include "history/bucket.h"

#define PACK_VERSION        3 // each event's times
#define PACK_VERSION_GROUPS 2 // each group's: still written where its events have the same

// Appends a bucket. `aggregated`: of a tier; else it is one
// interval, whose extremes follow from its values.
void pack_bucket(struct buf *out, const struct bucket *b, bool aggregated);

// The run's number, which says the layout, and the sequence of the last interval. 0 or -EBADMSG.
int unpack_origin(const void *bytes, size_t size, uint64_t *ret_run, uint64_t *ret_sequence);
// Takes the slots of `slots` out of it: `b` has the run's layout. Its time is not in it. The
// extremes of an interval are computed for the wanted columns; what is of other slots, or of
// columns that are not wanted, then means nothing. 0 or -EBADMSG, and `b` is then of no use.
int unpack_bucket(const void *bytes, size_t size, struct slots slots, const struct wanted *wanted,
                  struct bucket *b);
