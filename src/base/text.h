// SPDX-License-Identifier: Apache-2.0
// Texts that are somebody else's bytes: names of files, processes, events, hosts.
#pragma once

#include "base/buf.h"

// Copies as much of `text` as `ret` of `size` > 0 bytes holds, and terminates it: for names that
// may be cut.
static inline void text_copy(char *ret, size_t size, const char *text)
{
    size_t length = strlen(text);

    if (length >= size)
        length = size - 1;
    memcpy(ret, text, length);
    ret[length] = '\0';
}

// Length of the well-formed UTF-8 sequence at the beginning of `text`, 0 when there is none.
size_t text_utf8_length(const char *text);

// For a terminal: each byte of what would steer it becomes '?', a newline too.
void text_tame(char *text);
void text_put_tame(struct buf *out, const char *text);
