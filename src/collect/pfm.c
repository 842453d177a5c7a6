// SPDX-License-Identifier: Apache-2.0
#include "collect/pfm.h"

#include "base/library.h"

// Not pfmlib_perf_event.h: it brings a perf_event_attr of its own, older than the kernel's.
#include <perfmon/pfmlib.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Its tables of all processors take a third of the program's start to load, and most runs need no
// name of them: it is loaded with the first one that nobody else knows.
#define FUNCTIONS(X)                                                                               \
    X(pfm_, initialize)                                                                            \
    X(pfm_, strerror)                                                                              \
    X(pfm_, get_os_event_encoding)                                                                 \
    X(pfm_, get_event_info)                                                                        \
    X(pfm_, get_event_attr_info)                                                                   \
    X(pfm_, get_event_next)                                                                        \
    X(pfm_, get_pmu_info)

static struct {
    FUNCTIONS(LIBRARY_POINTER)
} pfm;

#define EVERYWHERE (PFM_PLM0 | PFM_PLM3 | PFM_PLMH) // kernel, user, hypervisor

// pfm_perf_encode_arg_t
struct encode_argument {
    struct perf_event_attr *attr;
    char **string;
    size_t size;
    int index, cpu, flags, padding;
};

static bool is_kernels_own(pfm_pmu_t pmu)
{
    return pmu == PFM_PMU_PERF_EVENT || pmu == PFM_PMU_PERF_EVENT_RAW;
}

static bool started(void)
{
    static const char *const names[] = {FUNCTIONS(LIBRARY_NAME)};
    static enum { UNKNOWN, YES, NO } state;

    // A second call of pfm_initialize() would look at the processor anew.
    if (state == UNKNOWN)
        state = library_load("libpfm.so.4", names, sizeof(names) / sizeof(names[0]), &pfm) == 0 &&
                        pfm.initialize() == PFM_SUCCESS
                    ? YES
                    : NO;
    return state == YES;
}

int pfm_encode(const char *name, struct event_request *r, char *ret_message)
{
    struct perf_event_attr attr = {0};
    struct encode_argument argument = {.attr = &attr, .size = sizeof(argument)};
    pfm_event_info_t info = {.size = sizeof(info)};
    int error;

    if (!started())
        return -ENOENT;
    error = pfm.get_os_event_encoding(name, EVERYWHERE, PFM_OS_PERF_EVENT_EXT, &argument);
    if (error == PFM_ERR_ATTR || error == PFM_ERR_UMASK || error == PFM_ERR_ATTR_VAL ||
        error == PFM_ERR_ATTR_SET || error == PFM_ERR_FEATCOMB) {
        snprintf(ret_message, EVENT_REASON_MAX, "'%.120s': libpfm4: %s", name, pfm.strerror(error));
        return -EINVAL;
    }
    if (error != PFM_SUCCESS ||
        pfm.get_event_info(argument.index, PFM_OS_PERF_EVENT_EXT, &info) != PFM_SUCCESS ||
        (is_kernels_own(info.pmu) && !strstr(name, "::")))
        return -ENOENT;
    if (argument.cpu >= 0) {
        r->cpus = calloc(1, sizeof(*r->cpus));
        if (!r->cpus)
            return -ENOMEM;
        r->cpus[0] = argument.cpu;
        r->n_cpus = 1;
    }
    r->attr = attr;
    // What a sampling tool would do with it.
    r->attr.sample_period = 0;
    r->attr.freq = 0;
    return 0;
}

static int each_of_event(const pfm_pmu_info_t *pmu, int index, pfm_function f, void *context)
{
    // Of the processor's own PMU, an event's name alone is enough.
    const char *prefix = pmu->type == PFM_PMU_TYPE_CORE ? "" : pmu->name;
    const char *colons = *prefix ? "::" : "";
    pfm_event_info_t event = {.size = sizeof(event)};
    char name[EVENT_NAME_MAX];
    bool has_masks = false;
    int r = 0;

    if (pfm.get_event_info(index, PFM_OS_PERF_EVENT_EXT, &event) != PFM_SUCCESS)
        return 0;
    for (int i = 0; i < event.nattrs && r == 0; i++) {
        pfm_event_attr_info_t mask = {.size = sizeof(mask)};

        if (pfm.get_event_attr_info(index, i, PFM_OS_PERF_EVENT_EXT, &mask) != PFM_SUCCESS ||
            mask.type != PFM_ATTR_UMASK)
            continue;
        has_masks = true;
        if (snprintf(name, sizeof(name), "%s%s%s:%s", prefix, colons, event.name, mask.name) <
            (int)sizeof(name))
            r = f(context, pmu->name, name, mask.desc ? mask.desc : "");
    }
    if (!has_masks && r == 0 &&
        snprintf(name, sizeof(name), "%s%s%s", prefix, colons, event.name) < (int)sizeof(name))
        r = f(context, pmu->name, name, event.desc ? event.desc : "");
    return r;
}

int pfm_each(pfm_function f, void *context)
{
    pfm_pmu_t pmu;
    int r = 0;

    if (!started())
        return 0;
    pfm_for_all_pmus(pmu)
    {
        pfm_pmu_info_t info = {.size = sizeof(info)};

        if (is_kernels_own(pmu) || pfm.get_pmu_info(pmu, &info) != PFM_SUCCESS || !info.is_present)
            continue;
        for (int i = info.first_event; i >= 0 && r == 0; i = pfm.get_event_next(i))
            r = each_of_event(&info, i, f, context);
        if (r != 0)
            break;
    }
    return r;
}
