// SPDX-License-Identifier: Apache-2.0
// One consumer of the stream: a recording, or the server's pipe. It gets a header of its own, then
// each round.
#pragma once

#include "base/buf.h"
#include "base/loop.h"
#include "collect/collector.h"
#include "collect/machine.h"
#include "collect/tick.h"
#include "model/finding.h"
#include "stream/compress.h"
#include "stream/sink.h"

// What headers are made of; the same for all consumers of a run.
struct stream_source {
    const struct collector *collector;
    const struct machine *machine;
    const struct tick *tick;
    char run[9];                     // names this run in the ids of the push stream
    const char *notice;              // what cannot be counted here, "" nothing
    const struct findings *findings; // the doctor's
};

struct consumer {
    struct stream_sink *sink;             // NULL: not in use
    struct stream_compressor *compressor; // NULL: it gets the records as they are
    struct buf packed;                    // of the unit at hand
    struct loop *loop;
    const struct stream_source *source;
    const char *name; // for messages: the file's, or "the server"
    ns_t flushed;     // CLOCK_MONOTONIC
    bool waiting;     // for the descriptor to take more
    bool failing;     // said so
    bool quiet;       // it is somebody else's business that it broke
    bool behind;      // a side-band record was refused: what stays true is to be sent again
    bool told;        // the reader, that some are missing
};

// Gives the run its random name.
void stream_source_name(struct stream_source *s);

// Appends the readings of now: those of this interval, or, for a baseline, all that were ever
// taken.
void stream_source_round(const struct stream_source *s, ns_t time, bool baseline, struct buf *out);

// Takes fd and queues the header. 0 or -errno (fd is then still the caller's; -E2BIG: an interval
// is too large). The source outlives the consumer.
int consumer_open(struct consumer *c, int fd, const char *name, bool quiet, struct loop *loop,
                  const struct stream_source *source);
const char *consumer_why(int error); // what consumer_open() gave, and what to do
// The same for -o NAME (NULL: none; "-": standard output), packed if `compress`. A file is locked
// as long as it is open, so that whoever follows it knows that it grows. 0, or an exit status after
// having said why.
int consumer_open_output(struct consumer *c, const char *name, bool compress, struct loop *loop,
                         const struct stream_source *source);
void consumer_close(struct consumer *c);
// Each does nothing for a consumer that is not in use, and says what went wrong; one whose reader
// is gone is closed. Where the queue has no room a round is dropped and counted, and of the side
// band the clock and the CPUs that are online come again, before the next round that has room.
void consumer_round(struct consumer *c, const struct buf *round, ns_t now);
void consumer_sideband(struct consumer *c, const struct buf *records);
// Waits a moment for all to be written. False when it was not.
bool consumer_finish(struct consumer *c);
