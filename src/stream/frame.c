// SPDX-License-Identifier: Apache-2.0
#include "stream/frame.h"

#include <errno.h>
#include <string.h>

// Size of the record that begins with these n bytes, or how many bytes it takes to tell; 0 when it
// cannot be one.
static size_t next_size(const unsigned char *bytes, size_t n)
{
    struct record_header header;

    if (n < sizeof(header))
        return sizeof(header);
    memcpy(&header, bytes, sizeof(header));
    return header.size < sizeof(header) ? 0 : header.size;
}

// A header first, then the rest: what is gathered never goes beyond the record. Returns how many
// bytes were taken.
static size_t gather(struct frame *f, const unsigned char *at, size_t size)
{
    size_t wanted = next_size(f->partial, f->n_partial) - f->n_partial;
    size_t taken = wanted < size ? wanted : size;

    memcpy(f->partial + f->n_partial, at, taken);
    f->n_partial += taken;
    return taken;
}

int frame_feed(struct frame *f, const void *bytes, size_t size, frame_function take, void *context)
{
    const unsigned char *at = bytes, *record;
    size_t taken, length;
    int r;

    for (; size; at += taken, size -= taken) {
        if (f->skip) {
            taken = size < f->skip ? size : (size_t)f->skip;
            f->skip -= taken;
            f->offset += taken;
            continue;
        }
        record = at;
        length = f->n_partial ? 0 : next_size(at, size);
        if (!f->n_partial && !length)
            return -EBADMSG;
        taken = length;
        if (f->n_partial || length > size) {
            taken = gather(f, at, size);
            length = next_size(f->partial, f->n_partial);
            if (!length)
                return -EBADMSG;
            if (f->n_partial < sizeof(struct record_header) || f->n_partial < length)
                continue;
            f->n_partial = 0;
            record = f->partial;
        }
        r = take(context, record, length);
        if (r < 0)
            return r;
        f->offset += length;
    }
    return 0;
}
