// SPDX-License-Identifier: Apache-2.0
// Framing first: next_unit() says how many bytes the unit at hand (file header, record) has. A unit
// that lies whole in what was fed is parsed where it lies; only one that is cut by the end of a
// piece is gathered in `partial`.
#include "stream/reader.h"

#include "stream/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ERROR_MAX 256 // one sentence

struct stream_reader {
    struct stream_handler handler;
    void *context;
    struct head_builder head;
    struct stream_counts counts;
    bool started;    // the file header was read
    uint64_t offset; // bytes before the unit at hand
    uint64_t skip;   // bytes that follow a record outside of its size, still to come
    size_t n_partial;
    int error; // 0 or what ended the reading
    char text[ERROR_MAX];
    unsigned char partial[RECORD_MAX];
};

int stream_reader_new(const struct stream_handler *handler, void *context,
                      struct stream_reader **ret)
{
    struct stream_reader *r = calloc(1, sizeof(*r));

    if (!r)
        return -ENOMEM;
    r->handler = *handler;
    r->context = context;
    *ret = r;
    return 0;
}

void stream_reader_free(struct stream_reader *r)
{
    if (!r)
        return;
    head_done(&r->head);
    free(r);
}

const char *stream_reader_error(const struct stream_reader *r)
{
    return r->text;
}

struct stream_counts stream_reader_counts(const struct stream_reader *r)
{
    return r->counts;
}

__attribute__((format(printf, 3, 4))) static int fail(struct stream_reader *r, int error,
                                                      const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(r->text, sizeof(r->text), format, args);
    va_end(args);
    r->error = error;
    return error;
}

// `r` of a callback or of the head builder, which give no sentence of their own.
static int fail_plain(struct stream_reader *r, int error)
{
    if (error == -E2BIG)
        return fail(r, error,
                    "the record at byte %" PRIu64
                    " goes beyond the bounds: %d events, %zu ids, CPU "
                    "numbers below %d, %d threads",
                    r->offset, EVENTS_MAX, ID_MAP_MAX, STREAM_CPUS_MAX, STREAM_THREADS_MAX);
    return fail(r, error, "the record at byte %" PRIu64 " could not be taken in: %s", r->offset,
                strerror(-error));
}

// Before anything that depends on the head is handed on.
static int announce_head(struct stream_reader *r)
{
    int e;

    if (r->head.complete && !r->head.changed)
        return 0;
    if (!r->head.complete)
        head_complete(&r->head);
    r->head.changed = false;
    e = r->handler.head ? r->handler.head(r->context, &r->head.head) : 0;
    return e < 0 ? fail_plain(r, e) : 0;
}

static int take_stat(struct stream_reader *r, struct cursor body)
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
        return 1;
    if (r->handler.stat)
        r->handler.stat(r->context, event, number, thread, reading);
    return 0;
}

static int take_round(struct stream_reader *r, struct cursor body)
{
    uint64_t type = cursor_u64(&body), time = cursor_u64(&body);

    if (body.failed || type > ROUND_FINAL)
        return 1;
    if (r->handler.round)
        r->handler.round(r->context, type == ROUND_FINAL, time);
    return 0;
}

static int take_update(struct stream_reader *r, struct cursor body)
{
    uint64_t type = cursor_u64(&body), id = cursor_u64(&body);
    uint32_t event;
    int e;

    if (body.failed)
        return 1;
    if (type != RECORD_NOTE)
        return head_update(&r->head, type, id, body);
    if (!id_map_find(&r->head.ids, id, &event))
        return 1;
    e = announce_head(r);
    if (e == 0 && r->handler.note)
        r->handler.note(r->context, event, (const char *)body.at,
                        strnlen((const char *)body.at, body.left));
    return e;
}

static int take_feature(struct stream_reader *r, struct cursor body)
{
    uint64_t feature = cursor_u64(&body);
    bool clock = false;
    int e = body.failed ? 1 : head_feature(&r->head, feature, body, &clock);

    if (clock && r->head.complete && r->handler.clock)
        r->handler.clock(r->context, &r->head.head.clock);
    return e;
}

// These two are followed by bytes that their size doesn't count.
static int take_outside(struct stream_reader *r, uint32_t type, struct cursor body)
{
    uint64_t size = type == RECORD_AUXTRACE ? cursor_u64(&body) : cursor_u32(&body);

    if (body.failed)
        return fail(r, -EBADMSG,
                    "the record of type %" PRIu32 " at byte %" PRIu64
                    " does not say how much data follows it",
                    type, r->offset);
    r->skip = size;
    r->counts.unused++;
    return 0;
}

// 0; 1 for a malformed record; or an error that ends the reading.
static int take_record(struct stream_reader *r, uint32_t type, struct cursor body, size_t size)
{
    int e = 0;

    switch (type) {
    case RECORD_STAT:
        e = announce_head(r);
        return e < 0 ? e : take_stat(r, body);
    case RECORD_STAT_ROUND:
        e = announce_head(r);
        return e < 0 ? e : take_round(r, body);
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
        return take_outside(r, type, body);
    case RECORD_COMPRESSED:
    case RECORD_COMPRESSED2:
        r->counts.compressed++;
        r->counts.skipped_bytes += size;
        return announce_head(r);
    case RECORD_SAMPLE:
    case RECORD_FINISHED_ROUND:
        r->counts.unused++;
        return announce_head(r);
    default:
        if (type > 0 && (type <= RECORD_KERNEL_LAST ||
                         (type >= RECORD_HEADER_ATTR && type <= RECORD_COMPRESSED2))) {
            r->counts.unused++;
        } else {
            r->counts.unknown++;
            r->counts.skipped_bytes += size;
        }
        return 0;
    }
}

static int take_unit(struct stream_reader *r, const unsigned char *bytes, size_t size)
{
    struct cursor c = {bytes, size, false};
    uint32_t type;
    int e;

    if (!r->started) { // next_unit() looked at it
        r->started = true;
        r->offset += size;
        return 0;
    }
    type = cursor_u32(&c);
    cursor_u32(&c); // misc and size
    r->counts.records++;
    e = take_record(r, type, c, size);
    if (e < 0 && !r->error)
        fail_plain(r, e);
    if (e > 0) {
        r->counts.malformed++;
        r->counts.skipped_bytes += size;
    }
    r->offset += size;
    return r->error;
}

// Is what there is of the magic number this one's beginning?
static bool begins(const unsigned char *bytes, size_t n, uint64_t magic)
{
    return memcmp(bytes, &magic, n < sizeof(magic) ? n : sizeof(magic)) == 0;
}

static int check_file_header(struct stream_reader *r, const unsigned char *bytes, size_t n)
{
    struct record_file_header header;

    if (!begins(bytes, n, RECORD_MAGIC)) {
        if (n >= sizeof(header.magic) && begins(bytes, n, RECORD_MAGIC_SWAPPED))
            return fail(r, -EPROTONOSUPPORT,
                        "perf.data of a machine with the other byte order, which is not read");
        if (n >= sizeof(header.magic) && begins(bytes, n, RECORD_MAGIC_OLD))
            return fail(r, -EPROTONOSUPPORT,
                        "perf.data of a perf older than 3.2, which is not read");
        if (!begins(bytes, n, RECORD_MAGIC_SWAPPED) && !begins(bytes, n, RECORD_MAGIC_OLD))
            return fail(r, -EPROTO, "not perf.data: it does not begin with PERFILE2");
        return 0;
    }
    if (n < sizeof(header))
        return 0;
    memcpy(&header, bytes, sizeof(header));
    if (header.size == RECORD_PIPE_HEADER)
        return 0;
    if (header.size > RECORD_PIPE_HEADER && header.size < RECORD_MAX)
        return fail(r, -ENOTSUP,
                    "perf.data in file mode (a header of %" PRIu64
                    " bytes): file mode is not supported yet; record with -o -",
                    header.size);
    return fail(r, -EPROTO, "not perf.data: its header would have %" PRIu64 " bytes", header.size);
}

// Size of the unit that begins with these n bytes, or how many bytes it takes to tell; an error.
static int next_unit(struct stream_reader *r, const unsigned char *bytes, size_t n, size_t *ret)
{
    struct record_header header;

    if (!r->started) {
        *ret = sizeof(struct record_file_header);
        return check_file_header(r, bytes, n);
    }
    if (n < sizeof(header)) {
        *ret = sizeof(header);
        return 0;
    }
    memcpy(&header, bytes, sizeof(header));
    if (header.size < sizeof(header))
        return fail(r, -EBADMSG,
                    "the record at byte %" PRIu64 " (type %" PRIu32
                    ") says that it has %u bytes, and its header alone has 8",
                    r->offset, header.type, header.size);
    *ret = header.size;
    return 0;
}

int stream_reader_feed(struct stream_reader *r, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    while (!r->error && size) {
        size_t unit, taken;

        if (r->skip) {
            taken = size < r->skip ? size : (size_t)r->skip;
            r->skip -= taken;
            r->offset += taken;
        } else if (!r->n_partial && next_unit(r, at, size, &unit) == 0 && unit <= size) {
            taken = unit;
            take_unit(r, at, unit);
        } else {
            // A header first, then the rest: what is gathered never goes beyond the unit.
            if (r->error || (r->n_partial && next_unit(r, r->partial, r->n_partial, &unit) < 0))
                break;
            taken = unit - r->n_partial < size ? unit - r->n_partial : size;
            memcpy(r->partial + r->n_partial, at, taken);
            r->n_partial += taken;
            if (next_unit(r, r->partial, r->n_partial, &unit) == 0 && unit == r->n_partial) {
                r->n_partial = 0;
                take_unit(r, r->partial, unit);
            }
        }
        at += taken;
        size -= taken;
    }
    return r->error;
}

int stream_reader_end(struct stream_reader *r)
{
    if (r->error)
        return r->error;
    if (!r->started)
        return r->n_partial
                   ? fail(r, -EPROTO, "not perf.data: it ends after %zu bytes", r->n_partial)
                   : fail(r, -ENODATA, "there is nothing in it");
    if (r->head.head.n_events && announce_head(r) < 0)
        return r->error;
    if (r->n_partial || r->skip)
        return fail(r, -EPIPE,
                    "it is cut off: the record at byte %" PRIu64 " ends after %zu bytes; what came "
                    "before it was read",
                    r->offset, r->n_partial);
    return 0;
}
