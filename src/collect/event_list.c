// SPDX-License-Identifier: Apache-2.0
#include "collect/event_list.h"

#include "collect/event_names.h"
#include "collect/event_resolve.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *event_list_default(bool task)
{
#define HARDWARE "{cycles,instructions},{cache-references,cache-misses},{branches,branch-misses}"
#define SOFTWARE "context-switches,cpu-migrations,minor-faults,major-faults"
    return task ? HARDWARE ",{" SOFTWARE ",task-clock}" : HARDWARE ",{" SOFTWARE "}";
}

void event_list_done(struct event_list *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++)
        free(l->requests[i].cpus);
    free(l->requests);
    *l = (struct event_list){0};
}

int event_list_add(struct event_list *l, struct event_request *r, int group, char *ret_message)
{
    struct event_request *requests = NULL;

    if (l->n >= EVENT_LIST_MAX)
        snprintf(ret_message, EVENT_REASON_MAX, "more than %d events", EVENT_LIST_MAX);
    else
        requests = reallocarray(l->requests, l->n + 1, sizeof(*requests));
    if (!requests) {
        free(r->cpus);
        return l->n >= EVENT_LIST_MAX ? -E2BIG : -ENOMEM;
    }
    l->requests = requests;
    r->group = group < 0 ? l->n_groups++ : group;
    r->attr.size = sizeof(r->attr);
    requests[l->n++] = *r;
    return 0;
}

static int brace_error(const char *text, char *ret_message)
{
    snprintf(ret_message, EVENT_REASON_MAX,
             "the braces of '%.100s' do not match: a group is written {a,b}", text);
    return -EINVAL;
}

// Length of the event at the beginning of `p`: commas and braces between slashes, and what stands
// in ' ' there, belong to it.
static size_t event_length(const char *p)
{
    bool breakpoint = strncmp(p, "mem:", 4) == 0, terms = false, quoted = false;
    size_t i;

    for (i = 0; p[i]; i++) {
        if (p[i] == '\'' && terms)
            quoted = !quoted;
        else if (p[i] == '/' && !quoted && !breakpoint)
            terms = !terms;
        else if (strchr(",{}", p[i]) && !terms)
            break;
    }
    return i;
}

// Length of a group's name before its brace, which perf takes and prints nowhere. An event's name
// is none: there a comma was forgotten.
static size_t group_name_length(const char *p)
{
    size_t length = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    char name[EVENT_NAME_MAX];
    uint32_t type;
    uint64_t config;

    if (p[length] != '{' || length >= sizeof(name))
        return 0;
    snprintf(name, sizeof(name), "%.*s", (int)length, p);
    return event_names_find(name, &type, &config) ? 0 : length;
}

struct parsing {
    const char *root, *text;
    const char *p; // what comes next
    struct event_list list;
    int group;    // ≥ 0: inside braces
    size_t first; // request of this group
    char *message;
};

static void skip_blanks(struct parsing *s)
{
    while (isspace((unsigned char)*s->p))
        s->p++;
}

static int take_event(struct parsing *s)
{
    char text[EVENT_TEXT_MAX];
    size_t length = event_length(s->p), kept = length;

    while (kept && isspace((unsigned char)s->p[kept - 1]))
        kept--;
    if (!kept) {
        snprintf(s->message, EVENT_REASON_MAX, "an event name is missing in '%.60s'", s->text);
        return -EINVAL;
    }
    if (kept >= sizeof(text)) {
        snprintf(s->message, EVENT_REASON_MAX, "the event name '%.40s…' is too long", s->p);
        return -EINVAL;
    }
    snprintf(text, sizeof(text), "%.*s", (int)kept, s->p);
    s->p += length;
    return event_resolve(s->root, text, &s->list, s->group, s->message);
}

// "}" and the modifiers of all in the group.
static int end_group(struct parsing *s)
{
    char modifiers[MODIFIERS_MAX], bad = '\0';
    size_t length;

    s->p++;
    s->group = -1;
    if (*s->p != ':')
        return 0;
    length = strcspn(++s->p, ",{}");
    snprintf(modifiers, sizeof(modifiers), "%.*s", (int)length, s->p);
    if (length >= sizeof(modifiers) || !modifiers_valid(modifiers, &bad)) {
        snprintf(
            s->message, EVENT_REASON_MAX,
            "the group's modifiers '%.40s' are not known, or one is there too often; u, k, h, G, "
            "H, I, p, D and e are",
            s->p);
        return -EINVAL;
    }
    for (size_t i = s->first; i < s->list.n; i++)
        modifiers_add(s->list.requests[i].modifiers, modifiers);
    s->p += length;
    return 0;
}

// An event, with the braces around it.
static int take_item(struct parsing *s)
{
    int r;

    skip_blanks(s);
    s->p += group_name_length(s->p);
    if (*s->p == '{') {
        if (s->group >= 0)
            return brace_error(s->text, s->message);
        s->group = s->list.n_groups++;
        s->first = s->list.n;
        s->p++;
        skip_blanks(s);
    }
    r = take_event(s);
    if (r < 0)
        return r;
    if (*s->p == '}') {
        if (s->group < 0)
            return brace_error(s->text, s->message);
        r = end_group(s);
        if (r < 0)
            return r;
    }
    skip_blanks(s);
    return *s->p && *s->p != ',' ? brace_error(s->text, s->message) : 0;
}

// Puts the modifiers where they work: in the attr, and at the end of the name.
static void apply_modifiers(struct event_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        struct event_request *r = &l->requests[i];
        bool leader = i == 0 || l->requests[i - 1].group != r->group;
        size_t length = strlen(r->name);
        const char *between = length && r->name[length - 1] == '/' ? "" : ":";

        modifiers_apply(r->modifiers, leader, &r->attr);
        if (r->modifiers[0])
            snprintf(r->name + length, sizeof(r->name) - length, "%s%s", between, r->modifiers);
    }
}

int event_list_parse(const char *root, const char *text, struct event_list *ret, char *ret_message)
{
    struct parsing s = {.root = root, .text = text, .p = text, .group = -1, .message = ret_message};
    int r;

    snprintf(ret_message, EVENT_REASON_MAX, "out of memory");
    do
        r = take_item(&s);
    while (r == 0 && *s.p++ == ',');
    if (r == 0 && s.group >= 0)
        r = brace_error(text, ret_message);
    if (r < 0) {
        event_list_done(&s.list);
        return r;
    }
    apply_modifiers(&s.list);
    *ret = s.list;
    return 0;
}
