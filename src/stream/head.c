// SPDX-License-Identifier: Apache-2.0
#include "stream/head.h"

#include "stream/record.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <math.h>
#include <stdlib.h>

#define HEAD_MALFORMED 1

struct head_event {
    struct event_attr attr; // to name it by
    int leader;             // index of its group's leader; -1: none was named
    bool in_group;          // its attr says that it is read with others …
    bool disabled; // … and this is set on leaders only: perf stat starts a group by its leader
};

void head_done(struct head_builder *h)
{
    free(h->events);
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
    h->capacity = capacity;
    return 0;
}

int head_attr(struct head_builder *h, struct cursor body)
{
    struct perf_event_attr attr = {0};
    uint32_t size;
    uint32_t index = (uint32_t)h->head.n_events;
    const unsigned char *bytes;
    size_t n_ids;
    uint64_t first = 0;
    int r;

    if (h->complete || body.left < RECORD_ATTR_MIN)
        return HEAD_MALFORMED;
    memcpy(&size, body.at + offsetof(struct perf_event_attr, size), sizeof(size));
    if (!size) // the first version of the attr, which had no size yet
        size = RECORD_ATTR_MIN;
    bytes = cursor_take(&body, size);
    if (!bytes || size < RECORD_ATTR_MIN || size % 8 != 0 || body.left % 8 != 0)
        return HEAD_MALFORMED;
    memcpy(&attr, bytes, size < sizeof(attr) ? size : sizeof(attr));
    r = reserve_event(h);
    if (r < 0)
        return r;

    n_ids = body.left / 8;
    for (size_t i = 0; i < n_ids; i++) {
        uint64_t id = cursor_u64(&body);

        if (i == 0)
            first = id;
        r = id_map_add(&h->ids, id, index);
        if (r < 0)
            return r;
    }
    h->events[index] = (struct event){
        .id = first,
        .type = attr.type,
        .config = attr.config,
        .scale = 1,
        .group = -1,
        .availability = n_ids ? QUALITY_EXACT : QUALITY_NOT_SUPPORTED,
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
        cursor_text(&data, data.left, e->name, sizeof(e->name));
        // A gauge of ours is a dummy event with a name of its own.
        if (e->type == PERF_TYPE_SOFTWARE && e->config == PERF_COUNT_SW_DUMMY &&
            strncmp(e->name, "dummy", strlen("dummy")) != 0)
            e->kind = EVENT_GAUGE;
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

static int add_cpu(struct head_builder *h, uint32_t cpu)
{
    if (cpu == UINT16_MAX) { // -1: wherever the task runs
        h->cpu_map_any = true;
        return 0;
    }
    if (cpu >= STREAM_CPUS_MAX)
        return -E2BIG;
    if (h->cpu_listed[cpu / 64] >> (cpu % 64) & 1)
        return 0;
    h->cpu_listed[cpu / 64] |= UINT64_C(1) << (cpu % 64);
    h->cpus[h->head.n_cpus++] = (int)cpu;
    return 0;
}

// Bitmaps of 32- or 64-bit words; perf 5.x and older wrote the latter, unaligned.
static int add_mask(struct head_builder *h, struct cursor *body)
{
    unsigned words = cursor_u16(body), bytes = cursor_u16(body);
    int r = 0;

    if (bytes != 4 && bytes != 8)
        return HEAD_MALFORMED;
    if (bytes == 8)
        cursor_u32(body); // padding
    if (body->failed || body->left / bytes < words)
        return HEAD_MALFORMED;
    for (uint32_t word = 0; r >= 0 && word < words; word++) {
        uint64_t mask = bytes == 8 ? cursor_u64(body) : cursor_u32(body);

        for (uint32_t bit = 0; r >= 0 && mask; bit++, mask >>= 1)
            if (mask & 1)
                r = add_cpu(h, word * bytes * 8 + bit);
    }
    return r;
}

static int add_list(struct head_builder *h, struct cursor *body)
{
    unsigned n = cursor_u16(body);
    int r = 0;

    if (body->failed || body->left / 2 < n)
        return HEAD_MALFORMED;
    for (unsigned i = 0; r >= 0 && i < n; i++)
        r = add_cpu(h, cursor_u16(body));
    return r;
}

static int add_range(struct head_builder *h, struct cursor *body)
{
    bool any = cursor_u8(body);
    uint32_t first, last;
    int r = 0;

    cursor_u8(body);
    first = cursor_u16(body);
    last = cursor_u16(body);
    if (body->failed || first > last)
        return HEAD_MALFORMED;
    if (any)
        r = add_cpu(h, UINT16_MAX);
    for (uint32_t cpu = first; r >= 0 && cpu <= last; cpu++)
        r = add_cpu(h, cpu);
    return r;
}

int head_cpu_map(struct head_builder *h, struct cursor body)
{
    unsigned type = cursor_u16(&body);
    int r = HEAD_MALFORMED;

    if (h->have_cpu_map || h->complete)
        return HEAD_MALFORMED;
    if (type == CPU_MAP_CPUS)
        r = add_list(h, &body);
    else if (type == CPU_MAP_MASK)
        r = add_mask(h, &body);
    else if (type == CPU_MAP_RANGE)
        r = add_range(h, &body);
    if (r == 0 && (h->head.n_cpus || h->cpu_map_any))
        h->have_cpu_map = true;
    return r < 0 ? r : h->have_cpu_map ? 0 : HEAD_MALFORMED;
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

static int feature_text(struct head_builder *h, struct cursor data, char ret[STREAM_TEXT_MAX])
{
    uint32_t size = cursor_u32(&data);
    char text[STREAM_TEXT_MAX];

    cursor_text(&data, size, text, sizeof(text));
    if (data.failed)
        return HEAD_MALFORMED;
    memcpy(ret, text, sizeof(text));
    h->changed = true;
    return 0;
}

static int feature_groups(struct head_builder *h, struct cursor data)
{
    uint32_t n_groups = cursor_u32(&data);

    if (h->complete || data.failed || n_groups > h->head.n_events)
        return HEAD_MALFORMED;
    for (uint32_t i = 0; i < n_groups; i++) {
        uint32_t leader, members;

        cursor_take(&data, cursor_u32(&data)); // its name
        leader = cursor_u32(&data);
        members = cursor_u32(&data);
        if (data.failed || leader >= h->head.n_events || members > h->head.n_events - leader)
            return HEAD_MALFORMED;
        for (uint32_t j = 0; j < members; j++)
            h->origins[leader + j].leader = (int)leader;
    }
    h->have_groups = true;
    return 0;
}

static int feature_clock(struct head_builder *h, struct cursor data, bool *ret_clock)
{
    struct record_clock_data clock;

    cursor_copy(&data, &clock, sizeof(clock));
    if (data.failed || clock.version != 1 || clock.wall_ns > INT64_MAX ||
        clock.reference_ns > INT64_MAX || clock.clockid > INT32_MAX)
        return HEAD_MALFORMED;
    h->head.clock = (struct stream_clock){
        .known = true,
        .clockid = (int)clock.clockid,
        .reference_ns = (ns_t)clock.reference_ns,
        .wall_ns = (ns_t)clock.wall_ns,
    };
    *ret_clock = true;
    return 0;
}

int head_feature(struct head_builder *h, uint64_t feature, struct cursor data, bool *ret_clock)
{
    uint32_t available, online;

    switch (feature) {
    case FEATURE_HOSTNAME:
        return feature_text(h, data, h->head.host);
    case FEATURE_OSRELEASE:
        return feature_text(h, data, h->head.kernel);
    case FEATURE_VERSION:
        return feature_text(h, data, h->head.version);
    case FEATURE_ARCH:
        return feature_text(h, data, h->head.arch);
    case FEATURE_CPUDESC:
        return feature_text(h, data, h->head.cpu_desc);
    case FEATURE_NRCPUS:
        available = cursor_u32(&data);
        online = cursor_u32(&data);
        if (data.failed)
            return HEAD_MALFORMED;
        h->head.cpus_available = available;
        h->head.cpus_online = online;
        h->changed = true;
        return 0;
    case FEATURE_GROUP_DESC:
        return feature_groups(h, data);
    case FEATURE_CLOCK_DATA:
        return feature_clock(h, data, ret_clock);
    default:
        return 0;
    }
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
    // {-1} alone stands for tasks; beside numbers, for an event that has no CPU of its own.
    h->head.tasks = (h->cpu_map_any && !h->head.n_cpus) ||
                    (!h->have_cpu_map && h->threads && h->threads[0].pid != -1);
    h->head.cpus = h->cpus;
    if (!h->head.tasks && h->head.n_threads == 1 && h->threads[0].pid == -1)
        h->head.n_threads = 0;
}

bool head_cpu(struct head_builder *h, uint32_t cpu, int *ret_cpu)
{
    if (h->head.tasks) {
        *ret_cpu = -1;
        return true;
    }
    if (!h->have_cpu_map) {
        *ret_cpu = (int)cpu;
        return cpu < STREAM_CPUS_MAX;
    }
    // A perf older than 5.18 wrote places. In a sorted map that is not simply 0 … n − 1, the first
    // place whose CPU differs from it is no CPU of the map, and comes before all others that
    // differ: from there on they are places.
    if (!h->cpus_by_place && cpu < STREAM_CPUS_MAX && h->cpu_listed[cpu / 64] >> (cpu % 64) & 1) {
        *ret_cpu = (int)cpu;
        return true;
    }
    if (cpu >= h->head.n_cpus)
        return false;
    h->cpus_by_place = true;
    *ret_cpu = h->cpus[cpu];
    return true;
}

bool head_thread(const struct head_builder *h, uint32_t thread)
{
    return thread < (h->head.n_threads ? h->head.n_threads
                     : h->head.tasks   ? STREAM_THREADS_MAX
                                       : 1);
}
