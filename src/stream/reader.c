// SPDX-License-Identifier: Apache-2.0
#include "stream/reader.h"

#include "stream/decompress.h"
#include "stream/frame.h"
#include "stream/records.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ERROR_MAX 256 // one sentence

struct stream_reader {
    struct records records;
    bool started; // the file header was read
    size_t n_header;
    unsigned char header[RECORD_PIPE_HEADER];
    struct frame frame;
    size_t window;                     // bound of the decompressor's
    struct decompressor *decompressor; // both NULL until there is a compressed record
    struct frame *inner;               // of what those hold
    int error;                         // 0 or what ended the reading
    char text[ERROR_MAX];
};

int stream_reader_new(const struct stream_handler *handler, void *context,
                      struct stream_reader **ret)
{
    struct stream_reader *r = calloc(1, sizeof(*r));

    if (!r)
        return -ENOMEM;
    r->records.handler = *handler;
    r->records.context = context;
    r->window = DECOMPRESS_WINDOW_MAX;
    *ret = r;
    return 0;
}

void stream_reader_free(struct stream_reader *r)
{
    if (!r)
        return;
    records_done(&r->records);
    decompressor_free(r->decompressor);
    free(r->inner);
    free(r);
}

void stream_reader_bound_window(struct stream_reader *r, size_t bytes)
{
    r->window = bytes;
    if (r->decompressor)
        decompressor_bound(r->decompressor, bytes);
}

size_t stream_reader_memory(const struct stream_reader *r)
{
    return id_map_memory(&r->records.head.ids) +
           (r->decompressor ? decompressor_memory(r->decompressor) : 0);
}

const char *stream_reader_error(const struct stream_reader *r)
{
    return r->text;
}

const struct stream_counts *stream_reader_counts(const struct stream_reader *r)
{
    return &r->records.counts;
}

const struct stream_sampled *stream_reader_sampled(const struct stream_reader *r)
{
    return r->records.sampled;
}

const struct stream_head *stream_reader_head(const struct stream_reader *r)
{
    return &r->records.head.head;
}

struct head_builder *stream_reader_builder(struct stream_reader *r)
{
    return &r->records.head;
}

void stream_reader_begin_records(struct stream_reader *r, uint64_t offset)
{
    r->started = true;
    r->frame.offset = offset;
}

int stream_reader_fail(struct stream_reader *r, int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(r->text, sizeof(r->text), format, args);
    va_end(args);
    r->error = error;
    return error;
}

// Of the record at hand, where nobody gave a sentence yet.
static int fail_record(struct stream_reader *r, int error)
{
    const struct frame *f = r->inner && r->inner->offset ? r->inner : &r->frame;
    const char *where = f == r->inner ? " of the decompressed data" : "";

    if (r->error)
        return r->error;
    switch (error) {
    case -E2BIG:
        return stream_reader_fail(
            r, error,
            "the record at byte %" PRIu64 " goes beyond the bounds: %d events, %zu ids, CPU "
            "numbers below %d, %d threads, %zu readings an interval (events × CPUs or threads)",
            r->frame.offset, EVENTS_MAX, ID_MAP_MAX, STREAM_CPUS_MAX, STREAM_THREADS_MAX,
            STREAM_READINGS_MAX);
    case -EBADMSG:
        return stream_reader_fail(r, error,
                                  "the record at byte %" PRIu64
                                  "%s cannot be one: it gives a size that it cannot have",
                                  f->offset, where);
    default:
        return stream_reader_fail(r, error,
                                  "the record at byte %" PRIu64 " could not be taken in: %s",
                                  r->frame.offset, strerror(-error));
    }
}

static int take_plain(struct stream_reader *r, struct frame *f, const unsigned char *bytes,
                      size_t size)
{
    struct cursor c = {bytes, size, false};
    uint32_t type = cursor_u32(&c);

    cursor_u32(&c); // misc and size
    r->records.counts.records++;
    return records_take(&r->records, type, c, size, &f->skip);
}

static int take_inner(void *context, const unsigned char *bytes, size_t size)
{
    struct stream_reader *r = context;

    return take_plain(r, r->inner, bytes, size);
}

static int feed_inner(void *context, const void *bytes, size_t size)
{
    struct stream_reader *r = context;
    int e = frame_feed(r->inner, bytes, size, take_inner, r);

    return e < 0 ? fail_record(r, e) : 0;
}

static int begin_inner(struct stream_reader *r)
{
    int e = decompressor_new(r->window, &r->decompressor);

    if (e == 0) {
        r->inner = calloc(1, sizeof(*r->inner));
        e = r->inner ? 0 : -ENOMEM;
    }
    return e;
}

// The newer form says how much of it is data; what follows is padding.
static int take_compressed(struct stream_reader *r, uint32_t type, struct cursor body, size_t size)
{
    uint64_t length = type == RECORD_COMPRESSED2 ? cursor_u64(&body) : body.left;
    const unsigned char *bytes = cursor_take(&body, length < SIZE_MAX ? (size_t)length : SIZE_MAX);
    int e = 0;

    r->records.counts.records++;
    if (!bytes) {
        r->records.counts.malformed++;
        records_skip(&r->records, type, size);
        return 0;
    }
    r->records.counts.compressed++;
    if (!r->decompressor)
        e = begin_inner(r);
    if (e == 0)
        e = decompress(r->decompressor, bytes, (size_t)length, feed_inner, r);
    if (e == 0 || r->error)
        return e;
    if (e == -EFBIG)
        return stream_reader_fail(r, -EBADMSG,
                                  "the record at byte %" PRIu64
                                  " would be more than %zu MiB when decompressed",
                                  r->frame.offset, DECOMPRESSED_MAX >> 20);
    return stream_reader_fail(
        r, e, "the record at byte %" PRIu64 " cannot be decompressed: %s", r->frame.offset,
        e == -EBADMSG    ? "its data are damaged, or are not zstd"
        : e == -EMSGSIZE ? "that takes more memory than it may have (perf record -z20 and higher); "
                           "--memory 256MiB is enough for any"
                         : strerror(-e));
}

static int take_record(void *context, const unsigned char *bytes, size_t size)
{
    struct stream_reader *r = context;
    struct record_header header;

    memcpy(&header, bytes, sizeof(header));
    if (header.type != RECORD_COMPRESSED && header.type != RECORD_COMPRESSED2)
        return take_plain(r, &r->frame, bytes, size);
    return take_compressed(r, header.type,
                           (struct cursor){bytes + sizeof(header), size - sizeof(header), false},
                           size);
}

// Is what there is of the magic number this one's beginning?
static bool begins(const unsigned char *bytes, size_t n, uint64_t magic)
{
    return memcmp(bytes, &magic, n < sizeof(magic) ? n : sizeof(magic)) == 0;
}

static int check_header(struct stream_reader *r, const unsigned char *bytes, size_t n)
{
    struct record_file_header header;

    if (!begins(bytes, n, RECORD_MAGIC)) {
        if (n >= sizeof(header.magic) && begins(bytes, n, RECORD_MAGIC_SWAPPED))
            return stream_reader_fail(
                r, -EPROTONOSUPPORT,
                "perf.data of a machine with the other byte order, which is not read");
        if (n >= sizeof(header.magic) && begins(bytes, n, RECORD_MAGIC_OLD))
            return stream_reader_fail(r, -EPROTONOSUPPORT,
                                      "perf.data of a perf older than 3.2, which is not read");
        if (!begins(bytes, n, RECORD_MAGIC_SWAPPED) && !begins(bytes, n, RECORD_MAGIC_OLD))
            return stream_reader_fail(r, -EPROTO, "not perf.data: it does not begin with PERFILE2");
        return 0;
    }
    if (n < sizeof(header))
        return 0;
    memcpy(&header, bytes, sizeof(header));
    if (header.size == RECORD_PIPE_HEADER) {
        stream_reader_begin_records(r, RECORD_PIPE_HEADER);
        return 0;
    }
    if (header.size > RECORD_PIPE_HEADER && header.size < RECORD_MAX)
        return stream_reader_fail(r, -ENOTSUP,
                                  "perf.data in file mode, which is not read from a pipe: give the "
                                  "file's name, or record with -o -");
    return stream_reader_fail(r, -EPROTO, "not perf.data: its header would have %" PRIu64 " bytes",
                              header.size);
}

int stream_reader_feed(struct stream_reader *r, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    size_t taken = 0;
    int e;

    if (!r->error && !r->started && size) {
        taken = sizeof(r->header) - r->n_header < size ? sizeof(r->header) - r->n_header : size;
        memcpy(r->header + r->n_header, at, taken);
        r->n_header += taken;
        check_header(r, r->header, r->n_header);
    }
    if (r->error || taken == size)
        return r->error;
    e = frame_feed(&r->frame, at + taken, size - taken, take_record, r);
    return e < 0 ? fail_record(r, e) : 0;
}

int stream_reader_end(struct stream_reader *r)
{
    int e;

    if (r->error)
        return r->error;
    if (!r->started)
        return r->n_header ? stream_reader_fail(
                                 r, -EPROTO, "not perf.data: it ends after %zu bytes", r->n_header)
                           : stream_reader_fail(r, -ENODATA, "there is nothing in it");
    e = r->records.head.head.n_events ? records_announce(&r->records) : 0;
    if (e < 0)
        return fail_record(r, e);
    if (!frame_is_whole(&r->frame))
        return stream_reader_fail(r, -EPIPE,
                                  "it is cut off: the record at byte %" PRIu64
                                  " ends after %zu bytes; what came before it was read",
                                  r->frame.offset, r->frame.n_partial);
    if (r->inner && !frame_is_whole(r->inner))
        return stream_reader_fail(
            r, -EPIPE,
            "it is cut off in the middle of its compressed records; what came "
            "before was read");
    return 0;
}
