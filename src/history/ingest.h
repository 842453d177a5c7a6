// SPDX-License-Identifier: Apache-2.0
// From the stream's records to the session's history. The only writer of the session.
#pragma once

#include "history/keeper.h"
#include "stream/file_mode.h"

struct ingest; // opaque

struct ingest_config {
    size_t rows;   // HISTORY_ROWS_MAX unless a test wants fewer
    size_t memory; // bound of what the history holds, bytes
    // A stream whose events, CPUs and ids, and what its compression refers back to, take more than
    // twice that memory is refused.
    bool bounded;
    // CLOCK_REALTIME of the begin of a stream that doesn't say it; 0: its first interval is of now.
    ns_t begin;
    // Gets each interval after the history did, without the lock; NULL: nobody.
    void (*interval)(void *context, const struct interval *interval);
    // Is the process to end? Asked now and then between intervals, of which a few bytes of a
    // hostile stream can make many: what comes after a yes makes none. NULL: never.
    bool (*ending)(void *context);
    void *context;
    struct keeper *keeper; // keeps what leaves the ring; NULL: nobody does
};

// 0 or -ENOMEM. `session` outlives it.
int ingest_new(struct session *session, const struct ingest_config *config, struct ingest **ret);
void ingest_free(struct ingest *i);
// Takes the next bytes of the stream. 0, or the error that ended the reading: the session says why
// then.
// Takes the beginning of a file, which perf's file mode doesn't have in order: see
// file_mode_begin().
int ingest_begin_file(struct ingest *i, const struct stream_file *file, struct stream_extent *ret);
int ingest_feed(struct ingest *i, const void *bytes, size_t size);
// The stream has ended: the session says so, and goes on being there.
void ingest_end(struct ingest *i);
// The same, for a reason that the stream itself cannot say.
void ingest_end_because(struct ingest *i, const char *reason);
// What has been read; stays its own.
const struct stream_reader *ingest_reader(const struct ingest *i);
