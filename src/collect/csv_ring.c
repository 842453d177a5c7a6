// SPDX-License-Identifier: Apache-2.0
#include "collect/csv_ring.h"

#include "base/cleanup.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// Bytes copied before a row while rotating. An eighth of the rows is left when that begins, and
// half of them, of at most a page each, is to be copied: 16 KiB a row would do.
#define COPY_PIECE 32768

struct csv_ring {
    struct csv_place place;
    struct buf header; // first line, and newlines up to where a row may begin
    size_t rows_max;
    size_t row_max;
    int fd;        // locked with file_lock() as long as we write
    off_t size;    // ends with a whole row
    off_t *starts; // offset of each row, [rows_max]
    size_t rows;

    int next_fd;        // −1: not rotating
    size_t first_kept;  // row of the old file
    size_t copied;      // rows, from that one on
    off_t next_size;    // of the new file
    off_t *next_starts; // offset of each copied row, [rows_max]
};

static int start_file(struct csv_ring *c, const char *path, char *ret_message)
{
    cleanup_close int old = csv_place_claim(&c->place, path, ret_message);
    int r;

    if (old < 0 && old != -ENOENT)
        return old;
    c->fd = csv_place_create(&c->place, &c->header);
    if (c->fd < 0)
        return csv_place_refuse(c->fd, path, strerror(-c->fd), ret_message);
    r = csv_place_put(&c->place, old >= 0);
    if (r < 0) {
        csv_place_abandon(&c->place);
        return csv_place_refuse(
            r, path, r == -EEXIST ? "another cyclescope writes it" : strerror(-r), ret_message);
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
        return csv_place_refuse(
            -E2BIG, path, "there are more columns than a row of 4,096 bytes holds", ret_message);
    c = calloc(1, sizeof(*c));
    if (!c)
        return csv_place_refuse(-ENOMEM, path, strerror(ENOMEM), ret_message);
    c->place.directory = c->fd = c->next_fd = -1;
    c->rows_max = rows < CSV_ROWS_MIN ? CSV_ROWS_MIN : rows;
    c->row_max = row_max;
    c->starts = reallocarray(NULL, c->rows_max, sizeof(*c->starts));
    c->next_starts = reallocarray(NULL, c->rows_max, sizeof(*c->next_starts));
    buf_append(&c->header, header->data, header->size);
    // The header must not be padded with spaces, which would become part of its last name: empty
    // lines are skipped by CSV readers.
    while (!buf_error(&c->header) && c->header.size % CSV_PAGE + row_max > CSV_PAGE)
        buf_putc(&c->header, '\n');
    if (!c->starts || !c->next_starts || buf_error(&c->header) < 0) {
        csv_ring_close(c);
        return csv_place_refuse(-ENOMEM, path, strerror(ENOMEM), ret_message);
    }
    r = csv_place_open(&c->place, path);
    r = r < 0 ? csv_place_refuse(r, path, strerror(-r), ret_message)
              : start_file(c, path, ret_message);
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
    csv_place_abandon(&c->place);
}

void csv_ring_close(struct csv_ring *c)
{
    if (!c)
        return;
    if (c->next_fd >= 0)
        abandon_rotation(c);
    if (c->fd >= 0)
        close(c->fd);
    csv_place_close(&c->place);
    buf_done(&c->header);
    free(c->starts);
    free(c->next_starts);
    free(c);
}

static int begin_rotation(struct csv_ring *c)
{
    int fd = csv_place_create(&c->place, &c->header);

    if (fd < 0)
        return fd;
    c->next_fd = fd;
    c->next_size = (off_t)c->header.size;
    c->first_kept = c->rows - c->rows_max / 2;
    c->copied = 0;
    return 0;
}

// Appends a row to `out`, which stands at `offset` of its file and has room for two pages: so that
// the next row begins in a page with room for it. Returns the bytes.
static size_t lay_row(const struct csv_ring *c, const char *row, size_t size, off_t offset,
                      char *out)
{
    size_t room = CSV_PAGE - (size_t)(offset % CSV_PAGE) - size;
    size_t pad = room < c->row_max ? room : 0;

    memcpy(out, row, size - 1);
    memset(out + size - 1, ' ', pad);
    out[size - 1 + pad] = '\n';
    return size + pad;
}

// Bytes of a row without its padding, newline included.
static size_t row_size(const char *row, size_t size)
{
    size--;
    while (size && row[size - 1] == ' ')
        size--;
    return size + 1;
}

static off_t row_end(const struct csv_ring *c, size_t row)
{
    return row + 1 < c->rows ? c->starts[row + 1] : c->size;
}

static bool all_copied(const struct csv_ring *c)
{
    return c->first_kept + c->copied == c->rows;
}

// Copies the next piece, of what is not copied yet. Rows lie elsewhere in their pages there, and
// are padded anew. 0 or -errno.
static int copy_piece(struct csv_ring *c)
{
    char from[COPY_PIECE], to[COPY_PIECE + 2 * CSV_PAGE];
    size_t first = c->first_kept + c->copied, row = first, n = 0;
    off_t start = c->starts[first];

    while (row < c->rows && row_end(c, row) - start <= (off_t)sizeof(from))
        row++;
    if (pread(c->fd, from, (size_t)(row_end(c, row - 1) - start), start) <
        row_end(c, row - 1) - start)
        return -EIO;
    for (size_t i = first; i < row && n < COPY_PIECE; i++) {
        const char *at = from + (c->starts[i] - start);

        c->next_starts[c->copied++] = c->next_size + (off_t)n;
        n += lay_row(c, at, row_size(at, (size_t)(row_end(c, i) - c->starts[i])),
                     c->next_size + (off_t)n, to + n);
    }
    errno = 0; // a short write sets none
    if (pwrite(c->next_fd, to, n, c->next_size) != (ssize_t)n)
        return errno ? -errno : -ENOSPC;
    c->next_size += (off_t)n;
    return 0;
}

static void *close_file(void *fd)
{
    close((int)(intptr_t)fd);
    return NULL;
}

// The last close of a replaced file frees its blocks, which takes 1 to 30 ms of an hour's rows: not
// on a tick. A thread of its own does it, at ordinary priority (SCHED_RESET_ON_FORK).
static void close_aside(int fd)
{
    pthread_attr_t attr;
    pthread_t thread;

    if (pthread_attr_init(&attr) != 0) {
        close(fd);
        return;
    }
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attr, close_file, (void *)(intptr_t)fd) != 0)
        close(fd);
    pthread_attr_destroy(&attr);
}

static int finish_rotation(struct csv_ring *c)
{
    off_t *starts = c->starts;
    int r = csv_place_replace(&c->place, c->fd);

    if (r < 0)
        return r;
    close_aside(c->fd);
    c->fd = c->next_fd;
    c->next_fd = -1;
    c->size = c->next_size;
    c->rows = c->copied;
    c->starts = c->next_starts;
    c->next_starts = starts;
    return 0;
}

// Rotates a little; all of it when there is no room for one more row. -errno only then.
static int rotate(struct csv_ring *c)
{
    bool full = c->rows == c->rows_max;
    int r = c->next_fd < 0 ? begin_rotation(c) : 0;

    if (r < 0)
        return full ? r : 0;
    while (r == 0 && !all_copied(c)) {
        r = copy_piece(c);
        if (!full)
            break;
    }
    // One that is copied and cannot be put in place now is kept: the next row tries again, which is
    // cheap. Unless it is gone.
    if (r == 0 && all_copied(c)) {
        r = finish_rotation(c);
        if (r < 0 && r != -ENOENT)
            return full ? r : 0;
    }
    if (r < 0)
        abandon_rotation(c);
    return full ? r : 0;
}

// Writes one row.
static int write_row(struct csv_ring *c, const char *row, size_t size)
{
    char padded[2 * CSV_PAGE];
    size_t n = lay_row(c, row, size, c->size, padded);

    errno = 0; // a short write sets none
    if (pwrite(c->fd, padded, n, c->size) != (ssize_t)n) {
        int r = errno ? -errno : -ENOSPC;

        // Not half a row.
        if (ftruncate(c->fd, c->size) < 0)
            return -errno;
        return r;
    }
    c->starts[c->rows++] = c->size;
    c->size += (off_t)n;
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
