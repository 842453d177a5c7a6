// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include "base/text.h"

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

void json_string(struct json *j, const char *text)
{
    if (!text) {
        json_null(j);
        return;
    }
    separate(j);
    buf_putc(j->out, '"');
    for (const char *p = text; *p;) {
        size_t n = text_utf8_length(p);

        if (n == 0) {
            buf_puts(j->out, "\\ufffd");
            n = 1;
        } else if (*p == '"' || *p == '\\') {
            buf_putc(j->out, '\\');
            buf_putc(j->out, *p);
        } else if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '<') {
            buf_printf(j->out, "\\u%04x", (unsigned)*p);
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
