// SPDX-License-Identifier: Apache-2.0
// Whole numbers are LEB128 varints, signed ones zigzag; floats are float32, or its upper 24 bits
// where a bound is rounded outwards. A slot begins with the length of what follows, so that the
// others' are passed over.
#include "history/pack.h"

#include "stream/cursor.h"

#include <errno.h>
#include <math.h>

#define NS 1e9
#define EXACT_MAX                                                                                  \
    4503599627370496.0 // 2^52: whole numbers below are exact in a double, and fit << 2

static const struct extremes none = {NAN, NAN, NAN};

enum { FLAG_AGGREGATED = 1 };
enum raw_tag { RAW_WHOLE, RAW_WHOLE_EMPTY, RAW_DOUBLE, RAW_NONE };
enum extremes_code { EXTREMES_NONE, EXTREMES_ZERO, EXTREMES_ONE, EXTREMES_TWO };

static void put_varint(struct buf *out, uint64_t v)
{
    unsigned char bytes[10];
    size_t n = 0;

    do {
        bytes[n] = (unsigned char)(v & 0x7f);
        v >>= 7;
        bytes[n++] |= v ? 0x80 : 0;
    } while (v);
    buf_append(out, bytes, n);
}

static uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static int64_t whole(double v)
{
    return fabs(v) < 9e18 ? (int64_t)llround(v) : 0;
}

// A float's upper 24 bits, not above (up: not below) the value.
static uint32_t float24(double v, bool up)
{
    float f = (float)v;
    uint32_t bits;

    if (up ? (double)f < v : (double)f > v)
        f = nextafterf(f, up ? INFINITY : -INFINITY);
    memcpy(&bits, &f, sizeof(bits));
    // Dropping bits goes towards zero.
    if (bits & 0xff && (bits >> 31 ? !up : up))
        bits += 0x100;
    return bits >> 8;
}

static double from_float24(uint32_t v)
{
    uint32_t bits = v << 8;
    float f;

    memcpy(&f, &bits, sizeof(f));
    return (double)f;
}

static void put_raw(struct buf *out, double raw, uint64_t empty)
{
    if (isnan(raw)) {
        put_varint(out, RAW_NONE);
        return;
    }
    if (raw < 0 || raw >= EXACT_MAX || raw != floor(raw)) {
        put_varint(out, RAW_DOUBLE);
        buf_append(out, &raw, sizeof(raw));
        put_varint(out, empty);
        return;
    }
    put_varint(out, (uint64_t)raw << 2 | (empty ? RAW_WHOLE_EMPTY : RAW_WHOLE));
    if (empty)
        put_varint(out, empty);
}

static enum extremes_code code_of(struct extremes e, bool aggregated)
{
    if (isnan(e.min) || isnan(e.max))
        return EXTREMES_NONE;
    if (e.min == 0 && e.max == 0)
        return EXTREMES_ZERO;
    return aggregated ? EXTREMES_TWO : EXTREMES_ONE;
}

// Of a tier all extremes are kept; of an interval those of the metrics over a window, which do not
// follow from its own sums.
static bool is_kept(const struct layout *l, size_t metric, bool aggregated)
{
    return aggregated || l->metrics[metric].metric->window_seconds > 0;
}

static size_t count_kept(const struct layout *l, size_t slot, bool aggregated)
{
    size_t n = 0;

    for (size_t e = 0; aggregated && e < l->events.n; e++)
        n += layout_raw(l, slot, e) != LAYOUT_NONE;
    for (size_t m = 0; m < l->n_metrics; m++)
        n += layout_metric(l, slot, m) != LAYOUT_NONE && is_kept(l, m, aggregated);
    return n;
}

struct extremes_list {
    struct extremes list[EVENTS_MAX + LAYOUT_METRICS_MAX];
    size_t n;
};

static void collect_extremes(const struct bucket *b, size_t slot, bool aggregated,
                             struct extremes_list *ret)
{
    const struct layout *l = b->layout;
    size_t place;

    ret->n = 0;
    for (size_t e = 0; aggregated && e < l->events.n; e++)
        if ((place = layout_raw(l, slot, e)) != LAYOUT_NONE)
            ret->list[ret->n++] = b->events[place];
    for (size_t m = 0; m < l->n_metrics && m < LAYOUT_METRICS_MAX; m++)
        if ((place = layout_metric(l, slot, m)) != LAYOUT_NONE && is_kept(l, m, aggregated))
            ret->list[ret->n++] = b->metrics[place];
}

// Codes of two bits, four in a byte, before the values that they announce.
static void put_extremes(struct buf *out, const struct extremes_list *l, bool aggregated)
{
    for (size_t i = 0; i < l->n; i += 4) {
        unsigned codes = 0;

        for (size_t k = i; k < i + 4 && k < l->n; k++)
            codes |= (unsigned)code_of(l->list[k], aggregated) << 2 * (k - i);
        buf_putc(out, (char)codes);
    }
    for (size_t i = 0; i < l->n; i++) {
        enum extremes_code code = code_of(l->list[i], aggregated);
        float one = (float)l->list[i].last;
        uint32_t low, high;

        if (code == EXTREMES_ONE)
            buf_append(out, &one, sizeof(one));
        if (code != EXTREMES_TWO)
            continue;
        low = float24(l->list[i].min, false);
        high = float24(l->list[i].max, true);
        buf_append(out, &low, 3);
        buf_append(out, &high, 3);
    }
}

static void put_slot(struct buf *out, const struct bucket *b, size_t slot, bool aggregated)
{
    const struct layout *l = b->layout;
    struct extremes_list list;
    int64_t base = whole(b->seconds * NS), length = base;

    for (size_t g = 0; g < (size_t)l->events.n_groups; g++) {
        if (l->first_times[g] != LAYOUT_NONE) {
            struct bucket_times t = b->times[l->first_times[g] + slot];

            // Groups are enabled for nearly the same time, and most run all of it.
            put_varint(out, zigzag(whole(t.enabled) - base));
            put_varint(out, zigzag(whole(t.enabled) - whole(t.running)));
            base = whole(t.enabled);
        }
        if (l->first_gauge[g] != LAYOUT_NONE) {
            double ns = b->gauge_ns[l->first_gauge[g] + slot];

            put_varint(out, isnan(ns) ? 0 : 1 + zigzag(whole(ns) - length));
        }
    }
    for (size_t e = 0; e < l->events.n; e++) {
        size_t place = layout_raw(l, slot, e);

        if (place != LAYOUT_NONE)
            put_raw(out, b->raw[place], b->empty[place]);
    }
    collect_extremes(b, slot, aggregated, &list);
    put_extremes(out, &list, aggregated);
}

void pack_bucket(struct buf *out, const struct bucket *b, bool aggregated)
{
    struct buf slot = {0};

    buf_putc(out, PACK_VERSION);
    buf_putc(out, aggregated ? FLAG_AGGREGATED : 0);
    put_varint(out, b->run);
    put_varint(out, b->sequence);
    put_varint(out, b->intervals);
    put_varint(out, b->missing);
    put_varint(out, (uint64_t)whole(b->seconds * NS));
    for (size_t s = 0; s < b->layout->n_slots; s++) {
        buf_clear(&slot);
        put_slot(&slot, b, s, aggregated);
        put_varint(out, slot.size);
        buf_append(out, slot.data, slot.size);
        if (buf_error(&slot) < 0)
            out->failed = true;
    }
    buf_done(&slot);
}

#define VARINT_MAX 10 // bytes

static uint64_t get_varint(struct cursor *c)
{
    uint64_t v = 0;

    // Most are in the middle of many bytes: asked for once, not byte by byte.
    if (c->left >= VARINT_MAX && !c->failed) {
        const unsigned char *at = c->at;
        unsigned shift = 0;

        while (*at & 0x80 && shift < 63) {
            v |= (uint64_t)(*at++ & 0x7f) << shift;
            shift += 7;
        }
        v |= (uint64_t)*at++ << shift;
        c->left -= (size_t)(at - c->at);
        c->at = at;
        return v;
    }
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = cursor_u8(c);

        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return v;
    }
    c->failed = true;
    return 0;
}

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static int get_head(struct cursor *c, bool *ret_aggregated)
{
    uint8_t version = cursor_u8(c), flags = cursor_u8(c);

    *ret_aggregated = flags & FLAG_AGGREGATED;
    return c->failed || version != PACK_VERSION ? -EBADMSG : 0;
}

int unpack_origin(const void *bytes, size_t size, uint64_t *ret_run, uint64_t *ret_sequence)
{
    struct cursor c = {.at = bytes, .left = size};
    bool aggregated;

    if (get_head(&c, &aggregated) < 0)
        return -EBADMSG;
    *ret_run = get_varint(&c);
    *ret_sequence = get_varint(&c);
    return c.failed ? -EBADMSG : 0;
}

static void get_raw(struct cursor *in, uint64_t intervals, double *ret_raw, uint64_t *ret_empty)
{
    uint64_t v = get_varint(in);

    *ret_empty = 0;
    switch ((enum raw_tag)(v & 3)) {
    case RAW_NONE:
        *ret_raw = NAN;
        *ret_empty = intervals;
        return;
    case RAW_DOUBLE:
        cursor_copy(in, ret_raw, sizeof(*ret_raw));
        break;
    case RAW_WHOLE:
        *ret_raw = (double)(v >> 2);
        return;
    case RAW_WHOLE_EMPTY:
        *ret_raw = (double)(v >> 2);
        break;
    }
    *ret_empty = get_varint(in);
}

static const size_t extremes_sizes[] = {0, 0, sizeof(float), 6};

static struct extremes get_extremes(enum extremes_code code, const unsigned char *bytes)
{
    struct extremes e = none;
    uint32_t low = 0, high = 0;
    float one;

    if (code == EXTREMES_ZERO)
        e = (struct extremes){0, 0, 0};
    if (code == EXTREMES_ONE) {
        memcpy(&one, bytes, sizeof(one));
        e = (struct extremes){(double)one, (double)one, (double)one};
    }
    if (code == EXTREMES_TWO) {
        memcpy(&low, bytes, 3);
        memcpy(&high, bytes + 3, 3);
        e = (struct extremes){from_float24(low), from_float24(high), NAN};
        e.last = (e.min + e.max) / 2;
    }
    return e;
}

// The codes tell where each value is; only those that are wanted are looked at.
static void get_all_extremes(struct cursor *in, struct bucket *b, size_t slot, bool aggregated,
                             const struct wanted *wanted)
{
    const struct layout *l = b->layout;
    size_t n = count_kept(l, slot, aggregated), size = 0, i = 0, place;
    const unsigned char *codes = cursor_take(in, (n + 3) / 4), *values;
    struct {
        enum extremes_code code;
        size_t at;
    } kept[EVENTS_MAX + LAYOUT_METRICS_MAX];

    for (size_t k = 0; codes && k < n; k++) {
        kept[k].code = codes[k / 4] >> 2 * (k % 4) & 3;
        kept[k].at = size;
        size += extremes_sizes[kept[k].code];
    }
    values = cursor_take(in, size);
    if (!codes || !values)
        return;
    for (size_t e = 0; aggregated && e < l->events.n; e++)
        if ((place = layout_raw(l, slot, e)) != LAYOUT_NONE) {
            if (!wanted || wanted->events[e])
                b->events[place] = get_extremes(kept[i].code, values + kept[i].at);
            i++;
        }
    for (size_t m = 0; m < l->n_metrics; m++)
        if ((place = layout_metric(l, slot, m)) != LAYOUT_NONE && is_kept(l, m, aggregated)) {
            if (!wanted || wanted->metrics[m])
                b->metrics[place] = get_extremes(kept[i].code, values + kept[i].at);
            i++;
        }
}

// What an interval's columns were follows from its sums.
static void derive_extremes(struct bucket *b, size_t slot, const struct wanted *wanted)
{
    const struct layout *l = b->layout;
    size_t place;

    for (size_t e = 0; e < l->events.n; e++)
        if ((!wanted || wanted->events[e]) && (place = layout_raw(l, slot, e)) != LAYOUT_NONE) {
            struct column c = layout_column(l, e);
            double v = bucket_value(b, slot, &c).value;

            b->events[place] = (struct extremes){v, v, v};
        }
    for (size_t m = 0; m < l->n_metrics; m++)
        if ((!wanted || wanted->metrics[m]) && (place = layout_metric(l, slot, m)) != LAYOUT_NONE &&
            !(l->metrics[m].metric->window_seconds > 0)) {
            struct column c = layout_column(l, l->events.n + m);
            double v = bucket_value(b, slot, &c).value;

            b->metrics[place] = (struct extremes){v, v, v};
        }
}

static void get_slot(struct cursor *in, struct bucket *b, size_t slot, bool aggregated,
                     const struct wanted *wanted)
{
    const struct layout *l = b->layout;
    double base = (double)whole(b->seconds * NS), length = base;

    for (size_t g = 0; g < (size_t)l->events.n_groups; g++) {
        if (l->first_times[g] != LAYOUT_NONE) {
            struct bucket_times *t = &b->times[l->first_times[g] + slot];

            t->enabled = base + (double)unzigzag(get_varint(in));
            t->running = t->enabled - (double)unzigzag(get_varint(in));
            base = t->enabled;
        }
        if (l->first_gauge[g] != LAYOUT_NONE) {
            uint64_t v = get_varint(in);

            b->gauge_ns[l->first_gauge[g] + slot] = v ? length + (double)unzigzag(v - 1) : NAN;
        }
    }
    for (size_t e = 0; e < l->events.n; e++) {
        size_t place = layout_raw(l, slot, e);

        if (place != LAYOUT_NONE)
            get_raw(in, b->intervals, &b->raw[place], &b->empty[place]);
    }
    if (!aggregated)
        derive_extremes(b, slot, wanted);
    get_all_extremes(in, b, slot, aggregated, wanted);
}

int unpack_bucket(const void *bytes, size_t size, struct slots slots, const struct wanted *wanted,
                  struct bucket *b)
{
    struct cursor in = {.at = bytes, .left = size};
    bool aggregated;

    bucket_clear_slots(b, slots);
    if (get_head(&in, &aggregated) < 0)
        return -EBADMSG;
    b->run = get_varint(&in);
    b->sequence = get_varint(&in);
    b->intervals = get_varint(&in);
    b->missing = get_varint(&in);
    b->seconds = (double)get_varint(&in) / NS;
    for (size_t s = 0; s < slots.to && s < b->layout->n_slots; s++) {
        uint64_t length = get_varint(&in);
        const unsigned char *at = length <= in.left ? cursor_take(&in, length) : NULL;
        struct cursor slot = {.at = at, .left = length};

        if (!at)
            return -EBADMSG;
        if (s < slots.from)
            continue;
        get_slot(&slot, b, s, aggregated, wanted);
        if (slot.failed)
            return -EBADMSG;
    }
    return in.failed ? -EBADMSG : 0;
}
