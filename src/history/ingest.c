// SPDX-License-Identifier: Apache-2.0
#include "history/ingest.h"

#include "base/text.h"
#include "history/note.h"
#include "model/grid.h"
#include "model/readings.h"
#include "stream/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

// Places × events of the readings: 512 CPUs × 1,024 events, and 64 times less than a hostile head
// could ask for. 48 bytes each.
#define CELLS_MAX ((size_t)1 << 19)

struct ingest {
    struct session *session;
    struct ingest_config config;
    struct stream_reader *reader;
    struct event_table events;
    struct readings readings;
    struct sum *sums;   // [slot * n_events + event]
    double *gauge_base; // the same; what gauges were at the baseline of a resumed stream
    size_t n_slots;
    struct grid grid;
    bool clock_known;
    bool baseline;     // the next round is one
    bool ended;        // the collector has said why
    bool begun;        // the keeper was asked
    uint64_t sequence; // before the first row
    ns_t last_time;
    int64_t last_timestamp;
    uint64_t skipped; // notes and rounds that made no sense, beside the reader's own count
    bool dirty;       // something to tell session->changed
};

static void copy_if_any(char *ret, size_t size, const char *text)
{
    if (text[0])
        text_copy(ret, size, text);
}

static void copy_texts(struct session *s, const struct stream_head *head)
{
    copy_if_any(s->host, sizeof(s->host), head->host);
    copy_if_any(s->kernel, sizeof(s->kernel), head->kernel);
    copy_if_any(s->arch, sizeof(s->arch), head->arch);
    copy_if_any(s->cpu_model, sizeof(s->cpu_model), head->cpu_desc);
    s->interval_ms = head->interval_ms;
}

static int add_events(struct ingest *i, const struct stream_head *head)
{
    i->events.n_groups = head->n_groups;
    i->events.tasks = head->tasks;
    for (size_t k = 0; k < head->n_events; k++) {
        struct event e = head->events[k];
        int r;

        // Of somebody else's stream we know no more than that it was not there.
        if (e.id == 0) {
            e.availability = QUALITY_NOT_SUPPORTED;
            snprintf(e.why, sizeof(e.why), "%.100s: not supported where this was recorded", e.name);
        }
        r = event_table_add(&i->events, &e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int prepare(struct ingest *i, const struct stream_head *head)
{
    struct session *s = i->session;
    size_t rows = head->tasks ? head->n_threads : 0;
    int r;

    for (size_t k = 0; k < head->n_cpus; k++)
        if ((size_t)head->cpus[k] >= rows)
            rows = (size_t)head->cpus[k] + 1;
    if (!rows)
        rows = 1;
    if (!head->n_events || rows > CELLS_MAX / head->n_events)
        return head->n_events ? -E2BIG : -ENODATA;
    r = add_events(i, head);
    if (r == 0)
        r = readings_init(&i->readings, &i->events, rows, head->tasks ? SCOPE_TASK : SCOPE_CPU);
    if (r < 0)
        return r;
    i->n_slots = head->tasks ? 1 : rows + 1;
    i->sums = calloc(i->n_slots * i->events.n, sizeof(*i->sums));
    i->gauge_base = calloc(i->n_slots * i->events.n, sizeof(*i->gauge_base));
    if (!i->sums || !i->gauge_base)
        return -ENOMEM;
    s->cpus_possible = head->tasks ? head->cpus_available : (int64_t)rows;
    s->events = &i->events;
    snprintf(s->target_kind, sizeof(s->target_kind), "%s", head->tasks ? "process" : "system");
    snprintf(s->target_text, sizeof(s->target_text), "%s",
             head->tasks ? "recorded threads" : "a recorded system");
    return 0;
}

static void take_clock(struct ingest *i, const struct stream_clock *clock)
{
    i->clock_known = clock->known;
    i->grid.reference = clock->reference_ns;
    // Half the range is the year 2116, and leaves room for a round's time.
    i->grid.wall = clock->wall_ns < INT64_MAX / 2 ? clock->wall_ns : INT64_MAX / 2;
}

static int on_head(void *context, const struct stream_head *head)
{
    struct ingest *i = context;
    int r = 0;

    pthread_rwlock_wrlock(&i->session->lock);
    copy_texts(i->session, head);
    if (!i->session->events)
        r = prepare(i, head);
    if (head->clock.known)
        take_clock(i, &head->clock);
    i->grid.interval = i->clock_known ? head->interval_ms * NS_PER_MS : 0;
    i->session->meta_generation++;
    pthread_rwlock_unlock(&i->session->lock);
    i->dirty = true;
    return r;
}

static void on_stat(void *context, size_t event, int cpu, uint32_t thread, struct reading reading)
{
    struct ingest *i = context;
    size_t row = cpu < 0 ? thread : (size_t)cpu;

    if (row < i->readings.n_rows)
        readings_set(&i->readings, event, row, reading);
    else // a stream without maps can name any
        i->skipped++;
}

static void on_clock(void *context, const struct stream_clock *clock)
{
    take_clock(context, clock);
}

static void on_note(void *context, size_t event, const char *json, size_t size)
{
    struct ingest *i = context;
    struct session *s = i->session;
    struct note_effect effect;

    pthread_rwlock_wrlock(&s->lock);
    if (!note_apply(s, s->history ? NULL : &i->events, event, json, size, &effect))
        i->skipped++;
    // Its events are enabled only while one of its tasks is on the CPU.
    if (!s->history && strcmp(s->target_kind, "cgroup") == 0)
        i->readings.scope = SCOPE_TASK;
    i->baseline |= effect.resumed;
    i->ended |= effect.ended;
    s->meta_generation += effect.meta;
    pthread_rwlock_unlock(&s->lock);
    i->dirty |= effect.meta;
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

static int new_history(struct ingest *i, struct history **ret)
{
    uint64_t kept = i->config.keeper ? keeper_memory(i->config.keeper) : 0;
    size_t memory = i->config.memory > kept ? i->config.memory - kept : 0;
    int r = history_new(&i->events, i->n_slots, i->readings.scope, i->config.rows, memory, ret);

    if (r == 0)
        history_continue(*ret, i->sequence);
    return r;
}

static void push(struct ingest *i, ns_t time)
{
    struct session *s = i->session;
    struct interval interval = {.seconds = (double)(time - i->last_time) / (double)NS_PER_SEC,
                                .sums = i->sums};

    if (!i->clock_known && i->grid.wall == 0)
        i->grid.wall = clock_ns(CLOCK_REALTIME) - time;
    readings_sums(&i->readings, i->n_slots, i->sums);
    subtract_gauge_base(i);
    if (!i->begun)
        begin(i, time);
    interval.timestamp_ms = grid_timestamp_ms(&i->grid, time, i->last_timestamp);
    i->last_timestamp = interval.timestamp_ms;
    pthread_rwlock_wrlock(&s->lock);
    if (!s->history && new_history(i, &s->history) == 0) {
        s->events = history_events(s->history);
        s->meta_generation++;
    }
    if (s->history)
        history_push(s->history, &interval);
    s->state = SESSION_LIVE;
    s->delivered = clock_ns(CLOCK_MONOTONIC);
    pthread_rwlock_unlock(&s->lock);
    i->dirty = true;
}

static void on_round(void *context, bool final, uint64_t time)
{
    struct ingest *i = context;

    (void) final;
    // A time that does not advance would make rates of a negative length.
    if (time > INT64_MAX / 2 || (ns_t)time <= i->last_time) {
        i->skipped++;
        return;
    }
    if (i->baseline)
        take_baseline(i);
    else
        push(i, (ns_t)time);
    i->last_time = (ns_t)time;
    readings_advance(&i->readings);
}

int ingest_new(struct session *session, const struct ingest_config *config, struct ingest **ret)
{
    static const struct stream_handler handler = {
        .head = on_head,
        .stat = on_stat,
        .round = on_round,
        .clock = on_clock,
        .note = on_note,
    };
    struct ingest *i = calloc(1, sizeof(*i));
    uint32_t run = 0;
    int r;

    if (!i)
        return -ENOMEM;
    i->session = session;
    i->config = *config;
    r = stream_reader_new(&handler, i, &i->reader);
    if (r < 0) {
        free(i);
        return r;
    }
    // A stream that does not name its run (perf's own) still needs one that a restart tells apart.
    if (getrandom(&run, sizeof(run), GRND_NONBLOCK) != sizeof(run))
        run = (uint32_t)clock_ns(CLOCK_REALTIME);
    snprintf(session->run, sizeof(session->run), "%08x", run);
    *ret = i;
    return 0;
}

void ingest_free(struct ingest *i)
{
    if (!i)
        return;
    pthread_rwlock_wrlock(&i->session->lock);
    i->session->events = i->session->history ? history_events(i->session->history) : NULL;
    pthread_rwlock_unlock(&i->session->lock);
    stream_reader_free(i->reader);
    readings_done(&i->readings);
    event_table_done(&i->events);
    free(i->sums);
    free(i->gauge_base);
    free(i);
}

static void tell(struct ingest *i)
{
    if (i->dirty && i->session->changed)
        i->session->changed(i->session->changed_context);
    i->dirty = false;
}

static void set_state(struct ingest *i, enum session_state state, const char *reason)
{
    struct session *s = i->session;

    pthread_rwlock_wrlock(&s->lock);
    s->state = state;
    if (reason)
        text_copy(s->reason, sizeof(s->reason), reason);
    s->meta_generation++;
    pthread_rwlock_unlock(&s->lock);
    i->dirty = true;
}

// What of the stream was not understood, for /api/meta.
static void count_skipped(struct ingest *i)
{
    struct stream_counts counts = stream_reader_counts(i->reader);

    pthread_rwlock_wrlock(&i->session->lock);
    i->session->health.skipped_records =
        (int64_t)(counts.compressed + counts.unknown + counts.malformed + i->skipped);
    pthread_rwlock_unlock(&i->session->lock);
}

int ingest_feed(struct ingest *i, const void *bytes, size_t size)
{
    int r = stream_reader_feed(i->reader, bytes, size);

    count_skipped(i);
    if (r < 0)
        set_state(i, SESSION_FAILED, stream_reader_error(i->reader));
    tell(i);
    if (i->config.keeper)
        keeper_wait(i->config.keeper);
    return r;
}

void ingest_end(struct ingest *i)
{
    int r = stream_reader_end(i->reader);

    if (r == 0 && stream_reader_counts(i->reader).compressed)
        set_state(i, SESSION_ENDED,
                  "the stream has ended; its compressed records are not read yet");
    else if (r == 0)
        set_state(i, SESSION_ENDED, i->ended ? NULL : "the stream has ended");
    else if (r == -EPIPE)
        set_state(i, SESSION_ENDED, "the stream was cut off in the middle of a record");
    else
        set_state(i, SESSION_FAILED, stream_reader_error(i->reader));
    tell(i);
}
