// SPDX-License-Identifier: Apache-2.0
#include "stream/head.h"
#include "stream/record.h"

#define HEAD_MALFORMED 1

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

// What perf record says of its events' names; the events are those of the attrs, in their order.
static int feature_events(struct head_builder *h, struct cursor data)
{
    uint32_t n = cursor_u32(&data), attr_size = cursor_u32(&data);

    if (data.failed || n > h->head.n_events)
        return HEAD_MALFORMED;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t n_ids, size;

        cursor_take(&data, attr_size);
        n_ids = cursor_u32(&data);
        size = cursor_u32(&data);
        if (data.failed || size > data.left)
            return HEAD_MALFORMED;
        if (size && data.at[0])
            head_set_name(&h->events[i], &data, size);
        else
            cursor_take(&data, size);
        cursor_take(&data, (size_t)n_ids * sizeof(uint64_t));
    }
    h->changed = true;
    return data.failed ? HEAD_MALFORMED : 0;
}

static int feature_sample_time(struct head_builder *h, struct cursor data)
{
    uint64_t first = cursor_u64(&data), last = cursor_u64(&data);

    if (data.failed || last < first)
        return HEAD_MALFORMED;
    h->head.first_sample = first;
    return 0;
}

static int feature_clock(struct head_builder *h, struct cursor data, bool *ret_clock)
{
    struct record_clock_data clock;

    cursor_copy(&data, &clock, sizeof(clock));
    if (data.failed || clock.version != 1 || clock.wall_ns > INT64_MAX ||
        clock.reference_ns > INT64_MAX || clock.clockid > INT32_MAX)
        return HEAD_MALFORMED;
    if (!clock.wall_ns) // perf stat's files have the feature, and nothing in it
        return 0;
    h->head.clock = (struct stream_clock){
        .known = true,
        .clockid = (int)clock.clockid,
        .reference_ns = (ns_t)clock.reference_ns,
        .wall_ns = (ns_t)clock.wall_ns,
    };
    *ret_clock = true;
    return 0;
}

bool head_feature_wanted(uint64_t feature)
{
    return (feature >= FEATURE_HOSTNAME && feature <= FEATURE_CPUDESC) ||
           feature == FEATURE_EVENT_DESC || feature == FEATURE_GROUP_DESC ||
           feature == FEATURE_SAMPLE_TIME || feature == FEATURE_CLOCK_DATA;
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
        // Whoever keeps something of each relies on it.
        if (data.failed || available > STREAM_CPUS_MAX || online > STREAM_CPUS_MAX)
            return HEAD_MALFORMED;
        h->head.cpus_available = available;
        h->head.cpus_online = online;
        h->changed = true;
        return 0;
    case FEATURE_EVENT_DESC:
        return feature_events(h, data);
    case FEATURE_SAMPLE_TIME:
        return feature_sample_time(h, data);
    case FEATURE_GROUP_DESC:
        return feature_groups(h, data);
    case FEATURE_CLOCK_DATA:
        return feature_clock(h, data, ret_clock);
    default:
        return 0;
    }
}
