// SPDX-License-Identifier: Apache-2.0
#include "model/metric.h"

#include "unit.h"

static void add(struct event_table *t, const char *name, int group, enum quality availability)
{
    struct event e = {.group = group, .availability = availability};

    snprintf(e.name, sizeof(e.name), "%s", name);
    assert_true(event_table_add(t, &e) >= 0);
}

static const struct metric *find(const char *id)
{
    for (size_t i = 0; i < n_metrics; i++)
        if (strcmp(metrics[i].id, id) == 0)
            return &metrics[i];
    fail_msg("there is no metric %s", id);
    return NULL;
}

static const struct metric_binding *bound(const struct metric_binding *b, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(b[i].metric->id, id) == 0)
            return &b[i];
    return NULL;
}

static double evaluate(const char *id, const double *in, double seconds)
{
    return find(id)->evaluate(in, seconds);
}

static void formulas_give_their_values(void **state)
{
    const double cpu[] = {30, 20, 5, 5, 10, 30}; // user system irq steal iowait idle

    (void)state;
    assert_near(evaluate("cpi", (double[]){300, 200}, 1), 1.5);
    assert_near(evaluate("ipc", (double[]){300, 200}, 1), 1.5);
    assert_string_equal(find("cpi")->inputs[0], "cycles");
    assert_string_equal(find("ipc")->inputs[0], "instructions");
    assert_near(evaluate("cache_miss_rate", (double[]){5, 20}, 1), 0.25);
    assert_near(evaluate("branch_miss_rate", (double[]){1, 8}, 1), 0.125);
    assert_near(evaluate("context_switches_per_second", (double[]){50}, 0.1), 500);
    assert_near(evaluate("cpu_use", cpu, 1), 0.6);
}

static void a_division_by_zero_has_no_value(void **state)
{
    const double nothing[6] = {0};

    (void)state;
    for (size_t i = 0; i < n_metrics; i++)
        assert_nan(metrics[i].evaluate(nothing, 0));
    assert_nan(evaluate("cpi", (double[]){300, 0}, 1));
    // Nothing over something is a true zero.
    assert_true(evaluate("cache_miss_rate", (double[]){0, 20}, 1) == 0);
    assert_true(evaluate("minor_faults_per_second", (double[]){0}, 1) == 0);
}

static void every_metric_explains_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_metrics; i++) {
        char column[EVENT_NAME_MAX];

        assert_true(metrics[i].name[0] && metrics[i].formula[0] && metrics[i].source[0]);
        event_column_id(metrics[i].id, column);
        assert_string_equal(metrics[i].id, column);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(metrics[i].id, metrics[k].id);
        assert_non_null(metrics[i].inputs[0]);
        assert_null(metrics[i].inputs[METRIC_INPUTS_MAX - 1]);
    }
}

static void ratios_want_one_group_and_cpu_use_a_second(void **state)
{
    (void)state;
    assert_true(find("cpi")->one_group && find("ipc")->one_group);
    assert_true(find("cache_miss_rate")->one_group && find("branch_miss_rate")->one_group);
    assert_true(find("cpu_use")->window_seconds >= 1);
}

static void only_metrics_with_all_inputs_are_bound(void **state)
{
    struct event_table t = {0};
    struct metric_binding *b = calloc(n_metrics, sizeof(*b));
    size_t n;

    (void)state;
    add(&t, "instructions", 0, QUALITY_EXACT);
    add(&t, "cache-misses", 1, QUALITY_EXACT);
    assert_int_equal(metric_bind(&t, b), 0);
    add(&t, "cycles", 0, QUALITY_EXACT);
    n = metric_bind(&t, b);
    assert_int_equal(n, 2);
    assert_int_equal(bound(b, n, "cpi")->n_inputs, 2);
    assert_int_equal(bound(b, n, "cpi")->inputs[0], 2);
    assert_int_equal(bound(b, n, "cpi")->inputs[1], 0);
    assert_int_equal(bound(b, n, "ipc")->inputs[0], 0);
    assert_int_equal(bound(b, n, "ipc")->availability, QUALITY_EXACT);
    event_table_done(&t);
    free(b);
}

static void a_ratio_over_two_groups_is_split(void **state)
{
    struct event_table t = {0};
    struct metric_binding *b = calloc(n_metrics, sizeof(*b));
    size_t n;

    (void)state;
    add(&t, "cycles", 0, QUALITY_EXACT);
    add(&t, "instructions", 1, QUALITY_EXACT);
    add(&t, "branches", 2, QUALITY_EXACT);
    add(&t, "branch-misses", 2, QUALITY_EXACT);
    n = metric_bind(&t, b);
    assert_true(bound(b, n, "cpi")->split);
    assert_true(bound(b, n, "ipc")->split);
    assert_false(bound(b, n, "branch_miss_rate")->split);
    event_table_done(&t);
    free(b);
}

static void a_metric_is_as_available_as_its_worst_input(void **state)
{
    struct event_table t = {0};
    struct metric_binding *b = calloc(n_metrics, sizeof(*b));
    size_t n;

    (void)state;
    add(&t, "cycles", 0, QUALITY_DENIED);
    add(&t, "instructions", 0, QUALITY_NOT_SUPPORTED);
    add(&t, "minor-faults", 1, QUALITY_EXACT);
    n = metric_bind(&t, b);
    assert_int_equal(bound(b, n, "cpi")->availability, QUALITY_NOT_SUPPORTED);
    assert_int_equal(bound(b, n, "minor_faults_per_second")->availability, QUALITY_EXACT);
    event_table_done(&t);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_give_their_values),
        cmocka_unit_test(a_division_by_zero_has_no_value),
        cmocka_unit_test(every_metric_explains_itself),
        cmocka_unit_test(ratios_want_one_group_and_cpu_use_a_second),
        cmocka_unit_test(only_metrics_with_all_inputs_are_bound),
        cmocka_unit_test(a_ratio_over_two_groups_is_split),
        cmocka_unit_test(a_metric_is_as_available_as_its_worst_input),
    };

    return cmocka_run_group_tests_name("metric", tests, NULL, NULL);
}
