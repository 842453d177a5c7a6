// SPDX-License-Identifier: Apache-2.0
#include "collect/event_list.h"

#include "unit.h"

static char message[EVENT_REASON_MAX];

static struct event_list parse(const char *text)
{
    struct event_list l;

    if (event_list_parse(fixture("empty"), text, &l, message) != 0)
        fail_msg("'%s': %s", text, message);
    return l;
}

static void refused(const char *text, const char *why)
{
    struct event_list l = {.n = 77};
    int r = event_list_parse(fixture("empty"), text, &l, message);

    if (r != -EINVAL && r != -E2BIG)
        fail_msg("'%.60s' gives %d", text, r);
    assert_int_equal(l.n, 77);
    assert_contains(message, why);
}

static void names_and_aliases_have_their_attr(void **state)
{
    static const struct {
        const char *name;
        uint32_t type;
        uint64_t config;
    } cases[] = {
        {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
        {"cpu-cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
        {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
        {"cache-references", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES},
        {"cache-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
        {"branches", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS},
        {"branch-instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS},
        {"branch-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES},
        {"context-switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES},
        {"cs", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES},
        {"cpu-migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS},
        {"minor-faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN},
        {"major-faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MAJ},
        {"faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
        {"task-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
        {"r1a8", PERF_TYPE_RAW, 0x1a8},
        {"rFFFFFFFFFFFFFFFF", PERF_TYPE_RAW, UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event_list l = parse(cases[i].name);

        assert_int_equal(l.n, 1);
        assert_string_equal(l.requests[0].name, cases[i].name);
        assert_int_equal(l.requests[0].attr.type, cases[i].type);
        assert_int_equal(l.requests[0].attr.config, cases[i].config);
        assert_false(l.requests[0].attr.exclude_user || l.requests[0].attr.exclude_kernel);
        event_list_done(&l);
    }
    event_list_done(NULL);
}

static void braces_make_groups(void **state)
{
    struct event_list l = parse("cs,{cycles,instructions:u},faults,{branches}");

    (void)state;
    assert_int_equal(l.n, 5);
    assert_int_equal(l.n_groups, 4);
    assert_int_equal(l.requests[0].group, 0);
    assert_int_equal(l.requests[1].group, 1);
    assert_int_equal(l.requests[2].group, 1);
    assert_int_equal(l.requests[3].group, 2);
    assert_int_equal(l.requests[4].group, 3);
    event_list_done(&l);
    assert_int_equal(l.n, 0);
}

static void modifiers_exclude_what_they_do_not_name(void **state)
{
    static const struct {
        const char *name;
        bool user, kernel, hypervisor;
    } cases[] = {
        {"cycles:u", true, false, false}, {"cycles:k", false, true, false},
        {"cycles:h", false, false, true}, {"cycles:uk", true, true, false},
        {"cycles:ku", true, true, false}, {"r1:ukh", true, true, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event_list l = parse(cases[i].name);

        assert_string_equal(l.requests[0].name, cases[i].name);
        assert_int_equal(l.requests[0].attr.exclude_user, !cases[i].user);
        assert_int_equal(l.requests[0].attr.exclude_kernel, !cases[i].kernel);
        assert_int_equal(l.requests[0].attr.exclude_hv, !cases[i].hypervisor);
        event_list_done(&l);
    }
    refused("cycles:x", "modifier 'x'");
    refused("cycles:u:k", "modifier ':'");
    refused("faults:uu", "modifier 'u'");
}

// It would exclude everything, and count 0 for ever.
static void a_colon_without_modifiers_is_refused(void **state)
{
    (void)state;
    refused("cycles:", "modifier");
}

static void an_unknown_name_gets_the_nearest_one(void **state)
{
    (void)state;
    refused("cycels", "'cycles'");
    refused("instruction", "'instructions'");
    refused("cache-mises:u", "'cache-misses'");
    refused("Branches", "'branches'");
    refused("cycels", "'cycels'");
}

static void raw_events_are_hexadecimal_only(void **state)
{
    (void)state;
    refused("r", "unknown event 'r'");
    refused("rxyz", "unknown event 'rxyz'");
    refused("r-1", "unknown event");
    refused("r+1", "unknown event");
    refused("r 1", "unknown event");
    refused("r -1", "unknown event");
    refused("r0x1a8", "unknown event");
    refused("r00000000000000001", "unknown event"); // more than 64 bits
}

static void missing_names_are_refused(void **state)
{
    (void)state;
    refused("", "missing");
    refused(",", "missing");
    refused("cycles,", "missing");
    refused(",cycles", "missing");
    refused("cycles,,faults", "missing");
    refused("{}", "missing");
    refused("{cycles,}", "missing");
    refused(":u", "missing");
}

static void braces_must_match(void **state)
{
    (void)state;
    refused("{cycles", "braces");
    refused("cycles}", "braces");
    refused("{cycles,{faults}}", "braces");
    refused("{cycles}}", "braces");
    refused("{cycles}faults", "braces");
    refused("cycles{faults}", "braces");
    refused("{cycles},{faults", "braces");
}

static void long_names_and_long_lists_are_refused(void **state)
{
    char name[600], *list = calloc(EVENT_LIST_MAX + 2, 3);
    struct event_list l;

    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    refused(name, "too long");
    name[EVENT_NAME_MAX] = '\0';
    refused(name, "too long");
    name[EVENT_NAME_MAX - 1] = '\0';
    refused(name, "unknown event");
    for (int i = 0; i < EVENT_LIST_MAX; i++)
        strcat(list, i ? ",cs" : "cs");
    l = parse(list);
    assert_int_equal(l.n, EVENT_LIST_MAX);
    event_list_done(&l);
    strcat(list, ",cs");
    assert_int_equal(event_list_parse(fixture("empty"), list, &l, message), -E2BIG);
    assert_contains(message, "256");
    free(list);
}

static const struct event_request *request(const struct event_list *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->requests[i].name, name) == 0)
            return &l->requests[i];
    fail_msg("%s is not in the default", name);
    return NULL;
}

static void the_default_keeps_both_sides_of_a_ratio_together(void **state)
{
    (void)state;
    for (int task = 0; task < 2; task++) {
        struct event_list l = parse(event_list_default(task));
        int software = request(&l, "context-switches")->group;

        assert_int_equal(request(&l, "cycles")->group, request(&l, "instructions")->group);
        assert_int_equal(request(&l, "cache-misses")->group,
                         request(&l, "cache-references")->group);
        assert_int_equal(request(&l, "branch-misses")->group, request(&l, "branches")->group);
        for (size_t i = 0; i < l.n; i++)
            assert_int_equal(l.requests[i].group == software,
                             l.requests[i].attr.type == PERF_TYPE_SOFTWARE);
        assert_int_equal(strstr(event_list_default(task), "task-clock") != NULL, task);
        event_list_done(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_aliases_have_their_attr),
        cmocka_unit_test(braces_make_groups),
        cmocka_unit_test(modifiers_exclude_what_they_do_not_name),
        cmocka_unit_test(a_colon_without_modifiers_is_refused),
        cmocka_unit_test(an_unknown_name_gets_the_nearest_one),
        cmocka_unit_test(raw_events_are_hexadecimal_only),
        cmocka_unit_test(missing_names_are_refused),
        cmocka_unit_test(braces_must_match),
        cmocka_unit_test(long_names_and_long_lists_are_refused),
        cmocka_unit_test(the_default_keeps_both_sides_of_a_ratio_together),
    };

    return cmocka_run_group_tests_name("event-list", tests, NULL, NULL);
}
