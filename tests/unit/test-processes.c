// SPDX-License-Identifier: Apache-2.0
#include "history/processes.h"

#include "unit.h"

#include "history/note.h"

static struct processes *p;
static struct process_span span;

static int set_up(void **state)
{
    (void)state;
    return processes_new(&p);
}

static int tear_down(void **state)
{
    (void)state;
    free(span.totals);
    span = (struct process_span){0};
    processes_free(p);
    return 0;
}

static void take(int64_t from, int64_t to)
{
    free(span.totals);
    assert_int_equal(processes_span(p, from, to, &span), 0);
    process_span_sort(&span);
}

static void a_span_is_added_up_by_process(void **state)
{
    (void)state;
    for (int i = 1; i <= 10; i++) {
        processes_second(p, 1000 * i, 1.01, 3);
        processes_add(p, 7, "busy", 500000000, 0);
        if (i == 3 || i == 5)
            processes_add(p, 9, "rare", 2000000, i == 3 ? PROCESSES_BORN : PROCESSES_ENDED);
    }
    take(2000, 6000);
    assert_int_equal(span.n, 2);
    assert_near(span.seconds, 5.05);
    assert_int_equal(span.forks, 15);
    assert_int_equal(span.from_ms, 2000);
    assert_int_equal(span.to_ms, 6000);
    assert_int_equal(span.totals[0].pid, 7);
    assert_near(span.totals[0].cpu_ms, 2500);
    assert_string_equal(span.totals[1].comm, "rare");
    assert_near(span.totals[1].cpu_ms, 4);
    assert_int_equal(span.totals[1].first_ms, 3000);
    assert_int_equal(span.totals[1].last_ms, 5000);
    assert_int_equal(span.totals[1].what, PROCESSES_BORN | PROCESSES_ENDED);
    assert_near(span.cpu_ms, 2504);
    take(20000, 30000);
    assert_int_equal(span.n, 0);
    assert_int_equal(span.to_ms, 0);
}

// A PID that has another name is listed for each: an exec, or another process.
static void a_name_tells_processes_of_one_pid_apart(void **state)
{
    (void)state;
    processes_second(p, 1000, 1, 0);
    processes_add(p, 7, "sh", 1000, 0);
    processes_second(p, 1000, 0, 0); // the same second goes on
    processes_add(p, 7, "make", 5000, 0);
    take(0, 5000);
    assert_int_equal(span.n, 2);
    assert_string_equal(span.totals[0].comm, "make");
    assert_near(span.seconds, 1);
}

static void an_hour_is_held_and_no_more(void **state)
{
    (void)state;
    for (int i = 1; i <= PROCESSES_SECONDS_MAX + 50; i++) {
        processes_second(p, 1000 * i, 1, 0);
        processes_add(p, 1, "one", 1000000, 0);
    }
    take(0, INT64_MAX);
    assert_int_equal(span.from_ms, 51000);
    assert_near(span.seconds, PROCESSES_SECONDS_MAX);
    assert_near(span.totals[0].cpu_ms, PROCESSES_SECONDS_MAX);
}

static void entries_names_and_totals_are_bounded(void **state)
{
    char name[32];

    (void)state;
    for (int s = 1; s <= 40; s++) {
        processes_second(p, 1000 * s, 1, 0);
        for (unsigned i = 0; i < 20000; i++) {
            snprintf(name, sizeof(name), "name %u", i % 500 + (unsigned)s * 100);
            processes_add(p, i, name, 1000, 0);
        }
    }
    take(0, INT64_MAX);
    // Whole seconds go: 13 of them fit.
    assert_near(span.seconds, 13);
    assert_int_equal(span.n, PROCESSES_TOTALS_MAX);
    assert_true(span.truncated);
    processes_second(p, 50000, 1, 0);
    for (unsigned i = 0; i < 2 * PROCESSES_ENTRIES_MAX; i++) {
        snprintf(name, sizeof(name), "other %u", i % 9000);
        processes_add(p, i, name, 1000, 0);
    }
    take(50000, INT64_MAX);
    assert_near(span.seconds, 1);
    take(0, 49999);
    assert_int_equal(span.n, 0);
}

// PIDs that differ in their upper bits only, as a hostile stream may choose them: with a hash that
// these fool, each of these questions takes as long as the whole test may.
static void no_pids_make_a_question_slow(void **state)
{
    (void)state;
    for (uint32_t second = 0; second < 16; second++) {
        processes_second(p, 1000 + second, 1, 0);
        for (uint32_t i = 1; i <= PROCESSES_TOTALS_MAX; i++)
            processes_add(p, i << 16, "x", 1000, 0);
    }
    for (int i = 0; i < 20; i++) {
        take(0, 5000);
        assert_int_equal(span.n, PROCESSES_TOTALS_MAX);
    }
    assert_near(span.totals[0].cpu_ms, 0.016);
}

static void nothing_is_added_before_a_second_began(void **state)
{
    (void)state;
    processes_add(p, 1, "one", 1000000, 0);
    take(0, INT64_MAX);
    assert_int_equal(span.n, 0);
}

static void notes_are_understood_or_left_out(void **state)
{
    static const char *const notes[] = {
        "{\"cs\":\"processes\",\"timestamp\":1000,\"seconds\":1.5,\"forks\":4,\"list\":"
        "[[7,2000000,\"a\\ufffd<\",1],[8,1000000,\"b\",2]]}",
        "{\"cs\":\"processes\",\"timestamp\":1000,\"seconds\":0,\"forks\":0,\"list\":"
        "[[],7,[1],[-1,1,\"x\",0],[1,-1,\"x\",0],[1,1,2,0],[1,1.5,\"x\",0],[99999999999,1,\"x\",0],"
        "[9,3000000,\"c\",255]]}",
        "{\"cs\":\"processes\",\"timestamp\":-5,\"list\":[[1,1,\"x\",0]]}",
        "{\"cs\":\"processes\",\"timestamp\":\"x\",\"list\":{}}",
        "{\"cs\":\"processes\"}",
    };
    struct session session;
    struct note_effect effect;

    (void)state;
    assert_int_equal(session_init(&session), 0);
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
        assert_true(note_apply(&session, NULL, 0, notes[i], strlen(notes[i]), &effect));
    free(span.totals);
    assert_int_equal(processes_span(session.processes, 0, INT64_MAX, &span), 0);
    process_span_sort(&span);
    assert_int_equal(span.n, 3);
    assert_near(span.seconds, 1.5);
    assert_int_equal(span.forks, 4);
    assert_string_equal(span.totals[0].comm, "c");
    assert_int_equal(span.totals[0].what, 3);
    assert_string_equal(span.totals[1].comm, "a\xef\xbf\xbd<");
    session_done(&session);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_span_is_added_up_by_process),    TEST(a_name_tells_processes_of_one_pid_apart),
        TEST(an_hour_is_held_and_no_more),      TEST(entries_names_and_totals_are_bounded),
        TEST(no_pids_make_a_question_slow),     TEST(nothing_is_added_before_a_second_began),
        TEST(notes_are_understood_or_left_out),
    };

    return cmocka_run_group_tests_name("processes", tests, NULL, NULL);
}
