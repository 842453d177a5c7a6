// SPDX-License-Identifier: Apache-2.0
// Packed buckets may come from a file that somebody else wrote: every read is checked.
#include "history/pack_private.h"

#include "stream/cursor.h"

#include <errno.h>

static const struct extremes none = {NAN, NAN, NAN};

// Put together in a register: three bytes copied into a number stall its reading.
static double get_float24(const unsigned char *bytes)
{
    uint32_t bits = (uint32_t)bytes[0] << 8 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 24;
    float f;

    memcpy(&f, &bits, sizeof(f));
    return (double)f;
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
    float one;

    if (code == EXTREMES_ZERO)
        e = (struct extremes){0, 0, 0};
    if (code == EXTREMES_ONE) {
        memcpy(&one, bytes, sizeof(one));
        e = (struct extremes){(double)one, (double)one, (double)one};
    }
    if (code == EXTREMES_TWO) {
        e = (struct extremes){get_float24(bytes), get_float24(bytes + 3), NAN};
        e.last = (e.min + e.max) / 2;
    }
    return e;
}

// The codes tell where each value is; only those that are wanted are looked at.
static void get_all_extremes(struct cursor *in, struct bucket *b, size_t slot, bool aggregated,
                             const struct wanted *wanted)
{
    const struct layout *l = b->layout;
    size_t n = pack_count_kept(l, slot, aggregated), size = 0, i = 0, place;
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
        if ((place = layout_metric(l, slot, m)) != LAYOUT_NONE && pack_keeps(l, m, aggregated)) {
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
    double base = (double)pack_whole(b->seconds * NS), length = base;

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
