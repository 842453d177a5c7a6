// SPDX-License-Identifier: Apache-2.0
#include "model/reading.h"

#include "unit.h"

static struct sum sum(double raw, double enabled, double running)
{
    return (struct sum){.raw = raw, .enabled = enabled, .running = running};
}

static void an_interval_is_scaled_by_its_own_times(void **state)
{
    // Ran all of its first second, a quarter of this one. By lifetime it would be × 1.6.
    struct reading earlier = {1000000, 1000, 1000}, later = {1000500, 2000, 1250};
    struct sum s = reading_difference(earlier, later);

    (void)state;
    assert_near(s.raw, 500);
    assert_near(s.enabled, 1000);
    assert_near(s.running, 250);
    assert_near(sum_count(s, SCOPE_CPU), 2000);
    assert_int_equal(sum_quality(s, SCOPE_CPU), QUALITY_SCALED);
    assert_near(sum_running_percent(s, SCOPE_CPU), 25);
}

static void what_ran_all_the_time_is_exact(void **state)
{
    (void)state;
    assert_near(sum_count(sum(7, 1000, 1000), SCOPE_CPU), 7);
    assert_int_equal(sum_quality(sum(7, 1000, 1000), SCOPE_CPU), QUALITY_EXACT);
    assert_near(sum_running_percent(sum(7, 1000, 1000), SCOPE_CPU), 100);
    // The kernel updates the two times in turn.
    assert_int_equal(sum_quality(sum(7, 100000000, 99999700), SCOPE_CPU), QUALITY_EXACT);
    assert_near(sum_count(sum(7, 100000000, 99999700), SCOPE_CPU), 7);
    assert_int_equal(sum_quality(sum(7, 1000, 990), SCOPE_CPU), QUALITY_SCALED);
}

static void never_ran_is_not_zero(void **state)
{
    struct sum never = sum(0, 1000, 0), zero = sum(0, 1000, 1000);

    (void)state;
    for (enum reading_scope scope = SCOPE_CPU; scope <= SCOPE_TASK; scope++) {
        assert_nan(sum_count(never, scope));
        assert_int_equal(sum_quality(never, scope), QUALITY_NEVER_RAN);
        assert_near(sum_running_percent(never, scope), 0);
        assert_near(sum_count(zero, scope), 0);
        assert_int_equal(sum_quality(zero, scope), QUALITY_EXACT);
    }
}

static void not_enabled_is_offline_for_a_cpu_and_a_true_zero_for_a_task(void **state)
{
    struct sum s = sum(0, 0, 0);

    (void)state;
    assert_nan(sum_count(s, SCOPE_CPU));
    assert_int_equal(sum_quality(s, SCOPE_CPU), QUALITY_OFFLINE);
    assert_near(sum_running_percent(s, SCOPE_CPU), 0);
    assert_true(sum_count(s, SCOPE_TASK) == 0);
    assert_int_equal(sum_quality(s, SCOPE_TASK), QUALITY_EXACT);
    assert_near(sum_running_percent(s, SCOPE_TASK), 100);
}

static void what_goes_backwards_has_no_value(void **state)
{
    struct reading base = {100, 100, 100};

    (void)state;
    assert_nan(reading_difference(base, (struct reading){99, 200, 200}).raw);
    assert_nan(reading_difference(base, (struct reading){200, 99, 200}).raw);
    assert_nan(reading_difference(base, (struct reading){200, 200, 99}).raw);
    assert_near(reading_difference(base, base).raw, 0);
    assert_nan(sum_count(SUM_NONE, SCOPE_TASK));
    assert_int_equal(sum_quality(SUM_NONE, SCOPE_TASK), QUALITY_OFFLINE);
}

static void large_counters_keep_their_difference(void **state)
{
    struct reading earlier = {UINT64_MAX - 10, 1, 1}, later = {UINT64_MAX - 3, 2, 2};

    (void)state;
    assert_near(reading_difference(earlier, later).raw, 7);
}

static void stretches_add_up_raw_and_are_scaled_together(void **state)
{
    struct sum total = SUM_NONE;

    (void)state;
    sum_add(&total, sum(100, 1000, 1000));
    sum_add(&total, sum(50, 1000, 250));
    sum_add(&total, SUM_NONE);
    // Σraw · Σenabled / Σrunning, not 100 + 200.
    assert_near(total.raw, 150);
    assert_near(sum_count(total, SCOPE_CPU), 150 * 2000 / 1250.0);
    assert_int_equal(sum_quality(total, SCOPE_CPU), QUALITY_SCALED);
}

static void no_stretch_with_a_value_has_no_sum(void **state)
{
    struct sum total = SUM_NONE;

    (void)state;
    sum_add(&total, SUM_NONE);
    assert_nan(total.raw);
}

static void places_are_scaled_one_by_one(void **state)
{
    struct sum total = SUM_NONE;

    (void)state;
    // Busy, always on; and one that ran a tenth: 1000 + 50, not (1000 + 5) · 2 / 1.1.
    sum_add_place(&total, sum(1000, 1000, 1000), SCOPE_CPU);
    sum_add_place(&total, sum(5, 1000, 100), SCOPE_CPU);
    assert_near(sum_count(total, SCOPE_CPU), 1050);
    assert_int_equal(sum_quality(total, SCOPE_CPU), QUALITY_SCALED);
    assert_near(sum_running_percent(total, SCOPE_CPU), 55);
    sum_add_place(&total, sum(20, 1000, 500), SCOPE_CPU);
    assert_near(sum_count(total, SCOPE_CPU), 1090);
    assert_near(total.enabled, 3000);
    assert_near(total.running, 1600);
}

static void a_total_of_exact_places_is_exact(void **state)
{
    struct sum total = SUM_NONE;

    (void)state;
    sum_add_place(&total, sum(123456789, 1000, 1000), SCOPE_CPU);
    sum_add_place(&total, sum(987654321, 1001, 1001), SCOPE_CPU);
    assert_true(sum_count(total, SCOPE_CPU) == 1111111110);
    assert_int_equal(sum_quality(total, SCOPE_CPU), QUALITY_EXACT);
}

static void a_place_that_never_ran_leaves_the_total_without_value(void **state)
{
    const struct sum ran = sum(1000, 1000, 1000), never = sum(0, 1000, 0);
    const struct sum orders[3][3] = {{never, ran, ran}, {ran, never, ran}, {ran, ran, never}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct sum total = SUM_NONE;

        for (size_t k = 0; k < 3; k++)
            sum_add_place(&total, orders[i][k], SCOPE_CPU);
        assert_nan(sum_count(total, SCOPE_CPU));
        assert_int_equal(sum_quality(total, SCOPE_CPU), QUALITY_NEVER_RAN);
    }
}

static void an_offline_place_is_left_out(void **state)
{
    struct sum total = SUM_NONE;

    (void)state;
    sum_add_place(&total, SUM_NONE, SCOPE_CPU);
    assert_nan(total.raw);
    sum_add_place(&total, sum(0, 0, 0), SCOPE_CPU);
    assert_nan(total.raw);
    sum_add_place(&total, sum(10, 1000, 1000), SCOPE_CPU);
    sum_add_place(&total, SUM_NONE, SCOPE_CPU);
    assert_near(sum_count(total, SCOPE_CPU), 10);
    assert_near(total.enabled, 1000);
    assert_int_equal(sum_quality(total, SCOPE_CPU), QUALITY_EXACT);
}

static void a_task_that_was_not_on_a_cpu_adds_nothing(void **state)
{
    struct sum total = SUM_NONE;

    (void)state;
    sum_add_place(&total, sum(0, 0, 0), SCOPE_TASK);
    sum_add_place(&total, sum(0, 0, 0), SCOPE_TASK);
    assert_true(sum_count(total, SCOPE_TASK) == 0);
    assert_int_equal(sum_quality(total, SCOPE_TASK), QUALITY_EXACT);
    sum_add_place(&total, sum(10, 1000, 500), SCOPE_TASK);
    sum_add_place(&total, sum(0, 0, 0), SCOPE_TASK);
    assert_near(sum_count(total, SCOPE_TASK), 20);
    assert_near(sum_running_percent(total, SCOPE_TASK), 50);
}

static void a_task_without_a_turn_does_not_take_the_others_away(void **state)
{
    // A thread that worked for 10 ns, less than a turn; the others are seen half of their 990.
    const struct sum ran = sum(300, 600, 300), too = sum(195, 390, 195), brief = sum(0, 10, 0);
    const struct sum orders[3][3] = {{brief, ran, too}, {ran, brief, too}, {ran, too, brief}};
    struct sum never = SUM_NONE;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct sum total = SUM_NONE;

        for (size_t k = 0; k < 3; k++)
            sum_add_place(&total, orders[i][k], SCOPE_TASK);
        assert_near(sum_count(total, SCOPE_TASK), 1000);
        assert_int_equal(sum_quality(total, SCOPE_TASK), QUALITY_SCALED);
        assert_near(total.enabled, 1000);
    }
    // Where none had one, there is no value.
    sum_add_place(&never, sum(0, 0, 0), SCOPE_TASK);
    sum_add_place(&never, brief, SCOPE_TASK);
    sum_add_place(&never, sum(0, 0, 0), SCOPE_TASK);
    assert_int_equal(sum_quality(never, SCOPE_TASK), QUALITY_NEVER_RAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interval_is_scaled_by_its_own_times),
        cmocka_unit_test(what_ran_all_the_time_is_exact),
        cmocka_unit_test(never_ran_is_not_zero),
        cmocka_unit_test(not_enabled_is_offline_for_a_cpu_and_a_true_zero_for_a_task),
        cmocka_unit_test(what_goes_backwards_has_no_value),
        cmocka_unit_test(large_counters_keep_their_difference),
        cmocka_unit_test(stretches_add_up_raw_and_are_scaled_together),
        cmocka_unit_test(no_stretch_with_a_value_has_no_sum),
        cmocka_unit_test(places_are_scaled_one_by_one),
        cmocka_unit_test(a_total_of_exact_places_is_exact),
        cmocka_unit_test(a_place_that_never_ran_leaves_the_total_without_value),
        cmocka_unit_test(an_offline_place_is_left_out),
        cmocka_unit_test(a_task_that_was_not_on_a_cpu_adds_nothing),
        cmocka_unit_test(a_task_without_a_turn_does_not_take_the_others_away),
    };

    return cmocka_run_group_tests_name("reading", tests, NULL, NULL);
}
