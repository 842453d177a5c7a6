// SPDX-License-Identifier: Apache-2.0
#include "collect/pressure.h"

#include "unit.h"

enum { RUN_DELAY, RUN_QUEUE, CPU_SOME, IO_SOME, IO_FULL, MEMORY_SOME, MEMORY_FULL };

static char root[64];
static struct event_table events;
static struct readings readings;
static struct pressure pressure;
static int cpus[] = {0, 1};
static struct target target;

static int set_up(void **state)
{
    (void)state;
    scratch_init(root);
    pressure = PRESSURE_NONE;
    target = (struct target){
        .kind = TARGET_SYSTEM, .cpus = cpus, .n_cpus = 2, .n_possible = 3, .ends = -1};
    event_table_add(&events, &(struct event){.name = "cycles", .group = -1});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pressure_close(&pressure);
    readings_done(&readings);
    event_table_done(&events);
    scratch_done(root);
    return 0;
}

static void write_psi(const char *path, unsigned some, unsigned full)
{
    char text[256];

    snprintf(text, sizeof(text),
             "some avg10=0.00 avg60=1.00 avg300=2.00 total=%u\n"
             "full avg10=0.00 avg60=0.00 avg300=0.00 total=%u\n",
             some, full);
    scratch_write(root, path, text);
}

static void write_all(unsigned delay, unsigned stalled)
{
    char text[512];

    snprintf(text, sizeof(text),
             "version 15\ntimestamp 4294937296\n"
             "cpu0 0 0 0 0 0 0 900000 %u 55\ndomain0 03 1 2 3 4 5 6 7 8 9\n"
             "cpu1 0 0 0 0 0 0 700000 %u 44\ndomain0 03 1 2 3 4 5 6 7 8 9\n",
             delay, 2 * delay);
    scratch_write(root, "proc/schedstat", text);
    write_psi("proc/pressure/cpu", stalled, 0);
    write_psi("proc/pressure/io", 2 * stalled, 3 * stalled);
    write_psi("proc/pressure/memory", 4 * stalled, 5 * stalled);
}

static void start(void)
{
    assert_int_equal(pressure_open(&pressure, root, &events, &target), 0);
    assert_int_equal(events.n, 1 + PRESSURE_GAUGES);
    assert_int_equal(readings_init(&readings, &events, target_rows(&target), target_scope(&target)),
                     0);
    pressure_start(&pressure, &readings, NS_PER_SEC);
    readings_advance(&readings);
}

static uint64_t gauge(size_t i, size_t row)
{
    return readings.now[(1 + i) * readings.n_rows + row].value;
}

static bool was_read(size_t i, size_t row)
{
    return readings.fresh[(1 + i) * readings.n_rows + row];
}

static void figures_count_from_the_start(void **state)
{
    struct sum sums[4][1 + PRESSURE_GAUGES];

    (void)state;
    write_all(1000, 100);
    start();
    for (size_t i = 0; i < PRESSURE_GAUGES; i++)
        assert_int_equal(gauge(i, 0), 0);
    write_all(1700, 150);
    pressure_read(&pressure, &readings, NS_PER_SEC + 100 * NS_PER_MS, 4);
    assert_int_equal(gauge(RUN_DELAY, 0), 700);
    assert_int_equal(gauge(RUN_DELAY, 1), 1400);
    assert_false(was_read(RUN_DELAY, 2));
    // Three others for 100 ms.
    assert_int_equal(gauge(RUN_QUEUE, 0), 300 * NS_PER_MS);
    assert_int_equal(gauge(CPU_SOME, 0), 50 * 1000);
    assert_int_equal(gauge(IO_SOME, 0), 100 * 1000);
    assert_int_equal(gauge(IO_FULL, 0), 150 * 1000);
    assert_int_equal(gauge(MEMORY_SOME, 0), 200 * 1000);
    assert_int_equal(gauge(MEMORY_FULL, 0), 250 * 1000);
    // The total of what is per CPU; totals are not a CPU's.
    readings_sums(&readings, 4, &sums[0][0]);
    assert_near(sums[0][1 + RUN_DELAY].raw, 2100);
    assert_near(sums[2][1 + RUN_DELAY].raw, 1400);
    assert_near(sums[0][1 + CPU_SOME].raw, 50000);
    assert_nan(sums[1][1 + CPU_SOME].raw);
}

static void we_are_no_part_of_the_queue(void **state)
{
    (void)state;
    write_all(0, 0);
    start();
    pressure_read(&pressure, &readings, 2 * NS_PER_SEC, 1);
    assert_int_equal(gauge(RUN_QUEUE, 0), 0);
    pressure_read(&pressure, &readings, 3 * NS_PER_SEC, 2);
    assert_int_equal(gauge(RUN_QUEUE, 0), NS_PER_SEC);
}

static void what_is_not_there_says_why(void **state)
{
    (void)state;
    scratch_write(root, "proc/pressure/io", ""); // opens, and gives nothing
    start();
    for (size_t i = 0; i < PRESSURE_GAUGES; i++) {
        const struct event *e = &events.events[1 + i];

        assert_int_equal(e->kind, EVENT_GAUGE);
        assert_int_equal(e->group, events.events[1].group);
        assert_int_equal(e->total_only, i != RUN_DELAY);
        assert_int_equal(e->availability, i == RUN_QUEUE ? QUALITY_EXACT : QUALITY_NOT_SUPPORTED);
        if (i != RUN_QUEUE)
            assert_contains(e->why, i == RUN_DELAY ? "CONFIG_SCHEDSTATS" : "psi=1");
        assert_int_equal(readings.seen[(1 + i) * readings.n_rows], i == RUN_QUEUE);
    }
}

static void garbage_is_not_a_figure(void **state)
{
    (void)state;
    write_all(1, 1);
    start();
    scratch_write(root, "proc/schedstat", "cpu\ncpu999999 1\n\n\ncpu1");
    scratch_write(root, "proc/pressure/cpu", "some avg10=0\n");
    readings_advance(&readings);
    pressure_read(&pressure, &readings, 2 * NS_PER_SEC, -1);
    assert_false(was_read(RUN_QUEUE, 0));
    assert_false(was_read(CPU_SOME, 0));
    for (size_t i = 0; i < PRESSURE_GAUGES; i++)
        assert_true(gauge(i, 0) < NS_PER_SEC);
}

// Its places are threads: the machine's figures stand in the first.
static void a_process_gets_the_machines_sum(void **state)
{
    struct target_thread threads[] = {{.tid = 1}, {.tid = 2}};

    (void)state;
    target.kind = TARGET_PROCESS;
    target.threads = threads;
    target.n_threads = 2;
    write_all(1000, 1);
    start();
    write_all(1500, 2);
    pressure_read(&pressure, &readings, 2 * NS_PER_SEC, 1);
    assert_int_equal(gauge(RUN_DELAY, 0), 1500);
    assert_false(was_read(RUN_DELAY, 1));
    assert_int_equal(gauge(CPU_SOME, 0), 1000);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(figures_count_from_the_start),    TEST(we_are_no_part_of_the_queue),
        TEST(what_is_not_there_says_why),      TEST(garbage_is_not_a_figure),
        TEST(a_process_gets_the_machines_sum),
    };

    return cmocka_run_group_tests_name("pressure", tests, NULL, NULL);
}
