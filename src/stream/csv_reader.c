// SPDX-License-Identifier: Apache-2.0
// Lines first: one that lies whole in what was fed is parsed where it lies, one that is cut by the
// end of a piece is gathered in `partial`. Then fields, then numbers.
#include "stream/csv_reader.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NUMBER_MAX 63      // longer ones are no numbers
#define EXACT_MAX  18      // decimal digits that surely fit 64 bits
#define TIME_MAX   8.64e15 // ms; what a JavaScript Date can hold

struct csv_reader {
    struct csv_handler handler;
    void *context;
    bool started;                  // something of the first line was seen
    bool known;                    // there was a header: the columns are its
    bool ready;                    // the file at hand has had its header
    bool overlong;                 // the line at hand is too long: skipped up to its end
    size_t timestamp;              // its place among the columns
    size_t n;                      // columns beside it
    char (*names)[EVENT_NAME_MAX]; // [CSV_COLUMNS_MAX], of those
    double *values;                // [CSV_COLUMNS_MAX]
    uint64_t malformed;
    int error;
    size_t n_partial;
    char partial[CSV_LINE_MAX];
};

struct field {
    const char *at;
    size_t size;
};

int csv_reader_new(const struct csv_handler *handler, void *context, struct csv_reader **ret)
{
    struct csv_reader *r = calloc(1, sizeof(*r));

    if (!r)
        return -ENOMEM;
    r->handler = *handler;
    r->context = context;
    r->names = calloc(CSV_COLUMNS_MAX, sizeof(*r->names));
    r->values = calloc(CSV_COLUMNS_MAX, sizeof(*r->values));
    if (!r->names || !r->values) {
        csv_reader_free(r);
        return -ENOMEM;
    }
    *ret = r;
    return 0;
}

void csv_reader_free(struct csv_reader *r)
{
    if (!r)
        return;
    free(r->names);
    free(r->values);
    free(r);
}

uint64_t csv_reader_malformed(const struct csv_reader *r)
{
    return r->malformed;
}

void csv_reader_restart(struct csv_reader *r)
{
    r->started = r->ready = r->overlong = false;
    r->n_partial = 0;
    r->error = 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct field trim(const char *at, const char *end)
{
    while (at < end && is_space(*at))
        at++;
    while (end > at && is_space(end[-1]))
        end--;
    return (struct field){at, (size_t)(end - at)};
}

// Takes the field at *at off the line. A comma inside of quotes does not end it; what is quoted is
// given without them (two that stand for one stay two: no number and no name of ours has any).
static struct field take_field(const char **at, const char *end)
{
    const char *p = *at, *comma;
    struct field f;

    while (p < end && is_space(*p))
        p++;
    if (p < end && *p == '"')
        for (p++; p < end && (*p != '"' || (p + 1 < end && p[1] == '"')); p++)
            p += *p == '"';
    comma = p < end ? memchr(p, ',', (size_t)(end - p)) : NULL;
    f = trim(*at, comma ? comma : end);
    if (f.size >= 2 && f.at[0] == '"' && f.at[f.size - 1] == '"')
        f = trim(f.at + 1, f.at + f.size - 1);
    *at = comma ? comma + 1 : NULL;
    return f;
}

static double number(struct field f)
{
    char text[NUMBER_MAX + 1], *end;
    uint64_t whole = 0;
    double value;
    size_t i = 0;

    while (i < f.size && i < EXACT_MAX && f.at[i] >= '0' && f.at[i] <= '9')
        whole = whole * 10 + (uint64_t)(f.at[i++] - '0');
    if (i && i == f.size)
        return (double)whole;
    if (!f.size || f.size > NUMBER_MAX)
        return NAN;
    memcpy(text, f.at, f.size);
    text[f.size] = '\0';
    if (text[strspn(text, "0123456789.eE+-")]) // strtod also takes names and hexadecimal ones
        return NAN;
    value = strtod(text, &end);
    return end == text || *end || !isfinite(value) ? NAN : value;
}

// By its size: 1e11 s is the year 5138, and 1e11 ms was in 1973.
static bool timestamp_of(struct field f, int64_t *ret)
{
    double value = number(f), ms;

    if (!(value > 0))
        return false;
    ms = value < 1e11   ? value * 1e3
         : value < 1e14 ? value
         : value < 1e17 ? value / 1e3
                        : value / 1e6;
    if (!(ms <= TIME_MAX))
        return false;
    *ret = llround(ms);
    return true;
}

static bool is_timestamp(struct field f)
{
    return f.size == 9 && strncasecmp(f.at, "timestamp", 9) == 0;
}

static bool is_header(const char *at, const char *end)
{
    while (at)
        if (is_timestamp(take_field(&at, end)))
            return true;
    return false;
}

static bool same_name(const char *name, struct field f)
{
    size_t size = f.size < EVENT_NAME_MAX - 1 ? f.size : EVENT_NAME_MAX - 1;

    return strnlen(name, EVENT_NAME_MAX) == size && memcmp(name, f.at, size) == 0;
}

// The same header again: files that were put together, and a writer that was started again.
static bool is_known_header(const struct csv_reader *r, const char *at, const char *end)
{
    size_t n = 0, place = 0;

    for (; at; place++) {
        struct field f = take_field(&at, end);

        if (place == r->timestamp ? !is_timestamp(f) : n == r->n || !same_name(r->names[n++], f))
            return false;
    }
    return r->known && n == r->n;
}

static int take_header(struct csv_reader *r, const char *at, const char *end)
{
    bool found = false;
    size_t n = 0;
    int e = 0;

    if (is_known_header(r, at, end)) {
        r->ready = true;
        return 0;
    }
    if (!is_header(at, end))
        return -EPROTO;
    r->ready = r->known = false;
    for (size_t place = 0; at; place++) {
        struct field f = take_field(&at, end);

        if (!found && is_timestamp(f)) {
            r->timestamp = place;
            found = true;
            continue;
        }
        if (n == CSV_COLUMNS_MAX)
            return -E2BIG;
        if (f.size >= EVENT_NAME_MAX)
            f.size = EVENT_NAME_MAX - 1;
        memcpy(r->names[n], f.at, f.size);
        r->names[n++][f.size] = '\0';
    }
    r->n = n;
    if (r->handler.header)
        e = r->handler.header(r->context, (const char(*)[EVENT_NAME_MAX])r->names, n);
    r->ready = r->known = e == 0;
    return e;
}

// False for a malformed row.
static bool take_row(struct csv_reader *r, const char *at, const char *end)
{
    bool timed = false;
    int64_t timestamp = 0;
    size_t n = 0;

    for (size_t place = 0; at; place++) {
        struct field f = take_field(&at, end);

        if (place == r->timestamp)
            timed = timestamp_of(f, &timestamp);
        else if (n == r->n)
            return false;
        else
            r->values[n++] = number(f);
    }
    if (!timed || n != r->n)
        return false;
    if (r->handler.row)
        r->handler.row(r->context, timestamp, r->values);
    return true;
}

// A header is a text. Looked at while it is not whole yet, so that something without any newline is
// known for what it is.
static bool is_text(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((unsigned char)bytes[i] < ' ' && !is_space(bytes[i])) || bytes[i] == 0x7f)
            return false;
    return true;
}

static void take_line(struct csv_reader *r, const char *at, size_t size)
{
    const char *end = at + size;

    if (!r->started && size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) // the mark of UTF-8
        at += 3;
    if (trim(at, end).size == 0)
        return;
    r->started = true;
    if (!r->ready)
        r->error = is_text(at, (size_t)(end - at)) ? take_header(r, at, end) : -EPROTO;
    else if (!take_row(r, at, end)) {
        if (is_text(at, (size_t)(end - at)) && is_header(at, end))
            r->error = take_header(r, at, end);
        else
            r->malformed++;
    }
}

// Gathers a line of which only a part has come.
static void keep(struct csv_reader *r, const char *at, size_t size)
{
    if (r->overlong || size > sizeof(r->partial) - r->n_partial) {
        r->overlong = true;
        r->n_partial = 0;
        return;
    }
    memcpy(r->partial + r->n_partial, at, size);
    r->n_partial += size;
}

static void end_line(struct csv_reader *r)
{
    if (r->overlong && !r->ready)
        r->error = -EPROTO;
    else if (r->overlong)
        r->malformed++;
    else
        take_line(r, r->partial, r->n_partial);
    r->overlong = false;
    r->n_partial = 0;
}

int csv_reader_feed(struct csv_reader *r, const void *bytes, size_t size)
{
    const char *at = bytes, *end = at + size;

    while (!r->error && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline ? newline : end) - at);

        if (newline && !r->n_partial && !r->overlong && length <= CSV_LINE_MAX) {
            take_line(r, at, length);
        } else {
            keep(r, at, length);
            if (newline)
                end_line(r);
        }
        at += length + (newline != NULL);
    }
    if (!r->error && !r->ready && (r->overlong || !is_text(r->partial, r->n_partial)))
        r->error = -EPROTO;
    return r->error;
}
