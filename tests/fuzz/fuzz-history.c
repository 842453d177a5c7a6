// SPDX-License-Identifier: Apache-2.0
// libFuzzer target for what a history file holds: the first byte says how many slots a run has, its
// columns follow as JSON, and behind a line of the single byte 0x1c one of its packed buckets.
// What is taken for a bucket must give values, add up, and survive its bytes. Built and run by
// fuzz-history.sh.
#include "history/store_private.h"

#include "history/pack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define END_OF_COLUMNS "\n\x1c\n"

static void check(bool good)
{
    if (!good)
        abort();
}

// The values may be nonsense, as the bytes are; they are read from where they ought to be.
static double look(const struct bucket *b)
{
    double sum = 0;

    for (size_t slot = 0; slot < b->layout->n_slots; slot++)
        for (size_t i = 0; i < layout_columns(b->layout); i++) {
            struct column c = layout_column(b->layout, i);
            struct value v = bucket_value(b, slot, &c);
            struct extremes e = bucket_extremes(b, slot, &c);

            check(isnan(v.value) || v.quality <= QUALITY_SCALED || c.metric);
            sum += bucket_mean(b, slot, &c, v.value) + e.min + e.max + e.last;
        }
    return sum;
}

static void read_bucket(const struct layout *l, const void *bytes, size_t size)
{
    const struct slots all = {0, l->n_slots}, last = {l->n_slots - 1, l->n_slots};
    static volatile double seen;
    struct bucket b, twice;
    struct buf packed = {0};
    uint64_t run, sequence;

    check(bucket_init(&b, l) == 0 && bucket_init(&twice, l) == 0);
    if (unpack_bucket(bytes, size, last, NULL, &b) == 0)
        seen = look(&b);
    if (unpack_bucket(bytes, size, all, NULL, &b) == 0) {
        check(unpack_origin(bytes, size, &run, &sequence) == 0 && run == b.run);
        seen = look(&b);
        bucket_add(&twice, &b, all, NULL);
        bucket_add(&twice, &b, all, NULL);
        seen = look(&twice);
        pack_bucket(&packed, &twice, true);
        check(buf_error(&packed) == 0);
        check(unpack_bucket(packed.data, packed.size, all, NULL, &b) == 0);
        check(b.run == twice.run && b.intervals == twice.intervals);
        seen = look(&b);
    }
    (void)seen;
    buf_done(&packed);
    bucket_done(&b);
    bucket_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memmem(data, size, END_OF_COLUMNS, sizeof(END_OF_COLUMNS) - 1);
    struct layout l, again;
    struct buf json = {0};
    size_t n_slots;

    if (!end || end == data)
        return 0;
    n_slots = (size_t)*data % 16 + 1;
    if (run_json_read((const char *)data + 1, (size_t)(end - data) - 1, n_slots, &l) < 0)
        return 0;
    // What is written of it is the same run's.
    run_json_write(&json, &l);
    if (run_json_read(json.data, json.size, n_slots, &again) == 0) {
        check(again.n_raw == l.n_raw && again.n_times == l.n_times);
        layout_done(&again);
    }
    buf_done(&json);
    end += sizeof(END_OF_COLUMNS) - 1;
    read_bucket(&l, end, size - (size_t)(end - data));
    layout_done(&l);
    return 0;
}
