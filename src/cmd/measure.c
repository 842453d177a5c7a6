// SPDX-License-Identifier: Apache-2.0
#include "cmd/measure.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/launch.h"
#include "base/loop.h"
#include "base/process.h"
#include "cmd/choose.h"
#include "cmd/consumer.h"
#include "cmd/csv_bridge.h"
#include "cmd/process_table.h"
#include "collect/doctor.h"
#include "collect/notes.h"
#include "stream/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>

#define STATUS_EVERY NS_PER_SEC

// Why the loop ended; more than 0, so that it ends it.
enum { ENDED_SIGNAL = 1, ENDED_DURATION, ENDED_TARGET, ENDED_COMMAND, ENDED_READER };

struct measure {
    const struct options *options;
    struct collector collector;
    struct machine machine;
    struct tick tick;
    struct loop *loop;
    int signals;
    struct launch launch;
    bool told; // the command was asked to end
    struct findings findings;
    char notice[1024];
    struct stream_source source;
    struct consumer recording, server;
    struct csv_bridge csv;
    struct process_scan *processes; // see process_table.h
    interval_function interval;     // NULL: none
    void *interval_context;
    bool unwanted;    // it wants no more
    ns_t last_time;   // of the last reading, after the reference
    struct buf round; // of this tick
    int64_t last_timestamp;
    ns_t status_due;
    ns_t status_at, status_cpu; // when the last status was made, and the CPU time then
    int ended;
};

static void send_status(struct measure *m, ns_t now)
{
    ns_t cpu = process_cpu_time();
    struct notes_status status = {
        .missed_ticks = m->tick.missed,
        .rss_bytes = process_resident_bytes(),
        .cpu_percent = m->status_at
                           ? 100.0 * (double)(cpu - m->status_cpu) / (double)(now - m->status_at)
                           : NAN,
    };
    struct consumer *consumers[] = {&m->recording, &m->server};

    for (size_t i = 0; i < sizeof(consumers) / sizeof(consumers[0]); i++) {
        struct buf note = {0};

        if (!consumers[i]->sink)
            continue;
        status.dropped_rounds = stream_sink_dropped(consumers[i]->sink);
        notes_status(&note, &status);
        consumer_sideband(consumers[i], &note);
        buf_done(&note);
    }
    m->status_at = now;
    m->status_cpu = cpu;
}

static void hand_out(struct measure *m, struct buf *records)
{
    consumer_sideband(&m->recording, records);
    consumer_sideband(&m->server, records);
    buf_done(records);
}

static void tell_consumers(struct measure *m, const char *text)
{
    struct buf note = {0};

    notes_text(&note, "info", text);
    hand_out(m, &note);
}

static void tell_online(struct measure *m)
{
    struct buf note = {0};

    say("CPUs online now: %s", m->collector.online.text);
    notes_online(&note, m->collector.online.text);
    hand_out(m, &note);
}

static void follow_wall_clock(struct measure *m)
{
    struct buf clock = {0};

    if (!tick_follow_wall_clock(&m->tick))
        return;
    stream_write_clock(&clock, m->tick.grid.reference, m->tick.grid.wall);
    hand_out(m, &clock);
}

// One interval: read first, then hand on.
static void take_interval(struct measure *m)
{
    ns_t now = clock_ns(CLOCK_MONOTONIC);
    ns_t time = now - m->tick.grid.reference;
    bool cpus_changed;

    cpus_changed = collector_read(&m->collector, now);
    follow_wall_clock(m);
    m->last_timestamp = grid_timestamp_ms(&m->tick.grid, time, m->last_timestamp);
    csv_bridge_interval(&m->csv, &m->collector.readings, m->last_timestamp);
    if (m->interval)
        m->unwanted = m->interval(m->interval_context, &m->collector.readings, m->last_timestamp,
                                  (double)(time - m->last_time) / NS_PER_SEC) != 0;
    m->last_time = time;
    if (m->recording.sink || m->server.sink) {
        buf_clear(&m->round);
        stream_source_round(&m->source, time, false, &m->round);
        consumer_round(&m->recording, &m->round, now);
        consumer_round(&m->server, &m->round, now);
    }
    readings_advance(&m->collector.readings);
    if (cpus_changed)
        tell_online(m);
    if (now >= m->status_due) {
        send_status(m, now);
        m->status_due = now + STATUS_EVERY;
    }
}

// Which processes ran: after the interval's work, in slices.
static void scan_processes(struct measure *m, bool last)
{
    struct consumer *const to[] = {&m->recording, &m->server};

    process_table_step(&m->processes, &m->collector.target, m->last_timestamp,
                       last ? PROCESS_TABLE_LAST : process_table_budget(m->tick.grid.interval), to,
                       sizeof(to) / sizeof(to[0]));
}

static int on_tick(void *context, uint32_t events)
{
    struct measure *m = context;
    ns_t elapsed;

    (void)events;
    if (!tick_take(&m->tick))
        return 0;
    if (!m->tick.started) {
        m->tick.started = true;
        collector_start(&m->collector, m->tick.grid.reference);
        // Before the command, which may run ahead of us.
        m->last_time = clock_ns(CLOCK_MONOTONIC) - m->tick.grid.reference;
        launch_go(&m->launch);
    } else {
        take_interval(m);
    }
    scan_processes(m, false);
    elapsed = clock_ns(CLOCK_MONOTONIC) - m->tick.grid.reference;
    if (m->options->duration && elapsed >= m->options->duration)
        return ENDED_DURATION;
    // Who streams to a reader that is gone, over a cut connection perhaps, is not left behind.
    if (m->options->output && !m->recording.sink)
        return ENDED_READER;
    return m->unwanted ? ENDED_READER : 0;
}

// With a command, its end is what ends us: what a terminal sends has reached it as well, and what
// was sent to us alone is passed on. One that does not heed it is not waited for a second time.
static int on_signal(void *context, uint32_t events)
{
    struct measure *m = context;
    struct signalfd_siginfo info;

    (void)events;
    if (read(m->signals, &info, sizeof(info)) != sizeof(info))
        return 0;
    if (m->launch.pid <= 0 || !m->tick.started)
        return ENDED_SIGNAL;
    if (info.ssi_code == SI_KERNEL)
        return 0;
    if (m->told)
        return ENDED_SIGNAL;
    m->told = true;
    launch_signal(&m->launch, (int)info.ssi_signo);
    return 0;
}

static int on_command_end(void *context, uint32_t events)
{
    (void)context;
    (void)events;
    return ENDED_COMMAND;
}

// Its final counts are in the intervals until then, and in the one that follows.
static int on_target_end(void *context, uint32_t events)
{
    struct measure *m = context;
    struct target *t = &m->collector.target;
    size_t i;

    (void)events;
    while (target_take_end(t, &i))
        if (t->n_alive && !m->options->command) {
            char text[128];

            snprintf(text, sizeof(text), "%s %d (%s) has ended; %zu go on",
                     t->kind == TARGET_THREADS ? "thread" : "process", t->tasks[i].pid,
                     t->tasks[i].comm, t->n_alive);
            say("%s", text);
            tell_consumers(m, text);
        }
    return t->n_alive || m->options->command ? 0 : ENDED_TARGET;
}

static int open_signals(struct measure *m)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return m->signals < 0 ? -errno : loop_add(m->loop, m->signals, EPOLLIN, on_signal, m);
}

// Before anything of ours is changed that a command would inherit.
static int hold_command(struct measure *m)
{
    const struct options *o = m->options;
    bool quiet = o->json || o->csv_stdout || (o->output && strcmp(o->output, "-") == 0);
    int r = o->command ? launch_open(o->command, quiet, &m->launch) : 0;

    if (r == 0)
        return 0;
    say("'%s' cannot be started: %s", o->command[0], strerror(-r));
    return EXIT_FAILED;
}

static int open_loop(struct measure *m)
{
    int r = loop_new(&m->loop);

    if (r == 0)
        r = open_signals(m);
    if (r == 0 && m->launch.pidfd >= 0)
        r = loop_add(m->loop, m->launch.pidfd, EPOLLIN, on_command_end, m);
    if (r == 0 && m->collector.target.ends >= 0)
        r = loop_add(m->loop, m->collector.target.ends, EPOLLIN, on_target_end, m);
    if (r == 0)
        r = tick_open(&m->tick, m->options->interval);
    if (r == 0)
        r = loop_add(m->loop, m->tick.fd, EPOLLIN, on_tick, m);
    if (r == 0)
        return 0;
    say("cannot set up the clock: %s", strerror(-r));
    return EXIT_FAILED;
}

int measure_open(const struct options *o, struct measure **ret)
{
    struct measure *m = calloc(1, sizeof(*m));
    int status;

    if (!m) {
        say("out of memory");
        return EXIT_FAILED;
    }
    m->options = o;
    m->launch = LAUNCH_NONE;
    m->signals = m->tick.fd = m->collector.target.ends = m->collector.cpu_time.fd = -1;
    m->collector.online.fd = -1;
    m->collector.pressure = PRESSURE_NONE;
    m->source = (struct stream_source){.collector = &m->collector,
                                       .machine = &m->machine,
                                       .tick = &m->tick,
                                       .notice = m->notice,
                                       .findings = &m->findings};
    stream_source_name(&m->source);
    status = hold_command(m);
    process_raise_descriptors();
    machine_describe("", &m->machine);
    // Before our own events take counters, and before the clock starts.
    if (status == 0) {
        doctor_run(&m->findings);
        status = choose_collector(o, m->launch.pid, &m->machine, &m->collector, m->notice,
                                  sizeof(m->notice));
    }
    if (status == 0) {
        process_raise_priority();
        status = open_loop(m);
    }
    if (status == 0 && o->dry_run) {
        choose_print_plan(o, &m->collector);
        measure_close(m);
        *ret = NULL;
        return 0;
    }
    if (status == 0)
        status = consumer_open_output(&m->recording, o->output, m->loop, &m->source);
    if (status != 0) {
        measure_close(m);
        return status;
    }
    csv_bridge_open(&m->csv, o->csv, o->csv_rows, &m->collector);
    *ret = m;
    return 0;
}

void measure_close(struct measure *m)
{
    if (!m)
        return;
    consumer_close(&m->recording);
    consumer_close(&m->server);
    csv_bridge_close(&m->csv);
    process_scan_free(m->processes);
    launch_close(&m->launch);
    tick_close(&m->tick);
    collector_close(&m->collector);
    loop_free(m->loop);
    if (m->signals >= 0)
        close(m->signals);
    buf_done(&m->round);
    free(m);
}

int measure_stream_to(struct measure *m, int fd)
{
    consumer_close(&m->server);
    return consumer_open(&m->server, fd, "the server", true, m->loop, &m->source);
}

void measure_intervals_to(struct measure *m, interval_function function, void *context)
{
    m->interval = function;
    m->interval_context = context;
}

const struct collector *measure_collector(const struct measure *m)
{
    return &m->collector;
}

struct loop *measure_loop(struct measure *m)
{
    return m->loop;
}

bool measure_target_ended(const struct measure *m)
{
    return m->ended == ENDED_TARGET;
}

static void say_goodbye(struct measure *m, const char *reason)
{
    struct buf end = {0};

    notes_end(&end, reason);
    consumer_sideband(&m->recording, &end);
    consumer_sideband(&m->server, &end);
    buf_done(&end);
    if (!consumer_finish(&m->recording))
        say("%s: not all of it could be written; it is whole up to the last interval that was",
            m->recording.name);
    consumer_finish(&m->server);
}

// The command's own status, after its end.
static int command_status(struct measure *m)
{
    int error, status = launch_reap(&m->launch, &error);

    if (error)
        say("'%s' cannot be started: %s", m->options->command[0], strerror(error));
    return status;
}

int measure_run(struct measure *m)
{
    char reason[192];
    int status;

    m->ended = loop_run(m->loop);
    // What was counted since the last tick is not lost; --duration ends at a tick.
    if (m->tick.started && m->ended != ENDED_DURATION)
        take_interval(m);
    if (m->tick.started)
        scan_processes(m, true);
    switch (m->ended) {
    case ENDED_SIGNAL:
        snprintf(reason, sizeof(reason), "the collector was stopped");
        break;
    case ENDED_DURATION:
        snprintf(reason, sizeof(reason), "the time of --duration has passed");
        break;
    case ENDED_TARGET:
        snprintf(reason, sizeof(reason), "%s has ended", m->collector.target.text);
        say("%s", reason);
        break;
    case ENDED_COMMAND:
        snprintf(reason, sizeof(reason), "the command '%.100s' has ended", m->options->command[0]);
        break;
    case ENDED_READER:
        snprintf(reason, sizeof(reason), "the reader of the stream is gone");
        break;
    default:
        snprintf(reason, sizeof(reason), "the collector ended");
    }
    say_goodbye(m, reason);
    status = m->ended < 0 ? EXIT_FAILED : m->options->command ? command_status(m) : EXIT_DONE;
    if (m->tick.missed)
        say("%llu ticks were missed; their counts are in the intervals after them",
            (unsigned long long)m->tick.missed);
    return status;
}
