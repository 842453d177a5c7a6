// SPDX-License-Identifier: Apache-2.0
#include "collect/core_types.h"

#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_SHIFT 32 // PERF_PMU_TYPE_SHIFT, of newer headers

static int add(struct core_types *c, const struct pmu *pmu)
{
    struct core_type *t = &c->types[c->n];

    if (c->n == CORE_TYPES_MAX)
        return 0;
    *t = (struct core_type){.type = pmu->type, .n_cpus = pmu->n_cpus};
    memcpy(t->name, pmu->name, sizeof(t->name));
    t->cpus = calloc(pmu->n_cpus, sizeof(*t->cpus));
    if (!t->cpus)
        return -ENOMEM;
    memcpy(t->cpus, pmu->cpus, pmu->n_cpus * sizeof(*t->cpus));
    c->n++;
    return 0;
}

static int add_typed(void *context, const struct pmu *pmu)
{
    return pmu->typed ? add(context, pmu) : 0;
}

int core_types_read(const char *root, struct core_types *ret)
{
    struct core_types c = {0};
    int r = pmu_each(root, add_typed, &c);

    *ret = (struct core_types){0};
    if (r < 0 || c.n < 2) {
        core_types_done(&c);
        return r;
    }
    *ret = c;
    return 0;
}

void core_types_done(struct core_types *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->types[i].cpus);
    *c = (struct core_types){0};
}

bool core_type_has(const struct core_type *t, int cpu)
{
    for (size_t i = 0; i < t->n_cpus; i++)
        if (t->cpus[i] == cpu)
            return true;
    return false;
}

uint32_t core_types_of_cpu(const struct core_types *c, int cpu)
{
    for (size_t i = 0; i < c->n; i++)
        if (core_type_has(&c->types[i], cpu))
            return c->types[i].type;
    return 0;
}

bool core_types_event(const struct perf_event_attr *attr)
{
    return (attr->type == PERF_TYPE_HARDWARE || attr->type == PERF_TYPE_HW_CACHE) &&
           attr->config >> TYPE_SHIFT == 0;
}

void core_types_narrow(struct perf_event_attr *attr, uint32_t type)
{
    attr->config |= (uint64_t)type << TYPE_SHIFT;
}

void core_types_name(const struct core_type *t, const char *name, char ret[EVENT_NAME_MAX])
{
    size_t length = strcspn(name, ": ");
    const char *rest = name + length + (name[length] == ':');

    snprintf(ret, EVENT_NAME_MAX, "%s/%.*s/%s", t->name, (int)length, name, rest);
}
