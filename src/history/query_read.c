// SPDX-License-Identifier: Apache-2.0
// From stored rows and the ring's to points.
#include "history/query_private.h"

#include "history/pack.h"

#include <errno.h>
#include <string.h>

#define RING_ROWS_AT_ONCE 256 // under one hold of the session's lock: about a ms

static void emit(struct query *q)
{
    struct query_point p = {.t_ms = q->t_ms};

    if (!q->shape)
        return;
    p.bucket = &q->shape->point;
    p.columns = q->shape->columns;
    p.have = q->shape->have;
    p.sequence = q->current ? p.bucket->sequence : 0;
    q->shape = NULL;
    if (q->t_ms < q->from_ms || q->t_ms > q->to_ms || q->stopped)
        return;
    q->stopped = !q->function(q->context, &p);
}

static void add(struct query *q, struct shape *shape, bool current)
{
    const struct bucket *row = &shape->row;
    struct bucket first;
    int64_t t_ms =
        q->plan->single ? row->time_ms : ladder_end(row->time_ms, q->plan->resolution_ms);

    q->at_ms = row->time_ms;
    if (q->shape && (t_ms != q->t_ms || q->plan->single))
        emit(q);
    // What cannot be added up: two runs with other columns in one bucket. The longer one stands.
    if (q->shape && q->shape != shape) {
        if (q->shape->point.seconds >= row->seconds)
            return;
        q->shape = NULL;
    }
    if (q->shape) {
        q->current &= current;
        bucket_add(&shape->point, row, q->slots, &shape->wanted);
        return;
    }
    // The first row is the point, as it is.
    first = shape->point;
    shape->point = shape->row;
    shape->row = first;
    q->shape = shape;
    q->t_ms = t_ms;
    q->current = current;
}

static bool take_stored(void *context, int64_t time_ms, const void *bytes, size_t size)
{
    struct query *q = context;
    struct known_run *run;
    uint64_t number, sequence;

    if (unpack_origin(bytes, size, &number, &sequence) < 0)
        return true; // a row that nobody understands is a gap
    run = query_run_of(q, number);
    if (!run) {
        q->unknown = number;
        return false;
    }
    if (!run->shape || (!run->shape->bound && query_bind(q, run->shape) < 0) ||
        q->slots.to > run->shape->layout.n_slots ||
        unpack_bucket(bytes, size, q->slots, &run->shape->wanted, &run->shape->row) < 0)
        return true;
    run->shape->row.time_ms = time_ms;
    add(q, run->shape, run->current);
    return !q->stopped;
}

static int read_store(struct query *q, size_t tier, int64_t line, int64_t to_ms)
{
    int r;

    do {
        query_forget_others_runs(q);
        q->unknown = 0;
        r = store_read(keeper_store(q->keeper), tier, line, q->at_ms, to_ms, take_stored, q);
        if (r == 0 && q->unknown)
            r = query_load_run(q, q->unknown);
    } while (r == 0 && q->unknown);
    return r;
}

// Rows of the ring after the newest that was taken. False when there may be more.
static bool read_ring_part(struct query *q, int64_t to_ms, int64_t interval_ms)
{
    const struct history *h = q->session->history;
    uint64_t row, last;

    if (!h || strcmp(q->run, q->session->run) != 0)
        return true; // another run has begun
    row = history_at_or_after(h, q->at_ms + 1);
    last = history_last(h);
    for (size_t n = 0; row <= last && n < RING_ROWS_AT_ONCE; row++, n++) {
        if (history_timestamp(h, row) > to_ms || q->stopped)
            return true;
        bucket_take(&q->ring->row, h, row, interval_ms, q->slots, &q->ring->wanted);
        add(q, q->ring, true);
    }
    return row > last;
}

static int read_ring(struct query *q, int64_t to_ms)
{
    bool done = false;

    if (q->slots.to > q->ring->layout.n_slots)
        return 0;
    if (!q->ring->bound && query_bind(q, q->ring) < 0)
        return -ENOMEM;
    while (!done) {
        session_read_lock(q->session);
        done = read_ring_part(q, to_ms, q->session->interval_ms);
        session_unlock(q->session);
    }
    return 0;
}

static int64_t ring_first(struct query *q)
{
    const struct history *h;
    int64_t first = INT64_MAX;

    session_read_lock(q->session);
    h = q->session->history;
    if (h && history_last(h) >= history_first(h))
        first = history_timestamp(h, history_first(h));
    session_unlock(q->session);
    return first;
}

static int read_all(struct query *q, int64_t to_ms)
{
    struct keeper_status status = {0};
    int r = 0;

    if (q->keeper)
        keeper_status(q->keeper, &status);
    // What a tier has not got yet is in the next finer one, and in the end in the ring.
    for (size_t t = q->plan->tier; r == 0 && t > 0 && status.line && !q->stopped; t--)
        if (status.first_ms[t])
            r = read_store(q, t, status.line, to_ms);
    if (r == 0 && status.line && !q->stopped) {
        int64_t first = ring_first(q);

        if (q->at_ms + 1 < first)
            r = read_store(q, 0, status.line, to_ms < first - 1 ? to_ms : first - 1);
    }
    if (r == 0 && !q->stopped)
        r = read_ring(q, to_ms);
    emit(q);
    return r;
}

int query_points(struct query *q, const struct query_plan *plan, int64_t from_ms, int64_t to_ms,
                 struct slots slots, const struct query_columns *columns, query_function *point,
                 void *context)
{
    int r = query_ring_shape(q);

    if (plan->empty || from_ms > to_ms)
        return 0;
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    for (size_t i = 0; i < q->n_shapes; i++)
        q->shapes[i]->bound = false;
    q->plan = plan;
    q->slots = slots;
    q->columns = columns;
    q->function = point;
    q->context = context;
    q->from_ms = from_ms;
    q->to_ms = to_ms;
    q->shape = NULL;
    q->stopped = false;
    q->at_ms = plan->single ? from_ms - 1 : from_ms - plan->resolution_ms;
    if (plan->exact && q->at_ms < plan->rows_from_ms - 1)
        q->at_ms = plan->rows_from_ms - 1;
    return read_all(q, plan->exact && to_ms > plan->rows_to_ms ? plan->rows_to_ms : to_ms);
}

struct first_row {
    int64_t time_ms; // 0: there is none
    uint64_t number, sequence;
};

static bool take_first(void *context, int64_t time_ms, const void *bytes, size_t size)
{
    struct first_row *first = context;

    if (unpack_origin(bytes, size, &first->number, &first->sequence) < 0)
        return true;
    first->time_ms = time_ms;
    return false;
}

static bool is_current(struct query *q, uint64_t number)
{
    struct known_run *run = query_run_of(q, number);

    if (!run && query_load_run(q, number) == 0)
        run = query_run_of(q, number);
    return run && run->current;
}

bool query_past(struct query *q, uint64_t sequence, struct query_plan *ret)
{
    struct keeper_status status = {0};
    int64_t low, high, end = ring_first(q) - 1;

    if (q->keeper)
        keeper_status(q->keeper, &status);
    if (!status.line || !status.first_ms[0] || query_ring_shape(q) < 0)
        return false;
    query_forget_others_runs(q);
    // Sequence numbers grow with the time: the last row up to `sequence` is looked for by halving.
    for (low = status.first_ms[0] - 1, high = end; low < high;) {
        int64_t middle = low + (high - low) / 2;
        struct first_row first = {0};

        if (store_read(keeper_store(q->keeper), 0, status.line, middle, high, take_first, &first) <
            0)
            return false;
        if (!first.time_ms || (is_current(q, first.number) && first.sequence > sequence))
            high = middle;
        else
            low = first.time_ms;
    }
    *ret = (struct query_plan){.from_ms = low + 1,
                               .to_ms = end,
                               .resolution_ms = status.interval_ms > 0 ? status.interval_ms : 1,
                               .interval_ms = status.interval_ms,
                               .per_bucket = 1,
                               .single = true,
                               .empty = low >= end};
    return !ret->empty;
}
