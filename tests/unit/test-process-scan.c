// SPDX-License-Identifier: Apache-2.0
#include "collect/process_scan.h"

#include "unit.h"

#include "collect/notes.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#define PIDS 1300

static char root[64];
static struct process_scan *scan;
static uint64_t clocks[PIDS]; // ns; 0: there is no such process
static ns_t now;

static int fake_clock(pid_t pid, uint64_t *ret)
{
    if (pid >= PIDS || !clocks[pid])
        return -ESRCH;
    *ret = clocks[pid];
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    scratch_init(root);
    memset(clocks, 0, sizeof(clocks));
    scratch_write(root, "proc/self/stat", "not a PID");
    scratch_write(root, "proc/1x", "nor this");
    now = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    process_scan_free(scan);
    scan = NULL;
    scratch_done(root);
    return 0;
}

static void process(pid_t pid, const char *comm, pid_t parent, unsigned started, uint64_t cpu)
{
    char path[64], text[256];

    snprintf(path, sizeof(path), "proc/%d/stat", pid);
    snprintf(text, sizeof(text), "%d (%s) S %d 1 1 0 -1 4 0 0 0 0 1 2 3 4 20 0 1 0 %u 99 9\n", pid,
             comm, parent, started);
    scratch_write(root, path, text);
    clocks[pid] = cpu;
}

static void gone(pid_t pid)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/proc/%d", root, pid);
    scratch_done(path);
    clocks[pid] = 0;
}

static void start(pid_t tree)
{
    assert_int_equal(process_scan_new(root, &tree, tree != 0, fake_clock, &scan), 0);
    process_scan_started(scan, 100);
    now = NS_PER_SEC;
    assert_false(process_scan_step(scan, now, NS_PER_SEC)); // nothing to compare with yet
}

static size_t step(void)
{
    size_t n;

    now += NS_PER_SEC;
    assert_true(process_scan_step(scan, now, NS_PER_SEC));
    process_scan_changes(scan, &n);
    return n;
}

static const struct process_change *of(pid_t pid, unsigned what)
{
    size_t n;
    const struct process_change *c = process_scan_changes(scan, &n);

    for (size_t i = 0; i < n; i++)
        if (c[i].pid == pid && c[i].what == what)
            return &c[i];
    return NULL;
}

static void those_that_ran_are_told(void **state)
{
    (void)state;
    process(1, "init", 0, 1, 5000);
    process(7, "idle", 1, 2, 700);
    process(9, "busy", 1, 3, 100);
    start(0);
    clocks[9] = 350;
    clocks[1] = 5001;
    assert_int_equal(step(), 2);
    assert_int_equal(of(9, 0)->cpu_ns, 250);
    assert_string_equal(of(9, 0)->comm, "busy");
    assert_int_equal(of(1, 0)->cpu_ns, 1);
    assert_int_equal(step(), 0);
}

static void births_deaths_and_forks_are_told(void **state)
{
    (void)state;
    process(1, "init", 0, 1, 5000);
    process(7, "mortal", 1, 2, 700);
    start(0);
    gone(7);
    process(12, "child", 1, 9, 40);
    process(3, "early", 1, 9, 50);
    process_scan_started(scan, 117);
    assert_int_equal(step(), 3);
    assert_int_equal(process_scan_forks(scan), 17);
    assert_int_equal(of(12, PROCESS_BORN)->cpu_ns, 40);
    assert_int_equal(of(3, PROCESS_BORN)->cpu_ns, 50);
    assert_int_equal(of(7, PROCESS_ENDED)->cpu_ns, 0);
    assert_int_equal(step(), 0);
    assert_int_equal(process_scan_forks(scan), 0);
    // Not known for a while: told of later.
    process_scan_started(scan, 0);
    step();
    assert_int_equal(process_scan_forks(scan), 0);
    process_scan_started(scan, 120);
    step();
    assert_int_equal(process_scan_forks(scan), 3);
}

// A clock that went back, or another start time: the old one ended, a new one was born.
static void a_pid_that_is_used_again_is_another_process(void **state)
{
    (void)state;
    process(7, "first", 1, 2, 700);
    process(8, "other", 1, 2, 10);
    start(0);
    process(7, "second", 1, 90, 30);
    process(8, "heir", 1, 91, 60);
    assert_int_equal(step(), 4);
    assert_string_equal(of(7, PROCESS_ENDED)->comm, "first");
    assert_string_equal(of(7, PROCESS_BORN)->comm, "second");
    assert_int_equal(of(7, PROCESS_BORN)->cpu_ns, 30);
    assert_string_equal(of(8, PROCESS_ENDED)->comm, "other");
    assert_int_equal(of(8, PROCESS_BORN)->cpu_ns, 60);
}

static void names_follow_and_may_be_any_bytes(void **state)
{
    (void)state;
    process(7, "sh", 1, 2, 700);
    process(8, "a) R 1 (b", 1, 2, 10);
    start(0);
    process(7, "execed\xff\"<", 1, 2, 800);
    clocks[8]++;
    assert_int_equal(step(), 2);
    assert_string_equal(of(7, 0)->comm, "execed\xff\"<");
    assert_string_equal(of(8, 0)->comm, "a) R 1 (b");
}

static void a_tree_is_a_process_and_its_children(void **state)
{
    (void)state;
    process(5, "target", 1, 2, 100);
    process(6, "other", 1, 2, 100);
    process(4, "grandchild", 9, 3, 100); // before its parent in the list
    process(9, "child", 5, 3, 100);
    start(5);
    for (size_t i = 0; i < PIDS; i++)
        clocks[i] += clocks[i] ? 1 : 0;
    process(11, "late", 4, 8, 7);
    process(3, "stranger", 6, 8, 7);
    assert_int_equal(step(), 4);
    assert_non_null(of(5, 0));
    assert_non_null(of(9, 0));
    assert_non_null(of(4, 0));
    assert_non_null(of(11, PROCESS_BORN));
    gone(6);
    gone(9);
    assert_int_equal(step(), 1);
    assert_non_null(of(9, PROCESS_ENDED));
}

static void ended(struct exits *e, pid_t pid, pid_t parent, const char *comm, uint64_t cpu)
{
    struct exit_record r = {.pid = pid, .parent = parent, .cpu_ns = cpu};

    snprintf(r.comm, sizeof(r.comm), "%s", comm);
    exits_add(e, &r);
}

static void what_lived_between_two_scans_is_told(void **state)
{
    struct exits exits = EXITS_NONE;

    (void)state;
    process(1, "init", 0, 1, 5000);
    process(7, "mortal", 1, 2, 700);
    process(8, "leaves later", 1, 2, 700);
    start(0);
    process_scan_exits(scan, &exits);
    gone(7);
    ended(&exits, 20, 1, "short", 90);
    ended(&exits, 7, 1, "mortal", 750);
    ended(&exits, 8, 1, "leaves later", 701); // after this scan has seen it
    assert_int_equal(step(), 2);
    assert_int_equal(of(20, PROCESS_BORN | PROCESS_ENDED)->cpu_ns, 90);
    assert_string_equal(of(20, PROCESS_BORN | PROCESS_ENDED)->comm, "short");
    assert_int_equal(of(7, PROCESS_ENDED)->cpu_ns, 50);
    gone(8);
    assert_int_equal(step(), 1);
    assert_int_equal(of(8, PROCESS_ENDED)->cpu_ns, 1);
    assert_int_equal(exits.n, 0);
    exits_done(&exits);
}

// Its parent's end comes after its own, or was never seen alive.
static void who_sleeps_is_named_when_it_runs_or_ends(void **state)
{
    struct exits exits = EXITS_NONE;

    (void)state;
    process(7, "sleeper", 1, 2, 700);
    process(8, "mortal", 1, 3, 800);
    process(9, "hasty", 1, 4, 900);
    assert_int_equal(process_scan_new(root, NULL, 0, fake_clock, &scan), 0);
    process_scan_exits(scan, &exits);
    now = NS_PER_SEC;
    assert_false(process_scan_step(scan, now, NS_PER_SEC));
    process(7, "a new name", 1, 2, 750); // the old one was not asked for
    gone(8);
    ended(&exits, 8, 1, "mortal", 850);
    gone(9);
    clocks[9] = 950; // it ends between its clock and its name
    ended(&exits, 9, 1, "hasty", 960);
    assert_int_equal(step(), 3);
    assert_int_equal(of(7, 0)->cpu_ns, 50);
    assert_string_equal(of(7, 0)->comm, "a new name");
    assert_int_equal(of(8, PROCESS_ENDED)->cpu_ns, 50);
    assert_string_equal(of(8, PROCESS_ENDED)->comm, "mortal");
    assert_int_equal(of(9, PROCESS_ENDED)->cpu_ns, 60);
    assert_string_equal(of(9, PROCESS_ENDED)->comm, "hasty");
    process(7, "a new name", 1, 5, 800); // another one has got the PID
    assert_int_equal(step(), 2);
    exits_done(&exits);
}

static void what_lived_briefly_in_a_tree_is_told(void **state)
{
    struct exits exits = EXITS_NONE;

    (void)state;
    process(5, "target", 1, 2, 100);
    process(6, "other", 1, 2, 100);
    start(5);
    process_scan_exits(scan, &exits);
    ended(&exits, 30, 31, "grandchild", 3);
    ended(&exits, 31, 5, "child", 4);
    ended(&exits, 32, 6, "stranger", 5);
    ended(&exits, 33, 32, "stranger's", 6);
    assert_int_equal(step(), 2);
    assert_int_equal(of(30, PROCESS_BORN | PROCESS_ENDED)->cpu_ns, 3);
    assert_int_equal(of(31, PROCESS_BORN | PROCESS_ENDED)->cpu_ns, 4);
    assert_int_equal(exits.n, 0);
    exits_done(&exits);
}

static void newest(pid_t pid)
{
    char text[64];

    snprintf(text, sizeof(text), "1.73 2.31 4.98 1/115 %d\n", pid);
    scratch_write(root, "proc/loadavg", text);
}

// Two scans list, because none that was begun before the one before is known of; then those that
// are known and the PIDs that were given out since are enough.
static void new_pids_are_tried_without_a_list(void **state)
{
    (void)state;
    process(7, "old", 1, 2, 700);
    process(8, "mortal", 1, 2, 700);
    newest(10);
    start(0);
    step();
    step();
    process(3, "out of order", 1, 9, 50);
    process(11, "child", 1, 9, 40);
    process(14, "last", 1, 9, 60);
    gone(8);
    clocks[7] = 705;
    newest(14);
    assert_int_equal(step(), 4);
    assert_int_equal(of(7, 0)->cpu_ns, 5);
    assert_int_equal(of(11, PROCESS_BORN)->cpu_ns, 40);
    assert_string_equal(of(14, PROCESS_BORN)->comm, "last");
    assert_non_null(of(8, PROCESS_ENDED));
    // It was given its PID, and was no process yet.
    process(13, "slow start", 1, 9, 70);
    assert_int_equal(step(), 1);
    assert_int_equal(of(13, PROCESS_BORN)->cpu_ns, 70);
    assert_int_equal(step(), 0);
}

// In order is nearly always, so that a list now and then does.
static void who_has_a_pid_out_of_order_is_found_by_a_list(void **state)
{
    int seconds = 0;

    (void)state;
    process(7, "old", 1, 2, 700);
    newest(10);
    start(0);
    step();
    step();
    process(3, "out of order", 1, 9, 50);
    while (step() == 0 && seconds < 20)
        seconds++;
    assert_string_equal(of(3, PROCESS_BORN)->comm, "out of order");
    assert_int_equal(seconds, 8); // the tenth after the last list finds it
}

static void pids_that_went_round_are_listed(void **state)
{
    (void)state;
    for (pid_t pid = 100; pid < 140; pid++)
        process(pid, "old", 1, 2, 700);
    newest(1200);
    start(0);
    step();
    step();
    process(5, "first of a round", 1, 9, 50);
    newest(5);
    assert_int_equal(step(), 1);
    assert_non_null(of(5, PROCESS_BORN));
    // The round's begin is before the scan before: from there on nothing is in order either.
    process(6, "next", 1, 9, 50);
    newest(6);
    assert_int_equal(step(), 1);
    assert_non_null(of(6, PROCESS_BORN));
    // So many that a list costs less.
    process(900, "far", 1, 9, 50);
    newest(900);
    assert_int_equal(step(), 1);
    assert_non_null(of(900, PROCESS_BORN));
}

static void a_scan_is_done_in_slices(void **state)
{
    int slices = 1;
    size_t n;

    (void)state;
    for (pid_t pid = 1; pid < 40; pid++)
        process(pid, "one", 0, 1, 100);
    start(0);
    for (pid_t pid = 1; pid < 40; pid++)
        clocks[pid] = 200;
    // Not due yet, and then eight processes a slice.
    assert_false(process_scan_step(scan, now + 10, 0));
    now += NS_PER_SEC;
    while (!process_scan_step(scan, now, 0))
        slices++;
    process_scan_changes(scan, &n);
    assert_int_equal(n, 39);
    assert_int_equal(slices, 39 / 8 + 1);
    assert_true(process_scan_seconds(scan) > 0);
}

static void many_processes_take_several_notes(void **state)
{
    struct buf out = {0};
    size_t notes = 0, items = 0;

    (void)state;
    for (pid_t pid = 1; pid < PIDS; pid++)
        process(pid, "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01", 0, 1, 100);
    start(0);
    for (pid_t pid = 1; pid < PIDS; pid++)
        clocks[pid] = UINT64_MAX / 4;
    assert_int_equal(step(), PIDS - 1);
    notes_processes(&out, scan, 1234);
    for (size_t i = 0; i + 11 < out.size; i++)
        notes += memcmp(out.data + i, "\"processes\"", 11) == 0;
    for (size_t i = 0; i + 3 < out.size; i++)
        items += memcmp(out.data + i, ",0]", 3) == 0;
    assert_int_equal(notes, 3);
    assert_int_equal(items, PIDS - 1);
    buf_done(&out);
}

static void the_kernels_clock_is_ours(void **state)
{
    size_t n;
    const struct process_change *c;
    uint64_t before, after;
    pid_t self = getpid();

    (void)state;
    assert_int_equal(process_scan_new("", &self, 1, NULL, &scan), 0);
    assert_false(process_scan_step(scan, NS_PER_SEC, 10 * NS_PER_SEC));
    before = (uint64_t)clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    while ((after = (uint64_t)clock_ns(CLOCK_PROCESS_CPUTIME_ID)) < before + 20 * NS_PER_MS)
        ;
    process_scan_hurry(scan);
    assert_true(process_scan_step(scan, NS_PER_SEC, 10 * NS_PER_SEC));
    c = process_scan_changes(scan, &n);
    assert_int_equal(n, 1);
    assert_int_equal(c->pid, getpid());
    assert_int_equal(strncmp(c->comm, program_invocation_short_name, PROCESS_COMM_MAX - 1), 0);
    assert_true(c->cpu_ns >= after - before);
}

static void *sleep_on(void *tid)
{
    *(_Atomic pid_t *)tid = (pid_t)syscall(SYS_gettid);
    pause();
    return NULL;
}

// Their IDs are of the same numbers; they are tried, and are none of the processes.
static void threads_are_no_processes(void **state)
{
    _Atomic pid_t tid = 0;
    pthread_t thread;

    (void)state;
    assert_int_equal(process_scan_new("", NULL, 0, NULL, &scan), 0);
    for (ns_t at = NS_PER_SEC; at <= 5 * NS_PER_SEC; at += NS_PER_SEC) {
        // From the third scan on nothing is listed.
        if (at == 3 * NS_PER_SEC)
            assert_int_equal(pthread_create(&thread, NULL, sleep_on, &tid), 0);
        while (at == 3 * NS_PER_SEC && !tid)
            sched_yield();
        process_scan_step(scan, at, 10 * NS_PER_SEC);
        assert_null(of(tid ? tid : -1, PROCESS_BORN));
    }
    pthread_cancel(thread);
    pthread_join(thread, NULL);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(those_that_ran_are_told),
        TEST(births_deaths_and_forks_are_told),
        TEST(a_pid_that_is_used_again_is_another_process),
        TEST(names_follow_and_may_be_any_bytes),
        TEST(a_tree_is_a_process_and_its_children),
        TEST(what_lived_between_two_scans_is_told),
        TEST(who_sleeps_is_named_when_it_runs_or_ends),
        TEST(what_lived_briefly_in_a_tree_is_told),
        TEST(new_pids_are_tried_without_a_list),
        TEST(who_has_a_pid_out_of_order_is_found_by_a_list),
        TEST(pids_that_went_round_are_listed),
        TEST(a_scan_is_done_in_slices),
        TEST(many_processes_take_several_notes),
        TEST(the_kernels_clock_is_ours),
        TEST(threads_are_no_processes),
    };

    return cmocka_run_group_tests_name("process-scan", tests, NULL, NULL);
}
