// SPDX-License-Identifier: Apache-2.0
// A perf.data file on disk, read piece by piece: finished, or one that is still being written.
#pragma once

#include "history/ingest.h"

struct recording {
    int fd;
    const char *name; // for messages; not owned
    uint64_t offset;  // of the next byte to be read
    struct stream_extent extent;
    bool begun; // its header was looked at
};

#define RECORDING_NONE ((struct recording){.fd = -1})

// What one look at the file gave.
enum recording_step {
    RECORDING_MORE,  // the header or a piece was read, and there may be more
    RECORDING_EDGE,  // all that there is now was read
    RECORDING_CUT,   // it is shorter than what was read of it
    RECORDING_ERROR, // reading it failed (errno), or ingest refused it (the session says why)
};

// Takes `fd`, a regular file.
void recording_init(struct recording *r, int fd, const char *name);
void recording_close(struct recording *r);
// Hands the next piece before byte `limit` to `ingest`.
enum recording_step recording_step(struct recording *r, struct ingest *ingest, uint64_t limit);
// Looks at the header again: has perf finished the file by now?
void recording_refresh(struct recording *r);
// CLOCK_REALTIME of when it was begun, as far as the file system knows: what its times count from
// when it doesn't say that itself. 0: not known.
ns_t recording_birth(int fd);
