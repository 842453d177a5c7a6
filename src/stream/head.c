// SPDX-License-Identifier: Apache-2.0
#include "stream/head.h"

#include "stream/record.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <math.h>
#include <stdlib.h>

#define HEAD_MALFORMED 1

void head_done(struct head_builder *h)
{
    free(h->events);
    free(h->formats);
    free(h->origins);
    free(h->threads);
    id_map_done(&h->ids);
}

static int reserve_event(struct head_builder *h)
{
    size_t capacity = h->capacity ? h->capacity * 2 : 16;
    void *p;

    if (h->head.n_events >= EVENTS_MAX)
        return -E2BIG;
    if (h->head.n_events < h->capacity)
        return 0;
    p = reallocarray(h->events, capacity, sizeof(*h->events));
    if (!p)
        return -ENOMEM;
    h->head.events = h->events = p;
    p = reallocarray(h->origins, capacity, sizeof(*h->origins));
    if (!p)
        return -ENOMEM;
    h->origins = p;
    p = reallocarray(h->formats, capacity, sizeof(*h->formats));
    if (!p)
        return -ENOMEM;
    h->head.formats = h->formats = p;
    h->capacity = capacity;
    return 0;
}

static struct sample_format format_of(const struct perf_event_attr *attr)
{
    bool own = attr->sample_type & PERF_SAMPLE_PERIOD;

    return (struct sample_format){
        .sample_type = attr->sample_type,
        .read_format = attr->read_format,
        .period = own || attr->freq ? 0 : attr->sample_period,
        // The period is in the same bytes as the frequency. What only its group's leader samples
        // has none.
        .sampling = attr->sample_period != 0 || attr->sample_type & PERF_SAMPLE_READ,
        .has_period = own,
        .has_reads = attr->sample_type & PERF_SAMPLE_READ,
    };
}

int head_attr(struct head_builder *h, struct cursor body)
{
    struct cursor ids = body;
    uint32_t size;

    if (body.left < RECORD_ATTR_MIN)
        return HEAD_MALFORMED;
    memcpy(&size, body.at + offsetof(struct perf_event_attr, size), sizeof(size));
    if (!size) // the first version of the attr, which had no size yet
        size = RECORD_ATTR_MIN;
    if (!cursor_take(&ids, size))
        return HEAD_MALFORMED;
    body.left = size;
    return head_attr_ids(h, body, ids);
}

int head_attr_ids(struct head_builder *h, struct cursor body, struct cursor ids)
{
    struct perf_event_attr attr = {0};
    uint32_t index = (uint32_t)h->head.n_events;
    size_t n_ids = ids.left / 8;
    uint64_t first = 0;
    int r;

    if (h->complete || body.left < RECORD_ATTR_MIN || body.left % 8 != 0 || ids.left % 8 != 0)
        return HEAD_MALFORMED;
    memcpy(&attr, body.at, body.left < sizeof(attr) ? body.left : sizeof(attr));
    r = reserve_event(h);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n_ids; i++) {
        uint64_t id = cursor_u64(&ids);

        if (i == 0)
            first = id;
        r = id_map_add(&h->ids, id, index);
        if (r < 0)
            return r;
    }
    h->formats[index] = format_of(&attr);
    h->events[index] = (struct event){
        .id = first,
        .type = attr.type,
        .config = attr.config,
        .scale = 1,
        .group = -1,
        .availability = n_ids || h->formats[index].sampling ? QUALITY_EXACT : QUALITY_NOT_SUPPORTED,
    };
    h->origins[index] = (struct head_event){
        .attr =
            {
                .type = attr.type,
                .config = attr.config,
                .exclude_user = attr.exclude_user,
                .exclude_kernel = attr.exclude_kernel,
                .exclude_hv = attr.exclude_hv,
                .exclude_host = attr.exclude_host,
                .exclude_guest = attr.exclude_guest,
                .precise_ip = attr.precise_ip,
            },
        .leader = -1,
        .in_group = attr.read_format & PERF_FORMAT_GROUP,
        .disabled = attr.disabled,
    };
    h->head.n_events++;
    return 0;
}

void head_set_name(struct event *e, struct cursor *data, size_t size)
{
    cursor_text(data, size, e->name, sizeof(e->name));
    // A gauge of ours is a dummy event with a name of its own.
    if (e->type == PERF_TYPE_SOFTWARE && e->config == PERF_COUNT_SW_DUMMY &&
        strncmp(e->name, "dummy", strlen("dummy")) != 0)
        e->kind = EVENT_GAUGE;
}

int head_update(struct head_builder *h, uint64_t type, uint64_t id, struct cursor data)
{
    uint32_t index;
    struct event *e;
    double scale;

    if (!id_map_find(&h->ids, id, &index))
        return HEAD_MALFORMED;
    e = &h->events[index];
    switch (type) {
    case UPDATE_NAME:
        if (!data.left || !data.at[0])
            return HEAD_MALFORMED;
        head_set_name(e, &data, data.left);
        break;
    case UPDATE_UNIT:
        cursor_text(&data, data.left, e->unit, sizeof(e->unit));
        break;
    case UPDATE_SCALE:
        cursor_copy(&data, &scale, sizeof(scale));
        if (data.failed || !isfinite(scale) || scale <= 0)
            return HEAD_MALFORMED;
        e->scale = scale;
        break;
    default: // CPUS, and what a newer perf has: nothing that a reading depends on
        return 0;
    }
    h->changed = true;
    return 0;
}

int head_cpu_map(struct head_builder *h, struct cursor body)
{
    return h->complete ? HEAD_MALFORMED : cpu_map_take(&h->cpu_map, body);
}

int head_thread_map(struct head_builder *h, struct cursor body)
{
    uint64_t n = cursor_u64(&body);

    if (h->threads || h->complete || !n || n > body.left / sizeof(struct record_thread))
        return HEAD_MALFORMED;
    if (n > STREAM_THREADS_MAX)
        return -E2BIG;
    h->threads = calloc(n, sizeof(*h->threads));
    if (!h->threads)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        h->threads[i].pid = (int64_t)cursor_u64(&body);
        cursor_text(&body, sizeof(((struct record_thread *)0)->comm), h->threads[i].comm,
                    sizeof(h->threads[i].comm));
    }
    h->head.threads = h->threads;
    h->head.n_threads = n;
    return 0;
}

int head_config(struct head_builder *h, struct cursor body)
{
    uint64_t n = cursor_u64(&body);

    if (body.failed || n > body.left / sizeof(struct record_config))
        return HEAD_MALFORMED;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t tag = cursor_u64(&body), value = cursor_u64(&body);

        if (tag == CONFIG_INTERVAL)
            h->head.interval_ms = value < UINT32_MAX ? (unsigned)value : UINT32_MAX;
    }
    h->changed = true;
    return 0;
}

static bool all_sample(const struct head_builder *h)
{
    for (size_t i = 0; i < h->head.n_events; i++)
        if (!h->formats[i].sampling)
            return false;
    return true;
}

void head_complete(struct head_builder *h)
{
    h->complete = true;
    h->changed = false;
    for (size_t i = 0; i < h->head.n_events; i++) {
        const struct head_event *g = &h->origins[i], *before = i ? g - 1 : g;
        bool joins;

        if (!h->events[i].name[0])
            event_name(&g->attr, h->events[i].name);
        // perf stat names no groups. There, each event of one has a read format of groups, and only
        // its leader is started by hand.
        if (h->have_groups)
            joins = i && g->leader >= 0 && g->leader == before->leader && g->leader != (int)i;
        else
            joins = i && g->in_group && !g->disabled && before->in_group;
        h->events[i].group = joins ? h->head.n_groups - 1 : h->head.n_groups++;
    }
    // {-1} alone stands for tasks; beside numbers, for an event that has no CPU of its own. perf
    // record opens a process' events on every CPU.
    h->head.tasks = (h->cpu_map.any && !h->cpu_map.n) ||
                    ((!h->cpu_map.there || all_sample(h)) && h->threads && h->threads[0].pid != -1);
    h->head.cpus = h->cpu_map.cpus;
    h->head.n_cpus = h->head.tasks ? 0 : h->cpu_map.n;
    if (!h->head.tasks && h->head.n_threads == 1 && h->threads[0].pid == -1)
        h->head.n_threads = 0;
}

bool head_cpu(struct head_builder *h, uint32_t cpu, int *ret_cpu)
{
    if (!h->head.tasks)
        return cpu_map_find(&h->cpu_map, cpu, ret_cpu);
    *ret_cpu = -1;
    return true;
}

bool head_thread(const struct head_builder *h, uint32_t thread)
{
    return thread < (h->head.n_threads ? h->head.n_threads
                     : h->head.tasks   ? STREAM_THREADS_MAX
                                       : 1);
}
