// SPDX-License-Identifier: Apache-2.0
// Cuts a stream of bytes, which come in pieces of any size, into records. A record that lies whole
// in what was fed is handed on where it lies; only one that is cut by the end of a piece is
// gathered.
#pragma once

#include "stream/record.h"

#include <stdbool.h>
#include <stddef.h>

struct frame {
    uint64_t offset; // bytes before the record at hand
    uint64_t skip;   // bytes that follow a record outside of its size, still to come
    size_t n_partial;
    unsigned char partial[RECORD_MAX];
};

// Takes one whole record of at least 8 bytes, which begins at f->offset. 0, or an error that ends
// the reading. It may set f->skip.
typedef int (*frame_function)(void *context, const unsigned char *record, size_t size);

// 0; -EBADMSG when the record at f->offset says that it is shorter than its header; or what `take`
// returned.
int frame_feed(struct frame *f, const void *bytes, size_t size, frame_function take, void *context);
// Does the stream end here between two records?
static inline bool frame_is_whole(const struct frame *f)
{
    return !f->n_partial && !f->skip;
}
