// SPDX-License-Identifier: Apache-2.0
#include "stream/decompress.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

// A window of 2^27 bytes is what zstd's highest level uses (perf record -z22), and zstd's own
// default bound: memory is touched as far as the data go.
#define WINDOW_LOG_MAX 27
#define PIECE_BYTES    65536

struct decompressor {
    ZSTD_DCtx *zstd;
    unsigned char piece[PIECE_BYTES];
};

int decompressor_new(struct decompressor **ret)
{
    struct decompressor *d = malloc(sizeof(*d));

    if (!d)
        return -ENOMEM;
    d->zstd = ZSTD_createDCtx();
    if (!d->zstd ||
        ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
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
            return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? -ENOMEM : -EBADMSG;
        total += out.pos;
        if (total > DECOMPRESSED_MAX)
            return -EFBIG;
        r = out.pos ? take(context, d->piece, out.pos) : 0;
        if (r < 0)
            return r;
    } while (in.pos < in.size || out.pos == out.size);
    return 0;
}
