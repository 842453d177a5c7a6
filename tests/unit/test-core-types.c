// SPDX-License-Identifier: Apache-2.0
// A hybrid processor, by the fixture tree events-hybrid (CPUs 0-3 are cpu_core, type 4; 4-7 are
// cpu_atom, type 10) and a kernel that is played here: --wrap=perf_event_open in meson.build.
#include "collect/collector.h"

#include "unit.h"

#include <sys/mman.h>

#define CORE      UINT64_C(4)
#define ATOM      UINT64_C(10)
#define OPENS_MAX 1024
#define FDS_MAX   1024
#define CPUS      8

struct group_file {
    uint64_t nr, enabled, running, values[GROUP_EVENTS_MAX];
};

struct opened {
    uint64_t type; // of the core
    int leader;    // its descriptor
    struct group_file file;
};

static struct opened opened[FDS_MAX]; // by descriptor
static char message[EVENT_REASON_MAX];
static int starved_cpu;

int __wrap_perf_event_open(const struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                           unsigned long flags);

// What a CPU of this type counts: cycles and instructions, told apart by type and CPU.
static uint64_t count(uint64_t type, uint64_t config, int cpu)
{
    return 1000 * type + 100 * (config & 0xffffffff) + (uint64_t)(cpu < 0 ? 0 : cpu);
}

int __wrap_perf_event_open(const struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                           unsigned long flags)
{
    uint64_t type = attr->config >> 32 ? attr->config >> 32 : CORE;
    struct opened *leader;
    int fd;

    (void)pid;
    (void)flags;
    if (attr->type != PERF_TYPE_HARDWARE || (cpu >= 0 && (type == CORE) != (cpu < 4)))
        return -ENOENT;
    if (group_fd >= 0 && opened[group_fd].type != type)
        return -EINVAL;
    fd = memfd_create("event", 0);
    assert_true(fd >= 0 && fd < FDS_MAX);
    opened[fd] = (struct opened){.type = type, .leader = group_fd < 0 ? fd : group_fd};
    leader = &opened[opened[fd].leader];
    leader->file.enabled = NS_PER_SEC;
    leader->file.running = cpu == starved_cpu ? 0 : NS_PER_SEC;
    leader->file.values[leader->file.nr++] = count(type, attr->config, cpu);
    assert_true(pwrite(opened[fd].leader, &leader->file, (size_t)(24 + 8 * leader->file.nr), 0) >
                0);
    return fd;
}

static void open_collector(struct collector *c, enum target_kind kind, const char *events)
{
    static struct target_thread thread = {.tid = 1};
    struct target t = {.kind = kind, .n_possible = CPUS, .n_cpus = CPUS, .ends = -1};
    struct event_list list;

    t.cpus = calloc(CPUS, sizeof(*t.cpus));
    for (int i = 0; i < CPUS; i++)
        t.cpus[i] = i;
    if (kind == TARGET_THREADS) {
        t.threads = calloc(1, sizeof(*t.threads));
        t.threads[0] = thread;
        t.n_threads = 1;
    }
    assert_int_equal(core_types_read(fixture("events-hybrid"), &t.cores), 0);
    assert_int_equal(t.cores.n, 2);
    if (event_list_parse(fixture("events-hybrid"), events, &list, message) < 0)
        fail_msg("%s", message);
    if (collector_open(c, &list, &t, message) < 0)
        fail_msg("%s", message);
    event_list_done(&list);
}

static size_t column(const struct collector *c, const char *id)
{
    int i = event_table_find_column(&c->events, id);

    if (i < 0)
        fail_msg("no column %s", id);
    return (size_t)i;
}

static struct sum *read_all(struct collector *c)
{
    static struct sum sums[(1 + CPUS) * EVENTS_MAX];

    collector_start(c, 0);
    collector_read(c, clock_ns(CLOCK_MONOTONIC));
    readings_sums(&c->readings, target_is_tasks(&c->target) ? 1 : 1 + CPUS, sums);
    return sums;
}

static void a_processor_of_one_type_has_none(void **state)
{
    struct core_types t;

    (void)state;
    assert_int_equal(core_types_read(fixture("events"), &t), 0);
    assert_int_equal(t.n, 0);
    assert_int_equal(core_types_of_cpu(&t, 0), 0);
    assert_int_equal(core_types_read("/nowhere", &t), 0);
}

static void names_say_the_type(void **state)
{
    struct core_type t = {.name = "cpu_atom"};
    char name[EVENT_NAME_MAX];

    (void)state;
    core_types_name(&t, "cycles", name);
    assert_string_equal(name, "cpu_atom/cycles/");
    core_types_name(&t, "LLC-loads:u", name);
    assert_string_equal(name, "cpu_atom/LLC-loads/u");
    core_types_name(&t, "cycles:k a.slice/b", name);
    assert_string_equal(name, "cpu_atom/cycles/k a.slice/b");
}

static void cpus_count_what_they_are_and_the_whole_is_the_sum(void **state)
{
    struct collector c;
    struct sum *sums;
    uint64_t core = 0, atom = 0;
    size_t cycles, n;

    (void)state;
    starved_cpu = -1;
    open_collector(&c, TARGET_SYSTEM, "{cycles,instructions},cpu_atom/cycles/");
    assert_int_equal(c.groups.n, 2);
    sums = read_all(&c);
    cycles = column(&c, "cycles");
    n = c.events.n;
    for (int cpu = 0; cpu < CPUS; cpu++) {
        uint64_t expected = count(cpu < 4 ? CORE : ATOM, PERF_COUNT_HW_CPU_CYCLES, cpu);

        *(cpu < 4 ? &core : &atom) += expected;
        assert_near(sums[(size_t)(1 + cpu) * n + cycles].raw, (double)expected);
        // The series of a type is there on its CPUs.
        assert_int_equal(isnan(sums[(size_t)(1 + cpu) * n + column(&c, "cpu_core_cycles_")].raw),
                         cpu >= 4);
    }
    assert_near(sums[cycles].raw, (double)(core + atom));
    assert_near(sums[column(&c, "cpu_core_cycles_")].raw, (double)core);
    // Asked for by its name and as the part of the whole: two columns of the same.
    assert_near(sums[column(&c, "cpu_atom_cycles_")].raw, (double)atom);
    assert_near(sums[column(&c, "cpu_atom_cycles__2")].raw, (double)atom);
    assert_near(sums[column(&c, "cpu_atom_instructions_")].raw, (double)(atom + 4 * 100));
    // Both sides of a ratio are read together, in the whole and in each part.
    assert_int_equal(c.events.events[cycles].group,
                     c.events.events[column(&c, "instructions")].group);
    assert_int_equal(c.events.events[column(&c, "cpu_core_cycles_")].group,
                     c.events.events[column(&c, "cpu_core_instructions_")].group);
    assert_true(c.events.events[cycles].group !=
                c.events.events[column(&c, "cpu_core_cycles_")].group);
    collector_close(&c);
}

static void the_whole_is_as_good_as_its_worst_part(void **state)
{
    struct collector c;
    struct sum *sums;

    (void)state;
    starved_cpu = 6;
    open_collector(&c, TARGET_SYSTEM, "cycles");
    sums = read_all(&c);
    assert_int_equal(sum_quality(sums[column(&c, "cycles")], SCOPE_CPU), QUALITY_NEVER_RAN);
    assert_int_equal(sum_quality(sums[column(&c, "cpu_core_cycles_")], SCOPE_CPU), QUALITY_EXACT);
    assert_int_equal(sum_quality(sums[column(&c, "cpu_atom_cycles_")], SCOPE_CPU),
                     QUALITY_NEVER_RAN);
    collector_close(&c);
}

static void a_task_has_a_column_of_each_type_and_no_sum(void **state)
{
    struct collector c;
    struct sum *sums;
    const struct event *whole;

    (void)state;
    starved_cpu = -2;
    open_collector(&c, TARGET_THREADS, "{cycles,instructions}:u");
    sums = read_all(&c);
    whole = &c.events.events[column(&c, "cycles_u")];
    assert_int_equal(whole->availability, QUALITY_NOT_SUPPORTED);
    assert_contains(whole->why, "cpu_atom/cycles/u");
    assert_nan(sums[column(&c, "cycles_u")].raw);
    assert_near(sums[column(&c, "cpu_core_cycles_u")].raw, (double)count(CORE, 0, -1));
    assert_near(sums[column(&c, "cpu_atom_cycles_u")].raw, (double)count(ATOM, 0, -1));
    assert_near(sums[column(&c, "cpu_atom_instructions_u")].raw, (double)count(ATOM, 1, -1));
    // A group has events of one type.
    assert_int_equal(c.groups.n, 2);
    assert_int_equal(c.groups.groups[0].n, 2);
    assert_int_equal(c.groups.groups[1].n, 2);
    collector_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_processor_of_one_type_has_none),
        cmocka_unit_test(names_say_the_type),
        cmocka_unit_test(cpus_count_what_they_are_and_the_whole_is_the_sum),
        cmocka_unit_test(the_whole_is_as_good_as_its_worst_part),
        cmocka_unit_test(a_task_has_a_column_of_each_type_and_no_sum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
