// SPDX-License-Identifier: Apache-2.0
#include "stream/records.h"

#include "stream/record.h"

#include <errno.h>
#include <stdlib.h>

#define MALFORMED 1

void records_done(struct records *r)
{
    head_done(&r->head);
    free(r->sampled);
}

void records_skip(struct records *r, uint32_t type, size_t size)
{
    struct stream_counts *c = &r->counts;
    size_t i = 0;

    c->skipped_bytes += size;
    while (i < c->n_skipped && c->skipped[i].type != type)
        i++;
    if (i == STREAM_SKIPPED_TYPES)
        return;
    c->skipped[i].type = type;
    c->skipped[i].records++;
    if (i == c->n_skipped)
        c->n_skipped++;
}

static int complete_head(struct records *r)
{
    size_t n = r->head.head.n_events;

    head_complete(&r->head);
    r->sampled = calloc(n + 1, sizeof(*r->sampled));
    if (!r->sampled)
        return -ENOMEM;
    // As perf has it, one place holds for all events.
    r->ids_in_samples = n && sample_id_place(r->head.formats[0].sample_type, &r->id_place);
    return 0;
}

int records_announce(struct records *r)
{
    int e = 0;

    if (r->head.complete && !r->head.changed)
        return 0;
    if (!r->head.complete)
        e = complete_head(r);
    r->head.changed = false;
    return e == 0 && r->handler.head ? r->handler.head(r->context, &r->head.head) : e;
}

static int take_stat(struct records *r, struct cursor body)
{
    uint64_t id = cursor_u64(&body);
    uint32_t cpu = cursor_u32(&body), thread = cursor_u32(&body), event;
    struct reading reading;
    int number;

    reading.value = cursor_u64(&body);
    reading.enabled = cursor_u64(&body);
    reading.running = cursor_u64(&body);
    if (body.failed || !id_map_find(&r->head.ids, id, &event) ||
        !head_cpu(&r->head, cpu, &number) || !head_thread(&r->head, thread))
        return MALFORMED;
    if (r->handler.stat)
        r->handler.stat(r->context, event, number, thread, reading);
    return 0;
}

static int take_round(struct records *r, struct cursor body)
{
    uint64_t type = cursor_u64(&body), time = cursor_u64(&body);

    if (body.failed || type > ROUND_FINAL)
        return MALFORMED;
    if (r->handler.round)
        r->handler.round(r->context, type == ROUND_FINAL, time);
    return 0;
}

static void deliver(struct records *r, uint32_t event, const struct sample *s)
{
    r->counts.samples++;
    r->sampled[event].samples++;
    r->sampled[event].period += s->period;
    if (r->handler.sample)
        r->handler.sample(r->context, event, s);
}

// A sample that reads its group stands for what each member has counted since the one before it.
// Source: linux, tools/perf/util/session.c (deliver_sample_value).
static int deliver_reads(struct records *r, const struct sample_format *f, struct sample *s)
{
    struct sample_read read;

    while (sample_next_read(f, s, &read)) {
        uint64_t before;
        uint32_t event;

        if (!id_map_find(&r->head.ids, read.id, &event) ||
            !id_map_exchange(&r->head.ids, read.id, read.value, &before))
            return MALFORMED;
        s->period = read.value - before;
        if (s->period)
            deliver(r, event, s);
    }
    return s->reads.failed ? MALFORMED : 0;
}

static int take_sample(struct records *r, struct cursor body)
{
    size_t n = r->head.head.n_events;
    const struct sample_format *f;
    uint32_t event = 0;
    struct sample s;

    if (!n)
        return MALFORMED;
    if (n > 1 && r->ids_in_samples) {
        uint64_t id;

        if (body.left / sizeof(id) <= r->id_place)
            return MALFORMED;
        memcpy(&id, body.at + r->id_place * sizeof(id), sizeof(id));
        if (id && !id_map_find(&r->head.ids, id, &event))
            return MALFORMED;
    }
    f = &r->head.formats[event];
    if (!sample_parse(f, body, &s) || s.cpu < -1 || s.cpu >= STREAM_CPUS_MAX)
        return MALFORMED;
    if (f->has_reads)
        return deliver_reads(r, f, &s);
    deliver(r, event, &s);
    return 0;
}

static int take_update(struct records *r, struct cursor body)
{
    uint64_t type = cursor_u64(&body), id = cursor_u64(&body);
    uint32_t event;
    int e;

    if (body.failed)
        return MALFORMED;
    if (type != RECORD_NOTE)
        return head_update(&r->head, type, id, body);
    if (!id_map_find(&r->head.ids, id, &event))
        return MALFORMED;
    e = records_announce(r);
    if (e == 0 && r->handler.note)
        r->handler.note(r->context, event, (const char *)body.at,
                        strnlen((const char *)body.at, body.left));
    return e;
}

static int take_feature(struct records *r, struct cursor body)
{
    uint64_t feature = cursor_u64(&body);
    bool clock = false;
    int e = body.failed ? MALFORMED : head_feature(&r->head, feature, body, &clock);

    if (clock && r->head.complete && r->handler.clock)
        r->handler.clock(r->context, &r->head.head.clock);
    return e;
}

// These two are followed by bytes that their size doesn't count.
static int take_outside(struct records *r, uint32_t type, struct cursor body, uint64_t *ret_outside)
{
    uint64_t size = type == RECORD_AUXTRACE ? cursor_u64(&body) : cursor_u32(&body);

    if (body.failed)
        return -EBADMSG;
    *ret_outside = size;
    r->counts.unused++;
    return 0;
}

static int take_lost(struct records *r, uint32_t type, struct cursor body)
{
    uint64_t n;

    if (type == RECORD_LOST)
        cursor_u64(&body); // whose ring it was
    n = cursor_u64(&body);
    if (body.failed)
        return MALFORMED;
    r->counts.lost += n;
    return 0;
}

static int take_other(struct records *r, uint32_t type, size_t size)
{
    if (type > 0 && (type <= RECORD_KERNEL_LAST ||
                     (type >= RECORD_HEADER_ATTR && type <= RECORD_COMPRESSED2))) {
        r->counts.unused++;
    } else {
        r->counts.unknown++;
        records_skip(r, type, size);
    }
    return 0;
}

// 0; MALFORMED; or an error that ends the reading.
static int take(struct records *r, uint32_t type, struct cursor body, size_t size,
                uint64_t *ret_outside)
{
    int e;

    switch (type) {
    case RECORD_STAT:
        e = records_announce(r);
        return e < 0 ? e : take_stat(r, body);
    case RECORD_STAT_ROUND:
        e = records_announce(r);
        return e < 0 ? e : take_round(r, body);
    case RECORD_SAMPLE:
        e = records_announce(r);
        return e < 0 ? e : take_sample(r, body);
    case RECORD_FINISHED_ROUND:
        e = records_announce(r);
        if (e == 0 && r->handler.drained)
            r->handler.drained(r->context);
        return e;
    case RECORD_EVENT_UPDATE:
        return take_update(r, body);
    case RECORD_HEADER_ATTR:
        return head_attr(&r->head, body);
    case RECORD_CPU_MAP:
        return head_cpu_map(&r->head, body);
    case RECORD_THREAD_MAP:
        return head_thread_map(&r->head, body);
    case RECORD_STAT_CONFIG:
        return head_config(&r->head, body);
    case RECORD_HEADER_FEATURE:
        return take_feature(r, body);
    case RECORD_HEADER_TRACING_DATA:
    case RECORD_AUXTRACE:
        return take_outside(r, type, body, ret_outside);
    case RECORD_LOST:
    case RECORD_LOST_SAMPLES:
        return take_lost(r, type, body);
    case RECORD_THROTTLE:
        r->counts.throttled++;
        return 0;
    case RECORD_COMPRESSED: // inside of another one: perf has no such thing
    case RECORD_COMPRESSED2:
        return MALFORMED;
    default:
        return take_other(r, type, size);
    }
}

int records_take(struct records *r, uint32_t type, struct cursor body, size_t size,
                 uint64_t *ret_outside)
{
    int e = take(r, type, body, size, ret_outside);

    if (e != MALFORMED)
        return e;
    r->counts.malformed++;
    records_skip(r, type, size);
    return 0;
}
