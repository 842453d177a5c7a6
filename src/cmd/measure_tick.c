// SPDX-License-Identifier: Apache-2.0
// A tick: everything is read, then handed on.
#include "base/process.h"
#include "cmd/measure_private.h"
#include "collect/notes.h"
#include "stream/writer.h"

#include <stdio.h>

#define STATUS_EVERY NS_PER_SEC

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

void measure_tell(struct measure *m, const char *text)
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
void measure_take_interval(struct measure *m, bool last)
{
    ns_t now = clock_ns(CLOCK_MONOTONIC);
    ns_t time = now - m->tick.grid.reference;
    bool cpus_changed;

    if (last)
        collector_hurry(&m->collector);
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
        target_poll_threads(&m->collector.target);
        m->status_due = now + STATUS_EVERY;
    }
}

// Which processes ran: after the interval's work, in slices.
void measure_scan_processes(struct measure *m, bool last)
{
    struct consumer *const to[] = {&m->recording, &m->server};

    m->processes.forks = m->collector.cpu_time.forks;
    process_table_step(&m->processes, &m->collector.target, m->last_timestamp,
                       last ? PROCESS_TABLE_LAST : process_table_budget(m->tick.grid.interval), to,
                       sizeof(to) / sizeof(to[0]));
}

// After the interval's work, as well: what is opened and closed takes time.
static void regroup(struct measure *m)
{
    char text[REGROUP_TEXT_MAX];
    ns_t budget = process_table_budget(m->tick.grid.interval);

    if (!collector_regroup(&m->collector, clock_ns(CLOCK_MONOTONIC) + budget, text))
        return;
    say("%s", text);
    measure_tell(m, text);
}

int measure_on_tick(void *context, uint32_t events)
{
    struct measure *m = context;
    bool over;

    (void)events;
    if (!tick_take(&m->tick))
        return 0;
    // However late the first tick was: there is an interval.
    over = m->options->duration && m->tick.started &&
           clock_ns(CLOCK_MONOTONIC) - m->tick.grid.reference >= m->options->duration;
    if (!m->tick.started) {
        m->tick.started = true;
        collector_start(&m->collector, m->tick.grid.reference);
        // Before the command, which may run ahead of us.
        m->last_time = clock_ns(CLOCK_MONOTONIC) - m->tick.grid.reference;
        launch_go(&m->launch);
    } else {
        measure_take_interval(m, over);
        regroup(m);
    }
    measure_scan_processes(m, false);
    if (over)
        return ENDED_DURATION;
    // Who streams to a reader that is gone, over a cut connection perhaps, is not left behind.
    if (m->options->output && !m->recording.sink)
        return ENDED_READER;
    return m->unwanted ? ENDED_READER : 0;
}
