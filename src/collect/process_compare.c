// SPDX-License-Identifier: Apache-2.0
#include "collect/process_scan_private.h"

#include <stdlib.h>
#include <string.h>

#define GENERATIONS_MAX 16 // of processes that all lived for less than a second

static int compare(const void *a, const void *b)
{
    pid_t left = ((const struct process *)a)->pid, right = ((const struct process *)b)->pid;

    return (left > right) - (left < right);
}

struct process *process_list_find(const struct process_list *l, pid_t pid)
{
    const struct process key = {.pid = pid};

    return l->n ? bsearch(&key, l->list, l->n, sizeof(*l->list), compare) : NULL;
}

// They mostly are in order, which qsort() would take as long to find out as to sort them.
static bool is_sorted(const struct process_list *l)
{
    for (size_t i = 1; i < l->n; i++)
        if (l->list[i - 1].pid > l->list[i].pid)
            return false;
    return true;
}

void process_list_sort(struct process_list *l)
{
    if (!is_sorted(l))
        qsort(l->list, l->n, sizeof(*l->list), compare);
}

bool process_is_root(const struct process_scan *s, pid_t pid)
{
    for (size_t i = 0; i < s->n_trees; i++)
        if (s->trees[i] == pid)
            return true;
    return false;
}

// Children of members are members. Mostly parents come before their children, and one pass does.
void process_find_members(struct process_scan *s)
{
    bool again = s->n_trees != 0;

    while (again) {
        again = false;
        for (size_t i = 0; i < s->now.n; i++) {
            struct process *p = &s->now.list[i];
            const struct process *parent;

            if (p->member || (s->compared && !p->born))
                continue;
            parent = process_list_find(&s->now, p->parent);
            if (parent && parent->member)
                again = p->member = true;
        }
    }
}

static void change(struct process_scan *s, const struct process *p, unsigned what, uint64_t cpu)
{
    struct process_change *c;

    if (s->n_changes == s->changes_capacity) {
        size_t capacity = s->changes_capacity ? 2 * s->changes_capacity : 64;

        c = reallocarray(s->changes, capacity, sizeof(*c));
        if (!c)
            return;
        s->changes = c;
        s->changes_capacity = capacity;
    }
    c = &s->changes[s->n_changes++];
    *c = (struct process_change){.pid = p->pid, .what = what, .cpu_ns = cpu};
    memcpy(c->comm, p->comm, sizeof(c->comm));
}

void process_compare(struct process_scan *s)
{
    const struct process *old = s->before.list, *end = old + s->before.n;

    for (size_t i = 0; i < s->now.n; i++) {
        const struct process *p = &s->now.list[i];

        for (; old < end && (old->pid < p->pid || (old->pid == p->pid && p->born)); old++)
            if (old->member)
                change(s, old, PROCESS_ENDED, old->left);
        if (old < end && old->pid == p->pid)
            old++;
        if (p->member && (p->ran || p->born))
            change(s, p, p->born ? PROCESS_BORN : 0, p->ran);
    }
    for (; old < end; old++)
        if (old->member)
            change(s, old, PROCESS_ENDED, old->left);
}

static bool is_member(const struct process_scan *s, pid_t pid)
{
    const struct process *before = process_list_find(&s->before, pid),
                         *now = process_list_find(&s->now, pid);
    const struct exit_record *ended = exits_find(s->exits, pid);

    return !s->n_trees || process_is_root(s, pid) || (before && before->member) ||
           (now && now->member) || (ended && ended->member);
}

// Of those that ended, children of members are members. Each pass finds a generation.
static void find_ended_members(struct process_scan *s)
{
    struct exits *e = s->exits;
    bool again = true;

    for (int pass = 0; again && pass < GENERATIONS_MAX; pass++) {
        again = false;
        for (size_t i = 0; i < e->n; i++) {
            struct exit_record *r = &e->records[i];

            if (!r->member && (is_member(s, r->pid) || is_member(s, r->parent)))
                again = r->member = true;
        }
    }
}

// What the kernel told of those that ended: of one that was scanned, what it ran since; of one that
// never was, all of it. One that was scanned a moment ago is told of when it is missing.
void process_take_exits(struct process_scan *s)
{
    struct exits *e = s->exits;

    if (!e)
        return;
    exits_sort(e);
    find_ended_members(s);
    for (size_t i = 0; i < e->n; i++) {
        struct exit_record *r = &e->records[i];
        struct process *old = process_list_find(&s->before, r->pid),
                       *now = process_list_find(&s->now, r->pid);
        struct process lived = {.pid = r->pid};

        if (now && !(old && now->born))
            continue;
        r->told = true;
        if (old)
            old->left = r->cpu_ns > old->cpu ? r->cpu_ns - old->cpu : 0;
        if (old && !old->named)
            memcpy(old->comm, r->comm, sizeof(old->comm));
        if (old || !r->member || !s->compared)
            continue;
        memcpy(lived.comm, r->comm, sizeof(lived.comm));
        change(s, &lived, PROCESS_BORN | PROCESS_ENDED, r->cpu_ns);
    }
    exits_forget(e);
}
