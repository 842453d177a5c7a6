// SPDX-License-Identifier: Apache-2.0
// The notes in a stream: JSON objects for what perf.data has no field for. docs/stream.md lists
// them.
#pragma once

#include "history/session.h"

// What a note asks of ingest beyond the session's texts.
struct note_effect {
    bool resumed; // the first round of this stream is a baseline, not an interval
    bool ended;   // the collector said goodbye (session->reason)
    bool meta;    // what /api/meta tells has changed
};

// Applies one note to the session and, while `events` may still change (before the first interval;
// else NULL), to the event it is about. Under the write lock. Unknown notes and malformed ones
// change nothing; false for malformed ones.
bool note_apply(struct session *s, struct event_table *events, size_t event, const char *json,
                size_t size, struct note_effect *ret);
