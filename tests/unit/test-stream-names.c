// SPDX-License-Identifier: Apache-2.0
// Names from attrs, modifiers from names, and the id table.
#include "stream/event_name.h"
#include "stream/id_map.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

// What perf 6.1 prints for them.
static void test_names(void **state)
{
    static const struct {
        struct event_attr attr;
        const char *name;
    } cases[] = {
        {{.type = 0, .config = 0, .exclude_guest = true}, "cycles"},
        {{.type = 0, .config = 1, .exclude_kernel = true, .exclude_hv = true}, "instructions:u"},
        {{.type = 0, .config = 3, .exclude_user = true, .exclude_hv = true}, "cache-misses:k"},
        {{.type = 0, .config = UINT64_C(4) << 32 | 5, .exclude_guest = true}, "branch-misses"},
        {{.type = 1, .config = 9}, "dummy:HG"},
        {{.type = 1, .config = 3, .exclude_guest = true}, "context-switches"},
        {{.type = 3, .config = 0, .exclude_guest = true}, "L1-dcache-loads"},
        {{.type = 3, .config = 0x10002, .exclude_guest = true}, "LLC-load-misses"},
        {{.type = 3, .config = 0x10103, .exclude_guest = true}, "dTLB-store-misses"},
        {{.type = 3, .config = 0xff, .exclude_guest = true}, "hw-cache/config=0xff/"},
        {{.type = 4, .config = 0x1a8, .exclude_guest = true}, "raw 0x1a8"},
        {{.type = 0, .config = 0, .precise_ip = 2, .exclude_guest = false}, "cycles:pp"},
        {{.type = 0, .config = 99, .exclude_guest = true}, "unknown-hardware 99"},
        {{.type = 1, .config = 99, .exclude_guest = true}, "unknown-software 99"},
        {{.type = 2, .config = 314, .exclude_guest = true}, "tracepoint 314"},
        {{.type = 11, .config = 3, .exclude_guest = true}, "type11/config=0x3/"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[EVENT_NAME_MAX];

        event_name(&cases[i].attr, name);
        assert_string_equal(name, cases[i].name);
    }
}

static void test_modifiers(void **state)
{
    static const struct {
        uint32_t type;
        const char *name, *excluded; // letters of what is left out
    } cases[] = {
        {0, "cycles", "G"},
        {0, "cycles:u", "kh"},
        {0, "cycles:k", "uh"},
        {0, "cycles:uk", "h"},
        {0, "cycles:ukhHG", ""},
        {0, "cycles:G", "H"},
        {4, "cpu/event=0x3c/u", "kh"},
        {4, "cpu/event=0x3c/", "G"},
        {4, "cpu/config=a:b/k", "uh"},
        {PERF_TYPE_TRACEPOINT, "kvm:u", "G"},
        {PERF_TYPE_TRACEPOINT, "sched:sched_switch", "G"},
        {PERF_TYPE_TRACEPOINT, "sched:sched_switch:u", "kh"},
        {5, "mem:0x1000:rw", "G"},
        {0, "", "G"},
        {0, ":", "G"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event_attr a = event_name_attr(cases[i].type, 0, cases[i].name);
        char excluded[8] = "";

        strcat(excluded, a.exclude_user ? "u" : "");
        strcat(excluded, a.exclude_kernel ? "k" : "");
        strcat(excluded, a.exclude_hv ? "h" : "");
        strcat(excluded, a.exclude_host ? "H" : "");
        strcat(excluded, a.exclude_guest ? "G" : "");
        assert_string_equal(excluded, cases[i].excluded);
    }
    assert_int_equal(event_name_attr(0, 0, "cycles:ppu").precise_ip, 2);
}

static void test_ids(void **state)
{
    struct id_map m = {0};
    uint32_t event = 0;

    (void)state;
    assert_false(id_map_find(&m, 0, &event));
    for (uint64_t i = 0; i < 10000; i++)
        assert_int_equal(id_map_add(&m, i * 4096, (uint32_t)(i % 1024)), 0);
    assert_int_equal(id_map_add(&m, 4096, 999), 0); // keeps its event
    for (uint64_t i = 0; i < 10000; i++) {
        assert_true(id_map_find(&m, i * 4096, &event));
        assert_int_equal(event, i % 1024);
    }
    assert_false(id_map_find(&m, 1, &event));
    assert_true(id_map_find(&m, 0, &event));
    id_map_done(&m);
    for (uint64_t i = 0; i < ID_MAP_MAX; i++)
        assert_int_equal(id_map_add(&m, i, 0), 0);
    assert_int_equal(id_map_add(&m, ID_MAP_MAX, 0), -E2BIG);
    id_map_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_modifiers),
        cmocka_unit_test(test_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
