// SPDX-License-Identifier: Apache-2.0
// The fixed part of a SAMPLE record: what an attr's sample_type says is in it, in the order of
// perf_event_open(2). What follows it (call chains, stacks) is not looked at.
#pragma once

#include "stream/cursor.h"

#define SAMPLE_READS_MAX 1024 // values of one group read: more events than a stream may have

// What of an attr says how its samples are to be read.
struct sample_format {
    uint64_t sample_type, read_format;
    uint64_t period; // of every sample that doesn't say its own; 0: not known
    bool sampling;   // a counting event (perf stat's) has no samples
    bool has_period; // of their own
    bool has_reads;  // a sample holds cumulative values of its event, or its group
};

// PERF_SAMPLE_READ: the cumulative value of an event, by its id.
struct sample_read {
    uint64_t id, value;
};

struct sample {
    uint64_t id;     // of the event; 0: not said
    uint64_t time;   // ns on the recording's clock; 0: not said
    uint64_t period; // what the sample stands for, in the event's unit; 0: not known
    uint32_t pid, tid;
    int cpu;             // −1: not said
    struct cursor reads; // n_reads of them, to be taken with sample_next_read()
    size_t n_reads;
};

// Where an event's id is in its samples, in 64-bit words from the beginning of the body. False: it
// is not there.
bool sample_id_place(uint64_t sample_type, size_t *ret);
// False when it is shorter than the format says.
bool sample_parse(const struct sample_format *f, struct cursor body, struct sample *ret);
// The next of the sample's reads; false when there is none, or when it has no id.
bool sample_next_read(const struct sample_format *f, struct sample *s, struct sample_read *ret);
