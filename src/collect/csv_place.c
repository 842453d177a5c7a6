// SPDX-License-Identifier: Apache-2.0
#include "collect/csv_place.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

int csv_place_refuse(int error, const char *path, const char *why, char *ret_message)
{
    snprintf(ret_message, CSV_MESSAGE_MAX,
             "%.150s: %s; going on without CSV (--csv PATH chooses another)", path, why);
    return error;
}

int csv_place_open(struct csv_place *p, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char directory[PATH_MAX];

    if (!*name || strlen(name) > NAME_MAX)
        return *name ? -ENAMETOOLONG : -EISDIR;
    if (snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) + 1 : 1,
                 slash ? path : ".") >= (int)sizeof(directory))
        return -ENAMETOOLONG;
    snprintf(p->name, sizeof(p->name), "%s", name);
    p->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return p->directory < 0 ? -errno : 0;
}

void csv_place_close(struct csv_place *p)
{
    if (p->directory >= 0)
        close(p->directory);
    p->directory = -1;
}

void csv_place_abandon(const struct csv_place *p)
{
    unlinkat(p->directory, p->next, 0);
}

// Removes what an earlier run of ours left under the name `next`, and nothing else: a planted
// folder, another user's file and what another collector is about to put in place stay.
static void remove_left(const struct csv_place *p)
{
    cleanup_close int fd =
        openat(p->directory, p->next, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        file_lock(fd) == 0)
        unlinkat(p->directory, p->next, 0);
}

// A new file of the name `next`, or, when something is in the way there, of one that nobody can
// guess.
static int create_file(struct csv_place *p)
{
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    uint64_t number;
    int fd;

    snprintf(p->next, sizeof(p->next), ".%.200s.new", p->name);
    remove_left(p);
    fd = openat(p->directory, p->next, flags, 0600);
    if (fd < 0 && errno == EEXIST && getrandom(&number, sizeof(number), 0) == sizeof(number)) {
        snprintf(p->next, sizeof(p->next), ".%.200s.%016" PRIx64 ".new", p->name, number);
        fd = openat(p->directory, p->next, flags, 0600);
    }
    return fd < 0 ? -errno : fd;
}

int csv_place_create(struct csv_place *p, const struct buf *header)
{
    cleanup_close int fd = create_file(p); // of mode 0600: no other user opens it before the lock

    if (fd < 0)
        return fd;
    if (file_lock(fd) < 0) // one of this user's that starts just now took it for left, and has it
        return -EBUSY;
    errno = 0; // a short write sets none
    // Consumers without privileges read it, whatever the umask of the collector.
    if (fchmod(fd, 0644) < 0 || write(fd, header->data, header->size) != (ssize_t)header->size) {
        int r = errno ? -errno : -ENOSPC;

        csv_place_abandon(p);
        return r;
    }
    return take_fd(&fd);
}

int csv_place_claim(const struct csv_place *p, const char *path, char *ret_message)
{
    cleanup_close int fd =
        openat(p->directory, p->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char reopen[64];
    struct stat st;
    int writable;

    if (fd < 0 && errno == ENOENT)
        return -ENOENT;
    if (fd < 0 && errno == ELOOP)
        return csv_place_refuse(-ELOOP, path, "is a symbolic link, which is not followed",
                                ret_message);
    if (fd < 0)
        return csv_place_refuse(-errno, path, strerror(errno), ret_message);
    if (fstat(fd, &st) < 0)
        return csv_place_refuse(-errno, path, strerror(errno), ret_message);
    if (S_ISDIR(st.st_mode))
        return csv_place_refuse(-EISDIR, path, "is a directory", ret_message);
    if (!S_ISREG(st.st_mode))
        return csv_place_refuse(-EINVAL, path, "is not a regular file", ret_message);
    if (st.st_uid != geteuid())
        return csv_place_refuse(-EPERM, path, "belongs to another user, and is left alone",
                                ret_message);
    if (st.st_nlink > 1)
        return csv_place_refuse(-EMLINK, path, "has a second name (a hard link), and is left alone",
                                ret_message);
    snprintf(reopen, sizeof(reopen), "/proc/self/fd/%d", fd);
    writable = open(reopen, O_WRONLY | O_CLOEXEC);
    if (writable < 0)
        return csv_place_refuse(-errno, path, strerror(errno), ret_message);
    if (file_lock(writable) == 0)
        return writable;
    close(writable);
    return csv_place_refuse(-EBUSY, path, "another cyclescope writes it", ret_message);
}

int csv_place_put(const struct csv_place *p, bool replace)
{
    int r = renameat2(p->directory, p->next, p->directory, p->name, replace ? 0 : RENAME_NOREPLACE);

    return r < 0 ? -errno : 0;
}

int csv_place_replace(const struct csv_place *p, int fd)
{
    char message[CSV_MESSAGE_MAX];
    struct stat ours, there;
    cleanup_close int claimed = -1;

    if (fstat(fd, &ours) < 0)
        return -errno;
    if (fstatat(p->directory, p->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
        there.st_dev == ours.st_dev && there.st_ino == ours.st_ino)
        return csv_place_put(p, true);
    claimed = csv_place_claim(p, p->name, message);
    if (claimed < 0 && claimed != -ENOENT)
        return claimed;
    return csv_place_put(p, claimed >= 0);
}
