// SPDX-License-Identifier: Apache-2.0
// Groups of software events on processes of our own: they need no PMU, and at perf_event_paranoid 2
// no privilege.
#include "collect/plan.h"

#include "unit.h"

#include "collect/perf_event.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SOFTWARE(c)                                                                                \
    {                                                                                              \
        .type = PERF_TYPE_SOFTWARE, .config = (c), .exclude_kernel = 1, .exclude_hv = 1            \
    }
#define IMPOSSIBLE                                                                                 \
    {                                                                                              \
        .type = PERF_TYPE_SOFTWARE, .config = 9999, .exclude_kernel = 1, .exclude_hv = 1           \
    }

static char message[EVENT_REASON_MAX];

struct fixture {
    struct event_table events;
    struct perf_event_attr attrs[GROUP_EVENTS_MAX + 8];
    struct target target;
    struct group_set set;
    struct readings readings;
};

static void add(struct fixture *f, const char *name, struct perf_event_attr attr, int group)
{
    struct event e = {.type = attr.type, .config = attr.config, .group = group};

    snprintf(e.name, sizeof(e.name), "%s", name);
    f->attrs[f->events.n] = attr;
    f->attrs[f->events.n].size = sizeof(attr);
    assert_true(event_table_add(&f->events, &e) >= 0);
}

static bool can_count(void)
{
    struct perf_event_attr attr = SOFTWARE(PERF_COUNT_SW_PAGE_FAULTS);
    int fd;

    attr.size = sizeof(attr);
    fd = perf_event_open(&attr, 0, -1, -1, 0);
    if (fd < 0) {
        print_message("perf_event_open is not permitted here: %s\n", strerror(-fd));
        return false;
    }
    close(fd);
    return true;
}

static void plan(struct fixture *f, pid_t pid)
{
    if (target_process(pid, &f->target, message) != 0)
        fail_msg("%s", message);
    assert_int_equal(group_plan(&f->events, f->attrs, NULL, &f->target, &f->set), 0);
}

static void done(struct fixture *f)
{
    group_set_done(&f->set);
    readings_done(&f->readings);
    target_done(&f->target);
    event_table_done(&f->events);
}

static void touch(size_t pages)
{
    size_t size = pages * (size_t)sysconf(_SC_PAGESIZE);
    volatile char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(p != MAP_FAILED);
    madvise((void *)(uintptr_t)p, size, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < size; i += (size_t)sysconf(_SC_PAGESIZE))
        p[i] = 1;
    munmap((void *)(uintptr_t)p, size);
}

static void a_group_counts_from_when_it_is_enabled(void **state)
{
    struct fixture f = {0};
    struct sum sums[2];

    (void)state;
    if (!can_count())
        skip_because("this user may not count here");
    add(&f, "faults", (struct perf_event_attr)SOFTWARE(PERF_COUNT_SW_PAGE_FAULTS), 0);
    add(&f, "minor-faults", (struct perf_event_attr)SOFTWARE(PERF_COUNT_SW_PAGE_FAULTS_MIN), 0);
    plan(&f, getpid());
    assert_int_equal(f.set.n, 1);
    assert_int_equal(f.set.groups[0].n, 2);
    assert_int_equal(group_open(&f.set.groups[0], f.attrs, &f.target), 0);
    assert_int_equal(group_descriptors(&f.set.groups[0]), 2 * f.target.n_threads);
    assert_int_equal(readings_init(&f.readings, &f.events, target_rows(&f.target), SCOPE_TASK), 0);
    touch(50);
    group_read(&f.set.groups[0], 0, &f.readings);
    assert_int_equal(f.readings.now[0].value, 0);
    group_enable(&f.set.groups[0]);
    touch(100);
    group_read(&f.set.groups[0], 0, &f.readings);
    readings_sums(&f.readings, 1, sums);
    for (size_t i = 0; i < 2; i++) {
        assert_true(sum_count(sums[i], SCOPE_TASK) >= 100);
        assert_int_equal(sum_quality(sums[i], SCOPE_TASK), QUALITY_EXACT);
    }
    assert_true(sums[0].enabled == sums[1].enabled && sums[0].enabled > 0);
    readings_advance(&f.readings);
    touch(30);
    group_read(&f.set.groups[0], 0, &f.readings);
    readings_sums(&f.readings, 1, sums);
    assert_true(sum_count(sums[0], SCOPE_TASK) >= 30);
    done(&f);
}

static void a_group_of_some_cpus_is_opened_on_those_only(void **state)
{
    struct fixture f = {0};

    (void)state;
    add(&f, "faults", (struct perf_event_attr){.type = PERF_TYPE_SOFTWARE, .config = 2}, 0);
    assert_int_equal(target_system(NULL, &f.target, message), 0);
    assert_int_equal(group_plan(&f.events, f.attrs, NULL, &f.target, &f.set), 0);
    if (f.set.n == 0) {
        done(&f);
        skip_because("this user may not count the whole system here");
    }
    f.set.groups[0].cpus = calloc(1, sizeof(int));
    f.set.groups[0].cpus[0] = f.target.cpus[f.target.n_cpus - 1];
    f.set.groups[0].n_cpus = 1;
    assert_int_equal(group_open(&f.set.groups[0], f.attrs, &f.target), 0);
    assert_int_equal(group_descriptors(&f.set.groups[0]), 1);
    assert_true(f.set.groups[0].fds[f.target.cpus[f.target.n_cpus - 1]] >= 0);
    done(&f);
}

static void an_impossible_event_says_why_and_leaves_its_group_alone(void **state)
{
    struct fixture f = {0};

    (void)state;
    if (!can_count())
        skip_because("this user may not count here");
    add(&f, "nonsense", (struct perf_event_attr)IMPOSSIBLE, 0);
    add(&f, "faults", (struct perf_event_attr)SOFTWARE(PERF_COUNT_SW_PAGE_FAULTS), 0);
    add(&f, "minor-faults", (struct perf_event_attr)SOFTWARE(PERF_COUNT_SW_PAGE_FAULTS_MIN), 0);
    plan(&f, getpid());
    assert_int_equal(f.events.events[0].availability, QUALITY_NOT_SUPPORTED);
    assert_contains(f.events.events[0].why, "nonsense: ");
    assert_int_equal(f.set.n, 1);
    assert_int_equal(f.set.groups[0].n, 2);
    assert_int_equal(f.set.groups[0].events[0], 1);
    assert_int_equal(f.events.events[1].group, f.events.events[2].group);
    assert_int_not_equal(f.events.events[0].group, f.events.events[1].group);
    assert_int_equal(f.events.events[1].availability, QUALITY_EXACT);
    assert_string_equal(f.events.events[1].why, "");
    done(&f);
}

static void wished_groups_stay_apart_and_in_order(void **state)
{
    struct fixture f = {0};

    (void)state;
    if (!can_count())
        skip_because("this user may not count here");
    add(&f, "a", (struct perf_event_attr)SOFTWARE(PERF_COUNT_SW_PAGE_FAULTS), 0);
    add(&f, "b", (struct perf_event_attr)SOFTWARE(PERF_COUNT_SW_PAGE_FAULTS_MIN), 1);
    add(&f, "c", (struct perf_event_attr)SOFTWARE(PERF_COUNT_SW_PAGE_FAULTS_MAJ), 0);
    add(&f, "d", (struct perf_event_attr)IMPOSSIBLE, 2);
    add(&f, "e", (struct perf_event_attr)SOFTWARE(PERF_COUNT_SW_TASK_CLOCK), 1);
    plan(&f, getpid());
    assert_int_equal(f.set.n, 2);
    assert_int_equal(f.set.groups[0].events[0], 0);
    assert_int_equal(f.set.groups[0].events[1], 2);
    assert_int_equal(f.set.groups[1].events[0], 1);
    assert_int_equal(f.set.groups[1].events[1], 4);
    assert_int_equal(f.events.events[0].group, 0);
    assert_int_equal(f.events.events[2].group, 0);
    assert_int_equal(f.events.events[4].group, 1);
    assert_int_equal(f.events.events[3].group, 2);
    assert_int_equal(f.events.n_groups, 3);
    done(&f);
}

static void what_does_not_fit_a_group_makes_a_second_one(void **state)
{
    struct fixture f = {0};

    (void)state;
    if (!can_count())
        skip_because("this user may not count here");
    for (int i = 0; i < GROUP_EVENTS_MAX + 2; i++)
        add(&f, "faults", (struct perf_event_attr)SOFTWARE(PERF_COUNT_SW_PAGE_FAULTS), 0);
    plan(&f, getpid());
    assert_int_equal(f.set.n, 2);
    assert_int_equal(f.set.groups[0].n, GROUP_EVENTS_MAX);
    assert_int_equal(f.set.groups[1].n, 2);
    done(&f);
}

static void a_thread_that_has_ended_stays_without(void **state)
{
    struct fixture f = {0};
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        pause();
        _exit(0);
    }
    if (!can_count()) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        skip_because("this user may not count here");
    }
    add(&f, "faults", (struct perf_event_attr)SOFTWARE(PERF_COUNT_SW_PAGE_FAULTS), 0);
    plan(&f, child);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(group_open(&f.set.groups[0], f.attrs, &f.target), 0);
    assert_int_equal(group_descriptors(&f.set.groups[0]), 0);
    assert_int_equal(readings_init(&f.readings, &f.events, 1, SCOPE_TASK), 0);
    group_enable(&f.set.groups[0]);
    group_read(&f.set.groups[0], 0, &f.readings);
    assert_false(f.readings.fresh[0]);
    done(&f);
}

// A group of `n` events on one place, whose read(2) gives these words.
static void read_words(size_t n, const uint64_t *words, size_t n_words, struct readings *readings)
{
    int fds[2] = {memfd_create("group", MFD_CLOEXEC), -1};
    struct reading base[2] = {{.value = 1000, .enabled = 100, .running = 100}};
    struct group g = {.events = {0, 1}, .n = n, .fds = fds, .base = base, .n_rows = 1};

    assert_true(fds[0] >= 0);
    assert_int_equal(write(fds[0], words, n_words * sizeof(*words)),
                     (ssize_t)(n_words * sizeof(*words)));
    lseek(fds[0], 0, SEEK_SET);
    group_read(&g, NS_PER_MS, readings);
    close(fds[0]);
}

static void what_is_read_is_believed_when_it_is_the_whole_group(void **state)
{
    static const uint64_t whole[] = {2, 50, 40, 7, 8}, // nr, enabled, running, values
        fewer[] = {1, 50, 40, 7}, wrong[] = {1, 50, 40, 7, 8};
    struct fixture f = {0};
    struct sum sum[2];

    (void)state;
    add(&f, "a", (struct perf_event_attr)SOFTWARE(PERF_COUNT_SW_PAGE_FAULTS), 0);
    add(&f, "b", (struct perf_event_attr)SOFTWARE(PERF_COUNT_SW_PAGE_FAULTS), 0);
    assert_int_equal(readings_init(&f.readings, &f.events, 1, SCOPE_CPU), 0);
    // The kernel takes a group apart when its CPU goes offline; what was counted before goes on.
    read_words(2, fewer, 4, &f.readings);
    read_words(2, wrong, 5, &f.readings);
    assert_false(f.readings.fresh[0] || f.readings.fresh[1]);
    read_words(2, whole, 5, &f.readings);
    assert_int_equal(f.readings.now[0].value, 1007);
    assert_int_equal(f.readings.now[0].running, 140);
    assert_int_equal(f.readings.now[1].value, 8);
    readings_advance(&f.readings);
    // A pinned group that found no counter reads as an end of file: enabled, and never ran.
    read_words(2, NULL, 0, &f.readings);
    readings_sums(&f.readings, 1, sum);
    assert_true(sum[0].enabled == NS_PER_MS && sum[0].running == 0);
    assert_int_equal(sum_quality(sum[0], SCOPE_CPU), QUALITY_NEVER_RAN);
    assert_nan(sum_count(sum[1], SCOPE_CPU));
    done(&f);
}

// In a child without privileges: 0 good, 1 wrong, 77 not to be had here.
static int plan_without_privileges(void)
{
    struct fixture f = {0};
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_PAGE_FAULTS};
    struct event *e;

    if (geteuid() == 0 &&
        (syscall(SYS_setgroups, 0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
         setresuid(65534, 65534, 65534) < 0))
        return 77;
    if (perf_event_paranoid("") != 2 || !can_count())
        return 77;
    add(&f, "faults", attr, 0);
    attr.config = PERF_COUNT_SW_CONTEXT_SWITCHES;
    add(&f, "context-switches", attr, 1);
    attr.config = PERF_COUNT_SW_PAGE_FAULTS;
    attr.exclude_user = 1;
    add(&f, "faults:k", attr, 2);
    plan(&f, getpid());
    e = f.events.events;
    if (e[0].availability != QUALITY_EXACT || strcmp(e[0].name, "faults:u") != 0 ||
        !strstr(e[0].why, "user mode only") || !f.attrs[0].exclude_kernel)
        return 1;
    // These would read 0 for ever, which is not a measurement.
    if (e[1].availability != QUALITY_DENIED || !strstr(e[1].why, "sudo"))
        return 2;
    if (e[2].availability != QUALITY_DENIED || strcmp(e[2].name, "faults:k") != 0)
        return 3;
    done(&f);
    return 0;
}

static void without_privileges_only_what_has_a_user_part_is_narrowed_to_it(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0)
        _exit(plan_without_privileges());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("needs perf_event_paranoid 2 and a user without privileges\n");
        skip_because("this user may not count here");
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_counts_from_when_it_is_enabled),
        cmocka_unit_test(a_group_of_some_cpus_is_opened_on_those_only),
        cmocka_unit_test(an_impossible_event_says_why_and_leaves_its_group_alone),
        cmocka_unit_test(wished_groups_stay_apart_and_in_order),
        cmocka_unit_test(what_does_not_fit_a_group_makes_a_second_one),
        cmocka_unit_test(a_thread_that_has_ended_stays_without),
        cmocka_unit_test(what_is_read_is_believed_when_it_is_the_whole_group),
        cmocka_unit_test(without_privileges_only_what_has_a_user_part_is_narrowed_to_it),
    };

    return cmocka_run_group_tests_name("group", tests, NULL, NULL);
}
