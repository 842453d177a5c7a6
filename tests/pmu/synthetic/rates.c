// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Time is cut into cells of one millisecond, a rate is constant within a cell, and the cells repeat
 * after PERIOD. With the sums of the cells kept, the integral up to any nanosecond is one look-up
 * and one multiplication, exact in integers:
 *
 *     count(t) = (t / PERIOD) · sum[PERIOD] + sum[cell] + rate[cell] · (t in the cell) / 1 ms
 *
 * and CPU n counts count(t) · (8 + gain · n) / 8, with a gain for each event, so that values and
 * ratios differ between CPUs and a mix-up shows.
 *
 * Profiles: "fixed" has constant rates. "varying" lets activity, IPC and miss ratios each rise and
 * fall as triangles over four seconds, with phases of their own: two neighbouring 100 ms intervals
 * differ by several percent, and yet the slope is small enough that groups which take turns every 4
 * ms see nearly the same. "bursty" puts most activity into 4 ms of every 17 ms: groups that take
 * turns see quite different counts, while the ratios still move slowly (eight seconds), so that a
 * ratio within a group is right and one over two groups is not.
 */
#include "rates.h"

#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/string.h>

#define CELLS   8000 /* of 1 ms: one whole number of every triangle below */
#define CELL_NS 1000000u

enum { FIXED, VARYING, BURSTY };

/* Rates that need a table: the ten of PERF_TYPE_HARDWARE. All others are constant (below). */
static u32 (*cell_rate)[CELLS];    /* events per ms */
static u64 (*cell_sum)[CELLS + 1]; /* events in the cells before this one */

/* Eighths that CPU 1 counts more than CPU 0, CPU 2 more than CPU 1, … */
static const u8 gain[PERF_COUNT_HW_MAX] = {2, 1, 3, 4, 1, 2, 0, 1, 1, 0};

/*
 * Indices from here on are constant rates: CONSTANT + events per microsecond, the same on every
 * CPU.
 */
#define CONSTANT 16

/* 0 … 1000 … 0 over length cells. */
static u32 triangle(u32 cell, u32 length, u32 phase)
{
    u32 at = (cell + phase) % length, half = length / 2;

    return (at < half ? at : length - at) * 1000 / half;
}

static u32 between(u32 low, u32 high, u32 permille)
{
    return low + (high - low) * permille / 1000;
}

/* Events per ms of every hardware event in one cell. */
static void fill_cell(int profile, u32 cell, u32 rate[PERF_COUNT_HW_MAX])
{
    u32 length = profile == BURSTY ? 8000 : 4000;
    u32 activity = 1000, ipc = 1500, cache = 100, branch = 50; /* permille */

    if (profile == VARYING)
        activity = between(400, 1000, triangle(cell, length, 700));
    if (profile == BURSTY)
        activity = cell % 17 < 4 ? 1000 : 50;
    if (profile != FIXED) {
        ipc = between(500, 2000, triangle(cell, length, 0));
        cache = between(50, 400, triangle(cell, length, length * 2 / 5));
        branch = between(10, 80, triangle(cell, length, length / 4));
    }
    rate[PERF_COUNT_HW_CPU_CYCLES] = 2000 * activity;
    rate[PERF_COUNT_HW_INSTRUCTIONS] = 2 * ipc * activity;
    rate[PERF_COUNT_HW_CACHE_REFERENCES] = 100 * activity;
    rate[PERF_COUNT_HW_CACHE_MISSES] = cache * activity / 10;
    rate[PERF_COUNT_HW_BRANCH_INSTRUCTIONS] = 500 * activity;
    rate[PERF_COUNT_HW_BRANCH_MISSES] = branch * activity / 2;
    rate[PERF_COUNT_HW_BUS_CYCLES] = 100000;
    rate[PERF_COUNT_HW_STALLED_CYCLES_FRONTEND] = 400 * activity;
    rate[PERF_COUNT_HW_STALLED_CYCLES_BACKEND] = 600 * activity;
    rate[PERF_COUNT_HW_REF_CPU_CYCLES] = 1000000;
}

int rates_init(const char *profile)
{
    static const char *const names[] = {"fixed", "varying", "bursty"};
    int which = match_string(names, ARRAY_SIZE(names), profile);
    u32 cell, rate[PERF_COUNT_HW_MAX];
    int i;

    if (which < 0)
        return which;
    cell_rate = kvcalloc(PERF_COUNT_HW_MAX, sizeof(*cell_rate), GFP_KERNEL);
    cell_sum = kvcalloc(PERF_COUNT_HW_MAX, sizeof(*cell_sum), GFP_KERNEL);
    if (!cell_rate || !cell_sum) {
        rates_done();
        return -ENOMEM;
    }
    for (cell = 0; cell < CELLS; cell++) {
        fill_cell(which, cell, rate);
        for (i = 0; i < PERF_COUNT_HW_MAX; i++) {
            cell_rate[i][cell] = rate[i];
            cell_sum[i][cell + 1] = cell_sum[i][cell] + rate[i];
        }
    }
    return 0;
}

void rates_done(void)
{
    kvfree(cell_rate);
    kvfree(cell_sum);
}

/* PERF_TYPE_HW_CACHE: events per µs of each cache, reads; writes are a third. 0 where there is no
 * such event. */
static u32 cache_rate(u64 config)
{
    static const u16 accesses[] = {900, 300, 100, 900, 300, 500}; /* L1D L1I LL DTLB ITLB BPU */
    static const u16 misses[] = {45, 6, 10, 9, 3, 25};
    u32 cache = config & 0xff, op = config >> 8 & 0xff, result = config >> 16 & 0xff;
    bool has_writes = cache == PERF_COUNT_HW_CACHE_L1D || cache == PERF_COUNT_HW_CACHE_LL ||
                      cache == PERF_COUNT_HW_CACHE_DTLB;

    if (cache >= ARRAY_SIZE(accesses) || op > PERF_COUNT_HW_CACHE_OP_WRITE || result > 1)
        return 0;
    if (op == PERF_COUNT_HW_CACHE_OP_WRITE && !has_writes)
        return 0;
    return (result ? misses[cache] : accesses[cache]) / (op ? 3 : 1);
}

/* Raw codes that are one of the hardware events; sysfs names them (pmu.c). */
static int raw_alias(u64 config)
{
    switch (config) {
    case 0x003c:
        return PERF_COUNT_HW_CPU_CYCLES;
    case 0x00c0:
        return PERF_COUNT_HW_INSTRUCTIONS;
    case 0x4f2e:
        return PERF_COUNT_HW_CACHE_REFERENCES;
    case 0x412e:
        return PERF_COUNT_HW_CACHE_MISSES;
    case 0x00c4:
        return PERF_COUNT_HW_BRANCH_INSTRUCTIONS;
    case 0x00c5:
        return PERF_COUNT_HW_BRANCH_MISSES;
    }
    return -1;
}

int rates_find(const struct perf_event_attr *attr, unsigned int hwmask)
{
    u64 config = attr->config;
    u32 per_us;
    int alias;

    switch (attr->type) {
    case PERF_TYPE_HARDWARE:
        return config < PERF_COUNT_HW_MAX && (hwmask >> config & 1) ? (int)config : -ENOENT;
    case PERF_TYPE_HW_CACHE:
        per_us = cache_rate(config);
        return per_us ? CONSTANT + per_us : -ENOENT;
    default: /* raw: event N with umask M counts 10·N·(M + 1) a microsecond */
        alias = raw_alias(config);
        if (alias >= 0)
            return alias;
        per_us = (config & 0xff) * 10 * ((config >> 8 & 0xff) + 1);
        return per_us && config <= 0xffff ? CONSTANT + per_us : -EINVAL;
    }
}

u64 rates_count(int index, int cpu, u64 ns)
{
    u32 in_cell;
    u64 cell = div_u64_rem(ns, CELL_NS, &in_cell), periods, count;
    u32 at;

    if (index >= CONSTANT)
        return div_u64(ns, 1000) * (index - CONSTANT);
    periods = div_u64_rem(cell, CELLS, &at);
    count = periods * cell_sum[index][CELLS] + cell_sum[index][at] +
            div_u64((u64)cell_rate[index][at] * in_cell, CELL_NS);
    return count * (8 + gain[index] * cpu) / 8;
}

u64 rates_per_ms(int index, int cpu, u64 ns)
{
    u32 at;

    if (index >= CONSTANT)
        return (index - CONSTANT) * 1000ull;
    div_u64_rem(div_u64(ns, CELL_NS), CELLS, &at);
    return max(1ull, cell_rate[index][at] * (8ull + gain[index] * cpu) / 8);
}
