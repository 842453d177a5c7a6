// SPDX-License-Identifier: Apache-2.0
// The doctor on how a machine is set up, and what it has room for.
#include "doctor.h"

#include "collect/event_list.h"

static void the_watchdog_takes_a_counter(void **state)
{
    struct doctor_look l = root_with_pmu();

    (void)state;
    write_files(usual);
    scratch_write(root, "proc/sys/kernel/nmi_watchdog", "1\n");
    examine(&l);
    assert_finding("nmi-watchdog", FINDING_PASS, "there are none", "");
    scratch_write(root, "sys/bus/event_source/devices/cpu/type", "4\n");
    examine(&l);
    assert_finding("nmi-watchdog", FINDING_LIMITED, "one counter",
                   "`sudo sysctl kernel.nmi_watchdog=0`");
    l.running = 0;
    l.cycles = l.instructions = 0;
    assert_int_equal(examine(&l), DOCTOR_SOFTWARE);
    assert_finding("hardware", FINDING_FAIL, "never get a counter", "nmi_watchdog=0");
}

static void a_hybrid_laptop_of_a_user_is_limited(void **state)
{
    struct doctor_look l = user_with_pmu();
    uint64_t types[2];

    (void)state;
    write_files(usual);
    assert_int_equal(doctor_hybrid_types(root, types), 0);
    scratch_write(root, "sys/bus/event_source/devices/cpu_core/type", "4\n");
    scratch_write(root, "sys/bus/event_source/devices/cpu_atom/type", "10\n");
    assert_int_equal(doctor_hybrid_types(root, types), 2);
    assert_true(types[0] == 4 && types[1] == 10);
    assert_int_equal(examine(&l), DOCTOR_HARDWARE);
    assert_finding("hardware", FINDING_LIMITED, "your own processes and user mode", "sudo");
    assert_finding("software", FINDING_LIMITED, "page faults", "sudo");
    assert_finding("permission", FINDING_LIMITED, "perf_event_paranoid is 2", "`sudo cyclescope`");
    assert_finding("hybrid", FINDING_LIMITED, "cpu_core and cpu_atom", "cpu_core/cycles/");
    assert_finding("kernel-symbols", FINDING_LIMITED, "without privileges", "CAP_SYSLOG");
    assert_finding("priority", FINDING_LIMITED, "no real-time", "`sudo prlimit --rtprio=1");
    assert_finding("container", FINDING_PASS, "not in one", "");
    assert_finding("memory", FINDING_PASS, "516 KiB a CPU", "");
}

static void big_little_is_hybrid_too(void **state)
{
    const struct doctor_look l = root_with_pmu();

    (void)state;
    write_files(usual);
    scratch_write(root, "sys/bus/event_source/devices/armv8_cortex_a53/type", "8\n");
    assert_true(doctor_pmu_listed(root));
    examine(&l);
    assert_finding("hybrid", FINDING_PASS, "one type", "");
    scratch_write(root, "sys/bus/event_source/devices/armv8_cortex_a72/type", "9\n");
    examine(&l);
    assert_finding("hybrid", FINDING_LIMITED, "2 types of cores", "-C LIST");
}

static void limits_are_told_with_what_is_needed(void **state)
{
    struct doctor_look l = user_with_pmu();
    struct event_list list = {0};
    char message[EVENT_REASON_MAX];

    (void)state;
    write_files(usual);
    l.cpus = 256;
    l.descriptors = (struct rlimit){1024, 2000};
    scratch_write(root, "proc/sys/kernel/perf_event_mlock_kb", "16\n");
    examine(&l);
    assert_finding("descriptors", FINDING_FAIL, "2000, where",
                   "`sudo prlimit --nofile=5248 --pid $$`");
    assert_finding("memory", FINDING_LIMITED, "16 KiB a CPU", "perf_event_mlock_kb=516");
    l.descriptors.rlim_max = RLIM_INFINITY;
    l.locked_memory.rlim_cur = RLIM_INFINITY;
    examine(&l);
    assert_finding("descriptors", FINDING_PASS,
                   "without limit; the default events on 256 CPUs take 2560", "");
    assert_finding("memory", FINDING_PASS, "no limit", "");
    // What the estimate counts on.
    assert_int_equal(event_list_parse(event_list_default(false), &list, message), 0);
    assert_int_equal(list.n, 10);
    event_list_done(&list);
}

static void cgroups_are_there_when_perf_knows_them(void **state)
{
    struct doctor_look l = root_with_pmu();

    (void)state;
    write_files(usual);
    l.cgroup = -ENOENT;
    examine(&l);
    assert_finding("cgroup", FINDING_LIMITED, "do not know",
                   "`echo +cpuset | sudo tee /sys/fs/cgroup/cgroup.subtree_control`");
    scratch_write(root, "proc/self/mountinfo", "23 29 0:22 / /proc rw - proc proc rw\n");
    examine(&l);
    assert_finding("cgroup", FINDING_LIMITED, "not mounted", "mount -t cgroup2");
}

static void clocks_symbols_and_kernels_are_judged(void **state)
{
    struct doctor_look l = root_with_pmu();
#define SOURCES "sys/devices/system/clocksource/clocksource0/"

    (void)state;
    write_files(usual);
    scratch_write(root, SOURCES "current_clocksource", "hpet\n");
    scratch_write(root, SOURCES "available_clocksource", "tsc hpet acpi_pm\n");
    scratch_write(root, "proc/sys/kernel/kptr_restrict", "2\n");
    snprintf(l.machine.kernel, sizeof(l.machine.kernel), "5.4.0-42-generic");
    examine(&l);
    assert_finding("clock", FINDING_LIMITED, "hpet", "`echo tsc | sudo tee");
    assert_finding("kernel-symbols", FINDING_LIMITED, "kptr_restrict is 2", "kptr_restrict=1");
    assert_finding("kernel", FINDING_LIMITED, "5.4.0-42-generic, older than 5.10", "newer kernel");
    scratch_write(root, SOURCES "available_clocksource", "hpet acpi_pm\n");
    snprintf(l.machine.kernel, sizeof(l.machine.kernel), "5.10.0");
    examine(&l);
    assert_finding("clock", FINDING_LIMITED, "hpet", "dmesg");
    assert_finding("kernel", FINDING_PASS, "Linux 5.10.0", "");
    l.timer_resolution = 4000000;
    snprintf(l.machine.kernel, sizeof(l.machine.kernel), "mine");
    examine(&l);
    assert_finding("clock", FINDING_LIMITED, "resolution of 4 ms", "highres=off");
    assert_finding("kernel", FINDING_UNKNOWN, "mine", "");
#undef SOURCES
}

static void a_machine_without_proc_is_not_a_crash(void **state)
{
    struct doctor_look l = without_pmu(root_with_pmu());

    (void)state;
    assert_int_equal(examine(&l), DOCTOR_SOFTWARE);
    assert_finding("permission", FINDING_UNKNOWN, "cannot be read", "");
    assert_finding("clock", FINDING_UNKNOWN, "cannot be read", "");
    assert_finding("nmi-watchdog", FINDING_PASS, "has none", "");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_watchdog_takes_a_counter),
        TEST(a_hybrid_laptop_of_a_user_is_limited),
        TEST(big_little_is_hybrid_too),
        TEST(limits_are_told_with_what_is_needed),
        TEST(cgroups_are_there_when_perf_knows_them),
        TEST(clocks_symbols_and_kernels_are_judged),
        TEST(a_machine_without_proc_is_not_a_crash),
    };

    return cmocka_run_group_tests_name("doctor-system", tests, NULL, NULL);
}
