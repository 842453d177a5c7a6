// SPDX-License-Identifier: Apache-2.0
// The doctor on machines that we do not have: each is a few files of /proc and /sys, and what
// trying things out would have given there.
#include "collect/doctor.h"

#include "unit.h"

#include "collect/doctor_checks.h"
#include "collect/event_list.h"

#include <sched.h>

struct file {
    const char *path, *text;
};

static char root[64];
static struct findings findings;

static int set_up(void **state)
{
    (void)state;
    scratch_init(root);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_done(root);
    return 0;
}

static void write_files(const struct file *files)
{
    for (; files->path; files++)
        scratch_write(root, files->path, files->text);
}

// What every machine below has, unless it says otherwise.
static const struct file usual[] = {
    {"proc/sys/kernel/perf_event_paranoid", "2\n"},
    {"proc/sys/kernel/kptr_restrict", "0\n"},
    {"proc/sys/kernel/nmi_watchdog", "0\n"},
    {"proc/sys/kernel/perf_event_mlock_kb", "516\n"},
    {"proc/self/status", "Name:\tcyclescope\nNoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\n"},
    {"proc/self/uid_map", "         0          0 4294967295\n"},
    {"proc/self/mountinfo", "23 29 0:22 / /proc rw - proc proc rw\n"
                            "31 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"},
    {"sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n"},
    {"sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"},
    {0},
};

// Root on a machine with a PMU.
static struct doctor_look root_with_pmu(void)
{
    return (struct doctor_look){
        .machine = {.kernel = "6.1.0-28-amd64"},
        .cpus = 8,
        .cap_perfmon = true,
        .cap_sys_admin = true,
        .cap_syslog = true,
        .cap_ipc_lock = true,
        .cap_sys_nice = true,
        .group_read = true,
        .cycles = 3100000,
        .instructions = 2000000,
        .enabled = 1000000,
        .running = 1000000,
        .counters = 4,
        .descriptors = {1048576, 1048576},
        .locked_memory = {8 << 20, 8 << 20},
        .timer_resolution = 1,
    };
}

// A user without privileges there, at perf_event_paranoid 2.
static struct doctor_look user_with_pmu(void)
{
    struct doctor_look l = root_with_pmu();

    l.cap_perfmon = l.cap_sys_admin = l.cap_syslog = l.cap_ipc_lock = l.cap_sys_nice = false;
    l.software_system = l.software_self = l.hardware_system = l.hardware_self = -EACCES;
    l.cgroup = -EACCES;
    l.realtime = -EPERM;
    return l;
}

static struct doctor_look without_pmu(struct doctor_look l)
{
    if (l.hardware_system == 0)
        l.hardware_system = -ENOENT;
    if (l.hardware_self == 0)
        l.hardware_self = -ENOENT;
    l.hardware_user = l.group = -ENOENT;
    l.group_read = false;
    l.cycles = l.instructions = 0;
    l.enabled = l.running = 0;
    l.counters = 0;
    return l;
}

static enum doctor_verdict examine(const struct doctor_look *l)
{
    doctor_check(root, l, &findings);
    for (size_t i = 0; i < findings.n; i++) {
        const struct finding *f = &findings.checks[i];

        // Each says what it found; who takes something away says what, and what helps.
        assert_true(f->found[0]);
        if (f->status == FINDING_PASS && (f->cost[0] || f->remedy[0]))
            fail_msg("%s passes, and costs \"%s\" and wants \"%s\"", f->name, f->cost, f->remedy);
        if ((f->status == FINDING_LIMITED || f->status == FINDING_FAIL) &&
            !(f->cost[0] && f->remedy[0]))
            fail_msg("%s does not say what it costs, or what helps", f->name);
        // Nothing was cut.
        assert_true(strlen(f->found) < FINDING_TEXT_MAX - 1);
        assert_true(strlen(f->cost) < FINDING_TEXT_MAX - 1);
        assert_true(strlen(f->remedy) < FINDING_TEXT_MAX - 1);
    }
    return doctor_verdict(&findings);
}

static void assert_finding(const char *name, enum finding_status status, const char *found,
                           const char *remedy)
{
    const struct finding *f = findings_find(&findings, name);

    assert_non_null(f);
    if (f->status != status)
        fail_msg("%s is %s: %s", name, finding_status_name(f->status), f->found);
    assert_contains(f->found, found);
    assert_contains(f->remedy, remedy);
}

static void root_on_bare_metal_has_everything(void **state)
{
    const struct doctor_look l = root_with_pmu();

    (void)state;
    write_files(usual);
    scratch_write(root, "sys/bus/event_source/devices/cpu/type", "4\n");
    assert_int_equal(examine(&l), DOCTOR_HARDWARE);
    for (size_t i = 0; i < findings.n; i++)
        assert_finding(findings.checks[i].name, FINDING_PASS, "", "");
    assert_finding("hardware", FINDING_PASS, "4 events at once", "");
    assert_finding("hypervisor", FINDING_PASS, "none", "");
    assert_finding("cgroup", FINDING_PASS, "v2 at /sys/fs/cgroup (controllers: cpuset", "");
}

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

static void a_count_that_cannot_be_is_not_believed(void **state)
{
    struct doctor_look l = root_with_pmu();

    (void)state;
    write_files(usual);
    l.cycles = 0;
    assert_int_equal(examine(&l), DOCTOR_SOFTWARE);
    assert_finding("hardware", FINDING_FAIL, "stand still on a busy CPU", "");
    l = root_with_pmu();
    l.instructions = 0;
    assert_int_equal(examine(&l), DOCTOR_SOFTWARE);
    l = root_with_pmu();
    l.cycles = 999; // of a millisecond
    assert_int_equal(examine(&l), DOCTOR_SOFTWARE);
    l.cycles = 100000; // 100 MHz
    assert_int_equal(examine(&l), DOCTOR_HARDWARE);
    l.group_read = false;
    assert_int_equal(examine(&l), DOCTOR_SOFTWARE);
    l = root_with_pmu();
    l.group = -EINVAL;
    assert_int_equal(examine(&l), DOCTOR_SOFTWARE);
    assert_finding("hardware", FINDING_FAIL, "do not open together", "");
}

static void a_guest_without_a_pmu_names_its_hypervisor_and_the_remedy(void **state)
{
    static const struct {
        const char *hypervisor, *remedy;
    } cases[] = {
        {"KVM", "`qemu-system-x86_64 -cpu host,pmu=on`"},
        {"VMware", "vpmc.enable"},
        {"Hyper-V", "`Set-VMProcessor"},
        {"Xen", "vpmu=on"},
        {"Amazon EC2", ".metal"},
        {"Google Compute Engine", "gcloud"},
        {"bhyve", "ask who runs the hypervisor"},
        {"", "firmware"},
    };

    (void)state;
    write_files(usual);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct doctor_look l = without_pmu(root_with_pmu());

        snprintf(l.machine.hypervisor, sizeof(l.machine.hypervisor), "%s", cases[i].hypervisor);
        assert_int_equal(examine(&l), DOCTOR_SOFTWARE);
        assert_finding("hardware", FINDING_FAIL, "no PMU", cases[i].remedy);
        assert_finding("hypervisor", FINDING_PASS,
                       cases[i].hypervisor[0] ? cases[i].hypervisor : "none", "");
        assert_finding("software", FINDING_PASS, "whole system", "");
    }
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

static void debians_paranoid_3_leaves_a_user_nothing(void **state)
{
    struct doctor_look l = user_with_pmu();

    (void)state;
    write_files(usual);
    scratch_write(root, "proc/sys/kernel/perf_event_paranoid", "3\n");
    scratch_write(root, "sys/bus/event_source/devices/cpu/type", "4\n");
    l.software_user = l.hardware_user = l.group = -EACCES;
    l.group_read = false;
    assert_int_equal(examine(&l), DOCTOR_NOTHING);
    assert_finding("hardware", FINDING_FAIL, "may not use it", "permission");
    assert_finding("software", FINDING_FAIL, "Permission denied", "permission");
    assert_finding("permission", FINDING_FAIL, "perf_event_paranoid is 3: nothing",
                   "`sudo cyclescope`");
    assert_finding("container", FINDING_PASS, "not in one", "");
}

static void the_paranoid_levels_mean_what_the_kernel_means(void **state)
{
    static const struct {
        const char *level;
        enum finding_status status;
        const char *found;
    } cases[] = {
        {"-1\n", FINDING_PASS, "whole system"},    {"0\n", FINDING_PASS, "whole system"},
        {"1\n", FINDING_LIMITED, "kernel's part"}, {"2\n", FINDING_LIMITED, "user mode only"},
        {"4\n", FINDING_FAIL, "nothing"},          {"x\n", FINDING_UNKNOWN, "cannot be read"},
    };
    struct doctor_look l = user_with_pmu();

    (void)state;
    write_files(usual);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        scratch_write(root, "proc/sys/kernel/perf_event_paranoid", cases[i].level);
        examine(&l);
        assert_finding("permission", cases[i].status, cases[i].found, "");
    }
    scratch_write(root, "proc/sys/kernel/perf_event_paranoid", "4\n");
    l.cap_sys_admin = true;
    examine(&l);
    assert_finding("permission", FINDING_PASS, "CAP_SYS_ADMIN: everything", "");
}

static void a_container_that_filters_the_call_is_told_apart(void **state)
{
    struct doctor_look l = root_with_pmu();

    (void)state;
    write_files(usual);
    scratch_write(root, ".dockerenv", "");
    scratch_write(root, "sys/bus/event_source/devices/cpu/type", "4\n");
    assert_int_equal(examine(&l), DOCTOR_HARDWARE);
    assert_finding("container", FINDING_PASS, "Docker, which lets", "");
    scratch_write(root, "proc/self/status", "Name:\tcyclescope\nSeccomp:\t2\n");
    // Docker's filter gives EPERM, others ENOSYS.
    for (int error = EPERM; error; error = error == EPERM ? ENOSYS : 0) {
        l.cap_perfmon = false;
        l.software_system = l.software_self = l.software_user = -error;
        l.hardware_system = l.hardware_self = l.hardware_user = l.group = -error;
        l.group_read = false;
        assert_int_equal(examine(&l), DOCTOR_NOTHING);
        assert_finding("container", FINDING_FAIL, "a seccomp filter of Docker refuses",
                       "--cap-add=PERFMON");
        assert_finding("hardware", FINDING_FAIL, "", "container");
    }
    // Without a filter, a kernel that does not have the call has not been told to refuse it.
    scratch_write(root, "proc/self/status", "Name:\tcyclescope\nSeccomp:\t0\n");
    assert_int_equal(examine(&l), DOCTOR_NOTHING);
    assert_finding("container", FINDING_PASS, "", "");
    assert_finding("hardware", FINDING_FAIL, "does not exist", "CONFIG_PERF_EVENTS");
    // A security module.
    l.software_user = -EPERM;
    examine(&l);
    assert_finding("container", FINDING_FAIL, "is refused", "dmesg");
}

static void root_of_a_user_namespace_is_told_so(void **state)
{
    struct doctor_look l = root_with_pmu();

    (void)state;
    write_files(usual);
    scratch_write(root, "proc/self/uid_map", "         0     100000      65536\n");
    l.software_system = l.hardware_system = l.software_self = l.hardware_self = -EACCES;
    assert_int_equal(examine(&l), DOCTOR_HARDWARE);
    assert_finding("container", FINDING_FAIL, "user namespace", "from the host");
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

static void looking_at_this_machine_changes_nothing_of_ours(void **state)
{
    struct doctor_look l;
    int next = dup(0), after;

    (void)state;
    close(next);
    doctor_look(&l);
    after = dup(0);
    close(after);
    assert_int_equal(after, next); // no descriptor is left open
    assert_int_equal(sched_getscheduler(0) & ~SCHED_RESET_ON_FORK, SCHED_OTHER);
    assert_true(l.cpus > 0 && l.timer_resolution > 0);
    // A group that was read has a count, or says that it did not run.
    if (l.group_read && l.running)
        assert_true(l.enabled >= l.running);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(root_on_bare_metal_has_everything),
        TEST(the_watchdog_takes_a_counter),
        TEST(a_count_that_cannot_be_is_not_believed),
        TEST(a_guest_without_a_pmu_names_its_hypervisor_and_the_remedy),
        TEST(a_hybrid_laptop_of_a_user_is_limited),
        TEST(big_little_is_hybrid_too),
        TEST(debians_paranoid_3_leaves_a_user_nothing),
        TEST(the_paranoid_levels_mean_what_the_kernel_means),
        TEST(a_container_that_filters_the_call_is_told_apart),
        TEST(root_of_a_user_namespace_is_told_so),
        TEST(limits_are_told_with_what_is_needed),
        TEST(cgroups_are_there_when_perf_knows_them),
        TEST(clocks_symbols_and_kernels_are_judged),
        TEST(a_machine_without_proc_is_not_a_crash),
        TEST(looking_at_this_machine_changes_nothing_of_ours),
    };

    return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
