// SPDX-License-Identifier: Apache-2.0
// What `cyclescope report` says of a recording beside its intervals: for people, and as JSON.
#pragma once

#include "base/json.h"
#include "history/session.h"
#include "model/totals.h"
#include "output/stat_text.h"

// Of an event that samples.
struct report_sampled {
    const char *name, *unit; // unit of the estimate
    uint64_t samples;
    uint64_t estimated; // what they stand for: an estimate of the event's count
    bool known;         // the estimate is: periods were recorded
};

struct report_skipped {
    uint64_t type, records;
};

struct report {
    const char *name;    // the recording's; any bytes, as all texts here
    const char *version; // of the program that recorded it
    const struct session *session;
    const struct totals *totals; // NULL: it holds no interval
    bool per_cpu;
    int64_t first_ms, last_ms; // begin of its first and end of its last interval, since the epoch
    bool clock_known;          // if not, they are the file's
    uint64_t gaps;             // stretches in which there is no interval …
    double gap_seconds;        // … and their length
    const struct report_sampled *sampled; // n_sampled; none in a recording of counts
    size_t n_sampled;
    uint64_t records, skipped_records, skipped_bytes, lost, throttled;
    const struct report_skipped *skipped; // by type, n_skipped
    size_t n_skipped;
    const char *trouble; // a sentence: what it ends with is missing. NULL: it is whole
};

void report_text(const struct report *r, struct buf *out);
// As members of the object that is open: "recording" and "totals" (docs/report.md).
void report_json(const struct report *r, struct json *j);
