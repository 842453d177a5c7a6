// SPDX-License-Identifier: Apache-2.0
// A growing run of bytes to build output in. Memory that runs out is remembered, not reported at
// each step: after it, appends do nothing and buf_error() says -ENOMEM, so that a renderer checks
// once, at its end.
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
    char *data; // owned; not terminated; NULL while nothing was appended
    size_t size;
    size_t capacity;
    bool failed;
};

// Frees the bytes and leaves an empty buffer. NULL and a zeroed buffer are fine.
void buf_done(struct buf *b);
// Forgets the bytes and a failure, keeps the memory.
void buf_clear(struct buf *b);
// As buf_reserve(), where there is not enough.
int buf_grow(struct buf *b, size_t more);
// Makes room for `more` bytes beyond size. 0 or -ENOMEM.
static inline int buf_reserve(struct buf *b, size_t more)
{
    return more <= b->capacity - b->size && !b->failed ? 0 : buf_grow(b, more);
}
static inline void buf_append(struct buf *b, const void *bytes, size_t size)
{
    if (!size || buf_reserve(b, size) < 0)
        return;
    memcpy(b->data + b->size, bytes, size);
    b->size += size;
}
static inline void buf_putc(struct buf *b, char c)
{
    if (buf_reserve(b, 1) == 0)
        b->data[b->size++] = c;
}
void buf_puts(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
// 0, or -ENOMEM when an append found no memory.
int buf_error(const struct buf *b);

// As decimal.h writes them.
void buf_put_u64(struct buf *b, uint64_t value);
void buf_put_i64(struct buf *b, int64_t value);
void buf_put_sig6(struct buf *b, double value); // finite
