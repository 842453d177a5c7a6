// SPDX-License-Identifier: Apache-2.0
#include "output/csv.h"

#include "unit.h"

#include <linux/perf_event.h>

enum { MISSES, CYCLES, INSTRUCTIONS, FAULTS, USER, TRACE, N_EVENTS };

static struct event table[N_EVENTS] = {
    [MISSES] = {.column = "cache_misses", .type = PERF_TYPE_HARDWARE, .group = 1},
    [CYCLES] = {.column = "cycles", .type = PERF_TYPE_HARDWARE, .group = 0},
    [INSTRUCTIONS] = {.column = "instructions", .type = PERF_TYPE_HARDWARE, .group = 0},
    [FAULTS] = {.column = "minor_faults", .type = PERF_TYPE_SOFTWARE, .group = 2},
    [USER] = {.column = "cpu_user", .kind = EVENT_GAUGE, .group = 3},
    [TRACE] = {.column = "sched_switch", .type = PERF_TYPE_TRACEPOINT, .group = 4},
};
static const struct event_table events = {.events = table, .n = N_EVENTS, .n_groups = 5};

static struct sum sum(double raw, double enabled, double running)
{
    return (struct sum){.raw = raw, .enabled = enabled, .running = running};
}

static void fill(struct sum totals[N_EVENTS])
{
    totals[MISSES] = sum(12, 1000, 1000);
    totals[CYCLES] = sum(3000, 1000, 1000);
    totals[INSTRUCTIONS] = sum(2000, 1000, 1000);
    totals[FAULTS] = sum(5, 1000, 1000);
    totals[USER] = (struct sum){.raw = 70000000};
    totals[TRACE] = sum(9, 1000, 1000);
}

static void check_row(const struct sum *totals, enum reading_scope scope, const char *expected)
{
    struct csv_layout l;
    struct buf b = {0};

    assert_int_equal(csv_layout_init(&l, &events, scope), 0);
    csv_row(&l, 1700000000123, totals, &b);
    assert_buf(&b, expected);
    assert_true(b.size <= l.row_max);
    buf_done(&b);
    csv_layout_done(&l);
}

static void what_has_a_scale_is_in_its_unit(void **state)
{
    struct event joules[] = {{.column = "power_energy_pkg_", .type = 12, .scale = 0.25}};
    const struct event_table one = {.events = joules, .n = 1, .n_groups = 1};
    struct sum totals[] = {sum(33, 1000, 1000)};
    struct csv_layout l;
    struct buf b = {0};

    (void)state;
    assert_int_equal(csv_layout_init(&l, &one, SCOPE_CPU), 0);
    csv_row(&l, 1, totals, &b);
    assert_buf(&b, "1,,,,,,8.25,100\n");
    buf_done(&b);
    csv_layout_done(&l);
}

static void the_header_has_the_fixed_columns_first(void **state)
{
    struct csv_layout l;
    struct buf b = {0};

    (void)state;
    assert_int_equal(csv_layout_init(&l, &events, SCOPE_CPU), 0);
    csv_header(&l, &b);
    assert_buf(&b, "timestamp,cycles,instructions,cache_misses,branch_misses,cpi,"
                   "minor_faults,cpu_user,sched_switch,"
                   "cache_misses_running,cycles_running,instructions_running\n");
    buf_done(&b);
    csv_layout_done(&l);
    csv_layout_done(&l);
}

static void without_events_the_fixed_columns_are_still_there(void **state)
{
    static const struct event_table none = {0};
    struct csv_layout l;
    struct buf b = {0};

    (void)state;
    assert_int_equal(csv_layout_init(&l, &none, SCOPE_CPU), 0);
    csv_header(&l, &b);
    csv_row(&l, 5, NULL, &b);
    assert_buf(&b, "timestamp,cycles,instructions,cache_misses,branch_misses,cpi\n5,,,,,\n");
    buf_done(&b);
    csv_layout_done(&l);
}

static void a_row_has_counts_and_their_ratio(void **state)
{
    struct sum totals[N_EVENTS];

    (void)state;
    fill(totals);
    check_row(totals, SCOPE_CPU, "1700000000123,3000,2000,12,,1.5,5,70000000,9,100,100,100\n");
}

static void multiplexed_counts_are_scaled_and_say_their_percent(void **state)
{
    struct sum totals[N_EVENTS];

    (void)state;
    fill(totals);
    totals[CYCLES] = sum(300, 1000, 400);
    totals[INSTRUCTIONS] = sum(100, 1000, 400);
    totals[MISSES] = sum(1, 3000, 1000);
    check_row(totals, SCOPE_CPU, "1700000000123,750,250,3,,3,5,70000000,9,33,40,40\n");
}

static void what_has_no_value_is_an_empty_field(void **state)
{
    struct sum totals[N_EVENTS];

    (void)state;
    fill(totals);
    totals[CYCLES] = sum(0, 1000, 0);          // never ran
    totals[INSTRUCTIONS] = sum(0, 1000, 1000); // counted nothing
    totals[MISSES] = SUM_NONE;                 // not there
    totals[USER] = SUM_NONE;
    check_row(totals, SCOPE_CPU, "1700000000123,,0,,,,5,,9,,,100\n");
    for (size_t i = 0; i < N_EVENTS; i++)
        totals[i] = SUM_NONE;
    check_row(totals, SCOPE_CPU, "1700000000123,,,,,,,,,,,\n");
}

static void a_task_that_did_not_run_counted_zero(void **state)
{
    struct sum totals[N_EVENTS];

    (void)state;
    for (size_t i = 0; i < N_EVENTS; i++)
        totals[i] = sum(0, 0, 0);
    check_row(totals, SCOPE_TASK, "1700000000123,0,0,0,,,0,0,0,100,100,100\n");
    check_row(totals, SCOPE_CPU, "1700000000123,,,,,,,0,,,,\n");
}

static void cpi_over_two_groups_needs_both_to_run_all_the_time(void **state)
{
    struct sum totals[N_EVENTS];

    (void)state;
    fill(totals);
    table[INSTRUCTIONS].group = 7;
    check_row(totals, SCOPE_CPU, "1700000000123,3000,2000,12,,1.5,5,70000000,9,100,100,100\n");
    totals[CYCLES].running = 500;
    check_row(totals, SCOPE_CPU, "1700000000123,6000,2000,12,,,5,70000000,9,100,50,100\n");
    totals[CYCLES].running = 1000;
    totals[INSTRUCTIONS].running = 500;
    check_row(totals, SCOPE_CPU, "1700000000123,3000,4000,12,,,5,70000000,9,100,100,50\n");
    table[INSTRUCTIONS].group = 0;
}

static void counts_are_whole_however_large(void **state)
{
    struct sum totals[N_EVENTS];

    (void)state;
    fill(totals);
    totals[CYCLES].raw = 123456789012345;
    totals[INSTRUCTIONS].raw = 123456789012345;
    totals[FAULTS] = sum(10, 3000, 1000.4);
    check_row(totals, SCOPE_CPU,
              "1700000000123,123456789012345,123456789012345,12,,1,30,70000000,9,100,100,100\n");
}

static void no_row_is_longer_than_its_bound(void **state)
{
    struct sum totals[N_EVENTS];
    struct csv_layout l;
    struct buf b = {0};

    (void)state;
    assert_int_equal(csv_layout_init(&l, &events, SCOPE_CPU), 0);
    for (int k = 0; k < 60; k++) {
        fill(totals);
        for (size_t i = 0; i < N_EVENTS; i++)
            totals[i].raw = 8.9e18;
        totals[INSTRUCTIONS].raw = pow(10, k - 40);
        buf_clear(&b);
        csv_row(&l, INT64_MIN, totals, &b);
        assert_true(b.size <= l.row_max);
    }
    buf_done(&b);
    csv_layout_done(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_has_the_fixed_columns_first),
        cmocka_unit_test(what_has_a_scale_is_in_its_unit),
        cmocka_unit_test(without_events_the_fixed_columns_are_still_there),
        cmocka_unit_test(a_row_has_counts_and_their_ratio),
        cmocka_unit_test(multiplexed_counts_are_scaled_and_say_their_percent),
        cmocka_unit_test(what_has_no_value_is_an_empty_field),
        cmocka_unit_test(a_task_that_did_not_run_counted_zero),
        cmocka_unit_test(cpi_over_two_groups_needs_both_to_run_all_the_time),
        cmocka_unit_test(counts_are_whole_however_large),
        cmocka_unit_test(no_row_is_longer_than_its_bound),
    };

    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
