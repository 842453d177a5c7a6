// SPDX-License-Identifier: Apache-2.0
#include "cmd/serve_recording.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS                                                                                    \
    500 // how often it is asked whether its writer lives: the lock tells by itself only then
// perf appends features to a file in file mode, and says only then where its data end: the newest
// bytes wait for this long.
#define SETTLE NS_PER_SEC

enum writer { WRITER_UNKNOWN, WRITER_NONE, WRITER_THERE };

struct recording_follow {
    struct recording recording;
    int inotify; // -1: the system has no more
    enum writer writer;
    bool locked;            // by a collector: as long as it is, it is written
    uint64_t seen, settled; // file mode: its sizes, now and when the newest bytes had settled
    ns_t seen_at;           // CLOCK_MONOTONIC
};

// A lease is refused for a file that is open for writing. It is given back at once.
static enum writer ask_writer(int fd)
{
    void (*before)(int) = signal(SIGIO, SIG_IGN); // which whoever wants to write meanwhile causes
    enum writer w = WRITER_UNKNOWN;

    if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
        fcntl(fd, F_SETLEASE, F_UNLCK);
        w = WRITER_NONE;
    } else if (errno == EAGAIN) {
        w = WRITER_THERE;
    }
    signal(SIGIO, before);
    return w;
}

static bool is_locked(int fd)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

int recording_follow_open(int fd, const char *name, struct recording_follow **ret)
{
    struct recording_follow *f = calloc(1, sizeof(*f));
    char path[32];

    if (!f)
        return -ENOMEM;
    recording_init(&f->recording, fd, name);
    f->writer = ask_writer(fd);
    f->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    // The file that is open, whatever its name stands for by now.
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (f->inotify >= 0)
        inotify_add_watch(f->inotify, path, IN_MODIFY | IN_CLOSE_WRITE);
    *ret = f;
    return 0;
}

void recording_follow_close(struct recording_follow *f)
{
    if (!f)
        return;
    recording_close(&f->recording);
    if (f->inotify >= 0)
        close(f->inotify);
    free(f);
}

int recording_follow_fd(const struct recording_follow *f)
{
    return f->inotify;
}

static void take_events(struct recording_follow *f)
{
    _Alignas(struct inotify_event) char events[4096];
    ssize_t n;

    while (f->inotify >= 0 && (n = read(f->inotify, events, sizeof(events))) > 0)
        for (ssize_t at = 0; at < n;) {
            struct inotify_event e;

            memcpy(&e, events + at, sizeof(e));
            if (e.mask & IN_CLOSE_WRITE)
                f->writer = WRITER_NONE;
            else if (f->writer == WRITER_NONE) // another one has come
                f->writer = WRITER_UNKNOWN;
            at += (ssize_t)(sizeof(e) + e.len);
        }
}

static ns_t age(const struct stat *st)
{
    return clock_ns(CLOCK_REALTIME) - (st->st_mtim.tv_sec * NS_PER_SEC + st->st_mtim.tv_nsec);
}

static bool is_written(struct recording_follow *f, const struct stat *st)
{
    if (f->recording.extent.finished)
        return false;
    if (is_locked(f->recording.fd)) {
        f->locked = true;
        return true;
    }
    if (f->locked || f->writer == WRITER_NONE)
        return false;
    return f->writer == WRITER_THERE || age(st) < RECORDING_QUIET;
}

// How far a file in file mode that is not finished may be read now.
static uint64_t settled_size(struct recording_follow *f, const struct stat *st, bool written)
{
    ns_t now = clock_ns(CLOCK_MONOTONIC);

    if (!written || age(st) >= SETTLE)
        return (uint64_t)st->st_size;
    if (now - f->seen_at >= SETTLE) {
        f->settled = f->seen;
        f->seen = (uint64_t)st->st_size;
        f->seen_at = now;
    }
    return f->settled;
}

bool recording_follow_take(struct recording_follow *f, struct ingest *ingest, int *ret_wait_ms,
                           const char **ret_why)
{
    struct recording *r = &f->recording;
    uint64_t limit = UINT64_MAX;
    struct stat st;
    bool written;

    *ret_why = NULL;
    take_events(f);
    if (fstat(r->fd, &st) < 0) {
        *ret_why = "it cannot be read any more";
        return false;
    }
    // Asked before the file is read to its end, so that nothing is written in between.
    written = is_written(f, &st);
    if (r->begun && r->extent.file_mode && !r->extent.finished) {
        recording_refresh(r);
        limit = settled_size(f, &st, written);
    }
    *ret_wait_ms = 0;
    switch (recording_step(r, ingest, limit)) {
    case RECORDING_MORE:
        return true;
    case RECORDING_EDGE:
        *ret_wait_ms = LOOK_MS;
        if (written ||
            (r->extent.file_mode && !r->extent.finished && r->offset < (uint64_t)st.st_size))
            return true;
        if (st.st_nlink == 0)
            *ret_why = "the recording was replaced or removed while it was followed";
        return false;
    case RECORDING_CUT:
        *ret_why = "the recording was cut short while it was read";
        return false;
    case RECORDING_ERROR:
        break;
    }
    return false;
}
