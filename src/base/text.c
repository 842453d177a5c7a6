// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

// RFC 3629: no overlong form, no surrogate.
size_t text_utf8_length(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned char low = 0x80, high = 0xbf;
    size_t n;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        n = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        n = 3;
        low = p[0] == 0xe0 ? 0xa0 : 0x80;
        high = p[0] == 0xed ? 0x9f : 0xbf;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        n = 4;
        low = p[0] == 0xf0 ? 0x90 : 0x80;
        high = p[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    return n;
}

// The controls of ASCII, and those of Latin-1 (0x80 to 0x9f), which terminals take as a byte or as
// UTF-8: 0x9b is what ESC [ is. `n`: its length as UTF-8.
static bool steers(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;

    if (n == 0)
        return p[0] < 0xa0;
    return p[0] < ' ' || p[0] == 0x7f || (n == 2 && p[0] == 0xc2 && p[1] < 0xa0);
}

void text_tame(char *text)
{
    while (*text) {
        size_t n = text_utf8_length(text), size = n ? n : 1;

        if (steers(text, n))
            memset(text, '?', size);
        text += size;
    }
}

void text_put_tame(struct buf *out, const char *text)
{
    size_t start = out->size;

    buf_append(out, text, strlen(text) + 1);
    if (buf_error(out) < 0)
        return;
    text_tame(out->data + start);
    out->size--;
}
