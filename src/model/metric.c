// SPDX-License-Identifier: Apache-2.0
#include "model/metric.h"

#include <math.h>

#define STAT_SHADOW "linux: tools/perf/util/stat-shadow.c"

static double ratio(const double *in, double seconds)
{
    (void)seconds;
    return in[1] > 0 ? in[0] / in[1] : NAN;
}

static double per_second(const double *in, double seconds)
{
    return seconds > 0 ? in[0] / seconds : NAN;
}

// in: user, system, irq, steal, iowait, idle
static double cpu_use(const double *in, double seconds)
{
    double busy = in[0] + in[1] + in[2] + in[3];
    double all = busy + in[4] + in[5];

    (void)seconds;
    return all > 0 ? busy / all : NAN;
}

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
    {
        .id = "cache_miss_rate",
        .name = "Cache-miss rate",
        .unit = "share",
        .formula = "cache_misses / cache_references",
        .source = STAT_SHADOW " (of all cache refs)",
        .inputs = {"cache_misses", "cache_references"},
        .evaluate = ratio,
        .one_group = true,
    },
    {
        .id = "branch_miss_rate",
        .name = "Branch-miss rate",
        .unit = "share",
        .formula = "branch_misses / branches",
        .source = STAT_SHADOW " (of all branches)",
        .inputs = {"branch_misses", "branches"},
        .evaluate = ratio,
        .one_group = true,
    },
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
#define PER_SECOND(column, title)                                                                  \
    {                                                                                              \
        .id = column "_per_second", .name = title, .unit = "per second",                           \
        .formula = column " / measured seconds", .source = STAT_SHADOW " (per second)",            \
        .inputs = {column}, .evaluate = per_second,                                                \
    }
    PER_SECOND("context_switches", "Context switches"),
    PER_SECOND("cpu_migrations", "CPU migrations"),
    PER_SECOND("minor_faults", "Minor faults"),
    PER_SECOND("major_faults", "Major faults"),
};

const size_t n_metrics = sizeof(metrics) / sizeof(metrics[0]);

// True when every input is listed; fills in the binding.
static bool bind(const struct event_table *events, const struct metric *m,
                 struct metric_binding *ret)
{
    struct metric_binding b = {.metric = m, .availability = QUALITY_EXACT};
    int group = 0;

    for (; b.n_inputs < METRIC_INPUTS_MAX && m->inputs[b.n_inputs]; b.n_inputs++) {
        int i = event_table_find_column(events, m->inputs[b.n_inputs]);

        if (i < 0)
            return false;
        if (b.n_inputs == 0)
            group = i;
        if (m->one_group && events->events[i].group != events->events[group].group)
            b.split = true;
        b.inputs[b.n_inputs] = i;
        b.availability = quality_worse(b.availability, events->events[i].availability);
    }
    *ret = b;
    return true;
}

size_t metric_bind(const struct event_table *events, struct metric_binding *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < n_metrics; i++)
        if (bind(events, &metrics[i], &ret[n]))
            n++;
    return n;
}
