// SPDX-License-Identifier: Apache-2.0
// What a stream says of itself before its first reading: events, CPUs or threads, the machine, the
// clock. The builder collects it from records; the reader hands the result on.
#pragma once

#include "base/clock.h"
#include "stream/cpu_map.h"
#include "stream/event_name.h"
#include "stream/id_map.h"
#include "stream/sample.h"
#include "stream/writer.h"

#define STREAM_THREADS_MAX 65536 // THREAD_MAP holds 2,700 in one record; perf's own never has more
// Places (CPUs or threads) × events of one interval: 512 CPUs × 1,024 events, and far less than a
// head within the other bounds could ask for. An interval is 24 MiB of the stream then.
#define STREAM_READINGS_MAX ((size_t)1 << 19)
#define STREAM_TEXT_MAX     256 // a CPU's name is below 64; longer texts are cut

struct stream_clock {
    bool known;        // perf stat's own streams have none
    int clockid;       // that round times belong to: CLOCK_MONOTONIC in ours
    ns_t reference_ns; // on that clock
    ns_t wall_ns;      // CLOCK_REALTIME at that moment
};

// Everything in it is the reader's, and stays where it is until stream_reader_free().
struct stream_head {
    // In the stream's order. `id` is the first of its ids (0: none, the event was not supported).
    // `column` is "". A name that the stream left out is perf's own for such an attr. Group numbers
    // are 0 … n_groups − 1.
    const struct event *events;
    const struct sample_format *formats; // [n_events]; which of them sample, and how
    size_t n_events;
    int n_groups;
    bool tasks;      // readings belong to threads; their CPU is -1
    const int *cpus; // numbers, each once, in the stream's order; none for tasks
    size_t n_cpus;
    const struct stream_thread *threads; // pid -1 beside tasks is a spare slot; none for a system
    size_t n_threads;
    unsigned interval_ms;                 // 0: only one round, at the end
    unsigned cpus_available, cpus_online; // of the machine, STREAM_CPUS_MAX at most; 0: not said
    char host[STREAM_TEXT_MAX], kernel[STREAM_TEXT_MAX], version[STREAM_TEXT_MAX],
        arch[STREAM_TEXT_MAX], cpu_desc[STREAM_TEXT_MAX];
    struct stream_clock clock;
    uint64_t first_sample; // time of the first one that the whole has; 0: not said
};

struct head_event {
    struct event_attr attr; // to name it by
    int leader;             // index of its group's leader; -1: none was named
    bool in_group;          // its attr says that it is read with others …
    bool disabled; // … and this is set on leaders only: perf stat starts a group by its leader
};

struct head_builder {
    struct stream_head head; // its arrays point into what follows
    struct event *events;
    struct sample_format *formats;
    struct head_event
        *origins; // [n_events]: what of their attrs is needed until the head is complete
    size_t capacity;
    struct cpu_map cpu_map;
    struct stream_thread *threads;
    bool have_groups; // the stream has a GROUP_DESC
    struct id_map ids;
    bool complete; // readings have begun: events, CPUs and threads are fixed
    bool changed;  // something else changed since
};

void head_done(struct head_builder *h);
// An event's name, from the next `size` bytes.
void head_set_name(struct event *e, struct cursor *data, size_t size);

// Each takes the body of one record of its type. 0; 1 when the record is malformed or came too
// late, and nothing of it was taken; -E2BIG or -ENOMEM when the stream cannot be read on.
int head_attr(struct head_builder *h, struct cursor body);
// The same for an attr whose ids stand elsewhere (file mode): what `ids` holds.
int head_attr_ids(struct head_builder *h, struct cursor attr, struct cursor ids);
int head_update(struct head_builder *h, uint64_t type, uint64_t id, struct cursor data);
int head_cpu_map(struct head_builder *h, struct cursor body);
int head_thread_map(struct head_builder *h, struct cursor body);
int head_config(struct head_builder *h, struct cursor body);
// `*ret_clock` says that it was a new clock.
int head_feature(struct head_builder *h, uint64_t feature, struct cursor data, bool *ret_clock);
// Is anything done with it? Others can be large (build ids, CPU caches).
bool head_feature_wanted(uint64_t feature);
// Names and groups what the stream left to be derived. From here on events, CPUs and threads don't
// change.
void head_complete(struct head_builder *h);

// The CPU number of a STAT.cpu, -1 for tasks. False when the map has no such CPU.
bool head_cpu(struct head_builder *h, uint32_t cpu, int *ret_cpu);
bool head_thread(const struct head_builder *h, uint32_t thread);
