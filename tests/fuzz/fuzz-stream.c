// SPDX-License-Identifier: Apache-2.0
// libFuzzer target for the stream reader: the same bytes in one piece, byte by byte, and in pieces
// whose sizes the bytes themselves give must lead to the same callbacks, counts and error; as a
// pipe and as a file, in which file mode is read too. Samples go on into the series that is made of
// them. Built and run by tests/fuzz/fuzz-stream.sh.
#include "history/sampled.h"
#include "stream/file_mode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum chunking { WHOLE, BYTES, UNEVEN, N_CHUNKINGS };

struct outcome {
    int error;
    struct stream_counts counts;
    uint64_t digest; // of what the callbacks were given, in their order
    const struct stream_head *head;
    struct event_table events;
    struct sampled *sampled;
    size_t n_slots;
    ns_t last_end;
    bool given;
};

struct bytes {
    const uint8_t *data;
    size_t size;
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

static void on_interval(void *context, ns_t end_ns, const struct sum *sums)
{
    struct outcome *o = context;

    check(end_ns % SAMPLED_INTERVAL == 0 && (!o->given || end_ns > o->last_end));
    o->given = true;
    o->last_end = end_ns;
    digest_u64(o, (uint64_t)end_ns);
    digest(o, sums, o->n_slots * o->events.n * sizeof(*sums));
}

static void begin_samples(struct outcome *o)
{
    if (o->sampled || !sampled_is(o->head))
        return;
    o->n_slots = o->head->n_cpus % 64 + 1; // some CPUs are then beyond
    if (sampled_new(o->head, 0, o->n_slots, &o->events, on_interval, o, &o->sampled) < 0)
        o->sampled = NULL;
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
    begin_samples(o);
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

static void on_sample(void *context, size_t event, const struct sample *sample)
{
    struct outcome *o = context;

    check(o->head && event < o->head->n_events && sample->cpu >= -1 &&
          sample->cpu < STREAM_CPUS_MAX);
    digest_u64(o, event);
    digest_u64(o, sample->time);
    digest_u64(o, sample->period);
    if (o->sampled)
        digest_u64(o, sampled_take(o->sampled, event, sample));
}

static void on_drained(void *context)
{
    struct outcome *o = context;

    if (o->sampled)
        sampled_drained(o->sampled);
}

static ssize_t read_at(void *context, uint64_t offset, void *ret, size_t size)
{
    const struct bytes *b = context;
    size_t left = offset < b->size ? b->size - (size_t)offset : 0, n = size < left ? size : left;

    memcpy(ret, b->data + (offset < b->size ? offset : 0), n);
    return (ssize_t)n;
}

static struct outcome read_in(enum chunking chunking, bool as_file, const uint8_t *data,
                              size_t size)
{
    static const struct stream_handler handler = {on_head, on_stat,   on_round,  on_clock,
                                                  on_note, on_sample, on_drained};
    struct outcome o = {.digest = UINT64_C(0xcbf29ce484222325)};
    struct stream_extent extent = {.to = size};
    struct bytes bytes = {data, size};
    struct stream_reader *r;

    if (stream_reader_new(&handler, &o, &r) < 0)
        return o;
    if (as_file && file_mode_begin(r, &(struct stream_file){read_at, &bytes, size}, &extent) == 0) {
        check(extent.from <= extent.to && extent.to <= size);
        data += extent.from;
        size = (size_t)(extent.to - extent.from);
    }
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
    if (o.sampled)
        sampled_end(o.sampled);
    check((o.error < 0) == (stream_reader_error(r)[0] != '\0'));
    o.counts = *stream_reader_counts(r);
    sampled_free(o.sampled);
    event_table_done(&o.events);
    stream_reader_free(r);
    return o;
}

static void compare(bool as_file, const uint8_t *data, size_t size)
{
    struct outcome whole = read_in(WHOLE, as_file, data, size);

    for (enum chunking chunking = BYTES; chunking < N_CHUNKINGS; chunking++) {
        struct outcome o = read_in(chunking, as_file, data, size);

        check(o.error == whole.error && o.digest == whole.digest);
        check(memcmp(&o.counts, &whole.counts, sizeof(o.counts)) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    compare(false, data, size);
    compare(true, data, size);
    return 0;
}
