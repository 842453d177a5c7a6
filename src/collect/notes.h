// SPDX-License-Identifier: Apache-2.0
// Renders the collector's notes for the stream: JSON objects for what perf.data has no field for.
// docs/stream.md lists them; the server reads them in history/note.c.
#pragma once

#include "base/buf.h"
#include "collect/collector.h"
#include "collect/machine.h"

struct notes_status {
    uint64_t missed_ticks;
    uint64_t dropped_rounds;
    double cpu_percent; // of one core, since the last status
    int64_t rss_bytes;
};

// Each appends one record. `resumed`: the stream begins in the middle of a run.
void notes_stream(struct buf *out, const struct collector *c, const struct machine *m,
                  const char *run, bool resumed);
// CPUs went offline or came online.
void notes_online(struct buf *out, const char *online);
void notes_events(struct buf *out, const struct collector *c);
void notes_status(struct buf *out, const struct notes_status *status);
void notes_text(struct buf *out, const char *severity, const char *text);
void notes_end(struct buf *out, const char *reason);

// One sentence for what this machine cannot count, "" when it counts all that was asked for. `ret`
// holds `size`.
void notes_missing(const struct collector *c, const struct machine *m, char *ret, size_t size);
