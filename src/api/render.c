// SPDX-License-Identifier: Apache-2.0
#include "api/render.h"

#include "base/decimal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MAX       9e18 // below 2^63
#define NUMBERS_AT_ONCE 64   // for which room is made

int selection_init(struct selection *s, const char *names)
{
    *s = (struct selection){0};
    if (!names)
        return 0;
    s->names = strdup(names);
    return s->names ? 0 : -ENOMEM;
}

void selection_done(struct selection *s)
{
    free(s->names);
    free(s->columns);
    free(s->key_ends);
    free(s->ids);
    buf_done(&s->id_text);
    buf_done(&s->keys);
    buf_done(&s->quality);
    *s = (struct selection){0};
}

// The column of a name that is not terminated.
static bool find_column(const struct history *h, const char *name, size_t length,
                        struct column *ret)
{
    char id[EVENT_NAME_MAX];

    if (length >= sizeof(id))
        return false;
    memcpy(id, name, length);
    id[length] = '\0';
    return history_column(h, id, ret);
}

const char *selection_unknown(const char *names, const struct history *h, size_t *ret_length)
{
    struct column column;

    for (;;) {
        size_t length = strcspn(names, ",");

        if (!find_column(h, names, length, &column)) {
            *ret_length = length;
            return names;
        }
        if (!names[length])
            return NULL;
        names += length + 1;
    }
}

static bool has_column(const struct selection *s, const struct column *c)
{
    for (size_t i = 0; i < s->n; i++)
        if (!s->columns[i].event == !c->event && s->columns[i].index == c->index)
            return true;
    return false;
}

static void add_column(struct selection *s, struct column c)
{
    buf_append(&s->keys, ",\"", 2);
    buf_puts(&s->keys, column_id(&c));
    buf_append(&s->keys, "\":", 2);
    s->key_ends[s->n] = s->keys.size;
    s->columns[s->n++] = c;
}

static void add_named(struct selection *s, const struct history *h)
{
    const char *name = s->names;

    for (;;) {
        size_t length = strcspn(name, ",");
        struct column column;

        if (find_column(h, name, length, &column) && !has_column(s, &column))
            add_column(s, column);
        if (!name[length])
            return;
        name += length + 1;
    }
}

// The history may go while an answer is being made, and its columns with it: names stay.
static int copy_ids(struct selection *s)
{
    const char **ids = reallocarray(s->ids, s->n + 1, sizeof(*ids));
    size_t at = 0;

    if (!ids)
        return -ENOMEM;
    s->ids = ids;
    buf_clear(&s->id_text);
    for (size_t i = 0; i < s->n; i++) {
        const char *id = column_id(&s->columns[i]);

        buf_append(&s->id_text, id, strlen(id) + 1);
    }
    if (buf_error(&s->id_text) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < s->n; i++, at += strlen(s->id_text.data + at) + 1)
        s->ids[i] = s->id_text.data + at;
    return 0;
}

int selection_bind(struct selection *s, const struct session *session)
{
    const struct history *h = session->history;
    const struct event_table *events;
    const struct metric_binding *bindings;
    struct column *columns;
    size_t *ends;
    size_t n_bindings, most;

    if (s->history == h && memcmp(s->run, session->run, sizeof(s->run)) == 0)
        return 0;
    events = history_events(h);
    bindings = history_metrics(h, &n_bindings);
    most = events->n + n_bindings;
    columns = reallocarray(s->columns, most, sizeof(*columns));
    if (!columns)
        return -ENOMEM;
    s->columns = columns;
    ends = reallocarray(s->key_ends, most, sizeof(*ends));
    if (!ends)
        return -ENOMEM;
    s->key_ends = ends;
    s->n = 0;
    buf_clear(&s->keys);
    if (s->names) {
        add_named(s, h);
    } else {
        for (size_t i = 0; i < events->n; i++)
            add_column(s, (struct column){.event = &events->events[i], .index = i});
        for (size_t i = 0; i < n_bindings; i++)
            add_column(s, (struct column){.metric = &bindings[i], .index = i});
    }
    if (buf_error(&s->keys) < 0 || copy_ids(s) < 0)
        return -ENOMEM;
    s->history = h;
    s->n_slots = history_slots(h);
    memcpy(s->run, session->run, sizeof(s->run));
    return 1;
}

int selection_bind_once(struct selection *s, struct session *session)
{
    int r = 0;

    session_read_lock(session);
    if (session->history)
        r = selection_bind(s, session);
    session_unlock(session);
    return r < 0 ? r : 0;
}

void render_plan(struct buf *out, const struct query_plan *plan)
{
    buf_puts(out, "\"interval_ms\":");
    buf_put_i64(out, plan->interval_ms);
    buf_puts(out, ",\"resolution_ms\":");
    buf_put_i64(out, plan->resolution_ms);
    buf_puts(out, ",\"per_bucket\":");
    buf_put_u64(out, plan->per_bucket);
}

static inline char *put_null(char *to)
{
    memcpy(to, "null", 4);
    return to + 4;
}

// Rounded half away from zero, as llround() does, which would be a call.
static inline char *put_count(char *to, double value)
{
    double magnitude = fabs(value);
    int64_t whole;

    if (!(magnitude < COUNT_MAX))
        return put_null(to);
    whole = (int64_t)magnitude;
    whole += magnitude - (double)whole >= 0.5;
    return decimal_put_i64(to, value < 0 ? -whole : whole);
}

static inline char *put_metric(char *to, double value)
{
    return isfinite(value) ? decimal_put_sig6(to, value) : put_null(to);
}

void render_count(struct buf *out, double value)
{
    if (buf_reserve(out, DECIMAL_MAX) == 0)
        out->size = (size_t)(put_count(out->data + out->size, value) - out->data);
}

void render_metric(struct buf *out, double value)
{
    if (buf_reserve(out, DECIMAL_MAX) == 0)
        out->size = (size_t)(put_metric(out->data + out->size, value) - out->data);
}

void render_numbers(struct buf *out, const double *values, size_t n, size_t step, bool whole)
{
    for (size_t i = 0; i < n;) {
        size_t end = n - i < NUMBERS_AT_ONCE ? n : i + NUMBERS_AT_ONCE;
        char *to;

        if (buf_reserve(out, NUMBERS_AT_ONCE * (DECIMAL_MAX + 1)) < 0)
            return;
        to = out->data + out->size;
        for (; i < end; i++) {
            if (i)
                *to++ = ',';
            to = whole ? put_count(to, values[i * step]) : put_metric(to, values[i * step]);
        }
        out->size = (size_t)(to - out->data);
    }
}

void render_value(struct buf *out, const struct column *column, double value)
{
    if (column->event && event_is_whole(column->event))
        render_count(out, value);
    else
        render_metric(out, value);
}

// ,"cycles":"scaled 75" for what is not exact.
static void note_quality(struct buf *to, const char *key, size_t key_size, const struct value *v)
{
    long percent;

    if (v->quality == QUALITY_EXACT)
        return;
    buf_append(to, key, key_size);
    if (v->quality != QUALITY_SCALED) {
        buf_putc(to, '"');
        buf_puts(to, quality_name(v->quality));
        buf_putc(to, '"');
        return;
    }
    percent = lround(v->running_percent);
    buf_puts(to, "\"scaled ");
    buf_put_i64(to, percent < 1 ? 1 : percent > 99 ? 99 : percent);
    buf_putc(to, '"');
}

// ,"cycles":… of the column of index i, which is `c` (NULL: it has no value); its quality is noted.
static void put_column(struct buf *out, struct selection *s, size_t i, const struct column *c,
                       const struct value *v)
{
    size_t start = i ? s->key_ends[i - 1] : 0, size = s->key_ends[i] - start;

    buf_append(out, s->keys.data + start, size);
    if (c)
        render_value(out, c, v->value);
    else
        render_metric(out, NAN);
    note_quality(&s->quality, s->keys.data + start, size, v);
}

static void put_quality(struct buf *out, struct selection *s)
{
    if (!s->quality.size)
        return;
    buf_puts(out, ",\"quality\":{");
    buf_append(out, s->quality.data + 1, s->quality.size - 1);
    buf_putc(out, '}');
}

// ,"cycles":…,"quality":{…}
static void put_columns(struct buf *out, struct selection *s, uint64_t from, uint64_t to,
                        size_t slot)
{
    buf_clear(&s->quality);
    for (size_t i = 0; i < s->n; i++) {
        struct value v = history_value(s->history, from, to, slot, &s->columns[i]);

        put_column(out, s, i, &s->columns[i], &v);
    }
    put_quality(out, s);
}

static void put_stretch(struct buf *out, int64_t timestamp, double seconds, uint64_t sequence)
{
    buf_puts(out, "{\"timestamp\":");
    buf_put_i64(out, timestamp);
    buf_puts(out, ",\"seconds\":");
    render_metric(out, seconds);
    buf_puts(out, ",\"sequence\":");
    if (sequence)
        buf_put_u64(out, sequence);
    else
        buf_puts(out, "null");
}

static void put_point_columns(struct buf *out, struct selection *s, const struct query_point *p,
                              size_t slot)
{
    buf_clear(&s->quality);
    for (size_t i = 0; i < s->n; i++) {
        // A run that did not have the column: what it did not measure was not supported there.
        struct value v = {.value = NAN, .quality = QUALITY_NOT_SUPPORTED};

        if (p->have[i])
            v = bucket_value(p->bucket, slot, &p->columns[i]);
        put_column(out, s, i, p->have[i] ? &p->columns[i] : NULL, &v);
    }
    put_quality(out, s);
}

void render_point_open(struct buf *out, struct selection *s, const struct query_plan *plan,
                       const struct query_point *p, size_t slot)
{
    put_stretch(out, p->t_ms, p->bucket->seconds, p->sequence);
    if (!plan->single) {
        buf_puts(out, ",\"resolution_ms\":");
        buf_put_i64(out, plan->resolution_ms);
    }
    put_point_columns(out, s, p, slot);
}

void render_sample_open(struct buf *out, struct selection *s, uint64_t from, uint64_t to,
                        size_t slot)
{
    double seconds = 0;

    for (uint64_t i = from; i <= to; i++)
        seconds += history_seconds(s->history, i);
    put_stretch(out, history_timestamp(s->history, to), seconds, to);
    put_columns(out, s, from, to, slot);
}

// Makes an object of what was put since `start`.
static void close_columns(struct buf *out, size_t start)
{
    if (out->size > start)
        out->data[start] = '{'; // in the place of the first comma
    else
        buf_putc(out, '{');
    buf_putc(out, '}');
}

void render_columns(struct buf *out, struct selection *s, uint64_t from, uint64_t to, size_t slot)
{
    size_t start = out->size;

    put_columns(out, s, from, to, slot);
    close_columns(out, start);
}

void render_point_columns(struct buf *out, struct selection *s, const struct query_point *p,
                          size_t slot)
{
    size_t start = out->size;

    put_point_columns(out, s, p, slot);
    close_columns(out, start);
}
