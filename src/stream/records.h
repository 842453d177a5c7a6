// SPDX-License-Identifier: Apache-2.0
// What each record of a stream means: the reader hands them over one by one, whole.
#pragma once

#include "stream/reader.h"

struct records {
    struct stream_handler handler;
    void *context;
    struct head_builder head;
    struct stream_counts counts;
    struct stream_sampled *sampled; // [n_events], owned; NULL until the head is complete
    bool ids_in_samples;            // with several events: their samples say whose they are …
    size_t id_place;                // … here, in 64-bit words
};

void records_done(struct records *r);
// Takes one record of `size` bytes, of which `body` is all behind its header. 0, or an error that
// ends the reading: of the head, of the handler, or -EBADMSG when it does not say how much data
// follows it. `*ret_outside`: bytes that follow it outside of its size, to be skipped.
int records_take(struct records *r, uint32_t type, struct cursor body, size_t size,
                 uint64_t *ret_outside);
// Hands the head on, if it wasn't or has changed: before anything that depends on it.
int records_announce(struct records *r);
// Counts a record that was not understood.
void records_skip(struct records *r, uint32_t type, size_t size);
