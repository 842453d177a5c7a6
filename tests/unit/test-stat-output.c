// SPDX-License-Identifier: Apache-2.0
// What `cyclescope stat` prints: table, summary, JSON, as golden texts.
#include "output/stat_json.h"
#include "output/stat_table.h"
#include "output/stat_text.h"

#include "unit.h"

#include <linux/perf_event.h>
#include <time.h>

enum { CYCLES, INSTRUCTIONS, BRANCHES, MISSES, SWITCHES, CLOCK, USER, N_EVENTS = USER + 6 };

static const struct {
    const char *name, *unit;
    int group;
    uint32_t type;
    enum event_kind kind;
    enum quality availability;
} described[N_EVENTS] = {
    {"cycles", "", 0, PERF_TYPE_HARDWARE, EVENT_COUNT, QUALITY_EXACT},
    {"instructions", "", 0, PERF_TYPE_HARDWARE, EVENT_COUNT, QUALITY_EXACT},
    {"branches", "", 1, PERF_TYPE_HARDWARE, EVENT_COUNT, QUALITY_NOT_SUPPORTED},
    {"branch-misses", "", 1, PERF_TYPE_HARDWARE, EVENT_COUNT, QUALITY_EXACT},
    {"context-switches", "", 2, PERF_TYPE_SOFTWARE, EVENT_COUNT, QUALITY_EXACT},
    {"task-clock", "ns", 2, PERF_TYPE_SOFTWARE, EVENT_COUNT, QUALITY_EXACT},
    {"cpu-user", "ns", 3, 0, EVENT_GAUGE, QUALITY_EXACT},
    {"cpu-system", "ns", 3, 0, EVENT_GAUGE, QUALITY_EXACT},
    {"cpu-irq", "ns", 3, 0, EVENT_GAUGE, QUALITY_EXACT},
    {"cpu-steal", "ns", 3, 0, EVENT_GAUGE, QUALITY_EXACT},
    {"cpu-iowait", "ns", 3, 0, EVENT_GAUGE, QUALITY_EXACT},
    {"cpu-idle", "ns", 3, 0, EVENT_GAUGE, QUALITY_EXACT},
};

#define N_SLOTS 3 // the total, CPU 0, and CPU 1, which is offline
static struct event_table events;
static struct history *history;
static struct totals totals;

static void fill(struct sum row[N_SLOTS * N_EVENTS], double times, bool first)
{
    for (size_t i = 0; i < N_SLOTS * N_EVENTS; i++) {
        size_t e = i % N_EVENTS;

        row[i] =
            i / N_EVENTS == 2 ? SUM_NONE : (struct sum){.raw = 1e9, .enabled = 1e9, .running = 1e9};
        if (e >= USER && i < 2 * N_EVENTS)
            row[i] = (struct sum){.raw = first           ? 0
                                         : e == USER + 5 ? 9e8 * times
                                         : e == USER     ? 1e8 * times
                                                         : 0};
        if (e == INSTRUCTIONS)
            row[i].raw *= 1.5;
        if (e == MISSES && i < 2 * N_EVENTS)
            row[i] = (struct sum){.raw = 3e5, .enabled = 1e9, .running = 7.5e8};
        if (e == SWITCHES)
            row[i].raw = i < 2 * N_EVENTS ? 1234 : NAN;
    }
}

static int set_up(void **state)
{
    struct sum row[N_SLOTS * N_EVENTS];

    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    for (size_t i = 0; i < N_EVENTS; i++) {
        struct event e = {.type = described[i].type,
                          .kind = described[i].kind,
                          .group = described[i].group,
                          .availability = described[i].availability};

        snprintf(e.name, sizeof(e.name), "%s", described[i].name);
        snprintf(e.unit, sizeof(e.unit), "%s", described[i].unit);
        if (i == BRANCHES)
            snprintf(e.why, sizeof(e.why), "branches: \"no\" such counter");
        assert_int_equal(event_table_add(&events, &e), (int)i);
    }
    assert_int_equal(history_new(&events, N_SLOTS, SCOPE_CPU, 16, SIZE_MAX, &history), 0);
    assert_int_equal(totals_init(&totals, &events, SCOPE_CPU, N_SLOTS), 0);
    fill(row, 0, true);
    history_push(history, &(struct interval){.timestamp_ms = 1, .sums = row});
    for (int i = 1; i <= 2; i++) {
        fill(row, i, false);
        history_push(history, &(struct interval){.timestamp_ms = 1700000000123 + i * 1000,
                                                 .seconds = 1,
                                                 .sums = row});
        totals_add(&totals, row, 1);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    totals_done(&totals);
    history_free(history);
    event_table_done(&events);
    return 0;
}

static void a_line_has_the_columns_that_exist(void **state)
{
    struct stat_table t;
    struct buf b = {0};

    (void)state;
    assert_int_equal(stat_table_init(&t, history, false, 1000), 0);
    assert_true(stat_table_fit(&t, 0));
    assert_false(stat_table_fit(&t, 0));
    stat_table_header(&t, &b);
    stat_table_line(&t, history, 2, &b);
    assert_buf(&b, "    time  CPU use     IPC  cycles  instr.  switches  Branch MPKI  "
                   "branch-misses  task-clock  counted\n"
                   "                %              /s      /s        /s                          "
                   "/s         s/s        %\n"
                   "22:13:21     10.0    1.50   1.00G   1.50G     1.23k            -          "
                   "400k~        1.00       75\n");
    buf_done(&b);
    stat_table_done(&t);
}

static void each_cpu_has_a_line(void **state)
{
    struct stat_table t;
    struct buf b = {0};

    (void)state;
    assert_int_equal(stat_table_init(&t, history, false, 1000), 0);
    stat_table_fit(&t, 40);
    stat_table_line(&t, history, 2, &b);
    assert_int_equal(stat_table_cpu_lines(&t, history, 2, &b), 1); // the other is offline
    assert_buf(&b, "22:13:21     10.0    1.50\n"
                   "    CPU0     10.0    1.50\n");
    buf_done(&b);
    stat_table_done(&t);
}

static void a_narrow_terminal_has_the_first_of_them(void **state)
{
    struct stat_table t;
    struct buf b = {0};

    (void)state;
    assert_int_equal(stat_table_init(&t, history, false, 100), 0);
    assert_true(stat_table_fit(&t, 40));
    stat_table_header(&t, &b);
    stat_table_line(&t, history, 3, &b);
    assert_buf(&b, "        time  CPU use     IPC  counted\n"
                   "                    %                %\n"
                   "22:13:22.123     10.0    1.50\n");
    for (const char *line = b.data; line < b.data + b.size; line = strchr(line, '\n') + 1)
        assert_true(strcspn(line, "\n") <= 40);
    assert_true(stat_table_fit(&t, 50));
    assert_true(stat_table_fit(&t, 1));
    assert_int_equal(t.n_shown, 1);
    buf_done(&b);
    stat_table_done(&t);
}

static void what_was_asked_for_comes_first_and_once(void **state)
{
    struct stat_table t;

    (void)state;
    assert_int_equal(stat_table_init(&t, history, true, 1000), 0);
    stat_table_fit(&t, 0);
    {
        struct buf b = {0};

        stat_table_header(&t, &b);
        assert_buf(&b, "    time  cycles  instructions  branch-misses  context-switches  "
                       "task-clock  CPU use     IPC  Branch MPKI  counted\n"
                       "              /s            /s             /s                /s         "
                       "s/s        %                             %\n");
        buf_done(&b);
    }
    stat_table_done(&t);
}

static void the_summary_is_perf_stats(void **state)
{
    struct stat_run run = {.target = "process 1 (a\x1b[31m)",
                           .user_seconds = 0.25,
                           .system_seconds = NAN,
                           .machine = true,
                           .status = -1};
    struct buf b = {0};

    (void)state;
    stat_text(&totals, &run, &b);
    assert_buf(&b, "\n"
                   "Counted: process 1 (a?[31m)\n"
                   "\n"
                   "  2,000,000,000     cycles            #   0.667     CPI\n"
                   "                                      #    1.00 GHz Cycles per second\n"
                   "  3,000,000,000     instructions      #    1.50     IPC\n"
                   "                                      #   1.50G /s  Instructions\n"
                   "<not supported>     branches\n"
                   "        800,000     branch-misses     (75.0 %)\n"
                   "          2,468     context-switches  #   1.23k /s  Context switches\n"
                   "       2,000.00 ms  task-clock\n"
                   "\n"
                   "           10.0 %  CPU use\n"
                   "       2.000000 s  elapsed\n"
                   "       0.250000 s  user\n");
    buf_done(&b);
}

static void what_a_stream_calls_its_events_does_not_steer_a_terminal(void **state)
{
    struct event e = {.name = "\x1b[31mred\n",
                      .unit = "\xc2\x9b"
                              "2J",
                      .group = -1};
    struct stat_run run = {.target = "", .user_seconds = NAN, .system_seconds = NAN};
    struct event_table table = {0};
    struct totals t;
    struct buf b = {0};

    (void)state;
    assert_int_equal(event_table_add(&table, &e), 0);
    assert_int_equal(totals_init(&t, &table, SCOPE_CPU, 1), 0);
    totals_add(&t, &(struct sum){5, 1e9, 1e9}, 1);
    stat_text(&t, &run, &b);
    assert_buf(&b, "\n"
                   "Counted: \n"
                   "\n"
                   "              5 ??2J  ?[31mred?\n"
                   "\n"
                   "       1.000000 s  elapsed\n");
    buf_done(&b);
    totals_done(&t);
    event_table_done(&table);
}

static void the_summary_of_each_cpu(void **state)
{
    struct stat_run run = {
        .target = "CPUs 0", .user_seconds = NAN, .system_seconds = NAN, .per_cpu = true};
    struct buf b = {0};

    (void)state;
    stat_text(&totals, &run, &b);
    assert_buf(&b, "\n"
                   "Counted: CPUs 0\n"
                   "\n"
                   "CPU0      2,000,000,000     cycles            #   0.667     CPI\n"
                   "                                              #    1.00 GHz Cycles per second\n"
                   "CPU0      3,000,000,000     instructions      #    1.50     IPC\n"
                   "                                              #   1.50G /s  Instructions\n"
                   "        <not supported>     branches\n"
                   "CPU0            800,000     branch-misses     (75.0 %)\n"
                   "CPU0              2,468     context-switches  #   1.23k /s  Context switches\n"
                   "CPU0           2,000.00 ms  task-clock\n"
                   "\n"
                   "       2.000000 s  elapsed\n");
    buf_done(&b);
}

static void an_interval_as_json(void **state)
{
    struct buf b = {0};

    (void)state;
    stat_json_interval(history, 2, true, &b);
    buf_putc(&b, '\0');
    assert_contains(b.data, "{\"timestamp\":1700000001123,\"seconds\":1,\"cycles\":1000000000,"
                            "\"instructions\":1500000000,\"branches\":null,");
    assert_contains(b.data, "\"cpi\":0.666667,\"ipc\":1.5,");
    assert_contains(b.data, "\"cpu_use\":0.1,");
    assert_contains(b.data, "\"quality\":{\"branches\":\"not supported\","
                            "\"branch_misses\":\"scaled 75\"");
    assert_contains(b.data, "},\"cpus\":{\"0\":{\"cycles\":1000000000,");
    assert_null(strstr(b.data, "\"1\":{")); // offline
    assert_contains(b.data, "}}}}\n");
    buf_done(&b);
}

static void a_summary_as_json(void **state)
{
    struct stat_run run = {.target = "command 'a\"b'",
                           .user_seconds = 0.25,
                           .system_seconds = NAN,
                           .per_cpu = true,
                           .status = 3};
    struct buf b = {0};

    (void)state;
    stat_json_summary(&totals, &run, &b);
    buf_putc(&b, '\0');
    assert_contains(b.data, "{\"summary\":{\"target\":\"command 'a\\\"b'\",\"seconds\":2,"
                            "\"user_seconds\":0.25,\"system_seconds\":null,\"intervals\":2,"
                            "\"exit_status\":3,\"columns\":{\"cycles\":{\"value\":2000000000,"
                            "\"quality\":\"exact\",\"name\":\"cycles\",\"unit\":\"\",\"cpus\":"
                            "{\"0\":{\"value\":2000000000,\"quality\":\"exact\"}}},");
    assert_contains(b.data, "\"branches\":{\"value\":null,\"quality\":\"not supported\","
                            "\"name\":\"branches\",\"unit\":\"\","
                            "\"why\":\"branches: \\\"no\\\" such counter\",\"cpus\":{}}");
    assert_contains(b.data, "\"branch_misses\":{\"value\":800000,\"quality\":\"scaled\","
                            "\"running\":75,");
    assert_contains(b.data, "\"ipc\":{\"value\":1.5,\"quality\":\"exact\",\"name\":\"IPC\","
                            "\"unit\":\"instructions per cycle\"");
    assert_contains(b.data, "}}}\n");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_the_columns_that_exist),
        cmocka_unit_test(each_cpu_has_a_line),
        cmocka_unit_test(a_narrow_terminal_has_the_first_of_them),
        cmocka_unit_test(what_was_asked_for_comes_first_and_once),
        cmocka_unit_test(the_summary_is_perf_stats),
        cmocka_unit_test(what_a_stream_calls_its_events_does_not_steer_a_terminal),
        cmocka_unit_test(the_summary_of_each_cpu),
        cmocka_unit_test(an_interval_as_json),
        cmocka_unit_test(a_summary_as_json),
    };

    return cmocka_run_group_tests_name("stat output", tests, set_up, tear_down);
}
