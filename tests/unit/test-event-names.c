// SPDX-License-Identifier: Apache-2.0
#include "collect/event_names.h"
#include "collect/modifiers.h"
#include "collect/nearest.h"

#include "unit.h"

#include <linux/perf_event.h>

static uint64_t cache(unsigned which, unsigned operation, unsigned result)
{
    return which | operation << 8 | result << 16;
}

static void cache_events_have_all_of_perfs_spellings(void **state)
{
    enum { L1D, L1I, LL, DTLB, ITLB, BPU, NODE };
    const struct {
        const char *name;
        uint64_t config;
    } cases[] = {
        {"L1-dcache-loads", cache(L1D, 0, 0)},
        {"L1-dcache-load-misses", cache(L1D, 0, 1)},
        {"L1-dcache-loads-misses", cache(L1D, 0, 1)},
        {"L1-dcache-stores", cache(L1D, 1, 0)},
        {"L1-dcache-prefetch-misses", cache(L1D, 2, 1)},
        {"L1-d", cache(L1D, 0, 0)},
        {"l1-d-write", cache(L1D, 1, 0)},
        {"l1d-read-miss", cache(L1D, 0, 1)},
        {"L1-data-misses", cache(L1D, 0, 1)},
        {"l1i", cache(L1I, 0, 0)},
        {"L1-icache-load-misses", cache(L1I, 0, 1)},
        {"LLC-loads", cache(LL, 0, 0)},
        {"LLC-store-misses", cache(LL, 1, 1)},
        {"L2-prefetches", cache(LL, 2, 0)},
        {"dTLB-load-misses", cache(DTLB, 0, 1)},
        {"d-tlb-misses", cache(DTLB, 0, 1)},
        {"Data-TLB-stores", cache(DTLB, 1, 0)},
        {"iTLB-loads", cache(ITLB, 0, 0)},
        {"Instruction-TLB-load-misses", cache(ITLB, 0, 1)},
        {"branch-loads", cache(BPU, 0, 0)},
        {"branch-load-misses", cache(BPU, 0, 1)},
        {"bpu-read-access", cache(BPU, 0, 0)},
        {"btb-ops", cache(BPU, 0, 0)},
        {"node-loads", cache(NODE, 0, 0)},
        {"node-prefetch-misses", cache(NODE, 2, 1)},
        {"L1-dcache-speculative-load", cache(L1D, 2, 0)},
        {"L1-dcache-miss-load", cache(L1D, 0, 1)},
    };
    static const char *const none[] = {
        "L1-dcache-",
        "L1-dcache-loadss",
        "L1-dcache-loads-loads",
        "L1-dcache-misses-misses",
        "L1-icache-stores",
        "iTLB-stores",
        "branch-stores",
        "L3-loads",
        "LLCloads",
        "",
        "-",
        "loads",
        "LLC--loads",
        "L1-dcache-load-misses-",
        "L1",
    };
    uint32_t type;
    uint64_t config;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (!event_names_find(cases[i].name, &type, &config))
            fail_msg("%s is not known", cases[i].name);
        assert_int_equal(type, PERF_TYPE_HW_CACHE);
        if (config != cases[i].config)
            fail_msg("%s is 0x%lx", cases[i].name, (unsigned long)config);
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        if (event_names_find(none[i], &type, &config))
            fail_msg("'%s' was taken for an event", none[i]);
}

// "branch-misses" could be read as a cache's: the generic event has the name.
static void generic_names_come_first(void **state)
{
    uint32_t type;
    uint64_t config;

    (void)state;
    assert_true(event_names_find("branch-misses", &type, &config));
    assert_int_equal(type, PERF_TYPE_HARDWARE);
    assert_int_equal(config, PERF_COUNT_HW_BRANCH_MISSES);
    assert_true(event_names_find("cgroup-switches", &type, &config));
    assert_int_equal(type, PERF_TYPE_SOFTWARE);
    assert_int_equal(config, PERF_COUNT_SW_CGROUP_SWITCHES);
}

static void every_listed_name_is_found(void **state)
{
    char name[CACHE_EVENT_NAME_MAX];
    const struct event_name *known;
    uint64_t config, found;
    uint32_t type;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; (known = event_names_at(i)); i++) {
        assert_true(event_names_find(known->name, &type, &found));
        assert_int_equal(found, known->config);
        assert_true(known->description[0]);
    }
    for (; event_names_cache_at(n, name, &config); n++) {
        assert_true(event_names_find(name, &type, &found));
        assert_int_equal(found, config);
    }
    assert_int_equal(n, 2 * (3 + 2 + 3 + 3 + 1 + 1 + 3));
    assert_true(event_names_cache_at(1, name, &config));
    assert_string_equal(name, "L1-dcache-load-misses");
}

static struct perf_event_attr applied(const char *modifiers, bool leader)
{
    struct perf_event_attr attr = {0};

    modifiers_apply(modifiers, leader, &attr);
    return attr;
}

static void modifiers_set_their_bits(void **state)
{
    struct perf_event_attr a;

    (void)state;
    a = applied("G", true);
    assert_true(a.exclude_host && !a.exclude_guest && !a.exclude_user);
    a = applied("H", true);
    assert_true(!a.exclude_host && a.exclude_guest);
    a = applied("GH", true);
    assert_true(!a.exclude_host && !a.exclude_guest);
    a = applied("uI", true);
    assert_true(a.exclude_idle && a.exclude_kernel && a.exclude_hv && !a.exclude_user);
    a = applied("ppu", true);
    assert_int_equal(a.precise_ip, 2);
    assert_true(a.exclude_guest && a.exclude_kernel);
    a = applied("De", true);
    assert_true(a.pinned && a.exclusive);
    a = applied("De", false); // of a member the kernel would refuse it
    assert_false(a.pinned || a.exclusive);
    a = applied("SPW", true);
    assert_memory_equal(&a, &(struct perf_event_attr){0}, sizeof(a));
}

static void modifiers_are_checked(void **state)
{
    char wrong;

    (void)state;
    assert_true(modifiers_valid("ukhGHIpppPSDeW", &wrong));
    assert_false(modifiers_valid("", &wrong));
    assert_int_equal(wrong, '\0');
    assert_false(modifiers_valid("uku", &wrong));
    assert_int_equal(wrong, 'u');
    assert_false(modifiers_valid("pppp", &wrong));
    assert_int_equal(wrong, 'p');
    assert_false(modifiers_valid("ux", &wrong));
    assert_int_equal(wrong, 'x');
}

static void modifiers_add_up(void **state)
{
    char modifiers[MODIFIERS_MAX] = "kp";

    (void)state;
    modifiers_add(modifiers, "ukpP");
    assert_string_equal(modifiers, "kpupP");
    modifiers_add(modifiers, "pppukhGHIpppPSDeW");
    assert_string_equal(modifiers, "kpupPphGHISDeW");
}

static void the_nearest_names_come_first(void **state)
{
    struct nearest n = {.wanted = "cach-mises"};
    char words[120];

    (void)state;
    nearest_words(&n, words, sizeof(words));
    assert_string_equal(words, "");
    nearest_offer(&n, "page-faults", "page-faults");
    assert_int_equal(n.n, 0);
    nearest_offer(&n, "cache-missed", "cache-missed");
    nearest_words(&n, words, sizeof(words));
    assert_string_equal(words, "; the nearest name is 'cache-missed'");
    nearest_offer(&n, "cache-misses", "cache-misses");
    nearest_offer(&n, "cache-misses", "cache-misses");
    nearest_offer(&n, "cach-misses", "x/cach-misses/");
    nearest_offer(&n, "cach-mis", "cach-mis");
    nearest_words(&n, words, sizeof(words));
    assert_string_equal(words,
                        "; the nearest names are 'x/cach-misses/', 'cache-misses' and 'cach-mis'");
    nearest_words(&n, words, 60); // whole names only
    assert_string_equal(words, "; the nearest names are 'x/cach-misses/', 'cache-misses'");
}

static void case_and_parts_of_names_are_near(void **state)
{
    struct nearest n = {.wanted = "ENERGY"};

    (void)state;
    nearest_offer(&n, "energy-pkg", "power/energy-pkg/");
    assert_int_equal(n.n, 1);
    n = (struct nearest){.wanted = "CYCLES"};
    nearest_offer(&n, "cycles", "cycles");
    assert_int_equal(n.distance[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cache_events_have_all_of_perfs_spellings),
        cmocka_unit_test(generic_names_come_first),
        cmocka_unit_test(every_listed_name_is_found),
        cmocka_unit_test(modifiers_set_their_bits),
        cmocka_unit_test(modifiers_are_checked),
        cmocka_unit_test(modifiers_add_up),
        cmocka_unit_test(the_nearest_names_come_first),
        cmocka_unit_test(case_and_parts_of_names_are_near),
    };

    return cmocka_run_group_tests_name("event-names", tests, NULL, NULL);
}
