// SPDX-License-Identifier: Apache-2.0
#include "stream/sample.h"

#include <linux/perf_event.h>

static size_t count_bits(uint64_t bits)
{
    return (size_t)__builtin_popcountll(bits);
}

bool sample_id_place(uint64_t sample_type, size_t *ret)
{
    const uint64_t before = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR;

    if (!(sample_type & (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_ID)))
        return false;
    *ret = sample_type & PERF_SAMPLE_IDENTIFIER ? 0 : count_bits(sample_type & before);
    return true;
}

// The head of the read: how many values follow, each with its id.
static void begin_reads(const struct sample_format *f, struct cursor *body, struct sample *s)
{
    uint64_t times =
        f->read_format & (PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING);

    s->n_reads = 1;
    if (f->read_format & PERF_FORMAT_GROUP) {
        s->n_reads = cursor_u64(body);
        cursor_take(body, count_bits(times) * sizeof(uint64_t));
    }
    s->reads = *body;
    if (s->n_reads > SAMPLE_READS_MAX)
        body->failed = true;
}

bool sample_parse(const struct sample_format *f, struct cursor body, struct sample *ret)
{
    uint64_t type = f->sample_type;
    struct sample s = {.cpu = -1, .period = f->period};

    if (type & PERF_SAMPLE_IDENTIFIER)
        s.id = cursor_u64(&body);
    if (type & PERF_SAMPLE_IP)
        cursor_u64(&body);
    if (type & PERF_SAMPLE_TID) {
        s.pid = cursor_u32(&body);
        s.tid = cursor_u32(&body);
    }
    if (type & PERF_SAMPLE_TIME)
        s.time = cursor_u64(&body);
    if (type & PERF_SAMPLE_ADDR)
        cursor_u64(&body);
    if (type & PERF_SAMPLE_ID)
        s.id = cursor_u64(&body);
    if (type & PERF_SAMPLE_STREAM_ID)
        cursor_u64(&body);
    if (type & PERF_SAMPLE_CPU) {
        s.cpu = (int)cursor_u32(&body);
        cursor_u32(&body);
    }
    if (type & PERF_SAMPLE_PERIOD)
        s.period = cursor_u64(&body);
    if (type & PERF_SAMPLE_READ)
        begin_reads(f, &body, &s);
    *ret = s;
    return !body.failed;
}

bool sample_next_read(const struct sample_format *f, struct sample *s, struct sample_read *ret)
{
    uint64_t format = f->read_format;

    if (!s->n_reads || !(format & PERF_FORMAT_ID))
        return false;
    s->n_reads--;
    ret->value = cursor_u64(&s->reads);
    if (!(format & PERF_FORMAT_GROUP))
        cursor_take(&s->reads,
                    sizeof(uint64_t) * count_bits(format & (PERF_FORMAT_TOTAL_TIME_ENABLED |
                                                            PERF_FORMAT_TOTAL_TIME_RUNNING)));
    ret->id = cursor_u64(&s->reads);
    if (format & PERF_FORMAT_LOST)
        cursor_u64(&s->reads);
    return !s->reads.failed;
}
