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

// As ldexp(1, exponent), which would be a call for each pair; −1022 … 1023.
static double power_of_two(int exponent)
{
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

static double get_number(uint32_t bits, bool is_signed)
{
    return is_signed && bits & 0x800 ? (double)bits - 0x1000 : (double)bits;
}

static struct extremes get_pair(const unsigned char *bytes)
{
    uint32_t pair = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                    (uint32_t)bytes[3] << 24;
    bool is_signed = pair >> PAIR_EXPONENT & 1;
    int exponent = (int)(pair & ((1 << PAIR_EXPONENT) - 1)) - PAIR_BIAS;
    double step = power_of_two(exponent - PAIR_NUMBER + is_signed);

    return (struct extremes){
        .min = step * get_number(pair >> (PAIR_EXPONENT + 1) & 0xfff, is_signed),
        .max = step * get_number(pair >> (PAIR_EXPONENT + 1 + PAIR_NUMBER), is_signed),
    };
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

struct form {
    bool aggregated;
    bool float24; // of the first version
    bool apart;   // each event has times
};

static int get_head(struct cursor *c, struct form *ret)
{
    uint8_t version = cursor_u8(c), flags = cursor_u8(c);

    ret->aggregated = flags & FLAG_AGGREGATED;
    ret->float24 = version == PACK_VERSION_FLOAT24;
    ret->apart = version == PACK_VERSION;
    return c->failed || version < PACK_VERSION_FLOAT24 || version > PACK_VERSION ? -EBADMSG : 0;
}

int unpack_origin(const void *bytes, size_t size, uint64_t *ret_run, uint64_t *ret_sequence)
{
    struct cursor c = {.at = bytes, .left = size};
    struct form form;

    if (get_head(&c, &form) < 0)
        return -EBADMSG;
    *ret_run = get_varint(&c);
    *ret_sequence = get_varint(&c);
    return c.failed ? -EBADMSG : 0;
}

static bool told_as_rest(const struct layout *l, size_t slot, struct form form)
{
    return !form.float24 && pack_is_rest(l, slot);
}

// `rest`: what a whole sum is told as the difference from; NULL: as it is.
static void get_raw(struct cursor *in, uint64_t intervals, const double *rest, double *ret_raw,
                    uint64_t *ret_empty)
{
    uint64_t v = get_varint(in);
    double whole = rest ? *rest + (double)unzigzag(v >> 2) : (double)(v >> 2);

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
        *ret_raw = whole;
        return;
    case RAW_WHOLE_EMPTY:
        *ret_raw = whole;
        break;
    }
    *ret_empty = get_varint(in);
}

// The kth of them into `to`; NULL: it is passed over.
static inline void get_next(struct cursor *in, const unsigned char *codes, size_t k,
                            struct form form, struct extremes *to)
{
    enum extremes_code code = codes[k / 4] >> 2 * (k % 4) & 3;
    size_t pair_size = form.float24 ? 6 : sizeof(uint32_t);
    const unsigned char *bytes = cursor_take(in, code == EXTREMES_TWO   ? pair_size
                                                 : code == EXTREMES_ONE ? sizeof(float)
                                                                        : 0);
    float one;

    if (!to || !bytes)
        return;
    switch (code) {
    case EXTREMES_NONE:
        *to = none;
        break;
    case EXTREMES_ZERO:
        *to = (struct extremes){0, 0, 0};
        break;
    case EXTREMES_ONE:
        memcpy(&one, bytes, sizeof(one));
        *to = (struct extremes){(double)one, (double)one, (double)one};
        break;
    case EXTREMES_TWO:
        if (form.float24)
            *to = (struct extremes){.min = get_float24(bytes), .max = get_float24(bytes + 3)};
        else
            *to = get_pair(bytes);
        to->last = (to->min + to->max) / 2;
        break;
    }
}

static void get_all_extremes(struct cursor *in, struct bucket *b, size_t slot, struct form form,
                             const struct wanted *wanted)
{
    const struct layout *l = b->layout;
    size_t n = pack_count_kept(l, slot, form.aggregated), k = 0, place;
    const unsigned char *codes = cursor_take(in, (n + 3) / 4);

    if (!codes)
        return;
    for (size_t e = 0; form.aggregated && e < l->events.n; e++)
        if ((place = layout_raw(l, slot, e)) != LAYOUT_NONE)
            get_next(in, codes, k++, form,
                     !wanted || (wanted->extremes && wanted->events[e]) ? &b->events[place] : NULL);
    for (size_t m = 0; m < l->n_metrics; m++)
        if ((place = layout_metric(l, slot, m)) != LAYOUT_NONE && pack_keeps(l, m, form.aggregated))
            get_next(in, codes, k++, form,
                     !wanted || wanted->metrics[m] ? &b->metrics[place] : NULL);
}

// `base`: what the time that it was enabled is told as the difference from.
static struct bucket_times get_group(struct cursor *in, double base, struct form form)
{
    uint64_t v = get_varint(in);
    bool all = !form.float24 && !(v & 1);
    double enabled = base + (double)unzigzag(form.float24 ? v : v >> 1);

    return (struct bucket_times){enabled,
                                 all ? enabled : enabled - (double)unzigzag(get_varint(in))};
}

static void get_times(struct cursor *in, struct bucket *b, size_t slot, struct form form)
{
    const struct layout *l = b->layout;
    const struct pack_times own = {.b = b, .apart = true};
    bool is_rest = told_as_rest(l, slot, form);
    double base = (double)pack_whole(b->seconds * NS), length = base;

    for (size_t g = 0, k = 0; g < (size_t)l->events.n_groups; g++) {
        for (; k < l->n_counted && l->events.events[l->counted[k]].group == (int)g; k++) {
            struct bucket_times *t = &b->times[layout_times(l, slot, l->counted[k])];

            if (!form.apart && !pack_begins_group(l, k)) {
                *t = b->times[layout_times(l, slot, l->counted[k - 1])];
                continue;
            }
            if (is_rest)
                base = pack_rest_enabled(&own, k);
            *t = get_group(in, base, form);
            base = t->enabled;
        }
        if (l->first_gauge[g] != LAYOUT_NONE) {
            uint64_t v = get_varint(in);

            b->gauge_ns[l->first_gauge[g] + slot] = v ? length + (double)unzigzag(v - 1) : NAN;
        }
    }
}

static void get_sums(struct cursor *in, struct bucket *b, size_t slot, struct form form)
{
    const struct layout *l = b->layout;
    bool is_rest = told_as_rest(l, slot, form);

    get_times(in, b, slot, form);
    for (size_t e = 0; e < l->events.n; e++) {
        size_t place = layout_raw(l, slot, e);
        double rest;

        if (place == LAYOUT_NONE)
            continue;
        rest = is_rest ? pack_rest(&b->raw[l->first_raw[e]], l->n_slots) : 0;
        get_raw(in, b->intervals, is_rest ? &rest : NULL, &b->raw[place], &b->empty[place]);
    }
}

int unpack_bucket(const void *bytes, size_t size, struct slots slots, const struct wanted *wanted,
                  struct bucket *b)
{
    struct cursor in = {.at = bytes, .left = size};
    struct form form;
    size_t first; // whose sums are needed

    if (get_head(&in, &form) < 0)
        return -EBADMSG;
    b->time_ms = 0;
    b->run = get_varint(&in);
    b->sequence = get_varint(&in);
    b->intervals = get_varint(&in);
    b->missing = get_varint(&in);
    b->seconds = (double)get_varint(&in) / NS;
    first = slots.to && told_as_rest(b->layout, slots.to - 1, form) ? 0 : slots.from;
    for (size_t s = 0; s < slots.to && s < b->layout->n_slots; s++) {
        uint64_t length = get_varint(&in);
        const unsigned char *at = length <= in.left ? cursor_take(&in, length) : NULL;
        struct cursor slot = {.at = at, .left = length};

        if (!at)
            return -EBADMSG;
        if (s < first)
            continue;
        get_sums(&slot, b, s, form);
        if (s >= slots.from && !form.aggregated && (!wanted || wanted->extremes))
            bucket_derive_extremes(b, s, wanted);
        if (s >= slots.from)
            get_all_extremes(&slot, b, s, form, wanted);
        if (slot.failed)
            return -EBADMSG;
    }
    return in.failed ? -EBADMSG : 0;
}
