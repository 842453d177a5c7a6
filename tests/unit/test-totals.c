// SPDX-License-Identifier: Apache-2.0
// totals: raw sums over a run, the empty intervals excluded.
#include "model/totals.h"

#include "unit.h"

#define MS 1e6 // ns

enum { CYCLES, INSTRUCTIONS, SWITCHES, USER, N_EVENTS };

static struct event_table events;

static struct sum sum(double raw, double enabled, double running)
{
    return (struct sum){.raw = raw, .enabled = enabled, .running = running};
}

static int make_events(void **state)
{
    static const char *const names[N_EVENTS] = {"cycles", "instructions", "context-switches",
                                                "cpu-user"};

    (void)state;
    for (size_t i = 0; i < N_EVENTS; i++) {
        struct event e = {.kind = i == USER ? EVENT_GAUGE : EVENT_COUNT,
                          .group = i < SWITCHES ? 0 : (int)i};

        snprintf(e.name, sizeof(e.name), "%s", names[i]);
        assert_int_equal(event_table_add(&events, &e), (int)i);
    }
    return 0;
}

static int drop_events(void **state)
{
    (void)state;
    event_table_done(&events);
    return 0;
}

static struct value metric(const struct totals *t, const char *id)
{
    for (size_t i = 0; i < t->n_bindings; i++)
        if (strcmp(t->bindings[i].metric->id, id) == 0)
            return totals_metric(t, 0, &t->bindings[i]);
    fail_msg("no metric %s", id);
    return (struct value){0};
}

static void counts_add_up_and_are_scaled_once(void **state)
{
    struct totals t;

    (void)state;
    assert_int_equal(totals_init(&t, &events, SCOPE_CPU, 1), 0);
    totals_add(&t,
               (struct sum[]){sum(100, 100 * MS, 100 * MS), sum(50, 100 * MS, 100 * MS),
                              sum(7, 100 * MS, 100 * MS), sum(10, 0, 0)},
               0.1);
    totals_add(&t,
               (struct sum[]){sum(200, 100 * MS, 50 * MS), sum(70, 100 * MS, 50 * MS),
                              sum(3, 100 * MS, 100 * MS), sum(25, 0, 0)},
               0.1);
    assert_near(totals_event(&t, 0, CYCLES).value, 300 * 200.0 / 150);
    assert_int_equal(totals_event(&t, 0, CYCLES).quality, QUALITY_SCALED);
    assert_near(totals_event(&t, 0, CYCLES).running_percent, 75);
    assert_near(totals_event(&t, 0, SWITCHES).value, 10);
    assert_int_equal(totals_event(&t, 0, SWITCHES).quality, QUALITY_EXACT);
    assert_near(totals_event(&t, 0, USER).value, 25); // cumulative already
    assert_near(metric(&t, "ipc").value, 0.4);
    assert_near(metric(&t, "context_switches_per_second").value, 50);
    assert_near(t.seconds, 0.2);
    assert_int_equal(t.intervals, 2);
    totals_done(&t);
}

static void an_interval_without_a_counter_is_left_out_in_any_order(void **state)
{
    const struct sum ran = {100, 100 * MS, 50 * MS}, never = {0, 100 * MS, 0}, none = SUM_NONE;

    (void)state;
    for (int order = 0; order < 2; order++) {
        struct totals t;

        assert_int_equal(totals_init(&t, &events, SCOPE_CPU, 1), 0);
        for (int i = 0; i < 2; i++)
            totals_add(&t, (struct sum[]){i == order ? never : ran, never, none, none}, 0.1);
        assert_near(totals_event(&t, 0, CYCLES).value, 200);
        assert_int_equal(totals_event(&t, 0, INSTRUCTIONS).quality, QUALITY_NEVER_RAN);
        assert_nan(totals_event(&t, 0, INSTRUCTIONS).value);
        assert_int_equal(totals_event(&t, 0, SWITCHES).quality, QUALITY_OFFLINE);
        assert_int_equal(metric(&t, "ipc").quality, QUALITY_NEVER_RAN);
        totals_done(&t);
    }
}

static void a_task_that_never_ran_counted_zero(void **state)
{
    struct totals t;

    (void)state;
    assert_int_equal(totals_init(&t, &events, SCOPE_TASK, 1), 0);
    totals_add(&t, (struct sum[]){sum(0, 0, 0), sum(0, 0, 0), sum(0, 0, 0), SUM_NONE}, 0.1);
    assert_true(totals_event(&t, 0, CYCLES).value == 0);
    totals_add(&t, (struct sum[]){sum(5, 9, 9), sum(0, 0, 0), sum(0, 0, 0), SUM_NONE}, 0.1);
    assert_near(totals_event(&t, 0, CYCLES).value, 5);
    totals_done(&t);
}

static void each_slot_has_its_own(void **state)
{
    struct sum row[3 * N_EVENTS];
    struct totals t;

    (void)state;
    for (size_t i = 0; i < 3 * N_EVENTS; i++)
        row[i] = i / N_EVENTS == 2 ? SUM_NONE : sum(1.0 + (double)i, 10, 10);
    assert_int_equal(totals_init(&t, &events, SCOPE_CPU, 3), 0);
    totals_add(&t, row, 1);
    assert_near(totals_event(&t, 1, CYCLES).value, 1 + N_EVENTS);
    assert_int_equal(totals_event(&t, 2, CYCLES).quality, QUALITY_OFFLINE);
    totals_done(&t);
    totals_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_add_up_and_are_scaled_once),
        cmocka_unit_test(an_interval_without_a_counter_is_left_out_in_any_order),
        cmocka_unit_test(a_task_that_never_ran_counted_zero),
        cmocka_unit_test(each_slot_has_its_own),
    };

    return cmocka_run_group_tests_name("totals", tests, make_events, drop_events);
}
