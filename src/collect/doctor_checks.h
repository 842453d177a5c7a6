// SPDX-License-Identifier: Apache-2.0
// The checks themselves, and what they share. Each fills status, found, cost and remedy of a
// finding that is "pass" and empty, and touches nothing else.
#pragma once

#include "collect/doctor.h"

#define DOCTOR_MOUNT_MAX 256

typedef void doctor_check_function(const char *root, const struct doctor_look *look,
                                   struct finding *f);

// doctor_access.c: what this process may open, and whether it counts.
doctor_check_function doctor_hardware, doctor_software, doctor_permission, doctor_container,
    doctor_hypervisor, doctor_priority;
// doctor_system.c: how the machine is set up.
doctor_check_function doctor_kernel, doctor_watchdog, doctor_hybrid, doctor_clock, doctor_symbols;
// doctor_limits.c: what there is room for.
doctor_check_function doctor_descriptors, doctor_memory, doctor_cgroup;

void doctor_found(struct finding *f, enum finding_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void doctor_cost(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void doctor_remedy(struct finding *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Was this -errno a refusal (and not: there is no such event)?
bool doctor_denied(int error);
// May this process open everything, by its capabilities?
bool doctor_privileged(const struct doctor_look *look);
// Does the processor have a PMU, by the kernel's list of them? (Also where we may not open it.)
bool doctor_pmu_listed(const char *root);
// The types (perf_event_attr.type) of a hybrid processor's PMUs: 0 on others, at most 2.
size_t doctor_hybrid_types(const char *root, uint64_t ret[2]);
// Where the cgroup2 file system is mounted; false: nowhere.
bool doctor_cgroup_mount(const char *root, char ret[DOCTOR_MOUNT_MAX]);
