// SPDX-License-Identifier: Apache-2.0
#include "stream/event_name.h"

#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>

static const char *const hardware[] = {
    "cycles",
    "instructions",
    "cache-references",
    "cache-misses",
    "branches",
    "branch-misses",
    "bus-cycles",
    "stalled-cycles-frontend",
    "stalled-cycles-backend",
    "ref-cycles",
};

static const char *const software[] = {
    "cpu-clock",        "task-clock",   "page-faults",  "context-switches",
    "cpu-migrations",   "minor-faults", "major-faults", "alignment-faults",
    "emulation-faults", "dummy",        "bpf-output",   "cgroup-switches",
};

static const char *const caches[] = {"L1-dcache", "L1-icache", "LLC", "dTLB",
                                     "iTLB",      "branch",    "node"};
static const char *const operations[] = {"load", "store", "prefetch"};
static const char *const operations_plural[] = {"loads", "stores", "prefetches"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void cache_name(uint64_t config, char ret[EVENT_NAME_MAX])
{
    uint64_t cache = config & 0xff, operation = config >> 8 & 0xff, result = config >> 16 & 0xff;

    if (cache >= COUNT(caches) || operation >= COUNT(operations) || result > 1)
        snprintf(ret, EVENT_NAME_MAX, "hw-cache/config=0x%" PRIx64 "/", config);
    else if (result)
        snprintf(ret, EVENT_NAME_MAX, "%s-%s-misses", caches[cache], operations[operation]);
    else
        snprintf(ret, EVENT_NAME_MAX, "%s-%s", caches[cache], operations_plural[operation]);
}

static void base_name(const struct event_attr *attr, char ret[EVENT_NAME_MAX])
{
    // On a machine with several kinds of cores, the upper half of these two types' config is the
    // PMU.
    uint64_t generic = attr->config & UINT32_MAX;

    if (attr->type == PERF_TYPE_HARDWARE && generic < COUNT(hardware))
        snprintf(ret, EVENT_NAME_MAX, "%s", hardware[generic]);
    else if (attr->type == PERF_TYPE_SOFTWARE && attr->config < COUNT(software))
        snprintf(ret, EVENT_NAME_MAX, "%s", software[attr->config]);
    else if (attr->type == PERF_TYPE_HW_CACHE)
        cache_name(generic, ret);
    else if (attr->type == PERF_TYPE_RAW)
        snprintf(ret, EVENT_NAME_MAX, "raw 0x%" PRIx64, attr->config);
    else if (attr->type == PERF_TYPE_TRACEPOINT)
        snprintf(ret, EVENT_NAME_MAX, "tracepoint %" PRIu64, attr->config);
    else if (attr->type == PERF_TYPE_HARDWARE)
        snprintf(ret, EVENT_NAME_MAX, "unknown-hardware %" PRIu64, attr->config);
    else if (attr->type == PERF_TYPE_SOFTWARE)
        snprintf(ret, EVENT_NAME_MAX, "unknown-software %" PRIu64, attr->config);
    else
        snprintf(ret, EVENT_NAME_MAX, "type%" PRIu32 "/config=0x%" PRIx64 "/", attr->type,
                 attr->config);
}

void event_name(const struct event_attr *attr, char ret[EVENT_NAME_MAX])
{
    char modifiers[16] = "";
    size_t n = 0;
    bool guest_excluded_by_default = false;

    base_name(attr, ret);
    if (attr->exclude_kernel || attr->exclude_user || attr->exclude_hv) {
        if (!attr->exclude_kernel)
            modifiers[n++] = 'k';
        if (!attr->exclude_user)
            modifiers[n++] = 'u';
        if (!attr->exclude_hv)
            modifiers[n++] = 'h';
        guest_excluded_by_default = true;
    }
    for (unsigned i = 0; i < attr->precise_ip && i < 3; i++) {
        modifiers[n++] = 'p';
        guest_excluded_by_default = true;
    }
    if (attr->exclude_host || attr->exclude_guest == guest_excluded_by_default) {
        if (!attr->exclude_host)
            modifiers[n++] = 'H';
        if (!attr->exclude_guest)
            modifiers[n++] = 'G';
    }
    if (n) {
        size_t length = strlen(ret);

        snprintf(ret + length, EVENT_NAME_MAX - length, ":%.*s", (int)n, modifiers);
    }
}

struct event_attr event_name_attr(uint32_t type, uint64_t config, const char *name)
{
    // perf stat counts the host only, unless told otherwise; any other modifier counts as that.
    struct event_attr attr = {.type = type, .config = config, .exclude_guest = true};
    const char *colon = strrchr(name, ':'), *slash = strrchr(name, '/');
    const char *modifiers = slash && slash > (colon ? colon : name) ? slash + 1
                            : colon                                 ? colon + 1
                                                                    : "";
    bool user = strchr(modifiers, 'u'), kernel = strchr(modifiers, 'k'),
         hv = strchr(modifiers, 'h'), guest = strchr(modifiers, 'G'), host = strchr(modifiers, 'H');

    // A tracepoint's name has a colon of its own; elsewhere a text that holds other letters is no
    // modifier either.
    if (modifiers[strspn(modifiers, "ukhGHpPSDIWe")] != '\0' ||
        (type == PERF_TYPE_TRACEPOINT && strchr(name, ':') == colon))
        return attr;
    if (user || kernel || hv) {
        attr.exclude_user = !user;
        attr.exclude_kernel = !kernel;
        attr.exclude_hv = !hv;
        attr.exclude_guest = false;
    }
    if (guest || host) {
        attr.exclude_guest = !guest;
        attr.exclude_host = !host;
    }
    for (const char *p = strchr(modifiers, 'p'); p && *p == 'p' && attr.precise_ip < 3; p++)
        attr.precise_ip++;
    if (attr.precise_ip && !host)
        attr.exclude_guest = false;
    return attr;
}
