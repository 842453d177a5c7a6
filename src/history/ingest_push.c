// SPDX-License-Identifier: Apache-2.0
// From readings to the session's intervals.
#include "history/ingest_private.h"

#include <errno.h>
#include <math.h>

#define ASK_EVERY (100 * NS_PER_MS) // what a person who ends the program does not notice

// Of a stream that has no clock: the newest that has come is of now, if nobody knows its begin.
static ns_t assumed_wall(const struct ingest *i, ns_t time)
{
    ns_t newest = i->sampled ? sampled_newest(i->sampled) : time;

    return i->config.begin ? i->config.begin : clock_ns(CLOCK_REALTIME) - newest;
}

// Where the keeper left off: times go on from there, and so do the sequence numbers of a run that
// goes on.
static void begin(struct ingest *i, ns_t time)
{
    int64_t last_ms = 0;

    i->begun = true;
    if (i->config.keeper &&
        keeper_begin(i->config.keeper, &i->events, i->n_slots, i->readings.scope,
                     grid_timestamp_ms(&i->grid, time, 0), &last_ms, &i->sequence) == 0 &&
        last_ms > i->last_timestamp)
        i->last_timestamp = last_ms;
}

void ingest_push(struct ingest *i, ns_t time, double seconds, const struct sum *sums)
{
    struct session *s = i->session;
    uint64_t kept;
    struct session_shape shape = {.events = &i->events,
                                  .n_slots = i->n_slots,
                                  .scope = i->readings.scope,
                                  .rows = i->config.rows,
                                  .memory = i->config.memory};
    struct interval interval = {.seconds = seconds, .sums = sums};

    if (!i->clock_known && i->grid.wall == 0)
        i->grid.wall = assumed_wall(i, time);
    if (!i->begun)
        begin(i, time);
    shape.before = i->sequence;
    kept = i->config.keeper ? keeper_memory(i->config.keeper) : 0;
    shape.memory -= kept < shape.memory ? kept : shape.memory;
    interval.timestamp_ms = grid_timestamp_ms(&i->grid, time, i->last_timestamp);
    i->last_timestamp = interval.timestamp_ms;
    pthread_rwlock_wrlock(&s->lock);
    i->no_memory |= session_push(s, &shape, &interval) == -ENOMEM;
    pthread_rwlock_unlock(&s->lock);
    i->dirty = true;
    if (i->config.interval)
        i->config.interval(i->config.context, &interval);
}

static void take_baseline(struct ingest *i)
{
    readings_sums(&i->readings, i->n_slots, i->sums);
    for (size_t k = 0; k < i->n_slots * i->events.n; k++)
        i->gauge_base[k] = isnan(i->sums[k].raw) ? 0 : i->sums[k].raw;
    i->baseline = false;
}

static void subtract_gauge_base(struct ingest *i)
{
    for (size_t slot = 0; slot < i->n_slots; slot++)
        for (size_t e = 0; e < i->events.n; e++)
            if (i->events.events[e].kind == EVENT_GAUGE)
                i->sums[slot * i->events.n + e].raw -= i->gauge_base[slot * i->events.n + e];
}

static void push_round(struct ingest *i, ns_t time)
{
    readings_sums(&i->readings, i->n_slots, i->sums);
    subtract_gauge_base(i);
    ingest_push(i, time, (double)(time - i->last_time) / (double)NS_PER_SEC, i->sums);
}

bool ingest_is_ending(struct ingest *i)
{
    ns_t now;

    if (!i->config.ending || i->ending)
        return i->ending;
    now = clock_ns(CLOCK_MONOTONIC);
    if (now - i->asked >= ASK_EVERY) {
        i->ending = i->config.ending(i->config.context);
        i->asked = now;
    }
    return i->ending;
}

void ingest_round(struct ingest *i, uint64_t time)
{
    if (ingest_is_ending(i))
        return;
    // A time that does not advance would make rates of a negative length. Where all events sample
    // there are no readings.
    if (time > INT64_MAX / 2 || (ns_t)time <= i->last_time || i->sampled) {
        i->skipped++;
        return;
    }
    if (i->baseline)
        take_baseline(i);
    else
        push_round(i, (ns_t)time);
    i->last_time = (ns_t)time;
    readings_advance(&i->readings);
}
