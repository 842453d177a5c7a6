// SPDX-License-Identifier: Apache-2.0
//
// Who is asked for a name, in this order: the kernel's own names, raw codes, tracepoints (a colon
// that is no modifier's), the PMUs of sysfs, libpfm4. The first that knows it has it, so that an
// event of perf's spelling is what perf takes it for.
#include "collect/event_resolve.h"

#include "base/file.h"
#include "base/text.h"
#include "collect/core_types.h"
#include "collect/event_catalog.h"
#include "collect/event_names.h"
#include "collect/nearest.h"
#include "collect/pfm.h"
#include "collect/pmu_terms.h"
#include "collect/tracepoint.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct resolving {
    const char *root;
    char base[EVENT_TEXT_MAX];  // what stands before the slash, or before the first colon
    char terms[EVENT_TEXT_MAX]; // between the slashes
    char after[EVENT_TEXT_MAX]; // behind the last slash, or behind the first colon
    const char *text;           // all of it
    bool has_terms, has_after;
    struct event_list *list;
    int group;
    char *message;
};

#define NOT_MINE 1 // of the functions below: somebody else may know the name

static int add(struct resolving *s, struct event_request *r, const char *modifiers)
{
    text_copy(r->modifiers, sizeof(r->modifiers), modifiers);
    return event_list_add(s->list, r, s->group, s->message);
}

// `modifiers`: what the person wrote behind the event.
static int check_modifiers(const struct resolving *s, const char *modifiers)
{
    char bad;

    if (modifiers_valid(modifiers, &bad))
        return 0;
    if (!bad) // it would exclude everything
        snprintf(s->message, EVENT_REASON_MAX, "'%.60s': a modifier is missing: u, k or h",
                 s->text);
    else if (bad == 'b')
        snprintf(s->message, EVENT_REASON_MAX,
                 "'%.60s': modifier 'b' (counting by a BPF program) is perf's alone", s->text);
    else
        snprintf(s->message, EVENT_REASON_MAX,
                 "'%.60s': modifier '%c' is not known, or there too often; u, k, h, G, H, I, p, D "
                 "and e are",
                 s->text, bad);
    return -EINVAL;
}

// Adds an event whose type and config are known. `name`: without modifiers.
static int add_known(struct resolving *s, uint32_t type, uint64_t config, const char *name,
                     const char *modifiers)
{
    struct event_request r = {.scale = 1};
    int result;

    r.attr.type = type;
    r.attr.config = config;
    snprintf(r.name, sizeof(r.name), "%s%s%.*s%s", name, s->has_terms ? "/" : "",
             (int)sizeof(r.name) / 2, s->terms, s->has_terms ? "/" : "");
    result = s->has_terms ? pmu_terms(NULL, s->terms, &r, s->message) : 0;
    return result < 0 ? result : add(s, &r, modifiers);
}

struct tracepoints {
    struct resolving *s;
    const char *modifiers;
};

static int add_tracepoint(void *context, const char *system, const char *name)
{
    struct tracepoints *t = context;
    char full[EVENT_NAME_MAX];
    uint64_t id;
    int r = tracepoint_id(t->s->root, system, name, &id);

    if (r < 0)
        return r;
    snprintf(full, sizeof(full), "%.60s:%.60s", system, name);
    return add_known(t->s, PERF_TYPE_TRACEPOINT, id, full, t->modifiers);
}

// "system:name[:modifiers]"
static int resolve_tracepoint(struct resolving *s)
{
    char system[EVENT_TEXT_MAX], *name, *modifiers;
    struct tracepoints t = {.s = s};
    size_t before = s->list->n;
    int r;

    snprintf(system, sizeof(system), "%s", s->has_terms ? s->base : s->text);
    name = strchr(system, ':');
    if (!name || name[1] == ':')
        return NOT_MINE;
    *name++ = '\0';
    modifiers = strchr(name, ':');
    if (modifiers)
        *modifiers++ = '\0';
    else if (s->has_terms)
        modifiers = s->has_after ? s->after : NULL;
    t.modifiers = modifiers ? modifiers : "";
    if (strpbrk(system, "*?[") || strpbrk(name, "*?["))
        r = tracepoint_each(s->root, system, name, add_tracepoint, &t);
    else
        r = add_tracepoint(&t, system, name);
    if (r == 0 && s->list->n > before)
        return modifiers && check_modifiers(s, modifiers) < 0 ? -EINVAL : 0;
    if (r == -EACCES) {
        snprintf(s->message, EVENT_REASON_MAX,
                 "'%.60s': this user may not read the tracepoints (/sys/kernel/tracing): run the "
                 "same command with sudo",
                 s->text);
        return -EINVAL;
    }
    return r == -ENOENT || r == 0 ? NOT_MINE : r;
}

static int add_of_pmu(struct resolving *s, const struct pmu *pmu, const char *terms)
{
    struct event_request r = {.scale = 1};
    char name[2 * EVENT_TEXT_MAX];
    int result = pmu_terms(pmu, terms, &r, s->message);

    if (result == 0 && !r.name[0]) {
        snprintf(name, sizeof(name), "%s/%s/", pmu->name, terms);
        if (strlen(name) >= sizeof(r.name)) {
            snprintf(s->message, EVENT_REASON_MAX,
                     "'%.40s…' is too long for a name: give it one of its own, %s/…,name=short/",
                     name, pmu->name);
            result = -EINVAL;
        }
        text_copy(r.name, sizeof(r.name), name);
    }
    if (result < 0) {
        free(r.cpus);
        return result;
    }
    return add(s, &r, s->after);
}

// A raw code is one PMU's, so that a hybrid processor has an event of it on each core type's, as
// perf has it (linux 6.4: tools/perf/util/parse-events-hybrid.c, add_raw_hybrid()). NOT_MINE: not
// such a processor.
static int add_raw_of_each_type(struct resolving *s)
{
    struct core_types cores;
    int r = core_types_read(s->root, &cores);

    if (r == 0 && cores.n == 0)
        return NOT_MINE;
    for (size_t i = 0; i < cores.n && r == 0; i++) {
        struct pmu pmu = {0};

        r = pmu_open(s->root, cores.types[i].name, &pmu);
        r = r < 0 ? r : add_of_pmu(s, &pmu, s->base);
        pmu_done(&pmu);
    }
    core_types_done(&cores);
    return r;
}

static int resolve_generic(struct resolving *s)
{
    uint32_t type = PERF_TYPE_RAW;
    uint64_t config;
    int r = NOT_MINE;

    if (!event_names_find(s->base, &type, &config) && !event_names_raw(s->base, &config))
        return NOT_MINE;
    if (s->has_after && check_modifiers(s, s->after) < 0)
        return -EINVAL;
    if (type == PERF_TYPE_RAW && !s->has_terms)
        r = add_raw_of_each_type(s);
    return r == NOT_MINE ? add_known(s, type, config, s->base, s->after) : r;
}

// Does the person's "imc" or "uncore_imc" mean the PMU uncore_imc_3? (linux: tools/perf/util/
// parse-events.y, event_pmu.)
static bool is_unit_of(const char *pmu, const char *wanted)
{
    size_t length = strlen(wanted);

    if (strncmp(pmu, "uncore_", 7) == 0 && strncmp(wanted, "uncore_", 7) != 0)
        pmu += 7;
    if (strncmp(pmu, wanted, length) != 0)
        return false;
    pmu += length + (pmu[length] == '_');
    return pmu[strspn(pmu, "0123456789")] == '\0';
}

// Adds an event of each PMU that is meant: `named` gives the terms, or those PMUs that have such an
// event are.
static int resolve_pmus(struct resolving *s, bool named)
{
    size_t n = 0, before = s->list->n;
    char **names = NULL;
    int r = file_names(s->root, PMU_DEVICES, &names, &n);

    for (size_t i = 0; i < n && r == 0; i++) {
        struct pmu pmu;

        if (named && !is_unit_of(names[i], s->base))
            continue;
        if (pmu_open(s->root, names[i], &pmu) < 0)
            continue;
        if (named || pmu_has_event(&pmu, s->base))
            r = add_of_pmu(s, &pmu, named ? s->terms : s->base);
        pmu_done(&pmu);
    }
    file_names_free(names, n);
    // Where there is no doubt, it is called as it was asked for.
    if (r == 0 && !named && s->list->n == before + 1)
        text_copy(s->list->requests[before].name, EVENT_NAME_MAX, s->base);
    return r == 0 && s->list->n == before ? NOT_MINE : r == -ENOENT ? NOT_MINE : r;
}

static int resolve_pmu(struct resolving *s)
{
    struct pmu pmu;
    char bad;
    int r;

    if (!s->has_terms) {
        // "mem-loads:u": the name of a PMU's event alone.
        if (!pmu_name_valid(s->base) || (s->has_after && !modifiers_valid(s->after, &bad)))
            return NOT_MINE;
        return resolve_pmus(s, false);
    }
    if (!pmu_name_valid(s->base))
        return NOT_MINE;
    r = pmu_open(s->root, s->base, &pmu);
    if (r == 0) {
        r = s->has_after ? check_modifiers(s, s->after) : 0;
        if (r == 0)
            r = add_of_pmu(s, &pmu, s->terms);
        pmu_done(&pmu);
        return r;
    }
    if (r != -ENOENT) {
        snprintf(s->message, EVENT_REASON_MAX,
                 "%.63s: the kernel's description of it is not understood", s->base);
        return -EINVAL;
    }
    r = resolve_pmus(s, true);
    return r == 0 && s->has_after ? check_modifiers(s, s->after) : r;
}

static int resolve_pfm(struct resolving *s)
{
    struct event_request r = {.scale = 1};
    int result;

    if (s->has_terms)
        return NOT_MINE;
    result = pfm_encode(s->text, &r, s->message);
    if (result == 0) {
        text_copy(r.name, sizeof(r.name), s->text);
        return event_list_add(s->list, &r, s->group, s->message);
    }
    return result == -ENOENT ? NOT_MINE : result;
}

// What perf takes and we don't, with the reason.
static int resolve_perfs_own(struct resolving *s)
{
    static const char *const clocks[] = {"duration_time", "user_time", "system_time"};

    if (strncmp(s->text, "mem:", 4) == 0) {
        snprintf(s->message, EVENT_REASON_MAX, "'%.60s': breakpoints are not counted here",
                 s->text);
        return -EINVAL;
    }
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
        if (strcmp(s->text, clocks[i]) == 0) {
            snprintf(s->message, EVENT_REASON_MAX,
                     "'%s' is perf stat's own clock and no event; leave it out: every interval's "
                     "time is measured anyway, and task-clock is the CPU time",
                     clocks[i]);
            return -EINVAL;
        }
    return NOT_MINE;
}

static int offer(void *context, const struct catalog_entry *e)
{
    struct nearest *n = context;
    const char *slash = e->source == CATALOG_PMU ? strchr(e->name, '/') : NULL;
    const char *colons = e->source == CATALOG_PFM ? strstr(e->name, "::") : NULL;
    char event[EVENT_NAME_MAX];

    if (e->pattern)
        return 0;
    if (slash) { // "mem-loads" for cpu/mem-loads/
        snprintf(event, sizeof(event), "%.*s", (int)strcspn(slash + 1, "/"), slash + 1);
        nearest_offer(n, event, e->name);
    } else if (colons && !strstr(n->wanted, "::")) {
        nearest_offer(n, colons + 2, colons + 2);
    } else {
        nearest_offer(n, e->name, e->name);
    }
    if (e->alias)
        nearest_offer(n, e->alias, e->alias);
    return 0;
}

static int unknown(struct resolving *s)
{
    char wanted[EVENT_NAME_MAX], words[EVENT_REASON_MAX - 80], bad; // the rest: the sentence
    struct nearest nearest = {.wanted = wanted};
    unsigned sources = CATALOG_ALL & ~(unsigned)CATALOG_TRACEPOINT;

    text_copy(wanted, sizeof(wanted), s->has_terms ? s->base : s->text);
    if (s->has_terms) {
        snprintf(s->message, EVENT_REASON_MAX,
                 "'%.60s': there is no PMU '%.40s' here; cyclescope list shows those there are",
                 s->text, s->base);
        return -EINVAL;
    }
    if (s->has_after && modifiers_valid(s->after, &bad))
        text_copy(wanted, sizeof(wanted), s->base);
    else if (s->has_after)
        sources |= CATALOG_TRACEPOINT;
    event_catalog(s->root, sources, offer, &nearest);
    nearest_words(&nearest, words, sizeof(words));
    snprintf(s->message, EVENT_REASON_MAX, "unknown event '%.60s'%s", wanted,
             words[0] ? words : "; cyclescope list shows those there are");
    return -EINVAL;
}

// Takes the text apart. Modifiers that follow a slash may have a colon before them, too.
static int split(struct resolving *s)
{
    const char *slash = strncmp(s->text, "mem:", 4) == 0 ? NULL : strchr(s->text, '/');
    const char *last = slash ? strrchr(s->text, '/') : NULL;
    const char *end = slash ? slash : s->text + strcspn(s->text, ":");

    if (end == s->text) {
        snprintf(s->message, EVENT_REASON_MAX, "an event name is missing in '%.40s'", s->text);
        return -EINVAL;
    }
    if (slash && last == slash) {
        snprintf(s->message, EVENT_REASON_MAX,
                 "'%.60s': a slash is missing: a PMU's event is written pmu/event/", s->text);
        return -EINVAL;
    }
    snprintf(s->base, sizeof(s->base), "%.*s", (int)(end - s->text), s->text);
    if (slash) {
        s->has_terms = true;
        snprintf(s->terms, sizeof(s->terms), "%.*s", (int)(last - slash - 1), slash + 1);
        last += 1 + (last[1] == ':');
        s->has_after = *last != '\0';
        snprintf(s->after, sizeof(s->after), "%s", last);
    } else if (*end) {
        s->has_after = true;
        snprintf(s->after, sizeof(s->after), "%s", end + 1);
    }
    if (slash || strlen(s->text) < EVENT_NAME_MAX)
        return 0;
    snprintf(s->message, EVENT_REASON_MAX, "the event name '%.40s…' is too long", s->text);
    return -EINVAL;
}

int event_resolve(const char *root, const char *text, struct event_list *list, int group,
                  char *ret_message)
{
    static int (*const askers[])(struct resolving *) = {
        resolve_perfs_own, resolve_generic, resolve_tracepoint, resolve_pmu, resolve_pfm, unknown};
    struct resolving *s = calloc(1, sizeof(*s)); // three texts are much for a stack
    int r;

    if (!s)
        return -ENOMEM;
    s->root = root;
    s->text = text;
    s->list = list;
    s->group = group;
    s->message = ret_message;
    r = split(s);
    // The last, unknown(), always has an answer.
    for (size_t i = 0; r == 0 && (r = askers[i](s)) == NOT_MINE; i++)
        r = 0;
    free(s);
    return r;
}
