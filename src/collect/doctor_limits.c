// SPDX-License-Identifier: Apache-2.0
// What there is room for.
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "collect/doctor_checks.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_EVENTS 10 // of event_list_default(false), a descriptor each on each CPU
#define OTHER_FILES    64 // sockets, pipes, files, and somewhat more

#define RING_KB 516 // the kernel's default: a page, and 512 KiB of stack samples on each CPU

void doctor_descriptors(const char *root, const struct doctor_look *l, struct finding *f)
{
    size_t needed = l->cpus * DEFAULT_EVENTS + OTHER_FILES;
    // The collector raises its own limit as far as it may.
    rlim_t limit = l->descriptors.rlim_max;

    (void)root;
    if (limit == RLIM_INFINITY || limit >= needed) {
        char text[32] = "without limit";

        if (limit != RLIM_INFINITY)
            snprintf(text, sizeof(text), "%llu", (unsigned long long)limit);
        doctor_found(f, FINDING_PASS, "%s; the default events on %zu CPU%s take %zu", text, l->cpus,
                     l->cpus == 1 ? "" : "s", l->cpus * DEFAULT_EVENTS);
        return;
    }
    doctor_found(f, FINDING_FAIL, "%llu, where the default events on %zu CPUs take %zu",
                 (unsigned long long)limit, l->cpus, needed);
    doctor_cost(f, "measuring the whole system does not start; fewer events or CPUs do");
    doctor_remedy(
        f, "in this shell: `sudo prlimit --nofile=%zu --pid $$`; of a service: LimitNOFILE=%zu",
        2 * needed, 2 * needed);
}

void doctor_memory(const char *root, const struct doctor_look *l, struct finding *f)
{
    long kb, paranoid = 2;
    int r = file_read_long(root, "/proc/sys/kernel/perf_event_mlock_kb", &kb);
    rlim_t own = l->locked_memory.rlim_cur;

    file_read_long(root, "/proc/sys/kernel/perf_event_paranoid", &paranoid);
    if (r < 0) {
        doctor_found(f, FINDING_UNKNOWN, "perf_event_mlock_kb cannot be read: %s", strerror(-r));
    } else if (l->cap_ipc_lock || paranoid < 0 || own == RLIM_INFINITY) {
        doctor_found(f, FINDING_PASS, "no limit on the memory of stack samples");
    } else if (kb >= RING_KB || own / 1024 >= l->cpus * RING_KB) {
        doctor_found(f, FINDING_PASS, "%ld KiB a CPU, and %llu KiB of your own, for stack samples",
                     kb, (unsigned long long)own / 1024);
    } else {
        doctor_found(f, FINDING_LIMITED,
                     "%ld KiB a CPU, and %llu KiB of your own, for stack samples", kb,
                     (unsigned long long)own / 1024);
        doctor_cost(f, "stack samples would be lost sooner under load; counters are not affected");
        doctor_remedy(f, "`sudo sysctl kernel.perf_event_mlock_kb=%d`", RING_KB);
    }
}

bool doctor_cgroup_mount(const char *root, char ret[DOCTOR_MOUNT_MAX])
{
    char path[PATH_MAX];
    cleanup_fclose FILE *file = NULL;
    cleanup_free char *line = NULL;
    size_t size = 0;

    if (snprintf(path, sizeof(path), "%s/proc/self/mountinfo", root) >= (int)sizeof(path))
        return false;
    file = fopen(path, "re");
    while (file && getline(&line, &size, file) > 0) {
        char place[DOCTOR_MOUNT_MAX];

        if (!strstr(line, " - cgroup2 ") || sscanf(line, "%*s %*s %*s %*s %255s", place) != 1)
            continue;
        text_copy(ret, DOCTOR_MOUNT_MAX, place);
        return true;
    }
    return false;
}

void doctor_cgroup(const char *root, const struct doctor_look *l, struct finding *f)
{
    char mount[DOCTOR_MOUNT_MAX], path[DOCTOR_MOUNT_MAX + 32], controllers[512] = "";

    if (!doctor_cgroup_mount(root, mount)) {
        doctor_found(f, FINDING_LIMITED, "cgroup v2 is not mounted");
        doctor_cost(f, "containers and services cannot be measured as such (-G)");
        doctor_remedy(f, "`sudo mkdir -p /sys/fs/cgroup/unified && sudo mount -t cgroup2 none "
                         "/sys/fs/cgroup/unified`");
        return;
    }
    snprintf(path, sizeof(path), "%s/cgroup.controllers", mount);
    file_read(root, path, controllers, sizeof(controllers));
    if (l->cgroup == 0) {
        doctor_found(f, FINDING_PASS, "v2 at %s (controllers: %s)", mount,
                     controllers[0] ? controllers : "none");
    } else if (l->cgroup == -ENOENT || l->cgroup == -EBADF) {
        doctor_found(f, FINDING_LIMITED, "v2 at %s, which perf events do not know", mount);
        doctor_cost(f, "containers and services cannot be measured as such (-G)");
        doctor_remedy(
            f, "enable any controller there: `echo +%.*s | sudo tee %s/cgroup.subtree_control`",
            controllers[0] ? (int)strcspn(controllers, " ") : 4,
            controllers[0] ? controllers : "pids", mount);
    } else {
        doctor_found(f, FINDING_LIMITED, "v2 at %s, not to be measured: %s", mount,
                     strerror(-l->cgroup));
        doctor_cost(f, "containers and services cannot be measured as such (-G)");
        doctor_remedy(f, doctor_denied(l->cgroup) ? "`sudo cyclescope`: see permission" : "");
    }
}
