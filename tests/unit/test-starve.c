// SPDX-License-Identifier: Apache-2.0
#include "collect/starve.h"

#include "unit.h"

#define ROWS 2

static struct event_table events;
static struct readings readings;
static struct group groups[2] = {{.events = {0, 1}, .n = 2}, {.events = {2}, .n = 1}};
static struct group_set set = {.groups = groups, .n = 2};
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
    return starve_init(&starve, &set, ROWS);
}

static int tear_down(void **state)
{
    (void)state;
    starve_done(&starve);
    readings_done(&readings);
    event_table_done(&events);
    return 0;
}

// A second in which groups 0 and 1 were enabled, and ran for that share of it on CPU 1 (on CPU 0
// always).
static bool second(double first, double other)
{
    for (size_t e = 0; e < 3; e++)
        for (size_t row = 0; row < ROWS; row++) {
            double share = row == 0 ? 1 : e == 2 ? other : first;

            cells[e][row].enabled += (uint64_t)NS_PER_SEC;
            cells[e][row].running += (uint64_t)(share * (double)NS_PER_SEC);
            readings_set(&readings, e, row, cells[e][row]);
        }
    now += NS_PER_SEC;
    return starve_look(&starve, &set, &readings, now);
}

static void one_that_runs_a_little_does_not_starve(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        assert_false(second(i % 3 ? 0 : 0.01, 1));
}

static void a_group_that_stops_is_told_once_and_so_is_its_return(void **state)
{
    char text[512];
    int told = 0;

    (void)state;
    for (int i = 0; i < 7; i++)
        assert_false(second(0.5, 1));
    for (int i = 0; i < 12; i++)
        told += second(0, 1);
    assert_int_equal(told, 1);
    assert_true(starve.starved[0]);
    assert_false(starve.starved[1]);
    starve_sentence(&starve, &set, &events, text, sizeof(text));
    assert_true(strncmp(text, "cycles, instructions: ", 22) == 0);
    for (int i = 0; i < 12; i++)
        told += second(0.5, 1);
    assert_int_equal(told, 2);
    starve_sentence(&starve, &set, &events, text, sizeof(text));
    assert_string_equal(text, "all events have counters again");
}

static void an_interval_without_running_says_never_ran(void **state)
{
    struct sum sums[3];

    (void)state;
    second(1, 1);
    readings_advance(&readings);
    second(0, 1);
    readings_sums(&readings, 1, sums);
    assert_int_equal(sum_quality(sums[0], SCOPE_CPU), QUALITY_NEVER_RAN);
    assert_nan(sum_count(sums[0], SCOPE_CPU));
    assert_int_equal(sum_quality(sums[2], SCOPE_CPU), QUALITY_EXACT);
}

static void a_cpu_that_is_offline_or_a_task_that_sleeps_does_not_starve(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        now += NS_PER_SEC;
        cells[0][0].enabled += (uint64_t)NS_PER_SEC / 10;
        readings_set(&readings, 0, 0, cells[0][0]);
        assert_false(starve_look(&starve, &set, &readings, now));
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_that_runs_a_little_does_not_starve),
        TEST(a_group_that_stops_is_told_once_and_so_is_its_return),
        TEST(an_interval_without_running_says_never_ran),
        TEST(a_cpu_that_is_offline_or_a_task_that_sleeps_does_not_starve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
