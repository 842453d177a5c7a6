// SPDX-License-Identifier: Apache-2.0
// Shared by ingest.c (what the records of a stream say) and ingest_push.c (the intervals that their
// readings make).
#pragma once

#include "history/ingest.h"
#include "history/sampled.h"
#include "model/grid.h"
#include "model/readings.h"

struct ingest {
    struct session *session;
    struct ingest_config config;
    struct stream_reader *reader;
    struct event_table events;
    struct readings readings;
    struct sampled *sampled; // of a recording of samples, which has no readings; else NULL
    struct sum *sums;        // [slot * n_events + event]
    double *gauge_base;      // the same; what gauges were at the baseline of a resumed stream
    size_t n_slots;
    struct grid grid;
    bool clock_known;
    bool baseline;     // the next round is one
    bool ended;        // the collector has said why
    bool begun;        // the keeper was asked
    uint64_t sequence; // before the first row
    ns_t last_time;
    int64_t last_timestamp;
    uint64_t skipped;   // notes and rounds that made no sense, beside the reader's own count
    uint64_t not_shown; // samples that no interval has
    bool dirty;         // something to tell session->changed
    bool no_memory;     // for the history: nothing can be shown
    bool ending;        // config.ending() said so
    ns_t asked;         // CLOCK_MONOTONIC, when it was asked
};

// Gives the session, and who else wants it, the interval that ends at `time` of the stream's clock.
// sums[slot * n_events + event].
void ingest_push(struct ingest *i, ns_t time, double seconds, const struct sum *sums);
// Is the process to end? Then no more intervals are made.
bool ingest_is_ending(struct ingest *i);
// All readings of a round are there.
void ingest_round(struct ingest *i, uint64_t time);
