// SPDX-License-Identifier: Apache-2.0
// The newest cumulative readings of every event in every place (a CPU or a thread), and what they
// make of an interval. The collector fills it from read(2), the server from the stream; both get
// the same sums out.
#pragma once

#include "model/reading.h"

struct readings {
    const struct event_table *events; // not owned
    size_t n_rows;                    // places
    enum reading_scope scope;
    struct reading *now;    // [event * n_rows + row], owned
    struct reading *before; // the same, of the previous interval
    bool *seen;             // was ever set
    bool *fresh;            // was set in this interval
};

// 0 or -ENOMEM.
int readings_init(struct readings *r, const struct event_table *events, size_t n_rows,
                  enum reading_scope scope);
void readings_done(struct readings *r);

static inline void readings_set(struct readings *r, size_t event, size_t row,
                                struct reading reading)
{
    size_t i = event * r->n_rows + row;

    r->now[i] = reading;
    r->seen[i] = true;
    r->fresh[i] = true;
}

// What the interval since the last readings_advance() counted. ret[0 … n_events − 1] are the totals
// over all places; with `n_slots` > 1, ret[slot * n_events + event] is place slot − 1. A gauge's
// raw is its cumulative value.
void readings_sums(const struct readings *r, size_t n_slots, struct sum *ret);

// Ends the interval: the readings of now become those before.
void readings_advance(struct readings *r);
