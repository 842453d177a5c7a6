// SPDX-License-Identifier: Apache-2.0
// The one way to read fields out of bytes that came from outside. A read beyond the end gives zeros
// and is remembered, so that a parser reads all its fields and asks once, at its end.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
    const unsigned char *at; // not owned
    size_t left;             // bytes from `at` on
    bool failed;             // something was asked for that is not there
};

// The next `size` bytes, which stay the owner's; NULL when there are fewer.
static inline const unsigned char *cursor_take(struct cursor *c, size_t size)
{
    const unsigned char *at = c->at;

    if (c->failed || size > c->left) {
        c->failed = true;
        return NULL;
    }
    c->at += size;
    c->left -= size;
    return at;
}

// Copies the next `size` bytes, or zeros when there are fewer.
static inline void cursor_copy(struct cursor *c, void *ret, size_t size)
{
    const unsigned char *at = cursor_take(c, size);

    if (at)
        memcpy(ret, at, size);
    else
        memset(ret, 0, size);
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    uint8_t value;

    cursor_copy(c, &value, sizeof(value));
    return value;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
    uint16_t value;

    cursor_copy(c, &value, sizeof(value));
    return value;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    uint32_t value;

    cursor_copy(c, &value, sizeof(value));
    return value;
}

static inline uint64_t cursor_u64(struct cursor *c)
{
    uint64_t value;

    cursor_copy(c, &value, sizeof(value));
    return value;
}

// Copies the text in the next `size` bytes, up to a NUL if there is one, into `ret` of `capacity`
// bytes (at least 1), cut to fit and always terminated.
static inline void cursor_text(struct cursor *c, size_t size, char *ret, size_t capacity)
{
    const unsigned char *at = cursor_take(c, size);
    size_t length = at ? strnlen((const char *)at, size) : 0;

    if (length >= capacity)
        length = capacity - 1;
    if (length)
        memcpy(ret, at, length);
    ret[length] = '\0';
}
