// SPDX-License-Identifier: Apache-2.0
#include "cmd/serve_csv.h"

#include "base/cleanup.h"
#include "cmd/command.h"
#include "stream/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS     50
#define READ_BYTES  65536
#define TURN_BYTES  ((size_t)1 << 22) // read before signals are looked at again: some 30 ms
#define TAIL_BYTES  64                // enough of the last rows to know them again
#define TROUBLE_MAX 160

struct csv_follow {
    const char *path;
    int flags;             // of open(2)
    struct csv_door *door; // owned; NULL: there is none
    struct session *session;
    struct ingest_csv *ingest;
    int fd;       // -1: not there
    off_t offset; // read up to here
    dev_t device;
    ino_t inode;
    char tail[TAIL_BYTES]; // the bytes before offset
    size_t n_tail;
    bool named;   // INPUT, which the person expects to be a CSV
    int trouble;  // errno that was told, 0 none
    bool refused; // what is there is no CSV: nothing of it is read until it is another
};

bool csv_follow_is_recording(int fd)
{
    static const uint64_t magics[] = {RECORD_MAGIC, RECORD_MAGIC_SWAPPED, RECORD_MAGIC_OLD};
    uint64_t magic = 0;
    ssize_t n = pread(fd, &magic, sizeof(magic), 0);

    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if (n <= 0 || memcmp(&magic, &magics[i], (size_t)n) == 0)
            return true;
    return false;
}

// From here on this file is read, from its beginning.
static void begin_file(struct csv_follow *c, int fd, const struct stat *st)
{
    if (c->fd >= 0 && c->fd != fd)
        close(c->fd);
    c->fd = fd;
    c->device = st->st_dev;
    c->inode = st->st_ino;
    c->offset = 0;
    c->n_tail = 0;
    c->refused = false;
    ingest_csv_restart(c->ingest);
}

int csv_follow_open(const char *path, int fd, struct csv_door *door, struct session *session,
                    const struct ingest_config *config, struct csv_follow **ret)
{
    struct csv_follow *c = calloc(1, sizeof(*c));
    struct stat st;
    int r;

    if (!c)
        return -ENOMEM;
    c->path = path;
    c->flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (fd < 0 ? O_NOFOLLOW : 0);
    c->session = session;
    c->fd = -1;
    c->door = door;
    c->named = fd >= 0;
    r = ingest_csv_new(session, config, &c->ingest);
    if (r == 0 && fd >= 0 && fstat(fd, &st) < 0)
        r = -errno;
    if (r < 0) {
        c->door = NULL; // still the caller's
        csv_follow_close(c);
        return r;
    }
    if (fd >= 0)
        begin_file(c, fd, &st);
    *ret = c;
    return 0;
}

void csv_follow_close(struct csv_follow *c)
{
    if (!c)
        return;
    if (c->fd >= 0)
        close(c->fd);
    csv_door_close(c->door);
    ingest_csv_free(c->ingest);
    free(c);
}

// Of what cannot be opened, and what happens then. "": nothing is wrong.
static void describe(const struct csv_follow *c, int error, char *ret, size_t size)
{
    static const char waiting[] = "waiting for one that can be read";

    switch (error) {
    case 0:
        ret[0] = '\0';
        break;
    case ENOENT:
        snprintf(ret, size, "%s",
                 c->fd < 0 ? "is not there yet; it is shown as soon as somebody writes it"
                           : "is not there any more; waiting for one in its place");
        break;
    case EINVAL:
        snprintf(ret, size, "is not a regular file; waiting for one in its place");
        break;
    case ELOOP:
        snprintf(ret, size, "is a symbolic link, which is not followed; %s", waiting);
        break;
    case EMLINK:
        snprintf(ret, size, "has a second name (a hard link), and is left alone; %s", waiting);
        break;
    case EPERM:
        snprintf(ret, size, "is another user's than the file before it, and is left alone; %s",
                 waiting);
        break;
    case ETIMEDOUT:
        snprintf(ret, size,
                 "cannot be opened yet: who opens it for the server has not answered; "
                 "it is asked again");
        break;
    case EACCES:
        snprintf(ret, size,
                 "may not be opened%s by the server, user %u: `chmod a+r` it, and `chmod a+x` its "
                 "folder",
                 c->fd < 0 ? "" : " again", (unsigned)geteuid());
        break;
    default:
        snprintf(ret, size, "cannot be opened: %s; %s", strerror(error), waiting);
    }
}

// Said once for each trouble, on the page as well. That a file is not there is a moment of its
// being replaced, and that nobody answers one of a machine that stands still.
static void tell_trouble(struct csv_follow *c, int error)
{
    char text[TROUBLE_MAX] = "the file ", *what = text + strlen(text);

    if (c->trouble == error)
        return;
    c->trouble = error;
    describe(c, error, what, (size_t)(text + sizeof(text) - what));
    if (error && ((error != ENOENT && error != ETIMEDOUT) || c->fd < 0))
        say("%s: %s", c->path, what);
    ingest_csv_trouble(c->ingest, error ? text : "");
}

// A file that was emptied and has grown beyond where we were, between two looks, has other bytes
// there.
static bool was_rewritten(const struct csv_follow *c)
{
    char now[TAIL_BYTES];
    ssize_t n = pread(c->fd, now, c->n_tail, c->offset - (off_t)c->n_tail);

    return n != (ssize_t)c->n_tail || memcmp(now, c->tail, c->n_tail) != 0;
}

static void remember_tail(struct csv_follow *c, const char *bytes, size_t n)
{
    if (n < TAIL_BYTES) {
        size_t keep = c->n_tail < TAIL_BYTES - n ? c->n_tail : TAIL_BYTES - n;

        memmove(c->tail, c->tail + c->n_tail - keep, keep);
        memcpy(c->tail + keep, bytes, n);
        c->n_tail = keep + n;
    } else {
        memcpy(c->tail, bytes + n - TAIL_BYTES, TAIL_BYTES);
        c->n_tail = TAIL_BYTES;
    }
}

// Reads on to the end, or for a turn. True when there may be more.
static bool read_on(struct csv_follow *c)
{
    static char bytes[READ_BYTES];

    for (size_t done = 0; done < TURN_BYTES && !c->refused;) {
        ssize_t n = pread(c->fd, bytes, sizeof(bytes), c->offset);
        struct stat st;

        if (n <= 0)
            return false;
        if (done == 0 && was_rewritten(c)) {
            if (fstat(c->fd, &st) < 0)
                return false;
            begin_file(c, c->fd, &st);
            continue;
        }
        remember_tail(c, bytes, (size_t)n);
        c->offset += n;
        done += (size_t)n;
        c->refused = ingest_csv_feed(c->ingest, bytes, (size_t)n) < 0;
    }
    return !c->refused;
}

// The file of that name, or -errno.
static int open_again(const struct csv_follow *c, struct stat *ret)
{
    cleanup_close int fd = open(c->path, c->flags);

    if (fd < 0 && errno == EACCES)
        fd = csv_door_ask(c->door);
    else if (fd < 0)
        fd = -errno;
    if (fd >= 0 && fstat(fd, ret) < 0)
        return -errno;
    if (fd >= 0 && !S_ISREG(ret->st_mode))
        return -EINVAL;
    return take_fd(&fd);
}

// Is the one that is open shorter than what was read of it, or is it a CSV by now? Then it is read
// from its beginning.
static void look_at_open(struct csv_follow *c)
{
    struct stat st;

    if (c->fd >= 0 && fstat(c->fd, &st) == 0 &&
        (st.st_size < c->offset || (c->refused && was_rewritten(c))))
        begin_file(c, c->fd, &st);
}

// Is there another file of that name now? Then that is read, from its beginning.
static void look(struct csv_follow *c)
{
    struct stat st;
    cleanup_close int fd = open_again(c, &st);

    tell_trouble(c, fd < 0 ? -fd : 0);
    if (fd < 0 || (c->fd >= 0 && st.st_dev == c->device && st.st_ino == c->inode))
        look_at_open(c);
    // Its writer may have gone on writing the old one until just now.
    else if (c->fd < 0 || !read_on(c))
        begin_file(c, take_fd(&fd), &st);
}

bool csv_follow_take(struct csv_follow *c, int *ret_wait_ms)
{
    bool refused = c->refused;

    *ret_wait_ms = 0;
    if (c->fd >= 0 && read_on(c))
        return true;
    *ret_wait_ms = LOOK_MS;
    if (c->refused && !refused) {
        say("%s: %s%s", c->path, c->session->reason,
            c->session->history ? "; what came before stays on the page" : "");
        if (c->named && !c->session->history)
            return false;
    }
    if (c->fd >= 0 && !c->refused && ingest_csv_idle(c->ingest)) {
        struct stat st = {.st_dev = c->device, .st_ino = c->inode};

        begin_file(c, c->fd, &st);
    }
    look(c);
    return true;
}
