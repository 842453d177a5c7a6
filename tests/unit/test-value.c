// SPDX-License-Identifier: Apache-2.0
// history_value(): columns of a history as counts and metrics, with their quality.
#include "history/history.h"

#include "unit.h"

#define MS 1e6 // ns

// Two ratios, one of one group and one of two; CPU time; and one that is not there.
enum { CYCLES, INSTRUCTIONS, BRANCHES, MISSES, SWITCHES, USER, N_EVENTS = USER + 6 };

static const struct {
    const char *name;
    int group;
    enum event_kind kind;
} described[N_EVENTS] = {
    {"cycles", 0, EVENT_COUNT},           {"instructions", 0, EVENT_COUNT},
    {"branches", 1, EVENT_COUNT},         {"branch-misses", 2, EVENT_COUNT},
    {"context-switches", 3, EVENT_COUNT}, {"cpu-user", 4, EVENT_GAUGE},
    {"cpu-system", 4, EVENT_GAUGE},       {"cpu-irq", 4, EVENT_GAUGE},
    {"cpu-steal", 4, EVENT_GAUGE},        {"cpu-iowait", 4, EVENT_GAUGE},
    {"cpu-idle", 4, EVENT_GAUGE},
};

static struct sum sums[N_EVENTS]; // of the next row

static struct sum sum(double raw, double enabled, double running)
{
    return (struct sum){.raw = raw, .enabled = enabled, .running = running};
}

static struct history *new_history(enum quality switches, enum reading_scope scope)
{
    struct event_table t = {0};
    struct history *h;

    for (size_t i = 0; i < N_EVENTS; i++) {
        struct event e = {.kind = described[i].kind, .group = described[i].group};

        snprintf(e.name, sizeof(e.name), "%s", described[i].name);
        if (i == SWITCHES)
            e.availability = switches;
        assert_int_equal(event_table_add(&t, &e), (int)i);
        sums[i] = e.kind == EVENT_GAUGE ? SUM_NONE : sum(100, 100 * MS, 100 * MS);
    }
    assert_int_equal(history_new(&t, 1, scope, 100, SIZE_MAX, &h), 0);
    event_table_done(&t);
    return h;
}

static void push(struct history *h, double seconds)
{
    history_push(h, &(struct interval){.timestamp_ms = 1, .seconds = seconds, .sums = sums});
}

static struct value value(const struct history *h, uint64_t from, uint64_t to, const char *id)
{
    struct column c;

    assert_true(history_column(h, id, &c));
    assert_string_equal(column_id(&c), id);
    return history_value(h, from, to, 0, &c);
}

static void columns_are_events_and_metrics(void **state)
{
    struct history *h = new_history(QUALITY_EXACT, SCOPE_CPU);
    struct column c;

    (void)state;
    assert_true(history_column(h, "branch_misses", &c));
    assert_non_null(c.event);
    assert_null(c.metric);
    assert_int_equal(c.index, MISSES);
    assert_true(history_column(h, "cpi", &c));
    assert_null(c.event);
    assert_non_null(c.metric);
    assert_false(history_column(h, "cache_miss_rate", &c));
    assert_false(history_column(h, "", &c));
    history_free(h);
}

static void counts_say_their_quality(void **state)
{
    struct history *h = new_history(QUALITY_EXACT, SCOPE_CPU);
    struct value v;

    (void)state;
    sums[CYCLES] = sum(50, 100 * MS, 25 * MS);
    sums[INSTRUCTIONS] = sum(10, 100 * MS, 25 * MS);
    sums[BRANCHES] = sum(0, 100 * MS, 0);
    push(h, 0.1);
    v = value(h, 1, 1, "cycles");
    assert_near(v.value, 200);
    assert_int_equal(v.quality, QUALITY_SCALED);
    assert_near(v.running_percent, 25);
    v = value(h, 1, 1, "branches");
    assert_nan(v.value);
    assert_int_equal(v.quality, QUALITY_NEVER_RAN);
    assert_near(v.running_percent, 0);
    v = value(h, 1, 1, "branch_misses");
    assert_near(v.value, 100);
    assert_int_equal(v.quality, QUALITY_EXACT);
    history_free(h);
}

static void what_was_not_opened_says_why_and_has_no_value(void **state)
{
    struct history *h = new_history(QUALITY_DENIED, SCOPE_CPU);

    (void)state;
    push(h, 0.1);
    assert_nan(value(h, 1, 1, "context_switches").value);
    assert_int_equal(value(h, 1, 1, "context_switches").quality, QUALITY_DENIED);
    assert_nan(value(h, 1, 1, "context_switches_per_second").value);
    assert_int_equal(value(h, 1, 1, "context_switches_per_second").quality, QUALITY_DENIED);
    history_free(h);
}

static void rates_divide_by_the_measured_time(void **state)
{
    struct history *h = new_history(QUALITY_EXACT, SCOPE_CPU);

    (void)state;
    push(h, 0.1);
    push(h, 0.3);
    assert_near(value(h, 1, 1, "context_switches_per_second").value, 1000);
    assert_near(value(h, 1, 2, "context_switches_per_second").value, 500);
    history_free(h);
}

static void a_ratio_over_a_span_is_the_ratio_of_the_sums(void **state)
{
    struct history *h = new_history(QUALITY_EXACT, SCOPE_CPU);

    (void)state;
    sums[CYCLES].raw = 100;
    sums[INSTRUCTIONS].raw = 100;
    push(h, 0.1);
    sums[CYCLES].raw = 900;
    sums[INSTRUCTIONS].raw = 300;
    push(h, 0.1);
    assert_near(value(h, 1, 2, "cpi").value, 2.5);
    assert_near(value(h, 1, 2, "ipc").value, 0.4);
    history_free(h);
}

static void a_ratio_of_one_group_holds_while_it_is_multiplexed(void **state)
{
    struct history *h = new_history(QUALITY_EXACT, SCOPE_CPU);
    struct value v;

    (void)state;
    sums[CYCLES] = sum(60, 100 * MS, 40 * MS);
    sums[INSTRUCTIONS] = sum(30, 100 * MS, 40 * MS);
    push(h, 0.1);
    v = value(h, 1, 1, "cpi");
    assert_near(v.value, 2);
    assert_int_equal(v.quality, QUALITY_SCALED);
    assert_near(v.running_percent, 40);
    history_free(h);
}

// The collector counts a group's events apart when too few counters are free for all of them.
static void a_ratio_of_one_group_that_was_counted_apart_has_no_value(void **state)
{
    struct history *h = new_history(QUALITY_EXACT, SCOPE_CPU);
    struct value v;

    (void)state;
    sums[CYCLES] = sum(60, 100 * MS, 60 * MS);
    sums[INSTRUCTIONS] = sum(30, 100 * MS, 40 * MS);
    push(h, 0.1);
    assert_near(value(h, 1, 1, "cycles").value, 100);
    assert_near(value(h, 1, 1, "instructions").value, 75);
    v = value(h, 1, 1, "cpi");
    assert_nan(v.value);
    assert_int_equal(v.quality, QUALITY_SCALED);
    assert_near(v.running_percent, 40);
    // Each all the time: the stretches are the same, but for when they were read.
    sums[CYCLES] = sum(200, 100 * MS, 100 * MS);
    sums[INSTRUCTIONS] = sum(100, 100.002 * MS, 100.002 * MS);
    push(h, 0.1);
    v = value(h, 2, 2, "cpi");
    assert_near(v.value, 2);
    assert_int_equal(v.quality, QUALITY_EXACT);
    history_free(h);
}

static void a_ratio_of_two_groups_needs_both_to_run_all_the_time(void **state)
{
    struct history *h = new_history(QUALITY_EXACT, SCOPE_CPU);

    (void)state;
    sums[MISSES].raw = 5;
    push(h, 0.1);
    assert_near(value(h, 1, 1, "branch_miss_rate").value, 0.05);
    assert_int_equal(value(h, 1, 1, "branch_miss_rate").quality, QUALITY_EXACT);
    sums[MISSES] = sum(5, 100 * MS, 50 * MS);
    push(h, 0.1);
    assert_nan(value(h, 2, 2, "branch_miss_rate").value);
    assert_int_equal(value(h, 2, 2, "branch_miss_rate").quality, QUALITY_SCALED);
    assert_near(value(h, 2, 2, "branch_miss_rate").running_percent, 50);
    assert_near(value(h, 2, 2, "branch_misses").value, 10);
    history_free(h);
}

static void a_metric_without_an_input_has_no_value_and_says_why(void **state)
{
    struct history *h = new_history(QUALITY_EXACT, SCOPE_CPU);

    (void)state;
    sums[CYCLES] = sums[INSTRUCTIONS] = sum(0, 100 * MS, 0);
    push(h, 0.1);
    assert_nan(value(h, 1, 1, "cpi").value);
    assert_int_equal(value(h, 1, 1, "cpi").quality, QUALITY_NEVER_RAN);
    sums[CYCLES] = sums[INSTRUCTIONS] = SUM_NONE;
    push(h, 0.1);
    assert_int_equal(value(h, 2, 2, "cpi").quality, QUALITY_OFFLINE);
    history_free(h);
}

static void a_division_by_zero_has_no_value(void **state)
{
    struct history *h = new_history(QUALITY_EXACT, SCOPE_TASK);

    (void)state;
    sums[CYCLES] = sums[INSTRUCTIONS] = sum(0, 0, 0);
    push(h, 0.1);
    assert_true(value(h, 1, 1, "cycles").value == 0);
    assert_int_equal(value(h, 1, 1, "cycles").quality, QUALITY_EXACT);
    assert_nan(value(h, 1, 1, "cpi").value);
    history_free(h);
}

// 10 ms ticks in 100 ms are no basis: 70 ms busy of 100 in the newest row, 20 before.
static void cpu_use_covers_at_least_a_second(void **state)
{
    struct history *h = new_history(QUALITY_EXACT, SCOPE_CPU);
    double user = 0, idle = 0;
    struct value v;

    (void)state;
    for (int i = 1; i <= 30; i++) {
        user += i == 30 ? 70 : 20;
        idle += i == 30 ? 30 : 80;
        for (size_t k = 0; k < 6; k++)
            sums[USER + k] = (struct sum){.raw = 0};
        sums[USER].raw = user * MS;
        sums[USER + 5].raw = idle * MS;
        push(h, 0.125);
    }
    v = value(h, 30, 30, "cpu_use");
    assert_near(v.value, (7 * 20 + 70) / 800.0);
    assert_int_equal(v.quality, QUALITY_EXACT);
    // A longer span is taken as it is.
    assert_near(value(h, 11, 30, "cpu_use").value, (19 * 20 + 70) / 2000.0);
    // The plain column is that of the row.
    assert_near(value(h, 30, 30, "cpu_user").value, 70 * MS);
    assert_nan(value(h, 1, 1, "cpu_use").value);
    history_free(h);
}

static void a_gauge_is_exact_where_it_was_read(void **state)
{
    struct history *h = new_history(QUALITY_EXACT, SCOPE_CPU);
    struct value v;

    (void)state;
    sums[USER] = (struct sum){.raw = 100};
    push(h, 0.1);
    sums[USER] = (struct sum){.raw = 130};
    push(h, 0.1);
    v = value(h, 2, 2, "cpu_user");
    assert_near(v.value, 30);
    assert_int_equal(v.quality, QUALITY_EXACT);
    assert_near(v.running_percent, 100);
    history_free(h);
}

static struct value only(struct event e, const char *metric, struct sum first, struct sum then)
{
    struct event_table t = {.tasks = true};
    struct history *h;
    struct value v;

    e.group = -1;
    assert_int_equal(event_table_add(&t, &e), 0);
    assert_int_equal(history_new(&t, 1, SCOPE_TASK, 100, SIZE_MAX, &h), 0);
    event_table_done(&t);
    history_push(h, &(struct interval){1, 0.5, &first});
    history_push(h, &(struct interval){2, 0.5, &first});
    history_push(h, &(struct interval){3, 0.5, &then});
    v = value(h, 3, 3, metric);
    history_free(h);
    return v;
}

static void rates_take_their_units_and_times(void **state)
{
    struct event cycles = {.name = "cycles"}, joules = {.name = "power/energy-pkg/", .scale = 0.25},
                 psi = {.name = "psi-io-some", .kind = EVENT_GAUGE},
                 clock = {.name = "cpu-clock", .unit = "msec", .scale = 1e-6};
    struct sum none = sum(0, 0, 0), tenth = sum(3e8, 100 * MS, 100 * MS);

    (void)state;
    // Of the 500 ms, 100 on a CPU.
    assert_near(only(cycles, "ghz", none, tenth).value, 3);
    assert_near(only(cycles, "cycles_per_second", none, tenth).value, 6e8);
    assert_nan(only(cycles, "ghz", none, none).value);
    assert_near(only(joules, "watts_pkg", none, sum(100, 500 * MS, 500 * MS)).value, 50);
    assert_near(only(joules, "power_energy_pkg_", none, sum(100, 500 * MS, 500 * MS)).value, 25);
    assert_near(only(clock, "cpu_clock", none, sum(5e8, 500 * MS, 500 * MS)).value, 500);
    assert_near(only(psi, "pressure_io_some", none, (struct sum){.raw = 125 * MS}).value, 0.125);
    psi.availability = QUALITY_NOT_SUPPORTED;
    assert_nan(only(psi, "pressure_io_some", none, none).value);
    assert_int_equal(only(psi, "pressure_io_some", none, none).quality, QUALITY_NOT_SUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_events_and_metrics),
        cmocka_unit_test(counts_say_their_quality),
        cmocka_unit_test(what_was_not_opened_says_why_and_has_no_value),
        cmocka_unit_test(rates_divide_by_the_measured_time),
        cmocka_unit_test(a_ratio_over_a_span_is_the_ratio_of_the_sums),
        cmocka_unit_test(a_ratio_of_one_group_holds_while_it_is_multiplexed),
        cmocka_unit_test(a_ratio_of_one_group_that_was_counted_apart_has_no_value),
        cmocka_unit_test(a_ratio_of_two_groups_needs_both_to_run_all_the_time),
        cmocka_unit_test(a_metric_without_an_input_has_no_value_and_says_why),
        cmocka_unit_test(a_division_by_zero_has_no_value),
        cmocka_unit_test(cpu_use_covers_at_least_a_second),
        cmocka_unit_test(a_gauge_is_exact_where_it_was_read),
        cmocka_unit_test(rates_take_their_units_and_times),
    };

    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
