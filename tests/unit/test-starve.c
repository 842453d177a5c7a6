// SPDX-License-Identifier: Apache-2.0
#include "collect/starve.h"

#include "unit.h"

#define ROWS 2

static struct event_table events;
static struct readings readings;
static struct starve starve;
static struct reading cells[3][ROWS];
static ns_t now;

static int set_up(void **state)
{
    static const char *const names[] = {"cycles", "instructions", "branches"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct event e = {.group = i == 2};

        snprintf(e.name, sizeof(e.name), "%s", names[i]);
        event_table_add(&events, &e);
    }
    memset(cells, 0, sizeof(cells));
    now = NS_PER_SEC;
    assert_int_equal(readings_init(&readings, &events, ROWS, SCOPE_CPU), 0);
    return starve_init(&starve, &readings, 2);
}

static int tear_down(void **state)
{
    (void)state;
    starve_done(&starve);
    readings_done(&readings);
    event_table_done(&events);
    return 0;
}

// A second in which all were enabled for `enabled` of it, and ran for that share of it on CPU 1 (on
// CPU 0 always).
static void second(double enabled, double first, double other)
{
    for (size_t e = 0; e < 3; e++)
        for (size_t row = 0; row < ROWS; row++) {
            double share = row == 0 ? 1 : e == 2 ? other : first;

            cells[e][row].enabled += (uint64_t)(enabled * (double)NS_PER_SEC);
            cells[e][row].running += (uint64_t)(enabled * share * (double)NS_PER_SEC);
            readings_set(&readings, e, row, cells[e][row]);
        }
    assert_true(starve_look(&starve, &readings, now));
    assert_false(starve_look(&starve, &readings, now + STARVE_AFTER - 1));
    now += NS_PER_SEC;
}

static void one_that_runs_a_little_does_not_starve(void **state)
{
    (void)state;
    second(1, 1, 1);
    for (int i = 0; i < 20; i++) {
        second(1, i % 2 ? 0 : 0.01, 1);
        assert_false(starve.starved[0]);
    }
}

static void one_that_stops_in_one_place_starves_until_it_runs(void **state)
{
    (void)state;
    second(1, 0.5, 1);
    second(1, 0, 1);
    assert_false(starve.starved[0]); // 1 s is not yet longer than a queue of two
    for (int i = 0; i < 3; i++) {
        second(1, 0, 1);
        assert_true(starve.starved[0] && starve.starved[1]);
        assert_false(starve.starved[2]);
    }
    second(1, 0.01, 1);
    assert_false(starve.starved[0]);
}

static void enabled_time_adds_up_however_slowly(void **state)
{
    int looks = 0;

    (void)state;
    // A task that is on a CPU for a tenth of the time.
    while (!starve.starved[0] && looks < 100) {
        second(0.1, 0, 1);
        looks++;
    }
    assert_in_range(looks, 10, 12);
    starve_forgive(&starve, 0);
    assert_false(starve.starved[0]);
    second(0.9, 0, 1);
    assert_false(starve.starved[0]);
    assert_true(starve.starved[1]);
    second(0.9, 0, 1);
    assert_true(starve.starved[0]);
}

static void many_groups_may_wait_longer_for_their_turns(void **state)
{
    struct starve many;

    (void)state;
    assert_int_equal(starve_init(&many, &readings, 1000), 0);
    assert_true(many.after > 1000 * 10 * NS_PER_MS);
    starve_done(&many);
}

static void an_interval_without_running_says_never_ran(void **state)
{
    struct sum sums[3];

    (void)state;
    second(1, 1, 1);
    readings_advance(&readings);
    second(1, 0, 1);
    readings_sums(&readings, 1, sums);
    assert_int_equal(sum_quality(sums[0], SCOPE_CPU), QUALITY_NEVER_RAN);
    assert_nan(sum_count(sums[0], SCOPE_CPU));
    assert_int_equal(sum_quality(sums[2], SCOPE_CPU), QUALITY_EXACT);
}

static void a_cpu_that_is_offline_or_a_task_that_sleeps_does_not_starve(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        second(1, 0, 1);
    assert_true(starve.starved[0]);
    second(0, 0, 1);
    assert_false(starve.starved[0]);
    second(1, 0, 1);
    assert_true(starve.starved[0]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_that_runs_a_little_does_not_starve),
        TEST(one_that_stops_in_one_place_starves_until_it_runs),
        TEST(enabled_time_adds_up_however_slowly),
        TEST(many_groups_may_wait_longer_for_their_turns),
        TEST(an_interval_without_running_says_never_ran),
        TEST(a_cpu_that_is_offline_or_a_task_that_sleeps_does_not_starve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
