// SPDX-License-Identifier: Apache-2.0
// Targets that are CPUs. Those that are tasks: target_tasks.c; cgroups: cgroup.c.
#include "collect/target.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/parse.h"
#include "collect/target_private.h"

#include <errno.h>
#include <string.h>

int target_fail(int error, char *ret_message, const char *what)
{
    snprintf(ret_message, EVENT_REASON_MAX, "%s: %s", what, strerror(-error));
    return error;
}

void target_done(struct target *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n_tasks; i++)
        if (t->tasks[i].pidfd >= 0)
            close(t->tasks[i].pidfd);
    for (size_t i = 0; i < t->n_cgroups; i++) {
        if (t->cgroups[i].fd >= 0)
            close(t->cgroups[i].fd);
        free(t->cgroups[i].path);
    }
    if (t->ends >= 0)
        close(t->ends);
    core_types_done(&t->cores);
    free(t->cpus);
    free(t->asked);
    free(t->cgroups);
    free(t->tasks);
    free(t->known);
    free(t->threads);
    *t = TARGET_NONE;
}

int target_read_cpus(struct target *t, char *ret_message)
{
    cleanup_free int *possible = NULL;
    size_t n;
    int r = file_read_cpus("", "possible", &possible, &n);

    if (r == 0 && n == 0)
        r = -EINVAL;
    if (r < 0)
        return target_fail(r, ret_message, "/sys/devices/system/cpu/possible");
    t->n_possible = (size_t)possible[n - 1] + 1;
    r = file_read_cpus("", "online", &t->cpus, &t->n_cpus);
    if (r < 0)
        return target_fail(r, ret_message, "/sys/devices/system/cpu/online");
    r = core_types_read("", &t->cores);
    return r < 0 ? target_fail(r, ret_message, PMU_DEVICES) : 0;
}

static bool contains(const int *cpus, size_t n, int cpu)
{
    for (size_t i = 0; i < n; i++)
        if (cpus[i] == cpu)
            return true;
    return false;
}

// Keeps those of `cpus` that were asked for.
static size_t narrow(const struct target *t, int *cpus, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (cpus[i] < (int)t->n_possible && (!t->asked || contains(t->asked, t->n_asked, cpus[i])))
            cpus[kept++] = cpus[i];
    return kept;
}

int target_choose_cpus(struct target *t, const char *cpu_list, char *ret_message)
{
    int r = parse_cpu_list(cpu_list, &t->asked, &t->n_asked);

    if (r < 0 || t->n_asked == 0) {
        snprintf(ret_message, EVENT_REASON_MAX, "'%.60s' is not a CPU list such as 0,2-3",
                 cpu_list);
        return -EINVAL;
    }
    for (size_t i = 0; i < t->n_asked; i++)
        if (!contains(t->cpus, t->n_cpus, t->asked[i])) {
            snprintf(ret_message, EVENT_REASON_MAX, "CPU %d is not online on this machine",
                     t->asked[i]);
            return -ENODEV;
        }
    t->n_cpus = narrow(t, t->cpus, t->n_cpus);
    return 0;
}

int target_system(const char *cpu_list, struct target *ret, char *ret_message)
{
    struct target t = {.kind = TARGET_SYSTEM, .ends = -1, .text = "the whole system"};
    int r = target_read_cpus(&t, ret_message);

    if (r == 0 && cpu_list) {
        t.kind = TARGET_CPUS;
        snprintf(t.text, sizeof(t.text), "CPUs %.100s", cpu_list);
        r = target_choose_cpus(&t, cpu_list, ret_message);
    }
    if (r < 0) {
        target_done(&t);
        return r;
    }
    *ret = t;
    return 0;
}

size_t target_rows(const struct target *t)
{
    return target_is_tasks(t) ? t->n_threads : t->n_possible;
}

bool target_place(const struct target *t, size_t row, pid_t *ret_pid, int *ret_cpu)
{
    if (target_is_tasks(t)) {
        *ret_pid = t->threads[row].tid;
        *ret_cpu = -1;
        return true;
    }
    *ret_pid = -1;
    *ret_cpu = (int)row;
    return contains(t->cpus, t->n_cpus, (int)row);
}

int target_online(struct target *t, const char *online)
{
    int *cpus;
    size_t n;
    int r = parse_cpu_list(online, &cpus, &n);

    if (r < 0)
        return r;
    free(t->cpus);
    t->cpus = cpus;
    t->n_cpus = narrow(t, cpus, n);
    return 0;
}
