/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What the synthetic PMU counts: for every event a rate that depends on the time alone, so that the
 * true count of any span is known to the unit. tests/pmu/truth.py computes the same numbers on the
 * host.
 */
#ifndef SYNTHETIC_RATES_H
#define SYNTHETIC_RATES_H

#include <linux/perf_event.h>

/* Builds the tables of a profile: "fixed", "varying" or "bursty". 0 or -errno. */
int rates_init(const char *profile);
void rates_done(void);

/* The rate's index of an event, or -ENOENT / -EINVAL as a real PMU's event_init would say. */
int rates_find(const struct perf_event_attr *attr, unsigned int hwmask);

/* How many events CPU cpu counted from CLOCK_MONOTONIC 0 until time ns. Never decreases with ns.
 * Any context. */
u64 rates_count(int index, int cpu, u64 ns);

/* Events in a millisecond at that time, never 0: for the timer of sampling. */
u64 rates_per_ms(int index, int cpu, u64 ns);

#endif
