// SPDX-License-Identifier: Apache-2.0
// Intervals added up: what the tiers, the store and a chart's points are made of. A bucket holds
// raw sums with their times, so that buckets add up to what their intervals add up to, and a ratio
// is one of sums; and the least and the greatest value that a column had in one of its intervals.
//
// Times are an event's own; those of a group are the same unless it was counted in parts.
#pragma once

#include "history/history.h"

// The least, the greatest and the last value in an interval; NAN: there was none.
struct extremes {
    double min, max, last;
};

struct bucket_times {
    double enabled, running; // ns
};

struct bucket {
    const struct layout *layout; // not owned
    int64_t time_ms;             // end of the last interval
    double seconds;              // measured
    uint64_t run;                // number in the store of the last interval's run; 0: none
    uint64_t sequence;           // of the last interval in its run
    uint64_t intervals;          // 0: empty
    uint64_t missing;            // grid points at which nobody read: intervals grew by as many
    // By the layout's places; owned.
    double *raw;                // NAN: no value. Of a gauge: its increase
    uint64_t *empty;            // [raw place] intervals without a value
    struct bucket_times *times; // [times place]
    double *gauge_ns;           // [gauge place] between the readings that make the increase
    struct extremes *events;    // [raw place]
    struct extremes *metrics;   // [metric place]
};

// Which columns a caller looks at: rows of a ring are not computed beyond them. NULL: all.
struct wanted {
    const bool *events;  // [event]; inputs of the metrics as well
    const bool *metrics; // [metric]
    bool extremes;       // of them as well; those of metrics over a window are there without it
};

// Slots from … to (exclusive) of a bucket.
struct slots {
    size_t from, to;
};

// An empty one. 0 or -ENOMEM.
int bucket_init(struct bucket *b, const struct layout *layout);
void bucket_done(struct bucket *b);
void bucket_clear(struct bucket *b);
// What is of other slots then means nothing.
void bucket_clear_slots(struct bucket *b, struct slots slots);
// `to` is of an equal layout.
void bucket_copy(struct bucket *to, const struct bucket *b);

// One row of a ring, whose layout equals the bucket's. `interval_ms` is nominal (0: unknown).
// Under the session's lock.
void bucket_take(struct bucket *b, const struct history *h, uint64_t sequence, int64_t interval_ms,
                 struct slots slots, const struct wanted *wanted);
// Adds a bucket of an equal layout that is later.
void bucket_add(struct bucket *to, const struct bucket *b, struct slots slots,
                const struct wanted *wanted);

// The column over the whole bucket. A metric that is a rate over a window longer than the bucket
// has the value that it had in its last interval.
struct value bucket_value(const struct bucket *b, size_t slot, const struct column *column);
// How many intervals an event's value is of: those in which it has one. Of a gauge, a part of one
// as well; NAN when it has none.
double bucket_intervals(const struct bucket *b, size_t slot, const struct column *column);
// The mean of a count per interval; of a metric, its value. `value`: bucket_value()'s.
double bucket_mean(const struct bucket *b, size_t slot, const struct column *column, double value);
struct extremes bucket_extremes(const struct bucket *b, size_t slot, const struct column *column);

// A point of a chart, in the column's unit: its mean, the least and the greatest value of an
// interval, and the percent of the time in which it was counted; NAN: no value.
struct bucket_point {
    double mean, min, max, running_percent;
};
// What the functions above say, at once. `single`: the bucket is one interval, whose extremes are
// its value (and need not be there).
void bucket_point(const struct bucket *b, size_t slot, const struct column *column, bool single,
                  struct bucket_point *ret);

// The extremes of a bucket that is one interval, of the wanted columns, from its sums; but for
// those of metrics over a window, which do not follow from them.
void bucket_derive_extremes(struct bucket *b, size_t slot, const struct wanted *wanted);
