// SPDX-License-Identifier: Apache-2.0
// Reads a stream that may come from anywhere: perf.data in pipe mode, ours or perf's own, in pieces
// of any size. It never reads a descriptor itself, and holds at most one record (64 KiB) and the
// head.
//
// What is wrong with the framing ends the reading, with one sentence. A record whose frame is right
// and whose content is not is skipped and counted, and so is a reading of an event, CPU or thread
// that the head doesn't have, an attr or map that comes after readings began, and a second map.
//
// Threads: one at a time.
#pragma once

#include "model/reading.h"
#include "stream/head.h"

struct stream_reader; // opaque

// What the reader calls, in the stream's order. Each may be NULL. What they are given is valid
// until they return, the head as long as the reader.
struct stream_handler {
    // Before everything else, when the head is complete: at the first reading, round, note or
    // sample, or at the end. Again when a text, name, unit, scale or the interval changed
    // afterwards; events, CPUs and threads are the same then. Less than 0 ends the reading with
    // this error.
    int (*head)(void *context, const struct stream_head *head);
    // `event` is the place in head->events; `cpu` a CPU's number, -1 for tasks; `thread` a place in
    // head->threads, 0 for a system. Cumulative. perf repeats its last readings after its last
    // interval, without a round: leave them out.
    void (*stat)(void *context, size_t event, int cpu, uint32_t thread, struct reading reading);
    // The readings since the last round are an interval, `time_ns` after the reference. perf stat
    // without -I has one final round, that gives the whole time.
    void (*round)(void *context, bool final, uint64_t time_ns);
    // The wall clock was set: from here on, times are to be converted with this.
    void (*clock)(void *context, const struct stream_clock *clock);
    // `json` is `size` bytes, not checked and not terminated.
    void (*note)(void *context, size_t event, const char *json, size_t size);
};

struct stream_counts {
    uint64_t records;       // all of them
    uint64_t unused;        // known, but nothing is done with them yet: samples, maps of programs
    uint64_t compressed;    // COMPRESSED and COMPRESSED2: not read yet
    uint64_t unknown;       // types that this version doesn't know
    uint64_t malformed;     // see above
    uint64_t skipped_bytes; // of compressed, unknown and malformed ones
};

// Copies `handler`. 0 or -ENOMEM.
int stream_reader_new(const struct stream_handler *handler, void *context,
                      struct stream_reader **ret);
void stream_reader_free(struct stream_reader *r);

// Takes the next bytes. 0, or what ended the reading, now and at each later call:
// -EPROTO          not perf.data
// -ENOTSUP         perf.data in file mode, which is not read yet
// -EPROTONOSUPPORT perf.data of a machine with the other byte order, or of a perf before 3.2
// -EBADMSG         a record that cannot be one
// -E2BIG           more events, ids, CPUs or threads than there are bounds for
// -ENOMEM, or what head() returned
int stream_reader_feed(struct stream_reader *r, const void *bytes, size_t size);

// No more bytes will come. 0 when the stream ended between two records; -EPIPE when in one (what
// came before is good); -ENODATA when there was nothing at all; or the error that ended the reading
// before.
int stream_reader_end(struct stream_reader *r);

// The sentence for the last error, with the byte where it was; "" without one.
const char *stream_reader_error(const struct stream_reader *r);
struct stream_counts stream_reader_counts(const struct stream_reader *r);
