// SPDX-License-Identifier: Apache-2.0
// A consumer whose reader stalls until the queue is full, and then goes on.
#include "cmd/consumer.h"

#include "unit.h"

#include "cmd/command.h"
#include "collect/notes.h"
#include "stream/reader.h"
#include "stream/writer.h"

#include <errno.h>

static struct event one = {.id = 1, .type = 1, .config = 3, .name = "context-switches", .scale = 1};
static struct collector collector = {
    .events = {.events = &one, .n = 1, .n_groups = 1},
    .target = {.kind = TARGET_SYSTEM, .n_possible = 2, .n_cpus = 2},
    .online = {.fd = -1, .text = "0-1"},
};
static struct machine machine = {.host = "here"};
static struct findings findings;
static struct tick tick = {.grid = {.interval = 100 * NS_PER_MS, .reference = 5, .wall = 1000}};
static const struct stream_source source = {.collector = &collector,
                                            .machine = &machine,
                                            .tick = &tick,
                                            .notice = "",
                                            .findings = &findings};

static struct consumer consumer;
static struct stream_reader *reader;
static int from;

static struct {
    ns_t wall;
    char online[64];
    unsigned rounds, missing;
    size_t readings;
} seen;

void say(const char *format, ...)
{
    fail_msg("nothing is to be said: %s", format);
}

static void on_clock(void *context, const struct stream_clock *clock)
{
    (void)context;
    seen.wall = clock->wall_ns;
}

static void on_note(void *context, size_t event, const char *json, size_t size)
{
    char text[256];
    const char *online;

    (void)context;
    (void)event;
    snprintf(text, sizeof(text), "%.*s", (int)size, json);
    online = strstr(text, "\"online\":\"");
    if (online)
        sscanf(online, "\"online\":\"%63[0-9,-]", seen.online);
    seen.missing += strstr(text, "are missing") != NULL;
}

static void on_round(void *context, bool final, uint64_t time_ns)
{
    (void)context;
    (void) final;
    (void)time_ns;
    // A round is read with the clock and the CPUs that it was taken with.
    assert_int_equal(seen.wall, tick.grid.wall);
    assert_string_equal(seen.online, collector.online.text);
    seen.rounds++;
}

static int set_up(void **state)
{
    static const struct stream_handler handler = {
        .clock = on_clock, .note = on_note, .round = on_round};
    struct loop *loop;
    int ends[2];

    memset(&seen, 0, sizeof(seen));
    seen.wall = tick.grid.wall = 1000;
    strcpy(collector.online.text, "0-1");
    strcpy(seen.online, "0-1");
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    from = ends[0];
    assert_int_equal(loop_new(&loop), 0);
    *state = loop;
    assert_int_equal(consumer_open(&consumer, ends[1], "test", false, loop, &source), 0);
    assert_int_equal(stream_reader_new(&handler, NULL, &reader), 0);
    return 0;
}

static int tear_down(void **state)
{
    consumer_close(&consumer);
    loop_free(*state);
    stream_reader_free(reader);
    close(from);
    return 0;
}

static void send_note(const char *text)
{
    struct buf note = {0};

    notes_text(&note, "info", text);
    consumer_sideband(&consumer, &note);
    buf_done(&note);
}

static void fill(void)
{
    static char text[32768];

    memset(text, 'x', sizeof(text) - 1);
    for (size_t i = 0; i < STREAM_QUEUE_BYTES / sizeof(text) + 8; i++)
        send_note(text);
    assert_true(stream_sink_queued(consumer.sink) + 2 * sizeof(text) > STREAM_QUEUE_BYTES);
    // To the last bytes.
    for (size_t i = 0; i < 2 * sizeof(text) / 64; i++)
        send_note("");
}

static void change_the_world(void)
{
    struct buf note = {0};

    tick.grid.wall = 7777;
    stream_write_clock(&note, tick.grid.reference, tick.grid.wall);
    consumer_sideband(&consumer, &note);
    buf_clear(&note);
    strcpy(collector.online.text, "0");
    notes_online(&note, collector.online.text);
    consumer_sideband(&consumer, &note);
    buf_done(&note);
}

static void take_round(void)
{
    static uint64_t time;
    struct buf round = {0};

    stream_write_round(&round, false, time += NS_PER_SEC);
    consumer_round(&consumer, &round, (ns_t)time);
    buf_done(&round);
}

static void drain(void)
{
    static char bytes[65536];

    do {
        ssize_t n;

        while ((n = read(from, bytes, sizeof(bytes))) > 0)
            assert_int_equal(stream_reader_feed(reader, bytes, (size_t)n), 0);
    } while (stream_sink_flush(consumer.sink) == STREAM_SINK_BUSY);
}

static void what_was_refused_comes_again(void **state)
{
    (void)state;
    fill();
    change_the_world();
    take_round(); // no room either
    assert_int_equal(stream_sink_dropped(consumer.sink), 1);
    drain();
    assert_int_equal(seen.wall, 1000);
    take_round();
    drain();
    drain();
    assert_int_equal(seen.rounds, 1);
    assert_int_equal(seen.wall, 7777);
    assert_string_equal(seen.online, "0");
    assert_int_equal(seen.missing, 1);
}

static void it_comes_once_and_is_told_of_once(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        fill();
        drain();
        seen.wall = 0;
        strcpy(seen.online, "");
        send_note("any other record brings it, too");
        drain();
        assert_int_equal(seen.wall, tick.grid.wall);
        assert_string_equal(seen.online, "0-1");
        seen.wall = 0;
        send_note("another");
        drain();
        assert_int_equal(seen.wall, 0);
    }
    assert_int_equal(seen.missing, 1);
}

static void count_reading(void *context, size_t event, int cpu, uint32_t thread, struct reading r)
{
    (void)context;
    (void)event;
    (void)cpu;
    (void)thread;
    (void)r;
    seen.readings++;
}

static void count_round(void *context, bool final, uint64_t time_ns)
{
    (void)context;
    (void) final;
    (void)time_ns;
    seen.rounds++;
}

// As many as our own reader takes: an interval alone is more than STREAM_QUEUE_BYTES. The server
// was started again, so that the head brings all readings, too.
static void an_interval_that_is_larger_than_the_usual_queue_goes_through(void **state)
{
    static const struct stream_handler handler = {.stat = count_reading, .round = count_round};
    const size_t n_events = EVENTS_MAX, n_cpus = STREAM_READINGS_MAX / EVENTS_MAX;
    struct event *events = calloc(n_events, sizeof(*events));
    struct collector large = collector;
    struct tick running = tick;
    struct stream_source of_large = source;
    struct buf round = {0};
    int ends[2];

    assert_non_null(events);
    for (size_t e = 0; e < n_events; e++) {
        events[e] = one;
        events[e].id = e + 1;
        events[e].group = (int)e;
    }
    large.events = (struct event_table){.events = events, .n = n_events, .n_groups = (int)n_events};
    large.target.n_possible = large.target.n_cpus = n_cpus;
    assert_int_equal(readings_init(&large.readings, &large.events, n_cpus, SCOPE_CPU), 0);
    for (size_t e = 0; e < n_events; e++)
        for (size_t cpu = 0; cpu < n_cpus; cpu++)
            readings_set(&large.readings, e, cpu, (struct reading){1, 1, 1});
    running.started = true;
    of_large.collector = &large;
    of_large.tick = &running;

    consumer_close(&consumer);
    close(from);
    stream_reader_free(reader);
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    from = ends[0];
    assert_int_equal(stream_reader_new(&handler, NULL, &reader), 0);
    assert_int_equal(consumer_open(&consumer, ends[1], "test", false, *state, &of_large), 0);
    stream_source_round(&of_large, NS_PER_SEC, false, &round);
    assert_true(round.size > STREAM_QUEUE_BYTES);
    consumer_round(&consumer, &round, NS_PER_SEC);
    drain();
    drain();
    assert_int_equal(stream_sink_dropped(consumer.sink), 0);
    assert_int_equal(seen.rounds, 2);
    assert_int_equal(seen.readings, 2 * STREAM_READINGS_MAX);
    buf_done(&round);
    readings_done(&large.readings);
    free(events);
}

static void what_no_queue_holds_is_refused(void **state)
{
    struct collector large = collector;
    struct stream_source of_large = source;
    struct consumer c;
    int ends[2];

    large.readings.n_rows = (size_t)1 << 23;
    of_large.collector = &large;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(consumer_open(&c, ends[1], "test", false, *state, &of_large), -E2BIG);
    assert_contains(consumer_why(-E2BIG), "-e");
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_refused_comes_again),
        TEST(it_comes_once_and_is_told_of_once),
        TEST(an_interval_that_is_larger_than_the_usual_queue_goes_through),
        TEST(what_no_queue_holds_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
