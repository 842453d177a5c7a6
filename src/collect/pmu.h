// SPDX-License-Identifier: Apache-2.0
// A PMU as /sys/bus/event_source/devices describes it (linux:
// Documentation/ABI/testing/sysfs-bus-event_source-devices-*), and events of it by their terms.
// Everything in those files is checked before it is believed.
#pragma once

#include "collect/event_request.h"

#define PMU_DEVICES  "/sys/bus/event_source/devices"
#define PMU_NAME_MAX 64

struct pmu {
    const char *root; // the caller's
    char name[PMU_NAME_MAX];
    uint32_t type; // perf_event_attr.type
    bool core;     // counts what the generic hardware events stand for: "cpu", or one core type
    bool typed;    // a core type among others: its type goes into the generic events' config
    int *cpus;     // the CPUs to open on, NULL: any; owned
    size_t n_cpus;
};

// May it be a name of a PMU, an event or a format: one file name, nothing that leaves its folder?
bool pmu_name_valid(const char *name);

// 0, -ENOENT when there is no such PMU, or what reading it gave.
int pmu_open(const char *root, const char *name, struct pmu *ret);
// Calls it with each PMU of this machine that can be opened, until one call gives other than 0:
// that is the result. 0 where /sys names none; -ENOMEM.
int pmu_each(const char *root, int (*each)(void *context, const struct pmu *pmu), void *context);
void pmu_done(struct pmu *pmu);

bool pmu_has_event(const struct pmu *pmu, const char *event);
// The terms of a named event ("event=0x3c,umask=0x0"), its unit and scale (into r), if it has such.
// 0, -ENOENT, -EINVAL when the files make no sense, or -EDOM when it is no count but a level.
int pmu_event(const struct pmu *pmu, const char *event, char *ret_terms, size_t size,
              struct event_request *r);
// Puts `value` into the bits that the format file of `format` names. 0, -ENOENT when there is no
// such format, -EINVAL when its file makes no sense, -ERANGE when the value has more bits.
int pmu_set_format(const struct pmu *pmu, const char *format, uint64_t value,
                   struct perf_event_attr *attr);
// The names of its formats with `between` between them.
void pmu_formats(const struct pmu *pmu, const char *between, char *ret, size_t size);
// The names of its events, as file_names() gives them, without the files of units and scales.
int pmu_events(const struct pmu *pmu, char ***ret_names, size_t *ret_n);
