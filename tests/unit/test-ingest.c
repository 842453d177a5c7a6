// SPDX-License-Identifier: Apache-2.0
#include "history/ingest.h"

#include "unit.h"

#include "stream/record.h"
#include "stream/writer.h"

#define MS          NS_PER_MS
#define WALL        (INT64_C(1700000000000) * MS)
#define WALL_MS     INT64_C(1700000000000)
#define INTERVAL_NS (100 * (uint64_t)MS)

enum { CYCLES, INSTRUCTIONS, FAULTS, USER, N_EVENTS };

static struct session session;
static struct ingest *ingest;
static struct buf stream;
static unsigned changes;

static void on_change(void *context)
{
    ++*(unsigned *)context;
}

static int set_up(void **state)
{
    static const struct ingest_config config = {.rows = 100, .memory = SIZE_MAX};

    (void)state;
    if (session_init(&session) != 0)
        return -1;
    changes = 0;
    session.changed = on_change;
    session.changed_context = &changes;
    return ingest_new(&session, &config, &ingest);
}

static int tear_down(void **state)
{
    (void)state;
    ingest_free(ingest);
    session_done(&session);
    buf_done(&stream);
    return 0;
}

static int feed(void)
{
    int r = ingest_feed(ingest, stream.data, stream.size);

    buf_clear(&stream);
    return r;
}

static void write_start(enum stream_target target, unsigned cpus, unsigned interval_ms, ns_t wall)
{
    static const struct stream_thread threads[] = {{10, "a"}, {11, "b"}};
    struct event_table events = {0};
    static const struct event described[N_EVENTS] = {
        {.id = 1, .type = 0, .config = 0, .name = "cycles", .group = 0},
        {.id = 2, .type = 0, .config = 1, .name = "instructions", .group = 0},
        {.id = 3, .type = 1, .config = 5, .name = "minor-faults", .group = 1},
        {.id = 4, .kind = EVENT_GAUGE, .name = "cpu-user", .unit = "ns", .group = 2},
    };
    struct stream_description d = {
        .events = &events,
        .target = target,
        .cpus_possible = cpus,
        .cpus_online = cpus,
        .threads = threads,
        .n_threads = target == STREAM_TASKS ? 2 : 0,
        .interval_ms = interval_ms,
        .host = "box",
        .kernel = "6.1",
        .arch = "x86_64",
        .cpu_desc = "A <CPU>",
        .reference_ns = 5000 * MS,
        .wall_ns = wall,
    };

    for (size_t i = 0; i < N_EVENTS; i++)
        assert_int_equal(event_table_add(&events, &described[i]), (int)i);
    assert_int_equal(stream_write_start(&stream, &d), 0);
    event_table_done(&events);
}

static void note(uint64_t id, const char *json)
{
    assert_int_equal(stream_write_note(&stream, id, json, strlen(json)), 0);
}

static void stat_of(uint64_t id, uint32_t cpu, uint64_t value, uint64_t enabled, uint64_t running)
{
    stream_write_stat(&stream, id, cpu, 0, (struct reading){value, enabled, running});
}

// One interval of one CPU, in which every event has counted 100 · k so far.
static void interval(unsigned k)
{
    for (uint64_t id = 1; id <= N_EVENTS; id++)
        stat_of(id, 0, 100 * k, k * INTERVAL_NS, k * INTERVAL_NS);
    stream_write_round(&stream, false, k * INTERVAL_NS);
}

static struct value value(uint64_t row, size_t slot, const char *column)
{
    struct column c;

    assert_non_null(session.history);
    assert_true(history_column(session.history, column, &c));
    return history_value(session.history, row, row, slot, &c);
}

static void the_head_describes_the_machine(void **state)
{
    (void)state;
    assert_int_equal(session.state, SESSION_WAITING);
    write_start(STREAM_SYSTEM, 2, 100, WALL);
    note(1, "{\"cs\":\"stream\",\"run\":\"cafe0001\",\"target\":{\"kind\":\"system\",\"text\":"
            "\"all\"}}");
    assert_int_equal(feed(), 0);
    assert_string_equal(session.host, "box");
    assert_string_equal(session.kernel, "6.1");
    assert_string_equal(session.cpu_model, "A <CPU>");
    assert_int_equal(session.interval_ms, 100);
    assert_int_equal(session.cpus_possible, 2);
    assert_string_equal(session.run, "cafe0001");
    assert_string_equal(session.target_text, "all");
    // Before the first interval as well.
    assert_null(session.history);
    assert_int_equal(session.events->n, N_EVENTS);
    assert_int_equal(session.state, SESSION_WAITING);
    assert_int_equal(changes, 1);
}

static void readings_become_counts_in_columns(void **state)
{
    (void)state;
    write_start(STREAM_SYSTEM, 1, 100, WALL);
    interval(1);
    interval(2);
    assert_int_equal(feed(), 0);
    assert_int_equal(session.state, SESSION_LIVE);
    assert_int_equal(history_last(session.history), 2);
    assert_int_equal(history_timestamp(session.history, 1), WALL_MS + 100);
    assert_int_equal(history_timestamp(session.history, 2), WALL_MS + 200);
    assert_near(history_seconds(session.history, 2), 0.1);
    assert_near(value(1, 0, "cycles").value, 100);
    assert_near(value(2, 0, "minor_faults").value, 100);
    assert_near(value(2, 0, "cpi").value, 1);
    assert_near(value(2, 0, "minor_faults_per_second").value, 1000);
    assert_true(session.delivered > 0);
    assert_int_equal(changes, 1);
}

static void pieces_of_any_size_give_the_same(void **state)
{
    struct buf all;

    (void)state;
    write_start(STREAM_SYSTEM, 1, 100, WALL);
    interval(1);
    interval(2);
    interval(3);
    all = stream;
    stream = (struct buf){0};
    for (size_t i = 0; i < all.size; i++)
        assert_int_equal(ingest_feed(ingest, all.data + i, 1), 0);
    buf_done(&all);
    assert_int_equal(history_last(session.history), 3);
    assert_near(value(3, 0, "cycles").value, 100);
    // Once for the head, once an interval: not once a byte.
    assert_true(changes >= 3 && changes <= 5);
}

static void each_cpu_has_a_slot_and_the_total_adds_up(void **state)
{
    (void)state;
    write_start(STREAM_SYSTEM, 2, 100, WALL);
    for (unsigned k = 1; k <= 2; k++) {
        stat_of(1, 0, 1000 * k, k * INTERVAL_NS, k * INTERVAL_NS);
        stat_of(1, 1, 20 * k, k * INTERVAL_NS, k * INTERVAL_NS / 2);
        stream_write_round(&stream, false, k * INTERVAL_NS);
    }
    assert_int_equal(feed(), 0);
    assert_int_equal(history_slots(session.history), 3);
    assert_near(value(2, 1, "cycles").value, 1000);
    assert_near(value(2, 2, "cycles").value, 40);
    assert_near(value(2, 0, "cycles").value, 1040);
    assert_int_equal(value(2, 1, "cycles").quality, QUALITY_EXACT);
    assert_int_equal(value(2, 2, "cycles").quality, QUALITY_SCALED);
    assert_int_equal(value(2, 0, "cycles").quality, QUALITY_SCALED);
    // Not read here: no value, and not zero.
    assert_nan(value(2, 0, "minor_faults").value);
}

static void threads_are_added_up_and_have_no_slots(void **state)
{
    (void)state;
    write_start(STREAM_TASKS, 2, 100, WALL);
    stream_write_stat(&stream, 1, RECORD_CPU_ANY, 0, (struct reading){70, 1000, 1000});
    stream_write_stat(&stream, 1, RECORD_CPU_ANY, 1, (struct reading){7, 1000, 1000});
    stream_write_round(&stream, false, INTERVAL_NS);
    assert_int_equal(feed(), 0);
    assert_int_equal(history_slots(session.history), 1);
    assert_int_equal(history_scope(session.history), SCOPE_TASK);
    assert_string_equal(session.target_kind, "process");
    assert_near(value(1, 0, "cycles").value, 77);
}

static void notes_name_columns_gauges_and_what_is_not_there(void **state)
{
    (void)state;
    write_start(STREAM_SYSTEM, 1, 100, WALL);
    note(1, "{\"cs\":\"event\",\"column\":\"core_cycles\",\"quality\":\"exact\"}");
    note(3, "{\"cs\":\"event\",\"quality\":\"not supported\",\"why\":\"no such thing\"}");
    note(4, "{\"cs\":\"event\",\"kind\":\"gauge\"}");
    interval(1);
    interval(2);
    assert_int_equal(feed(), 0);
    assert_near(value(2, 0, "core_cycles").value, 100);
    assert_nan(value(2, 0, "minor_faults").value);
    assert_int_equal(value(2, 0, "minor_faults").quality, QUALITY_NOT_SUPPORTED);
    assert_string_equal(session.events->events[FAULTS].why, "no such thing");
    assert_int_equal(session.events->events[USER].kind, EVENT_GAUGE);
    assert_near(value(2, 0, "cpu_user").value, 100);
    // After the first interval the columns are fixed.
    note(2, "{\"cs\":\"event\",\"quality\":\"denied\",\"column\":\"x\"}");
    interval(3);
    assert_int_equal(feed(), 0);
    assert_near(value(3, 0, "instructions").value, 100);
}

static void a_resumed_stream_begins_with_a_baseline(void **state)
{
    (void)state;
    write_start(STREAM_SYSTEM, 1, 100, WALL);
    note(1, "{\"cs\":\"stream\",\"resumed\":true}");
    note(4, "{\"cs\":\"event\",\"kind\":\"gauge\"}");
    interval(500);
    assert_int_equal(feed(), 0);
    assert_null(session.history);
    interval(501);
    interval(502);
    assert_int_equal(feed(), 0);
    assert_int_equal(history_last(session.history), 2);
    assert_near(value(1, 0, "cycles").value, 100);
    assert_near(history_seconds(session.history, 1), 0.1);
    assert_int_equal(history_timestamp(session.history, 1), WALL_MS + 50100);
    assert_near(value(2, 0, "cpu_user").value, 100);
}

static void late_intervals_keep_to_the_grid_and_their_measured_length(void **state)
{
    (void)state;
    write_start(STREAM_SYSTEM, 1, 100, WALL);
    stat_of(3, 0, 10, 1, 1);
    stream_write_round(&stream, false, 104 * MS);
    stat_of(3, 0, 40, 2, 2);
    stream_write_round(&stream, false, 401 * MS);
    assert_int_equal(feed(), 0);
    assert_int_equal(history_timestamp(session.history, 1), WALL_MS + 100);
    assert_int_equal(history_timestamp(session.history, 2), WALL_MS + 400);
    assert_near(history_seconds(session.history, 2), 0.297);
    assert_near(value(2, 0, "minor_faults_per_second").value, 30 / 0.297);
}

static void timestamps_follow_a_clock_step_and_never_go_back(void **state)
{
    (void)state;
    write_start(STREAM_SYSTEM, 1, 100, WALL);
    interval(1);
    stream_write_clock(&stream, 5000 * MS, WALL + 3600 * NS_PER_SEC);
    interval(2);
    stream_write_clock(&stream, 5000 * MS, WALL - 3600 * NS_PER_SEC);
    interval(3);
    interval(4);
    assert_int_equal(feed(), 0);
    assert_int_equal(history_timestamp(session.history, 1), WALL_MS + 100);
    assert_int_equal(history_timestamp(session.history, 2), WALL_MS + 3600200);
    assert_int_equal(history_timestamp(session.history, 3), WALL_MS + 3600201);
    assert_int_equal(history_timestamp(session.history, 4), WALL_MS + 3600202);
    assert_int_equal(history_last(session.history), 4); // none was lost
    assert_near(history_seconds(session.history, 3), 0.1);
}

static void a_clock_beyond_all_time_is_no_overflow(void **state)
{
    (void)state;
    write_start(STREAM_SYSTEM, 1, 100, INT64_MAX);
    interval(1);
    stream_write_clock(&stream, 0, INT64_MAX);
    stream_write_round(&stream, false, INT64_MAX / 2 - 1);
    assert_int_equal(feed(), 0);
    assert_int_equal(history_last(session.history), 2);
    assert_true(history_timestamp(session.history, 1) > 0);
}

static void a_time_that_does_not_advance_is_skipped_and_counted(void **state)
{
    (void)state;
    write_start(STREAM_SYSTEM, 1, 100, WALL);
    interval(2);
    stream_write_round(&stream, false, 2 * INTERVAL_NS);
    stream_write_round(&stream, false, INTERVAL_NS);
    stream_write_round(&stream, false, UINT64_MAX);
    assert_int_equal(feed(), 0);
    assert_int_equal(history_last(session.history), 1);
    assert_int_equal(session.health.skipped_records, 3);
}

static void a_malformed_note_is_skipped_and_counted(void **state)
{
    (void)state;
    write_start(STREAM_SYSTEM, 1, 100, WALL);
    note(1, "{\"cs\":");
    interval(1);
    assert_int_equal(feed(), 0);
    assert_int_equal(session.health.skipped_records, 1);
    assert_int_equal(history_last(session.history), 1);
}

static void two_sessions_have_different_runs(void **state)
{
    struct session other;
    struct ingest *second;

    (void)state;
    assert_int_equal(session_init(&other), 0);
    assert_int_equal(ingest_new(&other, &(struct ingest_config){.rows = 10}, &second), 0);
    assert_int_equal(strlen(session.run), 8);
    assert_string_not_equal(session.run, other.run);
    ingest_free(second);
    session_done(&other);
}

static bool says(void *context)
{
    return *(bool *)context;
}

static void without_memory_for_the_history_it_says_so(void **state)
{
    struct ingest_config config = {.rows = SIZE_MAX, .memory = SIZE_MAX / 2};

    (void)state;
    ingest_free(ingest);
    assert_int_equal(ingest_new(&session, &config, &ingest), 0);
    write_start(STREAM_SYSTEM, 1, 100, WALL);
    interval(1);
    assert_int_equal(feed(), -ENOMEM);
    assert_null(session.history);
    assert_int_equal(session.state, SESSION_FAILED);
    assert_contains(session.reason, "no memory");
}

// However many intervals the bytes at hand would make.
static void who_is_to_end_makes_no_more_intervals(void **state)
{
    const struct timespec a_while = {.tv_nsec = 150 * MS};
    bool end = false;
    struct ingest_config config = {
        .rows = 100, .memory = SIZE_MAX, .ending = says, .context = &end};

    (void)state;
    ingest_free(ingest);
    assert_int_equal(ingest_new(&session, &config, &ingest), 0);
    write_start(STREAM_SYSTEM, 1, 100, WALL);
    interval(1);
    assert_int_equal(feed(), 0);
    assert_int_equal(history_last(session.history), 1);
    end = true;
    nanosleep(&a_while, NULL); // it is asked now and then
    for (uint64_t k = 2; k < 50; k++)
        interval(k);
    assert_int_equal(feed(), 0);
    assert_int_equal(history_last(session.history), 1);
}

static void the_columns_outlive_the_ingest(void **state)
{
    (void)state;
    write_start(STREAM_SYSTEM, 1, 100, WALL);
    interval(1);
    assert_int_equal(feed(), 0);
    ingest_free(ingest);
    ingest = NULL;
    assert_string_equal(session.events->events[CYCLES].column, "cycles");
    assert_near(value(1, 0, "cycles").value, 100);
}

static int tear_down_without_ingest(void **state)
{
    if (ingest)
        return tear_down(state);
    session_done(&session);
    buf_done(&stream);
    return 0;
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down_without_ingest)
    const struct CMUnitTest tests[] = {
        TEST(the_head_describes_the_machine),
        TEST(readings_become_counts_in_columns),
        TEST(pieces_of_any_size_give_the_same),
        TEST(each_cpu_has_a_slot_and_the_total_adds_up),
        TEST(threads_are_added_up_and_have_no_slots),
        TEST(notes_name_columns_gauges_and_what_is_not_there),
        TEST(a_resumed_stream_begins_with_a_baseline),
        TEST(late_intervals_keep_to_the_grid_and_their_measured_length),
        TEST(timestamps_follow_a_clock_step_and_never_go_back),
        TEST(a_clock_beyond_all_time_is_no_overflow),
        TEST(a_time_that_does_not_advance_is_skipped_and_counted),
        TEST(a_malformed_note_is_skipped_and_counted),
        TEST(two_sessions_have_different_runs),
        TEST(who_is_to_end_makes_no_more_intervals),
        TEST(without_memory_for_the_history_it_says_so),
        TEST(the_columns_outlive_the_ingest),
    };

    return cmocka_run_group_tests_name("ingest", tests, NULL, NULL);
}
