// SPDX-License-Identifier: Apache-2.0
#include "model/metric.h"

#include <stdio.h>
#include <string.h>

#define MODIFIER_LETTERS       "ukhGHIpPSDeW" // perf's
#define MODIFIERS_MAX          16             // each once, and p three times
#define MODIFIERS_DISTINCT_MAX 8 // who counts one thing in more ways gets no more metrics

// PMUs whose events count instructions of a core: "cpu/…/" on x86, "armv8_pmuv3_0/…/" on arm64.
// Not those of hybrid CPUs, whose two core types must not be mixed.
static const char *const core_pmus[] = {"cpu/", "armv8_"};

// perf's other names of inputs, as column ids; the first three are also what x86's PMUs call theirs
// (cpu/cpu-cycles/). Source: linux: tools/perf/util/parse-events.c.
static const struct {
    const char *input, *alias;
} aliases[] = {
    {"cycles", "cpu_cycles"},  {"branches", "branch_instructions"}, {"context_switches", "cs"},
    {"page_faults", "faults"}, {"cpu_migrations", "migrations"},
};

// The column id of an event without its PMU: "cpu/topdown-retiring/u" is topdown_retiring_u,
// "skl::UOPS_ISSUED:ANY" is uops_issued_any.
static void plain_id(const struct event *e, char ret[EVENT_NAME_MAX])
{
    const char *slash = strchr(e->name, '/');
    const char *end = slash ? strrchr(e->name, '/') : NULL;
    const char *colons = strstr(e->name, "::");
    char name[EVENT_NAME_MAX];
    bool core = false;

    for (size_t i = 0; i < sizeof(core_pmus) / sizeof(core_pmus[0]); i++)
        core |= strncmp(e->name, core_pmus[i], strlen(core_pmus[i])) == 0;
    if (core && end > slash) {
        size_t length = (size_t)(end - slash - 1);
        const char *modifiers = end + 1 + (end[1] == ':');

        memcpy(name, slash + 1, length);
        if (*modifiers)
            name[length++] = '_';
        memcpy(name + length, modifiers, strlen(modifiers) + 1);
        event_column_id(name, ret);
    } else if (!slash && colons) {
        event_column_id(colons + 2, ret);
    } else {
        memcpy(ret, e->column, EVENT_NAME_MAX);
    }
}

static bool is_named(const char *id, const char *name, size_t length, const char *modifier)
{
    return strncmp(id, name, length) == 0 && strcmp(id + length, modifier) == 0;
}

static bool is_input(const struct event *e, const char *input, size_t length, const char *modifier)
{
    char id[EVENT_NAME_MAX];
    bool is;

    plain_id(e, id);
    is = is_named(id, input, length, modifier) || is_named(e->column, input, length, modifier);
    for (size_t i = 0; !is && i < sizeof(aliases) / sizeof(aliases[0]); i++)
        is = is_named(aliases[i].input, input, length, "") &&
             is_named(id, aliases[i].alias, strlen(aliases[i].alias), modifier);
    return is;
}

// The event of one input: of its alternatives the first that is available, else the first that is
// listed; -1: none is.
static int find_input(const struct event_table *events, const char *input, const char *modifier)
{
    int found = -1;

    for (const char *name = input; name; name = strchr(name, '|')) {
        size_t length;

        name += *name == '|';
        length = strcspn(name, "|");
        for (size_t i = 0; i < events->n; i++) {
            const struct event *e = &events->events[i];

            if (!is_input(e, name, length, modifier))
                continue;
            if (e->availability == QUALITY_EXACT)
                return (int)i;
            if (found < 0)
                found = (int)i;
        }
    }
    return found;
}

// True when every input is listed with this modifier; fills in the binding.
static bool bind(const struct event_table *events, const struct metric *m, const char *modifier,
                 struct metric_binding *ret)
{
    struct metric_binding b = {.metric = m, .availability = QUALITY_EXACT, .per_cpu = true};

    for (; b.n_inputs < METRIC_INPUTS_MAX && m->inputs[b.n_inputs]; b.n_inputs++) {
        int i = find_input(events, m->inputs[b.n_inputs], modifier);
        const struct event *e;

        if (i < 0)
            return false;
        e = &events->events[i];
        b.inputs[b.n_inputs] = i;
        b.split |= m->one_group && e->group != events->events[b.inputs[0]].group;
        b.per_cpu &= !e->total_only;
        b.availability = quality_worse(b.availability, e->availability);
    }
    b.slots = events->slots_per_cycle;
    *ret = b;
    return true;
}

static bool applies(const struct event_table *events, const struct metric *m)
{
    return (!m->tasks_only || events->tasks) && (!m->per_enabled || !events->no_times) &&
           (!m->needs_slots || events->slots_per_cycle > 0) &&
           event_table_find_column(events, m->id) < 0;
}

// Which place in `bound` a metric of this id has.
static size_t place_of(const char *id, const struct metric_binding *bound, size_t n)
{
    size_t i = 0;

    while (i < n && strcmp(bound[i].metric->id, id) != 0)
        i++;
    return i;
}

// The modifiers of an event's name as they end its column id: "cycles:uD" has "_ud"; "" without.
static void modifiers_of(const struct event *e, char ret[MODIFIERS_MAX])
{
    const char *colon = strrchr(e->name, ':'), *slash = strrchr(e->name, '/');
    const char *letters = slash > colon ? slash + 1 : colon ? colon + 1 : "";
    char id[EVENT_NAME_MAX];

    ret[0] = '\0';
    if (*letters && strlen(letters) < MODIFIERS_MAX - 1 &&
        strspn(letters, MODIFIER_LETTERS) == strlen(letters)) {
        event_column_id(letters, id);
        snprintf(ret, MODIFIERS_MAX, "_%.*s", MODIFIERS_MAX - 2, id);
    }
}

// Those that events have, each once; the first is none. Returns how many.
static size_t collect_modifiers(const struct event_table *events, char ret[][MODIFIERS_MAX])
{
    size_t n = 1;

    ret[0][0] = '\0';
    for (size_t i = 0; i < events->n && n < MODIFIERS_DISTINCT_MAX; i++) {
        size_t k = 0;

        modifiers_of(&events->events[i], ret[n]);
        while (k < n && strcmp(ret[k], ret[n]) != 0)
            k++;
        n += k == n;
    }
    return n;
}

size_t metric_bind(const struct event_table *events, struct metric_binding *ret)
{
    char modifiers[MODIFIERS_DISTINCT_MAX][MODIFIERS_MAX];
    size_t n = 0, n_modifiers = collect_modifiers(events, modifiers);

    for (size_t i = 0; i < n_metrics; i++) {
        if (!applies(events, &metrics[i]))
            continue;
        for (size_t k = 0; k < n_modifiers; k++) {
            size_t place = place_of(metrics[i].id, ret, n);
            struct metric_binding b;

            if (!bind(events, &metrics[i], modifiers[k], &b))
                continue;
            if (place < n && b.availability >= ret[place].availability)
                continue;
            ret[place] = b;
            n += place == n;
        }
    }
    return n;
}
