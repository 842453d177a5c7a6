// SPDX-License-Identifier: Apache-2.0
// The runs that a question comes across, and which of their columns it asks for.
#include "history/query_private.h"

#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void shape_free(struct shape *s)
{
    bucket_done(&s->row);
    bucket_done(&s->point);
    layout_done(&s->layout);
    free(s->columns);
    free(s->have);
    free(s->wanted_events);
    free(s->wanted_metrics);
    free(s);
}

void query_forget(struct query *q)
{
    for (size_t i = 0; i < q->n_shapes; i++)
        shape_free(q->shapes[i]);
    free(q->shapes);
    free(q->runs);
    q->shapes = NULL;
    q->runs = NULL;
    q->n_shapes = q->n_runs = 0;
    q->ring = NULL;
}

int query_shape_of(struct query *q, struct layout *layout, struct shape **ret)
{
    struct shape **shapes, *s;

    for (size_t i = 0; i < q->n_shapes; i++)
        if (layout_equal(&q->shapes[i]->layout, layout)) {
            layout_done(layout);
            *ret = q->shapes[i];
            return 0;
        }
    s = calloc(1, sizeof(*s));
    shapes = reallocarray(q->shapes, q->n_shapes + 1, sizeof(struct shape *));
    if (shapes)
        q->shapes = shapes;
    if (!s || !shapes) {
        free(s);
        layout_done(layout);
        return -ENOMEM;
    }
    s->layout = *layout;
    s->wanted_events = calloc(layout->events.n + 1, sizeof(bool));
    s->wanted_metrics = calloc(layout->n_metrics + 1, sizeof(bool));
    s->wanted = (struct wanted){.events = s->wanted_events, .metrics = s->wanted_metrics};
    if (!s->wanted_events || !s->wanted_metrics || bucket_init(&s->row, &s->layout) < 0 ||
        bucket_init(&s->point, &s->layout) < 0) {
        shape_free(s);
        return -ENOMEM;
    }
    q->shapes[q->n_shapes++] = s;
    *ret = s;
    return 0;
}

// The ring's columns don't change while the run is the same. Only a CSV begins another one, when
// its header changes.
int query_ring_shape(struct query *q)
{
    struct layout layout;
    int r = -ENOENT;

    session_read_lock(q->session);
    if (q->ring && strcmp(q->run, q->session->run) == 0) {
        session_unlock(q->session);
        return 0;
    }
    query_forget(q);
    if (q->session->history) {
        const struct layout *l = history_layout(q->session->history);

        text_copy(q->run, sizeof(q->run), q->session->run);
        r = layout_init(&layout, &l->events, l->n_slots, l->scope);
    }
    session_unlock(q->session);
    return r < 0 ? r : query_shape_of(q, &layout, &q->ring);
}

struct known_run *query_run_of(struct query *q, uint64_t number)
{
    for (size_t i = q->n_runs; i-- > 0;)
        if (q->runs[i].number == number)
            return &q->runs[i];
    return NULL;
}

void query_forget_others_runs(struct query *q)
{
    unsigned generation = store_generation(keeper_store(q->keeper));

    if (generation != q->generation)
        q->n_runs = 0;
    q->generation = generation;
}

int query_load_run(struct query *q, uint64_t number)
{
    struct known_run *runs = reallocarray(q->runs, q->n_runs + 1, sizeof(*runs));
    struct known_run known = {.number = number};
    struct layout layout;
    int64_t interval_ms;
    char run[17];
    int r;

    if (!runs)
        return -ENOMEM;
    q->runs = runs;
    r = store_read_run(keeper_store(q->keeper), number, &layout, run, &interval_ms);
    if (r == 0)
        r = query_shape_of(q, &layout, &known.shape);
    if (r == -ENOMEM)
        return r;
    known.current = known.shape && strcmp(run, q->run) == 0;
    q->runs[q->n_runs++] = known;
    return 0;
}

int query_bind(struct query *q, struct shape *s)
{
    size_t n = q->columns->n;
    struct column *columns = reallocarray(s->columns, n + 1, sizeof(*columns));
    bool *have;

    if (!columns)
        return -ENOMEM;
    s->columns = columns;
    have = reallocarray(s->have, n + 1, sizeof(*have));
    if (!have)
        return -ENOMEM;
    s->have = have;
    memset(s->wanted_events, 0, s->layout.events.n);
    memset(s->wanted_metrics, 0, s->layout.n_metrics);
    for (size_t i = 0; i < n; i++) {
        const struct metric_binding *m;

        s->have[i] = layout_find(&s->layout, q->columns->ids[i], &s->columns[i]);
        if (!s->have[i])
            continue;
        if (s->columns[i].event) {
            s->wanted_events[s->columns[i].index] = true;
            continue;
        }
        m = s->columns[i].metric;
        s->wanted_metrics[s->columns[i].index] = true;
        for (size_t k = 0; k < m->n_inputs; k++)
            s->wanted_events[m->inputs[k]] = true;
    }
    s->wanted.extremes = q->columns->extremes;
    s->bound = true;
    return 0;
}
