// SPDX-License-Identifier: Apache-2.0
// Groups that get no counters in the middle of a run, on a PMU that is played here (--wrap in
// meson.build): two CPUs with so many free counters each. Groups that fit share their time evenly.
#include "collect/regroup.h"

#include "unit.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#define FDS_MAX 256
#define CPUS    2
#define EVENTS  4
#define STEP    (100 * NS_PER_MS)

static const char *const names[EVENTS] = {"cycles", "branches", "instructions", "branch-misses"};
static const double per_ns[EVENTS] = {2, 0.5, 3, 0.025};

static struct {
    bool leads, on;
    int cpu, leader;
    size_t n;
    int members[EVENTS]; // their descriptors, of a leader
    size_t event;
    double value;
    uint64_t enabled, running; // of a leader
} opened[FDS_MAX];

static int counters[CPUS];
static int refuse;   // -errno of every further event; 0: none
static int children; // how many of a task's children inherited what was open when they were born
static struct event_table events;
static struct perf_event_attr attrs[EVENTS];
static struct target target;
static struct group_set set;
static struct readings readings;
static struct regroup regroup;
static char text[REGROUP_TEXT_MAX], all_text[16 * REGROUP_TEXT_MAX];
static ns_t budget;

int __wrap_perf_event_open(const struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                           unsigned long flags);
int __wrap_ioctl(int fd, unsigned long request, ...);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
ssize_t __real_read(int fd, void *buffer, size_t size);

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

int __wrap_perf_event_open(const struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                           unsigned long flags)
{
    int fd;

    (void)pid;
    (void)flags;
    if (refuse)
        return refuse;
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && fd < FDS_MAX);
    memset(&opened[fd], 0, sizeof(opened[fd]));
    opened[fd].leads = group_fd < 0;
    opened[fd].leader = group_fd < 0 ? fd : group_fd;
    opened[fd].cpu = cpu < 0 ? 0 : cpu;
    opened[fd].event = attr->config;
    opened[opened[fd].leader].members[opened[opened[fd].leader].n++] = fd;
    return fd;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
    assert_true(opened[fd].leads && is_open(fd));
    if (request == PERF_EVENT_IOC_ENABLE || request == PERF_EVENT_IOC_DISABLE)
        opened[fd].on = request == PERF_EVENT_IOC_ENABLE;
    return 0;
}

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
    uint64_t *to = buffer;

    if (fd >= FDS_MAX || !opened[fd].leads)
        return __real_read(fd, buffer, size);
    to[0] = opened[fd].n;
    to[1] = opened[fd].enabled;
    to[2] = opened[fd].running;
    for (size_t m = 0; m < opened[fd].n; m++)
        to[3 + m] = (uint64_t)opened[opened[fd].members[m]].value;
    return (ssize_t)((3 + opened[fd].n) * sizeof(*to));
}

static bool counts(int fd, int cpu)
{
    return opened[fd].leads && opened[fd].on && opened[fd].cpu == cpu && is_open(fd);
}

// The kernel's work, for one CPU.
static void pass(int cpu, ns_t time)
{
    size_t wanted = 0;

    for (int fd = 0; fd < FDS_MAX; fd++)
        if (counts(fd, cpu) && (int)opened[fd].n <= counters[cpu])
            wanted += opened[fd].n;
    for (int fd = 0; fd < FDS_MAX; fd++) {
        double share = (int)wanted <= counters[cpu] ? 1 : (double)counters[cpu] / (double)wanted;
        ns_t ran = (int)opened[fd].n <= counters[cpu] ? (ns_t)(share * (double)time) : 0;

        if (!counts(fd, cpu))
            continue;
        opened[fd].enabled += (uint64_t)time;
        opened[fd].running += (uint64_t)ran;
        for (size_t m = 0; m < opened[fd].n; m++)
            opened[opened[fd].members[m]].value +=
                (double)ran * per_ns[opened[opened[fd].members[m]].event];
    }
}

static void begin(size_t n_events)
{
    static int cpus[CPUS] = {0, 1};

    if (target.kind == TARGET_SYSTEM)
        target = (struct target){
            .kind = TARGET_SYSTEM, .cpus = cpus, .n_cpus = CPUS, .n_possible = CPUS, .ends = -1};
    set.groups = calloc(1, sizeof(*set.groups));
    set.n = 1;
    set.groups[0] = (struct group){.cgroup = -1};
    for (size_t i = 0; i < n_events; i++) {
        struct event e = {.type = PERF_TYPE_HARDWARE, .config = i};

        snprintf(e.name, sizeof(e.name), "%s", names[i]);
        assert_true(event_table_add(&events, &e) >= 0);
        attrs[i] = (struct perf_event_attr){.type = PERF_TYPE_HARDWARE, .config = i};
        set.groups[0].events[set.groups[0].n++] = i;
    }
    assert_int_equal(group_open(&set.groups[0], attrs, &target), 0);
    assert_int_equal(readings_init(&readings, &events, target_rows(&target), target_scope(&target)),
                     0);
    assert_int_equal(regroup_init(&regroup, &set, &readings), 0);
    group_enable(&set.groups[0]);
}

static int set_up(void **state)
{
    (void)state;
    target = (struct target){.kind = TARGET_SYSTEM};
    counters[0] = counters[1] = 4;
    refuse = children = 0;
    budget = NS_PER_SEC;
    all_text[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    regroup_done(&regroup);
    group_set_done(&set);
    readings_done(&readings);
    event_table_done(&events);
    memset(opened, 0, sizeof(opened));
    return 0;
}

// An interval of each event in each place.
static struct sum sums[(CPUS + 1) * EVENTS];

static struct sum *sum_of(size_t slot, size_t event)
{
    return &sums[slot * events.n + event];
}

// What has a value has the right one, whatever was opened and closed meanwhile.
static void check_values(void)
{
    for (size_t slot = 1; slot <= readings.n_rows; slot++)
        for (size_t e = 0; e < events.n; e++) {
            struct sum s = *sum_of(slot, e);
            double count = sum_count(s, readings.scope);

            assert_false(isnan(s.raw)); // it never goes backwards
            assert_near(s.enabled, (double)STEP * (1 + children));
            assert_true(s.running <= s.enabled);
            if (sum_quality(s, readings.scope) != QUALITY_NEVER_RAN)
                assert_true(fabs(count / s.enabled / per_ns[e] - 1) < 0.001);
        }
}

static void interval(void)
{
    for (int cpu = 0; cpu < CPUS; cpu++)
        pass(cpu, STEP);
    regroup_read(&regroup, &set, STEP, &readings);
    readings_sums(&readings, readings.n_rows + 1, sums);
    check_values();
    readings_advance(&readings);
    // Time passes in here as the intervals say.
    regroup.starve.due -= STEP;
    if (regroup_step(&regroup, &set, &events, attrs, &target, &readings,
                     clock_ns(CLOCK_MONOTONIC) + budget, text))
        strncat(strncat(all_text, text, REGROUP_TEXT_MAX), "\n", 2);
}

static void seconds(int n)
{
    for (int i = 0; i < n * 10; i++)
        interval();
}

static enum quality quality(size_t slot, size_t event)
{
    return sum_quality(*sum_of(slot, event), readings.scope);
}

static bool together(size_t slot, size_t a, size_t b)
{
    return sum_same_times(*sum_of(slot, a), *sum_of(slot, b)) && sum_of(slot, a)->running > 0;
}

static int times_told(const char *what)
{
    int n = 0;

    for (const char *at = all_text; (at = strstr(at, what)); at++)
        n++;
    return n;
}

static size_t descriptors(void)
{
    return group_descriptors(&set.groups[0]) + regroup_descriptors(&regroup);
}

static void the_sides_of_a_ratio_stay_together(void **state)
{
    struct group parts[EVENTS];

    (void)state;
    begin(EVENTS);
    assert_int_equal(apart_plan(&events, &set.groups[0], false, parts), 2);
    assert_int_equal(parts[0].n, 2);
    assert_int_equal(parts[0].events[0], 0);
    assert_int_equal(parts[0].events[1], 2);
    assert_int_equal(parts[1].events[0], 1);
    assert_int_equal(parts[1].events[1], 3);
    assert_int_equal(apart_plan(&events, &set.groups[0], true, parts), EVENTS);
    set.groups[0].n = 2;
    assert_int_equal(apart_plan(&events, &set.groups[0], false, parts), 2);
}

static void a_group_that_starves_is_counted_in_pairs_and_later_as_a_whole(void **state)
{
    (void)state;
    begin(EVENTS);
    seconds(5);
    assert_string_equal(all_text, "");
    counters[1] = 3; // on one of the CPUs
    seconds(1);
    assert_int_equal(quality(2, 0), QUALITY_NEVER_RAN);
    seconds(3);
    assert_int_equal(times_told("counted in parts"), 1);
    assert_non_null(strstr(all_text, "cycles, branches, instructions, branch-misses: too few"));
    assert_int_equal(quality(2, 0), QUALITY_SCALED);
    assert_int_equal(quality(1, 0), QUALITY_EXACT);
    assert_true(together(2, 0, 2) && together(2, 1, 3));
    // Their turns are equally long here, and are told apart all the same.
    assert_false(together(2, 0, 1));
    assert_int_equal(descriptors(), 2 * CPUS * EVENTS);
    // Tried again and again, in vain.
    seconds(60);
    assert_int_equal(quality(2, 0), QUALITY_SCALED);
    assert_int_equal(times_told("\n"), 1);
    counters[1] = 4;
    seconds(14);
    assert_int_equal(times_told("counted together again"), 1);
    assert_int_equal(times_told("\n"), 2);
    assert_int_equal(descriptors(), CPUS * EVENTS);
    for (size_t e = 0; e < EVENTS; e++)
        assert_int_equal(quality(2, e), QUALITY_EXACT);
    assert_true(together(2, 0, 1));
}

static void without_two_counters_each_is_counted_by_itself(void **state)
{
    (void)state;
    begin(EVENTS);
    seconds(2);
    counters[0] = counters[1] = 1;
    seconds(8);
    assert_int_equal(times_told("each is now counted by itself"), 1);
    for (size_t slot = 1; slot <= CPUS; slot++)
        for (size_t e = 0; e < EVENTS; e++)
            assert_int_equal(quality(slot, e), QUALITY_SCALED);
    // None at all: nothing more can be done.
    counters[0] = counters[1] = 0;
    seconds(4);
    assert_int_equal(times_told("no counter has been free"), 1);
    assert_int_equal(quality(1, 0), QUALITY_NEVER_RAN);
    counters[0] = counters[1] = 1;
    seconds(4);
    assert_int_equal(times_told("all events have counters again"), 1);
    counters[0] = counters[1] = 4;
    seconds(30);
    assert_int_equal(times_told("counted together again"), 1);
    assert_int_equal(descriptors(), CPUS * EVENTS);
}

static void it_goes_on_row_by_row(void **state)
{
    bool between = false;

    (void)state;
    begin(EVENTS);
    budget = 1; // one row a tick
    counters[0] = counters[1] = 3;
    for (int i = 0; i < 60; i++) {
        interval();
        between |= regroup.apart[0].state == APART_OPENING && regroup.apart[0].next_row == 1;
    }
    assert_true(between);
    assert_int_equal(quality(1, 0), QUALITY_SCALED);
    assert_int_equal(quality(2, 0), QUALITY_SCALED);
}

static void what_cannot_be_opened_stays_as_it_is(void **state)
{
    (void)state;
    begin(EVENTS);
    counters[0] = counters[1] = 3;
    refuse = -EMFILE;
    seconds(6);
    assert_int_equal(times_told("cannot be counted in parts (Too many open files)"), 1);
    assert_int_equal(times_told("no counter has been free"), 1);
    assert_int_equal(descriptors(), CPUS * EVENTS);
    assert_int_equal(quality(1, 0), QUALITY_NEVER_RAN);
    refuse = 0;
    counters[0] = counters[1] = 4;
    seconds(3);
    assert_int_equal(quality(1, 0), QUALITY_EXACT);
    assert_int_equal(times_told("all events have counters again"), 1);
}

static void what_could_not_be_opened_once_is_tried_again(void **state)
{
    (void)state;
    begin(EVENTS);
    counters[0] = counters[1] = 3;
    refuse = -EMFILE;
    seconds(60); // some tries, of which the first is news
    assert_int_equal(times_told("cannot be counted in parts"), 1);
    assert_int_equal(times_told("no counter has been free"), 1);
    assert_int_equal(times_told("all events have counters again"), 0);
    assert_int_equal(quality(1, 0), QUALITY_NEVER_RAN);
    refuse = 0;
    seconds(60);
    assert_int_equal(times_told("counted in parts that take turns"), 2);
    assert_int_equal(times_told("all events have counters again"), 1);
    assert_int_equal(quality(1, 0), QUALITY_SCALED);
    assert_true(together(1, 0, 2));
    counters[0] = counters[1] = 4;
    seconds(400);
    assert_int_equal(times_told("counted together again"), 1);
    assert_int_equal(quality(1, 0), QUALITY_EXACT);
}

static void a_pinned_group_is_left_alone(void **state)
{
    (void)state;
    begin(EVENTS);
    set.groups[0].pinned = true;
    counters[0] = counters[1] = 3;
    seconds(6);
    assert_int_equal(times_told("in parts"), 0);
    assert_int_equal(times_told("no counter has been free"), 1);
}

static void a_cpu_that_goes_and_comes_has_its_parts(void **state)
{
    (void)state;
    begin(EVENTS);
    counters[0] = counters[1] = 3;
    seconds(5);
    regroup_close_row(&regroup, &set, 1);
    assert_int_equal(descriptors(), 2 * EVENTS);
    regroup_open_row(&regroup, &set, attrs, &target, 1, &readings);
    assert_int_equal(descriptors(), 2 * CPUS * EVENTS);
    interval();
    assert_int_equal(quality(2, 0), QUALITY_SCALED);
}

// Children that were born before have inherited the whole, and not the parts: their time is in the
// whole's, and their counts are taken to be as the others'.
static void children_of_a_task_are_not_forgotten(void **state)
{
    static struct target_thread thread = {.tid = 1};

    (void)state;
    target =
        (struct target){.kind = TARGET_PROCESS, .threads = &thread, .n_threads = 1, .ends = -1};
    begin(EVENTS);
    counters[0] = 3;
    for (int i = 0; i < 60; i++) {
        // The whole is the first that was opened.
        int whole = set.groups[0].fds[0];

        if (i == 5)
            children = 1;
        if (children)
            opened[whole].enabled += (uint64_t)STEP;
        interval();
    }
    assert_int_equal(quality(1, 0), QUALITY_SCALED);
    assert_int_equal(descriptors(), 2 * EVENTS);
    assert_true(opened[set.groups[0].fds[0]].on);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_sides_of_a_ratio_stay_together),
        TEST(a_group_that_starves_is_counted_in_pairs_and_later_as_a_whole),
        TEST(without_two_counters_each_is_counted_by_itself),
        TEST(it_goes_on_row_by_row),
        TEST(what_could_not_be_opened_once_is_tried_again),
        TEST(what_cannot_be_opened_stays_as_it_is),
        TEST(a_pinned_group_is_left_alone),
        TEST(a_cpu_that_goes_and_comes_has_its_parts),
        TEST(children_of_a_task_are_not_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
