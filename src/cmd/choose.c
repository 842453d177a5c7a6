// SPDX-License-Identifier: Apache-2.0
#include "cmd/choose.h"

#include "base/text.h"
#include "collect/notes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// Is it the command itself, and not the rest of the system while it runs?
static bool is_command(const struct options *o)
{
    return o->command && !o->system && !o->cpu_list && !o->n_tasks && !o->n_cgroups;
}

static int open_target(const struct options *o, pid_t command, struct target *ret,
                       char *ret_message)
{
    if (is_command(o))
        return target_command(command, o->command[0], ret, ret_message);
    if (o->n_tasks)
        return (o->threads ? target_threads : target_processes)(o->tasks, o->n_tasks, ret,
                                                                ret_message);
    if (o->n_cgroups)
        return target_cgroups(o->cgroups, o->n_cgroups, o->cpu_list, ret, ret_message);
    return target_system(o->cpu_list, ret, ret_message);
}

// One line, with the first reason.
static int refuse_missing(const struct collector *c)
{
    size_t n = 0;
    const char *why = "";

    for (size_t i = 0; i < c->events.n; i++)
        if (c->events.events[i].kind == EVENT_COUNT &&
            c->events.events[i].availability != QUALITY_EXACT && !n++)
            why = c->events.events[i].why;
    if (!n)
        return 0;
    if (n > 1)
        say("--strict: %s (and %zu more events that are not available)", why, n - 1);
    else
        say("--strict: %s", why);
    return EXIT_FAILED;
}

int choose_collector(const struct options *o, pid_t command, const struct machine *machine,
                     struct collector *ret, char *ret_notice, size_t notice_size)
{
    const char *events =
        o->events ? o->events : event_list_default(is_command(o) || o->n_tasks > 0);
    char message[EVENT_REASON_MAX];
    struct event_list list = {0};
    struct target target = TARGET_NONE;
    int r = event_list_parse("", events, &list, message);

    if (r < 0) {
        say("-e: %s", message);
        return EXIT_USAGE;
    }
    r = open_target(o, command, &target, message);
    if (r == 0)
        r = collector_open(ret, &list, &target, message);
    event_list_done(&list);
    if (r < 0) {
        say("%s", message);
        return EXIT_FAILED;
    }
    if (o->strict && refuse_missing(ret) != 0)
        return EXIT_FAILED;
    notes_missing(ret, machine, ret_notice, notice_size);
    if (ret_notice[0])
        say("%s", ret_notice);
    return 0;
}

// Why an event is not there, without its name where it begins with that.
static const char *reason_of(const struct event *e)
{
    size_t length = strlen(e->name);

    return strncmp(e->why, e->name, length) == 0 && strncmp(e->why + length, ": ", 2) == 0
               ? e->why + length + 2
               : e->why;
}

// A line for each reason, with all events that are not there for it.
static void print_missing(const struct event_table *t)
{
    for (size_t i = 0; i < t->n; i++) {
        const char *reason = reason_of(&t->events[i]);
        bool said = t->events[i].availability == QUALITY_EXACT;

        for (size_t k = 0; k < i && !said; k++)
            said = t->events[k].availability != QUALITY_EXACT &&
                   strcmp(reason_of(&t->events[k]), reason) == 0;
        if (said)
            continue;
        printf("without      %s", t->events[i].name);
        for (size_t k = i + 1; k < t->n; k++)
            if (t->events[k].availability != QUALITY_EXACT &&
                strcmp(reason_of(&t->events[k]), reason) == 0)
                printf(", %s", t->events[k].name);
        printf(": %s\n", reason);
    }
}

void choose_print_plan(const struct options *o, const struct collector *c)
{
    char target[TARGET_TEXT_MAX];
    size_t reads = 0;

    text_copy(target, sizeof(target), c->target.text);
    text_tame(target); // processes name themselves
    printf("target       %s\n", target);
    for (size_t i = 0; i < c->groups.n; i++) {
        const struct group *g = &c->groups.groups[i];

        reads += group_descriptors(g) / g->n;
        printf("group %-6zu ", i + 1);
        for (size_t m = 0; m < g->n; m++)
            printf("%s%s", m ? ", " : "", c->events.events[g->events[m]].name);
        printf("  (%zu descriptors)\n", group_descriptors(g));
    }
    print_missing(&c->events);
    printf("descriptors  %zu\n", collector_descriptors(c));
    printf("reads        %zu a tick, %.0f a second\n", reads,
           (double)reads * (double)NS_PER_SEC / (double)o->interval);
    printf("opened in    %.1f ms, ", (double)c->opening / (double)NS_PER_MS);
    if (c->target.kind == TARGET_COMMAND)
        printf("enabled by the command's exec\n");
    else
        printf("enabled in %.1f ms\n", (double)c->enabling / (double)NS_PER_MS);
}
