// SPDX-License-Identifier: Apache-2.0
// The stream's CPU_MAP: which CPUs there are, and which one a STAT means.
#pragma once

#include "stream/cursor.h"

#define STREAM_CPUS_MAX 16384 // twice the largest NR_CPUS of any kernel; CPU numbers are below it

struct cpu_map {
    int cpus[STREAM_CPUS_MAX]; // numbers, each once, in the map's order
    size_t n;
    uint64_t listed[STREAM_CPUS_MAX / 64]; // bit: the CPU is in cpus
    bool there;                            // the stream has a map
    bool any;                              // {-1} is in it: wherever the task runs
    bool by_place; // STAT.cpu is a place in the map (perf before 5.18), not a number
};

// Takes the body of a CPU_MAP. 0; 1 when it is malformed or the second one; -E2BIG.
int cpu_map_take(struct cpu_map *m, struct cursor body);
// The CPU number of a STAT.cpu. False when the map has no such CPU.
bool cpu_map_find(struct cpu_map *m, uint32_t cpu, int *ret_cpu);
