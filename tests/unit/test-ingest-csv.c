// SPDX-License-Identifier: Apache-2.0
// Rows of a CSV as intervals: columns, quality, lengths, rotations.
#include "history/ingest_csv.h"

#include "unit.h"

#define T0 1763830000000 // far in the past: rows that were there at the start are not live

static struct session session;
static struct ingest_csv *ingest;

static int set_up(void **state)
{
    static const struct ingest_config config = {.rows = 100, .memory = SIZE_MAX};

    (void)state;
    assert_int_equal(session_init(&session), 0);
    return ingest_csv_new(&session, &config, &ingest);
}

static int tear_down(void **state)
{
    (void)state;
    ingest_csv_free(ingest);
    session_done(&session);
    return 0;
}

static int feed(const char *text)
{
    return ingest_csv_feed(ingest, text, strlen(text));
}

// Rows `from` … `to` of 100 ms, whose cycles are their number.
static void feed_rows(int from, int to)
{
    char row[64];

    for (int i = from; i <= to; i++) {
        snprintf(row, sizeof(row), "%lld,%d\n", T0 + 100LL * i, i);
        feed(row);
    }
}

static struct value value(const char *id, uint64_t from, uint64_t to)
{
    struct column column;

    assert_non_null(session.history);
    if (!history_column(session.history, id, &column))
        fail_msg("there is no column %s", id);
    return history_value(session.history, from, to, 0, &column);
}

static uint64_t last(void)
{
    return session.history ? history_last(session.history) : 0;
}

static void without_memory_for_the_history_it_says_so(void **state)
{
    struct ingest_config config = {.rows = SIZE_MAX, .memory = SIZE_MAX / 2};

    (void)state;
    ingest_csv_free(ingest);
    assert_int_equal(ingest_csv_new(&session, &config, &ingest), 0);
    feed("timestamp,cycles\n");
    assert_int_equal(feed("1763830000100,1\n1763830000200,2\n"), -ENOMEM);
    assert_int_equal(session.state, SESSION_FAILED);
    assert_string_equal(session.reason, strerror(ENOMEM));
}

static void the_first_row_waits_for_the_second(void **state)
{
    (void)state;
    feed("timestamp,cycles\n");
    assert_int_equal(session.state, SESSION_WAITING);
    feed_rows(1, 1);
    assert_null(session.history);
    feed_rows(2, 2);
    assert_int_equal(last(), 2);
    assert_int_equal(history_timestamp(session.history, 1), T0 + 100);
    assert_near(history_seconds(session.history, 1), 0.1);
    assert_near(history_seconds(session.history, 2), 0.1);
    assert_near(value("cycles", 1, 1).value, 1);
    assert_near(value("cycles", 1, 2).value, 3);
    assert_int_equal(session.interval_ms, 100);
    assert_int_equal(session.state, SESSION_LIVE);
}

static void what_the_file_does_not_say_has_no_value(void **state)
{
    (void)state;
    feed("timestamp,cycles,cycles_running,instructions\n");
    feed("1763830000100,10,50,5\n1763830000200,,,6\n1763830000300,x,100,7\n1763830000400,40,0,8\n");
    assert_near(value("cycles", 1, 1).value, 10);
    assert_int_equal(value("cycles", 1, 1).quality, QUALITY_SCALED);
    assert_near(value("cycles", 1, 1).running_percent, 50);
    for (uint64_t i = 2; i <= 4; i++) {
        assert_nan(value("cycles", i, i).value);
        assert_near(value("instructions", i, i).value, (double)i + 4);
    }
    assert_near(value("cycles", 1, 4).value, 10);
    assert_nan(value("cpi", 2, 2).value);
    assert_nan(value("branch_misses", 1, 1).value);
    assert_int_equal(value("branch_misses", 1, 1).quality, QUALITY_NOT_SUPPORTED);
}

static void what_was_not_counted_never_ran(void **state)
{
    (void)state;
    feed("timestamp,cycles,instructions,faults\n1763830000100,,,1\n1763830000200,4,2,\n");
    assert_int_equal(value("cycles", 1, 1).quality, QUALITY_NEVER_RAN);
    assert_int_equal(value("faults", 2, 2).quality, QUALITY_NEVER_RAN);
    assert_nan(value("faults", 2, 2).value);
    assert_near(value("cpi", 1, 2).value, 2);
}

static void cpi_is_a_ratio_of_sums_also_where_it_was_scaled(void **state)
{
    (void)state;
    feed("cpi,timestamp,instructions,cycles,cycles_running,instructions_running\n");
    feed("9,1763830000100,100,400,50,50\n9,1763830000200,300,400,75,80\n9,1763830000300,8,8,100,"
         "100\n");
    assert_near(value("cpi", 1, 1).value, 4);
    assert_near(value("cpi", 2, 2).value, 4.0 / 3);
    assert_near(value("cpi", 2, 2).running_percent, 75); // the worse one's
    assert_near(value("instructions", 2, 2).value, 300);
    assert_near(value("cpi", 3, 3).value, 1);
    assert_int_equal(value("cpi", 3, 3).quality, QUALITY_EXACT);
}

static void a_cpi_without_its_counts_is_a_column_of_its_own(void **state)
{
    (void)state;
    feed("timestamp,cpi,temperature\n1763830000100,1.25,40.5\n1763830000200,1.5,41\n");
    assert_near(value("cpi", 1, 1).value, 1.25);
    assert_near(value("temperature", 2, 2).value, 41);
}

static void gauges_are_added_up(void **state)
{
    (void)state;
    feed("timestamp,psi_cpu_some\n");
    feed("1763830000100,5\n1763830000200,\n1763830000300,7\n1763830000400,11\n1763830001400,0\n");
    assert_near(value("psi_cpu_some", 2, 3).value, 7);
    assert_near(value("psi_cpu_some", 3, 4).value, 18);
    assert_nan(value("psi_cpu_some", 2, 2).value);
    assert_near(value("pressure_cpu_some", 5, 5).value, 0);
}

static void frequency_needs_times_that_a_csv_has_not(void **state)
{
    struct column column;

    (void)state;
    feed("timestamp,cycles\n");
    feed_rows(1, 2);
    assert_false(history_column(session.history, "ghz", &column));
    assert_near(value("cycles_per_second", 2, 2).value, 20);
}

static void columns_that_would_hide_a_samples_keys_are_renamed(void **state)
{
    (void)state;
    feed("timestamp,seconds,a,a,,a_running\n1763830000100,1,2,3,4,100\n1763830000200,1,2,3,4,50\n");
    assert_near(value("csv_seconds", 1, 1).value, 1);
    assert_near(value("a", 2, 2).value, 2);
    assert_int_equal(value("a", 2, 2).quality, QUALITY_SCALED);
    assert_near(value("a_2", 2, 2).value, 3);
    assert_near(value("column", 2, 2).value, 4);
}

static void rows_that_are_known_are_not_taken_again(void **state)
{
    char run[17];

    (void)state;
    feed("timestamp,cycles\n");
    feed_rows(1, 20);
    memcpy(run, session.run, sizeof(run));
    ingest_csv_idle(ingest);
    ingest_csv_restart(ingest); // the ring was rotated: its newer half, and then on
    feed("timestamp,cycles\n");
    feed_rows(11, 20);
    assert_false(ingest_csv_idle(ingest));
    feed_rows(21, 25);
    assert_int_equal(last(), 25);
    for (uint64_t i = 1; i <= 25; i++) {
        assert_int_equal(history_timestamp(session.history, i), T0 + 100 * (int64_t)i);
        assert_near(history_seconds(session.history, i), 0.1);
    }
    assert_string_equal(session.run, run);
}

static void a_pause_is_a_gap_and_not_a_long_interval(void **state)
{
    (void)state;
    feed("timestamp,cycles\n");
    feed_rows(1, 10);
    feed_rows(12, 12); // a missed tick: its row counts two intervals
    feed_rows(32, 32); // 20 of them
    feed_rows(500, 501);
    assert_near(history_seconds(session.history, 11), 0.2);
    assert_near(history_seconds(session.history, 12), 2);
    assert_near(history_seconds(session.history, 13), 0.1);
    assert_int_equal(history_timestamp(session.history, 13), T0 + 50000);
}

static void the_interval_is_the_median_length(void **state)
{
    (void)state;
    feed("timestamp,cycles\n");
    feed_rows(1, 1);
    feed_rows(3, 3);
    assert_int_equal(session.interval_ms, 200);
    feed_rows(4, 40);
    assert_int_equal(session.interval_ms, 100);
}

static void other_columns_are_another_run(void **state)
{
    char run[17];

    (void)state;
    feed("timestamp,cycles\n");
    feed_rows(1, 5);
    memcpy(run, session.run, sizeof(run));
    feed("timestamp,cycles,instructions\n1763830000600,6,3\n1763830000700,7,3\n");
    assert_string_not_equal(session.run, run);
    assert_int_equal(last(), 2);
    assert_near(value("cpi", 1, 1).value, 2);
    assert_near(history_seconds(session.history, 1), 0.1);
}

static void an_old_file_has_ended_and_a_new_row_revives_it(void **state)
{
    (void)state;
    feed("timestamp,cycles\n");
    feed_rows(1, 5);
    ingest_csv_idle(ingest);
    assert_int_equal(session.state, SESSION_ENDED);
    assert_contains(session.reason, "no row for more than");
    feed_rows(6, 6);
    assert_int_equal(session.state, SESSION_LIVE);
    assert_string_equal(session.reason, "");
    assert_null(session_trouble(&session, clock_ns(CLOCK_MONOTONIC)));
}

static bool idle_for(double seconds)
{
    bool again = false;

    for (int i = 0; i < seconds * 20 && !again; i++) {
        again = ingest_csv_idle(ingest);
        usleep(50000);
    }
    return again;
}

static void an_older_file_in_its_place_is_another_run(void **state)
{
    (void)state;
    feed("timestamp,cycles\n");
    feed_rows(100, 110);
    ingest_csv_idle(ingest);
    ingest_csv_restart(ingest);
    feed("timestamp,cycles\n");
    feed_rows(1, 5);
    assert_true(idle_for(20));
    ingest_csv_restart(ingest);
    feed("timestamp,cycles\n");
    feed_rows(1, 5);
    assert_int_equal(last(), 5);
    assert_int_equal(history_timestamp(session.history, 1), T0 + 100);
    assert_false(ingest_csv_idle(ingest));
}

static void a_clock_that_was_set_back_is_followed(void **state)
{
    int row = 1;

    (void)state;
    feed("timestamp,cycles\n");
    feed_rows(100, 110);
    for (int i = 0; i < 200 && last() != 3; i++) {
        assert_false(ingest_csv_idle(ingest));
        feed_rows(row, row);
        row++;
        usleep(50000);
    }
    assert_int_equal(last(), 3);
    assert_true(history_timestamp(session.history, 3) < T0 + 100 * 100);
}

static void a_row_out_of_order_is_left_out(void **state)
{
    (void)state;
    feed("timestamp,cycles\n");
    feed_rows(1, 10);
    feed_rows(4, 5);
    assert_false(idle_for(2.5));
    assert_int_equal(last(), 10);
    feed_rows(11, 11);
    assert_int_equal(last(), 11);
}

static void a_time_far_ahead_is_no_time(void **state)
{
    (void)state;
    feed("timestamp,cycles\n9763830000100,1\n");
    feed_rows(1, 10);
    feed("9763830000100,1\n");
    feed_rows(11, 20);
    assert_int_equal(last(), 20);
    assert_int_equal(history_timestamp(session.history, 1), T0 + 100);
    assert_near(history_seconds(session.history, 1), 0.1);
    assert_int_equal(session.health.skipped_records, 1);
}

static void garbage_says_why(void **state)
{
    (void)state;
    assert_int_equal(feed("hello\n"), -EPROTO);
    assert_int_equal(session.state, SESSION_FAILED);
    assert_contains(session.reason, "timestamp");
    ingest_csv_restart(ingest);
    assert_int_equal(feed("timestamp,cycles\n"), 0);
    feed_rows(1, 2);
    feed("what,is,this\n");
    assert_int_equal(session.health.skipped_records, 1);
    assert_int_equal(session.state, SESSION_LIVE);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_first_row_waits_for_the_second),
        TEST(without_memory_for_the_history_it_says_so),
        TEST(what_the_file_does_not_say_has_no_value),
        TEST(what_was_not_counted_never_ran),
        TEST(cpi_is_a_ratio_of_sums_also_where_it_was_scaled),
        TEST(a_cpi_without_its_counts_is_a_column_of_its_own),
        TEST(gauges_are_added_up),
        TEST(frequency_needs_times_that_a_csv_has_not),
        TEST(columns_that_would_hide_a_samples_keys_are_renamed),
        TEST(rows_that_are_known_are_not_taken_again),
        TEST(a_pause_is_a_gap_and_not_a_long_interval),
        TEST(the_interval_is_the_median_length),
        TEST(other_columns_are_another_run),
        TEST(an_old_file_has_ended_and_a_new_row_revives_it),
        TEST(an_older_file_in_its_place_is_another_run),
        TEST(a_clock_that_was_set_back_is_followed),
        TEST(a_row_out_of_order_is_left_out),
        TEST(a_time_far_ahead_is_no_time),
        TEST(garbage_says_why),
    };

    return cmocka_run_group_tests_name("ingest-csv", tests, NULL, NULL);
}
