// SPDX-License-Identifier: Apache-2.0
// What COMPRESSED records hold: one zstd stream over all of them, whose content is again a stream
// of records. Source: linux, tools/perf/util/zstd.c.
#pragma once

#include <stddef.h>
#include <stdint.h>

// A compressed record has at most 64 KiB, and perf compresses at most its ring at once (512 KiB
// unless -m says more). More than this from one record is a bomb.
#define DECOMPRESSED_MAX ((size_t)64 << 20)

// What zstd's highest level uses (perf record -z22), and zstd's own default bound: memory is
// touched as far as the data go.
#define DECOMPRESS_WINDOW_MAX ((size_t)1 << 27)
#define DECOMPRESS_WINDOW_MIN ((size_t)1 << 21) // of all levels up to 12; ours is 1

struct decompressor; // opaque

// `window`: bytes that it may keep of what it has decompressed, within these two. 0 or -ENOMEM.
int decompressor_new(size_t window, struct decompressor **ret);
void decompressor_free(struct decompressor *d);
// Bytes that it takes now.
size_t decompressor_memory(const struct decompressor *d);
// Another bound for what it may keep, from the next bytes on.
void decompressor_bound(struct decompressor *d, size_t window);

// Takes the next of its bytes. 0; an error of `take`, which gets
// what they hold piece by piece; -EBADMSG when they are not zstd; -EFBIG beyond DECOMPRESSED_MAX;
// -EMSGSIZE: they need a larger window; -ENOMEM. After an error nothing more can be taken.
int decompress(struct decompressor *d, const void *bytes, size_t size,
               int (*take)(void *context, const void *bytes, size_t size), void *context);
