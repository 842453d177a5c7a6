// SPDX-License-Identifier: Apache-2.0
// One consumer of the stream: a descriptor and a bounded queue before it, so that a slow reader
// never delays a tick.
//
// The unit is what is handed over in one call: a round with its readings, or a side-band record.
// Units go out whole and in order. When the queue is full, rounds are dropped whole and counted
// (values are cumulative, so that only resolution is lost); side-band records are refused, never
// dropped silently.
//
// The caller ignores SIGPIPE, and SIGXFSZ where a file-size limit may be set.
//
// Threads: one at a time.
#pragma once

#include "base/clock.h"

#include <stddef.h>
#include <stdint.h>

#define STREAM_QUEUE_BYTES ((size_t)16 << 20) // 512 CPUs × 12 events at 10 Hz: 5 s; 2 CPUs: an hour
#define STREAM_QUEUE_MAX   ((size_t)1 << 30)

struct stream_sink; // opaque

enum stream_sink_state {
    STREAM_SINK_IDLE = 0, // all was written
    STREAM_SINK_BUSY =
        1, // the descriptor takes no more now: flush again when it is writable (POLLOUT)
};

// Takes `fd`, open for writing, with a queue of `queue_bytes` (address space at once, memory as it
// fills, given back when it is empty again). Others who share the open file are not disturbed where
// that can be avoided: a pipe, FIFO or terminal is opened anew, non-blocking (`fd` 0–2 becomes
// /dev/null then, so that nothing else is written into the stream), a socket is written with
// MSG_DONTWAIT; only a pipe that may not be opened anew gets O_NONBLOCK. 0, -EBADF, -EINVAL,
// -ENOMEM; then `fd` is still the caller's.
int stream_sink_open(int fd, size_t queue_bytes, struct stream_sink **ret);
// Closes without writing what is queued. NULL is fine.
void stream_sink_close(struct stream_sink *s);

// Queues a round, all of it. 0; -ENOBUFS when it was dropped and counted; -EPIPE when the reader is
// gone.
int stream_sink_round(struct stream_sink *s, const void *bytes, size_t size);
// Queues the stream's start, a note, a clock. A sixteenth of the queue is kept free for these. 0;
// -ENOBUFS when it was not taken: try again later; -EPIPE.
int stream_sink_sideband(struct stream_sink *s, const void *bytes, size_t size);

// Would they be taken now, with at most `size` bytes? For what cannot be made twice. As above; a
// round that would not be is counted as dropped.
int stream_sink_ask_round(struct stream_sink *s, size_t size);
int stream_sink_ask_sideband(struct stream_sink *s, size_t size);

// Writes what the descriptor takes. A stream_sink_state, or
// -EPIPE  the reader is gone, for good
// -errno  (-ENOSPC, -EDQUOT, -EFBIG, -EIO …) nothing more could be written. A regular file is cut
// back to its last whole unit, and
//         the unit stays queued: a later flush goes on there, if space was made.
int stream_sink_flush(struct stream_sink *s);
// Flushes and waits for the descriptor until all is written. 0, -ETIMEDOUT, or as
// stream_sink_flush().
int stream_sink_finish(struct stream_sink *s, ns_t timeout);

// To wait for POLLOUT on; a regular file cannot be waited for, and is never BUSY.
int stream_sink_fd(const struct stream_sink *s);
size_t stream_sink_queued(const struct stream_sink *s);    // bytes
uint64_t stream_sink_dropped(const struct stream_sink *s); // rounds, since it was opened
