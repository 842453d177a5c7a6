// SPDX-License-Identifier: Apache-2.0
#include "api/span_private.h"
#include "base/json.h"
#include "model/statistics.h"

#include <math.h>

void span_render_head(struct span *s, struct buf *out)
{
    double resolution = (double)s->plan.resolution_ms;
    int64_t missing = 0;
    struct json j = {.out = out};

    if (s->n_buckets && resolution > 0)
        missing = llround((s->to - s->from_ms) / resolution) - (int64_t)s->n_buckets;
    json_open(&j, '{');
    json_key(&j, "from");
    json_count(&j, s->n_buckets ? s->from_ms : NAN);
    json_key(&j, "to");
    json_count(&j, s->n_buckets ? s->to : NAN);
    json_key(&j, "resolution_ms");
    json_count(&j, resolution);
    json_key(&j, "seconds");
    json_metric(&j, s->seconds);
    json_key(&j, "buckets");
    json_u64(&j, s->n_buckets);
    json_key(&j, "missing");
    json_i64(&j, missing > 0 ? missing : 0);
    json_key(&j, "columns");
    json_open(&j, '{');
}

static void put(struct json *j, const char *key, double value)
{
    json_key(j, key);
    json_metric(j, value);
}

// A bucket's own value: whole where the bucket is one interval of a count.
static void put_value(struct json *j, const struct span *s, const char *key,
                      const struct whole *whole, double value)
{
    json_key(j, key);
    if (s->plan.single && !whole->fractions)
        json_count(j, value);
    else
        json_metric(j, value);
}

static void put_statistics(struct json *j, const struct span *s, const struct whole *whole,
                           const struct statistics *of)
{
    double mean = whole->count ? whole->sum / whole->intervals : whole->ratio / whole->weight;

    json_open(j, '{');
    json_key(j, "n");
    json_u64(j, of->n);
    json_key(j, "sum");
    json_count(j, whole->count ? whole->sum : NAN);
    put(j, "mean", mean);
    put(j, "stddev", of->deviation);
    put(j, "stderr", of->error);
    json_key(j, "batches");
    json_count(j, isnan(of->error) ? NAN : STATISTICS_BATCHES);
    put_value(j, s, "min", whole, of->min);
    put_value(j, s, "max", whole, of->max);
    put(j, "p50", of->p50);
    put(j, "p95", of->p95);
    put(j, "p99", of->p99);
    put_value(j, s, "first", whole, of->first);
    put_value(j, s, "last", whole, of->last);
    put(j, "running", whole->running / whole->ran_of);
    json_close(j, '}');
}

// "cycles" in its quotes, of the column that the answer began with.
static void put_name(const struct span *s, size_t column, struct buf *out)
{
    size_t start = column ? s->columns.key_ends[column - 1] : 0;

    // `,"cycles":`
    buf_append(out, s->columns.keys.data + start + 1, s->columns.key_ends[column] - start - 2);
}

void span_render_column(struct span *s, struct buf *out)
{
    const double *means = s->values + s->column * s->capacity;
    double *scratch = s->values + s->n_columns * s->capacity;
    struct json j = {.out = out};
    struct statistics statistics;

    statistics_of(means, s->n_buckets, scratch, &statistics);
    buf_puts(out, s->column ? "," : "");
    put_name(s, s->column, out);
    buf_putc(out, ':');
    put_statistics(&j, s, &s->whole[s->column], &statistics);
    s->column++;
}

void span_render_names(struct span *s, struct buf *out)
{
    buf_puts(out, "},\"correlation\":{\"columns\":[");
    for (size_t i = 0; i < s->column; i++) {
        buf_puts(out, i ? "," : "");
        put_name(s, i, out);
    }
    buf_puts(out, "],\"r\":[");
    s->correlating = true;
}

void span_render_row(struct span *s, struct buf *out)
{
    struct json r = {.out = out, .comma = s->row > 0}, n = {.out = &s->n, .comma = s->row > 0};
    const double *a = s->values + s->row * s->capacity;

    json_open(&r, '[');
    json_open(&n, '[');
    for (size_t i = 0; i < s->column; i++) {
        size_t pairs = 0;

        json_metric(&r,
                    statistics_correlation(a, s->values + i * s->capacity, s->n_buckets, &pairs));
        json_u64(&n, pairs);
    }
    json_close(&r, ']');
    json_close(&n, ']');
    s->row++;
}
