// SPDX-License-Identifier: Apache-2.0
#include "collect/pmu.h"

#include "base/file.h"
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES   128 // "events/", a name of PMU_NAME_MAX, ".scale"
#define PATH_BYTES   256
#define FORMAT_BYTES 128  // "config:0-7,32-35"
#define CPUS_BYTES   8192 // as many as file_read_cpus() takes

bool pmu_name_valid(const char *name)
{
    if (!*name || *name == '.' || strlen(name) >= PMU_NAME_MAX)
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("_-.", *name))
            return false;
    return true;
}

static void path_of(const struct pmu *pmu, const char *file, char ret[PATH_BYTES])
{
    snprintf(ret, PATH_BYTES, PMU_DEVICES "/%s/%.*s", pmu->name, FILE_BYTES, file);
}

static int read_file(const struct pmu *pmu, const char *file, char *ret, size_t size)
{
    char path[PATH_BYTES];

    path_of(pmu, file, path);
    return file_read(pmu->root, path, ret, size);
}

// `cpumask` of what is counted once for several CPUs, `cpus` of a core type.
static int read_cpus(struct pmu *pmu)
{
    static const char *const files[] = {"cpumask", "cpus"};
    char text[CPUS_BYTES];
    int r;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (read_file(pmu, files[i], text, sizeof(text)) < 0)
            continue;
        r = parse_cpu_list(text, &pmu->cpus, &pmu->n_cpus);
        if (r < 0)
            return r;
        pmu->typed = i == 1;
        if (pmu->n_cpus)
            return 0;
        free(pmu->cpus); // a mask of none is no mask
        pmu->cpus = NULL;
    }
    return 0;
}

int pmu_open(const char *root, const char *name, struct pmu *ret)
{
    struct pmu pmu = {.root = root};
    char text[32];
    uint64_t type;
    int r;

    if (!pmu_name_valid(name))
        return -ENOENT;
    snprintf(pmu.name, sizeof(pmu.name), "%s", name);
    r = read_file(&pmu, "type", text, sizeof(text));
    if (r < 0)
        return r;
    if (parse_u64(text, &type) < 0 || type > UINT32_MAX)
        return -EINVAL;
    pmu.type = (uint32_t)type;
    r = read_cpus(&pmu);
    if (r < 0)
        return r;
    pmu.core = pmu.typed || strcmp(name, "cpu") == 0;
    *ret = pmu;
    return 0;
}

void pmu_done(struct pmu *pmu)
{
    free(pmu->cpus);
    *pmu = (struct pmu){0};
}

bool pmu_has_event(const struct pmu *pmu, const char *event)
{
    char file[FILE_BYTES], text[2];

    if (!pmu_name_valid(event))
        return false;
    snprintf(file, sizeof(file), "events/%s", event);
    return read_file(pmu, file, text, sizeof(text)) >= 0;
}

// A figure is written in C's way, whatever the locale: nobody sets one here.
static int read_scale(const struct pmu *pmu, const char *event, double *ret)
{
    char file[FILE_BYTES], text[64], *end;
    double scale;

    snprintf(file, sizeof(file), "events/%s.scale", event);
    if (read_file(pmu, file, text, sizeof(text)) < 0)
        return 0;
    scale = strtod(text, &end);
    if (end == text || *end || !isfinite(scale) || scale <= 0)
        return -EINVAL;
    *ret = scale;
    return 0;
}

// A snapshot is the level of something (the occupancy of a cache): differences of it count nothing.
static bool is_level(const struct pmu *pmu, const char *event)
{
    char file[FILE_BYTES], text[8];

    snprintf(file, sizeof(file), "events/%s.snapshot", event);
    return read_file(pmu, file, text, sizeof(text)) >= 0 && strcmp(text, "1") == 0;
}

int pmu_event(const struct pmu *pmu, const char *event, char *ret_terms, size_t size,
              struct event_request *r)
{
    char file[FILE_BYTES], unit[EVENT_UNIT_MAX];
    int length;

    if (!pmu_name_valid(event))
        return -ENOENT;
    snprintf(file, sizeof(file), "events/%s", event);
    length = read_file(pmu, file, ret_terms, size);
    if (length < 0)
        return -ENOENT;
    if (is_level(pmu, event))
        return -EDOM;
    if (length == 0 || (size_t)length == size - 1 || read_scale(pmu, event, &r->scale) < 0)
        return -EINVAL;
    for (const char *p = ret_terms; *p; p++)
        if (!isprint((unsigned char)*p))
            return -EINVAL;
    snprintf(file, sizeof(file), "events/%s.unit", event);
    if (read_file(pmu, file, unit, sizeof(unit)) < 0)
        return 0;
    for (char *p = unit; *p; p++)
        if (!isprint((unsigned char)*p))
            return -EINVAL;
    memcpy(r->unit, unit, sizeof(unit));
    return 0;
}

static int read_bit(const char **p)
{
    int bit = 0, digits = 0;

    for (; isdigit((unsigned char)**p) && digits < 3; (*p)++, digits++)
        bit = 10 * bit + (**p - '0');
    return digits && bit < 64 ? bit : -1;
}

// `bits`: "0-7,32-35", lowest bits of the value first. What they hold is or-ed in, as perf does.
static int scatter(const char *bits, uint64_t value, uint64_t *word)
{
    unsigned width = 0;
    uint64_t placed = 0;

    do {
        int first = read_bit(&bits), last = first;

        if (first >= 0 && *bits == '-') {
            bits++;
            last = read_bit(&bits);
        }
        if (first < 0 || last < first)
            return -EINVAL;
        for (int bit = first; bit <= last; bit++, width++)
            if (width < 64 && value >> width & 1)
                placed |= UINT64_C(1) << bit;
    } while (*bits++ == ',');
    if (bits[-1])
        return -EINVAL;
    if (width < 64 && value >> width)
        return -ERANGE;
    *word |= placed;
    return 0;
}

int pmu_set_format(const struct pmu *pmu, const char *format, uint64_t value,
                   struct perf_event_attr *attr)
{
    char file[FILE_BYTES], text[FORMAT_BYTES];
    uint64_t word;
    char *bits;
    int r;

    if (!pmu_name_valid(format))
        return -ENOENT;
    snprintf(file, sizeof(file), "format/%s", format);
    if (read_file(pmu, file, text, sizeof(text)) < 0)
        return -ENOENT;
    bits = strchr(text, ':');
    if (!bits)
        return -EINVAL;
    *bits++ = '\0';
    word = strcmp(text, "config") == 0    ? attr->config
           : strcmp(text, "config1") == 0 ? attr->config1
                                          : attr->config2;
    r = scatter(bits, value, &word);
    if (r < 0)
        return r;
    if (strcmp(text, "config") == 0)
        attr->config = word;
    else if (strcmp(text, "config1") == 0)
        attr->config1 = word;
    else if (strcmp(text, "config2") == 0)
        attr->config2 = word;
    else
        return -EINVAL;
    return 0;
}

void pmu_formats(const struct pmu *pmu, const char *between, char *ret, size_t size)
{
    char path[PATH_BYTES], **names;
    size_t n, at = 0;

    ret[0] = '\0';
    path_of(pmu, "format", path);
    if (file_names(pmu->root, path, &names, &n) < 0)
        return;
    for (size_t i = 0; i < n && at < size; i++)
        at += (size_t)snprintf(ret + at, size - at, "%s%s", i ? between : "", names[i]);
    file_names_free(names, n);
}

static bool is_attribute(const char *name)
{
    static const char *const endings[] = {".unit", ".scale", ".per-pkg", ".snapshot"};
    size_t length = strlen(name);

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (length > strlen(endings[i]) &&
            strcmp(name + length - strlen(endings[i]), endings[i]) == 0)
            return true;
    return false;
}

int pmu_events(const struct pmu *pmu, char ***ret_names, size_t *ret_n)
{
    char path[PATH_BYTES], **names;
    size_t n, kept = 0;
    int r;

    path_of(pmu, "events", path);
    r = file_names(pmu->root, path, &names, &n);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++)
        if (pmu_name_valid(names[i]) && !is_attribute(names[i]))
            names[kept++] = names[i];
        else
            free(names[i]);
    *ret_names = names;
    *ret_n = kept;
    return 0;
}

int pmu_each(const char *root, int (*each)(void *context, const struct pmu *pmu), void *context)
{
    char **names;
    size_t n;
    int r = file_names(root, PMU_DEVICES, &names, &n);

    if (r < 0)
        return r == -ENOMEM ? r : 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        struct pmu pmu;

        if (pmu_open(root, names[i], &pmu) < 0)
            continue;
        r = each(context, &pmu);
        pmu_done(&pmu);
    }
    file_names_free(names, n);
    return r;
}
