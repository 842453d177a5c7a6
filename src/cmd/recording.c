// SPDX-License-Identifier: Apache-2.0
#include "cmd/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)1 << 20) // larger ones are not read faster

static ssize_t read_at(void *context, uint64_t offset, void *ret, size_t size)
{
    const struct recording *r = context;
    size_t done = 0;

    while (done < size) {
        ssize_t n = pread(r->fd, (char *)ret + done, size - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

void recording_init(struct recording *r, int fd, const char *name)
{
    *r = (struct recording){.fd = fd, .name = name};
}

void recording_close(struct recording *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
}

static int begin(struct recording *r, struct ingest *ingest, uint64_t size)
{
    const struct stream_file file = {read_at, r, size};
    int e = ingest_begin_file(ingest, &file, &r->extent);

    r->offset = r->extent.from;
    r->begun = true;
    return e;
}

void recording_refresh(struct recording *r)
{
    struct stream_extent now;
    struct stat st;

    if (fstat(r->fd, &st) == 0 &&
        file_mode_extent(&(struct stream_file){read_at, r, (uint64_t)st.st_size}, &now) == 0 &&
        now.from == r->extent.from)
        r->extent = now;
}

enum recording_step recording_step(struct recording *r, struct ingest *ingest, uint64_t limit)
{
    static char piece[PIECE_BYTES];
    struct stat st;
    uint64_t end;
    ssize_t n;

    if (fstat(r->fd, &st) < 0)
        return RECORDING_ERROR;
    if (!r->begun)
        return begin(r, ingest, (uint64_t)st.st_size) < 0 ? RECORDING_ERROR : RECORDING_MORE;
    end = r->extent.finished ? r->extent.to : (uint64_t)st.st_size;
    if (r->offset > (uint64_t)st.st_size)
        return RECORDING_CUT;
    if (end > limit)
        end = limit;
    if (r->offset >= end)
        return RECORDING_EDGE;
    n = read_at(r, r->offset, piece,
                end - r->offset < sizeof(piece) ? (size_t)(end - r->offset) : sizeof(piece));
    if (n < 0) {
        errno = (int)-n;
        return RECORDING_ERROR;
    }
    if (n == 0)
        return RECORDING_EDGE;
    r->offset += (uint64_t)n;
    return ingest_feed(ingest, piece, (size_t)n) < 0 ? RECORDING_ERROR : RECORDING_MORE;
}

ns_t recording_birth(int fd)
{
    struct statx sx;
    ns_t changed, born;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME | STATX_MTIME, &sx) < 0 ||
        !(sx.stx_mask & STATX_MTIME))
        return 0;
    changed = sx.stx_mtime.tv_sec * NS_PER_SEC + sx.stx_mtime.tv_nsec;
    born = sx.stx_btime.tv_sec * NS_PER_SEC + sx.stx_btime.tv_nsec;
    // A copy is younger than what is in it.
    return sx.stx_mask & STATX_BTIME && born < changed ? born : changed;
}
