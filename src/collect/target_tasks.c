// SPDX-License-Identifier: Apache-2.0
// Targets that are processes or threads: who they are, which threads they have, when they end.
#include "base/file.h"
#include "base/parse.h"
#include "base/text.h"
#include "collect/target_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TID_MAX       (1 << 22) // the kernel's PID_MAX_LIMIT
#define PIDFD_OF_TASK O_EXCL    // PIDFD_THREAD, since Linux 6.9

static void read_comm(pid_t tid, char ret[TARGET_COMM_MAX])
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/comm", tid);
    if (file_read("", path, ret, TARGET_COMM_MAX) < 0)
        ret[0] = '\0';
}

static bool knows_thread(const struct target *t, pid_t tid)
{
    return t->known[tid / 8] & 1 << tid % 8;
}

static int add_thread(struct target *t, pid_t tid)
{
    struct target_thread *threads;

    if (t->n_threads >= TARGET_THREADS_MAX)
        return -E2BIG;
    threads = reallocarray(t->threads, t->n_threads + 1, sizeof(*threads));
    if (!threads)
        return -ENOMEM;
    t->threads = threads;
    threads[t->n_threads] = (struct target_thread){.tid = tid};
    read_comm(tid, threads[t->n_threads].comm);
    t->known[tid / 8] |= (unsigned char)(1 << tid % 8);
    t->n_threads++;
    return 0;
}

static int find_threads_of(struct target *t, pid_t pid)
{
    char path[64];
    DIR *directory;
    struct dirent *entry;
    int found = 0;

    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    directory = opendir(path);
    if (!directory)
        return -errno;
    while (found >= 0 && (entry = readdir(directory))) {
        uint64_t tid;
        int r;

        if (parse_u64(entry->d_name, &tid) < 0 || tid >= TID_MAX || knows_thread(t, (pid_t)tid))
            continue;
        r = add_thread(t, (pid_t)tid);
        found = r < 0 ? r : found + 1;
    }
    closedir(directory);
    return found;
}

int target_find_threads(struct target *t)
{
    int found = 0, living = 0;

    if (t->kind == TARGET_THREADS)
        return 0;
    for (size_t i = 0; i < t->n_tasks; i++) {
        int r = find_threads_of(t, t->tasks[i].pid);

        if (r < 0 && r != -ENOENT && r != -ESRCH)
            return r;
        living += r >= 0;
        found += r > 0 ? r : 0;
    }
    return living ? found : -ESRCH;
}

// A descriptor that becomes readable when the task ends. Before Linux 6.9 there is none for a
// thread: one of our own, which target_poll_threads() makes so, and the thread's process.
static int open_pidfd(pid_t pid, bool thread, pid_t *ret_process)
{
    char path[64], tgid[16];
    uint64_t process;
    int fd = (int)syscall(SYS_pidfd_open, pid, thread ? PIDFD_OF_TASK : 0);

    *ret_process = 0;
    if (fd >= 0 || !thread || errno != EINVAL || pid <= 0)
        return fd < 0 ? -errno : fd;
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    file_read_field("", path, "Tgid", tgid, sizeof(tgid));
    if (parse_u64(tgid, &process) < 0)
        return -ESRCH;
    *ret_process = (pid_t)process;
    fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void target_poll_threads(struct target *t)
{
    for (size_t i = 0; i < t->n_tasks; i++) {
        const struct target_task *task = &t->tasks[i];

        // Who may not send it a signal is told so, as long as it lives.
        if (task->process && task->pidfd >= 0 &&
            syscall(SYS_tgkill, task->process, task->pid, 0) < 0 && errno == ESRCH)
            eventfd_write(task->pidfd, 1);
    }
}

static int add_task(struct target *t, pid_t pid)
{
    bool thread = t->kind == TARGET_THREADS;
    struct target_task *task = &t->tasks[t->n_tasks];
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = t->n_tasks};
    int r;

    for (size_t i = 0; i < t->n_tasks; i++)
        if (t->tasks[i].pid == pid) // named twice is counted once
            return 0;
    *task = (struct target_task){.pid = pid};
    task->pidfd = open_pidfd(pid, thread, &task->process);
    if (task->pidfd < 0)
        return task->pidfd;
    t->n_tasks++;
    t->n_alive++;
    if (poll(&(struct pollfd){.fd = task->pidfd, .events = POLLIN}, 1, 0) == 1)
        return -ESRCH; // it has ended, and nobody has waited for it yet
    if (epoll_ctl(t->ends, EPOLL_CTL_ADD, task->pidfd, &event) < 0)
        return -errno;
    if (pid >= TID_MAX)
        return -ESRCH;
    r = thread ? add_thread(t, pid) : find_threads_of(t, pid);
    if (!thread && r == 0)
        return -ESRCH;
    read_comm(pid, task->comm);
    return r < 0 ? r : 0;
}

static void describe(struct target *t, const char *one, const char *several)
{
    size_t used;

    if (t->n_tasks == 1) {
        snprintf(t->text, sizeof(t->text), "%s %d (%s)", one, t->tasks[0].pid, t->tasks[0].comm);
        return;
    }
    used = (size_t)snprintf(t->text, sizeof(t->text), "%zu %s:", t->n_tasks, several);
    for (size_t i = 0; i < t->n_tasks && used < sizeof(t->text); i++)
        used += (size_t)snprintf(t->text + used, sizeof(t->text) - used, "%s %d (%s)", i ? "," : "",
                                 t->tasks[i].pid, t->tasks[i].comm);
}

static int explain(int error, const char *one, pid_t pid, char *ret_message)
{
    if (error == -ESRCH || error == -EINVAL || error == -ENOENT)
        snprintf(ret_message, EVENT_REASON_MAX, "there is no %s with %s %d", one,
                 strcmp(one, "thread") == 0 ? "TID" : "PID", pid);
    else if (error == -E2BIG)
        snprintf(ret_message, EVENT_REASON_MAX,
                 "%s %d: more than %d threads; measure fewer processes, or a cgroup (-G)", one, pid,
                 TARGET_THREADS_MAX);
    else
        target_fail(error, ret_message, one);
    return error;
}

static int open_tasks(enum target_kind kind, const pid_t *pids, size_t n, struct target *ret,
                      char *ret_message)
{
    struct target t = {.kind = kind, .ends = -1};
    const char *one = kind == TARGET_THREADS ? "thread" : "process";
    int r = target_read_cpus(&t, ret_message);

    if (r < 0) {
        target_done(&t);
        return r;
    }
    t.tasks = calloc(n, sizeof(*t.tasks));
    t.known = calloc(TID_MAX / 8, 1);
    t.ends = epoll_create1(EPOLL_CLOEXEC);
    r = !t.tasks || !t.known ? -ENOMEM : t.ends < 0 ? -errno : 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        r = add_task(&t, pids[i]);
        if (r < 0)
            explain(r, one, pids[i], ret_message);
    }
    if (r < 0) {
        if (t.n_tasks == 0 && r == -ENOMEM)
            target_fail(r, ret_message, one);
        target_done(&t);
        return r;
    }
    describe(&t, one, kind == TARGET_THREADS ? "threads" : "processes");
    *ret = t;
    return 0;
}

int target_processes(const pid_t *pids, size_t n, struct target *ret, char *ret_message)
{
    return open_tasks(TARGET_PROCESS, pids, n, ret, ret_message);
}

int target_threads(const pid_t *tids, size_t n, struct target *ret, char *ret_message)
{
    return open_tasks(TARGET_THREADS, tids, n, ret, ret_message);
}

int target_command(pid_t pid, const char *name, struct target *ret, char *ret_message)
{
    int r = open_tasks(TARGET_COMMAND, &pid, 1, ret, ret_message);

    if (r < 0)
        return r;
    // Until its exec it has our name.
    text_copy(ret->threads[0].comm, TARGET_COMM_MAX, basename(name));
    snprintf(ret->text, sizeof(ret->text), "command '%.100s'", name);
    return 0;
}

bool target_take_end(struct target *t, size_t *ret_task)
{
    struct epoll_event event;

    if (t->ends < 0 || epoll_wait(t->ends, &event, 1, 0) != 1)
        return false;
    epoll_ctl(t->ends, EPOLL_CTL_DEL, t->tasks[event.data.u64].pidfd, NULL);
    close(t->tasks[event.data.u64].pidfd);
    t->tasks[event.data.u64].pidfd = -1;
    t->n_alive--;
    *ret_task = event.data.u64;
    return true;
}
