// SPDX-License-Identifier: Apache-2.0
// Layout: one anonymous mapping (its pages cost memory only once rows reach them) with, per row, a
// timestamp, a length in seconds, one double per slot and event (raw), and two floats per slot and
// event that is counted (enabled and running ns). Software events of a group share these: they have
// counters of their own always, and are never counted in parts. What cannot have a value takes no
// memory: an event that was not opened, a total's CPUs, the times of gauges.
#include "history/history.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct times {
    float enabled; // ns; 24 bits of mantissa are 6e-8 of an interval
    float running;
};

struct history {
    struct layout layout;
    size_t capacity; // rows
    uint64_t base;   // sequence before the first row
    uint64_t last;   // sequence of the newest row
    void *memory;
    size_t memory_size;
    int64_t *timestamp;  // [row]
    double *seconds;     // [row]
    double *raw;         // [layout_raw() * capacity + row]: a column is contiguous
    size_t *first_times; // [event]: where its times of slot 0 are; of each that is counted; owned
    size_t n_times;
    struct times *times; // [(first_times + slot) * capacity + row]
};

static size_t row_bytes(const struct history *h)
{
    return sizeof(int64_t) + sizeof(double) + h->layout.n_raw * sizeof(double) +
           h->n_times * sizeof(struct times);
}

static bool is_software(const struct event *e)
{
    return e->type == PERF_TYPE_SOFTWARE;
}

// Gives each event that is counted a place for its times, or that of a software event before it in
// its group.
static int place_times(struct history *h)
{
    const struct layout *l = &h->layout;
    const struct event *events = l->events.events;

    h->first_times = calloc(l->events.n, sizeof(*h->first_times));
    if (!h->first_times)
        return -ENOMEM;
    for (size_t k = 0, shared = LAYOUT_NONE; k < l->n_counted; k++) {
        const struct event *e = &events[l->counted[k]];

        if (k && e->group != events[l->counted[k - 1]].group)
            shared = LAYOUT_NONE;
        h->first_times[l->counted[k]] = h->n_times;
        if (is_software(e) && shared != LAYOUT_NONE) {
            h->first_times[l->counted[k]] = shared;
            continue;
        }
        if (is_software(e))
            shared = h->n_times;
        h->n_times += l->n_slots;
    }
    return 0;
}

void history_free(struct history *h)
{
    if (!h)
        return;
    if (h->memory)
        munmap(h->memory, h->memory_size);
    layout_done(&h->layout);
    free(h->first_times);
    free(h);
}

int history_new(const struct event_table *events, size_t n_slots, enum reading_scope scope,
                size_t rows, size_t memory, struct history **ret)
{
    struct history *h;
    size_t bytes;
    int r;

    h = calloc(1, sizeof(*h));
    if (!h)
        return -ENOMEM;
    r = layout_init(&h->layout, events, n_slots, scope);
    if (r == 0)
        r = place_times(h);
    if (r < 0)
        goto fail;
    bytes = row_bytes(h);
    h->capacity = memory / bytes < rows ? memory / bytes : rows;
    if (h->capacity < HISTORY_ROWS_MIN)
        h->capacity = HISTORY_ROWS_MIN;
    h->memory_size = bytes * h->capacity;
    h->memory =
        mmap(NULL, h->memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (h->memory == MAP_FAILED) {
        h->memory = NULL;
        r = -ENOMEM;
        goto fail;
    }
    h->timestamp = h->memory;
    h->seconds = (double *)(h->timestamp + h->capacity);
    h->raw = h->seconds + h->capacity;
    h->times = (struct times *)(h->raw + h->capacity * h->layout.n_raw);
    *ret = h;
    return 0;
fail:
    history_free(h);
    return r;
}

static size_t row_of(const struct history *h, uint64_t sequence)
{
    return (size_t)((sequence - 1) % h->capacity);
}

// NULL: it has no value there.
static double *raw_column(const struct history *h, size_t slot, size_t event)
{
    size_t place = layout_raw(&h->layout, slot, event);

    return place == LAYOUT_NONE ? NULL : h->raw + place * h->capacity;
}

// Of an event that has raw columns and is no gauge.
static struct times *times_column(const struct history *h, size_t slot, size_t event)
{
    return h->times + (h->first_times[event] + slot) * h->capacity;
}

void history_push(struct history *h, const struct interval *interval)
{
    int64_t timestamp = interval->timestamp_ms;
    size_t row;

    if (h->last > h->base && timestamp <= h->timestamp[row_of(h, h->last)])
        timestamp = h->timestamp[row_of(h, h->last)] + 1;
    row = row_of(h, ++h->last);
    h->timestamp[row] = timestamp;
    h->seconds[row] = interval->seconds;
    for (size_t slot = 0; slot < h->layout.n_slots; slot++) {
        for (size_t e = 0; e < h->layout.events.n; e++) {
            struct sum s = interval->sums[slot * h->layout.events.n + e];
            double *raw = raw_column(h, slot, e);

            if (!raw)
                continue;
            raw[row] = s.raw;
            // One without a reading must not overwrite the times that it shares. Without a value
            // times mean nothing.
            if (!isnan(s.raw) && h->layout.events.events[e].kind == EVENT_COUNT)
                times_column(h, slot, e)[row] =
                    (struct times){.enabled = (float)s.enabled, .running = (float)s.running};
        }
    }
}

void history_continue(struct history *h, uint64_t sequence)
{
    h->base = h->last = sequence;
}

const struct layout *history_layout(const struct history *h)
{
    return &h->layout;
}

const struct event_table *history_events(const struct history *h)
{
    return &h->layout.events;
}

const struct metric_binding *history_metrics(const struct history *h, size_t *ret_n)
{
    *ret_n = h->layout.n_metrics;
    return h->layout.metrics;
}

size_t history_slots(const struct history *h)
{
    return h->layout.n_slots;
}

enum reading_scope history_scope(const struct history *h)
{
    return h->layout.scope;
}

bool history_column(const struct history *h, const char *id, struct column *ret)
{
    return layout_find(&h->layout, id, ret);
}

size_t history_capacity(const struct history *h)
{
    return h->capacity;
}

size_t history_memory(const struct history *h)
{
    return h->memory_size;
}

uint64_t history_first(const struct history *h)
{
    return h->last - h->base > h->capacity ? h->last - h->capacity + 1 : h->base + 1;
}

uint64_t history_last(const struct history *h)
{
    return h->last;
}

int64_t history_timestamp(const struct history *h, uint64_t sequence)
{
    return h->timestamp[row_of(h, sequence)];
}

double history_seconds(const struct history *h, uint64_t sequence)
{
    return h->seconds[row_of(h, sequence)];
}

uint64_t history_at_or_after(const struct history *h, int64_t timestamp_ms)
{
    uint64_t low = history_first(h), high = h->last + 1;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (history_timestamp(h, middle) < timestamp_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// The newest row at or before `sequence`, not before `floor`, in which a gauge was read; 0: none.
static uint64_t gauge_row(const struct history *h, const double *raw, uint64_t sequence,
                          uint64_t floor)
{
    for (uint64_t s = sequence; s >= floor && s; s--)
        if (!isnan(raw[row_of(h, s)]))
            return s;
    return 0;
}

// The rows of the two readings that history_sum() subtracts. False when one is not there.
static bool gauge_rows(const struct history *h, uint64_t from, uint64_t to, const double *raw,
                       uint64_t *ret_earlier, uint64_t *ret_later)
{
    *ret_later = raw ? gauge_row(h, raw, to, from) : 0;
    if (!*ret_later) // most rows of an interval shorter than the gauge's: no search in vain
        return false;
    *ret_earlier = from > 1 ? gauge_row(h, raw, from - 1, history_first(h)) : 0;
    return *ret_earlier;
}

static struct sum gauge_increase(const struct history *h, uint64_t from, uint64_t to, size_t slot,
                                 size_t event)
{
    const double *raw = raw_column(h, slot, event);
    uint64_t earlier, later;
    double increase;

    if (!gauge_rows(h, from, to, raw, &earlier, &later))
        return SUM_NONE;
    increase = raw[row_of(h, later)] - raw[row_of(h, earlier)];
    return (struct sum){.raw = increase >= 0 ? increase : NAN};
}

double history_gauge_seconds(const struct history *h, uint64_t from, uint64_t to, size_t slot,
                             size_t gauge)
{
    uint64_t earlier, later;
    double seconds = 0;

    if (!gauge_rows(h, from, to, raw_column(h, slot, gauge), &earlier, &later))
        return NAN;
    for (uint64_t s = earlier + 1; s <= later; s++)
        seconds += history_seconds(h, s);
    return seconds;
}

struct sum history_sum(const struct history *h, uint64_t from, uint64_t to, size_t slot,
                       size_t event)
{
    struct sum total = SUM_NONE;
    const double *raw;
    const struct times *times;

    if (h->layout.events.events[event].kind == EVENT_GAUGE)
        return gauge_increase(h, from, to, slot, event);
    raw = raw_column(h, slot, event);
    if (!raw)
        return SUM_NONE;
    times = times_column(h, slot, event);
    for (uint64_t s = from; s <= to; s++) {
        size_t row = row_of(h, s);
        struct sum one = {
            .raw = raw[row], .enabled = times[row].enabled, .running = times[row].running};

        // An interval in which the event had no counter says nothing of the others' scale.
        if (from == to || sum_quality(one, h->layout.scope) != QUALITY_NEVER_RAN)
            sum_add(&total, one);
    }
    return total;
}
