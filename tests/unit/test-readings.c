// SPDX-License-Identifier: Apache-2.0
#include "model/readings.h"

#include "unit.h"

enum { CYCLES, GAUGE, N_EVENTS };

static struct event table[N_EVENTS] = {
    {.name = "cycles", .column = "cycles", .kind = EVENT_COUNT},
    {.name = "cpu-user", .column = "cpu_user", .kind = EVENT_GAUGE, .group = 1},
};
static const struct event_table events = {.events = table, .n = N_EVENTS, .n_groups = 2};

static void set(struct readings *r, size_t row, uint64_t value, uint64_t enabled, uint64_t running)
{
    readings_set(r, CYCLES, row, (struct reading){value, enabled, running});
}

static void gauge(struct readings *r, size_t row, uint64_t value)
{
    readings_set(r, GAUGE, row, (struct reading){.value = value});
}

static void the_first_interval_counts_from_zero(void **state)
{
    struct readings r;
    struct sum sums[3 * N_EVENTS];

    (void)state;
    assert_int_equal(readings_init(&r, &events, 2, SCOPE_CPU), 0);
    set(&r, 0, 100, 1000, 1000);
    set(&r, 1, 30, 1000, 1000);
    readings_sums(&r, 3, sums);
    assert_near(sum_count(sums[CYCLES], SCOPE_CPU), 130);
    assert_near(sum_count(sums[1 * N_EVENTS + CYCLES], SCOPE_CPU), 100);
    assert_near(sum_count(sums[2 * N_EVENTS + CYCLES], SCOPE_CPU), 30);
    readings_done(&r);
    readings_done(NULL);
}

static void each_interval_counts_from_the_one_before(void **state)
{
    struct readings r;
    struct sum sums[3 * N_EVENTS];

    (void)state;
    assert_int_equal(readings_init(&r, &events, 2, SCOPE_CPU), 0);
    set(&r, 0, 100, 1000, 1000);
    set(&r, 1, 30, 1000, 1000);
    readings_advance(&r);
    // CPU 1 was multiplexed in this interval only.
    set(&r, 0, 150, 2000, 2000);
    set(&r, 1, 40, 2000, 1500);
    readings_sums(&r, 3, sums);
    assert_near(sum_count(sums[1 * N_EVENTS + CYCLES], SCOPE_CPU), 50);
    assert_near(sum_count(sums[2 * N_EVENTS + CYCLES], SCOPE_CPU), 20);
    assert_near(sum_count(sums[CYCLES], SCOPE_CPU), 70);
    assert_int_equal(sum_quality(sums[CYCLES], SCOPE_CPU), QUALITY_SCALED);
    readings_done(&r);
}

static void a_place_that_was_not_read_is_left_out(void **state)
{
    struct readings r;
    struct sum sums[3 * N_EVENTS];

    (void)state;
    assert_int_equal(readings_init(&r, &events, 2, SCOPE_CPU), 0);
    set(&r, 0, 100, 1000, 1000);
    set(&r, 1, 30, 1000, 1000);
    readings_advance(&r);
    set(&r, 0, 150, 2000, 2000);
    readings_sums(&r, 3, sums);
    assert_near(sum_count(sums[CYCLES], SCOPE_CPU), 50);
    assert_nan(sums[2 * N_EVENTS + CYCLES].raw);
    // Back again: what it counted meanwhile belongs to the interval in which it is read.
    readings_advance(&r);
    set(&r, 0, 160, 3000, 3000);
    set(&r, 1, 90, 3000, 3000);
    readings_sums(&r, 3, sums);
    assert_near(sum_count(sums[CYCLES], SCOPE_CPU), 70);
    readings_done(&r);
}

static void nothing_read_at_all_has_no_value(void **state)
{
    struct readings r;
    struct sum sums[N_EVENTS];

    (void)state;
    assert_int_equal(readings_init(&r, &events, 2, SCOPE_TASK), 0);
    readings_sums(&r, 1, sums);
    assert_nan(sums[CYCLES].raw);
    assert_nan(sums[GAUGE].raw);
    readings_done(&r);
}

static void a_place_that_never_ran_leaves_the_total_without_value(void **state)
{
    struct readings r;
    struct sum sums[3 * N_EVENTS];

    (void)state;
    assert_int_equal(readings_init(&r, &events, 2, SCOPE_CPU), 0);
    set(&r, 0, 100, 1000, 1000);
    set(&r, 1, 0, 1000, 0);
    readings_sums(&r, 3, sums);
    assert_nan(sum_count(sums[CYCLES], SCOPE_CPU));
    assert_int_equal(sum_quality(sums[CYCLES], SCOPE_CPU), QUALITY_NEVER_RAN);
    assert_near(sum_count(sums[1 * N_EVENTS + CYCLES], SCOPE_CPU), 100);
    readings_done(&r);
}

static void a_sleeping_thread_counts_exactly_zero(void **state)
{
    struct readings r;
    struct sum sums[N_EVENTS];

    (void)state;
    assert_int_equal(readings_init(&r, &events, 2, SCOPE_TASK), 0);
    set(&r, 0, 100, 1000, 1000);
    set(&r, 1, 50, 1000, 1000);
    readings_advance(&r);
    set(&r, 0, 100, 1000, 1000);
    set(&r, 1, 50, 1000, 1000);
    readings_sums(&r, 1, sums);
    assert_true(sum_count(sums[CYCLES], SCOPE_TASK) == 0);
    assert_int_equal(sum_quality(sums[CYCLES], SCOPE_TASK), QUALITY_EXACT);
    readings_done(&r);
}

static void a_value_that_goes_backwards_is_left_out(void **state)
{
    struct readings r;
    struct sum sums[3 * N_EVENTS];

    (void)state;
    assert_int_equal(readings_init(&r, &events, 2, SCOPE_CPU), 0);
    set(&r, 0, 100, 1000, 1000);
    set(&r, 1, 30, 1000, 1000);
    readings_advance(&r);
    set(&r, 0, 150, 2000, 2000);
    set(&r, 1, 5, 500, 500);
    readings_sums(&r, 3, sums);
    assert_near(sum_count(sums[CYCLES], SCOPE_CPU), 50);
    assert_nan(sums[2 * N_EVENTS + CYCLES].raw);
    readings_advance(&r);
    set(&r, 0, 150, 3000, 3000);
    set(&r, 1, 9, 1500, 1500);
    readings_sums(&r, 3, sums);
    assert_near(sum_count(sums[CYCLES], SCOPE_CPU), 4);
    readings_done(&r);
}

static void gauges_are_cumulative_and_keep_the_share_of_places_that_left(void **state)
{
    struct readings r;
    struct sum sums[3 * N_EVENTS];

    (void)state;
    assert_int_equal(readings_init(&r, &events, 2, SCOPE_CPU), 0);
    gauge(&r, 0, 100);
    gauge(&r, 1, 1000);
    readings_sums(&r, 3, sums);
    assert_near(sums[GAUGE].raw, 1100);
    assert_near(sums[2 * N_EVENTS + GAUGE].raw, 1000);
    readings_advance(&r);
    gauge(&r, 0, 110);
    readings_sums(&r, 3, sums);
    assert_near(sums[GAUGE].raw, 1110);
    assert_near(sums[1 * N_EVENTS + GAUGE].raw, 110);
    assert_nan(sums[2 * N_EVENTS + GAUGE].raw);
    readings_advance(&r);
    // Read at times of its own: an interval without a reading has none.
    readings_sums(&r, 3, sums);
    assert_nan(sums[GAUGE].raw);
    readings_done(&r);
}

static void slots_beyond_those_asked_for_are_not_written(void **state)
{
    struct readings r;
    struct sum sums[3 * N_EVENTS];

    (void)state;
    assert_int_equal(readings_init(&r, &events, 2, SCOPE_CPU), 0);
    set(&r, 0, 1, 1000, 1000);
    set(&r, 1, 2, 1000, 1000);
    memset(sums, 0x7f, sizeof(sums));
    readings_sums(&r, 1, sums);
    assert_near(sums[CYCLES].raw, 3);
    for (size_t i = N_EVENTS * sizeof(sums[0]); i < sizeof(sums); i++)
        assert_int_equal(((unsigned char *)sums)[i], 0x7f);
    readings_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_interval_counts_from_zero),
        cmocka_unit_test(each_interval_counts_from_the_one_before),
        cmocka_unit_test(a_place_that_was_not_read_is_left_out),
        cmocka_unit_test(nothing_read_at_all_has_no_value),
        cmocka_unit_test(a_place_that_never_ran_leaves_the_total_without_value),
        cmocka_unit_test(a_sleeping_thread_counts_exactly_zero),
        cmocka_unit_test(a_value_that_goes_backwards_is_left_out),
        cmocka_unit_test(gauges_are_cumulative_and_keep_the_share_of_places_that_left),
        cmocka_unit_test(slots_beyond_those_asked_for_are_not_written),
    };

    return cmocka_run_group_tests_name("readings", tests, NULL, NULL);
}
