// SPDX-License-Identifier: Apache-2.0
#include "collect/starve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int starve_init(struct starve *s, const struct group_set *set, size_t n_rows)
{
    *s = (struct starve){.n_groups = set->n, .n_rows = n_rows};
    s->seen = calloc(set->n * n_rows + 1, sizeof(*s->seen));
    s->starved = calloc(set->n + 1, sizeof(*s->starved));
    if (s->seen && s->starved)
        return 0;
    starve_done(s);
    return -ENOMEM;
}

void starve_done(struct starve *s)
{
    free(s->seen);
    free(s->starved);
    *s = (struct starve){0};
}

static bool looks_starved(struct starve *s, size_t group, size_t leader,
                          const struct readings *readings)
{
    bool starved = false;

    for (size_t row = 0; row < s->n_rows; row++) {
        struct reading *seen = &s->seen[group * s->n_rows + row];
        struct reading now = readings->now[leader * readings->n_rows + row];

        // A task that slept most of the time has not waited for long.
        starved |= now.running == seen->running && now.enabled > seen->enabled &&
                   now.enabled - seen->enabled > (uint64_t)STARVE_AFTER / 2;
        *seen = now;
    }
    return starved;
}

bool starve_look(struct starve *s, const struct group_set *set, const struct readings *readings,
                 ns_t now)
{
    bool first = s->due == 0, changed = false;

    if (now < s->due)
        return false;
    s->due = now + STARVE_AFTER;
    for (size_t g = 0; g < s->n_groups; g++) {
        bool starved = looks_starved(s, g, set->groups[g].events[0], readings) && !first;

        changed |= starved != s->starved[g];
        s->starved[g] = starved;
    }
    return changed;
}

void starve_sentence(const struct starve *s, const struct group_set *set,
                     const struct event_table *events, char *ret, size_t size)
{
    size_t at = 0;

    for (size_t g = 0; g < s->n_groups; g++)
        for (size_t m = 0; s->starved[g] && m < set->groups[g].n && at < size; m++)
            at += (size_t)snprintf(ret + at, size - at, "%s%.40s", at ? ", " : "",
                                   events->events[set->groups[g].events[m]].name);
    if (at == 0)
        snprintf(ret, size, "all events have counters again");
    else if (at < size)
        snprintf(ret + at, size - at,
                 ": no counter has been free for %d s (another profiler or the NMI watchdog holds "
                 "them); they have no values until one is. Started anew, cyclescope makes smaller "
                 "groups",
                 (int)(STARVE_AFTER / NS_PER_SEC));
}
