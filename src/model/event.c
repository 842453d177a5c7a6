// SPDX-License-Identifier: Apache-2.0
#include "model/event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const quality_names[] = {
    [QUALITY_EXACT] = "exact",         [QUALITY_SCALED] = "scaled",
    [QUALITY_NEVER_RAN] = "never ran", [QUALITY_OFFLINE] = "offline",
    [QUALITY_DENIED] = "denied",       [QUALITY_NOT_SUPPORTED] = "not supported",
};
#define N_QUALITIES (sizeof(quality_names) / sizeof(quality_names[0]))

const char *quality_name(enum quality q)
{
    return quality_names[q];
}

bool quality_parse(const char *name, enum quality *ret)
{
    for (size_t i = 0; i < N_QUALITIES; i++)
        if (strcmp(name, quality_names[i]) == 0) {
            *ret = (enum quality)i;
            return true;
        }
    return false;
}

void event_column_id(const char *name, char ret[EVENT_NAME_MAX])
{
    size_t i;

    for (i = 0; name[i] && i < EVENT_NAME_MAX - 1; i++) {
        char c = name[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
            c = '_';
        ret[i] = c;
    }
    ret[i] = '\0';
}

void event_table_done(struct event_table *t)
{
    if (!t)
        return;
    free(t->events);
    *t = (struct event_table){0};
}

int event_table_find_column(const struct event_table *t, const char *column)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->events[i].column, column) == 0)
            return (int)i;
    return -1;
}

// Gives `e` a column id that the table does not have yet.
static void make_column_unique(const struct event_table *t, struct event *e)
{
    char base[EVENT_NAME_MAX];

    if (!e->column[0])
        event_column_id(e->name[0] ? e->name : "event", e->column);
    snprintf(base, sizeof(base), "%s", e->column);
    for (unsigned n = 2; event_table_find_column(t, e->column) >= 0; n++)
        snprintf(e->column, sizeof(e->column), "%.100s_%u", base, n);
}

int event_table_add(struct event_table *t, const struct event *e)
{
    struct event *events, *added;

    if (t->n >= EVENTS_MAX)
        return -E2BIG;
    events = reallocarray(t->events, t->n + 1, sizeof(*events));
    if (!events)
        return -ENOMEM;
    t->events = events;
    added = &events[t->n];
    *added = *e;
    if (added->group < 0)
        added->group = t->n_groups;
    if (added->group >= t->n_groups)
        t->n_groups = added->group + 1;
    if (added->scale == 0)
        added->scale = 1;
    make_column_unique(t, added);
    return (int)t->n++;
}
