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

static const uint64_t powers[20] = {1,
                                    10,
                                    100,
                                    1000,
                                    10000,
                                    100000,
                                    1000000,
                                    10000000,
                                    100000000,
                                    1000000000,
                                    10000000000,
                                    100000000000,
                                    1000000000000,
                                    10000000000000,
                                    100000000000000,
                                    1000000000000000,
                                    10000000000000000,
                                    100000000000000000,
                                    1000000000000000000,
                                    10000000000000000000U};

static size_t count_digits(uint64_t value)
{
    size_t n;

    value |= 1;                                             // 0 has a digit as well
    n = (size_t)(64 - __builtin_clzll(value)) * 1233 >> 12; // binary digits times log10(2)
    return n + (value >= powers[n]);
}

// Writes the lowest `n` digits, and returns what is before them.
static uint64_t put_digits(char *to, size_t n, uint64_t value)
{
    static const char pairs[] = "0001020304050607080910111213141516171819"
                                "2021222324252627282930313233343536373839"
                                "4041424344454647484950515253545556575859"
                                "6061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";

    for (; n >= 2; n -= 2, value /= 100)
        memcpy(to + n - 2, pairs + 2 * (value % 100), 2);
    if (n) {
        *to = (char)('0' + value % 10);
        value /= 10;
    }
    return value;
}

void buf_put_u64(struct buf *b, uint64_t value)
{
    size_t n = count_digits(value);

    if (buf_reserve(b, n) < 0)
        return;
    put_digits(b->data + b->size, n, value);
    b->size += n;
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
    size_t decimals = 5, n;
    uint64_t scaled;
    char *to;

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
        for (; decimals && scaled % 10 == 0; decimals--)
            scaled /= 10;
    }
    n = count_digits(scaled);
    if (n <= decimals)
        n = decimals + 1; // 0.0…
    if (buf_reserve(b, n + 2) < 0)
        return;
    to = b->data + b->size;
    if (value < 0)
        *to++ = '-';
    if (decimals) {
        scaled = put_digits(to + n - decimals + 1, decimals, scaled);
        to[n - decimals] = '.';
    }
    put_digits(to, n - decimals, scaled);
    b->size = (size_t)(to - b->data) + n + (decimals > 0);
}
