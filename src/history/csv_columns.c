// SPDX-License-Identifier: Apache-2.0
#include "history/csv_columns.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "model/metric.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNNING "_running"

struct csv_column {
    enum { COLUMN_NONE, COLUMN_VALUE, COLUMN_RUNNING } role;
    size_t event;
};

// The header while it is being understood.
struct header {
    const char (*names)[EVENT_NAME_MAX];
    char (*ids)[EVENT_NAME_MAX];
    size_t n;
};

static bool is_gauge(const char *column)
{
    for (size_t i = 0; i < n_metrics; i++)
        for (size_t k = 0; metrics[i].window_seconds > 0 && k < METRIC_INPUTS_MAX; k++)
            if (metrics[i].inputs[k] && strcmp(metrics[i].inputs[k], column) == 0)
                return true;
    return false;
}

// Keys of a sample that are no columns.
static bool is_reserved(const char *column)
{
    static const char *const keys[] = {"timestamp", "seconds", "sequence", "quality", "cpus"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(column, keys[i]) == 0)
            return true;
    return false;
}

// The first column whose id is these bytes and `suffix`; -1: there is none.
static int find(const struct header *h, const char *id, size_t length, const char *suffix)
{
    for (size_t i = 0; i < h->n; i++)
        if (strncmp(h->ids[i], id, length) == 0 && strcmp(h->ids[i] + length, suffix) == 0)
            return (int)i;
    return -1;
}

// The column that column `c` is the _running of; -1: it is none.
static int counted_column(const struct header *h, size_t c)
{
    size_t length = strlen(h->ids[c]), suffix = strlen(RUNNING);

    if (length <= suffix || strcmp(h->ids[c] + length - suffix, RUNNING) != 0)
        return -1;
    return find(h, h->ids[c], length - suffix, "");
}

static int add_event(struct csv_columns *c, const struct header *h, size_t column, int group)
{
    const char *id = h->ids[column];
    struct event e = {.id = c->events.n + 1,
                      .kind = is_gauge(id) ? EVENT_GAUGE : EVENT_COUNT,
                      .group = group,
                      // Where it was scaled, fractions are but rounding.
                      .fractions = find(h, id, strlen(id), RUNNING) < 0};
    int r;

    text_copy(e.name, sizeof(e.name), h->names[column][0] ? h->names[column] : "column");
    if (is_reserved(id))
        snprintf(e.column, sizeof(e.column), "csv_%.100s", id);
    r = event_table_add(&c->events, &e);
    if (r >= 0)
        c->columns[column] = (struct csv_column){COLUMN_VALUE, (size_t)r};
    return r;
}

// What every CSV of ours has, and somebody else's may not.
static int add_missing(struct csv_columns *c)
{
    static const char *const names[] = {"cycles", "instructions", "cache-misses", "branch-misses"};

    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
        struct event e = {.id = c->events.n + 1,
                          .group = -1,
                          .availability = QUALITY_NOT_SUPPORTED,
                          .why = "the CSV has no such column"};
        int r;

        event_column_id(names[k], e.column);
        if (event_table_find_column(&c->events, e.column) >= 0)
            continue;
        text_copy(e.name, sizeof(e.name), names[k]);
        r = event_table_add(&c->events, &e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_all(struct csv_columns *c, const struct header *h)
{
    // Cycles and instructions are counted together: the bridge promises it. Of no others it is
    // known.
    int pair[2] = {find(h, "cycles", 6, ""), find(h, "instructions", 12, "")}, group = -1;

    for (size_t i = 0; i < h->n; i++) {
        bool paired = (int)i == pair[0] || (int)i == pair[1];
        int r;

        if (counted_column(h, i) >= 0 ||
            (strcmp(h->ids[i], "cpi") == 0 && pair[0] >= 0 && pair[1] >= 0))
            continue;
        r = add_event(c, h, i, paired ? group : -1);
        if (r < 0)
            return r;
        if (paired)
            group = c->events.events[r].group;
    }
    for (size_t i = 0; i < h->n; i++) {
        int of = counted_column(h, i);

        if (of >= 0 && c->columns[of].role == COLUMN_VALUE)
            c->columns[i] = (struct csv_column){COLUMN_RUNNING, c->columns[of].event};
    }
    for (size_t k = 0; k < 2; k++)
        c->pair[k] = pair[k] >= 0 ? (int)c->columns[pair[k]].event : -1;
    return add_missing(c);
}

int csv_columns_init(struct csv_columns *c, const char (*names)[EVENT_NAME_MAX], size_t n)
{
    cleanup_free char(*ids)[EVENT_NAME_MAX] = calloc(n + 1, sizeof(*ids));
    struct header header = {.names = names, .ids = ids, .n = n};
    int r = -ENOMEM;

    *c = (struct csv_columns){.n = n};
    c->columns = calloc(n + 1, sizeof(*c->columns));
    if (!ids || !c->columns)
        goto fail;
    for (size_t i = 0; i < n; i++)
        event_column_id(names[i], ids[i]);
    r = add_all(c, &header);
    if (r < 0)
        goto fail;
    r = -ENOMEM;
    c->events.no_times = true;
    c->percent = calloc(c->events.n, sizeof(*c->percent));
    c->cumulative = calloc(c->events.n, sizeof(*c->cumulative));
    if (c->percent && c->cumulative)
        return 0;
fail:
    csv_columns_done(c);
    return r;
}

void csv_columns_done(struct csv_columns *c)
{
    event_table_done(&c->events);
    free(c->columns);
    free(c->percent);
    free(c->cumulative);
    *c = (struct csv_columns){0};
}

static void take_values(struct csv_columns *c, const double *values, struct sum *sums)
{
    for (size_t e = 0; e < c->events.n; e++) {
        sums[e] = SUM_NONE;
        c->percent[e] = 100;
    }
    for (size_t i = 0; i < c->n; i++) {
        if (c->columns[i].role == COLUMN_VALUE)
            sums[c->columns[i].event].raw = values[i];
        else if (c->columns[i].role == COLUMN_RUNNING && !isnan(values[i]))
            c->percent[c->columns[i].event] = values[i];
    }
    for (size_t e = 0; e < c->events.n; e++)
        if (!(c->percent[e] > 0))
            sums[e].raw = NAN;
    // What was counted together shares its times in the history. The worse one's: each count scales
    // back to itself, whatever they are.
    if (c->pair[0] >= 0 && c->pair[1] >= 0 && !isnan(sums[c->pair[0]].raw) &&
        !isnan(sums[c->pair[1]].raw))
        c->percent[c->pair[0]] = c->percent[c->pair[1]] =
            fmin(c->percent[c->pair[0]], c->percent[c->pair[1]]);
}

// Has this event no value while its partner, with which it shares its times, has one?
static bool is_left_alone(const struct csv_columns *c, const struct sum *sums, size_t event)
{
    size_t a = (size_t)c->pair[0], b = (size_t)c->pair[1];

    if (c->pair[0] < 0 || c->pair[1] < 0 || (event != a && event != b))
        return false;
    return isnan(sums[event].raw) && !isnan(sums[event == a ? b : a].raw);
}

// The file's counts are scaled already; raw is what scales to them. One that is not there is as one
// that never ran.
static struct sum count_sum(double count, double percent, double seconds)
{
    struct sum s = {.enabled = seconds * 1e9};

    if (isnan(count))
        return s;
    s.running = percent < 100 ? s.enabled * percent / 100 : s.enabled;
    s.raw = percent < 100 ? count * percent / 100 : count;
    return s;
}

void csv_columns_sums(struct csv_columns *c, const double *values, double seconds, struct sum *ret)
{
    bool alone[2] = {false};

    take_values(c, values, ret);
    for (size_t k = 0; k < 2; k++)
        alone[k] = c->pair[k] >= 0 && is_left_alone(c, ret, (size_t)c->pair[k]);
    for (size_t e = 0; e < c->events.n; e++) {
        if (c->events.events[e].kind == EVENT_COUNT)
            ret[e] = count_sum(ret[e].raw, c->percent[e], seconds);
        else if (!isnan(ret[e].raw))
            ret[e].raw = c->cumulative[e] += ret[e].raw;
    }
    for (size_t k = 0; k < 2; k++)
        if (alone[k])
            ret[c->pair[k]] = SUM_NONE;
}
