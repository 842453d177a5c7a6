// SPDX-License-Identifier: Apache-2.0
#include "cmd/consumer.h"

#include "base/file.h"
#include "cmd/command.h"
#include "collect/notes.h"
#include "config.h"
#include "stream/record.h"
#include "stream/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

// A write for each of a thousand rounds a second costs more than the readings: below this they are
// put together. Half the shortest interval that shall not wait for its successor (10 ms), because
// ticks jitter.
#define FLUSH_EVERY  (5 * NS_PER_MS)
#define FINISH_LIMIT (2 * NS_PER_SEC)
#define QUEUE_ROUNDS 4 // a round is dropped where a sixteenth of the queue is not free beside it

void stream_source_name(struct stream_source *s)
{
    uint32_t run;

    if (getrandom(&run, sizeof(run), GRND_NONBLOCK) != sizeof(run))
        run = (uint32_t)clock_ns(CLOCK_REALTIME);
    snprintf(s->run, sizeof(s->run), "%08x", run);
}

void stream_source_round(const struct stream_source *s, ns_t time, bool baseline, struct buf *out)
{
    const struct readings *r = &s->collector->readings;
    bool tasks = target_is_tasks(&s->collector->target);

    for (size_t e = 0; e < r->events->n; e++) {
        const struct event *event = &r->events->events[e];

        for (size_t row = 0; row < r->n_rows; row++) {
            size_t i = e * r->n_rows + row;
            struct reading reading = r->now[i];

            if (!(baseline ? r->seen[i] : r->fresh[i]))
                continue;
            // A gauge has no times of its own; perf prints "not counted" where they do not advance.
            if (event->kind == EVENT_GAUGE)
                reading.enabled = reading.running = (uint64_t)time;
            stream_write_stat(out, event->id, tasks ? RECORD_CPU_ANY : (uint32_t)row,
                              tasks ? (uint32_t)row : 0, reading);
        }
    }
    stream_write_round(out, false, (uint64_t)time);
}

static int describe(const struct stream_source *s, struct buf *out)
{
    const struct collector *c = s->collector;
    struct stream_thread *threads = NULL;
    struct stream_description d = {
        .events = &c->events,
        .target = target_is_tasks(&c->target) ? STREAM_TASKS : STREAM_SYSTEM,
        .cpus_possible = (unsigned)c->target.n_possible,
        .cpus_online = (unsigned)c->target.n_cpus,
        .n_threads = c->target.n_threads,
        .interval_ms = (unsigned)(s->tick->grid.interval / NS_PER_MS),
        .host = s->machine->host,
        .kernel = s->machine->kernel,
        .version = CYCLESCOPE_VERSION,
        .arch = s->machine->arch,
        .cpu_desc = s->machine->cpu_model,
        .reference_ns = s->tick->grid.reference,
        .wall_ns = s->tick->grid.wall,
    };
    int r;

    if (d.n_threads) {
        threads = calloc(d.n_threads, sizeof(*threads));
        if (!threads)
            return -ENOMEM;
        for (size_t i = 0; i < d.n_threads; i++) {
            threads[i].pid = c->target.threads[i].tid;
            memcpy(threads[i].comm, c->target.threads[i].comm, sizeof(threads[i].comm));
        }
        d.threads = threads;
    }
    r = stream_write_start(out, &d);
    free(threads);
    return r;
}

// The stream's head, and, in the middle of a run, the readings that the next round is to be
// subtracted from.
static int write_head(const struct stream_source *s, struct buf *out)
{
    const struct grid *grid = &s->tick->grid;
    int r = describe(s, out);

    if (r < 0)
        return r;
    notes_stream(out, s->collector, s->machine, s->run, s->tick->started);
    notes_events(out, s->collector);
    notes_doctor(out, s->findings);
    if (s->notice[0])
        notes_text(out, "warning", s->notice);
    if (s->tick->started)
        stream_source_round(s, clock_ns(CLOCK_MONOTONIC) - grid->reference, true, out);
    return buf_error(out);
}

// Room for STREAM_QUEUE_BYTES, and for the head and some rounds where those are larger: with
// hundreds of CPUs or threads and as many events. A reading takes a descriptor, of which a kernel
// has 2^20 unless told otherwise: far less than STREAM_QUEUE_MAX. -E2BIG beyond that.
static int queue_size(const struct stream_source *s, size_t head, bool compress, size_t *ret)
{
    const struct collector *c = s->collector;
    size_t round = c->events.n * c->readings.n_rows * sizeof(struct record_stat) +
                   sizeof(struct record_stat_round);
    size_t wanted = head + QUEUE_ROUNDS * (compress ? stream_compress_bound(round) : round);

    if (wanted > STREAM_QUEUE_MAX)
        return -E2BIG;
    *ret = wanted > STREAM_QUEUE_BYTES ? wanted : STREAM_QUEUE_BYTES;
    return 0;
}

static int open_consumer(struct consumer *c, int fd, bool compress,
                         const struct stream_source *source)
{
    struct stream_compressor *compressor = NULL;
    struct buf head = {0};
    size_t queue = 0;
    int r = write_head(source, &head);

    if (r == 0 && compress) {
        stream_compress_begin(&head);
        r = stream_compressor_new(&compressor);
    }
    if (r == 0)
        r = buf_error(&head);
    if (r == 0)
        r = queue_size(source, head.size, compress, &queue);
    if (r == 0)
        r = stream_sink_open(fd, queue, &c->sink);
    if (r == 0)
        consumer_sideband(c, &head); // as it is: what is packed comes after it
    // Its reader may be gone already.
    if (r == 0 && c->sink)
        c->compressor = compressor;
    else
        stream_compressor_free(compressor);
    buf_done(&head);
    return r;
}

const char *consumer_why(int error)
{
    return error == -E2BIG ? "an interval of so many events and CPUs or threads is more than a "
                             "stream takes; measure fewer (-e, -C)"
                           : strerror(-error);
}

int consumer_open(struct consumer *c, int fd, const char *name, bool quiet, struct loop *loop,
                  const struct stream_source *source)
{
    *c = (struct consumer){.loop = loop, .source = source, .name = name, .quiet = quiet};
    return open_consumer(c, fd, false, source);
}

int consumer_open_output(struct consumer *c, const char *name, bool compress, struct loop *loop,
                         const struct stream_source *source)
{
    bool to_stdout = name && strcmp(name, "-") == 0;
    int fd, r;

    if (!name)
        return 0;
    if (to_stdout && isatty(STDOUT_FILENO)) {
        say("-o -: the stream is binary and does not go to a terminal; pipe it into `cyclescope "
            "serve -`");
        return EXIT_USAGE;
    }
    fd = to_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : file_create(name);
    r = to_stdout && fd < 0 ? -errno : fd;
    if (r >= 0) {
        *c = (struct consumer){.loop = loop, .source = source, .name = to_stdout ? "-o -" : name};
        r = open_consumer(c, fd, compress, source);
    }
    if (r == -E2BIG)
        say("%s: %s", name, consumer_why(r));
    else if (r < 0)
        say("%s: %s; %s", name,
            r == -ELOOP   ? "is a symbolic link, which is not followed"
            : r == -EBUSY ? "is being written by another collector"
            : r == -EPERM ? "belongs to another user, and is left alone"
                          : strerror(-r),
            r == -EMFILE ? "raise the limit of open files (ulimit -n)"
                         : "choose another file with -o");
    if (r < 0) {
        if (fd >= 0)
            close(fd);
        return EXIT_FAILED;
    }
    return 0;
}

void consumer_close(struct consumer *c)
{
    if (!c->sink)
        return;
    if (c->waiting)
        loop_remove(c->loop, stream_sink_fd(c->sink));
    stream_sink_close(c->sink);
    stream_compressor_free(c->compressor);
    buf_done(&c->packed);
    *c = (struct consumer){0};
}

static int on_writable(void *context, uint32_t events);

// Waits for the descriptor exactly while there is something to write that it did not take.
static void wait_for(struct consumer *c, bool wait)
{
    if (wait == c->waiting)
        return;
    if (!wait)
        loop_remove(c->loop, stream_sink_fd(c->sink));
    else if (loop_add(c->loop, stream_sink_fd(c->sink), EPOLLOUT, on_writable, c) < 0)
        return; // the next round tries again
    c->waiting = wait;
}

static void settle(struct consumer *c, int r)
{
    if (r == -EPIPE || r == -ENOMEM) {
        if (!c->quiet)
            say(r == -ENOMEM ? "%s: out of memory; going on without it"
                             : "%s: its reader is gone; going on without it",
                c->name);
        consumer_close(c);
        return;
    }
    if (r < 0 && r != -ENOBUFS && !c->failing)
        say("%s: %s; what is there stays readable, and recording goes on when there is space",
            c->name, strerror(-r));
    if (r == STREAM_SINK_IDLE && c->failing)
        say("%s: writing again; %llu intervals were dropped", c->name,
            (unsigned long long)stream_sink_dropped(c->sink));
    if (r != -ENOBUFS)
        c->failing = r < 0;
    wait_for(c, r == STREAM_SINK_BUSY);
}

static int on_writable(void *context, uint32_t events)
{
    struct consumer *c = context;

    (void)events;
    settle(c, stream_sink_flush(c->sink));
    return 0;
}

// What goes into the stream: the records, or, once there is a place for it, what they are packed
// into. NULL: memory is short, and a stream in which something is missing cannot be unpacked.
static const struct buf *pack(struct consumer *c, const struct buf *records)
{
    if (!c->compressor)
        return records;
    buf_clear(&c->packed);
    return stream_compress(c->compressor, records->data, records->size, &c->packed) < 0
               ? NULL
               : &c->packed;
}

static int put(struct consumer *c, const struct buf *records, bool round)
{
    size_t size = c->compressor ? stream_compress_bound(records->size) : records->size;
    int r = round ? stream_sink_ask_round(c->sink, size) : stream_sink_ask_sideband(c->sink, size);
    const struct buf *bytes = r < 0 ? NULL : pack(c, records);

    if (r < 0 || !bytes)
        return r < 0 ? r : -ENOMEM;
    return round ? stream_sink_round(c->sink, bytes->data, bytes->size)
                 : stream_sink_sideband(c->sink, bytes->data, bytes->size);
}

// What the records that were refused may have said, as it is now.
static int repeat(struct consumer *c)
{
    const struct grid *grid = &c->source->tick->grid;
    const char *online = c->source->collector->online.text;
    struct buf again = {0};
    int r;

    stream_write_clock(&again, grid->reference, grid->wall);
    if (online[0])
        notes_online(&again, online);
    if (!c->told)
        notes_text(&again, "warning",
                   "the reader of this stream was too slow for a while: some notes, and processes "
                   "of some seconds, are missing");
    r = buf_error(&again) < 0 ? -ENOBUFS : put(c, &again, false);
    buf_done(&again);
    c->behind &= r != 0;
    c->told |= r == 0;
    return r;
}

static int put_next(struct consumer *c, const struct buf *records, bool round)
{
    int r = c->behind ? repeat(c) : 0;

    if (r == 0 || (r == -ENOBUFS && round)) // which has no room either, and is counted
        r = put(c, records, round);
    c->behind |= r == -ENOBUFS && !round;
    return r;
}

void consumer_round(struct consumer *c, const struct buf *round, ns_t now)
{
    int r;

    if (!c->sink)
        return;
    r = put_next(c, round, true);
    if (r == -EPIPE || r == -ENOMEM) {
        settle(c, r);
        return;
    }
    if (c->waiting || now - c->flushed < FLUSH_EVERY)
        return;
    c->flushed = now;
    settle(c, stream_sink_flush(c->sink));
}

void consumer_sideband(struct consumer *c, const struct buf *records)
{
    int r;

    if (!c->sink || !records->size)
        return;
    r = put_next(c, records, false);
    settle(c, r < 0 ? r : stream_sink_flush(c->sink));
}

bool consumer_finish(struct consumer *c)
{
    return !c->sink || stream_sink_finish(c->sink, FINISH_LIMIT) == 0;
}
