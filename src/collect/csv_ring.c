// SPDX-License-Identifier: Apache-2.0
#include "collect/csv_ring.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define COPY_PIECE 65536 // bytes copied after a row while rotating: some 20 µs

struct csv_ring {
    int directory;           // where the file is
    char name[NAME_MAX + 1]; // its name there
    char next[NAME_MAX + 1]; // that of the file it is rotated into
    struct buf header;       // first line, and newlines up to where a row may begin
    size_t rows_max;
    size_t row_max;
    int fd;        // locked with flock as long as we write
    off_t size;    // ends with a whole row
    off_t *starts; // offset of each row, [rows_max]
    size_t rows;

    int next_fd;       // −1: not rotating
    off_t copied_from; // offset in the old file that the next copy begins at
    size_t first_kept; // row of the old file
    off_t next_size;
};

static int refuse(int error, const char *path, const char *why, char *ret_message)
{
    snprintf(ret_message, CSV_MESSAGE_MAX,
             "%.150s: %s; going on without CSV (--csv PATH chooses another)", path, why);
    return error;
}

// Opens the directory of `path` and takes its last component apart.
static int open_directory(struct csv_ring *c, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char directory[PATH_MAX];

    if (!*name || strlen(name) > NAME_MAX - sizeof("..new"))
        return *name ? -ENAMETOOLONG : -EISDIR;
    if (snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) + 1 : 1,
                 slash ? path : ".") >= (int)sizeof(directory))
        return -ENAMETOOLONG;
    snprintf(c->name, sizeof(c->name), "%s", name);
    snprintf(c->next, sizeof(c->next), ".%.200s.new", name);
    c->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return c->directory < 0 ? -errno : 0;
}

// A new, locked, empty file under the name `next`, beside the ring's. What an earlier run left
// there goes.
static int create_next(const struct csv_ring *c)
{
    cleanup_close int fd = -1;

    unlinkat(c->directory, c->next, 0);
    fd = openat(c->directory, c->next, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    errno = 0; // a short write sets none
    // Consumers without privileges read it, whatever the umask of the collector.
    if (fchmod(fd, 0644) < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ||
        write(fd, c->header.data, c->header.size) != (ssize_t)c->header.size) {
        int r = errno ? -errno : -ENOSPC;

        unlinkat(c->directory, c->next, 0);
        return r;
    }
    return take_fd(&fd);
}

// May the file that is there be replaced? Returns its locked descriptor, −ENOENT when there is
// none, or refuses.
static int claim_old(const struct csv_ring *c, const char *path, char *ret_message)
{
    cleanup_close int fd =
        openat(c->directory, c->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 && errno == ENOENT)
        return -ENOENT;
    if (fd < 0 && errno == ELOOP)
        return refuse(-ELOOP, path, "is a symbolic link, which is not followed", ret_message);
    if (fd < 0)
        return refuse(-errno, path, strerror(errno), ret_message);
    if (fstat(fd, &st) < 0)
        return refuse(-errno, path, strerror(errno), ret_message);
    if (S_ISDIR(st.st_mode))
        return refuse(-EISDIR, path, "is a directory", ret_message);
    if (!S_ISREG(st.st_mode))
        return refuse(-EINVAL, path, "is not a regular file", ret_message);
    if (st.st_uid != geteuid())
        return refuse(-EPERM, path, "belongs to another user, and is left alone", ret_message);
    if (st.st_nlink > 1)
        return refuse(-EMLINK, path, "has a second name (a hard link), and is left alone",
                      ret_message);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return refuse(-EBUSY, path, "another cyclescope writes it", ret_message);
    return take_fd(&fd);
}

// Puts the new file in place. Where nothing was, nothing may have come meanwhile: two that start
// together must not both win.
static int put_in_place(const struct csv_ring *c, bool replace)
{
    int r = renameat2(c->directory, c->next, c->directory, c->name, replace ? 0 : RENAME_NOREPLACE);

    return r < 0 ? -errno : 0;
}

static int start_file(struct csv_ring *c, const char *path, char *ret_message)
{
    cleanup_close int old = claim_old(c, path, ret_message);
    int r;

    if (old < 0 && old != -ENOENT)
        return old;
    c->fd = create_next(c);
    if (c->fd < 0)
        return refuse(c->fd, path, strerror(-c->fd), ret_message);
    r = put_in_place(c, old >= 0);
    if (r < 0) {
        unlinkat(c->directory, c->next, 0);
        return refuse(r, path, r == -EEXIST ? "another cyclescope writes it" : strerror(-r),
                      ret_message);
    }
    c->size = (off_t)c->header.size;
    return 0;
}

int csv_ring_open(const char *path, size_t rows, size_t row_max, const struct buf *header,
                  struct csv_ring **ret, char *ret_message)
{
    struct csv_ring *c;
    int r;

    if (row_max > CSV_PAGE)
        return refuse(-E2BIG, path, "there are more columns than a row of 4,096 bytes holds",
                      ret_message);
    c = calloc(1, sizeof(*c));
    if (!c)
        return refuse(-ENOMEM, path, strerror(ENOMEM), ret_message);
    c->directory = c->fd = c->next_fd = -1;
    c->rows_max = rows < CSV_ROWS_MIN ? CSV_ROWS_MIN : rows;
    c->row_max = row_max;
    c->starts = reallocarray(NULL, c->rows_max, sizeof(*c->starts));
    buf_append(&c->header, header->data, header->size);
    // The header must not be padded with spaces, which would become part of its last name: empty
    // lines are skipped by CSV readers.
    while (!buf_error(&c->header) && c->header.size % CSV_PAGE + row_max > CSV_PAGE)
        buf_putc(&c->header, '\n');
    if (!c->starts || buf_error(&c->header) < 0) {
        csv_ring_close(c);
        return refuse(-ENOMEM, path, strerror(ENOMEM), ret_message);
    }
    r = open_directory(c, path);
    r = r < 0 ? refuse(r, path, strerror(-r), ret_message) : start_file(c, path, ret_message);
    if (r < 0) {
        csv_ring_close(c);
        return r;
    }
    *ret = c;
    return 0;
}

static void abandon_rotation(struct csv_ring *c)
{
    close(c->next_fd);
    c->next_fd = -1;
    unlinkat(c->directory, c->next, 0);
}

void csv_ring_close(struct csv_ring *c)
{
    if (!c)
        return;
    if (c->next_fd >= 0)
        abandon_rotation(c);
    if (c->fd >= 0)
        close(c->fd);
    if (c->directory >= 0)
        close(c->directory);
    buf_done(&c->header);
    free(c->starts);
    free(c);
}

static int begin_rotation(struct csv_ring *c)
{
    int fd = create_next(c);

    if (fd < 0)
        return fd;
    c->next_fd = fd;
    c->next_size = (off_t)c->header.size;
    c->first_kept = c->rows - c->rows_max / 2;
    c->copied_from = c->starts[c->first_kept];
    return 0;
}

// Copies the next piece. 1 when all is copied, 0 when not yet, or -errno.
static int copy_piece(struct csv_ring *c)
{
    char piece[4096];

    for (size_t done = 0; done < COPY_PIECE && c->copied_from < c->size;) {
        size_t left = (size_t)(c->size - c->copied_from);
        ssize_t n =
            pread(c->fd, piece, left < sizeof(piece) ? left : sizeof(piece), c->copied_from);

        if (n <= 0 || pwrite(c->next_fd, piece, (size_t)n, c->next_size) != n)
            return n < 0 ? -errno : -ENOSPC;
        c->copied_from += n;
        c->next_size += n;
        done += (size_t)n;
    }
    return c->copied_from == c->size;
}

// Rows lie elsewhere in their pages than before: the last one fills its page where the next would
// not fit into it.
static int fill_last_page(struct csv_ring *c)
{
    char spaces[CSV_PAGE + 1];
    size_t room = CSV_PAGE - (size_t)(c->next_size % CSV_PAGE);

    if (room >= c->row_max)
        return 0;
    memset(spaces, ' ', room);
    spaces[room] = '\n';
    if (pwrite(c->next_fd, spaces, room + 1, c->next_size - 1) != (ssize_t)(room + 1))
        return -ENOSPC;
    c->next_size += (off_t)room;
    return 0;
}

static int finish_rotation(struct csv_ring *c)
{
    off_t shift = c->starts[c->first_kept] - (off_t)c->header.size;
    int r = fill_last_page(c);

    if (r == 0)
        r = put_in_place(c, true);
    if (r < 0)
        return r;
    close(c->fd);
    c->fd = c->next_fd;
    c->next_fd = -1;
    c->size = c->next_size;
    c->rows -= c->first_kept;
    for (size_t i = 0; i < c->rows; i++)
        c->starts[i] = c->starts[c->first_kept + i] - shift;
    return 0;
}

// Rotates a little; all of it when there is no room for one more row. -errno only then.
static int rotate(struct csv_ring *c)
{
    bool full = c->rows == c->rows_max;
    int r = c->next_fd < 0 ? begin_rotation(c) : 0;

    if (r == 0) {
        do
            r = copy_piece(c);
        while (r == 0 && full);
        if (r == 1)
            r = finish_rotation(c);
        if (r < 0)
            abandon_rotation(c);
    }
    return full ? r : 0;
}

// Writes one row so that the next begins in a page with room for it.
static int write_row(struct csv_ring *c, const char *row, size_t size)
{
    char padded[2 * CSV_PAGE];
    size_t room = CSV_PAGE - (size_t)(c->size % CSV_PAGE) - size;
    size_t pad = room < c->row_max ? room : 0;

    memcpy(padded, row, size - 1);
    memset(padded + size - 1, ' ', pad);
    padded[size - 1 + pad] = '\n';
    errno = 0; // a short write sets none
    if (pwrite(c->fd, padded, size + pad, c->size) != (ssize_t)(size + pad)) {
        int r = errno ? -errno : -ENOSPC;

        // Not half a row.
        if (ftruncate(c->fd, c->size) < 0)
            return -errno;
        return r;
    }
    c->starts[c->rows++] = c->size;
    c->size += (off_t)(size + pad);
    return 0;
}

int csv_ring_append(struct csv_ring *c, const char *row, size_t size)
{
    int r = 0;

    if (size == 0 || size > c->row_max)
        return -EMSGSIZE;
    if (c->next_fd >= 0 || c->rows >= c->rows_max - c->rows_max / 8)
        r = rotate(c);
    if (r < 0)
        return r;
    return write_row(c, row, size);
}
