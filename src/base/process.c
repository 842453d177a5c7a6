// SPDX-License-Identifier: Apache-2.0
#include "base/process.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

// In the child: only async-signal-safe calls.
static void become(const char *const argv[], int input)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(input, STDIN_FILENO) < 0)
        return;
    syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    // execv's type promises less than it keeps: the words are not changed.
    execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
}

int process_spawn_self(const char *const argv[], int input, pid_t *ret_pid, int *ret_pidfd)
{
    pid_t pid = fork();
    int fd;

    if (pid < 0)
        return -errno;
    if (pid == 0) {
        become(argv, input);
        _exit(127);
    }
    fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) {
        int r = -errno;

        kill(pid, SIGKILL);
        return r;
    }
    *ret_pid = pid;
    *ret_pidfd = fd;
    return 0;
}

ns_t process_cpu_time(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t process_resident_bytes(void)
{
    char text[128];
    long total, resident;

    if (file_read("", "/proc/self/statm", text, sizeof(text)) < 0 ||
        sscanf(text, "%ld %ld", &total, &resident) != 2)
        return -1;
    return (int64_t)resident * sysconf(_SC_PAGESIZE);
}

void process_raise_priority(void)
{
    // The least real-time priority is above every ordinary thread, and below what others set higher
    // on purpose.
    struct sched_param param = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};

    sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
    prctl(PR_SET_TIMERSLACK, 1UL);
}

int process_end_signals(void)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void process_raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}
