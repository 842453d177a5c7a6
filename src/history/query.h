// SPDX-License-Identifier: Apache-2.0
// Any span of the history as a bounded number of points: from the tier that fits, out of the store
// and the ring as if they were one. A point costs a handful of stored buckets, however long it is.
//
// Threads: one query belongs to one thread (http); the session's lock is held only while rows of
// the ring are read, never while the store is.
#pragma once

#include "history/keeper.h"

struct query; // opaque

// `keeper` may be NULL: only the ring is there. 0 or -ENOMEM.
int query_new(struct session *session, struct keeper *keeper, struct query **ret);
void query_free(struct query *q);

// How a span is answered. Buckets cover t − resolution < time ≤ t.
struct query_plan {
    int64_t from_ms, to_ms;           // of the first and the last bucket there can be, inclusive
    int64_t rows_from_ms, rows_to_ms; // the span as it was asked for, as far as there is anything
    bool exact; // set by who asks: buckets at both ends hold only what is in the span (at the
                // begin: in the tier's resolution), instead of being whole
    int64_t resolution_ms;
    int64_t interval_ms; // of the current run, nominal; 0: unknown
    uint64_t per_bucket; // intervals in a full bucket
    size_t tier;         // the stored one that is read
    bool single;         // points are intervals: t is an interval's own time
    bool empty;          // there is nothing in the span
};

// The finest resolution that reaches back to the span's begin, or as far as anything does, and
// makes at most `points`. 0: full resolution, and of the span's rows the newest HISTORY_ROWS_MAX;
// where these are fewer, and begin after the span does because single intervals are not kept for so
// long, as with HISTORY_ROWS_MAX points. `from_ms` −INFINITY: no begin was asked for, and what
// there is of single intervals will do.
void query_plan(struct query *q, double from_ms, double to_ms, uint64_t points,
                struct query_plan *ret);

// Columns by id, of whichever run a point is of.
struct query_columns {
    const char *const *ids;
    size_t n;
    bool extremes; // bucket_extremes() is asked for; of single intervals they are their values
};

struct query_point {
    int64_t t_ms;
    uint64_t sequence;            // of the last interval; 0: of another run
    const struct bucket *bucket;  // only the slots asked for
    const struct column *columns; // [n] of its layout
    const bool *have;             // [n] its run has that column
};

// Points in order of time; false stops. Valid during the call.
typedef bool query_function(void *context, const struct query_point *point);
// The points of a plan whose t is in from … to (inclusive). 0 or -errno: what came is right, but
// not all. Not under the lock.
int query_points(struct query *q, const struct query_plan *plan, int64_t from_ms, int64_t to_ms,
                 struct slots slots, const struct query_columns *columns, query_function *point,
                 void *context);

// A plan for the samples of the current run behind `sequence` that have left the ring, at full
// resolution. Also of other runs' where these lie between. False: there are none.
bool query_past(struct query *q, uint64_t sequence, struct query_plan *ret);
