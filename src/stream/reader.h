// SPDX-License-Identifier: Apache-2.0
// Reads a stream that may come from anywhere: perf.data in pipe mode or file mode, ours or perf's
// own, in pieces of any size. It never reads a descriptor itself, and holds the head, at most one
// record (64 KiB) and, where the stream is compressed, what zstd needs (file_mode.h has how a file
// begins).
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
    // One sample. A CPU's samples come in the order of their times, those of several don't.
    void (*sample)(void *context, size_t event, const struct sample *sample);
    // perf has drained its rings once (FINISHED_ROUND): all samples from here on are younger than
    // those before the previous call.
    void (*drained)(void *context);
};

#define STREAM_SKIPPED_TYPES                                                                       \
    16 // kinds of records that are told apart; of more there is only the sum

struct stream_counts {
    uint64_t records;    // all of them, those in compressed ones too
    uint64_t samples;    // of all events
    uint64_t unused;     // known, but nothing is done with them yet: maps of programs and the like
    uint64_t compressed; // COMPRESSED and COMPRESSED2
    uint64_t unknown;    // types that this version doesn't know
    uint64_t malformed;  // see above
    uint64_t skipped_bytes; // of unknown and malformed ones
    uint64_t lost;          // records that perf had no room for, as it says itself
    uint64_t throttled;     // times that the kernel stopped an event that sampled too often
    struct {
        uint64_t type, records;
    } skipped[STREAM_SKIPPED_TYPES]; // unknown and malformed ones by type
    size_t n_skipped;
};

// What an event's samples add up to.
struct stream_sampled {
    uint64_t samples;
    uint64_t period; // what they stand for: an estimate of the event's count
};

// Copies `handler`. 0 or -ENOMEM.
int stream_reader_new(const struct stream_handler *handler, void *context,
                      struct stream_reader **ret);
void stream_reader_free(struct stream_reader *r);

// Bounds what is kept of decompressed data from now on (decompress.h; 2^27 bytes unless this was
// called).
void stream_reader_bound_window(struct stream_reader *r, size_t bytes);
// Bytes that its ids and decompressed data take now.
size_t stream_reader_memory(const struct stream_reader *r);

// Takes the next bytes. 0, or what ended the reading, now and at each later call:
// -EPROTO          not perf.data
// -ENOTSUP         perf.data in file mode, which cannot be read in order: see file_mode.h
// -EPROTONOSUPPORT perf.data of a machine with the other byte order, or of a perf before 3.2
// -EBADMSG         a record that cannot be one, or damaged compression
// -EMSGSIZE        compression that needs a larger window
// -E2BIG           more events, ids, CPUs or threads than there are bounds for
// -ENOMEM, or what head() returned
int stream_reader_feed(struct stream_reader *r, const void *bytes, size_t size);

// No more bytes will come. 0 when the stream ended between two records; -EPIPE when in one (what
// came before is good); -ENODATA when there was nothing at all; or the error that ended the reading
// before.
int stream_reader_end(struct stream_reader *r);

// The sentence for the last error, with the byte where it was; "" without one.
const char *stream_reader_error(const struct stream_reader *r);
// Stay the reader's.
const struct stream_counts *stream_reader_counts(const struct stream_reader *r);
// Of each event of the head; NULL before it is complete.
const struct stream_sampled *stream_reader_sampled(const struct stream_reader *r);
// What is known of the head by now, for whom the handler's is too late.
const struct stream_head *stream_reader_head(const struct stream_reader *r);

// A file's beginning is not read in order: file_mode.c gives the header, attrs and features to the
// builder, and the data section to stream_reader_feed().
struct head_builder *stream_reader_builder(struct stream_reader *r);
// What is fed from here on are records, the first of them at byte `offset` of the file.
void stream_reader_begin_records(struct stream_reader *r, uint64_t offset);
// Ends the reading with this error and sentence.
int stream_reader_fail(struct stream_reader *r, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
