// SPDX-License-Identifier: Apache-2.0
#include "collect/tracepoint.h"

#include "base/file.h"
#include "base/parse.h"
#include "collect/pmu.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>

#define PATH_BYTES 256

int tracepoint_folder(const char *root, const char **ret_path)
{
    static const char *const folders[] = {"/sys/kernel/tracing/events",
                                          "/sys/kernel/debug/tracing/events"};
    int result = -ENOENT;

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        char **names;
        size_t n;
        int r = file_names(root, folders[i], &names, &n);

        if (r == 0) {
            file_names_free(names, n);
            *ret_path = folders[i];
            return 0;
        }
        if (r == -EACCES)
            result = r;
    }
    return result;
}

int tracepoint_id(const char *root, const char *system, const char *name, uint64_t *ret_id)
{
    char path[PATH_BYTES], text[32];
    const char *folder;
    int r = tracepoint_folder(root, &folder);

    if (r < 0)
        return r;
    if (!pmu_name_valid(system) || !pmu_name_valid(name))
        return -ENOENT;
    snprintf(path, sizeof(path), "%s/%s/%s/id", folder, system, name);
    r = file_read(root, path, text, sizeof(text));
    if (r < 0)
        return r == -EACCES ? r : -ENOENT;
    return parse_u64(text, ret_id);
}

static int each_of_system(const char *root, const char *folder, const char *system,
                          const char *pattern, tracepoint_function f, void *context)
{
    char path[PATH_BYTES], **names;
    size_t n;
    int r;

    if (!pmu_name_valid(system))
        return 0;
    snprintf(path, sizeof(path), "%s/%s", folder, system);
    r = file_names(root, path, &names, &n);
    if (r < 0)
        return r == -ENOMEM ? r : 0; // a file beside the folders
    for (size_t i = 0; i < n && r == 0; i++) {
        char id[2 * PATH_BYTES], text[2];

        if (!pmu_name_valid(names[i]) || (pattern && fnmatch(pattern, names[i], 0) != 0))
            continue;
        // "enable" and "filter" stand beside the tracepoints.
        snprintf(id, sizeof(id), "%s/%s/id", path, names[i]);
        r = file_read(root, id, text, sizeof(text));
        r = r == -ENOENT || r == -ENOTDIR ? 0 : f(context, system, names[i]);
    }
    file_names_free(names, n);
    return r;
}

int tracepoint_each(const char *root, const char *system, const char *name, tracepoint_function f,
                    void *context)
{
    const char *folder;
    char **systems;
    size_t n;
    int r = tracepoint_folder(root, &folder);

    if (r == 0)
        r = file_names(root, folder, &systems, &n);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n && r == 0; i++)
        if (!system || fnmatch(system, systems[i], 0) == 0)
            r = each_of_system(root, folder, systems[i], name, f, context);
    file_names_free(systems, n);
    return r;
}
