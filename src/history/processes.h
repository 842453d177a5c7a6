// SPDX-License-Identifier: Apache-2.0
// Which processes ran in which second: a ring of what the stream's notes tell. It holds an hour of
// seconds, or fewer when there were very many processes in them: what it holds is bounded.
//
// Threads: as history.h's.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROCESSES_SECONDS_MAX 3600              // an hour
#define PROCESSES_ENTRIES_MAX ((size_t)1 << 18) // of 12 bytes: 72 processes in each second
#define PROCESSES_NAMES_MAX   4096              // different ones among them
#define PROCESSES_COMM_MAX    64                // 15 bytes as JSON leaves them: U+FFFD takes three
#define PROCESSES_TOTALS_MAX                                                                       \
    16384 // processes of one span, 100 bytes each; further ones are left out

enum { PROCESSES_BORN = 1, PROCESSES_ENDED = 2 };

struct processes; // opaque

// 0 or -ENOMEM.
int processes_new(struct processes **ret);
void processes_free(struct processes *p);

// Begins a second, or goes on with the newest one when it has the same timestamp: the lengths and
// forks of both add up. A timestamp before the newest counts as the newest.
void processes_second(struct processes *p, int64_t timestamp_ms, double seconds, uint64_t forks);
// A process that ran in it. `what`: PROCESSES_BORN, PROCESSES_ENDED, added up.
void processes_add(struct processes *p, uint32_t pid, const char *comm, uint64_t cpu_ns,
                   unsigned what);

// One process over a span.
struct process_total {
    uint32_t pid;
    unsigned what; // was it born, did it end in the span?
    char comm[PROCESSES_COMM_MAX];
    double cpu_ms;
    int64_t first_ms, last_ms; // seconds in which it was first and last seen to run
};

struct process_span {
    struct process_total *totals; // owned by the caller: free()
    size_t n;
    bool truncated; // there were more
    double seconds; // measured length of the seconds in the span
    double cpu_ms;  // of all
    uint64_t forks;
    int64_t from_ms, to_ms; // of the first and last second in it; 0 when there is none
};

// The seconds that ended from … to (inclusive), added up by PID and name. 0 or -ENOMEM.
int processes_span(const struct processes *p, int64_t from_ms, int64_t to_ms,
                   struct process_span *ret);
// Most CPU time first. Needs no lock.
void process_span_sort(struct process_span *span);
