// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <errno.h>
#include <math.h>
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

int buf_reserve(struct buf *b, size_t more)
{
    size_t capacity = b->capacity ? b->capacity : BUF_FIRST_CAPACITY;
    char *data;

    if (b->failed)
        return -ENOMEM;
    if (more <= b->capacity - b->size)
        return 0;
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

void buf_append(struct buf *b, const void *bytes, size_t size)
{
    if (!size || buf_reserve(b, size) < 0)
        return;
    memcpy(b->data + b->size, bytes, size);
    b->size += size;
}

void buf_puts(struct buf *b, const char *text)
{
    buf_append(b, text, strlen(text));
}

void buf_putc(struct buf *b, char c)
{
    buf_append(b, &c, 1);
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
    char digits[20];
    size_t i = sizeof(digits);

    do {
        digits[--i] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    buf_append(b, digits + i, sizeof(digits) - i);
}

void buf_put_i64(struct buf *b, int64_t value)
{
    if (value < 0)
        buf_putc(b, '-');
    buf_put_u64(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void buf_put_sig6(struct buf *b, double value)
{
    static const double power[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11};
    double magnitude = fabs(value);
    int decimals = 5;
    uint64_t scaled;
    char text[24]; // a sign, 15 digits and a point, or 0. and 11 digits
    size_t i = sizeof(text);
    bool fraction = false;

    if (magnitude != 0 && !(magnitude >= 1e-6 && magnitude < 1e15)) {
        buf_printf(b, "%.6g", value);
        return;
    }
    scaled = (uint64_t)magnitude;
    if ((double)scaled == magnitude) { // every second number of a chart: 0, 100 %, a count
        decimals = 0;
    } else {
        for (double m = magnitude; m < 1; m *= 10)
            decimals++;
        while (decimals > 0 && decimals < 6 && magnitude >= power[6 - decimals])
            decimals--;
        scaled = (uint64_t)(magnitude * power[decimals] + 0.5);
    }
    for (; decimals; decimals--, scaled /= 10) {
        fraction |= scaled % 10 != 0;
        if (fraction)
            text[--i] = (char)('0' + scaled % 10);
    }
    if (fraction)
        text[--i] = '.';
    do {
        text[--i] = (char)('0' + scaled % 10);
        scaled /= 10;
    } while (scaled);
    if (value < 0)
        text[--i] = '-';
    buf_append(b, text + i, sizeof(text) - i);
}
