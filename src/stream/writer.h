// SPDX-License-Identifier: Apache-2.0
// Renders the stream: perf.data records into a buf, nothing else. What is written here is read by
// `perf stat report`.
//
// The order: stream_write_start() once; then, for each interval, a stream_write_stat() for each
// event and CPU or thread that was read, closed by a stream_write_round(). Notes and clocks may
// stand between rounds.
//
// Memory that ran out is the buf's to tell (buf_error()). Where a function returns an error, the
// buf is as it was before.
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "model/event.h"
#include "model/reading.h"

#define STREAM_COMM_MAX 16    // with its NUL, as in the kernel
#define STREAM_NOTE_MAX 65504 // bytes of JSON that one record holds

enum stream_target {
    STREAM_SYSTEM, // every possible CPU
    STREAM_TASKS,  // threads, wherever they run
};

struct stream_thread {
    int64_t pid; // -1: a spare slot, that a later note may name
    char comm[STREAM_COMM_MAX];
};

// What a stream says of itself before its first reading. All pointers stay the caller's.
struct stream_description {
    // Ids must differ, and the members of a group stand next to each other. `unit`, `scale`, and
    // the modifiers at the end of `name` go into the stream; `availability` and `why` don't: an
    // event that did not open has no STAT, and a note.
    const struct event_table *events;
    enum stream_target target;
    unsigned cpus_possible; // CPU_MAP of a system is 0 … n − 1
    unsigned cpus_online;
    const struct stream_thread *threads; // STREAM_TASKS only
    size_t n_threads;
    size_t spare_threads; // empty slots after those
    unsigned interval_ms;
    const char *host, *kernel, *version, *arch, *cpu_desc; // NULL or "": left out
    ns_t reference_ns; // CLOCK_MONOTONIC that round times count from …
    ns_t wall_ns;      // … and CLOCK_REALTIME at that moment
};

// 0; -EINVAL (no events, no CPUs or threads, a group in pieces), -E2BIG (more CPUs or threads than
// a map record holds: 32,000 and 2,700), -ENOMEM.
int stream_write_start(struct buf *out, const struct stream_description *d);

// One reading, cumulative. `cpu` is a CPU's number (tasks: RECORD_CPU_ANY), `thread` a place in
// `threads` (system: 0). A gauge's reading needs enabled = running ≠ 0: perf prints "not counted"
// without.
void stream_write_stat(struct buf *out, uint64_t id, uint32_t cpu, uint32_t thread,
                       struct reading r);
// Ends an interval, `time_ns` after the reference. `final` is the last one of the stream.
void stream_write_round(struct buf *out, bool final, uint64_t time_ns);
// Says again what the wall clock was at `reference_ns` (that of the start, to which round times
// refer), after a step.
void stream_write_clock(struct buf *out, ns_t reference_ns, ns_t wall_ns);
// One JSON object about the event with this id, or, on the first event, about the whole. -E2BIG
// above STREAM_NOTE_MAX.
int stream_write_note(struct buf *out, uint64_t id, const char *json, size_t size);
