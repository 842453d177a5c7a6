// SPDX-License-Identifier: Apache-2.0
// What the collector notes is what the server understands: rendered by collect/notes.c, and read
// through the stream by history/.
#include "collect/notes.h"

#include "unit.h"

#include "history/ingest.h"
#include "stream/writer.h"

#include <linux/perf_event.h>

enum { CYCLES, INSTRUCTIONS, SWITCHES, USER, N_EVENTS };

static struct collector collector;
static struct machine machine;
static struct session session;
static struct ingest *ingest;
static struct buf stream;

static int set_up(void **state)
{
    static const struct event described[N_EVENTS] = {
        {.id = 1, .type = PERF_TYPE_HARDWARE, .config = 0, .name = "cycles"},
        {.id = 2, .type = PERF_TYPE_HARDWARE, .config = 1, .name = "instructions"},
        {.id = 3, .type = PERF_TYPE_SOFTWARE, .config = 3, .name = "context-switches", .group = 1},
        {.id = 4, .kind = EVENT_GAUGE, .name = "cpu-user", .unit = "ns", .group = 2},
    };
    static const struct ingest_config config = {.rows = 100};
    struct stream_description d = {
        .events = &collector.events, .cpus_possible = 2, .cpus_online = 2, .interval_ms = 100};

    (void)state;
    collector = (struct collector){.target = {.kind = TARGET_CPUS, .ends = -1}};
    snprintf(collector.target.text, sizeof(collector.target.text), "CPUs 0 \"and\" <1>");
    machine = (struct machine){.hypervisor = "QEMU"};
    for (size_t i = 0; i < N_EVENTS; i++)
        event_table_add(&collector.events, &described[i]);
    if (session_init(&session) != 0 || stream_write_start(&stream, &d) != 0)
        return -1;
    return ingest_new(&session, &config, &ingest);
}

static int tear_down(void **state)
{
    (void)state;
    ingest_free(ingest);
    session_done(&session);
    event_table_done(&collector.events);
    buf_done(&stream);
    return 0;
}

static void feed(void)
{
    assert_int_equal(ingest_feed(ingest, stream.data, stream.size), 0);
    assert_int_equal(session.health.skipped_records, 0);
    buf_clear(&stream);
}

static void the_run_and_its_target_arrive(void **state)
{
    (void)state;
    notes_stream(&stream, &collector, &machine, "cafe0001", false);
    feed();
    assert_string_equal(session.run, "cafe0001");
    assert_string_equal(session.target_kind, "cpus");
    assert_string_equal(session.target_text, "CPUs 0 \"and\" <1>");
    assert_string_equal(session.hypervisor, "QEMU");
    assert_true(session.cpu_online[0]);
}

static void a_resumed_stream_is_told_apart(void **state)
{
    (void)state;
    notes_stream(&stream, &collector, &machine, "cafe0001", true);
    stream_write_round(&stream, false, 100);
    feed();
    assert_null(session.history);
    notes_stream(&stream, &collector, &machine, "cafe0001", false);
    stream_write_round(&stream, false, 200);
    feed();
    assert_int_equal(history_last(session.history), 1);
}

static void events_arrive_with_kind_quality_and_reason(void **state)
{
    (void)state;
    collector.events.events[CYCLES].availability = QUALITY_NOT_SUPPORTED;
    snprintf(collector.events.events[CYCLES].why, EVENT_REASON_MAX, "cycles: no such counter");
    collector.events.events[SWITCHES].availability = QUALITY_DENIED;
    snprintf(collector.events.events[INSTRUCTIONS].column, EVENT_NAME_MAX, "instructions_2");
    notes_events(&stream, &collector);
    feed();
    assert_int_equal(session.events->n, N_EVENTS);
    assert_int_equal(session.events->events[CYCLES].availability, QUALITY_NOT_SUPPORTED);
    assert_string_equal(session.events->events[CYCLES].why, "cycles: no such counter");
    assert_int_equal(session.events->events[SWITCHES].availability, QUALITY_DENIED);
    assert_int_equal(session.events->events[INSTRUCTIONS].availability, QUALITY_EXACT);
    assert_string_equal(session.events->events[INSTRUCTIONS].column, "instructions_2");
    assert_int_equal(session.events->events[INSTRUCTIONS].kind, EVENT_COUNT);
    assert_int_equal(session.events->events[USER].kind, EVENT_GAUGE);
}

// Events are sorted by group after they got their columns: both sides must name them alike.
static void columns_that_changed_places_arrive_as_they_are(void **state)
{
    (void)state;
    snprintf(collector.events.events[CYCLES].column, EVENT_NAME_MAX, "instructions");
    snprintf(collector.events.events[INSTRUCTIONS].column, EVENT_NAME_MAX, "cycles");
    notes_events(&stream, &collector);
    feed();
    assert_string_equal(session.events->events[CYCLES].column, "instructions");
    assert_string_equal(session.events->events[INSTRUCTIONS].column, "cycles");
}

static void status_texts_and_the_goodbye_arrive(void **state)
{
    const struct notes_status status = {
        .missed_ticks = 3, .dropped_rounds = 5, .cpu_percent = NAN, .rss_bytes = 7 << 20};

    (void)state;
    notes_status(&stream, &status);
    notes_text(&stream, "warning", "\"quoted\"\n\xff");
    notes_end(&stream, "the collector was stopped");
    feed();
    assert_int_equal(session.health.missed_ticks, 3);
    assert_int_equal(session.health.dropped_rounds, 5);
    assert_int_equal(session.health.collector_rss_bytes, 7 << 20);
    assert_near(session.health.collector_cpu_percent, -1);
    assert_int_equal(session.n_notes, 1);
    assert_string_equal(session.notes[0].severity, "warning");
    assert_string_equal(session.notes[0].text, "\"quoted\"\n\xef\xbf\xbd");
    ingest_end(ingest);
    assert_int_equal(session.state, SESSION_ENDED);
    assert_string_equal(session.reason, "the collector was stopped");
}

static void miss(size_t event, enum quality quality, const char *why)
{
    collector.events.events[event].availability = quality;
    snprintf(collector.events.events[event].why, EVENT_REASON_MAX, "%s", why);
}

static void a_machine_that_counts_all_has_nothing_to_say(void **state)
{
    char text[1024] = "old";

    (void)state;
    notes_missing(&collector, &machine, text, sizeof(text));
    assert_string_equal(text, "");
}

static void a_machine_without_a_pmu_says_so_and_why(void **state)
{
    char text[1024];

    (void)state;
    miss(CYCLES, QUALITY_NOT_SUPPORTED, "cycles: no such counter");
    miss(INSTRUCTIONS, QUALITY_NOT_SUPPORTED, "instructions: no such counter");
    notes_missing(&collector, &machine, text, sizeof(text));
    assert_contains(text, "no hardware PMU");
    assert_contains(text, "QEMU");
    assert_null(strchr(text, '\n'));
}

static void one_missing_event_is_named_with_its_reason(void **state)
{
    char text[1024];

    (void)state;
    miss(INSTRUCTIONS, QUALITY_NOT_SUPPORTED, "instructions: no such counter");
    notes_missing(&collector, &machine, text, sizeof(text));
    assert_contains(text, "instructions");
    assert_contains(text, "no such counter");
    assert_null(strstr(text, "no hardware PMU"));
}

static void what_is_not_permitted_says_what_to_type(void **state)
{
    char text[1024], small[16];

    (void)state;
    miss(SWITCHES, QUALITY_DENIED, "context-switches: run the same command with sudo");
    miss(INSTRUCTIONS, QUALITY_NOT_SUPPORTED, "instructions: no such counter");
    notes_missing(&collector, &machine, text, sizeof(text));
    assert_contains(text, "not permitted");
    assert_contains(text, "with sudo");
    notes_missing(&collector, &machine, small, sizeof(small));
    assert_int_equal(strlen(small), sizeof(small) - 1);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_run_and_its_target_arrive),
        TEST(a_resumed_stream_is_told_apart),
        TEST(events_arrive_with_kind_quality_and_reason),
        TEST(columns_that_changed_places_arrive_as_they_are),
        TEST(status_texts_and_the_goodbye_arrive),
        TEST(a_machine_that_counts_all_has_nothing_to_say),
        TEST(a_machine_without_a_pmu_says_so_and_why),
        TEST(one_missing_event_is_named_with_its_reason),
        TEST(what_is_not_permitted_says_what_to_type),
    };

    return cmocka_run_group_tests_name("notes", tests, NULL, NULL);
}
