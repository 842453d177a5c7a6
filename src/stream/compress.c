// SPDX-License-Identifier: Apache-2.0
#include "stream/compress.h"

#include "stream/record.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#define LEVEL 1 // perf's own default; higher ones gain little on readings, and cost the collector
// What goes into one record: what cannot be compressed grows by less than the room that is left.
#define PIECE_BYTES ((size_t)60000)
#define EXTRA_BYTES 64 // a record's header, and what zstd's frame and flush add

struct stream_compressor {
    ZSTD_CCtx *zstd;
};

int stream_compressor_new(struct stream_compressor **ret)
{
    struct stream_compressor *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    c->zstd = ZSTD_createCCtx();
    if (!c->zstd || ZSTD_isError(ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, LEVEL))) {
        stream_compressor_free(c);
        return -ENOMEM;
    }
    *ret = c;
    return 0;
}

void stream_compressor_free(struct stream_compressor *c)
{
    if (!c)
        return;
    ZSTD_freeCCtx(c->zstd);
    free(c);
}

void stream_compress_begin(struct buf *out)
{
    const struct {
        struct record_feature feature;
        struct record_compression compression;
        uint32_t padding;
    } record = {
        .feature = {{.type = RECORD_HEADER_FEATURE, .size = sizeof(record)}, FEATURE_COMPRESSED},
        .compression = {1, 1, LEVEL, 0, RECORD_MAX},
    };

    static_assert(sizeof(record) == 40, "perf.data layout");
    static_assert(PIECE_BYTES <= RECORD_MAX, "mmap_length holds a piece");
    buf_append(out, &record, sizeof(record));
}

static size_t piece_bound(void)
{
    return ZSTD_compressBound(PIECE_BYTES) + EXTRA_BYTES;
}

size_t stream_compress_bound(size_t size)
{
    return (size + PIECE_BYTES - 1) / PIECE_BYTES * piece_bound();
}

static int put_piece(struct stream_compressor *c, const void *bytes, size_t size, struct buf *out)
{
    struct record_header header = {.type = RECORD_COMPRESSED};
    ZSTD_inBuffer in = {bytes, size, 0};
    ZSTD_outBuffer to = {out->data + out->size + sizeof(header), piece_bound() - sizeof(header), 0};
    size_t left = ZSTD_compressStream2(c->zstd, &to, &in, ZSTD_e_flush);

    // There is room for all of it: only memory can be short.
    if (ZSTD_isError(left) || left || in.pos < in.size || to.pos > UINT16_MAX - sizeof(header))
        return -ENOMEM;
    header.size = (uint16_t)(sizeof(header) + to.pos);
    memcpy(out->data + out->size, &header, sizeof(header));
    out->size += header.size;
    return 0;
}

int stream_compress(struct stream_compressor *c, const void *records, size_t size, struct buf *out)
{
    size_t start = out->size;
    int r = buf_reserve(out, stream_compress_bound(size));

    for (size_t at = 0; r == 0 && at < size; at += PIECE_BYTES)
        r = put_piece(c, (const char *)records + at,
                      size - at < PIECE_BYTES ? size - at : PIECE_BYTES, out);
    if (r < 0)
        out->size = start;
    return r;
}
