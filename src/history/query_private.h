// SPDX-License-Identifier: Apache-2.0
// Shared by query.c (plans) and query_read.c (points).
#pragma once

#include "history/query.h"

// Runs with the same columns in the same places share one.
struct shape {
    struct layout layout;
    struct bucket row;   // a stored row, or one of the ring
    struct bucket point; // rows of it added up
    struct column *columns;
    bool *have;
    struct wanted wanted;
    bool *wanted_events, *wanted_metrics; // what `wanted` points to
    bool bound;                           // to this question's columns
};

struct known_run {
    uint64_t number;
    struct shape *shape; // NULL: it could not be read
    bool current;        // the session's own
};

struct query {
    struct session *session;
    struct keeper *keeper;
    struct shape **shapes;
    size_t n_shapes;
    struct known_run *runs;
    size_t n_runs;
    unsigned generation; // of the store that they are of
    struct shape *ring;  // the session's
    char run[17];        // the session's
    // Of the question at hand:
    const struct query_plan *plan;
    struct slots slots;
    const struct query_columns *columns;
    query_function *function;
    void *context;
    int64_t from_ms, to_ms; // points outside are left out
    struct shape *shape;    // of the open point; NULL: none
    int64_t t_ms;
    bool current; // all of the open point is of the session's run
    bool stopped;
    // Of the tier at hand:
    uint64_t unknown; // number of a run that has to be read first; 0: none
    int64_t at_ms;    // time of the newest row that was taken
};

// query_shape.c: 0 or -ENOMEM.
int query_shape_of(struct query *q, struct layout *layout, struct shape **ret); // takes the layout
int query_ring_shape(struct query *q);
struct known_run *query_run_of(struct query *q, uint64_t number);
int query_load_run(struct query *q, uint64_t number);
// Forgets the runs of a file that was set aside.
void query_forget_others_runs(struct query *q);
int query_bind(struct query *q, struct shape *s);
void query_forget(struct query *q);
