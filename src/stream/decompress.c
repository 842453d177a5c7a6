// SPDX-License-Identifier: Apache-2.0
#include "stream/decompress.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define PIECE_BYTES   65536
#define BESIDE_WINDOW ((size_t)1 << 20) // what zstd takes beside it: some 600 KiB

struct decompressor {
    ZSTD_DCtx *zstd;
    size_t window;
    unsigned char piece[PIECE_BYTES];
};

static size_t clamp(size_t window)
{
    return window > DECOMPRESS_WINDOW_MAX   ? DECOMPRESS_WINDOW_MAX
           : window < DECOMPRESS_WINDOW_MIN ? DECOMPRESS_WINDOW_MIN
                                            : window;
}

int decompressor_new(size_t window, struct decompressor **ret)
{
    struct decompressor *d = malloc(sizeof(*d));
    int log = 0;

    if (!d)
        return -ENOMEM;
    d->window = clamp(window);
    while (d->window >> (log + 1))
        log++;
    d->zstd = ZSTD_createDCtx();
    if (!d->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, log))) {
        decompressor_free(d);
        return -ENOMEM;
    }
    *ret = d;
    return 0;
}

void decompressor_free(struct decompressor *d)
{
    if (!d)
        return;
    ZSTD_freeDCtx(d->zstd);
    free(d);
}

size_t decompressor_memory(const struct decompressor *d)
{
    return ZSTD_sizeof_DCtx(d->zstd);
}

void decompressor_bound(struct decompressor *d, size_t window)
{
    d->window = clamp(window);
}

static int error_of(ZSTD_ErrorCode code)
{
    switch (code) {
    case ZSTD_error_memory_allocation:
        return -ENOMEM;
    case ZSTD_error_frameParameter_windowTooLarge:
        return -EMSGSIZE;
    default:
        return -EBADMSG;
    }
}

int decompress(struct decompressor *d, const void *bytes, size_t size,
               int (*take)(void *context, const void *bytes, size_t size), void *context)
{
    ZSTD_inBuffer in = {bytes, size, 0};
    ZSTD_outBuffer out;
    size_t total = 0;

    // A full piece may have more behind it, though all the input is taken.
    do {
        size_t left;
        int r;

        out = (ZSTD_outBuffer){d->piece, sizeof(d->piece), 0};
        left = ZSTD_decompressStream(d->zstd, &out, &in);
        if (ZSTD_isError(left))
            return error_of(ZSTD_getErrorCode(left));
        // zstd takes another bound for itself between frames only. What it has just got is not
        // touched yet.
        if (ZSTD_sizeof_DCtx(d->zstd) > d->window + BESIDE_WINDOW)
            return -EMSGSIZE;
        total += out.pos;
        if (total > DECOMPRESSED_MAX)
            return -EFBIG;
        r = out.pos ? take(context, d->piece, out.pos) : 0;
        if (r < 0)
            return r;
    } while (in.pos < in.size || out.pos == out.size);
    return 0;
}
