// SPDX-License-Identifier: Apache-2.0
// Events of sysfs PMUs and tracepoints, from fixture trees: events (an Intel-like machine, and a
// PMU whose files make no sense), events-hybrid (two core types).
#include "collect/event_catalog.h"
#include "collect/event_list.h"

#include "unit.h"

static char message[EVENT_REASON_MAX];

static struct event_list parse_in(const char *tree, const char *text)
{
    struct event_list l;

    if (event_list_parse(fixture(tree), text, &l, message) != 0)
        fail_msg("'%s': %s", text, message);
    return l;
}

static void refused(const char *text, const char *why)
{
    struct event_list l;
    int r = event_list_parse(fixture("events"), text, &l, message);

    if (r == 0)
        fail_msg("'%s' was accepted", text);
    assert_int_equal(r, -EINVAL);
    assert_contains(message, why);
}

// One event, and what its attr must be.
static void is_config(const char *text, uint32_t type, uint64_t config, uint64_t config1)
{
    struct event_list l = parse_in("events", text);
    const struct perf_event_attr *attr = &l.requests[0].attr;

    assert_int_equal(l.n, 1);
    if (attr->type != type || attr->config != config || attr->config1 != config1)
        fail_msg("'%s' is type %u config 0x%llx config1 0x%llx", text, attr->type,
                 (unsigned long long)attr->config, (unsigned long long)attr->config1);
    assert_string_equal(l.requests[0].name, text);
    event_list_done(&l);
}

static void terms_go_where_the_format_says(void **state)
{
    (void)state;
    is_config("cpu/event=0x3c,umask=0x0/", 4, 0x3c, 0);
    is_config("cpu/event=60/", 4, 0x3c, 0);
    is_config("cpu/event=0xb7,umask=0x1,offcore_rsp=0x3f803c0001/", 4, 0x1b7, 0x3f803c0001);
    is_config("cpu/event=0xc,umask=1,cmask=2,inv/", 4, 0x280010c, 0);
    is_config("cpu/cmask=0xff/", 4, 0xff000000, 0);
    is_config("cpu/split=0xabc/", 4, 0xa000000bc, 0);
    is_config("cpu/config=0x1a8/", 4, 0x1a8, 0);
    is_config("cpu/config=1,config1=2/", 4, 1, 2);
    is_config("cpu/r1a8/", 4, 0x1a8, 0);
    is_config("cpu//", 4, 0, 0);
    is_config("msr/event=0xffffffffffffffff/", 9, UINT64_MAX, 0);
    is_config("cpu/event=0x3c,period=100000/", 4, 0x3c, 0);
    is_config("software/config=3/", 1, 3, 0);
    is_config("cpu/cycles/", 0, 0, 0);
    is_config("cpu/L1-dcache-load-misses/", 3, 0x10000, 0);
}

static void named_events_have_their_terms(void **state)
{
    (void)state;
    is_config("cpu/cpu-cycles/", 4, 0x3c, 0);
    is_config("cpu/mem-loads/", 4, 0x1cd, 3);
    is_config("cpu/mem-loads,ldlat=0x30/", 4, 0x1cd, 0x33); // or-ed in, as perf does
    is_config("cpu/parameter,umask=7/", 4, 0x710, 0);
    is_config("msr/tsc/", 9, 0, 0);
    is_config("mem-loads", 4, 0x1cd, 3);
    refused("cpu/parameter/", "'umask=");
}

static void units_scales_and_cpus_are_read(void **state)
{
    struct event_list l = parse_in("events", "power/energy-pkg/,cpu/topdown-total-slots/,cycles");

    (void)state;
    assert_string_equal(l.requests[0].unit, "Joules");
    assert_near(l.requests[0].scale * 4294967296.0, 1);
    assert_int_equal(l.requests[0].n_cpus, 1);
    assert_int_equal(l.requests[0].cpus[0], 0);
    assert_true(event_request_on_cpu(&l.requests[0], 0));
    assert_false(event_request_on_cpu(&l.requests[0], 1));
    assert_true(event_request_on_cpu(&l.requests[0], -1));
    assert_string_equal(l.requests[1].unit, "");
    assert_near(l.requests[1].scale, 4);
    assert_null(l.requests[1].cpus);
    assert_true(event_request_on_cpu(&l.requests[1], 17));
    assert_near(l.requests[2].scale, 1);
    event_list_done(&l);
}

// "uncore_imc" and "imc" are all of its units, each an event of its own.
static void a_pmu_of_several_units_is_all_of_them(void **state)
{
    static const char *const spellings[] = {"uncore_imc/cas_count_read/", "imc/cas_count_read/",
                                            "cas_count_read"};

    (void)state;
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        struct event_list l = parse_in("events", spellings[i]);

        assert_int_equal(l.n, 2);
        assert_int_equal(l.n_groups, 2);
        assert_string_equal(l.requests[0].name, "uncore_imc_0/cas_count_read/");
        assert_string_equal(l.requests[1].name, "uncore_imc_1/cas_count_read/");
        assert_int_equal(l.requests[1].attr.type, 14);
        assert_int_equal(l.requests[1].attr.config, 0x304);
        assert_string_equal(l.requests[1].unit, "MiB");
        assert_int_equal(l.requests[1].n_cpus, 2);
        assert_int_equal(l.requests[1].cpus[1], 18);
        event_list_done(&l);
    }
    refused("unco/cas_count_read/", "no PMU 'unco'");
}

static void core_types_are_told_apart(void **state)
{
    struct event_list l = parse_in(
        "events-hybrid", "cpu_core/slots/,cpu_atom/cycles/u,cpu_core/LLC-loads/,instructions");

    (void)state;
    assert_int_equal(l.requests[0].attr.type, 4);
    assert_int_equal(l.requests[0].attr.config, 0x400);
    assert_int_equal(l.requests[0].n_cpus, 4);
    assert_int_equal(l.requests[1].attr.type, PERF_TYPE_HARDWARE);
    assert_int_equal(l.requests[1].attr.config, UINT64_C(10) << 32);
    assert_true(l.requests[1].attr.exclude_kernel);
    assert_string_equal(l.requests[1].name, "cpu_atom/cycles/u");
    assert_int_equal(l.requests[1].cpus[0], 4);
    assert_int_equal(l.requests[2].attr.type, PERF_TYPE_HW_CACHE);
    assert_int_equal(l.requests[2].attr.config, UINT64_C(4) << 32 | 2);
    assert_int_equal(l.requests[3].attr.config, PERF_COUNT_HW_INSTRUCTIONS);
    event_list_done(&l);
}

static void a_raw_code_is_an_event_of_each_core_type(void **state)
{
    struct event_list l = parse_in("events-hybrid", "{r1a8:u,cycles}");

    (void)state;
    assert_int_equal(l.n, 3);
    assert_string_equal(l.requests[0].name, "cpu_atom/r1a8/u");
    assert_string_equal(l.requests[1].name, "cpu_core/r1a8/u");
    assert_int_equal(l.requests[0].attr.type, 10);
    assert_int_equal(l.requests[1].attr.type, 4);
    assert_int_equal(l.requests[1].attr.config, 0x1a8);
    assert_int_equal(l.requests[0].cpus[0], 4);
    assert_true(l.requests[0].attr.exclude_kernel);
    assert_int_equal(l.requests[1].group, l.requests[2].group);
    assert_string_equal(l.requests[2].name, "cycles");
    event_list_done(&l);
    l = parse_in("events", "r1a8");
    assert_int_equal(l.n, 1);
    assert_string_equal(l.requests[0].name, "r1a8");
    event_list_done(&l);
}

static void modifiers_and_names_of_terms(void **state)
{
    static const struct {
        const char *text, *name;
    } cases[] = {
        {"cpu/event=0x3c/u", "cpu/event=0x3c/u"},
        {"cpu/event=0x3c/:u", "cpu/event=0x3c/u"},
        {"cpu/event=0x3c,name=mine/u", "mine:u"},
        {"cpu/event=0x3c,name='a,b{}/c'/u", "a,b{}/c:u"},
        {"{cpu/event=1,umask=2/}:u", "cpu/event=1,umask=2/u"},
        {"{cpu/event=1/k}:u", "cpu/event=1/ku"},
        {"cycles//u", "cycles//u"},
        {"cycles/name=c/u", "c:u"},
        {"{r1a8/name=x/u}", "x:u"},
        {"sched:sched_switch:u", "sched:sched_switch:u"},
        {"sched:sched_switch/name=s/u", "s:u"},
        {"mem-loads:u", "mem-loads:u"},
        {"group-1{cycles:u}", "cycles:u"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event_list l = parse_in("events", cases[i].text);

        assert_int_equal(l.n, 1);
        assert_string_equal(l.requests[0].name, cases[i].name);
        assert_true(l.requests[0].attr.exclude_hv && !l.requests[0].attr.exclude_user);
        event_list_done(&l);
    }
    refused("cpu/event=1/x", "modifier 'x'");
    refused("cpu/event=1/uu", "modifier 'u'");
    refused("{cycles}:", "modifiers");
    refused("{cycles}:x", "modifiers");
    refused("{cycles}u", "braces");
    refused("cycles:b", "BPF");
}

static void group_modifiers_add_to_each(void **state)
{
    struct event_list l = parse_in("events", "{cs,faults:k}:uD,cs");

    (void)state;
    assert_string_equal(l.requests[0].name, "cs:uD");
    assert_string_equal(l.requests[1].name, "faults:kuD");
    assert_string_equal(l.requests[2].name, "cs");
    assert_true(l.requests[0].attr.exclude_kernel && l.requests[0].attr.pinned);
    assert_false(l.requests[1].attr.exclude_kernel || l.requests[1].attr.pinned);
    assert_false(l.requests[2].attr.exclude_kernel);
    event_list_done(&l);
}

static void terms_that_make_no_sense_are_refused(void **state)
{
    char text[1200];

    (void)state;
    refused("cpu/event=0x100/", "more bits");
    refused("cpu/event=x/", "'x' is no number");
    refused("cpu/event=-1/", "no number");
    refused("cpu/event=0x1ffffffffffffffff/", "no number");
    refused("cpu/nosuch=1/", "its terms are any, cmask, event");
    refused("cpu/mem-lods/", "the nearest name is 'mem-loads'");
    refused("cpu/event=1,/", "term=value");
    refused("cpu/=1/", "term=value");
    refused("cpu/name=/", "term=value");
    refused("cpu/name/", "needs a value");
    refused("cpu/name='x/", "term=value");
    refused("cpu/event=1", "slash is missing");
    refused("cpu/../msr/type/", "../msr/type");
    refused("../cpu/event=1/", "no PMU '..'");
    refused("nosuch/event=1/", "no PMU 'nosuch'");
    refused("cycles/event=1/", "a term of PMUs");
    refused("nokind/config=1/", "no PMU");
    refused("badtype/config=1/", "not understood");
    memset(text, 'a', sizeof(text));
    memcpy(text, "cpu/event=1,name=", 17);
    strcpy(text + 1100, "/");
    refused(text, "too long");
    strcpy(text + 400, "/");
    refused(text, "term=value");
    memcpy(
        text,
        "cpu/period=1,period=1,period=1,period=1,period=1,period=1,period=1,period=1,period=1,"
        "period=1,period=1,period=1,period=1,period=1,period=1,event=1/",
        sizeof(
            "cpu/period=1,period=1,period=1,period=1,period=1,period=1,period=1,period=1,period=1,"
            "period=1,period=1,period=1,period=1,period=1,period=1,event=1/"));
    refused(text, "name=short");
}

// Bytes from /sys that no kernel would write.
static void descriptions_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    refused("broken/reversed=1/", "format of 'reversed'");
    refused("broken/far=1/", "format of 'far'");
    refused("broken/nowhere=1/", "format of 'nowhere'");
    refused("broken/plain=1/", "format of 'plain'");
    refused("broken/empty=1/", "format of 'empty'");
    refused("broken/unknown/", "'nothing'");
    refused("broken/scaled/", "description of 'scaled'");
    refused("cpu/occupancy/", "'occupancy' is a level");
    refused("broken/nan/", "description of 'nan'");
    refused("broken/escape/", "description of 'escape'");
    refused("broken/nothing/", "description of 'nothing'");
    refused("broken/loop/", "'loop'");
    refused("broken/endless/", "term=value");
}

static void tracepoints_have_their_number(void **state)
{
    struct event_list l;

    (void)state;
    is_config("sched:sched_switch", PERF_TYPE_TRACEPOINT, 316, 0);
    l = parse_in("events", "sched:sched_wak*,{sched:*switch,cs}");
    assert_int_equal(l.n, 4);
    assert_string_equal(l.requests[0].name, "sched:sched_wakeup");
    assert_string_equal(l.requests[1].name, "sched:sched_wakeup_new");
    assert_int_equal(l.requests[1].attr.config, 317);
    assert_int_equal(l.requests[0].group, 0);
    assert_int_equal(l.requests[1].group, 1);
    assert_int_equal(l.requests[2].group, l.requests[3].group);
    event_list_done(&l);
    refused("sched:sched_swich", "'sched:sched_switch'");
    refused("sched:sched_switch:x", "modifier 'x'");
    refused("sched:enable", "unknown event 'sched:enable'");
    refused("sched:../sched/sched_switch", "no PMU");
    refused("sched:no*", "unknown event");
    refused("syscalls:sys_enter_read", "");
}

static void what_is_perfs_own_is_said(void **state)
{
    (void)state;
    refused("duration_time", "perf stat's own clock");
    refused("mem:0x1000/4:rw", "breakpoints");
    refused("cs,mem:0x1000", "breakpoints");
}

static void blanks_around_events_are_skipped(void **state)
{
    struct event_list l = parse_in("events", " cs , {\n faults , cpu/event=1/ } ");

    (void)state;
    assert_int_equal(l.n, 3);
    assert_string_equal(l.requests[2].name, "cpu/event=1/");
    assert_int_equal(l.requests[1].group, l.requests[2].group);
    event_list_done(&l);
}

struct seen {
    size_t n, patterns;
    bool unit, tracepoint;
};

static int see(void *context, const struct catalog_entry *e)
{
    struct seen *s = context;
    struct event_list l;

    s->n++;
    s->patterns += e->pattern;
    s->unit |=
        strcmp(e->name, "power/energy-pkg/") == 0 && strcmp(e->description, "in Joules") == 0;
    s->tracepoint |= strcmp(e->name, "sched:sched_switch") == 0;
    assert_int_equal(e->source == CATALOG_PMU, e->pmu != NULL);
    // What is listed, -e takes.
    if (!e->pattern && (!e->pmu || strcmp(e->pmu, "broken") != 0) &&
        strcmp(e->name, "cpu/parameter/") != 0 && strcmp(e->name, "syscalls:sys_enter_read") != 0) {
        if (event_list_parse(fixture("events"), e->name, &l, message) != 0)
            fail_msg("%s is listed: %s", e->name, message);
        event_list_done(&l);
    }
    return 0;
}

static void the_catalog_has_everything(void **state)
{
    struct seen s = {0};

    (void)state;
    assert_int_equal(
        event_catalog(fixture("events"), CATALOG_ALL & ~(unsigned)CATALOG_PFM, see, &s), 0);
    assert_int_equal(s.patterns, 6);
    assert_true(s.unit && s.tracepoint);
    assert_true(s.n > 22 + 32 + 10);
    s = (struct seen){0};
    assert_int_equal(event_catalog(fixture("empty"), CATALOG_PMU | CATALOG_TRACEPOINT, see, &s), 0);
    assert_int_equal(s.n, 0);
}

static int stop(void *context, const struct catalog_entry *e)
{
    (void)context;
    return e->source == CATALOG_PMU ? -7 : 0;
}

static void the_catalog_ends_when_told(void **state)
{
    (void)state;
    assert_int_equal(event_catalog(fixture("events"), CATALOG_ALL, stop, NULL), -7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_go_where_the_format_says),
        cmocka_unit_test(named_events_have_their_terms),
        cmocka_unit_test(units_scales_and_cpus_are_read),
        cmocka_unit_test(a_pmu_of_several_units_is_all_of_them),
        cmocka_unit_test(core_types_are_told_apart),
        cmocka_unit_test(a_raw_code_is_an_event_of_each_core_type),
        cmocka_unit_test(modifiers_and_names_of_terms),
        cmocka_unit_test(group_modifiers_add_to_each),
        cmocka_unit_test(terms_that_make_no_sense_are_refused),
        cmocka_unit_test(descriptions_that_make_no_sense_are_refused),
        cmocka_unit_test(tracepoints_have_their_number),
        cmocka_unit_test(what_is_perfs_own_is_said),
        cmocka_unit_test(blanks_around_events_are_skipped),
        cmocka_unit_test(the_catalog_has_everything),
        cmocka_unit_test(the_catalog_ends_when_told),
    };

    return cmocka_run_group_tests_name("event-resolve", tests, NULL, NULL);
}
