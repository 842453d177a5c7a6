// SPDX-License-Identifier: Apache-2.0
// The format of packed buckets, for pack.c and unpack.c.
#pragma once

#include "history/pack.h"

#include <math.h>

#define NS 1e9
#define EXACT_MAX                                                                                  \
    4503599627370496.0 // 2^52: whole numbers below are exact in a double, and fit << 2

// What is in files, too: extremes as three bytes each, sums as they are.
#define PACK_VERSION_FLOAT24 1

enum { FLAG_AGGREGATED = 1 };
enum raw_tag { RAW_WHOLE, RAW_WHOLE_EMPTY, RAW_DOUBLE, RAW_NONE };
enum extremes_code { EXTREMES_NONE, EXTREMES_ZERO, EXTREMES_ONE, EXTREMES_TWO };

// A minimum and a maximum in 32 bits: whole multiples of a power of two that is so small that the
// larger of them takes 12 bits. From the lowest bit: PAIR_EXPONENT bits exponent + PAIR_BIAS, one
// whether they are signed, minimum, maximum.
#define PAIR_EXPONENT 7
#define PAIR_BIAS     64
#define PAIR_NUMBER   12
#define PAIR_MAX      0x1p62 // what is larger is nonsense: counts are below 2^63

// The last CPU's sums are near to what the others leave of the total. Of a machine with more than
// so many slots it would save little, and to read that CPU would take all others.
#define REST_SLOTS_MAX 9

// Nanoseconds of at most 36 years, of all CPUs together: a difference of two of them fits, with a
// sign and a bit.
#define WHOLE_MAX 0x1p60

static inline int64_t pack_whole(double v)
{
    return fabs(v) < WHOLE_MAX ? (int64_t)llround(v) : 0;
}

// Of a tier all extremes are kept; of an interval those of the metrics over a window, which do not
// follow from its own sums.
static inline bool pack_keeps(const struct layout *l, size_t metric, bool aggregated)
{
    return aggregated || l->metrics[metric].metric->window_seconds > 0;
}

static inline size_t pack_count_kept(const struct layout *l, size_t slot, bool aggregated)
{
    size_t n = 0;

    for (size_t e = 0; aggregated && e < l->events.n; e++)
        n += layout_raw(l, slot, e) != LAYOUT_NONE;
    for (size_t m = 0; m < l->n_metrics; m++)
        n += layout_metric(l, slot, m) != LAYOUT_NONE && pack_keeps(l, m, aggregated);
    return n;
}

// Are the slot's sums told as differences from what the others leave?
static inline bool pack_is_rest(const struct layout *l, size_t slot)
{
    return slot && slot + 1 == l->n_slots && l->n_slots <= REST_SLOTS_MAX;
}

// What the others leave of a total, first of `slots` values, for the last of them; 0 where that is
// no whole number.
static inline double pack_rest(const double *values, size_t slots)
{
    double rest = values[0];

    for (size_t s = 1; s + 1 < slots; s++)
        rest -= values[s];
    return rest >= 0 && rest < EXACT_MAX && rest == floor(rest) ? rest : 0;
}

// Times as they are packed: each counted event's, or, where no group was counted in parts, those of
// each group, which every event of it has that has a value. Events are named by their place in
// layout.counted.
struct pack_times {
    const struct bucket *b;
    bool apart;
};

static inline bool pack_begins_group(const struct layout *l, size_t k)
{
    const struct event *events = l->events.events;

    return k == 0 || events[l->counted[k]].group != events[l->counted[k - 1]].group;
}

static inline struct bucket_times pack_times_at(const struct pack_times *t, size_t k, size_t slot)
{
    const struct layout *l = t->b->layout;
    size_t event = l->counted[k];

    for (size_t i = k; !t->apart && i < l->n_counted && (i == k || !pack_begins_group(l, i)); i++) {
        size_t place = layout_raw(l, slot, l->counted[i]);

        if (place != LAYOUT_NONE && !isnan(t->b->raw[place])) {
            event = l->counted[i];
            break;
        }
    }
    return t->b->times[layout_times(l, slot, event)];
}

static inline double pack_rest_enabled(const struct pack_times *t, size_t k)
{
    size_t slots = t->b->layout->n_slots;
    double values[REST_SLOTS_MAX] = {0};

    for (size_t s = 0; s + 1 < slots; s++)
        values[s] = (double)pack_whole(pack_times_at(t, k, s).enabled);
    return pack_rest(values, slots);
}
