// SPDX-License-Identifier: Apache-2.0
// The queue is a ring of units, each with its length before it. A unit is taken out when all of it
// was written; `done` says how much of the oldest one was. So a file whose disk is full can be cut
// back to the beginning of that unit, and the unit written again from there.
#include "stream/sink.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define SIDEBAND_SHARE 16                // the part of the queue that rounds leave free is 1/16
#define KEEP_BYTES     ((size_t)1 << 20) // of memory once touched: a longer backlog's is given back

struct stream_sink {
    int fd; // owned
    bool is_socket, is_file;
    char *ring; // owned, mapped
    size_t capacity;
    size_t head; // where the oldest unit begins
    size_t used; // bytes of units and their lengths
    size_t peak; // the most of it since it was empty
    size_t done; // bytes of the oldest unit that were written
    off_t whole; // of a regular file: where its last whole unit ends
    uint64_t dropped;
    bool gone;
};

typedef uint32_t unit_length;

// A description of our own for the pipe or terminal behind `fd`, or -1.
static int open_anew(int fd)
{
    char path[32];
    int own, null;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (own < 0)
        return -1;
    if (fd > STDERR_FILENO) {
        close(fd);
        return own;
    }
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, fd);
        close(null);
    }
    return own;
}

static int prepare(struct stream_sink *s, int fd)
{
    struct stat st;
    int flags = fcntl(fd, F_GETFL), own;

    if (flags < 0 || fstat(fd, &st) < 0)
        return -errno;
    s->fd = fd;
    if (S_ISREG(st.st_mode)) {
        s->is_file = true;
        s->whole = flags & O_APPEND ? st.st_size : lseek(fd, 0, SEEK_CUR);
        return s->whole < 0 ? -errno : 0;
    }
    if (S_ISSOCK(st.st_mode)) {
        s->is_socket = true;
        return 0;
    }
    own = open_anew(fd);
    if (own >= 0)
        s->fd = own;
    else if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

int stream_sink_open(int fd, size_t queue_bytes, struct stream_sink **ret)
{
    cleanup_free struct stream_sink *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    if (queue_bytes < SIDEBAND_SHARE * sizeof(unit_length) || queue_bytes > UINT32_MAX)
        return -EINVAL;
    s->capacity = queue_bytes;
    s->ring = mmap(NULL, queue_bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (s->ring == MAP_FAILED)
        return -ENOMEM;
    r = prepare(s, fd);
    if (r < 0) {
        munmap(s->ring, s->capacity);
        return r;
    }
    *ret = take_ptr(s);
    return 0;
}

void stream_sink_close(struct stream_sink *s)
{
    if (!s)
        return;
    munmap(s->ring, s->capacity);
    close(s->fd);
    free(s);
}

// The `size` bytes of the ring from `offset` after head on, as one or two pieces.
static int pieces(const struct stream_sink *s, size_t offset, size_t size, struct iovec ret[2])
{
    size_t at = (s->head + offset) % s->capacity, first = s->capacity - at;

    if (size <= first) {
        ret[0] = (struct iovec){s->ring + at, size};
        return 1;
    }
    ret[0] = (struct iovec){s->ring + at, first};
    ret[1] = (struct iovec){s->ring, size - first};
    return 2;
}

static void ring_put(struct stream_sink *s, const void *bytes, size_t size)
{
    struct iovec to[2];
    int n = pieces(s, s->used, size, to);

    memcpy(to[0].iov_base, bytes, to[0].iov_len);
    if (n > 1)
        memcpy(to[1].iov_base, (const char *)bytes + to[0].iov_len, to[1].iov_len);
    s->used += size;
    if (s->used > s->peak)
        s->peak = s->used;
}

static unit_length oldest_length(const struct stream_sink *s)
{
    struct iovec from[2];
    int n = pieces(s, 0, sizeof(unit_length), from);
    unit_length length;

    memcpy(&length, from[0].iov_base, from[0].iov_len);
    if (n > 1)
        memcpy((char *)&length + from[0].iov_len, from[1].iov_base, from[1].iov_len);
    return length;
}

// What rounds leave free is for the side band.
static size_t round_limit(const struct stream_sink *s)
{
    return s->capacity - s->capacity / SIDEBAND_SHARE;
}

static int has_room(const struct stream_sink *s, size_t size, size_t limit)
{
    if (s->gone)
        return -EPIPE;
    return size > limit || s->used + sizeof(unit_length) > limit - size ? -ENOBUFS : 0;
}

static int queue(struct stream_sink *s, const void *bytes, size_t size, size_t limit)
{
    unit_length length = (unit_length)size;
    int r = has_room(s, size, limit);

    if (r < 0 || !size)
        return r;
    ring_put(s, &length, sizeof(length));
    ring_put(s, bytes, size);
    return 0;
}

int stream_sink_ask_round(struct stream_sink *s, size_t size)
{
    int r = has_room(s, size, round_limit(s));

    if (r == -ENOBUFS)
        s->dropped++;
    return r;
}

int stream_sink_ask_sideband(struct stream_sink *s, size_t size)
{
    return has_room(s, size, s->capacity);
}

int stream_sink_round(struct stream_sink *s, const void *bytes, size_t size)
{
    int r = queue(s, bytes, size, round_limit(s));

    if (r == -ENOBUFS)
        s->dropped++;
    return r;
}

int stream_sink_sideband(struct stream_sink *s, const void *bytes, size_t size)
{
    return queue(s, bytes, size, s->capacity);
}

static void pop_oldest(struct stream_sink *s, size_t length)
{
    s->whole += (off_t)length;
    s->done = 0;
    s->head = (s->head + sizeof(unit_length) + length) % s->capacity;
    s->used -= sizeof(unit_length) + length;
    if (s->used)
        return;
    s->head = 0; // an unhurried stream stays in the ring's first pages
    if (s->peak > KEEP_BYTES)
        madvise(s->ring, s->capacity, MADV_DONTNEED);
    s->peak = 0;
}

// What was written of the oldest unit goes again, so that the file ends with a whole one.
static void cut_back(struct stream_sink *s)
{
    if (!s->is_file || !s->done)
        return;
    if (ftruncate(s->fd, s->whole) == 0 && lseek(s->fd, s->whole, SEEK_SET) == s->whole)
        s->done = 0;
}

static ssize_t write_pieces(struct stream_sink *s, struct iovec *from, int n)
{
    struct msghdr message = {.msg_iov = from, .msg_iovlen = (size_t)n};

    return s->is_socket ? sendmsg(s->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL)
                        : writev(s->fd, from, n);
}

int stream_sink_flush(struct stream_sink *s)
{
    while (s->used && !s->gone) {
        size_t length = oldest_length(s);
        struct iovec from[2];
        int n = pieces(s, sizeof(unit_length) + s->done, length - s->done, from), error;
        ssize_t written = write_pieces(s, from, n);

        if (written >= 0) {
            s->done += (size_t)written;
            if (s->done == length)
                pop_oldest(s, length);
            continue;
        }
        error = errno;
        if (error == EINTR)
            continue;
        if (error == EAGAIN || error == EWOULDBLOCK)
            return STREAM_SINK_BUSY;
        if (error == EPIPE || error == ECONNRESET) {
            s->gone = true;
            break;
        }
        cut_back(s);
        return -error;
    }
    return s->gone ? -EPIPE : STREAM_SINK_IDLE;
}

int stream_sink_finish(struct stream_sink *s, ns_t timeout)
{
    ns_t deadline = clock_ns(CLOCK_MONOTONIC) + timeout;
    int r;

    while ((r = stream_sink_flush(s)) == STREAM_SINK_BUSY) {
        ns_t left = deadline - clock_ns(CLOCK_MONOTONIC);
        struct pollfd p = {.fd = s->fd, .events = POLLOUT};

        if (left <= 0)
            return -ETIMEDOUT;
        poll(&p, 1, (int)(left / NS_PER_MS < 1000 ? left / NS_PER_MS + 1 : 1000));
    }
    return r;
}

int stream_sink_fd(const struct stream_sink *s)
{
    return s->fd;
}

size_t stream_sink_queued(const struct stream_sink *s)
{
    return s->used;
}

uint64_t stream_sink_dropped(const struct stream_sink *s)
{
    return s->dropped;
}
