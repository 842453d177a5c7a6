// SPDX-License-Identifier: Apache-2.0
// Reads a CSV of intervals that may come from anybody, in pieces of any size: a header that names a
// column `timestamp`, then a row of numbers for each interval. It never reads a descriptor itself,
// and holds at most one line and the header.
//
// Lines end in LF or CRLF; empty ones and spaces around fields are nothing; a field may stand in
// double quotes. A field that is no number has no value. A row without a timestamp, with more or
// fewer fields than the header, or beyond CSV_LINE_MAX is skipped and counted. The last line is
// waited for until its newline has come. A header in mid-file counts from there on.
//
// Threads: one at a time.
#pragma once

#include "model/event.h"

#define CSV_COLUMNS_MAX ((size_t)512)     // the bridge's rows have at most 200
#define CSV_LINE_MAX    ((size_t)1 << 16) // as many names of EVENT_NAME_MAX bytes

struct csv_reader; // opaque

// What the reader calls, in the order of the lines. What they are given is valid until they return.
struct csv_handler {
    // The columns beside the timestamp, as the header names them, cut at EVENT_NAME_MAX. Less than
    // 0 ends the reading with this error.
    int (*header)(void *context, const char (*names)[EVENT_NAME_MAX], size_t n);
    // values[column]: NAN where there is none. The timestamp, which the file may give in seconds,
    // ms, µs or ns, is in ms since the epoch.
    void (*row)(void *context, int64_t timestamp_ms, const double *values);
};

// Copies `handler`. 0 or -ENOMEM.
int csv_reader_new(const struct csv_handler *handler, void *context, struct csv_reader **ret);
void csv_reader_free(struct csv_reader *r);

// Takes the next bytes. 0, or what ended the reading, now and at each later call until a restart:
// -EPROTO (the first line is no header of such a CSV), -E2BIG (too many columns), or what header()
// returned.
int csv_reader_feed(struct csv_reader *r, const void *bytes, size_t size);
// What follows is the beginning of a file: half a line is forgotten, and so is an error. The
// columns are not: header() is called only where they are others.
void csv_reader_restart(struct csv_reader *r);

uint64_t csv_reader_malformed(const struct csv_reader *r); // rows that were skipped
