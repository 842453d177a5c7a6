// SPDX-License-Identifier: Apache-2.0
// The metrics: one row each, with the formula, the unit, the inputs, and where the formula stands.
#include "model/metric.h"

#include <math.h>

#define STAT_SHADOW "linux: tools/perf/util/stat-shadow.c"
#define NEOVERSE    "linux: tools/perf/pmu-events/arch/arm64/arm/neoverse-n2-v2/metrics.json"
#define AMD_ZEN     "linux: tools/perf/pmu-events/arch/x86/amdzen4/pipeline.json and amdzen5"
#define SKYLAKE     "andikleen/pmu-tools: skl_client_ratios.py"

static double over(double numerator, double denominator)
{
    return denominator > 0 ? numerator / denominator : NAN;
}

static double ratio(const double *in, double seconds)
{
    (void)seconds;
    return over(in[0], in[1]);
}

static double per_thousand(const double *in, double seconds)
{
    (void)seconds;
    return over(1000 * in[0], in[1]);
}

static double per_second(const double *in, double seconds)
{
    return over(in[0], seconds);
}

static double per_nanosecond(const double *in, double seconds)
{
    return over(in[0], seconds * 1e9);
}

// in: user, system, irq, steal, iowait, idle
static double cpu_use(const double *in, double seconds)
{
    double busy = in[0] + in[1] + in[2] + in[3];

    (void)seconds;
    return over(busy, busy + in[4] + in[5]);
}

// Of the four fields of the metrics register, each a share of the slots.
static double first_of_four(const double *in, double seconds)
{
    (void)seconds;
    return over(in[0], in[0] + in[1] + in[2] + in[3]);
}

// in: slots issued, slots retired, recovery bubbles, total slots
static double kernel_bad_speculation(const double *in, double seconds)
{
    (void)seconds;
    return over(in[0] - in[1] + in[2], in[3]);
}

// in: fetch bubbles, slots issued, recovery bubbles, total slots; what was retired cancels out.
static double kernel_backend(const double *in, double seconds)
{
    (void)seconds;
    return 1 - over(in[0] + in[1] + in[2], in[3]);
}

// in: what fills slots, cycles, slots per cycle
static double of_slots(const double *in, double seconds)
{
    (void)seconds;
    return over(in[0], in[2] * in[1]);
}

// in: uops issued, uops retired, cycles in which the allocator recovers, cycles, slots per cycle
static double skylake_bad_speculation(const double *in, double seconds)
{
    (void)seconds;
    return over(in[0] - in[1] + in[4] * in[2], in[4] * in[3]);
}

// in: uops not delivered, uops issued, recovery cycles, cycles, slots per cycle
static double skylake_backend(const double *in, double seconds)
{
    (void)seconds;
    return 1 - over(in[0] + in[1] + in[4] * in[2], in[4] * in[3]);
}

// in: ops dispatched, ops retired, cycles, slots per cycle
static double amd_bad_speculation(const double *in, double seconds)
{
    (void)seconds;
    return over(in[0] - in[1], in[3] * in[2]);
}

// A core with 5 slots counts one stall too many in each cycle.
static double stalls(double counted, double cycles, double slots)
{
    return over(slots == 5 ? counted - cycles : counted, slots * cycles);
}

// in: stalled slots, cycles, slots per cycle
static double arm_frontend(const double *in, double seconds)
{
    (void)seconds;
    return stalls(in[0], in[1], in[2]);
}

// in: operations retired, operations speculated, stalled slots, cycles, slots per cycle
static double arm_retiring(const double *in, double seconds)
{
    (void)seconds;
    return over(in[0], in[1]) * (1 - stalls(in[2], in[3], in[4]));
}

static double arm_bad_speculation(const double *in, double seconds)
{
    (void)seconds;
    return (1 - over(in[0], in[1])) * (1 - stalls(in[2], in[3], in[4]));
}

// Shares of two counts that must have been counted together.
#define SHARE(id_, title, misses, all, note)                                                       \
    {                                                                                              \
        .id = id_, .name = title, .unit = "share", .formula = misses " / " all,                    \
        .source = STAT_SHADOW " (" note ")", .inputs = {misses, all}, .evaluate = ratio,           \
        .one_group = true,                                                                         \
    }

// Misses per thousand instructions.
#define MPKI(id_, title, misses, note)                                                             \
    {                                                                                              \
        .id = id_ "_mpki", .name = title " MPKI", .unit = "misses per 1000 instructions",          \
        .formula = "1000 * " misses " / instructions", .source = NEOVERSE " (" note ")",           \
        .inputs = {misses, "instructions|inst_retired"}, .evaluate = per_thousand,                 \
        .one_group = true,                                                                         \
    }

#define PER_SECOND(column, title)                                                                  \
    {                                                                                              \
        .id = column "_per_second", .name = title, .unit = "per second",                           \
        .formula = column " / measured seconds", .source = STAT_SHADOW " (per second)",            \
        .inputs = {column}, .evaluate = per_second,                                                \
    }

// Energy of a RAPL domain; the kernel's scale makes it Joules.
#define WATTS(domain, title)                                                                       \
    {                                                                                              \
        .id = "watts_" domain, .name = title, .unit = "W",                                         \
        .formula = "Joules of power/energy-" domain "/ / measured seconds",                        \
        .source = "linux: arch/x86/events/rapl.c (unit Joules)",                                   \
        .inputs = {"power_energy_" domain "_|energy_" domain}, .evaluate = per_second,             \
        .in_units = true,                                                                          \
    }

// Traffic of the memory controllers; the kernel's scale makes it MiB.
#define BANDWIDTH(direction, client, server, title)                                                \
    {                                                                                              \
        .id = "memory_" direction "_bandwidth", .name = title, .unit = "MiB/s",                    \
        .formula = "MiB of uncore_imc/" client "/ or /" server "/ / measured seconds",             \
        .source = "linux: arch/x86/events/intel/uncore_snb.c, uncore_snbep.c (unit MiB)",          \
        .inputs = {"uncore_imc_" client "_|uncore_imc_" server "_"}, .evaluate = per_second,       \
        .in_units = true,                                                                          \
    }

// Share of the time in which tasks stood still for want of something.
#define PRESSURE(column, title)                                                                    \
    {                                                                                              \
        .id = "pressure_" column, .name = title, .unit = "share",                                  \
        .formula = "psi_" column " / time between its readings, over at least 1 s",                \
        .source = "linux: Documentation/accounting/psi.rst (total)", .inputs = {"psi_" column},    \
        .evaluate = per_nanosecond, .window_seconds = 1,                                           \
    }

// Top-down level 1: shares of the slots in which a core could have issued an operation.
#define TOPDOWN(id_, title) .id = id_, .name = title, .unit = "share", .one_group = true

#define METRICS_REGISTER(first, ...)                                                               \
    .formula = first " / sum of the four topdown events",                                          \
    .source = STAT_SHADOW " (td_metric_ratio); tools/perf/Documentation/topdown.txt",              \
    .inputs = {first, __VA_ARGS__}, .evaluate = first_of_four

#define AMD_SLOTS(event)                                                                           \
    .formula = event " / (slots * ls_not_halted_cyc)", .source = AMD_ZEN,                          \
    .inputs = {event, "ls_not_halted_cyc"}, .evaluate = of_slots, .needs_slots = true

const struct metric metrics[] = {
    {
        .id = "cpi",
        .name = "CPI",
        .unit = "cycles per instruction",
        .formula = "cycles / instructions",
        .source = STAT_SHADOW " (insn per cycle, its inverse)",
        .inputs = {"cycles", "instructions"},
        .evaluate = ratio,
        .one_group = true,
    },
    {
        .id = "ipc",
        .name = "IPC",
        .unit = "instructions per cycle",
        .formula = "instructions / cycles",
        .source = STAT_SHADOW " (insn per cycle)",
        .inputs = {"instructions", "cycles"},
        .evaluate = ratio,
        .one_group = true,
    },
    SHARE("cache_miss_rate", "Cache-miss rate", "cache_misses", "cache_references",
          "of all cache refs"),
    SHARE("branch_miss_rate", "Branch-miss rate", "branch_misses", "branches", "of all branches"),
    {
        .id = "cpu_use",
        .name = "CPU use",
        .unit = "share",
        .formula =
            "(cpu_user + cpu_system + cpu_irq + cpu_steal) / all CPU time, over at least 1 s",
        .source = "proc(5): /proc/stat",
        .inputs = {"cpu_user", "cpu_system", "cpu_irq", "cpu_steal", "cpu_iowait", "cpu_idle"},
        .evaluate = cpu_use,
        .window_seconds = 1,
    },
    PER_SECOND("context_switches", "Context switches"),
    PER_SECOND("cpu_migrations", "CPU migrations"),
    PER_SECOND("minor_faults", "Minor faults"),
    PER_SECOND("major_faults", "Major faults"),
    PER_SECOND("page_faults", "Page faults"),
    PER_SECOND("cycles", "Cycles"),
    PER_SECOND("instructions", "Instructions"),
    {
        .id = "ghz",
        .name = "Cycles per second",
        .unit = "GHz",
        .formula = "cycles / ns of time_enabled: of a CPU's time, or of a task's time on CPUs",
        .source = STAT_SHADOW " (GHz)",
        .inputs = {"cycles"},
        .evaluate = per_nanosecond,
        .per_enabled = true,
    },
    {
        .id = "cpus_utilized",
        .name = "CPUs utilized",
        .unit = "CPUs",
        .formula = "task_clock / measured time",
        .source = STAT_SHADOW " (CPUs utilized)",
        .inputs = {"task_clock"},
        .evaluate = per_nanosecond,
        .tasks_only = true,
    },
    MPKI("cache", "Cache", "cache_misses", "ll_cache_read_mpki, of cache_misses"),
    MPKI("branch", "Branch", "branch_misses", "branch_mpki"),
    MPKI("l1d", "L1 data", "l1_dcache_load_misses", "l1d_cache_mpki"),
    MPKI("l1i", "L1 instruction", "l1_icache_load_misses", "l1i_cache_mpki"),
    MPKI("llc", "LLC", "llc_load_misses", "ll_cache_read_mpki"),
    MPKI("dtlb", "Data TLB", "dtlb_load_misses", "dtlb_mpki"),
    MPKI("itlb", "Instruction TLB", "itlb_load_misses", "itlb_mpki"),
    SHARE("l1d_miss_rate", "L1 data miss rate", "l1_dcache_load_misses", "l1_dcache_loads",
          "of all L1-dcache accesses"),
    SHARE("l1i_miss_rate", "L1 instruction miss rate", "l1_icache_load_misses", "l1_icache_loads",
          "of all L1-icache accesses"),
    SHARE("llc_miss_rate", "LLC miss rate", "llc_load_misses", "llc_loads",
          "of all LL-cache accesses"),
    SHARE("dtlb_miss_rate", "Data TLB miss rate", "dtlb_load_misses", "dtlb_loads",
          "of all dTLB cache accesses"),
    SHARE("itlb_miss_rate", "Instruction TLB miss rate", "itlb_load_misses", "itlb_loads",
          "of all iTLB cache accesses"),
    WATTS("pkg", "Power of the package"),
    WATTS("cores", "Power of the cores"),
    WATTS("ram", "Power of the memory"),
    WATTS("gpu", "Power of the graphics"),
    WATTS("psys", "Power of the platform"),
    BANDWIDTH("read", "data_reads", "cas_count_read", "Memory read bandwidth"),
    BANDWIDTH("write", "data_writes", "cas_count_write", "Memory write bandwidth"),
    PRESSURE("cpu_some", "CPU pressure"),
    PRESSURE("io_some", "I/O pressure"),
    PRESSURE("io_full", "I/O pressure, all tasks"),
    PRESSURE("memory_some", "Memory pressure"),
    PRESSURE("memory_full", "Memory pressure, all tasks"),
    {
        .id = "run_queue_length",
        .name = "Run queue",
        .unit = "tasks",
        .formula = "run_queue / time between its readings, over at least 1 s",
        .source = "proc(5): /proc/stat (procs_running, less the reader)",
        .inputs = {"run_queue"},
        .evaluate = per_nanosecond,
        .window_seconds = 1,
    },
    {
        .id = "tasks_waiting",
        .name = "Tasks waiting for a CPU",
        .unit = "tasks",
        .formula = "run_delay / time between its readings, over at least 1 s",
        .source = "linux: Documentation/scheduler/sched-stats.rst (field 8 of a CPU)",
        .inputs = {"run_delay"},
        .evaluate = per_nanosecond,
        .window_seconds = 1,
    },
    // Ice Lake and later: fields of the metrics register.
    {TOPDOWN("frontend_bound", "Frontend bound"),
     METRICS_REGISTER("topdown_fe_bound", "topdown_bad_spec", "topdown_retiring",
                      "topdown_be_bound")},
    {TOPDOWN("bad_speculation", "Bad speculation"),
     METRICS_REGISTER("topdown_bad_spec", "topdown_fe_bound", "topdown_retiring",
                      "topdown_be_bound")},
    {TOPDOWN("retiring", "Retiring"), METRICS_REGISTER("topdown_retiring", "topdown_fe_bound",
                                                       "topdown_bad_spec", "topdown_be_bound")},
    {TOPDOWN("backend_bound", "Backend bound"),
     METRICS_REGISTER("topdown_be_bound", "topdown_fe_bound", "topdown_bad_spec",
                      "topdown_retiring")},
    // Intel before Ice Lake, with the kernel's events: their scales know the width and whether two
    // threads share a core.
    {TOPDOWN("frontend_bound", "Frontend bound"),
     .formula = "topdown_fetch_bubbles / topdown_total_slots",
     .source = STAT_SHADOW " (td_fe_bound)",
     .inputs = {"topdown_fetch_bubbles", "topdown_total_slots"}, .evaluate = ratio,
     .in_units = true},
    {TOPDOWN("bad_speculation", "Bad speculation"),
     .formula = "(topdown_slots_issued - topdown_slots_retired + topdown_recovery_bubbles) / "
                "topdown_total_slots",
     .source = STAT_SHADOW " (td_bad_spec)",
     .inputs = {"topdown_slots_issued", "topdown_slots_retired", "topdown_recovery_bubbles",
                "topdown_total_slots"},
     .evaluate = kernel_bad_speculation, .in_units = true},
    {TOPDOWN("retiring", "Retiring"), .formula = "topdown_slots_retired / topdown_total_slots",
     .source = STAT_SHADOW " (td_retiring)",
     .inputs = {"topdown_slots_retired", "topdown_total_slots"}, .evaluate = ratio,
     .in_units = true},
    {TOPDOWN("backend_bound", "Backend bound"), .formula = "1 - the other three",
     .source = STAT_SHADOW " (td_be_bound)",
     .inputs = {"topdown_fetch_bubbles", "topdown_slots_issued", "topdown_recovery_bubbles",
                "topdown_total_slots"},
     .evaluate = kernel_backend, .in_units = true},
    // The same by the vendor's events; slots are known where no two threads share a core.
    {TOPDOWN("frontend_bound", "Frontend bound"),
     .formula = "idq_uops_not_delivered_core / (slots * cpu_clk_unhalted_thread)",
     .source = SKYLAKE " (Frontend_Bound)",
     .inputs = {"idq_uops_not_delivered_core", "cpu_clk_unhalted_thread|cycles"},
     .evaluate = of_slots, .needs_slots = true},
    {TOPDOWN("bad_speculation", "Bad speculation"),
     .formula = "(uops_issued_any - uops_retired_retire_slots + slots * int_misc_recovery_cycles) "
                "/ (slots * cpu_clk_unhalted_thread)",
     .source = SKYLAKE " (Bad_Speculation)",
     .inputs = {"uops_issued_any", "uops_retired_retire_slots", "int_misc_recovery_cycles",
                "cpu_clk_unhalted_thread|cycles"},
     .evaluate = skylake_bad_speculation, .needs_slots = true},
    {TOPDOWN("retiring", "Retiring"),
     .formula = "uops_retired_retire_slots / (slots * cpu_clk_unhalted_thread)",
     .source = SKYLAKE " (Retiring)",
     .inputs = {"uops_retired_retire_slots", "cpu_clk_unhalted_thread|cycles"},
     .evaluate = of_slots, .needs_slots = true},
    {TOPDOWN("backend_bound", "Backend bound"), .formula = "1 - the other three",
     .source = SKYLAKE " (Backend_Bound)",
     .inputs = {"idq_uops_not_delivered_core", "uops_issued_any", "int_misc_recovery_cycles",
                "cpu_clk_unhalted_thread|cycles"},
     .evaluate = skylake_backend, .needs_slots = true},
    // AMD Zen 4 (6 slots) and Zen 5 (8).
    {TOPDOWN("frontend_bound", "Frontend bound"),
     AMD_SLOTS("de_no_dispatch_per_slot_no_ops_from_frontend")},
    {TOPDOWN("bad_speculation", "Bad speculation"),
     .formula = "(de_src_op_disp_all - ex_ret_ops) / (slots * ls_not_halted_cyc)",
     .source = AMD_ZEN, .inputs = {"de_src_op_disp_all", "ex_ret_ops", "ls_not_halted_cyc"},
     .evaluate = amd_bad_speculation, .needs_slots = true},
    {TOPDOWN("retiring", "Retiring"), AMD_SLOTS("ex_ret_ops")},
    {TOPDOWN("backend_bound", "Backend bound"),
     AMD_SLOTS("de_no_dispatch_per_slot_backend_stalls")},
    {TOPDOWN("smt_contention", "SMT contention"),
     AMD_SLOTS("de_no_dispatch_per_slot_smt_contention")},
    // Arm Neoverse N2 and V2. (stall' is stall, less cpu_cycles where there are 5 slots.)
    {TOPDOWN("frontend_bound", "Frontend bound"),
     .formula = "stall_slot_frontend' / (slots * cpu_cycles)", .source = NEOVERSE,
     .inputs = {"stall_slot_frontend", "cpu_cycles|cycles"}, .evaluate = arm_frontend,
     .needs_slots = true},
    {TOPDOWN("bad_speculation", "Bad speculation"),
     .formula = "(1 - op_retired / op_spec) * (1 - stall_slot' / (slots * cpu_cycles))",
     .source = NEOVERSE, .inputs = {"op_retired", "op_spec", "stall_slot", "cpu_cycles|cycles"},
     .evaluate = arm_bad_speculation, .needs_slots = true},
    {TOPDOWN("retiring", "Retiring"),
     .formula = "op_retired / op_spec * (1 - stall_slot' / (slots * cpu_cycles))",
     .source = NEOVERSE, .inputs = {"op_retired", "op_spec", "stall_slot", "cpu_cycles|cycles"},
     .evaluate = arm_retiring, .needs_slots = true},
    {TOPDOWN("backend_bound", "Backend bound"),
     .formula = "stall_slot_backend / (slots * cpu_cycles)", .source = NEOVERSE "; arm64/sbsa.json",
     .inputs = {"stall_slot_backend", "cpu_cycles|cycles"}, .evaluate = of_slots,
     .needs_slots = true},
};

const size_t n_metrics = sizeof(metrics) / sizeof(metrics[0]);
