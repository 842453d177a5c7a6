// SPDX-License-Identifier: Apache-2.0
// The core types of a hybrid processor. Each is a PMU of its own, and an event that the kernel
// names (cycles) counts one type only, that of its PMU's number in config[63:32] (linux:
// tools/perf/Documentation/intel-hybrid.txt). So:
//
// - On CPUs, such an event is opened for each CPU's own type. The whole is the sum, and each type
// has
//   a series beside it ("cpu_core/cycles/"), which is the part of its CPUs and costs nothing.
// - Of a task, which moves between the types, an event of each type is counted; they are scaled
//   differently and do not add up, so that the plain event has no value.
#pragma once

#include "collect/pmu.h"

#define CORE_TYPES_MAX 4 // big.LITTLE has three at most

struct core_type {
    char name[PMU_NAME_MAX]; // "cpu_core"
    uint32_t type;           // perf_event_attr.type of its PMU
    int *cpus;               // owned
    size_t n_cpus;
};

// None on a processor of one type.
struct core_types {
    struct core_type types[CORE_TYPES_MAX];
    size_t n;
};

// 0 or -ENOMEM. root: see base/file.h.
int core_types_read(const char *root, struct core_types *ret);
void core_types_done(struct core_types *c);

// Its PMU's number; 0: not hybrid, or not known.
uint32_t core_types_of_cpu(const struct core_types *c, int cpu);
bool core_type_has(const struct core_type *t, int cpu);

// Is it an event that every core type has, and not of one type already? (A raw code is of one:
// event_resolve.c makes an event of each type of it.)
bool core_types_event(const struct perf_event_attr *attr);
// Makes such an event that of one type.
void core_types_narrow(struct perf_event_attr *attr, uint32_t type);
// Its name: "cpu_core/cycles/u" for "cycles:u"; what follows a blank stays.
void core_types_name(const struct core_type *t, const char *name, char ret[EVENT_NAME_MAX]);
