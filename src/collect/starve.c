// SPDX-License-Identifier: Apache-2.0
#include "collect/starve.h"

#include <errno.h>
#include <stdlib.h>

// Cumulative, in ns.
struct starve_place {
    uint64_t enabled, running; // at the last look
    uint64_t since;            // how long it had been enabled when it ran last
};

int starve_init(struct starve *s, const struct readings *readings, size_t n_groups)
{
    *s = (struct starve){.n_events = readings->events->n,
                         .n_rows = readings->n_rows,
                         .after = STARVE_AFTER + STARVE_TURN * (ns_t)n_groups};
    s->places = calloc(s->n_events * s->n_rows + 1, sizeof(*s->places));
    s->starved = calloc(s->n_events + 1, sizeof(*s->starved));
    if (s->places && s->starved)
        return 0;
    starve_done(s);
    return -ENOMEM;
}

void starve_done(struct starve *s)
{
    free(s->places);
    free(s->starved);
    *s = (struct starve){0};
}

// A CPU that is offline, or a task that sleeps, is not enabled, and starves of nothing.
static bool look_at(struct starve_place *p, struct reading now, uint64_t after)
{
    bool enabled = now.enabled > p->enabled, ran = now.running != p->running;

    if (ran)
        p->since = now.enabled;
    p->enabled = now.enabled;
    p->running = now.running;
    return enabled && !ran && now.enabled > p->since && now.enabled - p->since >= after;
}

bool starve_look(struct starve *s, const struct readings *readings, ns_t now)
{
    if (now < s->due)
        return false;
    s->due = now + STARVE_AFTER;
    for (size_t e = 0; e < s->n_events; e++) {
        s->starved[e] = false;
        for (size_t row = 0; row < s->n_rows; row++)
            s->starved[e] |= look_at(&s->places[e * s->n_rows + row],
                                     readings->now[e * s->n_rows + row], (uint64_t)s->after);
    }
    return true;
}

void starve_forgive(struct starve *s, size_t event)
{
    for (size_t row = 0; row < s->n_rows; row++)
        s->places[event * s->n_rows + row].since = s->places[event * s->n_rows + row].enabled;
    s->starved[event] = false;
}
