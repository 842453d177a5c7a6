// SPDX-License-Identifier: Apache-2.0
#include "history/ingest_private.h"

#include "base/text.h"
#include "history/note.h"
#include "stream/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What the events and CPUs of a stream take, however little is held of each, in bytes: of a reading
// (two of them, and whether they are there), of a sum that is being made, and of the places of a
// layout in the HISTORY_ROWS_MIN rows of the ring and in the keeper's eight buckets.
#define READING_BYTES ((size_t)50)
#define SUM_BYTES     ((size_t)32)
#define RAW_BYTES     ((size_t)(HISTORY_ROWS_MIN * 8 + 8 * 40))
#define TIMES_BYTES   ((size_t)(HISTORY_ROWS_MIN * 8 + 8 * 16))
#define METRIC_BYTES  ((size_t)(8 * 24))

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
        if (e.availability == QUALITY_NOT_SUPPORTED)
            snprintf(e.why, sizeof(e.why), "%.100s: not supported where this was recorded", e.name);
        r = event_table_add(&i->events, &e);
        if (r < 0)
            return r;
    }
    return 0;
}

// Places that readings and samples can be of.
static size_t count_rows(const struct stream_head *head)
{
    size_t rows = head->tasks ? head->n_threads : 0;

    for (size_t k = 0; k < head->n_cpus; k++)
        if ((size_t)head->cpus[k] >= rows)
            rows = (size_t)head->cpus[k] + 1;
    return rows ? rows : 1;
}

static int prepare_readings(struct ingest *i, const struct stream_head *head, size_t rows)
{
    int r = add_events(i, head);

    if (r == 0)
        r = readings_init(&i->readings, &i->events, rows, head->tasks ? SCOPE_TASK : SCOPE_CPU);
    return r;
}

static void push_samples(void *context, ns_t end_ns, const struct sum *sums)
{
    if (ingest_is_ending(context))
        return;
    ingest_push(context, end_ns, (double)SAMPLED_INTERVAL / (double)NS_PER_SEC, sums);
}

static int prepare_samples(struct ingest *i, const struct stream_head *head)
{
    i->events.tasks = head->tasks;
    i->readings.scope = head->tasks ? SCOPE_TASK : SCOPE_CPU;
    return sampled_new(head, i->n_slots, &i->events, push_samples, i, &i->sampled);
}

static int memory_of(const struct ingest *i, size_t rows, size_t *ret)
{
    struct layout l;
    int r = layout_init(&l, &i->events, i->n_slots, i->readings.scope);

    if (r < 0)
        return r;
    *ret = rows * i->events.n * READING_BYTES + i->n_slots * i->events.n * SUM_BYTES +
           l.n_raw * RAW_BYTES + l.n_times * TIMES_BYTES + l.n_metric_places * METRIC_BYTES +
           stream_reader_memory(i->reader);
    layout_done(&l);
    return 0;
}

static int check_memory(struct ingest *i, size_t rows)
{
    size_t needed, memory = i->config.memory;
    bool bounded = i->config.bounded && i->events.n; // nothing but dummies has no column
    int r = bounded ? memory_of(i, rows, &needed) : 0;

    if (r < 0 || !bounded)
        return r;
    if (needed / 2 > memory)
        return stream_reader_fail(i->reader, -E2BIG,
                                  "%zu events of %zu %s take %zu MiB of memory; `--memory %zuMiB` "
                                  "lets them",
                                  i->events.n, rows, i->events.tasks ? "threads" : "CPUs",
                                  needed >> 20, (needed >> 21) + 1);
    // What is left is for larger windows that may still come.
    if (needed > memory)
        stream_reader_bound_window(i->reader,
                                   2 * memory - needed + stream_reader_memory(i->reader));
    return 0;
}

static int prepare(struct ingest *i, const struct stream_head *head)
{
    struct session *s = i->session;
    size_t rows = count_rows(head);
    int r;

    if (!head->n_events || rows > STREAM_READINGS_MAX / head->n_events)
        return head->n_events ? -E2BIG : -ENODATA;
    i->n_slots = head->tasks ? 1 : rows + 1;
    // Nothing of that is touched yet: to get it takes no memory.
    r = sampled_is(head) ? prepare_samples(i, head) : prepare_readings(i, head, rows);
    if (r == 0)
        r = check_memory(i, rows);
    if (r < 0)
        return r;
    i->sums = calloc(i->n_slots * i->events.n + 1, sizeof(*i->sums));
    i->gauge_base = calloc(i->n_slots * i->events.n + 1, sizeof(*i->gauge_base));
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
    if (i->sampled)
        i->session->interval_ms = SAMPLED_INTERVAL / NS_PER_MS;
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

static void on_sample(void *context, size_t event, const struct sample *sample)
{
    struct ingest *i = context;

    if (!i->sampled || !sampled_take(i->sampled, event, sample))
        i->not_shown++;
}

static void on_drained(void *context)
{
    struct ingest *i = context;

    if (i->sampled)
        sampled_drained(i->sampled);
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

static void on_round(void *context, bool final, uint64_t time)
{
    (void) final;
    ingest_round(context, time);
}

int ingest_new(struct session *session, const struct ingest_config *config, struct ingest **ret)
{
    static const struct stream_handler handler = {
        .head = on_head,
        .stat = on_stat,
        .round = on_round,
        .clock = on_clock,
        .note = on_note,
        .sample = on_sample,
        .drained = on_drained,
    };
    struct ingest *i = calloc(1, sizeof(*i));
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
    if (config->bounded)
        stream_reader_bound_window(i->reader, config->memory);
    // A stream that does not name its run (perf's own) still needs one that a restart tells apart.
    session_name_run(session);
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
    sampled_free(i->sampled);
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
    const struct stream_counts *counts = stream_reader_counts(i->reader);

    pthread_rwlock_wrlock(&i->session->lock);
    i->session->health.skipped_records =
        (int64_t)(counts->unknown + counts->malformed + i->skipped + i->not_shown);
    pthread_rwlock_unlock(&i->session->lock);
}

static int settle(struct ingest *i, int r)
{
    count_skipped(i);
    if (r < 0)
        set_state(i, SESSION_FAILED, stream_reader_error(i->reader));
    tell(i);
    if (i->config.keeper)
        keeper_wait(i->config.keeper);
    return r;
}

int ingest_begin_file(struct ingest *i, const struct stream_file *file, struct stream_extent *ret)
{
    return settle(i, file_mode_begin(i->reader, file, ret));
}

int ingest_feed(struct ingest *i, const void *bytes, size_t size)
{
    return settle(i, stream_reader_feed(i->reader, bytes, size));
}

const struct stream_reader *ingest_reader(const struct ingest *i)
{
    return i->reader;
}

void ingest_end(struct ingest *i)
{
    int r = stream_reader_end(i->reader);

    if (i->sampled)
        sampled_end(i->sampled);
    count_skipped(i);
    if (i->config.keeper)
        keeper_wait_end(i->config.keeper);
    if (r == 0)
        set_state(i, SESSION_ENDED, i->ended ? NULL : "the stream has ended");
    else if (r == -EPIPE && i->session->state != SESSION_FAILED)
        set_state(i, SESSION_ENDED, "the stream was cut off in the middle of a record");
    else
        set_state(i, SESSION_FAILED, stream_reader_error(i->reader));
    tell(i);
}

void ingest_end_because(struct ingest *i, const char *reason)
{
    ingest_end(i);
    set_state(i, SESSION_ENDED, reason);
    tell(i);
}
