// SPDX-License-Identifier: Apache-2.0
// Targets that are cgroups v2. perf_event_open(2) takes a descriptor of the cgroup's folder.
#include "base/cleanup.h"
#include "collect/perf_event.h"
#include "collect/target_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Where cgroup2 is mounted, in /proc/self/mountinfo. proc(5): "36 35 98:0 /root /point opts … -
// type source options". 0, or -ENOENT.
static int find_mount(char ret[PATH_MAX])
{
    cleanup_free char *line = NULL;
    size_t size = 0;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    int r = -ENOENT;

    if (!file)
        return -errno;
    while (r < 0 && getline(&line, &size, file) > 0) {
        char *rest = line, *field = NULL;

        if (!strstr(line, " - cgroup2 "))
            continue;
        for (int i = 0; i < 5; i++)
            field = strsep(&rest, " ");
        if (field) {
            snprintf(ret, PATH_MAX, "%s", field);
            r = 0;
        }
    }
    fclose(file);
    return r;
}

// The kernel attaches perf to the hierarchy when the first controller is enabled in it.
static bool has_counters(int fd, int cpu)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                   .size = sizeof(attr),
                                   .config = PERF_COUNT_SW_DUMMY,
                                   .disabled = 1};
    int event = perf_event_open(&attr, fd, cpu, -1, PERF_FLAG_PID_CGROUP);

    if (event >= 0)
        close(event);
    return event != -ENOENT;
}

static int add(struct target *t, const char *mount, const char *path, char *ret_message)
{
    struct target_cgroup *c = &t->cgroups[t->n_cgroups];
    char full[2 * PATH_MAX];
    size_t length = strlen(mount);

    // A path that begins with the mount is complete.
    if (strncmp(path, mount, length) == 0 && (path[length] == '/' || !path[length]))
        path += length;
    while (*path == '/')
        path++;
    snprintf(full, sizeof(full), "%s/%s", mount, path);
    *c = (struct target_cgroup){.path = strdup(*path ? path : "/"), .fd = -1};
    t->n_cgroups++;
    if (!c->path)
        return target_fail(-ENOMEM, ret_message, path);
    c->fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->fd < 0 && errno == ENOENT) {
        snprintf(ret_message, EVENT_REASON_MAX,
                 "there is no cgroup '%.80s' below %.60s; `systemd-cgls` shows them, or `ls`", path,
                 mount);
        return -ENOENT;
    }
    if (c->fd < 0)
        return target_fail(-errno, ret_message, full);
    if (t->n_cpus && !has_counters(c->fd, t->cpus[0])) {
        snprintf(ret_message, EVENT_REASON_MAX,
                 "cgroup %.60s: the kernel has no counters for it yet; write +cpu into "
                 "%.60s/cgroup.subtree_control, and start again",
                 c->path, mount);
        return -ENOENT;
    }
    return 0;
}

static void describe(struct target *t)
{
    size_t used =
        (size_t)snprintf(t->text, sizeof(t->text), t->n_cgroups == 1 ? "cgroup" : "cgroups");

    for (size_t i = 0; i < t->n_cgroups && used < sizeof(t->text); i++)
        used += (size_t)snprintf(t->text + used, sizeof(t->text) - used, "%s %s", i ? "," : "",
                                 t->cgroups[i].path);
}

int target_cgroups(const char *const *paths, size_t n, const char *cpu_list, struct target *ret,
                   char *ret_message)
{
    struct target t = {.kind = TARGET_CGROUPS, .ends = -1};
    char mount[PATH_MAX];
    int r = find_mount(mount);

    if (r < 0) {
        snprintf(ret_message, EVENT_REASON_MAX,
                 "-G: cgroup v2 is not mounted here; mount -t cgroup2 none /sys/fs/cgroup/unified");
        return r;
    }
    r = target_read_cpus(&t, ret_message);
    if (r == 0 && cpu_list)
        r = target_choose_cpus(&t, cpu_list, ret_message);
    if (r == 0 && !(t.cgroups = calloc(n, sizeof(*t.cgroups))))
        r = target_fail(-ENOMEM, ret_message, "-G");
    for (size_t i = 0; i < n && r == 0; i++)
        r = add(&t, mount, paths[i], ret_message);
    if (r < 0) {
        target_done(&t);
        return r;
    }
    describe(&t);
    *ret = t;
    return 0;
}
