// SPDX-License-Identifier: Apache-2.0
#include "cmd/csv_door.h"

#include "base/cleanup.h"
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define PATIENCE_MS 1000 // opening takes microseconds, where the file system still answers

struct csv_door {
    int socket; // -1: nobody is there
    bool owes;  // an answer to a question that was not waited for to the end
};

// What the process at the other end knows.
struct keeper {
    int socket;
    int folder;
    char name[NAME_MAX + 1];
    uid_t owner;
};

static int open_file(const struct keeper *k)
{
    // What is there is looked at first: opening a device does something.
    cleanup_close int there = openat(k->folder, k->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    char reopen[64];
    struct stat st;
    int fd;

    if (there < 0 || fstat(there, &st) < 0)
        return -errno;
    if (S_ISLNK(st.st_mode))
        return -ELOOP;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if (st.st_uid != k->owner)
        return -EPERM;
    if (st.st_nlink > 1)
        return -EMLINK;
    snprintf(reopen, sizeof(reopen), "/proc/self/fd/%d", there);
    fd = open(reopen, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

// An answer is 0 and a descriptor, or an errno.
static bool answer(const struct keeper *k)
{
    cleanup_close int fd = open_file(k);
    int32_t error = fd < 0 ? -fd : 0;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec text = {&error, sizeof(error)};
    struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1};

    if (fd >= 0) {
        struct cmsghdr *c = (struct cmsghdr *)control;

        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        *c = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    }
    return sendmsg(k->socket, &message, MSG_NOSIGNAL) == sizeof(error);
}

static _Noreturn void keep(const struct keeper *k)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    char question;

    // Pipes that others read to their end are not held open.
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    prctl(PR_SET_NAME, "cyclescope-door");
    if (sandbox_keep_reading() < 0)
        _exit(1);
    while (recv(k->socket, &question, 1, 0) == 1 && answer(k))
        ;
    _exit(0);
}

static bool name_file(const char *path, int fd, struct keeper *ret)
{
    cleanup_free char *real = realpath(path, NULL);
    char *slash = real ? strrchr(real, '/') : NULL;
    struct stat st, there;

    if (!slash || strlen(slash + 1) > NAME_MAX || fstat(fd, &st) < 0 || stat(real, &there) < 0 ||
        st.st_dev != there.st_dev || st.st_ino != there.st_ino)
        return false;
    ret->owner = st.st_uid;
    memcpy(ret->name, slash + 1, strlen(slash + 1) + 1);
    *slash = '\0';
    ret->folder = open(*real ? real : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return ret->folder >= 0;
}

struct csv_door *csv_door_open(const char *path, int fd)
{
    cleanup_free struct csv_door *door = calloc(1, sizeof(*door));
    cleanup_close int ours = -1, its = -1, folder = -1;
    struct keeper k = {.folder = -1};
    int ends[2];
    pid_t child;

    if (!door || !name_file(path, fd, &k))
        return NULL;
    folder = k.folder;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return NULL;
    ours = ends[0];
    its = k.socket = ends[1];
    child = fork();
    if (child == 0) {
        close(ours);
        close(fd);
        keep(&k);
    }
    if (child < 0)
        return NULL;
    door->socket = take_fd(&ours);
    return take_ptr(door);
}

static void leave(struct csv_door *door)
{
    if (door->socket >= 0)
        close(door->socket);
    door->socket = -1;
}

void csv_door_close(struct csv_door *door)
{
    if (!door)
        return;
    leave(door);
    free(door);
}

static int take_answer(const struct csv_door *door)
{
    int32_t error;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec text = {&error, sizeof(error)};
    struct msghdr message = {.msg_iov = &text,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    const struct cmsghdr *c;
    int fd;

    if (recvmsg(door->socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != sizeof(error))
        return -EPIPE;
    if (error)
        return -error;
    c = CMSG_FIRSTHDR(&message);
    if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
        return -EPIPE;
    memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    return fd;
}

static int wait_for_answer(struct csv_door *door, int patience_ms)
{
    struct pollfd answered = {.fd = door->socket, .events = POLLIN};

    door->owes = poll(&answered, 1, patience_ms) != 1;
    return door->owes ? -ETIMEDOUT : take_answer(door);
}

int csv_door_ask(struct csv_door *door)
{
    int r = 0;

    if (!door || door->socket < 0)
        return -EACCES;
    if (door->owes) {
        // It is of what was there when it was asked for.
        r = wait_for_answer(door, 0);
        if (r >= 0)
            close(r);
    }
    if (!door->owes && r != -EPIPE)
        r = send(door->socket, "?", 1, MSG_NOSIGNAL) == 1 ? wait_for_answer(door, PATIENCE_MS)
                                                          : -EPIPE;
    if (r != -EPIPE)
        return r;
    leave(door);
    return -EACCES;
}
