// SPDX-License-Identifier: Apache-2.0
#include "collect/regroup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 200 // of the events in one sentence; more are left out

// Groups whose events are named in one sentence.
struct names {
    char text[NAMES_MAX];
    bool cut;
};

// What a step has to tell.
struct told {
    struct names parted, smaller, joined;
    int error; // why some could not be parted
    struct names refused;
};

int regroup_init(struct regroup *r, const struct group_set *set, const struct readings *readings)
{
    int error = starve_init(&r->starve, readings, set->n);

    r->n_groups = set->n;
    r->apart = calloc(set->n + 1, sizeof(*r->apart));
    r->told = calloc(readings->events->n + 1, sizeof(*r->told));
    if (error == 0 && r->apart && r->told)
        return 0;
    regroup_done(r);
    return -ENOMEM;
}

void regroup_done(struct regroup *r)
{
    starve_done(&r->starve);
    for (size_t g = 0; r->apart && g < r->n_groups; g++)
        apart_done(&r->apart[g]);
    free(r->apart);
    free(r->told);
    *r = (struct regroup){0};
}

static void name_event(struct names *n, const char *name)
{
    size_t used = strlen(n->text), length = strlen(name) + 2;

    if (n->cut || used + length + sizeof(", …") > sizeof(n->text)) {
        if (!n->cut)
            snprintf(n->text + used, sizeof(n->text) - used, ", …");
        n->cut = true;
        return;
    }
    snprintf(n->text + used, sizeof(n->text) - used, "%s%s", used ? ", " : "", name);
}

static void name_group(struct names *n, const struct event_table *events, const struct group *g)
{
    for (size_t m = 0; m < g->n; m++)
        name_event(n, events->events[g->events[m]].name);
}

// Does it have to be parted, or parted further?
static bool starves(const struct starve *s, const struct apart *a, const struct group *whole)
{
    bool starved = false;

    if (a->state == APART_NOT)
        for (size_t m = 0; m < whole->n && whole->n > 1; m++)
            starved |= s->starved[whole->events[m]];
    for (size_t i = 0; a->state == APART_COUNTED && !a->singles && i < a->n_parts; i++)
        for (size_t m = 0; m < a->parts[i].n && a->parts[i].n > 1; m++)
            starved |= s->starved[a->parts[i].events[m]];
    // A pinned group has its counters always or never, as its user wanted it.
    return starved && !a->rest && !whole->pinned;
}

static void forgive(struct starve *s, const struct group *g)
{
    for (size_t m = 0; m < g->n; m++)
        starve_forgive(s, g->events[m]);
}

// What came of a step. A failure is told of once; one that is tried again is no news before it is
// known whether its parts open this time.
static void name_step(struct told *told, int error, bool smaller, bool again,
                      const struct event_table *events, const struct group *whole)
{
    if (again)
        return;
    if (error < 0)
        told->error = error;
    name_group(error < 0 ? &told->refused
               : smaller ? &told->smaller
                         : &told->parted,
               events, whole);
}

static void look_at(struct regroup *r, size_t index, const struct group *whole,
                    const struct event_table *events, const struct perf_event_attr *attrs,
                    const struct target *target, struct told *told)
{
    struct apart *a = &r->apart[index];
    bool smaller = a->state == APART_COUNTED, again = a->refused;
    int error;

    if (apart_look(a, whole)) {
        name_group(&told->joined, events, whole);
        forgive(&r->starve, whole);
    } else if (starves(&r->starve, a, whole)) {
        error = apart_begin(a, whole, events, attrs, target);
        name_step(told, error, smaller, again, events, whole);
    }
}

// Appends to a sentence what there is of one kind.
__attribute__((format(printf, 3, 4))) static void say(char *text, const struct names *names,
                                                      const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;

    if (!names->text[0])
        return;
    used += (size_t)snprintf(text + used, REGROUP_TEXT_MAX - used, "%s%s: ", used ? "; " : "",
                             names->text);
    if (used >= REGROUP_TEXT_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(text + used, REGROUP_TEXT_MAX - used, format, arguments);
    va_end(arguments);
}

static void tell(const struct told *t, char *ret_text)
{
    say(ret_text, &t->parted,
        "too few counters have been free for %d s (another profiler or the NMI watchdog holds "
        "them); these are now counted in parts that take turns, and put together again when there "
        "is room; a ratio has a value only where its sides are counted together",
        (int)(STARVE_AFTER / NS_PER_SEC));
    say(ret_text, &t->smaller, "each is now counted by itself, because not two counters are free");
    say(ret_text, &t->joined, "counted together again");
    say(ret_text, &t->refused, "cannot be counted in parts (%s)", strerror(-t->error));
}

// Events that starve, and for which nothing can be done.
static bool list_starving(struct regroup *r, const struct group_set *set,
                          const struct event_table *events, char *ret_text)
{
    struct names names = {0};
    bool changed = false;

    for (size_t g = 0; g < r->n_groups; g++)
        for (size_t m = 0; m < set->groups[g].n; m++) {
            size_t e = set->groups[g].events[m];
            bool starved = r->starve.starved[e];

            // It will be known soon.
            if (r->apart[g].state == APART_OPENING || r->apart[g].state == APART_JOINING)
                starved = r->told[e];
            changed |= starved != r->told[e];
            r->told[e] = starved;
            if (starved)
                name_event(&names, events->events[e].name);
        }
    if (!changed)
        return false;
    if (!names.text[0])
        snprintf(ret_text, REGROUP_TEXT_MAX, "all events have counters again");
    say(ret_text, &names,
        "no counter has been free for %d s (another profiler or the NMI watchdog holds them); they "
        "have no values until one is",
        (int)(STARVE_AFTER / NS_PER_SEC));
    return true;
}

static bool look(struct regroup *r, struct group_set *set, const struct event_table *events,
                 const struct perf_event_attr *attrs, const struct target *target, char *ret_text)
{
    struct told told = {0};

    for (size_t g = 0; g < r->n_groups; g++)
        look_at(r, g, &set->groups[g], events, attrs, target, &told);
    tell(&told, ret_text);
    // What was just parted may get counters now: not told of until it is known.
    return ret_text[0] || list_starving(r, set, events, ret_text);
}

bool regroup_step(struct regroup *r, struct group_set *set, const struct event_table *events,
                  const struct perf_event_attr *attrs, const struct target *target,
                  struct readings *readings, ns_t until, char *ret_text)
{
    struct told told = {0};

    ret_text[0] = '\0';
    for (size_t g = 0; g < r->n_groups; g++) {
        struct apart *a = &r->apart[g];
        bool again = a->refused;
        int error;

        if (a->state != APART_OPENING && a->state != APART_JOINING)
            continue;
        error = apart_step(a, &set->groups[g], events, attrs, target, readings, until);
        if (error < 0)
            name_step(&told, error, false, again, events, &set->groups[g]);
        if (a->state == APART_COUNTED)
            forgive(&r->starve, &set->groups[g]); // the parts get their own chance
        if (a->state == APART_COUNTED && again)
            name_step(&told, 0, a->singles, false, events, &set->groups[g]);
        if (clock_ns(CLOCK_MONOTONIC) >= until)
            break;
    }
    tell(&told, ret_text);
    if (ret_text[0] || !starve_look(&r->starve, readings, clock_ns(CLOCK_MONOTONIC)))
        return ret_text[0];
    return look(r, set, events, attrs, target, ret_text);
}

void regroup_close_row(struct regroup *r, struct group_set *set, size_t row)
{
    for (size_t g = 0; g < r->n_groups; g++) {
        struct apart *a = &r->apart[g];

        group_close_row(&set->groups[g], row);
        for (size_t i = 0; i < a->n_parts; i++)
            group_close_row(&a->parts[i], row);
    }
}

void regroup_open_row(struct regroup *r, struct group_set *set, const struct perf_event_attr *attrs,
                      const struct target *target, size_t row, const struct readings *readings)
{
    for (size_t g = 0; g < r->n_groups; g++) {
        struct apart *a = &r->apart[g];

        group_open_row(&set->groups[g], attrs, target, row, readings);
        for (size_t i = 0; i < a->n_parts; i++)
            group_open_row(&a->parts[i], attrs, target, row, readings);
    }
}

void regroup_read(const struct regroup *r, const struct group_set *set, ns_t elapsed,
                  struct readings *readings)
{
    for (size_t g = 0; g < r->n_groups; g++) {
        group_read(&set->groups[g], elapsed, readings);
        apart_read(&r->apart[g], elapsed, readings);
    }
}

size_t regroup_descriptors(const struct regroup *r)
{
    size_t n = 0;

    for (size_t g = 0; g < r->n_groups; g++)
        for (size_t i = 0; i < r->apart[g].n_parts; i++)
            n += group_descriptors(&r->apart[g].parts[i]);
    return n;
}
