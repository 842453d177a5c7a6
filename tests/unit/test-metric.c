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

// Every row with numbers computed by hand from its source; `first` tells rows of one id apart.
static const struct {
    const char *id, *first;
    double in[METRIC_INPUTS_MAX + 1];
    double seconds, expected;
} cases[] = {
    {"cpi", "cycles", {300, 200}, 1, 1.5},
    {"ipc", "instructions", {300, 200}, 1, 1.5},
    {"cache_miss_rate", "cache_misses", {5, 20}, 1, 0.25},
    {"branch_miss_rate", "branch_misses", {1, 8}, 1, 0.125},
    {"cpu_use", "cpu_user", {30, 20, 5, 5, 10, 30}, 1, 0.6},
    {"context_switches_per_second", "context_switches", {50}, 0.1, 500},
    {"cpu_migrations_per_second", "cpu_migrations", {3}, 0.5, 6},
    {"minor_faults_per_second", "minor_faults", {7}, 2, 3.5},
    {"major_faults_per_second", "major_faults", {1}, 0.25, 4},
    {"page_faults_per_second", "page_faults", {8}, 0.1, 80},
    {"cycles_per_second", "cycles", {3e8}, 0.1, 3e9},
    {"instructions_per_second", "instructions", {2e8}, 0.1, 2e9},
    {"ghz", "cycles", {3e8}, 0.1, 3},
    {"cpus_utilized", "task_clock", {15e7}, 0.1, 1.5},
    {"cache_mpki", "cache_misses", {30, 20000}, 1, 1.5},
    {"branch_mpki", "branch_misses", {5, 1000}, 1, 5},
    {"l1d_mpki", "l1_dcache_load_misses", {40, 2000}, 1, 20},
    {"l1i_mpki", "l1_icache_load_misses", {1, 4000}, 1, 0.25},
    {"llc_mpki", "llc_load_misses", {2, 1000}, 1, 2},
    {"dtlb_mpki", "dtlb_load_misses", {6, 3000}, 1, 2},
    {"itlb_mpki", "itlb_load_misses", {3, 6000}, 1, 0.5},
    {"l1d_miss_rate", "l1_dcache_load_misses", {1, 20}, 1, 0.05},
    {"l1i_miss_rate", "l1_icache_load_misses", {1, 50}, 1, 0.02},
    {"llc_miss_rate", "llc_load_misses", {3, 4}, 1, 0.75},
    {"dtlb_miss_rate", "dtlb_load_misses", {1, 1000}, 1, 0.001},
    {"itlb_miss_rate", "itlb_load_misses", {9, 10}, 1, 0.9},
    {"watts_pkg", "power_energy_pkg_|energy_pkg", {2.5}, 0.1, 25},
    {"watts_cores", "power_energy_cores_|energy_cores", {1}, 0.1, 10},
    {"watts_ram", "power_energy_ram_|energy_ram", {1}, 0.5, 2},
    {"watts_gpu", "power_energy_gpu_|energy_gpu", {3}, 1, 3},
    {"watts_psys", "power_energy_psys_|energy_psys", {4}, 0.5, 8},
    {"memory_read_bandwidth",
     "uncore_imc_data_reads_|uncore_imc_cas_count_read_",
     {128},
     0.1,
     1280},
    {"memory_write_bandwidth",
     "uncore_imc_data_writes_|uncore_imc_cas_count_write_",
     {64},
     0.5,
     128},
    {"pressure_cpu_some", "psi_cpu_some", {25e7}, 1, 0.25},
    {"pressure_io_some", "psi_io_some", {1e9}, 2, 0.5},
    {"pressure_io_full", "psi_io_full", {1e8}, 1, 0.1},
    {"pressure_memory_some", "psi_memory_some", {0}, 1, 0},
    {"pressure_memory_full", "psi_memory_full", {5e8}, 1, 0.5},
    {"run_queue_length", "run_queue", {3e9}, 1.5, 2},
    {"tasks_waiting", "run_delay", {5e8}, 2, 0.25},
    // Of 1000 slots: 300 fe, 100 bad, 200 retiring, 400 be.
    {"frontend_bound", "topdown_fe_bound", {300, 100, 200, 400}, 1, 0.3},
    {"bad_speculation", "topdown_bad_spec", {100, 300, 200, 400}, 1, 0.1},
    {"retiring", "topdown_retiring", {200, 300, 100, 400}, 1, 0.2},
    {"backend_bound", "topdown_be_bound", {400, 300, 100, 200}, 1, 0.4},
    // 4000 slots: 800 bubbles, 2400 issued, 2000 retired, 400 lost in recovery: fe 0.2, bad 0.2,
    // retiring 0.5, which leaves 0.1.
    {"frontend_bound", "topdown_fetch_bubbles", {800, 4000}, 1, 0.2},
    {"bad_speculation", "topdown_slots_issued", {2400, 2000, 400, 4000}, 1, 0.2},
    {"retiring", "topdown_slots_retired", {2000, 4000}, 1, 0.5},
    {"backend_bound", "topdown_fetch_bubbles", {800, 2400, 400, 4000}, 1, 0.1},
    // The same: 1000 cycles of 4 slots, 100 cycles of recovery.
    {"frontend_bound", "idq_uops_not_delivered_core", {800, 1000, 4}, 1, 0.2},
    {"bad_speculation", "uops_issued_any", {2400, 2000, 100, 1000, 4}, 1, 0.2},
    {"retiring", "uops_retired_retire_slots", {2000, 1000, 4}, 1, 0.5},
    {"backend_bound", "idq_uops_not_delivered_core", {800, 2400, 100, 1000, 4}, 1, 0.1},
    // 1000 cycles of 6 (Zen 4) or 8 (Zen 5) slots.
    {"frontend_bound", "de_no_dispatch_per_slot_no_ops_from_frontend", {1500, 1000, 6}, 1, 0.25},
    {"bad_speculation", "de_src_op_disp_all", {3000, 2400, 1000, 6}, 1, 0.1},
    {"retiring", "ex_ret_ops", {2000, 1000, 8}, 1, 0.25},
    {"backend_bound", "de_no_dispatch_per_slot_backend_stalls", {1800, 1000, 6}, 1, 0.3},
    {"smt_contention", "de_no_dispatch_per_slot_smt_contention", {400, 1000, 8}, 1, 0.05},
    // 1000 cycles: 5 slots count a stall too many in each cycle, 8 don't.
    {"frontend_bound", "stall_slot_frontend", {2000, 1000, 5}, 1, 0.2},
    {"frontend_bound", "stall_slot_frontend", {2000, 1000, 8}, 1, 0.25},
    {"bad_speculation", "op_retired", {900, 1000, 3500, 1000, 5}, 1, 0.05},
    {"retiring", "op_retired", {900, 1000, 3500, 1000, 5}, 1, 0.45},
    {"retiring", "op_retired", {900, 1000, 4000, 1000, 8}, 1, 0.45},
    {"backend_bound", "stall_slot_backend", {2000, 1000, 5}, 1, 0.4},
};
#define N_CASES (sizeof(cases) / sizeof(cases[0]))

static bool is_case_of(const struct metric *m, size_t i)
{
    return strcmp(cases[i].id, m->id) == 0 && strcmp(cases[i].first, m->inputs[0]) == 0;
}

static void every_row_gives_the_values_of_its_source(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_metrics; i++) {
        bool any = false;

        for (size_t k = 0; k < N_CASES; k++) {
            size_t n = 0;

            while (n < METRIC_INPUTS_MAX && metrics[i].inputs[n])
                n++;
            // Two rows begin with the same event: the number of inputs tells them apart.
            if (!is_case_of(&metrics[i], k))
                continue;
            if (metrics[i].needs_slots && !(cases[k].in[n] > 0))
                continue;
            any = true;
            assert_near(metrics[i].evaluate(cases[k].in, cases[k].seconds), cases[k].expected);
        }
        if (!any)
            fail_msg("no case for %s of %s", metrics[i].id, metrics[i].inputs[0]);
    }
}

static void a_division_by_zero_has_no_value(void **state)
{
    const double nothing[METRIC_INPUTS_MAX + 1] = {0};

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
            if (strcmp(metrics[i].id, metrics[k].id) == 0) {
                assert_string_equal(metrics[i].name, metrics[k].name);
                assert_string_equal(metrics[i].unit, metrics[k].unit);
            }
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
    assert_true(find("pressure_cpu_some")->window_seconds >= 1);
    for (size_t i = 0; i < n_metrics; i++) {
        const char *unit = metrics[i].unit;

        if ((strcmp(unit, "share") == 0 && metrics[i].window_seconds == 0) ||
            strstr(metrics[i].id, "_mpki"))
            assert_true(metrics[i].one_group);
    }
}

static void only_metrics_with_all_inputs_are_bound(void **state)
{
    struct event_table t = {0};
    struct metric_binding *b = calloc(n_metrics, sizeof(*b));
    size_t n;

    (void)state;
    add(&t, "instructions", 0, QUALITY_EXACT);
    add(&t, "cache-misses", 1, QUALITY_EXACT);
    n = metric_bind(&t, b);
    assert_null(bound(b, n, "cpi"));
    assert_null(bound(b, n, "ipc"));
    add(&t, "cycles", 0, QUALITY_EXACT);
    n = metric_bind(&t, b);
    assert_int_equal(n, 6); // with three rates per second, and cache_mpki
    assert_true(bound(b, n, "cache_mpki")->split);
    assert_null(bound(b, n, "cache_miss_rate"));
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

static size_t bind_names(const char *const *names, double slots, bool tasks,
                         struct metric_binding *ret)
{
    struct event_table t = {.tasks = tasks, .slots_per_cycle = slots};
    size_t n;

    for (; *names; names++)
        add(&t, *names, 0, QUALITY_EXACT);
    n = metric_bind(&t, ret);
    event_table_done(&t);
    return n;
}

static void events_are_found_by_their_plain_names(void **state)
{
    struct metric_binding *b = calloc(n_metrics, sizeof(*b));
    size_t n;

    (void)state;
    n = bind_names((const char *const[]){"cycles:u", "instructions:u", NULL}, 0, true, b);
    assert_non_null(bound(b, n, "cpi"));
    n = bind_names((const char *const[]){"cycles:u", "instructions", NULL}, 0, true, b);
    assert_null(bound(b, n, "cpi"));
    n = bind_names((const char *const[]){"cycles:D", "instructions:D", NULL}, 0, true, b);
    assert_non_null(bound(b, n, "cpi"));
    n = bind_names((const char *const[]){"cycles:ppp", "sched:sched_switch", "cpu/instructions/uD",
                                         "cycles:uD", NULL},
                   0, true, b);
    assert_non_null(bound(b, n, "cpi"));
    assert_int_equal(bound(b, n, "cpi")->inputs[0], 3);
    n = bind_names((const char *const[]){"cpu/slots/", "cpu/topdown-retiring/",
                                         "cpu/topdown-fe-bound/", "cpu/topdown-be-bound/",
                                         "cpu/topdown-bad-spec/", NULL},
                   0, false, b);
    assert_non_null(bound(b, n, "retiring"));
    assert_int_equal(bound(b, n, "retiring")->inputs[0], 1);
    n = bind_names((const char *const[]){"armv8_pmuv3_0/stall_slot_backend/u",
                                         "armv8_pmuv3_0/cpu_cycles/u", NULL},
                   5, false, b);
    assert_non_null(bound(b, n, "backend_bound"));
    assert_near(bound(b, n, "backend_bound")->slots, 5);
    n = bind_names((const char *const[]){"amd64_fam19h_zen4::EX_RET_OPS",
                                         "amd64_fam19h_zen4::LS_NOT_HALTED_CYC", NULL},
                   6, false, b);
    assert_non_null(bound(b, n, "retiring"));
    n = bind_names((const char *const[]){"power/energy-pkg/", NULL}, 0, false, b);
    assert_non_null(bound(b, n, "watts_pkg"));
    // The cores of one type are not the machine.
    n = bind_names((const char *const[]){"cpu_atom/cycles/", "cpu_atom/instructions/", NULL}, 0,
                   false, b);
    assert_int_equal(n, 0);
    free(b);
}

static void events_are_found_by_perfs_other_names(void **state)
{
    struct metric_binding *b = calloc(n_metrics, sizeof(*b));
    size_t n;

    (void)state;
    n = bind_names((const char *const[]){"cpu-cycles", "instructions", "branch-instructions",
                                         "branch-misses", "cs", "faults", "migrations", NULL},
                   0, false, b);
    assert_non_null(bound(b, n, "cpi"));
    assert_int_equal(bound(b, n, "cpi")->inputs[0], 0);
    assert_int_equal(bound(b, n, "branch_miss_rate")->inputs[1], 2);
    assert_int_equal(bound(b, n, "context_switches_per_second")->inputs[0], 4);
    assert_int_equal(bound(b, n, "page_faults_per_second")->inputs[0], 5);
    assert_int_equal(bound(b, n, "cpu_migrations_per_second")->inputs[0], 6);
    n = bind_names((const char *const[]){"cpu/cpu-cycles/u", "cpu/instructions/u", NULL}, 0, false,
                   b);
    assert_non_null(bound(b, n, "ipc"));
    assert_null(bound(b, bind_names((const char *const[]){"csx", "default", NULL}, 0, false, b),
                      "context_switches_per_second"));
    // What is neither: another PMU's, other modifiers.
    n = bind_names(
        (const char *const[]){"power/cpu-cycles/", "cpu-cycles:u", "instructions:k", NULL}, 0,
        false, b);
    assert_null(bound(b, n, "ipc"));
    free(b);
}

static void what_a_metric_needs_to_know_decides_whether_it_is_there(void **state)
{
    static const char *const slots[] = {"ex_ret_ops", "ls_not_halted_cyc", NULL};
    static const char *const clock[] = {"task-clock", NULL};
    struct metric_binding *b = calloc(n_metrics, sizeof(*b));

    (void)state;
    assert_null(bound(b, bind_names(slots, 0, false, b), "retiring"));
    assert_non_null(bound(b, bind_names(slots, 8, false, b), "retiring"));
    assert_null(bound(b, bind_names(clock, 0, false, b), "cpus_utilized"));
    assert_non_null(bound(b, bind_names(clock, 0, true, b), "cpus_utilized"));
    free(b);
}

// Of rows of one id, and of alternatives of an input, the first that is available.
static void the_available_one_is_chosen(void **state)
{
    struct metric_binding *b = calloc(n_metrics, sizeof(*b));
    struct event_table t = {.slots_per_cycle = 6};
    size_t n;

    (void)state;
    add(&t, "topdown-fetch-bubbles", 0, QUALITY_NOT_SUPPORTED);
    add(&t, "topdown-total-slots", 0, QUALITY_NOT_SUPPORTED);
    n = metric_bind(&t, b);
    assert_int_equal(bound(b, n, "frontend_bound")->availability, QUALITY_NOT_SUPPORTED);
    add(&t, "stall_slot_frontend", 1, QUALITY_EXACT);
    add(&t, "cpu_cycles", 1, QUALITY_NOT_SUPPORTED);
    add(&t, "cycles", 1, QUALITY_EXACT);
    n = metric_bind(&t, b);
    assert_int_equal(bound(b, n, "frontend_bound")->availability, QUALITY_EXACT);
    assert_int_equal(bound(b, n, "frontend_bound")->inputs[1], 4);
    for (size_t i = 0; i < n; i++)
        assert_ptr_equal(bound(b, n, b[i].metric->id), &b[i]);
    event_table_done(&t);
    free(b);
}

// An event that is called like a metric keeps the column.
static void an_event_comes_before_a_metric_of_its_name(void **state)
{
    struct metric_binding *b = calloc(n_metrics, sizeof(*b));
    size_t n;

    (void)state;
    n = bind_names((const char *const[]){"cycles", "instructions", "ipc", NULL}, 0, false, b);
    assert_null(bound(b, n, "ipc"));
    assert_non_null(bound(b, n, "cpi"));
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_gives_the_values_of_its_source),
        cmocka_unit_test(a_division_by_zero_has_no_value),
        cmocka_unit_test(every_metric_explains_itself),
        cmocka_unit_test(ratios_want_one_group_and_cpu_use_a_second),
        cmocka_unit_test(only_metrics_with_all_inputs_are_bound),
        cmocka_unit_test(a_ratio_over_two_groups_is_split),
        cmocka_unit_test(a_metric_is_as_available_as_its_worst_input),
        cmocka_unit_test(events_are_found_by_their_plain_names),
        cmocka_unit_test(events_are_found_by_perfs_other_names),
        cmocka_unit_test(what_a_metric_needs_to_know_decides_whether_it_is_there),
        cmocka_unit_test(the_available_one_is_chosen),
        cmocka_unit_test(an_event_comes_before_a_metric_of_its_name),
    };

    return cmocka_run_group_tests_name("metric", tests, NULL, NULL);
}
