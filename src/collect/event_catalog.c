// SPDX-License-Identifier: Apache-2.0
#include "collect/event_catalog.h"

#include "base/file.h"
#include "collect/event_names.h"
#include "collect/pfm.h"
#include "collect/pmu.h"
#include "collect/tracepoint.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>

struct walk {
    catalog_function f;
    void *context;
};

static int generic_events(const struct walk *w, uint32_t type, enum catalog_source source)
{
    const struct event_name *known;
    int r = 0;

    for (size_t i = 0; r == 0 && (known = event_names_at(i)); i++)
        if (known->type == type)
            r = w->f(w->context, &(struct catalog_entry){.source = source,
                                                         .name = known->name,
                                                         .alias = known->alias,
                                                         .description = known->description});
    return r;
}

static int cache_events(const struct walk *w)
{
    char name[CACHE_EVENT_NAME_MAX];
    uint64_t config;
    int r = 0;

    for (size_t i = 0; r == 0 && event_names_cache_at(i, name, &config); i++)
        r = w->f(w->context,
                 &(struct catalog_entry){.source = CATALOG_CACHE, .name = name, .description = ""});
    return r;
}

static int named_events(const struct walk *w, const struct pmu *pmu)
{
    struct catalog_entry entry = {.source = CATALOG_PMU, .pmu = pmu->name};
    char **names;
    size_t n;
    int r = pmu_events(pmu, &names, &n);

    if (r < 0)
        return r == -ENOMEM ? r : 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        char name[2 * EVENT_NAME_MAX], terms[EVENT_NAME_MAX];
        char description[EVENT_UNIT_MAX + 8] = "";
        struct event_request request = {0};

        snprintf(name, sizeof(name), "%s/%s/", pmu->name, names[i]);
        int known = pmu_event(pmu, names[i], terms, sizeof(terms), &request);

        if (known == -EDOM)
            continue;
        if (known == 0 && request.unit[0])
            snprintf(description, sizeof(description), "in %s", request.unit);
        entry.name = name;
        entry.description = description;
        r = w->f(w->context, &entry);
    }
    file_names_free(names, n);
    return r;
}

static int events_of_pmu(void *context, const struct pmu *pmu)
{
    const struct walk *w = context;
    char formats[EVENT_NAME_MAX], name[2 * EVENT_NAME_MAX];
    int r = named_events(w, pmu);

    pmu_formats(pmu, "=…,", formats, sizeof(formats));
    if (r != 0 || !formats[0])
        return r;
    snprintf(name, sizeof(name), "%s/%s=…/", pmu->name, formats);
    return w->f(w->context, &(struct catalog_entry){.source = CATALOG_PMU,
                                                    .pmu = pmu->name,
                                                    .name = name,
                                                    .description = "any event, by the PMU's terms",
                                                    .pattern = true});
}

static int on_tracepoint(void *context, const char *system, const char *name)
{
    const struct walk *w = context;
    char full[2 * PMU_NAME_MAX];

    snprintf(full, sizeof(full), "%s:%s", system, name);
    return w->f(w->context, &(struct catalog_entry){
                                .source = CATALOG_TRACEPOINT, .name = full, .description = ""});
}

static int on_pfm(void *context, const char *pmu, const char *name, const char *description)
{
    const struct walk *w = context;

    return w->f(w->context,
                &(struct catalog_entry){
                    .source = CATALOG_PFM, .pmu = pmu, .name = name, .description = description});
}

int event_catalog(const char *root, unsigned sources, catalog_function f, void *context)
{
    struct walk w = {f, context};
    int r = 0;

    if (sources & CATALOG_HARDWARE)
        r = generic_events(&w, PERF_TYPE_HARDWARE, CATALOG_HARDWARE);
    if (r == 0 && sources & CATALOG_CACHE)
        r = cache_events(&w);
    if (r == 0 && sources & CATALOG_SOFTWARE)
        r = generic_events(&w, PERF_TYPE_SOFTWARE, CATALOG_SOFTWARE);
    if (r == 0 && sources & CATALOG_PMU)
        r = pmu_each(root, events_of_pmu, &w);
    if (r == 0 && sources & CATALOG_TRACEPOINT) {
        r = tracepoint_each(root, NULL, NULL, on_tracepoint, &w);
        r = r < 0 && r != -ENOMEM ? 0 : r;
    }
    if (r == 0 && sources & CATALOG_PFM)
        r = pfm_each(on_pfm, &w);
    return r;
}
