// SPDX-License-Identifier: Apache-2.0
// What is open is a hash table of cells: an interval, a slot, an event. At 99 samples a second and
// CPU that is one cell for ten samples, whereas perf's rings may hold half a minute of them.
#include "history/sampled.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELLS_FIRST ((size_t)1024)
#define CELLS_MAX   ((size_t)1 << 18) // 16 MiB of table: 512 CPUs for half a minute
// Intervals without a sample that are given out as 0, a minute; a longer time without any is a gap.
// In sums at the most, for a head that claims thousands of CPUs.
#define QUIET_MAX      600
#define QUIET_SUMS_MAX ((size_t)1 << 20)
#define TIME_MAX       (INT64_MAX / 4) // of a sample: 73 years

struct cell {
    int64_t interval;
    uint32_t slot, event;
    uint64_t samples; // 0: the cell is free
    uint64_t period;
};

struct columns {
    int samples, estimated; // index in the event table; −1: none
};

struct sampled {
    const struct stream_head *head;
    struct columns *columns; // [head->n_events], owned
    size_t n_events, n_slots;
    struct sum *sums; // of the interval that is given out; owned
    sampled_function function;
    void *context;
    bool begun;
    ns_t begin;
    struct cell *cells;            // owned
    uint64_t seed;                 // of their hash
    size_t capacity, n;            // a power of two
    int64_t newest, newest_before; // intervals that samples were in: now, and when last drained
    int64_t oldest;                // that is open
    bool given;                    // out: any
    int64_t last;                  // the newest that was
};

bool sampled_is(const struct stream_head *head)
{
    for (size_t i = 0; i < head->n_events; i++)
        if (!head->formats[i].sampling)
            return false;
    return head->n_events > 0;
}

static int add_column(struct event_table *events, const struct event *of, const char *what,
                      bool in_unit)
{
    struct event e = {.type = of->type, .config = of->config, .scale = 1, .group = -1};

    snprintf(e.name, sizeof(e.name), "%.*s %s", (int)(sizeof(e.name) - strlen(what) - 2), of->name,
             what);
    if (in_unit && of->type == PERF_TYPE_SOFTWARE &&
        (of->config == PERF_COUNT_SW_CPU_CLOCK || of->config == PERF_COUNT_SW_TASK_CLOCK))
        snprintf(e.unit, sizeof(e.unit), "ns");
    // Neither is what a metric wants, by whatever name it looks.
    e.type = PERF_TYPE_SOFTWARE;
    e.config = PERF_COUNT_SW_DUMMY;
    return event_table_add(events, &e);
}

static int add_columns(struct sampled *s, struct event_table *events)
{
    for (size_t i = 0; i < s->head->n_events; i++) {
        const struct event *e = &s->head->events[i];
        const struct sample_format *f = &s->head->formats[i];
        struct columns *c = &s->columns[i];

        *c = (struct columns){-1, -1};
        // perf's own, which brings the side-band records and never samples.
        if (e->type == PERF_TYPE_SOFTWARE && e->config == PERF_COUNT_SW_DUMMY)
            continue;
        c->samples = add_column(events, e, "samples", false);
        if (c->samples < 0)
            return c->samples;
        if (!f->period && !f->has_period && !f->has_reads)
            continue;
        c->estimated = add_column(events, e, "estimated", true);
        if (c->estimated < 0)
            return c->estimated;
    }
    return 0;
}

// 0: nobody says.
static ns_t begin_of(const struct stream_head *head)
{
    uint64_t begin = head->clock.known ? (uint64_t)head->clock.reference_ns : head->first_sample;

    return begin <= TIME_MAX ? (ns_t)begin : 0;
}

int sampled_new(const struct stream_head *head, size_t n_slots, struct event_table *events,
                sampled_function function, void *context, struct sampled **ret)
{
    struct sampled *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    *s = (struct sampled){.head = head,
                          .n_slots = n_slots,
                          .function = function,
                          .context = context,
                          .begun = begin_of(head) != 0,
                          .begin = begin_of(head),
                          .capacity = CELLS_FIRST,
                          .oldest = INT64_MAX,
                          .newest = INT64_MIN,
                          .newest_before = INT64_MIN};
    s->columns = calloc(head->n_events, sizeof(*s->columns));
    s->cells = calloc(s->capacity, sizeof(*s->cells));
    s->seed = hash_seed(s);
    r = s->columns && s->cells ? add_columns(s, events) : -ENOMEM;
    if (r == 0) {
        s->n_events = events->n;
        s->sums = calloc(n_slots * events->n + 1, sizeof(*s->sums));
        r = s->sums ? 0 : -ENOMEM;
    }
    if (r < 0) {
        sampled_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void sampled_free(struct sampled *s)
{
    if (!s)
        return;
    free(s->columns);
    free(s->cells);
    free(s->sums);
    free(s);
}

static size_t hash(const struct sampled *s, int64_t interval, uint32_t slot, uint32_t event)
{
    uint64_t place = (uint64_t)slot << 32 | event;

    return (size_t)hash_mix(hash_mix((uint64_t)interval ^ s->seed) ^ place) & (s->capacity - 1);
}

// The cell, or the free one where it belongs.
static struct cell *cell_of(const struct sampled *s, int64_t interval, uint32_t slot,
                            uint32_t event)
{
    size_t i = hash(s, interval, slot, event);

    while (s->cells[i].samples && (s->cells[i].interval != interval || s->cells[i].slot != slot ||
                                   s->cells[i].event != event))
        i = (i + 1) & (s->capacity - 1);
    return &s->cells[i];
}

// All CPUs of the recording were watched: where no sample is, there are 0.
static void clear_sums(struct sampled *s)
{
    const struct sum zero = {0, SAMPLED_INTERVAL, SAMPLED_INTERVAL};

    for (size_t i = 0; i < s->n_slots * s->n_events; i++)
        s->sums[i] = i < s->n_events || !s->head->n_cpus ? zero : SUM_NONE;
    for (size_t c = 0; c < s->head->n_cpus; c++) {
        size_t slot = (size_t)s->head->cpus[c] + 1;

        for (size_t e = 0; slot < s->n_slots && e < s->n_events; e++)
            s->sums[slot * s->n_events + e] = zero;
    }
}

static void add_sum(struct sampled *s, size_t slot, int column, uint64_t value)
{
    struct sum *sum = &s->sums[slot * s->n_events + (size_t)column];

    if (isnan(sum->raw))
        *sum = (struct sum){0, SAMPLED_INTERVAL, SAMPLED_INTERVAL};
    sum->raw += (double)value;
}

static void add_cell(struct sampled *s, const struct cell *cell)
{
    struct columns c = s->columns[cell->event];

    if (c.samples < 0)
        return;
    add_sum(s, 0, c.samples, cell->samples);
    if (cell->slot)
        add_sum(s, cell->slot, c.samples, cell->samples);
    if (c.estimated < 0)
        return;
    add_sum(s, 0, c.estimated, cell->period);
    if (cell->slot)
        add_sum(s, cell->slot, c.estimated, cell->period);
}

static void give(struct sampled *s, int64_t interval)
{
    s->function(s->context, (interval + 1) * SAMPLED_INTERVAL, s->sums);
    s->given = true;
    s->last = interval;
}

static void give_quiet(struct sampled *s, int64_t before)
{
    int64_t quiet = before - s->last - 1;

    if (!s->given || quiet > QUIET_MAX ||
        (uint64_t)quiet * s->n_slots * s->n_events > QUIET_SUMS_MAX)
        return;
    clear_sums(s);
    while (s->last + 1 < before)
        give(s, s->last + 1);
}

static int by_interval(const void *a, const void *b)
{
    int64_t x = ((const struct cell *)a)->interval, y = ((const struct cell *)b)->interval;

    return (x > y) - (x < y);
}

// Fills the table, which is empty, with these.
static void refill(struct sampled *s, const struct cell *cells, size_t n)
{
    s->n = n;
    for (size_t i = 0; i < n; i++)
        *cell_of(s, cells[i].interval, cells[i].slot, cells[i].event) = cells[i];
}

static bool enlarge(struct sampled *s, const struct cell *sorted)
{
    struct cell *cells = calloc(s->capacity * 2, sizeof(*cells));

    if (!cells)
        return false;
    free(s->cells);
    s->cells = cells;
    s->capacity *= 2;
    refill(s, sorted, s->n);
    return true;
}

static struct cell *sorted_cells(const struct sampled *s)
{
    struct cell *sorted = reallocarray(NULL, s->n + 1, sizeof(*sorted));
    size_t n = 0;

    for (size_t i = 0; sorted && i < s->capacity; i++)
        if (s->cells[i].samples)
            sorted[n++] = s->cells[i];
    if (sorted)
        qsort(sorted, n, sizeof(*sorted), by_interval);
    return sorted;
}

// Gives out the intervals before `end`, which are the first of the sorted cells.
static size_t give_before(struct sampled *s, const struct cell *sorted, int64_t end)
{
    size_t i = 0;

    while (i < s->n && sorted[i].interval < end) {
        int64_t interval = sorted[i].interval;

        give_quiet(s, interval);
        clear_sums(s);
        for (; i < s->n && sorted[i].interval == interval; i++)
            add_cell(s, &sorted[i]);
        give(s, interval);
    }
    return i;
}

static void flush(struct sampled *s, int64_t end)
{
    cleanup_free struct cell *sorted = NULL;
    size_t given;

    if (s->oldest >= end)
        return;
    sorted = sorted_cells(s);
    if (!sorted)
        return; // memory is short: another time
    given = give_before(s, sorted, end);
    if (!given)
        return;
    memset(s->cells, 0, s->capacity * sizeof(*s->cells));
    s->oldest = given < s->n ? sorted[given].interval : INT64_MAX;
    refill(s, sorted + given, s->n - given);
}

// Room for one more cell: a larger table, or, at the bound, without the older half of it.
static void make_room(struct sampled *s)
{
    cleanup_free struct cell *sorted = NULL;

    if (s->n < s->capacity / 2)
        return;
    sorted = sorted_cells(s);
    if (sorted && (s->capacity == 2 * CELLS_MAX || !enlarge(s, sorted)))
        flush(s, sorted[s->n / 2].interval + 1);
}

bool sampled_take(struct sampled *s, size_t event, const struct sample *sample)
{
    ns_t time = (ns_t)sample->time;
    int64_t interval;
    uint32_t slot =
        sample->cpu >= 0 && (size_t)sample->cpu + 1 < s->n_slots ? (uint32_t)sample->cpu + 1 : 0;
    struct cell *cell;

    if (!sample->time || sample->time > TIME_MAX)
        return false;
    if (!s->begun)
        s->begin = time - time % SAMPLED_INTERVAL;
    s->begun = true;
    interval = (time - s->begin) / SAMPLED_INTERVAL;
    if (time < s->begin && (time - s->begin) % SAMPLED_INTERVAL)
        interval--;
    if (s->given && interval <= s->last)
        return false;
    make_room(s);
    // Making room may have given it out.
    if (s->n == s->capacity - 1 || (s->given && interval <= s->last))
        return false;
    cell = cell_of(s, interval, slot, (uint32_t)event);
    if (!cell->samples) {
        *cell = (struct cell){.interval = interval, .slot = slot, .event = (uint32_t)event};
        s->n++;
    }
    cell->samples++;
    cell->period += sample->period;
    if (interval < s->oldest)
        s->oldest = interval;
    if (interval > s->newest)
        s->newest = interval;
    return true;
}

ns_t sampled_newest(const struct sampled *s)
{
    return (s->newest + 1) * SAMPLED_INTERVAL;
}

void sampled_drained(struct sampled *s)
{
    if (s->n)
        flush(s, s->newest_before);
    s->newest_before = s->newest;
}

void sampled_end(struct sampled *s)
{
    flush(s, INT64_MAX);
}
