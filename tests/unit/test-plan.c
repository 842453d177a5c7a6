// SPDX-License-Identifier: Apache-2.0
// What fits together, on a PMU that is played here (--wrap=perf_event_open in meson.build): it has
// some counters, and takes larger groups too where it is an Arm's, which then never run.
#include "collect/plan.h"

#include "unit.h"

#include <sys/mman.h>

#define FDS_MAX 1024

struct group_file {
    uint64_t nr, enabled, running, values[GROUP_EVENTS_MAX];
};

static struct {
    struct group_file file; // of a leader
    int leader;
} opened[FDS_MAX];

static unsigned counters;
static bool refuses; // a group that is too large, when it is opened
static int denied;   // -errno of what counts the kernel too; 0: none
static struct event_table events;
static struct perf_event_attr attrs[16];
static struct target target;
static struct group_set set;

int __wrap_perf_event_open(const struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                           unsigned long flags);

int __wrap_perf_event_open(const struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                           unsigned long flags)
{
    struct group_file *file;
    int fd;

    (void)pid;
    (void)cpu;
    (void)flags;
    if (denied && !attr->exclude_kernel)
        return denied;
    if (attr->config == 99)
        return -ENOENT;
    if (refuses && group_fd >= 0 && opened[group_fd].file.nr == counters)
        return -EINVAL;
    fd = memfd_create("event", 0);
    assert_true(fd >= 0 && fd < FDS_MAX);
    opened[fd].leader = group_fd < 0 ? fd : group_fd;
    opened[fd].file = (struct group_file){0};
    file = &opened[opened[fd].leader].file;
    file->nr++;
    file->enabled = NS_PER_SEC;
    file->running = file->nr > counters ? 0 : NS_PER_SEC;
    assert_true(pwrite(opened[fd].leader, file, sizeof(*file), 0) > 0);
    return fd;
}

static int set_up(void **state)
{
    static int cpus[] = {0};

    (void)state;
    target = (struct target){
        .kind = TARGET_SYSTEM, .cpus = cpus, .n_cpus = 1, .n_possible = 1, .ends = -1};
    counters = 4;
    refuses = true;
    denied = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    group_set_done(&set);
    event_table_done(&events);
    return 0;
}

static void add(const char *name, uint32_t type, uint64_t config)
{
    struct event e = {.type = type, .config = config};

    snprintf(e.name, sizeof(e.name), "%s", name);
    attrs[events.n] = (struct perf_event_attr){.type = type, .config = config};
    assert_true(event_table_add(&events, &e) >= 0);
}

static void plan(void)
{
    assert_int_equal(group_plan(&events, attrs, NULL, &target, &set), 0);
    group_set_settle(&set);
}

static void add_six(void)
{
    static const char *const names[] = {"cycles",           "cache-misses", "branches",
                                        "cache-references", "instructions", "branch-misses"};

    for (size_t i = 0; i < 6; i++)
        add(names[i], PERF_TYPE_HARDWARE, i);
}

static bool together(const char *one, const char *other)
{
    int a = event_table_find_column(&events, one), b = event_table_find_column(&events, other);

    assert_true(a >= 0 && b >= 0);
    return events.events[a].group == events.events[b].group;
}

static void what_the_kernel_refuses_is_several_groups(void **state)
{
    (void)state;
    add_six();
    plan();
    assert_int_equal(set.n, 2);
    assert_int_equal(set.groups[0].n, 4);
    assert_int_equal(set.groups[1].n, 2);
    assert_true(together("cycles", "instructions"));
    assert_true(together("cache_misses", "cache_references"));
    assert_true(together("branches", "branch_misses"));
}

// Opened as one group, and found out by the trial.
static void what_never_runs_is_halved(void **state)
{
    (void)state;
    refuses = false;
    counters = 2;
    add_six();
    plan();
    assert_int_equal(set.n, 3);
    for (size_t g = 0; g < set.n; g++)
        assert_int_equal(set.groups[g].n, 2);
    assert_true(together("cycles", "instructions"));
    assert_true(together("cache_misses", "cache_references"));
}

static void at_last_each_is_alone(void **state)
{
    (void)state;
    refuses = false;
    counters = 1;
    add_six();
    plan();
    assert_int_equal(set.n, 6);
    assert_false(together("cycles", "instructions"));
}

static void what_does_not_open_keeps_no_company(void **state)
{
    (void)state;
    add("cycles", PERF_TYPE_HARDWARE, 0);
    add("nothing", PERF_TYPE_HARDWARE, 99);
    add("instructions", PERF_TYPE_HARDWARE, 1);
    plan();
    assert_int_equal(set.n, 1);
    assert_int_equal(events.events[1].availability, QUALITY_NOT_SUPPORTED);
    assert_contains(events.events[1].why, "nothing: ");
    assert_true(together("cycles", "instructions"));
    assert_false(together("cycles", "nothing"));
}

static void what_has_no_user_part_is_not_narrowed_to_it(void **state)
{
    struct target_thread thread = {.tid = 1};

    (void)state;
    denied = -EACCES;
    target = (struct target){
        .kind = TARGET_THREADS, .threads = &thread, .n_threads = 1, .n_possible = 1, .ends = -1};
    add("cycles", PERF_TYPE_HARDWARE, 0);
    add("cpu/event=0x3c/", PERF_TYPE_RAW, 0x3c);
    add("sched:sched_switch", PERF_TYPE_TRACEPOINT, 7);
    add("cgroup-switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CGROUP_SWITCHES);
    add("context-switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES);
    plan();
    assert_string_equal(events.events[0].name, "cycles:u");
    assert_string_equal(events.events[1].name, "cpu/event=0x3c/u");
    assert_true(attrs[1].exclude_kernel);
    for (size_t i = 2; i < 5; i++)
        assert_int_equal(events.events[i].availability, QUALITY_DENIED);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_the_kernel_refuses_is_several_groups),
        TEST(what_never_runs_is_halved),
        TEST(at_last_each_is_alone),
        TEST(what_does_not_open_keeps_no_company),
        TEST(what_has_no_user_part_is_not_narrowed_to_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
