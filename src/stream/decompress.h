// SPDX-License-Identifier: Apache-2.0
// What COMPRESSED records hold: one zstd stream over all of them, whose content is again a stream
// of records. Source: linux, tools/perf/util/zstd.c.
#pragma once

#include <stddef.h>
#include <stdint.h>

// A compressed record has at most 64 KiB, and perf compresses at most its ring at once (512 KiB
// unless -m says more). More than this from one record is a bomb.
#define DECOMPRESSED_MAX ((size_t)64 << 20)

struct decompressor; // opaque

// 0 or -ENOMEM.
int decompressor_new(struct decompressor **ret);
void decompressor_free(struct decompressor *d);

// Takes the next of its bytes. 0; an error of `take`, which gets
// what they hold piece by piece; -EBADMSG when they are not zstd; -EFBIG beyond DECOMPRESSED_MAX;
// -ENOMEM. After an error nothing more can be taken.
int decompress(struct decompressor *d, const void *bytes, size_t size,
               int (*take)(void *context, const void *bytes, size_t size), void *context);
