// SPDX-License-Identifier: Apache-2.0
// Ingest of streams that are not ours: perf's own, cut ones, garbage, and ones made to do harm.
#include "history/ingest.h"

#include "unit.h"

#include "base/buf.h"
#include "stream/record.h"

#include <linux/perf_event.h>

static struct session session;
static struct ingest *ingest;
static struct buf stream;

static int set_up(void **state)
{
    static const struct ingest_config config = {.rows = 100, .memory = SIZE_MAX};

    (void)state;
    return session_init(&session) == 0 ? ingest_new(&session, &config, &ingest) : -1;
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

static void put(const void *bytes, size_t size)
{
    buf_append(&stream, bytes, size);
}

static void record(uint32_t type, const void *body, size_t size)
{
    const struct record_header header = {.type = type, .size = (uint16_t)(sizeof(header) + size)};

    put(&header, sizeof(header));
    put(body, size);
}

static void file_header(void)
{
    put(&(struct record_file_header){RECORD_MAGIC, RECORD_PIPE_HEADER}, RECORD_PIPE_HEADER);
}

// As perf stat record writes it: ids per CPU, no name where it follows from the attr. No ids: the
// event was not supported.
static void attr(uint32_t type, uint64_t config, size_t n_ids, uint64_t first_id)
{
    struct {
        unsigned char attr[RECORD_ATTR_SIZE];
        uint64_t ids[4];
    } body = {0};
    const struct perf_event_attr a = {.type = type,
                                      .size = RECORD_ATTR_SIZE,
                                      .config = config,
                                      .disabled = 1,
                                      .exclude_guest = 1};

    memcpy(body.attr, &a, RECORD_ATTR_SIZE);
    for (size_t i = 0; i < n_ids; i++)
        body.ids[i] = first_id + i;
    record(RECORD_HEADER_ATTR, &body, RECORD_ATTR_SIZE + n_ids * sizeof(uint64_t));
}

static void cpu_map(uint16_t n, uint16_t first)
{
    uint16_t body[8] = {CPU_MAP_CPUS, n};

    for (uint16_t i = 0; i < n; i++)
        body[2 + i] = (uint16_t)(first + i);
    record(RECORD_CPU_MAP, body, sizeof(body));
}

static void stat_of(uint64_t id, uint32_t cpu, uint32_t thread, uint64_t value)
{
    const struct record_stat s = {.header = {.type = RECORD_STAT, .size = sizeof(s)},
                                  .id = id,
                                  .cpu = cpu,
                                  .thread = thread,
                                  .value = value,
                                  .enabled = value,
                                  .running = value};

    put(&s, sizeof(s));
}

static void round_at(uint64_t time)
{
    const struct record_stat_round r = {.header = {.type = RECORD_STAT_ROUND, .size = sizeof(r)},
                                        .time = time};

    put(&r, sizeof(r));
}

static struct value value(uint64_t row, size_t slot, const char *column)
{
    struct column c;

    assert_non_null(session.history);
    assert_true(history_column(session.history, column, &c));
    return history_value(session.history, row, row, slot, &c);
}

static void a_stream_of_perfs_own_takes_its_arrival_time(void **state)
{
    int64_t before = clock_ns(CLOCK_REALTIME) / NS_PER_MS, after;

    (void)state;
    file_header();
    attr(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES, 2, 100);
    attr(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 0, 0);
    cpu_map(2, 0);
    stat_of(100, 0, 0, 5);
    stat_of(101, 1, 0, 7);
    round_at(100 * NS_PER_MS);
    stat_of(100, 0, 0, 15);
    stat_of(101, 1, 0, 27);
    round_at(201 * NS_PER_MS);
    assert_int_equal(feed(), 0);
    after = clock_ns(CLOCK_REALTIME) / NS_PER_MS;
    assert_int_equal(history_last(session.history), 2);
    assert_true(history_timestamp(session.history, 1) >= before);
    assert_true(history_timestamp(session.history, 1) <= after);
    assert_int_equal(history_timestamp(session.history, 2),
                     history_timestamp(session.history, 1) + 101);
    assert_near(value(2, 0, "context_switches").value, 30);
    assert_near(value(2, 2, "context_switches").value, 20);
    assert_nan(value(2, 0, "cycles").value);
    assert_int_equal(value(2, 0, "cycles").quality, QUALITY_NOT_SUPPORTED);
    assert_true(session.events->events[1].why[0] != '\0');
    assert_string_equal(session.target_kind, "system");
}

static void garbage_fails_with_a_reason(void **state)
{
    (void)state;
    buf_puts(&stream, "timestamp,cycles,instructions\n1,2,3\n");
    assert_int_equal(feed(), -EPROTO);
    assert_int_equal(session.state, SESSION_FAILED);
    assert_contains(session.reason, "not perf.data");
    assert_non_null(session_trouble(&session, 0));
}

static void a_broken_record_fails_with_a_reason_and_keeps_what_was(void **state)
{
    const struct record_header broken = {.type = RECORD_STAT, .size = 4};

    (void)state;
    file_header();
    attr(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, 1, 1);
    cpu_map(1, 0);
    stat_of(1, 0, 0, 5);
    round_at(100);
    put(&broken, sizeof(broken));
    assert_int_equal(feed(), -EBADMSG);
    assert_int_equal(session.state, SESSION_FAILED);
    assert_true(session.reason[0] != '\0');
    assert_near(value(1, 0, "page_faults").value, 5);
    ingest_end(ingest);
    assert_int_equal(session.state, SESSION_FAILED);
}

static void a_cut_stream_has_ended_and_says_so(void **state)
{
    (void)state;
    file_header();
    attr(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, 1, 1);
    cpu_map(1, 0);
    stat_of(1, 0, 0, 5);
    round_at(100);
    stat_of(1, 0, 0, 9);
    stream.size -= 10;
    assert_int_equal(feed(), 0);
    assert_int_equal(session.state, SESSION_LIVE);
    ingest_end(ingest);
    assert_int_equal(session.state, SESSION_ENDED);
    assert_contains(session.reason, "cut off");
    assert_near(value(1, 0, "page_faults").value, 5);
}

static void an_end_between_records_has_ended(void **state)
{
    (void)state;
    file_header();
    attr(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, 1, 1);
    stat_of(1, 0, 0, 5);
    round_at(100);
    assert_int_equal(feed(), 0);
    ingest_end(ingest);
    assert_int_equal(session.state, SESSION_ENDED);
    assert_string_equal(session.reason, "the stream has ended");
}

static void a_goodbye_is_the_reason_of_the_end(void **state)
{
    static const struct {
        uint64_t type, id;
        char json[64];
    } note = {RECORD_NOTE, 1, "{\"cs\":\"end\",\"reason\":\"the time has passed\"}"};

    (void)state;
    file_header();
    attr(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, 1, 1);
    record(RECORD_EVENT_UPDATE, &note, sizeof(note));
    assert_int_equal(feed(), 0);
    ingest_end(ingest);
    assert_int_equal(session.state, SESSION_ENDED);
    assert_string_equal(session.reason, "the time has passed");
}

static void nothing_at_all_fails_with_a_reason(void **state)
{
    (void)state;
    ingest_end(ingest);
    assert_int_equal(session.state, SESSION_FAILED);
    assert_true(session.reason[0] != '\0');
}

static void a_stream_without_events_fails(void **state)
{
    (void)state;
    file_header();
    round_at(100);
    assert_true(feed() < 0);
    assert_int_equal(session.state, SESSION_FAILED);
}

static void cpus_that_are_not_0_to_n_have_their_own_slots(void **state)
{
    (void)state;
    file_header();
    attr(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, 1, 1);
    cpu_map(2, 4);
    stat_of(1, 4, 0, 5);
    stat_of(1, 5, 0, 6);
    round_at(100);
    assert_int_equal(feed(), 0);
    assert_int_equal(history_slots(session.history), 7);
    assert_near(value(1, 5, "page_faults").value, 5);
    assert_near(value(1, 6, "page_faults").value, 6);
    assert_near(value(1, 0, "page_faults").value, 11);
    assert_nan(value(1, 1, "page_faults").value);
}

// Without a CPU_MAP any CPU number is as good as another: none may be written outside the readings.
static void a_cpu_that_no_map_has_named_does_no_harm(void **state)
{
    (void)state;
    file_header();
    attr(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, 1, 1);
    stat_of(1, 0, 0, 5);
    stat_of(1, 16000, 0, 7);
    round_at(100);
    assert_int_equal(feed(), 0);
    assert_near(value(1, 0, "page_faults").value, 5);
    assert_int_equal(session.health.skipped_records, 1);
}

static void a_thread_that_no_map_has_named_does_no_harm(void **state)
{
    (void)state;
    file_header();
    attr(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, 1, 1);
    cpu_map(1, UINT16_MAX);
    stat_of(1, RECORD_CPU_ANY, 0, 5);
    stat_of(1, RECORD_CPU_ANY, 60000, 7);
    round_at(100);
    assert_int_equal(feed(), 0);
    assert_near(value(1, 0, "page_faults").value, 5);
    assert_int_equal(session.health.skipped_records, 1);
}

static void more_places_than_there_is_room_for_is_refused(void **state)
{
    (void)state;
    file_header();
    for (uint64_t i = 0; i < 100; i++)
        attr(PERF_TYPE_RAW, i, 1, i + 1);
    cpu_map(1, 16000);
    round_at(100);
    assert_int_equal(feed(), -E2BIG);
    assert_int_equal(session.state, SESSION_FAILED);
    assert_true(session.reason[0] != '\0');
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_stream_of_perfs_own_takes_its_arrival_time),
        TEST(garbage_fails_with_a_reason),
        TEST(a_broken_record_fails_with_a_reason_and_keeps_what_was),
        TEST(a_cut_stream_has_ended_and_says_so),
        TEST(an_end_between_records_has_ended),
        TEST(a_goodbye_is_the_reason_of_the_end),
        TEST(nothing_at_all_fails_with_a_reason),
        TEST(a_stream_without_events_fails),
        TEST(cpus_that_are_not_0_to_n_have_their_own_slots),
        TEST(a_cpu_that_no_map_has_named_does_no_harm),
        TEST(a_thread_that_no_map_has_named_does_no_harm),
        TEST(more_places_than_there_is_room_for_is_refused),
    };

    return cmocka_run_group_tests_name("ingest-foreign", tests, NULL, NULL);
}
