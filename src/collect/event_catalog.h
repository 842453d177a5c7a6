// SPDX-License-Identifier: Apache-2.0
// The events that this machine has, by the names that -e takes.
#pragma once

#include <stdbool.h>

enum catalog_source {
    CATALOG_HARDWARE = 1,
    CATALOG_CACHE = 2,
    CATALOG_SOFTWARE = 4,
    CATALOG_PMU = 8, // named events of a PMU, and its name with its terms
    CATALOG_TRACEPOINT = 16,
    CATALOG_PFM = 32,
    CATALOG_ALL = 63,
};

struct catalog_entry {
    enum catalog_source source;
    const char *pmu;          // of CATALOG_PMU and CATALOG_PFM, else NULL
    const char *name, *alias; // alias: NULL without
    const char *description;  // "" without; any bytes
    bool pattern;             // the name is a pattern to fill in ("cpu/event=…,umask=…/")
};

// Calls f for every event of these sources, grouped by source and PMU, until it returns non-zero,
// which is returned. 0, or -ENOMEM. A folder that cannot be read has no events.
typedef int (*catalog_function)(void *context, const struct catalog_entry *entry);
int event_catalog(const char *root, unsigned sources, catalog_function f, void *context);
