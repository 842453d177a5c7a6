// SPDX-License-Identifier: Apache-2.0
// Whole numbers are LEB128 varints, signed ones zigzag; floats are float32, extremes pairs
// that are rounded outwards. A slot begins with the length of what follows, so that the
// others' are passed over.
#include "history/pack_private.h"

#include <string.h>

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

// Rounded outwards, by 2^-11 of the larger one at most (2^-10 where one is negative). Both are
// below PAIR_MAX.
static uint32_t pair_of(double min, double max)
{
    bool is_signed = min < 0 || max < 0;
    int bits = PAIR_NUMBER - is_signed, exponent;
    double low, high;

    frexp(fmax(fabs(min), fabs(max)), &exponent);
    exponent = exponent < -PAIR_BIAS ? -PAIR_BIAS : exponent;
    for (;; exponent++) {
        low = floor(ldexp(min, bits - exponent));
        high = ceil(ldexp(max, bits - exponent));
        if (high < ldexp(1, bits))
            break; // else it was rounded up to the next power
    }
    return (uint32_t)(exponent + PAIR_BIAS) | (uint32_t)is_signed << PAIR_EXPONENT |
           ((uint32_t)(int32_t)low & 0xfff) << (PAIR_EXPONENT + 1) |
           ((uint32_t)(int32_t)high & 0xfff) << (PAIR_EXPONENT + 1 + PAIR_NUMBER);
}

// `rest`: what it is told as the difference from; NULL: as it is.
static void put_raw(struct buf *out, double raw, uint64_t empty, const double *rest)
{
    uint64_t whole;

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
    whole = rest ? zigzag((int64_t)(raw - *rest)) : (uint64_t)raw;
    put_varint(out, whole << 2 | (empty ? RAW_WHOLE_EMPTY : RAW_WHOLE));
    if (empty)
        put_varint(out, empty);
}

static enum extremes_code code_of(struct extremes e, bool aggregated)
{
    if (isnan(e.min) || isnan(e.max) || fabs(e.min) >= PAIR_MAX || fabs(e.max) >= PAIR_MAX)
        return EXTREMES_NONE;
    if (e.min == 0 && e.max == 0)
        return EXTREMES_ZERO;
    return aggregated ? EXTREMES_TWO : EXTREMES_ONE;
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
        if ((place = layout_metric(l, slot, m)) != LAYOUT_NONE && pack_keeps(l, m, aggregated))
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
        uint32_t pair;

        if (code == EXTREMES_ONE)
            buf_append(out, &one, sizeof(one));
        if (code != EXTREMES_TWO)
            continue;
        pair = pair_of(l->list[i].min, l->list[i].max);
        buf_append(out, &pair, sizeof(pair));
    }
}

// Groups are enabled for nearly the same time, and most run all of it.
static void put_group(struct buf *out, int64_t enabled, int64_t idle)
{
    put_varint(out, zigzag(enabled) << 1 | (idle != 0));
    if (idle)
        put_varint(out, zigzag(idle));
}

static bool is_apart(const struct bucket *b)
{
    const struct layout *l = b->layout;
    struct pack_times groups = {.b = b};

    for (size_t slot = 0; slot < l->n_slots; slot++)
        for (size_t k = 0, first = 0; k < l->n_counted; k++) {
            struct bucket_times own = b->times[layout_times(l, slot, l->counted[k])], theirs;
            size_t place = layout_raw(l, slot, l->counted[k]);

            if (pack_begins_group(l, k))
                first = k;
            if (place == LAYOUT_NONE || isnan(b->raw[place]))
                continue;
            theirs = pack_times_at(&groups, first, slot);
            if (islessgreater(own.enabled, theirs.enabled) ||
                islessgreater(own.running, theirs.running))
                return true;
        }
    return false;
}

static void put_times(struct buf *out, const struct pack_times *times, size_t slot)
{
    const struct layout *l = times->b->layout;
    int64_t base = pack_whole(times->b->seconds * NS), length = base;

    for (size_t g = 0, k = 0; g < (size_t)l->events.n_groups; g++) {
        for (; k < l->n_counted && l->events.events[l->counted[k]].group == (int)g; k++) {
            struct bucket_times t;

            if (!times->apart && !pack_begins_group(l, k))
                continue;
            t = pack_times_at(times, k, slot);
            if (pack_is_rest(l, slot))
                base = pack_whole(pack_rest_enabled(times, k));
            put_group(out, pack_whole(t.enabled) - base,
                      pack_whole(t.enabled) - pack_whole(t.running));
            base = pack_whole(t.enabled);
        }
        if (l->first_gauge[g] != LAYOUT_NONE) {
            double ns = times->b->gauge_ns[l->first_gauge[g] + slot];

            put_varint(out, isnan(ns) ? 0 : 1 + zigzag(pack_whole(ns) - length));
        }
    }
}

static void put_slot(struct buf *out, const struct pack_times *times, size_t slot, bool aggregated)
{
    const struct bucket *b = times->b;
    const struct layout *l = b->layout;
    struct extremes_list list;

    put_times(out, times, slot);
    for (size_t e = 0; e < l->events.n; e++) {
        size_t place = layout_raw(l, slot, e);
        double rest;

        if (place == LAYOUT_NONE)
            continue;
        rest = pack_is_rest(l, slot) ? pack_rest(&b->raw[l->first_raw[e]], l->n_slots) : 0;
        put_raw(out, b->raw[place], b->empty[place], pack_is_rest(l, slot) ? &rest : NULL);
    }
    collect_extremes(b, slot, aggregated, &list);
    put_extremes(out, &list, aggregated);
}

void pack_bucket(struct buf *out, const struct bucket *b, bool aggregated)
{
    struct pack_times times = {.b = b, .apart = is_apart(b)};
    struct buf slot = {0};

    buf_putc(out, times.apart ? PACK_VERSION : PACK_VERSION_GROUPS);
    buf_putc(out, aggregated ? FLAG_AGGREGATED : 0);
    put_varint(out, b->run);
    put_varint(out, b->sequence);
    put_varint(out, b->intervals);
    put_varint(out, b->missing);
    put_varint(out, (uint64_t)pack_whole(b->seconds * NS));
    for (size_t s = 0; s < b->layout->n_slots; s++) {
        buf_clear(&slot);
        put_slot(&slot, &times, s, aggregated);
        put_varint(out, slot.size);
        buf_append(out, slot.data, slot.size);
        if (buf_error(&slot) < 0)
            out->failed = true;
    }
    buf_done(&slot);
}
