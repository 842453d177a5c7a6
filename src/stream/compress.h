// SPDX-License-Identifier: Apache-2.0
// Packs records into COMPRESSED ones (zstd), as perf record -z does. What is packed at once can be
// unpacked at once: a recording is readable up to the last of them.
#pragma once

#include "base/buf.h"

struct stream_compressor; // opaque

// 0 or -ENOMEM.
int stream_compressor_new(struct stream_compressor **ret);
void stream_compressor_free(struct stream_compressor *c);
// The feature that stands before the first of them.
void stream_compress_begin(struct buf *out);
// The most that `size` bytes of records become.
size_t stream_compress_bound(size_t size);
// Appends them, packed. All that is packed must reach the stream, in order: what follows refers to
// it. 0, or -ENOMEM, after which `out` is as it was, and nothing more may be packed.
int stream_compress(struct stream_compressor *c, const void *records, size_t size, struct buf *out);
