// SPDX-License-Identifier: Apache-2.0
// Numbers as plain decimal text, without printf: rows of them are what the server spends its time
// on, so all of it is here, to become part of the loop that asks for them.
//
// Each writes at `to`, which has room for DECIMAL_MAX bytes, scribbles on what of them it does not
// need, terminates nothing, and returns the number's end.
#pragma once

#include <endian.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DECIMAL_MAX 31 // a sign, 20 digits, what is behind them; with a comma an even 32

// Digits are made eight at a time in a register, first one lowest, and stored as a whole: how many
// they are, and where the point goes, are shifts. A branch on either is mispredicted with every
// second number.
#define DECIMAL_EIGHT 100000000U
#define DECIMAL_ZEROS 0x3030303030303030U

// The eight digits of a number below 1e8, one in a byte, as values: halved thrice, all parts at
// once, with divisions that are multiplications and exact for as many digits as there are.
static inline uint64_t decimal_digits(uint32_t value)
{
    uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t hundreds = (fours * 10486 >> 20) & 0x0000007f0000007f;
    uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
    uint64_t tens = (twos * 103 >> 10) & 0x000f000f000f000f;

    return tens | (twos - 10 * tens) << 8;
}

// Writes eight digits (what is in their place '0' is added to).
static inline void decimal_store(char *to, uint64_t text)
{
    text = htole64(text);
    memcpy(to, &text, sizeof(text));
}

// A number below 1e8 without zeros in front.
static inline char *decimal_put_front(char *to, uint32_t value)
{
    uint64_t digits = decimal_digits(value);
    int zeros = __builtin_ctzll(digits | 1ULL << 56) / 8; // 0 has a digit as well

    decimal_store(to, (digits | DECIMAL_ZEROS) >> 8 * zeros);
    return to + 8 - zeros;
}

static inline char *decimal_put_u64(char *to, uint64_t value)
{
    uint64_t front = value / DECIMAL_EIGHT;

    if (value < DECIMAL_EIGHT)
        return decimal_put_front(to, (uint32_t)value);
    if (front < DECIMAL_EIGHT) {
        to = decimal_put_front(to, (uint32_t)front);
    } else {
        to = decimal_put_front(to, (uint32_t)(front / DECIMAL_EIGHT));
        decimal_store(to, decimal_digits((uint32_t)(front % DECIMAL_EIGHT)) | DECIMAL_ZEROS);
        to += 8;
    }
    decimal_store(to, decimal_digits((uint32_t)(value % DECIMAL_EIGHT)) | DECIMAL_ZEROS);
    return to + 8;
}

static inline char *decimal_put_i64(char *to, int64_t value)
{
    if (value < 0)
        *to++ = '-';
    return decimal_put_u64(to, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

#define DECIMAL_SIG6      6
#define DECIMAL_WHOLE_MAX 0x1p63

// How many digits `magnitude` (1e-6 … 1e15) has in front of its point; of 0.00123 it is −2.
static inline int decimal_whole_digits(double magnitude)
{
    static const double bounds[] = {1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1,
                                    1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                    1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    uint64_t bits;
    int digits;

    memcpy(&bits, &magnitude, sizeof(bits));
    digits = (((int)(bits >> 52) - 1023) * 1233 >> 12) + 1; // binary digits times log10(2)
    return digits + (magnitude >= bounds[digits + DECIMAL_SIG6]);
}

// The six significant digits of a number that is not whole (1e-6 … 1e15), with their point.
static inline char *decimal_put_fraction(char *to, double magnitude)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11};
    int before = decimal_whole_digits(magnitude), n;
    uint64_t digits, text;
    int64_t six;

    if (before >= DECIMAL_SIG6)
        return decimal_put_u64(to, (uint64_t)(int64_t)(magnitude + 0.5));
    six = (int64_t)(magnitude * powers[DECIMAL_SIG6 - before] + 0.5);
    if (six == 1000000) { // 9.9999996
        six = 100000;
        before++;
    }
    digits = decimal_digits((uint32_t)six) >> 16;
    text = digits | DECIMAL_ZEROS >> 16;
    n = 8 - __builtin_clzll(digits) / 8; // without zeros at the end
    if (before <= 0) {                   // 0.00123
        decimal_store(to, '0' | '.' << 8 | DECIMAL_ZEROS << 16);
        decimal_store(to + 2 - before, text);
        return to + 2 - before + n;
    }
    if (n <= before) { // 10
        decimal_store(to, text);
        return to + before;
    }
    decimal_store(to, text & ((1ULL << 8 * before) - 1));
    decimal_store(to + before, '.' | text >> 8 * before << 8);
    return to + n + 1;
}

// `value`, which must be finite, rounded to six significant digits, without exponent for 1e-6 ≤
// |value| < 1e15; a whole number below 2^63 with all its digits.
static inline char *decimal_put_sig6(char *to, double value)
{
    double magnitude = fabs(value);
    int64_t whole = magnitude < DECIMAL_WHOLE_MAX ? (int64_t)magnitude : 0;
    bool is_whole = (double)whole == magnitude; // every second number of a chart: 0, 100 %, a count

    if (!is_whole && !(magnitude >= 1e-6 && magnitude < 1e15))
        return to + snprintf(to, DECIMAL_MAX, "%.6g", value);
    if (value < 0)
        *to++ = '-';
    return is_whole ? decimal_put_u64(to, (uint64_t)whole) : decimal_put_fraction(to, magnitude);
}
