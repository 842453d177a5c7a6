// SPDX-License-Identifier: Apache-2.0
#include "collect/pmu_terms.h"

#include "base/file.h"
#include "base/parse.h"
#include "base/text.h"
#include "collect/event_names.h"
#include "collect/nearest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TERM_MAX        128
#define EVENT_TERMS_MAX 512 // of a named event; the longest in Linux are below 100

struct term {
    char name[TERM_MAX];
    char value[TERM_MAX];
    bool has_value;
};

struct encoding {
    const struct pmu *pmu; // NULL: an event that is known without
    const char *given;     // the terms as the person wrote them: they fill a named event's '?'
    struct event_request *r;
    char *message;
};

static int wrong(const struct encoding *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int wrong(const struct encoding *e, const char *format, ...)
{
    va_list args;
    int n = snprintf(e->message, EVENT_REASON_MAX, "%s: ", e->pmu ? e->pmu->name : "event terms");

    va_start(args, format);
    vsnprintf(e->message + n, EVENT_REASON_MAX - (size_t)n, format, args);
    va_end(args);
    return -EINVAL;
}

// Takes "name[=value]" and the comma behind it from *p; a value may stand in ' '. False at the end,
// and for what is longer than a term.
static int next_term(const char **p, struct term *ret)
{
    size_t length = strcspn(*p, ",=");

    if (!**p)
        return 0;
    if (length == 0 || length >= TERM_MAX)
        return -EINVAL;
    *ret = (struct term){0};
    memcpy(ret->name, *p, length);
    *p += length;
    if (**p == '=') {
        bool quoted = (*p)[1] == '\'';

        *p += 1 + quoted;
        length = strcspn(*p, quoted ? "'" : ",");
        if (length == 0 || length >= TERM_MAX)
            return -EINVAL;
        memcpy(ret->value, *p, length);
        ret->has_value = true;
        *p += length;
        if (quoted && *(*p)++ != '\'')
            return -EINVAL;
    }
    if (**p == ',' && (*p)[1])
        (*p)++;
    else if (**p)
        return -EINVAL;
    return 1;
}

// Terms that every event takes. 1 when it is one.
static int common_term(const struct encoding *e, const struct term *t)
{
    static const char *const without_effect[] = {"period", "freq", "percore", "metric-id"};
    struct perf_event_attr *attr = &e->r->attr;
    uint64_t value = 1;

    for (size_t i = 0; i < sizeof(without_effect) / sizeof(without_effect[0]); i++)
        if (strcmp(t->name, without_effect[i]) == 0)
            return 1;
    if (strcmp(t->name, "name") == 0) {
        if (!t->has_value)
            return wrong(e, "the term '%s' needs a value", t->name);
        text_copy(e->r->name, sizeof(e->r->name), t->value);
        return 1;
    }
    if (!e->pmu || strncmp(t->name, "config", 6) != 0)
        return 0;
    if (t->has_value && parse_u64(t->value, &value) < 0)
        return wrong(e, "'%s' is no number", t->value);
    if (strcmp(t->name, "config") == 0)
        attr->config = value;
    else if (strcmp(t->name, "config1") == 0)
        attr->config1 = value;
    else if (strcmp(t->name, "config2") == 0)
        attr->config2 = value;
    else
        return 0;
    return 1;
}

static int raw_term(const struct encoding *e, const char *name)
{
    uint64_t config;

    if (!event_names_raw(name, &config))
        return 0;
    e->r->attr.config = config;
    return 1;
}

// On the PMU of one core type, the generic events count that type only.
static int generic_term(const struct encoding *e, const char *name)
{
    uint32_t type;
    uint64_t config;

    if (!e->pmu->core || !event_names_find(name, &type, &config) || type == PERF_TYPE_SOFTWARE)
        return 0;
    e->r->attr.type = type;
    e->r->attr.config = config | (e->pmu->typed ? (uint64_t)e->pmu->type << 32 : 0);
    return 1;
}

static int encode(const struct encoding *e, const char *terms, bool of_named_event);

// The value that the person gave for a '?' of a named event: "event=0x1,core=?" needs core=…
static const char *given_value(const struct encoding *e, const char *name, struct term *t)
{
    const char *p = e->given;

    while (next_term(&p, t) > 0)
        if (strcmp(t->name, name) == 0 && t->has_value)
            return t->value;
    return NULL;
}

static int format_term(const struct encoding *e, const struct term *t)
{
    const char *text = t->value;
    struct term given;
    uint64_t value = 1;
    int r;

    if (t->has_value && strcmp(text, "?") == 0) {
        text = given_value(e, t->name, &given);
        if (!text)
            return wrong(e, "the event needs a further term, '%s=…'", t->name);
    }
    if (t->has_value && parse_u64(text, &value) < 0)
        return wrong(e, "'%s' is no number", text);
    r = pmu_set_format(e->pmu, t->name, value, &e->r->attr);
    if (r == -ERANGE)
        return wrong(e, "the value of '%s' has more bits than that term", t->name);
    if (r == -EINVAL)
        return wrong(e, "the kernel's format of '%s' is not understood", t->name);
    return r < 0 ? 0 : 1;
}

static int named_event(const struct encoding *e, const char *name)
{
    char terms[EVENT_TERMS_MAX];
    int r = pmu_event(e->pmu, name, terms, sizeof(terms), e->r);

    if (r == -ENOENT)
        return 0;
    if (r == -EDOM)
        return wrong(
            e, "'%.60s' is a level at the moment of reading and no count; levels are not shown",
            name);
    if (r < 0)
        return wrong(e, "the kernel's description of '%s' is not understood", name);
    r = encode(e, terms, true);
    return r < 0 ? r : 1;
}

static int unknown_term(const struct encoding *e, const char *name)
{
    char formats[100], words[160], **events;
    struct nearest nearest = {.wanted = name};
    size_t n;

    if (!e->pmu)
        return wrong(e, "'%.60s' is a term of PMUs; name=… is the one that every event takes",
                     name);
    if (pmu_events(e->pmu, &events, &n) == 0) {
        for (size_t i = 0; i < n; i++)
            nearest_offer(&nearest, events[i], events[i]);
        file_names_free(events, n);
    }
    nearest_words(&nearest, words, sizeof(words));
    pmu_formats(e->pmu, ", ", formats, sizeof(formats));
    if (words[0])
        return wrong(e, "it has no event '%.60s'%s", name, words);
    return wrong(e,
                 "'%.60s' is neither an event nor a term of it; its terms are %s%sconfig and name",
                 name, formats, formats[0] ? ", " : "");
}

static int one_term(const struct encoding *e, const struct term *t, bool of_named_event)
{
    int r = common_term(e, t);

    if (r == 0 && e->pmu)
        r = format_term(e, t);
    if (r == 0 && e->pmu && !t->has_value && !of_named_event)
        r = named_event(e, t->name);
    if (r == 0 && e->pmu && !t->has_value && !of_named_event)
        r = raw_term(e, t->name);
    if (r == 0 && e->pmu && !t->has_value && !of_named_event)
        r = generic_term(e, t->name);
    if (r != 0)
        return r < 0 ? r : 0;
    return unknown_term(e, t->name);
}

static int encode(const struct encoding *e, const char *terms, bool of_named_event)
{
    struct term t;
    int r;

    while ((r = next_term(&terms, &t)) > 0) {
        r = one_term(e, &t, of_named_event);
        if (r < 0)
            return r;
    }
    return r < 0 ? wrong(e, "'%.80s' is not term=value,…", terms) : 0;
}

int pmu_terms(const struct pmu *pmu, const char *terms, struct event_request *r, char *ret_message)
{
    struct encoding e = {.pmu = pmu, .given = terms, .r = r, .message = ret_message};

    if (pmu) {
        r->attr.type = pmu->type;
        if (pmu->cpus) {
            r->cpus = calloc(pmu->n_cpus, sizeof(*r->cpus));
            if (!r->cpus)
                return -ENOMEM;
            memcpy(r->cpus, pmu->cpus, pmu->n_cpus * sizeof(*r->cpus));
            r->n_cpus = pmu->n_cpus;
        }
    }
    return encode(&e, terms, false);
}
