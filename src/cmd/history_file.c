// SPDX-License-Identifier: Apache-2.0
#include "cmd/history_file.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#define ROOTS_FOLDER "/var/lib/cyclescope"
#define FILE_NAME    "history.db"
#define NOBODY       65534

// The folder of this user's state. False: the environment names none.
static bool state_folder(char ret[PATH_MAX])
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

    if (state && state[0] == '/')
        return snprintf(ret, PATH_MAX, "%s/cyclescope", state) < PATH_MAX;
    return home && home[0] == '/' &&
           snprintf(ret, PATH_MAX, "%s/.local/state/cyclescope", home) < PATH_MAX;
}

// Makes the folder and those above it that are missing. 0 or -errno.
static int make_folders(const char *folder, mode_t mode)
{
    char part[PATH_MAX];

    snprintf(part, sizeof(part), "%s", folder);
    for (char *p = part + 1; (p = strchr(p, '/')); *p++ = '/') {
        *p = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return -errno;
    }
    return mkdir(part, mode) < 0 && errno != EEXIST ? -errno : 0;
}

// Nobody's is what an earlier server of root's left.
static bool ours(const struct stat *st, const struct sandbox_user *user)
{
    return st->st_uid == user->uid || (user->change && (st->st_uid == 0 || st->st_uid == NOBODY));
}

// The file of that name in the folder, given to the user; made when `make`. A descriptor, or
// -errno.
static int take_file(int folder, const char *name, bool make, const struct sandbox_user *user)
{
    cleanup_close int fd =
        openat(folder, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;

    if (fd < 0 && errno == ENOENT && make)
        fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_nlink > 1 || !ours(&st, user))
        return -EPERM;
    if (user->change && st.st_uid != user->uid && fchown(fd, user->uid, user->gid) < 0)
        return -errno;
    return take_fd(&fd);
}

// Those that SQLite left beside it.
static int take_companions(int folder, const char *name, const struct sandbox_user *user)
{
    static const char *const suffixes[] = {"-wal", "-shm"};

    for (size_t i = 0; i < 2; i++) {
        char full[NAME_MAX + 8];
        int fd;

        snprintf(full, sizeof(full), "%.255s%s", name, suffixes[i]);
        fd = take_file(folder, full, false, user);
        if (fd < 0 && fd != -ENOENT)
            return fd;
        if (fd >= 0)
            close(fd);
    }
    return 0;
}

// The folder's descriptor; one that is only for the history is given to the user. -errno.
static int take_folder(const char *path, bool given, const struct sandbox_user *user)
{
    cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!given && !ours(&st, user))
        return -EPERM;
    if (!given && user->change && st.st_uid != user->uid && fchown(fd, user->uid, user->gid) < 0)
        return -errno;
    return take_fd(&fd);
}

static int open_and_lock(struct history_file *f, bool given, const struct sandbox_user *user)
{
    char folder[PATH_MAX];
    const char *name = strrchr(f->path, '/');
    cleanup_close int at = -1, fd = -1;
    int r = 0;

    snprintf(folder, sizeof(folder), "%.*s", name ? (int)(name - f->path) : 1,
             name ? f->path : ".");
    if (name == f->path)
        snprintf(folder, sizeof(folder), "/");
    name = name ? name + 1 : f->path;
    if (!*name || strlen(name) > NAME_MAX - 40)
        return -EINVAL;
    if (!given)
        r = make_folders(folder, 0755);
    if (r == 0)
        r = at = take_folder(folder, given, user);
    if (r >= 0)
        r = fd = take_file(at, name, true, user);
    if (r >= 0)
        r = take_companions(at, name, user);
    if (r < 0)
        return r;
    r = file_lock(fd);
    if (r == 0)
        f->lock = take_fd(&fd);
    return r;
}

static const char *reason_of(int error)
{
    switch (-error) {
    case EBUSY:
        return "another cyclescope writes it; --history PATH chooses another";
    case EPERM:
        return "it is not this user's own, plain file (or its folder is another user's); --history "
               "PATH chooses another";
    case ELOOP:
        return "it is a symbolic link, which is not followed";
    case EINVAL:
        return "this is not the path of a file";
    default:
        return strerror(-error);
    }
}

void history_file_open(const struct options *o, const struct sandbox_user *user,
                       struct history_file *ret)
{
    char folder[PATH_MAX];
    bool given = o->history != NULL;
    int r = 0;

    *ret = HISTORY_FILE_NONE;
    if (given && strcmp(o->history, "none") == 0)
        return;
    if (given)
        snprintf(ret->path, sizeof(ret->path), "%s", o->history);
    else if (user->change)
        snprintf(ret->path, sizeof(ret->path), "%s", ROOTS_FOLDER "/" FILE_NAME);
    else if (state_folder(folder) && strlen(folder) < PATH_MAX - sizeof(FILE_NAME) - 1)
        snprintf(ret->path, sizeof(ret->path), "%.4000s/%s", folder, FILE_NAME);
    else
        r = -ENOENT;
    if (r == 0)
        r = open_and_lock(ret, given, user);
    if (r == 0)
        return;
    snprintf(ret->off, sizeof(ret->off), "%s", reason_of(r));
    say("history %s: %s; what is measured now stays in memory only", ret->path, ret->off);
}

void history_file_close(struct history_file *f)
{
    if (f->lock >= 0)
        close(f->lock);
    f->lock = -1;
}
