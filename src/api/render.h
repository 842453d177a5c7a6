// SPDX-License-Identifier: Apache-2.0
// Samples as JSON: the one rendering that /api/latest, /api/data and /api/stream share.
#pragma once

#include "base/buf.h"
#include "history/query.h"

// The columns that a client wants. Bound to a run's history, and again when there is another: then
// a name is a column.
struct selection {
    char *names; // "a,b" as it was asked for; NULL: all columns. Owned
    size_t n;
    struct column *columns;        // owned; they point into the history
    struct buf keys;               // `,"cycles":` of each, one behind the other
    size_t *key_ends;              // owned
    const char **ids;              // [n], good for as long as it is not bound anew; owned
    struct buf id_text;            // what they point into
    struct buf quality;            // scratch
    const struct history *history; // bound to; only compared
    size_t n_slots;                // of it
    char run[sizeof(((struct session *)0)->run)];
};

// Copies `names`. 0 or -ENOMEM.
int selection_init(struct selection *s, const char *names);
void selection_done(struct selection *s);
// Under the read lock; cheap when it is bound already. Names that this history does not have are
// left out. 1 when it is bound to another run than before (also the first time), 0 when nothing
// changed, -ENOMEM.
int selection_bind(struct selection *s, const struct session *session);
// The same, not under the lock, of a history that may not be there yet: no columns then. 0,
// -ENOMEM.
int selection_bind_once(struct selection *s, struct session *session);
// The first name in "a,b" that the history has not, or that is empty: its place and length. NULL:
// all are there.
const char *selection_unknown(const char *names, const struct history *h, size_t *ret_length);

// Of rows from … to, which are held, added up (one row: from == to). Under the read lock, with `s`
// bound to `h`.
// {"timestamp":…,"seconds":…,"sequence":…,"cycles":…,…,"quality":{…}} without its closing brace.
void render_sample_open(struct buf *out, struct selection *s, uint64_t from, uint64_t to,
                        size_t slot);
// The same of a point of a plan, whose columns are those of `s` in their order; with
// "resolution_ms" after the sequence where it is not a single interval.
void render_point_open(struct buf *out, struct selection *s, const struct query_plan *plan,
                       const struct query_point *p, size_t slot);
// {"cycles":…,…,"quality":{…}} of a slot.
void render_columns(struct buf *out, struct selection *s, uint64_t from, uint64_t to, size_t slot);
void render_point_columns(struct buf *out, struct selection *s, const struct query_point *p,
                          size_t slot);
// "interval_ms":…,"resolution_ms":…,"per_bucket":… of a plan, without braces.
void render_plan(struct buf *out, const struct query_plan *plan);
// A number as JSON: a count is whole, a metric has six significant digits, what is not finite is
// null.
void render_count(struct buf *out, double value);
// As the column's kind wants it.
void render_value(struct buf *out, const struct column *column, double value);
void render_metric(struct buf *out, double value);
// The same of many, with commas between them: values[0], values[step], …, each as a count when
// `whole`, else as a metric.
void render_numbers(struct buf *out, const double *values, size_t n, size_t step, bool whole);
