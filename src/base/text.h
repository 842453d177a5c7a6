// SPDX-License-Identifier: Apache-2.0
// Texts in arrays of a fixed size.
#pragma once

#include <stddef.h>
#include <string.h>

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
