// SPDX-License-Identifier: Apache-2.0
#include "rows.h"

#include "history/bucket.h"
#include "history/pack.h"

static const struct slots all = {0, ROWS_SLOTS};

static struct rows rows;

static int set_up(void **state)
{
    (void)state;
    rows_init(&rows, 100);
    rows_ring(&rows, 1000);
    for (int i = 0; i < 500; i++)
        rows_push(&rows);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rows_done(&rows);
    return 0;
}

// Rows `from` to `to`, added up in buckets of `per`, and these added up again.
static void add_up(struct bucket *b, uint64_t from, uint64_t to, uint64_t per)
{
    const struct layout *l = history_layout(rows.session.history);
    struct bucket row, part;

    assert_int_equal(bucket_init(&row, l), 0);
    assert_int_equal(bucket_init(&part, l), 0);
    assert_int_equal(bucket_init(b, l), 0);
    for (uint64_t i = from; i <= to; i++) {
        bucket_take(&row, rows.session.history, i, 100, all, NULL);
        bucket_add(&part, &row, all, NULL);
        if (i % per == 0 || i == to) {
            bucket_add(b, &part, all, NULL);
            bucket_clear(&part);
        }
    }
    bucket_done(&row);
    bucket_done(&part);
}

// `slack`: by how much a value may differ, relatively; 0: sums of counts not in the last bit.
static void check_against_rows(const struct bucket *b, uint64_t from, uint64_t to, double slack)
{
    const struct history *h = rows.session.history;
    const struct layout *l = history_layout(h);

    for (size_t slot = 0; slot < ROWS_SLOTS; slot++)
        for (size_t i = 0; i < layout_columns(l); i++) {
            struct column c = layout_column(l, i);
            struct value ours = bucket_value(b, slot, &c),
                         theirs = history_value(h, from, to, slot, &c);
            struct extremes e = bucket_extremes(b, slot, &c);
            double mean = bucket_mean(b, slot, &c, ours.value), min = NAN, max = NAN;
            double off = c.event ? slack : fmax(slack, 1e-12);

            if (fabs(ours.value - theirs.value) > off * fabs(theirs.value) ||
                isnan(ours.value) != isnan(theirs.value))
                fail_msg("%s of slot %zu is %.17g, not %.17g", column_id(&c), slot, ours.value,
                         theirs.value);
            assert_int_equal(ours.quality, theirs.quality);
            assert_near(ours.running_percent, theirs.running_percent);
            for (uint64_t row = from; row <= to; row++) {
                double v = history_value(h, row, row, slot, &c).value;

                min = isnan(v) || v > min ? min : v;
                max = isnan(v) || v < max ? max : v;
            }
            assert_int_equal(isnan(min), isnan(e.min));
            if (isnan(min))
                continue;
            // Bounds are rounded outwards, by 2^-11 of the larger one at most.
            off = from == to ? off : 0;
            assert_true(e.min <= min * (1 + off) && e.min >= min - 5e-4 * fabs(max));
            assert_true(e.max >= max * (1 - off) && e.max <= max + 5e-4 * fabs(max));
            if (c.event)
                assert_true(e.min <= mean * (1 + 1e-12) && mean <= e.max * (1 + 1e-12));
        }
}

static void buckets_of_buckets_add_up_to_the_rows(void **state)
{
    static const uint64_t pers[] = {1, 2, 7, 10, 60, 500};

    (void)state;
    for (size_t i = 0; i < sizeof(pers) / sizeof(pers[0]); i++) {
        struct bucket b;
        uint64_t missing = 0;

        add_up(&b, 20, 480, pers[i]);
        assert_int_equal(b.intervals, 461);
        for (uint64_t row = 20; row <= 480; row++)
            missing += (row - 1) % 7 == 6;
        assert_int_equal(b.missing, missing);
        assert_int_equal(b.time_ms, history_timestamp(rows.session.history, 480));
        assert_int_equal(b.sequence, 480);
        check_against_rows(&b, 20, 480, 0); // to the last bit
        bucket_done(&b);
    }
}

static void intervals_without_a_counter_are_counted(void **state)
{
    const struct layout *l = history_layout(rows.session.history);
    uint64_t never = 0;
    struct bucket b;

    (void)state;
    add_up(&b, 100, 300, 10);
    for (uint64_t row = 100; row <= 300; row++)
        never += (row - 1) % 13 == 5;
    assert_true(never > 10);
    assert_int_equal(b.empty[layout_raw(l, 0, ROWS_CYCLES)], never);
    assert_int_equal(b.empty[layout_raw(l, 2, ROWS_INSTRUCTIONS)], never);
    assert_int_equal(b.empty[layout_raw(l, 0, ROWS_FAULTS)], 0);
    bucket_done(&b);
    // Nothing but such an interval: it says so.
    add_up(&b, 6, 6, 1);
    {
        struct column c = layout_column(l, ROWS_CYCLES);

        assert_int_equal(bucket_value(&b, 0, &c).quality, QUALITY_NEVER_RAN);
        assert_nan(bucket_value(&b, 0, &c).value);
    }
    bucket_done(&b);
}

// Any slot is the same without the others: the last one's sums are told by theirs.
static void check_slots_alone(const struct buf *bytes, const struct bucket *whole)
{
    const struct layout *l = whole->layout;
    struct bucket b;

    assert_int_equal(bucket_init(&b, l), 0);
    for (size_t slot = 0; slot < ROWS_SLOTS; slot++) {
        struct slots one = {slot, slot + 1};

        assert_int_equal(unpack_bucket(bytes->data, bytes->size, one, NULL, &b), 0);
        for (size_t i = 0; i < layout_columns(l); i++) {
            struct column c = layout_column(l, i);
            struct value ours = bucket_value(&b, slot, &c), theirs = bucket_value(whole, slot, &c);
            struct extremes e = bucket_extremes(&b, slot, &c), f = bucket_extremes(whole, slot, &c);

            assert_true(ours.value == theirs.value || isnan(theirs.value));
            assert_int_equal(isnan(ours.value), isnan(theirs.value));
            assert_true((e.min == f.min && e.max == f.max) || (isnan(e.min) && isnan(f.min)));
        }
    }
    bucket_done(&b);
}

static void packed_and_unpacked(uint64_t from, uint64_t to, bool aggregated)
{
    struct buf bytes = {0};
    struct bucket b, back;
    uint64_t run, sequence;

    add_up(&b, from, to, 10);
    b.run = 77;
    pack_bucket(&bytes, &b, aggregated);
    assert_int_equal(buf_error(&bytes), 0);
    assert_int_equal(bucket_init(&back, b.layout), 0);
    assert_int_equal(unpack_origin(bytes.data, bytes.size, &run, &sequence), 0);
    assert_int_equal(run, 77);
    assert_int_equal(sequence, to);
    assert_int_equal(unpack_bucket(bytes.data, bytes.size, all, NULL, &back), 0);
    assert_int_equal(back.intervals, b.intervals);
    assert_int_equal(back.missing, b.missing);
    assert_near(back.seconds, b.seconds);
    for (size_t i = 0; i < b.layout->n_raw; i++) {
        assert_true(back.raw[i] == b.raw[i] || (isnan(back.raw[i]) && isnan(b.raw[i])));
        assert_int_equal(back.empty[i], b.empty[i]);
    }
    for (size_t i = 0; i < b.layout->n_times; i++) {
        assert_true(back.times[i].enabled == b.times[i].enabled);
        assert_true(back.times[i].running == b.times[i].running);
    }
    check_against_rows(&back, from, to, aggregated ? 1e-9 : 1e-7);
    check_slots_alone(&bytes, &back);
    // Cut short anywhere it is refused, not read beyond.
    for (size_t size = 0; size < bytes.size; size++) {
        char *cut = malloc(size + 1);

        memcpy(cut, bytes.data, size);
        assert_int_equal(unpack_bucket(cut, size, all, NULL, &back), -EBADMSG);
        free(cut);
    }
    buf_done(&bytes);
    bucket_done(&b);
    bucket_done(&back);
}

static void a_bucket_survives_its_bytes(void **state)
{
    (void)state;
    packed_and_unpacked(31, 90, true);
    packed_and_unpacked(7, 480, true);
    packed_and_unpacked(240, 330, true);
    for (uint64_t row = 240; row < 290; row++)
        packed_and_unpacked(row, row, false);
}

// Times of each event take room where a group was counted in parts, and there only.
static void the_parts_of_a_group_keep_their_times(void **state)
{
    const struct layout *l = history_layout(rows.session.history);
    size_t apart = 0;

    (void)state;
    for (uint64_t row = 260; row < 320; row++) {
        struct buf bytes = {0};
        struct bucket b, back;
        struct column ipc;
        struct value v;

        add_up(&b, row, row, 1);
        pack_bucket(&bytes, &b, false);
        assert_int_equal(bytes.data[0], rows_apart(row - 1) ? PACK_VERSION : PACK_VERSION_GROUPS);
        assert_int_equal(bucket_init(&back, l), 0);
        assert_int_equal(unpack_bucket(bytes.data, bytes.size, all, NULL, &back), 0);
        assert_true(layout_find(l, "ipc", &ipc));
        v = bucket_value(&back, 0, &ipc);
        if (rows_apart(row - 1)) {
            size_t cycles = layout_times(l, 0, ROWS_CYCLES);

            assert_true(back.times[cycles].running >
                        back.times[layout_times(l, 0, ROWS_INSTRUCTIONS)].running);
            assert_nan(v.value);
            assert_int_equal(v.quality, QUALITY_SCALED);
            apart++;
        } else {
            assert_int_equal(isnan(v.value), (row - 1) % 13 == 5);
        }
        bucket_done(&b);
        bucket_done(&back);
        buf_done(&bytes);
    }
    assert_true(apart >= 3);
}

// Where the CPUs' counts make the total, one of them follows from the others.
static void sums_that_add_up_take_less(void **state)
{
    const struct layout *l = history_layout(rows.session.history);
    size_t first = layout_raw(l, 0, ROWS_CYCLES);
    struct buf odd = {0}, even = {0};
    struct bucket b, back;

    (void)state;
    add_up(&b, 31, 90, 10);
    assert_int_equal(bucket_init(&back, l), 0);
    pack_bucket(&odd, &b, true);
    b.raw[first] = b.raw[first + 1] + b.raw[first + 2];
    pack_bucket(&even, &b, true);
    assert_true(even.size < odd.size);
    assert_int_equal(unpack_bucket(even.data, even.size, all, NULL, &back), 0);
    assert_true(back.raw[first + 2] == b.raw[first + 2]);
    // A total that is not there, is less than its parts or no whole number helps nobody.
    for (int i = 0; i < 3; i++) {
        b.raw[first] = i == 0 ? NAN : i == 1 ? 1 : 1e10 + 0.5;
        buf_clear(&even);
        pack_bucket(&even, &b, true);
        assert_int_equal(unpack_bucket(even.data, even.size, all, NULL, &back), 0);
        assert_true(back.raw[first + 2] == b.raw[first + 2]);
        assert_true(back.raw[first] == b.raw[first] || i == 0);
    }
    buf_done(&odd);
    buf_done(&even);
    bucket_done(&b);
    bucket_done(&back);
}

static void extremes_are_rounded_outwards(void **state)
{
    static const struct {
        double min, max, off; // at most; −1: not kept
    } cases[] = {
        {0, 0, 0},
        {3, 4095, 0},
        {-2047, 2047, 0},
        {4095, 4096.5, 2},
        {-3.7, 12.25, 12.25 / 1024},
        {-5e9, -4.9e9, 5e9 / 1024},
        {1e-17, 1.5e-17, 1e-20},
        {1e-300, 1e-299, 1e-18},
        {-1e-300, 1e-299, 1e-18},
        {0.99999, 0.999999, 1. / 2048},
        {0, 0x1.fffp61, 0x1p51},
        {1, 1e300, -1},
        {-INFINITY, 0, -1},
    };
    struct buf bytes = {0};
    struct bucket b, back;

    (void)state;
    add_up(&b, 31, 90, 10);
    assert_int_equal(bucket_init(&back, b.layout), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct extremes e;

        b.events[1] = (struct extremes){cases[i].min, cases[i].max, 0};
        buf_clear(&bytes);
        pack_bucket(&bytes, &b, true);
        assert_int_equal(unpack_bucket(bytes.data, bytes.size, all, NULL, &back), 0);
        e = back.events[1];
        if (cases[i].off < 0) {
            assert_nan(e.min);
            continue;
        }
        assert_true(e.min <= cases[i].min && e.min >= cases[i].min - cases[i].off);
        assert_true(e.max >= cases[i].max && e.max <= cases[i].max + cases[i].off);
    }
    buf_done(&bytes);
    bucket_done(&b);
    bucket_done(&back);
}

static void bytes_that_mean_nothing_are_survived(void **state)
{
    const struct layout *l = history_layout(rows.session.history);
    struct buf bytes = {0};
    struct bucket b;

    (void)state;
    add_up(&b, 31, 90, 10);
    pack_bucket(&bytes, &b, true);
    for (int i = 0; i < 20000; i++) {
        size_t at = (size_t)rows_random(&rows, (double)bytes.size);
        char was = bytes.data[at];

        bytes.data[at] = (char)rows_random(&rows, 256);
        unpack_bucket(bytes.data, bytes.size, all, NULL, &b);
        bytes.data[at] = was;
    }
    bytes.data[0] = PACK_VERSION + 1;
    assert_int_equal(unpack_bucket(bytes.data, bytes.size, all, NULL, &b), -EBADMSG);
    assert_int_equal(l->n_slots, ROWS_SLOTS);
    buf_done(&bytes);
    bucket_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_of_buckets_add_up_to_the_rows),
        cmocka_unit_test(intervals_without_a_counter_are_counted),
        cmocka_unit_test(a_bucket_survives_its_bytes),
        cmocka_unit_test(the_parts_of_a_group_keep_their_times),
        cmocka_unit_test(sums_that_add_up_take_less),
        cmocka_unit_test(extremes_are_rounded_outwards),
        cmocka_unit_test(bytes_that_mean_nothing_are_survived),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
