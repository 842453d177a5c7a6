// SPDX-License-Identifier: Apache-2.0
#include "collect/target.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

static int fail(int error, char *ret_message, const char *what)
{
    snprintf(ret_message, EVENT_REASON_MAX, "%s: %s", what, strerror(-error));
    return error;
}

void target_done(struct target *t)
{
    if (!t)
        return;
    free(t->cpus);
    free(t->threads);
    if (t->pidfd >= 0)
        close(t->pidfd);
    *t = (struct target){.pidfd = -1};
}

// Reads how many CPU numbers the machine can have, and which are online.
static int read_cpus(struct target *t, int **ret_online, size_t *ret_n, char *ret_message)
{
    cleanup_free int *possible = NULL;
    size_t n;
    int r = file_read_cpus("", "possible", &possible, &n);

    if (r == 0 && n == 0)
        r = -EINVAL;
    if (r < 0)
        return fail(r, ret_message, "/sys/devices/system/cpu/possible");
    t->n_possible = (size_t)possible[n - 1] + 1;
    r = file_read_cpus("", "online", ret_online, ret_n);
    return r < 0 ? fail(r, ret_message, "/sys/devices/system/cpu/online") : 0;
}

static bool contains(const int *cpus, size_t n, int cpu)
{
    for (size_t i = 0; i < n; i++)
        if (cpus[i] == cpu)
            return true;
    return false;
}

static int choose_cpus(struct target *t, const char *cpu_list, char *ret_message)
{
    cleanup_free int *asked = NULL;
    size_t n;
    int r = parse_cpu_list(cpu_list, &asked, &n);

    if (r < 0 || n == 0) {
        snprintf(ret_message, EVENT_REASON_MAX, "'%.60s' is not a CPU list such as 0,2-3",
                 cpu_list);
        return -EINVAL;
    }
    for (size_t i = 0; i < n; i++)
        if (!contains(t->cpus, t->n_cpus, asked[i])) {
            snprintf(ret_message, EVENT_REASON_MAX, "CPU %d is not online on this machine",
                     asked[i]);
            return -ENODEV;
        }
    free(t->cpus);
    t->cpus = take_ptr(asked);
    t->n_cpus = n;
    t->kind = TARGET_CPUS;
    snprintf(t->text, sizeof(t->text), "CPUs %.100s", cpu_list);
    return 0;
}

int target_system(const char *cpu_list, struct target *ret, char *ret_message)
{
    struct target t = {.kind = TARGET_SYSTEM, .pidfd = -1, .text = "the whole system"};
    int r = read_cpus(&t, &t.cpus, &t.n_cpus, ret_message);

    if (r == 0 && cpu_list)
        r = choose_cpus(&t, cpu_list, ret_message);
    if (r < 0) {
        target_done(&t);
        return r;
    }
    *ret = t;
    return 0;
}

int target_process(pid_t pid, struct target *ret, char *ret_message)
{
    struct target t = {.kind = TARGET_PROCESS, .pid = pid, .pidfd = -1};
    cleanup_free int *online = NULL;
    size_t n;
    int r = read_cpus(&t, &online, &n, ret_message);

    if (r < 0)
        return r;
    t.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    r = t.pidfd < 0 ? -errno : target_find_threads(&t);
    if (r == 0)
        r = -ESRCH; // it has ended, and nobody has waited for it yet
    if (r < 0) {
        target_done(&t);
        if (r == -ESRCH || r == -EINVAL || r == -ENOENT)
            snprintf(ret_message, EVENT_REASON_MAX, "there is no process with PID %d", pid);
        else
            fail(r, ret_message, "pidfd_open");
        return r;
    }
    snprintf(t.text, sizeof(t.text), "process %d (%s)", pid, t.threads[0].comm);
    *ret = t;
    return 0;
}

int target_command(pid_t pid, const char *name, struct target *ret, char *ret_message)
{
    int r = target_process(pid, ret, ret_message);

    if (r < 0)
        return r;
    ret->kind = TARGET_COMMAND;
    // Until its exec it has our name.
    text_copy(ret->threads[0].comm, TARGET_COMM_MAX, basename(name));
    snprintf(ret->text, sizeof(ret->text), "command '%.100s'", name);
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

static bool knows_thread(const struct target *t, pid_t tid)
{
    for (size_t i = 0; i < t->n_threads; i++)
        if (t->threads[i].tid == tid)
            return true;
    return false;
}

static int add_thread(struct target *t, pid_t tid)
{
    struct target_thread *threads;
    char path[64];

    if (t->n_threads >= TARGET_THREADS_MAX)
        return -E2BIG;
    threads = reallocarray(t->threads, t->n_threads + 1, sizeof(*threads));
    if (!threads)
        return -ENOMEM;
    t->threads = threads;
    threads[t->n_threads] = (struct target_thread){.tid = tid};
    snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", t->pid, tid);
    if (file_read("", path, threads[t->n_threads].comm, TARGET_COMM_MAX) < 0)
        threads[t->n_threads].comm[0] = '\0';
    t->n_threads++;
    return 0;
}

int target_find_threads(struct target *t)
{
    char path[64];
    DIR *directory;
    struct dirent *entry;
    int found = 0;

    snprintf(path, sizeof(path), "/proc/%d/task", t->pid);
    directory = opendir(path);
    if (!directory)
        return -errno;
    while ((entry = readdir(directory))) {
        uint64_t tid;
        int r;

        if (parse_u64(entry->d_name, &tid) < 0 || knows_thread(t, (pid_t)tid))
            continue;
        r = add_thread(t, (pid_t)tid);
        if (r < 0) {
            closedir(directory);
            return r;
        }
        found++;
    }
    closedir(directory);
    return found;
}
