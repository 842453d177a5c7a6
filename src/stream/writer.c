// SPDX-License-Identifier: Apache-2.0
#include "stream/writer.h"

#include "stream/event_name.h"
#include "stream/record.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>

#define CPUS_MAX    ((RECORD_WRITE_MAX - 16) / sizeof(uint16_t)) // that fit into one CPU_MAP
#define THREADS_MAX ((RECORD_WRITE_MAX - 16) / sizeof(struct record_thread))
#define TEXT_ALIGN  64 // perf pads the texts of its features to this

static_assert(sizeof(struct perf_event_attr) >= RECORD_ATTR_SIZE, "kernel headers older than 5.13");
static_assert(STREAM_NOTE_MAX == RECORD_WRITE_MAX - sizeof(struct record_event_update),
              "note size");
static_assert(CPUS_MAX < UINT16_MAX, "CPU_MAP's count is 16 bits");

static void put_u16(struct buf *out, uint16_t value)
{
    buf_append(out, &value, sizeof(value));
}

static void put_u32(struct buf *out, uint32_t value)
{
    buf_append(out, &value, sizeof(value));
}

static void put_u64(struct buf *out, uint64_t value)
{
    buf_append(out, &value, sizeof(value));
}

// `text`, terminated and then padded with NULs to a multiple of `align`.
static void put_text(struct buf *out, const char *text, size_t align)
{
    static const char zeros[TEXT_ALIGN];
    size_t size = strlen(text) + 1;

    buf_append(out, text, size);
    buf_append(out, zeros, (align - size % align) % align);
}

// Appends a record's header; the size is filled in by record_end(). Returns where it begins.
static size_t record_begin(struct buf *out, uint32_t type)
{
    size_t start = out->size;

    buf_append(out, &(struct record_header){.type = type}, sizeof(struct record_header));
    return start;
}

// Pads to 8 and closes. -E2BIG: it was too large, and is gone.
static int record_end(struct buf *out, size_t start)
{
    struct record_header header;

    if (buf_error(out) < 0)
        return -ENOMEM;
    while (out->size % 8 != start % 8)
        buf_putc(out, '\0');
    if (buf_error(out) < 0)
        return -ENOMEM;
    if (out->size - start > RECORD_WRITE_MAX) {
        out->size = start;
        return -E2BIG;
    }
    memcpy(&header, out->data + start, sizeof(header));
    header.size = (uint16_t)(out->size - start);
    memcpy(out->data + start, &header, sizeof(header));
    return 0;
}

static int write_attr(struct buf *out, const struct event *e)
{
    struct event_attr named = event_name_attr(e->type, e->config, e->name);
    struct perf_event_attr attr = {
        .type = e->type,
        .size = RECORD_ATTR_SIZE,
        .config = e->config,
        .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
        .disabled = 1,
        .exclude_user = named.exclude_user,
        .exclude_kernel = named.exclude_kernel,
        .exclude_hv = named.exclude_hv,
        .exclude_host = named.exclude_host,
        .exclude_guest = named.exclude_guest,
    };
    size_t start = record_begin(out, RECORD_HEADER_ATTR);

    if (e->kind == EVENT_GAUGE) {
        attr.type = PERF_TYPE_SOFTWARE;
        attr.config = PERF_COUNT_SW_DUMMY;
    }
    buf_append(out, &attr, RECORD_ATTR_SIZE);
    put_u64(out, e->id);
    return record_end(out, start);
}

static size_t update_begin(struct buf *out, uint64_t type, uint64_t id)
{
    size_t start = record_begin(out, RECORD_EVENT_UPDATE);

    put_u64(out, type);
    put_u64(out, id);
    return start;
}

static int write_updates(struct buf *out, const struct event *e)
{
    size_t start = update_begin(out, UPDATE_NAME, e->id);
    int r;

    put_text(out, e->name, 8);
    r = record_end(out, start);
    if (r >= 0 && e->unit[0]) {
        start = update_begin(out, UPDATE_UNIT, e->id);
        put_text(out, e->unit, 8);
        r = record_end(out, start);
    }
    if (r >= 0 && e->scale != 1 && e->scale != 0) {
        start = update_begin(out, UPDATE_SCALE, e->id);
        buf_append(out, &e->scale, sizeof(e->scale));
        r = record_end(out, start);
    }
    return r;
}

static size_t feature_begin(struct buf *out, uint64_t feature)
{
    size_t start = record_begin(out, RECORD_HEADER_FEATURE);

    put_u64(out, feature);
    return start;
}

static void put_feature_text(struct buf *out, const char *text)
{
    size_t size = strlen(text) + 1;

    put_u32(out, (uint32_t)((size + TEXT_ALIGN - 1) / TEXT_ALIGN * TEXT_ALIGN));
    put_text(out, text, TEXT_ALIGN);
}

static int write_text(struct buf *out, uint64_t feature, const char *text)
{
    size_t start;

    if (!text || !text[0])
        return 0;
    start = feature_begin(out, feature);
    put_feature_text(out, text);
    return record_end(out, start);
}

// Events from `i` on that are in the same group.
static size_t group_size(const struct event_table *t, size_t i)
{
    size_t n = 1;

    while (i + n < t->n && t->events[i + n].group == t->events[i].group)
        n++;
    return n;
}

// perf writes only the groups that have members beside their leader.
static int write_groups(struct buf *out, const struct event_table *t)
{
    size_t start = feature_begin(out, FEATURE_GROUP_DESC);
    uint32_t n_groups = 0;

    for (size_t i = 0; i < t->n; i += group_size(t, i))
        n_groups += group_size(t, i) > 1;
    put_u32(out, n_groups);
    for (size_t i = 0; i < t->n; i += group_size(t, i)) {
        size_t n = group_size(t, i);

        if (n < 2)
            continue;
        put_feature_text(out, "{anon_group}");
        put_u32(out, (uint32_t)i);
        put_u32(out, (uint32_t)n);
    }
    return record_end(out, start);
}

static bool groups_are_whole(const struct event_table *t)
{
    for (size_t i = 0; i < t->n; i += group_size(t, i))
        for (size_t j = i + group_size(t, i); j < t->n; j++)
            if (t->events[j].group == t->events[i].group)
                return false;
    return true;
}

static int write_features(struct buf *out, const struct stream_description *d)
{
    size_t start;
    int r = write_text(out, FEATURE_HOSTNAME, d->host);

    if (r >= 0)
        r = write_text(out, FEATURE_OSRELEASE, d->kernel);
    if (r >= 0)
        r = write_text(out, FEATURE_VERSION, d->version);
    if (r >= 0)
        r = write_text(out, FEATURE_ARCH, d->arch);
    if (r >= 0) {
        start = feature_begin(out, FEATURE_NRCPUS);
        put_u32(out, d->cpus_possible);
        put_u32(out, d->cpus_online);
        r = record_end(out, start);
    }
    if (r >= 0)
        r = write_text(out, FEATURE_CPUDESC, d->cpu_desc);
    if (r >= 0)
        r = write_groups(out, d->events);
    if (r >= 0)
        stream_write_clock(out, d->reference_ns, d->wall_ns);
    return r;
}

// perf reads no STAT before it has both maps.
static int write_maps(struct buf *out, const struct stream_description *d)
{
    bool tasks = d->target == STREAM_TASKS;
    size_t n = tasks ? d->n_threads + d->spare_threads : 1;
    size_t start = record_begin(out, RECORD_THREAD_MAP);
    int r;

    put_u64(out, n);
    for (size_t i = 0; i < n; i++) {
        struct record_thread thread = {.pid = RECORD_THREAD_ANY};

        if (tasks && i < d->n_threads) {
            thread.pid = (uint64_t)d->threads[i].pid;
            snprintf(thread.comm, sizeof(thread.comm), "%s", d->threads[i].comm);
        }
        buf_append(out, &thread, sizeof(thread));
    }
    r = record_end(out, start);
    if (r < 0)
        return r;

    start = record_begin(out, RECORD_CPU_MAP);
    put_u16(out, CPU_MAP_CPUS);
    put_u16(out, tasks ? 1 : (uint16_t)d->cpus_possible);
    if (tasks)
        put_u16(out, UINT16_MAX);
    for (unsigned cpu = 0; !tasks && cpu < d->cpus_possible; cpu++)
        put_u16(out, (uint16_t)cpu);
    return record_end(out, start);
}

static int write_config(struct buf *out, unsigned interval_ms)
{
    const struct record_config entries[] = {
        {CONFIG_AGGR_MODE, AGGR_GLOBAL}, {CONFIG_INTERVAL, interval_ms}, {CONFIG_SCALE, 1}};
    size_t start = record_begin(out, RECORD_STAT_CONFIG);

    put_u64(out, sizeof(entries) / sizeof(entries[0]));
    buf_append(out, entries, sizeof(entries));
    return record_end(out, start);
}

static int write_all(struct buf *out, const struct stream_description *d)
{
    const struct event_table *t = d->events;
    int r = 0;

    buf_append(out, &(struct record_file_header){RECORD_MAGIC, RECORD_PIPE_HEADER},
               RECORD_PIPE_HEADER);
    for (size_t i = 0; r >= 0 && i < t->n; i++)
        r = write_attr(out, &t->events[i]);
    // Names before features: perf prints groups by them.
    for (size_t i = 0; r >= 0 && i < t->n; i++)
        r = write_updates(out, &t->events[i]);
    if (r >= 0)
        r = write_features(out, d);
    if (r >= 0)
        r = write_maps(out, d);
    if (r >= 0)
        r = write_config(out, d->interval_ms);
    return r < 0 ? r : buf_error(out);
}

int stream_write_start(struct buf *out, const struct stream_description *d)
{
    size_t start = out->size;
    int r;

    if (!d->events->n || !groups_are_whole(d->events) ||
        (d->target == STREAM_TASKS ? d->n_threads + d->spare_threads : d->cpus_possible) == 0)
        return -EINVAL;
    if (d->cpus_possible > CPUS_MAX || d->n_threads > THREADS_MAX ||
        d->spare_threads > THREADS_MAX - d->n_threads)
        return -E2BIG;
    r = write_all(out, d);
    if (r < 0)
        out->size = start;
    return r;
}

void stream_write_stat(struct buf *out, uint64_t id, uint32_t cpu, uint32_t thread,
                       struct reading r)
{
    struct record_stat record = {
        .header = {.type = RECORD_STAT, .size = sizeof(record)},
        .id = id,
        .cpu = cpu,
        .thread = thread,
        .value = r.value,
        .enabled = r.enabled,
        .running = r.running,
    };

    buf_append(out, &record, sizeof(record));
}

void stream_write_round(struct buf *out, bool final, uint64_t time_ns)
{
    struct record_stat_round record = {
        .header = {.type = RECORD_STAT_ROUND, .size = sizeof(record)},
        .type = final ? ROUND_FINAL : ROUND_INTERVAL,
        .time = time_ns,
    };

    buf_append(out, &record, sizeof(record));
}

void stream_write_clock(struct buf *out, ns_t reference_ns, ns_t wall_ns)
{
    struct record_clock_data clock = {
        .version = 1,
        .clockid = CLOCK_MONOTONIC,
        .wall_ns = (uint64_t)wall_ns,
        .reference_ns = (uint64_t)reference_ns,
    };
    size_t start = feature_begin(out, FEATURE_CLOCK_DATA);

    buf_append(out, &clock, sizeof(clock));
    record_end(out, start);
}

int stream_write_note(struct buf *out, uint64_t id, const char *json, size_t size)
{
    size_t start;

    if (size > STREAM_NOTE_MAX)
        return -E2BIG;
    start = update_begin(out, RECORD_NOTE, id);
    buf_append(out, json, size);
    return record_end(out, start);
}
