// SPDX-License-Identifier: Apache-2.0
// What /api/span gathers (span.c) and makes text of (span_render.c).
#pragma once

#include "api/api_private.h"

// A column over the whole span.
struct whole {
    bool count, fractions;  // what kind of a column it is
    double sum;             // of a count; NAN: it has no value
    double intervals;       // that went into it
    double ratio, weight;   // of a metric: its value times seconds, and these seconds
    double running, ran_of; // percent times seconds, and these seconds
};

struct span {
    struct api *api;
    struct selection columns;
    struct query_plan plan;
    size_t slot;
    size_t n_buckets, n_columns;
    size_t capacity; // buckets
    size_t bytes;    // of the values
    double *values;  // [column * capacity + bucket], means; then as many for scratch
    struct whole *whole;
    int64_t next_ms;    // where the buckets go on
    double from_ms, to; // what is really covered
    double seconds;
    // All buckets since the columns were others (of another run), added up.
    struct layout layout;
    struct bucket total;
    bool totalling;
    const struct layout *seen; // during a call: equal to ours
    bool failed;
    struct buf n;  // the matrix of how many pairs there are, while that of r is rendered
    size_t column; // the next one to render
    size_t row;    // of the correlations, the same
    bool opened, correlating;
};

// {"from":…,"columns":{
void span_render_head(struct span *s, struct buf *out);
// The next column's statistics.
void span_render_column(struct span *s, struct buf *out);
// The end of the columns, and the names of the matrices.
void span_render_names(struct span *s, struct buf *out);
// The next row of both matrices; that of how many pairs there are stays in `n`.
void span_render_row(struct span *s, struct buf *out);
