// SPDX-License-Identifier: Apache-2.0
#include "collect/event_list.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct known_event {
    const char *name, *alias;
    uint32_t type;
    uint64_t config;
};

// perf's names for the generic events (linux: tools/perf/util/parse-events.c).
static const struct known_event known[] = {
    {"cycles", "cpu-cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
    {"instructions", NULL, PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    {"cache-references", NULL, PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES},
    {"cache-misses", NULL, PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
    {"branches", "branch-instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS},
    {"branch-misses", NULL, PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES},
    {"bus-cycles", NULL, PERF_TYPE_HARDWARE, PERF_COUNT_HW_BUS_CYCLES},
    {"stalled-cycles-frontend", "idle-cycles-frontend", PERF_TYPE_HARDWARE,
     PERF_COUNT_HW_STALLED_CYCLES_FRONTEND},
    {"stalled-cycles-backend", "idle-cycles-backend", PERF_TYPE_HARDWARE,
     PERF_COUNT_HW_STALLED_CYCLES_BACKEND},
    {"ref-cycles", NULL, PERF_TYPE_HARDWARE, PERF_COUNT_HW_REF_CPU_CYCLES},
    {"cpu-clock", NULL, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK},
    {"task-clock", NULL, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
    {"page-faults", "faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
    {"context-switches", "cs", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES},
    {"cpu-migrations", "migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS},
    {"minor-faults", NULL, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN},
    {"major-faults", NULL, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MAJ},
    {"alignment-faults", NULL, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_ALIGNMENT_FAULTS},
    {"emulation-faults", NULL, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_EMULATION_FAULTS},
};
#define N_KNOWN (sizeof(known) / sizeof(known[0]))

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
    free(l->requests);
    *l = (struct event_list){0};
}

// Levenshtein distance, for the nearest names to a wrong one. Names are short: EVENT_NAME_MAX
// bounds the row.
static unsigned distance(const char *a, const char *b)
{
    unsigned row[EVENT_NAME_MAX + 1];
    size_t n = strlen(b);

    if (n > EVENT_NAME_MAX)
        return UINT32_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= n; j++) {
            unsigned substitute = diagonal + (a[i - 1] != b[j - 1]);
            unsigned other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

            diagonal = row[j];
            row[j] = substitute < other ? substitute : other;
        }
    }
    return row[n];
}

static int unknown_event(const char *name, char *ret_message)
{
    const char *best = known[0].name;
    unsigned least = UINT32_MAX;

    for (size_t i = 0; i < N_KNOWN; i++) {
        unsigned d = distance(name, known[i].name);

        if (d < least) {
            least = d;
            best = known[i].name;
        }
    }
    snprintf(ret_message, EVENT_REASON_MAX, "unknown event '%.60s'; the nearest name is '%s'", name,
             best);
    return -EINVAL;
}

static int parse_modifiers(const char *modifiers, struct perf_event_attr *attr, const char *name,
                           char *ret_message)
{
    bool user = false, kernel = false, hypervisor = false;

    if (!*modifiers) { // it would exclude everything
        snprintf(ret_message, EVENT_REASON_MAX, "'%.60s': a modifier is missing: u, k or h", name);
        return -EINVAL;
    }
    for (const char *m = modifiers; *m; m++)
        switch (*m) {
        case 'u':
            user = true;
            break;
        case 'k':
            kernel = true;
            break;
        case 'h':
            hypervisor = true;
            break;
        default:
            snprintf(ret_message, EVENT_REASON_MAX,
                     "'%.60s': modifier '%c' is not known; u, k and h are", name, *m);
            return -EINVAL;
        }
    attr->exclude_user = !user;
    attr->exclude_kernel = !kernel;
    attr->exclude_hv = !hypervisor;
    return 0;
}

static int parse_event(const char *name, struct event_request *ret, char *ret_message)
{
    char base[EVENT_NAME_MAX];
    const char *colon = strchr(name, ':');
    size_t length = colon ? (size_t)(colon - name) : strlen(name);
    char *end;

    if (length == 0 || strlen(name) >= EVENT_NAME_MAX) {
        snprintf(ret_message, EVENT_REASON_MAX,
                 length ? "the event name '%.40s…' is too long"
                        : "an event name is missing in '%.40s'",
                 name);
        return -EINVAL;
    }
    snprintf(base, sizeof(base), "%.*s", (int)length, name);
    snprintf(ret->name, sizeof(ret->name), "%s", name);
    ret->attr = (struct perf_event_attr){.size = sizeof(ret->attr)};
    if (colon) {
        int r = parse_modifiers(colon + 1, &ret->attr, name, ret_message);

        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < N_KNOWN; i++)
        if (strcmp(base, known[i].name) == 0 ||
            (known[i].alias && strcmp(base, known[i].alias) == 0)) {
            ret->attr.type = known[i].type;
            ret->attr.config = known[i].config;
            return 0;
        }
    if (base[0] == 'r' && isxdigit((unsigned char)base[1]) && strlen(base) <= 17) {
        ret->attr.type = PERF_TYPE_RAW;
        ret->attr.config = strtoull(base + 1, &end, 16);
        if (!*end)
            return 0;
    }
    return unknown_event(base, ret_message);
}

static int add(struct event_list *l, const char *name, int group, char *ret_message)
{
    struct event_request *requests;
    int r;

    if (l->n >= EVENT_LIST_MAX) {
        snprintf(ret_message, EVENT_REASON_MAX, "more than %d events", EVENT_LIST_MAX);
        return -E2BIG;
    }
    requests = reallocarray(l->requests, l->n + 1, sizeof(*requests));
    if (!requests)
        return -ENOMEM;
    l->requests = requests;
    r = parse_event(name, &requests[l->n], ret_message);
    if (r < 0)
        return r;
    requests[l->n].group = group < 0 ? l->n_groups++ : group;
    l->n++;
    return 0;
}

static int brace_error(const char *text, char *ret_message)
{
    snprintf(ret_message, EVENT_REASON_MAX,
             "the braces of '%.100s' do not match: a group is written {a,b}", text);
    return -EINVAL;
}

int event_list_parse(const char *text, struct event_list *ret, char *ret_message)
{
    struct event_list l = {0};
    const char *p = text;
    int group = -1, r = 0; // group ≥ 0: inside braces

    snprintf(ret_message, EVENT_REASON_MAX, "out of memory");
    do {
        char name[EVENT_NAME_MAX + 1];
        size_t length;

        if (*p == '{') {
            if (group >= 0) {
                r = brace_error(text, ret_message);
                break;
            }
            group = l.n_groups++;
            p++;
        }
        length = strcspn(p, ",{}");
        snprintf(name, sizeof(name), "%.*s",
                 (int)(length > EVENT_NAME_MAX ? EVENT_NAME_MAX : length), p);
        r = add(&l, name, group, ret_message);
        p += length;
        if (r == 0 && *p == '}') {
            if (group < 0)
                r = brace_error(text, ret_message);
            group = -1;
            p++;
        }
        if (r == 0 && *p && *p != ',')
            r = brace_error(text, ret_message);
    } while (r == 0 && *p++ == ',');
    if (r == 0 && group >= 0)
        r = brace_error(text, ret_message);
    if (r < 0) {
        event_list_done(&l);
        return r;
    }
    *ret = l;
    return 0;
}
