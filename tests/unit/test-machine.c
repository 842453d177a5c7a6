// SPDX-License-Identifier: Apache-2.0
#include "collect/machine.h"

#include "unit.h"

#include "collect/perf_event.h"

#include <sys/utsname.h>

static void an_x86_guest_names_its_cpu_and_hypervisor(void **state)
{
    struct machine m;

    (void)state;
    machine_describe(fixture("x86-kvm"), &m);
    assert_string_equal(m.cpu_model, "Intel(R) Xeon(R) Processor @ 2.90GHz");
    assert_string_equal(m.hypervisor, "QEMU");
}

static void bare_metal_has_no_hypervisor(void **state)
{
    struct machine m;

    (void)state;
    machine_describe(fixture("x86-bare"), &m);
    assert_string_equal(m.cpu_model, "AMD Ryzen 9 5950X 16-Core Processor");
    assert_string_equal(m.hypervisor, "");
}

static void a_guest_that_names_no_hypervisor_is_one_all_the_same(void **state)
{
    struct machine m;

    (void)state;
    machine_describe(fixture("x86-guest"), &m);
    assert_contains(m.hypervisor, "does not name itself");
}

static void an_arm_guest_gives_its_part_number(void **state)
{
    struct machine m;

    (void)state;
    machine_describe(fixture("arm64-xen"), &m);
    assert_contains(m.cpu_model, "CPU part 0xd0c");
    assert_string_equal(m.hypervisor, "xen");
}

static void what_cannot_be_found_out_is_empty(void **state)
{
    struct machine m;
    struct utsname name;

    (void)state;
    machine_describe(fixture("empty"), &m);
    assert_string_equal(m.cpu_model, "");
    assert_string_equal(m.hypervisor, "");
    assert_int_equal(uname(&name), 0);
    assert_string_equal(m.kernel, name.release);
    assert_string_equal(m.arch, name.machine);
    assert_string_equal(m.host, name.nodename);
}

static void the_paranoid_level_is_read_or_the_kernels_default(void **state)
{
    (void)state;
    assert_int_equal(perf_event_paranoid(fixture("x86-kvm")), 3);
    assert_int_equal(perf_event_paranoid(fixture("empty")), 2);
}

static double slots(const char *path, const char *text, const char *smt)
{
    char root[64];
    double found;

    scratch_init(root);
    scratch_write(root, path, text);
    if (smt)
        scratch_write(root, "sys/devices/system/cpu/smt/active", smt);
    found = machine_slots_per_cycle(root);
    scratch_done(root);
    return found;
}

static void slots_per_cycle_come_from_the_machine(void **state)
{
    static const char *const amd = "vendor_id\t: AuthenticAMD\ncpu family\t: %d\n";
    static const char *const intel = "vendor_id\t: GenuineIntel\ncpu family\t: 6\n";
    const char *caps = "sys/bus/event_source/devices/armv8_pmuv3_0/caps/slots";
    char text[128];

    (void)state;
    assert_near(slots(caps, "0x00000005\n", NULL), 5);
    assert_near(slots(caps, "8\n", NULL), 8);
    snprintf(text, sizeof(text), amd, 25);
    assert_near(slots("proc/cpuinfo", text, "1\n"), 6);
    snprintf(text, sizeof(text), amd, 26);
    assert_near(slots("proc/cpuinfo", text, "1\n"), 8);
    snprintf(text, sizeof(text), amd, 23);
    assert_near(slots("proc/cpuinfo", text, "1\n"), 0);
    assert_near(slots("proc/cpuinfo", intel, "0\n"), 4);
    assert_near(slots("proc/cpuinfo", intel, "1\n"), 0);
    assert_near(slots("proc/cpuinfo", intel, NULL), 0);
    assert_near(machine_slots_per_cycle(fixture("empty")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_x86_guest_names_its_cpu_and_hypervisor),
        cmocka_unit_test(bare_metal_has_no_hypervisor),
        cmocka_unit_test(a_guest_that_names_no_hypervisor_is_one_all_the_same),
        cmocka_unit_test(an_arm_guest_gives_its_part_number),
        cmocka_unit_test(what_cannot_be_found_out_is_empty),
        cmocka_unit_test(the_paranoid_level_is_read_or_the_kernels_default),
        cmocka_unit_test(slots_per_cycle_come_from_the_machine),
    };

    return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
