// SPDX-License-Identifier: Apache-2.0
// Samples as a series: in order whatever order they come in, none lost, none invented.
#include "history/sampled.h"

#include <linux/perf_event.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS       NS_PER_MS
#define BEGIN    (1000 * NS_PER_SEC)
#define ROWS_MAX 100 // that are looked at

static struct event events[] = {
    {.type = PERF_TYPE_HARDWARE, .name = "cycles"},
    {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK, .name = "cpu-clock"},
    {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_DUMMY, .name = "dummy:HG"},
};
static struct sample_format formats[] = {
    {.sampling = true, .has_period = true}, {.sampling = true}, {.sampling = true, .period = 1}};
static const int cpus[] = {0, 2};
static const struct stream_head head = {
    .events = events, .formats = formats, .n_events = 3, .cpus = cpus, .n_cpus = 2};

static struct {
    ns_t end;
    double samples, estimated, on_cpu_2, on_cpu_1;
} rows[ROWS_MAX];
static size_t n_rows; // also of those that are not kept
static double given;  // samples
static struct event_table table;
static struct sampled *sampled;

static void on_interval(void *context, ns_t end_ns, const struct sum *sums)
{
    (void)context;
    given += sums[0].raw;
    if (n_rows >= ROWS_MAX) {
        n_rows++;
        return;
    }
    rows[n_rows].end = end_ns;
    rows[n_rows].samples = sums[0].raw;
    rows[n_rows].estimated = sums[1].raw;
    rows[n_rows].on_cpu_1 = sums[2 * table.n].raw;
    rows[n_rows++].on_cpu_2 = sums[3 * table.n].raw;
}

static int set_up(void **state)
{
    (void)state;
    n_rows = 0;
    given = 0;
    assert_int_equal(sampled_new(&head, BEGIN, 4, &table, on_interval, NULL, &sampled), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sampled_free(sampled);
    event_table_done(&table);
    table = (struct event_table){0};
    return 0;
}

static bool take(ns_t time, int cpu, uint64_t period)
{
    const struct sample s = {.time = (uint64_t)(BEGIN + time), .cpu = cpu, .period = period};

    return sampled_take(sampled, 0, &s);
}

static void columns_are_named_for_what_they_are(void **state)
{
    (void)state;
    assert_true(sampled_is(&head));
    assert_int_equal(table.n, 3); // the dummy has none, cpu-clock's periods were not recorded
    assert_string_equal(table.events[0].column, "cycles_samples");
    assert_string_equal(table.events[1].column, "cycles_estimated");
    assert_string_equal(table.events[2].column, "cpu_clock_samples");
}

// A ring after the other, as perf drains them.
static void cpus_that_come_one_after_the_other_are_put_in_order(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++)
        assert_true(take(i * 20 * MS + 1, 0, 10));
    for (int i = 0; i < 50; i++)
        assert_true(take(i * 20 * MS + 2, 2, 100));
    sampled_drained(sampled);
    assert_int_equal(n_rows, 0); // the next round may still be about this time
    assert_true(take(950 * MS, 2, 1));
    sampled_drained(sampled);
    assert_int_equal(n_rows, 9); // all before the newest of the round before
    sampled_end(sampled);
    assert_int_equal(n_rows, 10);
    for (size_t i = 0; i < n_rows; i++) {
        assert_int_equal(rows[i].end, (ns_t)(i + 1) * 100 * MS);
        assert_true(rows[i].samples == (i == 9 ? 11 : 10));
        assert_true(rows[i].estimated == (i == 9 ? 551 : 550));
        assert_true(rows[i].on_cpu_2 == (i == 9 ? 6 : 5));
        assert_true(isnan(rows[i].on_cpu_1)); // no such CPU in the recording
    }
}

static void a_quiet_time_is_0_and_a_long_one_a_gap(void **state)
{
    (void)state;
    take(1, 0, 1);
    take(500 * MS, 0, 1);
    take(200 * NS_PER_SEC, 0, 1);
    sampled_end(sampled);
    assert_int_equal(n_rows, 7);
    for (size_t i = 1; i < 5; i++)
        assert_true(rows[i].samples == 0 && rows[i].on_cpu_2 == 0);
    assert_int_equal(rows[6].end, 200100 * MS);
}

static void what_is_too_late_is_refused(void **state)
{
    (void)state;
    take(1, 0, 1);
    sampled_end(sampled);
    assert_false(take(50 * MS, 0, 1));
    assert_true(take(150 * MS, 0, 1));
    sampled_end(sampled);
    assert_int_equal(n_rows, 2);
}

static void times_that_cannot_be_are_refused(void **state)
{
    const struct sample none = {0}, far = {.time = UINT64_MAX};

    (void)state;
    assert_false(sampled_take(sampled, 0, &none));
    assert_false(sampled_take(sampled, 0, &far));
    sampled_end(sampled);
    assert_int_equal(n_rows, 0);
}

static void samples_from_before_the_begin_are_there(void **state)
{
    (void)state;
    take(-50 * MS, 0, 1);
    take(-150 * MS, 0, 1);
    take(50 * MS, 0, 1);
    sampled_end(sampled);
    assert_int_equal(n_rows, 3);
    assert_int_equal(rows[0].end, -100 * MS);
    assert_int_equal(rows[1].end, 0);
}

// More than may be open at once: the older half is given out, and none is lost.
static void more_than_may_be_open_is_given_out(void **state)
{
    size_t before_the_end;

    (void)state;
    for (int64_t i = 0; i < 150000; i++)
        for (int cpu = 0; cpu < 3; cpu++)
            assert_true(take(i * 100 * MS + cpu, cpu, 1));
    before_the_end = n_rows;
    assert_true(before_the_end > 10000);
    sampled_end(sampled);
    assert_int_equal(n_rows, 150000);
    assert_true(given == 450000);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(columns_are_named_for_what_they_are),
        TEST(cpus_that_come_one_after_the_other_are_put_in_order),
        TEST(a_quiet_time_is_0_and_a_long_one_a_gap),
        TEST(what_is_too_late_is_refused),
        TEST(times_that_cannot_be_are_refused),
        TEST(samples_from_before_the_begin_are_there),
        TEST(more_than_may_be_open_is_given_out),
    };

    return cmocka_run_group_tests_name("sampled", tests, NULL, NULL);
}
