// SPDX-License-Identifier: Apache-2.0
#include "cmd/measure.h"

#include "base/process.h"
#include "cmd/choose.h"
#include "cmd/measure_private.h"
#include "collect/doctor.h"
#include "collect/notes.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

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
            measure_tell(m, text);
        }
    return t->n_alive || m->options->command ? 0 : ENDED_TARGET;
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
        r = m->signals = process_end_signals();
    if (r >= 0)
        r = loop_add(m->loop, m->signals, EPOLLIN, on_signal, m);
    if (r == 0 && m->launch.pidfd >= 0)
        r = loop_add(m->loop, m->launch.pidfd, EPOLLIN, on_command_end, m);
    if (r == 0 && m->collector.target.ends >= 0)
        r = loop_add(m->loop, m->collector.target.ends, EPOLLIN, on_target_end, m);
    if (r == 0)
        r = tick_open(&m->tick, m->options->interval);
    if (r == 0)
        r = loop_add(m->loop, m->tick.fd, EPOLLIN, measure_on_tick, m);
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
    m->processes = PROCESS_TABLE_NONE;
    m->collector.pressure = PRESSURE_NONE;
    m->source = (struct stream_source){.collector = &m->collector,
                                       .machine = &m->machine,
                                       .tick = &m->tick,
                                       .notice = m->notice,
                                       .findings = &m->findings};
    stream_source_name(&m->source);
    status = hold_command(m);
    process_raise_descriptors();
    // Before our own events take counters, and before the clock starts.
    if (status == 0) {
        doctor_run(&m->machine, &m->findings);
        status = choose_collector(o, m->launch.pid, &m->machine, &m->collector, m->notice,
                                  sizeof(m->notice));
    }
    if (status == 0) {
        process_raise_priority();
        status = open_loop(m);
    }
    if (status == 0 && o->dry_run) {
        collector_start(&m->collector, clock_ns(CLOCK_MONOTONIC)); // enabling takes time, too
        choose_print_plan(o, &m->collector);
        measure_close(m);
        *ret = NULL;
        return 0;
    }
    if (status == 0)
        status = consumer_open_output(&m->recording, o->output, o->compress, m->loop, &m->source);
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
    process_table_done(&m->processes);
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

bool measure_ran(const struct measure *m)
{
    return !m->unstarted;
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

    m->unstarted = error != 0;
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
        measure_take_interval(m, true);
    if (m->tick.started)
        measure_scan_processes(m, true);
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
