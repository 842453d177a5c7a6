// SPDX-License-Identifier: Apache-2.0
#include "collect/plan.h"

#include "collect/pairs.h"
#include "collect/perf_event.h"
#include "collect/standstill.h"
#include "collect/trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// One wish being packed: the groups made of it so far are open, so that the kernel can be asked
// what fits.
struct packing {
    const struct event_table *events;
    struct perf_event_attr *attrs;
    const struct event_cpus *cpus;
    const struct target *target;
    int cgroup;
    struct group_set *set;
    size_t first; // of the set's groups that are this wish's
    int *leaders; // their descriptors
    int *fds;     // all
    size_t n_fds;
};

// Where an event is tried: the first place where it would be opened, or the last of all.
static struct group_place place_for(const struct packing *p, size_t event)
{
    struct event_cpus at = p->cpus ? p->cpus[event] : (struct event_cpus){0};
    struct group_place place;
    size_t row;

    for (row = 0; row + 1 < target_rows(p->target); row++)
        if (group_place_of(p->target, p->cgroup, row, &place) &&
            group_counts_on(at.cpus, at.n, place.cpu))
            break;
    group_place_of(p->target, p->cgroup, row, &place);
    return place;
}

// Is the user allowed to count a task in user mode only (perf_event_paranoid 2)?
static int narrow_to_user(struct event *e, struct perf_event_attr *attr,
                          const struct group_place *place)
{
    struct perf_event_attr user = *attr;
    size_t length;
    int fd;

    user.exclude_kernel = 1;
    user.exclude_hv = 1;
    fd = group_open_event(&user, -1, place);
    if (fd < 0)
        return fd;
    *attr = user;
    snprintf(e->why, sizeof(e->why),
             "%.60s: user mode only, because perf_event_paranoid is %d; sudo counts the kernel too",
             e->name, perf_event_paranoid(""));
    length = strlen(e->name);
    // perf writes cycles:u, but cpu/cycles/u.
    snprintf(e->name + length, sizeof(e->name) - length, "%s",
             length && e->name[length - 1] == '/' ? "u" : ":u");
    return fd;
}

// Does the event open at all? What it is otherwise goes into it.
static bool opens(struct event *e, struct perf_event_attr *attr, const struct group_place *place,
                  struct group_set *set)
{
    int fd = perf_event_is_silent(attr) ? -EOPNOTSUPP : group_open_event(attr, -1, place);

    if ((fd == -EACCES || fd == -EPERM) && place->cpu < 0 && !attr->exclude_kernel &&
        !attr->exclude_user && perf_event_has_user_part(attr))
        fd = narrow_to_user(e, attr, place);
    if (fd >= 0 && attr->type == PERF_TYPE_SOFTWARE)
        set->kept[set->n_kept++] = fd;
    else if (fd >= 0)
        close(fd);
    if (fd >= 0)
        return true;
    e->availability = perf_event_quality(fd);
    perf_event_advice(fd, e->name, attr, place->cpu >= 0, e->why);
    return false;
}

static struct group *add_group(struct group_set *s, int cgroup)
{
    struct group *groups = reallocarray(s->groups, s->n + 1, sizeof(*groups));

    if (!groups)
        return NULL;
    s->groups = groups;
    groups[s->n] = (struct group){.cgroup = cgroup};
    return &groups[s->n++];
}

// Opens these events together beside `leader` (−1: the first becomes one). All of them, or none.
static bool open_beside(struct packing *p, int leader, const size_t *events, size_t n)
{
    size_t before = p->n_fds;

    for (size_t i = 0; i < n; i++) {
        struct group_place place = place_for(p, events[i]);
        int fd = group_open_event(&p->attrs[events[i]], leader, &place);

        if (fd < 0) {
            while (p->n_fds > before)
                close(p->fds[--p->n_fds]);
            return false;
        }
        leader = leader < 0 ? fd : leader;
        p->fds[p->n_fds++] = fd;
    }
    return true;
}

// Puts one event, or the two sides of a ratio, into the first group where they fit, or a new one.
static int pack(struct packing *p, const size_t *events, size_t n)
{
    size_t n_groups = p->set->n - p->first;
    struct group *g = NULL;

    for (size_t i = 0; i < n_groups && !g; i++) {
        struct group *candidate = &p->set->groups[p->first + i];

        if (candidate->n + n <= GROUP_EVENTS_MAX && open_beside(p, p->leaders[i], events, n))
            g = candidate;
    }
    if (!g) {
        size_t leader = p->n_fds;

        if (!open_beside(p, -1, events, n) && n > 1) {
            int r = pack(p, events, 1);

            return r < 0 ? r : pack(p, events + 1, 1);
        }
        g = add_group(p->set, p->cgroup);
        if (!g)
            return -ENOMEM;
        // One that opened alone a moment ago and does not now still gets its chance on the places.
        p->leaders[n_groups] = p->n_fds > leader ? p->fds[leader] : -1;
    }
    memcpy(&g->events[g->n], events, n * sizeof(*events));
    g->n += n;
    return 0;
}

static int plan_wish(struct packing *p, struct event_table *events, int wish, size_t *members,
                     bool *pair)
{
    size_t n = 0;
    int r = 0;

    for (size_t i = 0; i < events->n; i++) {
        struct event *e = &events->events[i];
        struct group_place place;

        if (e->kind != EVENT_COUNT || e->group != wish || e->availability != QUALITY_EXACT)
            continue;
        place = place_for(p, i);
        if (opens(e, &p->attrs[i], &place, p->set))
            members[n++] = i;
    }
    pairs_order(events, members, n, pair);
    p->first = p->set->n;
    p->n_fds = 0;
    for (size_t i = 0; i < n && r == 0; i += pair[i] ? 2 : 1)
        r = pack(p, &members[i], pair[i] ? 2 : 1);
    for (size_t i = 0; i < p->n_fds; i++)
        close(p->fds[i]);
    return r;
}

// Moves about half of the group's events into a new one; a ratio is cut only when it is all there
// is.
static int halve(const struct event_table *events, struct group_set *set, size_t index)
{
    struct group *second = add_group(set, set->groups[index].cgroup), *first = &set->groups[index];
    bool pair[GROUP_EVENTS_MAX];
    size_t cut = first->n / 2;

    if (!second)
        return -ENOMEM;
    pairs_order(events, first->events, first->n, pair);
    if (first->n > 2 && pair[cut - 1])
        cut++;
    memcpy(second->events, &first->events[cut], (first->n - cut) * sizeof(size_t));
    second->n = first->n - cut;
    first->n = cut;
    return 0;
}

// Tries the groups out, and halves those that got no counters.
static int make_them_run(const struct event_table *events, const struct perf_event_attr *attrs,
                         const struct group_place *place, struct group_set *set)
{
    bool halved = true;

    while (halved) {
        bool *starved = calloc(set->n + 1, sizeof(*starved));
        size_t n = set->n;
        int r = starved ? trial_run(set, attrs, place, starved) : -ENOMEM;

        halved = false;
        for (size_t i = 0; i < n && r == 0; i++)
            if (starved[i] && set->groups[i].n > 1) {
                r = halve(events, set, i);
                halved = true;
            }
        free(starved);
        if (r < 0)
            return r;
    }
    return 0;
}

// Numbers the groups as they are; what does not open keeps no company.
static void number(struct event_table *events, const struct group_set *set)
{
    events->n_groups = (int)set->n;
    for (size_t i = 0; i < events->n; i++)
        events->events[i].group = -1;
    for (size_t g = 0; g < set->n; g++)
        for (size_t m = 0; m < set->groups[g].n; m++)
            events->events[set->groups[g].events[m]].group = (int)g;
    for (size_t i = 0; i < events->n; i++)
        if (events->events[i].group < 0)
            events->events[i].group = events->n_groups++;
}

int group_plan(struct event_table *events, struct perf_event_attr *attrs,
               const struct event_cpus *cpus, const struct target *target, struct group_set *ret)
{
    struct group_set set = {0};
    struct packing p = {.events = events,
                        .attrs = attrs,
                        .cpus = cpus,
                        .target = target,
                        .set = &set,
                        .cgroup = -1};
    size_t *members = calloc(events->n + 1, sizeof(*members));
    bool *pair = calloc(events->n + 1, sizeof(*pair));
    int r = 0;

    p.leaders = calloc(events->n + 1, sizeof(*p.leaders));
    p.fds = calloc(events->n + 1, sizeof(*p.fds));
    set.kept = calloc(events->n + 1, sizeof(*set.kept));
    if (!members || !pair || !p.leaders || !p.fds || !set.kept)
        r = -ENOMEM;
    for (int wish = 0; wish < events->n_groups && r == 0; wish++) {
        if (target->n_cgroups)
            p.cgroup = wish / (events->n_groups / (int)target->n_cgroups);
        r = plan_wish(&p, events, wish, members, pair);
    }
    if (r == 0 && set.n) {
        struct group_place place = place_for(&p, set.groups[set.n - 1].events[0]);

        r = make_them_run(events, attrs, &place, &set);
    }
    free(members);
    free(pair);
    free(p.leaders);
    free(p.fds);
    if (r < 0) {
        group_set_done(&set);
        return r;
    }
    standstill_drop(events, attrs, &set);
    number(events, &set);
    *ret = set;
    return 0;
}
