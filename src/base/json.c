// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <math.h>

static void separate(struct json *j)
{
    if (j->comma)
        buf_putc(j->out, ',');
    j->comma = true;
}

void json_open(struct json *j, char bracket)
{
    separate(j);
    buf_putc(j->out, bracket);
    j->comma = false;
}

void json_close(struct json *j, char bracket)
{
    buf_putc(j->out, bracket);
    j->comma = true;
}

void json_key(struct json *j, const char *key)
{
    separate(j);
    buf_putc(j->out, '"');
    buf_puts(j->out, key);
    buf_append(j->out, "\":", 2);
    j->comma = false;
}

// Length of the well-formed UTF-8 sequence at p, 0 when there is none (RFC 3629: no overlong form,
// no surrogate).
static size_t utf8_length(const unsigned char *p)
{
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

void json_string(struct json *j, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    if (!text) {
        json_null(j);
        return;
    }
    separate(j);
    buf_putc(j->out, '"');
    while (*p) {
        size_t n = utf8_length(p);

        if (n == 0) {
            buf_puts(j->out, "\\ufffd");
            n = 1;
        } else if (*p == '"' || *p == '\\') {
            buf_putc(j->out, '\\');
            buf_putc(j->out, (char)*p);
        } else if (*p < 0x20 || *p == 0x7f || *p == '<') {
            buf_printf(j->out, "\\u%04x", *p);
        } else {
            buf_append(j->out, p, n);
        }
        p += n;
    }
    buf_putc(j->out, '"');
}

void json_u64(struct json *j, uint64_t value)
{
    separate(j);
    buf_put_u64(j->out, value);
}

void json_i64(struct json *j, int64_t value)
{
    separate(j);
    buf_put_i64(j->out, value);
}

void json_bool(struct json *j, bool value)
{
    separate(j);
    buf_puts(j->out, value ? "true" : "false");
}

void json_null(struct json *j)
{
    separate(j);
    buf_puts(j->out, "null");
}

void json_metric(struct json *j, double value)
{
    if (!isfinite(value)) {
        json_null(j);
        return;
    }
    separate(j);
    buf_put_sig6(j->out, value);
}

void json_count(struct json *j, double value)
{
    if (!isfinite(value) || fabs(value) >= 9e18) {
        json_null(j);
        return;
    }
    json_i64(j, (int64_t)llround(value));
}

void json_raw(struct json *j, const char *text, size_t size)
{
    separate(j);
    buf_append(j->out, text, size);
}
