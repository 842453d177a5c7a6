// SPDX-License-Identifier: Apache-2.0
// libFuzzer target for the stream reader: the same bytes in one piece, byte by byte, and in pieces
// whose sizes the bytes themselves give must lead to the same callbacks, counts and error. Built
// and run by tests/fuzz/fuzz-stream.sh.
#include "stream/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum chunking { WHOLE, BYTES, UNEVEN, N_CHUNKINGS };

struct outcome {
    int error;
    struct stream_counts counts;
    uint64_t digest; // of what the callbacks were given, in their order
    const struct stream_head *head;
};

// FNV-1a
static void digest(struct outcome *o, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        o->digest = (o->digest ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
}

static void digest_u64(struct outcome *o, uint64_t value)
{
    digest(o, &value, sizeof(value));
}

static void check(bool good)
{
    if (!good)
        abort();
}

static int on_head(void *context, const struct stream_head *head)
{
    struct outcome *o = context;

    o->head = head;
    check(head->n_events <= EVENTS_MAX && head->n_cpus <= STREAM_CPUS_MAX);
    for (size_t i = 0; i < head->n_events; i++) {
        const struct event *e = &head->events[i];

        check(strnlen(e->name, EVENT_NAME_MAX) < EVENT_NAME_MAX && e->name[0]);
        check(strnlen(e->unit, EVENT_UNIT_MAX) < EVENT_UNIT_MAX);
        check(e->group >= 0 && e->group < head->n_groups && e->scale > 0);
        digest(o, e->name, strlen(e->name));
        digest_u64(o, e->id);
    }
    for (size_t i = 0; i < head->n_cpus; i++)
        digest_u64(o, (uint64_t)head->cpus[i]);
    for (size_t i = 0; i < head->n_threads; i++)
        digest(o, head->threads[i].comm, strlen(head->threads[i].comm));
    digest(o, head->host, strlen(head->host));
    return 0;
}

static void on_stat(void *context, size_t event, int cpu, uint32_t thread, struct reading r)
{
    struct outcome *o = context;

    check(o->head && event < o->head->n_events && cpu >= -1 && cpu < STREAM_CPUS_MAX);
    check(thread < STREAM_THREADS_MAX);
    digest_u64(o, event);
    digest_u64(o, (uint64_t)cpu);
    digest_u64(o, thread);
    digest(o, &r, sizeof(r));
}

static void on_round(void *context, bool final, uint64_t time_ns)
{
    digest_u64(context, time_ns + final);
}

static void on_clock(void *context, const struct stream_clock *clock)
{
    digest_u64(context, (uint64_t)clock->wall_ns);
}

static void on_note(void *context, size_t event, const char *json, size_t size)
{
    digest_u64(context, event);
    digest(context, json, size);
}

static struct outcome read_in(enum chunking chunking, const uint8_t *data, size_t size)
{
    static const struct stream_handler handler = {on_head, on_stat, on_round, on_clock, on_note};
    struct outcome o = {.digest = UINT64_C(0xcbf29ce484222325)};
    struct stream_reader *r;

    if (stream_reader_new(&handler, &o, &r) < 0)
        return o;
    for (size_t at = 0, n; at < size; at += n) {
        uint8_t *piece;

        n = chunking == WHOLE ? size : chunking == BYTES ? 1 : 1 + (size_t)data[at] * 3;
        if (n > size - at)
            n = size - at;
        piece = malloc(n); // of exactly this size, so that reading beyond it is seen
        check(piece != NULL);
        memcpy(piece, data + at, n);
        stream_reader_feed(r, piece, n);
        free(piece);
    }
    o.error = stream_reader_end(r);
    check((o.error < 0) == (stream_reader_error(r)[0] != '\0'));
    o.counts = stream_reader_counts(r);
    stream_reader_free(r);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole = read_in(WHOLE, data, size);

    for (enum chunking chunking = BYTES; chunking < N_CHUNKINGS; chunking++) {
        struct outcome o = read_in(chunking, data, size);

        check(o.error == whole.error && o.digest == whole.digest);
        check(memcmp(&o.counts, &whole.counts, sizeof(o.counts)) == 0);
    }
    return 0;
}
