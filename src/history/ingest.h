// SPDX-License-Identifier: Apache-2.0
// From the stream's records to the session's history. The only writer of the session.
#pragma once

#include "history/keeper.h"

struct ingest; // opaque

struct ingest_config {
    size_t rows;           // HISTORY_ROWS_MAX unless a test wants fewer
    size_t memory;         // bound of what the history holds, bytes
    struct keeper *keeper; // keeps what leaves the ring; NULL: nobody does
};

// 0 or -ENOMEM. `session` outlives it.
int ingest_new(struct session *session, const struct ingest_config *config, struct ingest **ret);
void ingest_free(struct ingest *i);
// Takes the next bytes of the stream. 0, or the error that ended the reading: the session says why
// then.
int ingest_feed(struct ingest *i, const void *bytes, size_t size);
// The stream has ended: the session says so, and goes on being there.
void ingest_end(struct ingest *i);
