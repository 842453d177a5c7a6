// SPDX-License-Identifier: Apache-2.0
// `cyclescope stat`'s line an interval: as many columns as fit the terminal, the most telling
// first.
//
//         time  CPU use    IPC   cycles  cache miss  counted
//                    %               /s           %        %
//     18:42:01     12.3   1.23    2.31G       12.3~       75
//
// A "~" marks what is scaled, and the last column then says in how much of the time it was counted
// at the least.
#pragma once

#include "base/buf.h"
#include "history/history.h"

struct stat_column; // opaque

struct stat_table {
    struct stat_column *columns; // owned
    size_t n;
    size_t n_shown; // that fit
    bool counted;   // the last column is there
    bool fraction;  // times have ms
};

// Chooses the columns that have values here. `events_first`: they were asked for by name.
// interval_ms: nominal. 0 or -ENOMEM.
int stat_table_init(struct stat_table *t, const struct history *h, bool events_first,
                    int64_t interval_ms);
void stat_table_done(struct stat_table *t);
// Fits the table into `width` characters (0: no limit). True when other columns than before are
// shown, so that a new header is needed.
bool stat_table_fit(struct stat_table *t, size_t width);
void stat_table_header(const struct stat_table *t, struct buf *out);
// The interval `sequence` of the history.
void stat_table_line(const struct stat_table *t, const struct history *h, uint64_t sequence,
                     struct buf *out);
// The same of each CPU that has values, a line each; returns how many.
size_t stat_table_cpu_lines(const struct stat_table *t, const struct history *h, uint64_t sequence,
                            struct buf *out);
