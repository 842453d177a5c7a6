// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include "base/decimal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_FIRST_CAPACITY 256 // most JSON answers fit, and malloc serves it from its small bins

void buf_done(struct buf *b)
{
    if (!b)
        return;
    free(b->data);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
    b->size = 0;
    b->failed = false;
}

int buf_error(const struct buf *b)
{
    return b->failed ? -ENOMEM : 0;
}

int buf_grow(struct buf *b, size_t more)
{
    size_t capacity = b->capacity ? b->capacity : BUF_FIRST_CAPACITY;
    char *data;

    if (b->failed)
        return -ENOMEM;
    if (more > SIZE_MAX / 2 - b->size) {
        b->failed = true;
        return -ENOMEM;
    }
    while (capacity - b->size < more)
        capacity *= 2;
    data = realloc(b->data, capacity);
    if (!data) {
        b->failed = true;
        return -ENOMEM;
    }
    b->data = data;
    b->capacity = capacity;
    return 0;
}

void buf_puts(struct buf *b, const char *text)
{
    buf_append(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args, again;
    int n;

    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n >= 0 && buf_reserve(b, (size_t)n + 1) == 0) {
        vsnprintf(b->data + b->size, (size_t)n + 1, format, again);
        b->size += (size_t)n;
    }
    va_end(again);
}

void buf_put_u64(struct buf *b, uint64_t value)
{
    if (buf_reserve(b, DECIMAL_MAX) == 0)
        b->size = (size_t)(decimal_put_u64(b->data + b->size, value) - b->data);
}

void buf_put_i64(struct buf *b, int64_t value)
{
    if (buf_reserve(b, DECIMAL_MAX) == 0)
        b->size = (size_t)(decimal_put_i64(b->data + b->size, value) - b->data);
}

void buf_put_sig6(struct buf *b, double value)
{
    if (buf_reserve(b, DECIMAL_MAX) == 0)
        b->size = (size_t)(decimal_put_sig6(b->data + b->size, value) - b->data);
}
