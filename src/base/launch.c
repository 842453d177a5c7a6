// SPDX-License-Identifier: Apache-2.0
#include "base/launch.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEED_MS 2000 // that a command has to end after SIGTERM

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

// In the child: waits at the gate, then becomes the command. Async-signal-safe calls only, but for
// execvp, which in glibc allocates nothing.
static _Noreturn void become(char *const argv[], bool quiet, int gate, int error)
{
    char byte;
    ssize_t n;

    while ((n = read(gate, &byte, 1)) < 0 && errno == EINTR)
        ;
    if (n != 1) // the collector gave up, and has said why
        _exit(0);
    if (!quiet || dup2(STDERR_FILENO, STDOUT_FILENO) >= 0) {
        syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
        execvp(argv[0], argv);
    }
    n = write(error, &errno, sizeof(errno));
    _exit(n == sizeof(errno) ? LAUNCH_NOT_FOUND : LAUNCH_NOT_RUN);
}

int launch_open(char *const argv[], bool quiet, struct launch *ret)
{
    struct launch l = LAUNCH_NONE;
    int gate[2], error[2];

    if (pipe2(gate, O_CLOEXEC) < 0)
        return -errno;
    if (pipe2(error, O_CLOEXEC) < 0) {
        int r = -errno;

        close(gate[0]);
        close(gate[1]);
        return r;
    }
    l.gate = gate[1];
    l.error = error[0];
    l.pid = fork();
    if (l.pid == 0) {
        close(gate[1]);
        become(argv, quiet, gate[0], error[1]);
    }
    if (l.pid > 0)
        l.pidfd = (int)syscall(SYS_pidfd_open, l.pid, 0);
    if (l.pidfd < 0) {
        int r = -errno;

        l.pid = l.pid < 0 ? 0 : l.pid;
        launch_close(&l);
        close(gate[0]);
        close(error[1]);
        return r;
    }
    close(gate[0]);
    close(error[1]);
    // Whoever started us may ignore it, and then nothing would be left to wait for.
    signal(SIGCHLD, SIG_DFL);
    *ret = l;
    return 0;
}

void launch_go(struct launch *l)
{
    char byte = 1;

    if (l->gate >= 0 && write(l->gate, &byte, 1) < 0)
        launch_signal(l, SIGKILL);
    close_one(&l->gate);
}

void launch_signal(const struct launch *l, int number)
{
    if (l->pid > 0)
        kill(l->pid, number);
}

// Sees to it that waiting for it does not take for ever.
static void end(const struct launch *l)
{
    struct pollfd fd = {.fd = l->pidfd, .events = POLLIN};

    if (poll(&fd, 1, 0) == 1)
        return;
    launch_signal(l, SIGTERM);
    launch_signal(l, SIGCONT); // a stopped one heeds nothing
    while (poll(&fd, 1, HEED_MS) < 0 && errno == EINTR)
        ;
    if (!(fd.revents & POLLIN))
        launch_signal(l, SIGKILL);
}

int launch_reap(struct launch *l, int *ret_error)
{
    int status = 0, error = 0;

    *ret_error = 0;
    if (l->pid <= 0)
        return 0;
    end(l);
    while (waitpid(l->pid, &status, 0) < 0 && errno == EINTR)
        ;
    l->pid = 0;
    if (read(l->error, &error, sizeof(error)) == sizeof(error)) {
        *ret_error = error;
        return error == ENOENT ? LAUNCH_NOT_FOUND : LAUNCH_NOT_RUN;
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void launch_close(struct launch *l)
{
    int error;

    close_one(&l->gate);
    launch_reap(l, &error);
    close_one(&l->pidfd);
    close_one(&l->error);
}
