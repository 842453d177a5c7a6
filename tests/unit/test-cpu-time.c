// SPDX-License-Identifier: Apache-2.0
#include "collect/cpu_time.h"

#include "unit.h"

#define TICK 10000000.0 // ns of a USER_HZ tick

enum { USER, SYSTEM, IOWAIT, IRQ, STEAL, IDLE };

static char root[64];
static struct event_table events;
static struct readings readings;
static struct cpu_time cpu_time = {.fd = -1};
static int cpus[] = {0, 1};
static struct target target;

static int set_up(void **state)
{
    (void)state;
    scratch_init(root);
    target = (struct target){
        .kind = TARGET_SYSTEM, .cpus = cpus, .n_cpus = 2, .n_possible = 3, .ends = -1};
    return sysconf(_SC_CLK_TCK) == 100 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    cpu_time_close(&cpu_time);
    readings_done(&readings);
    event_table_done(&events);
    scratch_done(root);
    return 0;
}

static void start(const char *stat)
{
    size_t first;

    // Gauges need not be the first events.
    event_table_add(&events, &(struct event){.name = "cycles", .group = -1});
    assert_int_equal(cpu_time_describe(&events, &first), 0);
    assert_int_equal(first, 1);
    assert_int_equal(readings_init(&readings, &events, target_rows(&target), target_scope(&target)),
                     0);
    scratch_write(root, "proc/stat", stat);
    assert_int_equal(cpu_time_open(&cpu_time, root, first, &target), 0);
    cpu_time_start(&cpu_time, &readings);
    readings_advance(&readings);
}

static void later(const char *stat)
{
    readings_advance(&readings);
    scratch_write(root, "proc/stat", stat);
    cpu_time_read(&cpu_time, &readings);
}

static size_t cell(size_t gauge, size_t row)
{
    return (1 + gauge) * readings.n_rows + row;
}

static double ticks(size_t gauge, size_t row)
{
    return (double)readings.now[cell(gauge, row)].value / TICK;
}

static void gauges_are_described(void **state)
{
    static const char *const columns[] = {"cpu_user", "cpu_system", "cpu_iowait",
                                          "cpu_irq",  "cpu_steal",  "cpu_idle"};

    (void)state;
    start("cpu  0 0 0 0 0 0 0 0 0 0\n");
    for (size_t i = 0; i < CPU_TIME_STATES; i++) {
        const struct event *e = &events.events[1 + i];

        assert_string_equal(e->column, columns[i]);
        assert_int_equal(e->kind, EVENT_GAUGE);
        assert_string_equal(e->unit, "ns");
        assert_int_equal(e->group, events.events[1].group);
        assert_int_equal(e->availability, QUALITY_EXACT);
    }
    assert_true(events.events[1].group != events.events[0].group);
}

static void the_start_is_zero_and_states_are_mapped(void **state)
{
    (void)state;
    start("cpu  0 0 0 0 0 0 0 0 0 0\n"
          "cpu0 1000 100 500 9000 70 11 13 17 5 1\n"
          "cpu1 0 0 0 0 0 0 0 0 0 0\n"
          "intr 1\n");
    for (size_t i = 0; i < CPU_TIME_STATES; i++)
        assert_true(ticks(i, 0) == 0);
    // user nice system idle iowait irq softirq steal guest guest_nice
    later("cpu  0 0 0 0 0 0 0 0 0 0\n"
          "cpu0 1001 102 504 9008 86 43 77 145 261 513\n"
          "cpu1 1 2 4 8 16 32 64 128 0 0\n");
    assert_near(ticks(USER, 0), 1 + 2); // with nice; guest is in user already
    assert_near(ticks(SYSTEM, 0), 4);
    assert_near(ticks(IDLE, 0), 8);
    assert_near(ticks(IOWAIT, 0), 16);
    assert_near(ticks(IRQ, 0), 32 + 64); // hard and soft
    assert_near(ticks(STEAL, 0), 128);
    assert_near(ticks(USER, 1), 3);
}

static void values_never_go_backwards(void **state)
{
    (void)state;
    start("cpu  0 0 0 0\ncpu0 0 0 0 1000 100 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\n");
    later("cpu  0 0 0 0\ncpu0 0 0 0 1010 105 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\n");
    later("cpu  0 0 0 0\ncpu0 0 0 0 1005 90 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\n");
    assert_near(ticks(IDLE, 0), 10);
    assert_near(ticks(IOWAIT, 0), 5);
    later("cpu  0 0 0 0\ncpu0 0 0 0 1012 107 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\n");
    assert_near(ticks(IDLE, 0), 12);
    assert_near(ticks(IOWAIT, 0), 7);
}

static void a_cpu_that_is_not_in_the_file_is_not_read(void **state)
{
    (void)state;
    start("cpu  0 0 0 0\ncpu0 5 0 0 0 0 0 0 0 0 0\ncpu1 5 0 0 0 0 0 0 0 0 0\n");
    later("cpu  0 0 0 0\ncpu0 9 0 0 0 0 0 0 0 0 0\nintr 5\ncpu1 7 0 0 0 0 0 0 0 0 0\n");
    assert_true(readings.fresh[cell(USER, 0)]);
    assert_false(readings.fresh[cell(USER, 1)]);
    assert_false(readings.seen[cell(USER, 2)]);
}

static void a_cpu_that_was_not_asked_for_is_not_read(void **state)
{
    (void)state;
    target.n_cpus = 1;
    target.kind = TARGET_CPUS;
    start("cpu  0 0 0 0\ncpu0 5 0 0 0 0 0 0 0 0 0\ncpu1 5 0 0 0 0 0 0 0 0 0\n");
    later("cpu  0 0 0 0\ncpu0 9 0 0 0 0 0 0 0 0 0\ncpu1 7 0 0 0 0 0 0 0 0 0\ncpu99 1 1 1 1\n");
    assert_near(ticks(USER, 0), 4);
    assert_false(readings.seen[cell(USER, 1)]);
}

// What it did before we started, or before it came, is no part of this run.
static void a_cpu_that_comes_later_begins_at_zero(void **state)
{
    struct sum sums[1 + CPU_TIME_STATES];

    (void)state;
    start("cpu  0 0 0 0\ncpu0 5 0 0 0 0 0 0 0 0 0\n");
    later("cpu  0 0 0 0\ncpu0 9 0 0 0 0 0 0 0 0 0\ncpu1 90000 0 0 0 0 0 0 0 0 0\n");
    assert_near(ticks(USER, 1), 0);
    readings_sums(&readings, 1, sums);
    assert_near(sums[1 + USER].raw / TICK, 4);
    later("cpu  0 0 0 0\ncpu0 9 0 0 0 0 0 0 0 0 0\ncpu1 90003 0 0 0 0 0 0 0 0 0\n");
    assert_near(ticks(USER, 1), 3);
}

// Of the rest of the file, behind an interrupts' line that is longer than all.
static void the_rest_is_known_where_it_is_there(void **state)
{
    static char text[100000];
    size_t n = (size_t)snprintf(text, sizeof(text), "cpu  0 0 0 0\ncpu0 1 1 1 1\nintr 7");

    (void)state;
    while (n < sizeof(text) - 1000)
        n += (size_t)snprintf(text + n, sizeof(text) - n, " 0");
    snprintf(text + n, sizeof(text) - n,
             "\nctxt 5\nbtime 6\nprocesses 4711\nprocs_running 3\nprocs_blocked 1\nsoftirq 9 9\n");
    start(text);
    assert_int_equal(cpu_time.runnable, 3);
    assert_int_equal(cpu_time.forks, 4711);
    later("cpu  0 0 0 0\ncpu0 1 1 1 1\n");
    assert_int_equal(cpu_time.runnable, -1);
    assert_int_equal(cpu_time.forks, 0);
}

static void other_cpus_are_another_number(void **state)
{
    uint64_t one, two, three;

    (void)state;
    start("cpu  0 0 0 0\ncpu0 1 1 1 1\nintr 5\n");
    one = cpu_time.cpus_seen;
    later("cpu  9 0 0 0\ncpu0 2 1 1 1\nintr 6\n");
    assert_true(one && cpu_time.cpus_seen == one);
    later("cpu  9 0 0 0\ncpu1 2 1 1 1\nintr 6\n");
    two = cpu_time.cpus_seen;
    later("cpu  9 0 0 0\ncpu0 2 1 1 1\ncpu1 2 1 1 1\nintr 6\n");
    three = cpu_time.cpus_seen;
    assert_true(one != two && two != three && one != three);
    later("");
    assert_int_equal(cpu_time.cpus_seen, 0);
}

static void a_process_gets_the_machines_total(void **state)
{
    struct target_thread threads[2] = {{.tid = 1}, {.tid = 2}};

    (void)state;
    target.kind = TARGET_PROCESS;
    target.threads = threads;
    target.n_threads = 2;
    start("cpu  10 0 0 100 0 0 0 0 0 0\ncpu0 5 0 0 0 0 0 0 0 0 0\n");
    later("cpu  17 0 0 120 0 0 0 0 0 0\ncpu0 9 0 0 0 0 0 0 0 0 0\n");
    assert_near(ticks(USER, 0), 7);
    assert_near(ticks(IDLE, 0), 20);
    assert_false(readings.seen[cell(USER, 1)]);
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
    struct cpu_time c;

    (void)state;
    assert_int_equal(cpu_time_open(&c, fixture("empty"), 0, &target), -ENOENT);
    assert_int_equal(c.fd, -1);
    cpu_time_close(&c);
}

static void a_real_file_is_read_to_its_last_cpu(void **state)
{
    static int online[] = {0, 2, 3};
    struct cpu_time c;

    (void)state;
    target = (struct target){.cpus = online, .n_cpus = 3, .n_possible = 4, .ends = -1};
    event_table_add(&events, &(struct event){.name = "cycles", .group = -1});
    assert_int_equal(cpu_time_describe(&events, &(size_t){0}), 0);
    assert_int_equal(readings_init(&readings, &events, 4, SCOPE_CPU), 0);
    assert_int_equal(cpu_time_open(&c, fixture("x86-kvm"), 1, &target), 0);
    cpu_time_read(&c, &readings);
    assert_true(readings.fresh[cell(IDLE, 3)] && readings.fresh[cell(IDLE, 2)]);
    assert_false(readings.fresh[cell(IDLE, 1)]);
    assert_int_equal(c.runnable, -1);
    assert_int_equal(c.forks, 4321);
    cpu_time_close(&c);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(gauges_are_described),
        TEST(the_start_is_zero_and_states_are_mapped),
        TEST(values_never_go_backwards),
        TEST(a_cpu_that_is_not_in_the_file_is_not_read),
        TEST(a_cpu_that_was_not_asked_for_is_not_read),
        TEST(a_cpu_that_comes_later_begins_at_zero),
        TEST(the_rest_is_known_where_it_is_there),
        TEST(other_cpus_are_another_number),
        TEST(a_process_gets_the_machines_total),
        TEST(a_file_that_is_not_there_is_an_error),
        TEST(a_real_file_is_read_to_its_last_cpu),
    };

    return cmocka_run_group_tests_name("cpu-time", tests, NULL, NULL);
}
