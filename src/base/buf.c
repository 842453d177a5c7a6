// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <endian.h>
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

// Digits are made eight at a time in a register, first one lowest, and stored as a whole: how many
// they are, and where the point goes, are shifts. A branch on either is mispredicted with every
// second number.
#define EIGHT_DIGITS 100000000U
#define ZEROS        0x3030303030303030U

static uint64_t pair_of(uint32_t value)
{
    static const char pairs[] = "0001020304050607080910111213141516171819"
                                "2021222324252627282930313233343536373839"
                                "4041424344454647484950515253545556575859"
                                "6061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    uint16_t pair;

    memcpy(&pair, pairs + (size_t)2 * value, sizeof(pair));
    return le16toh(pair);
}

// The eight digits of a number below 1e8, zeros in front of it.
static uint64_t digits_of(uint32_t value)
{
    uint32_t high = value / 10000, low = value % 10000;

    return pair_of(high / 100) | pair_of(high % 100) << 16 | pair_of(low / 100) << 32 |
           pair_of(low % 100) << 48;
}

// Writes eight bytes.
static void store(char *to, uint64_t text)
{
    text = htole64(text);
    memcpy(to, &text, sizeof(text));
}

// Writes a number without zeros in front, and up to eight bytes behind it. Returns its end.
static char *put_whole(char *to, uint64_t value)
{
    size_t n = count_digits(value);

    if (value >= EIGHT_DIGITS) {
        to = put_whole(to, value / EIGHT_DIGITS);
        store(to, digits_of(value % EIGHT_DIGITS));
        return to + 8;
    }
    store(to, digits_of((uint32_t)value) >> 8 * (8 - n));
    return to + n;
}

#define NUMBER_MAX 32 // bytes of a number in the making: a sign, 20 digits, what is behind them

void buf_put_u64(struct buf *b, uint64_t value)
{
    if (buf_reserve(b, NUMBER_MAX) == 0)
        b->size = (size_t)(put_whole(b->data + b->size, value) - b->data);
}

void buf_put_i64(struct buf *b, int64_t value)
{
    if (value < 0)
        buf_putc(b, '-');
    buf_put_u64(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

#define SIG6      6
#define WHOLE_MAX 0x1p63

// How many digits `magnitude` (1e-6 … 1e15) has in front of its point; of 0.00123 it is −2.
static int count_whole_digits(double magnitude)
{
    static const double bounds[] = {1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1,
                                    1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                    1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    uint64_t bits;
    int digits;

    memcpy(&bits, &magnitude, sizeof(bits));
    digits = (((int)(bits >> 52) - 1023) * 1233 >> 12) + 1; // as in count_digits()
    return digits + (magnitude >= bounds[digits + SIG6]);
}

// The six significant digits of a number that is not whole, with their point. Returns its end.
static char *put_fraction(char *to, double magnitude)
{
    static const double powers_sig6[] = {1,   1e1, 1e2, 1e3, 1e4,  1e5,
                                         1e6, 1e7, 1e8, 1e9, 1e10, 1e11};
    int before = count_whole_digits(magnitude);
    uint64_t text;
    int64_t six;
    int n;

    if (before >= SIG6)
        return put_whole(to, (uint64_t)(magnitude + 0.5));
    six = (int64_t)(magnitude * powers_sig6[SIG6 - before] + 0.5);
    if (six == 1000000) { // 9.9999996
        six = 100000;
        before++;
    }
    text = digits_of((uint32_t)six) >> 16;
    n = 8 - __builtin_clzll(text ^ ZEROS >> 16) / 8; // without zeros at the end
    if (before <= 0) {                               // 0.00123
        store(to, '0' | '.' << 8 | ZEROS << 16);
        store(to + 2 - before, text);
        return to + 2 - before + n;
    }
    if (n <= before) { // 10
        store(to, text);
        return to + before;
    }
    store(to, text & ((1ULL << 8 * before) - 1));
    store(to + before, '.' | text >> 8 * before << 8);
    return to + n + 1;
}

void buf_put_sig6(struct buf *b, double value)
{
    double magnitude = fabs(value);
    uint64_t whole = magnitude < WHOLE_MAX ? (uint64_t)magnitude : 0;
    bool is_whole = (double)whole == magnitude; // every second number of a chart: 0, 100 %, a count
    char *to;

    if (!is_whole && !(magnitude >= 1e-6 && magnitude < 1e15)) {
        buf_printf(b, "%.6g", value);
        return;
    }
    if (buf_reserve(b, NUMBER_MAX) < 0)
        return;
    to = b->data + b->size;
    if (value < 0)
        *to++ = '-';
    to = is_whole ? put_whole(to, whole) : put_fraction(to, magnitude);
    b->size = (size_t)(to - b->data);
}
