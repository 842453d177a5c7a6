// SPDX-License-Identifier: Apache-2.0
#include "model/event.h"

#include "unit.h"

static int add(struct event_table *t, const char *name, int group, uint64_t id)
{
    struct event e = {.id = id, .group = group};

    snprintf(e.name, sizeof(e.name), "%s", name);
    return event_table_add(t, &e);
}

static void column_ids_are_lower_case_letters_digits_and_underscores(void **state)
{
    static const struct {
        const char *name, *column;
    } cases[] = {
        {"cycles", "cycles"},
        {"cache-misses", "cache_misses"},
        {"L1-dcache-loads:u", "l1_dcache_loads_u"},
        {"cpu/event=0x3c/", "cpu_event_0x3c_"},
        {"caf\xc3\xa9", "caf__"},
        {"", ""},
    };
    char column[EVENT_NAME_MAX], name[400];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        event_column_id(cases[i].name, column);
        assert_string_equal(column, cases[i].column);
    }
    memset(name, 'A', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    event_column_id(name, column);
    assert_int_equal(strlen(column), EVENT_NAME_MAX - 1);
}

static void columns_are_unique_in_a_table(void **state)
{
    struct event_table t = {0};

    (void)state;
    assert_int_equal(add(&t, "cycles", -1, 1), 0);
    assert_int_equal(add(&t, "cycles", -1, 2), 1);
    assert_int_equal(add(&t, "CYCLES", -1, 3), 2);
    assert_int_equal(add(&t, "", -1, 4), 3);
    assert_int_equal(add(&t, "", -1, 5), 4);
    // Takes the place of what a further "cycles" would be called.
    assert_int_equal(add(&t, "cycles-4", -1, 6), 5);
    assert_int_equal(add(&t, "cycles", -1, 7), 6);
    assert_string_equal(t.events[0].column, "cycles");
    assert_string_equal(t.events[1].column, "cycles_2");
    assert_string_equal(t.events[2].column, "cycles_3");
    assert_string_equal(t.events[3].column, "event");
    assert_string_equal(t.events[4].column, "event_2");
    assert_string_equal(t.events[6].column, "cycles_5");
    event_table_done(&t);
    assert_int_equal(t.n, 0);
    event_table_done(NULL);
}

static void long_names_keep_unique_columns(void **state)
{
    struct event_table t = {0};
    char name[EVENT_NAME_MAX];

    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (int i = 0; i < 12; i++)
        assert_int_equal(add(&t, name, -1, 1), i);
    for (size_t i = 0; i < t.n; i++)
        assert_int_equal(event_table_find_column(&t, t.events[i].column), (int)i);
    event_table_done(&t);
}

static void groups_are_numbered_and_scale_defaults_to_1(void **state)
{
    struct event_table t = {0};

    (void)state;
    add(&t, "a", 0, 1);
    add(&t, "b", 0, 2);
    add(&t, "c", -1, 3);
    add(&t, "d", 4, 4);
    add(&t, "e", -1, 5);
    assert_int_equal(t.events[1].group, 0);
    assert_int_equal(t.events[2].group, 1);
    assert_int_equal(t.events[3].group, 4);
    assert_int_equal(t.events[4].group, 5);
    assert_int_equal(t.n_groups, 6);
    assert_near(t.events[0].scale, 1);
    event_table_done(&t);
}

static void events_are_found_by_column_and_by_id(void **state)
{
    struct event_table t = {0};

    (void)state;
    add(&t, "a-b", -1, 17);
    add(&t, "c", -1, 0xffffffffffffffff);
    assert_int_equal(event_table_find_column(&t, "a_b"), 0);
    assert_int_equal(event_table_find_column(&t, "a-b"), -1);
    event_table_done(&t);
}

static void a_table_is_bounded(void **state)
{
    struct event_table t = {0};
    char name[16];

    (void)state;
    for (int i = 0; i < EVENTS_MAX; i++) {
        snprintf(name, sizeof(name), "e%d", i);
        assert_int_equal(add(&t, name, -1, (uint64_t)i), i);
    }
    assert_int_equal(add(&t, "more", -1, 1), -E2BIG);
    assert_int_equal(t.n, EVENTS_MAX);
    event_table_done(&t);
}

static void qualities_have_names_and_an_order(void **state)
{
    enum quality q;

    (void)state;
    for (enum quality i = QUALITY_EXACT; i <= QUALITY_NOT_SUPPORTED; i++) {
        assert_true(quality_parse(quality_name(i), &q));
        assert_int_equal(q, i);
        assert_int_equal(quality_worse(QUALITY_EXACT, i), i);
        assert_int_equal(quality_worse(i, QUALITY_EXACT), i);
    }
    assert_string_equal(quality_name(QUALITY_NEVER_RAN), "never ran");
    assert_string_equal(quality_name(QUALITY_NOT_SUPPORTED), "not supported");
    q = QUALITY_DENIED;
    assert_false(quality_parse("Exact", &q));
    assert_false(quality_parse("", &q));
    assert_int_equal(q, QUALITY_DENIED);
    assert_int_equal(quality_worse(QUALITY_SCALED, QUALITY_NEVER_RAN), QUALITY_NEVER_RAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(column_ids_are_lower_case_letters_digits_and_underscores),
        cmocka_unit_test(columns_are_unique_in_a_table),
        cmocka_unit_test(long_names_keep_unique_columns),
        cmocka_unit_test(groups_are_numbered_and_scale_defaults_to_1),
        cmocka_unit_test(events_are_found_by_column_and_by_id),
        cmocka_unit_test(a_table_is_bounded),
        cmocka_unit_test(qualities_have_names_and_an_order),
    };

    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
