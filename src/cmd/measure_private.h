// SPDX-License-Identifier: Apache-2.0
// What measure.c (what begins and ends measuring) and measure_tick.c (what a tick does) share.
#pragma once

#include "base/launch.h"
#include "cmd/consumer.h"
#include "cmd/csv_bridge.h"
#include "cmd/measure.h"
#include "cmd/process_table.h"

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
    bool told;      // the command was asked to end
    bool unstarted; // its exec failed
    struct findings findings;
    char notice[1024];
    struct stream_source source;
    struct consumer recording, server;
    struct csv_bridge csv;
    struct process_table processes;
    interval_function interval; // NULL: none
    void *interval_context;
    bool unwanted;    // it wants no more
    ns_t last_time;   // of the last reading, after the reference
    struct buf round; // of this tick
    int64_t last_timestamp;
    ns_t status_due;
    ns_t status_at, status_cpu; // when the last status was made, and the CPU time then
    int ended;
};

// The loop's function for m->tick.
int measure_on_tick(void *context, uint32_t events);
// Reads and hands on what was counted since the last time; `last`: the run ends with it.
void measure_take_interval(struct measure *m, bool last);
void measure_scan_processes(struct measure *m, bool last);
// Tells those who take the stream, as a note.
void measure_tell(struct measure *m, const char *text);
