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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_x86_guest_names_its_cpu_and_hypervisor),
        cmocka_unit_test(bare_metal_has_no_hypervisor),
        cmocka_unit_test(a_guest_that_names_no_hypervisor_is_one_all_the_same),
        cmocka_unit_test(an_arm_guest_gives_its_part_number),
        cmocka_unit_test(what_cannot_be_found_out_is_empty),
        cmocka_unit_test(the_paranoid_level_is_read_or_the_kernels_default),
    };

    return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
