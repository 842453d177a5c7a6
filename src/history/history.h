// SPDX-License-Identifier: Apache-2.0
// The in-memory ring of full-resolution intervals. Fixed size from its first interval on: rows are
// columns of raw sums, so that any stretch of intervals can be added up and scaled afterwards.
//
// A row has slots: slot 0 is the target's total, slot 1 + c is CPU c (system-wide targets only).
//
// Threads: one writer (ingest) under the write lock; readers hold the read lock (session.h has it).
#pragma once

#include "base/clock.h"
#include "history/layout.h"

#define HISTORY_ROWS_MAX ((size_t)36000) // an hour at 100 ms
#define HISTORY_ROWS_MIN ((size_t)16)    // a ring below this shows nothing useful

struct history; // opaque

// One interval as ingest hands it over. Arrays are [slot * n + index] and owned by the caller.
struct interval {
    int64_t timestamp_ms; // end of the interval on the time grid, since the epoch
    double seconds;       // measured length
    const struct sum *
        sums; // [slot * n_events + event]; for a gauge, raw is its cumulative value (NAN: not read)
};

// A ring for intervals of these events with `n_slots` slots, of at most `rows` rows and about
// `memory` bytes: the smaller holds (at least 16 rows). Copies what it needs of `events`. 0,
// -ENOMEM, -EINVAL.
int history_new(const struct event_table *events, size_t n_slots, enum reading_scope scope,
                size_t rows, size_t memory, struct history **ret);
void history_free(struct history *h);

// Appends; the oldest row goes when it is full. The timestamp is made strictly increasing (previous
// + 1 at least).
void history_push(struct history *h, const struct interval *interval);

const struct layout *history_layout(const struct history *h);
const struct event_table *history_events(const struct history *h);
const struct metric_binding *history_metrics(const struct history *h, size_t *ret_n);
size_t history_slots(const struct history *h);
enum reading_scope history_scope(const struct history *h);
size_t history_capacity(const struct history *h);
size_t history_memory(const struct history *h); // bytes the full ring takes

// The sequence number of the next row is the one after `sequence`. Before the first row: a server
// that was started again goes on counting where the one before it stopped.
void history_continue(struct history *h, uint64_t sequence);

// Rows are named by their sequence number, from 1 for the first interval of the run. Held are first
// … last; nothing is there when last is first − 1.
uint64_t history_first(const struct history *h);
uint64_t history_last(const struct history *h);
// The first row with timestamp ≥ t; last + 1 when there is none.
uint64_t history_at_or_after(const struct history *h, int64_t timestamp_ms);

// Of a row that is held:
int64_t history_timestamp(const struct history *h, uint64_t sequence);
double history_seconds(const struct history *h, uint64_t sequence);
// Sums over the rows from … to (inclusive, held). For a gauge: its increase since the row before
// `from` (NAN when that is not known), with no times.
struct sum history_sum(const struct history *h, uint64_t from, uint64_t to, size_t slot,
                       size_t event);
// The time between the two readings of which history_sum() gives a gauge's increase; NAN when that
// is not known.
double history_gauge_seconds(const struct history *h, uint64_t from, uint64_t to, size_t slot,
                             size_t gauge);

bool history_column(const struct history *h, const char *id, struct column *ret);

// A column's value over the rows from … to.
struct value history_value(const struct history *h, uint64_t from, uint64_t to, size_t slot,
                           const struct column *column);
