// SPDX-License-Identifier: Apache-2.0
// The doctor on what may be opened, and whether it counts.
#include "doctor.h"

#include <sched.h>

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
        TEST(a_count_that_cannot_be_is_not_believed),
        TEST(a_guest_without_a_pmu_names_its_hypervisor_and_the_remedy),
        TEST(debians_paranoid_3_leaves_a_user_nothing),
        TEST(the_paranoid_levels_mean_what_the_kernel_means),
        TEST(a_container_that_filters_the_call_is_told_apart),
        TEST(root_of_a_user_namespace_is_told_so),
        TEST(looking_at_this_machine_changes_nothing_of_ours),
    };

    return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
