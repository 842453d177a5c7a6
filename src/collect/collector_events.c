// SPDX-License-Identifier: Apache-2.0
#include "collect/collector_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// With several cgroups each has its own copy of the event, named after it.
static void name_event(struct event *e, const char *name, const struct target *t, size_t cgroup)
{
    if (t->n_cgroups > 1)
        snprintf(e->name, sizeof(e->name), "%.*s %.*s", EVENT_NAME_MAX / 2 - 1, name,
                 EVENT_NAME_MAX / 2 - 1, t->cgroups[cgroup].path);
    else
        snprintf(e->name, sizeof(e->name), "%s", name);
}

// One more event that is counted. `name`: without the cgroup's.
static int add(struct collector *c, const struct event_request *request, const char *name,
               const struct perf_event_attr *attr, size_t cgroup, int group, struct event *e)
{
    int r;

    e->id = c->events.n + 1;
    e->type = attr->type;
    e->config = attr->config;
    e->kind = EVENT_COUNT;
    e->scale = request->scale;
    e->group = group;
    snprintf(e->unit, sizeof(e->unit), "%s", request->unit);
    if (e->type == PERF_TYPE_SOFTWARE &&
        (e->config == PERF_COUNT_SW_TASK_CLOCK || e->config == PERF_COUNT_SW_CPU_CLOCK))
        snprintf(e->unit, sizeof(e->unit), "ns");
    name_event(e, name, &c->target, cgroup);
    c->attrs[c->events.n] = *attr;
    r = event_table_add(&c->events, e);
    return r < 0 ? r : 0;
}

// A task moves between the core types, and counts of two of them, each scaled, do not add up.
static int add_of_each_type(struct collector *c, const struct event_request *request, int group)
{
    const struct core_types *cores = &c->target.cores;
    struct event whole = {.availability = QUALITY_NOT_SUPPORTED};
    char name[EVENT_NAME_MAX];
    int r;

    core_types_name(&cores->types[0], request->name, name);
    snprintf(whole.why, sizeof(whole.why),
             "%.60s: a process's counts of two core types do not add up: each type has a column of "
             "its own, %.60s and so on",
             request->name, name);
    r = add(c, request, request->name, &request->attr, 0, group, &whole);
    for (size_t i = 0; i < cores->n && r == 0; i++) {
        struct perf_event_attr attr = request->attr;
        struct event e = {0};

        core_types_narrow(&attr, cores->types[i].type);
        core_types_name(&cores->types[i], request->name, name);
        r = add(c, request, name, &attr, 0, group, &e);
    }
    return r;
}

int collector_describe(struct collector *c, const struct event_list *list,
                       struct event_cpus **ret_cpus)
{
    size_t copies = c->target.n_cgroups ? c->target.n_cgroups : 1;
    size_t room = list->n * copies * (1 + c->target.cores.n);
    bool tasks = target_is_tasks(&c->target);
    struct event_cpus *cpus = calloc(room + 1, sizeof(*cpus));
    int r = 0;

    c->events.n_groups = list->n_groups * (int)copies;
    c->attrs = calloc(room + 1, sizeof(*c->attrs));
    *ret_cpus = cpus;
    if (!c->attrs || !cpus)
        return -ENOMEM;
    for (size_t i = 0; i < list->n * copies && r == 0; i++) {
        const struct event_request *request = &list->requests[i % list->n];
        int group = request->group + list->n_groups * (int)(i / list->n);
        struct event e = {0};

        cpus[c->events.n] = (struct event_cpus){request->cpus, request->n_cpus};
        if (tasks && c->target.cores.n && core_types_event(&request->attr))
            r = add_of_each_type(c, request, group);
        else
            r = add(c, request, request->name, &request->attr, i / list->n, group, &e);
    }
    return r;
}

int collector_restrict(struct collector *c, const struct event_cpus *cpus)
{
    for (size_t i = 0; i < c->groups.n; i++) {
        struct group *g = &c->groups.groups[i];
        struct event_cpus at = {0};

        // All members are of one such PMU, or of none: the kernel refuses others.
        for (size_t m = 0; m < g->n && !at.cpus; m++)
            at = cpus[g->events[m]];
        if (!at.cpus)
            continue;
        g->cpus = calloc(at.n + 1, sizeof(*g->cpus));
        if (!g->cpus)
            return -ENOMEM;
        memcpy(g->cpus, at.cpus, at.n * sizeof(*g->cpus));
        g->n_cpus = at.n;
    }
    return 0;
}

// One that opened only alone may stand between the members of a group before.
int collector_order(struct collector *c, struct event_cpus *cpus)
{
    size_t n = c->events.n, next = 0;
    struct event *events = calloc(n, sizeof(*events));
    struct perf_event_attr *sorted = calloc(n, sizeof(*sorted));
    struct event_cpus *moved = calloc(n, sizeof(*moved));
    size_t *place = calloc(n, sizeof(*place)); // old index → new

    if (!events || !sorted || !moved || !place) {
        free(events);
        free(sorted);
        free(moved);
        free(place);
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        int group = c->events.events[i].group;

        // The first event of each group brings the others along; an id of 0 marks what was taken.
        for (size_t k = i; k < n; k++)
            if (c->events.events[k].id && c->events.events[k].group == group) {
                place[k] = next;
                sorted[next] = c->attrs[k];
                moved[next] = cpus[k];
                events[next++] = c->events.events[k];
                c->events.events[k].id = 0;
            }
    }
    for (size_t i = 0; i < n; i++)
        events[i].id = i + 1;
    for (size_t g = 0; g < c->groups.n; g++)
        for (size_t m = 0; m < c->groups.groups[g].n; m++)
            c->groups.groups[g].events[m] = place[c->groups.groups[g].events[m]];
    memcpy(cpus, moved, n * sizeof(*cpus));
    free(c->events.events);
    free(c->attrs);
    free(moved);
    free(place);
    c->events.events = events;
    c->attrs = sorted;
    return 0;
}

// The part of event `of` that is of this type, in the group of the other parts of its group.
static int add_part(struct collector *c, size_t of, const struct core_type *type, int group)
{
    struct event e = c->events.events[of];
    struct perf_event_attr attr = c->attrs[of];
    int r;

    core_types_narrow(&attr, type->type);
    core_types_name(type, c->events.events[of].name, e.name);
    e.column[0] = '\0';
    e.id = c->events.n + 1;
    e.config = attr.config;
    e.group = group;
    r = event_table_add(&c->events, &e);
    if (r < 0)
        return r;
    c->parts[c->n_parts++] = (struct collector_part){.event = (size_t)r, .of = of, .type = type};
    return 0;
}

int collector_describe_parts(struct collector *c)
{
    const struct core_types *cores = &c->target.cores;
    int r = 0;

    if (!cores->n || target_is_tasks(&c->target))
        return 0;
    c->parts = calloc(c->events.n * cores->n + 1, sizeof(*c->parts));
    if (!c->parts)
        return -ENOMEM;
    for (size_t g = 0; g < c->groups.n && r == 0; g++)
        for (size_t t = 0; t < cores->n && r == 0; t++) {
            const struct group *whole = &c->groups.groups[g];
            int group = c->events.n_groups;

            for (size_t m = 0; m < whole->n && r == 0; m++)
                if (core_types_event(&c->attrs[whole->events[m]]))
                    r = add_part(c, whole->events[m], &cores->types[t], group);
        }
    return r;
}
