// SPDX-License-Identifier: Apache-2.0
#include "history/processes.h"

#include "base/hash.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_US_F 1e3
#define TABLE_MIN   ((size_t)256)
#define NAMELESS    0 // what a name becomes when there are too many
#define NO_ENTRY    UINT32_MAX
#define US_MAX      ((double)UINT32_MAX)
#define BUCKETS     ((size_t)8192) // a power of 2, twice the names

struct entry {
    uint32_t pid;
    uint32_t cpu_us;
    uint16_t name;
    uint16_t what;
};

struct second {
    int64_t timestamp_ms;
    double seconds;
    uint64_t forks;
    size_t n; // entries
};

struct name {
    char comm[PROCESSES_COMM_MAX];
    uint32_t used; // entries that have it; 0: free
    uint16_t next; // in its bucket, or in the list of free ones; NAMELESS ends both
};

// Two rings: the entries of the oldest second begin at first_entry.
struct processes {
    struct second *seconds;
    size_t first_second, n_seconds;
    struct entry *entries;
    size_t first_entry, n_entries;
    struct name names[PROCESSES_NAMES_MAX];
    size_t n_names;
    uint16_t buckets[BUCKETS], free_names;
};

int processes_new(struct processes **ret)
{
    struct processes *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->seconds = calloc(PROCESSES_SECONDS_MAX, sizeof(*p->seconds));
    p->entries = calloc(PROCESSES_ENTRIES_MAX, sizeof(*p->entries));
    if (!p->seconds || !p->entries) {
        processes_free(p);
        return -ENOMEM;
    }
    text_copy(p->names[NAMELESS].comm, PROCESSES_COMM_MAX, "(too many names)");
    p->names[NAMELESS].used = 1; // for ever
    p->n_names = 1;
    *ret = p;
    return 0;
}

void processes_free(struct processes *p)
{
    if (!p)
        return;
    free(p->seconds);
    free(p->entries);
    free(p);
}

static struct second *second_at(const struct processes *p, size_t i)
{
    return &p->seconds[(p->first_second + i) % PROCESSES_SECONDS_MAX];
}

static struct entry *entry_at(const struct processes *p, size_t i)
{
    return &p->entries[(p->first_entry + i) % PROCESSES_ENTRIES_MAX];
}

// FNV-1a
static uint16_t *bucket_of(struct processes *p, const char *comm)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; comm[i] && i < PROCESSES_COMM_MAX - 1; i++)
        hash = (hash ^ (unsigned char)comm[i]) * 16777619U;
    return &p->buckets[hash % BUCKETS];
}

static void release_name(struct processes *p, uint16_t name)
{
    uint16_t *link;

    if (--p->names[name].used || name == NAMELESS)
        return;
    link = bucket_of(p, p->names[name].comm);
    while (*link != name)
        link = &p->names[*link].next;
    *link = p->names[name].next;
    p->names[name].next = p->free_names;
    p->free_names = name;
}

static void drop_oldest_entry(struct processes *p)
{
    release_name(p, entry_at(p, 0)->name);
    p->first_entry = (p->first_entry + 1) % PROCESSES_ENTRIES_MAX;
    p->n_entries--;
}

static void drop_oldest_second(struct processes *p)
{
    for (size_t n = second_at(p, 0)->n; n; n--)
        drop_oldest_entry(p);
    p->first_second = (p->first_second + 1) % PROCESSES_SECONDS_MAX;
    p->n_seconds--;
}

void processes_second(struct processes *p, int64_t timestamp_ms, double seconds, uint64_t forks)
{
    struct second *newest = p->n_seconds ? second_at(p, p->n_seconds - 1) : NULL;

    if (!newest || timestamp_ms > newest->timestamp_ms) {
        if (p->n_seconds == PROCESSES_SECONDS_MAX)
            drop_oldest_second(p);
        newest = second_at(p, p->n_seconds++);
        *newest = (struct second){.timestamp_ms = timestamp_ms};
    }
    newest->seconds += seconds;
    newest->forks += forks;
}

static uint16_t take_name(struct processes *p, const char *comm)
{
    uint16_t *bucket = bucket_of(p, comm), name;

    for (name = *bucket; name != NAMELESS; name = p->names[name].next)
        if (strncmp(p->names[name].comm, comm, PROCESSES_COMM_MAX - 1) == 0) {
            p->names[name].used++;
            return name;
        }
    name = p->free_names;
    if (name != NAMELESS)
        p->free_names = p->names[name].next;
    else if (p->n_names < PROCESSES_NAMES_MAX)
        name = (uint16_t)p->n_names++;
    if (name != NAMELESS) {
        text_copy(p->names[name].comm, PROCESSES_COMM_MAX, comm);
        p->names[name].next = *bucket;
        *bucket = name;
    }
    p->names[name].used++;
    return name;
}

void processes_add(struct processes *p, uint32_t pid, const char *comm, uint64_t cpu_ns,
                   unsigned what)
{
    double us = (double)cpu_ns / NS_PER_US_F + 0.5;

    if (!p->n_seconds)
        return;
    // The newest second stays, however many are in it.
    while (p->n_entries == PROCESSES_ENTRIES_MAX && p->n_seconds > 1)
        drop_oldest_second(p);
    if (p->n_entries == PROCESSES_ENTRIES_MAX)
        return;
    *entry_at(p, p->n_entries++) = (struct entry){.pid = pid,
                                                  .cpu_us = us < US_MAX ? (uint32_t)us : UINT32_MAX,
                                                  .name = take_name(p, comm),
                                                  .what = (uint16_t)what};
    second_at(p, p->n_seconds - 1)->n++;
}

// The totals of a span while they are added up: a hash table over the list.
struct adding {
    struct process_span *span;
    uint32_t *places; // place in the list, NO_ENTRY free
    uint16_t *names;  // [place in the list]
    size_t size;      // of places, a power of 2, twice the list's at the least
    uint64_t seed;
};

static uint32_t *place_of(const struct adding *a, uint32_t pid, uint16_t name)
{
    size_t i = (size_t)hash_mix(((uint64_t)pid << 16 | name) ^ a->seed) & (a->size - 1);

    while (a->places[i] != NO_ENTRY &&
           (a->span->totals[a->places[i]].pid != pid || a->names[a->places[i]] != name))
        i = (i + 1) & (a->size - 1);
    return &a->places[i];
}

static int grow(struct adding *a, size_t size)
{
    struct process_total *totals = reallocarray(a->span->totals, size / 2, sizeof(*totals));
    uint16_t *names = totals ? reallocarray(a->names, size / 2, sizeof(*names)) : NULL;
    uint32_t *places = names ? reallocarray(a->places, size, sizeof(*places)) : NULL;

    if (totals)
        a->span->totals = totals;
    if (names)
        a->names = names;
    if (!places)
        return -ENOMEM;
    a->places = places;
    a->size = size;
    memset(places, 0xff, size * sizeof(*places));
    for (size_t i = 0; i < a->span->n; i++)
        *place_of(a, totals[i].pid, names[i]) = (uint32_t)i;
    return 0;
}

static int add_entry(struct adding *a, const struct processes *p, const struct entry *e,
                     int64_t timestamp_ms)
{
    struct process_span *span = a->span;
    uint32_t *place = place_of(a, e->pid, e->name);
    struct process_total *total;

    if (*place == NO_ENTRY) {
        if (span->n == PROCESSES_TOTALS_MAX) {
            span->truncated = true;
            return 0;
        }
        if (span->n == a->size / 2) {
            if (grow(a, 2 * a->size) < 0)
                return -ENOMEM;
            place = place_of(a, e->pid, e->name);
        }
        *place = (uint32_t)span->n;
        a->names[span->n] = e->name;
        total = &span->totals[span->n++];
        *total = (struct process_total){.pid = e->pid, .first_ms = timestamp_ms};
        memcpy(total->comm, p->names[e->name].comm, sizeof(total->comm));
    }
    total = &span->totals[*place];
    total->last_ms = timestamp_ms;
    total->what |= e->what;
    total->cpu_ms += e->cpu_us / 1e3;
    span->cpu_ms += e->cpu_us / 1e3;
    return 0;
}

int processes_span(const struct processes *p, int64_t from_ms, int64_t to_ms,
                   struct process_span *ret)
{
    struct process_span span = {0};
    struct adding a = {.span = &span, .seed = hash_seed(&span)};
    int r = grow(&a, TABLE_MIN);

    for (size_t i = 0, entry = 0; r == 0 && i < p->n_seconds; entry += second_at(p, i++)->n) {
        const struct second *s = second_at(p, i);

        if (s->timestamp_ms < from_ms || s->timestamp_ms > to_ms)
            continue;
        if (!span.to_ms)
            span.from_ms = s->timestamp_ms;
        span.to_ms = s->timestamp_ms;
        span.seconds += s->seconds;
        span.forks += s->forks;
        for (size_t k = 0; r == 0 && k < s->n; k++)
            r = add_entry(&a, p, entry_at(p, entry + k), s->timestamp_ms);
    }
    free(a.places);
    free(a.names);
    if (r < 0) {
        free(span.totals);
        return r;
    }
    *ret = span;
    return 0;
}

static int by_cpu_time(const void *left, const void *right)
{
    const struct process_total *a = left, *b = right;

    if (a->cpu_ms != b->cpu_ms)
        return a->cpu_ms < b->cpu_ms ? 1 : -1;
    return (a->pid > b->pid) - (a->pid < b->pid);
}

void process_span_sort(struct process_span *span)
{
    if (span->n)
        qsort(span->totals, span->n, sizeof(*span->totals), by_cpu_time);
}
