// SPDX-License-Identifier: Apache-2.0
#include "model/grid.h"

#include "unit.h"

#define WALL (INT64_C(1700000000) * NS_PER_SEC)

static void a_late_reading_has_the_time_of_its_grid_point(void **state)
{
    const struct grid g = {.interval = 100 * NS_PER_MS, .reference = 5, .wall = WALL};

    (void)state;
    assert_int_equal(grid_timestamp_ms(&g, 100 * NS_PER_MS, 0), 1700000000100);
    assert_int_equal(grid_timestamp_ms(&g, 100 * NS_PER_MS + 1, 0), 1700000000100);
    assert_int_equal(grid_timestamp_ms(&g, 199 * NS_PER_MS, 0), 1700000000100);
    assert_int_equal(grid_timestamp_ms(&g, 200 * NS_PER_MS, 0), 1700000000200);
}

static void timestamps_increase_strictly(void **state)
{
    const struct grid g = {.interval = 100 * NS_PER_MS, .wall = WALL};

    (void)state;
    assert_int_equal(grid_timestamp_ms(&g, 100 * NS_PER_MS, 1700000000099), 1700000000100);
    assert_int_equal(grid_timestamp_ms(&g, 100 * NS_PER_MS, 1700000000100), 1700000000101);
    assert_int_equal(grid_timestamp_ms(&g, 100 * NS_PER_MS, 1800000000000), 1800000000001);
}

static void without_a_grid_times_are_taken_as_they_are(void **state)
{
    const struct grid g = {.wall = WALL};

    (void)state;
    assert_int_equal(grid_timestamp_ms(&g, 123456789, 0), 1700000000123);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_reading_has_the_time_of_its_grid_point),
        cmocka_unit_test(timestamps_increase_strictly),
        cmocka_unit_test(without_a_grid_times_are_taken_as_they_are),
    };

    return cmocka_run_group_tests_name("grid", tests, NULL, NULL);
}
