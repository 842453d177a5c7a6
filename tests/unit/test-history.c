// SPDX-License-Identifier: Apache-2.0
#include "history/history.h"

#include "unit.h"

#define MS 1e6 // ns

enum { CYCLES, INSTRUCTIONS, FAULTS, GAUGE, N_EVENTS };

static struct event table[N_EVENTS] = {
    [CYCLES] = {.name = "cycles", .column = "cycles", .group = 0},
    [INSTRUCTIONS] = {.name = "instructions", .column = "instructions", .group = 0},
    [FAULTS] = {.name = "minor-faults", .column = "minor_faults", .group = 1},
    [GAUGE] = {.name = "cpu-user", .column = "cpu_user", .kind = EVENT_GAUGE, .group = 2},
};
static const struct event_table events = {.events = table, .n = N_EVENTS, .n_groups = 3};

static struct sum sum(double raw, double enabled, double running)
{
    return (struct sum){.raw = raw, .enabled = enabled, .running = running};
}

static struct history *new_history(size_t rows)
{
    struct history *h;

    assert_int_equal(history_new(&events, 1, SCOPE_CPU, rows, SIZE_MAX, &h), 0);
    return h;
}

static void push(struct history *h, int64_t timestamp, struct sum group, double instructions,
                 double gauge)
{
    struct sum sums[N_EVENTS] = {
        [CYCLES] = group,
        [INSTRUCTIONS] = sum(instructions, group.enabled, group.running),
        [FAULTS] = sum(1, 100 * MS, 100 * MS),
        [GAUGE] = {.raw = gauge},
    };
    struct interval interval = {.timestamp_ms = timestamp, .seconds = 0.1, .sums = sums};

    history_push(h, &interval);
}

static void push_plain(struct history *h, int64_t timestamp, double cycles)
{
    push(h, timestamp, sum(cycles, 100 * MS, 100 * MS), cycles / 2, NAN);
}

static void an_empty_ring_holds_nothing(void **state)
{
    struct history *h = new_history(100);

    (void)state;
    assert_int_equal(history_first(h), 1);
    assert_int_equal(history_last(h), 0);
    assert_int_equal(history_at_or_after(h, 0), 1);
    history_free(h);
    history_free(NULL);
}

static void the_ring_wraps_and_keeps_the_newest(void **state)
{
    struct history *h = new_history(20);

    (void)state;
    assert_int_equal(history_capacity(h), 20);
    for (int i = 1; i <= 20; i++)
        push_plain(h, 1000 * i, i);
    assert_int_equal(history_first(h), 1);
    for (int i = 21; i <= 53; i++)
        push_plain(h, 1000 * i, i);
    assert_int_equal(history_first(h), 34);
    assert_int_equal(history_last(h), 53);
    for (uint64_t s = 34; s <= 53; s++) {
        assert_int_equal(history_timestamp(h, s), (int64_t)s * 1000);
        assert_near(history_sum(h, s, s, 0, CYCLES).raw, (double)s);
        assert_near(history_seconds(h, s), 0.1);
    }
    history_free(h);
}

static void timestamps_increase_strictly(void **state)
{
    static const int64_t given[] = {5000, 5000, 4000, 5002, 6000};
    static const int64_t kept[] = {5000, 5001, 5002, 5003, 6000};
    struct history *h = new_history(20);

    (void)state;
    for (size_t i = 0; i < 5; i++)
        push_plain(h, given[i], 1);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(history_timestamp(h, i + 1), kept[i]);
    history_free(h);
}

static void at_or_after_finds_the_row(void **state)
{
    struct history *h = new_history(16);

    (void)state;
    for (int i = 1; i <= 40; i++)
        push_plain(h, 100 * i, i);
    assert_int_equal(history_first(h), 25);
    assert_int_equal(history_at_or_after(h, INT64_MIN), 25);
    assert_int_equal(history_at_or_after(h, 100), 25);
    assert_int_equal(history_at_or_after(h, 2500), 25);
    assert_int_equal(history_at_or_after(h, 2501), 26);
    assert_int_equal(history_at_or_after(h, 3300), 33);
    assert_int_equal(history_at_or_after(h, 4000), 40);
    assert_int_equal(history_at_or_after(h, 4001), 41);
    assert_int_equal(history_at_or_after(h, INT64_MAX), 41);
    history_free(h);
}

static void memory_bounds_the_rows(void **state)
{
    struct history *h;
    size_t few;

    (void)state;
    assert_int_equal(history_new(&events, 3, SCOPE_CPU, HISTORY_ROWS_MAX, 1 << 20, &h), 0);
    few = history_capacity(h);
    assert_true(history_memory(h) <= 1 << 20);
    assert_true(few > 1000 && few < HISTORY_ROWS_MAX);
    assert_int_equal(history_slots(h), 3);
    history_free(h);
    assert_int_equal(history_new(&events, 3, SCOPE_CPU, 500, 1 << 20, &h), 0);
    assert_int_equal(history_capacity(h), 500);
    history_free(h);
    assert_int_equal(history_new(&events, 3, SCOPE_CPU, 0, 0, &h), 0);
    assert_int_equal(history_capacity(h), 16);
    history_free(h);
}

static void no_slots_or_no_events_is_refused(void **state)
{
    const struct event_table none = {0};
    struct history *h = NULL;

    (void)state;
    assert_int_equal(history_new(&events, 0, SCOPE_CPU, 100, SIZE_MAX, &h), -EINVAL);
    assert_int_equal(history_new(&none, 1, SCOPE_CPU, 100, SIZE_MAX, &h), -EINVAL);
    assert_null(h);
}

static void a_span_is_scaled_by_its_summed_times(void **state)
{
    struct history *h = new_history(20);
    struct sum s;

    (void)state;
    push(h, 100, sum(100, 100 * MS, 100 * MS), 1, NAN);
    push(h, 200, sum(50, 100 * MS, 25 * MS), 1, NAN);
    push(h, 300, sum(30, 100 * MS, 75 * MS), 1, NAN);
    s = history_sum(h, 1, 3, 0, CYCLES);
    assert_near(s.raw, 180);
    assert_near(sum_count(s, SCOPE_CPU), 180 * 300 / 200.0);
    s = history_sum(h, 2, 2, 0, CYCLES);
    assert_near(sum_count(s, SCOPE_CPU), 200);
    history_free(h);
}

static void intervals_that_never_ran_are_left_out_of_a_span(void **state)
{
    struct history *h = new_history(20);
    struct sum s;

    (void)state;
    push(h, 100, sum(100, 100 * MS, 50 * MS), 1, NAN);
    push(h, 200, sum(0, 100 * MS, 0), 0, NAN);
    push(h, 300, sum(40, 100 * MS, 50 * MS), 1, NAN);
    s = history_sum(h, 1, 3, 0, CYCLES);
    assert_near(s.enabled, 200 * MS);
    assert_near(sum_count(s, SCOPE_CPU), 280);
    // By itself such an interval has no value, and says why.
    s = history_sum(h, 2, 2, 0, CYCLES);
    assert_nan(sum_count(s, SCOPE_CPU));
    assert_int_equal(sum_quality(s, SCOPE_CPU), QUALITY_NEVER_RAN);
    history_free(h);
}

static void intervals_without_a_reading_are_left_out_of_a_span(void **state)
{
    struct history *h = new_history(20);
    struct sum s;

    (void)state;
    push(h, 100, sum(100, 100 * MS, 100 * MS), 1, NAN);
    push(h, 200, SUM_NONE, NAN, NAN);
    push(h, 300, sum(40, 100 * MS, 100 * MS), 1, NAN);
    assert_near(sum_count(history_sum(h, 1, 3, 0, CYCLES), SCOPE_CPU), 140);
    s = history_sum(h, 2, 2, 0, CYCLES);
    assert_nan(sum_count(s, SCOPE_CPU));
    assert_int_equal(sum_quality(s, SCOPE_CPU), QUALITY_OFFLINE);
    history_free(h);
}

static void gauges_increase_across_intervals_that_did_not_read_them(void **state)
{
    struct history *h = new_history(20);

    (void)state;
    push(h, 100, sum(1, MS, MS), 1, 1000);
    push(h, 200, sum(1, MS, MS), 1, NAN);
    push(h, 300, sum(1, MS, MS), 1, 1030);
    push(h, 400, sum(1, MS, MS), 1, NAN);
    push(h, 500, sum(1, MS, MS), 1, 1090);
    // What was before the first is not known.
    assert_nan(history_sum(h, 1, 1, 0, GAUGE).raw);
    assert_nan(history_sum(h, 1, 5, 0, GAUGE).raw);
    assert_nan(history_sum(h, 2, 2, 0, GAUGE).raw);
    assert_near(history_sum(h, 3, 3, 0, GAUGE).raw, 30);
    assert_near(history_sum(h, 2, 3, 0, GAUGE).raw, 30);
    assert_near(history_sum(h, 2, 5, 0, GAUGE).raw, 90);
    assert_near(history_sum(h, 4, 5, 0, GAUGE).raw, 60);
    assert_near(history_sum(h, 3, 4, 0, GAUGE).raw, 30);
    history_free(h);
}

static void a_gauge_that_falls_has_no_value(void **state)
{
    struct history *h = new_history(20);

    (void)state;
    push(h, 100, sum(1, MS, MS), 1, 1000);
    push(h, 200, sum(1, MS, MS), 1, 900);
    push(h, 300, sum(1, MS, MS), 1, 900);
    assert_nan(history_sum(h, 2, 2, 0, GAUGE).raw);
    assert_true(history_sum(h, 3, 3, 0, GAUGE).raw == 0);
    history_free(h);
}

static void gauges_do_not_reach_behind_the_oldest_row(void **state)
{
    struct history *h = new_history(16);

    (void)state;
    for (int i = 1; i <= 40; i++)
        push(h, 100 * i, sum(1, MS, MS), 1, 10 * i);
    assert_int_equal(history_first(h), 25);
    assert_nan(history_sum(h, 25, 30, 0, GAUGE).raw);
    assert_nan(history_sum(h, 25, 40, 0, GAUGE).raw);
    assert_near(history_sum(h, 26, 40, 0, GAUGE).raw, 150);
    history_free(h);
}

static void members_of_a_group_share_their_times_and_groups_do_not(void **state)
{
    struct history *h = new_history(20);

    (void)state;
    push(h, 100, sum(100, 100 * MS, 50 * MS), 10, NAN);
    assert_near(sum_count(history_sum(h, 1, 1, 0, INSTRUCTIONS), SCOPE_CPU), 20);
    assert_near(sum_count(history_sum(h, 1, 1, 0, FAULTS), SCOPE_CPU), 1);
    history_free(h);
}

static void a_member_without_a_reading_leaves_the_groups_times(void **state)
{
    struct history *h = new_history(20);

    (void)state;
    push(h, 100, sum(100, 100 * MS, 50 * MS), 10, NAN);
    for (int which = CYCLES; which <= INSTRUCTIONS; which++) {
        struct sum sums[N_EVENTS] = {
            [CYCLES] = sum(100, 100 * MS, 50 * MS),
            [INSTRUCTIONS] = sum(10, 100 * MS, 50 * MS),
            [FAULTS] = SUM_NONE,
            [GAUGE] = SUM_NONE,
        };
        uint64_t row = (uint64_t)which + 2;

        sums[which] = SUM_NONE; // its value went backwards
        history_push(h, &(struct interval){.timestamp_ms = 200, .seconds = 0.1, .sums = sums});
        assert_nan(sum_count(history_sum(h, row, row, 0, (size_t)which), SCOPE_CPU));
        assert_near(sum_count(history_sum(h, row, row, 0, 1 - (size_t)which), SCOPE_CPU),
                    which == CYCLES ? 20 : 200);
    }
    history_free(h);
}

static void a_reused_row_keeps_no_times_of_its_predecessor(void **state)
{
    struct history *h = new_history(16);

    (void)state;
    for (int i = 1; i <= 16; i++)
        push(h, 100 * i, sum(100, 100 * MS, 50 * MS), 10, NAN);
    push(h, 1700, SUM_NONE, NAN, NAN);
    assert_near(history_sum(h, 17, 17, 0, CYCLES).enabled, 0);
    assert_int_equal(sum_quality(history_sum(h, 17, 17, 0, CYCLES), SCOPE_CPU), QUALITY_OFFLINE);
    history_free(h);
}

static void slots_are_kept_apart(void **state)
{
    struct history *h;
    struct sum sums[3 * N_EVENTS];

    (void)state;
    assert_int_equal(history_new(&events, 3, SCOPE_CPU, 20, SIZE_MAX, &h), 0);
    for (int row = 0; row < 2; row++) {
        for (size_t i = 0; i < 3 * N_EVENTS; i++)
            sums[i] = sum(100 * row + (double)i, 100 * MS, 100 * MS);
        history_push(h, &(struct interval){.timestamp_ms = row, .seconds = 0.1, .sums = sums});
    }
    for (size_t slot = 0; slot < 3; slot++)
        for (size_t e = 0; e < GAUGE; e++) {
            assert_near(history_sum(h, 1, 1, slot, e).raw, (double)(slot * N_EVENTS + e));
            assert_near(history_sum(h, 2, 2, slot, e).raw, 100 + (double)(slot * N_EVENTS + e));
        }
    history_free(h);
}

// A total takes one column, what was not opened none, and gauges have no times.
static void what_has_no_value_takes_no_memory(void **state)
{
    struct event list[] = {
        {.column = "faults", .group = 0},
        {.column = "cycles", .group = 1, .availability = QUALITY_NOT_SUPPORTED},
        {.column = "psi", .kind = EVENT_GAUGE, .group = 2, .total_only = true},
        {.column = "user", .kind = EVENT_GAUGE, .group = 2},
    };
    const struct event_table t = {.events = list, .n = 4, .n_groups = 3};
    struct sum sums[3][4];
    struct history *h;

    (void)state;
    assert_int_equal(history_new(&t, 3, SCOPE_CPU, 100, SIZE_MAX, &h), 0);
    assert_int_equal(history_memory(h), 100 * (16 + 3 * 8 + 3 * 8 + 8 + 3 * 8));
    for (int i = 0; i < 2; i++) {
        for (size_t slot = 0; slot < 3; slot++)
            for (size_t e = 0; e < 4; e++)
                sums[slot][e] = sum(100 * (i + 1) + 10 * (double)slot + (double)e, MS, MS);
        history_push(h, &(struct interval){1000 + i, 0.1, &sums[0][0]});
    }
    assert_near(history_sum(h, 2, 2, 1, 0).raw, 210);
    assert_nan(history_sum(h, 2, 2, 0, 1).raw);
    assert_near(history_sum(h, 2, 2, 0, 2).raw, 100);
    assert_nan(history_sum(h, 2, 2, 1, 2).raw);
    assert_near(history_sum(h, 2, 2, 2, 3).raw, 100);
    history_free(h);
}

// Rates of gauges divide by the time between the two readings, not by that of the rows asked for.
static void the_time_between_a_gauges_readings_is_known(void **state)
{
    struct history *h = new_history(100);

    (void)state;
    for (int i = 1; i <= 9; i++)
        push(h, i, sum(1, MS, MS), 1, i == 2 || i == 6 || i == 8 ? i : NAN);
    assert_near(history_gauge_seconds(h, 6, 6, 0, GAUGE), 0.4);
    assert_near(history_gauge_seconds(h, 5, 9, 0, GAUGE), 0.6);
    assert_near(history_gauge_seconds(h, 3, 7, 0, GAUGE), 0.4);
    assert_nan(history_gauge_seconds(h, 7, 7, 0, GAUGE));
    assert_nan(history_gauge_seconds(h, 1, 9, 0, GAUGE));
    history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_ring_holds_nothing),
        cmocka_unit_test(the_ring_wraps_and_keeps_the_newest),
        cmocka_unit_test(timestamps_increase_strictly),
        cmocka_unit_test(at_or_after_finds_the_row),
        cmocka_unit_test(memory_bounds_the_rows),
        cmocka_unit_test(what_has_no_value_takes_no_memory),
        cmocka_unit_test(the_time_between_a_gauges_readings_is_known),
        cmocka_unit_test(no_slots_or_no_events_is_refused),
        cmocka_unit_test(a_span_is_scaled_by_its_summed_times),
        cmocka_unit_test(intervals_that_never_ran_are_left_out_of_a_span),
        cmocka_unit_test(intervals_without_a_reading_are_left_out_of_a_span),
        cmocka_unit_test(gauges_increase_across_intervals_that_did_not_read_them),
        cmocka_unit_test(a_gauge_that_falls_has_no_value),
        cmocka_unit_test(gauges_do_not_reach_behind_the_oldest_row),
        cmocka_unit_test(members_of_a_group_share_their_times_and_groups_do_not),
        cmocka_unit_test(a_member_without_a_reading_leaves_the_groups_times),
        cmocka_unit_test(a_reused_row_keeps_no_times_of_its_predecessor),
        cmocka_unit_test(slots_are_kept_apart),
    };

    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
